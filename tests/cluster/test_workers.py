"""Workers on one PostgreSQL: killed while polling, filing and sending, stopped and coming back, cut off, restarted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.chaos.ending import ending, timeless
from tests.chaos.play import HOURS, PARCELS, new_play
from tests.cluster.play import new_cluster, wait
from tests.end_to_end.test_server_away import end_sessions
from tests.support.postgres import PostgresServer
from tracker.engine.lock import APPLICATION_PREFIX
from tracker.sandbox.plan import Verdict

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
LONG_FORM = bool(os.environ.get("CLUSTER_LONG"))
SEED = int(os.environ.get("CLUSTER_SEED", "1"))
POINTS = (
    "http.before:GET /srorastro*",
    "http.after:GET /srorastro*",
    "http.before:POST *cadastra",
    "http.after:POST *cadastra",
    "http.after:GET *acompanha",
    "smtp.mail.before",
    "smtp.data.before:*",
    "smtp.text.written:*",
    "smtp.dot.after:*",
    "file.before:done",
    "file.after:done",
    "commit.before:*claim_steps=calling*",
    "commit.after:*claim_steps=calling*",
    "commit.before:*claim_steps=done*",
    "commit.before:deliveries=sending*",
    "commit.after:deliveries=sending*",
    "commit.before:*events*",
    "commit.after:*problems*",
    "commit.before:*engine_lanes*",
    "commit.after:*engine_lanes*",
)
STRUCK_DAYS = int(os.environ.get("CLUSTER_DAYS", "18"))
LONG_DAYS = max(30, STRUCK_DAYS + 12)
"""Without traps the rest: so long the last story takes to its end."""


def to_the_hour(told: Any) -> Any:
    """The same with every instant cut to its hour: what waits for a stopped worker is done some minutes later."""
    match told:
        case datetime():
            return told.replace(minute=0, second=0, microsecond=0)
        case tuple():
            return tuple(map(to_the_hour, told))
        case Counter():
            # Two that were apart by minutes alone stay two.
            return Counter(map(to_the_hour, told.elements()))
        case Mapping():
            return {to_the_hour(key): to_the_hour(value) for key, value in told.items()}
    return told


def differences(ended: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """What one ending has and the other has not, a line each."""
    found = []
    for part, facts in expected.items():
        here, there = ({repr(item) for item in (one or {}).items()} for one in (ended[part], facts))
        found += [f"{part}, only with strikes: {item}" for item in sorted(here - there)]
        found += [f"{part}, only without: {item}" for item in sorted(there - here)]
    return found


def cut_connections(server: PostgresServer, url: str) -> None:
    """End every session of this database but those that hold the engine's lock."""
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    sessions = "FROM pg_stat_activity WHERE datname = :name AND application_name NOT LIKE :lock"
    with admin.connect() as connection:
        values = {"name": make_url(url).database, "lock": f"{APPLICATION_PREFIX}%"}
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {sessions}"), values)
    admin.dispose()


def test_two_workers_through_kills_stops_and_cuts(
    tmp_path: Path, postgres_url: str, postgres_server: PostgresServer
) -> None:
    with new_cluster(tmp_path, postgres_url) as cluster:
        cluster.start(2)
        cluster.at(1)
        for number, hour, points in (
            (2, 9, ("http.after:GET /srorastro*", "smtp.text.written:*")),
            (5, 15, ("http.after:POST *cadastra",)),
        ):
            traps = [cluster.trap("KILL", point) for point in points]
            cluster.at(number, hour)
            cluster.settle()
            assert all(trap.exists() for trap in traps)
        for number, point in ((8, "http.before:POST *cadastra"), (10, "smtp.data.after:*")):
            trap = cluster.trap("STOP", point)
            cluster.at(number)
            cluster.taken_for_dead(cluster.struck(trap))
            cluster.settle()
        # A server that is restarted ends every session: the workers end with theirs, and go on at their next start.
        exits = [len(worker.exits) for worker in cluster.workers]
        end_sessions(postgres_server, postgres_url)
        cluster.at(10, 15)
        wait(lambda: all(w.process.poll() == 1 for w in cluster.workers), cluster.said)
        cluster.settle()
        assert [worker.exits[n:] for n, worker in zip(exits, cluster.workers, strict=True)] == [[1], [1]]
        # A connection that breaks is replaced: nobody has to be started again.
        pids = [worker.process.pid for worker in cluster.workers]
        cut_connections(postgres_server, postgres_url)
        cluster.at(11)
        cluster.settle()
        assert [worker.process.pid for worker in cluster.workers] == pids
        assert len(cluster.play.trial.world.registrations()) >= 6
        cluster.check()
        assert all(cluster.shares()[pid] for pid in pids)
        assert cluster.stop() == [0, 0]
        assert cluster.living() == []


@pytest.mark.skipif(not LONG_FORM, reason="the long form: make cluster")
def test_four_workers_through_weeks_of_kills_and_stops(
    tmp_path: Path, postgres_url: str, postgres_server: PostgresServer
) -> None:
    """Two traps each half day at points drawn by CLUSTER_SEED, cuts among them; calm days follow, and all is as without."""
    rng = Random(f"cluster {SEED}")
    # A paid claim's indemnity shows in tracking, on a day that depends on the filing's: these are all accepted only.
    parcels = tuple(replace(parcel, verdict=Verdict.ACCEPTED) for parcel in PARCELS)
    with new_play(tmp_path / "calm", parcels=parcels) as calm:
        calm.days(days=LONG_DAYS)
        expected = to_the_hour(timeless(ending(calm.trial)))
    with new_cluster(tmp_path / "cluster", postgres_url, parcels) as cluster:
        cluster.start(4)
        for number in range(1, LONG_DAYS + 1):
            for hour, minute in HOURS:
                if number <= STRUCK_DAYS:
                    for _ in range(2):
                        cluster.trap(rng.choice(("KILL", "STOP")), rng.choice(POINTS))
                    if rng.random() < 0.2:
                        rng.choice((cut_connections, end_sessions))(postgres_server, postgres_url)
                else:
                    cluster.disarm()
                cluster.at(number, hour, minute)
                cluster.settle()
        cluster.check()
        assert cluster.strikes() >= STRUCK_DAYS
        ended = to_the_hour(timeless(ending(cluster.play.trial)))
        assert differences(ended, expected) == []
