"""Engines on one PostgreSQL share their lanes: each runs once, a dead one's go on elsewhere, a late word counts no more."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import insert, select

from tests.engine.support import NOW, Gate, Script
from tests.support.schema import prepare
from tracker.clock import FrozenClock
from tracker.engine.base import Lane
from tracker.engine.cluster.engine import ProcrastinateEngine
from tracker.engine.cluster.worker import Times, end_tasks
from tracker.store import engine_rows, queue_schema
from tracker.store.database import Database
from tracker.store.leases import free_held_by, hold_as, new_token
from tracker.store.tables import CarrierToken, EngineLane, EngineWorker, Signal, table

pytestmark = pytest.mark.anyio
FAST = Times(heartbeat=0.2, dead_after=1.5, rescue=0.2, plan=0.05, fetch=0.1, again=1.0)
CALM = replace(FAST, dead_after=20.0)
"""Where nobody dies, nobody is to be taken for dead on a busy machine."""
PATIENCE_S = 20.0


async def until(holds: Callable[[], Any]) -> None:
    """Let the loop turn until it holds."""
    ends = asyncio.get_running_loop().time() + PATIENCE_S
    while not holds():
        assert asyncio.get_running_loop().time() < ends, "it did not come to that"
        await asyncio.sleep(0.01)


@pytest.fixture
def url(postgres_url: str) -> str:
    prepare(postgres_url)
    queue_schema.upgrade(postgres_url)
    return postgres_url


@pytest.fixture
def outside(url: str) -> Any:
    database = Database(url)
    yield database
    database.close()


def engine_of(url: str, *lanes: Lane, times: Times = CALM) -> ProcrastinateEngine:
    return ProcrastinateEngine(lanes, url=url, clock=FrozenClock(NOW), times=times)


@asynccontextmanager
async def running(*engines: ProcrastinateEngine) -> AsyncIterator[None]:
    for engine in engines:
        await engine.start()
    try:
        yield
    finally:
        for engine in engines:
            engine.hasten()
        await asyncio.gather(*(engine.drain(5) for engine in engines))


def rows(database: Database, model: Any = EngineLane) -> list[dict[str, Any]]:
    with database.begin_read() as connection:
        return [dict(row) for row in connection.execute(select(table(model))).mappings()]


def lane_row(database: Database, name: str) -> dict[str, Any]:
    return next(row for row in rows(database) if row["name"] == name)


async def test_two_engines_run_a_lane_once_at_a_time_and_both_get_their_share(url: str) -> None:
    inside = most = 0
    turns: dict[str, int] = {"a": 0, "b": 0}

    def body(who: str) -> Callable[[datetime], Any]:
        async def run(_now: datetime) -> int:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            turns[who] += 1
            await asyncio.sleep(0.01)
            inside -= 1
            return 0

        return run

    engines = [engine_of(url, Lane("poll:x", body(who), 0.05)) for who in ("a", "b")]
    async with running(*engines):
        await until(lambda: turns["a"] > 2 and turns["b"] > 2)
    assert most == 1


async def test_what_a_lane_remembers_of_its_own_runs_goes_when_another_has_run_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def lane(who: str) -> Lane:
        async def run(_now: datetime) -> int:
            said.append(who)
            return 0

        return Lane("messages:email", run, 0.05, forget=lambda: said.append(f"{who} forgets"))

    async with AsyncExitStack() as machines:
        for who in ("a", "b"):
            monkeypatch.setattr(socket, "gethostname", lambda who=who: who)
            await machines.enter_async_context(running(engine_of(url, lane(who))))
        await until(lambda: {"a", "b"} <= set(said[-20:]) and len(said) > 40)
    runs = [(place, word) for place, word in enumerate(said) if word in {"a", "b"}]
    for (before, one), (after, other) in pairwise(runs):
        assert said[before + 1 : after] == ([f"{other} forgets"] if one != other else []), said


async def test_work_done_calls_for_the_lanes_to_the_right_and_not_for_those_to_the_left(url: str) -> None:
    left, middle, right = Script("left"), Script("middle", [0, 5]), Script("right")
    engine = engine_of(url, left.lane, middle.lane, right.lane)
    async with running(engine):
        await until(lambda: left.seen and middle.seen and right.seen)
        before = len(left.seen), len(right.seen)
        engine.kick("middle")
        await until(lambda: len(right.seen) > before[1])
    assert len(left.seen) == before[0]
    assert all(seen == NOW for seen in right.seen)


async def test_work_that_comes_while_a_lane_runs_makes_one_more_run(url: str) -> None:
    gate = Gate("poll")
    engine = engine_of(url, gate.lane)
    async with running(engine):
        await until(lambda: gate.started == 1)
        engine.kick("poll")
        await until(lambda: not engine._kicks)
        gate.go.set()
        await until(lambda: gate.ended == 2)
    assert gate.most_inside == 1


async def test_a_lane_that_fails_waits_and_holds_nobody_up(url: str, outside: Database) -> None:
    broken, sound = Script("broken", [RuntimeError("no")] * 50), Script("sound", every_s=0.05)
    engine = engine_of(url, broken.lane, sound.lane)
    async with running(engine):
        await until(lambda: len(sound.seen) > 5 and lane_row(outside, "broken")["failures"])
        row = lane_row(outside, "broken")
        assert (len(broken.seen), row["failures"], row["outcome"], row["error"]) == (1, 1, "failed", "RuntimeError")
        # Five seconds and more: new work does not mend what is broken.
        engine.kick("broken")
        assert row["next_run_at"] - row["ended_at"] >= timedelta(seconds=5)
        await until(lambda: engine.health().lanes[0].failures == 1)
        assert engine.health().is_alive
    assert len(broken.seen) == 1


async def test_new_lanes_begin_afresh_and_old_runs_go_to_their_end(url: str) -> None:
    old, kept = Gate("old"), Gate("kept")
    engine = engine_of(url, old.lane, kept.lane)
    async with running(engine):
        await until(lambda: old.started and kept.started)
        fresh, again = Script("new"), Gate("kept")
        going = engine.replace_lanes([fresh.lane, again.lane])
        await until(lambda: fresh.seen)
        assert len(going) == 2 and again.started == 0
        old.go.set()
        kept.go.set()
        await asyncio.wait(going, timeout=5)
        await until(lambda: again.started == 1)
        again.go.set()
    assert (old.ended, kept.ended, old.started) == (1, 1, 1)


async def test_a_stop_lets_the_item_at_hand_finish_and_leaves_no_lane_locked(url: str, outside: Database) -> None:
    quick, slow = Gate("quick"), Gate("slow")
    engine = engine_of(url, quick.lane, slow.lane)
    await engine.start()
    await until(lambda: quick.started and slow.started)
    asyncio.get_running_loop().call_later(0.1, quick.go.set)
    assert await engine.drain(0.5) == ("slow",)
    assert {row["name"]: (row["holder"], row["outcome"]) for row in rows(outside)} == {
        "quick": ("", "done"),
        "slow": ("", "cut_off"),
    }
    assert rows(outside, EngineWorker) == []
    other = Script("slow")
    async with running(engine_of(url, other.lane)):
        await until(lambda: other.seen)


class Dead:
    """An engine that dies at once, as by kill -9: nothing of it is put down, and no sign of life comes any more."""

    def __init__(self, engine: ProcrastinateEngine) -> None:
        self.engine = engine

    async def die(self) -> None:
        worker = self.engine._worker
        parts = [*worker._parts, worker._fetching, self.engine._planner]
        await end_tasks([part for part in parts if part is not None])


async def test_a_dead_engine_s_lanes_and_leases_go_on_elsewhere(url: str, outside: Database) -> None:
    held, other = Gate("poll"), Script("poll", every_s=0.3)
    dying = engine_of(url, held.lane, times=FAST)
    await dying.start()
    await until(lambda: held.started)
    holder = dying._worker.me.holder
    with outside.begin_write() as connection:
        connection.execute(insert(table(EngineWorker)), {**_worker("other-machine"), "holder": "gone"})
    token = new_token()
    assert token.startswith(f"{holder}-")
    await Dead(dying).die()
    living = engine_of(url, other.lane, times=FAST)
    async with running(living):
        await until(lambda: other.seen)
        row = lane_row(outside, "poll")
        assert row["failures"] == 0
        assert {row["holder"] for row in rows(outside, EngineWorker)} == {living._worker.me.holder}
        raised = [row for row in rows(outside, Signal) if row["kind"] == "machine_lost" and row["raised"]]
        # This machine still works: only the one that is silent altogether is worth an alert.
        assert [row["key"] for row in raised] == ["machine:other-machine"]
    held.go.set()
    dying.hasten()
    await dying.drain(1)


def _worker(host: str) -> dict[str, Any]:
    long_ago = NOW - timedelta(days=1)
    row = engine_rows.WorkerRow("x", "procrastinate", "daemon", host, 7, None, long_ago, long_ago, ())
    return {name: getattr(row, name) for name in engine_rows.WorkerRow.__slots__} | {"lanes": []}


async def test_one_that_was_only_stopped_cuts_off_its_runs_and_comes_back_as_another(
    url: str, outside: Database
) -> None:
    held, other = Gate("poll"), Gate("poll")
    stopped, living = engine_of(url, held.lane, times=FAST), engine_of(url, other.lane, times=FAST)
    await stopped.start()
    await until(lambda: held.started)
    before = stopped._worker.me.holder
    await Dead(stopped).die()
    await living.start()
    await until(lambda: other.started)
    # Now it goes on: its beat finds that it was taken for dead.
    await stopped._worker._beat()
    assert (held.inside, held.ended) == (0, 0)
    assert stopped._worker.me.holder != before
    row = lane_row(outside, "poll")
    assert row["holder"] == living._worker.me.holder
    assert len(rows(outside, EngineWorker)) == 2
    other.go.set()
    for engine in (stopped, living):
        engine.hasten()
        await engine.drain(5)


async def test_a_run_that_is_cut_off_twice_still_lets_its_lane_go(url: str, outside: Database) -> None:
    gate = Gate("poll")
    engine = engine_of(url, gate.lane)
    async with running(engine):
        await until(lambda: gate.started == 1)
        worker = engine._worker
        finish, asked = worker.queue.finish, asyncio.Event()

        async def finish_slowly(job_id: int, *, well: bool) -> bool:
            asked.set()
            await asyncio.sleep(0.2)
            return await finish(job_id, well=well)

        worker.queue.finish = finish_slowly  # type: ignore[method-assign]
        runs = list(worker.runs.values())
        first = asyncio.create_task(worker._cut(runs))
        await asked.wait()
        await worker._cut(runs)
        await first
        worker.queue.finish = finish  # type: ignore[method-assign]
        await until(lambda: gate.started == 2)
        gate.go.set()


async def test_what_was_given_and_never_heard_of_is_let_go(url: str, outside: Database) -> None:
    """The queue's answer was lost on its way, or a run was cut off in the moment it was written down."""
    lane = Script("poll")
    engine = engine_of(url, lane.lane)
    async with running(engine):
        await until(lambda: lane.seen)
        await until(lambda: not engine._worker.runs)
        worker = engine._worker
        await worker.rest()
        await worker.queue.defer("poll")
        job = await worker.queue.fetch(["poll"], worker.me.queue_worker or 0)
        assert job is not None
        with outside.begin_write() as connection:
            engine_rows.begin(connection, "poll", worker.me, job.id)
        await until(lambda: lane_row(outside, "poll")["outcome"] == "lost")
        assert await worker.queue.defer("poll")
        assert await worker.queue.fetch(["poll"], worker.me.queue_worker or 0) is not None


