"""Not with the carrier although it should be, or with a number that no carrier shows (carrier reference section 3.4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.detection.facts import NOTHING, Facts, Finding, Seen, answered_since, iso, wait_for_answer
from tracker.domain.history import FINAL, History

Kind = ProblemKind
Status = TrackingStatus
TOO_OLD: Final = timedelta(days=30)
"""A number so old when it was imported may have been posted, delivered and purged: "not found" tells the two apart no more."""
CLOSED: Final = frozenset({"invalid_number", "other_account", "not_found"})
"""Why a carrier is no longer asked although the parcel may travel."""


def not_posted(facts: Facts, days: Calendars, now: datetime) -> Seen:
    """A label without a first scan, more than so many business days after the shop posted it, or should have."""
    if facts.post_by is None or facts.order_settled or not _is_waiting(facts.history):
        return NOTHING
    since = days.start_of(days.since.add(facts.post_by, facts.not_posted_business_days) + DAY)
    if since > now:
        return Seen(wakes=(since,))
    never_shown = facts.history.last_event_at is None
    if never_shown and facts.known_since is not None and facts.known_since - since > TOO_OLD:
        return NOTHING
    if not answered_since(facts, since):
        return wait_for_answer(facts, now)
    shown = {
        "post_by": facts.post_by.isoformat(),
        "basis": facts.post_by_basis,
        "business_days": facts.not_posted_business_days,
        "status": facts.history.status.value,
        "last_answered_at": iso(facts.last_answered_at),
    }
    return Seen((Finding(Kind.NOT_POSTED, "not_posted.no_scan", since, facts=shown),))


def _is_waiting(history: History) -> bool:
    """Never scanned. An event with an unknown code may be a scan, so it is not called unposted."""
    if history.posted_at is not None:
        return False
    return history.status in {Status.PRE_TRANSIT, Status.EXPIRED} or history.last_event_at is None


def untrackable(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """The carrier will not show this number, and is no longer asked: true since its last answer."""
    ended = facts.history.status in FINAL or facts.order_settled
    if facts.closed_reason not in CLOSED or ended or facts.last_answered_at is None:
        return NOTHING
    shown = {"closed_reason": facts.closed_reason, "last_event_at": iso(facts.history.last_event_at)}
    return Seen((Finding(Kind.UNTRACKABLE, "untrackable.closed", facts.last_answered_at, facts=shown),))
