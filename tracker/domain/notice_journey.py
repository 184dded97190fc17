"""When the steps of a parcel's way are told: posted, half-way, out for delivery, tried, waiting at a counter, delivered. Pure.

What may come more than once is numbered by its local day (`20261127`), never by what we happened to see first: the same
facts give the same notice on every machine and after every restart.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.detection import RECHECK
from tracker.domain.history import MOVING, History
from tracker.domain.notice_facts import NOTHING, Look, NoticeFacts, NoticePolicy, Place, Wanted
from tracker.domain.text import fold
from tracker.domain.words import Trigger

Status = TrackingStatus

MORNING: Final = time(8)
"""What time alone makes due is told from this local hour on."""
LONG_WAY: Final = 4
"""Days from posting to promise; on a shorter way nobody needs half-time news."""
LIVELY: Final = timedelta(days=3)
"""Half-time news says that all is well: only where something was seen within this time."""
_REMINDERS: Final = ((1, 2), (3, 5))
"""Days before the last day at the counter, and how many days it must have to wait in all for that reminder."""
TRIED: Final = frozenset({Status.DELIVERY_FAILED, Status.POSTED, Status.IN_TRANSIT, Status.EXCEPTION})
"""After a failed attempt a parcel is scanned and moved; out for delivery again is news of its own."""


def day_number(day: date) -> int:
    """`20261127`: the episode of what happens at most once a day."""
    return int(f"{day:%Y%m%d}")


def plain(
    trigger: Trigger,
    since: datetime,
    policy: NoticePolicy,
    *,
    not_before: datetime | None = None,
    began: datetime | None = None,
) -> Wanted:
    """A notice of something that is no problem and happens once."""
    leaves = not_before or since
    expires_at = max(since + policy.max_age[trigger], leaves + DAY if not_before else since)
    return Wanted(trigger, 1, since, leaves, expires_at, began=began)


# --- on its way -------------------------------------------------------------------------------------


def posted(facts: NoticeFacts, policy: NoticePolicy) -> Look:
    """The carrier has it."""
    posted_at = facts.history.posted_at
    if posted_at is None or facts.history.status not in MOVING:
        return NOTHING
    return Look((plain(Trigger.POSTED, posted_at, policy),))


def in_transit(facts: NoticeFacts, policy: NoticePolicy, days: Calendars, now: datetime) -> Look:
    """One milestone an order: it reached the city or the state of its destination, or half its time is over.

    Only while all is well: no problem stands, and the promised day is not over. That half the time is over says nothing of
    the parcel: it is told once the carrier has answered on that day, for its answer may be that all is not well.
    """
    history = facts.history
    at_rest = history.status is not Status.IN_TRANSIT or any(one.resolved_at is None for one in facts.problems)
    if at_rest or history.posted_at is None or history.last_event_at is None:
        return NOTHING
    if facts.promised_on is not None and facts.promised_on < days.local_date(now):
        return NOTHING
    if has_arrived(facts.history.location, facts.destination, facts.home):
        return Look((plain(Trigger.IN_TRANSIT, history.last_event_at, policy, began=history.posted_at),))
    half = _half_time(days.local_date(history.posted_at), facts.promised_on, days)
    if half is None or now < half:
        return Look(wakes=(half,) if half is not None else ())
    if now - history.last_event_at > LIVELY:
        return NOTHING
    if facts.last_answered_at is None or facts.last_answered_at < days.start_of(days.local_date(now)):
        return Look(wakes=(now + RECHECK,))
    return Look((plain(Trigger.IN_TRANSIT, half, policy, began=history.posted_at),))


def has_arrived(location: str | None, destination: Place, home: Place) -> bool:
    """Whether a parcel last seen at *location* (`CITY/UF`) has come to its destination's city, or to its state from another.

    A parcel whose shop stands in that very city, or that stays in its own state, arrives nowhere by moving about; where
    nobody says where the shop is, the state proves nothing.
    """
    city, _, state = fold(location or "").rpartition("/")
    to_city, to_state = fold(destination.city or ""), fold(destination.state or "")
    if not city or not to_city or state != to_state:
        return False
    if city == to_city:
        return (city, state) != (fold(home.city or ""), fold(home.state or ""))
    return bool(home.state) and fold(home.state or "") != to_state


def _half_time(posted_on: date, promised_on: date | None, days: Calendars) -> datetime | None:
    if promised_on is None or (promised_on - posted_on).days < LONG_WAY:
        return None
    return days.at(posted_on + timedelta(days=((promised_on - posted_on).days + 1) // 2), MORNING)


def out_for_delivery(facts: NoticeFacts, policy: NoticePolicy, days: Calendars) -> Look:
    """It is with the courier; once a day, for a second attempt is news again. It says "today": after its day it is not sent."""
    at = facts.history.status_at
    if facts.history.status is not Status.OUT_FOR_DELIVERY or at is None:
        return NOTHING
    trigger, today = Trigger.OUT_FOR_DELIVERY, days.local_date(at)
    expires_at = min(at + policy.max_age[trigger], days.start_of(today + DAY))
    return Look((Wanted(trigger, day_number(today), at, at, expires_at),))


# --- at the door and at the counter -----------------------------------------------------------------


def attempt_failed(facts: NoticeFacts, policy: NoticePolicy, days: Calendars) -> Look:
    """The carrier came and met nobody (or gives no reason); each day of an attempt is told once.

    A wrong address has its own trigger, a refusal was the customer's own word.
    """
    history, trigger = facts.history, Trigger.DELIVERY_ATTEMPT_FAILED
    standing = _standing(facts, ProblemKind.DELIVERY_FAILED)
    if standing is None or history.status not in TRIED or history.trouble_at is None:
        return NOTHING
    at = history.status_at if history.status is Status.DELIVERY_FAILED and history.status_at else history.trouble_at
    episode = day_number(days.local_date(at))
    return Look((Wanted(trigger, episode, at, at, at + policy.max_age[trigger], standing),))


def _standing(facts: NoticeFacts, kind: ProblemKind) -> int | None:
    return next((one.id for one in facts.problems if one.kind is kind and one.resolved_at is None), None)


def last_pickup_day(history: History, pickup_days: int | None, days: Calendars) -> date | None:
    """The carrier's own date, else the term it always gives; nothing is guessed where neither is known."""
    if history.pickup_until is not None or history.pickup_since is None or pickup_days is None:
        return history.pickup_until
    return days.local_date(history.pickup_since) + timedelta(days=pickup_days)


