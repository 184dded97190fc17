"""What a carrier's code says of a package that was opened, or handed to somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.support import DAYS, at, event
from tracker.domain.detection import Facts, KnownProblem, detect
from tracker.domain.history import fold
from tracker.domain.promise import Promise, PromiseBasis

Kind, Status = ProblemKind, TrackingStatus
POSTED = event(1, "2026-11-20 10:00", Status.POSTED)
OPENED = event(2, "2026-11-23 10:00", Status.IN_TRANSIT, cause=Cause.VIOLATION)
ASKED = event(3, "2026-11-24 10:00", Status.DELIVERED, cause=Cause.MISDELIVERY)
CONFIRMED = event(4, "2026-11-25 10:00", Status.DELIVERED)


def found(*events: Any, known: tuple[KnownProblem, ...] = ()) -> dict[str, tuple[str, bool]]:
    """By kind: the rule, and whether it has ended, of what opens."""
    facts = Facts(
        fold(events), Promise(None, None, PromiseBasis.NONE), None, None, last_answered_at=at("2026-11-26 10:00")
    )
    changes = detect(facts, known, days=DAYS, now=at("2026-11-26 10:00"))
    assert changes.changed == ()
    return {finding.kind.value: (finding.rule, finding.ended is not None) for finding, _ in changes.opened}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param((POSTED, OPENED), {"violation": ("violation.coded", False)}, id="opened, and on its way"),
        pytest.param(
            (POSTED, OPENED, CONFIRMED), {"violation": ("violation.coded", True)}, id="opened, and arrived so"
        ),
        pytest.param((POSTED, ASKED), {"misdelivery": ("misdelivery.coded", False)}, id="who took it is in question"),
        pytest.param((POSTED, ASKED, CONFIRMED), {}, id="the carrier confirms the delivery after all"),
    ],
)
def test_what_opens(events: tuple[Any, ...], expected: dict[str, tuple[str, bool]]) -> None:
    assert found(*events) == expected


def test_what_has_arrived_opened_is_one_record() -> None:
    ended = at("2026-11-25 10:00")
    before = KnownProblem(
        1, Kind.VIOLATION, 1, Cause.VIOLATION, False, at("2026-11-23 10:00"), None, None, ended, 1, "delivered"
    )
    assert found(POSTED, OPENED, CONFIRMED, known=(before,)) == {}
