"""Whether the lanes really run: what a dead-man's switch elsewhere is told. Pure; all times are monotonic seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PATIENCE_S: Final = 960.0
"""A lane that failed waits up to fifteen minutes; one not called for longer than that beyond its pace is forgotten."""
FAILING_S: Final = 1_800.0


class Sign(StrEnum):
    WELL = "well"
    FAILING = "failing"
    """A lane raises again and again: somebody should look, but the program lives."""
    HANGING = "hanging"
    """A lane hangs, or is never called: no sign of life."""


@dataclass(frozen=True, slots=True)
class LaneLife:
    """What is known of one lane. `called_s`: when its last run ended, or when it was made."""

    name: str
    every_s: float
    stuck_after_s: float
    called_s: float
    running_since_s: float | None = None
    failing_since_s: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The sign, and the lanes it is for."""

    sign: Sign
    lanes: tuple[str, ...] = ()


def judge(lanes: Sequence[LaneLife], now_s: float) -> Judgement:
    """What to say of these lanes."""
    hanging = tuple(lane.name for lane in lanes if _hangs(lane, now_s))
    if hanging:
        return Judgement(Sign.HANGING, hanging)
    failing = tuple(
        lane.name for lane in lanes if lane.failing_since_s is not None and now_s - lane.failing_since_s >= FAILING_S
    )
    return Judgement(Sign.FAILING, failing) if failing else Judgement(Sign.WELL)


def _hangs(lane: LaneLife, now_s: float) -> bool:
    if lane.running_since_s is not None:
        return now_s - lane.running_since_s > lane.stuck_after_s
    return now_s - lane.called_s > lane.every_s + PATIENCE_S
