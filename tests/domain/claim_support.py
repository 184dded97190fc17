"""Claims for the tests of the state machine: one that may be filed from Wednesday 25 November 2026, and what answers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from carriers.base import (
    ClaimAnswer,
    ClaimKind,
    ClaimOffer,
    ClaimOutcome,
    ClaimProgress,
    ClaimStart,
    ClaimStatus,
    ClaimTerms,
    ProblemKind,
)
from tests.domain.support import at, on
from tracker.domain.claim_moves import (
    ClaimFacts,
    Gates,
    Move,
    Step,
)
from tracker.domain.words import ClaimState

State, Progress, Outcome = ClaimState, ClaimProgress, ClaimOutcome
NOW = at("2026-11-25 10:00")
FREE = Gates()
TERMS = ClaimTerms(
    offers=(
        ClaimOffer(ProblemKind.DELAY, "211", ClaimKind.INFORMATION_REQUEST, ClaimStart.DUE_DATE, priority=40),
        ClaimOffer(ProblemKind.LATE_DELIVERY, "135", ClaimKind.REFUND, ClaimStart.DUE_DATE, priority=50),
    ),
    source="a test",
    valid_since=date(2026, 1, 1),
)
PLANNED = ClaimFacts(
    state=State.PLANNED,
    motive="211",
    kind="information_request",
    claimable_from=on("2026-11-25"),
    alert_on=on("2026-12-19"),
    last_on=on("2027-02-22"),
    due_max_on=on("2026-11-24"),
)


def claim(**changes: Any) -> ClaimFacts:
    return replace(PLANNED, **changes)


def step(
    seq: int, action: str = "open", outcome: str | None = None, code: str | None = None, motive: str = "211"
) -> Step:
    return Step(seq, action, "done" if outcome else "intended", motive, outcome, code)


def steps(action: str, *outcomes: str) -> tuple[Step, ...]:
    return tuple(step(n, action, outcome) for n, outcome in enumerate(outcomes, start=1))


def filing(**changes: Any) -> ClaimFacts:
    """A claim that has been asked for once."""
    return claim(**({"state": State.SUBMITTING, "steps": (step(1, outcome="x", code="x"),)} | changes))


def filed(**changes: Any) -> ClaimFacts:
    """A claim the carrier registered on Wednesday 25 November at 10:00."""
    return claim(**({"state": State.OPEN, "opened_at": NOW, "steps": steps("open", "registered")} | changes))


def answer(outcome: ClaimOutcome, **more: Any) -> ClaimAnswer:
    return ClaimAnswer(outcome, **({"code": "7", "text": "the carrier's words", "raw": b"{}"} | more))


def status(progress: ClaimProgress, **more: Any) -> ClaimStatus:
    return ClaimStatus(progress, b"{}", **more)


def shown(move: Move, *names: str) -> dict[str, Any]:
    return {name: getattr(move, name) for name in names}


def alert_kind(move: Move) -> str | None:
    return move.alert[0] if move.alert else None


WAITS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
