"""What the local engine writes down for `tracker engine status`: who works, and how each lane is; without it the lanes go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.engine.support import NOW, Time
from tracker.engine.base import Health, Lane, LaneHealth
from tracker.engine.record import Record
from tracker.errors import DatabaseFaultError
from tracker.store import engine_rows
from tracker.store.database import Database
from tracker.store.engine_rows import WorkerRow
from tracker.store.tables import EngineLane, EngineWorker, table

pytestmark = pytest.mark.anyio


async def nothing(_now: Any) -> int:
    return 0


LANE = Lane("poll:x", nothing, 20)


def health(**known: Any) -> Health:
    values = {"running_s": None, "last_finished_at": None, "failures": 0, "is_stuck": False, "is_overdue": False}
    return Health((LaneHealth("poll:x", **{**values, **known}),))


def all_rows(database: Database, model: Any) -> list[dict[str, Any]]:
    with database.begin_read() as connection:
        return [dict(row) for row in connection.execute(select(table(model))).mappings()]


async def test_it_writes_who_works_and_what_has_changed(database: Database) -> None:
    found = [health(running_s=3.0, started_at=NOW)]
    record = Record(lambda: found[-1], lambda: [LANE], lambda: database, wall=Time())
    await record.write()
    (worker,) = all_rows(database, EngineWorker)
    (lane,) = all_rows(database, EngineLane)
    assert (worker["engine"], worker["lanes"]) == ("local", ["poll:x"])
    assert (lane["holder"], lane["started_at"], lane["outcome"]) == (worker["holder"], NOW, "")
    ended = NOW + timedelta(seconds=4)
    found.append(health(failures=2, started_at=NOW, ended_at=ended, outcome="failed", error="OSError"))
    await record.write()
    (lane,) = all_rows(database, EngineLane)
    assert (lane["holder"], lane["ended_at"], lane["failures"], lane["error"]) == ("", ended, 2, "OSError")
    assert lane["failing_since"] is not None
    await record.end()
    assert all_rows(database, EngineWorker) == []


async def test_who_takes_over_alone_forgets_whoever_was_there(database: Database) -> None:
    record = Record(health, lambda: [LANE], lambda: database)
    await record.write()
    with database.begin_write() as connection:
        engine_rows.forget_all(connection)
    await record.write()
    assert len(all_rows(database, EngineWorker)) == 1


async def test_what_cannot_be_written_is_a_fault_of_the_database(postgres_url: str) -> None:
    gone = Database(postgres_url.replace("/t", "/no_such_t"))
    record = Record(health, lambda: [LANE], lambda: gone)
    with pytest.raises(DatabaseFaultError):
        await record.write()
    await record.end()
    gone.close()


def test_a_beat_of_one_that_was_taken_for_dead_says_so(database: Database) -> None:
    row = WorkerRow("aa", "local", "daemon", "one", 7, None, NOW, NOW, ())
    with database.begin_write() as connection:
        engine_rows.register(connection, row)
        assert engine_rows.beat(connection, "aa", NOW)
        engine_rows.unregister(connection, "aa")
        assert not engine_rows.beat(connection, "aa", NOW)
        assert connection.execute(text("SELECT count(*) FROM engine_workers")).scalar_one() == 0
