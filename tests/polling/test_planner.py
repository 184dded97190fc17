"""From what is open and what the limits allow to how fresh the looks can be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.base import TrackingStatus
from tracker.polling.planner import Open, Plan, plan
from tracker.polling.schedule import PollingPolicy

Status = TrackingStatus
POLICY = PollingPolicy()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def planned(*found: Open, rate: float = 5.0, batch: int = 50) -> Plan:
    return plan(found, POLICY, batch_size=batch, requests_per_second=rate)


def test_a_small_shop_needs_next_to_nothing() -> None:
    made = planned(Open(Status.IN_TRANSIT, False, 300), Open(Status.IN_TRANSIT, True, 30))
    assert made.kept
    assert (round(made.calls_wanted, 2), made.calls_allowed) == (2.8, 18_000)
    assert [(r.wanted, r.allowed, r.shipments) for r in made.rhythms] == [
        (45 * MINUTE, 45 * MINUTE, 30),
        (3 * HOUR, 3 * HOUR, 300),
    ]


def test_the_others_are_stretched_and_the_urgent_are_not() -> None:
    # One call an hour for 50: 75 urgent ones want 2 calls an hour, 600 others in transit 4; there are 3.6.
    made = planned(Open(Status.OUT_FOR_DELIVERY, False, 75), Open(Status.IN_TRANSIT, False, 600), rate=0.001)
    urgent, others = made.rhythms
    assert not made.kept
    assert urgent.allowed == urgent.wanted == 45 * MINUTE
    assert others.allowed == 3 * HOUR * 2.5  # 4 calls where 1.6 are left


def test_where_the_urgent_alone_are_too_many_the_others_keep_a_quarter() -> None:
    made = planned(Open(Status.OUT_FOR_DELIVERY, False, 7_500), Open(Status.IN_TRANSIT, False, 600), rate=0.004)
    urgent, others = made.rhythms  # 200 calls are wanted for the urgent, 14.4 there are
    assert urgent.allowed == pytest.approx(45 * MINUTE * (200 / 10.8), abs=MINUTE)
    assert others.allowed == pytest.approx(3 * HOUR * (4 / 3.6), abs=MINUTE)


def test_nothing_open_wants_nothing() -> None:
    made = planned(Open(Status.IN_TRANSIT, False, 0))
    assert (made.rhythms, made.calls_wanted, made.kept) == ((), 0, True)


@pytest.mark.parametrize(
    ("status", "is_due", "expected"),
    [
        pytest.param(Status.PRE_TRANSIT, True, 6 * HOUR, id="a label, however late"),
        pytest.param(Status.IN_TRANSIT, True, 45 * MINUTE, id="late"),
        pytest.param(Status.AVAILABLE_FOR_PICKUP, False, 4 * HOUR, id="at a counter"),
        pytest.param(Status.LOST, False, 24 * HOUR, id="lost"),
    ],
)
def test_the_rhythm_is_the_schedules(status: Status, is_due: bool, expected: timedelta) -> None:
    assert planned(Open(status, is_due, 1)).allowed(status, is_due=is_due) == expected


def test_what_has_ended_costs_its_second_looks_and_has_no_rhythm() -> None:
    made = planned(Open(Status.DELIVERED, False, 2_800), Open(Status.IN_TRANSIT, False, 600), rate=0.001)
    assert (made.ended, made.second_looks_days, made.allowed(Status.DELIVERED)) == (2_800, (1, 3, 7), None)
    assert made.calls_wanted == pytest.approx(4 + 1)  # 56 batches, each three times in seven days
    assert [rhythm.statuses for rhythm in made.rhythms] == [("in_transit",)]
    assert made.rhythms[0].allowed / made.rhythms[0].wanted == pytest.approx(
        4 / 2.7
    )  # a quarter is kept back for the looks


OPEN = st.builds(Open, st.sampled_from(list(Status)), st.booleans(), st.integers(0, 2_000_000))


@given(st.lists(OPEN, max_size=20), st.floats(0.01, 50), st.integers(1, 100))
def test_no_plan_promises_more_than_the_limit_or_less_than_is_wanted(
    found: list[Open], rate: float, batch: int
) -> None:
    made = planned(*found, rate=rate, batch=batch)
    spent = sum(r.shipments / batch / (r.allowed / HOUR) for r in made.rhythms)
    assert spent <= made.calls_allowed * 1.001
    assert all(rhythm.allowed >= rhythm.wanted for rhythm in made.rhythms)
    if made.kept:
        assert all(rhythm.allowed == rhythm.wanted for rhythm in made.rhythms)
