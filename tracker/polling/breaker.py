"""Keeps a family's state around its calls, and says once when a carrier goes and once when it returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from carriers.base import CarrierConfigError, TransientCarrierError
from tracker import metrics
from tracker.polling import families
from tracker.store.database import Database
from tracker.store.logs import SignalNote, signal
from tracker.store.polls import FamilyState, end_outage, family_state, open_outage, save_family_state

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Breaker:
    """One API family of one account. `digest` is that of the account's configuration."""

    database: Database
    carrier: str
    family: str
    digest: str

    async def may_call(self, now: datetime) -> bool:
        """Whether to call at all."""
        state = await self.database.read(lambda c: family_state(c, self.carrier, self.family))
        return families.may_call(state, self.digest, now)

    async def answered(self, now: datetime) -> None:
        """A call was answered, whatever the answer."""
        state = await self.database.read(lambda c: family_state(c, self.carrier, self.family))
        if state != families.answered():
            await self.database.write(lambda c: self._recover(c, now))

    def is_failing(self, connection: Connection) -> bool:
        """Whether the last that was heard of it was no answer, or none that could be read."""
        return family_state(connection, self.carrier, self.family).failures > 0

    async def failed(self, error: TransientCarrierError, now: datetime) -> None:
        """A call was not answered."""
        log.warning(
            "carrier.call_failed",
            carrier=self.carrier,
            family=self.family,
            http_status=error.http_status,
            reason=error.message,
        )
        reason = "throttled" if error.http_status == 429 else "no_answer"
        metrics.call_failed(self.carrier, self.family, reason)
        await self.database.write(lambda c: self._fail(c, error, now))

    async def unread(self, reason: str, now: datetime) -> None:
        """A round of calls was answered, and nothing of it could be read."""
        log.warning("carrier.unreadable", carrier=self.carrier, family=self.family, reason=reason)
        metrics.call_failed(self.carrier, self.family, "unreadable")
        await self.database.write(lambda c: self._miss(c, reason, now))

    async def refused(self, error: CarrierConfigError, now: datetime) -> None:
        """The credentials were refused."""
        log.error("carrier.refused", carrier=self.carrier, family=self.family, reason=error.message)
        metrics.call_failed(self.carrier, self.family, "refused")
        await self.database.write(lambda c: self._refuse(c, error, now))

    def _fail(self, connection: Connection, error: TransientCarrierError, now: datetime) -> None:
        before = family_state(connection, self.carrier, self.family)
        throttled = error.http_status == 429
        after = families.failed(before, error.message, error.retry_after, now, throttled=throttled)
        words = f"{self.carrier} does not answer ({self.family}): {error.message}"
        self._move(connection, before, after, words, now)

    def _miss(self, connection: Connection, reason: str, now: datetime) -> None:
        before = family_state(connection, self.carrier, self.family)
        words = f"{self.carrier} answers, but nothing of it can be read ({self.family}): {reason}"
        self._move(connection, before, families.unread(before, reason, now), words, now)

    def _move(
        self, connection: Connection, before: FamilyState, after: FamilyState, summary: str, now: datetime
    ) -> None:
        """Keep the new state; where an outage begins with it, say so."""
        save_family_state(connection, self.carrier, self.family, after)
        if families.is_down(after) and not families.is_down(before):
            open_outage(connection, self.carrier, self.family, after.down_since or now)
            signal(connection, [self._note("down", "carrier_down", "critical", summary)], now)
            log.warning("carrier.down", carrier=self.carrier, family=self.family)

    def _refuse(self, connection: Connection, error: CarrierConfigError, now: datetime) -> None:
        before = family_state(connection, self.carrier, self.family)
        after = families.refused(before, error.message, self.digest, now)
        save_family_state(connection, self.carrier, self.family, after)
        summary = f"{self.carrier} refuses the credentials ({self.family}): {error.message}"
        signal(connection, [self._note("refused", "credentials_refused", "critical", summary)], now)

    def _recover(self, connection: Connection, now: datetime) -> None:
        before = family_state(connection, self.carrier, self.family)
        save_family_state(connection, self.carrier, self.family, families.answered())
        notes = []
        if families.is_down(before):
            end_outage(connection, self.carrier, self.family, now)
            log.info("carrier.recovered", carrier=self.carrier, family=self.family)
            notes.append(self._note("down", "carrier_down", "info", f"{self.carrier} answers again", raised=False))
        if before.refused_at is not None:
            summary = f"{self.carrier} takes the credentials again"
            notes.append(self._note("refused", "credentials_refused", "info", summary, raised=False))
        signal(connection, notes, now)

    def _note(self, what: str, kind: str, severity: str, summary: str, *, raised: bool = True) -> SignalNote:
        return SignalNote(
            key=f"carrier:{self.carrier}:{self.family}:{what}",
            kind=kind,
            severity=severity,
            summary=summary,
            raised=raised,
            details={"carrier": self.carrier, "family": self.family},
        )
