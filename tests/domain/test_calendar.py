"""Business days: holidays of every kind, the two readings of a doubtful day, and local midnights."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.support import DAYS, SAO_PAULO, at, on
from tracker.domain.calendar import BusinessCalendar, calendars

NOWHERE = frozenset[date]()


@pytest.mark.parametrize(
    ("day", "states", "since", "until"),
    [
        pytest.param("2026-11-23", "PR", True, True, id="an ordinary Monday"),
        pytest.param("2026-11-21", "PR", False, False, id="a Saturday"),
        pytest.param("2026-11-22", "PR", False, False, id="a Sunday"),
        pytest.param("2026-11-20", "PR", False, False, id="20 November is national since 2024"),
        pytest.param("2026-11-02", "PR", False, False, id="All Souls on a Monday"),
        pytest.param("2027-03-26", "PR", False, False, id="Good Friday 2027"),
        pytest.param("2026-12-25", "PR", False, False, id="Christmas on a Friday"),
        pytest.param("2027-01-01", "PR", False, False, id="New Year on a Friday"),
        pytest.param("2027-02-08", "PR", False, True, id="Carnival Monday 2027 is doubtful"),
        pytest.param("2027-02-09", "PR", False, True, id="Carnival Tuesday 2027 is doubtful"),
        pytest.param("2027-02-10", "PR", False, True, id="Ash Wednesday 2027 is doubtful"),
        pytest.param("2027-02-11", "PR", True, True, id="the Thursday after Carnival"),
        pytest.param("2027-02-09", "RJ", False, False, id="Carnival Tuesday is a holiday of Rio"),
        pytest.param("2027-05-27", "PR", False, True, id="Corpus Christi 2027 is doubtful"),
        pytest.param("2027-05-28", "PR", True, True, id="the Friday after Corpus Christi is none"),
        pytest.param("2026-12-24", "PR", False, True, id="24 December is doubtful"),
        pytest.param("2026-12-31", "PR", False, True, id="31 December is doubtful"),
        pytest.param("2026-12-30", "PR", True, True, id="30 December is none"),
        pytest.param("2026-07-09", "SP", False, False, id="9 July where the parcel goes to Sao Paulo"),
        pytest.param("2026-07-09", "PR", True, True, id="9 July elsewhere"),
        pytest.param("2026-07-09", "PR SP", False, False, id="9 July between Parana and Sao Paulo"),
        pytest.param("2026-07-02", "PR BA", False, False, id="2 July where one of the states is Bahia"),
        pytest.param("2026-07-09", "XX", True, True, id="an unknown state keeps the national days alone"),
        pytest.param("2026-11-20", "XX", False, False, id="an unknown state keeps the national days"),
        pytest.param("2026-11-20", "", False, False, id="no state at all keeps the national days"),
    ],
)
def test_a_day_is_business_or_not(day: str, states: str, since: bool, until: bool) -> None:
    days = calendars(SAO_PAULO, frozenset(states.split()), NOWHERE)
    assert (days.since.is_business(on(day)), days.until.is_business(on(day))) == (since, until)


def test_a_city_holiday_named_by_the_merchant_counts_in_both_readings() -> None:
    # Tuesday 8 September 2026, the day of Curitiba's patron; in no library.
    days = calendars(SAO_PAULO, frozenset({"PR"}), frozenset({on("2026-09-08")}))
    assert not days.since.is_business(on("2026-09-08"))
    assert not days.until.is_business(on("2026-09-08"))
    assert DAYS.since.is_business(on("2026-09-08"))


@pytest.mark.parametrize(
    ("day", "count", "since", "until"),
    [
        pytest.param("2026-11-23", 0, "2026-11-23", "2026-11-23", id="none after Monday is Monday"),
        pytest.param("2026-11-22", 0, "2026-11-22", "2026-11-22", id="none after Sunday stays on Sunday"),
        pytest.param("2026-11-27", 1, "2026-11-30", "2026-11-30", id="Friday, then Monday"),
        # Thu 19, (Fri 20 holiday, weekend), Mon 23
        pytest.param("2026-11-19", 1, "2026-11-23", "2026-11-23", id="over the long weekend of 20 November"),
        # Fri 27, Mon 30, Tue 1 December
        pytest.param("2026-11-27", 2, "2026-12-01", "2026-12-01", id="over the end of a month"),
        # Fri 26, Mon 1 March: 2027 has no 29 February
        pytest.param("2027-02-26", 1, "2027-03-01", "2027-03-01", id="over the end of February"),
        # since: Wed 23, (24 doubtful, 25, weekend), Mon 28, Tue 29, Wed 30, (31 doubtful, 1 January, weekend), Mon 4
        # until: Thu 24, (25, weekend), Mon 28, Tue 29, Wed 30
        pytest.param("2026-12-23", 4, "2027-01-04", "2026-12-30", id="over the end of the year"),
        # since: Fri 5, (weekend, Mon 8 to Wed 10), Thu 11; until: Mon 8
        pytest.param("2027-02-05", 1, "2027-02-11", "2027-02-08", id="over Carnival 2027"),
        # since: Wed 26, (Thu 27), Fri 28; until: Thu 27
        pytest.param("2027-05-26", 1, "2027-05-28", "2027-05-27", id="over Corpus Christi 2027"),
        # Thu 25, (Good Friday, weekend), Mon 29
        pytest.param("2027-03-25", 1, "2027-03-29", "2027-03-29", id="over Easter 2027"),
    ],
)
def test_the_nth_business_day_after(day: str, count: int, since: str, until: str) -> None:
    assert (DAYS.since.add(on(day), count), DAYS.until.add(on(day), count)) == (on(since), on(until))


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        pytest.param("2026-11-23", "2026-11-23", 0, id="no day after itself"),
        pytest.param("2026-11-23", "2026-11-24", 1, id="the day itself is not counted, the last one is"),
        pytest.param("2026-11-19", "2026-11-23", 1, id="of a long weekend only the Monday"),
        pytest.param("2026-11-20", "2026-11-27", 5, id="a working week"),
        pytest.param("2026-11-27", "2026-11-20", 0, id="an end before the beginning counts nothing"),
    ],
)
def test_business_days_between(after: str, until: str, expected: int) -> None:
    assert DAYS.until.count(on(after), on(until)) == expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        pytest.param("2026-11-24T02:59:59+00:00", "2026-11-23", id="23:59 in Sao Paulo is still the 23rd"),
        pytest.param("2026-11-24T03:00:00+00:00", "2026-11-24", id="midnight in Sao Paulo is three in London"),
        pytest.param("2027-01-01T02:30:00+00:00", "2026-12-31", id="the old year ends three hours later"),
    ],
)
def test_the_local_day_of_an_instant(instant: str, expected: str) -> None:
    assert DAYS.local_date(datetime.fromisoformat(instant)) == on(expected)


def test_a_local_day_begins_and_has_hours() -> None:
    assert DAYS.start_of(on("2026-11-24")) == datetime.fromisoformat("2026-11-24T03:00:00+00:00")
    assert DAYS.at(on("2026-11-24"), time(9, 30)) == at("2026-11-24 09:30")


@given(
    st.dates(on("2024-01-01"), on("2029-12-31")),
    st.integers(0, 40),
    st.sampled_from([DAYS.since, DAYS.until, BusinessCalendar(frozenset({"SP", "RJ"}), doubtful=True)]),
)
def test_counting_undoes_adding(day: date, count: int, calendar: BusinessCalendar) -> None:
    reached = calendar.add(day, count)
    assert calendar.count(day, reached) == count
    assert count == 0 or calendar.is_business(reached)


@given(st.dates(on("2024-01-01"), on("2029-12-31")), st.integers(0, 40))
def test_from_when_is_never_before_until_when(day: date, count: int) -> None:
    assert DAYS.since.add(day, count) >= DAYS.until.add(day, count) >= day + timedelta(days=count)
