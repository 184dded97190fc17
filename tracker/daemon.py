"""`tracker run`: the lanes of the present configuration in one process, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from tracker.app import App
from tracker.engine.local import LocalEngine
from tracker.engine.lock import EngineLock
from tracker.engine.notify import Notifier
from tracker.engine.service import Service
from tracker.errors import ConfigFileError, ProgramError
from tracker.log import get_logger

log = get_logger(__name__)


async def serve(app: App, reread: Callable[[], App], lock: EngineLock, stop: asyncio.Event) -> int:
    """Work until stopped; returns the exit code.

    `reread` builds the program anew from the configuration file, for SIGHUP: where that has faults, the old one goes on
    and says so. A new database address waits for a restart, since the lock belongs to the old one. `stop` is set when the
    engine begins to drain.
    """
    current = app
    retired: list[asyncio.Task[None]] = []
    engine = LocalEngine(app.lanes, clock=app.clock, stop=stop)

    async def reload() -> None:
        nonlocal current
        fresh = _reread(reread, current)
        if fresh is None:
            return
        old, current = current, fresh
        await asyncio.to_thread(fresh.reconfigured)
        runs = engine.replace_lanes(fresh.lanes)
        retired.append(asyncio.create_task(_retire(old, runs), name="old configuration"))

    service = Service(engine, notifier=Notifier.from_env(os.environ), reload=reload, lock=lock)
    try:
        return await service.run()
    finally:
        await asyncio.gather(*retired, return_exceptions=True)
        await current.close()


def _reread(reread: Callable[[], App], current: App) -> App | None:
    try:
        fresh = reread()
    except ConfigFileError as error:
        for fault in error.faults:
            log.error("config.rejected", fault=str(fault))
        return None
    except ProgramError as error:
        log.error("config.rejected", fault=str(error))
        return None
    if fresh.database.url != current.database.url:
        log.error("config.rejected", fault="database.url: a new database needs a restart")
        return None
    log.info("config.accepted")
    return fresh


async def _retire(app: App, runs: set[asyncio.Task[None]]) -> None:
    """Close what only the old configuration used, once its last runs are done."""
    if runs:
        await asyncio.wait(runs)
    await app.close()
