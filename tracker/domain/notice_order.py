"""When a customer is thanked for an order, before any parcel of it moves. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tracker.domain.notice_facts import NoticePolicy, OrderTold, Wanted
from tracker.domain.notice_journey import plain
from tracker.domain.order import OrderStatus
from tracker.domain.words import Trigger


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All that the rule may know of an order."""

    status: OrderStatus
    ordered_at: datetime | None
    created_at: datetime
    """When we first learned of it ..."""
    updated_at: datetime
    """... and when its newest file changed it."""
    told: OrderTold = field(default_factory=OrderTold)


def thanks(facts: OrderFacts, policy: NoticePolicy) -> Wanted | None:
    """The order file says in so many words that it is paid; what is ready or sent has its own messages.

    Nobody is thanked for what is long past: an order that was fresh when we learned of it is news when its payment is; any
    other is as old as its own date, and one without a date is never known to be fresh.
    """
    trigger = Trigger.ORDER_THANKED
    if facts.status is not OrderStatus.PAID or facts.ordered_at is None or facts.told.ever or not policy.is_on(trigger):
        return None
    followed = facts.created_at <= facts.ordered_at + policy.max_age[trigger]
    since = max(facts.ordered_at, facts.updated_at) if followed else facts.ordered_at
    return plain(trigger, since, policy, began=facts.ordered_at)
