"""Centavos in, centavos out, and how Brazilians write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.money import in_reais, to_cents


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        pytest.param("0", 0, id="nothing"),
        pytest.param("189.90", 18990, id="reais and centavos"),
        pytest.param("189.9", 18990, id="one decimal"),
        pytest.param("189", 18900, id="whole reais"),
        pytest.param("0.005", 1, id="half a centavo goes up"),
        pytest.param("0.0049", 0, id="less than half goes down"),
        pytest.param("1.015", 102, id="half a centavo goes up although a float would not"),
        pytest.param("1.025", 103, id="not to the even one"),
        pytest.param("-0.005", -1, id="half a centavo of debt goes away from nothing"),
        pytest.param("1234567890.12", 123456789012, id="more than four bytes"),
    ],
)
def test_reais_to_centavos(amount: str, cents: int) -> None:
    assert to_cents(Decimal(amount)) == cents


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        pytest.param(0, "R$ 0,00", id="nothing"),
        pytest.param(5, "R$ 0,05", id="centavos keep two places"),
        pytest.param(18990, "R$ 189,90", id="below a thousand"),
        pytest.param(123450, "R$ 1.234,50", id="a point between thousands"),
        pytest.param(123456789012, "R$ 1.234.567.890,12", id="many points"),
        pytest.param(-99, "-R$ 0,99", id="less than a real of debt keeps its sign"),
        pytest.param(-123450, "-R$ 1.234,50", id="debt"),
    ],
)
def test_centavos_as_brazilians_write_them(cents: int, text: str) -> None:
    assert in_reais(cents) == text


@given(st.integers(-(10**14), 10**14))
def test_what_is_written_can_be_read_back(cents: int) -> None:
    plain = in_reais(cents).replace("R$ ", "").replace(".", "").replace(",", ".")
    assert to_cents(Decimal(plain)) == cents
