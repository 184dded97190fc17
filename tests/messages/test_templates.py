"""The packaged texts, and merchants' own in their places."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tracker.config.model import LANGUAGES
from tracker.messages.letter_variables import LETTERS
from tracker.messages.sandbox import TemplateFault
from tracker.messages.templates import LANGUAGE, MAX_SUBJECT, PACKAGED, MissingVariable, Templates
from tracker.messages.text_file import MAX_OUTPUT
from tracker.messages.variables import MAX_LIST, TRIGGERS, Kind, TriggerVariables, Value, shown_examples

MINIMUM: dict[str, Value] = {"loja": "Loja Aurora", "pedido": "10482"}


def examples(known: TriggerVariables) -> dict[str, Value]:
    return {variable.name: variable.example for variable in (*known.required, *known.optional)}


def longest(known: TriggerVariables) -> dict[str, Value]:
    """Every value as long as it can be, in the widest letters there are."""
    long: dict[Kind, Value] = {
        Kind.TEXT: "Ç" * 5000,
        Kind.LINK: "https://lj.example/" + "x" * 900,
        Kind.LIST: tuple(f"AA{number:09d}BR" for number in range(500)),
    }
    return {variable.name: long[variable.kind] for variable in (*known.required, *known.optional)}


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "templates"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize(
    "values",
    [
        pytest.param(examples, id="all variables"),
        pytest.param(lambda known: MINIMUM, id="only the required ones"),
        pytest.param(longest, id="worst lengths"),
        pytest.param(lambda known: MINIMUM | {"rastreio": "AA1", "nome": "Marina"}, id="one parcel"),
        pytest.param(lambda known: shown_examples(known, LANGUAGE), id="what a shop without links sends"),
    ],
)
def test_packaged_texts_are_whole_in_every_form(trigger: str, values: object, language: str) -> None:
    known = TRIGGERS[trigger]
    rendered = Templates(None).render(trigger, values(known), shop="exemplo", language=language)  # type: ignore[operator]
    for part in (rendered.subject, rendered.text, rendered.html):
        assert not re.search(r"\{\{|\{%|\bNone\b|\(\)|,\s*[,.!]|\.\.|\s[,.!?]", part), part
    assert rendered.subject and "\n" not in rendered.subject and len(rendered.subject) <= MAX_SUBJECT
    assert "\n\n\n" not in rendered.text
    order, you = {"pt-BR": ("pedido", "você"), "en": ("order", "you")}[language]
    assert order in rendered.text.lower() and you in rendered.text.lower()
    assert f'<html lang="{language}">' in rendered.html
    assert "<style" not in rendered.html and "style=" in rendered.html
    assert rendered.faults == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_subjects_fit_a_telephone_and_begin_with_the_order(trigger: str, language: str) -> None:
    known = TRIGGERS[trigger]
    for values in (shown_examples(known, language), MINIMUM):
        subject = Templates(None).render(trigger, values, shop="exemplo", language=language).subject
        assert len(subject) <= 60, subject
        assert "10482" in subject[:25], subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_both_parts_say_the_same_facts(trigger: str, language: str) -> None:
    known = TRIGGERS[trigger]
    rendered = Templates(None).render(trigger, examples(known), shop="exemplo", language=language)
    for name, variable in known.by_name.items():
        values = variable.example if isinstance(variable.example, tuple) else (variable.example,)
        for value in values:
            if name != "obrigado":  # a Portuguese subject's own
                assert (value in rendered.text) is (value in rendered.html), name


def test_both_languages_use_the_same_variables() -> None:
    def used(language: str, name: str) -> set[str]:
        source = (PACKAGED / language / name).read_text(encoding="utf-8")
        tags = " ".join(re.findall(r"\{[{%](.*?)[%}]\}", source))
        return set(re.findall(r"[a-z_]+", re.sub(r'"[^"]*"', "", tags)))

    # Letters go to carriers, in Portuguese alone.
    ours = (path.name for path in (PACKAGED / LANGUAGE).iterdir())
    names = sorted(name for name in ours if not name.startswith(tuple(LETTERS)))
    assert names == sorted(path.name for path in (PACKAGED / "en").iterdir())
    # A Portuguese thanks depends on who signs; an English one does not.
    of_one = {"obrigado", "or"}
    assert [name for name in names if (used("en", name) ^ used(LANGUAGE, name)) - of_one] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_without_a_link_the_text_asks_for_an_answer(trigger: str, language: str) -> None:
    rendered = Templates(None).render(trigger, MINIMUM, shop="exemplo", language=language)
    assert "http" not in rendered.text and "<a " not in rendered.html
    answer, greeting = {"pt-BR": ("esponda este e-mail", "Oi!\n"), "en": ("eply to this e-mail", "Hi!\n")}[language]
    assert answer in rendered.text
    assert rendered.text.startswith(greeting)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_with_a_link_it_is_shown_in_both_parts(trigger: str, language: str) -> None:
    link = "https://lj.example/p/a7Kq2mX9"
    known = TRIGGERS[trigger].by_name
    links = {name: link for name, variable in known.items() if variable.kind is Kind.LINK}
    rendered = Templates(None).render(trigger, MINIMUM | links, shop="exemplo", language=language)
    assert link in rendered.text and f'href="{link}"' in rendered.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "trigger",
    ["delay_detected", "delay_followup", "inquiry_opened", "loss_confirmed", "damage", "returned_to_sender"],
)
def test_problem_texts_offer_refund_and_replacement_and_blame_nobody(trigger: str, language: str) -> None:
    text = Templates(None).render(trigger, MINIMUM, shop="exemplo", language=language).text
    refund, product, blame, next_step = {
        "pt-BR": (
            r"[Rr]eembolso|de volta tudo o que pagou",
            "produto",
            r"\bculpa\b|favor aguardar|conforme já informado|prezad|não podemos fazer nada|até \d",
            "O que vem agora|Você escolhe",
        ),
        "en": (
            r"[Rr]efund|get back everything you paid",
            "product",
            r"fault|blame|please wait|as already informed|nothing we can do|dear customer|by \d",
            "What comes next|You choose",
        ),
    }[language]
    assert re.search(refund, text) and product in text
    assert not re.search(blame, text)
    assert re.search(next_step, text)


@pytest.mark.parametrize("trigger", ["delay_detected", "delay_followup"])
@pytest.mark.parametrize(("language", "until"), [("pt-BR", "até quinta-feira, 26/11"), ("en", "by Thursday, Nov 26")])
def test_the_next_news_is_promised_only_where_its_day_is_known(trigger: str, language: str, until: str) -> None:
    day = until.partition(" ")[2]
    with_day = Templates(None).render(trigger, MINIMUM | {"prox_contato": day}, shop="exemplo", language=language).text
    without = Templates(None).render(trigger, MINIMUM, shop="exemplo", language=language).text
    assert until in with_day
    assert not re.search("mesmo que nada mude|even if nothing changes", without)


def test_no_packaged_text_names_a_carrier() -> None:
    for language in LANGUAGES:
        letters = LETTERS if language == LANGUAGE else ()
        sources = [path.read_text(encoding="utf-8") for path in (PACKAGED / language).iterdir()]
        assert len(sources) == 3 * (len(TRIGGERS) + len(letters)) + 2
        assert not any(re.search(r"correios|jadlog", source, re.IGNORECASE) for source in sources)


def test_values_are_escaped_in_html_only() -> None:
    rendered = Templates(None).render("posted", MINIMUM | {"loja": "Arte & <b>Cia</b>"}, shop="exemplo")
    assert "Arte &amp; &lt;b&gt;Cia&lt;/b&gt;" in rendered.html
    assert "Arte & <b>Cia</b>" in rendered.text


@pytest.mark.parametrize("values", [{}, {"loja": "Loja"}, {"loja": "Loja", "pedido": " "}])
def test_a_missing_required_variable_is_named(values: dict[str, Value]) -> None:
    with pytest.raises(MissingVariable) as caught:
        Templates(None).render("posted", values, shop="exemplo")
    assert caught.value.names == tuple(name for name in ("loja", "pedido") if not str(values.get(name, "")).strip())


def test_each_file_is_looked_for_at_the_shop_then_at_all_shops_then_among_ours(own: Path) -> None:
    write(own / LANGUAGE, "posted.email.subject.txt", "de todas {{ pedido }}")
    write(own / LANGUAGE, "posted.email.txt", "texto de todas")
    write(own / "aurora" / LANGUAGE, "posted.email.subject.txt", "da Aurora {{ pedido }}")
    templates = Templates(own)
    aurora = templates.render("posted", MINIMUM, shop="aurora")
    other = templates.render("posted", MINIMUM, shop="outra")
    assert (aurora.subject, other.subject) == ("da Aurora 10482", "de todas 10482")
    assert aurora.text.startswith("texto de todas") and other.text.startswith("texto de todas")
    assert "saiu do nosso estoque" in aurora.html


def test_a_merchants_frame_goes_around_every_text(own: Path) -> None:
    write(own / LANGUAGE, "layout.email.txt", "{{ corpo }}\n-- {{ loja }}: {{ assunto }}")
    text = Templates(own).render("delivered", MINIMUM, shop="exemplo").text
    assert text.endswith("-- Loja Aurora: Pedido 10482 chegou! Deu tudo certo?\n")


def test_a_broken_frame_is_reported_and_ours_is_used(own: Path) -> None:
    path = write(own / LANGUAGE, "layout.email.html", "{{ corpo }}{{ cpf }}")
    rendered = Templates(own).render("posted", MINIMUM, shop="exemplo")
    assert "Você recebeu esta mensagem" in rendered.html
    assert [fault.file for fault in rendered.faults] == [str(path)]


def test_a_whole_document_of_the_merchant_gets_no_frame(own: Path) -> None:
    document = '<!DOCTYPE html PUBLIC "x" "http://www.w3.org/TR/x.dtd"><html><style>p{color:red}</style><p>{{ loja }}</p></html>'
    write(own / LANGUAGE, "posted.email.html", document)
    html = Templates(own).render("posted", MINIMUM, shop="exemplo").html
    assert '<p style="color: red;">Loja Aurora</p>' in html
    assert "Você recebeu" not in html


def test_a_broken_text_stops_its_own_trigger_alone(own: Path) -> None:
    path = write(own / LANGUAGE, "posted.email.txt", "Oi\n{{ 'a' * 9 }}")
    templates = Templates(own)
    for _ in range(2):
        with pytest.raises(TemplateFault, match=re.escape(f"{path}:2: ")):
            templates.render("posted", MINIMUM, shop="exemplo")
    assert templates.render("delivered", MINIMUM, shop="exemplo").faults == ()


def test_a_file_is_read_again_when_it_changed_and_only_then(own: Path) -> None:
    path = write(own / LANGUAGE, "posted.email.subject.txt", "um {{ pedido }}")
    templates = Templates(own)
    first = templates.render("posted", MINIMUM, shop="exemplo").subject
    stat = path.stat()
    path.write_text("xx {{ pedido }}", encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    unseen = templates.render("posted", MINIMUM, shop="exemplo").subject
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    seen = templates.render("posted", MINIMUM, shop="exemplo").subject
    path.unlink()
    packaged = templates.render("posted", MINIMUM, shop="exemplo").subject
    assert (first, unseen, seen, packaged) == ("um 10482", "um 10482", "xx 10482", "Pedido 10482: já está a caminho")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        pytest.param("posted.email.txt", b"ol\xe1", 1, id="not UTF-8"),
        pytest.param("posted.email.txt", b"x" * 70_000, 1, id="too large"),
        pytest.param("posted.email.txt", b"a\nhttp://loja.example", 2, id="link without TLS"),
        pytest.param("posted.email.html", b'<a href="http://x.example">x</a>', 1, id="link without TLS in HTML"),
        pytest.param("posted.email.html", b"<p>\n\n<script>x</script>", 3, id="script"),
        pytest.param("posted.email.html", b'<link rel="stylesheet" href="/etc/passwd">', 1, id="foreign style"),
        pytest.param("posted.email.subject.txt", b"{% if nome %}x{% endif %}", 1, id="a subject that may be empty"),
        pytest.param("posted.email.txt", b"{% if nome > loja %}x{% endif %}", 1, id="greater than what is absent"),
    ],
)
def test_files_that_cannot_be_used(own: Path, name: str, content: bytes, line: int) -> None:
    write(own / LANGUAGE, name, "").write_bytes(content)
    with pytest.raises(TemplateFault) as caught:
        Templates(own).render("posted", MINIMUM, shop="exemplo")
    assert (Path(caught.value.file).name, caught.value.line) == (name, line)


def test_a_byte_order_mark_does_not_show(own: Path) -> None:
    write(own / LANGUAGE, "posted.email.subject.txt", "").write_bytes(b"\xef\xbb\xbfOi {{ pedido }}\r\n")
    assert Templates(own).render("posted", MINIMUM, shop="exemplo").subject == "Oi 10482"


def test_a_folder_in_the_place_of_a_file_is_a_fault(own: Path) -> None:
    (own / LANGUAGE / "posted.email.txt").mkdir(parents=True)
    with pytest.raises(TemplateFault, match="não foi possível ler"):
        Templates(own).render("posted", MINIMUM, shop="exemplo")


def test_output_is_bounded(own: Path) -> None:
    write(own / LANGUAGE, "posted.email.txt", "{% for c in rastreios %}" + "x" * 60_000 + "{% endfor %}")
    with pytest.raises(TemplateFault, match=f"{MAX_OUTPUT // 1024} KiB"):
        Templates(own).render("posted", MINIMUM | {"rastreios": ["AA1"] * MAX_LIST}, shop="exemplo")


def test_a_subject_is_one_line_and_bounded(own: Path) -> None:
    write(own / LANGUAGE, "posted.email.subject.txt", "Pedido {{ pedido }}\nBcc: x@y.example\n{{ loja }}")
    subject = Templates(own).render("posted", MINIMUM | {"loja": "L" * 400}, shop="exemplo").subject
    assert subject.startswith("Pedido 10482 Bcc: x@y.example LLL")
    assert len(subject) == MAX_SUBJECT and subject.endswith("…")


def test_a_language_without_texts_says_so() -> None:
    with pytest.raises(TemplateFault, match="não há este texto em xx"):
        Templates(None).render("posted", MINIMUM, shop="exemplo", language="xx")


@pytest.mark.parametrize("shop", ["../etc", "a/b", "", ".hidden"])
def test_a_shops_name_never_leads_out_of_the_folder(shop: str, own: Path) -> None:
    with pytest.raises(ValueError, match="folder's name"):
        Templates(own).render("posted", MINIMUM, shop=shop)
