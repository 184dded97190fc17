"""Names, greetings, e-mail forms and placeholders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracker.domain.text import clean, email, fold, greeting_name, is_placeholder, person_name

DATA = Path(__file__).parent.parent / "data"
NAMES = json.loads((DATA / "csv" / "identifiers.json").read_text(encoding="utf-8"))["name"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *NAMES.items(),
        ("joão paulo ii", "João Paulo II"),
        ("PAPELARIA HORIZONTE LTDA", "Papelaria Horizonte LTDA"),
        ("COMÉRCIO DE TINTAS S/A", "Comércio de Tintas S/A"),
        ("ANA-MARIA  DOS  SANTOS", "Ana-Maria dos Santos"),
        ("DA SILVA", "Da Silva"),
        ("ANA D’ÁVILA", "Ana D’Ávila"),
        ("PADARIA CENTRAL LTDA-ME", "Padaria Central LTDA-ME"),
        ("PADARIA CENTRAL LTDA.", "Padaria Central LTDA."),
        ("PADARIA S.A. (EPP)", "Padaria S.A. (EPP)"),
        ("Padaria LTDA do Zé", "Padaria LTDA do Zé"),
    ],
)
def test_names_are_written_as_in_a_letter(text: str, expected: str) -> None:
    assert person_name(text) == expected


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        pytest.param("MARINA AZEVEDO PRADO", "52998224725", "Marina", id="first name in title case"),
        pytest.param("Ana D'Ávila Conceição", None, "Ana", id="first word only"),
        pytest.param("d'ávila souza", None, "D'Ávila", id="an apostrophe inside the first name"),
        pytest.param("Dra. Helena Prado", None, "Helena", id="a title is skipped"),
        pytest.param("Marina Azevedo", "11222333000181", None, id="a company by its document"),
        pytest.param("Papelaria Horizonte Ltda", None, None, id="a company by its name"),
        pytest.param("J. Silva", None, None, id="an initial is no greeting"),
        pytest.param('=HYPERLINK("http://example.invalid")', None, None, id="formula text"),
        pytest.param("www.example.invalid oferta", None, None, id="an address of a page"),
        pytest.param("Cliente", None, None, id="a word that stands for any customer"),
        pytest.param("Não informado", None, None, id="a placeholder"),
        pytest.param("", None, None, id="empty"),
        pytest.param(None, None, None, id="absent"),
    ],
)
def test_greeting(name: str | None, document: str | None, expected: str | None) -> None:
    assert greeting_name(name, document) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Marina.Prado@Example.COM", "Marina.Prado@example.com"),
        ("a@example.com;b@example.com", "a@example.com"),
        ("mailto:a@example.com", "a@example.com"),
        ("Marina Prado <a@example.com>", "a@example.com"),
        (" a+loja@sub.example.com.br ", "a+loja@sub.example.com.br"),
        ("marina.prado@example", None),
        ("marina@@example.com", None),
        ("marina..prado@example.com", None),
        ("marina@-example.com", None),
        ("marina@example.com\nBcc: x@example.com", "marina@example.com"),
        ("marina@exámple.com", None),
        ("naotem@example.com", None),
        ("email@naoinformado.com", None),
        ("sem-email@example.com", None),
        ("x" * 65 + "@example.com", None),
        ("sem e-mail", None),
        ("", None),
    ],
)
def test_email_form(text: str, expected: str | None) -> None:
    assert email(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", " - ", "null", "NULL", "0", "S/N", "s/nº", "Não informado", "0000-00-00", "00/00/0000", "000.000.000-00"],
)
def test_placeholders(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ["1000", "Ana", "Sá", "0800", "10/11/2026", "Não Informadora Ltda"])
def test_values_that_mean_something(text: str) -> None:
    assert not is_placeholder(text)


def test_cleaning_strips_what_cannot_be_seen() -> None:
    assert clean("  Jo\u0061\u0303o\u200b \x07da\u00a0Silva\r\n") == "João da Silva"


def test_folding() -> None:
    assert fold("Código  Nº") == "codigo no"


@pytest.mark.parametrize(
    "address",
    [
        *("nao@tem.com", "naotem@naotem.com", "nao_possui@gmail.com", "naoinformado@loja.com", "nao-quis@x.com"),
        *(
            "sememail@loja.com",
            "sem-email@loja.com",
            "semmail@x.com",
            "noemail@x.com",
            "no-email@x.com",
            "sem@email.com",
        ),
        *("teste@teste.com", "teste@gmail.com", "test@x.com", "xxx@xxx.com", "aaa@x.com", "email@naoinformado.com"),
        *("a@a.com", "email@email.com", "cliente@cliente.com.br", "consumidor@consumidor.com", "123@123.com"),
    ],
)
def test_an_address_that_says_there_is_none(address: str) -> None:
    assert email(address) is None


@pytest.mark.parametrize(
    "address",
    ["ana@gmail.com", "testemunha@x.com", "nao@x.com"[1:], "mercado@mercado.com.br", "semeao@x.com", "ab@abc.com"],
)
def test_an_address_that_only_looks_like_it(address: str) -> None:
    assert email(address) == address
