"""When it is written down that a server took a message: with the word that the next one leaves, or soon by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pytest
from sqlalchemy import Connection, select, text

from tracker.messages.email_settling import Settling
from tracker.store.database import Database
from tracker.store.logs import SignalNote, signal
from tracker.store.tables import Signal, table

pytestmark = pytest.mark.anyio
AT: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DEADLINE_S: Final = 10.0
Work = Callable[[Connection], None]


def writing(key: str) -> Work:
    """A writing that can be told from others."""
    return lambda connection: signal(connection, [SignalNote(key, "mail_down", "info", key)], AT)


def written(database: Database) -> list[str]:
    """What others see by now, in the order of writing."""
    signals = table(Signal)
    with database.begin_read() as connection:
        return list(connection.execute(select(signals.c.key).order_by(signals.c.id)).scalars())


async def failing(settling: Settling) -> None:
    def work(connection: Connection) -> None:
        writing("next leaves")(connection)
        connection.execute(text("INSERT INTO no_such_table VALUES (1)"))

    with pytest.raises(Exception, match="no_such_table"):
        await settling.with_next(work)


async def test_an_answer_is_written_in_the_transaction_that_says_that_the_next_leaves(database: Database) -> None:
    settling = Settling(database)
    await settling.begin(writing("first taken"))
    assert written(database) == []
    seen: list[list[str]] = []

    def next_leaves(connection: Connection) -> str:
        seen.append(written(database))
        writing("next leaves")(connection)
        return "announced"

    assert await settling.with_next(next_leaves) == "announced"
    assert seen == [[]], "one transaction: nobody saw the one without the other"
    assert written(database) == ["first taken", "next leaves"]
    await settling.done()
    assert written(database) == ["first taken", "next leaves"]


async def test_an_answer_is_written_by_itself_where_the_next_message_is_not_announced(database: Database) -> None:
    settling = Settling(database)
    await settling.begin(writing("first taken"))
    until = time.monotonic() + DEADLINE_S
    while not written(database) and time.monotonic() < until:
        await asyncio.sleep(0.01)
    assert written(database) == ["first taken"]
    await settling.with_next(writing("next leaves"))
    await settling.done()
    assert written(database) == ["first taken", "next leaves"]


async def test_no_more_than_one_answer_waits(database: Database) -> None:
    settling = Settling(database)
    await settling.begin(writing("first taken"))
    await settling.begin(writing("second taken"))
    assert written(database) == ["first taken"]
    await settling.done()
    assert written(database) == ["first taken", "second taken"]


async def test_a_writing_that_fails_writes_neither_and_is_told(database: Database) -> None:
    """The message that was taken stands as `sending`, as after a death at that moment: it becomes unconfirmed."""
    settling = Settling(database)
    await settling.begin(writing("first taken"))
    await failing(settling)
    await settling.done()
    assert written(database) == []


async def test_nothing_that_waits_is_only_the_next_one(database: Database) -> None:
    settling = Settling(database)
    await settling.done()
    await settling.with_next(writing("next leaves"))
    assert written(database) == ["next leaves"]
