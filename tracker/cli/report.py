"""`tracker report --freshness`: how long ago open shipments were looked at, how many are overdue, what the limits allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json
from tracker.cli.opened import opened, refuse

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.config import Settings
    from tracker.polling.planner import Plan
    from tracker.store.database import Database

FreshnessOption = Annotated[
    bool, typer.Option("--freshness", help="Age of the last look and answer by status.", show_default=False)
]


def report(config: ConfigOption = None, freshness: FreshnessOption = False, as_json: JsonOption = False) -> None:
    """Report on how fresh the looks at open shipments are, and what the carriers' limits allow."""
    if not freshness:
        refuse("name a report: --freshness is the one of this release")
    from tracker.reports.freshness import as_document, as_lines
    from tracker.store import freshness as store

    with opened(config) as program:
        with program.database.begin_read() as connection:
            found = store.freshness(connection, program.now)
        plans = plans_for(program.settings, program.database, program.now)
        now = program.now
    if as_json:
        echo_json(as_document(found, plans, now))
        return
    for line in as_lines(found, plans, now):
        typer.echo(line)


def plans_for(settings: Settings, database: Database, now: datetime) -> dict[str, Plan]:
    """By account, how fresh its looks can be with what is open now."""
    from tracker.app import freshness_plans
    from tracker.polling.schedule import LONG_LATE
    from tracker.store.freshness import open_counts

    today = now.astimezone(settings.timezone).date()
    with database.begin_read() as connection:
        counts = open_counts(connection, today, LONG_LATE)
    return freshness_plans(settings, counts)
