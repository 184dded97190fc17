"""Telephone numbers to E.164."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracker.domain.phones import AREA_CODES, e164, is_mobile

DATA = Path(__file__).parent.parent / "data"
PHONES = json.loads((DATA / "csv" / "identifiers.json").read_text(encoding="utf-8"))["phone_e164"]


@pytest.mark.parametrize(("text", "expected"), PHONES.items())
def test_recorded_table(text: str, expected: str | None) -> None:
    assert e164(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("11 3210-4455 / 11 98765-0123", "+5511987650123", id="the mobile of two numbers"),
        pytest.param("(11) 3210-4455 ramal 12", "+551132104455", id="an extension is dropped"),
        pytest.param("+55 (0) 31 99876-1234", "+5531998761234", id="a trunk zero after the country code"),
        pytest.param("011 98765-0123", "+5511987650123", id="a trunk zero without operator"),
        pytest.param("0 31 55 3210-4455", "+555532104455", id="operator 31, area 55"),
        pytest.param("5555987650123", "+5555987650123", id="country code and area code are both 55"),
        pytest.param("55987650123", "+5555987650123", id="area code 55 without country code"),
        pytest.param("(20) 98765-0123", None, id="an area code not in use"),
        pytest.param("(11) 88765-01234", None, id="eleven digits that are no mobile"),
        pytest.param("11 99999-9999", None, id="equal digits"),
        pytest.param("15 11 98765-0123", None, id="an operator's code without its zero"),
        pytest.param("+1 415", None, id="too short for any country"),
        pytest.param("ligar para a mãe", None, id="words"),
    ],
)
def test_habits_of_forms(text: str, expected: str | None) -> None:
    assert e164(text) == expected


def test_only_brazilian_mobiles_get_messages() -> None:
    assert is_mobile("+5511987650123")
    assert not is_mobile("+551132104455")
    assert not is_mobile("+14155550100")


def test_area_codes_are_the_67_in_use() -> None:
    assert len(AREA_CODES) == 67
