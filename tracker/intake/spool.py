"""What does not fit in memory, on disk: rows laid out in parts, and the lines of a report."""

from __future__ import annotations

import heapq
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, Final, NamedTuple

import orjson

from tracker.domain.order import LineReport
from tracker.intake.csv_records import Record

_PAGE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Spool:
    """Records in so many parts; each part gives its records back in the order they came."""

    parts: list[IO[bytes]]

    def add(self, part: int, record: Record) -> None:
        """Append a record to a part."""
        self.parts[part].write(orjson.dumps(tuple(record)) + b"\n")

    def read(self, part: int) -> Iterator[Record]:
        """The records of a part, from the first at every call."""
        self.parts[part].seek(0)
        return (Record(*orjson.loads(line)) for line in self.parts[part])


@contextmanager
def spooled(parts: int) -> Iterator[Spool]:
    """A spool that is gone from disk at the end."""
    with ExitStack() as stack:
        yield Spool([stack.enter_context(tempfile.TemporaryFile()) for _ in range(parts)])


@contextmanager
def reported() -> Iterator[Report]:
    """A report that is gone from disk at the end."""
    with tempfile.TemporaryFile() as file:
        yield Report(file)


class _Run(NamedTuple):
    """A stretch of the file whose lines are in order, and where the last of them belongs."""

    start: int
    end: int
    last: tuple[int, int]


@dataclass(slots=True)
class Report:
    """Lines about one file, in the file's order however they came; on disk, for a large file has as many as rows."""

    file: IO[bytes]
    runs: list[_Run] = field(default_factory=list)

    def add(self, lines: Sequence[LineReport]) -> None:
        """Add lines that came together."""
        start = self.file.tell()
        ordered = sorted(lines, key=_where)
        for line in ordered:
            row = (line.place, line.line, line.order_number, line.outcome, line.reason)
            self.file.write(orjson.dumps(row) + b"\n")
        if not ordered:
            return
        end, last = self.file.tell(), _where(ordered[-1])
        if self.runs and self.runs[-1].last <= _where(ordered[0]):
            self.runs[-1] = _Run(self.runs[-1].start, end, last)
        else:
            self.runs.append(_Run(start, end, last))

    def __iter__(self) -> Iterator[LineReport]:
        self.file.flush()
        return heapq.merge(*map(self._lines, self.runs), key=_where)

    def _lines(self, run: _Run) -> Iterator[LineReport]:
        start, rest = run.start, b""
        while start < run.end:
            page = os.pread(self.file.fileno(), min(_PAGE, run.end - start), start)
            start += len(page)
            *rows, rest = (rest + page).split(b"\n")
            for row in rows:
                place, line, number, outcome, reason = orjson.loads(row)
                yield LineReport(line, number, outcome, reason, place)


def _where(line: LineReport) -> tuple[int, int]:
    return line.place, line.line
