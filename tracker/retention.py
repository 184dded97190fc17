"""The lane `retention`: once a day it walks over what is old and drops what has ended long ago, in batches beside the daemon.

With an archive a batch is written there first. The three steps (where it begins, the batch itself, the dropping) are each on
the disk before the next, and the dropping takes the note of the first away: a death at any line leaves each row either in the
database or in the archive, and in one of them only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from functools import partial
from typing import Final

from sqlalchemy import Connection

from tracker.archives import Archive, Place
from tracker.clock import monotonic_s
from tracker.domain.retention import HOOKS_KEPT, SIGNALS_KEPT, Terms, next_hour, unresolved_longer
from tracker.errors import ProgramError
from tracker.log import get_logger
from tracker.store.alerts import standing_since
from tracker.store.compact import may_compact, room_of
from tracker.store.database import Database
from tracker.store.logs import SignalNote, signal
from tracker.store.retention import (
    ANSWERS,
    HOOKS,
    LOGS,
    ORDERS,
    SIGNALS,
    Document,
    Mark,
    Pile,
    mark_of,
    orders_may_go,
    save_mark,
)

log = get_logger(__name__)
FAILED: Final = "retention_failed"
TRY_AGAIN: Final = timedelta(minutes=15)
BATCHES_A_RUN: Final = 100
"""Of each pile; then the other lanes of a pass have their turn. A run a minute drops millions of rows a night."""


@dataclass
class RetentionSweep:
    """Drops what is old. `at` is an hour of the shop's day; `archive` None: nothing is kept of it."""

    database: Database
    terms: Terms
    at: time
    zone: tzinfo
    archive: Archive | None
    compact_mib: int
    """A SQLite file up to this size is rewritten when a good part of it is empty; 0: never."""
    stopping: Callable[[], bool]
    tried_at: datetime | None = None

    async def run(self, now: datetime) -> int:
        """Go on with the walks that are due. Returns 0 always: nothing that it does is work for another lane."""
        if self.tried_at is not None and self.tried_at <= now < self.tried_at + TRY_AGAIN:
            return 0
        try:
            dropped = 0
            for pile, kept_for in self._piles():
                dropped += await self._walk(pile, now, now - kept_for)
            if dropped:
                await self._compact()
        except OSError as fault:
            await self._tell_failure(fault, now)
            return 0
        self.tried_at = None
        await self._tell_success(now)
        return 0

    def _piles(self) -> list[tuple[Pile, timedelta]]:
        logs = [(pile, self.terms.logs) for pile in LOGS]
        longer = unresolved_longer(self.terms)
        orders = replace(ORDERS, may_go=partial(orders_may_go, unresolved_longer=longer))
        short = [(HOOKS, HOOKS_KEPT), (SIGNALS, SIGNALS_KEPT)]
        return [(orders, self.terms.orders), (ANSWERS, self.terms.answers), *short, *logs]

    async def _walk(self, pile: Pile, now: datetime, cutoff: datetime) -> int:
        mark = await self.database.read(partial(mark_of, pile=pile.name))
        if mark.pending is not None:
            mark = await self._settle(pile, mark)
        if mark.next_walk_at is not None and now < mark.next_walk_at:
            return 0
        started, rows, things = monotonic_s(), 0, 0
        for _ in range(BATCHES_A_RUN):
            if self.stopping():
                break
            look = await self.database.read(partial(pile.look, after=mark.last_id, cutoff=cutoff))
            reached = Mark(look.last_id)
            if look.is_end:
                reached = Mark(0, next_hour(self.at, self.zone, now))
            dropped = await self._drop(pile, look.ids, mark, reached, now, cutoff)
            rows, things = rows + dropped, things + (len(look.ids) if dropped else 0)
            mark = reached
            if look.is_end:
                break
        if things:
            elapsed_ms = round((monotonic_s() - started) * 1000)
            log.info("retention.dropped", pile=pile.name, dropped=things, rows=rows, elapsed_ms=elapsed_ms)
        return things

    async def _settle(self, pile: Pile, mark: Mark) -> Mark:
        """A batch was being written to the archive when the program died, and its rows are all still here."""
        assert mark.pending is not None
        place = Place.of(mark.pending)
        if self.archive is not None:
            await asyncio.to_thread(self.archive.cut, place)
        settled = replace(mark, pending=None)
        await self.database.write(partial(save_mark, pile=pile.name, mark=settled))
        return settled

    async def _drop(
        self, pile: Pile, ids: tuple[int, ...], mark: Mark, reached: Mark, now: datetime, cutoff: datetime
    ) -> int:
        """Drop a batch, archived first where there is an archive; returns how many rows that were."""
        if self.archive is None or not ids or not pile.is_archived:
            return await self.database.write(partial(_dropped, pile=pile, ids=ids, reached=reached, cutoff=cutoff))
        documents = await self.database.read(lambda connection: pile.documents(connection, ids))
        place = await asyncio.to_thread(self.archive.place, pile.name, now)
        pending = replace(mark, pending=place.as_json())
        await self.database.write(partial(save_mark, pile=pile.name, mark=pending))
        await asyncio.to_thread(self.archive.append, place, documents)
        dropped = await self.database.write(
            partial(_dropped, pile=pile, ids=ids, reached=reached, cutoff=cutoff, documents=documents)
        )
        if not dropped:
            await asyncio.to_thread(self.archive.cut, place)
        return dropped

    async def _compact(self) -> None:
        room = await self.database.read(room_of)
        if room is None or not may_compact(room, self.compact_mib):
            return
        started = monotonic_s()
        try:
            await self.database.compact()
        except ProgramError as fault:
            log.warning("database.not_compacted", reason=str(fault))
            return
        now_mib = (await self.database.read(room_of) or room).mib
        elapsed_ms = round((monotonic_s() - started) * 1000)
        log.info("database.compacted", before_mib=room.mib, after_mib=now_mib, elapsed_ms=elapsed_ms)

    async def _tell_failure(self, fault: OSError, now: datetime) -> None:
        self.tried_at = now
        what = f"{fault.filename}: {fault.strerror}" if fault.filename else str(fault)
        log.error("retention.failed", reason=what)
        summary = f"what is old is not dropped, since it cannot be archived: {what}"
        note = SignalNote(FAILED, FAILED, "warning", summary)
        await self.database.write(lambda connection: signal(connection, [note], now))

    async def _tell_success(self, now: datetime) -> None:
        if not await self.database.read(partial(standing_since, key=FAILED)):
            return
        note = SignalNote(FAILED, FAILED, "info", "what is old is dropped again", raised=False)
        await self.database.write(lambda connection: signal(connection, [note], now))


def _dropped(
    connection: Connection,
    *,
    pile: Pile,
    ids: tuple[int, ...],
    reached: Mark,
    cutoff: datetime,
    documents: list[Document] | None = None,
) -> int:
    """Drop exactly these rows and remember how far the walk is; returns how many rows that were.

    Where somebody changed one of them a moment ago they all stay, for the next walk to look at.
    """
    save_mark(connection, pile.name, reached)
    if not ids or pile.may_go(connection, ids, cutoff) != set(ids):
        return 0
    if documents is not None and pile.documents(connection, ids) != documents:
        return 0
    return pile.drop(connection, ids)
