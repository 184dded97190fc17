"""Writes down how the local engine is, so that `tracker engine status` can say it beside the daemon.

The engine itself plans in memory and needs none of it: what cannot be written now is written at the next turn.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from tracker.clock import Clock, SystemClock
from tracker.engine.base import Health, Lane, LaneHealth
from tracker.errors import DatabaseFaultError
from tracker.log import get_logger
from tracker.store import engine_rows
from tracker.store.database import Database
from tracker.store.engine_rows import LaneRow, WorkerRow
from tracker.store.leases import hold_as

log = get_logger(__name__)
EVERY_S: Final = 10.0


class Record:
    """The rows of one daemon with the local engine."""

    def __init__(
        self,
        health: Callable[[], Health],
        lanes: Callable[[], list[Lane]],
        database: Callable[[], Database],
        *,
        wall: Clock | None = None,
    ) -> None:
        """
        Args:
            health: how every lane is.
            lanes: the present ones.
            database: the present configuration's.
            wall: the machine's clock.
        """
        self._health = health
        self._lanes = lanes
        self._database = database
        self._wall = wall or SystemClock()
        self._written: dict[str, LaneRow] = {}
        self._holder = secrets.token_hex(4)
        self._started_at = self._wall.now()
        self._is_known = False
        hold_as(self._holder)

    async def keep(self) -> None:
        """Write for ever what has changed."""
        while True:
            try:
                await self.write()
            except DatabaseFaultError as fault:
                # The lanes say it, and louder.
                log.debug("engine.unrecorded", reason=str(fault))
            await asyncio.sleep(EVERY_S)

    async def write(self) -> None:
        """Write what has changed since the last time. Raises DatabaseFaultError."""
        now = self._wall.now()
        rows = self._rows(now)
        changed = [row for name, row in rows.items() if self._written.get(name) != row]
        await self._database().write(partial(self._note, rows=changed, now=now))
        self._written, self._is_known = rows, True

    async def end(self) -> None:
        """The daemon ends: it is no longer among those who work."""
        try:
            await self._database().write(partial(engine_rows.unregister, holder=self._holder))
        except DatabaseFaultError as fault:
            log.debug("engine.unrecorded", reason=str(fault))

    def _note(self, connection: Connection, *, rows: list[LaneRow], now: datetime) -> None:
        if not self._is_known or not engine_rows.beat(connection, self._holder, now):
            engine_rows.register(connection, self._worker(now))
        engine_rows.note_lanes(connection, rows)

    def _worker(self, now: datetime) -> WorkerRow:
        names = tuple(lane.name for lane in self._lanes())
        host, pid = socket.gethostname(), os.getpid()
        return WorkerRow(self._holder, "local", "daemon", host, pid, None, self._started_at, now, names)

    def _rows(self, now: datetime) -> dict[str, LaneRow]:
        health = {lane.name: lane for lane in self._health().lanes}
        return {lane.name: self._row(lane, health[lane.name], now) for lane in self._lanes() if lane.name in health}

    def _row(self, lane: Lane, health: LaneHealth, now: datetime) -> LaneRow:
        before = self._written.get(lane.name)
        failing_since = (before.failing_since if before else None) or now
        return LaneRow(
            name=lane.name,
            every_s=lane.every_seconds,
            stuck_after_s=lane.stuck_after_seconds,
            next_run_at=None,
            holder=self._holder if health.running_s is not None else "",
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=health.started_at,
            ended_at=health.ended_at,
            well_at=health.last_finished_at,
            failing_since=failing_since if health.failures else None,
            failures=health.failures,
            outcome=health.outcome,
            error=health.error,
            worked=health.worked,
            worked_in_all=health.worked_in_all,
        )
