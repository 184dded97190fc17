"""Problems as they come and go in the simulated world, on real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.domain.detection import RECHECK
from tracker.sandbox.plan import Event as WorldEvent
from tracker.sandbox.plan import Fate, Shipment
from tracker.sandbox.workdays import add_business_days
from tracker.store.tables import Alert, CarrierOutage, Claim, Decision, Problem, ShipmentCheck, ShipmentHistory


def watched(trial: Trial, last: int, first: int = 2) -> Trial:
    """A look each morning of these days; nothing is told or claimed."""
    trial.settings["messages"]["preset"] = "none"
    trial.carrier["claims"]["mode"] = "off"
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in range(first, last + 1))
    return trial


def daily(trial: Trial, first: date, last: date) -> None:
    """A look each morning: of a day on which nobody looks no silence is known."""
    trial.pass_through(at(first + timedelta(days=n), 9) for n in range((last - first).days + 1))


def kinds(trial: Trial) -> list[tuple[str, str | None]]:
    return [(row["kind"], row["resolution"]) for row in trial.rows(Problem)]


def problem(trial: Trial, kind: str) -> dict[str, Any]:
    return trial.one(Problem, kind=kind)


def test_a_late_parcel_is_seen_from_the_first_minute_it_was_late(start: Start, database_url: str) -> None:
    late = of_fate(Fate.LATE_DELIVERED)
    trial = watched(start(late, url=database_url), 12)
    assert kinds(trial) == [("delay", "delivered"), ("late_delivery", "delivered")]
    delay, record = problem(trial, "delay"), problem(trial, "late_delivery")
    assert delay["carrier_since"] == at(late.due_on + timedelta(days=1), 0, 0)
    assert delay["customer_since"] == at(late.promised_on + timedelta(days=1), 0, 0)
    assert delay["detected_at"] >= delay["since"]
    assert delay["resolved_at"] == record["since"] == late.events[-1].at


@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        pytest.param(Fate.ON_TIME, set(), id="on time: nothing"),
        pytest.param(Fate.LOST_CODED, {"delay", "loss"}, id="lost, as the carrier says"),
        pytest.param(Fate.STOLEN, {"theft"}, id="stolen on the due day"),
        pytest.param(Fate.DAMAGED, {"damage"}, id="damaged"),
        pytest.param(Fate.RETURNED_REFUSED, {"returning", "returned"}, id="refused at the door"),
        pytest.param(Fate.PICKUP, set(), id="waits at the counter in time"),
        pytest.param(Fate.REVERSAL, set(), id="delivered, taken back, delivered"),
        pytest.param(Fate.UNKNOWN_CODE, set(), id="an unknown code on the way"),
    ],
)
def test_what_a_fate_comes_to(start: Start, fate: Fate, expected: set[str]) -> None:
    trial = watched(start(of_fate(fate)), 17)
    assert {kind for kind, _ in kinds(trial)} - {"delay"} == expected - {"delay"}
    assert expected - {kind for kind, _ in kinds(trial)} == set()


def test_a_return_carries_its_cause_and_ends_as_returned(start: Start) -> None:
    trial = watched(start(of_fate(Fate.RETURNED_REFUSED)), 17)
    returning, returned = problem(trial, "returning"), problem(trial, "returned")
    assert (returning["cause"], returning["resolution"]) == ("refused", "returned")
    assert returned["since"] == returning["resolved_at"] == trial.one(ShipmentHistory)["returned_at"]


def silent() -> Shipment:
    return of_fate(Fate.LOST_SILENT)


def test_silence_is_presumed_to_be_a_loss(start: Start, database_url: str) -> None:
    trial = watched(start(silent(), url=database_url), 18, first=3)
    loss = problem(trial, "loss")
    assert (loss["presumed"], loss["cause"], loss["resolved_at"]) == (True, "loss", None)
    # SEDEX: seven business days without an event, counted from the due date.
    assert loss["since"] == at(add_business_days(silent().due_on, 7) + timedelta(days=1), 0, 0)
    assert problem(trial, "delay")["resolved_at"] is None


def test_a_carrier_that_did_not_answer_was_not_silent(start: Start) -> None:
    """Three working days of outage are three days of patience more."""
    trial = start(silent())
    watched(trial, 7)
    trial.world.faults.next("500", count=9, path="objetos")
    trial.pass_through(at(day(8), 9) + timedelta(minutes=minutes) for minutes in (0, 2, 8))
    assert trial.one(CarrierOutage)["ended_at"] is None
    presumed = add_business_days(silent().due_on, 7) + timedelta(days=1)
    daily(trial, day(11), presumed)
    assert [kind for kind, _ in kinds(trial)] == ["delay"]
    daily(trial, presumed, add_business_days(silent().due_on, 7 + 3) + timedelta(days=1))
    assert problem(trial, "loss")["presumed"] is True


def with_event(shipment: Shipment, *events: WorldEvent) -> Shipment:
    return replace(shipment, events=(*shipment.events, *events))


def test_a_sign_of_life_ends_a_presumed_loss_and_a_new_silence_is_a_new_one(start: Start) -> None:
    moving = silent().events[-1]
    seen_again = replace(moving, at=at(day(18), 7))
    trial = watched(start(with_event(silent(), seen_again)), 18, first=5)
    loss = problem(trial, "loss")
    assert (loss["resolved_at"], loss["resolution"]) == (seen_again.at, "moving_again")
    daily(trial, day(19), add_business_days(day(18), 8))
    episodes = trial.rows(Problem, kind="loss")
    assert [(row["episode"], row["resolved_at"] is None) for row in episodes] == [(1, False), (2, True)]
    assert len(trial.rows(Problem, kind="delay")) == 1


def test_a_problem_is_decided_once_not_at_every_look(start: Start) -> None:
    trial = watched(start(of_fate(Fate.LATE_OPEN)), 9)
    delay = problem(trial, "delay")
    notes = trial.rows(Decision, subject_kind="problem", subject_id=delay["id"], rule="delay.past_promise")
    assert [(note["outcome"], note["rule_version"]) for note in notes] == [("opened", 3)]
    assert notes[0]["facts"]["carrier_due_first_on"] == of_fate(Fate.LATE_OPEN).due_on.isoformat()


def test_a_due_date_that_moves_before_it_has_passed_is_kept_as_the_first(start: Start) -> None:
    """What the carrier named first is what it owes; the customer was promised the shop's own date."""
    moved = of_fate(Fate.REPLANNED)
    trial = watched(start(moved), 14)
    history = trial.one(ShipmentHistory)
    assert history["carrier_due_first_on"] == moved.due_on < history["carrier_due_on"]
    assert problem(trial, "late_delivery")["carrier_since"] == at(moved.due_on + timedelta(days=1), 0, 0)


