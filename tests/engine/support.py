"""Lanes that do what a test tells them, and time that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tracker.engine.base import Lane

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Script:
    """A lane's body: each run takes the next step, a number of rows or an error; after the last, it finds nothing."""

    def __init__(self, name: str, steps: Sequence[int | Exception] = (), every_s: float = 3600.0) -> None:
        self.steps = list(steps)
        self.seen: list[datetime] = []
        self.ran = asyncio.Event()
        self.lane = Lane(name, self.run, every_s, family=f"{name} family")

    async def run(self, now: datetime) -> int:
        self.seen.append(now)
        self.ran.set()
        step = self.steps.pop(0) if self.steps else 0
        if isinstance(step, Exception):
            raise step
        return step

    async def next_run(self) -> None:
        """Wait until it was run once more."""
        self.ran.clear()
        await asyncio.wait_for(self.ran.wait(), 5)


class Gate:
    """A lane's body that waits in the middle of its work until it is let go."""

    def __init__(self, name: str, every_s: float = 3600.0, stuck_after_s: float = 3600.0) -> None:
        self.entered = asyncio.Event()
        self.go = asyncio.Event()
        self.started = 0
        self.ended = 0
        self.inside = 0
        self.most_inside = 0
        self.lane = Lane(name, self.run, every_s, stuck_after_seconds=stuck_after_s)

    async def run(self, _now: datetime) -> int:
        self.started += 1
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.entered.set()
        try:
            await self.go.wait()
            self.ended += 1
            return 0
        finally:
            self.inside -= 1


class Time:
    """The machine's two clocks: the wall, which jumps, and the monotonic one, which goes on."""

    def __init__(self) -> None:
        self.shift = timedelta(0)
        self.extra_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.extra_s


async def until(condition: object, *, turns: int = 2000) -> None:
    """Let the loop turn until `condition()` holds; fails after five seconds at most."""
    assert callable(condition)
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0.0025)
    raise AssertionError("it did not come to that")
