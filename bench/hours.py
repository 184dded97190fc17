"""Memory over hours of work that pass in seconds: polls, news, detection, mails, and all the other lanes in their turns.

`python -m bench.hours CONFIG CARRIER_PORT HOURS` is the process that is watched: the program as the daemon builds it, without
its pages; it prints a line of JSON for each simulated hour.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final, TextIO

from bench.figures import Figure
from bench.rows import fill, fill_deliveries
from bench.servers import ask
from bench.setting import Setting
from bench.world import NOW, World
from tracker import log
from tracker.app import App, build
from tracker.clock import CLOCK_FILE_VARIABLE, FrozenClock
from tracker.config import load_config
from tracker.engine import memory
from tracker.engine.base import Lane
from tracker.sandbox.clock import write_instant
from tracker.store.database import Database

STEP: Final = timedelta(minutes=10)
"""So far the clock goes on at a time; each lane has the turns that fall due."""
FIRST_LOOKS: Final = timedelta(hours=2)
"""Over so long the parcels' first looks are spread."""
PER: Final = 100_000
TARGET: Final = 0.5
"""MiB an hour: what the allocator moves by itself. Anything that were kept for each look or mail would be more."""


def memory_hour(setting: Setting) -> list[Figure]:
    """What the process has grown by since it was warm, and the same for each 100,000 looks."""
    sizes = setting.sizes
    with setting.world() as world:
        _fill(world, sizes.parcels, min(sizes.messages, sizes.parcels), sizes.hours)
        hours = _watched(world, sizes.hours)
    warm, last = hours[_warm_up(sizes.hours) - 1], hours[-1]
    grown = last["mib"] - warm["mib"]
    looks, mails = last["looks"] - warm["looks"], last["mails"] - warm["mails"]
    watched = sizes.hours - _warm_up(sizes.hours)
    span = f"{warm['mib']:.1f} to {last['mib']:.1f} MiB in {watched} h"
    kind = setting.database
    return [
        Figure(
            "memory_hour",
            grown / watched,
            "MiB an hour",
            sizes.parcels,
            kind,
            target=TARGET,
            at_least=False,
            detail=f"{span}, {looks:,} looks, {mails:,} mails",
        ),
        Figure(
            "memory_looks",
            grown * PER / max(looks, 1),
            f"MiB for {PER:,} looks",
            sizes.parcels,
            kind,
            detail=span,
        ),
    ]


def _warm_up(hours: int) -> int:
    """The first half: caches are filled by then, of the database's pages above all."""
    return max(1, hours // 2)


def _fill(world: World, parcels: int, messages: int, hours: int) -> None:
    """Parcels in transit, and e-mails that become due one after the other until the end."""
    end = timedelta(hours=hours)
    database = Database(world.url)

    def first(number: int) -> datetime:
        return NOW + FIRST_LOOKS * (number * 7919 % parcels / parcels)

    fill(database, parcels, poll_at=first, check_at=first)
    fill_deliveries(database, messages, lambda number: NOW + end * ((number - 1) / messages))
    database.close()


def _watched(world: World, hours: int) -> list[dict[str, Any]]:
    write_instant(world.clock_file, NOW)
    command = [sys.executable, "-m", "bench.hours", str(world.config), str(world.carrier_port), str(hours)]
    environment = {**os.environ, CLOCK_FILE_VARIABLE: str(world.clock_file)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- the process that is watched ------------------------------------------------------------------------


def main() -> None:
    """Work through the hours."""
    config, port, hours = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    app = build(load_config(config, {}, strict_credentials=True))
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        log.configure(FrozenClock(NOW), nowhere, force_json=True)
        app.take_over()
        memory.settle()
        asyncio.run(_work(app, port, hours, sys.stdout))


async def _work(app: App, port: int, hours: int, out: TextIO) -> None:
    clock_file = Path(os.environ[CLOCK_FILE_VARIABLE])
    turns: dict[str, datetime] = {}
    worked = {"looks": 0, "mails": 0}
    for hour in range(hours):
        ask(port, f"/round/{hour + 1}")
        resident = []
        for step in range(timedelta(hours=1) // STEP):
            now = NOW + timedelta(hours=hour) + STEP * step
            write_instant(clock_file, now)
            for lane in app.lanes:
                if now >= turns.get(lane.name, now):
                    await _turn(lane, now, worked)
                    turns[lane.name] = now + timedelta(seconds=lane.every_seconds)
            resident.append(_resident_mib())
        out.write(json.dumps({"mib": median(resident), **worked}) + "\n")
        out.flush()
    await app.close()


async def _turn(lane: Lane, now: datetime, worked: dict[str, int]) -> None:
    rows = await lane.run(now)
    if lane.name.startswith("poll:"):
        worked["looks"] += rows
    if lane.name.startswith("messages:email"):
        worked["mails"] += rows


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
