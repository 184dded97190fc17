"""What the customer is told, when, and until when it is worth telling. Pure.

The notice decides once; how it goes out is the deliverer's business. A parcel that had come to its end before the carrier
first told us of it is the past: nobody is mailed about it. What is older than its trigger's `max_age` is not sent either; a
problem that arose while we followed the parcel is as old as our knowledge of it, not as the problem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.history import FINAL, MOVING, History
from tracker.domain.words import FILED, ClaimState, DeliveryState, Hold, Trigger

Kind = ProblemKind

PROBLEM_TRIGGERS: Final = frozenset(
    {
        Trigger.DELAY_DETECTED,
        Trigger.INQUIRY_OPENED,
        Trigger.LOSS_CONFIRMED,
        Trigger.DAMAGE,
        Trigger.RETURNED_TO_SENDER,
    }
)
NEEDS_NEWS: Final = frozenset({Trigger.DELAY_DETECTED, Trigger.INQUIRY_OPENED})
"""They say that the parcel has not come: true only as long as we would know of its coming (see `freshness`)."""
TOLERATES_DUPLICATE: Final = frozenset({Trigger.LOSS_CONFIRMED})
"""Worth sending once more, under the same Message-ID, where no answer came: silence would cost more than a second copy."""
RULE_VERSIONS: Final[Mapping[str, int]] = {
    f"notice.{trigger.value}": 3 if trigger in NEEDS_NEWS else 2 if trigger in PROBLEM_TRIGGERS else 1
    for trigger in Trigger
}
"""Every rule that makes a notice, or says why there is none. Version 2: a problem is as old as our knowledge of it; 3: a
damaged parcel is not told to be late."""


class WhyNotTold(StrEnum):
    """Why a trigger fired and nothing is sent (yet): the code that translations go by."""

    TOO_OLD = "too_old"
    ENDED_BEFORE_SEEN = "ended_before_seen"
    ORDER_SILENT = "order_silent"
    DAMAGED = "damaged"
    DAILY_LIMIT = "daily_limit"
    NO_ADDRESS = "no_address"
    MARKETPLACE_ADDRESS = "marketplace_address"


WHY_NOT_TOLD: Final[Mapping[WhyNotTold, str]] = {
    WhyNotTold.TOO_OLD: "older than what is worth telling: true since {since}",
    WhyNotTold.ENDED_BEFORE_SEEN: "the parcel had come to its end before it was first seen",
    WhyNotTold.ORDER_SILENT: "the order was cancelled or returned: its customer is told nothing",
    WhyNotTold.DAMAGED: "the carrier has found it damaged: that is told, and what its claim is for; not that it is late",
    WhyNotTold.DAILY_LIMIT: "enough was told about this parcel today: the rest waits for the next day",
    WhyNotTold.NO_ADDRESS: "the order has no e-mail address",
    WhyNotTold.MARKETPLACE_ADDRESS: "the only address is a marketplace's alias, which must not be mailed",
}
"""What the log says of each, in English; `{names}` are facts."""
MUTED: Final = "the order is muted by hand: its customer is told nothing"
POSTPONES: Final = frozenset({WhyNotTold.DAILY_LIMIT})
"""Reasons that end by themselves."""
NOT_LIVE: Final[Mapping[Hold, str]] = {
    Hold.OBSERVE: "the shop only observes; nothing leaves before its live_from",
    Hold.BEFORE_LIVE: "it began before the shop went live: tracker release lets it go",
}
"""What a shop that is not live, or was not when it began, holds back, and what the log says of it."""
SPACING: Final = timedelta(hours=3)
"""The inquiry is told so long after the delay: two mails in one minute about one parcel read as a fault."""
RETRY: Final = timedelta(minutes=30)
"""A message that waits for something else than a person is looked at again so soon."""
PER_PARCEL_A_DAY: Final = 3
"""At most so many notices about one parcel on one local day; the rest waits for the next."""


_LEFT: Final = frozenset({DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """The merchant's choices. `channels` names those of each trigger that is on; `delivered_only_after_problem` is the
    preset `problems`: a delivery is worth a mail where a problem was told."""

    channels: Mapping[Trigger, Sequence[str]] = field(default_factory=dict)
    max_age: Mapping[Trigger, timedelta] = field(default_factory=dict)
    delivered_after: timedelta = timedelta(hours=2)
    delivered_between: tuple[time, time] = (time(9), time(20))
    delivered_only_after_problem: bool = True
    hold: timedelta = timedelta(minutes=10)
    """How long a notice waits for the other parcels of its order."""


@dataclass(frozen=True, slots=True)
class ToldProblem:
    """A problem as messages reads it."""

    id: int
    kind: Kind
    episode: int
    presumed: bool
    since: datetime
    customer_since: datetime | None
    detected_at: datetime
    """When we learned of it."""
    resolved_at: datetime | None
    by_hand: bool = False
    """A person reported it: what the customer has told us himself is no news to him."""


@dataclass(frozen=True, slots=True)
class ToldClaim:
    """The shipment's newest claim."""

    state: ClaimState
    protocol: str | None
    opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """All that the rules may know of one shipment."""

    history: History
    first_seen_at: datetime
    problems: tuple[ToldProblem, ...] = ()
    claim: ToldClaim | None = None
    problem_told: bool = False
    """Whether the customer has been told of a problem of this shipment."""
    order_silent: bool = False
    """Cancelled and refunded orders are silent."""
    known: frozenset[tuple[Trigger, int]] = frozenset()
    """Triggers (with their episode) that have their notice already."""
    today: int = 0
    """How many notices about this parcel were made on this local day."""
    delay_told_at: datetime | None = None
    """When the customer was, or is about to be, told of a delay."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A notice to make. `since`: when its reason became true; it leaves from `not_before` on and before `expires_at`."""

    trigger: Trigger
    episode: int
    since: datetime
    not_before: datetime
    expires_at: datetime
    problem_id: int | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A trigger that fired and is not told, and why."""

    trigger: Trigger
    episode: int
    why: WhyNotTold
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The sentence of the log."""
        return WHY_NOT_TOLD[self.why].format(**self.facts)


