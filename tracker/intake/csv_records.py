"""Lines of a CSV file to records: the delimiter, the header line, and quotes that somebody forgot to close.

Works line by line in one pass with a look-ahead of a few lines, so a broken line costs itself and not the rest of the
file, and a file of any length costs time in proportion to its length.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from tracker.intake.csv_columns import recognised
from tracker.intake.text_file import LONGEST_LINE

DELIMITERS = (";", "\t", ",", "|")
HEADER_LINES = 15  # titles and dates of a report may stand above its header
SNIFFED_LINES = 20
MAX_RECORD_LINES = 5  # a cell may hold a line break; a record longer than this is an open quote
_INSTRUCTION = re.compile(r"\"?sep=(.)\"?[;,\t|]*", re.IGNORECASE)


BROKEN_QUOTES = "A linha tem aspas abertas que não fecham; corrija as aspas e envie a linha de novo."
TOO_LONG = "A linha é longa demais para ser um pedido; exporte o arquivo de novo, uma linha por pedido."


class Record(NamedTuple):
    """One record and the number of its first line; `cells` is None where the line cannot be split.

    `before` then holds the cells in front of the fault, which may still name the order, and `fault` a sentence on it.
    """

    line: int
    cells: list[str] | None
    before: Sequence[str] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out: its delimiter, its header cells (None for a file without) and the header's line."""

    delimiter: str
    header: tuple[str, ...] | None
    header_line: int
    instructed: bool
    """Whether the first line is `sep=;`, an instruction to spreadsheets and no data."""


def records(text: Iterable[str], delimiter: str, width: int | None) -> Iterator[Record]:
    """Every record of the lines. `width` is the number of cells a record over several of them must have, None for any."""
    lines = enumerate(text, start=1)
    waiting: deque[tuple[int, str]] = deque()
    while True:
        item = waiting.popleft() if waiting else next(lines, None)
        if item is None:
            return
        number, line = item
        if len(line) > LONGEST_LINE:
            yield Record(number, None, (), TOO_LONG)
            continue
        if '"' not in line:
            yield Record(number, line.split(delimiter))
            continue
        cells, is_open = _strict([line], delimiter)
        if is_open:
            waiting.extend(islice(lines, max(0, MAX_RECORD_LINES - 1 - len(waiting))))
            cells, used = _joined(line, list(waiting), delimiter, width)
            for _ in range(used):
                waiting.popleft()
        if cells is None:
            yield Record(number, None, line.split('"', 1)[0].split(delimiter), BROKEN_QUOTES)
        else:
            yield Record(number, cells)


def _joined(
    line: str, following: list[tuple[int, str]], delimiter: str, width: int | None
) -> tuple[list[str] | None, int]:
    """Close an open quote with the lines that follow; the cells and how many of those lines they took, or (None, 0)."""
    chunk = [line]
    for used, (_, more) in enumerate(following[: MAX_RECORD_LINES - 1], start=1):
        chunk.append(more)
        cells, is_open = _strict(chunk, delimiter)
        if not is_open:
            fits = cells is not None and (width is None or len(cells) == width)
            return (cells, used) if fits else (None, 0)
    return None, 0


def _strict(chunk: list[str], delimiter: str) -> tuple[list[str] | None, bool]:
    """The cells of one record, or None where its quotes are wrong; and whether a quote is still open at the end."""
    reader = csv.reader([f"{line}\n" for line in chunk], delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
    except csv.Error as exc:
        return None, "unexpected end" in str(exc)
    # A quote inside a cell that did not begin with one (5" pipe) never opens anything: the first line was a record.
    return (cells, False) if next(reader, None) is None else (None, False)


def sniff(head: Sequence[str], own: Mapping[str, str]) -> Layout:
    """Find delimiter and header: the candidate whose header line has most known cells, then the most frequent one."""
    match = _INSTRUCTION.fullmatch(head[0].strip(" \ufeff")) if head else None
    candidates = (match[1],) if match and match[1] not in '"\n' else DELIMITERS
    found = [(candidate, *_header(head, candidate, own)) for candidate in candidates]
    counts = _frequencies(head)
    delimiter, score, line, header = max(found, key=lambda entry: (entry[1], counts.get(entry[0], 0)))
    return Layout(delimiter, header if score else None, line, match is not None)


def _header(head: Sequence[str], delimiter: str, own: Mapping[str, str]) -> tuple[int, int, tuple[str, ...] | None]:
    for record in records(head, delimiter, None):
        if record.line > HEADER_LINES:
            break
        score = recognised(record.cells, own) if record.cells else 0
        if score and record.cells:
            return score, record.line, tuple(record.cells)
    return 0, 0, None


def _frequencies(head: Sequence[str]) -> dict[str, int]:
    outside = re.sub(r'"[^"]*"', "", "\n".join(head))
    return {candidate: outside.count(candidate) for candidate in DELIMITERS}


def data_records(text: Iterable[str], layout: Layout, width: int | None) -> Iterator[Record]:
    """The records below the header (all of them without one), without the `sep=` line."""
    first = max(layout.header_line, 1 if layout.instructed else 0)
    return (record for record in records(text, layout.delimiter, width) if record.line > first)
