"""Whether what a notice says still holds at the moment it leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.support import at, event, failed, fold_of, reversal
from tracker.domain.history import History
from tracker.domain.notices import (
    ToldProblem,
    still_true,
)
from tracker.domain.words import Trigger

Status = TrackingStatus
Kind = ProblemKind
POSTED = event(1, "2026-11-16 10:00", Status.POSTED)
MOVED = event(2, "2026-11-17 10:00", Status.IN_TRANSIT)
ON_ITS_WAY = fold_of(POSTED, MOVED)
DELIVERED = fold_of(POSTED, MOVED, event(9, "2026-11-27 11:00", Status.DELIVERED))
LOST = fold_of(POSTED, MOVED, event(9, "2026-11-27 10:00", Status.LOST, cause=Cause.LOSS))
RETURNING = fold_of(POSTED, MOVED, event(9, "2026-11-27 10:00", Status.RETURNING, cause=Cause.REFUSED))
RETURNED = fold_of(POSTED, MOVED, event(9, "2026-11-27 10:00", Status.RETURNED, cause=Cause.RETURN))


def problem(kind: Kind, since: str = "2026-11-27 10:00", **more: Any) -> ToldProblem:
    values: dict[str, Any] = {
        "id": 7,
        "episode": 1,
        "presumed": False,
        "customer_since": at(since) if kind is Kind.DELAY else None,
        "detected_at": at(since),
        "resolved_at": None,
    }
    return ToldProblem(kind=kind, since=at(since), **(values | more))


LATE = problem(Kind.DELAY, "2026-11-27 00:00")

ATTEMPTED = fold_of(POSTED, MOVED, failed(5, "2026-11-27 15:00"))
TAKEN_BACK = fold_of(POSTED, MOVED, event(9, "2026-11-27 11:00", Status.DELIVERED), reversal(10, "2026-11-27 12:00"))
OUT_AGAIN = fold_of(
    POSTED,
    MOVED,
    event(9, "2026-11-27 10:00", Status.RETURNING),
    event(10, "2026-11-28 08:00", Status.OUT_FOR_DELIVERY),
)
ENDED = at("2026-11-28 10:00")


@pytest.mark.parametrize(
    ("trigger", "history", "row", "expected"),
    [
        *(
            entry
            for trigger in (Trigger.DELAY_DETECTED, Trigger.INQUIRY_OPENED)
            for entry in (
                pytest.param(trigger, ON_ITS_WAY, LATE, True, id=f"{trigger.value}: still on its way"),
                pytest.param(trigger, ON_ITS_WAY, None, True, id=f"{trigger.value}: without a problem's row"),
                pytest.param(trigger, ATTEMPTED, LATE, False, id=f"{trigger.value}: the carrier came"),
                pytest.param(trigger, DELIVERED, LATE, False, id=f"{trigger.value}: it is here"),
                pytest.param(trigger, RETURNED, LATE, False, id=f"{trigger.value}: it is back"),
                pytest.param(
                    trigger,
                    ON_ITS_WAY,
                    replace(LATE, resolved_at=ENDED),
                    False,
                    id=f"{trigger.value}: the promise moved",
                ),
                pytest.param(
                    trigger,
                    LOST,
                    replace(LATE, resolved_at=ENDED),
                    False,
                    id=f"{trigger.value}: lost, which is told instead",
                ),
                pytest.param(
                    trigger,
                    RETURNING,
                    replace(LATE, resolved_at=ENDED),
                    False,
                    id=f"{trigger.value}: on its way back instead",
                ),
                pytest.param(
                    trigger,
                    ON_ITS_WAY,
                    replace(LATE, customer_since=None),
                    False,
                    id=f"{trigger.value}: late for the carrier only by now",
                ),
            )
        ),
        pytest.param(Trigger.POSTED, ON_ITS_WAY, None, True, id="posted: on its way"),
        pytest.param(Trigger.POSTED, DELIVERED, None, False, id="posted: here already"),
        pytest.param(Trigger.POSTED, RETURNING, None, False, id="posted: on its way back"),
        pytest.param(Trigger.LOSS_CONFIRMED, LOST, problem(Kind.LOSS), True, id="lost: still lost"),
        pytest.param(
            Trigger.LOSS_CONFIRMED, ON_ITS_WAY, problem(Kind.LOSS, resolved_at=ENDED), False, id="lost: found again"
        ),
        pytest.param(
            Trigger.DAMAGE,
            fold_of(POSTED, event(2, "2026-11-26 10:00", Status.DAMAGED, cause=Cause.DAMAGE)),
            problem(Kind.DAMAGE),
            True,
            id="damaged: on its way",
        ),
        pytest.param(
            Trigger.DAMAGE,
            fold_of(
                POSTED,
                event(2, "2026-11-26 10:00", Status.DAMAGED, cause=Cause.DAMAGE),
                event(3, "2026-11-27 10:00", Status.DELIVERED),
            ),
            problem(Kind.DAMAGE, resolved_at=ENDED),
            True,
            id="damaged: delivered as it is",
        ),
        pytest.param(
            Trigger.DAMAGE,
            ON_ITS_WAY,
            problem(Kind.DAMAGE, resolved_at=ENDED),
            False,
            id="damaged: taken back by the carrier",
        ),
        pytest.param(
            Trigger.RETURNED_TO_SENDER, RETURNING, problem(Kind.RETURNING), True, id="returning: on its way back"
        ),
        pytest.param(
            Trigger.RETURNED_TO_SENDER,
            RETURNED,
            problem(Kind.RETURNING, resolved_at=ENDED),
            True,
            id="returning: back by now",
        ),
        pytest.param(
            Trigger.RETURNED_TO_SENDER,
            OUT_AGAIN,
            problem(Kind.RETURNING, resolved_at=ENDED),
            False,
            id="returning: out to the customer again",
        ),
        pytest.param(Trigger.DELIVERED, DELIVERED, None, True, id="delivered: it is here"),
        pytest.param(Trigger.DELIVERED, TAKEN_BACK, None, False, id="delivered: taken back within the two hours"),
    ],
)
def test_still_true_when_it_leaves(trigger: Trigger, history: History, row: ToldProblem | None, expected: bool) -> None:
    assert still_true(trigger, history, row) is expected
