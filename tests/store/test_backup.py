"""A copy made while others write: of one instant, whole, its owner's alone; and nothing under its name before that."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.reports.support import add_order, order
from tests.support.damage import blank_table
from tests.support.schema import prepare
from tracker.backups import BackupSweep
from tracker.errors import DatabaseDamagedError, ProgramError
from tracker.store.alerts import new_signals
from tracker.store.backup import BackupError, back_up, back_up_into, copies_in, name_of
from tracker.store.database import Database
from tracker.store.pg_tools import contents
from tracker.store.restore import is_put_back, restore
from tracker.store.tables import Order, table

NOW = datetime(2026, 11, 28, 6, 30, tzinfo=UTC)


class Writer:
    """Writes orders in pairs, one transaction a pair, until it is told to stop."""

    def __init__(self, database: Database) -> None:
        self.database, self.pairs = database, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            with self.database.begin_write() as connection:
                for half in "ab":
                    add_order(connection, order(f"{self.pairs:06}{half}"))
            self.pairs += 1

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def numbers(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [row[0] for row in copy.execute("SELECT number FROM orders ORDER BY number")]


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_url: str) -> Iterator[Database]:
    prepare(sqlite_url)
    database = Database(sqlite_url)
    yield database
    database.close()


def test_a_copy_beside_a_busy_writer_is_of_one_instant_and_holds_nobody_up(sqlite: Database, tmp_path: Path) -> None:
    with sqlite.begin_write() as connection:
        for number in range(3000):
            add_order(connection, order(f"old{number}"))
    seen: list[float] = []
    during: list[int] = []

    def watch(share: float) -> None:
        seen.append(share)
        wait_for(lambda: writer.pairs > (during[-1] if during else 0))  # it goes on writing between two steps
        during.append(writer.pairs)

    with Writer(sqlite) as writer:
        made = back_up(sqlite.url, tmp_path / "copy.bak", watch)
    assert seen == sorted(seen) and seen[-1] == 1.0
    pairs = [number for number in numbers(made.path) if not number.startswith("old")]
    assert len(pairs) % 2 == 0 and pairs == sorted(f"{n:06}{half}" for n in range(len(pairs) // 2) for half in "ab")
    assert len(pairs) // 2 < writer.pairs
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert made.size == made.path.stat().st_size
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == ["copy.bak"]


def wait_for(is_so: Callable[[], bool]) -> None:
    waiter, deadline_s = threading.Event(), 5.0
    for _ in range(int(deadline_s / 0.001)):
        if is_so():
            return
        waiter.wait(0.001)
    raise AssertionError("it did not come to be")


def test_nothing_is_overwritten(sqlite: Database, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(BackupError, match="stands already"):
        back_up(sqlite.url, tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "mine"


def test_the_newest_are_kept_and_only_copies_of_this_database_go(sqlite: Database, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "backups"
    others = ["tracker.db.before-0009.bak", "other.db.2026-11-20T063000Z.bak", "tracker.db.2026-99-99T063000Z.bak"]
    for days in range(5):
        made = back_up_into(sqlite.url, folder, NOW + timedelta(days=days), keep=3)
        if not days:
            for name in others:
                (folder / name).touch()
    assert [at for at, _ in copies_in(folder, sqlite.url)] == [NOW + timedelta(days=days) for days in (4, 3, 2)]
    assert [path.name for path in made.removed] == [name_of(sqlite.url, NOW + timedelta(days=1))]
    assert all((folder / name).exists() for name in others)


def test_a_clock_that_went_back_costs_the_new_copy_nothing(sqlite: Database, tmp_path: Path) -> None:
    back_up_into(sqlite.url, tmp_path / "b", NOW)
    made = back_up_into(sqlite.url, tmp_path / "b", NOW - timedelta(days=3), keep=1)
    assert [path for _, path in copies_in(tmp_path / "b", sqlite.url)] == [made.path]


def test_a_copy_that_ends_half_way_leaves_nothing_and_the_next_clears_a_dead_ones_rest(
    sqlite: Database, tmp_path: Path
) -> None:
    class Dies(Exception):
        pass

    def die(_share: float) -> None:
        raise Dies

    rest = tmp_path / ".copy.bak.part"
    rest.write_bytes(b"half a copy")
    with pytest.raises(Dies):
        back_up(sqlite.url, tmp_path / "copy.bak", die)
    assert not rest.exists() and not (tmp_path / "copy.bak").exists()
    rest.write_bytes(b"half a copy")
    assert numbers(back_up(sqlite.url, tmp_path / "copy.bak").path) == []
    assert not rest.exists()


def test_a_damaged_database_gives_no_copy(sqlite: Database, tmp_path: Path) -> None:
    with sqlite.begin_write() as connection:
        add_order(connection, order("1"))
    sqlite.close()
    blank_table(tmp_path / "tracker.db", "orders")
    with pytest.raises(DatabaseDamagedError, match=r"tracker\.db: "):
        back_up(sqlite.url, tmp_path / "copy.bak")
    assert not (tmp_path / "copy.bak").exists()


@pytest.mark.parametrize(
    ("target", "found"),
    [
        pytest.param("nowhere/copy.bak", "No such file or directory", id="a folder that is not there"),
        pytest.param("file/copy.bak", "Not a directory", id="a file where a folder should be"),
        pytest.param("x" * 300, "File name too long", id="a name too long"),
    ],
)
def test_a_place_that_cannot_be_written(sqlite: Database, tmp_path: Path, target: str, found: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProgramError, match=found):
        back_up(sqlite.url, tmp_path / target)


@pytest.mark.usefixtures("postgres_tools")
def test_a_postgresql_database_is_dumped(postgres_url: str, tmp_path: Path) -> None:
    prepare(postgres_url)
    made = back_up_into(postgres_url, tmp_path / "backups", NOW, keep=2)
    assert made.path.suffix == ".dump" and stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert "TABLE DATA public orders" in contents(made.path)


@pytest.mark.usefixtures("postgres_tools")
def test_a_dump_that_breaks_off_leaves_the_server_as_it_was(postgres_url: str, tmp_path: Path) -> None:
    prepare(postgres_url)
    database = Database(postgres_url)
    with database.begin_write() as connection:
        add_order(connection, order("1"))
    made = back_up_into(postgres_url, tmp_path, NOW, keep=2)
    whole = made.path.read_bytes()
    made.path.write_bytes(whole[:-100])
    with database.begin_write() as connection:
        add_order(connection, order("2"))
    with pytest.raises(ProgramError, match="the database is as it was"):
        restore(postgres_url, made.path, now=NOW, who="test", watch=lambda _share: None)
    with database.begin_read() as connection:
        assert connection.execute(select(table(Order).c.number).order_by("number")).scalars().all() == ["1", "2"]
        # It is no copy that was put back, and the next start holds nothing for one.
        assert not is_put_back(connection)
    database.close()


def test_a_dump_without_the_tool_says_what_to_install(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError, match="pg_dump is not installed here: install PostgreSQL's client programs"):
        back_up(postgres_url, tmp_path / "copy.dump")
    assert list(tmp_path.iterdir()) == []


# --- the lane ---------------------------------------------------------------------------------------


@pytest.fixture
def sweep(sqlite: Database, tmp_path: Path) -> BackupSweep:
    return BackupSweep(sqlite, tmp_path / "backups", time(3, 30), 2, UTC, lambda: False)


def told(database: Database) -> list[tuple[str, bool]]:
    with database.begin_read() as connection:
        return [(row.kind, row.raised) for row in new_signals(connection, 50)]


@pytest.mark.anyio
async def test_one_a_day_and_at_once_where_the_hour_was_slept_through(sweep: BackupSweep) -> None:
    at = datetime(2026, 11, 28, 3, 29, tzinfo=UTC)
    looks = [at + timedelta(hours=hours) for hours in (0, 0.5, 1, 23.9, 24.1, 24.2, 100)]
    assert [await sweep.run(look) for look in looks] == [1, 1, 0, 0, 1, 0, 1]
    assert len(copies_in(sweep.folder, sweep.database.url)) == 2


@pytest.mark.anyio
async def test_a_failure_is_told_tried_again_and_called_off(sweep: BackupSweep, tmp_path: Path) -> None:
    await sweep.run(NOW)
    told_before = told(sweep.database)
    kept = sweep.folder.rename(tmp_path / "aside")
    sweep.folder.write_text("a file in the folder's place")
    hours = (24, 24.1, 24.3, 50)
    assert [await sweep.run(NOW + timedelta(hours=hour)) for hour in hours] == [0, 0, 0, 0]
    news = told(sweep.database)[len(told_before) :]
    assert news == [("backup_failed", True), ("backup_missing", True)] * 3
    sweep.folder.unlink()
    kept.rename(sweep.folder)
    assert await sweep.run(NOW + timedelta(hours=51)) == 1
    assert told(sweep.database)[-2:] == [("backup_failed", False), ("backup_missing", False)]


@pytest.mark.anyio
async def test_each_machine_has_its_own_alerts_about_its_own_copies(sweep: BackupSweep, tmp_path: Path) -> None:
    here, there = replace(sweep, machine="here", folder=tmp_path / "here"), replace(sweep, machine="there")
    here.folder.write_text("a file in the folder's place")
    assert [await here.run(NOW), await there.run(NOW)] == [0, 1]
    with sweep.database.begin_read() as connection:
        news = [(row.key, row.raised) for row in new_signals(connection, 50)]
        words = [row.summary for row in new_signals(connection, 50) if row.raised]
    # What is well there says nothing of what fails here.
    assert news == [
        ("backup_failed:here", True),
        ("backup_missing:here", True),
        ("backup_failed:there", False),
        ("backup_missing:there", False),
    ]
    assert all(" on here" in one for one in words)


@pytest.mark.anyio
async def test_a_stop_ends_the_copy_and_tells_nobody(sweep: BackupSweep) -> None:
    sweep.stopping = lambda: True
    assert await sweep.run(NOW) == 0
    assert told(sweep.database) == [] and list(sweep.folder.iterdir()) == []
    sweep.stopping = lambda: False
    assert await sweep.run(NOW) == 1


def test_the_copy_holds_what_was_committed(sqlite: Database, tmp_path: Path) -> None:
    with sqlite.begin_write() as connection:
        add_order(connection, order("1"))
    copy = Database(f"sqlite:///{back_up(sqlite.url, tmp_path / 'copy.bak').path}")
    with copy.begin_read() as connection:
        rows: Any = connection.execute(select(table(Order).c.number)).scalars().all()
    copy.close()
    assert rows == ["1"]
