"""What is wrong with a shipment, since when, when to look again, and how problems follow one another.

The parcel of most rows was posted on Monday 16 November 2026 and moved on Tuesday 17 November at 10:00; Friday 20 November
is a holiday. Days of a promise end at midnight in Sao Paulo, 03:00 UTC.
"""

from __future__ import annotations

import pytest

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.detection_support import (
    BOTH,
    DAMAGED,
    LOST,
    REFUSED,
    RETURNED,
    SEVEN,
    SHOP_FIRST,
    STOLEN,
    delivered,
    facts,
    found,
    wake,
)
from tests.domain.support import at, event, failed, reversal
from tracker.domain.detection import Facts
from tracker.domain.history import StoredEvent

Status = TrackingStatus
Kind = ProblemKind


# --- late -------------------------------------------------------------------------------------------


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
        pytest.param(
            facts(**BOTH, answered=None),
            "2026-11-27 09:00",
            None,
            id="a carrier that never answered may have delivered",
        ),
        pytest.param(
            facts(**BOTH, answered="2026-11-24 23:59"),
            "2026-11-27 09:00",
            None,
            id="no answer since the day went by: it may have been delivered",
        ),
        pytest.param(
            facts(**BOTH, answered="2026-11-25 00:00"),
            "2026-11-27 09:00",
            (None, "2026-11-25"),
            id="only the carrier's day is known to have gone by",
        ),
        pytest.param(
            facts(**BOTH, answered="2026-11-26 00:00"),
            "2026-11-27 09:00",
            ("2026-11-26", "2026-11-25"),
            id="an answer since says that it is not here",
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
        pytest.param(
            facts(**BOTH, answered="2026-11-24 22:00"),
            "2026-11-25 09:00",
            "2026-11-25 12:00",
            id="soon again where the last answer is older than the day",
        ),
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
        pytest.param(
            facts(terms=7, answered=None), "2026-12-05 12:00", None, id="a carrier that never answered confirms nothing"
        ),
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


def test_a_presumed_loss_shows_what_it_rests_on() -> None:
    outages = (("2026-11-25 00:00", "2026-11-26 00:00"),)
    shown = facts(due="2026-11-16", terms=7, answered="2026-12-01 08:00", outages=outages)
    assert found(shown, "2026-12-01 12:00")["loss"].facts == {
        "last_event_at": at("2026-11-17 10:00").isoformat(),
        "counted_from": "2026-11-17",
        "business_days": 7,
        "days_without_answer": 1,
        "last_answered_at": at("2026-12-01 08:00").isoformat(),
        "holidays_skipped": ["2026-11-20"],
    }


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
