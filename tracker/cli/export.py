"""`tracker export KIND`: everything of one kind as JSON lines or CSV, in constant memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tracker.cli.common import ConfigOption
from tracker.cli.opened import opened, refuse_unknown, since_instant

if TYPE_CHECKING:
    from datetime import tzinfo

    from tracker.reports.exports import Promises
    from tracker.store.database import Database
    from tracker.store.views import Filter

Shape = Callable[[str, Mapping[str, Any], "Promises"], dict[str, Any]]
PAGE: Final = 1000
"""Rows a transaction: large enough that its cost does not count, small enough to stay short."""


class ExportKind(StrEnum):
    ORDERS = "orders"
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
FormatOption = Annotated[
    ExportFormat, typer.Option("--format", help="JSON lines, or CSV as Brazilian spreadsheets open it.")
]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Only this shop's rows.")]


def export(
    kind: KindArgument,
    config: ConfigOption = None,
    since: SinceOption = None,
    output: FormatOption = ExportFormat.JSONL,
    shop: ShopOption = None,
) -> None:
    """Write every row of a kind to standard output, oldest first."""
    from tracker.reports.exports import values
    from tracker.store.views import Filter, page

    with opened(config) as program:
        wanted = Filter(shop=shop, since=since_instant(since, program))
        with program.database.begin_read() as connection:
            is_empty = not page(connection, kind.value, wanted, after=None, limit=1, newest=True)
        if is_empty:
            refuse_unknown(program, shop)
        if output is ExportFormat.CSV:
            found = exported(program.database, kind.value, wanted, program.promises(), shape=values)
            _write_csv(kind.value, found, program.settings.timezone)
        else:
            _write_json(exported(program.database, kind.value, wanted, program.promises()))


def exported(
    database: Database,
    kind: str,
    wanted: Filter,
    promises: Promises,
    *,
    limit: int | None = None,
    newest: bool = False,
    shape: Shape | None = None,
) -> Iterator[dict[str, Any]]:
    """The lines of an export, read page by page, each in its own transaction; *shape* makes other than JSON's values."""
    from tracker.reports.exports import line
    from tracker.store.views import page

    after: int | None = None
    while limit is None or limit > 0:
        size = PAGE if limit is None else min(PAGE, limit)
        with database.begin_read() as connection:
            rows = page(connection, kind, wanted, after=after, limit=size, newest=newest)
        for row in rows:
            yield (shape or line)(kind, row, promises)
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


def _write_csv(kind: str, found: Iterator[dict[str, Any]], zone: tzinfo) -> None:
    """As a Brazilian spreadsheet opens it by a double click: semicolons, and a mark that says UTF-8."""
    import csv
    import io

    from tracker.reports.exports import KEYS, csv_cells

    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8-sig", newline="", write_through=False)
    try:
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(KEYS[kind])
        for one in found:
            writer.writerow(csv_cells(one, zone))
        out.flush()
    finally:
        # Standard output is not ours to close.
        out.detach()
