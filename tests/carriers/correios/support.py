"""A Correios account for tests: settings, an adapter, and the routes it calls."""

from __future__ import annotations

from typing import Any

import httpx
import respx

from carriers.base import AdapterContext, RefKind, TrackingRef
from carriers.correios import Correios
from tests.carriers.support import context, sample

BASE = "https://api.correios.test"
TOKEN_URL = f"{BASE}/token/v1/autentica/cartaopostagem"
TRACK_URL = f"{BASE}/srorastro/v1/objetos"
CLAIM_URL = f"{BASE}/pedido-informacao/v1/externo/pedidos"

ACCOUNT: dict[str, Any] = {
    "user": "00000000000191",
    "access_code": "CodigoDeAcessoFicticio0123456789abcdefgh",
    "contract": "9912000001",
    "posting_card": "0070000001",
    "services": {"SEDEX": "03220", "PAC": "03298"},
    "claims": {"phone": "(41) 90000-0000", "reply_email": "pi@loja-exemplo.com.br"},
}
KEY_ACCOUNT: dict[str, Any] = {"api_key": "cws-ch1_ficticia"}


def ref(code: str) -> TrackingRef:
    return TrackingRef(RefKind.CODE, code)


def adapter(account: dict[str, Any] | None = None, ctx: AdapterContext | None = None) -> Correios:
    settings = Correios.Settings.model_validate(account or ACCOUNT)
    return Correios(settings, ctx or context(BASE))


def recorded(name: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=sample(name), headers={"Content-Type": "application/json"})


def grant_tokens(mock: respx.Router) -> respx.Route:
    """Answer token calls, each with a token of its own: token-1, token-2, ..."""
    template = sample("token-response.json").decode()
    before, _, after = template.partition('"token": "')
    tail = after.partition('"')[2]
    count = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(201, text=f'{before}"token": "token-{count}"{tail}')

    return mock.post(TOKEN_URL).mock(side_effect=answer)
