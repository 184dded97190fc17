"""How one file is kept and read: faulty readers, several numbers of one parcel, deaths in the middle, two readers at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from carriers.base import FeedReading, PermanentCarrierError, RefKind, TrackingRef
from tests.polling.feed_support import CARRIER, NOW, looked, ocoren, reader, taken, visit
from tracker.events.record import Recorded
from tracker.polling.feed_files import Fate
from tracker.polling.feed_places import FeedFolder
from tracker.store.database import Database
from tracker.store.feeds import begin_feed
from tracker.store.tables import Event, FeedFile, FeedWaiting, Order, Shipment, ShipmentPoll, ShipmentRef, Signal, table


def parcels(database: Database, *invoices: int) -> dict[int, int]:
    """A parcel of the account for each invoice; returns their ids."""
    found = {}
    with database.begin_write() as connection:
        begin_feed(connection, CARRIER, NOW)
        for number in invoices:
            order = {"shop": "aurora", "source": "file", "number": f"E{number}", "status": "paid"}
            at = {"created_at": NOW, "updated_at": NOW}
            order_id = connection.execute(insert(table(Order)).returning(table(Order).c.id), order | at).scalar_one()
            row = {"order_id": order_id, "shop": "aurora", "carrier": CARRIER, "direction": "out", "created_at": NOW}
            key = connection.execute(insert(table(Shipment)).returning(table(Shipment).c.id), row).scalar_one()
            value = f"11222333000181/1/{number}"
            number_row = {"shipment_id": key, "adapter": "ocoren", "kind": "invoice", "value": value, "cycle": 1}
            connection.execute(
                insert(table(ShipmentRef)), number_row | {"account": "", "active": True, "added_at": NOW}
            )
            found[number] = key
    return found


def count(database: Database, model: type) -> int:
    with database.begin_read() as connection:
        return len(connection.execute(select(table(model))).all())


class Raising:
    """A stranger's adapter with a fault of its own."""

    def read(self, payload: bytes) -> FeedReading:
        raise ZeroDivisionError("um segredo")


class Refusing:
    def read(self, payload: bytes) -> FeedReading:
        raise PermanentCarrierError(CARRIER, "the file breaks off")


@pytest.mark.anyio
async def test_a_reader_that_fails_costs_its_file_alone(database: Database) -> None:
    parcels(database, 1)
    broken = replace(reader(database), feed=Raising())
    found = await broken.take("a.txt", b"x", NOW)
    assert (found.fate, found.report) == (Fate.REFUSED, ("its reader failed (ZeroDivisionError): the log says where",))
    assert (await reader(database).take("b.txt", ocoren(1), NOW)).matched == 1
    with database.begin_read() as connection:
        signals = connection.execute(
            select(table(Signal).c.kind, table(Signal).c.raised, table(Signal).c.summary)
        ).all()
    assert [(kind, raised) for kind, raised, _ in signals] == [("feed_refused", True), ("feed_refused", False)]
    assert "segredo" not in signals[0].summary


@pytest.mark.anyio
async def test_an_answer_that_cannot_be_recorded_costs_its_file_alone(database: Database) -> None:
    parcels(database, 1)

    def fails(*_: object) -> dict[int, Recorded]:
        raise TypeError("naive")

    found = await replace(reader(database), record=fails).take("a.txt", ocoren(1), NOW)
    assert (found.fate, found.report) == (Fate.REFUSED, ("it cannot be recorded (TypeError): the log says where",))
    assert await reader(database).finish(NOW) == 0
    assert taken(database) == [("a.txt", "refused")]


@pytest.mark.anyio
async def test_what_was_refused_is_read_once_its_reader_has_learned_it(database: Database) -> None:
    parcels(database, 1)
    assert (await replace(reader(database), feed=Refusing()).take("a.txt", ocoren(1), NOW)).fate is Fate.REFUSED
    assert (await reader(database).take("a.txt", ocoren(1), NOW)).fate is Fate.READ
    assert (await reader(database).take("a.txt", ocoren(1), NOW)).fate is Fate.DUPLICATE
    assert taken(database) == [("a.txt", "read")]
    assert count(database, Event) == 1


class Both:
    """A feed that names one parcel by two numbers, once under each."""

    def read(self, payload: bytes) -> FeedReading:
        answers = reader_of_two(payload)
        first, second = answers
        named = {
            first.ref: replace(first, also=(TrackingRef(RefKind.INVOICE, "nobody's"),)),
            TrackingRef(RefKind.CODE, "AWB1"): replace(
                second, ref=TrackingRef(RefKind.CODE, "AWB1"), also=(first.ref,)
            ),
        }
        return FeedReading(named)


