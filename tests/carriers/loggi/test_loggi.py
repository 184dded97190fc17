"""Loggi: one published code, words that only hint, actions it asks for, and a push proved by Basic."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    Cause,
    HookOutcome,
    HookRequest,
    PermanentCarrierError,
    TrackingStatus,
)
from carriers.loggi import Loggi, LoggiSettings
from carriers.signatures import basic
from tests.carriers.recorded import account, ask, sample, sample_json, utc

CODE = "SH1000000001LG"
TRACKING, TOKEN = f"/v1/companies/4321/packages/{CODE}/tracking", "/v2/oauth2/token"
ACCOUNT = {
    "company_id": "4321",
    "client_id": "id-exemplo",
    "client_secret": "segredo-exemplo",
    "webhook_user": "loja",
    "webhook_password": "senha",
}


def recorded(name: str) -> bytes:
    return sample("loggi", name)


def at(answer: Any) -> dict[str, Any]:
    return {TOKEN: recorded("oauth.response.assumed.json"), TRACKING: answer}


def delivered(**status: Any) -> bytes:
    data = sample_json("loggi", "tracking.delivered.json")
    package = data["packages"][0]
    package["status"] |= status
    package["trackingHistory"] = []
    return orjson.dumps(data)


@pytest.mark.anyio
async def test_the_published_code_is_read() -> None:
    async with account(Loggi, ACCOUNT, at(recorded("tracking.delivered.json"))) as (adapter, carrier):
        answer = (await ask(adapter.tracking, CODE.lower()))[CODE]

    (event,) = answer.events
    assert (event.carrier_code, event.status, event.by_words) == ("5", "delivered", False)
    assert event.occurred_at == utc(2026, 11, 19, 13, 40, 18).replace(microsecond=941518)
    assert event.description == "Entregue. O pacote foi recebido no endereço de entrega"
    assert answer.due_on is not None and answer.due_on.isoformat() == "2026-11-20"
    assert carrier.sent(0) == {"grant_type": "client_credentials", **sample_json("loggi", "oauth.request.json")}
    assert carrier.asked[1].headers["authorization"] == "Bearer eyJexemplo"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "status", "cause"),
    [
        ("Não entregue", TrackingStatus.DELIVERY_FAILED, Cause.OTHER),
        ("O pacote não foi entregue", TrackingStatus.DELIVERY_FAILED, Cause.OTHER),
        ("Extraviado", TrackingStatus.LOST, Cause.LOSS),
        ("Devolvido", TrackingStatus.RETURNED, Cause.RETURN),
        ("Alguma coisa nova", TrackingStatus.UNKNOWN, None),
    ],
)
async def test_words_only_hint(words: str, status: TrackingStatus, cause: Cause | None) -> None:
    answer = delivered(code=77, highLevelStatus=words, description="")
    async with account(Loggi, ACCOUNT, at(answer)) as (adapter, _):
        event = (await ask(adapter.tracking, CODE))[CODE].events[-1]

    assert (event.carrier_code, event.status, event.cause) == ("77", status, cause)
    assert event.by_words is (status is not TrackingStatus.UNKNOWN)


@pytest.mark.anyio
async def test_an_action_that_is_asked_for_is_always_told() -> None:
    wanted = {"reasonLabel": "ENDERECO", "reasonDescription": "Confirme o complemento."}
    answer = delivered(code=77, highLevelStatus="Em análise", description="", actionRequired=wanted)
    async with account(Loggi, ACCOUNT, at(answer)) as (adapter, _):
        event = (await ask(adapter.tracking, CODE))[CODE].events[-1]

    assert (event.status, event.cause) == (TrackingStatus.EXCEPTION, Cause.OTHER)
    assert event.description == "Em análise. Confirme o complemento"


@pytest.mark.anyio
async def test_an_unknown_package_is_not_found() -> None:
    async with account(Loggi, ACCOUNT, at((404, recorded("not-found.assumed.json")))) as (adapter, _):
        assert (await ask(adapter.tracking, CODE))[CODE].outcome is AnswerOutcome.NOT_FOUND


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, recorded("auth-error.assumed.json")), CarrierConfigError),
        ((404, b'{"message": "no route"}'), PermanentCarrierError),
        ((422, b"{}"), PermanentCarrierError),
        (b'{"packages": []}', PermanentCarrierError),
    ],
)
async def test_refusals(answer: Any, error: type[Exception]) -> None:
    async with account(Loggi, ACCOUNT, at(answer)) as (adapter, _):
        with pytest.raises(error):
            await ask(adapter.tracking, CODE)


@pytest.mark.anyio
async def test_the_old_token_s_shape_is_no_token() -> None:
    answers = {TOKEN: recorded("oauth-v1-deprecated.response.assumed.json")}
    async with account(Loggi, ACCOUNT, answers) as (adapter, _):
        with pytest.raises(PermanentCarrierError, match="token answer cannot be read"):
            await adapter.log_in()


@pytest.mark.anyio
async def test_a_push_s_text_code_is_the_look_s_number() -> None:
    body = recorded("webhook.delivered.json")
    async with account(Loggi, ACCOUNT, at(recorded("tracking.delivered.json"))) as (adapter, _):
        looked = (await ask(adapter.tracking, CODE))[CODE]
        verdict = adapter.hook.check(HookRequest("POST", {"authorization": basic("loja", "senha")}, body))
        other = adapter.hook.check(HookRequest("POST", {"authorization": basic("loja", "outra")}, body))
        (pushed,) = adapter.hook.read(body).answers.values()

    assert (verdict.outcome, other.outcome) == (HookOutcome.ACCEPTED, HookOutcome.REFUSED)
    assert [event.key for event in pushed.events] == [event.key for event in looked.events]
    assert pushed.events[0].location == "São Paulo/SP"


@pytest.mark.anyio
async def test_a_pushed_problem_asks_for_an_action() -> None:
    async with account(Loggi, ACCOUNT, {}) as (adapter, _):
        (answer,) = adapter.hook.read(recorded("webhook.problem.assumed.json")).answers.values()

    (event,) = answer.events
    assert (event.status, event.by_words) == (TrackingStatus.LOST, True)
    assert "Entre em contato com o suporte" in event.description


def test_the_hook_s_user_and_password_belong_together() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        LoggiSettings.model_validate({**ACCOUNT, "webhook_password": None})
