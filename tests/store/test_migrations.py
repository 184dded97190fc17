"""Migrations and models agree on both databases, and no database is ever harmed by a program of another age."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from tracker.store.database import Database
from tracker.store.migrate import (
    SchemaError,
    differences,
    head,
    integrity_faults,
    require_current,
    revision_of,
    upgrade,
)
from tracker.store.tables import Order, table

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_migrations_and_models_agree(database: Database) -> None:
    with database.begin_write() as connection:
        assert differences(connection) == []
        assert revision_of(connection) == head()
    require_current(database)
    assert integrity_faults(database) == []


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url) == (None, head())
    assert upgrade(database_url) == (head(), head())


def test_a_newer_database_is_refused(database: Database, database_url: str) -> None:
    with database.begin_write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="newer than this program"):
        require_current(database)
    with pytest.raises(SchemaError, match="newer than this program"):
        upgrade(database_url)


def test_an_empty_database_is_not_taken_for_a_good_one(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(SchemaError, match="db upgrade"):
        require_current(database)
    database.close()


def test_the_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'deep' / 'tracker.db'}")
    assert (tmp_path / "deep" / "tracker.db").stat().st_mode & 0o077 == 0


def test_instants_come_back_aware_and_in_utc(database: Database) -> None:
    orders = table(Order)
    row = {"shop": "s", "source": "file", "number": "1", "status": "paid", "created_at": NOW, "updated_at": NOW}
    with database.begin_write() as connection:
        connection.execute(insert(orders), row)
    with database.begin_read() as connection:
        assert connection.execute(select(orders.c.created_at)).scalar_one() == NOW


def test_a_naive_instant_is_refused(database: Database) -> None:
    row = {
        "shop": "s",
        "source": "file",
        "number": "1",
        "status": "paid",
        "created_at": datetime(2026, 1, 1),
        "updated_at": NOW,
    }
    with pytest.raises(Exception, match="timezone"), database.begin_write() as connection:
        connection.execute(insert(table(Order)), row)
