"""Texts and values that mean harm: each has its one sentence with file and line, or ends as harmless words in a whole message."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.messages.strict_mail import NotStrict, read
from tracker.config.model import LANGUAGES
from tracker.messages.email_message import build_message
from tracker.messages.lint import file_faults
from tracker.messages.templates import Templates
from tracker.messages.variables import MAX_VALUE, TRIGGERS, Kind, Value

TEXT, HTML, SUBJECT = "posted.email.txt", "posted.email.html", "posted.email.subject.txt"


@pytest.mark.parametrize(
    ("name", "source", "sentence"),
    [
        # reaching for internals
        pytest.param(TEXT, "{{ loja.__class__ }}", "'.__class__' não é permitido", id="a class"),
        pytest.param(TEXT, "{{ ''.__class__.__mro__[1].__subclasses__() }}", "construção não permitida: Call", id="every class"),
        pytest.param(TEXT, "{{ loja['__class__'] }}", "construção não permitida: Getitem", id="by brackets"),
        pytest.param(TEXT, "{{ loja|attr('__class__') }}", "filtro não permitido: 'attr'", id="by filter"),
        pytest.param(TEXT, "{{ '{0.__class__}'.format(loja) }}", "construção não permitida: Call", id="by format"),
        pytest.param(TEXT, "{{ '%s'|format(loja) }}", "filtro não permitido: 'format'", id="by the format filter"),
        pytest.param(TEXT, "{{ rastreios|map(attribute='__class__')|list }}", "filtro não permitido: 'list'", id="by map"),
        pytest.param(TEXT, "{{ rastreios|join(attribute='__class__') }}", "o filtro 'join' não aceita", id="by join"),
        pytest.param(TEXT, "{{ self._TemplateReference__context }}", "não é permitido", id="the template itself"),
        pytest.param(TEXT, "{{ config }}", "variável desconhecida: 'config'", id="the configuration"),
        pytest.param(TEXT, "{{ environment }}", "variável desconhecida: 'environment'", id="the environment"),
        pytest.param(TEXT, "{{ lipsum.__globals__ }}", "'.__globals__' não é permitido", id="globals of a function"),
        pytest.param(TEXT, "{{ cycler('a') }}", "construção não permitida: Call", id="a built-in"),
        pytest.param(TEXT, "{% for x in rastreios %}{{ loop.__init__ }}{% endfor %}", "'.__init__' não é permitido", id="loop"),
        # other files
        pytest.param(TEXT, "{% include '/etc/passwd' %}", "construção não permitida: Include", id="include"),
        pytest.param(TEXT, "{% extends '../config.yaml' %}", "construção não permitida: Extends", id="extends"),
        pytest.param(TEXT, "{% import 'os' as os %}", "construção não permitida: Import", id="import"),
        pytest.param(TEXT, "{% from 'x' import y %}", "construção não permitida: FromImport", id="from import"),
        # work without end
        pytest.param(TEXT, "{% for x in range(999999999) %}a{% endfor %}", "{% for %} só percorre", id="a long loop"),
        pytest.param(
            TEXT,
            "{% for x in rastreios %}{% for y in rastreios %}{% for z in rastreios %}a{% endfor %}{% endfor %}{% endfor %}",
            "um {% for %} não pode ficar dentro de outro",
            id="loops in loops",
        ),
        pytest.param(TEXT, "{% macro m() %}{{ m() }}{% endmacro %}", "construção não permitida: Macro", id="a macro"),
        pytest.param(TEXT, "{% set x = 'a' %}", "construção não permitida: Assign", id="assignment"),
        pytest.param(TEXT, "{{ 'a' * 999999999 }}", "construção não permitida: Mul", id="repetition"),
        pytest.param(TEXT, "{{ 9 ** 9 ** 9 ** 9 }}", "construção não permitida: Pow", id="powers"),
        pytest.param(TEXT, "{{ loja|center(999999999) }}", "filtro não permitido: 'center'", id="padding"),
        pytest.param(TEXT, "{{ loja|indent(999999999) }}", "filtro não permitido: 'indent'", id="indentation"),
        pytest.param(TEXT, "{{ loja ~ loja }}", "construção não permitida: Concat", id="concatenation"),
        pytest.param(TEXT, "{% if loja %}" * 99 + "{% endif %}" * 99, "blocos demais um dentro do outro", id="deep blocks"),
        pytest.param(TEXT, "{{ " + "(" * 999 + "loja" + ")" * 999 + " }}", "complicado demais", id="deep brackets"),
        pytest.param(TEXT, "{{ " + "9" * 5000 + " }}", "complicado demais", id="an endless number"),
        pytest.param(TEXT, "a" * (64 * 1024 + 1), "o modelo passa de 64 KiB", id="an endless file"),
        pytest.param(
            TEXT,
            "{% for c in rastreios %}" + "x" * 60_000 + "{% endfor %}",
            "com todas as variáveis: o texto pronto passa de 256 KiB",
            id="an endless message",
        ),
        # escaping off, active content
        pytest.param(HTML, "{{ loja|safe }}", "filtro não permitido: 'safe'", id="safe"),
        pytest.param(HTML, "{% autoescape false %}{{ loja }}{% endautoescape %}", "construção não permitida", id="unescaped"),
        pytest.param(HTML, "<script>alert(1)</script>", "'<script': não funciona em e-mail", id="a script"),
        pytest.param(HTML, "< IFRAME src='https://x.example'>", "'< IFRAME': não funciona em e-mail", id="a frame"),
        pytest.param(HTML, "<a href='javascript:x()'>x</a>", "'javascript:': não funciona em e-mail", id="a script in a link"),
        pytest.param(HTML, "<form action='https://x.example'></form>", "'<form': não funciona em e-mail", id="a form"),
        pytest.param(HTML, "<base href='https://x.example'>", "'<base': não funciona em e-mail", id="another base"),
        pytest.param(HTML, "<img src=http://x.example/p.gif>", "link sem segurança", id="a picture without TLS"),
        # broken as a file
        pytest.param(TEXT, b"\xff\xfeO\x00i\x00", "o arquivo não está em UTF-8", id="UTF-16"),
        pytest.param(TEXT, b"Oi\x80", "o arquivo não está em UTF-8", id="half a letter"),
        pytest.param(TEXT, "{{ loja", "erro de sintaxe", id="never closed"),
        pytest.param(TEXT, "{% if nome %}", "erro de sintaxe", id="never ended"),
        pytest.param(TEXT, "{{ loja }}{% endif %}", "erro de sintaxe", id="ended twice"),
        pytest.param(TEXT, " \r\n\t\r\n", "com todas as variáveis: o texto fica vazio", id="nothing but blanks"),
        pytest.param(SUBJECT, "{# Bcc: x@y.example #}", "com todas as variáveis: o texto fica vazio", id="a comment"),
        pytest.param("../../etc/passwd", "x", "nenhuma mensagem usa um arquivo com este nome", id="a name that leads away"),
        pytest.param("posted.email.txt\x00.html", "x", "nenhuma mensagem usa um arquivo com este nome", id="a name with a NUL"),
    ],
)  # fmt: skip
def test_a_hostile_text_has_one_sentence_with_its_line(name: str, source: str | bytes, sentence: str) -> None:
    raw = source if isinstance(source, bytes) else source.encode()
    (fault,) = file_faults(raw, name=name, file="templates/pt-BR/x")
    assert sentence in str(fault)
    assert str(fault).startswith("templates/pt-BR/x:1: ") or fault.line > 1
    assert "\n" not in str(fault) and len(str(fault)) < 700


HOSTILE_VALUES = {
    "another header": "Ana\r\nBcc: todos@x.example",
    "a bare line feed": "Ana\nBcc: todos@x.example",
    "a bare carriage return": "Ana\rBcc: todos@x.example",
    "an end of the head": "Ana\r\n\r\n<h1>outro</h1>",
    "an end of the data": "Ana\r\n.\r\nMAIL FROM:<x@y.example>",
    "a line separator": "Ana\u2028Bcc: todos@x.example",
    "a paragraph separator": "Ana\u2029Bcc: todos@x.example",
    "a next line": "Ana\u0085Bcc: todos@x.example",
    "a vertical tab": "Ana\x0bBcc: todos@x.example",
    "a form feed": "Ana\x0cBcc: todos@x.example",
    "a NUL": "Ana\x00Bcc",
    "an escape": "Ana\x1b[2J",
    "a delete": "Ana\x7f",
    "an encoded word": "=?utf-8?q?Ana=0D=0ABcc:_x@y.example?=",
    "half an encoded word": "=?utf-8?q?Ana",
    "a boundary": '--===============1234567890==\r\nContent-Type: text/html',
    "a template": "{{ loja.__class__ }}{% for x in y %}",
    "a script": "<script>alert(1)</script>",
    "an attribute": '"><img src=x onerror=alert(1)>',
    "an entity": "&lt;b&gt; &#60;",
    "reversed writing": "\u202emoc.elpmaxe",
    "half a surrogate pair": "Ana \ud83d",
    "a long word": "x" * 5000,
    "long words in wide letters": "Çã" * 2500,
    "an address list": "Ana <a@x.example>, Eva <e@x.example>",
    "quotes and backslashes": 'Ana \\" <x@y.example>',
    "a group": "undisclosed-recipients:;",
    "a comment": "Ana (Bcc: x@y.example)",
    "emoji": "Ana 🎁👨‍👩‍👧",
    "combining letters without end": "A" + "\u0301" * 3000,
    "blanks": " \t ",
    "nothing but marks": "\u200e\u200f\u2066",
}  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
@pytest.mark.parametrize("trigger", ["posted", "delay_detected", "pickup_waiting"])
def test_a_hostile_value_is_words_in_a_whole_message(trigger: str, value: str) -> None:
    known = TRIGGERS[trigger].by_name
    values: dict[str, Value] = {name: value for name, one in known.items() if one.kind is Kind.TEXT}
    values |= {"rastreios": [value, value, "AA123456785BR"], "loja": f"Loja {value}", "pedido": f"1{value}"}
    rendered = Templates(None).render(trigger, values, shop="exemplo")
    mail = read(message(rendered, recipient_name=value))
    assert set(mail.headers) >= {b"from", b"to", b"subject", b"message-id"} and b"bcc" not in mail.headers
    assert mail.shown(b"to").rstrip(">").endswith("marina@cliente.example")
    assert mail.shown(b"subject") == rendered.subject
    assert len(mail.shown(b"subject")) <= 150
    assert "<script" not in mail.html and "<img" not in mail.html and " onerror=alert(1)>" not in mail.html
    assert mail.text.replace("\r\n", "\n") == rendered.text
    assert len(mail.text) < 20 * MAX_VALUE


def message(rendered: object, **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "sender": "Loja São João <pos-venda@loja.example>",
        "reply_to": "sac@loja.example",
        "recipient": "marina@cliente.example",
        "recipient_name": "Marina Exemplo",
        "message_id": "<0123456789abcdef0123456789abcdef@loja.example>",
        "date": datetime(2026, 11, 23, 13, 5, 57, tzinfo=UTC),
        "trigger": "delay_detected",
        "shop": "aurora",
        "entity_ref": "0123456789abcdef0123456789abcdef",
    }
    return build_message(rendered, **arguments | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_packaged_text_is_a_strict_message(trigger: str, language: str) -> None:
    known = TRIGGERS[trigger]
    values = {name: variable.example for name, variable in known.by_name.items()}
    rendered = Templates(None).render(trigger, values, shop="exemplo", language=language)
    mail = read(message(rendered, trigger=trigger))
    assert mail.shown(b"subject") == rendered.subject
    assert mail.html.replace("\r\n", "\n").rstrip("\n") == rendered.html.replace("\r\n", "\n").rstrip("\n")
    assert mail.headers[b"feedback-id"].startswith(f"-:{trigger[:20]}:aurora:st".encode())
    assert len(mail.html) < 102 * 1024  # more is cut by a large mailbox provider


def test_tokens_longer_than_a_line_stay_whole() -> None:
    """The folding trap: a token of more than 77 characters must not become an encoded word."""
    domain = "entregas." * 12 + "loja-de-nome-comprido.example"
    root, last = f"<{'a' * 32}@{domain}>", f"<{'b' * 32}@{domain}>"
    rendered = Templates(None).render("posted", {"loja": "Loja", "pedido": "1" * 140}, shop="exemplo")
    mail = read(
        message(rendered, message_id=f"<{'c' * 32}@{domain}>", references=[root, last], recipient=f"x@{domain}")
    )
    assert mail.headers[b"message-id"] == f"<{'c' * 32}@{domain}>".encode()
    assert mail.headers[b"references"] == f"{root} {last}".encode()
    assert mail.headers[b"to"].endswith(f"<x@{domain}>".encode())
    assert mail.shown(b"subject") == rendered.subject


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        pytest.param(lambda data: data.replace(b"\r\n", b"\n", 1), "CRLF", id="a bare line feed"),
        pytest.param(
            lambda data: data.replace(b"Subject:", b"Bcc: x@y.example\r\nSubject:"), "no header but ours", id="Bcc"
        ),
        pytest.param(lambda data: data.replace(b"Subject:", b"Subject: a\r\nSubject:"), "each header once", id="twice"),
        pytest.param(
            lambda data: data.replace(b"<0123456789abcdef", b"=?utf-8?q?=3C0123456789abcdef?="),
            "no encoded word",
            id="an encoded token",
        ),
        pytest.param(lambda data: data.replace(b"X-Entity", b"X Entity"), "name and colon", id="a blank in a name"),
        pytest.param(lambda data: data.replace(b'charset="utf-8"', b'charset="latin-1"', 1), "in UTF-8", id="charset"),
        pytest.param(lambda data: data + b"--x", "two parts and an end", id="something after the end"),
        pytest.param(lambda data: data.replace(b"MIME", "MÍME".encode()), "only ASCII", id="a letter with an accent"),
    ],
)
def test_the_strict_reader_finds_what_is_broken(spoil: object, rule: str) -> None:
    rendered = Templates(None).render("posted", {"loja": "Loja", "pedido": "1"}, shop="exemplo")
    with pytest.raises(NotStrict, match=rule):
        read(spoil(message(rendered)))  # type: ignore[operator]
