"""`tracker db copy` and `tracker db reopen` as they are typed: what they say, what they refuse, what nobody may do afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from typer.testing import Result

from tests.cli.conftest import Tracker, write_config
from tests.reports.support import add_order, at, order
from tests.support.schema import prepare
from tracker.cli.main import app
from tracker.domain.words import DeliveryState
from tracker.engine.lock import EngineLock
from tracker.store.database import Database
from tracker.store.deliveries import add_delivery
from tracker.store.moved import Unfinished, mark_unfinished
from tracker.store.notices import add_notice

CODE = "AA123456785BR"


@pytest.fixture
def file(tmp_path: Path, configured: Callable[[str, str | None], Tracker]) -> Path:
    path = tmp_path / "data" / "tracker.db"
    prepare(f"sqlite:///{path}")
    configured(f"sqlite:///{path}", None)
    database = Database(f"sqlite:///{path}")
    with database.begin_write() as connection:
        add_order(connection, order("10482"), CODE)
    database.close()
    return path


@pytest.fixture
def tracker(file: Path, tmp_path: Path) -> Tracker:
    return Tracker(app, write_config(tmp_path, f"sqlite:///{file}", None))


@pytest.fixture
def new(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'new' / 'tracker.db'}"
    prepare(url)
    return url


def refused(result: Result) -> str:
    """The one sentence of a command that did nothing."""
    assert result.exit_code == 2, result.output
    (sentence,) = sentences(result)
    return sentence


def sentences(result: Result) -> list[str]:
    """What it says to a person, the log left out."""
    return [line for line in result.stderr.splitlines() if not line.startswith("{")]


def numbers(url: str) -> list[str]:
    database = Database(url)
    with database.begin_read() as connection:
        found = [str(row[0]) for row in connection.exec_driver_sql("SELECT number FROM orders ORDER BY id")]
    database.close()
    return found


def test_a_shop_moves_to_a_server_and_is_told_what_to_write(
    tracker: Tracker, file: Path, tmp_path: Path, postgres_url: str
) -> None:
    prepare(postgres_url)
    # The test's server asks for no password; one that is given is nobody's to read.
    url = make_url(postgres_url).set(drivername="postgresql", password="geheim")
    result = tracker("db", "copy", "--to", url.render_as_string(hide_password=False))
    assert result.exit_code == 0, result.output
    assert "rows: counts and checksums agree" in result.stdout
    assert "    url: postgresql://" in result.stdout and ":${TRACKER_DB_PASSWORD}@" in result.stdout
    assert "geheim" not in result.output
    assert numbers(postgres_url) == ["10482"]
    moved = Tracker(app, write_config(tmp_path, postgres_url, None))
    assert "10482" in moved("show", CODE).stdout
    assert "whole (" in moved("db", "check").stdout


def test_nothing_works_on_the_old_one_any_more(tracker: Tracker, file: Path, new: str, tmp_path: Path) -> None:
    assert tracker("db", "copy", "--to", new).exit_code == 0
    said = f"sqlite:///{file}: was copied to {new} at 2026-11-24 15:00Z, and the shop lives there"
    told = refused(tracker("run", "--once"))
    assert "was copied to" in told and told.endswith("or come back to this one with: tracker db reopen")
    (tmp_path / "more.csv").write_text("pedido;codigo\n1;AA987654325BR\n", encoding="utf-8")
    assert "was copied to" in refused(tracker("import", str(tmp_path / "more.csv"), "--shop", "exemplo"))
    assert "was copied to" in refused(tracker("mute", "10482", "--reason", "the customer asked"))
    assert said.split(" at ")[0].rpartition("/")[2] in told
    # What is known can be looked up all the same, and is said to be old.
    for words in (
        ("show", CODE),
        ("problems",),
        ("claims",),
        ("messages",),
        ("digest",),
        ("explain", "10482"),
        ("alerts",),
    ):
        shown = tracker(*words)
        assert shown.exit_code in (0, 1), shown.output
        (old,) = sentences(shown)
        assert old.startswith(said) and old.endswith("; what is shown here may not be how the shop stands now"), words
    assert "10482" in tracker("show", CODE).stdout
    unknown = sentences(tracker("show", "99999"))
    assert len(unknown) == 2 and unknown[-1] == old
    assert "whole (" in tracker("db", "check").stdout
    assert numbers(f"sqlite:///{file}") == ["10482"]


@pytest.mark.parametrize("words", [pytest.param([], id="alone"), pytest.param(["--online"], id="online")])
def test_the_check_before_the_start_names_what_would_refuse_it(
    tracker: Tracker, file: Path, new: str, words: list[str]
) -> None:
    assert tracker("db", "copy", "--to", new).exit_code == 0
    (told,) = sentences(tracker("run", "--once"))
    checked = tracker("check-config", *words)
    assert (checked.exit_code, checked.stdout) == (2, "")
    (fault,) = sentences(checked)
    assert fault.endswith(f": database: {told}") and fault.startswith(f"{tracker.config}:")
    document = json.loads(tracker("check-config", *words, "--json").stdout)
    assert not document["ok"]
    assert [(one["key"], one["what"]) for one in document["faults"]] == [("database", told)]


def test_after_coming_back_what_was_about_to_leave_waits_for_a_person(tracker: Tracker, file: Path, new: str) -> None:
    database = Database(f"sqlite:///{file}")
    with database.begin_write() as connection:
        dates = {"since": at(11), "created_at": at(11), "expires_at": at(30)}
        key = {"shop": "exemplo", "order_id": 1, "trigger": "posted", "occurrence": "1:1"}
        notice = add_notice(connection, {**key, **dates})
        delivery = {"notice_id": notice, "channel": "email", "state": "queued", "queued_at": at(11)}
        add_delivery(connection, {**delivery, "next_step_at": at(12)})
    assert tracker("db", "copy", "--to", new).exit_code == 0
    told = tracker("db", "reopen").stdout
    assert "may have worked meanwhile" in told and "1 messages and 0 claims" in told
    with database.begin_read() as connection:
        states = connection.execute(text("SELECT state, hold_reason FROM deliveries")).all()
    database.close()
    assert states == [(DeliveryState.AWAITING_PERSON.value, "restored")]
    assert tracker("mute", "10482", "--reason", "the customer asked").exit_code == 0
    assert "was not copied to another database" in refused(tracker("db", "reopen"))


def copy_on(tmp_path: Path, source: str, name: str) -> str:
    """The shop moves on from there; its next database."""
    folder = tmp_path / name
    folder.mkdir()
    target = f"sqlite:///{folder / 'tracker.db'}"
    prepare(target)
    assert Tracker(app, write_config(folder, source, None))("db", "copy", "--to", target).exit_code == 0
    return target


def test_coming_back_over_several_copies_names_the_one_that_lives(
    tracker: Tracker, file: Path, new: str, tmp_path: Path
) -> None:
    assert tracker("db", "copy", "--to", new).exit_code == 0
    third = copy_on(tmp_path, new, "third")
    last = copy_on(tmp_path, third, "last")
    said = tracker("db", "reopen")
    assert said.exit_code == 0, said.output
    assert f"since {last} may have worked meanwhile" in said.stdout
    assert f"let nothing work on {last} any more, then start the service" in said.stdout
    assert new not in said.stdout and third not in said.stdout


def test_coming_back_from_one_that_cannot_be_asked_says_so(tracker: Tracker, file: Path, new: str) -> None:
    assert tracker("db", "copy", "--to", new).exit_code == 0
    Path(str(make_url(new).database)).unlink()
    said = tracker("db", "reopen")
    assert said.exit_code == 0, said.output
    assert f"let nothing work on {new} any more, nor on one that it was copied to, then start" in said.stdout


def test_a_copy_that_was_given_up_leaves_the_shop_as_it_was(
    tracker: Tracker, file: Path, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.store.copying import Copying

    def cut(self: Copying, source: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Copying, "_set_sequences", cut)
        assert tracker("db", "copy", "--to", new).exit_code != 0
    assert "is being copied to" in refused(tracker("run", "--once"))
    told = tracker("db", "reopen").stdout
    assert "open again; the half-done copy" in told
    assert tracker("mute", "10482", "--reason", "the customer asked").exit_code == 0
    assert tracker("db", "copy", "--to", new).exit_code == 0


def test_a_half_done_copy_is_worked_on_by_nobody(tracker: Tracker, file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    with database.begin_write() as connection:
        mark_unfinished(connection, Unfinished("key", "sqlite:///old.db"))
    database.close()
    assert "is a half-done copy of sqlite:///old.db" in refused(tracker("run", "--once"))


@pytest.mark.parametrize("which", ["source", "target"])
def test_no_engine_may_work_meanwhile(tracker: Tracker, file: Path, new: str, which: str) -> None:
    url = f"sqlite:///{file}" if which == "source" else new
    with EngineLock(url):
        told = refused(tracker("db", "copy", "--to", new))
    assert f"another engine already works on this database: process {os.getpid()}" in told
    assert numbers(new) == []


def test_comparing_once_more(tracker: Tracker, file: Path, new: str) -> None:
    assert tracker("db", "copy", "--to", new).exit_code == 0
    assert "counts and checksums agree" in tracker("db", "copy", "--to", new, "--verify-only").stdout
    database = Database(new)
    with database.begin_write() as connection:
        add_order(connection, order("10483"))
    database.close()
    result = tracker("db", "copy", "--to", new, "--verify-only")
    assert result.exit_code == 1
    assert "orders: differs: 1 rows with checksum " in result.stderr
    assert result.stderr.splitlines()[-1].endswith("tables differ")


@pytest.mark.parametrize(
    ("to", "told"),
    [
        pytest.param("mysql://x@host/y", "is no database we know", id="another kind of database"),
        pytest.param("sqlite:///data/tracker.db", "is the configured database itself", id="itself"),
        pytest.param("nonsense", "is no database we know", id="no address at all"),
        pytest.param(
            "postgresql://x:geheim@127.0.0.1:9/y", "the database does not answer", id="a server that is not there"
        ),
    ],
)
def test_what_is_no_database_to_copy_to(tracker: Tracker, to: str, told: str) -> None:
    result = tracker("db", "copy", "--to", to)
    assert result.exit_code in {1, 2}
    assert [told in line for line in sentences(result)] == [True]
    assert "geheim" not in result.output


def test_a_shop_that_has_no_database_yet_has_nothing_to_copy(tracker: Tracker, file: Path, new: str) -> None:
    for name in ("", "-wal", "-shm"):
        file.with_name(file.name + name).unlink(missing_ok=True)
    assert "there is no database at" in refused(tracker("db", "copy", "--to", new))
    assert not file.with_name("tracker.db.lock").exists()