def decide(
    facts: NoticeFacts, policy: NoticePolicy, days: Calendars, now: datetime
) -> tuple[list[Wanted], list[HeldBack], datetime | None]:
    """The notices to make now, those held back, and when to look again."""
    wanted: list[Wanted] = []
    held: list[HeldBack] = []
    wake: datetime | None = None
    for candidate in _candidates(facts, policy, days):
        if (candidate.trigger, candidate.episode) in facts.known or not policy.channels.get(candidate.trigger):
            continue
        past = _past(candidate, facts, now)
        if past is not None:
            held.append(past)
        elif facts.today + len(wanted) >= PER_PARCEL_A_DAY:
            held.append(held_back(candidate, WhyNotTold.DAILY_LIMIT))
            wake = days.start_of(days.local_date(now) + DAY)
        else:
            wanted.append(candidate)
    delay_told_at = now if any(n.trigger is Trigger.DELAY_DETECTED for n in wanted) else facts.delay_told_at
    return [_spaced(notice, delay_told_at) for notice in wanted], held, wake


def _spaced(notice: Wanted, delay_told_at: datetime | None) -> Wanted:
    if notice.trigger is not Trigger.INQUIRY_OPENED or delay_told_at is None:
        return notice
    return replace(notice, not_before=max(notice.not_before, delay_told_at + SPACING))


def live_hold(began: datetime | None, live_at: datetime | None, now: datetime) -> Hold | None:
    """What holds a message back for its shop's sake.

    Args:
        began: when the problem did (a message without one: its reason); None for one that a person has released.
        live_at: the start of the shop's first live day; None where it only observes.
    """
    if live_at is None or now < live_at:
        return Hold.OBSERVE
    return Hold.BEFORE_LIVE if began is not None and began < live_at else None


