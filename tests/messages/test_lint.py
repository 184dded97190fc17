"""What is wrong with a merchant's texts is found before a message needs them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tracker.messages.lint import file_faults, folder_faults
from tracker.messages.templates import PACKAGED

SHOPS = ("aurora", "boreal")
LANGUAGES = ("pt-BR", "en")


def lint(folder: Path) -> list[str]:
    """The faults as printed, without the folder in front."""
    return [str(fault).removeprefix(f"{folder}/") for fault in folder_faults(folder, SHOPS, LANGUAGES)]


def write(path: Path, text: str = "Oi, {{ pedido }}") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param(
            "posted.email.txt", "Oi\n{{ pedido }", ["2: erro de sintaxe: unexpected '}' (confira se"], id="syntax"
        ),
        pytest.param(
            "posted.email.txt",
            "Oi\n{% if nome == “Ana” %}oi{% endif %}",
            [
                "2: erro de sintaxe: unexpected char '“' at 17 (aspas curvas, que os editores de texto põem sozinhos: troque-as"
            ],
            id="quotation marks of a word processor",
        ),
        pytest.param(
            "posted.email.txt", "{% if nome %}", ["1: erro de sintaxe: Unexpected end"], id="an if without end"
        ),
        pytest.param(
            "posted.email.txt",
            "{{ pedidos }}",
            ["1: variável desconhecida: 'pedidos' (talvez pedido?)"],
            id="a misspelled variable",
        ),
        pytest.param(
            "posted.email.txt",
            "{{ loja }}\n{{ valor }}",
            ["2: variável desconhecida: 'valor' (só existe em loss_confirmed; aqui há: data, "],
            id="a variable of another trigger",
        ),
        pytest.param(
            "posted.email.txt",
            "{{ nome }}",
            ["1: 'nome' pode faltar (escreva dentro de {% if nome %} ... {% endif %})"],
            id="printed though it may be absent",
        ),
        pytest.param(
            "posted.email.txt",
            "{{ cpf }}\n{{ nome }}\n{% if x %}\n{{ 1 + 1 }}{% endif %}{% set a = 1 %}",
            [
                "1: variável",
                "2: 'nome' pode faltar",
                "3: variável desconhecida: 'x'",
                "4: construção não permitida: Add",
                "4: construção não permitida: Assign",
            ],
            id="all at once",
        ),
        pytest.param(
            "posted.email.txt",
            "{% if nome %}Oi, {{ nome }}{% endif %}",
            ["1: sem as variáveis opcionais: o texto fica vazio (escreva também"],
            id="nothing without the optional ones",
        ),
        pytest.param(
            "posted.email.subject.txt",
            "{% if nome %}{% else %}x{% endif %}",
            ["1: com todas as variáveis: o texto fica vazio"],
            id="nothing with all of them",
        ),
        pytest.param(
            "posted.email.txt",
            "{{ loja }}{% if data > nome %}x{% endif %}",
            ["1: sem as variáveis opcionais: não foi possível montar o texto: TypeError"],
            id="an order between what is absent",
        ),
        pytest.param(
            "posted.email.txt",
            "{% for c in rastreios %}" + "x" * 60_000 + "{% endfor %}",
            ["1: com todas as variáveis: o texto pronto passa de 256 KiB"],
            id="far too much of it",
        ),
        pytest.param("posted.email.txt", "x" * 70_000, ["1: o modelo passa de 64 KiB (encurte-o)"], id="far too large"),
        pytest.param(
            "posted.email.html",
            "<p>\n<script>x</script>\n<a href='http://x.example'>",
            ["2: '<script': não funciona em e-mail", "3: 'href='http://': link sem segurança (use https://)"],
            id="what mail does not show",
        ),
        pytest.param(
            "layout.email.txt",
            "{{ corpo }}\n{% if valor %}{{ valor }}{% endif %}",
            [
                "2: variável desconhecida: 'valor', em order_thanked, posted, in_transit, out_for_delivery, "
                "delivery_attempt_failed, pickup_waiting, delay_detected, delay_followup, inquiry_opened, damage, "
                "returned_to_sender, address_problem, delivered (só existe em loss_confirmed"
            ],
            id="a frame is for every trigger",
        ),
        pytest.param(
            "layout.email.html",
            "<p>{{ loja }}</p>",
            ["1: com todas as variáveis: a moldura não mostra o texto do aviso (escreva {{ corpo }})"],
            id="a frame without the text",
        ),
        pytest.param(
            "posted.mail.txt",
            "",
            ["1: nenhuma mensagem usa um arquivo com este nome (talvez posted.email.txt?)"],
            id="a misspelled channel",
        ),
        pytest.param(
            "postd.email.html",
            "",
            ["1: nenhuma mensagem usa um arquivo com este nome (talvez posted.email.html?)"],
            id="a misspelled trigger",
        ),
        pytest.param(
            "Posted.Email.TXT",
            "",
            ["1: nenhuma mensagem usa um arquivo com este nome (talvez posted.email.txt?)"],
            id="capitals",
        ),
        pytest.param(
            "posted.email.subject",
            "",
            ["1: nenhuma mensagem usa um arquivo com este nome (talvez posted.email.subject.txt?)"],
            id="half a part",
        ),
        pytest.param(
            "zzz",
            "",
            [
                "1: nenhuma mensagem usa um arquivo com este nome "
                "(os nomes são GATILHO.email.PARTE, como order_thanked.email.txt)"
            ],
            id="nothing like a name",
        ),
    ],
)
def test_faults_of_a_file(name: str, text: str, expected: list[str]) -> None:
    found = [str(fault) for fault in file_faults(text.encode(), name=name, file="f")]
    assert len(found) == len(expected), found
    for one, beginning in zip(found, expected, strict=True):
        assert one.startswith(f"f:{beginning}")


def test_a_file_that_is_no_text() -> None:
    (fault,) = file_faults(b"Oi\nol\xe1", name="posted.email.txt", file="f")
    assert str(fault) == "f:2: o arquivo não está em UTF-8 (salve-o como UTF-8)"


def test_what_init_hands_out_has_no_fault(tmp_path: Path) -> None:
    shutil.copytree(PACKAGED / "pt-BR", tmp_path / "pt-BR")
    shutil.copytree(PACKAGED / "pt-BR", tmp_path / "aurora" / "pt-BR")
    assert lint(tmp_path) == []


def test_a_folder_that_does_not_exist_has_no_fault(tmp_path: Path) -> None:
    assert lint(tmp_path / "none") == []


def test_every_file_of_the_folder_is_looked_at(tmp_path: Path) -> None:
    for good in ("pt-BR", "en", "aurora/pt-BR"):
        write(tmp_path / good / "posted.email.txt")
    write(tmp_path / "posted.email.txt")
    write(tmp_path / "pt-br" / "posted.email.txt")
    write(tmp_path / "auroa" / "pt-BR" / "posted.email.txt")
    write(tmp_path / "boreal" / "posted.email.txt")
    write(tmp_path / "boreal" / "aurora" / "posted.email.txt")
    write(tmp_path / "boreal" / "en" / "damage.email.txt", "{{ cpf }}")
    write(tmp_path / "pt-BR" / ".posted.email.txt.swp", "{{")
    (tmp_path / "en" / "damage.email.txt").mkdir()
    assert [fault.partition(" (")[0] for fault in lint(tmp_path)] == [
        "auroa:1: esta pasta não é de uma loja nem de um idioma",
        "boreal/aurora:1: esta pasta não é de uma loja nem de um idioma",
        "boreal/en/damage.email.txt:1: variável desconhecida: 'cpf'",
        "boreal/posted.email.txt:1: o arquivo está fora da pasta de um idioma",
        "en/damage.email.txt:1: há uma pasta onde se espera um arquivo",
        "posted.email.txt:1: o arquivo está fora da pasta de um idioma",
        "pt-br:1: esta pasta não é de uma loja nem de um idioma",
    ]
    advice = [fault.partition(" (")[2].rstrip(")") for fault in lint(tmp_path)]
    assert (advice[0], advice[-1]) == ("talvez aurora?", "talvez pt-BR?")
    assert advice[3] == f"o lugar dos textos é {tmp_path}/boreal/pt-BR/posted.email.txt"