def reader_of_two(payload: bytes) -> Sequence:  # type: ignore[type-arg]
    from carriers.ocoren import OcorenFeed, OcorenSettings

    feed = OcorenFeed(CARRIER, OcorenSettings())
    return [*feed.read(ocoren(1)).answers.values(), *feed.read(ocoren(2, "01")).answers.values()]


@pytest.mark.anyio
async def test_two_numbers_of_one_parcel_are_one_history(database: Database) -> None:
    key = parcels(database, 1)[1]
    found = await replace(reader(database), feed=Both()).take("a.xml", b"two", NOW)
    assert found.matched == 2
    with database.begin_read() as connection:
        rows = connection.execute(select(table(Event).c.shipment_id, table(Event).c.carrier_code)).all()
    assert sorted(rows) == [(key, "01"), (key, "98")]
    assert count(database, FeedWaiting) == 0


@pytest.mark.anyio
async def test_a_stop_in_the_middle_is_made_good_from_the_beginning(database: Database) -> None:
    parcels(database, 1)
    stopping = replace(reader(database), stopping=lambda: True)
    assert (await stopping.take("a.txt", ocoren(1), NOW)).fate is Fate.PUT_DOWN
    assert taken(database) == [("a.txt", "stored")]
    assert await stopping.finish(NOW) == 0
    assert await reader(database).finish(NOW) == 1
    assert (taken(database), count(database, Event)) == ([("a.txt", "read")], 1)


@pytest.mark.anyio
async def test_a_parcel_that_was_given_up_is_followed_again_when_it_is_named(database: Database) -> None:
    key = parcels(database, 1)[1]
    polls = table(ShipmentPoll)
    closed = {"carrier": CARRIER, "urgent": False, "failures": 0, "closed_reason": "not_found"}
    with database.begin_write() as connection:
        connection.execute(insert(polls), {"shipment_id": key, **closed})
    await reader(database).take("a.txt", ocoren(1), NOW)
    with database.begin_read() as connection:
        row = connection.execute(select(polls.c.next_poll_at, polls.c.closed_reason)).one()
    assert tuple(row) == (NOW, None)


@pytest.mark.anyio
async def test_two_readers_of_one_folder_record_each_line_once(database: Database, tmp_path: Path) -> None:
    """Two daemons by mistake, or a second machine: what one takes the other finds gone, or knows by its content."""
    parcels(database, *range(1, 9))
    for number in range(1, 9):
        (tmp_path / f"{number}.txt").write_bytes(ocoren(number))
    places = [FeedFolder(tmp_path, looked(database), 1_000_000, settle_s=0) for _ in range(2)]
    await asyncio.gather(*(visit(place, reader(database)) for place in places))
    await visit(places[0], reader(database))
    assert count(database, Event) == 8
    lying = [path for path in tmp_path.rglob("*.txt") if path.is_file()]
    assert sorted(path.name for path in lying if path.parent.name == "done" or path.parent.name == "duplicate") == [
        f"{number}.txt" for number in range(1, 9)
    ]


@pytest.mark.anyio
async def test_numbers_nobody_names_are_given_up_and_old_files_lose_their_content(database: Database) -> None:
    parcels(database)
    files = reader(database)
    await files.take("a.txt", ocoren(1), NOW)
    for days, waiting, has_body, rows in ((29, 1, True, 1), (31, 0, True, 1), (46, 0, False, 1), (401, 0, False, 0)):
        await files.tidy(NOW + timedelta(days=days))
        with database.begin_read() as connection:
            bodies = connection.execute(select(table(FeedFile).c.body)).scalars().all()
        assert count(database, FeedWaiting) == waiting
        assert [body is not None for body in bodies] == [has_body] * rows


@pytest.mark.anyio
async def test_a_name_of_any_bytes_is_taken_and_put_away(database: Database, tmp_path: Path) -> None:
    parcels(database, 1)
    (tmp_path / os.fsdecode(b"ocorr\xeancia.txt")).write_bytes(ocoren(1))
    assert await visit(FeedFolder(tmp_path, looked(database), 1_000_000, settle_s=0), reader(database)) == 1
    assert taken(database) == [("ocorr\ufffdncia.txt", "read")]
    assert [os.fsencode(path.name) for path in (tmp_path / "done").iterdir()] == [b"ocorr\xeancia.txt"]
