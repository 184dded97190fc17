from __future__ import annotations

from datetime import datetime

import pytest
from structlog.testing import capture_logs

from tests.engine.support import NOW, Script
from tracker.engine.base import Lane
from tracker.engine.once import run_once


@pytest.mark.anyio
async def test_rounds_go_on_until_one_is_quiet_and_the_time_stands_still() -> None:
    left, right = Script("intake", [3, 1]), Script("poll", [0, 0, 7])
    result = await run_once([left.lane, right.lane], NOW)
    assert (result.exit_code, result.rounds, result.worked) == (0, 4, {"intake": 4, "poll": 7})
    assert set(left.seen + right.seen) == {NOW}


@pytest.mark.anyio
async def test_lanes_run_from_left_to_right() -> None:
    order: list[str] = []

    def lane(name: str) -> Lane:
        async def run(_now: datetime) -> int:
            order.append(name)
            return 0

        return Lane(name, run, 60)

    await run_once([lane("intake"), lane("detect"), lane("alerts")], NOW)
    assert order == ["intake", "detect", "alerts"]


@pytest.mark.anyio
async def test_a_lane_that_raises_is_left_out_and_the_others_go_on() -> None:
    broken, sound = Script("poll", [ValueError("Maria da Silva"), 5]), Script("detect", [2, 2])
    with capture_logs() as logs:
        result = await run_once([broken.lane, sound.lane], NOW)
    assert (result.exit_code, result.failed, result.busy) == (1, ("poll",), ())
    assert (len(broken.seen), result.worked) == (1, {"detect": 4})
    failure = next(line for line in logs if line["event"] == "lane.failed")
    assert (failure["lane"], failure["family"], failure["error"]) == ("poll", "poll family", "ValueError")
    assert isinstance(failure["exc_info"], ValueError)


@pytest.mark.anyio
async def test_work_that_never_ends_is_named_after_twenty_rounds() -> None:
    endless, once = Script("messages", [1] * 50), Script("alerts", [1])
    with capture_logs() as logs:
        result = await run_once([endless.lane, once.lane], NOW)
    assert (result.exit_code, result.rounds, result.busy) == (1, 20, ("messages",))
    assert len(endless.seen) == 20
    assert [line["lanes"] for line in logs if line["event"] == "pass.unsettled"] == [["messages"]]


@pytest.mark.anyio
async def test_the_twentieth_round_may_be_the_quiet_one() -> None:
    lane = Script("messages", [1] * 19)
    result = await run_once([lane.lane], NOW)
    assert (result.exit_code, result.rounds, result.busy) == (0, 20, ())


@pytest.mark.anyio
async def test_what_was_still_arriving_calls_for_another_round() -> None:
    lane = Script("intake", [0, 4])
    answers = [True, False]

    async def settled() -> bool:
        return answers.pop(0)

    result = await run_once([lane.lane], NOW, wait_settled=settled)
    assert (result.exit_code, result.worked, answers) == (0, {"intake": 4}, [])


@pytest.mark.anyio
async def test_no_lanes_are_no_work() -> None:
    assert (await run_once([], NOW)).exit_code == 0


@pytest.mark.anyio
async def test_two_lanes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="poll"):
        await run_once([Script("poll").lane, Script("poll").lane], NOW)


@pytest.mark.parametrize(
    ("name", "every_s", "stuck_s"), [("", 1, 1), ("x", 0, 1), ("x", 1, -1)], ids=["no name", "no pace", "no bound"]
)
def test_a_lane_without_sense_is_refused(name: str, every_s: float, stuck_s: float) -> None:
    with pytest.raises(ValueError, match="a lane needs"):
        Lane(name, Script("x").run, every_s, stuck_after_seconds=stuck_s)
