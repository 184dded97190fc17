"""`tracker check-config`: every fault of the configuration at once, and what it would do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json, load_or_exit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracker.app import Proof
    from tracker.config import LoadedConfig, Settings
    from tracker.errors import Fault
    from tracker.polling.planner import Plan
    from tracker.store.database import Database

OnlineOption = Annotated[
    bool, typer.Option("--online", help="Also log in to each carrier, mail server and source.", show_default=False)
]


def check_config(config: ConfigOption = None, online: OnlineOption = False, as_json: JsonOption = False) -> None:
    """Check the configuration and its texts and say what it would do; exit 2 with every fault at once."""
    loaded = _load_for_json(config, online) if as_json else load_or_exit(config, strict=online)
    closed, plans = _looked_at(loaded.settings)
    _stop_at_faults(loaded, closed, as_json)
    deaf = _deaf_hooks(loaded)
    results = _log_in(loaded) if online else []
    if as_json:
        _print_json(loaded, results, plans, deaf)
    else:
        _print_lines(loaded, results, plans, deaf)
    if any(ok is False for _, ok, _ in results):
        raise typer.Exit(2)


def _stop_at_faults(loaded: LoadedConfig, closed: str | None, as_json: bool) -> None:
    """What the configuration's own file does not show: its texts, and why the next run would refuse its database."""
    from tracker.config.yaml_file import Finding
    from tracker.texts import text_faults

    faults = text_faults(loaded)
    if closed is not None:
        # Its block and not the key in it: where neither is written the default holds.
        faults += loaded.located([Finding(("database",), closed)])
    if not faults:
        return
    if as_json:
        _print_json_faults(faults)
    else:
        for fault in faults:
            typer.echo(str(fault), err=True)
    raise typer.Exit(2)


def _deaf_hooks(loaded: LoadedConfig) -> Sequence[Fault]:
    """A warning for each account whose carrier could push and does not reach this program."""
    from tracker.accounts import adapter_alone
    from tracker.config.yaml_file import Finding
    from tracker.errors import MissingCredentialError
    from tracker.hook_lanes import why_no_hook

    findings = []
    for place, carrier in enumerate(loaded.settings.carriers):
        try:
            adapter = adapter_alone(carrier)[0]
        except MissingCredentialError:
            continue
        why = why_no_hook(loaded.settings, carrier.id, adapter)
        if why is not None:
            findings.append(Finding(("carriers", place), *why))
    return loaded.located(findings)


def _log_in(loaded: LoadedConfig) -> list[Proof]:
    from tracker.app import online_checks
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults

    clock = clock_from_env(os.environ, trial_clock_faults(loaded.settings))
    with _database_if_any(loaded.settings) as database:
        return online_checks(loaded, database, clock)


@contextmanager
def _database_if_any(settings: Settings) -> Iterator[Database | None]:
    """The shop's database, where there is one that fits this program."""
    from sqlalchemy.exc import DBAPIError

    from tracker.cli.prepare import open_database
    from tracker.errors import ProgramError

    with ExitStack() as stack:
        database = None
        with suppress(ProgramError, DBAPIError):
            database = stack.enter_context(open_database(settings.database.connection_url()))
        yield database


def _load_for_json(config: Path | None, online: bool) -> LoadedConfig:
    from tracker.config import find_config, load_config
    from tracker.errors import ConfigFileError

    try:
        return load_config(find_config(config, os.environ), os.environ, strict_credentials=online)
    except ConfigFileError as exc:
        _print_json_faults(exc.faults)
        raise typer.Exit(exc.exit_code) from exc


def _print_json_faults(faults: Sequence[Fault]) -> None:
    from tracker.config.check import as_json

    echo_json({"ok": False, "faults": [as_json(fault) for fault in faults]})


def _looked_at(settings: Settings) -> tuple[str | None, dict[str, Plan]]:
    """Why nobody may work on the database, and how fresh the looks can be with what is open; nothing where there is none yet,
    or none that can be read."""
    from sqlalchemy.exc import DBAPIError

    from tracker.cli.prepare import open_database
    from tracker.cli.report import plans_for
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.errors import ProgramError

    closed = None
    try:
        clock = clock_from_env(os.environ, trial_clock_faults(settings))
        with open_database(settings.database.connection_url()) as database:
            closed = database.closed_because
            return closed, plans_for(settings, database, clock.now())
    except (ProgramError, DBAPIError):
        # Whether the database fits is asked by the commands that need it; a configuration can be right without one.
        return closed, {}


def _print_json(loaded: LoadedConfig, results: list[Proof], plans: dict[str, Plan], deaf: Sequence[Fault]) -> None:
    from tracker.config.check import describe
    from tracker.reports.freshness import plan_document

    online = [{"what": what, "ok": ok, "sentence": sentence} for what, ok, sentence in results]
    fresh = {carrier: plan_document(plan) for carrier, plan in plans.items()}
    echo_json(
        {**describe(loaded), "ok": all(ok is not False for _, ok, _ in results), "online": online, "freshness": fresh}
    )


def _print_lines(loaded: LoadedConfig, results: list[Proof], plans: dict[str, Plan], deaf: Sequence[Fault]) -> None:
    from tracker.config.check import lines
    from tracker.reports.freshness import plan_lines

    for line in [*lines(loaded), *(f"warning   {fault}" for fault in deaf)]:
        typer.echo(line)
    for carrier, plan in plans.items():
        for line in plan_lines(carrier, plan):
            typer.echo(f"freshness {line}")
    for what, ok, sentence in results:
        word = "not tried" if ok is None else "ok" if ok else "fault"
        typer.echo(f"{word:<9} {what}: {sentence}")
