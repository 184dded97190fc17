"""Everything that could be told about a parcel, the most urgent first. Pure.

When each trigger fires is in `docs/messages.md`; contract.md section 3 settles what the texts' file leaves open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Final

from carriers.base import ProblemKind
from tracker.domain import notice_journey as journey
from tracker.domain.calendar import Calendars
from tracker.domain.history import FINAL
from tracker.domain.notice_facts import NOTHING, Look, NoticeFacts, NoticePolicy, ToldProblem, Wanted
from tracker.domain.words import FILED, Trigger

Kind = ProblemKind

FOLLOWUP_AT: Final = time(9)
"""The local hour at which promised news is told."""
_EPISODES: Final = 100
"""Promised news is numbered by its delay's episode and its own place: `102` is the second about the first delay."""


def candidates(
    facts: NoticeFacts, policy: NoticePolicy, days: Calendars, now: datetime
) -> tuple[list[Wanted], list[datetime]]:
    """What is true and switched on, told already or not, and when time alone makes more true."""
    rules: list[tuple[Trigger, Callable[[], Look]]] = [
        (Trigger.PICKUP_WAITING, lambda: journey.pickup_waiting(facts, policy, days, now)),
        (Trigger.DELIVERY_ATTEMPT_FAILED, lambda: journey.attempt_failed(facts, policy, days)),
        (Trigger.INQUIRY_OPENED, lambda: _inquiry(facts, policy)),
        (Trigger.DELAY_FOLLOWUP, lambda: _followup(facts, policy, days, now)),
        (Trigger.RETURNED_TO_SENDER, lambda: _returned(facts, policy)),
        (Trigger.OUT_FOR_DELIVERY, lambda: journey.out_for_delivery(facts, policy, days)),
        (Trigger.IN_TRANSIT, lambda: journey.in_transit(facts, policy, days, now)),
        (Trigger.POSTED, lambda: journey.posted(facts, policy)),
        (Trigger.DELIVERED, lambda: journey.delivered(facts, policy, days, now)),
    ]
    looks = [Look(tuple(_problems(facts, policy)))]
    looks += [rule() for trigger, rule in rules if policy.is_on(trigger)]
    found = [notice for look in looks for notice in look.wanted]
    return found, [wake for look in looks for wake in look.wakes if wake > now]


def _problems(facts: NoticeFacts, policy: NoticePolicy) -> Iterator[Wanted]:
    """Of each problem that stands, what is told of it."""
    history = facts.history
    begins = {
        Kind.LOSS: (Trigger.LOSS_CONFIRMED, history.lost_at),
        Kind.THEFT: (Trigger.LOSS_CONFIRMED, history.stolen_at),
        Kind.DAMAGE: (Trigger.DAMAGE, None),
        Kind.RETURNING: (Trigger.RETURNED_TO_SENDER, None),
        Kind.ADDRESS_PROBLEM: (Trigger.ADDRESS_PROBLEM, None),
    }
    for problem in facts.problems:
        trigger, since = begins.get(problem.kind, (None, None))
        if problem.kind is Kind.DELAY and problem.customer_since is not None:
            trigger, since = Trigger.DELAY_DETECTED, problem.customer_since
        # "Confirmed" is a word for what a code says: neither for what is presumed nor for what a text seems to say.
        unsure = problem.presumed if problem.kind is Kind.LOSS else False
        unsure = unsure or (problem.by_words and trigger is Trigger.LOSS_CONFIRMED)
        is_told = problem.resolved_at is None and not unsure
        if trigger is not None and is_told and not problem.by_hand and policy.is_on(trigger):
            yield _about(problem, trigger, since or problem.since, facts, policy)


def _late(facts: NoticeFacts) -> ToldProblem | None:
    """The delay that stands for the customer."""
    return next(
        (p for p in facts.problems if p.kind is Kind.DELAY and p.customer_since and p.resolved_at is None), None
    )


def _inquiry(facts: NoticeFacts, policy: NoticePolicy) -> Look:
    """A claim was taken while the parcel is late for the customer and not here."""
    claim, late = facts.claim, _late(facts)
    if claim is None or claim.opened_at is None or late is None or claim.state not in FILED:
        return NOTHING
    return Look((_about(late, Trigger.INQUIRY_OPENED, claim.opened_at, facts, policy),))


def _followup(facts: NoticeFacts, policy: NoticePolicy, days: Calendars, now: datetime) -> Look:
    """The news that the message about the delay, or the last such news, has promised for this day."""
    late, trigger = _late(facts), Trigger.DELAY_FOLLOWUP
    on_its_way = facts.history.first_attempt_at is None and facts.history.status not in FINAL
    if late is None or facts.promises_from is None or facts.news_on is None or not on_its_way:
        return NOTHING
    if (Trigger.DELAY_DETECTED, late.episode) not in facts.known:
        return NOTHING
    told = sum(one is trigger and episode // _EPISODES == late.episode for one, episode in facts.known)
    counted_from = days.local_date(facts.promises_from)
    promised_on = news_promised_on(told, counted_from, policy, days)
    if promised_on is None:
        return NOTHING
    if facts.news_on > counted_from:
        # The day that the customer read; after promised news that did not leave, the next is counted from its making.
        promised_on = facts.news_on
    at = days.at(promised_on, FOLLOWUP_AT)
    if now < at:
        return Look(wakes=(at,))
    episode = late.episode * _EPISODES + told + 1
    return Look((Wanted(trigger, episode, at, at, at + policy.max_age[trigger], late.id),))


def news_promised_on(told: int, left_on: date, policy: NoticePolicy, days: Calendars) -> date | None:
    """By when a message that leaves on this local day promises news, after so many promised news; None: it promises none.

    The one reckoning for the text that names the day and for the rule that keeps it.
    """
    if not policy.is_on(Trigger.DELAY_FOLLOWUP) or told >= policy.followups:
        return None
    return days.since.add(left_on, policy.followup_business_days)


def followups_before(episode: int) -> int:
    """How many promised news a follow-up of this episode comes after, itself counted."""
    return episode % _EPISODES


def _returned(facts: NoticeFacts, policy: NoticePolicy) -> Look:
    """Back already, without ever having been on its way back as far as we saw."""
    turned = any(problem.kind is Kind.RETURNING for problem in facts.problems)
    for problem in facts.problems:
        if problem.kind is Kind.RETURNED and problem.resolved_at is None and not turned:
            return Look((_about(problem, Trigger.RETURNED_TO_SENDER, problem.since, facts, policy),))
    return NOTHING


def _about(problem: ToldProblem, trigger: Trigger, since: datetime, facts: NoticeFacts, policy: NoticePolicy) -> Wanted:
    """A notice of a problem. First sight tells nothing about the past; what came later is news when we learn of it."""
    followed = facts.first_seen_at <= since
    learned_at = max(since, problem.detected_at) if followed else since
    return Wanted(trigger, problem.episode, since, since, learned_at + policy.max_age[trigger], problem.id)
