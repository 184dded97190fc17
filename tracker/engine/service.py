"""The daemon around an engine: signals, signs of life to the service manager, the lock, and an orderly end.

SIGTERM and SIGINT end it, a second one hastens the end, SIGHUP reads the configuration again. Nothing here knows which
engine runs the lanes.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from tracker.clock import monotonic_s
from tracker.engine.base import Engine
from tracker.engine.notify import Notifier
from tracker.log import get_logger

log = get_logger(__name__)

DRAIN_S: Final = 25.0
"""The unit's TimeoutStopSec is longer, so that the manager's SIGKILL never comes first."""
BEAT_S: Final = 10.0
"""How often the lanes' health is looked at where no watchdog sets the pace."""
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Watched(Protocol):
    """A right to work that can be lost: `EngineLock`."""

    async def watch(self, on_lost: Callable[[], None]) -> None:
        """Call *on_lost* when it is lost."""
        ...


class Service:
    """Runs an engine from READY to STOPPING."""

    def __init__(
        self,
        engine: Engine,
        *,
        notifier: Notifier,
        reload: Callable[[], Awaitable[None]],
        lock: Watched | None = None,
        drain_s: float = DRAIN_S,
        backlog: Callable[[], str] = lambda: "",
    ) -> None:
        """
        Args:
            engine: not started yet.
            notifier: to the service manager.
            reload: reads the configuration and gives the engine its lanes; keeps the old one, and says so, where the new one
                is broken. Short: signs of life go on, but a stop waits for it.
            lock: watched while the engine runs; its loss ends the service at once, for another engine may already work.
            drain_s: how long the running lanes may take at the end.
            backlog: what waits to be done, in a few words for the status line; empty where nothing does.
        """
        self._engine = engine
        self._notifier = notifier
        self._reload = reload
        self._lock = lock
        self._drain_s = drain_s
        self._backlog = backlog
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._wants_reload = False
        self._exit_code = 0
        self._was_ill: tuple[str, ...] = ()

    def stop(self, reason: str, *, failed: bool = False) -> None:
        """End the service: after the work at hand, or at once where it *failed* or was asked to stop before."""
        if failed:
            self._exit_code = 1
        if self._is_stopping or failed:
            log.warning("engine.hastened", reason=reason)
            self._engine.hasten()
        if not self._is_stopping:
            log.info("engine.stop_asked", reason=reason)
        self._is_stopping = True
        self._wake.set()

    def ask_reload(self) -> None:
        """Read the configuration again as soon as the loop is free."""
        self._wants_reload = True
        self._wake.set()

    async def run(self) -> int:
        """Work until stopped; returns the exit code: 0, or 1 where the service had to give up."""
        with self._signals():
            await self._engine.start()
            watchers = self._start_watchers()
            try:
                self._notifier.ready(self._status())
                await self._serve()
            finally:
                self._notifier.stopping("putting the work down")
                await self._engine.drain(self._drain_s)
                for watcher in watchers:
                    watcher.cancel()
                await asyncio.gather(*watchers, return_exceptions=True)
        return self._exit_code

    def _start_watchers(self) -> list[asyncio.Task[None]]:
        watchers = [
            asyncio.create_task(self._beat(), name="signs of life"),
            asyncio.create_task(self._watch_lanes(), name="lane watcher"),
        ]
        if self._lock is not None:
            watchers.append(asyncio.create_task(self._watch_lock(self._lock), name="lock watcher"))
        for watcher in watchers:
            watcher.add_done_callback(self._watcher_ended)
        return watchers

    def _watcher_ended(self, watcher: asyncio.Task[None]) -> None:
        # Without its watchers the daemon would seem well for ever: better to end and be started again.
        error = None if watcher.cancelled() else watcher.exception()
        if error is not None:
            log.error("engine.watcher_failed", watcher=watcher.get_name(), error=type(error).__name__, exc_info=error)
            self.stop(f"{watcher.get_name()} failed", failed=True)

    async def _serve(self) -> None:
        while not self._is_stopping:
            await self._wake.wait()
            self._wake.clear()
            if self._wants_reload and not self._is_stopping:
                self._wants_reload = False
                await self._reload_once()

    async def _reload_once(self) -> None:
        self._notifier.reloading()
        started = monotonic_s()
        try:
            await self._reload()
        except Exception as exc:
            # The callback answers for broken configurations; this is a fault of ours, and no reason to stop working.
            log.error("engine.reload_failed", error=type(exc).__name__, exc_info=exc)
        else:
            log.info("engine.reloaded", elapsed_ms=round((monotonic_s() - started) * 1000))
        self._notifier.ready(self._status())

    async def _beat(self) -> None:
        """Signs of life for as long as every lane has them; none, so that the manager restarts us, when one hangs."""
        every_s = self._notifier.beat_every_s or BEAT_S
        while True:
            ill = self._engine.health().ill
            if not ill:
                self._notifier.watchdog()
            elif ill != self._was_ill:
                log.error("engine.ill", lanes=list(ill))
            self._was_ill = ill
            if not self._is_stopping:
                self._notifier.status(self._status())
            await asyncio.sleep(every_s)

    async def _watch_lanes(self) -> None:
        # A damaged database gets no better by being asked again, and what is written into it may be lost with it.
        damage = await self._engine.hopeless()
        log.critical("engine.gave_up", error=type(damage).__name__, reason=str(damage))
        self.stop("the database is damaged", failed=True)

    async def _watch_lock(self, lock: Watched) -> None:
        await lock.watch(lambda: self.stop("lock lost", failed=True))

    def _status(self) -> str:
        health = self._engine.health()
        running = [lane.name for lane in health.lanes if lane.running_s is not None]
        failing = [lane.name for lane in health.lanes if lane.failures]
        text = f"{len(health.lanes)} lanes"
        if health.ill:
            text += f"; hanging: {', '.join(health.ill)}"
        if failing:
            text += f"; failing: {', '.join(failing)}"
        if running:
            text += f"; at work: {', '.join(running)}"
        waiting = self._backlog()
        return text + (f"; due: {waiting}" if waiting else "")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self.ask_reload)
        try:
            yield
        finally:
            for number in (*STOP_SIGNALS, signal.SIGHUP):
                loop.remove_signal_handler(number)
