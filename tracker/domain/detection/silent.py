"""No news for too long: stalled, then presumed lost (design.md section 8, carrier reference section 7.1).

Only days in which answers could come count as silence. Days on which the carrier was away do not, for then it may have
recorded nothing; nor do days on which this program did not ask, for what a carrier says of days long past is what it had
entered by then. Being a few days slow costs nothing here: neither finding is claimed or told by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from carriers.base import Cause, ProblemKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.detection.facts import NOTHING, Facts, Finding, Seen, answered_since, iso, wait_for_answer
from tracker.domain.history import MOVING

Kind = ProblemKind
UNANSWERED_DAY: Final = timedelta(hours=12)
"""A day of which the carrier answered less than half counts as one without answers."""


def presumed_lost(facts: Facts, days: Calendars, now: datetime) -> Seen:
    """So many business days without an event, counted from the later of due date and last event."""
    history, terms = facts.history, facts.presumed_loss_business_days
    if terms is None or history.status not in MOVING or history.last_event_at is None or history.posted_at is None:
        return NOTHING
    start = max(days.local_date(history.last_event_at), history.due_max_on or date.min)
    since, unanswered = _silent_since(start, terms, facts, days)
    if since > now:
        return Seen(wakes=(since,))
    if not answered_since(facts, since):
        return wait_for_answer(facts, now)
    shown = _shown(facts, start, terms, unanswered, days, since)
    return Seen((Finding(Kind.LOSS, "loss.presumed", since, cause=Cause.LOSS, presumed=True, facts=shown),))


def stalled(facts: Facts, days: Calendars, now: datetime) -> Seen:
    """So many business days in transit without an event. Waiting at a counter or at customs is no standstill."""
    history, terms = facts.history, facts.stalled_business_days
    travelling = history.status in MOVING - {TrackingStatus.CUSTOMS}
    if terms is None or not travelling or history.last_event_at is None or history.posted_at is None:
        return NOTHING
    start = days.local_date(history.last_event_at)
    since, unanswered = _silent_since(start, terms, facts, days)
    if since > now:
        return Seen(wakes=(since,))
    if not answered_since(facts, since):
        return wait_for_answer(facts, now)
    return Seen(
        (Finding(Kind.STALLED, "stalled.silence", since, facts=_shown(facts, start, terms, unanswered, days, since)),)
    )


def _shown(facts: Facts, start: date, terms: int, unanswered: int, days: Calendars, since: datetime) -> dict[str, Any]:
    return {
        "last_event_at": iso(facts.history.last_event_at),
        "counted_from": start.isoformat(),
        "business_days": terms,
        "days_without_answer": unanswered,
        "last_answered_at": iso(facts.last_answered_at),
        "holidays_skipped": [day.isoformat() for day in days.since.skipped(start, days.local_date(since) - DAY)],
    }


def _silent_since(start: date, terms: int, facts: Facts, days: Calendars) -> tuple[datetime, int]:
    """When a silence of `terms` business days was complete, and how many without answers it skipped on its way.

    What happens after that day is of no account: an outage now does not undo a silence that was long enough before it.
    """
    day, silent, unanswered = start, 0, 0
    while silent < terms:
        day += DAY
        if not days.since.is_business(day):
            continue
        if _unanswered(day, facts.outages, days) > UNANSWERED_DAY:
            unanswered += 1
        else:
            silent += 1
    return days.start_of(day + DAY), unanswered


def _unanswered(day: date, outages: Sequence[tuple[datetime, datetime]], days: Calendars) -> timedelta:
    """How much of this day went by without answers; times that overlap count once."""
    if not outages:
        return timedelta()
    covered, end = days.at(day, time.min), days.start_of(day + DAY)
    total = timedelta()
    for since, until in sorted(outages):
        begins, ends = max(covered, since), min(end, until)
        if ends > begins:
            total += ends - begins
            covered = ends
    return total
