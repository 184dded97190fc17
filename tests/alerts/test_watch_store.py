"""What nobody signals by itself: messages that do not leave, and a daemon that was silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, update

from tests.alerts.support import NOW, Alerting, log_entry, say
from tests.reports.support import add_order, order
from tracker.alerts.watch import WatchSweep
from tracker.store.database import Database
from tracker.store.tables import Alert, Delivery, Notice, ShipmentPoll, table

ZONE = ZoneInfo("America/Sao_Paulo")
MIN, HOUR = timedelta(minutes=1), timedelta(hours=1)
pytestmark = pytest.mark.anyio


class Process:
    """One process of the program, by its own seconds."""

    def __init__(self, database: Database, born: datetime) -> None:
        self.born, self.seconds = born, 0.0
        self.watch = WatchSweep(database, ZONE, lambda: self.seconds, carriers=["correios"])
        self.alerting = Alerting(database, [log_entry()])

    async def run(self, now: datetime) -> None:
        self.seconds = (now - self.born).total_seconds()
        await self.watch.run(now)
        await self.alerting.run(now)


def alerts(database: Database) -> list[tuple[str, bool]]:
    """(kind, whether it is open)."""
    rows = table(Alert)
    with database.begin_read() as connection:
        return [(row.kind, row.resolved_at is None) for row in connection.execute(rows.select().order_by(rows.c.id))]


def queue(database: Database, due: datetime, **changes: Any) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("1"))
        notice = {"shop": "exemplo", "order_id": 1, "trigger": "posted", "occurrence": "1:1", "since": due}
        dates = {"created_at": due, "expires_at": due + 48 * HOUR, "version": 1}
        connection.execute(insert(table(Notice)), {**notice, **dates})
        row = {"notice_id": 1, "channel": "email", "state": "queued", "queued_at": due, "next_step_at": due}
        connection.execute(insert(table(Delivery)), {**row, "attempts": 0, "repeated": False, **changes})


async def test_messages_that_wait_for_over_an_hour_raise_one_alert_until_they_leave(database: Database) -> None:
    process = Process(database, NOW)
    queue(database, NOW)
    await process.run(NOW + 59 * MIN)
    assert alerts(database) == []
    for minutes in (61, 62, 90):
        await process.run(NOW + minutes * MIN)
    assert alerts(database) == [("outbox_backed_up", True)]
    with database.begin_write() as connection:
        connection.execute(update(table(Delivery)).values(state="sent", next_step_at=None))
    await process.run(NOW + 91 * MIN)
    assert alerts(database) == [("outbox_backed_up", False)]


@pytest.mark.parametrize(
    "state", [pytest.param("awaiting_person", id="waits for a person"), pytest.param("unconfirmed", id="left already")]
)
async def test_what_waits_for_something_else_is_no_backlog(database: Database, state: str) -> None:
    queue(database, NOW, state=state)
    await Process(database, NOW).run(NOW + 5 * HOUR)
    assert alerts(database) == []


async def test_a_mail_server_that_is_down_has_its_own_alert(database: Database) -> None:
    process = Process(database, NOW)
    queue(database, NOW)
    say(database, NOW, key="mail:account", kind="mail_down")
    await process.run(NOW)
    await process.run(NOW + 2 * HOUR)
    assert alerts(database) == [("mail_down", True)]


async def test_a_daemon_that_was_away_says_so_once_it_is_back(database: Database) -> None:
    daemon = Process(database, NOW)
    for minutes in (0, 11, 16, 60):
        await daemon.run(NOW + minutes * MIN)
    back = NOW + 10 * HOUR
    again = Process(database, back)
    await again.run(back)
    await again.run(back + 11 * MIN)
    assert alerts(database) == [("daemon_silent", True)]
    with database.begin_read() as connection:
        (alert,) = connection.execute(table(Alert).select()).all()
    assert alert.summary == "nobody worked here for 9.0 hours, from 2026-11-24 10:00 to 2026-11-24 19:00"
    await again.run(back + 61 * MIN)
    assert alerts(database) == [("daemon_silent", False)]


async def test_passes_by_cron_are_no_silence(database: Database) -> None:
    for hours in range(0, 100, 24):
        await Process(database, NOW + hours * HOUR).run(NOW + hours * HOUR)
    assert alerts(database) == []


def look_due(database: Database, at: datetime, *, urgent: bool = True) -> None:
    polls = table(ShipmentPoll)
    with database.begin_write() as connection:
        if not connection.execute(polls.select()).all():
            add_order(connection, order("1"), "AA123456785BR")
        connection.execute(update(polls).values(next_poll_at=at, urgent=urgent))


async def test_looks_that_fall_behind_raise_one_alert_until_they_have_caught_up(database: Database) -> None:
    process = Process(database, NOW)
    look_due(database, NOW)
    await process.run(NOW + 60 * MIN)
    await process.run(NOW + 119 * MIN)
    assert alerts(database) == []
    for minutes in (121, 122, 150):
        await process.run(NOW + minutes * MIN)
    assert alerts(database) == [("looks_behind", True)]
    look_due(database, NOW + 60 * MIN)
    await process.run(NOW + 151 * MIN)
    assert alerts(database) == [("looks_behind", True)]
    look_due(database, NOW + 140 * MIN)
    await process.run(NOW + 152 * MIN)
    assert alerts(database) == [("looks_behind", False)]


async def test_what_is_not_urgent_may_wait_and_a_process_that_just_began_is_given_time(database: Database) -> None:
    process = Process(database, NOW)
    look_due(database, NOW - 5 * HOUR)
    await process.run(NOW)
    await process.run(NOW + 9 * MIN)
    look_due(database, NOW - 5 * HOUR, urgent=False)
    await process.run(NOW + HOUR)
    assert alerts(database) == []


async def test_a_carrier_that_is_down_has_its_own_alert(database: Database) -> None:
    process = Process(database, NOW)
    look_due(database, NOW)
    await process.run(NOW)
    say(database, NOW, key="carrier:correios:tracking:down", kind="carrier_down")
    await process.run(NOW + 15 * MIN)
    await process.run(NOW + 3 * HOUR)
    assert alerts(database) == [("carrier_down", True)]


async def test_an_account_that_was_taken_out_leaves_no_alert_behind(database: Database) -> None:
    process = Process(database, NOW)
    look_due(database, NOW)
    await process.run(NOW)
    await process.run(NOW + 3 * HOUR)
    assert alerts(database) == [("looks_behind", True)]
    process.watch.carriers = []
    await process.run(NOW + 3 * HOUR + MIN)
    assert alerts(database) == [("looks_behind", False)]
