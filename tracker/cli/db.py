"""`tracker db`: the schema, and whether the database is whole."""

from __future__ import annotations

import logging

import typer

from tracker.cli.backup import backup, restore
from tracker.cli.common import ConfigOption, JsonOption, echo_json, load_or_exit
from tracker.cli.db_copy import copy, reopen

db = typer.Typer(help="The database: upgrade, check, backup, restore, compact, copy to another.", no_args_is_help=True)
db.command("backup")(backup)
db.command("restore")(restore)
db.command("copy")(copy)
db.command("reopen")(reopen)


@db.command()
def upgrade(config: ConfigOption = None) -> None:
    """Create the schema or bring it to this program's revision; a SQLite file is copied first."""
    from tracker.cli.prepare import drop_to_owner
    from tracker.errors import ProgramError
    from tracker.store import queue_schema
    from tracker.store.database import is_sqlite, sqlite_path
    from tracker.store.migrate import upgrade as upgrade_database
    from tracker.store.schema import SchemaError

    settings = load_or_exit(config, strict=False, talks=False).settings
    try:
        url = settings.database.connection_url()
        if is_sqlite(url):
            drop_to_owner(sqlite_path(url))
        before, after = upgrade_database(url)
        queue = queue_schema.upgrade(url) if settings.engine == "procrastinate" else None
    except SchemaError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    if before == after:
        typer.echo(f"{settings.database.shown}: up to date (revision {after})")
    else:
        typer.echo(f"{settings.database.shown}: {before or 'empty'} -> revision {after}")
    if queue is not None and queue[0] != queue[1]:
        old, new = (queue_schema.shown(version) for version in queue)
        typer.echo(f"{settings.database.shown}: job queue {old or 'empty'} -> version {new}")


@db.command()
def compact(config: ConfigOption = None) -> None:
    """Give the room of what was dropped back to the disk. The daemon must be stopped: nothing can be written meanwhile."""
    import os

    from tracker import log
    from tracker.cli.prepare import alone_on, existing_database
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.errors import ProgramError
    from tracker.store.gauges import database_size
    from tracker.store.schema import require_current

    settings = load_or_exit(config, strict=False, talks=False).settings
    try:
        log.configure(clock_from_env(os.environ, trial_clock_faults(settings)), level=logging.WARNING)
        url = settings.database.connection_url()
        with existing_database(url) as database, alone_on(url):
            require_current(database)
            with database.begin_read() as connection:
                before = database_size(connection)
            database.compact_now()
            with database.begin_read() as connection:
                after = database_size(connection)
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    typer.echo(f"{settings.database.shown}: {before / 2**20:,.1f} -> {after / 2**20:,.1f} MiB")


@db.command()
def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say whether the database is whole, of this program's revision, and its rows in order; exit 1 with every fault."""
    from tracker.cli.prepare import existing_database
    from tracker.errors import ProgramError
    from tracker.store.migrate import Checked, checked, damage
    from tracker.store.schema import require_current

    settings = load_or_exit(config, strict=False, talks=False).settings
    try:
        with existing_database(settings.database.connection_url()) as database:
            found = Checked(tuple(damage(database)))
            if not found.faults:
                require_current(database)
                found = checked(database)
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    faults = found.faults
    if as_json:
        rules = {rule.rule: {"found": rule.found, "examples": list(rule.examples)} for rule in found.rules}
        echo_json({"ok": not faults, "faults": list(faults), "rules": rules, "rows": dict(found.rows)})
    else:
        for fault in faults:
            typer.echo(fault, err=True)
        looked = f" ({len(found.rules)} rules over {sum(found.rows.values()):,} rows)" if found.rules else ""
        typer.echo(f"{settings.database.shown}: {'whole' if not faults else f'{len(faults)} faults'}{looked}")
    if faults:
        raise typer.Exit(1)
