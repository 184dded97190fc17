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

from tracker.errors import DatabaseDamagedError, ProgramError

STUCK_AFTER_S: Final = 6 * 3600.0
"""One run of a lane may take this long. A million shipments at five requests a second are an hour of honest work, and
every network call and statement has its own, much shorter limit: what still runs after six hours hangs."""


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

    def __post_init__(self) -> None:
        if not self.name or self.every_seconds <= 0 or self.stuck_after_seconds <= 0:
            raise ValueError(f"a lane needs a name and positive times: {self!r}")


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


@dataclass(frozen=True)
class Health:
    """How the engine is. A lane that fails is not ill: it waits and is tried again."""

    lanes: tuple[LaneHealth, ...]

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


def check_names(lanes: Sequence[Lane]) -> None:
    """Raise ValueError where two lanes share a name: that name is what keeps them from running twice at once."""
    names = [lane.name for lane in lanes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two lanes with one name: {', '.join(twice)}")
