"""J&T Express: a signature over the exact text, scans nobody has confirmed, waybills joined by their number."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from pydantic import ValidationError

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    HookOutcome,
    HookRequest,
    PermanentCarrierError,
    TrackingStatus,
)
from carriers.jt_express import ACKNOWLEDGED, PATH, JtExpress, JtExpressSettings, customer_digest
from carriers.signatures import md5_base64
from tests.carriers.recorded import account, ask, ref, sample, sample_json, utc

VECTOR = sample_json("jt_express", "signature-vector.json")
DELIVERED, LOST, STRANGER = "888030000000001", "888030000000002", "888030000000003"
ACCOUNT = {
    "api_account": VECTOR["headers"]["apiAccount"],
    "private_key": VECTOR["privateKey"],
    "customer_code": VECTOR["customerCode"],
    "password": VECTOR["password"],
    "push": True,
}


def recorded(name: str) -> bytes:
    return sample("jt_express", name)


def test_the_customer_s_digest_is_the_platform_s() -> None:
    assert (
        customer_digest(VECTOR["customerCode"], VECTOR["password"], VECTOR["privateKey"]) == VECTOR["business_digest"]
    )


@pytest.mark.anyio
async def test_what_is_sent_is_what_is_signed() -> None:
    async with account(JtExpress, ACCOUNT, {PATH: recorded("trace.response.json")}) as (adapter, carrier):
        await ask(adapter.tracking, DELIVERED, LOST)

    (request,) = carrier.asked
    assert parse_qs(request.content.decode())["bizContent"] == [VECTOR["bizContent"]]
    assert request.headers["digest"] == VECTOR["header_digest"]
    assert request.headers["apiaccount"] == VECTOR["headers"]["apiAccount"]
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["timestamp"] == "1795186800000"


@pytest.mark.anyio
async def test_scans_are_events_and_none_is_confirmed() -> None:
    async with account(JtExpress, ACCOUNT, {PATH: recorded("trace.response.json")}) as (adapter, _):
        answers = await ask(adapter.tracking, STRANGER, LOST, DELIVERED)

    assert [(event.carrier_code, event.status, event.occurred_at) for event in answers[DELIVERED].events] == [
        ("1", "posted", utc(2026, 11, 16, 21)),
        ("5", "in_transit", utc(2026, 11, 19, 11)),
        ("10-100", "delivered", utc(2026, 11, 19, 17, 20)),
    ]
    (lost,) = answers[LOST].events
    assert (lost.status, lost.carrier_code, lost.location) == (TrackingStatus.LOST, "11", "São Paulo/SP")
    assert all(event.by_words for answer in answers.values() for event in answer.events)
    assert answers[STRANGER].outcome is AnswerOutcome.NOT_FOUND


@pytest.mark.anyio
async def test_a_problem_without_known_words_is_a_problem_all_the_same() -> None:
    body = recorded("trace.response.json").replace(b"Pedido extraviado dentro das bases", b"Coisa nova")
    async with account(JtExpress, ACCOUNT, {PATH: body}) as (adapter, _):
        (event,) = (await ask(adapter.tracking, LOST))[LOST].events

    assert (event.status, event.description) == (TrackingStatus.EXCEPTION, "Coisa nova")


@pytest.mark.anyio
async def test_nothing_known_is_an_empty_success() -> None:
    async with account(JtExpress, ACCOUNT, {PATH: recorded("not-found.assumed.json")}) as (adapter, _):
        assert (await ask(adapter.tracking, LOST))[LOST].outcome is AnswerOutcome.NOT_FOUND
        assert "accepted" in await adapter.log_in()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (recorded("auth-error.assumed.json"), CarrierConfigError),
        (b'{"code": "99", "msg": "busy", "data": null}', PermanentCarrierError),
        (b'{"code": "1", "msg": "success", "data": null}', PermanentCarrierError),
    ],
)
async def test_refusals_come_with_200(answer: Any, error: type[Exception]) -> None:
    async with account(JtExpress, ACCOUNT, {PATH: answer}) as (adapter, _):
        with pytest.raises(error):
            await ask(adapter.tracking, LOST)


@pytest.mark.anyio
async def test_a_push_is_signed_as_our_calls_are() -> None:
    content = (
        '{"billCode":"888030000000002","details":[{"scanTime":"2026-11-20 09:00:00","scanType":"10","desc":"ok"}]}'
    )
    body = urlencode({"bizContent": content, "digest": md5_base64(content, VECTOR["privateKey"])}).encode()
    forged = urlencode({"bizContent": content.replace("10", "11"), "digest": md5_base64(content, "outra")}).encode()
    async with account(JtExpress, ACCOUNT, {}) as (adapter, _):
        verdict = adapter.hook.check(HookRequest("POST", {}, body))
        assert adapter.hook.check(HookRequest("POST", {}, forged)).outcome is HookOutcome.REFUSED
        (answer,) = adapter.hook.read(body).answers.values()

    assert (verdict.outcome, verdict.body) == (HookOutcome.ACCEPTED, ACKNOWLEDGED)
    assert answer.events[0].status is TrackingStatus.DELIVERED and not answer.complete


@pytest.mark.anyio
async def test_waybills_begin_with_888() -> None:
    async with account(JtExpress, ACCOUNT, {}) as (adapter, _):
        assert ref(adapter.tracking, "888 0300 0000 0001").value == DELIVERED
        for stranger in ("88803000000000", "777030000000001", "8880300000000012"):
            assert adapter.tracking.normalise(stranger) is None


def test_code_and_password_belong_together() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        JtExpressSettings.model_validate({**ACCOUNT, "password": None})
