"""What the tests of the places share: a reader on a real database, and files as a carrier writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from carriers.base import TrackingAnswer
from carriers.ocoren import OcorenFeed, OcorenSettings
from tracker.events.record import Recorded, record_answers
from tracker.polling.feed_files import FeedFiles
from tracker.polling.feed_places import Looked, Place
from tracker.store.database import Database
from tracker.store.tables import FeedFile, table

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
CARRIER = "estrada"
HEAD = ["000TRANSPORTADORA FICTICIA", "340OCORR211108150", "34144555666000161TRANSPORTADORA FICTICIA LTDA"]


def ocoren(number: int, code: str = "98", at: str = "201120261000") -> bytes:
    lines = [*HEAD, f"34211222333000181{'1':<3}{number:08}{code}{at}00", ""]
    return "\r\n".join(lines).encode("latin-1")


def reader(database: Database) -> FeedFiles:
    def record(connection: Connection, answers: Mapping[int, TrackingAnswer], now: datetime) -> dict[int, Recorded]:
        return record_answers(connection, CARRIER, answers, now=now)

    return FeedFiles(database, CARRIER, OcorenFeed(CARRIER, OcorenSettings()), record, "1")


def looked(database: Database) -> Looked:
    return Looked(database, CARRIER, "the place")


async def visit(place: Place, files: FeedFiles, now: datetime = NOW) -> int:
    return await place.visit(lambda name, payload: files.take(name, payload, now), now)


def taken(database: Database) -> list[tuple[str, str]]:
    """(name, state) of every file that was kept, the oldest first."""
    rows = table(FeedFile)
    with database.begin_read() as connection:
        return [(row.name, row.state) for row in connection.execute(select(rows).order_by(rows.c.id))]
