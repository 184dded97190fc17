"""One access token an account, shared by its families, kept across restarts, renewed by one caller at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import Token, TransientCarrierError
from tracker.clock import Clock
from tracker.store.database import Database
from tracker.store.leases import new_token
from tracker.store.logs import SignalNote, signal
from tracker.store.polls import FamilyState, family_state, kept_token, save_family_state, save_token, token_row

log = structlog.get_logger(__name__)
RENEWAL_LEASE: Final = timedelta(minutes=2)
APIS: Final = "apis"
"""The family under which it is remembered which APIs the carrier keeps shut."""


class StoredTokens:
    """The `TokenStore` that the daemon lends to an adapter."""

    def __init__(self, database: Database, carrier: str, clock: Clock) -> None:
        self._database, self._carrier, self._clock = database, carrier, clock
        self._one_at_a_time = asyncio.Lock()

    async def get(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        """The token in force, renewed where it is due. Raises what `mint` raises, and TransientCarrierError while another
        process renews it."""
        standing = await self._database.read(self._standing)
        if standing is not None:
            return standing
        async with self._one_at_a_time:
            found, lease = await self._database.write(self._look)
            if found is not None:
                return found
            if lease is None:
                raise TransientCarrierError(self._carrier, "another process renews the token; ask again in a moment")
            try:
                token = await mint()
            except BaseException:
                await self._database.write(lambda c: save_token(c, self._carrier, _UNLEASED))
                raise
            await self._database.write(lambda c: self._keep(c, token))
            return token

    async def discard(self, token: Token) -> None:
        """Forget this token, where it is still the one in force."""

        def forget(connection: Connection) -> None:
            if token_row(connection, self._carrier).value == token.value:
                save_token(connection, self._carrier, {"value": None, "expires_at": None, "renew_at": None})

        await self._database.write(forget)

    def _standing(self, connection: Connection) -> Token | None:
        """The token where nobody need renew it yet: every call asks for it, so this only reads."""
        row = kept_token(connection, self._carrier)
        if row is None or row.value is None or row.expires_at is None or row.renew_at is None:
            return None
        return Token(row.value, row.expires_at, row.renew_at) if self._clock.now() < row.renew_at else None

    def _look(self, connection: Connection) -> tuple[Token | None, str | None]:
        """The token, or the lease under which to renew it, or neither where somebody else does."""
        row, now = token_row(connection, self._carrier), self._clock.now()
        if row.value is not None and row.expires_at is not None and row.renew_at is not None:
            token = Token(row.value, row.expires_at, row.renew_at)
            being_renewed = row.lease_until is not None and row.lease_until > now
            if now < row.renew_at or (being_renewed and now < row.expires_at):
                return token, None
        if row.lease_until is not None and row.lease_until > now:
            return None, None
        lease = new_token()
        save_token(connection, self._carrier, {"lease_token": lease, "lease_until": now + RENEWAL_LEASE})
        return None, lease

    def _keep(self, connection: Connection, token: Token) -> None:
        values = {"value": token.value, "expires_at": token.expires_at, "renew_at": token.renew_at, **_UNLEASED}
        save_token(connection, self._carrier, values)
        self._mind_missing(connection, token.missing)

    def _mind_missing(self, connection: Connection, missing: tuple[str, ...]) -> None:
        """One alert while the carrier keeps an API shut that this account needs; it names them all."""
        before, named = family_state(connection, self._carrier, APIS), ", ".join(missing)
        if (before.reason or "") == named:
            return
        now = self._clock.now()
        state = FamilyState(down_since=now, reason=named) if missing else FamilyState()
        save_family_state(connection, self._carrier, APIS, state)
        notes = [self._note(f"{self._carrier} opens every API again", raised=False)] if before.reason else []
        if missing:
            log.error("carrier.api_missing", carrier=self._carrier, apis=named)
            what = f"{self._carrier} does not open {named} to this account: ask the carrier to add it to the contract"
            notes.append(self._note(what, raised=True))
        signal(connection, notes, now)

    def _note(self, summary: str, *, raised: bool) -> SignalNote:
        key, severity = f"carrier:{self._carrier}:api_missing", "critical" if raised else "info"
        return SignalNote(key, "api_missing", severity, summary, raised, details={"carrier": self._carrier})


_UNLEASED: Final = {"lease_token": None, "lease_until": None}


class FreshTokens:
    """Mints a token each time: for proving credentials, where a kept token would prove nothing."""

    async def get(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        """A new token."""
        return await mint()

    async def discard(self, token: Token) -> None:
        """Nothing is kept, so nothing is forgotten."""
