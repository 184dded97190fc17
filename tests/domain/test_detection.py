"""What is wrong with a shipment, since when, when to look again, and how problems follow one another.

The parcel of most rows was posted on Monday 16 November 2026 and moved on Tuesday 17 November at 10:00; Friday 20 November
is a holiday. Days of a promise end at midnight in Sao Paulo, 03:00 UTC.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.support import DAYS, at, event, failed, kinds, on, reversal, settle
from tracker.domain.detection import Changes, Facts, Finding, KnownProblem, detect, find
from tracker.domain.history import StoredEvent, fold
from tracker.domain.promise import Promise, PromiseBasis

Status, Kind = TrackingStatus, ProblemKind
POSTED = event(1, "2026-11-16 10:00", Status.POSTED)
MOVED = event(2, "2026-11-17 10:00", Status.IN_TRANSIT)
LOST = event(8, "2026-11-26 10:00", Status.LOST, cause=Cause.LOSS)
STOLEN = event(8, "2026-11-26 10:00", Status.STOLEN, cause=Cause.THEFT)
DAMAGED = event(8, "2026-11-26 10:00", Status.DAMAGED, cause=Cause.DAMAGE)
REFUSED = event(8, "2026-11-26 10:00", Status.RETURNING, cause=Cause.REFUSED)
RETURNED = event(9, "2026-12-03 10:00", Status.RETURNED, cause=Cause.RETURN)


def delivered(when: str, id: int = 9) -> StoredEvent:
    return event(id, when, Status.DELIVERED, final=True)


def facts(
    *events: StoredEvent,
    promised: str | None = None,
    due: str | tuple[str, ...] = (),
    terms: int | None = None,
    answered: str | None = None,
    outages: tuple[tuple[str, str], ...] = (),
    **more: Any,
) -> Facts:
    """The facts of a parcel posted on the 16th, moved on the 17th, with these events after."""
    dates = (due,) if isinstance(due, str) else due
    day = on(promised) if promised else None
    return Facts(
        history=fold([POSTED, MOVED, *events], [on(text) for text in dates]),
        promise=Promise(day, day, PromiseBasis.GIVEN if day else PromiseBasis.NONE),
        service=None,
        presumed_loss_business_days=terms,
        last_answered_at=at(answered) if answered else None,
        outages=tuple((at(begin), at(end)) for begin, end in outages),
        **more,
    )


def found(shown: Facts, now: str) -> dict[str, Finding]:
    findings, _ = find(shown, days=DAYS, now=at(now))
    assert len(kinds(findings)) == len(findings)
    return {finding.kind.value: finding for finding in findings}


def wake(shown: Facts, now: str) -> datetime | None:
    return find(shown, days=DAYS, now=at(now))[1]


def live_through(*looks: tuple[Facts, str]) -> tuple[dict[str, KnownProblem], Changes]:
    """The newest problem of each kind after these looks, and what the last one changed."""
    known: list[KnownProblem] = []
    changes = Changes()
    for shown, now in looks:
        changes = detect(shown, known, days=DAYS, now=at(now))
        known = settle(known, changes)
    return {problem.kind.value: problem for problem in known}, changes


# --- late -------------------------------------------------------------------------------------------

BOTH: dict[str, Any] = {"promised": "2026-11-25", "due": "2026-11-24"}
SHOP_FIRST: dict[str, Any] = {"promised": "2026-11-24", "due": "2026-11-25"}


@pytest.mark.parametrize(
    ("shown", "now", "expected"),
    [
        # promised on the 24th: late from 25 November 00:00
        pytest.param(facts(promised="2026-11-24"), "2026-11-24 23:59", None, id="still the last day in Sao Paulo"),
        pytest.param(
            facts(promised="2026-11-24"), "2026-11-25 00:00", ("2026-11-25", None), id="midnight after the last day"
        ),
        pytest.param(facts(due="2026-11-24"), "2026-11-24 23:59", None, id="still the carrier's last day"),
        pytest.param(facts(due="2026-11-24"), "2026-11-25 00:00", (None, "2026-11-25"), id="late for the carrier only"),
        pytest.param(facts(**BOTH), "2026-11-25 12:00", (None, "2026-11-25"), id="the carrier's day went by first"),
        pytest.param(
            facts(**BOTH), "2026-11-26 00:00", ("2026-11-26", "2026-11-25"), id="then the customer's went by too"
        ),
        pytest.param(facts(**SHOP_FIRST), "2026-11-25 12:00", ("2026-11-25", None), id="the customer's day went first"),
        pytest.param(
            facts(**SHOP_FIRST), "2026-11-26 00:00", ("2026-11-25", "2026-11-26"), id="then the carrier's went by too"
        ),
        pytest.param(facts(), "2027-11-25 12:00", None, id="nobody named a day, so nothing is late"),
        pytest.param(
            facts(due=("2026-11-24", "2026-11-27")),
            "2026-11-25 12:00",
            (None, "2026-11-25"),
            id="putting it off does not unsay the first day",
        ),
        pytest.param(
            facts(due=("2026-11-24", "2026-11-19")),
            "2026-11-23 12:00",
            None,
            id="a day brought forward is not what the carrier owes",
        ),
        pytest.param(
            facts(promised="2026-11-24", grace_days=2), "2026-11-26 23:59", None, id="the merchant's grace lasts"
        ),
        pytest.param(
            facts(promised="2026-11-24", grace_days=2), "2026-11-27 00:00", ("2026-11-27", None), id="the grace is over"
        ),
        pytest.param(
            facts(due="2026-11-24", grace_days=2),
            "2026-11-25 00:00",
            (None, "2026-11-25"),
            id="the merchant's grace is none of the carrier's",
        ),
        pytest.param(facts(**BOTH, order_cancelled=True), "2026-11-27 12:00", None, id="a cancelled order is not late"),
        pytest.param(
            facts(event(5, "2026-11-18 09:00", Status.OUT_FOR_DELIVERY), **BOTH),
            "2026-11-26 09:00",
            ("2026-11-26", "2026-11-25"),
            id="out for delivery is not here yet",
        ),
        pytest.param(
            facts(event(5, "2026-11-18 09:00", Status.DELIVERY_FAILED, cause=Cause.DELAY), **BOTH),
            "2026-11-26 09:00",
            ("2026-11-26", "2026-11-25"),
            id="a carrier who did not come has not tried",
        ),
        pytest.param(facts(failed(5, "2026-11-24 18:00"), **BOTH), "2026-12-10 09:00", None, id="absent buyer on time"),
        pytest.param(
            facts(event(5, "2026-11-24 18:00", Status.AVAILABLE_FOR_PICKUP), **BOTH),
            "2026-12-10 09:00",
            None,
            id="waiting for pickup since the last day",
        ),
        pytest.param(facts(REFUSED, **BOTH), "2026-11-27 09:00", None, id="turned back is not late"),
        pytest.param(facts(LOST, **BOTH), "2026-11-27 09:00", None, id="lost is not late as well"),
        pytest.param(
            facts(event(5, "2026-11-24 18:00", Status.SEIZED), **BOTH),
            "2026-11-27 09:00",
            None,
            id="seized is not late",
        ),
    ],
)
def test_delay(shown: Facts, now: str, expected: tuple[str | None, str | None] | None) -> None:
    finding = found(shown, now).get("delay")
    if expected is None:
        assert finding is None
        return
    customer, carrier = (at(f"{day} 00:00") if day else None for day in expected)
    assert finding is not None
    assert (finding.customer_since, finding.carrier_since) == (customer, carrier)
    assert finding.since == min(instant for instant in (customer, carrier) if instant)
    assert finding.ended is None


@pytest.mark.parametrize(
    ("shown", "since", "owed", "ended"),
    [
        pytest.param(
            facts(delivered("2026-11-24 23:59"), **SHOP_FIRST), None, None, None, id="at 23:59 of the last day"
        ),
        pytest.param(
            facts(delivered("2026-11-25 00:00"), **SHOP_FIRST),
            "2026-11-25 00:00",
            ("2026-11-25", None),
            ("2026-11-25 00:00", "delivered"),
            id="at midnight after it: late for the customer only",
        ),
        pytest.param(
            facts(delivered("2026-11-25 15:00"), **BOTH),
            "2026-11-25 15:00",
            (None, "2026-11-25"),
            ("2026-11-25 15:00", "delivered"),
            id="late for the carrier only",
        ),
        pytest.param(
            facts(delivered("2026-11-27 15:00"), **BOTH),
            "2026-11-27 15:00",
            ("2026-11-26", "2026-11-25"),
            ("2026-11-27 15:00", "delivered"),
            id="late for both",
        ),
        pytest.param(
            facts(failed(5, "2026-11-24 18:00"), delivered("2026-11-27 15:00"), **BOTH),
            None,
            None,
            None,
            id="absent buyer on time, delivered after it",
        ),
        pytest.param(
            facts(failed(5, "2026-11-27 18:00"), **BOTH),
            "2026-11-27 18:00",
            ("2026-11-26", "2026-11-25"),
            None,
            id="first attempted late and not here yet",
        ),
        pytest.param(
            facts(failed(5, "2026-11-27 18:00"), delivered("2026-11-30 15:00"), **BOTH),
            "2026-11-27 18:00",
            ("2026-11-26", "2026-11-25"),
            ("2026-11-30 15:00", "delivered"),
            id="first attempted late, then delivered: late since the attempt",
        ),
        pytest.param(
            facts(event(5, "2026-11-27 18:00", Status.AVAILABLE_FOR_PICKUP), **BOTH),
            "2026-11-27 18:00",
            ("2026-11-26", "2026-11-25"),
            None,
            id="laid out for pickup late",
        ),
        pytest.param(
            facts(event(9, "2026-11-27 18:00", Status.DELIVERED, attempt=False), **BOTH),
            "2026-11-27 18:00",
            ("2026-11-26", "2026-11-25"),
            ("2026-11-27 18:00", "delivered"),
            id="a delivery that a carrier does not mark as an attempt",
        ),
    ],
)
def test_late_delivery(
    shown: Facts, since: str | None, owed: tuple[str | None, str | None] | None, ended: tuple[str, str] | None
) -> None:
    findings = found(shown, "2026-12-10 09:00")
    assert "delay" not in findings
    finding = findings.get("late_delivery")
    if since is None or owed is None:
        assert finding is None
        return
    assert finding is not None
    customer, carrier = (at(f"{day} 00:00") if day else None for day in owed)
    assert (finding.since, finding.customer_since, finding.carrier_since) == (at(since), customer, carrier)
    assert finding.ended == ((at(ended[0]), ended[1]) if ended else None)


@pytest.mark.parametrize(
    ("shown", "now", "expected"),
    [
        pytest.param(facts(**BOTH), "2026-11-23 12:00", "2026-11-25 00:00", id="at the end of the nearer day"),
        pytest.param(facts(**BOTH), "2026-11-25 00:00", "2026-11-26 00:00", id="then at the end of the other"),
        pytest.param(facts(**BOTH), "2026-11-26 00:00", None, id="late for both, time changes nothing more"),
        pytest.param(facts(promised="2026-11-24", grace_days=1), "2026-11-25 12:00", "2026-11-26 00:00", id="grace"),
        pytest.param(facts(**BOTH, order_cancelled=True), "2026-11-23 12:00", None, id="a cancelled order"),
        pytest.param(facts(LOST, **BOTH), "2026-11-26 12:00", None, id="a lost parcel"),
        # last moved Tuesday 17: Wed 18 (1), Thu 19 (2), Mon 23 (3), 24, 25, 26 (6), Fri 27 (7)
        pytest.param(facts(terms=7), "2026-11-23 12:00", "2026-11-28 00:00", id="when silence becomes a loss"),
        pytest.param(facts(terms=7, **BOTH), "2026-11-23 12:00", "2026-11-25 00:00", id="the nearest of all"),
        pytest.param(
            facts(terms=7, answered="2026-11-27 22:00"),
            "2026-11-28 09:00",
            "2026-11-28 12:00",
            id="soon again where only the carrier's answer is missing",
        ),
    ],
)
def test_when_to_look_again(shown: Facts, now: str, expected: str | None) -> None:
    assert wake(shown, now) == (at(expected) if expected else None)


# --- silence ----------------------------------------------------------------------------------------

SEVEN: dict[str, Any] = {"terms": 7, "answered": "2026-12-31 12:00"}


@pytest.mark.parametrize(
    ("shown", "now", "since"),
    [
        # Wed 18 (1), Thu 19 (2), (Fri 20 holiday), Mon 23 (3), Tue 24 (4), Wed 25 (5), Thu 26 (6), Fri 27 (7)
        pytest.param(facts(**SEVEN), "2026-11-27 23:59", None, id="the seventh business day is not over"),
        pytest.param(facts(**SEVEN), "2026-11-28 00:00", "2026-11-28 00:00", id="the seventh business day is over"),
        pytest.param(
            facts(**SEVEN), "2026-12-05 15:00", "2026-11-28 00:00", id="since it was true, not since we looked"
        ),
        # ... Mon 30 (8), Tue 1 (9), Wed 2 December (10)
        pytest.param(
            facts(terms=10, answered="2026-12-31 12:00"),
            "2026-12-03 00:00",
            "2026-12-03 00:00",
            id="ten for the others",
        ),
        # due Tue 24: Wed 25 (1), 26, 27 (3), Mon 30 (4), Tue 1, Wed 2, Thu 3 December (7)
        pytest.param(facts(due="2026-11-24", **SEVEN), "2026-12-03 23:59", None, id="counted from a later due date"),
        pytest.param(
            facts(due="2026-11-24", **SEVEN), "2026-12-04 00:00", "2026-12-04 00:00", id="seven after the due date"
        ),
        pytest.param(
            facts(due=("2026-11-24", "2026-11-19"), **SEVEN),
            "2026-12-04 00:00",
            "2026-12-04 00:00",
            id="counted from the farthest of all due dates",
        ),
        pytest.param(
            facts(due="2026-11-16", **SEVEN), "2026-11-28 00:00", "2026-11-28 00:00", id="the event was later"
        ),
        pytest.param(
            facts(event(5, "2026-11-24 10:00", Status.UNKNOWN), **SEVEN),
            "2026-11-30 12:00",
            None,
            id="an unknown code is a sign of life too",
        ),
        pytest.param(facts(answered="2026-12-31 12:00"), "2027-06-01 12:00", None, id="without terms none is presumed"),
        pytest.param(facts(terms=7), "2026-12-05 12:00", None, id="a carrier that never answered confirms nothing"),
        pytest.param(
            facts(terms=7, answered="2026-11-27 23:59"),
            "2026-12-05 12:00",
            None,
            id="an answer before it confirms none",
        ),
        pytest.param(
            facts(terms=7, answered="2026-11-28 00:00"),
            "2026-12-05 12:00",
            "2026-11-28 00:00",
            id="an answer after it confirms it",
        ),
        pytest.param(
            facts(event(5, "2026-11-17 11:00", Status.AVAILABLE_FOR_PICKUP), **SEVEN),
            "2026-12-05 12:00",
            None,
            id="at a counter silence is waiting",
        ),
        pytest.param(facts(delivered("2026-11-17 11:00"), **SEVEN), "2026-12-05 12:00", None, id="delivered"),
        pytest.param(
            facts(event(5, "2026-11-17 11:00", Status.RETURNING), **SEVEN),
            "2026-12-05 12:00",
            None,
            id="on its way back",
        ),
        pytest.param(
            facts(event(5, "2026-11-17 11:00", Status.EXCEPTION, cause=Cause.OTHER), **SEVEN),
            "2026-12-05 12:00",
            "2026-11-28 00:00",
            id="stuck in an exception",
        ),
        pytest.param(
            facts(**SEVEN, order_cancelled=True),
            "2026-12-05 12:00",
            "2026-11-28 00:00",
            id="what is lost of a cancelled order is lost all the same",
        ),
    ],
)
def test_presumed_loss(shown: Facts, now: str, since: str | None) -> None:
    finding = found(shown, now).get("loss")
    assert (finding.since if finding else None) == (at(since) if since else None)
    assert finding is None or (finding.presumed and finding.rule == "loss.presumed" and finding.cause is Cause.LOSS)


@pytest.mark.parametrize(
    ("outages", "since"),
    [
        # Without any: since Sat 28 November. One day more: Mon 30 is the seventh, since Tue 1 December.
        pytest.param((), "2026-11-28 00:00", id="none"),
        pytest.param((("2026-11-25 00:00", "2026-11-26 00:00"),), "2026-12-01 00:00", id="one whole business day"),
        pytest.param(
            (("2026-11-25 08:00", "2026-11-25 20:00"),), "2026-11-28 00:00", id="half a day counts as answered"
        ),
        pytest.param(
            (("2026-11-25 08:00", "2026-11-25 20:01"),), "2026-12-01 00:00", id="more than half a day does not"
        ),
        pytest.param(
            (("2026-11-25 01:00", "2026-11-25 08:00"), ("2026-11-25 12:00", "2026-11-25 18:00")),
            "2026-12-01 00:00",
            id="two that together take more than half a day",
        ),
        pytest.param(
            (("2026-11-24 14:00", "2026-11-25 10:00"),), "2026-11-28 00:00", id="a night, less than half of either day"
        ),
        pytest.param((("2026-11-21 00:00", "2026-11-23 00:00"),), "2026-11-28 00:00", id="a weekend counts nothing"),
        pytest.param((("2026-11-20 00:00", "2026-11-21 00:00"),), "2026-11-28 00:00", id="nor does a holiday"),
        pytest.param((("2026-11-10 00:00", "2026-11-18 00:00"),), "2026-11-28 00:00", id="before the silence began"),
        # Wed 25 to Fri 27 unanswered: Mon 30 (5), Tue 1 (6), Wed 2 December (7)
        pytest.param((("2026-11-25 00:00", "2026-11-28 00:00"),), "2026-12-03 00:00", id="three days"),
        pytest.param(
            (("2026-11-30 00:00", "2026-12-02 00:00"),), "2026-11-28 00:00", id="after it had lasted long enough"
        ),
    ],
)
def test_days_without_answers_do_not_count_as_silence(outages: tuple[tuple[str, str], ...], since: str) -> None:
    shown = facts(terms=7, answered="2026-12-04 12:00", outages=outages)
    assert found(shown, "2026-12-04 12:00")["loss"].since == at(since)


def test_an_outage_that_lasts_keeps_the_silence_open() -> None:
    # Answered: 18, 19, 23, 24, 25, 26 (6). Since Friday 27 nothing: the seventh is at best Thursday 3 December.
    shown = facts(terms=7, answered="2026-11-26 22:00", outages=(("2026-11-27 00:00", "2026-12-02 18:00"),))
    assert found(shown, "2026-12-02 18:00") == {}
    assert wake(shown, "2026-12-02 18:00") == at("2026-12-04 00:00")


# --- what the carrier says --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(facts(LOST), {"loss": Cause.LOSS}, id="lost"),
        pytest.param(facts(STOLEN), {"theft": Cause.THEFT}, id="stolen"),
        pytest.param(facts(DAMAGED), {"damage": Cause.DAMAGE}, id="damaged"),
        pytest.param(facts(REFUSED), {"returning": Cause.REFUSED}, id="refused and going back"),
        pytest.param(
            facts(event(8, "2026-11-26 10:00", Status.RETURNING)), {"returning": None}, id="going back, nobody says why"
        ),
        pytest.param(facts(REFUSED, RETURNED), {"returned": Cause.REFUSED}, id="back, with the reason it turned for"),
        pytest.param(facts(RETURNED), {"returned": Cause.RETURN}, id="back without having turned"),
        pytest.param(
            facts(LOST, event(9, "2026-11-27 10:00", Status.IN_TRANSIT)), {}, id="lost, and found again the next day"
        ),
        pytest.param(facts(LOST, reversal(9, "2026-11-26 11:00")), {}, id="a loss taken back"),
        pytest.param(
            facts(DAMAGED, REFUSED), {"damage": Cause.DAMAGE, "returning": Cause.REFUSED}, id="damaged and going back"
        ),
        pytest.param(
            facts(DAMAGED, promised="2026-11-24"),
            {"damage": Cause.DAMAGE, "delay": None},
            id="damaged and late are two things",
        ),
        pytest.param(facts(LOST, terms=7, promised="2026-11-24"), {"loss": Cause.LOSS}, id="lost stands for late"),
        pytest.param(
            facts(STOLEN, terms=7, promised="2026-11-24"), {"theft": Cause.THEFT}, id="stolen stands for late"
        ),
        pytest.param(
            facts(event(8, "2026-11-26 10:00", Status.EXCEPTION, cause=Cause.OTHER)),
            {},
            id="an exception is no problem",
        ),
        pytest.param(
            facts(event(8, "2026-11-23 10:00", Status.IN_TRANSIT, cause=Cause.DELAY), promised="2026-11-30"),
            {},
            id="late in the carrier's words is none before the due date",
        ),
        pytest.param(facts(event(8, "2026-11-26 10:00", Status.CANCELLED), **BOTH), {}, id="cancelled"),
    ],
)
def test_what_stands_on_the_27th(shown: Facts, expected: dict[str, Cause | None]) -> None:
    now = "2026-12-03 12:00" if shown.history.returned_at else "2026-11-27 12:00"
    assert {kind: finding.cause for kind, finding in found(shown, now).items()} == expected


def test_a_coded_loss_is_true_since_its_event() -> None:
    finding = found(facts(LOST), "2026-11-30 12:00")["loss"]
    assert (finding.since, finding.presumed, finding.rule) == (at("2026-11-26 10:00"), False, "loss.coded")


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        pytest.param(None, None, id="while it travels"),
        pytest.param(delivered("2026-11-27 15:00"), ("2026-11-27 15:00", "delivered"), id="with the delivery"),
        pytest.param(RETURNED, ("2026-12-03 10:00", "returned"), id="with the return"),
    ],
)
def test_damage_ends(end: StoredEvent | None, expected: tuple[str, str] | None) -> None:
    finding = found(facts(DAMAGED, *([end] if end else [])), "2026-12-05 12:00")["damage"]
    assert finding.ended == ((at(expected[0]), expected[1]) if expected else None)
    assert finding.since == at("2026-11-26 10:00")


# --- from look to look ------------------------------------------------------------------------------


def test_one_delay_gains_its_second_side() -> None:
    known, changes = live_through((facts(**BOTH), "2026-11-25 09:00"), (facts(**BOTH), "2026-11-26 09:00"))
    assert not changes.opened
    assert [finding.kind for _, finding in changes.changed] == [Kind.DELAY]
    delay = known["delay"]
    assert (delay.episode, delay.since) == (1, at("2026-11-25 00:00"))
    assert (delay.customer_since, delay.carrier_since) == (at("2026-11-26 00:00"), at("2026-11-25 00:00"))


@pytest.mark.parametrize(
    ("then", "now", "ended_at", "resolution"),
    [
        pytest.param(
            facts(delivered("2026-11-27 15:00"), **BOTH),
            "2026-11-27 16:00",
            "2026-11-27 15:00",
            "delivered",
            id="delivered",
        ),
        pytest.param(
            facts(failed(5, "2026-11-27 15:00"), **BOTH),
            "2026-11-27 16:00",
            "2026-11-27 15:00",
            "attempted",
            id="attempted",
        ),
        pytest.param(
            facts(event(5, "2026-11-27 15:00", Status.AVAILABLE_FOR_PICKUP), **BOTH),
            "2026-11-27 16:00",
            "2026-11-27 15:00",
            "attempted",
            id="laid out for pickup",
        ),
        pytest.param(facts(REFUSED, **BOTH), "2026-11-27 16:00", "2026-11-26 10:00", "returning", id="turned back"),
        pytest.param(facts(RETURNED, **BOTH), "2026-12-03 16:00", "2026-12-03 10:00", "returned", id="back already"),
        pytest.param(facts(LOST, **BOTH), "2026-11-27 16:00", "2026-11-27 16:00", "superseded", id="lost"),
        pytest.param(facts(STOLEN, **BOTH), "2026-11-27 16:00", "2026-11-27 16:00", "superseded", id="stolen"),
        pytest.param(
            facts(promised="2026-12-04", due="2026-12-04"),
            "2026-11-27 16:00",
            "2026-11-27 16:00",
            "promise_moved",
            id="both promises moved",
        ),
        pytest.param(
            facts(event(8, "2026-11-26 10:00", Status.SEIZED), **BOTH),
            "2026-11-27 16:00",
            "2026-11-26 10:00",
            "seized",
            id="seized",
        ),
        pytest.param(
            facts(event(8, "2026-11-26 10:00", Status.CANCELLED), **BOTH),
            "2026-11-27 16:00",
            "2026-11-26 10:00",
            "cancelled",
            id="cancelled by the carrier",
        ),
        pytest.param(
            facts(**BOTH, order_cancelled=True),
            "2026-11-27 16:00",
            "2026-11-27 16:00",
            "order_cancelled",
            id="the order was cancelled",
        ),
    ],
)
def test_how_a_delay_ends(then: Facts, now: str, ended_at: str, resolution: str) -> None:
    known, changes = live_through((facts(**BOTH), "2026-11-26 09:00"), (then, now))
    assert [(p.kind, when, how) for p, when, how in changes.ended] == [(Kind.DELAY, at(ended_at), resolution)]
    assert known["delay"].resolved_at == at(ended_at)


def test_a_delay_comes_back_when_the_delivery_is_taken_back() -> None:
    here = facts(delivered("2026-11-27 15:00"), **BOTH)
    gone = facts(delivered("2026-11-27 15:00"), reversal(10, "2026-11-27 18:00"), **BOTH)
    known, changes = live_through(
        (facts(**BOTH), "2026-11-26 09:00"), (here, "2026-11-27 16:00"), (gone, "2026-11-27 19:00")
    )
    assert [(finding.kind, episode) for finding, episode in changes.opened] == [(Kind.DELAY, 2)]
    assert known["delay"].resolved_at is None
    assert known["late_delivery"].resolved_at == at("2026-11-27 15:00")


def test_late_delivery_is_recorded_once() -> None:
    late = facts(delivered("2026-11-27 15:00"), **BOTH)
    known, changes = live_through(
        (facts(**BOTH), "2026-11-26 09:00"),
        (late, "2026-11-27 16:00"),
        (late, "2026-11-28 16:00"),
        (late, "2026-12-28 16:00"),
    )
    assert (changes.opened, changes.changed, changes.ended) == ((), (), ())
    assert (known["late_delivery"].episode, known["late_delivery"].resolved_at) == (1, at("2026-11-27 15:00"))


def test_late_delivery_waits_for_the_delivery_after_a_late_attempt() -> None:
    tried = facts(failed(5, "2026-11-27 15:00"), **BOTH)
    here = facts(failed(5, "2026-11-27 15:00"), delivered("2026-11-30 15:00"), **BOTH)
    known, _ = live_through((tried, "2026-11-27 16:00"))
    assert known["late_delivery"].resolved_at is None
    known, changes = live_through((tried, "2026-11-27 16:00"), (here, "2026-11-30 16:00"))
    assert not changes.opened
    assert (known["late_delivery"].episode, known["late_delivery"].resolved_at) == (1, at("2026-11-30 15:00"))


def test_an_older_attempt_that_shows_up_later_is_the_same_late_delivery() -> None:
    here = facts(delivered("2026-11-30 15:00"), **BOTH)
    more = facts(failed(11, "2026-11-27 15:00"), delivered("2026-11-30 15:00"), **BOTH)
    known, changes = live_through((here, "2026-11-30 16:00"), (more, "2026-12-01 16:00"))
    assert not changes.opened
    assert known["late_delivery"].episode == 1


def test_an_older_damage_that_shows_up_later_is_the_same_damage() -> None:
    here = facts(DAMAGED, delivered("2026-11-30 15:00"))
    earlier = event(11, "2026-11-25 10:00", Status.EXCEPTION, cause=Cause.DAMAGE)
    known, changes = live_through(
        (here, "2026-11-30 16:00"), (facts(earlier, DAMAGED, delivered("2026-11-30 15:00")), "2026-12-01 16:00")
    )
    assert not changes.opened
    assert known["damage"].episode == 1


def test_a_second_late_delivery_after_a_reversal_is_another_one() -> None:
    first = facts(delivered("2026-11-27 15:00"), **BOTH)
    again = facts(
        delivered("2026-11-27 15:00"), reversal(10, "2026-11-27 18:00"), delivered("2026-11-30 15:00", 11), **BOTH
    )
    _, changes = live_through((first, "2026-11-27 16:00"), (again, "2026-11-30 16:00"))
    assert [(finding.kind, episode) for finding, episode in changes.opened] == [(Kind.LATE_DELIVERY, 2)]


def test_a_presumed_loss_becomes_a_coded_one() -> None:
    silent = facts(**SEVEN)
    coded = facts(event(8, "2026-12-01 10:00", Status.LOST, cause=Cause.LOSS), **SEVEN)
    known, changes = live_through((silent, "2026-11-28 09:00"), (coded, "2026-12-01 12:00"))
    assert not changes.opened
    assert [(p.presumed, finding.presumed, finding.rule) for p, finding in changes.changed] == [
        (True, False, "loss.coded")
    ]
    assert (known["loss"].episode, known["loss"].presumed) == (1, False)


def test_a_presumed_loss_stands_beside_the_delay() -> None:
    known, _ = live_through((facts(promised="2026-11-24", **SEVEN), "2026-11-28 09:00"))
    assert {kind for kind, problem in known.items() if problem.resolved_at is None} == {"loss", "delay"}


def test_an_outage_does_not_withdraw_a_loss_that_was_presumed_before_it() -> None:
    before = facts(terms=7, answered="2026-11-28 08:00")
    during = facts(terms=7, answered="2026-11-28 08:00", outages=(("2026-11-30 00:00", "2026-12-01 18:00"),))
    known, changes = live_through((before, "2026-11-28 09:00"), (during, "2026-12-01 18:00"))
    assert (changes.changed, changes.ended) == ((), ())
    assert known["loss"].resolved_at is None


@pytest.mark.parametrize(
    ("first", "then", "kind", "ended_at", "resolution"),
    [
        pytest.param(
            facts(**SEVEN),
            facts(event(9, "2026-12-01 10:00", Status.IN_TRANSIT), **SEVEN),
            "loss",
            "2026-12-01 10:00",
            "moving_again",
            id="presumed lost, and scanned again",
        ),
        pytest.param(
            facts(**SEVEN),
            facts(event(9, "2026-11-26 10:00", Status.IN_TRANSIT), **SEVEN),
            "loss",
            "2026-12-01 12:00",
            "withdrawn",
            id="presumed lost, and an older scan shows up",
        ),
        pytest.param(
            facts(**SEVEN),
            facts(delivered("2026-12-01 10:00"), **SEVEN),
            "loss",
            "2026-12-01 10:00",
            "delivered",
            id="presumed lost, and delivered",
        ),
        pytest.param(
            facts(LOST),
            facts(LOST, event(9, "2026-12-01 10:00", Status.IN_TRANSIT)),
            "loss",
            "2026-12-01 10:00",
            "moving_again",
            id="lost and found again",
        ),
        pytest.param(
            facts(STOLEN),
            facts(STOLEN, event(9, "2026-12-01 10:00", Status.IN_TRANSIT)),
            "theft",
            "2026-12-01 10:00",
            "moving_again",
            id="stolen and recovered",
        ),
        pytest.param(
            facts(LOST),
            facts(LOST, reversal(9, "2026-11-26 11:00")),
            "loss",
            "2026-12-01 12:00",
            "withdrawn",
            id="taken back",
        ),
        pytest.param(
            facts(STOLEN),
            facts(STOLEN, event(9, "2026-12-01 10:00", Status.LOST, cause=Cause.LOSS)),
            "theft",
            "2026-12-01 12:00",
            "superseded",
            id="stolen, then written off as lost",
        ),
        pytest.param(
            facts(REFUSED),
            facts(REFUSED, event(9, "2026-12-01 08:00", Status.OUT_FOR_DELIVERY)),
            "returning",
            "2026-12-01 08:00",
            "moving_again",
            id="on its way back, and out to the customer again",
        ),
        pytest.param(
            facts(REFUSED),
            facts(REFUSED, event(9, "2026-12-01 10:00", Status.RETURNED)),
            "returning",
            "2026-12-01 10:00",
            "returned",
            id="on its way back, and back",
        ),
        pytest.param(
            facts(failed(5, "2026-11-27 15:00"), **BOTH),
            facts(failed(5, "2026-11-27 15:00"), event(9, "2026-12-01 10:00", Status.RETURNING), **BOTH),
            "late_delivery",
            "2026-12-01 10:00",
            "returning",
            id="attempted late, and turned back",
        ),
    ],
)
def test_how_problems_end(first: Facts, then: Facts, kind: str, ended_at: str, resolution: str) -> None:
    known, changes = live_through((first, "2026-11-28 09:00"), (then, "2026-12-01 12:00"))
    assert [(p.kind.value, when, how) for p, when, how in changes.ended] == [(kind, at(ended_at), resolution)]
    assert known[kind].resolved_at == at(ended_at)


def test_a_loss_found_again_and_lost_again_is_a_second_episode() -> None:
    lost_again = event(10, "2026-12-08 10:00", Status.LOST, cause=Cause.LOSS)
    moved = event(9, "2026-12-01 10:00", Status.IN_TRANSIT)
    known, _ = live_through(
        (facts(LOST), "2026-11-27 09:00"),
        (facts(LOST, moved), "2026-12-01 12:00"),
        (facts(LOST, moved, lost_again), "2026-12-08 12:00"),
    )
    assert (known["loss"].episode, known["loss"].since, known["loss"].resolved_at) == (2, at("2026-12-08 10:00"), None)


def test_a_delay_comes_back_after_a_loss_that_was_none() -> None:
    late, moved = facts(**BOTH), event(9, "2026-12-01 10:00", Status.IN_TRANSIT)
    known, changes = live_through(
        (late, "2026-11-26 09:00"),
        (facts(LOST, **BOTH), "2026-11-27 09:00"),
        (facts(LOST, moved, **BOTH), "2026-12-01 12:00"),
    )
    assert [(finding.kind, episode) for finding, episode in changes.opened] == [(Kind.DELAY, 2)]
    assert known["delay"].since == at("2026-11-25 00:00")


def test_a_return_whose_reason_becomes_known_changes() -> None:
    plain = event(8, "2026-11-26 10:00", Status.RETURNING, cause=Cause.RETURN)
    why = event(9, "2026-11-26 11:00", Status.RETURNING, cause=Cause.UNCLAIMED)
    known, changes = live_through((facts(plain), "2026-11-26 10:30"), (facts(plain, why), "2026-11-26 12:00"))
    assert not changes.opened
    assert (known["returning"].cause, known["returning"].episode) == (Cause.UNCLAIMED, 1)


# --- properties -------------------------------------------------------------------------------------

_EVENTS = st.lists(
    st.builds(
        lambda hour, status, cause, attempt, is_reversal: (hour, status, cause, attempt, is_reversal),
        st.integers(0, 20 * 24),
        st.sampled_from(list(Status)),
        st.sampled_from([None, *Cause]),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=8,
)
_DAY = st.one_of(st.none(), st.dates(on("2026-11-16"), on("2026-12-10")))


@st.composite
def _facts(draw: st.DrawFn) -> Facts:
    base = at("2026-11-16 10:00")
    events = [
        replace(
            event(n, "2026-11-16 10:00", status, cause=cause, attempt=attempt, reversal=undo),
            occurred_at=base + timedelta(hours=hour),
        )
        for n, (hour, status, cause, attempt, undo) in enumerate(draw(_EVENTS))
    ]
    promised, due = draw(_DAY), [day for day in draw(st.lists(_DAY, max_size=3)) if day]
    begins = [base + timedelta(hours=draw(st.integers(0, 900))) for _ in range(draw(st.integers(0, 3)))]
    return Facts(
        history=fold(events, due),
        promise=Promise(promised, promised, PromiseBasis.GIVEN if promised else PromiseBasis.NONE),
        service=None,
        presumed_loss_business_days=draw(st.sampled_from([None, 3, 7])),
        last_answered_at=base + timedelta(hours=draw(st.integers(0, 1200))),
        outages=tuple((begin, begin + timedelta(hours=draw(st.integers(1, 80)))) for begin in begins),
        grace_days=draw(st.integers(0, 2)),
        order_cancelled=draw(st.sampled_from([False, False, True])),
    )


_NOW = st.integers(0, 1200).map(lambda hours: at("2026-11-16 10:00") + timedelta(hours=hours))


@given(_facts(), st.lists(_NOW, max_size=3), _NOW)
def test_the_same_look_twice_changes_nothing(shown: Facts, earlier: list[datetime], now: datetime) -> None:
    known: list[KnownProblem] = []
    for moment in [*sorted(earlier), now]:
        known = settle(known, detect(shown, known, days=DAYS, now=moment))
    again = detect(shown, known, days=DAYS, now=now)
    assert (again.opened, again.changed, again.ended) == ((), (), ())


@given(_facts(), _NOW)
def test_the_next_look_is_always_ahead(shown: Facts, now: datetime) -> None:
    again = detect(shown, [], days=DAYS, now=now).next_check_at
    assert again is None or again > now


@given(_facts(), _NOW)
def test_no_time_driven_problem_is_missed_between_two_looks(shown: Facts, now: datetime) -> None:
    # Right before the next look the same is found as now: nothing became true in between.
    findings, again = find(shown, days=DAYS, now=now)
    if again is not None:
        between, _ = find(shown, days=DAYS, now=again - timedelta(seconds=1))
        assert kinds(between) == kinds(findings)
