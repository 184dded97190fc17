"""`tracker run`: the lanes of the present configuration in one process, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from tracker import metrics
from tracker.alert_lanes import sink_entries
from tracker.alerts.straight import DatabaseAlarm
from tracker.app import App
from tracker.engine.base import HERE, Engine, Lane
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
from tracker.web import public as public_side
from tracker.web.counts import Counts
from tracker.web.exposition import Exposition
from tracker.web.pages import machine_pages
from tracker.web.public import PublicPages
from tracker.web.server import Listener, ListenerError
from tracker.web.side import ListenerSide

log = get_logger(__name__)
REFUSALS_EVERY_S: Final = 60.0


async def serve(app: App, reread: Callable[[], App], lock: EngineLock, stop: asyncio.Event) -> int:
    """Work until stopped; returns the exit code. Raises ListenerError where an address cannot be listened on.

    `reread` builds the program anew from the configuration file, for SIGHUP: where that has faults, or names an address
    that is taken, the old one goes on and says so. A new database address waits for a restart, since the lock belongs to
    the old one. `stop` is set when the engine begins to drain.
    """
    present = _Present(app, reread, stop)
    # Where the lanes are shared the engine writes their rows itself: it plans by them.
    record = None
    if not app.is_shared:
        record = Record(present.engine.health, lambda: present.lanes, lambda: present.app.database)
    service = Service(
        present.engine,
        notifier=Notifier.from_env(os.environ),
        reload=present.reload,
        lock=lock,
        backlog=present.counts.due_words,
    )
    sides = _Sides(present, stop, on_failure=lambda reason: service.stop(reason, failed=True))
    present.sides = sides
    try:
        await sides.open(app)
        async with _kept(_alarm(present).keep(), "database alarm"), _recorded(record):
            return await service.run()
    finally:
        await sides.close()
        await present.close()


class _Present:
    """What runs now: the program by the newest good configuration, its lanes, and the engine that stays."""

    def __init__(self, app: App, reread: Callable[[], App], stop: asyncio.Event) -> None:
        self.app = app
        self.counts = Counts([status.value for status in ENDED])
        self.lanes = _lanes(app, self.counts)
        self.engine = _engine(app, self.lanes, stop)
        self.sides: _Sides | None = None
        self._reread = reread
        self._retired: list[asyncio.Task[None]] = []

    async def reload(self) -> None:
        """Take the configuration over as it stands in its file now, or say what is wrong with it and go on."""
        assert self.sides is not None
        try:
            fresh = _reread(self._reread, self.app)
            listeners = await self.sides.take(fresh)
        except ConfigFileError as error:
            _reject([str(fault) for fault in error.faults])
            return
        except ProgramError as error:
            _reject([str(error)])
            return
        try:
            await asyncio.to_thread(fresh.reconfigured)
        except BaseException:
            await _drop_listeners(listeners)
            await fresh.close()
            raise
        log.info("config.accepted")
        metrics.reloaded("accepted")
        old, self.app = self.app, fresh
        self.lanes = _lanes(fresh, self.counts)
        runs = self.engine.replace_lanes(self.lanes)
        for side, listener in listeners.items():
            await side.switch(listener)
        self._retired.append(asyncio.create_task(_retire(old, runs), name="old configuration"))

    async def close(self) -> None:
        """Let go of everything, of what earlier configurations used too."""
        await asyncio.gather(*self._retired, return_exceptions=True)
        await self.app.close()


Listeners = dict[ListenerSide, Listener | None]
"""What each side shall listen on; None: nothing."""


class _Sides:
    """The two listeners: the operator's and the public's. They outlive a configuration, and show the present one."""

    def __init__(self, present: _Present, stop: asyncio.Event, on_failure: Callable[[str], None]) -> None:
        exposition = _exposition(present)
        self._operator = ListenerSide(
            lambda hosts: machine_pages(
                health=present.engine.health,
                is_stopping=stop.is_set,
                ask_database=lambda: present.app.database.read(answers),
                metrics_text=exposition.text,
                hosts=hosts,
            ),
            on_failure=on_failure,
        )
        self._public = ListenerSide(
            lambda _hosts: PublicPages(
                has_hook=lambda carrier: carrier in present.app.hooks.carriers,
                receive=lambda *request: present.app.hooks.receive(*request),
            ),
            on_failure=on_failure,
            key=public_side.KEY,
            limits=public_side.LIMITS,
        )

    async def open(self, app: App) -> None:
        """Begin to listen. Raises ListenerError where an address is taken; then on neither."""
        listeners: Listeners = {self._operator: self._operator.take(app.settings.web.operator)}
        try:
            listeners[self._public] = self._public.take(app.settings.web.public)
        except ListenerError:
            await _drop_listeners(listeners)
            raise
        for side, listener in listeners.items():
            await side.switch(listener)

    async def take(self, fresh: App) -> Listeners:
        """The addresses of a new configuration. Raises ListenerError, with *fresh* closed."""
        taken: Listeners = {}
        web = fresh.settings.web
        try:
            for side, address in ((self._operator, web.operator), (self._public, web.public)):
                # In a thread: a host name is asked of a server that may take its time.
                taken[side] = await asyncio.to_thread(side.take, address)
        except ListenerError:
            await _drop_listeners(taken)
            await fresh.close()
            raise
        return taken

    async def close(self) -> None:
        """Listen no more."""
        await self._public.close()
        await self._operator.close()


def _exposition(present: _Present) -> Exposition:
    return Exposition(
        health=present.engine.health,
        counts=present.counts,
        clock=present.app.clock,
        zone=lambda: present.app.settings.timezone,
        database="sqlite" if present.app.database.sqlite else "postgresql",
    )


def _alarm(present: _Present) -> DatabaseAlarm:
    return DatabaseAlarm(
        fault=lambda: present.engine.health().database_fault,
        sinks=lambda: sink_entries(present.app.settings),
        database=lambda: present.app.database,
        clock=present.app.clock,
    )


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
    if app.settings.web.public is not None and app.hooks.carriers:
        lanes.append(Lane("hooks:refused", app.hooks.tell, REFUSALS_EVERY_S, place=HERE))
    metrics.begin_hooks(app.hooks.carriers)
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


async def _drop_listeners(taken: Listeners) -> None:
    for side, listener in taken.items():
        await side.drop(listener)


def _reject(faults: Sequence[str]) -> None:
    for fault in faults:
        log.error("config.rejected", fault=fault)
    metrics.reloaded("rejected")


async def _retire(app: App, runs: set[asyncio.Task[None]]) -> None:
    """Close what only the old configuration used, once its last runs are done."""
    if runs:
        await asyncio.wait(runs)
    await app.close()
