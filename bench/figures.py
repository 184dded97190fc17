"""Figures: measured, told as a line of JSON each, and as a table."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import Any, Final

LIBRARIES: Final = ("sqlalchemy", "psycopg", "httpx", "orjson", "aiosmtplib", "jinja2", "pydantic", "structlog")


@dataclass(frozen=True, slots=True)
class Figure:
    """One benchmark's outcome. `bare` is the same measure of the yardstick, in the same run; None where there is none.

    `ratio` is ours to bare: for speeds at least `target`, for times and sizes (`at_least` False) at most.
    """

    name: str
    value: float
    unit: str
    size: int
    database: str
    bare: float | None = None
    target: float | None = None
    at_least: bool = True
    detail: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.bare if self.bare else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met, by the ratio where there is a yardstick, else by the value; None without a target."""
        if self.target is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.target if self.at_least else measured <= self.target

    def line(self, versions: dict[str, str], machine: dict[str, Any]) -> dict[str, Any]:
        """What is printed as a line of JSON."""
        ratio = self.ratio
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "bare": None if self.bare is None else _rounded(self.bare),
            "ratio": None if ratio is None else round(ratio, 3),
            "target": self.target,
            "met": self.met,
            "size": self.size,
            "database": self.database,
            "detail": self.detail,
            "versions": versions,
            "machine": machine,
        }


def _rounded(value: float) -> float:
    return round(value, 1) if value >= 100 else round(value, 3)


def versions() -> dict[str, str]:
    """What a figure depends on."""
    found = {name: version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, **found}


def machine() -> dict[str, Any]:
    """Where a figure was measured, and how busy it was with other things meanwhile."""
    return {"system": platform.system(), "cpu": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}


def shown(figures: Iterable[Figure]) -> str:
    """The table as text."""
    head = ("benchmark", "database", "size", "figure", "bare", "ratio", "target", "", "detail")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = {None: "", True: "ok", False: "MISSED"}[figure.met]
    target = "" if figure.target is None else f"{'>=' if figure.at_least else '<='} {figure.target:g}"
    bare = "" if figure.bare is None else f"{_rounded(figure.bare):,}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    value = f"{_rounded(figure.value):,} {figure.unit}"
    return figure.name, figure.database, f"{figure.size:,}", value, bare, ratio, target, verdict, figure.detail


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


def against_bare(
    name: str, pairs: list[tuple[Took, Took]], rows: int, unit: str, database: str, target: float | None
) -> Figure:
    """Bare and ours over the rounds, each pair measured side by side: the round with the median ratio counts."""
    ordered = sorted(pairs, key=lambda pair: pair[0].wall / pair[1].wall)
    bare, ours = ordered[len(ordered) // 2]
    processor = median(one.processor / other.processor for one, other in pairs)
    detail = f"by processor time {processor:.2f}"
    return Figure(name, rows / ours.wall, unit, rows, database, rows / bare.wall, target, detail=detail)
