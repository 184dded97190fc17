"""A running `tracker run`: what it told the service manager, its log, its listener."""

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

from tests.end_to_end.support import Trial

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
