from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tracker.engine.base import Health, LaneHealth
from tracker.web.health import readiness

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def lane(
    name: str = "poll:a",
    *,
    running_s: float | None = None,
    ended: bool = True,
    failures: int = 0,
    stuck: bool = False,
    overdue: bool = False,
) -> LaneHealth:
    return LaneHealth(name, running_s, NOON if ended else None, failures, stuck, overdue)


@pytest.mark.parametrize(
    ("lanes", "database", "stopping", "faults"),
    [
        pytest.param([lane()], None, False, [], id="all well"),
        pytest.param([], None, False, [], id="a configuration without lanes"),
        pytest.param([lane(ended=False, running_s=1800.0)], None, False, [], id="the first run is long"),
        pytest.param([lane(ended=False)], None, False, ["it had no turn yet"], id="just started"),
        pytest.param([lane(ended=False)], None, True, ["it is stopping"], id="stopped before its first turn"),
        pytest.param([lane(failures=2)], None, False, [], id="two failures may pass"),
        pytest.param([lane(failures=3)], None, False, ["it failed 3 times in a row"], id="it keeps failing"),
        pytest.param(
            [lane(), lane("claims", running_s=21601.0, stuck=True)],
            None,
            False,
            ["one run takes 21601 s already, longer than its bound"],
            id="a lane hangs",
        ),
        pytest.param(
            [lane(), lane("claims", overdue=True)], None, False, ["it is not called any more"], id="a lane is forgotten"
        ),
        pytest.param(
            [lane(overdue=True), lane("claims", overdue=True)],
            None,
            False,
            ["no lane gets its turn"],
            id="the scheduler stands still",
        ),
        pytest.param([lane()], "no answer within 5 s", False, ["no answer within 5 s"], id="no database"),
    ],
)
def test_what_is_not_ready_is_named(
    lanes: list[LaneHealth], database: str | None, stopping: bool, faults: list[str]
) -> None:
    found = readiness(Health(tuple(lanes)), database, is_stopping=stopping)
    assert [fault["why"] for fault in found["faults"]] == faults
    assert found["ready"] is (not faults)
