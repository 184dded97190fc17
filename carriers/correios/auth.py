"""Access to the Correios gateway: a token by postage card, or an access key as it is.

Manual de Integração v2.2 (08/09/2023) and the token API's description: `POST /token/v1/autentica/cartaopostagem` with
HTTP Basic answers 201 with a token of 24 hours; at most 3 calls a second; a new one should be asked for only in the last
30 minutes. Whether an expired token is answered by 401 or 403 is not written anywhere, so both lead to one renewal.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from carriers.base import CarrierConfigError, PermanentCarrierError, Token, TokenStore
from carriers.correios.wire import explain
from carriers.dates import parse_instant, parse_offset
from carriers.http import CarrierHttp

T = TypeVar("T")
Send = Callable[[dict[str, str]], Awaitable[T]]
"""One business call, given the headers that let it in."""

ZONE = ZoneInfo("America/Sao_Paulo")
"""Correios writes times without a zone and means Brasília."""
TOKEN_PATH = "/token/v1/autentica/cartaopostagem"
TOKEN_FAMILY, TOKENS_PER_SECOND = "token", 3.0
RENEWAL_WINDOW = timedelta(minutes=30)

TRACKING_API, DEADLINES_API = 87, 35
"""The numbers of these APIs in the token answer."""


class Access(Protocol):
    """A way into the gateway."""

    async def call(self, api: str, send: Send[T]) -> T:
        """Make one business call of *api* (its name, for messages).

        Raises CarrierConfigError where access stays refused.
        """


@dataclass(frozen=True, slots=True)
class Grant:
    """A fresh token and the numbers of the APIs it opens."""

    token: Token
    apis: frozenset[int]


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


class CardAccess:
    """User and access code, exchanged for a token that the account's `TokenStore` keeps; *needed*: names by API number."""

    def __init__(
        self,
        http: CarrierHttp,
        tokens: TokenStore,
        user: str,
        access_code: SecretStr,
        card: str,
        needed: Mapping[int, str],
    ) -> None:
        http.limit_to(TOKENS_PER_SECOND, TOKEN_FAMILY)
        self._http = http
        self._tokens = tokens
        self._user = user
        self._access_code = access_code
        self._card = card
        self._needed = needed

    async def call(self, api: str, send: Send[T]) -> T:
        """Make one call; on 401 or 403 the token is renewed and the call, which has done nothing, made once more."""
        token = await self._tokens.get(self._mint)
        try:
            return await send(bearer(token.value))
        except CarrierConfigError:
            await self._tokens.discard(token)
        token = await self._tokens.get(self._mint)
        try:
            return await send(bearer(token.value))
        except CarrierConfigError as exc:
            raise self._still_refused(api, exc) from exc

    async def grant(self) -> Grant:
        """Ask for a new token. Raises CarrierConfigError where user, access code or card are refused."""
        pair = f"{self._user}:{self._access_code.get_secret_value()}".encode()
        headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        try:
            answer = await self._http.request_json(
                "POST",
                TOKEN_PATH,
                idempotent=True,
                headers=headers,
                json={"numero": self._card},
                explain=explain,
                family=TOKEN_FAMILY,
            )
        except CarrierConfigError as exc:
            hint = "user or access_code refused; generate a new access code in the portal and set it"
            raise CarrierConfigError(exc.carrier, f"{hint} ({exc.message})", exc.http_status) from exc
        except PermanentCarrierError as exc:
            if exc.http_status != 400:
                raise
            hint = "posting_card refused; compare it with the card in the portal"
            raise CarrierConfigError(exc.carrier, f"{hint} ({exc.message})", exc.http_status) from exc
        try:
            return read_grant(answer.data)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            # Only the error's kind: its text may quote the answer, and with it the token.
            raise PermanentCarrierError(
                self._http.carrier, f"token answer cannot be read ({type(exc).__name__})", answer.status
            ) from None

    async def _mint(self) -> Token:
        """A new token, with the APIs it should open and does not. An answer that lists none at all says nothing of them."""
        grant = await self.grant()
        missing = [name for number, name in self._needed.items() if grant.apis and number not in grant.apis]
        return replace(grant.token, missing=tuple(missing))

    def _still_refused(self, api: str, exc: CarrierConfigError) -> CarrierConfigError:
        if exc.http_status == 403:
            hint = f"{api} is not open to this posting card; ask Correios to add the API to the contract"
        else:
            hint = f"{api} refuses a fresh token; check that posting_card and contract belong together and are active"
        return CarrierConfigError(exc.carrier, f"{hint} ({exc.message})", exc.http_status)


class KeyAccess:
    """An access key of the portal, sent as the bearer value itself: no token call, nothing that could be renewed."""

    def __init__(self, api_key: SecretStr) -> None:
        self._api_key = api_key

    async def call(self, api: str, send: Send[T]) -> T:
        try:
            return await send(bearer(self._api_key.get_secret_value()))
        except CarrierConfigError as exc:
            hint = (
                f"api_key refused for {api} and cannot be renewed by the program; "
                "create a new key with this API in the portal and set it"
            )
            raise CarrierConfigError(exc.carrier, f"{hint} ({exc.message})", exc.http_status) from exc


def read_grant(data: Any) -> Grant:
    """The token of an answer. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read.

    `expiraEm` comes without a zone; `zoneOffset` carries it. Read as UTC, a token would be dropped three hours early.
    """
    value = data["token"]
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("not a token")
    offset = data.get("zoneOffset")
    expires_at = parse_instant(data["expiraEm"], parse_offset(offset) if offset else ZONE)
    card = data.get("cartaoPostagem") or {}
    listed = [*(data.get("api") or data.get("apis") or []), *(card.get("api") or card.get("apis") or [])]
    token = Token(value, expires_at, expires_at - RENEWAL_WINDOW)
    return Grant(token, frozenset(int(number) for number in listed))
