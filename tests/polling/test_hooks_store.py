"""What a carrier pushes: on the disk before it is answered, once; recorded like an answer; and what is not the carrier's."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import SQLModel
from structlog.testing import capture_logs

from carriers.base import Heard, TrackingAnswer, TrackingRef
from tests.carriers.fictitious import read as read_answer
from tests.polling import pushes
from tests.polling.pushes import HOOK, body, item, push, read, signed
from tests.polling.test_rounds_store import Recording
from tests.polling.test_rounds_store import sweep as poll_sweep
from tests.reports.support import add_order, order
from tracker.clock import FrozenClock
from tracker.polling import hook_desk
from tracker.polling.breaker import Breaker
from tracker.polling.hook_desk import MANY_REFUSED, HookDesk
from tracker.store.database import Database
from tracker.store.hooks import take_deliveries
from tracker.store.leases import free_all
from tracker.store.tables import (
    Event,
    HookDelivery,
    RawAnswer,
    ShipmentCheck,
    ShipmentHistory,
    ShipmentPoll,
    Signal,
    table,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CODE, OTHER = "FX00000001", "FX00000002"
COLLECTED, MOVED = NOW - DAY, NOW - 2 * HOUR
PUSH = body(item(CODE, (2, MOVED, "C1")))


def rows(database: Database, model: type[SQLModel]) -> list[Any]:
    with database.begin_read() as connection:
        found = table(model)
        return list(connection.execute(select(found).order_by(*found.primary_key.columns)).all())


def one(database: Database, model: type[SQLModel]) -> Any:
    (row,) = rows(database, model)
    return row


def follow(database: Database, *codes: str, looked_at: datetime | None = NOW - HOUR) -> list[int]:
    """Parcels of the account; the next look is due in two hours."""
    with database.begin_write() as connection:
        ids = [add_order(connection, order(code, promised_on=None), code, carrier="flecha")[0] for code in codes]
        polls = table(ShipmentPoll)
        values = {"last_polled_at": looked_at, "next_poll_at": NOW + 2 * HOUR}
        connection.execute(update(polls).values(**values))
    return ids


# --- at the door --------------------------------------------------------------------------------------


def test_what_the_carrier_signed_is_kept_once_before_it_is_answered(database: Database) -> None:
    for again in range(3):
        reply = push(database, PUSH, NOW + again * HOUR)
        assert (reply.status, reply.body, reply.content_type) == (200, b'{"recebido": true}', "application/json")
        kept = one(database, HookDelivery)
        assert (kept.carrier, kept.received_at, kept.state, zlib.decompress(kept.body)) == (
            "flecha",
            NOW,
            "waiting",
            PUSH,
        )
    push(database, PUSH + b" ", NOW)
    assert len(rows(database, HookDelivery)) == 2


def test_many_at_once_are_kept_each(database: Database) -> None:
    """They share commits, and so does a body that comes twice at the same moment."""

    async def all_at_once() -> list[int]:
        at_the_door = pushes.desk(database, NOW)
        bodies = [body(item(CODE, (n % 30, MOVED, "C1"))) for n in range(120)]
        calls = [at_the_door.receive("flecha", "POST", signed(one, NOW), "", one) for one in bodies]
        return [reply.status for reply in await asyncio.gather(*calls) if reply is not None]

    assert asyncio.run(all_at_once()) == [200] * 120
    assert len(rows(database, HookDelivery)) == 30


def test_a_database_that_hangs_is_waited_for_by_few(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_desk, "KEEP_WITHIN_S", 0.3)
    monkeypatch.setattr(hook_desk, "MOST_WAITING", 5)

    async def many() -> set[int]:
        at_the_door = pushes.desk(database, NOW)
        bodies = [body(item(CODE, (n, MOVED, "C1"))) for n in range(40)]
        with database.begin_write() as other:
            other.exec_driver_sql("DELETE FROM hook_deliveries")
            if not database.sqlite:
                other.exec_driver_sql("LOCK TABLE hook_deliveries IN ACCESS EXCLUSIVE MODE")
            calls = [at_the_door.receive("flecha", "POST", signed(one, NOW), "", one) for one in bodies]
            statuses = {reply.status for reply in await asyncio.gather(*calls) if reply is not None}
        monkeypatch.setattr(hook_desk, "KEEP_WITHIN_S", 30.0)
        late = await at_the_door.receive("flecha", "POST", signed(PUSH, NOW), "", PUSH)
        assert late is not None and late.status == 200
        return statuses

    assert asyncio.run(many()) == {503}
    # What had been handed over came to be kept after all; it is the carrier's, and is sent again to no harm.
    assert len(rows(database, HookDelivery)) <= 1 + 5 + 1


@pytest.mark.parametrize(
    ("payload", "headers", "method", "status"),
    [
        pytest.param(PUSH, {}, "POST", 401, id="unsigned"),
        pytest.param(PUSH + b" ", signed(PUSH, NOW), "POST", 401, id="another body"),
        pytest.param(PUSH, signed(PUSH, NOW) | {"x-quando": NOW.isoformat() + " "}, "POST", 401, id="another time"),
        pytest.param(PUSH, signed(PUSH, NOW - DAY - HOUR), "POST", 401, id="a replay of what is long over"),
        pytest.param(b"", {}, "POST", 200, id="a trial of the address"),
        pytest.param(b"", {}, "GET", 200, id="a trial by GET"),
        pytest.param(b"", {}, "HEAD", 200, id="a trial by HEAD"),
        pytest.param(PUSH, signed(PUSH, NOW), "GET", 200, id="a body where there should be none"),
    ],
)
def test_nothing_else_is_kept(
    database: Database, payload: bytes, headers: dict[str, str], method: str, status: int
) -> None:
    reply = push(database, payload, NOW, headers=headers, method=method)
    assert (reply.status, reply.body) == (status, b"")
    assert rows(database, HookDelivery) == []


def test_what_could_not_be_kept_is_asked_for_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_desk, "KEEP_WITHIN_S", 0.2)
    database.closed_because = "the disk is full"
    assert push(database, PUSH, NOW).status == 503
    database.closed_because = None
    with database.begin_write() as other:
        # Another writer is at work, and stays.
        other.exec_driver_sql("DELETE FROM hook_deliveries")
        if not database.sqlite:
            other.exec_driver_sql("LOCK TABLE hook_deliveries IN ACCESS EXCLUSIVE MODE")
        busy = push(database, PUSH, NOW)
    assert (busy.status, busy.headers["Retry-After"]) == (503, "60")
    monkeypatch.setattr(hook_desk, "KEEP_WITHIN_S", 30.0)
    assert push(database, PUSH, NOW).status == 200
    assert len(rows(database, HookDelivery)) == 1


def test_a_flood_of_forgeries_writes_one_line_a_minute_and_one_alert(database: Database) -> None:
    async def flood() -> None:
        at_the_door = HookDesk(database, {"flecha": HOOK}, FrozenClock(NOW))
        for _ in range(1000):
            await at_the_door.receive("flecha", "POST", {"x-assinatura": "falsa"}, "", PUSH)
        for minute in range(70):
            if minute < 5:
                await at_the_door.receive("flecha", "POST", {}, "", PUSH)
            assert await at_the_door.tell(NOW + timedelta(minutes=minute)) == 0

    with capture_logs() as logs:
        asyncio.run(flood())
    assert [line["requests"] for line in logs] == [1001, 1, 1, 1, 1]
    assert {(line["event"], line["reason"]) for line in logs} == {("hook.refused", "another signature")}
    assert rows(database, HookDelivery) == []
    signals = rows(database, Signal)
    assert [(row.kind, row.raised, row.at - NOW) for row in signals] == [
        ("hook_refused", True, timedelta()),
        ("hook_refused", False, timedelta(minutes=61)),
    ]
    assert "1001 requests to the hook of flecha" in signals[0].summary


def test_a_few_forgeries_are_no_alert(database: Database) -> None:
    async def few() -> None:
        at_the_door = HookDesk(database, {"flecha": HOOK}, FrozenClock(NOW))
        for _ in range(MANY_REFUSED - 1):
            await at_the_door.receive("flecha", "POST", {}, "", PUSH)
        await at_the_door.tell(NOW)

    asyncio.run(few())
    assert rows(database, Signal) == []


def test_an_account_without_a_hook_has_no_door(database: Database) -> None:
    found = asyncio.run(pushes.desk(database, NOW).receive("outra", "POST", {}, "", PUSH))
    assert found is None


# --- read ---------------------------------------------------------------------------------------------


def test_a_push_is_recorded_like_an_answer(database: Database) -> None:
    (mine,) = follow(database, CODE)
    push(database, body(item(CODE, (2, MOVED, "C1"), (3, NOW - HOUR, "ZZ"))), NOW)
    assert read(database, NOW + timedelta(seconds=5)) == 1
    assert read(database, NOW + timedelta(seconds=5)) == 0
    assert [(row.event_key, row.carrier_code) for row in rows(database, Event)] == [("2", "C1"), ("3", "ZZ")]
    assert one(database, ShipmentHistory).status == "in_transit"
    assert (one(database, RawAnswer).subject_id, one(database, RawAnswer).seen_at) == (mine, NOW)
    assert one(database, ShipmentCheck).next_check_at == NOW + timedelta(seconds=5)
    assert [row.kind for row in rows(database, Signal)] == ["unknown_code"]
    delivery = one(database, HookDelivery)
    assert (delivery.state, delivery.next_read_at, delivery.lease_token) == ("read", None, None)


def test_it_counts_as_having_heard_and_puts_the_next_look_off(database: Database) -> None:
    follow(database, CODE)
    push(database, PUSH, NOW)
    read(database, NOW)
    poll = one(database, ShipmentPoll)
    # As of its newest event: a push that was long on its way says nothing of the hours since.
    assert (poll.pushed_at, poll.last_answered_at, poll.last_polled_at) == (NOW, MOVED, NOW - HOUR)
    assert 10.8 * HOUR <= poll.next_poll_at - NOW <= 12 * HOUR
    earlier = NOW - 3 * HOUR
    push(database, body(item(CODE, (1, earlier, "B1"))), NOW + HOUR)
    read(database, NOW + HOUR)
    assert one(database, ShipmentPoll).last_answered_at == MOVED


def test_what_was_never_looked_at_is_looked_at_at_once(database: Database) -> None:
    follow(database, CODE, looked_at=None)
    push(database, PUSH, NOW)
    read(database, NOW)
    assert one(database, ShipmentPoll).next_poll_at == NOW


def test_a_push_that_names_no_event_makes_us_look(database: Database) -> None:
    """Some carriers say that there is news, and not which."""
    follow(database, CODE, looked_at=NOW - HOUR)
    push(database, body(item(CODE)), NOW)
    read(database, NOW)
    assert one(database, ShipmentPoll).next_poll_at == NOW


def test_a_push_takes_nothing_away_and_an_answer_nothing_that_was_just_pushed(database: Database) -> None:
    """Pushes hold the newest events alone; a carrier's tracking may be minutes behind its own push."""
    (mine,) = follow(database, CODE)
    (ref,) = HOOK.read(PUSH).answers
    whole = read_answer(ref, item(CODE, (1, COLLECTED, "B1"), (2, MOVED, "C1")))
    with database.begin_write() as connection:
        pushes.sweep(database).accounts["flecha"].record(connection, {mine: whole}, NOW - HOUR)
    push(database, body(item(CODE, (3, NOW - timedelta(minutes=5), "D1"))), NOW)
    read(database, NOW)
    assert [row.vanished_at for row in rows(database, Event)] == [None, None, None]
    polled(database, whole, NOW + timedelta(minutes=20))
    assert [row.vanished_at for row in rows(database, Event)] == [None, None, None]
    assert one(database, ShipmentHistory).status == "out_for_delivery"
    # So much later the carrier's tracking has had its time.
    polled(database, read_answer(ref, item(CODE, (1, COLLECTED, "B1"), (2, MOVED, "C1"), servico="X")), NOW + 3 * HOUR)
    assert [row.vanished_at is None for row in rows(database, Event)] == [True, True, False]


