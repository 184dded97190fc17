"""Faults that come by themselves: at random by seed, by day, and as outages of one API family."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sandbox.conftest import MONDAY, Client, at, first
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.faults import Family, Fault, FaultOrder, FaultPlan, Faults, Outage
from tracker.sandbox.plan import Fate, Plan
from tracker.sandbox.world import World

TRACKING, REGISTER = "/srorastro/v1/objetos", "/pedido-informacao/v1/externo/pedidos/cadastra"


def drawn(seed: int, path: str, calls: int = 1000) -> list[Fault | None]:
    faults = Faults(FaultPlan(seed=seed, share=0.1))
    return [faults.take(path, at(1)) for _ in range(calls)]


def test_the_same_seed_fails_the_same_calls_and_about_the_share() -> None:
    found = drawn(1, TRACKING)
    assert found == drawn(1, TRACKING) != drawn(2, TRACKING)
    assert 70 <= sum(fault is not None for fault in found) <= 130


def test_only_the_call_that_registers_fails_in_its_own_ways() -> None:
    assert {Fault.CLAIM_ERROR, Fault.NO_NUMBER, Fault.LOST_ANSWER} <= set(drawn(1, REGISTER))
    assert not {Fault.CLAIM_ERROR, Fault.NO_NUMBER, Fault.LOST_ANSWER} & set(drawn(1, TRACKING))


def test_orders_wait_for_their_day() -> None:
    faults = Faults(FaultPlan(orders=(FaultOrder(MONDAY + timedelta(days=1), Fault.CLAIM_ERROR, 2, "cadastra"),)))
    assert faults.take(REGISTER, at(1)) is None
    assert [faults.take(path, at(3)) for path in (TRACKING, REGISTER, REGISTER, REGISTER)] == [
        None,
        Fault.CLAIM_ERROR,
        Fault.CLAIM_ERROR,
        None,
    ]


@pytest.mark.parametrize(
    ("family", "fails"),
    [
        pytest.param(Family.TRACKING, [True, False], id="tracking alone"),
        pytest.param(Family.CLAIMS, [False, True], id="claims alone"),
        pytest.param(Family.ALL, [True, True], id="everything"),
    ],
)
def test_an_outage_hits_its_family_while_it_lasts(family: Family, fails: list[bool]) -> None:
    faults = Faults(FaultPlan(outages=(Outage(at(1, 8), at(1, 20), family),)))
    assert [faults.take(path, at(1, 12)) is not None for path in (TRACKING, REGISTER)] == fails
    assert [faults.take(path, at(1, 20)) for path in (TRACKING, REGISTER)] == [None, None]


def test_an_outage_and_a_share_are_ordered_through_the_side_door(client: Client, clock: SandboxClock) -> None:
    client.control("outages", {"first": at(1, 8).isoformat(), "last": at(1, 9).isoformat(), "family": "tracking"})
    assert client.track(["AD100000017BR"])[0] == 500
    clock.set(at(1, 9))
    assert client.track(["AD100000017BR"])[0] == 200
    client.control("faults/plan", {"seed": 1, "share": 1.0})
    state = client.control("faults")
    assert (state["share"], [each["family"] for each in state["outages"]]) == (1.0, ["tracking"])
    assert "error" in client.control("outages", {"first": "2026-11-10", "last": "2026-11-12"})
    client.control("faults/clear", {})
    assert client.track(["AD100000017BR"])[0] == 200


def test_an_expired_token_is_refused_once_and_a_new_one_works(world: World, client: Client) -> None:
    world.faults.next(Fault.TOKEN_EXPIRED)
    assert client.track(["AD100000017BR"])[0] == 403
    assert client.track(["AD100000017BR"])[0] == 401
    client.log_in()
    assert client.track(["AD100000017BR"])[0] == 200


def test_a_local_strike_is_ordered_through_the_side_door(world: World, client: Client, plan: Plan) -> None:
    parcel = first(plan, Fate.LATE_DELIVERED)
    city = parcel.order.customer.place
    day = parcel.events[-1].at.date()
    order = {"first": day.isoformat(), "last": day.isoformat(), "state": city.state, "city": city.unit_city}
    client.control("strikes", order)
    held = next(each for each in world.correios.shipments if each.code == parcel.code)
    assert held.events[-1].at - parcel.events[-1].at == timedelta(days=1)
    others = [each for each in world.correios.shipments if each.order.customer.place != city]
    assert others == [each for each in plan.shipments if each.order.customer.place != city]
