"""How problems follow one another from look to look: one episode, a second one, and each way to end."""

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
    STOLEN,
    delivered,
    facts,
    live_through,
)
from tests.domain.support import at, event, failed, reversal
from tracker.domain.detection import Facts

Status = TrackingStatus
Kind = ProblemKind


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
    assert (kind, at(ended_at), resolution) in [(p.kind.value, when, how) for p, when, how in changes.ended]
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
