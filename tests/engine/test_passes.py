"""`run --once` where the lanes are shared: two passes at once find all the work once, and each ends when nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from tests.engine.support import NOW, Script
from tests.engine.test_cluster import CALM, FAST, engine_of, outside, rows, running, until, url
from tracker.engine.base import Lane
from tracker.engine.cluster.passes import shared_pass
from tracker.engine.cluster.worker import Times
from tracker.engine.once import OnceResult, run_once
from tracker.store.database import Database
from tracker.store.tables import EngineWorker

__all__ = ["outside", "url"]
pytestmark = pytest.mark.anyio


async def a_pass(url: str, lanes: Sequence[Lane], times: Times = CALM) -> OnceResult:
    async with shared_pass(lanes, url=url, now=NOW, times=times) as shared:
        return await run_once(shared, NOW)


class Work:
    """Rows that several processes take from, a few at a time; each lane makes work for the one after it."""

    def __init__(self, stages: int, rows: int) -> None:
        self.left = [rows] + [0] * (stages - 1)
        self.inside = [0] * stages
        self.most_inside = 0
        self.by: dict[str, int] = {}

    def lanes(self, who: str) -> list[Lane]:
        def body(stage: int) -> Any:
            async def run(now: datetime) -> int:
                assert now == NOW
                self.inside[stage] += 1
                self.most_inside = max(self.most_inside, self.inside[stage])
                await asyncio.sleep(0.01)
                taken = min(self.left[stage], 3)
                self.left[stage] -= taken
                if stage + 1 < len(self.left):
                    self.left[stage + 1] += taken
                self.by[who] = self.by.get(who, 0) + taken
                self.inside[stage] -= 1
                return taken

            return run

        return [Lane(f"stage{stage}", body(stage), 30) for stage in range(len(self.left))]


async def test_two_passes_at_once_share_the_work_and_leave_none(url: str, outside: Database) -> None:
    work = Work(3, 10)
    one, two = await asyncio.gather(a_pass(url, work.lanes("a")), a_pass(url, work.lanes("b")))
    assert work.left == [0, 0, 0]
    assert work.most_inside == 1
    assert (one.exit_code, two.exit_code) == (0, 0)
    assert sum(work.by.values()) == 30
    assert rows(outside, EngineWorker) == []


async def test_a_lane_that_fails_is_left_out_of_the_pass_and_says_why(url: str) -> None:
    broken, sound = Script("broken", [RuntimeError("no")] * 9), Script("sound", [2])
    result = await a_pass(url, [broken.lane, sound.lane])
    assert (result.failed, dict(result.worked), result.exit_code) == (("broken",), {"sound": 2}, 1)
    assert len(broken.seen) == 1


async def test_a_pass_beside_a_daemon_waits_for_what_that_runs(url: str) -> None:
    there, here = Script("poll", [0, 4]), Script("poll")
    async with running(engine_of(url, there.lane)):
        await until(lambda: there.seen)
        result = await a_pass(url, [here.lane])
    assert result.exit_code == 0
    # Whoever was quicker ran it: all that was found is known to the pass.
    assert len(there.seen) + len(here.seen) >= 2


async def test_a_pass_takes_over_from_one_that_died(url: str) -> None:
    gone, lane = asyncio.Event(), Script("poll", [1])

    async def hang(_now: datetime) -> int:
        gone.set()
        await asyncio.Event().wait()
        return 0

    dead = asyncio.create_task(a_pass(url, [Lane("poll", hang, 30)], FAST))
    await gone.wait()
    waiting = asyncio.create_task(a_pass(url, [lane.lane], FAST))
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    assert dict((await asyncio.wait_for(waiting, 20)).worked) == {"poll": 1}