async def test_a_lane_of_a_folder_runs_once_for_each_mark(url: str) -> None:
    here, there = Gate("intake:inbox"), Gate("intake:inbox")
    one = engine_of(url, replace(here.lane, place="mark1"))
    two = engine_of(url, replace(there.lane, place="mark2"))
    async with running(one, two):
        await until(lambda: here.started and there.started)
        here.go.set()
        there.go.set()


async def test_a_stalled_call_with_a_waiting_twin_does_not_lock_its_lane(url: str, outside: Database) -> None:
    held, other = Gate("poll"), Script("poll", every_s=3600)
    dying = engine_of(url, held.lane, times=FAST)
    await dying.start()
    await until(lambda: held.started)
    await dying._worker.queue.defer("poll")
    await Dead(dying).die()
    async with running(engine_of(url, other.lane, times=FAST)):
        await until(lambda: other.seen)
    held.go.set()
    dying.hasten()
    await dying.drain(1)


def test_the_leases_of_the_dead_are_freed_and_those_of_the_living_are_not(database: Database) -> None:
    tokens = table(CarrierToken)
    try:
        with database.begin_write() as connection:
            for holder in ("aa", "bb", ""):
                hold_as(holder)
                lease = {"lease_token": new_token(), "lease_until": NOW}
                connection.execute(insert(tokens), {"carrier": f"of {holder}", **lease})
            assert free_held_by(connection, []) == 0
            assert free_held_by(connection, ["aa", "cc"]) == 1
            held = select(tokens.c.carrier).where(tokens.c.lease_token.is_not(None))
            assert set(connection.execute(held).scalars()) == {"of bb", "of "}
    finally:
        hold_as("")
