"""What a merchant's template may do, and everything it may not."""

from __future__ import annotations

from typing import Any

import pytest

from tracker.messages.sandbox import TemplateFault, compiled
from tracker.messages.variables import TRIGGERS, prepared

POSTED = TRIGGERS["posted"]


def render(source: str, *, html: bool = False, **values: object) -> str:
    context = prepared(POSTED, {"loja": "Aurora & Cia", "pedido": "10482", **values})  # type: ignore[dict-item]
    return "".join(compiled(source, file="posted.email.txt", html=html, known=POSTED)(context))


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("{{ loja }} {{ pedido|upper }}", {}, "Aurora & Cia 10482"),
        ("{% if nome %}Oi, {{ nome }}{% else %}Oi{% endif %}!", {"nome": "Ana"}, "Oi, Ana!"),
        ("{% if nome %}Oi, {{ nome }}{% else %}Oi{% endif %}!", {}, "Oi!"),
        ("{{ nome|default('amiga') }}", {}, "amiga"),
        ("{{ nome or 'amiga' }}", {}, "amiga"),
        ("{{ nome if nome else loja }}", {}, "Aurora & Cia"),
        ("{% if not nome %}-{% else %}{{ nome }}{% endif %}", {"nome": "Ana"}, "Ana"),
        ("{% if nome is not none and produto %}{{ nome }}: {{ produto }}{% endif %}", {"nome": "Ana", "produto": "x"}, "Ana: x"),
        ("{% if transportadora == 'Azul' %}A{% elif data %}{{ data }}{% endif %}", {"data": "27/11"}, "27/11"),
        ("{{ rastreios|join(' e ') }} ({{ rastreios|length }})", {"rastreios": ["A", "B"]}, "A e B (2)"),
        ("{% for c in rastreios %}{{ loop.index }}.{{ c }}{% if not loop.last %}, {% endif %}{% endfor %}",
         {"rastreios": ["A", "B"]}, "1.A, 2.B"),
        ("{% for c in rastreios %}{{ c }}{% else %}nenhum{% endfor %}", {}, "nenhum"),
        ("a{# nota #}b{% raw %}{{ x }}{% endraw %}", {}, "ab{{ x }}"),
    ],
)  # fmt: skip
def test_what_texts_need_is_there(source: str, values: dict[str, Any], expected: str) -> None:
    assert render(source, **values) == expected


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{{ ''.__class__.__mro__ }}", id="attributes of a text"),
        pytest.param("{{ loja.__class__ }}", id="attributes of a variable"),
        pytest.param("{{ loja['upper'] }}", id="items"),
        pytest.param("{{ loja.format(x=1) }}", id="str.format"),
        pytest.param("{{ '{0.__class__}'.format(loja) }}", id="str.format on a constant"),
        pytest.param("{{ loja|attr('format') }}", id="attr filter"),
        pytest.param("{{ '%s'|format(loja) }}", id="format filter"),
        pytest.param("{{ rastreios|map('upper')|join }}", id="map filter"),
        pytest.param("{{ rastreios|join(',', '__class__') }}", id="attribute through join"),
        pytest.param("{{ rastreios|join(attribute='__class__') }}", id="attribute through join by name"),
        pytest.param("{{ loja|safe }}", id="safe filter"),
        pytest.param("{{ loja|center(30000000) }}", id="center filter"),
        pytest.param("{{ 'a' * 50000000 }}", id="repetition"),
        pytest.param("{{ 9 ** 99999999 }}", id="power"),
        pytest.param("{{ 'a' ~ loja }}", id="concatenation"),
        pytest.param("{{ 1 + 1 }}", id="arithmetic"),
        pytest.param("{% for x in range(99999) %}a{% endfor %}", id="range"),
        pytest.param("{% for x in loja %}a{% endfor %}", id="letters of a text"),
        pytest.param("{% for x in (1, 2) %}a{% endfor %}", id="a list of its own"),
        pytest.param("{% for x in rastreios %}{% for y in rastreios %}a{% endfor %}{% endfor %}", id="loop in a loop"),
        pytest.param("{% for x in rastreios recursive %}{{ loop(x) }}{% endfor %}", id="recursion"),
        pytest.param("{% for x in rastreios if x %}a{% endfor %}", id="condition in a loop"),
        pytest.param("{% for loja in rastreios %}a{% endfor %}", id="a loop that hides a variable"),
        pytest.param("{% for x in rastreios %}{{ loop.cycle('a') }}{% endfor %}", id="loop's methods"),
        pytest.param("{% for x in rastreios %}{{ loop.previtem }}{% endfor %}", id="loop's other facts"),
        pytest.param("{{ loop.index }}", id="loop outside a loop"),
        pytest.param("{% macro m() %}x{% endmacro %}", id="macro"),
        pytest.param("{% include 'outro.txt' %}", id="include"),
        pytest.param("{% import 'outro.txt' as x %}", id="import"),
        pytest.param("{% extends 'outro.txt' %}", id="extends"),
        pytest.param("{% block x %}{% endblock %}", id="block"),
        pytest.param("{% set x = 1 %}", id="assignment"),
        pytest.param("{% with x = 1 %}{% endwith %}", id="with"),
        pytest.param("{% filter upper %}a{% endfilter %}", id="filter block"),
        pytest.param("{% autoescape false %}{{ loja }}{% endautoescape %}", id="escaping off"),
        pytest.param("{% call x() %}{% endcall %}", id="call block"),
        pytest.param("{{ lipsum() }}", id="globals"),
        pytest.param("{{ self }}", id="the template itself"),
        pytest.param("{{ [loja] }}", id="list"),
        pytest.param("{{ {'a': loja} }}", id="dictionary"),
        pytest.param("{{ loja is defined }}", id="other tests"),
        pytest.param("{{ loja in 'abc' }}", id="in"),
        pytest.param("{{ cpf }}", id="unknown variable"),
        pytest.param("{{ nome }}", id="printed though it may be absent"),
        pytest.param("{{ nome|upper }}", id="filtered though it may be absent"),
        pytest.param("{% if nome or produto %}{{ nome }}{% endif %}", id="either may be absent"),
        pytest.param("{% if nome %}a{% else %}{{ nome }}{% endif %}", id="printed where it is absent"),
        pytest.param("{{ nome if produto }}", id="nothing otherwise"),
        pytest.param("{{ nome == 'Ana' }}", id="a truth value printed"),
        pytest.param("{{ none }}", id="none printed"),
        pytest.param("{{ rastreios }}", id="a list printed"),
        pytest.param("{{ nome|length }}", id="length of what may be absent"),
        pytest.param("{{ loja", id="not closed"),
        pytest.param("{% if loja %}", id="never ended"),
        pytest.param("{{ " + "(" * 5000 + "loja" + ")" * 5000 + " }}", id="thousands of brackets"),
        pytest.param("{{ " + "not " * 5000 + "loja }}", id="thousands of nots"),
        pytest.param("{% if loja %}" * 200 + "{% endif %}" * 200, id="hundreds of blocks"),
        pytest.param("{{ " + "9" * 5000 + " }}", id="a number of thousands of digits"),
        pytest.param("x" * (64 * 1024 + 1), id="larger than 64 KiB"),
    ],
)
def test_everything_else_is_refused_before_it_runs(source: str) -> None:
    with pytest.raises(TemplateFault):
        compiled(source, file="posted.email.txt", html=False, known=POSTED)


def test_html_is_escaped_and_text_is_not() -> None:
    assert render("{{ loja }}", html=True) == "Aurora &amp; Cia"
    assert render("{{ nome|default('<b>') }}", html=True) == "&lt;b&gt;"
    assert render("{{ loja }}") == "Aurora & Cia"


def test_a_fault_names_file_and_line() -> None:
    with pytest.raises(TemplateFault) as caught:
        compiled("Oi\n{% if loja %}\n{% endif %}\n\n{{ cpf }}\n", file="t/posted.email.txt", html=False, known=POSTED)
    assert (caught.value.file, caught.value.line) == ("t/posted.email.txt", 5)
    assert "cpf" in caught.value.message


def test_lines_of_tags_alone_vanish_and_text_lines_keep_their_end() -> None:
    source = "Oi{% if nome %}, {{ nome }}{% endif %}\n\n{% if data %}\nAté {{ data }}\n{% endif %}\nfim\n"
    assert render(source, nome="Ana", data="27/11") == "Oi, Ana\n\nAté 27/11\nfim"
    assert render(source) == "Oi\n\nfim"
