"""What is slow or used up (a database, a carrier, the mail's quota) holds its own lanes and no other, shows in the metrics, and
raises one alert, however often it is met."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.alerts.support import SECRET, Receiver
from tests.end_to_end.flecha import LATE as ON_ITS_WAY
from tests.end_to_end.flecha import Flecha, beside, install
from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.end_to_end.test_disk import FAST, Lines, shown, until
from tests.end_to_end.test_restore import mails
from tests.support.schema import prepare
from tests.web.support import free_port
from tracker.sandbox.plan import Fate
from tracker.store.database import sqlite_path
from tracker.store.tables import Alert, Claim, Delivery, ShipmentPoll

LATE = of_fate(Fate.LATE_OPEN)
OTHERS = [of_fate(Fate.LATE_OPEN, 1), *(of_fate(Fate.LATE_DELIVERED, index) for index in range(2))]
"""As long on their way as the first: what is told of them stays true."""
PATIENCE_S = 60.0
IMPATIENT = FAST.replace(
    "base.MIN",
    "from tracker.store import database\ndatabase.LOCK_TIMEOUT_MS = database.BUSY_TIMEOUT_MS = 500\nbase.MIN",
)
"""The daemon that waits half a second for what another session holds."""


@contextmanager
def daemon(trial: Trial, words: str = IMPATIENT) -> Iterator[Lines]:
    """`tracker run` with all its waits cut short."""
    trial.write_config()

    class Running:
        process = subprocess.Popen(
            [sys.executable, "-c", words, "run", "-c", str(trial.config)],
            env=trial.environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    said = Lines(Running())
    try:
        yield said
        Running.process.send_signal(signal.SIGTERM)
        until(lambda: bool(said.of("engine.draining")), said, PATIENCE_S)
        if not said.of("engine.stopped"):
            Running.process.send_signal(signal.SIGTERM)  # what hangs is not waited for
        assert Running.process.wait(timeout=PATIENCE_S) == 0
    finally:
        Running.process.kill()
        Running.process.wait()


def watched(trial: Trial, receiver: Receiver) -> int:
    """The trial with an operator who is told, and who looks; the port."""
    port = free_port()
    trial.settings["web"]["operator"] = f"127.0.0.1:{port}"
    trial.settings["alerts"].append({"kind": "webhook", "url": receiver.url, "secret": SECRET})
    return port


# --- a slow database --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_table_that_another_session_holds_stops_its_own_lanes_alone(
    start: Start, postgres_url: str, receiver: Receiver
) -> None:
    trial = start(LATE, *OTHERS, url=postgres_url)
    port = watched(trial, receiver)
    prepare(postgres_url)
    trial.drop_orders()
    trial.clock_at(at(day(2)))
    other = create_engine(postgres_url)
    with daemon(trial) as said, other.connect() as session:
        until(lambda: len(trial.told()) == 4, said, PATIENCE_S)
        session.execute(text("LOCK TABLE claims IN ACCESS EXCLUSIVE MODE"))
        until(lambda: len(receiver.got) == 1, said, PATIENCE_S)
        # The parcel that is late by now: looked at, and its delay found, as if nothing were amiss.
        trial.clock_at(at(day(6)))
        until(lambda: all(row["last_answered_at"] >= at(day(6)) for row in trial.rows(ShipmentPoll)), said, PATIENCE_S)
        assert shown(port, "tracker_database_unusable") == [1.0]
        session.rollback()
        until(lambda: bool(trial.world.registrations()), said, PATIENCE_S)
        until(lambda: len(receiver.got) == 2, said, PATIENCE_S)
        assert shown(port, "tracker_database_unusable") == [0.0]
    other.dispose()
    raised, over = receiver.envelopes()
    assert (raised["kind"], raised["resolved_at"], over["id"]) == ("database_unusable", None, raised["id"])
    assert "another session holds what is needed" in raised["summary"]
    assert said.of("lane.failed") == []
    assert set(mails(trial).values()) == {1}
    assert {len(protocols) for protocols in trial.world.registrations().values()} == {1}
    assert [row["kind"] for row in trial.rows(Alert) if row["resolved_at"]].count("database_unusable") == 1


@pytest.mark.soak
def test_a_program_that_holds_the_file_stops_the_writing_and_not_the_looking(start: Start, receiver: Receiver) -> None:
    trial = start(LATE)
    port = watched(trial, receiver)
    prepare(trial.database_url)
    trial.drop_orders()
    trial.clock_at(at(day(2)))
    with (
        daemon(trial) as said,
        closing(sqlite3.connect(sqlite_path(trial.database_url), isolation_level=None)) as other,
    ):
        until(lambda: len(trial.told()) == 1, said, 3 * PATIENCE_S)
        other.execute("BEGIN IMMEDIATE")
        until(lambda: len(receiver.got) == 1, said, 3 * PATIENCE_S)
        assert shown(port, "tracker_database_unusable") == [1.0]
        trial.clock_at(at(day(6)))
        assert LATE.code in trial.command("show", LATE.code).stdout
        assert "another program holds the database" in receiver.envelopes()[0]["summary"]
        other.execute("ROLLBACK")
        until(lambda: len(trial.told()) == 2 and bool(trial.world.registrations()), said, 3 * PATIENCE_S)
        until(lambda: len(receiver.got) == 2, said, 3 * PATIENCE_S)
    assert [(one["kind"], one["resolved_at"] is None) for one in receiver.envelopes()] == [
        ("database_unusable", True),
        ("database_unusable", False),
    ]
    assert len(said.of("database.unusable")) == 1 and said.of("lane.failed") == []
    assert set(mails(trial).values()) == {1}


# --- a slow carrier ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_carrier_that_hangs_holds_nobody_else_up(
    start: Start, flecha: Flecha, receiver: Receiver, tmp_path: Path
) -> None:
    trial = beside(start(LATE), flecha)
    trial.plugins = (install(tmp_path / "plugins"),)
    trial.adapters = None
    port = watched(trial, receiver)
    trial.clock_at(at(day(2)))
    trial.world.faults.next("hang", count=1000)
    with daemon(trial) as said:
        # One call to the other hangs for as long as this lasts; here every look is in time.
        for number, hour in ((2, 12), (3, 0), (3, 12)):
            trial.clock_at(at(day(number), hour))
            asked = flecha.asked.count(ON_ITS_WAY)
            until(lambda asked=asked: flecha.asked.count(ON_ITS_WAY) > asked, said, PATIENCE_S)  # type: ignore[misc]
        polled = {row["carrier"]: row["last_answered_at"] for row in trial.rows(ShipmentPoll)}
        assert polled["correios"] is None and polled["flecha"] is not None
        running = shown(port, "tracker_lane_running_seconds")
        assert max(running) > 1
        trial.world.faults.clear()
    raised = Counter(one["kind"] for one in receiver.envelopes() if one["resolved_at"] is None)
    assert set(raised) <= {"carrier_down", "untrackable"} and max(raised.values(), default=1) == 1


# --- an exhausted mail quota ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exhaust", "mend"),
    [
        pytest.param(
            lambda trial: trial.world.mail.order_fault("daily_quota", count=None),
            lambda trial: trial.world.mail.clear_faults(),
            id="the server's 550 5.4.5",
        ),
        pytest.param(
            lambda trial: trial.world.mail.order_fault("throttled", count=None),
            lambda trial: trial.world.mail.clear_faults(),
            id="the server's 454",
        ),
        pytest.param(
            lambda trial: trial.settings["messages"]["email"].update(per_day=1),
            lambda trial: trial.settings["messages"]["email"].pop("per_day"),
            id="the configured limit of a day",
        ),
    ],
)
def test_a_mail_quota_that_is_used_up_holds_mail_alone(
    start: Start, exhaust: Callable[[Trial], None], mend: Callable[[Trial], None]
) -> None:
    trial = start(LATE, *OTHERS)
    trial.settings["rules"] = {"max_age_hours": dict.fromkeys(("posted", "delay_detected", "inquiry_opened"), 900)}
    trial.settings["messages"]["triggers"] = {"delivered": [], "out_for_delivery": []}
    trial.drop_orders()
    exhaust(trial)
    passes = [at(day(n), hour) for n in (2, 3, 4, 5, 6) for hour in (9, 12, 15)]
    trial.pass_through(passes)
    # Looks, problems and claims are as they are with mail.
    assert {row["last_answered_at"] for row in trial.rows(ShipmentPoll)} == {passes[-1]}
    assert {row["state"] for row in trial.rows(Claim)} == {"open", "planned"}
    assert len(trial.world.registrations()) == len(trial.rows(Claim, state="open"))
    held = trial.rows(Delivery, state="queued")
    assert len(held) >= 2 and len(trial.told()) <= 5
    assert {row["attempts"] for row in held} == {0}
    alert = trial.one(Alert)
    assert (alert["kind"], alert["resolved_at"], alert["times"]) == ("outbox_backed_up", None, 1)
    mend(trial)
    trial.pass_through(at(day(n), hour) for n in (7, 8, 9) for hour in (9, 15))
    assert trial.one(Alert, kind="outbox_backed_up")["resolved_at"] is not None
    assert trial.rows(Delivery, state="queued") == [] and set(mails(trial).values()) == {1}
    assert {row["state"] for row in trial.rows(Delivery)} <= {"sent", "suppressed"}
