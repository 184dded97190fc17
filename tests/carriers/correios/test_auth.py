from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
import respx

from carriers.base import CarrierConfigError, PermanentCarrierError, TransientCarrierError
from carriers.correios import Correios
from carriers.correios.auth import read_grant
from carriers.testing.stage import Tokens
from tests.carriers.correios.support import (
    ACCOUNT,
    BASE,
    KEY_ACCOUNT,
    TOKEN_URL,
    TRACK_URL,
    adapter,
    grant_tokens,
    recorded,
    ref,
)
from tests.carriers.support import context, sample_json

DELIVERED = ref("AD100000017BR")


async def track(correios: Correios) -> Any:
    assert correios.tracking is not None
    return (await correios.tracking.track([DELIVERED]))[DELIVERED].read()


def test_a_token_lives_in_the_zone_its_answer_names() -> None:
    grant = read_grant(sample_json("token-response.json"))

    assert grant.token.expires_at == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert grant.token.renew_at == grant.token.expires_at - timedelta(minutes=30)
    assert {87, 35} <= grant.apis


@pytest.mark.parametrize(
    ("offset", "hour"), [("-04:00", 13), (None, 12), ("Z", 9)], ids=["Manaus", "none is Brasilia", "UTC"]
)
def test_other_zones(offset: str | None, hour: int) -> None:
    answer = sample_json("token-response.json") | {"zoneOffset": offset}

    assert read_grant(answer).token.expires_at == datetime(2026, 11, 23, hour, tzinfo=UTC)


def test_a_token_is_not_shown() -> None:
    grant = read_grant(sample_json("token-response.json"))

    assert grant.token.value not in repr(grant)


@pytest.mark.anyio
@respx.mock
async def test_the_token_is_asked_for_once_and_sent_as_bearer() -> None:
    token = grant_tokens(respx.mock)
    business = respx.get(TRACK_URL).mock(side_effect=lambda request: recorded("rastro-delivered.json"))
    correios = adapter()

    await track(correios)
    await track(correios)

    assert token.call_count == 1
    sent = token.calls[0].request
    assert orjson.loads(sent.content) == sample_json("token-request.json")
    pair = base64.b64encode(f"{ACCOUNT['user']}:{ACCOUNT['access_code']}".encode()).decode()
    assert sent.headers["Authorization"] == f"Basic {pair}"
    assert [call.request.headers["Authorization"] for call in business.calls] == ["Bearer token-1"] * 2


@pytest.mark.anyio
@respx.mock
@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(recorded("gateway-error-401-expired-token.json", 401), id="401"),
        pytest.param(recorded("gateway-error-403-restricted-api.json", 403), id="403"),
    ],
)
async def test_a_refused_token_is_renewed_once(refusal: httpx.Response) -> None:
    token = grant_tokens(respx.mock)
    business = respx.get(TRACK_URL).mock(side_effect=[refusal, recorded("rastro-delivered.json")])

    answer = await track(adapter())

    assert len(answer.events) == 6
    assert token.call_count == 2
    assert [call.request.headers["Authorization"] for call in business.calls] == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.anyio
@respx.mock
@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        pytest.param(
            recorded("gateway-error-401-expired-token.json", 401), "posting_card and contract.*Token expirado", id="401"
        ),
        pytest.param(
            recorded("gateway-error-403-restricted-api.json", 403),
            "add the API to the contract.*API restrita",
            id="403",
        ),
    ],
)
async def test_a_second_refusal_is_configuration(refusal: httpx.Response, says: str) -> None:
    token = grant_tokens(respx.mock)
    business = respx.get(TRACK_URL).mock(side_effect=[refusal, refusal])

    with pytest.raises(CarrierConfigError, match=f"SRO Rastro.*{says}") as caught:
        await track(adapter())

    assert (token.call_count, business.call_count) == (2, 2)
    assert caught.value.http_status == refusal.status_code
    assert "token-" not in str(caught.value)


