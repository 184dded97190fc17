"""How what the facts show differs from the problems that stand: episodes that open, change, and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.calendar import Calendars
from tracker.domain.detection.door import TROUBLES
from tracker.domain.detection.facts import Changes, Facts, Finding, KnownProblem
from tracker.domain.detection.rules import find, silenced
from tracker.domain.hand import Settled
from tracker.domain.history import FINAL

Kind = ProblemKind
RESOLUTIONS: Final = frozenset(
    {
        *(status.value for status in FINAL),
        "attempted",
        "available_for_pickup",
        "code_corrected",
        "moving_again",
        "order_cancelled",
        "order_closed",
        "posted",
        "promise_moved",
        "returning",
        "shipped",
        "superseded",
        "term_extended",
        "tracked_again",
        "withdrawn",
        *(how.value for how in Settled),
    }
)
"""How a problem may end."""
_RECORDS = frozenset({Kind.LATE_DELIVERY, Kind.DAMAGE, Kind.VIOLATION, Kind.RETURNED})
"""Kinds that record what happened, rather than what is going on: the same facts are the same episode."""
_BY_HAND: Final = frozenset(how.value for how in Settled)
_NO_MORE = frozenset({Kind.DELAY, Kind.NOT_POSTED, Kind.PICKUP_EXPIRING, Kind.UNTRACKABLE})
"""Kinds that a closed order ends."""


def detect(facts: Facts, known: Sequence[KnownProblem], *, days: Calendars, now: datetime) -> Changes:
    """Compare what the facts show at `now` with the newest episode of each kind of problem."""
    findings, wake = find(facts, days=days, now=now)
    settled, known = by_hand(known)
    opened, changed = compare(findings, known)
    found = {finding.kind for finding in findings}
    ended = tuple(
        (problem, *_ending(problem, facts, findings, now))
        for problem in known
        if problem.resolved_at is None and problem.kind not in found
    )
    return Changes(opened, changed, (*settled, *ended), wake)


def by_hand(
    known: Sequence[KnownProblem],
) -> tuple[tuple[tuple[KnownProblem, datetime, str], ...], list[KnownProblem]]:
    """The open problems that a person has settled, with their end; and all of them as they stand after that."""
    settled: list[tuple[KnownProblem, datetime, str]] = []
    after: list[KnownProblem] = []
    for problem in known:
        done = problem.settlement if problem.resolved_at is None else None
        if done is not None:
            settled.append((problem, done.at, done.how.value))
            problem = replace(problem, resolved_at=done.at, resolution=done.how.value)
        after.append(problem)
    return tuple(settled), after


def compare(
    findings: Sequence[Finding], known: Sequence[KnownProblem]
) -> tuple[tuple[tuple[Finding, int], ...], tuple[tuple[KnownProblem, Finding], ...]]:
    """The findings that open an episode, with its number, and those that change one that stands."""
    newest = {problem.kind: problem for problem in known}
    opened: list[tuple[Finding, int]] = []
    changed: list[tuple[KnownProblem, Finding]] = []
    for finding in findings:
        standing = newest.get(finding.kind)
        if standing is None:
            opened.append((finding, 1))
        elif standing.resolved_at is None:
            if _differs(standing, finding):
                changed.append((standing, finding))
        elif standing.resolution in _BY_HAND:
            if _is_news(standing, finding):
                opened.append((finding, standing.episode + 1))
        elif not (finding.kind in _RECORDS and _same_record(standing, finding)):
            opened.append((finding, standing.episode + 1))
        elif finding.ended is None or finding.ended[0] != standing.resolved_at or finding.by_words != standing.by_words:
            # A record is no new one because its end was undone, is told otherwise now, or a code confirms it.
            changed.append((standing, finding))
    return tuple(opened), tuple(changed)


def _is_news(settled: KnownProblem, finding: Finding) -> bool:
    """Whether a problem that a person has settled opens again: on something that came true, or was told, after that, on
    another cause, or on the carrier's own word for what silence only made presume or a text only seemed to say."""
    newest = max(finding.since, finding.told_at or finding.since)
    after = settled.resolved_at is not None and newest > settled.resolved_at
    confirmed = settled.by_words and not finding.by_words
    return after or confirmed or (finding.cause, finding.presumed) != (settled.cause, settled.presumed)


def _same_record(problem: KnownProblem, finding: Finding) -> bool:
    """Also where an older event, learned of later, moves the beginning: the same end is the same episode."""
    return problem.since == finding.since or (finding.ended is not None and finding.ended[0] == problem.resolved_at)


def _differs(problem: KnownProblem, finding: Finding) -> bool:
    if finding.ended is not None:
        return True
    # An older event that we learn of later moves the beginning: what is true does not hang on the order of learning.
    sure = problem.presumed, problem.by_words
    return (problem.since, problem.cause, sure, problem.customer_since, problem.carrier_since) != (
        finding.since,
        finding.cause,
        (finding.presumed, finding.by_words),
        finding.customer_since,
        finding.carrier_since,
    )


def _ending(problem: KnownProblem, facts: Facts, findings: Sequence[Finding], now: datetime) -> tuple[datetime, str]:
    """When and how a problem that the facts no longer show came to its end."""
    history, attempt = facts.history, facts.history.first_attempt_at
    found = {finding.kind for finding in findings}
    if history.last_event_at is None and facts.renumbered_at is not None and problem.since < facts.renumbered_at:
        return facts.renumbered_at, "code_corrected"
    if problem.kind is Kind.NOT_POSTED and history.posted_at is not None:
        return history.posted_at, "posted"
    if problem.kind is Kind.DELAY and history.delivered_at is not None and attempt is not None:
        # Whatever we saw first: the carrier's term ended when it came, not when it was let in.
        return attempt, "delivered" if attempt == history.delivered_at else "attempted"
    if history.status in FINAL and history.status_at is not None:
        return history.status_at, history.status.value
    if Kind.RETURNING in found:
        return next(finding.since for finding in findings if finding.kind is Kind.RETURNING), "returning"
    if found & {Kind.LOSS, Kind.THEFT} and problem.kind is not Kind.STALLED:
        return now, "superseded"
    return _ending_by_kind(problem, facts, findings, now)


def _ending_by_kind(
    problem: KnownProblem, facts: Facts, findings: Sequence[Finding], now: datetime
) -> tuple[datetime, str]:
    """The end of a parcel's problem whose way goes on."""
    history, kind = facts.history, problem.kind
    moved_at = history.last_event_at
    if kind is Kind.DELAY and history.first_attempt_at is not None:
        return history.first_attempt_at, "attempted"
    if kind in _NO_MORE and (facts.order_cancelled or (facts.order_settled and kind is not Kind.DELAY)):
        return now, "order_cancelled" if facts.order_cancelled else "order_closed"
    if kind is Kind.DELAY:
        return now, "promise_moved"
    if kind is Kind.UNTRACKABLE:
        return facts.last_answered_at or now, "tracked_again"
    if kind in TROUBLES and history.status is TrackingStatus.AVAILABLE_FOR_PICKUP and history.status_at is not None:
        return history.pickup_since or history.status_at, "available_for_pickup"
    if kind in TROUBLES and history.trouble_at is not None:
        return history.trouble_at, "superseded"
    if kind is Kind.PICKUP_EXPIRING and history.status is TrackingStatus.AVAILABLE_FOR_PICKUP:
        return now, "term_extended"
    if moved_at is not None and moved_at > problem.since:
        return moved_at, "moving_again"
    return now, "superseded" if kind in silenced(findings) else "withdrawn"
