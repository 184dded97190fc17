"""What an engine is: something that runs lanes, each never twice at once.

A lane is a named piece of repeating work. Jobs carry keys only and the truth is in the rows, so a lane can die at any
line and be run again; that is why an engine needs no memory of its own.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from tracker.errors import DatabaseDamagedError, DatabaseFaultError, ProgramError
from tracker.log import get_logger

log = get_logger(__name__)

STUCK_AFTER_S: Final = 6 * 3600.0
"""One run of a lane may take this long. A million shipments at five requests a second are an hour of honest work, and
every network call and statement has its own, much shorter limit: what still runs after six hours hangs."""
MIN_BACKOFF_S: Final = 5.0
MAX_BACKOFF_S: Final = 900.0
MAX_DATABASE_BACKOFF_S: Final = 60.0
"""A full disk that has room again is noticed within so long; to ask costs the database next to nothing."""
HERE: Final = "here"
"""The place of a lane that every process has for itself: it keeps numbers in this process's memory."""


@dataclass(frozen=True)
class Lane:
    """One piece of repeating work.

    Lanes stand in a sequence from left to right, as the data goes: work done in one may be work found by those after it.
    """

    name: str
    """Unique: `intake:inbox`, `detect#3`."""
    run: Callable[[datetime], Awaitable[int]]
    """Does all that is due at that instant, in batches; returns how many rows it worked on."""
    every_seconds: float
    """How long after one look the next one comes, where nothing calls earlier."""
    family: str | None = None
    """The carrier account's API family that this lane alone calls; None for work inside the house."""
    stuck_after_seconds: float = STUCK_AFTER_S
    place: str = ""
    """Where it may run when several machines share the lanes: `''` anywhere, `HERE`, or the mark of a folder: each machine
    that sees that folder, one at a time."""
    forget: Callable[[], None] = lambda: None
    """Called before a run where another process has run the lane since: what this one remembers of its own runs is old."""

    def __post_init__(self) -> None:
        if not self.name or self.every_seconds <= 0 or self.stuck_after_seconds <= 0:
            raise ValueError(f"a lane needs a name and positive times: {self!r}")

    @property
    def key(self) -> str:
        """What keeps it from running twice at once: its name, with the place where that is a folder's."""
        return f"{self.name}@{self.place}" if self.place and self.place != HERE else self.name


@dataclass(frozen=True)
class LaneHealth:
    """How one lane is. Durations in seconds."""

    name: str
    running_s: float | None
    """None: it waits for its turn."""
    last_finished_at: datetime | None
    """When its last run ended without an error, by the machine's clock."""
    failures: int
    """Runs in a row that raised."""
    is_stuck: bool
    """One run takes longer than the lane's own bound."""
    is_overdue: bool
    """It should have been looked at long ago: the scheduler itself does not work."""
    outcome: str = ""
    """How its last run ended: `done`, `failed`; `''`: none has ended yet."""
    started_at: datetime | None = None
    """When its last run began, by the machine's clock."""
    ended_at: datetime | None = None
    worked: int = 0
    """Rows that the last run worked on."""
    worked_in_all: int = 0
    error: str = ""
    """The kind of its last error, where that run failed."""


@dataclass(frozen=True)
class Health:
    """How the engine is. A lane that fails is not ill: it waits and is tried again."""

    lanes: tuple[LaneHealth, ...]
    database_fault: str = ""
    """What keeps lanes from the database now, in one sentence; `''`: nothing does."""

    @property
    def ill(self) -> tuple[str, ...]:
        """The names of the lanes that hang or are never called."""
        return tuple(lane.name for lane in self.lanes if lane.is_stuck or lane.is_overdue)

    @property
    def is_alive(self) -> bool:
        """Whether every lane gets its turns and ends them."""
        return not self.ill


class Engine(Protocol):
    """Runs lanes until it is drained."""

    async def start(self) -> None:
        """Begin; returns at once."""
        ...

    async def drain(self, deadline_s: float) -> tuple[str, ...]:
        """Start nothing more, wait for what runs, end it at the deadline, stop. Returns the lanes that were cut off."""
        ...

    def hasten(self) -> None:
        """Let the running drain, or the one to come, wait no longer."""
        ...

    def kick(self, lane_name: str) -> None:
        """Look at a lane soon, for it has work now; once more after the present run where it runs."""
        ...

    def replace_lanes(self, lanes: Sequence[Lane]) -> set[asyncio.Task[None]]:
        """Work by these lanes from now on. Returns the runs of the old ones that still go.

        What only the old lanes use may be closed once these runs are done. A name that stays is never run twice at once.
        """
        ...

    def health(self) -> Health:
        """How every lane is."""
        ...

    async def hopeless(self) -> DatabaseDamagedError:
        """Wait until a lane meets what no repetition mends; returns it."""
        ...


_SURROUNDINGS: Final = frozenset(
    (
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EEXIST,
    )
)
"""What a disk answers that is full, read-only, broken or not there, or where something else lies in a folder's place."""


def why(error: BaseException) -> dict[str, Any]:
    """What a log line says of a lane's error: one sentence where a person can do something, else where it is in the code."""
    if isinstance(error, ProgramError):
        return {"reason": str(error)}
    if isinstance(error, OSError) and error.filename is not None and error.errno in _SURROUNDINGS:
        advice = "check that the disk is mounted, has room and may be written by this user; then it goes on by itself"
        return {"reason": f"{error.filename}: {error.strerror}; {advice}"}
    return {"exc_info": error}


def backoff_s(every_s: float, failures: int, error: BaseException) -> float:
    """How long a lane waits that has now failed so many times in a row: ever longer, and never shorter than its own pace."""
    wait_s = min(max(every_s, MIN_BACKOFF_S) * 2.0 ** min(failures - 1, 16), MAX_BACKOFF_S)
    if isinstance(error, DatabaseFaultError):
        wait_s = min(wait_s, MAX_DATABASE_BACKOFF_S)
    return max(wait_s, every_s)


def is_cancelled() -> bool:
    """Whether somebody cancelled this very task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class DatabaseWord:
    """Every lane meets the same fault of the database: it is said once, until all of them work again."""

    def __init__(self) -> None:
        self._fault = ""
        self._at_fault: set[str] = set()
        """Lanes whose newest run met it."""

    def __contains__(self, lane: object) -> bool:
        return lane in self._at_fault

    @property
    def fault(self) -> str:
        """What stands, in one sentence; `''`: nothing does."""
        return self._fault if self._at_fault else ""

    def met(self, lane: str, fault: DatabaseFaultError) -> None:
        """This lane met it."""
        if not self._at_fault or str(fault) != self._fault:
            log.error("database.unusable", error=type(fault).__name__, reason=str(fault))
        else:
            log.debug("lane.waits", lane=lane)
        self._fault = str(fault)
        self._at_fault.add(lane)

    def is_well(self, lane: str) -> None:
        """A lane that only looks may work beside a full disk: it is over when none of those that met it does any more."""
        if lane not in self._at_fault:
            return
        self._at_fault.discard(lane)
        if not self._at_fault:
            log.info("database.usable")

    def forget(self, lane: str) -> None:
        """There is no such lane any more."""
        self._at_fault.discard(lane)


def check_names(lanes: Sequence[Lane]) -> None:
    """Raise ValueError where two lanes share a name: that name is what keeps them from running twice at once."""
    names = [lane.name for lane in lanes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two lanes with one name: {', '.join(twice)}")
