"""What the customer is told, when, and until when it is worth telling. Pure.

The notice decides once; how it goes out is the deliverer's business. A parcel that had come to its end before the carrier
first told us of it is the past: nobody is mailed about it. What is older than its trigger's `max_age` is not sent either; a
problem that arose while we followed the parcel is as old as our knowledge of it, not as the problem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.history import FINAL, MOVING, History
from tracker.domain.live import observes
from tracker.domain.notice_facts import NoticeFacts as NoticeFacts
from tracker.domain.notice_facts import NoticePolicy as NoticePolicy
from tracker.domain.notice_facts import OrderTold as OrderTold
from tracker.domain.notice_facts import Place as Place
from tracker.domain.notice_facts import ToldClaim as ToldClaim
from tracker.domain.notice_facts import ToldProblem as ToldProblem
from tracker.domain.notice_facts import Wanted as Wanted
from tracker.domain.notice_journey import MORNING, TRIED
from tracker.domain.notice_journey import within_hours as within_hours
from tracker.domain.notice_kinds import CAN_WAIT, IDLES_OTHERS, JOURNEY
from tracker.domain.notice_kinds import NEEDS_NEWS as NEEDS_NEWS
from tracker.domain.notice_kinds import PROBLEM_TRIGGERS as PROBLEM_TRIGGERS
from tracker.domain.notice_kinds import TOLERATES_DUPLICATE as TOLERATES_DUPLICATE
from tracker.domain.notice_kinds import URGENT as URGENT
from tracker.domain.notice_rules import candidates
from tracker.domain.words import DeliveryState, Hold, Trigger

Kind = ProblemKind

RULE_VERSIONS: Final[Mapping[str, int]] = {
    f"notice.{trigger.value}": 2 if trigger in PROBLEM_TRIGGERS else 1 for trigger in Trigger
} | {"notice.posted": 2, "notice.in_transit": 2, "notice.delay_detected": 3, "notice.inquiry_opened": 4}
"""Every rule that makes a notice, or says why there is none. Version 2: a problem is as old as our knowledge of it, a posting
waits for the next day where the order had its message, half-time for an answer of that day; 3: a damaged parcel is not told
to be late; 4: of many parcels with one cause the inquiry waits for the next day."""


class WhyNotTold(StrEnum):
    """Why a trigger fired and nothing is sent (yet): the code that translations go by."""

    TOO_OLD = "too_old"
    ENDED_BEFORE_SEEN = "ended_before_seen"
    ORDER_SILENT = "order_silent"
    DAMAGED = "damaged"
    DAILY_LIMIT = "daily_limit"
    PARCEL_LIMIT = "parcel_limit"
    DAY_TAKEN = "day_taken"
    CROWDED_DAY = "crowded_day"
    SAID_ALREADY = "said_already"
    NO_ADDRESS = "no_address"
    MARKETPLACE_ADDRESS = "marketplace_address"


WHY_NOT_TOLD: Final[Mapping[WhyNotTold, str]] = {
    WhyNotTold.TOO_OLD: "older than what is worth telling: true since {since}",
    WhyNotTold.ENDED_BEFORE_SEEN: "the parcel had come to its end before it was first seen",
    WhyNotTold.ORDER_SILENT: "the order was cancelled or returned: its customer is told nothing",
    WhyNotTold.DAMAGED: "the carrier has found it damaged: that is told, and what its claim is for; not that it is late",
    WhyNotTold.DAILY_LIMIT: "enough was told about this parcel today: the rest waits for the next day",
    WhyNotTold.PARCEL_LIMIT: "enough was told about this parcel's way: only what concerns its customer is told now",
    WhyNotTold.DAY_TAKEN: "the order had its message today: this waits for the next day, if it is news then",
    WhyNotTold.CROWDED_DAY: "one of many parcels with one cause: one message a day is enough, this waits for the next",
    WhyNotTold.SAID_ALREADY: "a message about a later step, or about something graver, says it",
    WhyNotTold.NO_ADDRESS: "the order has no e-mail address",
    WhyNotTold.MARKETPLACE_ADDRESS: "the only address is a marketplace's alias, which must not be mailed",
}
"""What the log says of each, in English; `{names}` are facts."""
MUTED: Final = "the order is muted by hand: its customer is told nothing"
POSTPONES: Final = frozenset({WhyNotTold.DAILY_LIMIT, WhyNotTold.DAY_TAKEN, WhyNotTold.CROWDED_DAY})
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
    found, wakes = candidates(facts, policy, days, now)
    fresh = [one for one in found if (one.trigger, one.episode) not in facts.known]
    past = {one: _past(one, facts, now) for one in fresh}
    # What was told and still stands goes on saying what it said.
    said = [one for one in found if past.get(one) is None]
    wanted: list[Wanted] = []
    held: list[HeldBack] = []
    for candidate in fresh:
        back = past[candidate] or _capped(candidate, said, wanted, facts, policy)
        if back is None:
            wanted.append(candidate)
            continue
        held.append(back)
        if back.why in POSTPONES:
            wakes.append(_next_day(back.why, days, now))
    if facts.order_silent:
        wakes = []
    delay_told_at = now if any(n.trigger is Trigger.DELAY_DETECTED for n in wanted) else facts.delay_told_at
    return [_spaced(notice, delay_told_at) for notice in wanted], held, min(wakes, default=None)


def _next_day(why: WhyNotTold, days: Calendars, now: datetime) -> datetime:
    """A full day ends at midnight; what merely gave way to another message leaves in the morning."""
    tomorrow = days.local_date(now) + DAY
    return days.start_of(tomorrow) if why is WhyNotTold.DAILY_LIMIT else days.at(tomorrow, MORNING)


def _capped(
    candidate: Wanted, said: Sequence[Wanted], wanted: Sequence[Wanted], facts: NoticeFacts, policy: NoticePolicy
) -> HeldBack | None:
    """What holds a true piece of news back: another message that says more, or enough messages (docs/messages.md)."""
    why = None
    if _is_said_already(candidate, said, facts):
        why = WhyNotTold.SAID_ALREADY
    elif candidate.trigger in JOURNEY and not (candidate.trigger is Trigger.DELIVERED and facts.problem_told):
        why = _journey_cap(wanted, facts, policy)
    if why is None and facts.today + len(wanted) >= PER_PARCEL_A_DAY:
        why = WhyNotTold.DAILY_LIMIT
    if why is None:
        why = _crowded(candidate, wanted, facts)
    return held_back(candidate, why) if why else None


def _journey_cap(wanted: Sequence[Wanted], facts: NoticeFacts, policy: NoticePolicy) -> WhyNotTold | None:
    more = sum(notice.trigger in JOURNEY for notice in wanted)
    if facts.journey + more >= policy.journey_a_parcel:
        return WhyNotTold.PARCEL_LIMIT
    return WhyNotTold.DAILY_LIMIT if facts.journey_today + more >= policy.journey_a_day else None


def _is_said_already(candidate: Wanted, said: Sequence[Wanted], facts: NoticeFacts) -> bool:
    """Steps that arrive together are one message, that of the last; a loss or a return leaves nothing else to say."""
    others = {other.trigger for other in said if other is not candidate}
    if candidate.trigger not in IDLES_OTHERS and others & IDLES_OTHERS:
        return True
    if candidate.trigger not in CAN_WAIT:
        return False
    if candidate.trigger is Trigger.IN_TRANSIT and candidate.trigger in facts.order.ever - facts.order.waiting:
        return True
    steps = others | {trigger for trigger, _ in facts.known}
    return any(_step(trigger) > _step(candidate.trigger) for trigger in steps)


def _step(trigger: Trigger) -> int:
    """How far on a parcel's way a message speaks of; what happens at the door is as far as being out for delivery."""
    if trigger in {Trigger.DELIVERY_ATTEMPT_FAILED, Trigger.PICKUP_WAITING}:
        trigger = Trigger.OUT_FOR_DELIVERY
    return JOURNEY.index(trigger) if trigger in JOURNEY else -1


