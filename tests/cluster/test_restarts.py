"""A PostgreSQL server that is really restarted under those who work on it: nothing doubled, nothing stuck, none the wiser."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from tests.cluster.play import PATIENCE_S, new_cluster, wait
from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.end_to_end.support import start as start
from tests.end_to_end.test_restore import mails
from tests.end_to_end.test_server_away import Daemon
from tests.support.postgres import PostgresServer, own_server
from tests.support.schema import prepare
from tracker.sandbox.plan import Fate

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
LONG_FORM = bool(os.environ.get("CLUSTER_LONG"))
RESTARTS = [
    (5, "immediate", "http.after:POST *cadastra"),
    (7, "fast", "commit.before:*events*"),
    (8, "immediate", "smtp.data.after:*"),
    (9, "fast", "commit.before:*engine_lanes*"),
]
"""On this day, in this mode, with one worker at this point."""
MODES = [
    "immediate",
    pytest.param("fast", marks=pytest.mark.skipif(not LONG_FORM, reason="the long form: make cluster")),
]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Of these tests alone."""
    found = own_server()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no PostgreSQL server that may be restarted: CI must not skip this")
        pytest.skip("the wheel with a PostgreSQL server is not installed")
    yield found
    found.stop()


@pytest.fixture
def url(server: PostgresServer) -> str:
    name = f"t{uuid4().hex[:12]}"
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return server.url(name)


def restart(server: PostgresServer, mode: str) -> None:
    assert server.restart is not None
    server.restart(mode)


def test_two_workers_go_on_after_each_kind_of_restart(tmp_path: Path, url: str, server: PostgresServer) -> None:
    with new_cluster(tmp_path, url) as cluster:
        cluster.start(2)
        cluster.at(1)
        cluster.at(2)
        cluster.settle()
        for number, mode, point in RESTARTS if LONG_FORM else RESTARTS[:2]:
            # One is in the middle of something when the server goes, and comes back to find it gone.
            trap = cluster.trap("STOP", point)
            cluster.at(number)
            struck = cluster.struck(trap)
            restart(server, mode)
            os.kill(struck, signal.SIGCONT)
            cluster.stopped.add(struck)
            # Whatever was under way is done again, and all that is due: within a minute.
            assert cluster.settle() < PATIENCE_S
        assert all(1 in worker.exits for worker in cluster.workers)
        assert len(cluster.play.trial.world.registrations()) >= (4 if LONG_FORM else 1)
        cluster.check()
        assert cluster.stop() == [0, 0]


@pytest.mark.parametrize("mode", MODES)
def test_the_local_engine_goes_on_at_its_next_start(start: Start, url: str, server: PostgresServer, mode: str) -> None:
    trial = start(of_fate(Fate.LATE_OPEN), url=url)
    trial.write_config()
    prepare(url)
    trial.drop_orders()
    trial.clock_at(at(day(2)))
    first = Daemon(trial)
    try:
        wait_for(first, lambda: len(trial.told()) == 1)
        trial.clock_at(at(day(6)))
        restart(server, mode)
        assert first.process.wait(PATIENCE_S) == 1
    finally:
        first.process.kill()
    assert first.of("engine.lock_lost") and all("exception" not in line for line in first.found)
    begun = time.monotonic()
    second = Daemon(trial)
    try:
        wait_for(second, lambda: len(trial.told()) == 2 and bool(trial.world.registrations()))
        assert time.monotonic() - begun < PATIENCE_S
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(PATIENCE_S) == 0
    finally:
        second.process.kill()
    check_once(trial)


def wait_for(daemon: Daemon, holds: Callable[[], bool]) -> None:
    wait(holds, lambda: str(daemon.found[-8:]))


def check_once(trial: Trial) -> None:
    assert set(mails(trial).values()) == {1}
    assert [len(protocols) for protocols in trial.world.registrations().values()] == [1]
