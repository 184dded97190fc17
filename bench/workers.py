"""One, two and four processes that share the lanes of one PostgreSQL: parcels looked at a second, nothing new."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, exists, func, or_, select, update

from bench.figures import Figure
from bench.rows import fill
from bench.servers import ask
from bench.setting import Setting
from bench.world import World, account, lanes, present, run
from tracker.store import engine_rows, queue_schema
from tracker.store.database import Database
from tracker.store.engine_rows import LaneRow
from tracker.store.tables import EngineLane, ShipmentCheck, ShipmentPoll, table

ACCOUNTS: Final = ("correios1", "correios2", "correios3", "correios4")
"""The lane of an account runs in one process at a time: with fewer accounts than processes some would look on."""
START_LIMIT_S: Final = 240.0
"""A machine that others keep busy needs many seconds for a process."""
WORK_LIMIT_S: Final = 600.0
_POLLS: Final = table(ShipmentPoll)
_CHECKS: Final = table(ShipmentCheck)
_LANES: Final = table(EngineLane)


def workers(setting: Setting) -> list[Figure]:
    """The same parcels due again for each number of processes."""
    if setting.server is None:
        sys.stderr.write("skipped: several processes share PostgreSQL only; name a server with --database\n")
        return []
    count = setting.sizes.parcels
    accounts = "".join(account(id_, setting.carrier_port, f"006759{n:04d}") for n, id_ in enumerate(ACCOUNTS))
    with setting.world(engine="procrastinate", accounts=accounts) as world:
        asyncio.run(_seen(world, count))
        database = Database(world.url)
        found = [(number, *_measured(world, database, number)) for number in setting.sizes.workers]
        database.close()
    alone = count / found[0][1]
    return [
        Figure(
            f"workers_{number}", count / took, "parcels/s", count, setting.database, alone, detail=f"{busy} with work"
        )
        for number, took, busy in found
    ]


async def _seen(world: World, count: int) -> None:
    """Parcels that were looked at once, so that nothing is new; nothing is due."""
    queue_schema.upgrade(world.url)
    now = present()
    with world.program() as app:
        fill(app.database, count, poll_at=lambda _: now, accounts=ACCOUNTS)
        await run(lanes(app, "poll:"), now)
        with app.database.begin_write() as connection:
            connection.execute(update(_CHECKS).values(next_check_at=None))
            connection.execute(update(_POLLS).values(next_poll_at=None))
        for entry in app.book.accounts.values():
            await entry.http.aclose()


def _measured(world: World, database: Database, number: int) -> tuple[float, int]:
    """Seconds from the first call at the carrier to the last parcel saved, and how many processes had a part in it."""
    with _started(world, database, number):
        before, now = ask(world.carrier_port, "/calls"), present()
        _make_due(database, now)
        _wait(lambda: ask(world.carrier_port, "/calls") > before, START_LIMIT_S, "nobody began to look")
        begun = time.perf_counter()
        _wait(lambda: not _is_busy(database, now), WORK_LIMIT_S, "not every parcel was looked at")
        took = time.perf_counter() - begun
        return took, _pids(database)


@contextlib.contextmanager
def _started(world: World, database: Database, number: int) -> Iterator[None]:
    """So many daemons, each known to the others, all lanes at rest."""
    command = [sys.executable, "-m", "tracker", "run", "-c", str(world.config)]
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(_end, process)
        _wait(lambda: _are_ready(database, number), START_LIMIT_S, f"{number} workers did not start")
        yield


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(START_LIMIT_S)
    finally:
        process.kill()


def _are_ready(database: Database, number: int) -> bool:
    """Whether so many workers are known, and each lane that polls has been looked at since the last of them came."""
    with database.begin_read() as connection:
        known, polling = engine_rows.workers(connection), _polling(connection)
    came = max((worker.started_at for worker in known), default=None)
    rested = [lane for lane in polling if came and lane.ended_at and lane.ended_at > came and not lane.holder]
    return len(known) == number and len(rested) == len(ACCOUNTS)


def _polling(connection: Connection) -> list[LaneRow]:
    return [lane for lane in engine_rows.lanes(connection) if lane.name.startswith("poll:")]


def _make_due(database: Database, now: datetime) -> None:
    """Every parcel, and the lanes that look at them: each would come within its own seconds anyway."""
    with database.begin_write() as connection:
        connection.execute(update(_POLLS).values(next_poll_at=now - timedelta(minutes=1)))
        mine = _LANES.c.name.startswith("poll:")
        connection.execute(update(_LANES).where(mine).values(next_run_at=func.clock_timestamp()))


def _is_busy(database: Database, now: datetime) -> bool:
    waits = or_(_POLLS.c.next_poll_at < now, _POLLS.c.lease_token.is_not(None))
    with database.begin_read() as connection:
        return bool(connection.execute(select(exists().where(waits))).scalar_one())


def _pids(database: Database) -> int:
    """How many processes have run the lanes that look at parcels."""
    with database.begin_read() as connection:
        return len({lane.pid for lane in _polling(connection)})


def _wait(holds: Callable[[], bool], limit_s: float, what: str) -> None:
    ends = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > ends:
            raise RuntimeError(f"{what} within {limit_s:.0f} s: the figure would mean nothing")
        time.sleep(0.05)
