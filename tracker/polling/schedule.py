"""When to ask about a shipment again: from its status, its age and its due date. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple

from carriers.base import AnswerOutcome, TrackingStatus
from tracker.domain.calendar import Calendars

Status = TrackingStatus
PROBLEMS: Final = frozenset({Status.LOST, Status.STOLEN, Status.DAMAGED})
ENDED: Final = frozenset({Status.DELIVERED, Status.RETURNED, Status.SEIZED, Status.CANCELLED, Status.EXPIRED})
_STEADY: Final = frozenset(
    {
        Status.PRE_TRANSIT,
        Status.UNKNOWN,
        Status.OUT_FOR_DELIVERY,
        Status.AVAILABLE_FOR_PICKUP,
        Status.RETURNING,
    }
)
"""Asked about in one rhythm, whatever the due date and however long nothing happened."""
_SLOW: Final = frozenset({Status.PRE_TRANSIT, Status.UNKNOWN, Status.RETURNING})
_NEVER_URGENT: Final = _STEADY - {Status.OUT_FOR_DELIVERY}
JITTER: Final = 0.1
"""At most this share of an interval is cut off, so that what was imported together is not asked for together for ever."""
STUCK_AFTER: Final = timedelta(days=10)
"""A parcel without an event for so long is asked about half as often, unless it is late."""
LONG_LATE: Final = timedelta(days=30)
"""So long after its due date a parcel that stands still is asked about daily: whatever comes, comes slowly."""
PUSH_ALIVE_FOR: Final = timedelta(hours=24)
"""So long after it brought something an account's hook counts as alive."""
PUSHED_SLOWER: Final = 4
PUSHED_MOST: Final = timedelta(hours=24)
FAILURE_WAITS: Final = tuple(timedelta(hours=h) for h in (1, 2, 4, 8, 24))
"""After answers about one parcel that could not be read."""


@dataclass(frozen=True, slots=True)
class PollingPolicy:
    """How often to ask (configuration `rules.polling` and `rules.not_found_days`)."""

    pre_transit: timedelta = timedelta(hours=6)
    in_transit: timedelta = timedelta(hours=3)
    urgent: timedelta = timedelta(minutes=45)
    pickup: timedelta = timedelta(hours=4)
    problem: timedelta = timedelta(hours=24)
    problem_for: timedelta = timedelta(days=90)
    second_looks_days: tuple[int, ...] = (1, 3, 7)
    not_found_for: timedelta = timedelta(days=30)


class Standing(NamedTuple):
    """What the next look depends on."""

    shipment_id: int
    created_at: datetime
    failures: int = 0
    status: Status | None = None
    status_at: datetime | None = None
    last_event_at: datetime | None = None
    due_on: date | None = None
    """The earlier of the customer's and the carrier's date."""
    pushed_at: datetime | None = None
    """When the carrier last told of it by itself."""
    hook_at: datetime | None = None
    """When the carrier last told this account of any parcel by itself."""


class Next(NamedTuple):
    """The next look, or None with the reason why there is none."""

    at: datetime | None
    closed_reason: str | None = None
    urgent: bool = False
    """Out for delivery, due or late by then: goes first where not everything due can be asked about."""


def next_look(
    outcome: AnswerOutcome, standing: Standing, policy: PollingPolicy, days: Calendars, now: datetime
) -> Next:
    """When to ask again after this answer."""
    if outcome is AnswerOutcome.INVALID_NUMBER:
        return Next(None, "invalid_number")
    if outcome is AnswerOutcome.OTHER_ACCOUNT:
        return Next(None, "other_account")
    if outcome is AnswerOutcome.ERROR:
        wait = FAILURE_WAITS[min(standing.failures, len(FAILURE_WAITS) - 1)]
        return Next(_jittered(now, wait, standing.shipment_id))
    if standing.status is None or (standing.status is Status.UNKNOWN and standing.last_event_at is None):
        return _not_seen_yet(standing, policy, now)
    if standing.status in ENDED:
        return _second_look(standing, policy, now)
    if standing.status in PROBLEMS:
        return _problem_look(standing, policy, now)
    wait = _interval(standing, policy, days, now)
    if is_told(standing, now):
        wait = _told_wait(standing, wait, days, now)
    at = _jittered(now, wait, standing.shipment_id)
    return Next(at, urgent=_urgent(standing, days, at))


def next_after_push(
    standing: Standing, looked_at: datetime | None, policy: PollingPolicy, days: Calendars, now: datetime
) -> Next:
    """When to ask after a push: as after an answer, but a day after the last look at the latest. What was never looked at is
    looked at as if nothing had come: a push tells what has just happened, not what was before."""
    following = next_look(AnswerOutcome.FOUND, standing, policy, days, now)
    if looked_at is None:
        return Next(now, urgent=following.urgent)
    if following.at is None or standing.status in ENDED:
        return following
    latest = max(looked_at + PUSHED_MOST, now)
    return Next(min(following.at, latest), urgent=following.urgent)


