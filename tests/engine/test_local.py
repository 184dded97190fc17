from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from structlog.testing import capture_logs

from tests.engine.support import NOW, Gate, Script, Time, until
from tracker.clock import FrozenClock
from tracker.engine.base import MAX_BACKOFF_S, MIN_BACKOFF_S, Lane
from tracker.engine.local import LocalEngine, _Pace
from tracker.metrics import REGISTRY

pytestmark = pytest.mark.anyio


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Both clocks of the machine, also as APScheduler sees them."""
    time = Time()

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return time.now().astimezone(tz)

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Shifted)
    return time


def engine_of(lanes: Sequence[Lane], time: Time, clock_check_s: float = 3600.0) -> LocalEngine:
    return LocalEngine(
        lanes,
        clock=FrozenClock(NOW),
        wall=time,
        monotonic=time.monotonic,
        uniform=lambda low, high: low,
        clock_check_s=clock_check_s,
    )


@asynccontextmanager
async def running(engine: LocalEngine) -> AsyncIterator[None]:
    await engine.start()
    try:
        yield
    finally:
        engine.hasten()
        await engine.drain(0)


async def test_a_lane_is_run_again_and_again_at_the_clock_s_time(time: Time) -> None:
    script = Script("alerts", every_s=0.01)
    async with running(engine_of([script.lane], time)):
        for _ in range(3):
            await script.next_run()
    assert set(script.seen) == {NOW}


async def test_work_in_one_lane_calls_those_to_its_right(time: Time) -> None:
    left, middle, right = Script("intake", [0, 5]), Script("poll"), Script("detect")
    engine = engine_of([left.lane, middle.lane, right.lane], time)
    async with running(engine):
        await until(lambda: len(left.seen) == len(middle.seen) == len(right.seen) == 1)
        engine.kick("poll")
        await until(lambda: len(middle.seen) == 2)
        assert (len(left.seen), len(right.seen)) == (1, 1)
        engine.kick("intake")
        await until(lambda: len(middle.seen) == 3 and len(right.seen) == 2)
    assert len(left.seen) == 2


async def test_a_lane_never_runs_twice_at_once_and_a_kick_meanwhile_is_not_lost(time: Time) -> None:
    gate = Gate("poll", every_s=0.01)
    engine = engine_of([gate.lane], time)
    async with running(engine):
        await gate.entered.wait()
        beside = Script("x", every_s=0.01)
        engine.replace_lanes([gate.lane, beside.lane])
        for _ in range(3):
            await beside.next_run()
        assert (gate.started, gate.most_inside) == (1, 1)
    slow = Gate("poll", every_s=3600)
    engine = engine_of([slow.lane], time)
    async with running(engine):
        await slow.entered.wait()
        engine.kick("poll")
        slow.go.set()
        await until(lambda: slow.started == 2)
    assert slow.most_inside == 1


async def test_a_failure_is_logged_and_holds_back_that_lane_only(time: Time) -> None:
    broken, sound = Script("poll", [RuntimeError("no")] * 3), Script("detect", every_s=0.01)
    engine = engine_of([broken.lane, sound.lane], time)
    with capture_logs() as logs:
        async with running(engine):
            await until(lambda: engine.health().lanes[0].failures == 1)
            engine.kick("poll")
            for _ in range(3):
                await sound.next_run()
            assert engine.health().is_alive
    assert len(broken.seen) == 1, "a kick does not cut the waiting time of what is broken"
    failure = next(line for line in logs if line["event"] == "lane.failed")
    assert (failure["lane"], failure["attempt"], failure["error"]) == ("poll", 1, "RuntimeError")
    assert isinstance(failure["exc_info"], RuntimeError)


async def test_waiting_times_double_to_a_limit_and_end_with_a_success(time: Time) -> None:
    script = Script("poll", [*[RuntimeError("no")] * 12, 0], every_s=1)
    engine = engine_of([script.lane], time)
    with capture_logs() as logs:
        async with running(engine):
            for count in range(1, 14):
                await until(lambda count=count: len(script.seen) == count and not engine._slots["poll"].is_running)
                engine._look_in(engine._slots["poll"], 0)
    waits = [line["wait_s"] for line in logs if line["event"] == "lane.failed"]
    assert waits[:3] == [MIN_BACKOFF_S, 2 * MIN_BACKOFF_S, 4 * MIN_BACKOFF_S]
    assert waits[-1] == MAX_BACKOFF_S
    assert [line["failures"] for line in logs if line["event"] == "lane.recovered"] == [12]


async def test_a_rare_lane_does_not_come_sooner_because_it_failed(time: Time) -> None:
    script = Script("retention", [RuntimeError("no")], every_s=86_400)
    with capture_logs() as logs:
        async with running(engine_of([script.lane], time)):
            await until(lambda: any(line["event"] == "lane.failed" for line in logs))
    assert next(line["wait_s"] for line in logs if line["event"] == "lane.failed") == 86_400


async def test_a_cancellation_from_inside_a_lane_is_a_failure_like_any_other(time: Time) -> None:
    async def run(_now: datetime) -> int:
        raise asyncio.CancelledError

    engine = engine_of([Lane("poll", run, 3600)], time)
    async with running(engine):
        await until(lambda: engine.health().lanes[0].failures == 1)


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=-400)], ids=["an hour", "more than a year"])
async def test_a_clock_that_goes_back_does_not_stop_the_lanes(time: Time, jump: timedelta) -> None:
    script = Script("alerts", every_s=0.02)
    engine = engine_of([script.lane], time, clock_check_s=0.01)
    with capture_logs() as logs:
        async with running(engine):
            await script.next_run()
            time.shift = jump
            for _ in range(3):
                await script.next_run()
    assert [line["jump_s"] for line in logs if line["event"] == "clock.jumped"] == [
        pytest.approx(jump.total_seconds(), abs=1)
    ]


async def test_without_the_watcher_a_clock_that_went_back_does_stop_them(time: Time) -> None:
    """The trap itself: should APScheduler mend it one day, the watcher may go."""
    script, tenth_second = Script("alerts", every_s=0.02), asyncio.Event()
    engine = engine_of([script.lane], time)
    async with running(engine):
        await script.next_run()
        time.shift = timedelta(hours=-1)
        count = len(script.seen)
        asyncio.get_running_loop().call_later(0.1, tenth_second.set)
        await tenth_second.wait()
        assert len(script.seen) <= count + 1
        assert engine._scheduler.get_job("alerts").next_run_time - time.now() > timedelta(minutes=59)
        engine._mind_clock()
        await script.next_run()


async def test_a_lane_held_back_waits_out_its_time_over_a_jump(time: Time) -> None:
    broken = Script("poll", [RuntimeError("no")])
    engine = engine_of([broken.lane], time)
    async with running(engine):
        await until(lambda: engine.health().lanes[0].failures == 1)
        time.shift = timedelta(hours=-1)
        engine._mind_clock()
        rest = engine._scheduler.get_job("poll").next_run_time - time.now()
    assert timedelta(seconds=3590) < rest <= timedelta(seconds=3600)


async def test_a_clock_that_goes_forward_by_decades_does_not_hold_up_the_loop(time: Time) -> None:
    script = Script("alerts", every_s=0.02)
    async with running(engine_of([script.lane], time, clock_check_s=0.01)):
        await script.next_run()
        time.shift = timedelta(days=56 * 365)
        for _ in range(3):
            await script.next_run()


async def test_small_drifts_are_no_jumps(time: Time) -> None:
    engine = engine_of([Script("alerts").lane], time)
    with capture_logs() as logs:
        async with running(engine):
            time.shift = timedelta(seconds=-1.5)
            engine._mind_clock()
            time.shift = timedelta(seconds=-2.5)
            engine._mind_clock()
            engine._mind_clock()
    assert [line["jump_s"] for line in logs if line["event"] == "clock.jumped"] == [-2.5]


def test_jitter_is_small_and_bounded() -> None:
    drawn: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    now = datetime(2026, 11, 24, tzinfo=UTC)
    waits = [_Pace(every, highest).get_next_fire_time(None, now) - now for every in (10.0, 3600.0)]
    assert waits == [timedelta(seconds=11), timedelta(seconds=3605)]
    assert drawn == [(0, 1.0), (0, 5.0)]


async def test_health_tells_what_hangs_and_what_is_never_called(time: Time) -> None:
    hanging, fine = Gate("poll", stuck_after_s=100), Script("detect")
    engine = engine_of([hanging.lane, fine.lane], time)
    async with running(engine):
        await hanging.entered.wait()
        await until(lambda: engine.health().lanes[1].last_finished_at is not None)
        assert engine.health().is_alive
        time.extra_s = 101
        assert engine.health().ill == ("poll",)
        time.extra_s = 3600 + 70
        assert engine.health().ill == ("poll", "detect")
        assert not engine.health().is_alive
    assert engine.health().lanes[1].is_overdue is False, "once it stops, nobody is overdue"


async def test_drain_lets_the_work_at_hand_finish_and_starts_no_more(time: Time) -> None:
    gate, other = Gate("claims"), Script("alerts", every_s=0.01)
    stop = asyncio.Event()
    engine = LocalEngine([gate.lane, other.lane], clock=FrozenClock(NOW), stop=stop)
    await engine.start()
    await gate.entered.wait()
    drain = asyncio.create_task(engine.drain(5))
    await asyncio.wait_for(stop.wait(), 5)
    seen = len(other.seen)
    gate.go.set()
    assert await drain == ()
    assert (gate.ended, len(other.seen)) == (1, seen)
    assert not engine._scheduler.running


async def test_drain_cuts_off_at_the_deadline_and_says_whom(time: Time) -> None:
    gate = Gate("poll")
    engine = engine_of([gate.lane], time)
    with capture_logs() as logs:
        await engine.start()
        await gate.entered.wait()
        assert await engine.drain(0.01) == ("poll",)
    assert (gate.inside, gate.ended) == (0, 0)
    assert [line["lane"] for line in logs if line["event"] == "lane.cut_off"] == ["poll"]


async def test_each_end_of_a_run_is_counted_by_how_it_ended(time: Time) -> None:
    def runs(lane: str, outcome: str) -> float:
        return REGISTRY.get_sample_value("tracker_lane_runs_total", {"lane": lane, "outcome": outcome}) or 0

    sound, broken, gate = Script("counted", [7]), Script("counted broken", [RuntimeError("no")]), Gate("counted gate")
    engine = engine_of([sound.lane, broken.lane, gate.lane], time)
    await engine.start()
    await gate.entered.wait()
    await until(lambda: runs("counted broken", "failed") == 1)
    await engine.drain(0.01)
    assert runs("counted", "done") >= 1
    assert runs("counted gate", "cut_off") == 1
    assert REGISTRY.get_sample_value("tracker_lane_rows_total", {"lane": "counted"}) == 7


async def test_hasten_ends_the_waiting(time: Time) -> None:
    gate = Gate("poll")
    engine = engine_of([gate.lane], time)
    await engine.start()
    await gate.entered.wait()
    drain = asyncio.create_task(engine.drain(3600))
    await asyncio.sleep(0)
    engine.hasten()
    assert await asyncio.wait_for(drain, 5) == ("poll",)


async def test_an_engine_that_never_started_drains_at_once() -> None:
    assert await LocalEngine([], clock=FrozenClock(NOW)).drain(25) == ()


async def test_new_lanes_take_over_and_the_old_runs_can_be_awaited(time: Time) -> None:
    old, gone, new = Gate("poll"), Script("gone", every_s=0.01), Script("poll")
    engine = engine_of([old.lane, gone.lane], time)
    async with running(engine):
        await old.entered.wait()
        await gone.next_run()
        left = engine.replace_lanes([new.lane])
        assert {task.get_name() for task in left} >= {"lane poll"}
        assert [lane.name for lane in engine.health().lanes] == ["poll"]
        assert new.seen == [], "not beside the old run of that name"
        seen = len(gone.seen)
        old.go.set()
        await asyncio.wait(left)
        await until(lambda: len(new.seen) == 1)
        assert len(gone.seen) <= seen + 1


async def test_a_lane_taken_out_and_put_back_does_not_run_beside_its_old_run(time: Time) -> None:
    old, new = Gate("poll"), Script("poll", every_s=0.01)
    engine = engine_of([old.lane], time)
    async with running(engine):
        await old.entered.wait()
        engine.replace_lanes([])
        engine.replace_lanes([new.lane])
        beside = Script("x", every_s=0.01)
        engine.replace_lanes([new.lane, beside.lane])
        for _ in range(3):
            await beside.next_run()
        assert new.seen == []
        old.go.set()
        await until(lambda: len(new.seen) >= 1)


async def test_new_lanes_with_one_name_twice_change_nothing(time: Time) -> None:
    script = Script("poll", every_s=0.01)
    engine = engine_of([script.lane], time)
    async with running(engine):
        with pytest.raises(ValueError, match="poll"):
            engine.replace_lanes([Script("poll").lane, Script("poll").lane])
        await script.next_run()


async def test_lanes_given_before_the_start_count(time: Time) -> None:
    script = Script("later", every_s=0.01)
    engine = engine_of([], time)
    engine.replace_lanes([script.lane])
    async with running(engine):
        await script.next_run()
