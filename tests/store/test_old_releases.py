"""A shop's database of any earlier release comes through the upgrade with every row, and the program starts on it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import write_config
from tests.store.old_releases import build, revisions, rows_of
from tracker.cli.main import app
from tracker.store.backup import integrity
from tracker.store.database import Database
from tracker.store.migrate import differences, head, integrity_faults, upgrade

ROOT = Path(__file__).parents[2]
DELIBERATE: Final[dict[str, set[str]]] = {
    "shipment_polls": {"digest", "next_poll_at"},
    "shipment_checks": {"next_check_at"},
    "order_checks": {"next_check_at"},
}
"""What a revision sets anew on purpose, so that the new program looks again."""
GIVEN_UP: Final[dict[str, set[str]]] = {"alert_deliveries": {"attempts", "lease_token", "lease_until"}}
"""Columns that a revision moves to the rows of another table, or has no more use for."""
MADE_BY_UPGRADE: Final = {"order_checks"}
"""Tables into which a revision puts rows of its own."""


@pytest.mark.parametrize("revision", revisions())
def test_every_row_comes_through(database_url: str, revision: str) -> None:
    old = build(database_url, revision)
    assert all(len(rows) == 2 for rows in old.values()), "a table without rows proves nothing"
    assert upgrade(database_url) == (revision, head())
    database = Database(database_url)
    with database.begin_write() as connection:
        assert differences(connection) == []
        new = rows_of(connection)
    for name, rows in old.items():
        assert len(new[name]) == len(rows) or name in MADE_BY_UPGRADE, name
        for before, after in zip(rows, new[name], strict=False):
            changed = {key for key, value in before.items() if key in after and after[key] != value}
            assert changed <= DELIBERATE.get(name, set()), (name, {key: (before[key], after[key]) for key in changed})
            assert set(before) - set(after) <= GIVEN_UP.get(name, set()), f"{name} lost a column"
    assert integrity_faults(database) == []
    database.close()


@pytest.mark.parametrize("revision", [revisions()[0], revisions()[-1]])
def test_the_program_starts_on_it(tmp_path: Path, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKER_CLOCK_FILE", raising=False)
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    build(url, revision)
    for words in (["problems"], ["run", "--once"], ["messages"], ["claims"]):
        result = CliRunner().invoke(app, [*words, "-c", str(write_config(tmp_path, url, "2026-11-01"))])
        if words == ["problems"]:
            assert (result.exit_code, "run: tracker db upgrade" in result.stderr) == (2, True)
        else:
            assert result.exit_code == 0, (words, result.output)
    assert (tmp_path / f"tracker.db.before-{head()}.bak").exists()


@pytest.mark.parametrize(
    "words", [["run", "--once"], ["run"], ["db", "upgrade"], ["db", "check"], ["problems"]], ids=" ".join
)
def test_a_newer_database_is_refused_in_a_sentence(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "tracker.db"
    upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    config = write_config(tmp_path, f"sqlite:///{path}", None)
    result = CliRunner().invoke(app, [*words, "-c", str(config)])
    assert result.exit_code == 2, result.output
    assert "the database is newer than this program (revision 9999); install the newer program" in result.stderr


_DIES = """
import os, signal, sys
from alembic import command
from tracker.store import backup, migrate
where = sys.argv[1]
real = {"copying": backup.close_as_copy, "upgrading": command.upgrade}[where]
def dying(*given, **named):
    real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
if where == "copying":
    backup.close_as_copy = dying
else:
    command.upgrade = dying
migrate.upgrade(sys.argv[2])
"""


@pytest.mark.parametrize("where", ["copying", "upgrading"])
def test_an_upgrade_that_is_killed_begins_again_clean(tmp_path: Path, where: str) -> None:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    old = build(url, "0001")
    killed = subprocess.run(
        [sys.executable, "-c", _DIES, where, url], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert _rows(url) == old
    copy = tmp_path / f"tracker.db.before-{head()}.bak"
    assert copy.exists() is (where == "upgrading")
    assert upgrade(url) == ("0001", head())
    assert integrity(copy) == [] and copy.stat().st_mode & 0o077 == 0
    assert _rows(f"sqlite:///{copy}") == old
    assert not [path.name for path in tmp_path.iterdir() if ".part" in path.name]
    database = Database(url)
    assert integrity_faults(database) == []
    database.close()


def _rows(url: str) -> dict[str, list[dict[str, Any]]]:
    database = Database(url)
    try:
        with database.begin_read() as connection:
            return rows_of(connection)
    finally:
        database.close()
