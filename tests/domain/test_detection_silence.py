"""Standstill, and what silences it (design.md section 8); days nobody asked are no silence (design.md section 6).

The parcel moved last on Tuesday 17 November 2026: Wed 18 (1), Thu 19 (2), Mon 23 (3), Tue 24 (4), Wed 25 (5). Friday 20 is a
holiday.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.detection_support import LOST, MOVED, POSTED, delivered, facts, facts_of, found, live_through, wake
from tests.domain.support import SAO_PAULO, at, event, failed
from tracker.domain.calendar import calendars
from tracker.domain.detection import Facts, find

Status = TrackingStatus
Kind = ProblemKind
FIVE: dict[str, Any] = {"stalled_business_days": 5}


@pytest.mark.parametrize(
    ("shown", "now", "since"),
    [
        pytest.param(facts(**FIVE), "2026-11-25 23:59", None, id="the fifth business day is not over"),
        pytest.param(facts(**FIVE), "2026-11-26 00:00", "2026-11-26 00:00", id="the fifth business day is over"),
        pytest.param(facts(stalled_business_days=4), "2026-11-25 00:00", "2026-11-25 00:00", id="a service's own four"),
        pytest.param(facts(), "2026-12-25 00:00", None, id="the rule is off"),
        pytest.param(
            facts(**FIVE, due="2026-12-10"), "2026-11-26 09:00", "2026-11-26 00:00", id="also before the due date"
        ),
        pytest.param(facts_of(POSTED, **FIVE), "2026-11-25 00:00", "2026-11-25 00:00", id="posted and never moved"),
        pytest.param(
            facts(event(3, "2026-11-24 10:00", Status.IN_TRANSIT, cause=Cause.DELAY), **FIVE),
            "2026-11-27 09:00",
            None,
            id="a scan that says late is a scan",
        ),
        pytest.param(
            facts(event(3, "2026-11-24 10:00", Status.UNKNOWN), **FIVE),
            "2026-11-27 09:00",
            None,
            id="so is an unknown code",
        ),
        pytest.param(
            facts(event(3, "2026-11-18 10:00", Status.EXCEPTION, cause=Cause.OTHER), **FIVE),
            "2026-11-27 00:00",
            "2026-11-27 00:00",
            id="stuck in an exception",
        ),
        pytest.param(
            facts(event(3, "2026-11-18 10:00", Status.OUT_FOR_DELIVERY), **FIVE),
            "2026-11-27 00:00",
            "2026-11-27 00:00",
            id="out for delivery for a week",
        ),
        pytest.param(
            facts(event(3, "2026-11-18 10:00", Status.CUSTOMS), **FIVE),
            "2026-12-10 09:00",
            None,
            id="customs take their time",
        ),
        pytest.param(
            facts(event(3, "2026-11-18 10:00", Status.AVAILABLE_FOR_PICKUP), **FIVE),
            "2026-12-10 09:00",
            None,
            id="at a counter silence is waiting",
        ),
        pytest.param(facts(delivered("2026-11-18 10:00"), **FIVE), "2026-12-10 09:00", None, id="delivered"),
        pytest.param(
            facts(event(3, "2026-11-18 10:00", Status.RETURNING), **FIVE),
            "2026-12-10 09:00",
            None,
            id="on its way back",
        ),
        pytest.param(
            facts(**FIVE, answered="2026-11-25 22:00"), "2026-11-27 09:00", None, id="no answer since the fifth day"
        ),
        pytest.param(
            facts(**FIVE, outages=(("2026-11-23 00:00", "2026-11-25 00:00"),)),
            "2026-11-27 23:59",
            None,
            id="two days without answers are two days of patience",
        ),
        pytest.param(
            facts(**FIVE, outages=(("2026-11-23 00:00", "2026-11-25 00:00"),)),
            "2026-11-28 00:00",
            "2026-11-28 00:00",
            id="then the fifth answered day is over",
        ),
        pytest.param(
            facts(**FIVE, outages=(("2026-11-24 02:00", "2026-11-24 12:00"), ("2026-11-24 04:00", "2026-11-24 13:00"))),
            "2026-11-26 00:00",
            "2026-11-26 00:00",
            id="an outage while nobody asked counts once",
        ),
        pytest.param(facts(**FIVE, due="2026-11-24"), "2026-11-26 09:00", None, id="a delay says it already"),
        pytest.param(facts(**FIVE, terms=5), "2026-11-26 09:00", None, id="a presumed loss says it already"),
        pytest.param(facts(LOST, **FIVE), "2026-12-10 09:00", None, id="lost"),
        pytest.param(
            facts(failed(3, "2026-11-17 15:00"), **FIVE), "2026-11-27 09:00", None, id="a failed attempt stands"
        ),
        pytest.param(
            facts(failed(3, "2026-11-17 15:00", Cause.OTHER), **FIVE),
            "2026-11-27 09:00",
            "2026-11-26 00:00",
            id="an attempt that is no problem by itself hides nothing",
        ),
    ],
)
def test_stalled(shown: Facts, now: str, since: str | None) -> None:
    finding = found(shown, now).get("stalled")
    assert (finding.since if finding else None) == (at(since) if since else None)


@pytest.mark.parametrize(
    ("then", "now", "ended_at", "resolution"),
    [
        pytest.param(
            facts(event(5, "2026-11-26 10:00", Status.IN_TRANSIT), **FIVE),
            "2026-11-26 12:00",
            "2026-11-26 10:00",
            "moving_again",
            id="the next scan",
        ),
        pytest.param(
            facts(**FIVE, due="2026-11-26"), "2026-11-27 09:00", "2026-11-27 09:00", "superseded", id="late by now"
        ),
        pytest.param(
            facts(**FIVE, terms=7), "2026-11-28 09:00", "2026-11-28 09:00", "superseded", id="presumed lost by now"
        ),
        pytest.param(
            facts(delivered("2026-11-26 10:00"), **FIVE),
            "2026-11-26 12:00",
            "2026-11-26 10:00",
            "delivered",
            id="delivered out of the blue",
        ),
        pytest.param(
            facts(event(5, "2026-11-24 10:00", Status.IN_TRANSIT), **FIVE),
            "2026-11-26 12:00",
            "2026-11-26 12:00",
            "withdrawn",
            id="an older scan shows up",
        ),
    ],
)
def test_how_a_standstill_ends(then: Facts, now: str, ended_at: str, resolution: str) -> None:
    known, changes = live_through((facts(**FIVE), "2026-11-26 09:00"), (then, now))
    assert [(p.kind.value, when, how) for p, when, how in changes.ended] == [("stalled", at(ended_at), resolution)]
    assert known["stalled"].resolved_at == at(ended_at)


def test_it_re_arms_with_the_next_scan() -> None:
    again = facts(event(5, "2026-11-26 10:00", Status.IN_TRANSIT), **FIVE)
    known, _ = live_through(
        (facts(**FIVE), "2026-11-26 09:00"), (again, "2026-11-26 12:00"), (again, "2026-12-04 09:00")
    )
    assert (known["stalled"].episode, known["stalled"].since) == (2, at("2026-12-04 00:00"))
    assert wake(again, "2026-11-26 12:00") == at("2026-12-04 00:00")


def test_a_customs_hold_is_no_loss() -> None:
    held = facts(event(3, "2026-11-18 10:00", Status.CUSTOMS, cause=Cause.CUSTOMS_HOLD), terms=7, **FIVE)
    assert set(found(held, "2026-12-20 09:00")) == {"customs_hold"}


# --- doubtful days, year's end, cities (carrier reference 4.2) ------------------------------------------


@pytest.mark.parametrize(
    ("last_event", "business_days", "since"),
    [
        # Friday 5 February 2027; Carnival is Monday 8 and Tuesday 9, Ash Wednesday the 10th.
        pytest.param("2027-02-05 10:00", 1, "2027-02-12 00:00", id="Carnival and Ash Wednesday are no days of silence"),
        pytest.param("2027-05-26 10:00", 1, "2027-05-29 00:00", id="nor is Corpus Christi (27 May 2027)"),
        pytest.param("2026-11-19 10:00", 1, "2026-11-24 00:00", id="nor is 20 November"),
        pytest.param("2027-03-25 10:00", 1, "2027-03-30 00:00", id="nor is Good Friday (26 March 2027)"),
        # Wed 23 December 2026; 24 doubtful, 25 Christmas, Mon 28 (1), Tue 29 (2), Wed 30 (3), 31 doubtful, 1 January,
        # Mon 4 January (4), Tue 5 (5)
        pytest.param("2026-12-23 10:00", 5, "2027-01-06 00:00", id="the end of the year has two weeks and few days"),
        pytest.param("2026-12-30 23:30", 1, "2027-01-05 00:00", id="half past eleven at night is still that day"),
        pytest.param("2027-04-20 10:00", 1, "2027-04-23 00:00", id="nor is Tiradentes"),
    ],
)
def test_days_that_do_not_count(last_event: str, business_days: int, since: str) -> None:
    shown = facts_of(
        event(1, last_event, Status.POSTED), answered="2028-01-01 00:00", stalled_business_days=business_days
    )
    assert found(shown, "2027-12-01 12:00")["stalled"].since == at(since)


def test_the_holiday_of_a_city_is_one_for_its_parcels() -> None:
    shown = facts_of(POSTED, MOVED, **FIVE)
    there = calendars(SAO_PAULO, frozenset({"PR"}), frozenset({date(2026, 11, 24)}))
    findings, _ = find(shown, days=there, now=at("2026-11-26 00:00"))
    assert findings == []
    findings, _ = find(shown, days=there, now=at("2026-11-27 00:00"))
    assert [finding.kind for finding in findings] == [Kind.STALLED]
