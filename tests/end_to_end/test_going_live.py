"""Observe mode and going live: nothing leaves too early, and what began before waits for a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.end_to_end.support import MONDAY, Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import Alert, Claim, Decision, Delivery, Notice, Problem

LATE = of_fate(Fate.LATE_OPEN)
LATER_LATE = of_fate(Fate.LATE_DELIVERED, 3)
LOST = of_fate(Fate.LOST_CODED)


def states(trial: Trial) -> set[tuple[str, str | None]]:
    return {(row["state"], row["hold_reason"]) for row in trial.rows(Delivery)}


def observing(trial: Trial) -> Trial:
    trial.shop.pop("live_from")
    trial.drop_orders()
    return trial


def test_an_observing_shop_decides_everything_and_sends_nothing(start: Start, database_url: str) -> None:
    trial = observing(start(LATE, LOST, url=database_url))
    trial.pass_through(at(day(n), 9) for n in (2, 5, 6))
    assert trial.told() == [] and trial.attempts() == []
    assert ("awaiting_person", "observe") in states(trial)
    assert {state for state, _ in states(trial)} <= {"awaiting_person", "expired", "suppressed"}
    assert {(row["state"], row["hold_reason"]) for row in trial.rows(Claim)} == {("waiting_approval", "observe")}
    assert {row["kind"] for row in trial.rows(Problem)} == {"delay", "loss"}
    assert trial.rows(Decision, subject_kind="claim", rule="claim.hold.observe")


def test_held_messages_expire_by_their_age(start: Start) -> None:
    trial = observing(start(LATE))
    trial.pass_at(at(day(2), 9))
    posted = trial.one(Delivery)
    assert posted["state"] == "awaiting_person"
    trial.pass_at(trial.one(Notice)["expires_at"])
    row = trial.one(Delivery)
    assert (row["state"], row["next_step_at"]) == ("expired", None)


def test_held_claims_alert_near_their_deadline(start: Start) -> None:
    trial = observing(start(of_fate(Fate.LOST_SILENT)))
    trial.pass_at(at(day(3), 9))
    trial.pass_at(at(day(8), 9))
    alert_on = trial.one(Claim)["alert_on"]
    trial.pass_at(at(alert_on - timedelta(days=1), 20))
    assert trial.rows(Alert, kind="claim_deadline_near") == []
    trial.pass_at(at(alert_on, 8))
    alert = trial.one(Alert, kind="claim_deadline_near")
    assert (alert["severity"], alert["resolved_at"]) == ("warning", None)
    assert trial.one(Claim)["hold_reason"] == "observe"


def test_what_began_before_going_live_waits_and_later_problems_leave(start: Start, database_url: str) -> None:
    trial = start(LATE, LATER_LATE, url=database_url)
    live_from = LATER_LATE.due_on  # the first is late by then, the second becomes so on the day after
    assert LATE.due_on < live_from <= LATER_LATE.promised_on
    trial.settings["messages"]["triggers"] = {"posted": []}
    trial.shop["live_from"] = live_from
    trial.drop_orders()
    trial.pass_through(at(MONDAY + timedelta(days=n), 9) for n in range(2, (live_from - MONDAY).days + 3))
    held = {row["hold_reason"] for row in trial.rows(Claim, state="waiting_approval")}
    assert held == {"before_live"}
    assert {attempt["code"] for attempt in trial.attempts()} == {LATER_LATE.code}
    assert {recipient for recipient, _ in trial.told()} == {LATER_LATE.order.customer.email}
    assert ("awaiting_person", "observe") not in states(trial)
    assert ("awaiting_person", "before_live") in states(trial) or ("expired", None) in states(trial)


def test_going_live_wakes_what_was_only_observed(start: Start) -> None:
    """A claim planned in observe mode for a problem of after `live_from` is filed on the first day by itself."""
    trial = start(LATE)
    trial.shop["live_from"] = LATE.due_on + timedelta(days=1)
    trial.drop_orders()
    trial.pass_at(at(LATE.due_on, 9))
    trial.pass_at(at(LATE.due_on + timedelta(days=1), 9))
    assert trial.one(Claim)["state"] == "open"


def test_taking_live_from_back_stops_everything_again(start: Start) -> None:
    trial = start(LATE, LOST)
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    told = len(trial.told())
    trial.shop.pop("live_from")
    trial.pass_through(at(day(n), 9) for n in (5, 6))
    assert len(trial.told()) == told and trial.attempts() == []


def test_what_is_released_leaves(start: Start, database_url: str) -> None:
    trial = start(LATE, url=database_url)
    trial.shop["live_from"] = day(6)
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in (3, 5, 6))
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"]) == ("waiting_approval", "before_live")
    released = trial.command("release", "--all")
    assert released.returncode == 0, released.stderr
    trial.pass_at(at(day(6), 10))
    assert trial.one(Claim)["state"] == "open"
    assert len(trial.attempts()) == 1
    told = {row["trigger"] for row in trial.rows(Notice) if row["id"] in sent(trial)}
    assert told == {"delay_detected"}  # the inquiry follows some hours later


def test_a_claim_released_alone_leaves_and_its_customer_is_told_nothing(start: Start, database_url: str) -> None:
    trial = start(LATE, url=database_url)
    trial.shop["live_from"] = day(6)
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in (3, 5, 6))
    released = trial.command("release", f"C{trial.one(Claim)['id']}")
    assert (released.returncode, released.stdout) == (0, "released: 1 claim\n"), released.stderr
    trial.pass_through([at(day(6), 10), at(day(7), 9)])
    assert (trial.one(Claim)["state"], len(trial.attempts())) == ("open", 1)
    assert trial.one(Problem)["released_at"] is None
    assert trial.told() == []
    assert ("awaiting_person", "before_live") in states(trial)


def test_what_is_approved_right_after_its_release_is_filed(start: Start) -> None:
    trial = start(LATE)
    trial.shop["live_from"] = day(6)
    trial.carrier["claims"]["mode"] = "propose"
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in (3, 5, 6))
    claim = f"C{trial.one(Claim)['id']}"
    assert trial.command("approve", claim).returncode == 1
    assert trial.command("release", claim).returncode == 0
    approved = trial.command("approve", claim)
    assert (approved.returncode, approved.stdout) == (0, f"{claim} is approved: the daemon files it at its next look\n")
    trial.pass_at(at(day(6), 10))
    assert (trial.one(Claim)["state"], len(trial.attempts())) == ("open", 1)


def sent(trial: Trial) -> set[int]:
    return {row["notice_id"] for row in trial.rows(Delivery, state="sent")}


@pytest.mark.parametrize("preset", ["all", "problems"])
@pytest.mark.parametrize(
    "fate",
    [
        pytest.param(Fate.ON_TIME, id="delivered long ago"),
        pytest.param(Fate.LATE_OPEN, id="late for days"),
        pytest.param(Fate.LOST_CODED, id="lost a week ago"),
        pytest.param(Fate.RETURNED_REFUSED, id="back again"),
    ],
)
def test_first_sight_of_a_long_history_tells_nobody_about_the_past(start: Start, preset: str, fate: Fate) -> None:
    trial = start(of_fate(fate))
    trial.settings["messages"]["preset"] = preset
    trial.carrier["claims"]["mode"] = "propose"
    trial.shop["live_from"] = MONDAY - timedelta(days=30)
    trial.drop_orders()
    trial.pass_through([at(day(13), 9), at(day(13), 14)])
    assert trial.told() == []
    assert trial.rows(Notice) == []
    problems = {row["kind"] for row in trial.rows(Problem)}
    assert bool(problems) is (fate is not Fate.ON_TIME)


def test_a_late_parcel_seen_late_is_told_what_happens_next(start: Start) -> None:
    """The past stays untold; the delivery after it is news."""
    trial = start(LATE)
    trial.drop_orders()
    trial.pass_at(at(day(10), 9))
    trial.pass_through(at(day(n), 12) for n in range(11, 18))
    assert {row["trigger"] for row in trial.rows(Notice)} <= {"inquiry_opened", "out_for_delivery", "delivered"}
    assert "delivered" in {row["trigger"] for row in trial.rows(Notice)}
