"""`tracker run` as a real process: ready, at work, reloaded with a broken file, stopped in order."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.support.damage import blank_table
from tracker.engine.lock import EngineLock
from tracker.sandbox.plan import Fate
from tracker.store.database import sqlite_path
from tracker.store.migrate import upgrade
from tracker.store.tables import Delivery, ShipmentHistory

PATIENCE_S = 30.0


@dataclass
class Daemon:
    """A running `tracker run`, what it told the service manager, and its log."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    log: Path
    told: list[str] = field(default_factory=list)

    def hear(self, wanted: str) -> None:
        """Wait for a datagram with this line."""
        self.wait(lambda: any(wanted in message.splitlines() for message in self._listen()), wanted)

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until it holds; the daemon must live meanwhile."""
        ends = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < ends, f"{what}: {self.log.read_text(encoding='utf-8')[-3000:]}"
            time.sleep(0.05)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log's lines of this event."""
        lines = [line for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        return [found for found in map(json.loads, lines) if found["event"] == name]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def _listen(self) -> list[str]:
        try:
            while True:
                self.told.append(self.channel.recv(65536).decode())
        except BlockingIOError:
            return self.told


Run = Callable[[Trial], Daemon]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    running: list[Daemon] = []

    def start_one(trial: Trial) -> Daemon:
        trial.write_config()
        address = tmp_path / "notify"
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        channel.bind(str(address))
        log = tmp_path / "daemon.log"
        process = subprocess.Popen(
            [sys.executable, "-m", "tracker", "run", "-c", str(trial.config)],
            stdout=subprocess.DEVNULL,
            stderr=log.open("wb"),
            env={**trial.environment, "NOTIFY_SOCKET": str(address)},
            cwd=trial.folder,
        )
        running.append(Daemon(process, channel, log))
        return running[-1]

    yield start_one
    for daemon in running:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()
        daemon.channel.close()


def test_the_daemon_works_reloads_and_stops_in_order(start: Start, run: Run) -> None:
    trial = start(of_fate(Fate.ON_TIME), of_fate(Fate.ON_TIME, 1))
    trial.clock_at(at(day(2)))
    trial.drop_orders()
    daemon = run(trial)
    daemon.hear("READY=1")
    daemon.wait(lambda: len(trial.told()) == 2, "both mails")
    assert [row["status"] for row in trial.rows(ShipmentHistory)] == ["in_transit"] * 2
    refused = trial.command("run", "--once")
    assert refused.returncode == 2 and f"process {daemon.process.pid} on " in refused.stderr

    trial.config.write_text(trial.config.read_text(encoding="utf-8").replace("preset: all", "preset: tudo"))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: bool(daemon.events("config.rejected")), "the broken file is refused")
    assert "messages.preset" in daemon.events("config.rejected")[0]["fault"]
    assert daemon.events("config.accepted") == []
    daemon.hear("READY=1")

    trial.write_config()
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: bool(daemon.events("config.accepted")), "the mended file is taken")

    assert daemon.stop() == 0
    assert any("STOPPING=1" in message for message in daemon._listen())
    with EngineLock(trial.database_url):
        pass
    assert all(row["lease_token"] is None for row in trial.rows(Delivery))


def test_a_daemon_takes_over_from_one_that_was_killed(start: Start, run: Run) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.clock_at(at(day(2)))
    trial.drop_orders()
    first = run(trial)
    first.hear("READY=1")
    first.process.kill()
    first.process.wait()
    (trial.folder / "notify").unlink()
    second = run(trial)
    second.wait(lambda: bool(trial.told()), "the mail")
    assert second.stop() == 0
    ids = [message_id for _, message_id in trial.told()]
    assert len(ids) == len(set(ids)) == 1


def test_a_damaged_database_ends_the_daemon(start: Start, run: Run) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.clock_at(at(day(2)))
    upgrade(trial.database_url)
    file = sqlite_path(trial.database_url)
    blank_table(file, "imports")
    daemon = run(trial)
    daemon.hear("READY=1")
    trial.drop_orders()
    assert daemon.process.wait(PATIENCE_S) == 1
    (told,) = daemon.events("engine.gave_up")
    assert told["level"] == "critical"
    assert told["reason"].startswith(f"{file}: the database file is damaged")
    assert [line["reason"] for line in daemon.events("lane.failed")] == [told["reason"]]
    assert "Traceback" not in daemon.log.read_text(encoding="utf-8")
    once = trial.command("run", "--once")
    assert once.returncode == 1
    assert [line for line in once.stderr.splitlines() if not line.startswith("{")] == [told["reason"]]


def test_the_log_holds_no_personal_data_and_no_secret(start: Start, run: Run) -> None:
    shipment = of_fate(Fate.LATE_OPEN)
    trial = start(shipment)
    trial.clock_at(at(day(5)))
    trial.drop_orders()
    daemon = run(trial)
    daemon.wait(lambda: bool(trial.told()), "the mail about the delay")
    assert daemon.stop() == 0
    log = daemon.log.read_text(encoding="utf-8")
    customer = shipment.order.customer
    for secret in (customer.email, customer.name, customer.document, trial.world.credentials.access_code):
        assert secret not in log
