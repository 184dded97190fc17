"""Numbers, money and dates."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.support import SAO_PAULO
from tracker.intake import values
from tracker.intake.values import BadValue

IDENTIFIERS = json.loads(
    (Path(__file__).parent.parent / "data" / "csv" / "identifiers.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("text", "expected"), IDENTIFIERS["money"].items())
def test_money_table(text: str, expected: str | None) -> None:
    cents = None if expected is None else int(Decimal(expected) * 100)
    assert values.money_cents(text) == cents


@pytest.mark.parametrize(("text", "expected"), IDENTIFIERS["date"].items())
def test_date_table(text: str, expected: str | None) -> None:
    try:
        found = values.day(text)
    except BadValue:
        found = None
    assert found == (date.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize(
    ("text", "mark", "cents"),
    [
        pytest.param("1.580", ",", 158000, id="thousands in a file with decimal commas"),
        pytest.param("1.580", ".", 158, id="three decimals in a file with decimal dots"),
        pytest.param("1,580", ".", 158000, id="thousands in a file with decimal dots"),
        pytest.param("1.234.567,89", None, 123456789, id="several thousands"),
        pytest.param("1.234.567", None, 123456700, id="several thousands without decimals"),
        pytest.param("0,995", ",", 100, id="half a centavo goes up"),
        pytest.param("R$\u00a01.580,00", None, 158000, id="a blank that does not break"),
        pytest.param("-", None, None, id="a dash means nothing"),
        pytest.param("0,00", None, 0, id="zero is a price"),
    ],
)
def test_money(text: str, mark: values.DecimalMark | None, cents: int | None) -> None:
    assert values.money_cents(text, mark) == cents


@pytest.mark.parametrize("text", ["-10,00", "1.58.0", "1,2,3", "1.580,00.0", "grátis 10", "3,5E+10", "9" * 20])
def test_money_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BadValue, match="número"):
        values.money_cents(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_money_written_by_a_spreadsheet_comes_back(cents: int) -> None:
    english = f"{Decimal(cents) / 100:,.2f}"
    brazilian = english.translate(str.maketrans(",.", ".,"))
    assert values.money_cents(english) == values.money_cents(f"R$ {brazilian}") == cents


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2", "2"), ("1.0000", "1"), ("1,000", "1"), ("1,5", "1.5"), ("10", "10"), ("1.000,00", "1000")],
)
def test_quantities(text: str, expected: str) -> None:
    assert str(values.quantity(text)) == expected


def test_no_quantity_is_zero() -> None:
    with pytest.raises(BadValue, match="maior que zero"):
        values.quantity("0,0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("10/11/2026", datetime(2026, 11, 10, 3, tzinfo=UTC), id="a day begins at local midnight"),
        pytest.param("10/11/2026 14:30", datetime(2026, 11, 10, 17, 30, tzinfo=UTC), id="wall clock"),
        pytest.param("10/11/2026 às 14:30:15", datetime(2026, 11, 10, 17, 30, 15, tzinfo=UTC), id="with a word"),
        pytest.param("10-11-26 14h30", datetime(2026, 11, 10, 17, 30, tzinfo=UTC), id="short year, hour mark h"),
        pytest.param("2026-11-10T15:32:10-03:00", datetime(2026, 11, 10, 18, 32, 10, tzinfo=UTC), id="offset"),
        pytest.param("2026-11-10T15:32:10.123Z", datetime(2026, 11, 10, 15, 32, 10, tzinfo=UTC), id="UTC"),
        pytest.param("10/11/2026 02:30 PM", datetime(2026, 11, 10, 17, 30, tzinfo=UTC), id="twelve hours"),
        pytest.param("46336,5", datetime(2026, 11, 10, 15, tzinfo=UTC), id="spreadsheet noon"),
        pytest.param("15/01/2018", datetime(2018, 1, 15, 2, tzinfo=UTC), id="summer time of 2018"),
    ],
)
def test_instants_are_utc(text: str, expected: datetime) -> None:
    assert values.instant(text, SAO_PAULO) == expected


def test_the_end_of_a_day_in_utc_is_that_day_in_the_merchants_zone() -> None:
    assert values.local_day("2026-11-17T02:59:59Z", SAO_PAULO) == date(2026, 11, 16)
    assert values.local_day("2026-11-17", SAO_PAULO) == date(2026, 11, 17)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("31/02/2026", "não existe no calendário"),
        ("11/23/2026", "não existe no calendário"),
        ("10/11/1026", "não existe no calendário"),
        ("39999", "não é uma data"),
        ("7", "número de dias"),
        ("5 dias úteis", "número de dias"),
        ("amanhã", "não é uma data"),
        ("10/11/2026 25:00", "hora que não existe"),
    ],
)
def test_dates_that_cannot_be_read(text: str, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        values.day(text)


def test_month_first_only_where_asked() -> None:
    assert values.day("11/23/2026", month_first=True) == date(2026, 11, 23)
    assert values.is_month_first_only("11/23/2026") is True
    assert values.is_month_first_only("23/11/2026") is False
    assert values.is_month_first_only("10/11/2026") is None


@pytest.mark.parametrize(
    ("text", "loses", "keeps"),
    [
        ("10088800012345", False, False),
        ("1234567890123450", True, False),
        ("12345678901234567", False, True),
        ("35261111222333000000000000000000000000000000", True, False),
    ],
)
def test_long_numbers_show_whether_a_spreadsheet_was_at_work(text: str, loses: bool, keeps: bool) -> None:
    assert (values.loses_digits(text), values.keeps_digits(text)) == (loses, keeps)
