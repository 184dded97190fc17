"""`tracker run`: the lanes of the present configuration in one process, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tracker import metrics
from tracker.alert_lanes import sink_entries
from tracker.alerts.straight import DatabaseAlarm
from tracker.app import App
from tracker.engine.base import Engine, Lane
from tracker.engine.local import LocalEngine
from tracker.engine.lock import EngineLock
from tracker.engine.notify import Notifier
from tracker.engine.record import Record
from tracker.engine.service import Service
from tracker.errors import ConfigFileError, ProgramError, UsageError
from tracker.log import get_logger
from tracker.messages.email_sweep import CHANNEL
from tracker.polling.schedule import ENDED
from tracker.store.gauges import answers
from tracker.web.counts import Counts
from tracker.web.exposition import Exposition
from tracker.web.operator import OperatorSide
from tracker.web.pages import machine_pages
from tracker.web.server import Listener, ListenerError

log = get_logger(__name__)


async def serve(app: App, reread: Callable[[], App], lock: EngineLock, stop: asyncio.Event) -> int:
    """Work until stopped; returns the exit code. Raises ListenerError where the operator's address cannot be listened on.

    `reread` builds the program anew from the configuration file, for SIGHUP: where that has faults, or names an address
    that is taken, the old one goes on and says so. A new database address waits for a restart, since the lock belongs to
    the old one. `stop` is set when the engine begins to drain.
    """
    current = app
    retired: list[asyncio.Task[None]] = []
    counts = Counts([status.value for status in ENDED])
    present = _lanes(app, counts)
    engine = _engine(app, present, stop)
    exposition = Exposition(
        health=engine.health,
        counts=counts,
        clock=app.clock,
        zone=lambda: current.settings.timezone,
        database="sqlite" if app.database.sqlite else "postgresql",
    )
    operator = OperatorSide(
        lambda hosts: machine_pages(
            health=engine.health,
            is_stopping=stop.is_set,
            ask_database=lambda: current.database.read(answers),
            metrics_text=exposition.text,
            hosts=hosts,
        ),
        on_failure=lambda reason: service.stop(reason, failed=True),
    )

    async def reload() -> None:
        nonlocal current, present
        try:
            fresh = _reread(reread, current)
            listener = await _take_listener(operator, fresh)
        except ConfigFileError as error:
            _reject([str(fault) for fault in error.faults])
            return
        except ProgramError as error:
            _reject([str(error)])
            return
        try:
            await asyncio.to_thread(fresh.reconfigured)
        except BaseException:
            await operator.drop(listener)
            await fresh.close()
            raise
        log.info("config.accepted")
        metrics.reloaded("accepted")
        old, current = current, fresh
        present = _lanes(fresh, counts)
        runs = engine.replace_lanes(present)
        await operator.switch(listener)
        retired.append(asyncio.create_task(_retire(old, runs), name="old configuration"))

    # Where the lanes are shared the engine writes their rows itself: it plans by them.
    record = None if app.is_shared else Record(engine.health, lambda: present, lambda: current.database)
    alarm = DatabaseAlarm(
        fault=lambda: engine.health().database_fault,
        sinks=lambda: sink_entries(current.settings),
        database=lambda: current.database,
        clock=app.clock,
    )
    service = Service(
        engine, notifier=Notifier.from_env(os.environ), reload=reload, lock=lock, backlog=counts.due_words
    )
    try:
        await operator.switch(operator.take(app.settings.web.operator))
        async with _kept(alarm.keep(), "database alarm"), _recorded(record):
            return await service.run()
    finally:
        await operator.close()
        await asyncio.gather(*retired, return_exceptions=True)
        await current.close()


@asynccontextmanager
async def _recorded(record: Record | None) -> AsyncIterator[None]:
    if record is None:
        yield
        return
    try:
        async with _kept(record.keep(), "engine record"):
            yield
    finally:
        await record.end()


@asynccontextmanager
async def _kept(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Beside the engine for as long as it runs; what it cannot do stops nothing else."""
    keeping = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


def _engine(app: App, lanes: Sequence[Lane], stop: asyncio.Event) -> Engine:
    """The engine of this configuration, not started yet."""
    if not app.is_shared:
        return LocalEngine(lanes, clock=app.clock, stop=stop)
    # An extra, and slow to import: only where a configuration names it.
    from tracker.engine.cluster.engine import ProcrastinateEngine

    return ProcrastinateEngine(lanes, url=app.database.url, clock=app.clock, stop=stop)


def _lanes(app: App, counts: Counts) -> list[Lane]:
    """The configuration's lanes, and the one that counts how all stands."""
    lanes = [*app.lanes, counts.lane(app.database, list(app.book.accounts), [CHANNEL])]
    metrics.begin(lane.name for lane in lanes)
    return lanes


def _reread(reread: Callable[[], App], current: App) -> App:
    """The program by the configuration as it stands now. Raises ProgramError where that cannot be worked by."""
    fresh = reread()
    if fresh.database.url != current.database.url:
        raise UsageError("database.url: a new database needs a restart")
    if fresh.is_shared != current.is_shared:
        raise UsageError("engine: another engine needs a restart")
    return fresh


async def _take_listener(operator: OperatorSide, fresh: App) -> Listener | None:
    try:
        # In a thread: a host name is asked of a server that may take its time.
        return await asyncio.to_thread(operator.take, fresh.settings.web.operator)
    except ListenerError:
        await fresh.close()
        raise


def _reject(faults: Sequence[str]) -> None:
    for fault in faults:
        log.error("config.rejected", fault=fault)
    metrics.reloaded("rejected")


async def _retire(app: App, runs: set[asyncio.Task[None]]) -> None:
    """Close what only the old configuration used, once its last runs are done."""
    if runs:
        await asyncio.wait(runs)
    await app.close()
