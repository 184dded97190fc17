"""FedEx: thirty numbers a call, each with its own failure, derived codes that nobody has confirmed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from carriers.base import AnswerOutcome, CarrierConfigError, PermanentCarrierError
from carriers.fedex import PATH, TOKEN_PATH, Fedex
from tests.carriers.recorded import account, ask, sample, sample_json, utc

DELIVERED, FAILED, STRANGER = "794600000001", "794600000002", "794600000099"
ACCOUNT = {"client_id": "id", "client_secret": "segredo"}
TOKEN = b'{"access_token": "ficha", "expires_in": 3599, "token_type": "bearer"}'


def at(answer: Any) -> dict[str, Any]:
    return {TOKEN_PATH: TOKEN, PATH: answer}


@pytest.mark.anyio
async def test_a_batch_is_joined_by_number() -> None:
    async with account(Fedex, ACCOUNT, at(sample("fedex", "mixed.response.json"))) as (adapter, carrier):
        answers = await ask(adapter.tracking, DELIVERED, STRANGER)

    assert [(event.carrier_code, event.status, event.occurred_at) for event in answers[DELIVERED].events] == [
        ("PU", "posted", utc(2026, 11, 16, 23)),
        ("DL", "delivered", utc(2026, 11, 19, 17, 32)),
    ]
    assert all(event.by_words for event in answers[DELIVERED].events), "what the codes mean is general knowledge"
    assert answers[DELIVERED].due_on is not None and answers[DELIVERED].due_on.isoformat() == "2026-11-20"
    assert answers[STRANGER].outcome is AnswerOutcome.NOT_FOUND
    assert carrier.sent() == sample_json("fedex", "request.json")
    assert parse_qs(carrier.asked[0].content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id"],
        "client_secret": ["segredo"],
    }


@pytest.mark.anyio
async def test_an_exception_keeps_its_finer_code_and_words() -> None:
    async with account(Fedex, ACCOUNT, at(sample("fedex", "exception.response.json"))) as (adapter, _):
        (event,) = (await ask(adapter.tracking, FAILED))[FAILED].events

    assert (event.carrier_code, event.status) == ("DE-08", "delivery_failed")
    assert event.description == "Delivery exception: Recipient not in"


@pytest.mark.anyio
async def test_a_number_that_is_not_mentioned_is_an_error() -> None:
    async with account(Fedex, ACCOUNT, at(sample("fedex", "mixed.response.json"))) as (adapter, _):
        assert (await ask(adapter.tracking, FAILED))[FAILED].outcome is AnswerOutcome.ERROR


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((401, sample("fedex", "auth-error.json")), CarrierConfigError, "Access token expired"),
        (b'{"output": {}}', PermanentCarrierError, "no list of results"),
    ],
)
async def test_refusals(answer: Any, error: type[Exception], words: str) -> None:
    async with account(Fedex, ACCOUNT, at(answer)) as (adapter, _):
        with pytest.raises(error, match=words):
            await ask(adapter.tracking, DELIVERED)


@pytest.mark.anyio
async def test_numbers_are_digits_of_known_lengths() -> None:
    async with account(Fedex, ACCOUNT, {}) as (adapter, _):
        assert adapter.tracking.normalise("7946 0000 0001") is not None
        assert adapter.tracking.normalise("7946000000012") is None
