"""`tracker db copy`, `tracker db reopen`: the shop moves to another database, and the way back."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tracker.cli.common import ConfigOption, at_keyboard, load_or_exit
from tracker.cli.opened import refuse

if TYPE_CHECKING:
    from tracker.config import Settings
    from tracker.config.model import DatabaseSettings
    from tracker.store.copying import Compared, Step, Watch

ToOption = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="URL",
        envvar="TRACKER_COPY_TO",
        help="The empty database: postgresql://user@host/name, or sqlite:///FILE. With a password in it, better in the variable.",
    ),
]
VerifyOption = Annotated[bool, typer.Option("--verify-only", help="Copy nothing: compare both once more.")]
NulOption = Annotated[
    bool, typer.Option("--drop-nul", help="Leave NUL characters out of texts, which PostgreSQL does not take.")
]
LINE_EVERY_S: Final = 10.0
STEPS: Final = 1000
_HIDDEN: Final = "in-the-place-of-the-password"


def copy(
    to: ToOption, config: ConfigOption = None, verify_only: VerifyOption = False, drop_nul: NulOption = False
) -> None:
    """Move the shop to another database; cut off, it goes on where it was. The daemon must be stopped."""
    from tracker.errors import ProgramError
    from tracker.store.schema import SchemaError

    settings = load_or_exit(config, strict=False, talks=False).settings
    target = _target(to, settings)
    who = at_keyboard()
    try:
        compared = _copied(settings, target, who, verify_only=verify_only, drops_nul=drop_nul)
    except SchemaError as error:
        refuse(str(error))
    except ProgramError as error:
        refuse(str(error), error.exit_code)
    for one in compared.differs:
        typer.echo(
            f"{one.table}: differs: {one.source.rows:,} rows with checksum {one.source.digest[:12]} here, "
            f"{one.target.rows:,} with {one.target.digest[:12]} there",
            err=True,
        )
    if compared.differs:
        advice = "" if verify_only else "; the copy was thrown away: run this again"
        refuse(f"{len(compared.differs)} tables differ{advice}", 1)
    same = f"{compared.tables} tables, {compared.rows:,} rows: counts and checksums agree"
    typer.echo(f"{settings.database.shown} -> {target.shown}: {same}")
    if not verify_only:
        for line in _what_next(settings, target, to):
            typer.echo(line)


def reopen(config: ConfigOption = None) -> None:
    """Come back to a database that was copied to another. What was about to leave it then waits for a person."""
    from tracker.errors import ProgramError
    from tracker.store.schema import SchemaError

    settings = load_or_exit(config, strict=False, talks=False).settings
    who = at_keyboard()
    try:
        said = _reopened(settings, who)
    except SchemaError as error:
        refuse(str(error))
    except ProgramError as error:
        refuse(str(error), error.exit_code)
    for line in said:
        typer.echo(line)


def _target(to: str, settings: Settings) -> DatabaseSettings:
    """The other database as the configuration would name it; a SQLite path is relative to the state folder there, too."""
    from pydantic import ValidationError
    from sqlalchemy.exc import ArgumentError

    from tracker.config.model import DatabaseSettings
    from tracker.store.database import is_sqlite, sqlite_path

    if to.startswith("sqlite:///"):
        to = f"sqlite:///{settings.state_dir / to.removeprefix('sqlite:///')}"
    try:
        target = DatabaseSettings.model_validate({"url": to})
        is_file = is_sqlite(to)
    except ValidationError as fault:
        refuse(f"--to: {fault.errors()[0]['msg'].removeprefix('Value error, ')}")
    except ArgumentError:
        refuse("--to: is no database we know (sqlite:///FILE or postgresql://user@host/name)")
    here = settings.database.connection_url()
    is_same = sqlite_path(to).resolve() == sqlite_path(here).resolve() if is_file and is_sqlite(here) else to == here
    if is_same:
        refuse(f"{target.shown}: is the configured database itself; name another one")
    return target


def _copied(settings: Settings, target: DatabaseSettings, who: str, *, verify_only: bool, drops_nul: bool) -> Compared:
    import os

    from tracker import log
    from tracker.cli.prepare import alone_on, existing_database
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.store.copying import Copying
    from tracker.store.database import Database
    from tracker.store.schema import require_current

    clock = clock_from_env(os.environ, trial_clock_faults(settings))
    log.configure(clock, level=logging.WARNING)
    with ExitStack() as stack:
        source = stack.enter_context(existing_database(settings.database.connection_url()))
        require_current(source)
        # Before the lock, which would make its file beside a database that is not there.
        if verify_only:
            there = stack.enter_context(existing_database(target.connection_url()))
            require_current(there)
        stack.enter_context(alone_on(settings.database.connection_url()))
        stack.enter_context(alone_on(target.connection_url()))
        if not verify_only:
            there = Database(target.connection_url())
            stack.callback(there.close)
        work = Copying(source, there, settings.database.shown, target.shown, drops_nul)
        watch = stack.enter_context(_progress())
        return work.compare(watch) if verify_only else work.copy(now=clock.now(), who=who, watch=watch)


def _what_next(settings: Settings, target: DatabaseSettings, to: str) -> list[str]:
    """What a person does now, with no password in it."""
    from sqlalchemy.engine import make_url

    named = target.shown
    if not named.startswith("sqlite:"):
        url = make_url(to).set(drivername="postgresql")
        hidden = url.set(password=_HIDDEN) if url.password else url
        named = hidden.render_as_string(hide_password=False).replace(f":{_HIDDEN}@", ":${TRACKER_DB_PASSWORD}@")
    return [
        "now let config.yaml say:",
        "  database:",
        f"    url: {named}",
        "then start the service (tracker check-config first).",
        f"{settings.database.shown} stays as it is: no daemon works on it any more, so that nothing is filed or told twice; "
        "tracker db reopen comes back to it.",
    ]


def _reopened(settings: Settings, who: str) -> list[str]:
    import os

    from tracker import log
    from tracker.cli.prepare import alone_on, existing_database
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.errors import UsageError
    from tracker.store.moved import away_of
    from tracker.store.restore import come_back
    from tracker.store.schema import require_current

    clock = clock_from_env(os.environ, trial_clock_faults(settings))
    log.configure(clock, level=logging.WARNING)
    url = settings.database.connection_url()
    shown = settings.database.shown
    with existing_database(url) as database, alone_on(url):
        require_current(database)
        with database.begin_read() as connection:
            away = away_of(connection)
        if away is None:
            raise UsageError(f"{shown}: was not copied to another database; there is nothing to reopen")
        held = come_back(database, away, now=clock.now(), who=who)
    last, is_sure = _newest(away.target)
    if held is None:
        return [f"{shown}: open again; the half-done copy in {away.target} is begun anew by the next tracker db copy"]
    return [
        f"{shown}: open again, and taken for restored, since {last} may have worked meanwhile",
        f"{held.messages} messages and {held.claims} claims that were about to leave wait for a person: "
        "tracker messages --open, tracker claims --open, tracker release [ID|--all]",
        f"let nothing work on {last} any more"
        + ("" if is_sure else ", nor on one that it was copied to")
        + ", then start the service",
    ]


def _newest(target: str) -> tuple[str, bool]:
    """Where the rows went in the end, from one copy to the next, and whether that one could be asked.

    *target* is an address without its password: a server that wants one cannot be asked.
    """
    from sqlalchemy.exc import DBAPIError

    from tracker.errors import ProgramError
    from tracker.store.database import Database, is_sqlite, sqlite_path
    from tracker.store.moved import away_of

    seen: list[str] = []
    while target not in seen:
        seen.append(target)
        if is_sqlite(target) and not sqlite_path(target).exists():
            return target, False
        database = Database(target)
        try:
            with database.begin_read() as connection:
                away = away_of(connection)
        except (ProgramError, DBAPIError):
            return target, False
        finally:
            database.close()
        if away is None or away.copied_at is None:
            return target, True
        target = away.target
    # In a ring: back to where it came from, and away again.
    return target, False


@contextmanager
def _progress() -> Iterator[Watch]:
    """A bar on a terminal; elsewhere a line now and then where it takes its time."""
    if not sys.stderr.isatty():
        yield _Lines().tell
        return
    with typer.progressbar(length=STEPS, label="copying", file=sys.stderr) as bar:

        def draw(step: Step) -> None:
            bar.label = f"{step.doing} {step.table}"
            bar.update(max(int(step.share * STEPS) - bar.pos, 0))

        yield draw


@dataclass
class _Lines:
    """Progress as plain lines, none for a small database."""

    told_at: float = field(default_factory=time.monotonic)

    def tell(self, step: Step) -> None:
        if time.monotonic() - self.told_at >= LINE_EVERY_S:
            self.told_at = time.monotonic()
            typer.echo(f"{step.share:.0%}: {step.doing} {step.table}, {step.rows:,} of {step.total:,} rows", err=True)
