"""Keeps the numbers that need the database, so that a scrape asks it nothing and no scraper can keep it busy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from tracker.clock import Clock, SystemClock, monotonic_s
from tracker.engine.base import HERE, Lane
from tracker.store import gauges
from tracker.store.database import Database

LANE: Final = "counts"
EVERY_S: Final = 15.0
LEAST_S: Final = 10.0
"""Looks that the lane's neighbours ask for come to nothing sooner than this."""
SLOW_EVERY_S: Final = 60.0
SLOW_SHARE: Final = 100
"""What is counted row by row takes at most one part in so many of one reader's time: a count of 3 s comes every five minutes."""


class Counts:
    """The newest numbers; one of these lives as long as the daemon, its lane as long as a configuration."""

    def __init__(
        self, ended: Sequence[str], *, wall: Clock | None = None, monotonic: Callable[[], float] = monotonic_s
    ) -> None:
        """
        Args:
            ended: the statuses of parcels that travel no more.
            wall: the machine's clock, by which the numbers are dated.
            monotonic: seconds that only go forward.
        """
        self.quick: gauges.Quick | None = None
        self.slow: gauges.Slow | None = None
        self.counted_at: dict[str, datetime] = {}
        """When each group of numbers was counted, by `quick` and `slow`."""
        self.program_now: datetime | None = None
        """The instant that the quick numbers were counted for, by the clock the program works by."""
        self._ended = tuple(ended)
        self._wall = wall or SystemClock()
        self._monotonic = monotonic
        self._quick_after = self._monotonic()
        # The first looks at carriers come first.
        self._slow_after = self._quick_after + LEAST_S

    def lane(self, database: Database, carriers: Sequence[str], channels: Sequence[str]) -> Lane:
        """The lane that counts, for one configuration's database and carrier accounts."""
        run = partial(self._run, database, tuple(carriers), tuple(channels))
        return Lane(LANE, run, EVERY_S, place=HERE)

    async def _run(self, database: Database, carriers: Sequence[str], channels: Sequence[str], now: datetime) -> int:
        """Count what is due; never any work for other lanes, so 0."""
        if self._monotonic() < self._quick_after:
            return 0
        self.quick = await database.read(partial(gauges.quick, carriers=carriers, channels=channels, now=now))
        self.program_now = now
        self.counted_at["quick"] = self._wall.now()
        self._quick_after = self._monotonic() + LEAST_S
        if self._monotonic() >= self._slow_after:
            await self._count_slowly(database, carriers, now)
        return 0

    async def _count_slowly(self, database: Database, carriers: Sequence[str], now: datetime) -> None:
        started = self._monotonic()
        self.slow = await database.read(partial(gauges.slow, carriers=carriers, ended=self._ended, now=now))
        self.counted_at["slow"] = self._wall.now()
        ended = self._monotonic()
        self._slow_after = ended + max(SLOW_EVERY_S, (ended - started) * SLOW_SHARE)

    def due_words(self) -> str:
        """What is due now, for one line of `systemctl status`; empty where nothing is."""
        if self.quick is None:
            return ""
        queues: Mapping[str, gauges.Due] = {f"looks {name}": due for name, due in self.quick.looks.items()}
        found = {**queues, **self.quick.queues}
        return ", ".join(f"{due.count} {name}" for name, due in found.items() if due.count)
