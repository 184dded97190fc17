"""The listener of a real `tracker run`: its pages, a taken port, a reload to another port, the end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from tests.end_to_end.daemon import Daemon, Run
from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.web.support import free_port, get
from tracker.sandbox.plan import Fate


@pytest.fixture
def trial(start: Start) -> Trial:
    """A shop with one parcel that is late, and a port for its operator."""
    trial = start(of_fate(Fate.LATE_OPEN))
    trial.clock_at(at(day(5)))
    trial.drop_orders()
    return trial


def listen(trial: Trial) -> int:
    port = free_port()
    trial.settings["web"]["operator"] = f"127.0.0.1:{port}"
    trial.write_config()
    return port


def answers(port: int) -> bool:
    try:
        return get(port, "/healthz").status == 200
    except OSError:
        return False


def value(port: int, sample: str) -> float | None:
    lines = get(port, "/metrics").text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{sample} ")), None)


def reload(daemon: Daemon) -> None:
    before = len(daemon.events("engine.reloaded"))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: len(daemon.events("engine.reloaded")) > before, "the reload")


def test_a_daemon_at_work_shows_what_it_did(trial: Trial, run: Run) -> None:
    port = listen(trial)
    daemon = run(trial)
    daemon.wait(lambda: answers(port), "the listener")
    daemon.wait(lambda: get(port, "/readyz").status == 200, "readiness")
    daemon.wait(lambda: bool(trial.told()), "the mail about the delay")
    assert value(port, 'tracker_looks_total{carrier="correios",outcome="found"}') == 1
    assert (value(port, 'tracker_new_events_total{carrier="correios"}') or 0) > 0
    assert (value(port, 'tracker_mails_total{outcome="accepted"}') or 0) >= 1
    assert value(port, 'tracker_queue_due{queue="mail"}') == 0
    assert value(port, "tracker_clock_timestamp_seconds") == at(day(5)).timestamp()
    page = get(port, "/metrics").text + get(port, "/readyz").text
    customer = of_fate(Fate.LATE_OPEN).order.customer
    for private in (customer.email, customer.name, customer.document, of_fate(Fate.LATE_OPEN).code):
        assert private not in page
    assert daemon.stop() == 0
    assert not answers(port)


def test_a_taken_port_keeps_the_daemon_from_starting_with_one_sentence(trial: Trial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        trial.settings["web"]["operator"] = address
        trial.write_config()
        done = trial.command("run")
        once = trial.command("run", "--once")
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert done.returncode == 2
    assert len(said) == 1 and said[0].startswith(
        f"web.operator: {address} cannot be listened on (Address already in use)"
    )
    assert once.returncode == 0  # it opens none


def test_a_reload_moves_the_listener_and_a_taken_port_keeps_the_old(trial: Trial, run: Run) -> None:
    first = listen(trial)
    daemon = run(trial)
    daemon.wait(lambda: answers(first), "the listener")
    with socket.create_server(("127.0.0.1", 0)) as other:
        trial.settings["web"]["operator"] = f"127.0.0.1:{other.getsockname()[1]}"
        trial.write_config()
        reload(daemon)
    assert "another program has this port" in daemon.events("config.rejected")[0]["fault"]
    assert daemon.events("config.accepted") == []
    assert answers(first)
    assert value(first, 'tracker_reloads_total{outcome="rejected"}') == 1

    second = listen(trial)
    reload(daemon)
    assert answers(second) and not answers(first)

    reload(daemon)  # the same address is kept, not let go and taken again
    assert answers(second)
    assert len(daemon.events("web.listening")) == 2

    trial.settings["web"]["operator"] = None
    trial.write_config()
    reload(daemon)
    assert not answers(second)
    assert daemon.stop() == 0


def test_help_does_not_load_what_only_the_daemon_needs() -> None:
    code = "import sys, tracker.cli.main; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"starlette", "uvicorn", "prometheus_client"} & set(done.stdout.split()) == set()
