from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from carriers.dates import parse_day, parse_instant, parse_offset

BRASILIA = ZoneInfo("America/Sao_Paulo")
MANAUS = ZoneInfo("America/Manaus")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-11-18T14:22:07", datetime(2026, 11, 18, 17, 22, 7, tzinfo=UTC), id="ISO, local"),
        pytest.param("2026-11-18 14:22", datetime(2026, 11, 18, 17, 22, tzinfo=UTC), id="ISO with a blank"),
        pytest.param("2026-11-18T14:22:07.5Z", datetime(2026, 11, 18, 14, 22, 7, 500000, tzinfo=UTC), id="ISO in UTC"),
        pytest.param("2026-11-18T14:22:07-0400", datetime(2026, 11, 18, 18, 22, 7, tzinfo=UTC), id="ISO with offset"),
        pytest.param("2026-11-18", datetime(2026, 11, 18, 3, tzinfo=UTC), id="ISO day is its midnight"),
        pytest.param("18/11/2026 14:22:07", datetime(2026, 11, 18, 17, 22, 7, tzinfo=UTC), id="slashes"),
        pytest.param("18/11/2026 14:22", datetime(2026, 11, 18, 17, 22, tzinfo=UTC), id="slashes without seconds"),
        pytest.param(" 18-11-2026 ", datetime(2026, 11, 18, 3, tzinfo=UTC), id="hyphens, blanks around"),
        pytest.param("2018-12-01T12:00:00", datetime(2018, 12, 1, 14, tzinfo=UTC), id="daylight saving of 2018"),
    ],
)
def test_instants(text: str, expected: datetime) -> None:
    result = parse_instant(text, BRASILIA)

    assert result == expected
    assert result.tzinfo is UTC


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        pytest.param("2026-11-18T14:22:07", "18/11/2026 14:22:07", id="any"),
        pytest.param("2018-11-04T00:30:00", "04/11/2018 00:30:00", id="an hour that the clocks left out"),
        pytest.param("2018-02-17T23:30:00", "17/02/2018 23:30:00", id="an hour that came twice"),
        pytest.param(" 2100-12-31T23:59:59 ", "31/12/2100 23:59:59", id="the last year, blanks around"),
    ],
)
def test_the_usual_form_reads_as_every_other(usual: str, other: str) -> None:
    assert parse_instant(usual, BRASILIA) == parse_instant(other, BRASILIA)
    assert parse_day(usual, BRASILIA) == parse_day(other, BRASILIA)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        pytest.param("2026-11-19T23:59:59", BRASILIA, date(2026, 11, 19), id="the last second is still that day"),
        pytest.param("19/11/2026", BRASILIA, date(2026, 11, 19), id="day first"),
        pytest.param("2026-11-20T02:30:00Z", BRASILIA, date(2026, 11, 19), id="UTC night is the evening before"),
        pytest.param("2026-11-20T00:30:00-03:00", MANAUS, date(2026, 11, 19), id="the zone asked for decides"),
    ],
)
def test_days(text: str, zone: ZoneInfo, expected: date) -> None:
    assert parse_day(text, zone) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-02-30T10:00:00", id="30 February"),
        pytest.param("31/11/2026", id="31 November"),
        pytest.param("11/18/2026", id="month first is not guessed"),
        pytest.param("2026-11-18T25:00:00", id="hour 25"),
        pytest.param("2026-11-18T24:00:00", id="the hour after the last"),
        pytest.param("2026-11-18T14:22:60", id="second 60"),
        pytest.param("2026-W47-3T14:22:07", id="a day by its week"),
        pytest.param("2101-01-01T00:00:00", id="beyond this century"),
        pytest.param("2026-11-18T14:22:07+99:00", id="offset beyond the globe"),
        pytest.param("0001-01-01T00:00:00", id="filler of an empty field"),
        pytest.param("9999-12-31", id="filler for never"),
        pytest.param("18-11/2026", id="mixed marks"),
        pytest.param("20261118", id="bare digits"),
        pytest.param("٢٠٢٦-11-18", id="digits of another script"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text, BRASILIA)


def test_an_offset_alone() -> None:
    assert parse_offset("-03:00").utcoffset(None) == parse_offset("-0300").utcoffset(None)
    with pytest.raises(ValueError):
        parse_offset("Brasilia")
