"""One process of several that share the lanes: it takes calls from the queue, runs them, and takes over from the dead.

Three things keep a lane from running twice at once: the queue's lock, held while the worker gives signs of life; the row of
the lane, which says whose run counts; and, where a worker was only stopped and comes back, the leases of the rows, which are
somebody else's by then, so that nothing it saves is taken. What it still runs then is cut off.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sqlalchemy import Connection
from structlog.contextvars import bound_contextvars

from tracker import metrics
from tracker.clock import Clock, monotonic_s
from tracker.engine.base import DatabaseWord, Lane, backoff_s, is_cancelled, why
from tracker.engine.cluster.queue import Job, LaneQueue, WorkerForgotten
from tracker.errors import DatabaseDamagedError, DatabaseFaultError
from tracker.log import get_logger
from tracker.store import engine_rows
from tracker.store.database import Database
from tracker.store.engine_rows import Ending, LaneEntry, Rescued, WorkerRow
from tracker.store.leases import hold_as
from tracker.store.logs import SignalNote, signal

log = get_logger(__name__)

CANCEL_GRACE_S: Final = 5.0
"""How long a lane that is cut off has to put its things down."""
LAST_WORD_S: Final = 5.0
"""How long a worker that ends tries to say so: where the database is away the others see it by its silence."""
END_TRIES: Final = 10
BUSY_S: Final = 0.02
MOST_BUSY_S: Final = 0.2
"""A worker waits so long for each lane it runs before it takes the next, so that the less busy ones are quicker."""
LOST: Final = "machine_lost"


@dataclass(frozen=True)
class Times:
    """Seconds. A dead worker's lanes go on elsewhere after `dead_after` and `rescue` together: well within a minute."""

    heartbeat: float = 10.0
    dead_after: float = 30.0
    """Three signs of life may be lost, or the loop be blocked so long, before a worker counts as dead."""
    rescue: float = 5.0
    plan: float = 1.0
    fetch: float = 5.0
    """How often the queue is asked where no notification came: one is lost with its connection, and none tells of a lock that
    was let go."""
    again: float = 30.0
    """A call that has begun nowhere within so long is given again."""


TIMES: Final = Times()


@dataclass
class Run:
    """One run of a lane here."""

    lane: Lane
    job: Job
    worker: WorkerRow
    """Who we were when it began: taken for dead meanwhile, we are somebody else now."""
    started_at: float
    """Monotonic seconds."""
    task: asyncio.Task[None] | None = None
    failures: int = 0


@dataclass
class Late:
    """An end that could not be written when it came."""

    run: Run
    ending: Ending


