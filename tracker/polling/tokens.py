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
from tracker.errors import ProgramError
from tracker.store.database import Database
from tracker.store.leases import new_token
from tracker.store.logs import SignalNote, signal
from tracker.store.polls import (
    FamilyState,
    TokenRow,
    family_state,
    kept_token,
    save_family_state,
    save_token,
    token_row,
)

log = structlog.get_logger(__name__)
RENEWAL_LEASE: Final = timedelta(minutes=2)
CUT_OFF_S: Final = 3.0
"""So long a caller that is cut off waits for a renewal that is under way: less than the engine waits for a lane it cuts off."""
APIS: Final = "apis"
"""The family under which it is remembered which APIs the carrier keeps shut."""


class NotTriedError(ProgramError):
    """A credential that may be used only once was left alone, since nothing here would keep what comes in its place."""


class StoredTokens:
    """The `TokenStore` that the daemon lends to an adapter."""

    def __init__(self, database: Database, carrier: str, clock: Clock, *, anew: bool = False) -> None:
        """
        Args:
            database: keeps the token.
            carrier: the account.
            clock: says when a token is due.
            anew: prove the credential: a token in force serves only where to ask for another would use up its chain's last
                refresh token.
        """
        self._database, self._carrier, self._clock, self._anew = database, carrier, clock, anew
        self._one_at_a_time = asyncio.Lock()
        self._unkept: Token | None = None
        """The carrier has given it out, and the database has not taken it yet; without it a chain may be lost."""

    async def get(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        """The token in force, renewed where it is due, and on the disk with its `refresh` before it is returned.

        Raises what `mint` raises, TransientCarrierError while another process renews it, and DatabaseFaultError; what the
        carrier gave is then kept by the next call, before anything else.
        """
        if self._unkept is None and not self._anew:
            standing = await self._database.read(self._standing)
            if standing is not None:
                return standing
        renewing = asyncio.ensure_future(self._renewed(mint))
        try:
            return await asyncio.shield(renewing)
        except asyncio.CancelledError:
            # Once it is asked, the carrier may have given the last refresh token's successor: it is waited for and kept.
            done, _ = await asyncio.wait([renewing], timeout=CUT_OFF_S)
            for one in done:
                one.exception()
            raise

    async def discard(self, token: Token) -> None:
        """Forget this token, where it is still the one in force; its chain goes on."""

        def forget(connection: Connection) -> None:
            if token_row(connection, self._carrier).value == token.value:
                save_token(connection, self._carrier, {"value": None, "expires_at": None, "renew_at": None})

        await self._database.write(forget)

    async def refresh_of(self, origin: str) -> str | None:
        """The newest refresh token of this chain; None where the newest token here is of another one."""
        row = await self._database.read(lambda connection: kept_token(connection, self._carrier))
        return row.refresh if row is not None and row.origin == origin else None

    async def _renewed(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        async with self._one_at_a_time:
            await self._settle()
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
            self._unkept = token
            await self._settle()
            return token

    async def _settle(self) -> None:
        """Put on the disk what the carrier has given and the disk would not take before."""
        given = self._unkept
        if given is not None:
            await self._database.write(lambda connection: self._keep(connection, given))
            self._unkept = None

    def _standing(self, connection: Connection) -> Token | None:
        """The token where nobody need renew it yet: every call asks for it, so this only reads."""
        row = kept_token(connection, self._carrier)
        token = _token(row) if row is not None else None
        return token if token is not None and self._clock.now() < token.renew_at else None

    def _look(self, connection: Connection) -> tuple[Token | None, str | None]:
        """The token, or the lease under which to renew it, or neither where somebody else does."""
        row, now = token_row(connection, self._carrier), self._clock.now()
        token = _token(row)
        if token is not None and (not self._anew or token.refresh is not None):
            being_renewed = row.lease_until is not None and row.lease_until > now
            if now < token.renew_at or (being_renewed and now < token.expires_at):
                return token, None
        if row.lease_until is not None and row.lease_until > now:
            return None, None
        lease = new_token()
        save_token(connection, self._carrier, {"lease_token": lease, "lease_until": now + RENEWAL_LEASE})
        return None, lease

    def _keep(self, connection: Connection, token: Token) -> None:
        values = {"value": token.value, "expires_at": token.expires_at, "renew_at": token.renew_at, **_UNLEASED}
        # A carrier that gives no new refresh token lets the last one go on (RFC 6749, section 6).
        if token.refresh is not None or token.origin != token_row(connection, self._carrier).origin:
            values |= {"refresh": token.refresh, "origin": token.origin}
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


def _token(row: TokenRow) -> Token | None:
    if row.value is None or row.expires_at is None or row.renew_at is None:
        return None
    return Token(row.value, row.expires_at, row.renew_at, refresh=row.refresh, origin=row.origin)


class FreshTokens:
    """Mints a token each time, and keeps none: for proving credentials where there is no database."""

    async def get(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        """A new token. Raises what `mint` raises: NotTriedError where it would use up a refresh token."""
        return await mint()

    async def discard(self, token: Token) -> None:
        """Nothing is kept, so nothing is forgotten."""

    async def refresh_of(self, origin: str) -> str | None:
        """Raises NotTriedError: whoever asks is about to use a refresh token, and its successor would be lost."""
        raise NotTriedError(
            "not tried: its refresh token may be used only once, and there is no database here to keep the next one in "
            "(tracker db upgrade makes it)"
        )
