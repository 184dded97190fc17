"""Text of a CSV file to records: the delimiter, the header line, and quotes that somebody forgot to close.

Works line by line in one pass with a look-ahead of a few lines, so a broken line costs itself and not the rest of the
file, and a file of any length costs time in proportion to its length.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from tracker.intake.csv_columns import recognised

DELIMITERS = (";", "\t", ",", "|")
HEADER_LINES = 15  # titles and dates of a report may stand above its header
SNIFFED_LINES = 20
MAX_RECORD_LINES = 5  # a cell may hold a line break; a record longer than this is an open quote
_INSTRUCTION = re.compile(r"\"?sep=(.)\"?[;,\t|]*", re.IGNORECASE)


class Record(NamedTuple):
    """One record and the number of its first line; `cells` is None where the line cannot be split.

    `before_quote` then holds the cells in front of its first quote, which may still name the order.
    """

    line: int
    cells: list[str] | None
    before_quote: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out: its delimiter, its header cells (None for a file without) and the header's line."""

    delimiter: str
    header: tuple[str, ...] | None
    header_line: int
    instructed: bool
    """Whether the first line is `sep=;`, an instruction to spreadsheets and no data."""


def text_lines(text: str) -> Iterator[str]:
    """The physical lines, without their ends; `\\r`, `\\n` and `\\r\\n` end a line and nothing else does."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        yield text[start:end]
        start = end + 1


def records(text: str, delimiter: str, width: int | None) -> Iterator[Record]:
    """Every record of the file. `width` is the number of cells a record over several lines must have, None for any."""
    lines = enumerate(text_lines(text), start=1)
    waiting: deque[tuple[int, str]] = deque()
    while True:
        item = waiting.popleft() if waiting else next(lines, None)
        if item is None:
            return
        number, line = item
        if '"' not in line:
            yield Record(number, line.split(delimiter))
            continue
        cells, is_open = _strict([line], delimiter)
        if is_open:
            waiting.extend(islice(lines, max(0, MAX_RECORD_LINES - 1 - len(waiting))))
            cells, used = _joined(line, list(waiting), delimiter, width)
            for _ in range(used):
                waiting.popleft()
        before = () if cells is not None else tuple(line.split('"', 1)[0].split(delimiter))
        yield Record(number, cells, before)


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


def sniff(text: str, own: Mapping[str, str]) -> Layout:
    """Find delimiter and header: the candidate whose header line has most known cells, then the most frequent one."""
    head = "\n".join(islice(text_lines(text), SNIFFED_LINES))
    match = _INSTRUCTION.fullmatch(head.split("\n", 1)[0].strip(" \ufeff"))
    candidates = (match[1],) if match and match[1] not in '"\n' else DELIMITERS
    found = [(candidate, *_header(head, candidate, own)) for candidate in candidates]
    counts = _frequencies(head)
    delimiter, score, line, header = max(found, key=lambda entry: (entry[1], counts.get(entry[0], 0)))
    return Layout(delimiter, header if score else None, line, match is not None)


def _header(head: str, delimiter: str, own: Mapping[str, str]) -> tuple[int, int, tuple[str, ...] | None]:
    for record in records(head, delimiter, None):
        if record.line > HEADER_LINES:
            break
        score = recognised(record.cells, own) if record.cells else 0
        if score and record.cells:
            return score, record.line, tuple(record.cells)
    return 0, 0, None


def _frequencies(head: str) -> dict[str, int]:
    outside = re.sub(r'"[^"]*"', "", head)
    return {candidate: outside.count(candidate) for candidate in DELIMITERS}


def data_records(text: str, layout: Layout, width: int | None) -> Iterator[Record]:
    """The records below the header (all of them without one), without the `sep=` line."""
    first = max(layout.header_line, 1 if layout.instructed else 0)
    return (record for record in records(text, layout.delimiter, width) if record.line > first)
