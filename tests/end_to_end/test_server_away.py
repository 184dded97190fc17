"""A PostgreSQL server that is restarted under the daemon: one clear word, and the next start goes on where it was."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.end_to_end.test_disk import FAST, PATIENCE_S, Lines, until
from tests.end_to_end.test_restore import mails
from tests.support.postgres import PostgresServer
from tests.support.schema import prepare
from tracker.errors import DatabaseFaultError
from tracker.sandbox.plan import Fate
from tracker.store.database import Database
from tracker.store.tables import Order, table

SESSIONS = "FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"


def end_sessions(server: PostgresServer, url: str) -> None:
    """End every session of this database, as a server that is restarted does."""
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {SESSIONS}"), {"name": make_url(url).database})
    admin.dispose()


class Daemon(Lines):
    """`tracker run`, with all its waits cut short."""

    def __init__(self, trial: Trial) -> None:
        fast = FAST.replace(
            "base.MIN", "from tracker.engine import lock\nlock.EngineLock.watch.__defaults__ = (0.5,)\nbase.MIN"
        )
        words = [sys.executable, "-c", fast, "run", "-c", str(trial.config)]
        self.process = subprocess.Popen(words, env=trial.environment, stderr=subprocess.PIPE, text=True)
        super().__init__(self)


def test_the_daemon_ends_with_its_session_and_goes_on_at_its_next_start(
    start: Start, postgres_url: str, postgres_server: PostgresServer
) -> None:
    trial = start(of_fate(Fate.LATE_OPEN), url=postgres_url)
    trial.write_config()
    prepare(postgres_url)
    trial.drop_orders()
    trial.clock_at(at(day(2)))
    first = Daemon(trial)
    try:
        until(lambda: len(trial.told()) == 1, first)
        end_sessions(postgres_server, postgres_url)
        assert first.process.wait(timeout=PATIENCE_S) == 1
    finally:
        first.process.kill()
    assert first.of("engine.lock_lost")
    assert all("exception" not in line for line in first.found)
    trial.clock_at(at(day(6)))
    second = Daemon(trial)
    try:
        until(lambda: len(trial.told()) == 2 and bool(trial.world.registrations()), second)
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(timeout=PATIENCE_S) == 0
    finally:
        second.process.kill()
    assert set(mails(trial).values()) == {1}
    assert [len(protocols) for protocols in trial.world.registrations().values()] == [1]


def test_a_session_that_ends_in_the_middle_of_a_transaction(postgres_url: str, postgres_server: PostgresServer) -> None:
    prepare(postgres_url)
    database = Database(postgres_url)
    with (
        pytest.raises(DatabaseFaultError, match="the database cannot be reached"),
        database.begin_write() as connection,
    ):
        end_sessions(postgres_server, postgres_url)
        connection.execute(select(table(Order)))
    with database.begin_read() as connection:
        assert connection.execute(select(table(Order))).all() == []
    database.close()


def test_a_transaction_that_waits_too_long_is_ended_and_lets_its_locks_go(postgres_url: str) -> None:
    """As of a process that was stopped in the middle of one."""
    prepare(postgres_url)
    stopped, other = Database(postgres_url, idle_s=0.2), Database(postgres_url)
    with (
        pytest.raises(DatabaseFaultError, match="the database cannot be reached"),
        stopped.begin_write() as connection,
    ):
        connection.execute(text("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"))
        with other.begin_read() as reader:
            # Waits for the lock until the server has ended its holder.
            assert reader.execute(select(table(Order))).all() == []
        connection.execute(select(table(Order)))
    stopped.close()
    other.close()


def test_a_server_that_only_reads(postgres_url: str) -> None:
    prepare(postgres_url)
    database = Database(postgres_url)
    with pytest.raises(DatabaseFaultError, match="the server only reads"), database.begin_write() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("DELETE FROM orders"))
    database.close()
