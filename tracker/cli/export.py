"""`tracker export KIND`: everything of one kind as JSON lines or CSV, in constant memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tracker.cli.common import ConfigOption
from tracker.cli.opened import opened, since_instant

if TYPE_CHECKING:
    from tracker.reports.exports import Promises
    from tracker.store.database import Database
    from tracker.store.views import Filter

PAGE: Final = 1000
"""Rows a transaction: large enough that its cost does not count, small enough to stay short."""


class ExportKind(StrEnum):
    SHIPMENTS = "shipments"
    EVENTS = "events"
    PROBLEMS = "problems"
    CLAIMS = "claims"
    MESSAGES = "messages"
    ALERTS = "alerts"
    DECISIONS = "decisions"


class ExportFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


KindArgument = Annotated[ExportKind, typer.Argument(metavar="KIND", help=", ".join(ExportKind))]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="ISO", help="Only rows whose newest instant is this or later; 30d is fine too."),
]
FormatOption = Annotated[ExportFormat, typer.Option("--format", help="JSON lines, or CSV for spreadsheets.")]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Only this shop's rows.")]


def export(
    kind: KindArgument,
    config: ConfigOption = None,
    since: SinceOption = None,
    output: FormatOption = ExportFormat.JSONL,
    shop: ShopOption = None,
) -> None:
    """Write every row of a kind to standard output, oldest first."""
    from tracker.store.views import Filter

    with opened(config) as program:
        wanted = Filter(shop=shop, since=since_instant(since, program))
        lines = exported(program.database, kind.value, wanted, program.promises())
        if output is ExportFormat.CSV:
            _write_csv(kind.value, lines)
        else:
            _write_json(lines)


def exported(
    database: Database, kind: str, wanted: Filter, promises: Promises, *, limit: int | None = None, newest: bool = False
) -> Iterator[dict[str, Any]]:
    """The lines of an export, read page by page, each in its own transaction."""
    from tracker.reports.exports import line
    from tracker.store.views import page

    after: int | None = None
    while limit is None or limit > 0:
        size = PAGE if limit is None else min(PAGE, limit)
        with database.begin_read() as connection:
            rows = page(connection, kind, wanted, after=after, limit=size, newest=newest)
        for row in rows:
            yield line(kind, row, promises)
        if len(rows) < size:
            return
        after = rows[-1]["id"]
        limit = None if limit is None else limit - size


def _write_json(lines: Iterator[dict[str, Any]]) -> None:
    import orjson

    # Bytes, since the terminal's encoding may not know every letter of a name.
    out = sys.stdout.buffer
    for one in lines:
        out.write(orjson.dumps(one) + b"\n")
    out.flush()


def _write_csv(kind: str, lines: Iterator[dict[str, Any]]) -> None:
    import csv
    import io

    from tracker.reports.exports import KEYS, csv_cells

    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(out)
        writer.writerow(KEYS[kind])
        for one in lines:
            writer.writerow(csv_cells(one))
        out.flush()
    finally:
        # Standard output is not ours to close.
        out.detach()
