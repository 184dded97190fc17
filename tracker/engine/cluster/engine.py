"""The distributed engine: the lanes as calls in a job queue (Procrastinate's, on PostgreSQL), shared by several processes.

When a lane comes is planned by its row, by whichever worker looks first: the row is given out once, and the queue takes a
second call for a lane for none. The calls carry the lane's name only; the rows decide. A lane that every process has for
itself (`HERE`) runs as it does with the local engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from tracker.clock import Clock, monotonic_s
from tracker.engine.base import HERE, Health, Lane, LaneHealth, check_names
from tracker.engine.cluster.queue import LaneQueue
from tracker.engine.cluster.worker import TIMES, ClusterWorker, Times, end_tasks
from tracker.engine.local import LocalEngine
from tracker.errors import DatabaseDamagedError
from tracker.log import get_logger
from tracker.store import engine_rows
from tracker.store.database import Database
from tracker.store.engine_rows import LaneRow

log = get_logger(__name__)

OVERDUE_S: Final = 60.0
"""The parts of this worker go round every few seconds; one that has not for so long does not work."""
_PARTS: Final = ("plan", "fetch")


class ProcrastinateEngine:
    """Runs lanes in this process and, with the same database, in others."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        url: str,
        clock: Clock,
        stop: asyncio.Event | None = None,
        times: Times | None = None,
        monotonic: Callable[[], float] = monotonic_s,
    ) -> None:
        """
        Args:
            lanes: from left to right.
            url: the database, PostgreSQL; the job queue's tables are in it.
            clock: tells the lanes the time.
            stop: set when the engine begins to drain, so that a lane with hours of work can end after the batch at hand.
            times: how often what is done.
            monotonic: seconds that only go forward.
        """
        check_names(lanes)
        self._lanes = list(lanes)
        self._stop = stop or asyncio.Event()
        self._hasten = asyncio.Event()
        self._monotonic = monotonic
        self._times = times or TIMES
        # Of its own: the lanes' database goes with their configuration.
        self._database = Database(url, idle_s=self._times.dead_after / 2)
        self._worker = ClusterWorker(
            LaneQueue(url),
            self._database,
            clock,
            times=self._times,
            on_worked=self._kick_the_right,
            monotonic=monotonic,
        )
        self._here = LocalEngine(self._of(HERE), clock=clock, stop=self._stop, monotonic=monotonic, is_part=True)
        self._kicks: set[str] = set()
        self._due = asyncio.Event()
        self._rows: dict[str, LaneRow] = {}
        self._planner: asyncio.Task[None] | None = None
        self._is_unknown = False
        """The lanes are others than the rows say."""

    async def start(self) -> None:
        """Begin; returns once this worker is known to the others. Raises DatabaseFaultError."""
        self._worker.have(self._shared)
        try:
            await self._worker.open()
            await self._worker.enter()
        except BaseException:
            await self._worker.close()
            await asyncio.to_thread(self._database.close)
            raise
        await self._here.start()
        plan = self._worker.repeat("plan", self._plan, self._times.plan, self._due)
        self._planner = asyncio.create_task(plan, name="engine plan")
        self._worker.turned_at |= dict.fromkeys(_PARTS, self._monotonic())
        log.info("engine.started", lanes=len(self._lanes))

    async def drain(self, deadline_s: float) -> tuple[str, ...]:
        """Start nothing more, wait for what runs, end it at the deadline, stop. Returns the lanes that were cut off."""
        self._stop.set()
        self._due.set()
        running = [run.lane.name for run in self._worker.runs.values()]
        log.info("engine.draining", running=sorted(running), deadline_s=deadline_s)
        await self._worker.rest()
        finishing = self._worker.finish(deadline_s, self._hasten)
        here, cut = await asyncio.gather(self._here.drain(deadline_s), finishing)
        if self._planner is not None:
            await end_tasks([self._planner])
        await self._worker.close()
        await asyncio.to_thread(self._database.close)
        log.info("engine.stopped", cut_off=sorted({*here, *cut}))
        return tuple(sorted({*here, *cut}))

    def hasten(self) -> None:
        """Let the running drain, or the one to come, wait no longer."""
        self._hasten.set()
        self._here.hasten()

    def kick(self, lane_name: str) -> None:
        """Look at a lane soon, wherever. One that failed keeps its waiting time."""
        self._here.kick(lane_name)
        self._kicks |= {lane.key for lane in self._shared if lane.name == lane_name}
        self._due.set()

    def replace_lanes(self, lanes: Sequence[Lane]) -> set[asyncio.Task[None]]:
        """Work by these lanes from now on. Returns the runs of the old ones that still go here."""
        check_names(lanes)
        going = {run.task for run in self._worker.runs.values() if run.task is not None and not run.task.done()}
        self._lanes = list(lanes)
        going |= self._here.replace_lanes(self._of(HERE))
        self._worker.have(self._shared)
        self._is_unknown = True
        self._due.set()
        return going

    def health(self) -> Health:
        """How every lane is: those that run here, and what the rows say of the others."""
        local = self._here.health()
        here = {lane.name: lane for lane in local.lanes}
        is_turning = self._stop.is_set() or all(
            self._monotonic() - self._worker.turned_at.get(part, self._monotonic()) < OVERDUE_S for part in _PARTS
        )
        lanes = tuple(here.get(lane.name) or self._health_of(lane, is_turning) for lane in self._lanes)
        return Health(lanes, self._worker.word.fault or local.database_fault)

    async def hopeless(self) -> DatabaseDamagedError:
        """Wait until a lane meets what no repetition mends; returns it."""
        if self._worker.damage is None:
            self._worker.damage = asyncio.get_running_loop().create_future()
        return await self._worker.damage

    # --- planning -------------------------------------------------------------------------------------

    async def _plan(self) -> None:
        """Call for the lanes that are due."""
        if self._is_unknown:
            self._is_unknown = False
            try:
                await self._worker.enter()
            except BaseException:
                self._is_unknown = True
                raise
        kicks, self._kicks = self._kicks, set()
        names = [lane.key for lane in self._shared]
        work = partial(engine_rows.plan, names=names, kicks=kicks, again_in_s=self._times.again)
        try:
            due, rows = await self._database.write(work)
        except BaseException:
            self._kicks |= kicks
            raise
        self._rows = {row.name: row for row in rows}
        # From left to right, as the data goes.
        for key in [name for name in names if name in due]:
            await self._worker.queue.defer(key)
        if due:
            self._worker.look()

    def _kick_the_right(self, lane: Lane) -> None:
        """Work done in one lane may be work found by those after it."""
        names = [each.name for each in self._lanes]
        if lane.name in names:
            for name in names[names.index(lane.name) + 1 :]:
                self.kick(name)

    # --- what there is --------------------------------------------------------------------------------

    @property
    def _shared(self) -> list[Lane]:
        return [lane for lane in self._lanes if lane.place != HERE]

    def _of(self, place: str) -> list[Lane]:
        return [lane for lane in self._lanes if lane.place == place]

    def _health_of(self, lane: Lane, is_turning: bool) -> LaneHealth:
        run, row = self._worker.runs.get(lane.key), self._rows.get(lane.key)
        running_s = None if run is None else round(self._monotonic() - run.started_at, 3)
        return LaneHealth(
            name=lane.name,
            running_s=running_s,
            last_finished_at=row.well_at if row is not None else None,
            failures=row.failures if row is not None else 0,
            is_stuck=running_s is not None and running_s > lane.stuck_after_seconds,
            is_overdue=not is_turning,
        )