def pickup_waiting(facts: NoticeFacts, policy: NoticePolicy, days: Calendars, now: datetime) -> Look:
    """It waits at a counter; reminded three days before the last day and on its eve, where the time is long enough.

    The newest of the three is told, never two at once. A new last day is reminded of anew.
    """
    history, trigger = facts.history, Trigger.PICKUP_WAITING
    if history.status is not Status.AVAILABLE_FOR_PICKUP or history.pickup_since is None:
        return NOTHING
    arrived_on, last = days.local_date(history.pickup_since), last_pickup_day(history, facts.pickup_days, days)
    age = policy.max_age[trigger]
    arrival = Wanted(
        trigger, day_number(arrived_on) * 10, history.pickup_since, history.pickup_since, history.pickup_since + age
    )
    if last is None:
        return Look((arrival,))
    closes = days.start_of(last + DAY)
    stages = [Wanted(trigger, arrival.episode, arrival.since, arrival.since, min(arrival.expires_at, closes))]
    for before, needed in sorted(_REMINDERS, reverse=True):
        if (last - arrived_on).days >= needed:
            at = days.at(last - timedelta(days=before), MORNING)
            stages.append(Wanted(trigger, day_number(last) * 10 + before, at, at, min(at + age, closes)))
    due = [stage for stage in stages if stage.since <= now]
    return Look(tuple(due[-1:]), tuple(stage.since for stage in stages if stage.since > now))


# --- here -------------------------------------------------------------------------------------------


def delivered(facts: NoticeFacts, policy: NoticePolicy, days: Calendars, now: datetime) -> Look:
    """Handed over; asked some hours later, within decent hours, whenever we learn of it."""
    at = facts.history.delivered_at
    if facts.history.status is not Status.DELIVERED or at is None:
        return NOTHING
    if policy.delivered_only_after_problem and not facts.problem_told:
        return NOTHING
    leaves = within_hours(at + policy.delivered_after, policy.delivered_between, days)
    notice = plain(Trigger.DELIVERED, at, policy, not_before=leaves)
    return Look((replace(notice, not_before=within_hours(max(leaves, now), policy.delivered_between, days)),))


def within_hours(at: datetime, hours: tuple[time, time], days: Calendars) -> datetime:
    """`at`, or the next instant inside these local hours."""
    first, last = hours
    local = at.astimezone(days.zone)
    if local.time() < first:
        return days.at(local.date(), first)
    return at if local.time() < last else days.at(local.date() + DAY, first)
