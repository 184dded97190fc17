"""DHL: coarse states, problem documents, one number of several divisions."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from carriers.base import AnswerOutcome, CarrierConfigError, PermanentCarrierError, TransientCarrierError
from carriers.dhl import PATH, Dhl
from tests.carriers.recorded import account, ask, sample, sample_json, utc

NUMBER, FAILED = "7777777770", "7777777771"
ACCOUNT = {"api_key": "chave", "service": "express"}


def recorded(name: str) -> bytes:
    return sample("dhl", name)


@pytest.mark.anyio
async def test_events_without_a_zone_are_local() -> None:
    async with account(Dhl, ACCOUNT, {PATH: recorded("delivered.json")}) as (adapter, carrier):
        answer = (await ask(adapter.tracking, "7777-777-770"))[NUMBER]

    assert [(event.carrier_code, event.status, event.occurred_at) for event in answer.events] == [
        ("transit", "in_transit", utc(2026, 11, 16, 11)),
        ("delivered", "delivered", utc(2026, 11, 19, 17, 32)),
    ]
    assert answer.events[-1].location == "CURITIBA - BR" and answer.service == "express"
    assert answer.due_on is None
    asked = carrier.asked[0]
    assert dict(asked.url.params) == {"trackingNumber": NUMBER, "service": "express", "language": "pt"}
    assert asked.headers["dhl-api-key"] == "chave"


@pytest.mark.anyio
async def test_a_failure_needs_attention_and_the_estimate_is_a_day() -> None:
    async with account(Dhl, ACCOUNT, {PATH: recorded("failure.json")}) as (adapter, _):
        answer = (await ask(adapter.tracking, FAILED))[FAILED]

    (event,) = answer.events
    assert (event.status, event.description) == ("exception", "Delivery attempted; recipient not home")
    # Midnight in UTC is the day, not the evening before it.
    assert answer.due_on is not None and answer.due_on.isoformat() == "2026-11-21"


@pytest.mark.anyio
async def test_times_with_a_zone_keep_it() -> None:
    body = recorded("delivered.json").replace(b"2026-11-19T14:32:00", b"2026-11-19T14:32:00+01:00")
    async with account(Dhl, ACCOUNT, {PATH: body}) as (adapter, _):
        assert (await ask(adapter.tracking, NUMBER))[NUMBER].events[-1].occurred_at == utc(2026, 11, 19, 13, 32)


@pytest.mark.anyio
async def test_one_number_of_two_divisions_is_said() -> None:
    data = sample_json("dhl", "delivered.json")
    data["shipments"].append({**data["shipments"][0], "service": "parcel-de"})
    async with account(Dhl, {"api_key": "chave"}, {PATH: orjson.dumps(data)}) as (adapter, _):
        answer = (await ask(adapter.tracking, NUMBER))[NUMBER]

    assert answer.outcome is AnswerOutcome.ERROR
    assert "express, parcel-de" in str(answer.message) and "set service" in str(answer.message)


@pytest.mark.anyio
async def test_an_unknown_number_is_not_found() -> None:
    async with account(Dhl, ACCOUNT, {PATH: (404, recorded("not-found.json"))}) as (adapter, _):
        assert (await ask(adapter.tracking, NUMBER))[NUMBER].outcome is AnswerOutcome.NOT_FOUND
        assert "opens" in await adapter.log_in()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((401, recorded("auth-error.json")), CarrierConfigError, "Unauthorized for given resource"),
        ((429, recorded("rate-limit.json")), TransientCarrierError, "try again later"),
        ((404, b'{"message": "no route"}'), PermanentCarrierError, "base_url"),
        (b'{"shipments": null}', PermanentCarrierError, "no list"),
    ],
)
async def test_refusals(answer: Any, error: type[Exception], words: str) -> None:
    async with account(Dhl, ACCOUNT, {PATH: answer}) as (adapter, _):
        with pytest.raises(error, match=words):
            await ask(adapter.tracking, NUMBER)
