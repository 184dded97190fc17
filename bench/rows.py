"""Fills a database with open shipments by bulk insert, as months of work would have left them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, insert, text
from sqlmodel import SQLModel

from bench.parcels import START, code_of, due_on
from tracker.store.database import Database
from tracker.store.tables import (
    Delivery,
    Notice,
    NoticeMember,
    Order,
    OrderItem,
    Shipment,
    ShipmentCheck,
    ShipmentHistory,
    ShipmentPoll,
    ShipmentRef,
    table,
)

SHOP: Final = "aurora"
CARRIER: Final = "correios"
CHUNK: Final = 5_000
Row = dict[str, Any]
When = Callable[[int], datetime]


def fill(
    database: Database,
    count: int,
    *,
    poll_at: When,
    check_at: When | None = None,
    accounts: Sequence[str] = (CARRIER,),
) -> None:
    """Add orders of one parcel each, numbered from 1; those with *check_at* have a history and are looked at again then.

    *accounts*: the carrier accounts that share the parcels evenly.
    """

    def account(number: int) -> str:
        return accounts[number % len(accounts)]

    kinds: list[tuple[type[SQLModel], Callable[[int], Row]]] = [
        (Order, _order),
        (OrderItem, _item),
        (Shipment, lambda n: _shipment(n, account(n))),
        (ShipmentRef, _ref),
        (ShipmentPoll, lambda n: {"shipment_id": n, "carrier": account(n), "next_poll_at": poll_at(n), "failures": 0}),
    ]
    if check_at is not None:
        kinds.append((ShipmentHistory, _history))
        kinds.append((ShipmentCheck, lambda n: {"shipment_id": n, "next_check_at": check_at(n)}))
    for chunk in _chunks(count):
        with database.begin_write() as connection:
            for model, row in kinds:
                _put(connection, model, [row(number) for number in chunk])
    _get_ready(database, [Order, Shipment, ShipmentRef])


def fill_deliveries(database: Database, count: int, due_at: When) -> None:
    """Queue one e-mail for each of the first shipments: their parcels were posted."""
    for chunk in _chunks(count):
        with database.begin_write() as connection:
            _put(connection, Notice, [_notice(number, due_at(number)) for number in chunk])
            _put(connection, NoticeMember, [_member(number) for number in chunk])
            _put(connection, Delivery, [_delivery(number, due_at(number)) for number in chunk])
    _get_ready(database, [Notice, Delivery])


def _put(connection: Connection, model: type[SQLModel], rows: Sequence[Row]) -> None:
    """Write rows that all name the same columns, as quickly as each database takes them."""
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table(model)), list(rows))
        return
    names = list(rows[0])
    copying = SQL("COPY {} ({}) FROM STDIN").format(
        Identifier(table(model).name), SQL(", ").join(map(Identifier, names))
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(copying) as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


def _get_ready(database: Database, numbered: Sequence[type[SQLModel]]) -> None:
    """PostgreSQL counts on from what was numbered here, and knows how large its tables are, as after some minutes of life."""
    if database.sqlite:
        return
    with database.begin_write() as connection:
        for name in (table(model).name for model in numbered):
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            connection.execute(text(f"SELECT setval({sequence}, max(id)) FROM {name} HAVING max(id) > 0"))
        connection.execute(text("ANALYZE"))


def _chunks(count: int) -> Iterator[range]:
    for start in range(1, count + 1, CHUNK):
        yield range(start, min(start + CHUNK, count + 1))


def _order(number: int) -> Row:
    return {
        "id": number,
        "shop": SHOP,
        "source": "csv",
        "number": f"{10_000 + number}",
        "status": "open",
        "promised_on": due_on(number),
        "promised_first_on": due_on(number),
        "customer_name": "Marina Exemplo",
        "customer_email": f"cliente{number}@cliente.example",
        "recipient_name": "Marina Exemplo",
        "city": "Salvador",
        "state": "BA",
        "total_cents": 18_990,
        "created_at": START,
        "updated_at": START,
    }


def _item(number: int) -> Row:
    return {"order_id": number, "line": 1, "name": "fone sem fio", "quantity": "1", "unit_cents": 18_990}


def _shipment(number: int, account: str) -> Row:
    return {
        "id": number,
        "order_id": number,
        "shop": SHOP,
        "carrier": account,
        "service": "PAC",
        "direction": "outbound",
        "created_at": START,
    }


def _ref(number: int) -> Row:
    return {
        "id": number,
        "shipment_id": number,
        "adapter": CARRIER,
        "kind": "code",
        "value": code_of(number),
        "cycle": 1,
        "account": "",
        "active": True,
        "added_at": START,
    }


def _history(number: int) -> Row:
    return {
        "shipment_id": number,
        "version": 1,
        "status": "in_transit",
        "status_at": START,
        "posted_at": START,
        "last_event_at": START,
        "carrier_due_first_on": due_on(number),
        "carrier_due_on": due_on(number),
        "carrier_due_max_on": due_on(number),
        "service": "PAC",
        "first_seen_at": START,
    }


def _notice(number: int, now: datetime) -> Row:
    return {
        "id": number,
        "shop": SHOP,
        "order_id": number,
        "trigger": "posted",
        "occurrence": f"{number}:1",
        "since": START,
        "created_at": now,
        "expires_at": now.replace(year=now.year + 1),
        "version": 1,
    }


def _member(number: int) -> Row:
    return {"trigger": "posted", "shipment_id": number, "episode": 1, "notice_id": number}


def _delivery(number: int, now: datetime) -> Row:
    return {
        "id": number,
        "notice_id": number,
        "channel": "email",
        "recipient": f"cliente{number}@cliente.example",
        "state": "queued",
        "queued_at": now,
        "next_step_at": now,
        "attempts": 0,
        "message_id": f"<{number:032x}@aurora.example>",
        "repeated": False,
    }