def _crowded(candidate: Wanted, wanted: Sequence[Wanted], facts: NoticeFacts) -> WhyNotTold | None:
    """One clear message a day and order: what can wait gives way to what was or is told."""
    if candidate.trigger in facts.order.waiting:
        return None
    today = facts.order.today | {notice.trigger for notice in wanted}
    if candidate.trigger in CAN_WAIT and today:
        return WhyNotTold.DAY_TAKEN
    if candidate.trigger is Trigger.INQUIRY_OPENED and facts.is_shared and Trigger.DELAY_DETECTED in today:
        return WhyNotTold.CROWDED_DAY
    return None


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
    if observes(live_at, now):
        return Hold.OBSERVE
    is_older = began is not None and live_at is not None and began < live_at
    return Hold.BEFORE_LIVE if is_older else None


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


_WHILE: Final[Mapping[Trigger, frozenset[TrackingStatus]]] = {
    Trigger.POSTED: MOVING,
    Trigger.IN_TRANSIT: frozenset({TrackingStatus.IN_TRANSIT}),
    Trigger.OUT_FOR_DELIVERY: frozenset({TrackingStatus.OUT_FOR_DELIVERY}),
    Trigger.DELIVERY_ATTEMPT_FAILED: TRIED,
    Trigger.PICKUP_WAITING: frozenset({TrackingStatus.AVAILABLE_FOR_PICKUP}),
    Trigger.RETURNED_TO_SENDER: frozenset({TrackingStatus.RETURNING, TrackingStatus.RETURNED}),
    Trigger.DELIVERED: frozenset({TrackingStatus.DELIVERED}),
}
"""In which status a parcel must be for a message about it to hold."""
_LATE: Final = NEEDS_NEWS | {Trigger.DELAY_FOLLOWUP}
_WITH_PROBLEM: Final = frozenset({Trigger.LOSS_CONFIRMED, Trigger.ADDRESS_PROBLEM, Trigger.DELIVERY_ATTEMPT_FAILED})


def still_true(trigger: Trigger, history: History, problem: ToldProblem | None) -> bool:
    """Whether what a notice says still holds at the moment it leaves (a delay is no news once the parcel is here)."""
    if trigger in _LATE:
        on_its_way = history.first_attempt_at is None and history.status not in FINAL
        return on_its_way and (problem is None or _late_for_customer(problem))
    if trigger in _WITH_PROBLEM and problem is not None and problem.resolved_at is not None:
        return False
    if trigger is Trigger.DAMAGE:
        return history.damaged_at is not None
    return trigger not in _WHILE or history.status in _WHILE[trigger]


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
