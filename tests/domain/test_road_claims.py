"""What carriers by road are asked, and when: their terms through the plan of claims.

Tuesday 24 November 2026 is the promised day; 8 December is no national holiday, 24 December is doubtful.
"""

from __future__ import annotations

from datetime import date

import pytest

from carriers.base import ClaimKind, ProblemKind, TrackingStatus
from carriers.letters import road_claims
from tests.domain.support import DAYS, at, on
from tracker.domain.claim_plan import ClaimableProblem, ClaimPlan, plan
from tracker.domain.history import History

Kind = ProblemKind
TERMS = road_claims(source="a test", valid_since=date(2026, 1, 1)).claim_terms
DUE = History(
    status=TrackingStatus.IN_TRANSIT,
    due_first_on=on("2026-11-24"),
    due_on=on("2026-11-24"),
    due_max_on=on("2026-11-24"),
    last_event_at=at("2026-11-20 10:00"),
)


def problem(id: int, kind: Kind, since: str, *, presumed: bool = False) -> ClaimableProblem:
    late = at(since) if kind is Kind.DELAY else None
    return ClaimableProblem(id, kind, presumed, at(since), late, at(since), None)


DELAY = problem(1, Kind.DELAY, "2026-11-25 00:00")
STALLED = problem(2, Kind.STALLED, "2026-11-28 00:00")
PRESUMED = problem(3, Kind.LOSS, "2026-12-16 00:00", presumed=True)
DENIED = problem(4, Kind.MISDELIVERY, "2026-11-26 10:00")


def best(*problems: ClaimableProblem) -> ClaimPlan:
    plans, refused = plan(list(problems), DUE, TERMS, DAYS, first_on=on("2026-01-01"))
    assert refused == []
    return plans[0]


@pytest.mark.parametrize(
    ("problems", "motive", "kind", "claimable_from"),
    [
        # Wed 25, Thu 26, Fri 27
        pytest.param(
            (DELAY,), "atraso", "information_request", "2026-11-27", id="three business days past the promise"
        ),
        pytest.param(
            (STALLED,), "sem-movimentacao", "information_request", "2026-11-28", id="at a standstill: at once"
        ),
        pytest.param(
            (DELAY, STALLED), "atraso", "information_request", "2026-11-27", id="late and standing: one letter"
        ),
        pytest.param((DELAY, PRESUMED), "extravio", "refund", "2026-12-16", id="silent too long: the refund"),
        pytest.param((DENIED,), "acareacao", "information_request", "2026-11-26", id="the customer denies it: at once"),
    ],
)
def test_what_is_asked_and_when(
    problems: tuple[ClaimableProblem, ...], motive: str, kind: str, claimable_from: str
) -> None:
    found = best(*problems)
    assert (found.motive, found.kind, found.claimable_from) == (motive, ClaimKind(kind), on(claimable_from))


def test_a_loss_may_be_claimed_for_a_year() -> None:
    found = best(problem(5, Kind.LOSS, "2026-11-25 10:00"))
    assert (found.deadline_on, found.last_on) == (on("2027-11-25"), on("2027-11-25"))
    assert (found.alert_on, found.urge_on) == (on("2026-12-15"), on("2026-12-25"))
