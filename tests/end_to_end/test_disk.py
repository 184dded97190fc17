"""A disk that is full, read-only or gone: one clear word, nothing lost, nothing told that could not be written down, and the
work goes on by itself."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from aiosmtplib.protocol import SMTPProtocol
from typer.testing import CliRunner, Result

from tests.alerts.support import SECRET, Receiver
from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.end_to_end.test_restore import mails
from tests.support.disk import OnSmallDisk, unshare
from tests.web.support import free_port, get
from tracker.cli.main import app
from tracker.errors import DatabaseFaultError
from tracker.sandbox.plan import Fate
from tracker.store import database as database_module
from tracker.store.tables import Alert, Delivery

needs_mounts = pytest.mark.skipif(unshare() is None, reason="this machine gives no process mounts of its own")
LATE = of_fate(Fate.LATE_OPEN)
PATIENCE_S = 25.0
FAST = """
import sys
from tracker import alert_lanes, lanes, message_lanes
from tracker.alerts import straight
from tracker.engine import base
straight.STANDS_S, straight.CALM_S, straight.EVERY_S = 1.0, 1.0, 0.2
lanes.INTAKE_EVERY_S = lanes.POLL_EVERY_S = 0.5
lanes.DECIDE_EVERY_S = message_lanes.DECIDE_EVERY_S = alert_lanes.DECIDE_EVERY_S = 0.5
base.MIN_BACKOFF_S = base.MAX_DATABASE_BACKOFF_S = 0.5
from tracker.cli.main import app
app(sys.argv[1:])
"""
"""The daemon with all its waits cut to half a second."""
EACH = """
import json, sys
from typer.testing import CliRunner
from tracker.cli.main import app
for words in json.loads(sys.argv[1]):
    result = CliRunner().invoke(app, [*words, "-c", sys.argv[2]])
    raised = None if isinstance(result.exception, (SystemExit, type(None))) else repr(result.exception)
    print(json.dumps([words, result.exit_code, result.stderr, raised]))
