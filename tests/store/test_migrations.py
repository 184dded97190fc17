"""Migrations and models agree on both databases, and no database is ever harmed by a program of another age."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, insert, select, text

from tracker.store.database import Database
from tracker.store.migrate import (
    MIGRATIONS,
    SchemaError,
    differences,
    head,
    integrity_faults,
    require_current,
    revision_of,
    upgrade,
)
from tracker.store.tables import Claim, Order, table

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


def test_a_filled_database_of_the_first_release_keeps_its_claims(database_url: str) -> None:
    """Claims get the columns of their second life; indexes on what is not filed yet hold what stands there."""
    at_revision(database_url, "0001")
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        old = MetaData()
        old.reflect(connection)
        for name, values in FILLED.items():
            connection.execute(insert(old.tables[name]), values)
    engine.dispose()
    assert upgrade(database_url) == ("0001", head())
    database = Database(database_url)
    with database.begin_read() as connection:
        assert differences(connection) == []
        row = connection.execute(select(table(Claim))).mappings().one()
    database.close()
    assert (row["protocol"], row["adopted"], row["reopened_at"], row["escalated_at"]) == (
        "210000001",
        False,
        None,
        None,
    )


FILLED: dict[str, dict[str, object]] = {
    "orders": {"id": 1, "shop": "s", "source": "file", "number": "1", "status": "paid", "created_at": NOW, "updated_at": NOW},
    "shipments": {"id": 1, "shop": "s", "order_id": 1, "carrier": "c", "direction": "out", "created_at": NOW},
    "tracking_refs": {
        "id": 1, "shipment_id": 1, "adapter": "c", "kind": "code", "value": "AA1", "cycle": 1, "account": "",
        "added_at": NOW, "active": True,
    },
    "claims": {
        "id": 1, "shop": "s", "shipment_id": 1, "tracking_ref_id": 1, "carrier": "c", "kind": "refund", "motive": "211",
        "state": "open", "protocol": "210000001", "planned_at": NOW, "claimable_from": NOW.date(), "version": 1,
    },
    "claim_steps": {
        "id": 1, "claim_id": 1, "seq": 1, "action": "open", "state": "done", "motive": "211", "kind": "refund",
        "intended_at": NOW, "facts": {},
    },
}  # fmt: skip


def at_revision(url: str, revision: str) -> None:
    """A database as an older program left it."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
