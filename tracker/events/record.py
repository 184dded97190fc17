"""Answers in, history out: append what is new, notice what vanished, fold, and wake whoever reads the history.

Late, repeated, out-of-order, corrected and vanishing events are normal. The history is recomputed from all events each time
something changed, in the same transaction as the poll that brought it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import AnswerOutcome, TrackingAnswer, TrackingEvent, TrackingStatus
from tracker import metrics
from tracker.domain.codes import CodeMap, MappedEvent, read_by
from tracker.domain.history import StoredEvent, fold, is_loss_of_sight, void_ids
from tracker.events.reversals import note_reversals
from tracker.events.storable import storable
from tracker.store.histories import (
    HistoryRow,
    add_due_dates,
    append_events,
    due_dates,
    events_of,
    histories_of,
    known_of,
    mark_events,
    reread_events,
    save_histories,
)
from tracker.store.logs import SignalNote, signal
from tracker.store.wake import wake, wake_deadlines

log = structlog.get_logger(__name__)
TRACKING: Final = "tracking"
CALCULATOR: Final = "calculator"
"""Sources of due dates; a third, `claim`, is the claims stage's."""
NO_CODES: Final[CodeMap] = {}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one answer changed."""

    history: HistoryRow
    events_added: int
    shrunk: bool | None = None
    """Whether the answer lacks what we know of; None where it could not tell (we knew less than two events)."""


def record_answers(
    connection: Connection,
    carrier: str,
    answers: Mapping[int, TrackingAnswer],
    *,
    now: datetime,
    asks_deadlines: bool = False,
    codes: CodeMap = NO_CODES,
) -> dict[int, Recorded]:
    """Record what a carrier answered about these shipments. Only answers that found something are looked at.

    *asks_deadlines*: the carrier can be asked for due dates that its tracking does not name. *codes*: the merchant's own
    reading of its codes.
    """
    found = {
        key: _as_merchant_reads(storable(answer), codes)
        for key, answer in answers.items()
        if answer.outcome is AnswerOutcome.FOUND
    }
    if not found:
        return {}
    stood = known_of(connection, found)
    known, dues, before = stood.events, stood.dues, stood.histories
    new = [(key, event) for key, answer in found.items() for event in _unknown(known[key], answer.events)]
    added = append_events(connection, new, now)
    reread = [pair for key, answer in found.items() for pair in _reread(known[key], answer.events)]
    reread_events(connection, reread)
    named = _new_due_dates(found, dues)
    add_due_dates(connection, named, now)
    shrunk = {key: _has_shrunk(known[key], answer) for key, answer in found.items()}
    # Many at once have not been corrected one by one: the carrier shows less than before, and takes nothing away.
    credible = {} if is_loss_of_sight(shrunk.values()) else found
    marked = _mark_vanished(connection, credible, known, now)
    _signal_codes(connection, carrier, new, reread, now)
    if reread or marked or len(added) != len(new):
        events = events_of(connection, found)
    else:
        events = _joined(known, added)
    if named:
        dues = due_dates(connection, found)
    rows = _recompute(connection, found, events, dues, before, now)
    note_reversals(connection, before, rows, events, now)
    counts: dict[int, int] = dict.fromkeys(found, 0)
    for shipment_id, _event in added:
        counts[shipment_id] += 1
    changed = [key for key, row in rows.items() if key not in before or row.version != before[key].version]
    wake(connection, "detection", changed, now)
    wake(connection, "messages", changed, now)
    if asks_deadlines:
        wake_deadlines(connection, carrier, [key for key in changed if _lacks_due_date(rows[key])], now)
    return {key: Recorded(row, counts[key], shrunk[key]) for key, row in rows.items()}


def record_due_date(connection: Connection, shipment_id: int, source: str, due_on: date, *, now: datetime) -> None:
    """Record a due date that another receiver learned of (a claims answer names one)."""
    named = due_dates(connection, [shipment_id])[shipment_id].get(source, [])
    if named and named[-1] == due_on:
        return
    add_due_dates(connection, [(shipment_id, source, len(named) + 1, due_on)], now)
    if histories_of(connection, [shipment_id]):
        refold(connection, [shipment_id], now)
        wake(connection, "detection", [shipment_id], now)


def refold(connection: Connection, shipment_ids: Sequence[int], now: datetime) -> None:
    """Add these histories up again from the facts that are stored, and wake whoever reads one that changed."""
    stood = known_of(connection, shipment_ids)
    before = stood.histories
    rows = _save(connection, _folded(connection, stood.events, stood.dues, before, now), before)
    changed = [key for key, row in rows.items() if key not in before or row.version != before[key].version]
    wake(connection, "detection", changed, now)
    wake(connection, "messages", changed, now)


def _as_merchant_reads(answer: TrackingAnswer, codes: CodeMap) -> TrackingAnswer:
    if not codes or all(event.carrier_code not in codes for event in answer.events):
        return answer
    return replace(answer, events=tuple(read_by(codes, event) for event in answer.events))


def _lacks_due_date(row: HistoryRow) -> bool:
    return row.history.posted_at is not None and row.history.due_first_on is None


def _unknown(known: Sequence[StoredEvent], events: Sequence[TrackingEvent]) -> list[TrackingEvent]:
    keys = {event.event_key for event in known}
    return [event for event in events if event.key not in keys]


def _joined(
    known: Mapping[int, Sequence[StoredEvent]], added: Sequence[tuple[int, StoredEvent]]
) -> dict[int, list[StoredEvent]]:
    """What the store now holds, without asking it again."""
    events = {shipment_id: list(stored) for shipment_id, stored in known.items()}
    for shipment_id, event in added:
        events[shipment_id].append(event)
    return events


def _reread(known: Sequence[StoredEvent], events: Sequence[TrackingEvent]) -> list[tuple[int, TrackingEvent]]:
    """Known events that the adapter now reads otherwise: a mapped code, a corrected table."""
    by_key = {event.event_key: event for event in known}
    changed = []
    for event in events:
        old = by_key.get(event.key)
        if old is not None and not _reads_alike(old, event):
            changed.append((old.id, event))
    return changed


def _reads_alike(old: StoredEvent, event: TrackingEvent) -> bool:
    return (
        old.status is event.status
        and old.cause is event.cause
        and old.final == event.final
        and old.attempt == event.attempt
        and old.reversal == event.reversal
        and old.indemnified == event.indemnified
        and old.by_words == event.by_words
        and old.pickup_until == event.pickup_until
        and (old.mapped is True) == isinstance(event, MappedEvent)
    )


def _new_due_dates(
    found: Mapping[int, TrackingAnswer], named: Mapping[int, Mapping[str, list[date]]]
) -> list[tuple[int, str, int, date]]:
    rows = []
    for shipment_id, answer in found.items():
        before = named[shipment_id].get(TRACKING, [])
        if answer.due_on is not None and (not before or before[-1] != answer.due_on):
            rows.append((shipment_id, TRACKING, len(before) + 1, answer.due_on))
    return rows


def _has_shrunk(known: Sequence[StoredEvent], answer: TrackingAnswer) -> bool | None:
    """Whether a full answer lacks events that we know and that have not vanished before; None where we know too few."""
    standing = {event.event_key for event in known if event.vanished_at is None and event.told_by is None}
    if len(standing) < 2 or not answer.complete:
        return None
    return not standing <= {event.key for event in answer.events}


def _mark_vanished(
    connection: Connection,
    found: Mapping[int, TrackingAnswer],
    known: Mapping[int, Sequence[StoredEvent]],
    now: datetime,
) -> bool:
    """An event missing from a full answer that still holds an older one was taken away; an empty answer proves nothing."""
    gone: list[int] = []
    back: list[int] = []
    for shipment_id, answer in found.items():
        keys = {event.key for event in answer.events}
        oldest = min((event.occurred_at for event in answer.events), default=None)
        for event in known[shipment_id]:
            if event.told_by is not None:
                continue  # another account's word: this one cannot take it away
            if event.event_key in keys:
                back += [event.id] if event.vanished_at else []
            elif answer.complete and event.vanished_at is None and oldest and oldest < event.occurred_at:
                gone.append(event.id)
    mark_events(connection, vanished=gone, returned=back, void={}, at=now)
    return bool(gone or back)


def _recompute(
    connection: Connection,
    found: Mapping[int, TrackingAnswer],
    events: Mapping[int, Sequence[StoredEvent]],
    dues: Mapping[int, Mapping[str, list[date]]],
    before: Mapping[int, HistoryRow],
    now: datetime,
) -> dict[int, HistoryRow]:
    rows = _folded(connection, events, dues, before, now)
    for shipment_id, answer in found.items():
        old = rows[shipment_id]
        service, contract = answer.service or old.service, answer.contract or old.contract
        cents = answer.declared_value_cents or old.declared_value_cents
        if (service, contract, cents) != (old.service, old.contract, old.declared_value_cents):
            rows[shipment_id] = replace(old, service=service, contract=contract, declared_value_cents=cents)
    return _save(connection, rows, before)


def _folded(
    connection: Connection,
    stored: Mapping[int, Sequence[StoredEvent]],
    dues: Mapping[int, Mapping[str, list[date]]],
    before: Mapping[int, HistoryRow],
    now: datetime,
) -> dict[int, HistoryRow]:
    """The histories that the stored facts add up to, with reversals marked on their events."""
    rows: dict[int, HistoryRow] = {}
    void: dict[int, bool] = {}
    for shipment_id, events in stored.items():
        voided = void_ids(events)
        void |= {event.id: event.id in voided for event in events if event.void is not (event.id in voided)}
        # Tracking's dates come first: "first" and "latest" are the carrier's own word to the public.
        named = dues[shipment_id]
        dates = named.get(TRACKING, []) or [day for days in named.values() for day in days]
        history = fold(events, dates)
        if history.due_max_on is not None:
            farthest = max(day for days in named.values() for day in days)
            if farthest != history.due_max_on:
                history = replace(history, due_max_on=farthest)
        empty = HistoryRow(shipment_id, 0, history, None, None, None, now)
        rows[shipment_id] = replace(before.get(shipment_id, empty), history=history)
    mark_events(connection, vanished=[], returned=[], void=void, at=now)
    return rows


def _save(
    connection: Connection, rows: Mapping[int, HistoryRow], before: Mapping[int, HistoryRow]
) -> dict[int, HistoryRow]:
    saved = {
        key: replace(row, version=row.version + 1)
        for key, row in rows.items()
        if key not in before or row != before[key]
    }
    save_histories(connection, list(saved.values()))
    return {**rows, **saved}


def _signal_codes(
    connection: Connection,
    carrier: str,
    new: Sequence[tuple[int, TrackingEvent]],
    reread: Sequence[tuple[int, TrackingEvent]],
    now: datetime,
) -> None:
    """One alert a code that nobody reads, with a sample; it ends when the adapter or the merchant has learned the code."""
    unread = [(key, event) for key, event in new if event.status is TrackingStatus.UNKNOWN and not event.reversal]
    metrics.unknown_events(carrier, len(unread))
    samples = {event.carrier_code: (shipment_id, event) for shipment_id, event in unread}
    notes = []
    for code, (shipment_id, event) in sorted(samples.items()):
        log.warning("status.unmapped", carrier=carrier, carrier_code=code, shipment_id=shipment_id)
        notes.append(code_unread(carrier, code, event.description, shipment_id))
    learned = {event.carrier_code for _, event in reread if event.status is not TrackingStatus.UNKNOWN}
    notes += [code_read(carrier, code) for code in sorted(learned)]
    signal(connection, notes, now)


def code_unread(carrier: str, code: str, description: str, shipment_id: int) -> SignalNote:
    """Neither the adapter nor the merchant reads this code."""
    return SignalNote(
        key=f"unknown_code:{carrier}:{code}",
        kind="unknown_code",
        severity="warning",
        summary=f"{carrier} sent the unknown code {code}: {description} (tracker carriers unknown shows how to map it)",
        details={"carrier": carrier, "carrier_code": code, "shipment_id": shipment_id},
    )


def code_read(carrier: str, code: str) -> SignalNote:
    """The code has a meaning now."""
    return SignalNote(
        key=f"unknown_code:{carrier}:{code}",
        kind="unknown_code",
        severity="info",
        summary=f"the code {code} of {carrier} is known now",
        raised=False,
        details={"carrier": carrier, "carrier_code": code},
    )
