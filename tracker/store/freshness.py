"""How long ago open shipments were looked at and answered about: counted for a report, never on a hot path."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, String, case, func, select, type_coerce

from tracker.store.tables import Order, Shipment, ShipmentHistory, ShipmentPoll, table

_POLLS, _SHIPMENTS, _ORDERS, _HISTORIES = (table(model) for model in (ShipmentPoll, Shipment, Order, ShipmentHistory))
_STATUS: Final = func.coalesce(_HISTORIES.c.status, "unknown")
_OPEN: Final = case((_POLLS.c.next_poll_at.is_not(None), 1), else_=0) == 1
"""Written so that no index serves it: all are read in the order in which they lie, and none by its own way to the disk."""


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
        .where(_OPEN)
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
    """By account and status; reads every open shipment once.

    Counted by the minute: to put a million instants in order takes half a minute, to count them some seconds.
    """
    found: dict[tuple[str, str], _Tally] = {}
    minutes = [_minute_of(connection, column) for column in (_POLLS.c.last_polled_at, _POLLS.c.last_answered_at)]
    query: Select[Any] = (
        select(
            _POLLS.c.carrier,
            _STATUS,
            *minutes,
            func.count(),
            func.count().filter(_POLLS.c.next_poll_at <= now),
            func.min(_POLLS.c.last_polled_at),
            func.min(_POLLS.c.last_answered_at),
        )
        .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _POLLS.c.shipment_id)
        .where(_OPEN)
        .group_by(_POLLS.c.carrier, _STATUS, *minutes)
    )
    for row in connection.execute(query):
        carrier, status, looked, answered, shipments, overdue, first_look, first_answer = tuple(row)
        tally = found.setdefault((carrier, status), _Tally())
        tally.shipments += shipments
        tally.overdue += overdue
        tally.never_answered += shipments if answered is None else 0
        tally.looked.add(looked, shipments, first_look)
        tally.answered.add(answered, shipments, first_answer)
    for name, column in (("looked", _POLLS.c.last_polled_at), ("answered", _POLLS.c.last_answered_at)):
        for carrier, status, minute, shipments, first in connection.execute(_unseen(connection, column)):
            getattr(found[carrier, status], name).add(minute, shipments, first)
    return [
        Freshness(
            carrier, status, one.shipments, one.overdue, one.never_answered, one.looked.ages(), one.answered.ages()
        )
        for (carrier, status), one in sorted(found.items())
    ]


@dataclass
class _Minutes:
    """How many shipments in which minute, and the oldest instant of all."""

    counts: Counter[datetime] = field(default_factory=Counter)
    oldest: datetime | None = None

    def add(self, minute: datetime | str | None, shipments: int, first: datetime | None) -> None:
        if minute is not None and first is not None:
            self.counts[_minute(minute)] += shipments
            self.oldest = first if self.oldest is None else min(first, self.oldest)

    def ages(self) -> Ages:
        # Ranks from one, rounded up: of twenty the tenth and the nineteenth, the youngest first.
        of, place, oldest = self.counts.total(), 0, self.oldest
        assert oldest is not None
        half, most = (of + 1) // 2, (of * 19 + 19) // 20
        found: dict[int, datetime] = {}
        for minute in sorted(self.counts, reverse=True):
            place += self.counts[minute]
            found |= {rank: max(minute, oldest) for rank in (half, most) if rank <= place and rank not in found}
        return Ages(found[half], found[most], oldest)


@dataclass
class _Tally:
    """One account's shipments of one status."""

    shipments: int = 0
    overdue: int = 0
    never_answered: int = 0
    looked: _Minutes = field(default_factory=_Minutes)
    answered: _Minutes = field(default_factory=_Minutes)


def _unseen(connection: Connection, column: ColumnElement[Any]) -> Select[Any]:
    """What was never looked at, or answered about: by the minute of its import."""
    minute = _minute_of(connection, _SHIPMENTS.c.created_at)
    return (
        select(_POLLS.c.carrier, _STATUS, minute, func.count(), func.min(_SHIPMENTS.c.created_at))
        .join(_SHIPMENTS, _SHIPMENTS.c.id == _POLLS.c.shipment_id)
        .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _POLLS.c.shipment_id)
        .where(_OPEN, column.is_(None))
        .group_by(_POLLS.c.carrier, _STATUS, minute)
    )


def _minute_of(connection: Connection, instant: ColumnElement[Any]) -> ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        # As it is kept: `2026-11-28 12:30:00.000000`.
        return func.substr(type_coerce(instant, String), 1, 16)
    return func.date_trunc("minute", instant)


def _minute(found: datetime | str) -> datetime:
    return datetime.fromisoformat(found).replace(tzinfo=UTC) if isinstance(found, str) else found.astimezone(UTC)
