"""The events stage's tables: events as facts, the due dates a carrier named, and the history they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from carriers.base import Cause, TrackingEvent, TrackingStatus
from tracker.domain.codes import MappedEvent, OwnReading
from tracker.domain.history import History, StoredEvent
from tracker.store.at_once import AtOnce, Together
from tracker.store.database import insert_new, upsert
from tracker.store.kept import among
from tracker.store.tables import DueDate, Event, ShipmentHistory, table

_EVENTS, _DUES, _HISTORIES = table(Event), table(DueDate), table(ShipmentHistory)
Rows = Sequence[Sequence[Any]]
_EVENT_COLUMNS = StoredEvent._fields
_STATUS, _CAUSE = _EVENT_COLUMNS.index("status"), _EVENT_COLUMNS.index("cause")
_STATUSES: Final = {status.value: status for status in TrackingStatus}


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A shipment's history as the store keeps it; `version` grows with every change."""

    shipment_id: int
    version: int
    history: History
    service: str | None
    contract: str | None
    declared_value_cents: int | None
    first_seen_at: datetime


_EVENTS_OF: Final = AtOnce(
    select(_EVENTS.c.shipment_id, *(_EVENTS.c[name] for name in _EVENT_COLUMNS))
    .where(among(_EVENTS.c.shipment_id, "ids"))
    .order_by(_EVENTS.c.occurred_at, _EVENTS.c.id)
)
_DUES_OF: Final = AtOnce(
    select(_DUES.c.shipment_id, _DUES.c.source, _DUES.c.due_on)
    .where(among(_DUES.c.shipment_id, "ids"), _DUES.c.void.is_(False))
    .order_by(_DUES.c.id)
)
_OWN: Final = ("shipment_id", "version", "service", "contract", "declared_value_cents", "first_seen_at")
_KEPT_AS: Final = {
    "due_first_on": "carrier_due_first_on",
    "due_on": "carrier_due_on",
    "due_max_on": "carrier_due_max_on",
}
_HISTORY: Final = tuple(field.name for field in fields(History))
"""Its status is the first of them, its marks by words are the last."""
_CAUSES: Final = (_HISTORY.index("returning_cause"), _HISTORY.index("trouble_cause"))
_HISTORIES_OF: Final = AtOnce(
    select(*(_HISTORIES.c[_KEPT_AS.get(name, name)] for name in (*_OWN, *_HISTORY))).where(
        among(_HISTORIES.c.shipment_id, "ids")
    )
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of some shipments, by shipment."""

    events: dict[int, list[StoredEvent]]
    dues: dict[int, dict[str, list[date]]]
    histories: dict[int, HistoryRow]


_ALL_OF: Final = Together(_EVENTS_OF, _DUES_OF, _HISTORIES_OF)


def known_of(connection: Connection, shipment_ids: Iterable[int]) -> Known:
    """What `events_of`, `due_dates` and `histories_of` tell, together."""
    ids = list(shipment_ids)
    events, dues, histories = _ALL_OF.rows(connection, {"ids": ids})
    return Known(_events(ids, events), _dues(ids, dues), _histories(histories))


def events_of(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, list[StoredEvent]]:
    """Every event of these shipments, vanished and void ones too, in the order of their time."""
    ids = list(shipment_ids)
    return _events(ids, _EVENTS_OF.rows(connection, {"ids": ids}))


def _events(ids: Iterable[int], rows: Rows) -> dict[int, list[StoredEvent]]:
    found: dict[int, list[StoredEvent]] = {shipment_id: [] for shipment_id in ids}
    for shipment_id, *values in rows:
        values[_STATUS] = _STATUSES[values[_STATUS]]
        values[_CAUSE] = Cause(values[_CAUSE]) if values[_CAUSE] else None
        found[shipment_id].append(StoredEvent(*values))
    return found


def add_events(
    connection: Connection, events: Iterable[tuple[int, TrackingEvent]], seen_at: datetime
) -> list[tuple[int, str]]:
    """Append events (shipment, event); returns those that were new as (shipment, event key)."""
    return [(shipment_id, event.event_key) for shipment_id, event in append_events(connection, events, seen_at)]


def append_events(
    connection: Connection, events: Iterable[tuple[int, TrackingEvent]], seen_at: datetime
) -> list[tuple[int, StoredEvent]]:
    """Append events (shipment, event); returns those that were new, as they are stored."""
    given = {(shipment_id, event.key): event for shipment_id, event in events}
    rows = [
        {
            "shipment_id": shipment_id,
            "event_key": event.key,
            "occurred_at": event.occurred_at,
            "seen_at": seen_at,
            "carrier_code": event.carrier_code,
            "status": event.status.value,
            "cause": event.cause.value if event.cause else None,
            "description": event.description,
            "location": event.location,
            "final": event.final,
            "attempt": event.attempt,
            "reversal": event.reversal,
            "indemnified": event.indemnified,
            "pickup_until": event.pickup_until,
            "void": False,
            "mapped": _is_mapped(event),
            "own": _own(event),
            "by_words": event.by_words,
        }
        for (shipment_id, _), event in given.items()
    ]
    new = insert_new(connection, _EVENTS, rows, _EVENTS.c.id, _EVENTS.c.shipment_id, _EVENTS.c.event_key)
    return [(shipment_id, _stored(row_id, given[shipment_id, key], seen_at)) for row_id, shipment_id, key in new]


def _stored(row_id: int, event: TrackingEvent, seen_at: datetime) -> StoredEvent:
    return StoredEvent(
        id=row_id,
        event_key=event.key,
        occurred_at=event.occurred_at,
        seen_at=seen_at,
        carrier_code=event.carrier_code,
        status=event.status,
        description=event.description,
        cause=event.cause,
        location=event.location,
        final=event.final,
        attempt=event.attempt,
        reversal=event.reversal,
        indemnified=event.indemnified,
        pickup_until=event.pickup_until,
        mapped=_is_mapped(event),
        by_words=event.by_words,
    )


def _is_mapped(event: TrackingEvent) -> bool | None:
    return True if isinstance(event, MappedEvent) else None


def _own(event: TrackingEvent) -> str | None:
    return event.own.kept if isinstance(event, MappedEvent) and event.own is not None else None


def map_events(connection: Connection, event_ids: Sequence[int], reading: OwnReading, own: OwnReading | None) -> None:
    """Read these events (row ids) by the merchant's mapping, *own* being what their adapter reads in them."""
    _read_as(connection, event_ids, reading, mapped=True, own=own.kept if own is not None else None)


def unmap_events(connection: Connection, event_ids: Sequence[int], reading: OwnReading) -> None:
    """Read these events (row ids) by no mapping again: as their adapter does."""
    _read_as(connection, event_ids, reading, mapped=None, own=None)


def _read_as(
    connection: Connection, event_ids: Sequence[int], reading: OwnReading, *, mapped: bool | None, own: str | None
) -> None:
    values = {**reading.columns, "mapped": mapped, "own": own}
    connection.execute(update(_EVENTS).where(_EVENTS.c.id.in_(event_ids)).values(**values))


def reread_events(connection: Connection, changes: Iterable[tuple[int, TrackingEvent]]) -> None:
    """Write again what a better code table now reads in a known event (row id, event); its key and time stand."""
    for row_id, event in changes:
        connection.execute(
            update(_EVENTS)
            .where(_EVENTS.c.id == row_id)
            .values(
                status=event.status.value,
                cause=event.cause.value if event.cause else None,
                final=event.final,
                attempt=event.attempt,
                reversal=event.reversal,
                indemnified=event.indemnified,
                pickup_until=event.pickup_until,
                mapped=_is_mapped(event),
                own=_own(event),
                by_words=event.by_words,
            )
        )


def mark_events(
    connection: Connection, *, vanished: Iterable[int], returned: Iterable[int], void: Mapping[int, bool], at: datetime
) -> None:
    """Mark events (row ids) the carrier has taken away, brought back, or taken back by a reversal."""
    gone, back = list(vanished), list(returned)
    if gone:
        connection.execute(update(_EVENTS).where(_EVENTS.c.id.in_(gone)).values(vanished_at=at))
    if back:
        connection.execute(update(_EVENTS).where(_EVENTS.c.id.in_(back)).values(vanished_at=None))
    for flag in (True, False):
        ids = [row_id for row_id, is_void in void.items() if is_void is flag]
        if ids:
            connection.execute(update(_EVENTS).where(_EVENTS.c.id.in_(ids)).values(void=flag))


def set_aside(connection: Connection, shipment_id: int, at: datetime) -> None:
    """What was known of this shipment was another parcel's: keep it as facts that do not count, and begin anew."""
    standing = (_EVENTS.c.shipment_id == shipment_id, _EVENTS.c.vanished_at.is_(None))
    connection.execute(update(_EVENTS).where(*standing).values(vanished_at=at))
    named = (_DUES.c.shipment_id == shipment_id, _DUES.c.void.is_(False))
    connection.execute(update(_DUES).where(*named).values(void=True, seq=-_DUES.c.id))
    connection.execute(delete(_HISTORIES).where(_HISTORIES.c.shipment_id == shipment_id))


def told_before_move(connection: Connection, shipment_id: int, carrier: str) -> None:
    """The shipment goes to another account: what this one told stays and counts, marked with who told it."""
    untold = (_EVENTS.c.shipment_id == shipment_id, _EVENTS.c.told_by.is_(None))
    connection.execute(update(_EVENTS).where(*untold).values(told_by=carrier))


def due_dates(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, dict[str, list[date]]]:
    """Every due date a carrier named for these shipments, by source, in the order it named them."""
    ids = list(shipment_ids)
    return _dues(ids, _DUES_OF.rows(connection, {"ids": ids}))


def _dues(ids: Iterable[int], rows: Rows) -> dict[int, dict[str, list[date]]]:
    found: dict[int, dict[str, list[date]]] = {shipment_id: {} for shipment_id in ids}
    for shipment_id, source, due_on in rows:
        found[shipment_id].setdefault(source, []).append(due_on)
    return found


def add_due_dates(connection: Connection, rows: Iterable[tuple[int, str, int, date]], seen_at: datetime) -> None:
    """Append due dates (shipment, source, place in the order of naming, date)."""
    insert_new(
        connection,
        _DUES,
        [
            {"shipment_id": shipment_id, "source": source, "seq": seq, "due_on": due_on, "seen_at": seen_at}
            for shipment_id, source, seq, due_on in rows
        ],
    )


def histories_of(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, HistoryRow]:
    """The histories of these shipments; one without any event has none."""
    return _histories(_HISTORIES_OF.rows(connection, {"ids": list(shipment_ids)}))


def _histories(rows: Rows) -> dict[int, HistoryRow]:
    return {values[0]: _history_row(values) for values in rows}


def _history_row(values: Sequence[Any]) -> HistoryRow:
    shipment_id, version, service, contract, cents, first_seen_at, *told = values
    told[0] = _STATUSES[told[0]]
    for place in _CAUSES:
        told[place] = Cause(told[place]) if told[place] else None
    told[-1] = frozenset(told[-1].split(",")) if told[-1] else frozenset()
    return HistoryRow(shipment_id, version, History(*told), service, contract, cents, first_seen_at)


def event_codes(connection: Connection, shipment_id: int) -> frozenset[str]:
    """The carrier's codes of this shipment's events that stand."""
    standing = (_EVENTS.c.shipment_id == shipment_id, _EVENTS.c.void.is_(False), _EVENTS.c.vanished_at.is_(None))
    return frozenset(connection.execute(select(_EVENTS.c.carrier_code).where(*standing)).scalars())


def learned_at(connection: Connection, shipment_id: int) -> datetime | None:
    """When we last learned of an event of this shipment, whenever it had happened."""
    query = select(func.max(_EVENTS.c.seen_at)).where(_EVENTS.c.shipment_id == shipment_id)
    return connection.execute(query).scalar()


def save_histories(connection: Connection, rows: Sequence[HistoryRow]) -> None:
    """Write histories whole."""
    values = []
    for row in rows:
        history = row.history
        values.append(
            {
                "shipment_id": row.shipment_id,
                "version": row.version,
                "status": history.status.value,
                "status_at": history.status_at,
                "posted_at": history.posted_at,
                "first_attempt_at": history.first_attempt_at,
                "delivered_at": history.delivered_at,
                "returning_at": history.returning_at,
                "returning_cause": history.returning_cause.value if history.returning_cause else None,
                "returned_at": history.returned_at,
                "lost_at": history.lost_at,
                "stolen_at": history.stolen_at,
                "damaged_at": history.damaged_at,
                "violated_at": history.violated_at,
                "misdelivered_at": history.misdelivered_at,
                "last_event_at": history.last_event_at,
                "indemnified_at": history.indemnified_at,
                "pickup_until": history.pickup_until,
                "pickup_since": history.pickup_since,
                "trouble_at": history.trouble_at,
                "trouble_cause": history.trouble_cause.value if history.trouble_cause else None,
                "location": history.location,
                "by_words": ",".join(sorted(history.by_words)) or None,
                "carrier_due_first_on": history.due_first_on,
                "carrier_due_on": history.due_on,
                "carrier_due_max_on": history.due_max_on,
                "service": row.service,
                "contract": row.contract,
                "declared_value_cents": row.declared_value_cents,
                "first_seen_at": row.first_seen_at,
            }
        )
    if values:
        names = [name for name in values[0] if name not in {"shipment_id", "first_seen_at"}]
        upsert(connection, _HISTORIES, values, ["shipment_id"], names)