def is_told(standing: Standing, now: datetime) -> bool:
    """Whether the carrier tells of this parcel by itself, and still does so of parcels at all.

    Both are needed: a hook may be alive for parcels of one kind (labels made by one application) and never tell of another.
    """
    return (
        standing.pushed_at is not None
        and standing.hook_at is not None
        and now - standing.hook_at <= PUSH_ALIVE_FOR
        and standing.status not in PROBLEMS
        and standing.status not in ENDED
    )


def _told_wait(standing: Standing, wait: timedelta, days: Calendars, now: datetime) -> timedelta:
    """Four times the usual wait, a day at most: the push brings what happens, the look is there for what it forgot.

    Never past the first minute of the due day: what is due or late, out for delivery, lost, damaged or ended is looked at as if
    there were no push, since customers are told and claims are filed on what those looks say, and one push that got lost must not
    make a delivered parcel late. When the hook goes quiet, the look that is due within a day finds the usual rhythm again.
    """
    today = days.local_date(now)
    is_late = standing.due_on is not None and today >= standing.due_on
    if standing.status is Status.OUT_FOR_DELIVERY or is_late:
        return wait
    slower = min(wait * PUSHED_SLOWER, max(PUSHED_MOST, wait))
    if standing.due_on is not None:
        slower = min(slower, max(days.start_of(standing.due_on) - now, wait))
    return slower


def _not_seen_yet(standing: Standing, policy: PollingPolicy, now: datetime) -> Next:
    if now - standing.created_at > policy.not_found_for:
        return Next(None, "not_found")
    return Next(_jittered(now, policy.pre_transit, standing.shipment_id))


def _second_look(standing: Standing, policy: PollingPolicy, now: datetime) -> Next:
    """Carriers correct themselves: look once more on certain days after the end, then never again."""
    end = standing.status_at or now
    ahead = [end + timedelta(days=day) for day in policy.second_looks_days]
    later = [at for at in ahead if at > now]
    return Next(min(later)) if later else Next(None, "final")


def _problem_look(standing: Standing, policy: PollingPolicy, now: datetime) -> Next:
    """Daily, whatever became of the claim: such parcels reappear, paid or not, and the customer should hear of it."""
    if now - (standing.status_at or now) > policy.problem_for:
        return Next(None, "long_final")
    return Next(_jittered(now, policy.problem, standing.shipment_id))


def wanted(status: Status, policy: PollingPolicy, *, is_due: bool) -> timedelta:
    """How often a parcel of this status, which has not ended, is asked about; *is_due*: due today or late, not for long."""
    if status in PROBLEMS:
        return policy.problem
    if status in _SLOW:
        return policy.pre_transit
    if status is Status.AVAILABLE_FOR_PICKUP:
        return policy.pickup
    return policy.urgent if is_due or status is Status.OUT_FOR_DELIVERY else policy.in_transit


def _urgent(standing: Standing, days: Calendars, at: datetime) -> bool:
    """Whether by then the customer expects it, and what it does next matters by the hour."""
    if standing.status is Status.OUT_FOR_DELIVERY:
        return True
    due_on = standing.due_on
    if due_on is None or standing.status in _NEVER_URGENT:
        return False
    return due_on <= days.local_date(at) <= due_on + LONG_LATE


def _interval(standing: Standing, policy: PollingPolicy, days: Calendars, now: datetime) -> timedelta:
    status, due_on = standing.status or Status.UNKNOWN, standing.due_on
    today = days.local_date(now)
    is_due = due_on is not None and today >= due_on
    usual = wanted(status, policy, is_due=is_due)
    if status in _STEADY:
        return usual
    is_stuck = standing.last_event_at is not None and now - standing.last_event_at > STUCK_AFTER
    if is_due and due_on is not None:
        if today - due_on <= LONG_LATE:
            return usual
        return policy.problem if is_stuck else policy.in_transit
    return policy.in_transit * 2 if is_stuck else policy.in_transit


def _jittered(now: datetime, wait: timedelta, shipment_id: int) -> datetime:
    """A little earlier, by a share drawn from the shipment and the instant: the same look twice gives the same answer."""
    seed = blake2b(b"%d:%d" % (shipment_id, now.timestamp()), digest_size=4).digest()
    return now + timedelta(seconds=wait.total_seconds() * (1 - JITTER * int.from_bytes(seed) / 2**32))
