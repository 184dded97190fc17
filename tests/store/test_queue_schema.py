"""The job queue's own tables: made, kept at the installed library's version, refused where they fit nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, inspect, text, update

from tests.support.schema import prepare
from tracker.errors import ProgramError, UsageError
from tracker.store import queue_schema
from tracker.store.backup import back_up_into
from tracker.store.database import Database
from tracker.store.migrate import checked, differences
from tracker.store.restore import restore
from tracker.store.tables import EngineQueue, Order, table

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
QUEUE = table(EngineQueue)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    prepare(postgres_url)
    database = Database(postgres_url)
    yield database
    database.close()


def test_it_is_made_once_and_is_current_then(database: Database) -> None:
    with pytest.raises(UsageError, match=r"no job queue yet.*tracker db upgrade"):
        queue_schema.require_current(database)
    newest = queue_schema.installed()[-1].stem
    assert queue_schema.upgrade(database.url) == (None, newest)
    queue_schema.require_current(database)
    assert queue_schema.upgrade(database.url) == (newest, newest)
    assert checked(database).faults == ()
    with database.begin_read() as connection:
        assert differences(connection) == []


def test_an_older_one_is_brought_on_by_the_library_s_own_steps(database: Database) -> None:
    files = queue_schema.installed()
    before = next(file for file in files if file.name.startswith("03.02.00_50"))
    # As that version left it: every step up to it, from an empty database.
    engine = create_engine(database.url)
    with engine.begin() as connection:
        for file in files[: files.index(before) + 1]:
            connection.connection.driver_connection.execute(file.read_text(encoding="utf-8"))  # type: ignore[union-attr]
        connection.execute(insert(QUEUE), {"id": 1, "version": before.stem})
    engine.dispose()
    with pytest.raises(UsageError, match=r"older than the installed procrastinate .*03\.02\.00.*tracker db upgrade"):
        queue_schema.require_current(database)
    assert queue_schema.upgrade(database.url) == (before.stem, files[-1].stem)
    queue_schema.require_current(database)
    with database.begin_read() as connection:
        functions = connection.execute(text("SELECT proname FROM pg_proc WHERE starts_with(proname, 'procrastinate_')"))
        assert "procrastinate_retry_job_v2" in set(functions.scalars())


def test_a_newer_one_is_refused_and_not_touched(database: Database) -> None:
    queue_schema.upgrade(database.url)
    with database.begin_write() as connection:
        connection.execute(update(QUEUE).values(version="99.00.00_01_to_come"))
    for refuse in (lambda: queue_schema.require_current(database), lambda: queue_schema.upgrade(database.url)):
        with pytest.raises(UsageError, match=r"newer than the installed procrastinate .*99\.00\.00"):
            refuse()


def test_tables_of_somebody_else_are_left_alone(database: Database) -> None:
    with database.begin_write() as connection:
        connection.execute(text("CREATE TABLE procrastinate_jobs (id bigint)"))
    with pytest.raises(ProgramError, match="did not make; give it a database of its own"):
        queue_schema.upgrade(database.url)


def test_a_library_that_is_not_here_is_asked_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_schema, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"not installed \(pip install \"shipment-tracker\[procrastinate\]\"\)"):
        queue_schema.require_current(database)


@pytest.mark.usefixtures("postgres_tools")
def test_a_backup_with_the_queue_is_put_back_whole(database: Database, tmp_path: Path) -> None:
    queue_schema.upgrade(database.url)
    order = {"shop": "s", "source": "file", "number": "1", "status": "paid", "created_at": NOW, "updated_at": NOW}
    with database.begin_write() as connection:
        connection.execute(insert(table(Order)), order)
    made = back_up_into(database.url, tmp_path, NOW, keep=3, watch=lambda _share: None)
    with database.begin_write() as connection:
        connection.execute(table(Order).delete())
    database.close()
    restore(database.url, made.path, now=NOW, who="test", watch=lambda _share: None)
    after = Database(database.url)
    queue_schema.require_current(after)
    with after.begin_read() as connection:
        assert connection.execute(text("SELECT number FROM orders")).scalars().all() == ["1"]
        assert inspect(connection).has_table("procrastinate_workers")
    after.close()
