"""Access by token: kept in the account's `TokenStore`, renewed once where a call is refused, whichever way it is asked for.

`TokenAccess` is the one loop; a carrier differs in how a token is minted. `client_credentials` and `refreshing` are the two
ways of OAuth 2 (RFC 6749, 4.4 and 6) that carriers use; one with a login of its own passes its own `mint`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from carriers.base import AdapterContext, CarrierConfigError, PermanentCarrierError, Token
from carriers.signatures import basic, sha256_hex

T = TypeVar("T")
Mint = Callable[[], Awaitable[Token]]
FAMILY = "token"
MARGIN = timedelta(minutes=5)
"""A token is renewed so long before it ends: a call may be queued for some minutes."""
LONGEST = timedelta(days=366)
"""A longer life is taken for a mistake and cut."""
LIFE_UNSAID = timedelta(hours=1)
"""Where the answer names no life: refused before its end, a token is renewed anyway."""


class TokenAccess:
    """A way in by token. *hint* says to a person what to look at where a fresh token is refused; *origin* is that of its own
    tokens (`origin_of`), where *mint* names one."""

    def __init__(
        self,
        context: AdapterContext,
        mint: Mint,
        *,
        hint: str,
        header: Callable[[str], Mapping[str, str]] | None = None,
        origin: str | None = None,
    ) -> None:
        self._origin = origin
        self._tokens = context.tokens
        self._mint = mint
        self._hint = hint
        self._header = header or bearer

    async def call(self, send: Callable[[Mapping[str, str]], Awaitable[T]]) -> T:
        """Make one call; refused with 401 or 403, which has done nothing, it is made once more with a new token.

        Raises CarrierConfigError where access stays refused, otherwise what *send* raises.
        """
        token = await self.prove()
        try:
            return await send(self._header(token.value))
        except CarrierConfigError:
            await self._tokens.discard(token)
        token = await self.prove()
        try:
            return await send(self._header(token.value))
        except CarrierConfigError as exc:
            raise CarrierConfigError(exc.carrier, f"{self._hint} ({exc.message})", exc.http_status) from exc

    async def prove(self) -> Token:
        """A token newly minted or kept. Raises CarrierConfigError where the credentials are refused."""
        token = await self._tokens.get(self._mint)
        if self._origin is not None and token.origin != self._origin:
            # Of the credential that the configuration had before.
            await self._tokens.discard(token)
            token = await self._tokens.get(self._mint)
        return token


def origin_of(*credential: str) -> str:
    """What marks the tokens of a configured credential, and tells nothing of it."""
    return sha256_hex("\x1f".join(credential).encode())[:16]


def bearer(value: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {value}"}


def raw(value: str) -> Mapping[str, str]:
    """The token as it is, without a word before it."""
    return {"Authorization": value}


def client_credentials(
    context: AdapterContext,
    path: str,
    client_id: str,
    client_secret: str,
    *,
    by_basic: bool = False,
    as_json: bool = False,
) -> Mint:
    """Mints by client credentials: in the body (a form, or JSON), or by HTTP Basic. *path* is the token endpoint."""
    origin = origin_of(client_id, client_secret)

    async def mint() -> Token:
        fields = {"grant_type": "client_credentials"}
        if not by_basic:
            fields |= {"client_id": client_id, "client_secret": client_secret}
        headers = {"Authorization": basic(client_id, client_secret)} if by_basic else {}
        return await ask(
            context, path, fields, headers=headers, as_json=as_json, hint="client id or secret refused", origin=origin
        )

    return mint


def refreshing(
    context: AdapterContext, path: str, client_id: str, client_secret: str, first: str, *, as_json: bool = False
) -> Mint:
    """Mints by a refresh token that may be replaced each time: the newest that is kept, else *first*, the configured one.

    The store keeps token and successor in one commit before either is used. A new *first* begins a chain of its own.
    """
    origin = origin_of(first)

    async def mint() -> Token:
        refresh = await context.tokens.refresh_of(origin) or first
        fields = {
            "grant_type": "refresh_token",
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh,
        }
        hint = "the refresh token is refused: authorise the application again and set the new refresh_token"
        return await ask(context, path, fields, as_json=as_json, hint=hint, refresh=refresh, origin=origin)

    return mint


async def ask(
    context: AdapterContext,
    path: str,
    fields: Mapping[str, str],
    *,
    headers: Mapping[str, str] | None = None,
    as_json: bool = False,
    hint: str,
    refresh: str | None = None,
    origin: str = "",
    read: Callable[[Any], tuple[str, Any]] | None = None,
    repeated: bool = True,
) -> Token:
    """Ask a token endpoint. Refused credentials (400, 401, 403) are a CarrierConfigError that begins with *hint*.

    *read* finds token and life in seconds in another carrier's words; *refresh* is what was asked with. *repeated* is false for a
    carrier that gives tokens so seldom that a failed call may not be made again at once.
    """
    body: dict[str, Any] = {"json": dict(fields)} if as_json else {"form": tuple(fields.items())}
    # Not repeated by itself where it might use up a refresh token: the daemon comes again soon enough.
    idempotent = repeated and refresh is None
    try:
        answer = await context.http.request_json(
            "POST", path, idempotent=idempotent, headers=headers, family=FAMILY, **body
        )
    except CarrierConfigError as exc:
        raise CarrierConfigError(exc.carrier, f"{hint} ({exc.message})", exc.http_status) from exc
    except PermanentCarrierError as exc:
        if exc.http_status != 400:
            raise
        raise CarrierConfigError(exc.carrier, f"{hint} ({exc.message})", exc.http_status) from exc
    try:
        value, seconds = (read or _read)(answer.data)
        successor = answer.data.get("refresh_token") if refresh is not None else None
        return made(context, value, seconds, refresh=successor or refresh, origin=origin)
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as exc:
        # Only the error's kind: its text may quote the answer, and with it the token.
        raise PermanentCarrierError(
            context.carrier, f"token answer cannot be read ({type(exc).__name__})", answer.status
        ) from None


def made(context: AdapterContext, value: Any, seconds: Any, *, refresh: str | None = None, origin: str = "") -> Token:
    """A token of so many *seconds* of life from now. Raises TypeError or ValueError where *value* is no token."""
    if not isinstance(value, str):
        raise TypeError("a token is a text")
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("not a token")
    life = min(timedelta(seconds=float(seconds)), LONGEST) if seconds is not None else LIFE_UNSAID
    if life <= timedelta(0):
        raise ValueError("a token that has ended")
    now = context.now()
    return Token(value, now + life, now + life - min(MARGIN, life / 10), refresh=refresh, origin=origin)


def _read(data: Any) -> tuple[str, Any]:
    return data["access_token"], data.get("expires_in")


class FixedToken:
    """A token that a person made and only a person can renew; the same calls as `TokenAccess`."""

    def __init__(self, value: str, *, hint: str, header: Callable[[str], Mapping[str, str]] = bearer) -> None:
        self._headers = header(value)
        self._hint = hint

    async def call(self, send: Callable[[Mapping[str, str]], Awaitable[T]]) -> T:
        """Make one call. Raises CarrierConfigError with the hint where it is refused."""
        try:
            return await send(self._headers)
        except CarrierConfigError as exc:
            raise CarrierConfigError(exc.carrier, f"{self._hint} ({exc.message})", exc.http_status) from exc


Access = TokenAccess | FixedToken
"""A way in; `call` is the same for both."""
