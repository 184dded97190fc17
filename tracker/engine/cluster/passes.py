"""`run --once` where the lanes are shared: a worker for one pass, whose lanes are called for through the queue, one by one.

Two passes at once, or a pass beside daemons, share the work: a lane that is called for is run once, by whoever is free, and
whoever called for it waits for that run's end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from tracker.clock import FrozenClock
from tracker.engine.base import Lane
from tracker.engine.cluster.queue import LaneQueue
from tracker.engine.cluster.worker import TIMES, ClusterWorker, Times, entries_of
from tracker.errors import ProgramError
from tracker.store import engine_rows
from tracker.store.database import Database
from tracker.store.engine_rows import LaneRow

LOOK_S: Final = 0.05
DRAIN_S: Final = 25.0
"""As long as a daemon lets its runs take at its end."""
CALL_AGAIN_S: Final = 5.0
"""A call that has not been answered for so long is given again: of two, one is left out."""


class RanElsewhere(ProgramError):
    """A lane failed in another process; its own log says why."""


@dataclass(frozen=True)
class _Caller:
    """Has a lane run once, here or elsewhere."""

    worker: ClusterWorker
    lane: Lane

    async def run(self, _now: datetime) -> int:
        """Returns how many rows the run worked on. Raises what it raised."""
        database, key = self.worker.database, self.lane.key
        call = partial(engine_rows.ask, entry=entries_of([self.lane])[0])
        before = await database.write(call)
        since, called_s = before.asked_at, None
        while True:
            here = self.worker.monotonic()
            if called_s is None or here - called_s > CALL_AGAIN_S:
                # Known again where it was forgotten: whoever could run it was taken for dead.
                await database.write(call)
                await self.worker.queue.defer(key)
                self.worker.look()
                called_s = here
            with suppress(TimeoutError):
                await asyncio.wait_for(self.worker.ended.wait(), LOOK_S)
            self.worker.ended.clear()
            row = await database.read(partial(self._ended, since=since))
            if row is not None and row.outcome == "lost":
                since, called_s = row.ended_at or since, None
            elif row is not None:
                return self._result(row, before.worked_in_all)

    def _ended(self, connection: Connection, since: datetime) -> LaneRow | None:
        """The lane after a run that began since then; None where none has ended."""
        row = next(iter(engine_rows.lanes(connection, [self.lane.key])), None)
        if row is None or row.holder or row.started_at is None or row.started_at < since:
            return None
        return row if row.ended_at is not None and row.ended_at >= row.started_at else None

    def _result(self, row: LaneRow, before: int) -> int:
        if row.outcome == "done":
            # Others may have called for it too, and their run be the one that found it all.
            return max(row.worked_in_all - before, row.worked)
        error = self.worker.errors.get(self.lane.key)
        if isinstance(error, Exception):
            raise error
        raise RanElsewhere(
            f"the lane ended as {row.outcome} on {row.host} (process {row.pid}): {row.error or 'no error'}"
        )


@asynccontextmanager
async def shared_pass(
    lanes: Sequence[Lane], *, url: str, now: datetime, times: Times | None = None
) -> AsyncIterator[list[Lane]]:
    """The lanes of a pass at *now*, each to be run through the queue. Raises DatabaseFaultError."""
    times = times or TIMES
    database = Database(url, idle_s=times.dead_after / 2)
    worker = ClusterWorker(LaneQueue(url), database, FrozenClock(now), mode="pass", times=times)
    worker.have(lanes)
    try:
        await worker.open()
        yield [replace(lane, run=_Caller(worker, lane).run, place="") for lane in lanes]
    finally:
        await worker.rest()
        # Perhaps another pass has called for what runs here now.
        await worker.finish(DRAIN_S)
        await worker.close()
        await asyncio.to_thread(database.close)
