"""A shop with many parcels on their way starts this program: it sees everything, and does nothing about the past."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from tests.end_to_end.support import MONDAY, Start, at
from tracker.sandbox.fates import random_plan
from tracker.sandbox.plan import Fate, Shipment
from tracker.store.tables import Claim, ClaimProblem, Delivery, NoticeMember, Problem
from tracker.store.tables import Shipment as ShipmentRow

PARCELS = 500
FIRST_LOOK = MONDAY + timedelta(days=15)


def crowd() -> tuple[Shipment, ...]:
    """One in five delivered, three in ten late, the rest of every fate there is."""
    drawn = random_plan(4 * PARCELS, 5, seed=11, first_day=MONDAY).shipments
    late = [one for one in drawn if one.fate in {Fate.LATE_OPEN, Fate.LATE_DELIVERED, Fate.LOST_SILENT}]
    done = [one for one in drawn if one.fate is Fate.ON_TIME]
    rest = [one for one in drawn if one not in late and one not in done and one.fate is not Fate.BAD_CODE]
    chosen = late[: PARCELS * 3 // 10] + done[: PARCELS // 5]
    return tuple(chosen + (rest + done[PARCELS // 5 :])[: PARCELS - len(chosen)])


def test_a_shop_that_starts_with_many_open_parcels_leaves_the_past_alone(start: Start) -> None:
    trial = start(*crowd())
    trial.shop.pop("live_from")
    trial.drop_orders()
    trial.pass_through(at(FIRST_LOOK, hour) for hour in (9, 13, 18))
    assert trial.told() == [] == trial.attempts()
    assert len(trial.rows(ShipmentRow)) == PARCELS
    kinds = Counter(row["kind"] for row in trial.rows(Problem))
    assert kinds["delay"] + kinds["late_delivery"] >= PARCELS // 5
    assert {row["state"] for row in trial.rows(Claim)} <= {"waiting_approval", "cancelled"}

    # It goes live the next day: nothing about what had begun before leaves, for anybody, until a person lets it go.
    live = FIRST_LOOK + timedelta(days=1)
    trial.shop["live_from"] = live
    trial.pass_through(at(live, hour) for hour in (9, 13))
    past = {row["id"] for row in trial.rows(Problem) if row["since"] < at(live, 0)}
    filed = {row["id"] for row in trial.rows(Claim) if row["opened_at"] is not None}
    assert not {row["problem_id"] for row in trial.rows(ClaimProblem) if row["claim_id"] in filed} & past
    left = {row["notice_id"] for row in trial.rows(Delivery, state="sent")}
    assert not {row["problem_id"] for row in trial.rows(NoticeMember) if row["notice_id"] in left} & past
