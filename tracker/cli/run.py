"""`tracker run` and `tracker run --once`: the daemon, or one full pass for cron and for trying out."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, load_or_exit

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tracker.app import App
    from tracker.engine.base import Lane
    from tracker.engine.lock import EngineLock
    from tracker.engine.once import OnceResult
    from tracker.intake.folder import FolderSweep

OnceOption = Annotated[bool, typer.Option("--once", help="One full pass over all that is due, then exit.")]


def run(config: ConfigOption = None, once: OnceOption = False) -> None:
    """Work: import, poll, detect, claim, tell, alert."""
    from tracker import log
    from tracker.app import build
    from tracker.cli.prepare import engine_lock, prepare_database, settle_copy
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.engine import memory
    from tracker.errors import ProgramError

    loaded = load_or_exit(config, strict=True)
    stop = asyncio.Event()
    try:
        # First of all: what is logged before would go to standard output.
        clock = clock_from_env(os.environ, trial_clock_faults(loaded.settings))
        log.configure(clock)
        url, shared = loaded.settings.database.connection_url(), loaded.settings.engine == "procrastinate"
        with engine_lock(url, shared=shared) as lock:
            prepare_database(url, loaded.settings.state_dir, shared=shared)
            settle_copy(url, clock)
            app = build(loaded, stopping=stop.is_set)
            app.take_over()
            memory.settle()
            code = _once(app) if once else _daemon(app, config, lock, stop)
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    raise typer.Exit(code)


def _once(app: App) -> int:
    now = app.clock.now()
    result, standing = asyncio.run(_pass(app))
    done = [*_files(app.folders), *_outside(result.worked)]
    if not done:
        done = ["nothing left the house" if result.worked else "nothing was due"]
    if standing:
        done.append(f"{_number(standing, 'alert stands', 'alerts stand')} (tracker alerts --open)")
    typer.echo(f"pass done at {now:%Y-%m-%dT%H:%M:%SZ}: {', '.join(done)}")
    for name in result.failed:
        typer.echo(f"{name}: failed; the log says why", err=True)
    for name in result.busy:
        typer.echo(f"{name}: still has work after {result.rounds} rounds", err=True)
    return result.exit_code


def _files(folders: Sequence[FolderSweep]) -> list[str]:
    """What became of the files in the inboxes."""
    counts = Counter(waiting=sum(len(folder.unfinished) for folder in folders))
    for folder in folders:
        counts.update(folder.tally)
    words = {
        "done": ("file taken", "files taken"),
        "refused": ("file refused", "files refused"),
        "duplicate": ("file known already", "files known already"),
        "waiting": ("file waited for, as it ends in the middle", "files waited for, as they end in the middle"),
    }
    told = [_number(counts[name], *forms) for name, forms in words.items() if counts[name]]
    if lines := sum(folder.refused_lines for folder in folders):
        told.append(
            f"{_number(lines, 'line refused', 'lines refused')} in what was taken (the report in done/ says why)"
        )
    return told


def _outside(worked: Mapping[str, int]) -> list[str]:
    """What was asked or told outside; lanes that only decide are counted in the log (`pass.done`)."""
    words = {
        "poll": ("parcel looked at", "parcels looked at"),
        "deadlines": ("due date asked for", "due dates asked for"),
        "claims": ("claim moved", "claims moved"),
        "messages": ("message handled", "messages handled"),
    }
    said = []
    for lane, count in worked.items():
        family, _, whose = lane.partition(":")
        if whose and family in words:
            said.append(f"{_number(count, *words[family])} ({whose})")
    return said


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


async def _pass(app: App) -> tuple[OnceResult, int]:
    """The pass, and how many alerts stand after it."""
    from tracker.engine.once import run_once
    from tracker.store.alerts import standing_count

    now = app.clock.now()
    try:
        async with _lanes(app, now) as lanes:
            result = await run_once(lanes, now, wait_settled=app.wait_settled)
        return result, await app.database.read(standing_count)
    finally:
        await app.close()


@asynccontextmanager
async def _lanes(app: App, now: datetime) -> AsyncIterator[Sequence[Lane]]:
    """The lanes of one pass: run here, or called for where they are shared."""
    if not app.is_shared:
        yield app.lanes
        return
    from tracker.engine.cluster.passes import shared_pass

    async with shared_pass(app.lanes, url=app.database.url, now=now) as lanes:
        yield lanes


def _daemon(app: App, config: Path | None, lock: EngineLock, stop: asyncio.Event) -> int:
    from tracker.app import build
    from tracker.config import find_config, load_config
    from tracker.daemon import serve

    def reread() -> App:
        loaded = load_config(find_config(config, os.environ), os.environ, strict_credentials=True)
        return build(loaded, stopping=stop.is_set)

    return asyncio.run(serve(app, reread, lock, stop))
