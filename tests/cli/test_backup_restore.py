"""`tracker db backup` and `db restore` as they are typed: what they do, and what they refuse in one sentence."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from tests.cli.conftest import Tracker, write_config
from tests.reports.support import NOW, add_order, order
from tests.support.damage import blank_table
from tracker.cli.main import app
from tracker.engine.lock import EngineLock
from tracker.store.database import Database
from tracker.store.migrate import _config, upgrade
from tracker.store.restore import finish, mark_restored
from tracker.store.schema import head

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path, configured: Callable[[str, str | None], Tracker]) -> Path:
    path = tmp_path / "data" / "tracker.db"
    upgrade(f"sqlite:///{path}")
    put(path, "first")
    configured(f"sqlite:///{path}", None)
    return path


@pytest.fixture
def tracker(file: Path, tmp_path: Path) -> Tracker:
    return Tracker(app, write_config(tmp_path, f"sqlite:///{file}", None))


def put(path: Path, number: str) -> None:
    database = Database(f"sqlite:///{path}")
    with database.begin_write() as connection:
        add_order(connection, order(number))
    database.close()


def orders(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM orders ORDER BY id")]


def said(tracker: Tracker, *words: str, code: int = 0) -> str:
    result = tracker("db", *words)
    assert result.exit_code == code, result.output
    return result.output


def test_a_copy_goes_into_the_configured_folder_and_comes_back(tracker: Tracker, file: Path, tmp_path: Path) -> None:
    made = f"{tmp_path}/backups/tracker.db.{NOW:%Y-%m-%dT%H%M%SZ}.bak"
    assert f"{made}: a whole copy, checked" in said(tracker, "backup")
    put(file, "second")
    told = said(tracker, "restore", made)
    kept = next(file.parent.glob("tracker.db.replaced.*"))
    assert f"what stood there is kept as {kept}" in told
    assert (orders(file), orders(kept), orders(Path(made))) == (["first"], ["first", "second"], ["first"])
    assert file.stat().st_mode & 0o077 == 0
    assert "whole" in said(tracker, "check")
    assert {path.name for path in file.parent.iterdir()} == {"tracker.db", "tracker.db.lock", kept.name}


def test_a_second_restore_keeps_what_the_first_one_kept(tracker: Tracker, file: Path, tmp_path: Path) -> None:
    said(tracker, "backup", str(tmp_path / "copy"))
    for number in ("second", "third"):
        put(file, number)
        said(tracker, "restore", str(tmp_path / "copy"))
    kept = sorted(orders(path) for path in file.parent.glob("tracker.db.replaced.*"))
    assert kept == [["first", "second"], ["first", "third"]]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda file: blank_table(file, "orders"), id="a damaged page"),
        pytest.param(lambda file: file.write_bytes(b"no database" * 1000), id="no database at all"),
        pytest.param(lambda file: os.truncate(file, 0), id="an empty file"),
        pytest.param(lambda file: file.unlink(), id="no file"),
        pytest.param(
            lambda file: file.with_name("tracker.db-wal").write_bytes(b"x" * 5000), id="a spoilt log beside it"
        ),
    ],
)
def test_whatever_lies_in_its_place_a_copy_replaces_it(
    tracker: Tracker, file: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    said(tracker, "backup", str(tmp_path / "copy"))
    spoil(file)
    said(tracker, "restore", str(tmp_path / "copy"))
    assert orders(file) == ["first"]
    assert "whole" in said(tracker, "check")


def older(path: Path) -> None:
    path.unlink()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def test_an_older_copy_is_upgraded(tracker: Tracker, file: Path, tmp_path: Path) -> None:
    said(tracker, "backup", str(tmp_path / "copy"))
    older(tmp_path / "copy")
    assert f"upgraded from revision 0001 to {head()}" in said(tracker, "restore", str(tmp_path / "copy"))
    assert "whole" in said(tracker, "check")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        pytest.param(lambda path: path.unlink(), "there is no such file", id="missing"),
        pytest.param(lambda path: os.truncate(path, 0), "is empty, as a broken copy leaves it", id="empty"),
        pytest.param(
            lambda path: os.truncate(path, 9000), "is no usable copy of this program's database", id="cut off"
        ),
        pytest.param(
            lambda path: blank_table(path, "orders"), "is no usable copy of this program's database", id="damaged"
        ),
        pytest.param(lambda path: path.write_text("orders;" * 900), "file is not a database", id="a text"),
        pytest.param(newer, "is newer than this program (revision 9999)", id="newer"),
    ],
)
def test_what_is_no_copy_is_refused_and_nothing_is_touched(
    tracker: Tracker, file: Path, tmp_path: Path, spoil: Callable[[Path], None], found: str
) -> None:
    copy = tmp_path / "copy"
    said(tracker, "backup", str(copy))
    spoil(copy)
    before = file.read_bytes()
    told = said(tracker, "restore", str(copy), code=2)
    assert f"{copy}: " in told and found in told
    assert file.read_bytes() == before
    assert {path.name for path in file.parent.iterdir()} - {"tracker.db-shm", "tracker.db-wal"} == {
        "tracker.db",
        "tracker.db.lock",
    }


def test_the_database_is_no_copy_of_itself(tracker: Tracker, file: Path) -> None:
    assert "is the database itself" in said(tracker, "restore", str(file), code=2)


def test_a_running_engine_is_not_robbed_of_its_database(tracker: Tracker, file: Path, tmp_path: Path) -> None:
    said(tracker, "backup", str(tmp_path / "copy"))
    put(file, "second")
    with EngineLock(f"sqlite:///{file}"):
        told = said(tracker, "restore", str(tmp_path / "copy"), code=2)
    assert f"another engine already works on this database: process {os.getpid()}" in told
    assert orders(file) == ["first", "second"]


def test_another_program_that_holds_it_is_named(tracker: Tracker, file: Path, tmp_path: Path) -> None:
    said(tracker, "backup", str(tmp_path / "copy"))
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM orders").fetchall()
        assert "another program holds the database; close it" in said(
            tracker, "restore", str(tmp_path / "copy"), code=1
        )


_DIES_AT = """
import os, signal, sys
from pathlib import Path
from tracker.store import restore, restoring, backup
name, where = sys.argv[1].split(":")
module = {"restore": restore}[name]
real = getattr(module, where)
def dying(*given, **named):
    if sys.argv[2] == "after":
        real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, where, dying)
