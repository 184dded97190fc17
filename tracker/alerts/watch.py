"""Watches what nobody signals by itself: messages that do not leave, looks that come late, hours in which nobody worked here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from tracker.clock import monotonic_s
from tracker.store.alerts import beat, forget_pulse, last_pulse, standing_keys, standing_since
from tracker.store.backlog import messages_due_before, oldest_urgent_look
from tracker.store.database import Database
from tracker.store.logs import SignalNote, signal

log = structlog.get_logger(__name__)
OUTBOX: Final = "outbox_backed_up"
SILENT: Final = "daemon_silent"
BACKED_UP: Final = timedelta(hours=1)
FLOWING: Final = timedelta(minutes=30)
BEHIND: Final = "looks_behind"
LATE: Final = timedelta(hours=2)
IN_TIME: Final = timedelta(hours=1)
"""What is urgent is to be looked at about hourly."""
AWAY: Final = timedelta(hours=3)
BACK_FOR: Final = timedelta(hours=1)
"""How long after it the alert about a silence ends."""
BEAT: Final = timedelta(minutes=5)
GROWN_S: Final = 600.0
"""A process that lives so long is a daemon. The gaps between passes by cron are nobody's fault."""
PULSE: Final = "daemon"
CHANNEL: Final = "email"


@dataclass
class WatchSweep:
    """The lane `alerts:watch`."""

    database: Database
    zone: ZoneInfo
    monotonic: Callable[[], float] = monotonic_s
    carriers: Sequence[str] = ()
    """The accounts that are asked."""
    _born_s: float | None = None

    async def run(self, now: datetime) -> int:
        """Look; returns how many signals were made."""
        if self._born_s is None:
            self._born_s = self.monotonic()
        is_daemon = self.monotonic() - self._born_s >= GROWN_S
        return await self.database.write(lambda c: self._look(c, is_daemon, now))

    def _look(self, connection: Connection, is_daemon: bool, now: datetime) -> int:
        notes = [*self._outbox(connection, now), *self._silence(connection, is_daemon, now)]
        if is_daemon:
            # One that was just started has yet to make up for the time before.
            notes += [note for carrier in self.carriers for note in self._looks(connection, carrier, now)]
        known, words = {_behind(carrier) for carrier in self.carriers}, "this account is no longer in the configuration"
        gone = [key for key in standing_keys(connection, BEHIND) if key not in known]
        notes += [SignalNote(key, BEHIND, "info", words, raised=False) for key in gone]
        signal(connection, notes, now)
        return len(notes)

    def _outbox(self, connection: Connection, now: datetime) -> list[SignalNote]:
        key = f"outbox:{CHANNEL}"
        stands = key in standing_keys(connection, OUTBOX)
        late = messages_due_before(connection, CHANNEL, now - (FLOWING if stands else BACKED_UP))
        # A server that takes nothing has its own alert.
        if late.oldest is None or standing_keys(connection, "mail_down"):
            return [SignalNote(key, OUTBOX, "info", "messages leave in time again", raised=False)] if stands else []
        if stands:
            return []
        summary = f"{late.count} messages should have left, the first at {self._local(late.oldest)}"
        details = {"channel": CHANNEL, "messages": late.count}
        return [SignalNote(key, OUTBOX, "warning", summary, details=details)]

    def _looks(self, connection: Connection, carrier: str, now: datetime) -> list[SignalNote]:
        key = _behind(carrier)
        stands = key in standing_keys(connection, BEHIND)
        oldest = oldest_urgent_look(connection, carrier)
        told = {f"carrier:{carrier}:tracking:down", f"carrier:{carrier}:tracking:refused"}
        # A carrier that does not answer, or refuses us, has its own alert.
        away = told & {*standing_keys(connection, "carrier_down"), *standing_keys(connection, "credentials_refused")}
        if oldest is None or away or now - oldest < (IN_TIME if stands else LATE):
            words = f"{carrier}: parcels are looked at in time again"
            return [SignalNote(key, BEHIND, "info", words, raised=False)] if stands else []
        if stands:
            return []
        summary = (
            f"{carrier}: an urgent parcel should have been looked at by {self._local(oldest)}: the looks fall behind"
        )
        return [SignalNote(key, BEHIND, "warning", summary, details={"carrier": carrier})]

    def _silence(self, connection: Connection, is_daemon: bool, now: datetime) -> list[SignalNote]:
        notes = []
        last = last_pulse(connection, PULSE)
        if last is not None and now - last >= AWAY:
            forget_pulse(connection, PULSE)
            hours = round((now - last) / timedelta(hours=1), 1)
            log.warning("daemon.was_silent", hours=hours)
            summary = f"nobody worked here for {hours} hours, from {self._local(last)} to {self._local(now)}"
            notes.append(SignalNote(SILENT, SILENT, "warning", summary, details={"hours": hours}))
        else:
            since = standing_since(connection, SILENT)
            if since is not None and now - since >= BACK_FOR:
                notes.append(SignalNote(SILENT, SILENT, "info", "it works again", raised=False))
        if is_daemon and (last is None or not timedelta(0) <= now - last < BEAT):
            beat(connection, PULSE, now)
        return notes

    def _local(self, instant: datetime) -> str:
        return f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M}"


def _behind(carrier: str) -> str:
    return f"carrier:{carrier}:{BEHIND}"
