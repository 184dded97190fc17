"""Late for the customer, late for the carrier (design.md section 8, carrier reference section 4.1)."""

from __future__ import annotations

from datetime import date, datetime

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.detection.coded import arrival
from tracker.domain.detection.facts import NOTHING, UNSEEN, Facts, Finding, Seen, iso, wait_for_answer
from tracker.domain.history import FINAL

Kind = ProblemKind


def lateness(facts: Facts, days: Calendars, now: datetime) -> Seen:
    """Late means the first attempt, pickup availability or delivery after the due date, compared as local dates.

    An absent buyer on time is not late: the carrier came, and refuses such a claim as delivered on time. A day that has
    gone by without an answer since proves nothing, and of a parcel the carrier has never shown nothing is known.
    """
    history = facts.history
    if history.last_event_at is None or history.status in FINAL - {TrackingStatus.DELIVERED} or facts.order_cancelled:
        return NOTHING
    promises = (_late_from(facts.promise.on, days, facts.grace_days), _late_from(history.due_first_on, days, 0))
    wakes = tuple(instant for instant in promises if instant is not None)
    reached = history.first_attempt_at or history.delivered_at
    # Without an attempt the carrier must have answered since: a parcel that nobody could look at may have been delivered.
    shown_until = min(now, facts.last_answered_at or UNSEEN) if reached is None else reached
    customer_since, carrier_since = (day if day is not None and day <= shown_until else None for day in promises)
    if reached is None and any(shown_until < day <= now for day in wakes):
        wakes += wait_for_answer(facts, now).wakes
    since = min((instant for instant in (customer_since, carrier_since) if instant is not None), default=None)
    if since is None:
        return Seen(wakes=wakes)
    is_open = reached is None
    finding = Finding(
        Kind.DELAY if is_open else Kind.LATE_DELIVERY,
        "delay.past_promise" if is_open else "late_delivery.past_promise",
        reached or since,
        customer_since=customer_since,
        carrier_since=carrier_since,
        ended=None if is_open else arrival(history),
        facts={"promised_on": iso(facts.promise.on), "carrier_due_first_on": iso(history.due_first_on)},
    )
    return Seen((finding,), wakes)


def _late_from(due: date | None, days: Calendars, grace_days: int) -> datetime | None:
    return None if due is None else days.start_of(due + DAY * (1 + grace_days))