def look_again(hold: Hold, live_at: datetime | None, expires_at: datetime, now: datetime) -> datetime:
    """When a message that is held for its shop's sake is judged anew: on the first live day, or when it is too old."""
    goes_live = hold is Hold.OBSERVE and live_at is not None and live_at > now
    return min(live_at, expires_at) if goes_live and live_at is not None else expires_at


def leaves_at(trigger: Trigger, since: datetime, policy: NoticePolicy, days: Calendars, now: datetime) -> datetime:
    """From when on a message that is let go now may leave."""
    if trigger is not Trigger.DELIVERED:
        return now
    return within_hours(max(since + policy.delivered_after, now), policy.delivered_between, days)


@dataclass(frozen=True, slots=True)
class ToldDelay:
    """How a shipment's message about its delay stands. `left_at` is known once it is leaving."""

    state: DeliveryState
    left_at: datetime | None = None


def after_delay(delays: Sequence[ToldDelay], now: datetime) -> datetime | None:
    """Until when the inquiry waits because of its shipment's delay: it goes second, `SPACING` later.

    None: it may leave. A delay that waits for a person, or will never be told, holds nothing up.
    """
    leaving = any(delay.state in {DeliveryState.QUEUED, DeliveryState.SENDING} for delay in delays)
    told = [delay.left_at for delay in delays if delay.state in _LEFT and delay.left_at is not None]
    until = max([*(at + SPACING for at in told), *([now + RETRY] if leaving else [])], default=now)
    return until if until > now else None


def still_true(trigger: Trigger, history: History, problem: ToldProblem | None) -> bool:
    """Whether what a notice says still holds at the moment it leaves (a delay is no news once the parcel is here)."""
    if trigger in NEEDS_NEWS:
        on_its_way = history.first_attempt_at is None and history.status not in FINAL
        return on_its_way and (problem is None or _late_for_customer(problem))
    if trigger is Trigger.POSTED:
        return history.status in MOVING
    if trigger is Trigger.LOSS_CONFIRMED:
        return problem is None or problem.resolved_at is None
    if trigger is Trigger.DAMAGE:
        return history.damaged_at is not None
    if trigger is Trigger.RETURNED_TO_SENDER:
        return history.status in {TrackingStatus.RETURNING, TrackingStatus.RETURNED}
    if trigger is Trigger.DELIVERED:
        return history.status is TrackingStatus.DELIVERED
    return True


def _late_for_customer(problem: ToldProblem) -> bool:
    """A delay that still stands: no loss or return took its place, and the promise did not move."""
    return problem.resolved_at is None and problem.customer_since is not None


def _past(candidate: Wanted, facts: NoticeFacts, now: datetime) -> HeldBack | None:
    if facts.order_silent:
        return held_back(candidate, WhyNotTold.ORDER_SILENT)
    if candidate.expires_at <= now:
        return held_back(candidate, WhyNotTold.TOO_OLD)
    if candidate.trigger in NEEDS_NEWS and _damaged(facts):
        return held_back(candidate, WhyNotTold.DAMAGED)
    ended_at = facts.history.status_at if facts.history.status in FINAL else None
    if ended_at is not None and ended_at < facts.first_seen_at:
        return held_back(candidate, WhyNotTold.ENDED_BEFORE_SEEN)
    return None


def _damaged(facts: NoticeFacts) -> bool:
    """A parcel that comes broken is not waited for, and its claim is no inquiry that locates it."""
    return any(problem.kind is Kind.DAMAGE and problem.resolved_at is None for problem in facts.problems)


def held_back(notice: Wanted, why: WhyNotTold) -> HeldBack:
    """This notice, not made for this reason."""
    facts = {"since": notice.since.isoformat(), "problem_id": notice.problem_id}
    return HeldBack(notice.trigger, notice.episode, why, facts)


def _candidates(facts: NoticeFacts, policy: NoticePolicy, days: Calendars) -> list[Wanted]:
    """Everything that could be told, the most urgent first."""
    found = [_problem_notice(problem, facts, policy) for problem in facts.problems]
    notices = [notice for notice in found if notice is not None]
    notices += _inquiry(facts, policy)
    notices += _returned(facts, policy)
    notices += _posted(facts, policy)
    notices += _delivered(facts, policy, days)
    return notices


