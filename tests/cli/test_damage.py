"""A database file that cannot be worked with: one sentence with its name and what to do, from every command, and exit 1."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Tracker, write_config
from tests.reports.support import add_order, order
from tests.support.damage import blank_table, mix_up_indexes
from tests.support.schema import prepare
from tracker.cli.main import app
from tracker.store.database import Database

COMMANDS = (
    ["db", "check"],
    ["db", "upgrade"],
    ["run", "--once"],
    ["run"],
    ["show", "10482"],
    ["explain", "P1"],
    ["problems"],
    ["export", "shipments"],
)


@pytest.fixture
def file(tmp_path: Path, configured: Callable[[str, str | None], Tracker]) -> Path:
    """A database with some orders in it, all of it in its one file."""
    path = tmp_path / "data" / "tracker.db"
    url = f"sqlite:///{path}"
    prepare(url)
    database = Database(url)
    with database.begin_write() as connection:
        for number in range(60):
            add_order(connection, order(f"n{number}"), f"AA{number:09}BR")
    database.close()
    configured(url, None)
    return path


@pytest.fixture
def tracker(file: Path, tmp_path: Path) -> Tracker:
    return Tracker(app, write_config(tmp_path, f"sqlite:///{file}", None))


def spoil_the_middle(path: Path) -> None:
    third = path.stat().st_size // 3
    with path.open("r+b") as file:
        file.seek(third)
        file.write(random.Random(7).randbytes(third))


def cut_off(path: Path) -> None:
    os.truncate(path, 50_000)


def no_database(path: Path) -> None:
    path.write_text("orders;customers\n" * 500)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        pytest.param(spoil_the_middle, "the database file is damaged (", id="random bytes in the middle"),
        pytest.param(cut_off, "the database file is damaged (", id="cut off"),
        pytest.param(no_database, "the database file is damaged (file is not a database)", id="no database"),
        pytest.param(empty, "the database file is empty (0 bytes)", id="empty"),
        pytest.param(a_folder, "a folder lies where the database file should be", id="a folder"),
    ],
)
def test_a_spoilt_file(
    tracker: Tracker, file: Path, spoil: Callable[[Path], None], found: str, words: list[str]
) -> None:
    spoil(file)
    before = file.read_bytes() if file.is_file() else None
    result = tracker(*words)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    *others, sentence = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert sentence.startswith(f"{file}: {found}")
    assert "docs/operators.md, Backups" in sentence
    assert all(line.startswith("integrity: ") for line in others) and (not others or words == ["db", "check"])
    # What may still be rescued from it stays as it is.
    assert before is None or file.read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "first"),
    [
        pytest.param(mix_up_indexes, "integrity: ", id="damage that the check can describe"),
        pytest.param(blank_table, "integrity: table orders is damaged", id="damage that ends the check"),
    ],
)
def test_a_check_lists_what_it_finds_and_not_more_than_one_can_read(
    tracker: Tracker, file: Path, spoil: Callable[[Path, str], None], first: str
) -> None:
    spoil(file, "orders")
    document = json.loads(tracker("db", "check", "--json").stdout)
    assert document["ok"] is False
    *found, sentence = document["faults"]
    assert 1 <= len(found) <= 20 and found[0].startswith(first)
    assert all(line.startswith("integrity: ") for line in found)
    assert sentence.startswith(f"{file}: the database file is damaged")


def test_the_newest_backup_beside_it_is_named(tracker: Tracker, file: Path) -> None:
    empty(file)
    assert "none lies beside it" in tracker("problems").stderr
    for age, name in enumerate(("tracker.db.2026-11-27.bak", "tracker.db.before-0002.bak")):
        (file.parent / name).touch()
        os.utime(file.parent / name, (1_800_000_000 - age, 1_800_000_000 - age))
    assert "beside it lies tracker.db.2026-11-27.bak" in tracker("problems").stderr
    newer = file.parent.parent / "backups" / "tracker.db.2026-11-28T063000Z.bak"
    newer.parent.mkdir()
    newer.touch()
    os.utime(newer, (1_900_000_000, 1_900_000_000))
    assert f"tracker db restore FILE (the newest is {newer})" in tracker("problems").stderr


def test_a_value_that_is_no_text_any_more(tracker: Tracker, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE orders SET number = CAST(X'4d61726961ff' AS TEXT) WHERE id = 1")
    result = tracker("export", "shipments")
    assert result.exit_code == 1
    assert "the database file is damaged (text that is no text)" in result.stderr
    assert "Maria" not in result.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_file_that_may_not_be_read(tracker: Tracker, file: Path, words: list[str]) -> None:
    file.chmod(0)
    result = tracker(*words)
    assert result.exit_code == 1
    sentence = [line for line in result.stderr.splitlines() if not line.startswith("{")][-1]
    assert sentence.startswith(f"{file}: the database file cannot be opened")


def test_a_folder_that_cannot_be_made(tmp_path: Path, configured: Callable[[str, str | None], Tracker]) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    path = tmp_path / "data" / "deep" / "tracker.db"
    configured("sqlite:///x.db", None)
    tracker = Tracker(app, write_config(tmp_path, f"sqlite:///{path}", None))
    for words in (["run", "--once"], ["db", "upgrade"]):
        result = tracker(*words)
        assert result.exit_code == 1, result.output
        assert str(path.parent) in result.stderr and "Traceback" not in result.stderr
