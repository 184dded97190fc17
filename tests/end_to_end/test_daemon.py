"""`tracker run` as a real process: ready, at work, reloaded with a broken file, stopped in order."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from tests.end_to_end.daemon import PATIENCE_S, Daemon, Run
from tests.end_to_end.support import Start, at, day, of_fate
from tests.support.damage import blank_table
from tests.support.schema import prepare
from tests.web.support import free_port, get
from tracker.engine.local import CANCEL_GRACE_S
from tracker.engine.lock import EngineLock
from tracker.engine.service import DRAIN_S
from tracker.sandbox.plan import Fate
from tracker.store.database import sqlite_path
from tracker.store.tables import Delivery, ShipmentHistory


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
    prepare(trial.database_url)
    file = sqlite_path(trial.database_url)
    blank_table(file, "imports")
    daemon = run(trial)
    daemon.hear("READY=1")
    trial.drop_orders()
    assert daemon.process.wait(PATIENCE_S) == 1
    (told,) = daemon.events("engine.gave_up")
    assert told["level"] == "critical"
    assert told["reason"].startswith(f"{file}: the database file is damaged")
    assert [line["reason"] for line in daemon.events("database.unusable")] == [told["reason"]]
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


@pytest.mark.slow
def test_it_stops_within_its_bound_with_every_outer_lane_busy_and_loses_nothing(start: Start, run: Run) -> None:
    """A carrier and a mail server that take the call and never answer."""
    trial = start(of_fate(Fate.ON_TIME), of_fate(Fate.LATE_OPEN))
    trial.clock_at(at(day(2)))
    trial.drop_orders()
    carrier, smtp = trial.carrier["base_url"], trial.settings["messages"]["email"]["port"]
    operator = free_port()
    trial.settings["web"]["operator"] = f"127.0.0.1:{operator}"
    with socket.create_server(("127.0.0.1", 0), backlog=64) as deaf:
        port = deaf.getsockname()[1]
        daemon = run(trial)
        daemon.wait(lambda: bool(trial.told()), "the first mail")
        trial.carrier["base_url"] = f"http://127.0.0.1:{port}"
        trial.settings["messages"]["email"] |= {"port": port, "timeout_seconds": 600}
        trial.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait(lambda: bool(daemon.events("config.accepted")), "the reload")
        trial.clock_at(at(day(5)))
        daemon.wait(lambda: _at_work(daemon) >= {"poll:correios"}, "the look at the deaf carrier")
        began = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait(lambda: get(operator, "/readyz").status == 503, "it says that it is stopping")
        assert '"part":"daemon"' in get(operator, "/readyz").text
        assert daemon.process.wait(DRAIN_S + CANCEL_GRACE_S + 10) == 0
        assert time.monotonic() - began < DRAIN_S + CANCEL_GRACE_S + 5
    (ended,) = daemon.events("engine.stopped")
    assert "poll:correios" in ended["cut_off"]
    assert daemon.events("lane.abandoned") == []
    trial.carrier["base_url"], trial.settings["messages"]["email"]["port"] = carrier, smtp
    (trial.folder / "notify").unlink()
    second = run(trial)
    second.wait(lambda: len(trial.told()) >= 3, "what was cut off is done")
    assert second.stop() == 0
    ids = [message_id for _, message_id in trial.told()]
    assert len(ids) == len(set(ids))


def _at_work(daemon: Daemon) -> set[str]:
    """The lanes that the newest status line calls at work."""
    status = [line for message in daemon._listen() for line in message.splitlines() if line.startswith("STATUS=")]
    work = status[-1].partition("at work: ")[2].partition(";")[0] if status else ""
    return set(work.split(", "))
