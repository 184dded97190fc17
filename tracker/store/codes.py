"""Events by their codes: those nobody reads, those the merchant reads by a mapping, and those a new mapping would read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select, text

from carriers.base import TrackingStatus
from tracker.domain.codes import CodeMap, OwnReading
from tracker.store.database import upsert
from tracker.store.tables import CodeMapping, Event, ShipmentPoll, ShipmentRef, table
from tracker.store.tables.events import UNREAD

_EVENTS, _POLLS, _REFS, _MAPPINGS = table(Event), table(ShipmentPoll), table(ShipmentRef), table(CodeMapping)
_teller: ColumnElement[str] = func.coalesce(_EVENTS.c.told_by, _POLLS.c.carrier)
"""Whose code it is: the account that told the event."""
_IN_INDEX: Final = text(UNREAD)
"""Word for word the condition of the partial index `ix_events_unread`: otherwise no database would use it."""


@dataclass(frozen=True, slots=True)
class UnreadEvent:
    """One event that is to be read otherwise than it stands."""

    id: int
    shipment_id: int
    carrier_code: str
    description: str
    own: OwnReading | None
    """What the adapter reads in it; None where that is nothing."""


_COLUMNS: Final = (
    *(
        _EVENTS.c.id,
        _EVENTS.c.shipment_id,
        _EVENTS.c.carrier_code,
        _EVENTS.c.description,
        _EVENTS.c.mapped,
        _EVENTS.c.own,
    ),
    *(_EVENTS.c[field.name] for field in fields(OwnReading)),
)


def misread(connection: Connection, carrier: str, codes: CodeMap, limit: int) -> list[UnreadEvent]:
    """Events of this carrier that nobody reads, or the merchant does, and that stand otherwise than these codes read them."""
    query = (
        select(*_COLUMNS)
        .join(_POLLS, _POLLS.c.shipment_id == _EVENTS.c.shipment_id)
        .where(_IN_INDEX, ~_EVENTS.c.reversal, _teller == carrier, _stands_otherwise(codes))
        .order_by(_EVENTS.c.id)
        .limit(limit)
    )
    return [_unread(row) for row in connection.execute(query).mappings()]


def overruled(connection: Connection, carrier: str, codes: CodeMap, after: int, count: int) -> list[UnreadEvent]:
    """Of the *count* row numbers after this one, the carrier's events that its adapter reads and these codes read otherwise."""
    query = (
        select(*_COLUMNS)
        .join(_POLLS, _POLLS.c.shipment_id == _EVENTS.c.shipment_id)
        .where(_EVENTS.c.id > after, _EVENTS.c.id <= after + count, ~_EVENTS.c.reversal, _teller == carrier)
        .where(_EVENTS.c.carrier_code.in_(list(codes)), _EVENTS.c.mapped.is_not(True))
        .order_by(_EVENTS.c.id)
    )
    return [_unread(row) for row in connection.execute(query).mappings()]


def last_event_id(connection: Connection) -> int:
    """The newest event's row number."""
    return connection.execute(select(func.max(_EVENTS.c.id))).scalar() or 0


def _unread(row: RowMapping) -> UnreadEvent:
    reading = OwnReading.of_columns(dict(row))
    own = OwnReading.of_kept(row["own"]) if row["mapped"] else reading
    if own is not None and own.status is TrackingStatus.UNKNOWN:
        own = None
    return UnreadEvent(row["id"], row["shipment_id"], row["carrier_code"], row["description"], own)


def mapping_read(connection: Connection, carrier: str) -> str | None:
    """The digest of the mapping with which this carrier's events were read last."""
    return connection.execute(select(_MAPPINGS.c.digest).where(_MAPPINGS.c.carrier == carrier)).scalar()


def mark_read(connection: Connection, carrier: str, digest: str, at: datetime) -> None:
    """This carrier's stored events stand as this mapping reads them."""
    row = {"carrier": carrier, "digest": digest, "read_at": at}
    upsert(connection, _MAPPINGS, [row], ["carrier"], ["digest", "read_at"])


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


def unknown_codes(connection: Connection, carrier: str | None = None) -> list[UnknownCode]:
    """Every code that neither the adapter nor the merchant's mapping reads, the most frequent first; of one carrier, or all."""
    wanted = [] if carrier is None else [_teller == carrier]
    counted = (
        select(
            _teller,
            _EVENTS.c.carrier_code,
            func.count(),
            func.count(_EVENTS.c.shipment_id.distinct()),
            func.min(_EVENTS.c.seen_at),
            func.max(_EVENTS.c.seen_at),
            func.max(_EVENTS.c.id),
        )
        .join(_POLLS, _POLLS.c.shipment_id == _EVENTS.c.shipment_id)
        .where(_IN_INDEX, _EVENTS.c.mapped.is_not(True), ~_EVENTS.c.reversal, *wanted)
        .group_by(_teller, _EVENTS.c.carrier_code)
        .order_by(func.count().desc(), _teller, _EVENTS.c.carrier_code)
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
