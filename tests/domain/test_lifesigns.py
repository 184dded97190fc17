"""Whether the lanes run: by monotonic seconds."""

from __future__ import annotations

import pytest

from tracker.domain.lifesigns import Judgement, LaneLife, Sign, judge

NOW = 100_000.0


def lane(called: float, *, running: float | None = None, failing: float | None = None, every: float = 30.0) -> LaneLife:
    """So many seconds ago."""
    return LaneLife(
        name="poll",
        every_s=every,
        stuck_after_s=21_600.0,
        called_s=NOW - called,
        running_since_s=None if running is None else NOW - running,
        failing_since_s=None if failing is None else NOW - failing,
    )


@pytest.mark.parametrize(
    ("life", "sign"),
    [
        pytest.param(lane(20), Sign.WELL, id="it ran a moment ago"),
        pytest.param(lane(900), Sign.WELL, id="it waits its fifteen minutes after a failure"),
        pytest.param(lane(1_000), Sign.HANGING, id="nobody calls it any more"),
        pytest.param(lane(1_500, every=600), Sign.WELL, id="it is looked at every ten minutes only"),
        pytest.param(lane(9_000, running=8_000), Sign.WELL, id="long, honest work"),
        pytest.param(lane(30_000, running=22_000), Sign.HANGING, id="one run never ends"),
        pytest.param(lane(60, failing=600), Sign.WELL, id="it fails since ten minutes"),
        pytest.param(lane(60, failing=1_800), Sign.FAILING, id="it fails since half an hour"),
    ],
)
def test_one_lane(life: LaneLife, sign: Sign) -> None:
    assert judge([lane(5), life], NOW) == Judgement(sign, () if sign is Sign.WELL else ("poll",))


def test_nothing_is_said_while_one_hangs_and_another_fails() -> None:
    assert judge([lane(60, failing=2_000), lane(30_000, running=22_000)], NOW).sign is Sign.HANGING
