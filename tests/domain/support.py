"""What the tests of pure rules share: local instants, calendars, events and histories in a line each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from carriers.base import Cause, TrackingStatus
from tracker.domain.calendar import calendars
from tracker.domain.detection import Changes, Finding, KnownProblem
from tracker.domain.history import History, StoredEvent, fold

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
DAYS = calendars(SAO_PAULO, frozenset({"PR"}), frozenset())
"""Parana has no state holiday on a fixed date in the `holidays` library: national days only."""


def at(text: str) -> datetime:
    """The instant (UTC) of a local time in Sao Paulo, such as `2026-11-23 09:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=SAO_PAULO).astimezone(UTC)


def on(text: str) -> date:
    """A local day."""
    return date.fromisoformat(text)


def event(id: int, when: str, status: TrackingStatus, **more: Any) -> StoredEvent:
    """An event at a local time; `id` tells it from the others."""
    instant = at(when)
    more.setdefault("attempt", status in {TrackingStatus.DELIVERED, TrackingStatus.AVAILABLE_FOR_PICKUP})
    return StoredEvent(
        id=id,
        event_key=f"k{id}",
        occurred_at=instant,
        seen_at=instant,
        carrier_code=f"C{id}",
        status=status,
        description="",
        **more,
    )


def failed(id: int, when: str, cause: Cause = Cause.ABSENT) -> StoredEvent:
    """The carrier came and could not hand the parcel over."""
    return event(id, when, TrackingStatus.DELIVERY_FAILED, cause=cause, attempt=True)


def reversal(id: int, when: str) -> StoredEvent:
    """Takes back the newest earlier event."""
    return event(id, when, TrackingStatus.UNKNOWN, reversal=True)


def fold_of(*events: StoredEvent) -> History:
    """The history behind these events."""
    return fold(events)


def settle(known: Sequence[KnownProblem], changes: Changes) -> list[KnownProblem]:
    """The newest problem of each kind once these changes are stored, as the store writes them."""
    rows = {problem.kind: problem for problem in known}
    for finding, episode in changes.opened:
        rows[finding.kind] = _opened(finding, episode)
    for problem, finding in changes.changed:
        rows[problem.kind] = replace(
            problem,
            since=finding.since,
            cause=finding.cause,
            presumed=finding.presumed,
            customer_since=finding.customer_since,
            carrier_since=finding.carrier_since,
            resolved_at=finding.ended[0] if finding.ended else None,
            version=problem.version + 1,
        )
    for problem, ended_at, _ in changes.ended:
        rows[problem.kind] = replace(problem, resolved_at=ended_at, version=problem.version + 1)
    return list(rows.values())


def kinds(findings: Iterable[Finding]) -> set[str]:
    """The kinds of these findings as words."""
    return {finding.kind.value for finding in findings}


def _opened(finding: Finding, episode: int) -> KnownProblem:
    return KnownProblem(
        id=episode,
        kind=finding.kind,
        episode=episode,
        cause=finding.cause,
        presumed=finding.presumed,
        since=finding.since,
        customer_since=finding.customer_since,
        carrier_since=finding.carrier_since,
        resolved_at=finding.ended[0] if finding.ended else None,
        version=1,
    )
