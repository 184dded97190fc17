"""A database that was put back: sinks and the merchant are told nothing that waited in the copy, and what comes after it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from tests.alerts.support import KEY, NOW, Receiver, deliveries, say, sweep
from tests.alerts.test_digest_store import DAY, HOUR, MIN, MORNING, TO, mailing, rows
from tracker.domain.alerting import SinkPolicy
from tracker.store.database import Database
from tracker.store.restoring import HeldBack, hold_back
from tracker.store.tables import Alert, AlertNotification, Digest, Pulse, table

LATER = NOW + timedelta(hours=6)


def put_back(database: Database, now: datetime) -> HeldBack:
    with database.begin_write() as connection:
        return hold_back(connection, now=now, source="a.copy", who="fulana")


def column(database: Database, model: type, name: str) -> list[Any]:
    with database.begin_read() as connection:
        return [row[name] for row in connection.execute(table(model).select()).mappings()]


@pytest.mark.anyio
async def test_what_a_sink_had_not_taken_is_not_told_again(database: Database, receiver: Receiver) -> None:
    receiver.answers = [500]
    lane = sweep(database, receiver)
    say(database, NOW)
    await lane.run(NOW)
    assert deliveries(database)[1] == ("webhook", "raised", "queued", 1)
    held = put_back(database, LATER)
    assert held.alerts == 1
    receiver.got.clear()
    for hours in (0, 1, 12, 23):
        await sweep(database, receiver).run(LATER + timedelta(hours=hours))
    assert receiver.got == []
    assert column(database, AlertNotification, "state") == ["sent", "unconfirmed"]
    # What the facts say since then is told: that it is over, and that it comes again.
    say(database, LATER + timedelta(hours=23), raised=False)
    await sweep(database, receiver).run(LATER + timedelta(hours=23))
    say(database, LATER + timedelta(hours=24))
    await sweep(database, receiver).run(LATER + timedelta(hours=24))
    assert [e["resolved_at"] is None for e in receiver.envelopes()] == [False, True]


@pytest.mark.anyio
async def test_what_was_signalled_and_not_looked_at_stands_in_the_list(database: Database, receiver: Receiver) -> None:
    await sweep(database, receiver).run(NOW - timedelta(hours=1))
    say(database, NOW)
    with database.begin_write() as connection:
        connection.execute(insert(table(Pulse)), {"name": "daemon", "at": NOW})
    put_back(database, LATER)
    for hours in (0, 1, 48):
        await sweep(database, receiver).run(LATER + timedelta(hours=hours))
    assert receiver.got == []
    assert (column(database, Alert, "key"), column(database, Alert, "resolved_at")) == ([KEY], [None])
    assert column(database, Pulse, "name") == []


@pytest.mark.anyio
async def test_what_still_stands_after_a_day_is_reminded_of(database: Database, receiver: Receiver) -> None:
    lane = sweep(database, receiver, SinkPolicy(remind={"critical": timedelta(hours=6)}))
    say(database, NOW)
    await lane.run(NOW)
    put_back(database, NOW + timedelta(days=9))
    receiver.got.clear()
    await lane.run(NOW + timedelta(days=9, hours=23))
    assert receiver.got == []
    await lane.run(NOW + timedelta(days=10))
    assert [e["details"]["again"] for e in receiver.envelopes()] == ["reminder"]


# --- the digest -------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("was", ["queued", "sending"])
async def test_a_digest_that_waited_in_the_copy_does_not_leave(database: Database, was: str) -> None:
    row = {"shop": "exemplo", "day": MORNING.date(), "recipient": TO, "since": MORNING - DAY, "until": MORNING}
    due = {"state": was, "message_id": "<d@lojaexemplo.com.br>", "next_step_at": MORNING, "attempts": 0}
    with database.begin_write() as connection:
        connection.execute(insert(table(Digest)), {**row, **due})
    put_back(database, MORNING + HOUR)
    async with mailing(database) as (answers, lane):
        for later in (HOUR + MIN, 9 * HOUR):
            await lane.run(MORNING + later)
        assert answers.accepted == []
        await lane.run(MORNING + DAY)
    assert len(answers.accepted) == 1
    assert [state for _, _, state in rows(database)] == ["expired" if was == "queued" else "unconfirmed", "sent"]
    assert column(database, Digest, "since")[1] == (MORNING - DAY if was == "queued" else MORNING)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("restored", "sent"),
    [
        pytest.param(MORNING + DAY - MIN, 1, id="a minute before its hour: it cannot have been sent"),
        pytest.param(MORNING + DAY, 0, id="at its hour: it may have been sent"),
        pytest.param(MORNING + DAY + 9 * HOUR, 0, id="hours after it"),
    ],
)
async def test_todays_digest_after_a_restore(database: Database, restored: datetime, sent: int) -> None:
    async with mailing(database) as (answers, lane):
        await lane.run(MORNING)
        answers.accepted.clear()
        put_back(database, restored)
        for later in (MIN, 2 * HOUR):
            await lane.run(restored + later)
        assert len(answers.accepted) == sent
        await lane.run(MORNING + 2 * DAY)
    assert len(answers.accepted) == sent + 1
    assert column(database, Digest, "since")[-1] == (MORNING + DAY if sent else MORNING)
