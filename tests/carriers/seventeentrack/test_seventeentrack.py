"""17TRACK: numbers registered once, refusals inside HTTP 200, stages as codes, pushes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    HookOutcome,
    HookRequest,
    PermanentCarrierError,
    TrackingStatus,
    TransientCarrierError,
)
from carriers.seventeentrack import BASE, SeventeenTrack
from tests.carriers.recorded import account, ask, sample, sample_json, utc

INFO, REGISTER, QUOTA = f"{BASE}/gettrackinfo", f"{BASE}/register", f"{BASE}/getquota"
DELIVERED, UNREGISTERED, LOST = "AB123456785BR", "EX000000099BR", "EX000000003BR"
ACCOUNT = {"api_key": "CHAVEEXEMPLO", "carrier_code": 2151, "push": True}


def recorded(name: str) -> bytes:
    return sample("seventeentrack", name)


@pytest.mark.anyio
async def test_stages_are_codes_and_a_new_number_is_registered() -> None:
    registered = orjson.dumps({"code": 0, "data": {"accepted": [{"number": UNREGISTERED}], "rejected": []}})
    answers = {INFO: recorded("gettrackinfo.response.json"), REGISTER: registered}
    async with account(SeventeenTrack, ACCOUNT, answers) as (adapter, carrier):
        told = await ask(adapter.tracking, DELIVERED, UNREGISTERED)

    (event,) = told[DELIVERED].events
    assert (event.carrier_code, event.status, event.by_words) == ("Delivered", "delivered", False)
    assert event.occurred_at == utc(2026, 11, 19, 17, 32) and event.location == "CURITIBA/PR"
    assert told[UNREGISTERED].outcome is AnswerOutcome.NOT_FOUND
    assert carrier.sent(0) == [
        *sample_json("seventeentrack", "gettrackinfo.request.json"),
        {"number": UNREGISTERED, "carrier": 2151},
    ]
    assert carrier.sent(1) == [{"number": UNREGISTERED, "carrier": 2151}]
    assert carrier.asked[0].headers["17token"] == "CHAVEEXEMPLO"


@pytest.mark.anyio
async def test_what_registering_refuses_is_told_number_by_number() -> None:
    refused = {"code": -18019902, "message": "The tracking number is not registered."}
    unknown = [{"number": number, "error": refused} for number in ("EX000000002BR", "12345", "EX000000004BR")]
    info = orjson.dumps({"code": 0, "data": {"accepted": [], "rejected": unknown}})
    register = sample_json("seventeentrack", "register.response.json")
    register["data"]["rejected"][0]["number"] = "12345"
    quota = {"number": "EX000000004BR", "error": {"code": -18019908, "message": "The quota is used up."}}
    register["data"]["rejected"].append(quota)
    async with account(SeventeenTrack, ACCOUNT, {INFO: info, REGISTER: orjson.dumps(register)}) as (adapter, _):
        told = await ask(adapter.tracking, "EX000000002BR", "12345", "EX000000004BR")

    assert told["EX000000002BR"].outcome is AnswerOutcome.NOT_FOUND, "registered before"
    assert told["12345"].outcome is AnswerOutcome.INVALID_NUMBER
    assert told["EX000000004BR"].outcome is AnswerOutcome.ERROR
    assert "quota" in str(told["EX000000004BR"].message)


@pytest.mark.anyio
async def test_a_loss_is_read_from_its_sub_status() -> None:
    async with account(SeventeenTrack, ACCOUNT, {INFO: recorded("lost.response.json")}) as (adapter, _):
        (event,) = (await ask(adapter.tracking, LOST))[LOST].events

    assert (event.carrier_code, event.status, event.final) == ("Exception_Lost", TrackingStatus.LOST, True)


@pytest.mark.anyio
async def test_the_newest_event_without_a_stage_has_the_number_s_status() -> None:
    body = recorded("gettrackinfo.response.json").replace(b'"stage": "Delivered"', b'"stage": null')
    async with account(SeventeenTrack, ACCOUNT, {INFO: body, REGISTER: body}) as (adapter, _):
        (event,) = (await ask(adapter.tracking, DELIVERED))[DELIVERED].events

    assert (event.carrier_code, event.status) == ("Delivered_Other", TrackingStatus.DELIVERED)


@pytest.mark.anyio
async def test_times_of_synchronisation_are_no_news() -> None:
    later = recorded("lost.response.json").replace(b"2026-11-19T18:00:00Z", b"2026-11-25T18:00:00Z")
    async with account(SeventeenTrack, ACCOUNT, {INFO: [recorded("lost.response.json"), later]}) as (adapter, _):
        number = adapter.tracking.normalise(LOST)
        said = [(await adapter.tracking.track([number]))[number].said for _ in range(2)]

    assert said[0] == said[1]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (recorded("auth-error.json"), CarrierConfigError),
        ((401, recorded("auth-error.json")), CarrierConfigError),
        (recorded("rate-limit.json"), TransientCarrierError),
        (b'{"code": -18010099, "data": {}}', PermanentCarrierError),
        (b'{"code": 0, "data": {}}', PermanentCarrierError),
    ],
)
async def test_refusals_come_with_200(answer: Any, error: type[Exception]) -> None:
    async with account(SeventeenTrack, ACCOUNT, {INFO: answer}) as (adapter, _):
        with pytest.raises(error):
            await ask(adapter.tracking, LOST)


@pytest.mark.anyio
async def test_a_push_of_the_documentation_is_proved_and_read() -> None:
    body, vector = recorded("webhook.body.json"), sample_json("seventeentrack", "webhook.signature.json")
    async with account(SeventeenTrack, {**ACCOUNT, "api_key": vector["key"]}, {}) as (adapter, _):
        verdict = adapter.hook.check(HookRequest("POST", {"sign": vector["value"]}, body))
        (answer,) = adapter.hook.read(body).answers.values()
        stopped = adapter.hook.read(b'{"event": "TRACKING_STOPPED", "data": {"number": "AB123456785BR"}}')

    assert verdict.outcome is HookOutcome.ACCEPTED
    assert answer.ref.value == DELIVERED and answer.events[0].status is TrackingStatus.DELIVERED
    assert not answer.complete and not stopped.answers


@pytest.mark.anyio
async def test_what_is_left_of_the_quota_is_told() -> None:
    quota = b'{"code": 0, "data": {"quota_total": 200, "quota_remain": 17}}'
    async with account(SeventeenTrack, ACCOUNT, {QUOTA: quota}) as (adapter, _):
        assert "17 numbers are left" in await adapter.log_in()
