"""Tokens: one renewal, tokens of another credential put away, answers that hold none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from carriers.base import AdapterContext, CarrierConfigError, PermanentCarrierError, Token
from carriers.http import CarrierHttp
from carriers.oauth import MARGIN, TokenAccess, client_credentials, made, origin_of, refreshing
from carriers.testing.stage import NOW, Tokens


def context(*answers: Any) -> tuple[AdapterContext, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    told = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        status, body = told.pop(0)
        return httpx.Response(status, json=body)

    async def sleep(seconds: float) -> None:
        """No trial waits."""

    http = CarrierHttp(
        "conta", "https://x.example", requests_per_second=1e6, sleep=sleep, transport=httpx.MockTransport(answer)
    )
    return AdapterContext("conta", http, Tokens(), lambda: NOW), asked


@pytest.mark.anyio
async def test_a_token_of_the_credential_before_is_put_away() -> None:
    ctx, asked = context((200, {"access_token": "novo", "expires_in": 60}))
    old = Token("velho", NOW + timedelta(days=1), NOW + timedelta(days=1), origin=origin_of("id", "outro"))
    await ctx.tokens.get(lambda: _given(old))
    access = TokenAccess(
        ctx, client_credentials(ctx, "/t", "id", "segredo"), hint="x", origin=origin_of("id", "segredo")
    )

    assert (await access.prove()).value == "novo"
    assert len(asked) == 1


@pytest.mark.anyio
async def test_a_refresh_token_is_not_used_twice_by_itself() -> None:
    ctx, asked = context((503, {}))
    mint = refreshing(ctx, "/t", "id", "segredo", "primeiro")

    with pytest.raises(Exception, match="503"):
        await mint()

    assert len(asked) == 1, "the carrier may have taken it: the daemon comes again"


@pytest.mark.anyio
async def test_a_carrier_that_gives_no_successor_keeps_the_one_there_is() -> None:
    ctx, _ = context((200, {"access_token": "a", "expires_in": 60}))

    token = await refreshing(ctx, "/t", "id", "segredo", "primeiro")()

    assert token.refresh == "primeiro" and token.origin == origin_of("primeiro")


@pytest.mark.anyio
@pytest.mark.parametrize("body", [{}, [], {"access_token": ""}, {"access_token": "a b"}, {"access_token": 7}])
async def test_an_answer_without_a_token_is_no_token(body: Any) -> None:
    ctx, _ = context((200, body))

    with pytest.raises(PermanentCarrierError, match="token answer cannot be read"):
        await client_credentials(ctx, "/t", "id", "segredo")()


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_refused_credentials_are_for_a_person(status: int) -> None:
    ctx, _ = context((status, {"error": "invalid_client"}))

    with pytest.raises(CarrierConfigError, match="client id or secret refused"):
        await client_credentials(ctx, "/t", "id", "segredo")()


def test_a_token_is_renewed_before_it_ends() -> None:
    ctx, _ = context()

    long, short = made(ctx, "a", 86400), made(ctx, "a", "60")

    assert (long.expires_at, long.renew_at) == (NOW + timedelta(days=1), NOW + timedelta(days=1) - MARGIN)
    assert short.renew_at == NOW + timedelta(seconds=54)
    with pytest.raises(ValueError, match="ended"):
        made(ctx, "a", 0)


def test_an_origin_tells_nothing_of_the_credential() -> None:
    assert "segredo" not in origin_of("id", "segredo") and origin_of("a", "bc") != origin_of("ab", "c")


async def _given(token: Token) -> Token:
    return token