def test_a_parcel_is_late_only_once_the_carrier_has_answered_since(start: Start) -> None:
    """Midnight after the promise wakes detection; an outage then proves nothing, and the first answer after it does."""
    late = of_fate(Fate.LATE_OPEN)
    trial = watched(start(late), 4)
    midnight = at(late.due_on + timedelta(days=1), 0, 0)
    assert trial.one(ShipmentCheck)["next_check_at"] == midnight
    trial.world.faults.next("500", count=3, path="objetos")
    trial.pass_at(midnight + timedelta(minutes=1))
    assert trial.rows(Problem) == [] == trial.rows(Alert)
    assert trial.one(ShipmentCheck)["next_check_at"] == midnight + timedelta(minutes=1) + RECHECK
    # Its answer, which says nothing new, ends the waiting.
    trial.pass_at(midnight + timedelta(minutes=30))
    delay = problem(trial, "delay")
    assert (delay["since"], delay["detected_at"]) == (midnight, midnight + timedelta(minutes=30))


def test_a_parcel_delivered_while_tracking_was_away_is_never_called_late(start: Start) -> None:
    """The carrier delivers in time and does not answer for days: nobody is told of a delay, nothing is claimed."""
    trial = start(of_fate(Fate.ON_TIME))
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    trial.world.faults.next("500", count=100_000, path="objetos")
    trial.pass_through(at(day(n), hour) for n in range(3, 13) for hour in (9, 18))
    assert trial.rows(Problem) == [] == trial.rows(Claim)
    trial.world.faults.clear()
    trial.pass_at(at(day(13), 9))
    assert trial.rows(Problem) == [] == trial.rows(Claim)


def test_each_shipment_is_looked_at_by_one_shard(start: Start) -> None:
    several = [of_fate(Fate.LATE_OPEN, n) for n in range(3)] + [of_fate(Fate.LATE_DELIVERED, n) for n in range(4)]
    trial = watched(start(*several), 12, first=12)
    assert len({row["subject_id"] for row in trial.rows(Problem)}) == len(several)
