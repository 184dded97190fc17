"""Many rows written at once are, value by value, what SQLAlchemy would have written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update

from tracker.store.database import Database, insert_new, upsert
from tracker.store.many import execute_many
from tracker.store.migrate import upgrade
from tracker.store.tables import Decision, Event, Order, RawAnswer, Shipment, ShipmentCheck, table
from tracker.store.wake import wake

NOW = datetime(2026, 11, 24, 12, 0, 0, 120, tzinfo=UTC)
_ORDERS, _SHIPMENTS, _CHECKS, _EVENTS = table(Order), table(Shipment), table(ShipmentCheck), table(Event)
_RAW, _DECISIONS = table(RawAnswer), table(Decision)
PAULISTA = timezone(timedelta(hours=-3))


@pytest.fixture
def shipments(database: Database) -> list[int]:
    """The ids of three shipments of one order."""
    with database.begin_write() as connection:
        order = {"shop": "exemplo", "source": "file", "status": "shipped", "created_at": NOW, "updated_at": NOW}
        connection.execute(insert(_ORDERS), [{"id": 1, "number": "1", **order}])
        common = {"order_id": 1, "shop": "exemplo", "carrier": "correios", "direction": "outbound", "created_at": NOW}
        connection.execute(insert(_SHIPMENTS), [{"id": number, **common} for number in (1, 2, 3)])
    return [1, 2, 3]


def event(shipment_id: int, key: str, **more: Any) -> dict[str, Any]:
    row = {
        "shipment_id": shipment_id,
        "event_key": key,
        "occurred_at": NOW.astimezone(PAULISTA),
        "seen_at": NOW + timedelta(microseconds=5),
        "carrier_code": "BDE-01",
        "status": "delivered",
        "description": 'Ação "1"\n\\u0041 \U0001f4e6',
        "pickup_until": date(2026, 12, 1),
        "final": True,
        "attempt": False,
    }
    return row | more


def test_every_kind_of_value_is_kept_as_it_was_given(database: Database, shipments: list[int]) -> None:
    with database.begin_write() as connection:
        new = insert_new(connection, _EVENTS, [event(1, "a"), event(2, "b", pickup_until=None)], _EVENTS.c.id)
        columns = (_EVENTS.c[name] for name in event(1, "a"))
        found = connection.execute(select(*columns).order_by(_EVENTS.c.id)).mappings().all()
    assert len(new) == 2
    assert [dict(row) for row in found] == [
        event(1, "a", occurred_at=NOW),
        event(2, "b", occurred_at=NOW, pickup_until=None),
    ]


def test_bytes_and_json_are_kept_too(database: Database) -> None:
    raw = {"subject_kind": "shipment", "subject_id": 7, "digest": "d", "body": b"\x00\xff", "seen_at": NOW}
    note = {"at": NOW, "shop": "", "subject_kind": "order", "subject_id": 1, "rule": "r", "rule_version": 1}
    note |= {"outcome": "o", "reason": "", "facts": {"é": [1, None, True]}}
    with database.begin_write() as connection:
        assert len(insert_new(connection, _RAW, [raw], _RAW.c.id)) == 1
        insert_new(connection, _RAW, [raw, raw | {"digest": "e"}])
        execute_many(connection, insert(_DECISIONS), [note, note | {"facts": None}])
        assert connection.execute(select(_RAW.c.body).order_by(_RAW.c.id)).scalars().all() == [b"\x00\xff"] * 2
        facts = select(_DECISIONS.c.facts).order_by(_DECISIONS.c.id)
        assert [row[0] for row in connection.execute(facts)] == [note["facts"], None]


def test_a_text_with_the_character_zero_is_kept_whole(sqlite_url: str) -> None:
    upgrade(sqlite_url)
    order = {"shop": "exemplo", "source": "file", "number": "a\x00b\\u0000c", "status": "shipped"}
    database = Database(sqlite_url)
    with database.begin_write() as connection:
        told = insert_new(connection, _ORDERS, [order | {"created_at": NOW, "updated_at": NOW}], _ORDERS.c.number)
        assert [tuple(row) for row in told] == [(order["number"],)]
        assert connection.execute(select(_ORDERS.c.number)).scalars().all() == [order["number"]]
    database.close()


def test_only_what_is_new_is_told(database: Database, shipments: list[int]) -> None:
    asked = (_EVENTS.c.shipment_id, _EVENTS.c.event_key)
    with database.begin_write() as connection:
        assert insert_new(connection, _EVENTS, [event(1, "a"), event(1, "a")], *asked) == [(1, "a")]
        again = insert_new(connection, _EVENTS, [event(1, "a"), event(2, "a"), event(1, "b")], *asked)
    assert sorted(tuple(row) for row in again) == [(1, "b"), (2, "a")]


def test_what_the_program_fills_in_by_itself_is_filled_in(database: Database, shipments: list[int]) -> None:
    rows = [{name: value for name, value in event(1, "a").items() if name not in {"final", "attempt"}}]
    with database.begin_write() as connection:
        insert_new(connection, _EVENTS, rows, _EVENTS.c.id)
        insert_new(connection, _EVENTS, [row | {"event_key": "b"} for row in rows])
        flags = connection.execute(select(_EVENTS.c.final, _EVENTS.c.attempt, _EVENTS.c.void)).all()
    assert [tuple(row) for row in flags] == [(False, False, False)] * 2


def test_a_row_that_stands_is_changed_where_it_is_told(database: Database, shipments: list[int]) -> None:
    with database.begin_write() as connection:
        for at in (NOW, NOW + timedelta(days=1)):
            rows = [{"shipment_id": key, "next_check_at": at} for key in shipments]
            upsert(connection, _CHECKS, rows, ["shipment_id"], ["next_check_at"])
        found = connection.execute(select(_CHECKS.c.next_check_at)).scalars().all()
    assert found == [NOW + timedelta(days=1)] * 3


def test_the_same_value_is_given_to_each_of_many(database: Database, shipments: list[int]) -> None:
    with database.begin_write() as connection:
        wake(connection, "detection", [], NOW)
        wake(connection, "detection", [3, 1, 3], NOW)
        connection.execute(update(_CHECKS).values(lease_token="x"))
        wake(connection, "detection", iter([1, 2]), (NOW + timedelta(days=1)).astimezone(PAULISTA))
        columns = (_CHECKS.c.shipment_id, _CHECKS.c.next_check_at, _CHECKS.c.lease_token)
        found = connection.execute(select(*columns).order_by(_CHECKS.c.shipment_id)).all()
    assert [tuple(row) for row in found] == [
        (1, NOW + timedelta(days=1), "x"),
        (2, NOW + timedelta(days=1), None),
        (3, NOW, "x"),
    ]


def test_an_update_keeps_the_values_it_was_built_with(database: Database, shipments: list[int]) -> None:
    due: Any = bindparam("b_due")
    statement = (
        update(_CHECKS)
        .where(_CHECKS.c.shipment_id == bindparam("b_key"))
        .values(next_check_at=due, lease_token=None, lease_until=NOW)
    )
    with database.begin_write() as connection:
        rows = [{"shipment_id": key, "next_check_at": None, "lease_token": "x"} for key in shipments]
        upsert(connection, _CHECKS, rows, ["shipment_id"], ["next_check_at"])
        execute_many(connection, statement, [{"b_key": 1, "b_due": NOW}, {"b_key": 3, "b_due": None}])
        columns = (_CHECKS.c.next_check_at, _CHECKS.c.lease_token, _CHECKS.c.lease_until)
        found = connection.execute(select(*columns).order_by(_CHECKS.c.shipment_id)).all()
    assert [tuple(row) for row in found] == [(NOW, None, NOW), (None, "x", None), (None, None, NOW)]


@pytest.mark.parametrize("returning", [(), (_EVENTS.c.id,)], ids=["told nothing", "told what is new"])
def test_an_instant_without_its_zone_is_refused(
    database: Database, shipments: list[int], returning: tuple[Any, ...]
) -> None:
    naive = event(1, "a", seen_at=NOW.replace(tzinfo=None))
    with pytest.raises(Exception, match="zone"), database.begin_write() as connection:
        insert_new(connection, _EVENTS, [event(2, "b"), naive], *returning)
    with database.begin_read() as connection:
        assert connection.execute(select(_EVENTS.c.id)).all() == []