class Answering(Recording):
    """A carrier whose tracking shows this."""

    def __init__(self, answer: TrackingAnswer) -> None:
        super().__init__()
        self._shown = answer

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        return dict.fromkeys(refs, self._shown)


def polled(database: Database, answer: TrackingAnswer, now: datetime) -> None:
    """A look at the one parcel, answered so."""
    with database.begin_write() as connection:
        connection.execute(update(table(ShipmentPoll)).values(next_poll_at=now))
    record, breaker = pushes.sweep(database).accounts["flecha"].record, Breaker(database, "flecha", "tracking", "d")
    usual = poll_sweep(database, Answering(answer), is_pushed=True, at_once=1)
    assert asyncio.run(replace(usual, carrier="flecha", record=record, breaker=breaker).run(now)) == 1


def test_a_number_that_is_imported_later_is_told_of_then(database: Database) -> None:
    follow(database, OTHER)
    push(database, body(item(CODE, (2, MOVED, "C1")), item(OTHER, (2, MOVED, "C1"))), NOW)
    read(database, NOW)
    delivery = one(database, HookDelivery)
    assert (delivery.state, delivery.unmatched) == ("unmatched", [["code", CODE]])
    assert delivery.next_read_at == NOW + timedelta(minutes=15)
    assert read(database, delivery.next_read_at) == 1
    assert one(database, HookDelivery).next_read_at == NOW + HOUR
    (mine,) = follow(database, CODE)
    assert read(database, NOW + HOUR) == 1
    delivery = one(database, HookDelivery)
    assert (delivery.state, delivery.unmatched, delivery.next_read_at) == ("read", None, None)
    assert {row.shipment_id for row in rows(database, Event)} >= {mine}
    assert len(rows(database, Event)) == 2


