"""UPS: types of status that nobody has confirmed, local times with their offset, a token by Basic."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from carriers.base import AnswerOutcome, CarrierConfigError, PermanentCarrierError
from carriers.signatures import basic
from carriers.ups import PATH, TOKEN_PATH, Ups
from tests.carriers.recorded import account, ask, sample, sample_json, utc

NUMBER = "1Z0000000000000001"
ACCOUNT = {"client_id": "id", "client_secret": "segredo"}
TOKEN = b'{"access_token": "ficha", "expires_in": "14399", "token_type": "Bearer"}'


def at(answer: Any) -> dict[str, Any]:
    return {TOKEN_PATH: TOKEN, f"{PATH}/{NUMBER}": answer}


@pytest.mark.anyio
async def test_activities_are_events_oldest_first() -> None:
    async with account(Ups, ACCOUNT, at(sample("ups", "delivered.json"))) as (adapter, carrier):
        answer = (await ask(adapter.tracking, "1z 0000 0000 0000 0001"))[NUMBER]

    assert [(event.carrier_code, event.status, event.occurred_at) for event in answer.events] == [
        ("I-OT", "in_transit", utc(2026, 11, 19, 11)),
        ("D-FS", "delivered", utc(2026, 11, 19, 17, 32)),
    ]
    assert all(event.by_words for event in answer.events), "what the types mean is general knowledge"
    assert answer.due_on is None, "the day of the delivery is no term"
    login, asked = carrier.asked
    assert login.headers["authorization"] == basic("id", "segredo")
    assert login.content == b"grant_type=client_credentials"
    assert asked.headers["authorization"] == "Bearer ficha" and asked.headers["transactionsrc"] == "shipment-tracker"
    assert asked.headers["transid"] and asked.url.params["locale"] == "pt_BR"


@pytest.mark.anyio
async def test_a_scheduled_day_is_the_term() -> None:
    data = sample_json("ups", "delivered.json")
    package = data["trackResponse"]["shipment"][0]["package"][0]
    package["deliveryDate"] = [{"type": "SDD", "date": "20261118"}, {"type": "RDD", "date": "20261120"}]
    async with account(Ups, ACCOUNT, at(orjson.dumps(data))) as (adapter, _):
        answer = (await ask(adapter.tracking, NUMBER))[NUMBER]

    assert answer.due_on is not None and answer.due_on.isoformat() == "2026-11-20"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        (404, sample("ups", "not-found.json")),
        b'{"trackResponse": {"shipment": [{"warnings": [{"code": "TW0001", "message": "not found"}]}]}}',
    ],
)
async def test_an_unknown_number_is_not_found(answer: Any) -> None:
    async with account(Ups, ACCOUNT, at(answer)) as (adapter, _):
        assert (await ask(adapter.tracking, NUMBER))[NUMBER].outcome is AnswerOutcome.NOT_FOUND


@pytest.mark.anyio
async def test_another_package_s_history_is_not_taken() -> None:
    body = sample("ups", "delivered.json").replace(b'"trackingNumber": "1Z0000000000000001"', b'"trackingNumber": "X"')
    async with account(Ups, ACCOUNT, at(body)) as (adapter, _):
        assert (await ask(adapter.tracking, NUMBER))[NUMBER].outcome is AnswerOutcome.ERROR


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((401, sample("ups", "auth-error.json")), CarrierConfigError, "Invalid Authentication Information"),
        ((403, b"{}"), CarrierConfigError, "Track API"),
        ((404, b'{"response": {"errors": [{"code": "10001"}]}}'), PermanentCarrierError, "base_url"),
    ],
)
async def test_refusals(answer: Any, error: type[Exception], words: str) -> None:
    async with account(Ups, ACCOUNT, at(answer)) as (adapter, _):
        with pytest.raises(error, match=words):
            await ask(adapter.tracking, NUMBER)
