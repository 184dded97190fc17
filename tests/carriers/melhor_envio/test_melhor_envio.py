"""Melhor Envio: stages of an order, refresh tokens that change, and pushes."""

from __future__ import annotations

import orjson
import pytest
from pydantic import ValidationError

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    HookOutcome,
    HookRequest,
    PermanentCarrierError,
    TransientCarrierError,
)
from carriers.melhor_envio import SIGNATURE, MelhorEnvio, MelhorEnvioSettings
from tests.carriers.recorded import account, ask, ref, sample, sample_json, utc

DELIVERED, POSTED = "6e1c864a-0000-4ae7-baaa-0000e4888baf", "7f2d864a-0000-4ae7-baaa-0000e4888baf"
STRANGER = "8a3e864a-0000-4ae7-baaa-0000e4888baf"
TRACKING, TOKEN, ME = "/api/v2/me/shipment/tracking", "/oauth/token", "/api/v2/me"
PANEL = {"contact": "ti@loja-exemplo.com.br", "token": "ficha-do-painel"}
SECRET = sample_json("melhor_envio", "webhook.signature.json")["secret"]
APPLICATION = {
    "contact": "ti@loja-exemplo.com.br",
    "client_id": "1000",
    "client_secret": SECRET,
    "refresh_token": "def50200exemplo",
}


def recorded(name: str) -> bytes:
    return sample("melhor_envio", name)


@pytest.mark.anyio
async def test_stages_are_events() -> None:
    async with account(MelhorEnvio, PANEL, {TRACKING: recorded("tracking.response.json")}) as (adapter, carrier):
        answers = await ask(adapter.tracking, DELIVERED, POSTED, STRANGER)

    assert [(event.carrier_code, event.status, event.occurred_at) for event in answers[DELIVERED].events] == [
        ("pending", "pre_transit", utc(2026, 11, 15, 21, 0, 10)),
        ("released", "pre_transit", utc(2026, 11, 15, 21, 2)),
        ("generated", "pre_transit", utc(2026, 11, 15, 21, 3, 21)),
        ("posted", "posted", utc(2026, 11, 16, 22, 20)),
        ("delivered", "delivered", utc(2026, 11, 19, 20, 40)),
    ]
    assert answers[DELIVERED].events[-1].final and answers[DELIVERED].events[-1].attempt
    assert answers[POSTED].events[-1].carrier_code == "posted"
    assert answers[STRANGER].outcome is AnswerOutcome.NOT_FOUND
    assert carrier.sent() == {"orders": [DELIVERED, POSTED, STRANGER]}
    asked = carrier.asked[0]
    assert asked.headers["authorization"] == "Bearer ficha-do-painel"
    assert asked.headers["user-agent"] == "shipment-tracker (ti@loja-exemplo.com.br)"
    assert asked.headers["accept"] == "application/json"


@pytest.mark.anyio
async def test_dates_can_be_utc() -> None:
    settings = {**PANEL, "times": "utc"}
    async with account(MelhorEnvio, settings, {TRACKING: recorded("tracking.response.json")}) as (adapter, _):
        answers = await ask(adapter.tracking, DELIVERED)

    assert answers[DELIVERED].events[-1].occurred_at == utc(2026, 11, 19, 17, 40)


@pytest.mark.anyio
async def test_an_empty_list_is_not_found() -> None:
    async with account(MelhorEnvio, PANEL, {TRACKING: recorded("not-found.json")}) as (adapter, _):
        answers = await ask(adapter.tracking, DELIVERED, POSTED)

    assert {answer.outcome for answer in answers.values()} == {AnswerOutcome.NOT_FOUND}


@pytest.mark.anyio
async def test_a_status_without_a_date_stands_at_the_newest_stage() -> None:
    order = {**sample_json("melhor_envio", "tracking.response.json")[POSTED], "status": "undelivered"}
    async with account(MelhorEnvio, PANEL, {TRACKING: orjson.dumps({POSTED: order})}) as (adapter, _):
        event = (await ask(adapter.tracking, POSTED))[POSTED].events[-1]

    assert (event.carrier_code, event.status) == ("undelivered", "exception")
    assert event.occurred_at == utc(2026, 11, 16, 22, 20)


