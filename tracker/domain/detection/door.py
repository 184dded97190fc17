"""What keeps a parcel from being handed over: a failed attempt, its address, a refusal, customs, a counter's last day.

Sources: contract.md section 3 (which cause is which problem; `delay` and `other` are none by themselves), the
carrier reference, sections 3.2 (dtLimiteRetirada) and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from carriers.base import Cause, ProblemKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.detection.facts import NOTHING, Facts, Finding, Seen, iso

Kind = ProblemKind

_BY_CAUSE: Final[Mapping[Cause | None, tuple[ProblemKind, str]]] = {
    Cause.ABSENT: (Kind.DELIVERY_FAILED, "delivery_failed.attempt"),
    None: (Kind.DELIVERY_FAILED, "delivery_failed.attempt"),
    Cause.WRONG_ADDRESS: (Kind.ADDRESS_PROBLEM, "address_problem.coded"),
    Cause.REFUSED: (Kind.REFUSED, "refused.coded"),
    Cause.CUSTOMS_HOLD: (Kind.CUSTOMS_HOLD, "customs_hold.coded"),
}
TROUBLES: Final = frozenset(kind for kind, _ in _BY_CAUSE.values())
"""One parcel has one of these at a time: the newest event that says why decides."""


def troubled(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """The trouble that stands; it ends with a result (handed over, laid out for pickup, turned back), not with a scan."""
    history = facts.history
    named = _BY_CAUSE.get(history.trouble_cause)
    if history.trouble_at is None or named is None:
        return NOTHING
    kind, rule = named
    shown = {"status": history.status.value, "last_event_at": iso(history.last_event_at)}
    words = "trouble_at" in history.by_words
    return Seen((Finding(kind, rule, history.trouble_at, cause=history.trouble_cause, by_words=words, facts=shown),))


def pickup_expiring(facts: Facts, days: Calendars, now: datetime) -> Seen:
    """The last day at the counter is so many business days away, or gone by.

    Needs no answer since: a reminder too many costs less than a parcel that goes back.
    """
    history = facts.history
    waits = history.status is TrackingStatus.AVAILABLE_FOR_PICKUP and not facts.order_cancelled
    last_day = _last_day(facts, days)
    if not waits or last_day is None or history.pickup_since is None:
        return NOTHING
    since = max(days.start_of(_first_day(last_day, facts.pickup_business_days, days)), history.pickup_since)
    if since > now:
        return Seen(wakes=(since,))
    shown = {
        "last_day": last_day.isoformat(),
        "basis": "carrier's date" if history.pickup_until else "carrier's usual term",
        "waits_since": iso(history.pickup_since),
        "business_days": facts.pickup_business_days,
        "place": history.location,
    }
    return Seen((Finding(Kind.PICKUP_EXPIRING, "pickup_expiring.last_day", since, facts=shown),))


def _last_day(facts: Facts, days: Calendars) -> date | None:
    """The carrier's own date, else the term it always gives; nothing is guessed where neither is known."""
    history = facts.history
    if history.pickup_until is not None or history.pickup_since is None or facts.pickup_days is None:
        return history.pickup_until
    return days.local_date(history.pickup_since) + timedelta(days=facts.pickup_days)


def _first_day(last_day: date, business_days: int, days: Calendars) -> date:
    """The earliest day from which no more than so many business days are left."""
    day = last_day
    while days.since.count(day - DAY, last_day) <= business_days:
        day -= DAY
    return day