def test_a_number_nobody_imports_is_given_up_after_a_week(database: Database) -> None:
    push(database, PUSH, NOW)
    tries, at = 0, NOW
    while (at := one(database, HookDelivery).next_read_at) is not None:
        tries += read(database, at)
    assert tries == 13
    assert one(database, HookDelivery).state == "unmatched"
    assert rows(database, Signal) == []


def test_another_account_s_parcel_is_not_this_one_s(database: Database) -> None:
    follow(database, CODE)
    with database.begin_write() as connection:
        connection.execute(update(table(ShipmentPoll)).values(carrier="flecha-dois"))
    push(database, PUSH, NOW)
    read(database, NOW)
    assert rows(database, Event) == []


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"<html>", "unreadable push: JSONDecodeError", id="no JSON"),
        pytest.param(b'{"itens": [{"numero": 5}]}', "the adapter failed on it (KeyError)", id="the adapter stumbles"),
    ],
)
def test_what_cannot_be_read_is_kept_and_said_once_and_stops_nothing(
    database: Database, payload: bytes, reason: str
) -> None:
    follow(database, CODE)
    push(database, payload, NOW)
    push(database, PUSH, NOW)
    assert read(database, NOW) == 2
    assert len(rows(database, Event)) == 1
    bad = rows(database, HookDelivery)[0]
    assert (bad.state, bad.reason, bad.next_read_at) == ("unreadable", reason, NOW + DAY)
    for day in range(1, 16):
        read(database, NOW + day * DAY)
    assert rows(database, HookDelivery)[0].next_read_at is None
    signals = rows(database, Signal)
    assert [(row.kind, row.raised) for row in signals] == [("hook_unreadable", True), ("hook_unreadable", False)]
    assert re.search(rf"flecha pushed something .*{re.escape(reason)}", signals[0].summary)


def test_a_lane_that_dies_in_the_middle_is_run_again(database: Database) -> None:
    """Its rows are leased and nothing of them is written; the next start frees them."""
    follow(database, CODE)
    push(database, PUSH, NOW)
    with database.begin_write() as connection:
        assert len(take_deliveries(connection, ["flecha"], now=NOW, limit=5, token="dead")) == 1
    assert read(database, NOW) == 0
    with database.begin_write() as connection:
        free_all(connection)
    assert read(database, NOW) == 1
    assert len(rows(database, Event)) == 1
