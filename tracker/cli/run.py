"""`tracker run` and `tracker run --once`: the daemon, or one full pass for cron and for trying out."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, load_or_exit

if TYPE_CHECKING:
    from pathlib import Path

    from tracker.app import App
    from tracker.engine.lock import EngineLock
    from tracker.engine.once import OnceResult

OnceOption = Annotated[bool, typer.Option("--once", help="One full pass over all that is due, then exit.")]


def run(config: ConfigOption = None, once: OnceOption = False) -> None:
    """Work: import, poll, detect, claim, tell, alert."""
    from tracker import log
    from tracker.app import build
    from tracker.cli.prepare import engine_lock, prepare_database
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.errors import ProgramError
    from tracker.texts import require_texts

    loaded = load_or_exit(config, strict=True)
    stop = asyncio.Event()
    try:
        # First of all: what is logged before would go to standard output.
        log.configure(clock_from_env(os.environ, trial_clock_faults(loaded.settings)))
        require_texts(loaded)
        url = loaded.settings.database.connection_url()
        with engine_lock(url) as lock:
            prepare_database(url)
            app = build(loaded, stopping=stop.is_set)
            app.take_over()
            code = _once(app) if once else _daemon(app, config, lock, stop)
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    raise typer.Exit(code)


def _once(app: App) -> int:
    now = app.clock.now()
    result = asyncio.run(_pass(app))
    worked = ", ".join(f"{name} {count}" for name, count in result.worked.items())
    typer.echo(f"pass done at {now:%Y-%m-%dT%H:%M:%SZ}: {worked or 'nothing was due'}")
    for name in result.failed:
        typer.echo(f"{name}: failed; the log says why", err=True)
    for name in result.busy:
        typer.echo(f"{name}: still has work after {result.rounds} rounds", err=True)
    return result.exit_code


async def _pass(app: App) -> OnceResult:
    from tracker.engine.once import run_once

    try:
        return await run_once(app.lanes, app.clock.now(), wait_settled=app.wait_settled)
    finally:
        await app.close()


def _daemon(app: App, config: Path | None, lock: EngineLock, stop: asyncio.Event) -> int:
    from tracker.app import build
    from tracker.config import find_config, load_config
    from tracker.daemon import serve
    from tracker.texts import require_texts

    def reread() -> App:
        loaded = load_config(find_config(config, os.environ), os.environ, strict_credentials=True)
        require_texts(loaded)
        return build(loaded, stopping=stop.is_set)

    return asyncio.run(serve(app, reread, lock, stop))
