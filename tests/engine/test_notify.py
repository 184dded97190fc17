from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from tracker.engine.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager's socket and the address it hands to its services."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@tracker-test-{uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name.replace("@", "\0", 1))
        receiver.settimeout(5)
        yield name, receiver


def test_every_message_as_the_manager_reads_it(manager: tuple[str, socket.socket]) -> None:
    address, receiver = manager
    notifier = Notifier(address, watchdog_s=90, monotonic_usec=lambda: 1_234_567)
    notifier.ready("9 lanes")
    notifier.status("9 lanes; at work: poll")
    notifier.watchdog()
    notifier.reloading()
    notifier.stopping("putting\nthe work down")
    assert [receiver.recv(1000).decode().split("\n") for _ in range(5)] == [
        ["READY=1", "STATUS=9 lanes"],
        ["STATUS=9 lanes; at work: poll"],
        ["WATCHDOG=1"],
        ["RELOADING=1", "MONOTONIC_USEC=1234567"],
        ["STOPPING=1", "STATUS=putting the work down"],
    ]


def test_a_status_is_sent_when_it_changes(manager: tuple[str, socket.socket]) -> None:
    address, receiver = manager
    notifier = Notifier(address)
    for text in ("a", "a", "b", "b"):
        notifier.status(text)
    notifier.watchdog()  # not wanted: nothing is sent
    notifier.status("end")
    assert [receiver.recv(1000) for _ in range(3)] == [b"STATUS=a", b"STATUS=b", b"STATUS=end"]


def test_the_monotonic_time_is_the_machine_s(manager: tuple[str, socket.socket]) -> None:
    import time

    address, receiver = manager
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    Notifier(address).reloading()
    sent = int(receiver.recv(1000).decode().rpartition("=")[2])
    assert before <= sent <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


@pytest.mark.parametrize(
    ("env", "beat_s"),
    [
        pytest.param({"WATCHDOG_USEC": "90000000"}, 30.0, id="a third of the manager's patience"),
        pytest.param({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": str(os.getpid())}, 30.0, id="meant for us"),
        pytest.param({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"}, None, id="meant for our parent"),
        pytest.param({}, None, id="no watchdog"),
        pytest.param({"WATCHDOG_USEC": "0"}, None, id="switched off"),
        pytest.param({"WATCHDOG_USEC": "soon"}, None, id="no number"),
    ],
)
def test_the_watchdog_s_pace(env: dict[str, str], beat_s: float | None) -> None:
    assert Notifier.from_env({"NOTIFY_SOCKET": "/run/x", **env}).beat_every_s == beat_s


def test_without_a_manager_nothing_happens() -> None:
    with capture_logs() as logs:
        notifier = Notifier.from_env({"WATCHDOG_USEC": "90000000"})
        notifier.ready("x")
        notifier.watchdog()
        notifier.stopping("x")
    assert (notifier.beat_every_s, logs) == (None, [])


def test_an_address_of_another_kind_is_named_once() -> None:
    with capture_logs() as logs:
        Notifier("vsock:2:1234").ready("x")
    assert [(line["event"], line["scheme"]) for line in logs] == [("notify.unsupported", "vsock")]


def test_a_manager_that_went_away_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    with capture_logs() as logs:
        notifier = Notifier(str(tmp_path / "absent"))
        notifier.ready("x")
        notifier.stopping("x")
    assert [(line["event"], line["error"]) for line in logs] == [("notify.failed", "FileNotFoundError")]
