from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from tests.engine.support import NOW, Gate, Script, Time, until
from tracker.clock import FrozenClock
from tracker.engine.base import Lane
from tracker.engine.local import LocalEngine
from tracker.engine.notify import Notifier
from tracker.engine.service import Service

pytestmark = pytest.mark.anyio


class Manager(Notifier):
    """Keeps what the service manager would be told; wants a sign of life every hundredth of a second."""

    def __init__(self) -> None:
        super().__init__("/nowhere", watchdog_s=0.03, monotonic_usec=lambda: 7)
        self.told: list[str] = []

    def _send(self, *lines: str) -> None:
        self.told.append(lines[0])

    def sequence(self) -> list[str]:
        """What was told apart from signs of life and status lines."""
        return [line for line in self.told if line != "WATCHDOG=1" and not line.startswith("STATUS=")]


class Lock:
    """A right to work that a test takes away."""

    def __init__(self) -> None:
        self.taken_away = asyncio.Event()

    async def watch(self, on_lost: Callable[[], None]) -> None:
        await self.taken_away.wait()
        on_lost()


class Daemon:
    """A service with its engine, running in the background."""

    def __init__(self, lanes: Sequence[Lane], drain_s: float = 25.0) -> None:
        self.time = Time()
        self.engine = LocalEngine(lanes, clock=FrozenClock(NOW), monotonic=self.time.monotonic)
        self.manager = Manager()
        self.lock = Lock()
        self.reloads = 0
        self.reload_error: Exception | None = None
        self.backlog = ""
        self.service = Service(
            self.engine,
            notifier=self.manager,
            reload=self.reload,
            lock=self.lock,
            drain_s=drain_s,
            backlog=lambda: self.backlog,
        )
        self.task: asyncio.Task[int] | None = None

    async def reload(self) -> None:
        self.reloads += 1
        if self.reload_error is not None:
            raise self.reload_error

    async def exit_code(self) -> int:
        assert self.task is not None
        return await asyncio.wait_for(self.task, 10)


@asynccontextmanager
async def started(lanes: Sequence[Lane], drain_s: float = 25.0) -> AsyncIterator[Daemon]:
    daemon = Daemon(lanes, drain_s)
    daemon.task = asyncio.create_task(daemon.service.run())
    await until(lambda: "READY=1" in daemon.manager.told)
    try:
        yield daemon
    finally:
        daemon.service.stop("the test is over", failed=True)
        await daemon.exit_code()


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_after_the_work_at_hand(number: signal.Signals) -> None:
    gate = Gate("claims")
    async with started([gate.lane]) as daemon:
        await gate.entered.wait()
        send(number)
        await until(lambda: "STOPPING=1" in daemon.manager.told)
        beats = daemon.manager.told.count("WATCHDOG=1")
        await until(lambda: daemon.manager.told.count("WATCHDOG=1") > beats)  # alive while it drains
        assert gate.inside == 1
        gate.go.set()
        assert await daemon.exit_code() == 0
    assert gate.ended == 1
    assert daemon.manager.sequence() == ["READY=1", "STOPPING=1"]


async def test_a_second_signal_hastens_the_end() -> None:
    gate = Gate("poll")
    async with started([gate.lane], drain_s=3600) as daemon:
        await gate.entered.wait()
        send(signal.SIGTERM)
        await until(lambda: "STOPPING=1" in daemon.manager.told)
        send(signal.SIGTERM)
        assert await daemon.exit_code() == 0
    assert (gate.inside, gate.ended) == (0, 0)


async def test_after_the_end_signals_do_again_what_they_did_before() -> None:
    caught: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _frame: caught.append(number))
    try:
        async with started([]) as daemon:
            send(signal.SIGTERM)
            await daemon.exit_code()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_sighup_reads_the_configuration_again_between_reloading_and_ready() -> None:
    async with started([Script("poll").lane]) as daemon:
        send(signal.SIGHUP)
        await until(lambda: daemon.manager.told.count("READY=1") == 2)
        assert daemon.reloads == 1
    assert daemon.manager.sequence()[:3] == ["READY=1", "RELOADING=1", "READY=1"]


async def test_a_reload_that_breaks_is_logged_and_the_work_goes_on() -> None:
    script = Script("poll", every_s=0.01)
    with capture_logs() as logs:
        async with started([script.lane]) as daemon:
            daemon.reload_error = RuntimeError("no")
            send(signal.SIGHUP)
            await until(lambda: daemon.manager.told.count("READY=1") == 2)
            await script.next_run()
    assert [line["error"] for line in logs if line["event"] == "engine.reload_failed"] == ["RuntimeError"]


async def test_a_lost_lock_ends_it_at_once_with_exit_1() -> None:
    gate = Gate("poll")
    async with started([gate.lane], drain_s=3600) as daemon:
        await gate.entered.wait()
        daemon.lock.taken_away.set()
        assert await daemon.exit_code() == 1
    assert gate.inside == 0


async def test_signs_of_life_stop_when_a_lane_hangs_and_return_when_it_goes_on() -> None:
    gate = Gate("poll", stuck_after_s=100)
    with capture_logs() as logs:
        async with started([gate.lane]) as daemon:
            await gate.entered.wait()
            daemon.time.extra_s = 101
            await until(lambda: any(line["event"] == "engine.ill" for line in logs))
            silent = daemon.manager.told.count("WATCHDOG=1")
            await asyncio.sleep(0.04)
            assert daemon.manager.told.count("WATCHDOG=1") == silent
            gate.go.set()
            await until(lambda: daemon.manager.told.count("WATCHDOG=1") > silent)
    assert [line["lanes"] for line in logs if line["event"] == "engine.ill"] == [["poll"]]


async def test_the_status_line_names_what_works_and_what_fails() -> None:
    gate, broken = Gate("poll"), Script("claims", [RuntimeError("no")])
    async with started([gate.lane, broken.lane]) as daemon:
        await until(lambda: "STATUS=2 lanes; failing: claims; at work: poll" in daemon.manager.told)
        daemon.backlog = "12 looks correios, 3 mail"
        whole = f"STATUS=2 lanes; failing: claims; at work: poll; due: {daemon.backlog}"
        await until(lambda: whole in daemon.manager.told)


async def test_a_watcher_that_breaks_ends_the_service() -> None:
    with capture_logs() as logs:
        async with started([]) as daemon:
            daemon.manager.watchdog = lambda: 1 / 0  # type: ignore[method-assign,assignment]
            assert await daemon.exit_code() == 1
    assert [line["watcher"] for line in logs if line["event"] == "engine.watcher_failed"] == ["signs of life"]
