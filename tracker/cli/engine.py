"""`tracker engine`: who runs the lanes."""

from __future__ import annotations

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json
from tracker.cli.opened import opened

engine = typer.Typer(help="The engine: who runs which lane.", no_args_is_help=True)


@engine.callback()
def root() -> None:
    """The engine: who runs which lane."""


@engine.command()
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show every lane: where it runs, how its last run ended, what is due, what is stalled."""
    from tracker.clock import SystemClock
    from tracker.messages.email_sweep import CHANNEL
    from tracker.reports.engine import document, lines
    from tracker.store.views_engine import engine_view

    with opened(config) as program:
        carriers = [carrier.id for carrier in program.settings.carriers]
        with program.database.begin_read() as connection:
            view = engine_view(connection, carriers, [CHANNEL], program.now)
        zone = program.settings.timezone
    # The local engine dates its rows by this machine's clock, the shared lanes theirs by the database's.
    is_local = any(worker.engine == "local" for worker in view.workers)
    now = view.at if view.at is not None and not is_local else SystemClock().now()
    if as_json:
        echo_json(document(view, now))
        return
    for line in lines(view, now, zone):
        typer.echo(line)
