"""Fills a database with open shipments by bulk insert, as months of work would have left them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert
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


def fill(database: Database, count: int, *, poll_at: When, check_at: When | None = None) -> None:
    """Add orders of one parcel each, numbered from 1; those with *check_at* have a history and are looked at again then."""
    kinds: list[tuple[type[SQLModel], Callable[[int], Row]]] = [
        (Order, _order),
        (OrderItem, _item),
        (Shipment, _shipment),
        (ShipmentRef, _ref),
        (ShipmentPoll, lambda n: {"shipment_id": n, "carrier": CARRIER, "next_poll_at": poll_at(n), "failures": 0}),
    ]
    if check_at is not None:
        kinds.append((ShipmentHistory, _history))
        kinds.append((ShipmentCheck, lambda n: {"shipment_id": n, "next_check_at": check_at(n)}))
    for chunk in _chunks(count):
        with database.begin_write() as connection:
            for model, row in kinds:
                connection.execute(insert(table(model)), [row(number) for number in chunk])


def fill_deliveries(database: Database, count: int, now: datetime) -> None:
    """Queue one e-mail for each of the first shipments: their parcels were posted."""
    for chunk in _chunks(count):
        with database.begin_write() as connection:
            connection.execute(insert(table(Notice)), [_notice(number, now) for number in chunk])
            connection.execute(insert(table(NoticeMember)), [_member(number) for number in chunk])
            connection.execute(insert(table(Delivery)), [_delivery(number, now) for number in chunk])


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


def _shipment(number: int) -> Row:
    return {
        "id": number,
        "order_id": number,
        "shop": SHOP,
        "carrier": CARRIER,
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
