"""The default engine: APScheduler in the daemon's own event loop. One process, nothing else to install.

APScheduler only says when to look; a look starts the lane's run as a task of ours, unless one still goes. So its traps do not
reach the lanes: it cancels running jobs when it is shut down, it swallows cancellation, and it warns at every overlap.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from structlog.contextvars import bound_contextvars

from tracker import metrics
from tracker.clock import Clock, SystemClock, monotonic_s
from tracker.engine.base import DatabaseWord, Health, Lane, LaneHealth, backoff_s, check_names, is_cancelled, why
from tracker.errors import DatabaseDamagedError, DatabaseFaultError
from tracker.log import get_logger

log = get_logger(__name__)

JITTER_SHARE: Final = 0.1
MAX_JITTER_S: Final = 5.0
FIRST_LOOKS_APART_S: Final = 0.05
"""At the start the lanes are looked at from left to right, so that the first round already finds what the first lanes did."""
KICK_AFTER_S: Final = 0.05
"""Kicks that come together make one run."""
CLOCK_CHECK_S: Final = 5.0
JUMP_S: Final = 2.0
"""The wall clock may stray this far from the monotonic one before it counts as a jump; NTP slews slower than that."""
OVERDUE_S: Final = 60.0
CANCEL_GRACE_S: Final = 5.0
"""How long a cancelled lane has to put its things down."""


class _Pace(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """The next look is an interval after this one, never after a past one.

    APScheduler's own IntervalTrigger walks through every interval between two instants: when a machine without a battery
    clock goes from 1970 to today, that blocks the loop for minutes.
    """

    def __init__(self, every_s: float, uniform: Callable[[float, float], float]) -> None:
        self._every_s = every_s
        self._uniform = uniform

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The instant of the next look, as APScheduler asks for it."""
        jitter_s = self._uniform(0, min(self._every_s * JITTER_SHARE, MAX_JITTER_S))
        return now + timedelta(seconds=self._every_s + jitter_s)


@dataclass
class _Slot:
    """What the engine knows of one lane. Times are monotonic seconds unless they say otherwise."""

    lane: Lane
    looked_at: float
    wait_s: float
    """The next look comes within so many seconds of `looked_at`, jitter aside."""
    task: asyncio.Task[None] | None = None
    started_at: float = 0.0
    is_kicked: bool = False
    """Work came while it ran."""
    failures: int = 0
    last_finished_at: datetime | None = None
    outcome: str = ""
    begun_at: datetime | None = None
    """By the machine's clock, as are the two others."""
    ended_at: datetime | None = None
    worked: int = 0
    worked_in_all: int = 0
    error: str = ""

    @property
    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()


