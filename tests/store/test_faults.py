"""What the database's own errors become, with errors that SQLite itself raised."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.support.schema import prepare
from tracker.errors import DatabaseDamagedError, DatabaseFaultError
from tracker.store import database as database_module
from tracker.store.database import Database
from tracker.store.tables import Decision, table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    prepare(f"sqlite:///{tmp_path / 'tracker.db'}")
    return tmp_path / "tracker.db"


@pytest.fixture
def opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 10)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


def test_a_full_disk(opened: Database, path: Path) -> None:
    with (
        pytest.raises(DatabaseFaultError, match="the disk is full; make room") as caught,
        opened.begin_write() as found,
    ):
        found.execute(text("PRAGMA max_page_count=1"))
        found.execute(text("CREATE TABLE wide AS SELECT randomblob(100000)"))
    assert str(caught.value).startswith(f"{path}: ")
    assert not isinstance(caught.value, DatabaseDamagedError)


def test_a_database_that_cannot_be_written(opened: Database) -> None:
    with pytest.raises(DatabaseFaultError, match="the database cannot be written"), opened.begin_write() as connection:
        connection.execute(text("PRAGMA query_only=ON"))
        connection.execute(text("DELETE FROM orders"))


def test_a_database_that_another_program_holds(opened: Database, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseFaultError, match="another program holds the database"), opened.begin_write():
            pass


def test_a_value_that_is_no_json_any_more(opened: Database, path: Path) -> None:
    with opened.begin_write() as connection:
        connection.execute(
            text(
                "INSERT INTO decisions (at, shop, subject_kind, subject_id, rule, rule_version, outcome, reason, facts) "
                "VALUES ('2026-11-24 12:00:00', '', 'claim', 1, 'r', '1', 'o', 'w', '{damaged')"
            )
        )
    with pytest.raises(DatabaseDamagedError, match="a value that is no JSON"), opened.begin_read() as connection:
        connection.execute(select(table(Decision).c.facts)).all()


def test_a_fault_of_the_program_stays_one(opened: Database) -> None:
    with pytest.raises(Exception, match="no such table") as caught, opened.begin_read() as connection:
        connection.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(caught.value, DatabaseFaultError)
