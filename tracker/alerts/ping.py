"""A dead-man's switch elsewhere is told that the lanes run; when this falls silent, it rings.

In the style of healthchecks.io: POST to the address for "well", to `/fail` below it for "lanes fail". Nothing is sent while a
lane hangs. That the address does not answer fails nothing here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

import httpx
import structlog

from tracker.clock import monotonic_s
from tracker.domain.lifesigns import Judgement, LaneLife, Sign, judge
from tracker.store.database import Database
from tracker.store.engine_rows import database_now
from tracker.store.engine_rows import lanes as lane_rows

log = structlog.get_logger(__name__)
EARLY: Final = 0.9
"""A lane may be called early, when others have worked: a ping then waits for its own time."""
_TIMEOUT: Final = httpx.Timeout(10.0)
Run = Callable[[datetime], Awaitable[int]]


@dataclass
class Watch:
    """Sees when each lane begins and ends."""

    monotonic: Callable[[], float] = monotonic_s
    lives: dict[str, LaneLife] = field(default_factory=dict)

    def over(self, name: str, run: Run, every_s: float, stuck_after_s: float) -> Run:
        """The lane's body, seen."""
        self.lives[name] = LaneLife(name, every_s, stuck_after_s, self.monotonic())

        async def seen(now: datetime) -> int:
            self.lives[name] = replace(self.lives[name], running_since_s=self.monotonic())
            failing_since: float | None = self.lives[name].failing_since_s
            try:
                worked = await run(now)
            except Exception:
                failing_since = failing_since if failing_since is not None else self.monotonic()
                raise
            else:
                failing_since = None
                return worked
            finally:
                self.lives[name] = replace(
                    self.lives[name],
                    called_s=self.monotonic(),
                    running_since_s=None,
                    failing_since_s=failing_since,
                )

        return seen

    async def look(self) -> list[LaneLife]:
        """Every lane as it is now."""
        return list(self.lives.values())


@dataclass
class SharedWatch:
    """Sees the lanes of several processes: by their rows, since each may run anywhere."""

    database: Database
    monotonic: Callable[[], float] = monotonic_s
    _known_s: dict[str, float] = field(default_factory=dict)

    async def look(self) -> list[LaneLife]:
        """Every lane as it is now; one that nobody has run yet was called when this was asked first."""
        now, rows = await self.database.read(lambda connection: (database_now(connection), lane_rows(connection)))
        here = self.monotonic()

        def seconds(instant: datetime | None) -> float | None:
            return None if instant is None else here - (now - instant).total_seconds()

        return [
            LaneLife(
                name=row.name,
                every_s=row.every_s,
                stuck_after_s=row.stuck_after_s,
                called_s=seconds(row.ended_at) or self._known_s.setdefault(row.name, here),
                running_since_s=seconds(row.started_at) if row.holder else None,
                failing_since_s=seconds(row.failing_since),
            )
            for row in rows
        ]


class LaneWatch(Protocol):
    """Who knows how the lanes are."""

    @property
    def monotonic(self) -> Callable[[], float]: ...

    async def look(self) -> list[LaneLife]: ...


@dataclass
class PingSweep:
    """The lane `ping`."""

    url: str = field(repr=False)
    every_s: float
    watch: LaneWatch
    _sent_s: float | None = None
    _is_answered: bool = True

    async def run(self, now: datetime) -> int:
        """Ping, where it is time and the lanes run. Always 0: nothing follows from it for other lanes."""
        here = self.watch.monotonic()
        if self._sent_s is not None and here - self._sent_s < self.every_s * EARLY:
            return 0
        lives = await self.watch.look()
        judged = judge(lives, here)
        if judged.sign is Sign.HANGING:
            log.error("ping.withheld", lanes=list(judged.lanes))
            return 0
        self._sent_s = here
        reason = await self._send(judged, len(lives))
        if reason is not None and self._is_answered:
            log.warning("ping.unanswered", reason=reason)
        self._is_answered = reason is None
        return 0

    async def _send(self, judged: Judgement, lanes: int) -> str | None:
        """Why it was not taken; None where it was."""
        address = httpx.URL(self.url)
        body = f"{lanes} lanes run"
        if judged.sign is Sign.FAILING:
            address = address.copy_with(path=f"{address.path.rstrip('/')}/fail")
            body = f"failing: {', '.join(judged.lanes)}"
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT, follow_redirects=False) as client:
                answer = await client.post(address, content=body.encode())
        except httpx.HTTPError as exc:
            return type(exc).__name__
        return None if answer.is_success else f"HTTP {answer.status_code}"
