"""What a million open shipments cost: finding due work, memory, and the time to the first poll."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Connection

from bench.figures import Figure
from bench.rows import CARRIER, fill
from bench.servers import ask
from bench.world import World
from tracker.clock import SystemClock
from tracker.store.database import Database
from tracker.store.leases import new_token
from tracker.store.polls import take_due
from tracker.store.problems import take_due_checks

TAKES = 200
SPREAD = timedelta(hours=3)
WATCHED_S = 15.0


class _Undo(Exception):
    """Ends a measuring transaction without a trace."""


def fill_spread(database: Database, count: int, due: int, now: datetime) -> None:
    """*count* shipments of which *due*, evenly strewn, are due; the others within three hours."""
    every = count // due

    def at(number: int) -> datetime:
        if number % every == 0:
            return now - timedelta(seconds=number % 600)
        return now + timedelta(minutes=5) + SPREAD * ((number * 7919 % count) / count)

    fill(database, count, poll_at=at, check_at=at)


def finding(small: Database, large: Database, now: datetime, sizes: str) -> list[Figure]:
    """How much longer the next fifty take to find among many than among few."""
    polls = _compared(small, large, lambda c: len(take_due(c, CARRIER, now=now, limit=50, token=new_token())))
    checks = _compared(small, large, lambda c: len(take_due_checks(c, 0, 8, now=now, limit=50, token=new_token())))
    return [
        Figure(f"finding due polls, {sizes}", polls[1] / polls[0], "times", 1.5, False, _ms(polls)),
        Figure(f"finding due checks, {sizes}", checks[1] / checks[0], "times", 1.5, False, _ms(checks)),
    ]


def _ms(found: tuple[float, float]) -> str:
    return f"{found[0] * 1000:.2f} ms and {found[1] * 1000:.2f} ms for 50"


def _compared(small: Database, large: Database, take: Callable[[Connection], int]) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(TAKES):
        for database, into in zip((small, large), times, strict=True):
            into.append(_once(database, take))
    return median(times[0]), median(times[1])


def _once(database: Database, take: Callable[[Connection], int]) -> float:
    took = 0.0
    try:
        with database.begin_write() as connection:
            begun = time.perf_counter()
            found = take(connection)
            took = time.perf_counter() - begun
            if found != 50:
                raise RuntimeError(f"{found} rows were due instead of 50: the figure would mean nothing")
            raise _Undo
    except _Undo:
        return took


def help_time() -> Figure:
    """The wall time of `tracker --help`, the best of five: the machine's own noise is not ours."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tracker", "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begun)
    return Figure("tracker --help", min(times), "s", 0.4, False)


def start(world: World, sizes: str) -> list[Figure]:
    """`run --once` to its first poll, and the daemon's memory after it has worked for some seconds."""
    first_s, once = _started(world, ["run", "--once"])
    _stopped(once)
    _, daemon = _started(world, ["run"])
    time.sleep(WATCHED_S)
    peak = _peak_mib(daemon.pid)
    _stopped(daemon)
    return [
        Figure(f"start to first poll, {sizes}", first_s, "s", 5.0, False),
        Figure(f"memory of the daemon, {sizes}", peak, "MiB", 250.0, False, f"peak of the first {WATCHED_S:.0f} s"),
    ]


def _started(world: World, arguments: list[str]) -> tuple[float, subprocess.Popen[bytes]]:
    before = ask(world.carrier_port, "/calls")
    command = [sys.executable, "-m", "tracker", *arguments, "-c", str(world.config)]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while ask(world.carrier_port, "/calls") == before:
        if process.poll() is not None:
            raise RuntimeError(f"tracker {' '.join(arguments)} ended with {process.returncode} before its first poll")
        time.sleep(0.01)
    return time.perf_counter() - begun, process


def _stopped(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def present() -> datetime:
    """The real present: the daemon that is started here works by it."""
    return SystemClock().now().astimezone(UTC)
