"""Identifiers against the recorded tables of valid and invalid ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracker.domain.documents import (
    cep,
    cnpj,
    cnpj_root,
    cpf,
    document,
    invoice_of_key,
    is_s10_form,
    nfe_key,
    s10,
)

DATA = Path(__file__).parent.parent / "data"
IDENTIFIERS = json.loads((DATA / "csv" / "identifiers.json").read_text(encoding="utf-8"))
KEYS = json.loads((DATA / "nfe" / "access-keys.json").read_text(encoding="utf-8"))
CHECKS = {"cpf": cpf, "cnpj": cnpj, "nfe_key": nfe_key, "correios_code": s10}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in CHECKS for text in IDENTIFIERS[kind]["valid"]])
def test_valid_identifiers_come_back_bare(kind: str, text: str) -> None:
    expected = "".join(char for char in text if char.isalnum()).upper()
    assert CHECKS[kind](text) == expected


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in CHECKS for text in IDENTIFIERS[kind]["invalid"]])
def test_invalid_identifiers_are_refused(kind: str, text: str) -> None:
    assert CHECKS[kind](text) is None


@pytest.mark.parametrize("entry", KEYS, ids=[f"{entry['kind']} {entry['key'][-4:]}" for entry in KEYS])
def test_access_keys(entry: dict[str, object]) -> None:
    key = str(entry["key"])
    assert (nfe_key(key) == key) is entry["valid"]


def test_series_and_number_of_a_key() -> None:
    assert invoice_of_key("35261111222333000181550010000010011102030405") == ("1", "1001")


@pytest.mark.parametrize(("text", "expected"), IDENTIFIERS["cep"].items())
def test_cep(text: str, expected: str | None) -> None:
    assert cep(text) == expected


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        pytest.param("1234567890", None, "01234567890", id="a CPF gets back the zero a spreadsheet ate"),
        pytest.param("191", None, None, id="a short number is some other number"),
        pytest.param("191", "cnpj", None, id="even in a CNPJ column"),
        pytest.param("6990590000123", None, "06990590000123", id="thirteen digits can only be a CNPJ"),
        pytest.param("360305000104", "cnpj", "00360305000104", id="two zeros eaten from a CNPJ"),
        pytest.param("12abc34501de35", None, "12ABC34501DE35", id="a CNPJ with letters"),
        pytest.param("11222333000181", "cpf", None, id="a CNPJ is no CPF"),
        pytest.param("52998224725", "cnpj", None, id="a CPF in a CNPJ column is not made a CNPJ"),
        pytest.param("٥٢٩٩٨٢٢٤٧٢٥", None, None, id="digits of another script"),
    ],
)
def test_documents_of_either_kind(text: str, kind: str | None, expected: str | None) -> None:
    assert document(text, kind) == expected  # type: ignore[arg-type]


def test_branches_share_the_root() -> None:
    assert cnpj_root("12.ABC.345/01DE-35") == cnpj_root("12abc345000199") == "12ABC345"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("AB123456789BR", True), ("AB12345678BR", False), ("A1123456785BR", False), ("10088800012345", False)],
)
def test_s10_form_does_not_ask_for_the_check_digit(code: str, expected: bool) -> None:
    assert is_s10_form(code) is expected
