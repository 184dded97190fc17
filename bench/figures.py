"""Figures and their table."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `target` None: for information only."""

    work: str
    value: float
    unit: str
    target: float | None
    at_least: bool
    detail: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


def shown(figures: Iterable[Figure]) -> str:
    """The table as text."""
    rows = [("work", "figure", "target", "", "detail"), *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    verdict = {None: "", True: "ok", False: "MISSED"}[figure.met]
    target = "" if figure.target is None else f"{'>=' if figure.at_least else '<='} {figure.target:g}"
    return figure.work, f"{figure.value:.2f} {figure.unit}".strip(), target, verdict, figure.detail


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds on the wall, and of the processor in this process: the second is hardly moved by what else runs here."""

    wall: float
    processor: float

    def __add__(self, other: Took) -> Took:
        return Took(self.wall + other.wall, self.processor + other.processor)


async def timed(work: Callable[[], Awaitable[int]]) -> tuple[Took, int]:
    """How long this took, and how many rows it worked on."""
    wall, processor = time.perf_counter(), time.process_time()
    rows = await work()
    return Took(time.perf_counter() - wall, time.process_time() - processor), rows


def ratio(work: str, pairs: list[tuple[Took, Took]], rows: int, target: float, noun: str) -> Figure:
    """Bare to ours over the rounds, each pair measured side by side; the median round counts."""
    value = median(bare.wall / ours.wall for bare, ours in pairs)
    processor = median(bare.processor / ours.processor for bare, ours in pairs)
    bare_s, ours_s = (median(pair[side].wall for pair in pairs) for side in (0, 1))
    detail = f"by processor time {processor:.2f}; bare {rows / bare_s:,.0f} {noun}/s, ours {rows / ours_s:,.0f}"
    return Figure(work, value, "of bare", target, True, detail)