"""
"""Each command in its turn, in one process."""


class Running(Protocol):
    """What holds a process."""

    process: subprocess.Popen[str]


class Lines:
    """What a process says on standard error, as it says it."""

    def __init__(self, running: Running) -> None:
        self.found: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, args=(running.process.stderr,), daemon=True)
        self._thread.start()

    def _read(self, stream: Any) -> None:
        for line in stream:
            self.found.append(json.loads(line) if line.startswith("{") else {"event": "said", "text": line})

    def of(self, *events: str) -> list[dict[str, Any]]:
        return [line for line in list(self.found) if line["event"] in events]


def until(is_so: Callable[[], bool], said: Lines, patience_s: float = PATIENCE_S) -> None:
    ends = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < ends, said.found[-5:]
        threading.Event().wait(0.05)


def many_orders(trial: Trial, first: int) -> None:
    rows = "".join(
        f"N-{number};QB{number:09}BR;a{number}@cliente.example;Ana\n" for number in range(first, first + 4000)
    )
    trial.drop(f"muitos-{first}.csv", f"pedido;rastreio;email;nome\n{rows}".encode())


@contextmanager
def daemon(trial: Trial, kib: int) -> Iterator[tuple[OnSmallDisk, Lines]]:
    trial.write_config()
    disk = OnSmallDisk.start(
        trial.folder / "data", kib, ["-c", FAST, "run", "-c", str(trial.config)], trial.environment
    )
    try:
        yield disk, Lines(disk)
    finally:
        disk.process.kill()
        disk.process.wait()


def shown(port: int, name: str) -> list[float]:
    """The values of this metric, as a scraper reads them."""
    lines = get(port, "/metrics").text.splitlines()
    return [float(line.rpartition(" ")[2]) for line in lines if line.partition(" ")[0].partition("{")[0] == name]


@needs_mounts
def test_the_daemon_outlives_a_full_disk(start: Start, receiver: Receiver) -> None:
    trial = start(LATE)
    port = free_port()
    trial.settings["web"]["operator"] = f"127.0.0.1:{port}"
    trial.settings["alerts"].append({"kind": "webhook", "url": receiver.url, "secret": SECRET})
    trial.drop_orders()
    trial.clock_at(at(day(2)))
    # Large enough that the orders that wait find room at one go.
    with daemon(trial, 64_000) as (disk, said):
        until(lambda: len(trial.told()) == 1, said)  # the posting was told
        disk.fill()
        many_orders(trial, 1)
        until(lambda: bool(said.of("database.unusable")), said)
        # The alert has no room as a row, and goes all the same.
        until(lambda: len(receiver.got) == 1, said)
        assert shown(port, "tracker_database_unusable") == [1.0]
        assert max(shown(port, "tracker_lane_failures")) > 0
        trial.clock_at(at(day(6)))
        disk.make_room()
        until(lambda: bool(said.of("database.usable")), said)
        until(lambda: len(trial.told()) == 2 and bool(trial.world.registrations()), said)
        until(lambda: (trial.inbox / "done" / "muitos-1.csv").exists(), said)
        until(lambda: len(receiver.got) == 2, said)
        assert shown(port, "tracker_database_unusable") == [0.0]
        disk.process.send_signal(signal.SIGTERM)
        assert disk.process.wait(timeout=PATIENCE_S) == 0
    # Twenty lanes met it, over and over; it was said once.
    (full,) = said.of("database.unusable")
    assert "the disk is full; make room" in full["reason"]
    assert said.of("lane.failed", "engine.gave_up") == []
    raised, over = receiver.envelopes()
    assert (raised["kind"], raised["resolved_at"]) == ("database_unusable", None)
    assert "the disk is full; make room" in raised["summary"]
    assert over["id"] == raised["id"] and over["resolved_at"] is not None
    told = [line["kind"] for line in said.of("alert.raised", "alert.resolved")]
    assert told.count("database_unusable") == 2
    assert set(mails(trial).values()) == {1}
    assert [len(protocols) for protocols in trial.world.registrations().values()] == [1]


COMMANDS = [
    ["run", "--once"],
    ["db", "check"],
    ["db", "backup"],
    ["problems"],
    ["show", "1"],
    ["export", "shipments"],
    ["release", "--all"],
]


@needs_mounts
@pytest.mark.parametrize(
    ("fault", "found"),
    [
        pytest.param("cat /dev/zero > {disk}/fill 2>/dev/null; true", ("disk is full", "No space left"), id="full"),
        pytest.param("mount -o remount,ro {disk}", ("read-only", "Read-only"), id="read-only"),
        pytest.param("umount {disk}", ("is its disk mounted?", "there is no database at"), id="not mounted any more"),
    ],
)
def test_every_command_says_in_one_sentence_what_is_wrong(start: Start, fault: str, found: tuple[str, ...]) -> None:
    trial = start(LATE)
    trial.write_config()
    disk = trial.folder / "data"
    upgraded = f"{{python}} -m tracker run --once -c {trial.config} >/dev/null"
    before = f"{upgraded.format(python=sys.executable)} && {{ {fault.format(disk=disk)}; }}"
    words = ["-c", EACH, json.dumps(COMMANDS), str(trial.config)]
    ran = OnSmallDisk.start(disk, 2_000, words, trial.environment, before=before)
    out, err = ran.process.communicate(timeout=PATIENCE_S * 2)
    results = [json.loads(line) for line in out.splitlines()]
    assert [result[0] for result in results] == COMMANDS, err
    for command, code, stderr, raised in results:
        sentences = [line for line in stderr.splitlines() if not line.startswith("{")]
        assert (code in {1, 2}, raised, len(sentences)) == (True, None, 1), (command, stderr, raised)
        assert any(words in sentences[0] for words in found), (command, sentences)


# --- a mail whose fact could not be written down ----------------------------------------------------


@contextmanager
def held_at(trial: Trial, monkeypatch: pytest.MonkeyPatch, moment: Callable[[bytes], bool]) -> Iterator[list[bytes]]:
    """From the first line to the mail server that is the moment, another program holds the database: no write succeeds."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 50)
    path = database_module.sqlite_path(trial.database_url)
    lines: list[bytes] = []
    write = SMTPProtocol.write
    with closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as other:

        def writing(protocol: SMTPProtocol, data: bytes) -> None:
            lines.append(data)
            if moment(data) and not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")
            write(protocol, data)

        monkeypatch.setattr(SMTPProtocol, "write", writing)
        yield lines
        monkeypatch.setattr(SMTPProtocol, "write", write)
        if other.in_transaction:
            other.execute("ROLLBACK")


