"""The declared variables, and how values are made safe to print."""

from __future__ import annotations

import pytest

from tracker.config.words import RELEASED_TRIGGERS
from tracker.messages.variables import MAX_LIST, MAX_VALUE, TRIGGERS, Kind, clean, first_name, prepared

POSTED = TRIGGERS["posted"]


def test_every_released_trigger_is_described_and_no_other() -> None:
    assert set(TRIGGERS) == {str(trigger) for trigger in RELEASED_TRIGGERS}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_each_variable_has_one_description_with_an_example(trigger: str) -> None:
    described = TRIGGERS[trigger]
    variables = (*described.required, *described.optional)
    assert len(described.by_name) == len(variables)
    assert all(variable.example and variable.meaning for variable in variables)
    assert all(isinstance(variable.example, tuple) is (variable.kind is Kind.LIST) for variable in variables)
    assert described.required_names == {"loja", "pedido"}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        pytest.param("fone\r\nBcc: todos@x.example", "fone Bcc: todos@x.example", id="line break"),
        pytest.param("a\x00b\x1bc\u2028d", "a b c d", id="control characters"),
        pytest.param("pre\u202eoder", "preoder", id="direction marks"),
        pytest.param("meia \ud83d emoção", "meia emoção", id="half a surrogate pair"),
        pytest.param("  São   João 🎁 ", "São João 🎁", id="letters and signs stay"),
    ],
)
def test_values_are_cleaned(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_a_very_long_value_is_cut() -> None:
    assert len(clean("x" * 5000)) == MAX_VALUE
    assert clean("x" * 5000).endswith("…")


@pytest.mark.parametrize(
    ("full", "first"),
    [
        pytest.param("Marina Exemplo", "Marina", id="as written"),
        pytest.param("JOÃO DA SILVA", "João", id="capitals"),
        pytest.param("ana-clara souza", "Ana-Clara", id="small letters"),
        pytest.param("D'Ávila Ramos", "D'Ávila", id="apostrophe"),
        pytest.param(None, None, id="unknown"),
        pytest.param("   ", None, id="blank"),
        pytest.param("J. Silva", None, id="an initial"),
        pytest.param("https://ganhe.example agora", None, id="an advertisement"),
        pytest.param("cliente@x.example", None, id="an address"),
        pytest.param("12345 Ltda", None, id="a number"),
    ],
)
def test_whom_the_text_greets(full: str | None, first: str | None) -> None:
    assert first_name(full) == first


def test_absent_variables_exist_and_unknown_ones_do_not() -> None:
    context = prepared(POSTED, {"loja": "Loja", "pedido": 10482, "cpf": "12345678909"})
    assert context["pedido"] == "10482"
    assert (context["nome"], context["rastreios"]) == (None, ())
    assert "cpf" not in context


def test_a_blank_value_is_an_absent_one() -> None:
    assert prepared(POSTED, {"nome": " \t "})["nome"] is None


def test_one_code_in_the_list_is_the_single_code() -> None:
    context = prepared(POSTED, {"rastreios": ["AA1", "  "]})
    assert (context["rastreio"], context["rastreios"]) == ("AA1", ())


def test_long_lists_are_cut() -> None:
    codes = prepared(POSTED, {"rastreios": [f"C{number}" for number in range(1000)]})["rastreios"]
    assert codes is not None and len(codes) == MAX_LIST


@pytest.mark.parametrize(
    ("values", "error"),
    [
        pytest.param({"nome": True}, TypeError, id="truth value"),
        pytest.param({"nome": ["a"]}, TypeError, id="list for a text"),
        pytest.param({"rastreios": "AA1"}, TypeError, id="text for a list"),
        pytest.param({"link": "javascript:alert(1)"}, ValueError, id="script for a link"),
        pytest.param({"link": "https://x.example/a b"}, ValueError, id="link with a blank"),
    ],
)
def test_values_of_the_wrong_kind_are_our_own_fault(values: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        prepared(POSTED, values)  # type: ignore[arg-type]
