"""A database that takes nothing is told of all the same: once when it has stood for a while, once when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from tests.alerts.support import NOW, Receiver, hook, log_entry
from tests.support.schema import prepare
from tracker.alerts.sinks import SinkEntry
from tracker.alerts.straight import CALM_S, STANDS_S, DatabaseAlarm
from tracker.clock import FrozenClock
from tracker.domain.alerting import SinkPolicy
from tracker.store.database import Database
from tracker.store.tables import Alert, table

pytestmark = pytest.mark.anyio
FULL = "/srv/tracker.db: the disk is full; make room"


@dataclass
class Machine:
    """A process's alarm, and its seconds."""

    database: Database
    entries: list[SinkEntry]
    fault: str = ""
    seconds: float = 0.0
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOW))

    def __post_init__(self) -> None:
        self.alarm = DatabaseAlarm(
            lambda: self.fault, lambda: self.entries, lambda: self.database, self.clock, monotonic=lambda: self.seconds
        )

    async def after(self, seconds: float) -> None:
        """So much later, another look."""
        self.seconds += seconds
        self.clock = FrozenClock(NOW + timedelta(seconds=self.seconds))
        self.alarm.clock = self.clock
        await self.alarm.look()


def rows(database: Database) -> list[Any]:
    with database.begin_read() as connection:
        return list(connection.execute(table(Alert).select()))


async def test_a_fault_that_stands_is_told_once_and_its_end_once(database: Database, receiver: Receiver) -> None:
    machine = Machine(database, [log_entry(), hook(receiver)])
    with capture_logs() as logs:
        await machine.after(0)
        machine.fault = FULL
        await machine.after(5)
        await machine.after(STANDS_S - 5)
        assert receiver.got == []
        for _ in range(20):
            await machine.after(60)
        assert [one["resolved_at"] for one in receiver.envelopes()] == [None]
        assert rows(database) == []
        machine.fault = ""
        for _ in range(3):
            await machine.after(60)
    raised, over = receiver.envelopes()
    assert (raised["kind"], raised["severity"], raised["summary"]) == ("database_unusable", "critical", FULL)
    assert raised["id"] == over["id"] and raised["id"].startswith("D")
    assert len(set(receiver.ids())) == 2
    assert over["resolved_at"] is not None and over["raised_at"] == raised["raised_at"]
    told = [line["event"] for line in logs if line["event"].startswith("alert.")]
    assert told == ["alert.raised", "alert.resolved"]
    (row,) = rows(database)
    assert (row.kind, row.raised_at) == ("database_unusable", NOW + timedelta(seconds=5))
    assert row.resolved_at == NOW + timedelta(seconds=5 + STANDS_S - 5 + 20 * 60 + 60)


async def test_a_short_fault_is_told_to_nobody(database: Database, receiver: Receiver) -> None:
    machine = Machine(database, [hook(receiver)])
    for _ in range(5):
        machine.fault = FULL
        await machine.after(STANDS_S / 2)
        machine.fault = ""
        await machine.after(STANDS_S / 2)
    assert receiver.got == [] and rows(database) == []


async def test_a_fault_that_comes_and_goes_is_one(database: Database, receiver: Receiver) -> None:
    machine = Machine(database, [hook(receiver)])
    for _ in range(20):
        machine.fault = FULL
        await machine.after(10)
        machine.fault = ""
        await machine.after(CALM_S - 1)
    assert [one["resolved_at"] for one in receiver.envelopes()] == [None]
    await machine.after(1)
    assert [one["resolved_at"] is None for one in receiver.envelopes()] == [True, False]
    assert len(rows(database)) == 1


async def test_a_sink_that_is_down_is_tried_again_and_delays_no_other(database: Database, receiver: Receiver) -> None:
    away = hook(Receiver(url="http://127.0.0.1:9/hook"), name="away")
    receiver.answers = [503, 503]
    machine = Machine(database, [away, hook(receiver)], fault=FULL)
    for seconds in (0, STANDS_S, 5, 5, 5):
        await machine.after(seconds)
    # 5 s, then 10 s after the second.
    assert len(receiver.got) == 3 and len(set(receiver.ids())) == 1
    machine.fault = ""
    await machine.after(60)
    assert [one["resolved_at"] is None for one in receiver.envelopes()] == [True, True, True, False]


async def test_who_did_not_hear_of_its_beginning_does_not_hear_of_its_end(
    database: Database, receiver: Receiver
) -> None:
    receiver.answers = [503]
    machine = Machine(database, [hook(receiver)], fault=FULL)
    await machine.after(0)
    await machine.after(STANDS_S)
    machine.fault = ""
    for _ in range(3):
        await machine.after(60)
    assert len(receiver.got) == 1
    assert [row.resolved_at is not None for row in rows(database)] == [True]


async def test_a_place_that_wants_other_kinds_hears_nothing(database: Database, receiver: Receiver) -> None:
    wants_claims = hook(receiver, SinkPolicy(kinds=frozenset({"claim_deadline"})))
    machine = Machine(database, [wants_claims], fault=FULL)
    await machine.after(0)
    await machine.after(STANDS_S)
    assert receiver.got == []


async def test_what_cannot_be_written_down_yet_is_written_later(sqlite_url: str, receiver: Receiver) -> None:
    prepare(sqlite_url)
    database = Database(sqlite_url)
    machine = Machine(database, [hook(receiver)], fault=FULL)
    await machine.after(0)
    await machine.after(STANDS_S)
    machine.fault = ""
    # As on a disk that may not be written again.
    event.listen(database._writer, "begin", lambda c: c.exec_driver_sql("PRAGMA query_only=ON"))
    await machine.after(60)
    assert len(receiver.got) == 2 and rows(database) == []
    database.close()
    machine.database = Database(sqlite_url)
    await machine.after(60)
    assert len(receiver.got) == 2 and len(rows(machine.database)) == 1
    machine.database.close()