def told_late(start: Start) -> Trial:
    trial = start(LATE)
    trial.drop_orders()
    trial.settings["messages"]["triggers"] = {"posted": []}
    trial.pass_at(at(day(2)))
    return trial


def test_no_text_leaves_while_its_leaving_cannot_be_written_down(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = told_late(start)
    with held_at(trial, monkeypatch, lambda data: data.startswith(b"RCPT ")) as lines:
        with pytest.raises(DatabaseFaultError, match="another program holds the database"):
            trial.pass_at(at(day(5)))
        assert any(line.startswith(b"RCPT ") for line in lines) and b"DATA\r\n" not in lines
    assert trial.told() == []
    trial.pass_at(at(day(5), 10))
    assert set(mails(trial).values()) == {1} and trial.rows(Delivery, state="sent")


def test_what_left_and_could_not_be_written_down_is_unconfirmed_and_not_sent_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = told_late(start)
    with (
        held_at(trial, monkeypatch, lambda data: data.endswith(b"\r\n.\r\n")),
        pytest.raises(DatabaseFaultError, match="another program holds the database"),
    ):
        trial.pass_at(at(day(5)))
    left = Counter(trial.told())
    assert sum(left.values()) == 1
    trial.pass_through([at(day(5), 10), at(day(5), 12)])
    (recipient, message_id) = next(iter(left))
    assert Counter(trial.told())[recipient, message_id] == 1
    assert trial.one(Delivery, message_id=message_id)["state"] == "unconfirmed"
    assert trial.rows(Alert, kind="message_unconfirmed", resolved_at=None)


def typed(trial: Trial, *words: str) -> Result:
    """A command in this process."""
    return CliRunner().invoke(app, [*words, "-c", str(trial.config)], env=trial.environment)


# --- beside the database ----------------------------------------------------------------------------


def test_an_inbox_that_cannot_be_made_is_told_in_a_sentence(start: Start) -> None:
    trial = start(LATE)
    trial.write_config()
    (trial.folder / "inbox").write_text("a file where the folder should be")
    run = trial.command("run", "--once")
    (failed,) = [json.loads(line) for line in run.stderr.splitlines() if '"lane.failed"' in line]
    assert failed["lane"].startswith("intake:") and str(trial.folder / "inbox") in failed["reason"]
    assert "exception" not in failed


def test_a_shop_whose_disk_is_not_mounted_does_not_begin_anew(start: Start, tmp_path: Path) -> None:
    trial = start(LATE)
    trial.write_config()
    assert typed(trial, "run", "--once").exit_code == 0
    aside = (trial.folder / "data").rename(tmp_path / "aside")
    for words in (("run", "--once"), ("import", str(trial.config))):
        refused = typed(trial, *words)
        assert refused.exit_code == 1 and "is its disk mounted?" in refused.stderr, refused.stderr
    assert not list((trial.folder / "data").glob("*.db"))
    (trial.folder / "data" / "tracker.db.lock").unlink(missing_ok=True)
    (trial.folder / "data").rmdir()
    aside.rename(trial.folder / "data")
    assert typed(trial, "run", "--once").exit_code == 0
