"""Intelipost: an order's volumes, micro states, and a push proved by a static key."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from carriers.base import AnswerOutcome, CarrierConfigError, HookOutcome, HookRequest, PermanentCarrierError, RefKind
from carriers.intelipost import Intelipost
from tests.carriers.recorded import account, ask, ref, sample, sample_json, utc

ORDER = "/api/v1/shipment_order/PED-1001"
KEY = "35261111222333000181550010000010011102030405"
ACCOUNT = {"api_key": "chave-1", "webhook_key": "chave-2"}


def recorded(name: str) -> bytes:
    return sample("intelipost", name)


def two_volumes() -> bytes:
    data = sample_json("intelipost", "shipment-order.response.json")
    (first,) = data["content"]["shipment_order_volume_array"]
    second = orjson.loads(orjson.dumps(first))
    second["shipment_order_volume_number"] = "2"
    state = second["shipment_order_volume_state_history_array"][0]
    state["shipment_volume_micro_state"]["default_name"] = "EXTRAVIO CONFIRMADO"
    data["content"]["shipment_order_volume_array"] = [first, second]
    return orjson.dumps(data)


@pytest.mark.anyio
async def test_the_micro_state_decides() -> None:
    async with account(Intelipost, ACCOUNT, {ORDER: recorded("shipment-order.response.json")}) as (adapter, carrier):
        answer = (await ask(adapter.tracking, "PED-1001"))["PED-1001"]

    (event,) = answer.events
    assert (event.carrier_code, event.status) == ("ENTREGUE NO DESTINO", "delivered")
    assert event.occurred_at == utc(2026, 11, 19, 17, 32)
    assert event.description == "ENTREGUE NO DESTINO: Entrega realizada"
    assert event.final and event.attempt and not event.by_words
    # The date of a look may be the shopper's: it is no term of the carrier's.
    assert answer.due_on is None
    assert carrier.asked[0].headers["api-key"] == "chave-1"


@pytest.mark.anyio
async def test_each_volume_has_its_own_state() -> None:
    async with account(Intelipost, ACCOUNT, {ORDER: two_volumes()}) as (adapter, _):
        first = (await ask(adapter.tracking, "PED-1001"))["PED-1001"]
        second = (await ask(adapter.tracking, "PED-1001#2"))["PED-1001#2"]
        third = (await ask(adapter.tracking, "PED-1001#3"))["PED-1001#3"]

    assert first.events[-1].status == "delivered" and first.message is not None and "volume 1 of 2" in first.message
    assert second.events[-1].status == "lost"
    assert third.outcome is AnswerOutcome.NOT_FOUND


@pytest.mark.anyio
async def test_an_invoice_key_asks_by_its_number() -> None:
    by_invoice = {"/api/v1/shipment_order/invoice/1001": recorded("shipment-order.response.json")}
    async with account(Intelipost, ACCOUNT, by_invoice) as (adapter, _):
        assert ref(adapter.tracking, KEY).kind is RefKind.INVOICE_KEY
        assert (await ask(adapter.tracking, KEY))[KEY].events


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 404])
async def test_an_unknown_order_is_not_found(status: int) -> None:
    async with account(Intelipost, ACCOUNT, {ORDER: (status, recorded("not-found.assumed.json"))}) as (adapter, _):
        assert (await ask(adapter.tracking, "PED-1001"))["PED-1001"].outcome is AnswerOutcome.NOT_FOUND


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, b"{}"), CarrierConfigError),
        (b'{"status": "ERROR", "messages": [{"key": "limit", "text": "x"}]}', PermanentCarrierError),
        ((404, b'{"error": "no such path"}'), PermanentCarrierError),
    ],
)
async def test_refusals(answer: Any, error: type[Exception]) -> None:
    async with account(Intelipost, ACCOUNT, {ORDER: answer}) as (adapter, _):
        with pytest.raises(error):
            await ask(adapter.tracking, "PED-1001")


@pytest.mark.anyio
async def test_counters_that_change_by_themselves_are_no_news() -> None:
    later = sample_json("intelipost", "shipment-order.response.json")
    later["time"] = "99 ms"
    later["content"]["shipment_order_volume_array"][0]["modified_iso"] = "2026-11-20T00:00:00.000-03:00"
    answers = [recorded("shipment-order.response.json"), orjson.dumps(later)]
    async with account(Intelipost, ACCOUNT, {ORDER: answers}) as (adapter, _):
        number = ref(adapter.tracking, "PED-1001")
        said = [(await adapter.tracking.track([number]))[number].said for _ in range(2)]

    assert said[0] == said[1]


@pytest.mark.anyio
async def test_a_push_tells_the_carrier_s_term_and_the_same_event() -> None:
    body = recorded("webhook.delivered.json")
    async with account(Intelipost, ACCOUNT, {ORDER: recorded("shipment-order.response.json")}) as (adapter, _):
        looked = (await ask(adapter.tracking, "PED-1001"))["PED-1001"]
        verdict = adapter.hook.check(HookRequest("POST", {"api-key": "chave-2"}, body))
        other = adapter.hook.check(HookRequest("POST", {"api-key": "chave-1"}, body))
        answers = {one.value: answer for one, answer in adapter.hook.read(body).answers.items()}

    assert (verdict.outcome, other.outcome) == (HookOutcome.ACCEPTED, HookOutcome.REFUSED)
    assert set(answers) == {"PED-1001", "PED-1001#1", KEY}
    pushed = answers["PED-1001"]
    assert [event.key for event in pushed.events] == [event.key for event in looked.events]
    assert pushed.due_on is not None and pushed.due_on.isoformat() == "2026-11-20"
    assert not pushed.complete


@pytest.mark.anyio
async def test_a_loss_is_pushed() -> None:
    async with account(Intelipost, ACCOUNT, {}) as (adapter, _):
        answers = adapter.hook.read(recorded("webhook.lost.assumed.json")).answers

    assert {answer.events[0].status for answer in answers.values()} == {"lost"}


@pytest.mark.anyio
async def test_without_a_key_of_its_own_no_push_is_taken() -> None:
    async with account(Intelipost, {"api_key": "chave-1"}, {}) as (adapter, _):
        assert adapter.hook is None
