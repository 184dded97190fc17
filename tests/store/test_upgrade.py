"""A database that a shop has worked with comes through an upgrade with every row, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, create_engine, insert, select

from tracker.store.database import Database, _normalised
from tracker.store.migrate import _config, differences, integrity_faults, upgrade

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
ORDER = {
    "id": 1,
    "shop": "s",
    "source": "file",
    "number": "1",
    "status": "shipped",
    "created_at": NOW,
    "updated_at": NOW,
}
SHIPMENT = {"id": 1, "order_id": 1, "shop": "s", "carrier": "correios", "direction": "outbound", "created_at": NOW}
EVENT = {
    "id": 1,
    "shipment_id": 1,
    "event_key": "k",
    "occurred_at": NOW,
    "seen_at": NOW,
    "carrier_code": "OFF-01",
    "status": "unknown",
    "description": "Pode levar mais tempo",
    **dict.fromkeys(("final", "attempt", "reversal", "indemnified", "void"), False),
}
POLL = {"shipment_id": 1, "carrier": "correios", "next_poll_at": NOW, "failures": 0, "outcome": "found"}
FILLED: dict[str, dict[str, Any]] = {
    "orders": ORDER,
    "shipments": SHIPMENT,
    "events": EVENT,
    "shipment_polls": POLL,
    "due_dates": {"shipment_id": 1, "source": "tracking", "seq": 1, "due_on": date(2026, 11, 9), "seen_at": NOW},
    "carrier_states": {"carrier": "correios", "family": "tracking", "failures": 2},
}


@pytest.fixture
def old_url(database_url: str) -> Iterator[str]:
    """A database of the first release, with a row in each table that has changed since, or hangs on one."""
    engine = create_engine(_normalised(database_url))
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        _fill(connection)
    engine.dispose()
    yield database_url


def _fill(connection: Connection) -> None:
    old = MetaData()
    old.reflect(connection)
    for name, row in FILLED.items():
        values = row
        if connection.dialect.name == "sqlite":  # reflected there, an instant is a plain text
            values = {k: v.replace(tzinfo=None) if isinstance(v, datetime) else v for k, v in row.items()}
        connection.execute(insert(old.tables[name]), values)


def test_an_old_database_keeps_every_row(old_url: str) -> None:
    upgrade(old_url)
    database = Database(old_url)
    with database.begin_write() as connection:
        assert differences(connection) == []
        new = MetaData()
        new.reflect(connection)
        for name, row in FILLED.items():
            kept = dict(connection.execute(select(new.tables[name])).mappings().one())
            same = {key: value for key, value in row.items() if not isinstance(value, datetime)}
            assert {key: kept[key] for key in same} == same, name
    assert integrity_faults(database) == []
    database.close()