from tracker.cli.main import app
app(["db", "restore", *sys.argv[3:]])
"""


@pytest.mark.parametrize(
    ("where", "when", "now_there"),
    [
        pytest.param("_take_in", "after", ["first", "second"], id="the copy is half taken in"),
        pytest.param("finish", "before", ["first", "second"], id="upgraded and not yet held back"),
        pytest.param("_put_to_rest", "after", ["first", "second"], id="the old one stands in one file"),
        pytest.param("_swap", "after", ["first"], id="the new one is in its place"),
    ],
)
def test_a_restore_that_is_killed_leaves_one_whole_database(
    tracker: Tracker, file: Path, tmp_path: Path, where: str, when: str, now_there: list[str]
) -> None:
    said(tracker, "backup", str(tmp_path / "copy"))
    put(file, "second")
    words = [f"restore:{where}", when, str(tmp_path / "copy"), "-c", str(tracker.config)]
    killed = subprocess.run(
        [sys.executable, "-c", _DIES_AT, *words], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert orders(file) == now_there
    assert "whole" in said(tracker, "check")
    said(tracker, "restore", str(tmp_path / "copy"))
    assert orders(file) == ["first"]


@pytest.mark.usefixtures("postgres_tools")
def test_a_dump_of_an_older_schema_comes_back_on_postgresql(
    postgres_url: str, tmp_path: Path, configured: Callable[[str, str | None], Tracker]
) -> None:
    configured(postgres_url, None)
    tracker = Tracker(app, write_config(tmp_path, postgres_url, None))
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    said(tracker, "backup", str(tmp_path / "old.dump"))
    upgrade(postgres_url)
    database = Database(postgres_url)
    with database.begin_write() as connection:
        add_order(connection, order("since"), "AA000000001BR")
    told = said(tracker, "restore", str(tmp_path / "old.dump"))
    assert f"upgraded from revision 0001 to {head()}" in told
    (kept,) = tmp_path.glob("*.replaced")
    with database.begin_read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM orders").scalar_one() == 0
    assert f"kept as {kept}" in told and "whole" in said(tracker, "check")
    said(tracker, "restore", str(kept))
    with database.begin_read() as connection:
        assert connection.exec_driver_sql("SELECT number FROM orders").scalars().all() == ["since"]
    (tmp_path / "broken.dump").write_bytes((tmp_path / "old.dump").read_bytes()[:-3000])
    broken = said(tracker, "restore", str(tmp_path / "broken.dump"), code=1)
    assert f"{tmp_path / 'broken.dump'}: cannot be read as a dump (pg_restore failed: " in broken
    with database.begin_read() as connection:
        assert connection.exec_driver_sql("SELECT number FROM orders").scalars().all() == ["since"]
    database.close()
    engine.dispose()


def test_a_restore_that_was_cut_off_is_finished_at_the_next_start(database_url: str) -> None:
    upgrade(database_url)
    assert finish(database_url, now=NOW, who="fulana") is None
    mark_restored(database_url)
    assert finish(database_url, now=NOW, who="fulana") is not None
    assert finish(database_url, now=NOW, who="fulana") is None


def test_what_the_two_commands_need_named(tracker: Tracker, tmp_path: Path) -> None:
    assert "name one copy" in said(tracker, "restore", code=2)
    assert "goes together with a folder" in said(tracker, "backup", str(tmp_path / "copy"), "--keep", "3", code=2)


def test_a_database_put_back_by_other_means_is_held_in_place(tracker: Tracker) -> None:
    assert "taken for restored" in said(tracker, "restore", "--in-place")
