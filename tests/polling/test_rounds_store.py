"""A round of looks: several batches under way at a time, answers that say nothing new, failures in the middle, a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from carriers.base import (
    AnswerOutcome,
    Heard,
    RefKind,
    TrackingAnswer,
    TrackingRef,
    TrackingStatus,
    TrackingTerms,
    TransientCarrierError,
    UnreadAnswer,
)
from carriers.correios.tracking import normalise
from tests.end_to_end.support import ZONE
from tests.reports.support import add_order, event, order
from tracker.domain.calendar import calendars
from tracker.events.record import record_answers
from tracker.polling.breaker import Breaker
from tracker.polling.schedule import PollingPolicy
from tracker.polling.sight import Sight
from tracker.polling.sweep import PollSweep, at_once
from tracker.store.database import Database
from tracker.store.tables import CarrierState, Event, ShipmentPoll, table

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BATCH, PARCELS = 2, 40
POLLS = table(ShipmentPoll)
MOVING = event("RO-01", NOW - timedelta(hours=5), TrackingStatus.IN_TRANSIT, "Em transferência")


class Recording:
    """Answers every batch, as told: notes what was asked, how much at once, and what was read."""

    tracking_terms = TrackingTerms(
        ref_kinds=(RefKind.CODE,),
        batch_size=BATCH,
        requests_per_second=1000,
        timezone="America/Sao_Paulo",
        reading_version="1",
        presumed_loss_business_days={"": 7},
        terms_source="a test",
    )

    def __init__(self) -> None:
        self.asked: list[Sequence[TrackingRef]] = []
        self.read: list[TrackingRef] = []
        self.under_way = self.most_under_way = 0
        self.before: Callable[[int], Any] = lambda number: None
        """Called with the number of the batch, before it is answered; may raise."""

    def normalise(self, value: str) -> TrackingRef | None:
        return TrackingRef(RefKind.CODE, value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        self.asked.append(refs)
        number = len(self.asked)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        # A later batch is answered sooner: what is saved first must not depend on it.
        for _ in range(40 - number):
            await asyncio.sleep(0)
        self.under_way -= 1
        self.before(number)
        return {ref: UnreadAnswer(ref.value.encode(), lambda ref=ref: self._answer(ref)) for ref in refs}  # type: ignore[misc]

    def _answer(self, ref: TrackingRef) -> TrackingAnswer:
        self.read.append(ref)
        return TrackingAnswer(ref, AnswerOutcome.FOUND, b"kept of " + ref.value.encode(), (MOVING,))


def sweep(database: Database, adapter: Recording, **more: Any) -> PollSweep:
    return PollSweep(
        database=database,
        carrier="correios",
        adapter=adapter,
        breaker=Breaker(database, "correios", "tracking", "digest"),
        record=lambda connection, answers, now: record_answers(connection, "correios", answers, now=now),
        policy=PollingPolicy(),
        sight=Sight("correios"),
        days=lambda _shop: calendars(ZONE, frozenset({"PR"}), frozenset()),
        **{"at_once": 4, **more},
    )


@pytest.fixture
def parcels(database: Database) -> Database:
    found = (code for n in range(900) for digit in range(10) if (code := normalise(f"AA{n:08d}{digit}BR")))
    with database.begin_write() as connection:
        for number in range(PARCELS):
            add_order(connection, order(f"1{number}"), next(found).value)
    return database


def polls(database: Database) -> list[Any]:
    with database.begin_read() as connection:
        return list(connection.execute(POLLS.select().order_by(POLLS.c.shipment_id)).all())


@pytest.mark.anyio
async def test_several_batches_are_under_way_after_the_first_and_none_is_asked_twice(parcels: Database) -> None:
    adapter = Recording()
    under_way: list[int] = []
    adapter.before = lambda number: under_way.append(adapter.most_under_way)
    assert await sweep(parcels, adapter).run(NOW) == PARCELS
    assert under_way[0] == 1  # a carrier that is down is asked once
    assert adapter.most_under_way == 4
    assert sorted(ref.value for refs in adapter.asked for ref in refs) == sorted(
        {ref.value for refs in adapter.asked for ref in refs}
    )
    assert {(row.outcome, row.last_answered_at, row.lease_token) for row in polls(parcels)} == {("found", NOW, None)}


@pytest.mark.anyio
async def test_what_says_nothing_new_is_not_read_and_looked_at_again(parcels: Database) -> None:
    adapter, later = Recording(), NOW + timedelta(hours=4)
    await sweep(parcels, adapter).run(NOW)
    assert len(adapter.read) == PARCELS
    digests = [row.digest for row in polls(parcels)]
    assert await sweep(parcels, adapter).run(later) == PARCELS
    assert len(adapter.read) == PARCELS
    rows = polls(parcels)
    assert [row.digest for row in rows] == digests
    assert {(row.outcome, row.failures, row.last_polled_at, row.last_answered_at) for row in rows} == {
        ("found", 0, later, later)
    }
    assert all(row.next_poll_at > later and row.lease_token is None for row in rows)


@pytest.mark.anyio
async def test_an_old_answer_to_a_number_that_was_corrected_meanwhile_is_not_saved(parcels: Database) -> None:
    adapter, later = Recording(), NOW + timedelta(hours=4)
    await sweep(parcels, adapter).run(NOW)
    mine = polls(parcels)[0].shipment_id

    def correct(_number: int) -> None:
        with parcels.begin_write() as connection:
            values = {"lease_token": None, "lease_until": None, "next_poll_at": later + timedelta(days=1)}
            connection.execute(update(POLLS).where(POLLS.c.shipment_id == mine).values(**values))

    adapter.before = correct
    assert await sweep(parcels, adapter).run(later) == PARCELS - 1
    row = polls(parcels)[0]
    assert (row.last_answered_at, row.next_poll_at) == (NOW, later + timedelta(days=1))


@pytest.mark.anyio
async def test_a_failure_ends_the_round_once_and_loses_nothing_that_was_answered(parcels: Database) -> None:
    adapter = Recording()

    def fail(number: int) -> None:
        if number in {3, 4}:
            raise TransientCarrierError("correios", "HTTP 503", 503)

    adapter.before = fail
    answered = await sweep(parcels, adapter).run(NOW)
    rows = polls(parcels)
    assert len(adapter.asked) < PARCELS / BATCH  # nothing more was taken up
    assert answered == sum(row.outcome == "found" for row in rows) == (len(adapter.asked) - 2) * BATCH
    assert {row.lease_token for row in rows} == {None}
    assert all(row.next_poll_at <= NOW and row.last_answered_at is None for row in rows if row.outcome is None)
    with parcels.begin_read() as connection:
        (state,) = connection.execute(table(CarrierState).select().where(table(CarrierState).c.family == "tracking"))
        events = connection.execute(table(Event).select()).all()
    assert state.failures == 1
    assert len(events) == answered


@pytest.mark.anyio
async def test_a_stop_saves_what_is_under_way_and_takes_up_no_more(parcels: Database) -> None:
    adapter, stopping = Recording(), asyncio.Event()
    adapter.before = lambda number: stopping.set() if number == 2 else None
    answered = await sweep(parcels, adapter, stopping=stopping.is_set).run(NOW)
    assert answered == len(adapter.asked) * BATCH < PARCELS
    rows = polls(parcels)
    assert sum(row.outcome == "found" for row in rows) == answered
    assert {row.lease_token for row in rows} == {None}


@pytest.mark.anyio
async def test_a_round_that_breaks_leaves_nothing_running(parcels: Database) -> None:
    adapter = Recording()

    def break_down(number: int) -> None:
        if number == 3:
            raise LookupError("a fault of the adapter's own")

    adapter.before, before = break_down, asyncio.all_tasks()
    with pytest.raises(LookupError):
        await sweep(parcels, adapter).run(NOW)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(("rate", "batches"), [(0.2, 1), (1, 1), (3, 3), (5, 4), (1000, 4)])
def test_no_more_is_under_way_than_a_stop_can_wait_for(rate: float, batches: int) -> None:
    assert at_once(rate) == batches