def _problem_notice(problem: ToldProblem, facts: NoticeFacts, policy: NoticePolicy) -> Wanted | None:
    if problem.resolved_at is not None:
        return None
    history = facts.history
    if problem.kind is Kind.DELAY and problem.customer_since is not None:
        return _about(problem, Trigger.DELAY_DETECTED, problem.customer_since, facts, policy)
    if problem.kind is Kind.LOSS and not problem.presumed:
        return _about(problem, Trigger.LOSS_CONFIRMED, history.lost_at or problem.since, facts, policy)
    if problem.kind is Kind.THEFT:
        return _about(problem, Trigger.LOSS_CONFIRMED, history.stolen_at or problem.since, facts, policy)
    if problem.kind is Kind.DAMAGE and not problem.by_hand:
        return _about(problem, Trigger.DAMAGE, problem.since, facts, policy)
    if problem.kind is Kind.RETURNING:
        return _about(problem, Trigger.RETURNED_TO_SENDER, problem.since, facts, policy)
    return None


def _inquiry(facts: NoticeFacts, policy: NoticePolicy) -> list[Wanted]:
    """A claim was taken while the parcel is late for the customer and not here."""
    claim = facts.claim
    late = next(
        (p for p in facts.problems if p.kind is Kind.DELAY and p.customer_since and p.resolved_at is None), None
    )
    if claim is None or claim.opened_at is None or late is None or claim.state not in FILED:
        return []
    return [_about(late, Trigger.INQUIRY_OPENED, claim.opened_at, facts, policy)]


def _returned(facts: NoticeFacts, policy: NoticePolicy) -> list[Wanted]:
    """Back already, without ever having been on its way back as far as we saw."""
    turned = any(problem.kind is Kind.RETURNING for problem in facts.problems)
    for problem in facts.problems:
        if problem.kind is Kind.RETURNED and problem.resolved_at is None and not turned:
            return [_about(problem, Trigger.RETURNED_TO_SENDER, problem.since, facts, policy)]
    return []


def _posted(facts: NoticeFacts, policy: NoticePolicy) -> list[Wanted]:
    posted_at = facts.history.posted_at
    if posted_at is None or facts.history.status not in MOVING:
        return []
    return [_wanted(Trigger.POSTED, posted_at, policy)]


def _delivered(facts: NoticeFacts, policy: NoticePolicy, days: Calendars) -> list[Wanted]:
    delivered_at = facts.history.delivered_at
    if facts.history.status is not TrackingStatus.DELIVERED or delivered_at is None:
        return []
    if policy.delivered_only_after_problem and not facts.problem_told:
        return []
    leaves = within_hours(delivered_at + policy.delivered_after, policy.delivered_between, days)
    return [_wanted(Trigger.DELIVERED, delivered_at, policy, not_before=leaves)]


def within_hours(at: datetime, hours: tuple[time, time], days: Calendars) -> datetime:
    """`at`, or the next instant inside these local hours."""
    first, last = hours
    local = at.astimezone(days.zone)
    if local.time() < first:
        return days.at(local.date(), first)
    return at if local.time() < last else days.at(local.date() + DAY, first)


def _about(problem: ToldProblem, trigger: Trigger, since: datetime, facts: NoticeFacts, policy: NoticePolicy) -> Wanted:
    """A notice of a problem. First sight tells nothing about the past; what came later is news when we learn of it."""
    followed = facts.first_seen_at <= since
    learned_at = max(since, problem.detected_at) if followed else since
    return Wanted(trigger, problem.episode, since, since, learned_at + policy.max_age[trigger], problem.id)


def _wanted(trigger: Trigger, since: datetime, policy: NoticePolicy, *, not_before: datetime | None = None) -> Wanted:
    """A notice of something that is no problem."""
    leaves = not_before or since
    expires_at = max(since + policy.max_age[trigger], leaves + DAY if not_before else since)
    return Wanted(trigger, 1, since, leaves, expires_at)
