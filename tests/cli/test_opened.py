"""Commands beside the daemon: they never create a database, and say in one sentence why they cannot work."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.cli.conftest import Tracker
from tests.reports.support import CODE, add_order, order
from tracker.store.database import Database, sqlite_path

Configured = Callable[[str, str | None], Tracker]
COMMANDS = (
    ["show", "1"],
    ["explain", "P1"],
    ["problems"],
    ["claims"],
    ["messages"],
    ["approve", "C1"],
    ["reject", "C1"],
    ["release", "--all"],
    ["export", "shipments"],
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_database_is_created(tmp_path: Path, configured: Configured, words: list[str]) -> None:
    result = configured(f"sqlite:///{tmp_path / 'none' / 'tracker.db'}", "2026-11-01")(*words)
    assert result.exit_code == 2
    assert "there is no database" in result.stderr
    assert "tracker db upgrade" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "none").exists()


def test_an_empty_database(database_url: str, configured: Configured) -> None:
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_path(database_url))) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    result = configured(database_url, None)("problems")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "tracker db upgrade" in result.stderr


def test_an_older_or_newer_database(database: Database, tracker: Tracker) -> None:
    with database.begin_write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    result = tracker("export", "claims")
    assert result.exit_code == 2
    assert "newer than this program" in result.stderr


def test_a_file_that_is_no_database(tmp_path: Path, configured: Configured) -> None:
    (tmp_path / "tracker.db").write_text("orders;customers\n" * 500)
    result = configured(f"sqlite:///{tmp_path / 'tracker.db'}", None)("problems")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert f"{tmp_path / 'tracker.db'}: the database file is damaged (file is not a database)" in result.stderr


def test_a_server_that_does_not_answer(configured: Configured) -> None:
    result = configured("postgresql://tracker:geheim@127.0.0.1:9/none", None)("problems")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("postgresql://127.0.0.1/none: the database cannot be reached: ")
    assert "geheim" not in result.output


def test_a_database_that_fails_while_it_is_used(database: Database, tracker: Tracker) -> None:
    with database.begin_write() as connection:
        connection.execute(text("DROP TABLE operator_acts"))
        (shipment,) = add_order(connection, order(), CODE)
    result = tracker("explain", f"S{shipment}")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "operator_acts" in result.stderr


def test_the_commands_are_cheap_to_import() -> None:
    """`tracker --help` imports them all: what takes long must wait until a command runs."""
    code = (
        "import sys, tracker.cli.show, tracker.cli.explain, tracker.cli.lists, tracker.cli.export, tracker.cli.hand,"
        "tracker.cli.carriers;"
        "print(sorted({'pydantic', 'sqlalchemy', 'sqlmodel', 'yaml', 'httpx', 'holidays', 'structlog'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


# --- carriers ---------------------------------------------------------------------------------------


def test_carriers_need_no_database(tmp_path: Path, configured: Configured) -> None:
    tracker = configured(f"sqlite:///{tmp_path / 'tracker.db'}", None)
    document = tracker.json("carriers", "list")
    (correios,) = [one for one in document["adapters"] if one["name"] == "correios"]
    assert (correios["title"], correios["contract_version"]) == ("Correios", 1)
    assert correios["base_url"] == "https://api.correios.com.br"
    assert (correios["confidence"], correios["experimental"]) == ("A", False)
    (account,) = document["accounts"]
    assert (account["id"], account["tracking"]["batch_size"], account["claims"]["mode"]) == ("correios", 50, "propose")
    assert account["tracking"]["source"] and account["claims"]["source"]
    out = tracker("carriers", "list").stdout
    assert "adapter   correios: Correios (contract version 1)" in out
    assert "tracking by code, 50 a call, 5 calls a second" in out
    assert "due dates that tracking does not name" in out
    assert "segredo" not in out
    assert not (tmp_path / "tracker.db").exists()


def test_carriers_before_the_first_configuration(
    tmp_path: Path, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    app = configured("sqlite:///x.db", None).app
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    result = CliRunner().invoke(app, ["carriers", "list"])
    assert result.exit_code == 0, result.output
    assert "adapter   correios: Correios" in result.stdout


def test_carriers_with_a_broken_configuration(tmp_path: Path, configured: Configured) -> None:
    tracker = configured("sqlite:///x.db", None)
    tracker.config.write_text("shops: []\n", encoding="utf-8")
    result = tracker("carriers", "list")
    assert result.exit_code == 2
    assert "adapter   correios" in result.stdout
    assert "shops" in result.stderr


@pytest.mark.parametrize("reference", ["${CORREIOS_ACCESS_CODE}", "${file:code.txt}", "${credential:correios}"])
@pytest.mark.parametrize(
    "words",
    [
        *(["problems"], ["claims"], ["messages"], ["alerts"], ["export", "shipments"], ["release", "--all"]),
        *(["show", CODE], ["explain", CODE], ["carriers", "unknown"], ["carriers", "list"]),
    ],
    ids=" ".join,
)
def test_reading_and_deciding_need_no_secret_of_the_carrier(
    tracker: Tracker, database: Database, monkeypatch: pytest.MonkeyPatch, words: list[str], reference: str
) -> None:
    monkeypatch.delenv("CORREIOS_ACCESS_CODE", raising=False)
    with database.begin_write() as connection:
        add_order(connection, order(), CODE)
    text_ = tracker.config.read_text(encoding="utf-8").replace("segredo-de-teste", f'"{reference}"')
    tracker.config.write_text(text_, encoding="utf-8")
    result = tracker(*words)
    assert (result.exit_code, result.stderr) == (0, "")


def test_an_account_whose_credential_is_elsewhere(tmp_path: Path, configured: Configured) -> None:
    tracker = configured("sqlite:///x.db", None)
    text_ = tracker.config.read_text(encoding="utf-8").replace("segredo-de-teste", "${credential:correios}")
    tracker.config.write_text(text_, encoding="utf-8")
    assert "its credential is not available here" in tracker("carriers", "list").stdout
