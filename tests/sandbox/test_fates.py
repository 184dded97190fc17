from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from stdnum.br import cpf

from tests.sandbox.conftest import MONDAY, first
from tracker.sandbox.facts import facts
from tracker.sandbox.fates import DEMO_DAYS, demo_plan, random_plan, s10_code
from tracker.sandbox.plan import Fate, Plan, Sight, Strike
from tracker.sandbox.workdays import add_business_days, is_business_day, local_date

MONDAYS = [MONDAY, date(2026, 3, 2), date(2026, 12, 7), date(2026, 12, 21), date(2027, 2, 1)]


@pytest.mark.parametrize("monday", MONDAYS, ids=str)
def test_the_demo_is_sixty_parcels_of_which_most_arrive_in_time(monday: date) -> None:
    plan = demo_plan(monday)
    assert len(plan.shipments) == 60
    assert {(shipment.order.shipped_on - monday).days + 1 for shipment in plan.shipments} == {1, 2, 3, 4, 5, 6}
    in_time = [shipment for shipment in plan.shipments if _arrived_by(shipment.due_on, shipment.events)]
    assert 34 <= len(in_time) <= 42
    assert {shipment.fate for shipment in plan.shipments} == set(Fate) - {Fate.BAD_CODE}


@pytest.mark.parametrize("monday", MONDAYS, ids=str)
def test_all_of_the_demo_happens_within_twenty_days_in_order_and_on_working_days(monday: date) -> None:
    plan = demo_plan(monday)
    for shipment in plan.shipments:
        instants = [event.at for event in shipment.events]
        assert instants == sorted(instants)
        assert all(local_date(at) <= plan.day(DEMO_DAYS) for at in instants), shipment
        for event in shipment.events:
            if event.code in {"BDE", "BDI", "OEC", "LDI"}:
                assert is_business_day(local_date(event.at)), (shipment.fate, event)


def _arrived_by(due_on: date, events) -> bool:
    delivered = facts(events).delivered_on
    return delivered is not None and delivered <= due_on


@pytest.mark.parametrize(
    ("fate", "pairs"),
    [
        pytest.param(Fate.LOST_CODED, ["BDE80"], id="lost by code"),
        pytest.param(Fate.LOST_SILENT, ["RO01", "RO01"], id="lost in silence"),
        pytest.param(Fate.STOLEN, ["OEC01", "BDE50"], id="stolen on the street"),
        pytest.param(Fate.DAMAGED, ["BDE28"], id="damaged on the way"),
        pytest.param(Fate.RETURNED_REFUSED, ["BDE04", "RO01", "OEC09", "BDE23"], id="refused and back"),
        pytest.param(Fate.RETURNED_ABSENT, ["BDE20", "OEC01", "BDE21", "RO01", "OEC09", "BDE23"], id="never at home"),
        pytest.param(Fate.RETURNED_UNCLAIMED, ["LDI01", "BDI26", "RO01", "OEC09", "BDE23"], id="never fetched"),
        pytest.param(Fate.WRONG_ADDRESS, ["BDE19", "BDE08", "RO01", "OEC09", "BDE23"], id="address wrong"),
        pytest.param(Fate.PICKUP, ["LDI01", "BDI01"], id="fetched at the counter"),
        pytest.param(Fate.REVERSAL, ["BDE01", "EST01", "OEC01", "BDE01"], id="delivery taken back"),
        pytest.param(Fate.NEVER_POSTED, [], id="nothing at all"),
        pytest.param(Fate.OTHER_CONTRACT, [], id="hidden by contract"),
    ],
)
def test_each_fate_ends_as_it_is_called(plan: Plan, fate: Fate, pairs: list[str]) -> None:
    events = [event.code + event.kind for event in first(plan, fate).events]
    assert events[len(events) - len(pairs) :] == pairs


def test_late_parcels_are_late_by_the_carriers_own_date(plan: Plan) -> None:
    for fate in (Fate.LATE_DELIVERED, Fate.LATE_OPEN):
        for shipment in plan.of_fate(fate):
            delivered_on = facts(shipment.events).delivered_on
            assert delivered_on is not None and delivered_on > shipment.promised_on >= shipment.due_on


