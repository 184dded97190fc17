"""AfterShip: a list of numbers, each made known once, tags that are confirmed and subtags that are not, pushes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from carriers.aftership import PATH, SIGNATURE, AfterShip
from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    HookOutcome,
    HookRequest,
    PermanentCarrierError,
    TrackingStatus,
    TransientCarrierError,
)
from tests.carriers.recorded import account, ask, sample, sample_json, utc

NUMBER, OTHER = "AB123456785BR", "EX000000002BR"
SECRET = sample_json("aftership", "webhook.signature.json")["secret"]
ACCOUNT = {"api_key": "chave", "slug": "brazil-correios", "webhook_secret": SECRET}


def recorded(name: str) -> bytes:
    return sample("aftership", name)


def listed(*trackings: Any) -> bytes:
    return orjson.dumps({"meta": {"code": 200}, "data": {"pagination": {"total": 1}, "trackings": list(trackings)}})


def delivered(**checkpoint: Any) -> Any:
    tracking = sample_json("aftership", "get.delivered.json")["data"]
    tracking["checkpoints"][0] |= checkpoint
    return tracking


@pytest.mark.anyio
async def test_a_list_is_asked_for_and_a_new_number_made_known() -> None:
    created = (201, b'{"meta": {"code": 201}, "data": {"id": "x"}}')
    async with account(AfterShip, ACCOUNT, {PATH: [listed(delivered()), created]}) as (adapter, carrier):
        told = await ask(adapter.tracking, NUMBER, OTHER)

    (event,) = told[NUMBER].events
    assert (event.carrier_code, event.status, event.by_words) == ("Delivered_001", "delivered", False)
    assert event.occurred_at == utc(2026, 11, 19, 17, 32) and event.location == "Curitiba/PR"
    assert told[NUMBER].due_on is not None and told[NUMBER].due_on.isoformat() == "2026-11-20"
    assert told[OTHER].outcome is AnswerOutcome.NOT_FOUND
    asked = carrier.asked[0].url.params
    assert (asked["tracking_numbers"], asked["slug"]) == (f"{NUMBER},{OTHER}", "brazil-correios")
    assert asked["created_at_min"] == "2026-07-23T00:00:00Z", "else the last thirty days only"
    assert carrier.asked[0].headers["as-api-key"] == "chave"
    assert carrier.sent(1) == {"tracking_number": OTHER, "slug": "brazil-correios"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("subtag", "status"), [("Exception_013", TrackingStatus.LOST), ("Exception_012", TrackingStatus.DAMAGED)]
)
async def test_no_subtag_is_confirmed(subtag: str, status: TrackingStatus) -> None:
    body = listed(delivered(tag="Exception", subtag=subtag))
    async with account(AfterShip, ACCOUNT, {PATH: body}) as (adapter, _):
        (event,) = (await ask(adapter.tracking, NUMBER))[NUMBER].events

    assert (event.carrier_code, event.status, event.by_words) == (subtag, status, True)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("created", "outcome"),
    [
        ((400, recorded("already-exists.json")), AnswerOutcome.NOT_FOUND),
        ((400, b'{"meta": {"code": 4005, "message": "bad"}}'), AnswerOutcome.INVALID_NUMBER),
        ((400, b'{"meta": {"code": 4010, "message": "no courier"}}'), AnswerOutcome.ERROR),
    ],
)
async def test_making_a_number_known(created: Any, outcome: AnswerOutcome) -> None:
    async with account(AfterShip, ACCOUNT, {PATH: [listed(), created]}) as (adapter, _):
        assert (await ask(adapter.tracking, NUMBER))[NUMBER].outcome is outcome


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, recorded("auth-error.json")), CarrierConfigError),
        ((429, recorded("rate-limit.json")), TransientCarrierError),
        ((404, recorded("not-found.json")), PermanentCarrierError),
        ([listed(), (400, b'{"meta": {"code": 4016, "message": "limit"}}')], PermanentCarrierError),
    ],
)
async def test_refusals(answer: Any, error: type[Exception]) -> None:
    async with account(AfterShip, ACCOUNT, {PATH: answer}) as (adapter, _):
        with pytest.raises(error):
            await ask(adapter.tracking, NUMBER)


@pytest.mark.anyio
async def test_a_push_of_the_documentation_is_proved() -> None:
    body, vector = recorded("webhook.body.json"), sample_json("aftership", "webhook.signature.json")
    async with account(AfterShip, ACCOUNT, {}) as (adapter, _):
        verdict = adapter.hook.check(HookRequest("POST", {SIGNATURE: vector["value"]}, body))
        (answer,) = adapter.hook.read(body).answers.values()

    assert verdict.outcome is HookOutcome.ACCEPTED
    # It names a tag and no checkpoint: that there is news, and the next look tells which.
    assert answer.ref.value == NUMBER and not answer.events and not answer.complete


@pytest.mark.anyio
async def test_a_push_with_checkpoints_tells_the_look_s_events() -> None:
    body = orjson.dumps({"event": "tracking_update", "msg": delivered()})
    async with account(AfterShip, ACCOUNT, {PATH: listed(delivered())}) as (adapter, _):
        looked = (await ask(adapter.tracking, NUMBER))[NUMBER]
        (pushed,) = adapter.hook.read(body).answers.values()

    assert [event.key for event in pushed.events] == [event.key for event in looked.events]
