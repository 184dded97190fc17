"""A dead-man's switch elsewhere is told that the lanes run; when this falls silent, it rings.

In the style of healthchecks.io: POST to the address for "well", to `/fail` below it for "lanes fail". Nothing is sent while a
lane hangs. That the address does not answer fails nothing here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import httpx
import structlog

from tracker.clock import monotonic_s
from tracker.domain.lifesigns import Judgement, LaneLife, Sign, judge

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


@dataclass
class PingSweep:
    """The lane `ping`."""

    url: str = field(repr=False)
    every_s: float
    watch: Watch
    _sent_s: float | None = None
    _is_answered: bool = True

    async def run(self, now: datetime) -> int:
        """Ping, where it is time and the lanes run. Always 0: nothing follows from it for other lanes."""
        here = self.watch.monotonic()
        if self._sent_s is not None and here - self._sent_s < self.every_s * EARLY:
            return 0
        judged = judge(list(self.watch.lives.values()), here)
        if judged.sign is Sign.HANGING:
            log.error("ping.withheld", lanes=list(judged.lanes))
            return 0
        self._sent_s = here
        reason = await self._send(judged)
        if reason is not None and self._is_answered:
            log.warning("ping.unanswered", reason=reason)
        self._is_answered = reason is None
        return 0

    async def _send(self, judged: Judgement) -> str | None:
        """Why it was not taken; None where it was."""
        address = httpx.URL(self.url)
        body = f"{len(self.watch.lives)} lanes run"
        if judged.sign is Sign.FAILING:
            address = address.copy_with(path=f"{address.path.rstrip('/')}/fail")
            body = f"failing: {', '.join(judged.lanes)}"
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT, follow_redirects=False) as client:
                answer = await client.post(address, content=body.encode())
        except httpx.HTTPError as exc:
            return type(exc).__name__
        return None if answer.is_success else f"HTTP {answer.status_code}"