@pytest.mark.anyio
@respx.mock
async def test_a_token_that_somebody_renewed_meanwhile_is_used() -> None:
    grant_tokens(respx.mock)
    ctx = context(BASE)
    tokens = ctx.tokens
    assert isinstance(tokens, Tokens)
    newer = read_grant(sample_json("token-response.json")).token

    def refuse(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] == f"Bearer {newer.value}":
            return recorded("rastro-delivered.json")
        tokens.kept = newer
        return recorded("gateway-error-401-expired-token.json", 401)

    respx.get(TRACK_URL).mock(side_effect=refuse)

    await track(adapter(ctx=ctx))

    assert tokens.kept == newer, "the other's token is not thrown away"
    assert tokens.minted == 1


@pytest.mark.anyio
@respx.mock
@pytest.mark.parametrize(
    ("answers", "error", "says"),
    [
        pytest.param(
            [recorded("token-error-401.json", 401)], CarrierConfigError, "access_code refused", id="wrong code"
        ),
        pytest.param(
            [recorded("token-error-400.json", 400)], CarrierConfigError, "posting_card refused", id="wrong card"
        ),
        pytest.param([recorded("gateway-error-500.json", 500)] * 3, TransientCarrierError, "Erro interno", id="down"),
        pytest.param([httpx.Response(404)], PermanentCarrierError, "404", id="wrong address"),
        pytest.param([httpx.Response(201, json={"token": "abc"})], PermanentCarrierError, "KeyError", id="no expiry"),
        pytest.param([httpx.Response(201, json=["token"])], PermanentCarrierError, "cannot be read", id="other shape"),
        pytest.param(
            [httpx.Response(201, json={"token": "a\nb", "expiraEm": "2026-11-23T09:00:00"})],
            PermanentCarrierError,
            "ValueError",
            id="a token that would break the header",
        ),
    ],
)
async def test_a_token_that_does_not_come(answers: list[Any], error: type[Exception], says: str) -> None:
    respx.post(TOKEN_URL).mock(side_effect=answers)

    with pytest.raises(error, match=says) as caught:
        await track(adapter())

    assert ACCOUNT["access_code"] not in str(caught.value)


@pytest.mark.anyio
@respx.mock
async def test_an_access_key_is_the_bearer_itself() -> None:
    business = respx.get(TRACK_URL).mock(return_value=recorded("rastro-delivered.json"))

    await track(adapter(KEY_ACCOUNT))

    assert business.calls[0].request.headers["Authorization"] == "Bearer cws-ch1_ficticia"


@pytest.mark.anyio
@respx.mock
@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_access_key_needs_a_person(status: int) -> None:
    business = respx.get(TRACK_URL).mock(return_value=httpx.Response(status))

    with pytest.raises(CarrierConfigError, match="cannot be renewed by the program") as caught:
        await track(adapter(KEY_ACCOUNT))

    assert business.call_count == 1
    assert "ficticia" not in str(caught.value)


@pytest.mark.anyio
@respx.mock
@pytest.mark.parametrize(
    ("name", "says", "warns"),
    [
        pytest.param("token-response.json", "tracking (87) and deadlines (35)", False, id="both"),
        pytest.param("token-response-without-rastro-api.json", "WARNING: not tracking (87)", True, id="no tracking"),
    ],
)
async def test_logging_in_tells_what_is_open(name: str, says: str, warns: bool) -> None:
    respx.post(TOKEN_URL).mock(return_value=recorded(name, 201))

    sentence = await adapter().log_in()

    assert says in sentence
    assert ("WARNING" in sentence) is warns


@pytest.mark.anyio
@respx.mock
async def test_logging_in_with_a_key_asks_tracking() -> None:
    business = respx.get(TRACK_URL).mock(return_value=recorded("rastro-not-found.json"))

    assert "opens tracking" in await adapter(KEY_ACCOUNT).log_in()
    assert business.call_count == 1
