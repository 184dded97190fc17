"""A command's way to the database beside a running daemon: configuration, clock and store, or one sentence and exit 2."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from tracker.cli.common import ShownLanguage, load_or_exit

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

    from tracker.clock import Clock
    from tracker.config import Settings
    from tracker.domain.calendar import CalendarsBetween
    from tracker.reports.exports import Promises
    from tracker.store.database import Database


@dataclass(frozen=True)
class Opened:
    """What a command works with. `now` is one instant for the whole command."""

    settings: Settings
    database: Database
    clock: Clock
    now: datetime

    def promises(self) -> Promises:
        """What exports and screens reckon the customer's promise with."""
        from tracker.reports.exports import Promises

        @cache
        def calendars() -> CalendarsBetween:
            # Only shipments need them, and the composition root takes half a second to import.
            from tracker.shops import calendars_of

            return calendars_of(self.settings)

        slack = self.settings.rules.promise_slack_business_days
        return Promises(lambda shop, state, city=None: calendars()(shop, state, city), slack)


def spoken(program: Opened, wanted: ShownLanguage | None, shop: str | None) -> str:
    """The language to speak: the one that was asked for, else the shop's, else the first shop's."""
    if wanted is not None:
        return wanted.value
    languages = {one.id: one.language for one in program.settings.shops}
    return languages.get(shop or "") or next(iter(languages.values()), ShownLanguage.PORTUGUESE.value)


def refuse(sentence: str, exit_code: int = 2) -> NoReturn:
    """End the command with one sentence on standard error."""
    typer.echo(sentence, err=True)
    raise typer.Exit(exit_code)


def refuse_unknown(program: Opened, shop: str | None = None, carrier: str | None = None) -> None:
    """Where nothing was found: end the command if that is because no such shop or carrier is configured.

    Asked afterwards, since rows outlive the configuration that brought them.
    """
    settings = program.settings
    for option, given, known in (
        ("--shop", shop, [entry.id for entry in settings.shops]),
        ("--carrier", carrier, [entry.id for entry in settings.carriers]),
    ):
        if given is not None and given not in known:
            what = option.removeprefix("--")
            refuse(f"{option} {given}: there is no such {what} (known: {', '.join(known) or 'none'})")


@contextmanager
def opened(config: Path | None) -> Iterator[Opened]:
    """Open the configured database as it stands; never creates or upgrades one."""
    from sqlalchemy.exc import DBAPIError

    from tracker import log
    from tracker.cli.prepare import open_database
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.errors import ProgramError

    settings = load_or_exit(config, strict=False, talks=False).settings
    fits = False
    try:
        clock = clock_from_env(os.environ, trial_clock_faults(settings))
        # The command itself says what it did: lines of the log are the daemon's, for a journal.
        log.configure(clock, level=logging.WARNING)
        with open_database(settings.database.connection_url()) as database:
            program = Opened(settings, database, clock, clock.now())
            fits = True
            try:
                yield program
            except typer.Exit:
                _say_it_is_old(database)
                raise
            _say_it_is_old(database)
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    except DBAPIError as error:
        typer.echo(f"{settings.database.shown}: {_database_fault(error)}", err=True)
        # A database that fails while it is used (a lock held too long, a lost connection) is no fault of the call.
        raise typer.Exit(1 if fits else 2) from error


def _say_it_is_old(database: Database) -> None:
    """At a command's end, so that one that writes, and is refused for this very reason, says it once."""
    if database.closed_because is not None:
        typer.echo(f"{database.closed_because}; what is shown here may not be how the shop stands now", err=True)


def _database_fault(error: DBAPIError) -> str:
    """The driver's first line: it names the fault; values of rows stand below it."""
    words = str(error.orig).strip().partition("\n")[0]
    return f"the database cannot be used: {words}"


def since_instant(text: str | None, opened: Opened) -> datetime | None:
    """`30d`, an ISO date (local midnight) or an ISO instant (local where it has no offset). Ends the command on others."""
    if text is None:
        return None
    given = text.strip()
    if given[-1:].lower() == "d" and given[:-1].isascii() and given[:-1].isdigit() and len(given) <= 6:
        return opened.now - timedelta(days=int(given[:-1]))
    try:
        instant = datetime.fromisoformat(given)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=opened.settings.timezone)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        refuse(f"--since {text}: needs a number of days (30d), a date (2026-11-24) or an instant with its offset")