def test_forecasts_move_and_vanish(plan: Plan) -> None:
    replanned, silent = first(plan, Fate.REPLANNED), first(plan, Fate.LOST_SILENT)
    posted_at = replanned.events[1].at
    assert replanned.due_seen_at(posted_at - timedelta(seconds=1)) is None
    assert replanned.due_seen_at(posted_at) == replanned.due_on
    end = posted_at + timedelta(days=20)
    assert replanned.due_seen_at(end) == add_business_days(replanned.due_on, 2)
    assert silent.due_seen_at(end) is None
    assert {each.claim_due_on == each.due_on for each in plan.of_fate(Fate.REPLANNED)} == {True, False}


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    assert demo_plan(MONDAY, seed=3) == demo_plan(MONDAY, seed=3)
    assert demo_plan(MONDAY, seed=3).shipments[0].code != demo_plan(MONDAY, seed=4).shipments[0].code
    plan = random_plan(200, 30, 5, first_day=MONDAY)
    assert plan == random_plan(200, 30, 5, first_day=MONDAY)


def test_a_random_plan_has_unique_valid_and_invented_data() -> None:
    plan = random_plan(500, 30, 11, first_day=MONDAY)
    shipments = plan.shipments
    assert len({shipment.code for shipment in shipments}) == 500
    assert len({shipment.order.number for shipment in shipments}) == 500
    customers = [shipment.order.customer for shipment in shipments]
    assert len({customer.document for customer in customers}) == 500
    assert all(cpf.is_valid(customer.document) and customer.document.startswith("00000") for customer in customers)
    assert all(customer.email.isascii() and customer.email.endswith("@example.com") for customer in customers)
    assert any(not customer.name.isascii() for customer in customers)
    assert len({customer.place.state for customer in customers}) > 20
    assert all(shipment.order.shipped_on.weekday() != 6 for shipment in shipments)
    assert 0.5 < Counter(shipment.fate for shipment in shipments)[Fate.ON_TIME] / 500 < 0.75
    assert all((each.sight is Sight.INVALID) == (each.fate is Fate.BAD_CODE) for each in shipments)


@pytest.mark.parametrize(
    ("prefix", "digits", "code"), [("RR", 47312482, "RR473124829BR"), ("AD", 10000001, "AD100000017BR")]
)
def test_check_digits_follow_the_published_examples(prefix: str, digits: int, code: str) -> None:
    assert s10_code(prefix, digits) == code
    assert s10_code(prefix, digits, wrong=True) != code


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        pytest.param(date(2026, 11, 16), 5, date(2026, 11, 24), id="20 November is a holiday"),
        pytest.param(date(2026, 2, 13), 1, date(2026, 2, 18), id="Carnival Monday and Tuesday are closed"),
        pytest.param(date(2026, 4, 2), 1, date(2026, 4, 6), id="Good Friday"),
        pytest.param(date(2022, 3, 18), 5, date(2022, 3, 25), id="the manual's own example"),
    ],
)
def test_business_days(start: date, count: int, expected: date) -> None:
    assert add_business_days(start, count) == expected


def test_a_strike_holds_everything_after_it_but_not_the_posting(plan: Plan) -> None:
    shipment = first(plan, Fate.ON_TIME)
    posted_on = shipment.order.shipped_on
    held = Strike(posted_on, posted_on + timedelta(days=2)).hold(shipment)
    assert [event.at for event in held.events[:2]] == [event.at for event in shipment.events[:2]]
    assert held.events[-1].at - shipment.events[-1].at == timedelta(days=3)
    before = Strike(posted_on - timedelta(days=5), posted_on - timedelta(days=1))
    assert before.hold(shipment) == shipment


def test_plans_refuse_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="no Monday"):
        demo_plan(date(2026, 11, 10))
    with pytest.raises(ValueError, match="at least one"):
        random_plan(0, 3, 1, first_day=MONDAY)
