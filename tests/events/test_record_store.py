"""Events recorded on real databases: late, repeated, out of order, taken back, taken away and put in another light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from carriers.base import AnswerOutcome, Cause, RefKind, TrackingAnswer, TrackingEvent, TrackingRef, TrackingStatus
from tests.reports.support import CODE, DELIVERED, LOST, MOVING, POSTED, add_order, event, order
from tracker.events.record import record_answers, record_due_date
from tracker.store.database import Database
from tracker.store.histories import HistoryRow, due_dates, events_of, histories_of
from tracker.store.tables import NoticeCheck, ShipmentCheck, Signal, table

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STATUS = TrackingStatus
TAKEN_BACK = event("EST-01", datetime(2026, 11, 23, 15, tzinfo=UTC), STATUS.UNKNOWN, "Desconsiderar", reversal=True)


@pytest.fixture
def shipment(database: Database) -> int:
    with database.begin_write() as connection:
        (shipment_id,) = add_order(connection, order(), CODE)
    return shipment_id


def answered(*events: TrackingEvent, **more: Any) -> TrackingAnswer:
    ref = TrackingRef(RefKind.CODE, CODE)
    return TrackingAnswer(ref, AnswerOutcome.FOUND, b"answer", tuple(events), **more)


def record(database: Database, shipment: int, answer: TrackingAnswer, now: datetime = NOW) -> tuple[HistoryRow, int]:
    """The history after this answer, and how many events were new."""
    with database.begin_write() as connection:
        recorded = record_answers(connection, "correios", {shipment: answer}, now=now)[shipment]
    return recorded.history, recorded.events_added


def woken(connection: Connection) -> list[datetime | None]:
    return [connection.execute(table(model).select()).one().next_check_at for model in (ShipmentCheck, NoticeCheck)]


def test_an_event_is_recorded_once_however_often_it_is_told(database: Database, shipment: int) -> None:
    assert record(database, shipment, answered(POSTED, MOVING))[1] == 2
    later = NOW + timedelta(hours=3)
    row, added = record(database, shipment, answered(POSTED, MOVING, DELIVERED), later)
    assert (added, row.version, row.history.status) == (1, 2, STATUS.DELIVERED)
    with database.begin_read() as connection:
        stored = events_of(connection, [shipment])[shipment]
        assert woken(connection) == [later, later]
    assert [one.event_key for one in stored] == [POSTED.key, MOVING.key, DELIVERED.key]


def test_the_same_answer_again_changes_no_history_and_wakes_nobody(database: Database, shipment: int) -> None:
    first, _ = record(database, shipment, answered(POSTED, MOVING))
    again, added = record(database, shipment, answered(POSTED, MOVING), NOW + timedelta(hours=3))
    assert (again, added) == (first, 0)
    with database.begin_read() as connection:
        assert woken(connection) == [NOW, NOW]


def test_an_event_that_comes_late_takes_its_place_in_time(database: Database, shipment: int) -> None:
    record(database, shipment, answered(DELIVERED, complete=False))
    row, _ = record(database, shipment, answered(POSTED, MOVING, DELIVERED))
    assert row.history.status is STATUS.DELIVERED
    assert row.history.posted_at == POSTED.occurred_at
    assert row.first_seen_at == NOW


def test_a_reversal_takes_the_delivery_back_and_marks_it(database: Database, shipment: int) -> None:
    record(database, shipment, answered(POSTED, MOVING, DELIVERED))
    row, _ = record(database, shipment, answered(POSTED, MOVING, DELIVERED, TAKEN_BACK))
    assert (row.history.status, row.history.delivered_at) == (STATUS.IN_TRANSIT, None)
    with database.begin_read() as connection:
        stored = {one.event_key: one.void for one in events_of(connection, [shipment])[shipment]}
    assert stored == {POSTED.key: False, MOVING.key: False, DELIVERED.key: True, TAKEN_BACK.key: False}


@pytest.mark.parametrize(
    ("answer", "vanished"),
    [
        pytest.param(answered(POSTED, MOVING), True, id="missing from a whole answer that holds an older one"),
        pytest.param(answered(), False, id="an empty answer proves nothing"),
        pytest.param(answered(POSTED, MOVING, complete=False), False, id="a part of the history proves nothing"),
    ],
)
def test_an_event_the_carrier_took_away(
    database: Database, shipment: int, answer: TrackingAnswer, vanished: bool
) -> None:
    record(database, shipment, answered(POSTED, MOVING, LOST))
    row, _ = record(database, shipment, answer, NOW + timedelta(hours=1))
    assert row.history.status is (STATUS.IN_TRANSIT if vanished else STATUS.LOST)
    with database.begin_read() as connection:
        gone = {one.event_key: one.vanished_at for one in events_of(connection, [shipment])[shipment]}
    assert gone[LOST.key] == (NOW + timedelta(hours=1) if vanished else None)
    back, added = record(database, shipment, answered(POSTED, MOVING, LOST), NOW + timedelta(hours=2))
    assert (back.history.status, added) == (STATUS.LOST, 0)
    with database.begin_read() as connection:
        assert all(one.vanished_at is None for one in events_of(connection, [shipment])[shipment])


def test_an_unknown_code_moves_nothing_and_is_signalled_with_a_sample(database: Database, shipment: int) -> None:
    odd = event("OFF-01", datetime(2026, 11, 14, tzinfo=UTC), STATUS.UNKNOWN, "Pode levar mais tempo")
    other = replace(odd, key="another", occurred_at=odd.occurred_at + timedelta(hours=1))
    row, _ = record(database, shipment, answered(POSTED, MOVING, odd, other))
    assert row.history.status is STATUS.IN_TRANSIT
    with database.begin_read() as connection:
        (note,) = connection.execute(table(Signal).select()).all()
    assert (note.kind, note.key) == ("unknown_code", "unknown_code:correios:OFF-01")
    assert note.details["shipment_id"] == shipment


def test_a_code_that_was_mapped_later_is_read_again(database: Database, shipment: int) -> None:
    odd = event("XXX-09", datetime(2026, 11, 22, tzinfo=UTC), STATUS.UNKNOWN, "Objeto extraviado")
    before, _ = record(database, shipment, answered(POSTED, odd))
    assert before.history.status is STATUS.POSTED
    mapped = replace(odd, status=STATUS.LOST, cause=Cause.LOSS)
    after, added = record(database, shipment, answered(POSTED, mapped))
    assert (after.history.status, after.history.lost_at, added) == (STATUS.LOST, odd.occurred_at, 0)


DAYS = [date(2026, 11, 18), date(2026, 11, 20), date(2026, 11, 18)]


def named(database: Database, shipment: int) -> dict[str, list[date]]:
    with database.begin_read() as connection:
        return dict(due_dates(connection, [shipment])[shipment])


def test_every_date_the_carrier_named_is_kept_in_order(database: Database, shipment: int) -> None:
    rows: Sequence[HistoryRow] = [
        record(database, shipment, answered(POSTED, due_on=on))[0] for on in [*DAYS, DAYS[-1]]
    ]
    assert named(database, shipment) == {"tracking": DAYS}
    history = rows[-1].history
    assert (history.due_first_on, history.due_on, history.due_max_on) == (DAYS[0], DAYS[2], DAYS[1])
    kept, _ = record(database, shipment, answered(POSTED))  # the forecast vanished: what was said stands
    assert kept.history == history


def test_a_date_named_by_the_claims_office_moves_only_the_latest(database: Database, shipment: int) -> None:
    record(database, shipment, answered(POSTED, due_on=DAYS[0]))
    for _ in range(2):
        with database.begin_write() as connection:
            record_due_date(connection, shipment, "claim", DAYS[1], now=NOW)
    assert named(database, shipment) == {"tracking": DAYS[:1], "claim": DAYS[1:2]}
    with database.begin_read() as connection:
        history = histories_of(connection, [shipment])[shipment].history
    assert (history.due_first_on, history.due_on, history.due_max_on) == (DAYS[0], DAYS[0], DAYS[1])
