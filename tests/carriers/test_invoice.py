"""An invoice's key, and the invoice behind it, as one reference."""

from __future__ import annotations

import pytest

from carriers.base import RefKind, TrackingRef
from carriers.invoice import cnpj_of, key_or_invoice

KEY = "35261111222333000181550010000010011102030405"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param(f" {KEY[:6]} {KEY[6:]} ", TrackingRef(RefKind.INVOICE_KEY, KEY), id="a key with blanks"),
        pytest.param("35261144555666000161570010000070011556677887", None, id="the key of a freight document"),
        pytest.param(
            "11.222.333/0001-81/001/0001003",
            TrackingRef(RefKind.INVOICE, "11222333000181/1/1003"),
            id="punctuation and zeros",
        ),
        pytest.param(
            "12abc34501de35/1/7", TrackingRef(RefKind.INVOICE, "12ABC34501DE35/1/7"), id="letters in the CNPJ"
        ),
        pytest.param(
            "11222333000181//7", TrackingRef(RefKind.INVOICE, "11222333000181/0/7"), id="no series is series 0"
        ),
        pytest.param("11222333000181/1", None, id="no number"),
        pytest.param("11222333000181/1/0", None, id="number 0"),
        pytest.param("1/7", None, id="no issuer"),
    ],
)
def test_a_key_or_an_invoice(value: str, wanted: TrackingRef | None) -> None:
    assert key_or_invoice(value) == wanted


def test_a_cnpj_by_its_form() -> None:
    assert cnpj_of("12.abc.345/01de-35") == "12ABC34501DE35"
    assert cnpj_of("123.456.789-09") is None
