"""How long ago open shipments were looked at and answered about: counted for a report, never on a hot path."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, String, case, func, select, type_coerce

from tracker.store.tables import Order, Shipment, ShipmentHistory, ShipmentPoll, table

_POLLS, _SHIPMENTS, _ORDERS, _HISTORIES = (table(model) for model in (ShipmentPoll, Shipment, Order, ShipmentHistory))
_STATUS: Final = func.coalesce(_HISTORIES.c.status, "unknown")


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Open shipments of one account, status and urgency."""

    carrier: str
    status: str
    is_due: bool
    shipments: int


def open_counts(connection: Connection, today: date, long_late: timedelta) -> list[OpenCount]:
    """What is to be asked about some day; `is_due`: promised or due by today, and not late for longer than `long_late`."""
    promised, due = _ORDERS.c.promised_on, _HISTORIES.c.carrier_due_on
    earlier = case((promised.is_(None), due), (due.is_(None), promised), (promised < due, promised), else_=due)
    is_due = func.coalesce((earlier <= today) & (earlier >= today - long_late), False)
    query = (
        select(_POLLS.c.carrier, _STATUS, is_due, func.count())
        .join(_SHIPMENTS, _SHIPMENTS.c.id == _POLLS.c.shipment_id)
        .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
        .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _POLLS.c.shipment_id)
        .where(_POLLS.c.next_poll_at.is_not(None))
        .group_by(_POLLS.c.carrier, _STATUS, is_due)
    )
    return [
        OpenCount(carrier, status, bool(late), shipments)
        for carrier, status, late, shipments in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class Ages:
    """Instants of which half, nineteen of twenty and all of a status's are at least as young, the first two to the minute."""

    p50: datetime
    p95: datetime
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Freshness:
    """One account's open shipments of one status. What was never looked at counts from its import."""

    carrier: str
    status: str
    shipments: int
    overdue: int
    never_answered: int
    looked: Ages
    answered: Ages


def freshness(connection: Connection, now: datetime) -> list[Freshness]:
    """By account and status; reads every open shipment."""
    looked = _ages(connection, _POLLS.c.last_polled_at)
    answered = _ages(connection, _POLLS.c.last_answered_at)
    query = (
        select(
            _POLLS.c.carrier,
            _STATUS,
            func.count(),
            func.count().filter(_POLLS.c.next_poll_at <= now),
            func.count().filter(_POLLS.c.last_answered_at.is_(None)),
        )
        .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _POLLS.c.shipment_id)
        .where(_POLLS.c.next_poll_at.is_not(None))
        .group_by(_POLLS.c.carrier, _STATUS)
        .order_by(_POLLS.c.carrier, _STATUS)
    )
    return [
        Freshness(carrier, status, shipments, overdue, never, looked[carrier, status], answered[carrier, status])
        for carrier, status, shipments, overdue, never in connection.execute(query)
    ]


Minutes = Counter[datetime]


def _ages(connection: Connection, column: ColumnElement[Any]) -> dict[tuple[str, str], Ages]:
    """Counted by the minute: to put a million instants in order takes half a minute, to count them some seconds."""
    minutes: dict[tuple[str, str], Minutes] = {}
    oldest: dict[tuple[str, str], datetime] = {}
    seen, unseen = _counted(connection, column), _counted(connection, _SHIPMENTS.c.created_at)
    unseen = unseen.join(_SHIPMENTS, _SHIPMENTS.c.id == _POLLS.c.shipment_id)
    for query in (seen.where(column.is_not(None)), unseen.where(column.is_(None))):
        for carrier, status, minute, shipments, first in connection.execute(query):
            key, at = (carrier, status), _minute(minute)
            minutes.setdefault(key, Counter())[at] += shipments
            oldest[key] = min(first, oldest.get(key, first))
    return {key: _picked(counts, oldest[key]) for key, counts in minutes.items()}


def _counted(connection: Connection, instant: ColumnElement[Any]) -> Select[Any]:
    """Open shipments by account, status and minute."""
    if connection.dialect.name == "sqlite":
        # As it is kept: `2026-11-28 12:30:00.000000`.
        minute: ColumnElement[Any] = func.substr(type_coerce(instant, String), 1, 16)
    else:
        minute = func.date_trunc("minute", instant)
    return (
        select(_POLLS.c.carrier, _STATUS, minute, func.count(), func.min(instant))
        .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _POLLS.c.shipment_id)
        .where(_POLLS.c.next_poll_at.is_not(None))
        .group_by(_POLLS.c.carrier, _STATUS, minute)
    )


def _minute(found: datetime | str) -> datetime:
    return datetime.fromisoformat(found).replace(tzinfo=UTC) if isinstance(found, str) else found.astimezone(UTC)


def _picked(counts: Minutes, oldest: datetime) -> Ages:
    # Ranks from one, rounded up: of twenty the tenth and the nineteenth, the youngest first.
    of, place = counts.total(), 0
    half, most = (of + 1) // 2, (of * 19 + 19) // 20
    found: dict[int, datetime] = {}
    for minute in sorted(counts, reverse=True):
        place += counts[minute]
        found |= {rank: max(minute, oldest) for rank in (half, most) if rank <= place and rank not in found}
    return Ages(found[half], found[most], oldest)
