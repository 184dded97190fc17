"""Judges anew what was held back because its shop was not live: on the first live day, and after every new configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from tracker.domain.calendar import CalendarsBetween
from tracker.domain.live import LiveFrom, live_at
from tracker.domain.notices import NOT_LIVE, NoticePolicy, leaves_at, live_hold, look_again
from tracker.domain.words import DeliveryState, Hold
from tracker.messages import compose
from tracker.messages.compose import WhyWithheld
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.deliveries import HeldNotLive, save_delivery, take_not_live
from tracker.store.leases import new_token
from tracker.store.logs import DecisionNote

log = structlog.get_logger(__name__)
RULE: Final = "message.live_from"
BATCH: Final = 200


@dataclass(frozen=True)
class LiveSweep:
    """The lane `messages:live`. It sends nothing: what it queues is looked at once more when it leaves."""

    database: Database
    policy: NoticePolicy
    days: CalendarsBetween
    live_from: LiveFrom
    channel: str

    async def run(self, now: datetime) -> int:
        """Judge all that is due; returns how many deliveries were."""
        total = 0
        while True:
            judged = await self.database.write(lambda c: self._batch(c, now))
            total += judged
            if judged < BATCH:
                return total

    def _batch(self, connection: Connection, now: datetime) -> int:
        token = new_token()
        held = take_not_live(connection, self.channel, now=now, limit=BATCH, token=token)
        queued = 0
        for delivery in held:
            values, note = self._judged(delivery, now)
            save_delivery(connection, delivery.id, values, token=token)
            if note is not None:
                log_changes(connection, [note], now)
            queued += values["state"] == DeliveryState.QUEUED.value
        if held:
            log.info("message.judged_anew", messages=len(held), queued=queued)
        return len(held)

    def _judged(self, delivery: HeldNotLive, now: datetime) -> tuple[dict[str, Any], DecisionNote | None]:
        """What to write, and the decision where it is one."""
        if delivery.expires_at <= now:
            return _expired(delivery)
        days, live_from = self.days(delivery.shop, None), self.live_from(delivery.shop)
        first = live_at(live_from, days)
        hold = live_hold(delivery.began, first, now)
        facts = {"trigger": delivery.trigger.value}
        if hold is None:
            leaves = leaves_at(delivery.trigger, delivery.since, self.policy, days, now)
            note = DecisionNote(delivery.shop, "message", delivery.id, RULE, 1, "queued", "the shop is live", facts)
            return _standing(DeliveryState.QUEUED, next_step_at=leaves), note
        reason, again = NOT_LIVE[hold], look_again(hold, first, delivery.expires_at, now)
        facts |= {"why": hold.value}
        note = DecisionNote(delivery.shop, "message", delivery.id, RULE, 1, "held", reason, facts)
        values = _standing(DeliveryState.AWAITING_PERSON, hold=hold, reason=reason, next_step_at=again)
        return values, note if hold is not delivery.hold else None


def _expired(delivery: HeldNotLive) -> tuple[dict[str, Any], DecisionNote]:
    state, facts = DeliveryState.EXPIRED, {"why": WhyWithheld.TOO_OLD.value}
    rule = (compose.RULE, compose.VERSION)
    note = DecisionNote(delivery.shop, "message", delivery.id, *rule, state.value, compose.TOO_OLD, facts)
    return _standing(state, reason=compose.TOO_OLD), note


def _standing(
    state: DeliveryState,
    *,
    hold: Hold | None = None,
    reason: str | None = None,
    next_step_at: datetime | None = None,
) -> dict[str, Any]:
    return {
        "state": state.value,
        "hold_reason": hold.value if hold else None,
        "reason": reason,
        "next_step_at": next_step_at,
    }
