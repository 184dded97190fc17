"""How long ago open shipments were looked at and answered about: counted for a report, never on a hot path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Subquery, case, func, or_, select

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
    """Instants of which half, nine tenths and all of a status's are at least as young."""

    p50: datetime
    p90: datetime
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


def _ages(connection: Connection, column: ColumnElement[Any]) -> dict[tuple[str, str], Ages]:
    ranked = _ranked(func.coalesce(column, _SHIPMENTS.c.created_at))
    # Ranks from one, rounded up: of ten the fifth, the ninth and the tenth.
    places = ((ranked.c.of * 5 + 9) // 10, (ranked.c.of * 9 + 9) // 10, ranked.c.of)
    query = select(ranked).where(or_(*(ranked.c.place == place for place in places))).order_by(ranked.c.place)
    found: dict[tuple[str, str], list[tuple[int, int, datetime]]] = {}
    for carrier, status, place, of, instant in connection.execute(query):
        found.setdefault((carrier, status), []).append((place, of, instant))
    return {key: _picked(rows) for key, rows in found.items()}


def _picked(rows: Sequence[tuple[int, int, datetime]]) -> Ages:
    at = {place: instant for place, _, instant in rows}
    of = rows[0][1]
    return Ages(at[(of * 5 + 9) // 10], at[(of * 9 + 9) // 10], at[of])


def _ranked(instant: ColumnElement[Any]) -> Subquery:
    """Every open shipment with its place among its account's and status's, the youngest first."""
    window: dict[str, Any] = {"partition_by": [_POLLS.c.carrier, _STATUS]}
    return (
        select(
            _POLLS.c.carrier,
            _STATUS.label("status"),
            func.row_number().over(**window, order_by=instant.desc()).label("place"),
            func.count().over(**window).label("of"),
            instant.label("instant"),
        )
        .join(_SHIPMENTS, _SHIPMENTS.c.id == _POLLS.c.shipment_id)
        .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _POLLS.c.shipment_id)
        .where(_POLLS.c.next_poll_at.is_not(None))
        .subquery()
    )
