"""`run --once`: one full pass over all lanes with the time standing still."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from structlog.contextvars import bound_contextvars

from tracker.engine.base import Lane, check_names, why
from tracker.errors import DatabaseFaultError
from tracker.log import get_logger

log = get_logger(__name__)

MAX_ROUNDS: Final = 20
"""Work that goes on after so many rounds makes itself: a fault, not a backlog (design.md section 5)."""


@dataclass(frozen=True)
class OnceResult:
    """What one pass came to."""

    rounds: int
    worked: Mapping[str, int]
    """Rows worked on, by lane; lanes that found nothing are absent."""
    failed: tuple[str, ...]
    """Lanes that raised; the log says why."""
    busy: tuple[str, ...]
    """Lanes that still found work in the last round allowed."""

    @property
    def exit_code(self) -> int:
        """0 when every lane came to rest, else 1."""
        return 1 if self.failed or self.busy else 0


async def run_once(
    lanes: Sequence[Lane], now: datetime, *, wait_settled: Callable[[], Awaitable[bool]] | None = None
) -> OnceResult:
    """Repeat the lanes from left to right until a whole round worked on nothing.

    A lane that raises is logged and left out of the rest of the pass; the others go on. Without a database none can:
    DatabaseFaultError ends the pass.

    Args:
        lanes: from left to right.
        now: the instant every lane of every round is given.
        wait_settled: asked after a quiet round: waits for what is still arriving (a file being copied into the inbox) and
            says whether that calls for another round. What it raises ends the pass: it is the caller's own.
    """
    check_names(lanes)
    worked: Counter[str] = Counter()
    failed: list[str] = []
    for number in range(1, MAX_ROUNDS + 1):
        found = await _round([lane for lane in lanes if lane.name not in failed], now, failed)
        worked.update(found)
        if not found and not (wait_settled is not None and await wait_settled()):
            return _result(number, worked, failed, ())
    return _result(MAX_ROUNDS, worked, failed, tuple(found))


async def _round(lanes: Sequence[Lane], now: datetime, failed: list[str]) -> dict[str, int]:
    """Run each lane once; returns the rows of those that worked, and adds those that raised to *failed*."""
    found: dict[str, int] = {}
    for lane in lanes:
        with bound_contextvars(lane=lane.name):
            try:
                rows = await lane.run(now)
            except DatabaseFaultError:
                raise
            except Exception as exc:
                failed.append(lane.name)
                log.error("lane.failed", lane=lane.name, family=lane.family, error=type(exc).__name__, **why(exc))
                continue
        if rows > 0:
            found[lane.name] = rows
    return found


def _result(rounds: int, worked: Counter[str], failed: Sequence[str], busy: tuple[str, ...]) -> OnceResult:
    result = OnceResult(rounds, dict(worked), tuple(failed), busy)
    if busy:
        log.error("pass.unsettled", rounds=rounds, lanes=list(busy))
    log.info("pass.done", rounds=rounds, worked=result.worked, failed=list(failed))
    return result