@pytest.mark.anyio
async def test_refresh_tokens_change_at_each_use() -> None:
    second = b'{"expires_in": 60, "access_token": "eyJsegunda", "refresh_token": "def50200terceiro"}'
    answers = {
        TOKEN: [recorded("oauth-token.response.json"), second],
        TRACKING: [(401, recorded("auth-error.json")), recorded("tracking.response.json")],
    }
    async with account(MelhorEnvio, APPLICATION, answers) as (adapter, carrier):
        await ask(adapter.tracking, DELIVERED)

    logins = [at for at, request in enumerate(carrier.asked) if request.url.path == TOKEN]
    assert carrier.sent(logins[0]) == sample_json("melhor_envio", "oauth-token.request.json")
    assert carrier.sent(logins[1])["refresh_token"] == "def50200novo"
    assert carrier.asked[-1].headers["authorization"] == "Bearer eyJsegunda"


@pytest.mark.anyio
async def test_a_refused_refresh_token_says_what_to_do() -> None:
    answers = {TOKEN: (400, b'{"error": "invalid_request"}')}
    async with account(MelhorEnvio, APPLICATION, answers) as (adapter, carrier):
        with pytest.raises(CarrierConfigError, match="set the new refresh_token"):
            await ask(adapter.tracking, DELIVERED)

    assert len(carrier.asked) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, recorded("auth-error.json")), CarrierConfigError),
        ((429, recorded("rate-limit.assumed.json")), TransientCarrierError),
        ((422, recorded("validation-error.assumed.json")), PermanentCarrierError),
        (b"{}", PermanentCarrierError),
    ],
)
async def test_refusals(answer: object, error: type[Exception]) -> None:
    async with account(MelhorEnvio, PANEL, {TRACKING: answer}) as (adapter, _):
        with pytest.raises(error):
            await ask(adapter.tracking, DELIVERED)


@pytest.mark.anyio
async def test_only_the_id_of_an_order_is_a_number() -> None:
    async with account(MelhorEnvio, PANEL, {}) as (adapter, _):
        assert ref(adapter.tracking, f" {DELIVERED.upper()} ").value == DELIVERED
        for stranger in ("ORD-20261100001", "AB123456785BR", DELIVERED.replace("-", ""), f"{{{DELIVERED}}}"):
            assert adapter.tracking.normalise(stranger) is None


@pytest.mark.anyio
async def test_the_panel_s_token_has_no_secret_to_prove_a_push_with() -> None:
    async with account(MelhorEnvio, PANEL, {ME: b"{}"}) as (adapter, _):
        assert adapter.hook is None and not adapter.tracking.tracking_terms.push
        assert "token" in await adapter.log_in()


@pytest.mark.anyio
async def test_a_push_of_the_documentation_is_proved_and_read() -> None:
    body, proof = recorded("webhook.body.json"), sample_json("melhor_envio", "webhook.signature.json")["value"]
    async with account(MelhorEnvio, APPLICATION, {}) as (adapter, _):
        verdict = adapter.hook.check(HookRequest("POST", {SIGNATURE: proof}, body))
        (answer,) = adapter.hook.read(body).answers.values()
        in_hexadecimal = HookRequest("POST", {SIGNATURE: "f41f3e0343"}, body)
        assert adapter.hook.check(in_hexadecimal).outcome is HookOutcome.REFUSED

    assert verdict.outcome is HookOutcome.ACCEPTED
    assert answer.ref.value == DELIVERED and not answer.complete
    assert answer.events[-1].carrier_code == "delivered"
    assert b"loja.example" not in answer.raw


@pytest.mark.anyio
async def test_a_push_and_a_look_tell_the_same_events() -> None:
    async with account(MelhorEnvio, APPLICATION, {TRACKING: recorded("tracking.response.json")}) as (adapter, carrier):
        carrier._answers[TOKEN] = [recorded("oauth-token.response.json")]
        looked = (await ask(adapter.tracking, DELIVERED))[DELIVERED]
        (pushed,) = adapter.hook.read(recorded("webhook.body.json")).answers.values()

    assert [event.key for event in pushed.events] == [event.key for event in looked.events]


@pytest.mark.parametrize(
    "settings",
    [
        {"contact": "ti@loja-exemplo.com.br"},
        {"contact": "ti@loja-exemplo.com.br", "client_id": "1", "client_secret": "x"},
        {**APPLICATION, "token": "x"},
        {**PANEL, "contact": "ninguém"},
    ],
)
def test_settings_name_one_way_in(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        MelhorEnvioSettings.model_validate(settings)
