from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from stdnum.br import cpf

from tests.sandbox.conftest import MONDAY, first
from tracker.sandbox.facts import facts
from tracker.sandbox.fates import DEMO_DAYS, demo_plan, random_plan, s10_code
from tracker.sandbox.plan import Fate, Plan, Sight
from tracker.sandbox.strikes import Strike
from tracker.sandbox.workdays import add_business_days, is_business_day, local, local_date

IN_THE_DEMO = set(list(Fate)[: list(Fate).index(Fate.POSTED_LATE)]) - {Fate.BAD_CODE}
MONDAYS = [MONDAY, date(2026, 3, 2), date(2026, 12, 7), date(2026, 12, 21), date(2027, 2, 1)]


@pytest.mark.parametrize("monday", MONDAYS, ids=str)
def test_the_demo_is_sixty_parcels_of_which_most_arrive_in_time(monday: date) -> None:
    plan = demo_plan(monday)
    assert len(plan.shipments) == 60
    assert {(shipment.order.shipped_on - monday).days + 1 for shipment in plan.shipments} == {1, 2, 3, 4, 5, 6}
    in_time = [shipment for shipment in plan.shipments if _arrived_by(shipment.due_on, shipment.events)]
    assert 34 <= len(in_time) <= 42
    assert {shipment.fate for shipment in plan.shipments} == IN_THE_DEMO


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
    assert {each.claim_due_on(end) == each.due_on for each in plan.of_fate(Fate.REPLANNED)} == {True, False}


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


BROAD = random_plan(600, 30, 5, first_day=date(2027, 1, 25), realistic=True)


def pairs(fate: Fate) -> list[str]:
    return [event.code + event.kind for event in first(BROAD, fate).events]


def test_a_random_plan_of_some_size_holds_every_fate() -> None:
    assert {shipment.fate for shipment in BROAD.shipments} == set(Fate)


@pytest.mark.parametrize(
    ("fate", "tells"),
    [
        pytest.param(Fate.STALLED, ["DO01", "RO01"], id="stalled, then moving"),
        pytest.param(Fate.HUB_DELAY, ["BDE09", "BDE69", "DO01"], id="delayed at a hub"),
        pytest.param(Fate.ABSENT_ONCE, ["BDE20", "OEC01", "BDE01"], id="absent once"),
        pytest.param(Fate.ABSENT_THRICE, ["BDE20", "OEC01", "BDE20", "OEC01", "BDE21"], id="absent three times"),
        pytest.param(Fate.ADDRESS_CORRECTED, ["BDE19", "OEC01", "BDE01"], id="address corrected"),
        pytest.param(Fate.PICKUP_LAST_DAY, ["DO01", "LDI01", "BDI01"], id="fetched on the last day"),
        pytest.param(Fate.CUSTOMS_HOLD, ["FC34", "FC32", "PAR42"], id="held for inspection"),
        pytest.param(Fate.SEIZED, ["FC34", "BDE75"], id="seized"),
        pytest.param(Fate.DAMAGED_DELIVERED, ["BDE28", "DO01", "OEC01", "BDE01"], id="damaged, yet delivered"),
        pytest.param(Fate.DAMAGED_RETURNED, ["BDE28", "FC01", "RO01", "OEC09", "BDE23"], id="damaged and sent back"),
        pytest.param(Fate.LOST_FOUND, ["BDE80", "RO01", "DO01", "OEC01", "BDE01"], id="lost, then found"),
        pytest.param(Fate.STOLEN_RECOVERED, ["BDE50", "RO01", "DO01", "OEC01", "BDE01"], id="stolen, then recovered"),
        pytest.param(Fate.REVERSED_LATE, ["BDE01", "EST01", "RO01"], id="reversed, delivered late"),
        pytest.param(Fate.REVERSED_LOST, ["BDE01", "EST01", "BDE80"], id="reversed, then lost"),
    ],
)
def test_what_the_broader_world_tells(fate: Fate, tells: list[str]) -> None:
    assert "".join(tells) in "".join(pairs(fate))


def test_a_return_for_no_reason_begins_before_the_due_date() -> None:
    for shipment in BROAD.of_fate(Fate.RETURNED_UNDULY):
        turned = next(event for event in shipment.events if event.kind in {"05", "36"})
        assert local_date(turned.at) < shipment.due_on
        assert shipment.events[-1].kind == "23"


def test_a_parcel_posted_late_has_a_label_on_the_day_the_shop_says() -> None:
    for shipment in BROAD.of_fate(Fate.POSTED_LATE):
        label, posting = shipment.events[:2]
        assert local_date(label.at) == shipment.order.shipped_on
        assert local_date(posting.at) >= add_business_days(shipment.order.shipped_on, 4)


def test_tracking_tells_late_twice_or_no_more() -> None:
    late = next(each for each in BROAD.of_fate(Fate.LATE_NEWS) if each.events[-1].code == "BDE")
    delivered = late.events[-1]
    assert late.events_until(delivered.at)[-1] != delivered == late.events_until(delivered.appears_at)[-1]
    twice = first(BROAD, Fate.REPEATED)
    assert twice.events[-1] == twice.events[-2]
    gone = first(BROAD, Fate.VANISHED)
    stray = next(event for event in gone.events if event.hidden_at is not None)
    assert stray.hidden_at is not None
    assert stray in gone.events_until(stray.at)
    assert stray not in gone.events_until(stray.hidden_at)


def test_due_dates_come_in_every_order_with_the_promise_and_some_are_never_shown() -> None:
    orders = {(each.promised_on > each.due_on) - (each.promised_on < each.due_on) for each in BROAD.shipments}
    assert orders == {-1, 0, 1}
    end = local(date(2027, 6, 1), 9)
    assert all(each.due_seen_at(end) is None for each in BROAD.of_fate(Fate.DATE_NEVER_SHOWN))
    assert all(len(each.due_dates(end)) == 1 for each in BROAD.of_fate(Fate.DATE_NEVER_SHOWN))
    assert all(each.due_dates(end)[-1] < each.due_on for each in BROAD.of_fate(Fate.REPLANNED_EARLIER))


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


@pytest.mark.parametrize(
    ("day", "state"),
    [
        pytest.param(date(2026, 7, 9), "SP", id="São Paulo, 9 July"),
        pytest.param(date(2027, 4, 5), "ES", id="Espírito Santo, Monday after Easter week"),
        pytest.param(date(2027, 11, 19), "AC", id="Acre moves 17 November to Friday"),
        pytest.param(date(2026, 7, 2), "BA", id="Bahia, 2 July"),
    ],
)
def test_state_holidays_close_their_own_state_alone(day: date, state: str) -> None:
    assert not is_business_day(day, state)
    assert is_business_day(day) and is_business_day(day, "PR")


def test_business_days_count_backwards_too() -> None:
    assert add_business_days(date(2026, 11, 23), -2) == date(2026, 11, 18)  # Friday 20 November is a holiday


def test_a_local_strike_holds_what_is_there_and_lets_the_rest_go(plan: Plan) -> None:
    shipment = first(plan, Fate.LATE_DELIVERED)
    state, arrival = shipment.order.customer.place.state, shipment.events[-3].at
    here = Strike(local_date(arrival), local_date(arrival) + timedelta(days=1), state=state)
    assert here.hold(shipment).events[-1].at - shipment.events[-1].at == timedelta(days=2)
    elsewhere = replace(here, state="AP")
    over_before_it_came = replace(here, first=MONDAY, last=local_date(arrival) - timedelta(days=1))
    assert elsewhere.hold(shipment) == over_before_it_came.hold(shipment) == shipment


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
