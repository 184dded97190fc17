"""Parcels for the tests of detection: posted on Monday 16 November 2026, moved on Tuesday 17; Friday 20 is a holiday."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.support import DAYS, at, event, kinds, on, settle
from tracker.domain.detection import Changes, Facts, Finding, KnownProblem, detect, find
from tracker.domain.history import StoredEvent, fold
from tracker.domain.promise import Promise, PromiseBasis

Status = TrackingStatus
Kind = ProblemKind
POSTED = event(1, "2026-11-16 10:00", Status.POSTED)
MOVED = event(2, "2026-11-17 10:00", Status.IN_TRANSIT)
LOST = event(8, "2026-11-26 10:00", Status.LOST, cause=Cause.LOSS)
STOLEN = event(8, "2026-11-26 10:00", Status.STOLEN, cause=Cause.THEFT)
DAMAGED = event(8, "2026-11-26 10:00", Status.DAMAGED, cause=Cause.DAMAGE)
REFUSED = event(8, "2026-11-26 10:00", Status.RETURNING, cause=Cause.REFUSED)
ANSWERED = "2028-12-31 12:00"
"""The carrier answers all through the test, unless it says otherwise."""
RETURNED = event(9, "2026-12-03 10:00", Status.RETURNED, cause=Cause.RETURN)


def delivered(when: str, id: int = 9) -> StoredEvent:
    return event(id, when, Status.DELIVERED, final=True)


def facts(
    *events: StoredEvent,
    promised: str | None = None,
    due: str | tuple[str, ...] = (),
    terms: int | None = None,
    answered: str | None = ANSWERED,
    outages: tuple[tuple[str, str], ...] = (),
    **more: Any,
) -> Facts:
    """The facts of a parcel posted on the 16th, moved on the 17th, with these events after."""
    return facts_of(
        POSTED, MOVED, *events, promised=promised, due=due, terms=terms, answered=answered, outages=outages, **more
    )


def facts_of(
    *events: StoredEvent,
    promised: str | None = None,
    due: str | tuple[str, ...] = (),
    terms: int | None = None,
    answered: str | None = ANSWERED,
    outages: tuple[tuple[str, str], ...] = (),
    **more: Any,
) -> Facts:
    """The facts of a parcel with these events alone."""
    dates = (due,) if isinstance(due, str) else due
    day = on(promised) if promised else None
    return Facts(
        history=fold(events, [on(text) for text in dates]),
        promise=Promise(day, day, PromiseBasis.GIVEN if day else PromiseBasis.NONE),
        service=None,
        presumed_loss_business_days=terms,
        last_answered_at=at(answered) if answered else None,
        outages=tuple((at(begin), at(end)) for begin, end in outages),
        **more,
    )


def found(shown: Facts, now: str) -> dict[str, Finding]:
    findings, _ = find(shown, days=DAYS, now=at(now))
    assert len(kinds(findings)) == len(findings)
    return {finding.kind.value: finding for finding in findings}


def wake(shown: Facts, now: str) -> datetime | None:
    return find(shown, days=DAYS, now=at(now))[1]


def live_through(*looks: tuple[Facts, str]) -> tuple[dict[str, KnownProblem], Changes]:
    """The newest problem of each kind after these looks, and what the last one changed."""
    known: list[KnownProblem] = []
    changes = Changes()
    for shown, now in looks:
        changes = detect(shown, known, days=DAYS, now=at(now))
        known = settle(known, changes)
    return {problem.kind.value: problem for problem in known}, changes


BOTH: dict[str, Any] = {"promised": "2026-11-25", "due": "2026-11-24"}
SHOP_FIRST: dict[str, Any] = {"promised": "2026-11-24", "due": "2026-11-25"}
SEVEN: dict[str, Any] = {"terms": 7}
