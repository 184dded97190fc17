"""The lane `backup`: a copy of the database every day at the configured hour, the newest few of them kept.

The files are its memory: what stands in the folder says when the last one was made, so that a copy taken away is made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from pathlib import Path
from typing import Final

from tracker.clock import monotonic_s
from tracker.domain.backups import BackupFacts, is_due, is_missing
from tracker.errors import DatabaseFaultError, ProgramError
from tracker.log import get_logger
from tracker.store.backup import Made, back_up_into, copies_in
from tracker.store.database import Database
from tracker.store.logs import SignalNote, signal

log = get_logger(__name__)
FAILED: Final = "backup_failed"
MISSING: Final = "backup_missing"


class Stopped(Exception):
    """The engine is being stopped: the copy is made at the next start."""


@dataclass
class BackupSweep:
    """Makes the day's backup. `at` is an hour of the shop's day."""

    database: Database
    folder: Path
    at: time
    keep: int
    zone: tzinfo
    stopping: Callable[[], bool]
    machine: str = ""
    """Where several machines keep copies of their own: whose these are; each has its own alerts."""
    tried_at: datetime | None = None
    is_well: bool = False
    """This process has called the alerts off since the last failure."""

    async def run(self, now: datetime) -> int:
        """Make the backup where it is due; returns how many were made."""
        newest = None
        try:
            newest = await asyncio.to_thread(self._newest)
            if not is_due(BackupFacts(newest, self.tried_at), self.at, self.zone, now):
                return 0
            made = await self._make(now)
        except Stopped:
            return 0
        except (ProgramError, OSError) as fault:
            self.tried_at, self.is_well = now, False
            await self._tell_failure(fault, BackupFacts(newest, now), now)
            return 0
        self.tried_at = None
        await self._tell_success(made, now)
        return 1

    def _newest(self) -> datetime | None:
        found = copies_in(self.folder, self.database.url)
        return found[0][0] if found else None

    async def _make(self, now: datetime) -> Made:
        started = monotonic_s()
        # In a thread of its own: the database's threads go on working meanwhile.
        made = await asyncio.to_thread(
            back_up_into, self.database.url, self.folder, now, keep=self.keep, watch=self._watch
        )
        elapsed_ms = round((monotonic_s() - started) * 1000)
        log.info("backup.done", file=made.path.name, size=made.size, removed=len(made.removed), elapsed_ms=elapsed_ms)
        return made

    def _watch(self, _share: float) -> None:
        if self.stopping():
            raise Stopped

    async def _tell_failure(self, fault: Exception, facts: BackupFacts, now: datetime) -> None:
        log.error("backup.failed", reason=str(fault))
        notes = [SignalNote(self._key(FAILED), FAILED, "warning", f"the day's backup failed{self._where}: {fault}")]
        if is_missing(facts, now):
            since = f"since {facts.newest:%Y-%m-%d %H:%MZ}" if facts.newest else "at all"
            summary = f"there is no good backup{self._where} {since}, and the newest try failed: {fault}"
            notes.append(SignalNote(self._key(MISSING), MISSING, "critical", summary))
        try:
            await self.database.write(lambda connection: signal(connection, notes, now))
        except DatabaseFaultError as also:
            # One cause, a full disk say, can keep both from being written: the log has the first, the lane says the second.
            raise also from fault

    async def _tell_success(self, made: Made, now: datetime) -> None:
        if self.is_well:
            return
        summary = f"{made.path.name} was made"
        notes = [SignalNote(self._key(kind), kind, "info", summary, raised=False) for kind in (FAILED, MISSING)]
        await self.database.write(lambda connection: signal(connection, notes, now))
        self.is_well = True

    def _key(self, kind: str) -> str:
        return f"{kind}:{self.machine}" if self.machine else kind

    @property
    def _where(self) -> str:
        return f" on {self.machine}" if self.machine else ""