class LocalEngine:
    """Runs lanes in this process."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        clock: Clock,
        stop: asyncio.Event | None = None,
        wall: Clock | None = None,
        monotonic: Callable[[], float] = monotonic_s,
        uniform: Callable[[float, float], float] = random.uniform,
        clock_check_s: float = CLOCK_CHECK_S,
        is_part: bool = False,
    ) -> None:
        """
        Args:
            lanes: from left to right.
            clock: tells the lanes the time; a trial's where there is one.
            stop: set when the engine begins to drain, so that a lane with hours of work can end after the batch at hand.
            wall: the machine's clock, which APScheduler goes by.
            monotonic: seconds that only go forward.
            uniform: draws the jitter between two numbers.
            clock_check_s: how often the wall clock is looked at.
            is_part: of another engine, which tells of its start and its end itself.
        """
        check_names(lanes)
        self._clock = clock
        self._wall = wall or SystemClock()
        self._monotonic = monotonic
        self._uniform = uniform
        self._clock_check_s = clock_check_s
        self._is_part = is_part
        self._stop = stop or asyncio.Event()
        self._hasten = asyncio.Event()
        self._met_damage = asyncio.Event()
        self._damage: DatabaseDamagedError | None = None
        self._database = DatabaseWord()
        self._order: list[str] = []
        self._slots: dict[str, _Slot] = {}
        self._leftover: set[asyncio.Task[None]] = set()
        """Runs of lanes that are no longer ours."""
        self._lanes = list(lanes)
        self._watcher: asyncio.Task[None] | None = None
        self._offset_s = 0.0
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    async def start(self) -> None:
        """Begin; returns at once."""
        self._offset_s = self._wall_offset_s()
        self._scheduler.start()
        self.replace_lanes(self._lanes)
        self._watcher = asyncio.create_task(self._watch_clock(), name="clock watcher")
        if not self._is_part:
            log.info("engine.started", lanes=len(self._order))

    async def drain(self, deadline_s: float) -> tuple[str, ...]:
        """Start nothing more, wait for what runs, end it at the deadline, stop. Returns the lanes that were cut off."""
        self._stop.set()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._scheduler.running:
            self._scheduler.pause()
        running = self._running()
        if not self._is_part:
            log.info("engine.draining", running=sorted(_lane_name(task) for task in running), deadline_s=deadline_s)
        cut = await self._await_runs(running, deadline_s)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
            await asyncio.sleep(0)  # the shutdown itself waits for its turn in the loop
        if not self._is_part:
            log.info("engine.stopped", cut_off=list(cut))
        return cut

    def hasten(self) -> None:
        """Let the running drain, or the one to come, wait no longer."""
        self._hasten.set()

    def kick(self, lane_name: str) -> None:
        """Look at a lane soon. One that failed keeps its waiting time: new work does not mend what is broken."""
        slot = self._slots.get(lane_name)
        if slot is None or slot.failures:
            return
        if slot.is_running:
            slot.is_kicked = True
        else:
            self._look_in(slot, KICK_AFTER_S)

    def replace_lanes(self, lanes: Sequence[Lane]) -> set[asyncio.Task[None]]:
        """Work by these lanes from now on. Returns the runs of the old ones that still go."""
        check_names(lanes)
        if not self._scheduler.running:
            self._lanes = list(lanes)
            return set()
        going = self._running()
        names = [lane.name for lane in lanes]
        for name in set(self._slots) - set(names):
            self._drop(name)
        self._order = names
        for place, lane in enumerate(lanes):
            self._put(lane, place * FIRST_LOOKS_APART_S)
        return going

    def health(self) -> Health:
        """How every lane is."""
        return Health(tuple(self._lane_health(self._slots[name]) for name in self._order), self._database.fault)

    async def hopeless(self) -> DatabaseDamagedError:
        """Wait until a lane meets what no repetition mends; returns it."""
        await self._met_damage.wait()
        assert self._damage is not None
        return self._damage

    def _put(self, lane: Lane, after_s: float) -> None:
        """Take a lane in, or give a known one its new body; either way it is looked at soon and starts afresh."""
        slot = self._slots.get(lane.name)
        if slot is None:
            slot = self._slots[lane.name] = _Slot(lane, self._monotonic(), after_s)
            # A lane that was taken out and comes back while its old run still goes must not run beside it.
            slot.task = next((task for task in self._leftover if _lane_name(task) == lane.name), None)
            slot.started_at = self._monotonic()
        slot.lane = lane
        slot.failures = 0
        slot.is_kicked = slot.is_running
        trigger = _Pace(lane.every_seconds, self._uniform)
        self._scheduler.add_job(self._look, trigger, args=[lane.name], id=lane.name, replace_existing=True)
        self._look_in(slot, after_s)

    def _drop(self, name: str) -> None:
        slot = self._slots.pop(name)
        self._database.forget(name)
        self._scheduler.remove_job(name)
        if slot.task is not None and slot.is_running:
            self._leftover.add(slot.task)
            slot.task.add_done_callback(self._leftover.discard)

    def _look_in(self, slot: _Slot, seconds: float) -> None:
        """Look at a lane after so many seconds instead of at its usual time."""
        slot.looked_at = self._monotonic()
        slot.wait_s = seconds
        self._scheduler.modify_job(slot.lane.name, next_run_time=self._wall.now() + timedelta(seconds=seconds))

    async def _look(self, name: str) -> None:
        """APScheduler's job: start the lane's run, unless one goes."""
        slot = self._slots.get(name)
        if slot is None or self._stop.is_set():
            return
        slot.looked_at = self._monotonic()
        slot.wait_s = slot.lane.every_seconds
        if not slot.is_running:
            slot.started_at, slot.begun_at = slot.looked_at, self._wall.now()
            slot.task = asyncio.create_task(self._run(slot), name=_task_name(name))

    async def _run(self, slot: _Slot) -> None:
        """One run of a lane, and what follows from it for the next one and for its neighbours."""
        lane = slot.lane
        slot.is_kicked = False
        with bound_contextvars(lane=lane.name):
            try:
                worked = await lane.run(self._clock.now())
            except asyncio.CancelledError as exc:
                if is_cancelled():
                    log.warning("lane.cut_off", lane=lane.name, running_s=self._running_s(slot))
                    metrics.lane_ended(lane.name, "cut_off", self._running_s(slot))
                    raise
                self._failed(slot, lane, exc)  # something inside the lane was cancelled, not the lane
            except Exception as exc:
                self._failed(slot, lane, exc)
            else:
                self._finished(slot, lane, worked)

    def _finished(self, slot: _Slot, lane: Lane, worked: int) -> None:
        log.debug("lane.done", lane=lane.name, worked=worked, elapsed_ms=round(self._running_s(slot) * 1000))
        metrics.lane_ended(lane.name, "done", self._running_s(slot), worked)
        if slot.failures and lane.name not in self._database:
            log.info("lane.recovered", lane=lane.name, failures=slot.failures)
        self._database.is_well(lane.name)
        slot.failures = 0
        slot.last_finished_at = slot.ended_at = self._wall.now()
        slot.outcome, slot.worked, slot.error = "done", worked, ""
        slot.worked_in_all += worked
        if self._stop.is_set() or self._slots.get(lane.name) is not slot:
            return
        if slot.is_kicked:
            self._look_in(slot, KICK_AFTER_S)
        if worked > 0:
            for name in self._order[self._order.index(lane.name) + 1 :]:
                self.kick(name)

    def _failed(self, slot: _Slot, lane: Lane, error: BaseException) -> None:
        """Push this lane, and no other, into the future."""
        if isinstance(error, DatabaseDamagedError):
            self._damage = error
            self._met_damage.set()
        metrics.lane_ended(lane.name, "failed", self._running_s(slot))
        slot.failures += 1
        slot.ended_at, slot.outcome, slot.worked, slot.error = self._wall.now(), "failed", 0, type(error).__name__
        wait_s = backoff_s(lane.every_seconds, slot.failures, error)
        facts = {"lane": lane.name, "family": lane.family, "error": type(error).__name__}
        if isinstance(error, DatabaseFaultError):
            self._database.met(lane.name, error)
        else:
            log.error("lane.failed", **facts, attempt=slot.failures, wait_s=wait_s, **why(error))
        if not self._stop.is_set() and self._slots.get(lane.name) is slot:
            self._look_in(slot, wait_s)

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(self._clock_check_s)
            self._mind_clock()

    def _mind_clock(self) -> None:
        """After the wall clock went back, APScheduler would wait until it has caught up: pull its looks in.

        Forward it needs no help: what came due by the jump is looked at once.
        """
        jump_s = self._wall_offset_s() - self._offset_s
        if abs(jump_s) < JUMP_S:
            return
        self._offset_s += jump_s
        log.warning("clock.jumped", jump_s=round(jump_s, 1))
        now, here = self._wall.now(), self._monotonic()
        for slot in self._slots.values():
            job = self._scheduler.get_job(slot.lane.name)
            rest_s = max(slot.looked_at + slot.wait_s - here, 0.0)
            latest = now + timedelta(seconds=rest_s)
            if job.next_run_time > latest:
                job.modify(next_run_time=latest)

    def _wall_offset_s(self) -> float:
        return self._wall.now().timestamp() - self._monotonic()

    def _running(self) -> set[asyncio.Task[None]]:
        mine = {slot.task for slot in self._slots.values() if slot.task is not None and slot.is_running}
        return mine | {task for task in self._leftover if not task.done()}

    def _running_s(self, slot: _Slot) -> float:
        return round(self._monotonic() - slot.started_at, 3)

    def _lane_health(self, slot: _Slot) -> LaneHealth:
        running_s = self._running_s(slot) if slot.is_running else None
        return LaneHealth(
            name=slot.lane.name,
            running_s=running_s,
            last_finished_at=slot.last_finished_at,
            failures=slot.failures,
            is_stuck=running_s is not None and running_s > slot.lane.stuck_after_seconds,
            is_overdue=not self._stop.is_set()
            and self._monotonic() - slot.looked_at > slot.wait_s + MAX_JITTER_S + OVERDUE_S,
            outcome=slot.outcome,
            started_at=slot.begun_at,
            ended_at=slot.ended_at,
            worked=slot.worked,
            worked_in_all=slot.worked_in_all,
            error=slot.error,
        )

    async def _await_runs(self, running: set[asyncio.Task[None]], deadline_s: float) -> tuple[str, ...]:
        """Wait for these runs until the deadline or until hastened, then cancel them. Returns the names of the cancelled."""
        if not running:
            return ()
        hastened = asyncio.create_task(self._hasten.wait())
        ended = asyncio.create_task(asyncio.wait(running))
        await asyncio.wait({hastened, ended}, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        hastened.cancel()
        ended.cancel()
        late = {task for task in running if not task.done()}
        for task in late:
            task.cancel()
        if late:
            _, deaf = await asyncio.wait(late, timeout=CANCEL_GRACE_S)
            for task in deaf:
                log.error("lane.abandoned", lane=_lane_name(task))
        return tuple(sorted(_names(late)))


def _task_name(lane_name: str) -> str:
    return f"lane {lane_name}"


def _lane_name(task: asyncio.Task[Any]) -> str:
    return task.get_name().removeprefix("lane ")


def _names(tasks: Iterable[asyncio.Task[Any]]) -> set[str]:
    return {_lane_name(task) for task in tasks}
