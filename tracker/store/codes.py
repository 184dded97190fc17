"""Events whose code the adapter does not know: those nobody reads, and those the merchant reads by a mapping of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text

from tracker.domain.codes import CodeMap
from tracker.store.tables import Event, ShipmentPoll, ShipmentRef, table
from tracker.store.tables.events import UNREAD

_EVENTS, _POLLS, _REFS = table(Event), table(ShipmentPoll), table(ShipmentRef)
_IN_INDEX: Final = text(UNREAD)
"""Word for word the condition of the partial index `ix_events_unread`: otherwise no database would use it."""


@dataclass(frozen=True, slots=True)
class UnreadEvent:
    """One event that is to be read otherwise than it stands."""

    id: int
    shipment_id: int
    carrier_code: str
    description: str


def misread(connection: Connection, carrier: str, codes: CodeMap, limit: int) -> list[UnreadEvent]:
    """Events of this carrier that stand otherwise than these codes read them."""
    query = (
        select(_EVENTS.c.id, _EVENTS.c.shipment_id, _EVENTS.c.carrier_code, _EVENTS.c.description)
        .join(_POLLS, _POLLS.c.shipment_id == _EVENTS.c.shipment_id)
        .where(_IN_INDEX, ~_EVENTS.c.reversal, _POLLS.c.carrier == carrier, _stands_otherwise(codes))
        .order_by(_EVENTS.c.id)
        .limit(limit)
    )
    return [UnreadEvent(*row) for row in connection.execute(query)]


def _stands_otherwise(codes: CodeMap) -> ColumnElement[bool]:
    cause = func.coalesce(_EVENTS.c.cause, "")
    unmapped = and_(_EVENTS.c.mapped, _EVENTS.c.carrier_code.not_in(list(codes)))
    return or_(
        unmapped,
        *(
            and_(
                _EVENTS.c.carrier_code == code,
                or_(_EVENTS.c.status != reading.status.value, cause != (reading.cause or "")),
            )
            for code, reading in codes.items()
        ),
    )


@dataclass(frozen=True, slots=True)
class UnknownCode:
    """A code nobody reads: how often it came, between when, and one example."""

    carrier: str
    carrier_code: str
    events: int
    shipments: int
    first_seen_at: datetime
    last_seen_at: datetime
    description: str
    shipment_id: int
    tracking_code: str | None


def unknown_codes(connection: Connection) -> list[UnknownCode]:
    """Every code that neither the adapter nor the merchant's mapping reads, the most frequent first."""
    counted = (
        select(
            _POLLS.c.carrier,
            _EVENTS.c.carrier_code,
            func.count(),
            func.count(_EVENTS.c.shipment_id.distinct()),
            func.min(_EVENTS.c.seen_at),
            func.max(_EVENTS.c.seen_at),
            func.max(_EVENTS.c.id),
        )
        .join(_POLLS, _POLLS.c.shipment_id == _EVENTS.c.shipment_id)
        .where(_IN_INDEX, _EVENTS.c.mapped.is_not(True), ~_EVENTS.c.reversal)
        .group_by(_POLLS.c.carrier, _EVENTS.c.carrier_code)
        .order_by(func.count().desc(), _POLLS.c.carrier, _EVENTS.c.carrier_code)
    )
    rows = connection.execute(counted).all()
    samples = _samples(connection, [row[6] for row in rows])
    return [UnknownCode(*[*list(row)[:6], *samples[row[6]]]) for row in rows]


def _samples(connection: Connection, event_ids: Iterable[int]) -> dict[int, tuple[str, int, str | None]]:
    query = (
        select(_EVENTS.c.id, _EVENTS.c.description, _EVENTS.c.shipment_id, _REFS.c.value)
        .outerjoin(_REFS, (_REFS.c.shipment_id == _EVENTS.c.shipment_id) & _REFS.c.active)
        .where(_EVENTS.c.id.in_(list(event_ids)))
        .order_by(_REFS.c.id)
    )
    return {row_id: (words, shipment_id, code) for row_id, words, shipment_id, code in connection.execute(query)}
