"""What a million open shipments cost: finding due work, looking at it, memory, start, stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import Connection, update

from bench.figures import Figure
from bench.rows import CARRIER, fill
from bench.servers import ask
from bench.setting import Setting
from bench.world import World, lanes, present, run
from tracker.store.database import Database
from tracker.store.leases import new_token, put_down
from tracker.store.polls import take_due
from tracker.store.problems import take_due_checks
from tracker.store.tables import ShipmentCheck, ShipmentPoll, table

SIZES: Final = {"10k": 100, "100k": 10, "1m": 1}
"""Each name's share of the largest size."""
TAKES: Final = 100
SPREAD: Final = timedelta(hours=3)
BATCH: Final = 50
DUE: Final = 100
"""So few that each lies on a page of its own in the smallest database too: else it would be compared for its neighbours."""
LOOKED_AT: Final = 1_000
STOP_LIMIT_S: Final = 30.0


class _Undo(Exception):
    """Ends a measuring transaction without a trace."""


def fill_spread(database: Database, count: int, due: int, now: datetime) -> None:
    """*count* shipments of which *due*, evenly strewn, are due; the others within three hours.

    Those that are due were leased before, as is every row that was ever looked at: a row's first lease lengthens it, and pages
    as full as a bulk insert leaves them would be split for it, the larger the database the deeper.
    """
    every = count // due

    def at(number: int) -> datetime:
        if number % every == 0:
            return now - timedelta(seconds=number % 600)
        return now + timedelta(minutes=5) + SPREAD * ((number * 7919 % count) / count)

    fill(database, count, poll_at=at, check_at=at)
    token = new_token()
    with database.begin_write() as connection:
        polls = take_due(connection, CARRIER, now=now, limit=due, token=token)
        checks = take_due_checks(connection, 0, 1, now=now, limit=due, token=token)
    with database.begin_write() as connection:
        put_down(connection, table(ShipmentPoll), [poll.shipment_id for poll in polls], token)
        put_down(connection, table(ShipmentCheck), checks, token)


@contextlib.contextmanager
def _worlds(setting: Setting) -> Iterator[dict[str, tuple[World, int]]]:
    """A database of each size, filled; by name with its count."""
    with contextlib.ExitStack() as stack:
        found = {}
        for name, share in SIZES.items():
            world, count = stack.enter_context(setting.world()), max(600, setting.sizes.shipments // share)
            database = Database(world.url)
            fill_spread(database, count, min(DUE, count // 10), present())
            database.close()
            found[name] = (world, count)
        yield found


def large(setting: Setting) -> list[Figure]:
    """All that is asked of databases of several sizes, which take a while to fill."""
    with _worlds(setting) as worlds:
        figures = finding(worlds, setting) + looking(worlds, setting)
        world, count = worlds["1m"]
        return figures + starting(world, count, setting)


def finding(worlds: dict[str, tuple[World, int]], setting: Setting) -> list[Figure]:
    """How long the next fifty take to find, polls and checks, against the smallest database."""
    now = present()
    databases = {name: Database(world.url) for name, (world, _) in worlds.items()}
    kinds: dict[str, Callable[[Connection], int]] = {
        "due": lambda c: len(take_due(c, CARRIER, now=now, limit=BATCH, token=new_token())),
        "due_checks": lambda c: len(take_due_checks(c, 0, 1, now=now, limit=BATCH, token=new_token())),
    }
    figures = []
    for kind, take in kinds.items():
        times: dict[str, list[float]] = {name: [] for name in databases}
        for _ in range(TAKES if setting.sizes.rounds > 1 else 2):
            for name, database in databases.items():
                times[name].append(_once(database, take))
        smallest = median(times["10k"]) * 1000
        for name, found in times.items():
            value = median(found) * 1000
            count = worlds[name][1]
            figures.append(
                Figure(f"{kind}_{name}", value, "ms for 50", count, setting.database, smallest, 1.5, at_least=False)
            )
    for database in databases.values():
        database.close()
    return figures


def _once(database: Database, take: Callable[[Connection], int]) -> float:
    took = 0.0
    try:
        with database.begin_write() as connection:
            begun = time.perf_counter()
            found = take(connection)
            took = time.perf_counter() - begun
            if found != BATCH:
                raise RuntimeError(f"{found} rows were due instead of {BATCH}: the figure would mean nothing")
            raise _Undo
    except _Undo:
        return took


def looking(worlds: dict[str, tuple[World, int]], setting: Setting) -> list[Figure]:
    """Detection over what is due, against the smallest database."""
    rates: dict[str, float] = {}
    for name, (world, count) in worlds.items():
        with world.program() as app:
            # What is due as filled is looked at beforehand: the first look opens connections and builds statements.
            asyncio.run(run(lanes(app, "detect#"), present()))
            _have_checked(app.database, count // min(LOOKED_AT, count // 10))
            begun = time.perf_counter()
            looked = asyncio.run(run(lanes(app, "detect#"), present()))
            rates[name] = looked / (time.perf_counter() - begun)
    return [
        Figure(f"detect_{name}", rate, "parcels/s", worlds[name][1], setting.database, rates["10k"])
        for name, rate in rates.items()
    ]


def _have_checked(database: Database, every: int) -> None:
    """Have every so manieth shipment looked at now."""
    checks = table(ShipmentCheck)
    with database.begin_write() as connection:
        mine = checks.c.shipment_id % every == 0
        connection.execute(update(checks).where(mine).values(next_check_at=present()))


def starting(world: World, count: int, setting: Setting) -> list[Figure]:
    """`run --once` to its first poll; the daemon's memory while it works, and how long it takes to stop in the middle."""
    first_s, once = _started(world, ["run", "--once"])
    once.kill()
    once.wait(10)
    _, daemon = _started(world, ["run"])
    time.sleep(setting.sizes.watched_s)
    peak = _peak_mib(daemon.pid)
    begun = time.perf_counter()
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(STOP_LIMIT_S)
    stop_s = time.perf_counter() - begun
    if code != 0:
        raise RuntimeError(f"the daemon ended with {code} when it was told to stop")
    kind = setting.database
    return [
        Figure("startup_1m", first_s, "s", count, kind, target=5.0, at_least=False, detail="start to the first poll"),
        Figure(
            "memory_1m",
            peak,
            "MiB",
            count,
            kind,
            target=250.0,
            at_least=False,
            detail=f"peak in the first {setting.sizes.watched_s:.0f} s",
        ),
        Figure("stop_1m", stop_s, "s", count, kind, target=10.0, at_least=False, detail="SIGTERM to the end"),
    ]


def helping(setting: Setting) -> list[Figure]:
    """The wall time of `tracker --help`, the best of some: the machine's own noise is not ours."""
    times = []
    for _ in range(setting.sizes.rounds):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tracker", "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begun)
    return [Figure("help", min(times), "s", 1, "none", target=0.4, at_least=False)]


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


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