@dataclass
class ClusterWorker:
    """Runs the lanes it is given the calls for: `open`, `have` and `enter`, and `close` at the end."""

    queue: LaneQueue
    database: Database
    clock: Clock
    mode: str = "daemon"
    times: Times = TIMES
    on_worked: Callable[[Lane], None] = lambda _lane: None
    """Called when a run of a lane has worked on rows."""
    monotonic: Callable[[], float] = monotonic_s
    damage: asyncio.Future[DatabaseDamagedError] | None = None
    runs: dict[str, Run] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    """What the newest run of a lane here raised."""
    word: DatabaseWord = field(default_factory=DatabaseWord)
    turned_at: dict[str, float] = field(default_factory=dict)
    """When each part last went round, in monotonic seconds."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at every run's end."""
    is_stopping: bool = False
    _is_closed: bool = False
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _me: WorkerRow | None = None
    _call: asyncio.Event = field(default_factory=asyncio.Event)
    _parts: list[asyncio.Task[None]] = field(default_factory=list)
    _fetching: asyncio.Task[None] | None = None
    _late: list[Late] = field(default_factory=list)
    _strays: set[int] = field(default_factory=set)
    _beaten_at: float = 0.0
    _anew: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def me(self) -> WorkerRow:
        """Who this process is to the others."""
        assert self._me is not None
        return self._me

    async def open(self) -> None:
        """Become one of the workers, and begin to take over from the dead. Raises DatabaseFaultError."""
        await self.queue.open()
        await self._rescue()
        await self._register()
        self._parts = [
            self._forever("heartbeat", self._beat, self.times.heartbeat),
            self._forever("rescue", self._rescue, self.times.rescue),
            self._forever("listen", self._listen, self.times.fetch),
        ]
        self._fetching = self._forever("fetch", self._fetch, self.times.fetch, self._call)

    def have(self, lanes: Sequence[Lane]) -> None:
        """Run these lanes from now on, and no others; `enter` tells the others."""
        self._lanes = {lane.key: lane for lane in lanes}

    async def enter(self) -> None:
        """Make the lanes known; they are looked at soon and start afresh. Raises DatabaseFaultError."""
        entries = entries_of(list(self._lanes.values()))
        await self.database.write(partial(engine_rows.take_lanes, holder=self.me.holder, entries=entries))
        self.look()

    def look(self) -> None:
        """Ask the queue now."""
        self._call.set()

    # --- signs of life --------------------------------------------------------------------------------

    async def _register(self) -> None:
        number = await self.queue.register()
        holder = secrets.token_hex(4)
        host, pid = socket.gethostname(), os.getpid()

        def enter(connection: Connection) -> WorkerRow:
            now = engine_rows.database_now(connection)
            row = WorkerRow(holder, "procrastinate", self.mode, host, pid, number, now, now, tuple(self._lanes))
            engine_rows.register(connection, row)
            if self.mode == "daemon":
                back = SignalNote(f"machine:{host}", LOST, "info", f"{host} works again", raised=False)
                signal(connection, [back], self.clock.now())
            return row

        self._me = await self.database.write(enter)
        hold_as(holder)
        self._beaten_at = self.monotonic()

    async def _beat(self) -> None:
        if self.monotonic() - self._beaten_at > self.times.dead_after:
            # Stopped, or blocked, for so long that the others have taken the lanes: before anything else is done.
            await self._cut(list(self.runs.values()))
        alive = await self.database.write(self._write_beat)
        await self.queue.beat(self.me.queue_worker or 0)
        self._beaten_at = self.monotonic()
        if not alive:
            await self._begin_anew()
        await self._save_late()
        await self._mind_strays()

    def _write_beat(self, connection: Connection) -> bool:
        return engine_rows.beat(connection, self.me.holder, engine_rows.database_now(connection))

    async def _begin_anew(self) -> None:
        """The others have taken this worker for dead: put everything down, and come back as another one."""
        before = self.me
        async with self._anew:
            if self.me is not before:
                return
            log.error("worker.outlived", running=sorted(self.runs))
            await self._cut(list(self.runs.values()))
            await self._leave(before)
            await self._register()
        await self.enter()

    async def _leave(self, worker: WorkerRow) -> None:
        await self.database.write(partial(engine_rows.unregister, holder=worker.holder))
        await self.queue.unregister(worker.queue_worker or 0)

    async def _mind_strays(self) -> None:
        """A call that was given to us and whose answer we never heard would lock its lane for as long as we live; so would a
        lane whose run was cut off while it began."""
        ours = {run.job.id for run in self.runs.values()} | {late.run.job.id for late in self._late}
        held = {job.id for job in await self.queue.held_by(self.me.queue_worker or 0)}
        held |= await self.database.read(partial(engine_rows.jobs_of, holder=self.me.holder))
        # Seen twice: one that is just being fetched, or ends, is none.
        strays, self._strays = (held - ours) & self._strays, held - ours
        for job_id in strays:
            await self.queue.finish(job_id, well=False)
        if strays:
            await self.database.write(partial(engine_rows.give_up, holder=self.me.holder, job_ids=strays))

    async def _rescue(self) -> None:
        if self._me is not None and self.monotonic() - self._beaten_at > 2 * self.times.heartbeat:
            return  # whoever was away himself judges nobody before he has given a sign of life
        rescued = await self.database.write(self._take_over)
        freed = await self.queue.rescue(self.times.dead_after)
        for worker in rescued.workers:
            log.warning("worker.lost", host=worker.host, pid=worker.pid, mode=worker.mode)
        if lanes := sorted({*rescued.lanes, *freed}):
            log.warning("lane.rescued", lanes=lanes, leases=rescued.leases)
            metrics.lanes_rescued(len(lanes))
            self.look()

    def _take_over(self, connection: Connection) -> Rescued:
        rescued = engine_rows.rescue(connection, self.times.dead_after)
        gone = {worker.host: worker.pid for worker in rescued.workers if worker.mode == "daemon"}
        living = {worker.host for worker in engine_rows.workers(connection)} | {socket.gethostname()}
        notes = [
            SignalNote(
                f"machine:{host}", LOST, "warning", f"{host} (process {pid}) gives no sign of life; others go on"
            )
            for host, pid in gone.items()
            if host not in living
        ]
        signal(connection, notes, self.clock.now())
        return rescued

    # --- calls ----------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        await self.queue.listen(self.look)

    async def _fetch(self) -> None:
        """Take every call that may run now."""
        while not self.is_stopping:
            idle = [key for key in self._lanes if key not in self.runs]
            if not idle:
                return
            await asyncio.sleep(min(len(self.runs) * BUSY_S, MOST_BUSY_S))
            me = self.me
            try:
                job = await self.queue.fetch(idle, me.queue_worker or 0)
            except WorkerForgotten:
                await self._begin_anew()
                continue
            if job is None:
                return
            lane = self._lanes.get(job.lane)
            if lane is None or self.is_stopping or me is not self.me:
                await self._give_back(job)
            else:
                self._start(lane, job)

    async def _give_back(self, job: Job) -> None:
        await self.queue.finish(job.id, well=False)
        await self.database.write(partial(engine_rows.plan, names=(), kicks=(job.lane,), again_in_s=self.times.again))

    def _start(self, lane: Lane, job: Job) -> None:
        run = Run(lane, job, self.me, self.monotonic())
        self.runs[lane.key] = run
        run.task = asyncio.create_task(self._run(run), name=f"lane {lane.name}")

    async def _run(self, run: Run) -> None:
        name = run.lane.name
        with bound_contextvars(lane=name):
            ending = Ending(run.lane.key, run.job.id, "cut_off")
            try:
                ending = await self._work(run)
            except asyncio.CancelledError:
                log.warning("lane.cut_off", lane=name, running_s=self._seconds(run))
                metrics.lane_ended(name, "cut_off", self._seconds(run))
                raise
            finally:
                try:
                    await self._put_down(Late(run, ending))
                finally:
                    if self.runs.get(run.lane.key) is run:
                        del self.runs[run.lane.key]
                    self.ended.set()
                    self.look()

    async def _work(self, run: Run) -> Ending:
        begin = partial(engine_rows.begin, name=run.lane.key, worker=run.worker, job_id=run.job.id)
        try:
            begun = await self.database.write(begin)
            run.failures = begun.failures
            if begun.was_elsewhere:
                run.lane.forget()
            worked = await run.lane.run(self.clock.now())
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            return self._failed(run, error)  # something inside the lane was cancelled, not the lane
        except Exception as error:
            return self._failed(run, error)
        return self._finished(run, worked)

    def _finished(self, run: Run, worked: int) -> Ending:
        name = run.lane.name
        log.debug("lane.done", lane=name, worked=worked, elapsed_ms=round(self._seconds(run) * 1000))
        metrics.lane_ended(name, "done", self._seconds(run), worked)
        if run.failures and name not in self.word:
            log.info("lane.recovered", lane=name, failures=run.failures)
        self.word.is_well(name)
        self.errors.pop(run.lane.key, None)
        return Ending(run.lane.key, run.job.id, "done", worked, next_in_s=run.lane.every_seconds)

    def _failed(self, run: Run, error: BaseException) -> Ending:
        """Push this lane, and no other, into the future."""
        lane, attempt = run.lane, run.failures + 1
        self.errors[lane.key] = error
        if isinstance(error, DatabaseDamagedError) and self.damage is not None and not self.damage.done():
            self.damage.set_result(error)
        metrics.lane_ended(lane.name, "failed", self._seconds(run))
        wait_s = backoff_s(lane.every_seconds, attempt, error)
        if isinstance(error, DatabaseFaultError):
            self.word.met(lane.name, error)
        elif self.mode == "daemon":  # a pass says it itself
            facts = {"lane": lane.name, "family": lane.family, "error": type(error).__name__}
            log.error("lane.failed", **facts, attempt=attempt, wait_s=wait_s, **why(error))
        return Ending(lane.key, run.job.id, "failed", error=type(error).__name__, next_in_s=wait_s)

    async def _put_down(self, late: Late) -> None:
        """Write how the run ended and let its lock go, also where it is cut off meanwhile."""
        saving, is_cut = asyncio.create_task(self._save_or_keep(late)), False
        while not saving.done():
            try:
                await asyncio.shield(saving)
            except asyncio.CancelledError:
                is_cut = True  # once more, perhaps: whoever cuts off may do so again
        if is_cut:
            raise asyncio.CancelledError

    async def _save_or_keep(self, late: Late) -> None:
        try:
            await self._save(late)
        except DatabaseFaultError as fault:
            # It is written with the next sign of life.
            self.word.met(late.run.lane.name, fault)
            self._late.append(late)
        except Exception as error:
            # What stays of it is found with the next signs of life: a call and a lane of ours that nobody runs.
            log.error("engine.part_failed", part="save", error=type(error).__name__, exc_info=error)

    async def _save(self, late: Late) -> None:
        run, ending = late.run, late.ending
        ours = await self.database.write(partial(engine_rows.end, worker=run.worker, ending=ending))
        await self.queue.finish(run.job.id, well=ending.outcome == "done")
        if not ours:
            log.warning("lane.outlived", lane=run.lane.name)
        elif ending.outcome == "done" and ending.worked > 0:
            self.on_worked(run.lane)

    async def _save_late(self) -> None:
        while self._late:
            await self._save(self._late[0])
            self._late.pop(0)

    # --- the end --------------------------------------------------------------------------------------

    async def rest(self) -> None:
        """Take no more calls; what runs goes on."""
        self.is_stopping = True
        self.look()
        if self._fetching is not None:
            # Never in the middle of a question: a call that was given and not heard of would be nobody's.
            await asyncio.wait({self._fetching}, timeout=LAST_WORD_S)
            self._fetching.cancel()

    async def finish(self, deadline_s: float, hastened: asyncio.Event | None = None) -> list[str]:
        """Wait for the runs until the deadline, or until hastened, then cut them off. Returns the lanes that were."""
        runs = {run.task: run for run in self.runs.values() if run.task is not None}
        if not runs:
            return []
        ended = asyncio.create_task(asyncio.wait(runs))
        waits = {ended} | ({asyncio.create_task(hastened.wait())} if hastened is not None else set())
        await asyncio.wait(waits, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        late = [run for task, run in runs.items() if not task.done()]
        await self._cut(late)
        return [run.lane.name for run in late]

    async def _cut(self, runs: Sequence[Run]) -> None:
        tasks = {run.task: run for run in runs if run.task is not None and not run.task.done()}
        for task in tasks:
            task.cancel()
        if tasks:
            _, deaf = await asyncio.wait(tasks, timeout=CANCEL_GRACE_S)
            for task in deaf:
                log.error("lane.abandoned", lane=tasks[task].lane.name)

    async def close(self) -> None:
        """Say good-bye to the others, and let go of the queue."""
        await self.rest()
        self._is_closed = True
        await end_tasks([*self._parts, *([self._fetching] if self._fetching else [])])
        with suppress(TimeoutError, DatabaseFaultError):
            await asyncio.wait_for(self._part(), LAST_WORD_S)
        with suppress(TimeoutError, DatabaseFaultError):
            await asyncio.wait_for(self.queue.close(), LAST_WORD_S)

    async def _part(self) -> None:
        if self._me is None:
            return
        await self._save_late()
        if not self.runs:  # else the others go by our silence: what does not end here must not begin there yet
            await self._leave(self._me)

    # --- parts ----------------------------------------------------------------------------------------

    def _forever(
        self, part: str, step: Callable[[], Awaitable[None]], every_s: float, woken: asyncio.Event | None = None
    ) -> asyncio.Task[None]:
        return asyncio.create_task(self.repeat(part, step, every_s, woken), name=f"engine {part}")

    async def repeat(
        self, part: str, step: Callable[[], Awaitable[None]], every_s: float, woken: asyncio.Event | None = None
    ) -> None:
        """Do a step again and again, whatever befalls it, until the worker stops: without one of its parts it would seem well."""
        while not self._is_closed and not (self.is_stopping and woken is not None):
            try:
                await step()
                self.word.is_well(f"({part})")
            except DatabaseFaultError as fault:
                self.word.met(f"({part})", fault)
            except Exception as error:
                log.error("engine.part_failed", part=part, error=type(error).__name__, exc_info=error)
            self.turned_at[part] = self.monotonic()
            if woken is None:
                await asyncio.sleep(every_s)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), every_s)
            woken.clear()

    def _seconds(self, run: Run) -> float:
        return round(self.monotonic() - run.started_at, 3)


async def end_tasks(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel these and wait for their ends, some seconds at most; asked again and again, since a wait that is cancelled in the
    moment it ends swallows that (`asyncio.wait_for` before Python 3.12, which the libraries use too)."""
    left = {task for task in tasks if not task.done()}
    for _ in range(END_TRIES):
        for task in left:
            task.cancel()
        if not left:
            return
        _, left = await asyncio.wait(left, timeout=LAST_WORD_S / END_TRIES)


def entries_of(lanes: Sequence[Lane]) -> list[LaneEntry]:
    """Lanes as their rows have them."""
    return [LaneEntry(lane.key, lane.every_seconds, lane.stuck_after_seconds) for lane in lanes]
