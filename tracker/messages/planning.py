"""From facts to notices: what each shipment's story gives to tell, who it goes to, and what holds it back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker import metrics
from tracker.domain.calendar import Calendars, CalendarsBetween
from tracker.domain.hand import BY_HAND, Mute, mute_of
from tracker.domain.live import LiveFrom, live_at
from tracker.domain.notice_kinds import JOURNEY
from tracker.domain.notice_order import OrderFacts, thanks
from tracker.domain.notices import (
    MUTED,
    NOT_LIVE,
    POSTPONES,
    PROBLEM_TRIGGERS,
    RULE_VERSIONS,
    URGENT,
    HeldBack,
    NoticeFacts,
    NoticePolicy,
    OrderTold,
    Place,
    ToldClaim,
    ToldProblem,
    Wanted,
    WhyNotTold,
    decide,
    held_back,
    leaves_at,
    live_hold,
    look_again,
)
from tracker.domain.order import OrderStatus
from tracker.domain.relays import Unmailed
from tracker.domain.restoring import RESTORED, rests_on_the_lost
from tracker.domain.words import DeliveryState, Hold, Trigger
from tracker.messages.recipients import recipient_of
from tracker.store.acts import acts_about
from tracker.store.claims import ClaimRow, claims_of_shipments
from tracker.store.contexts import OrderRow, ShipmentContext, contexts_of, orders_of, shipments_of_orders
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.deliveries import add_delivery, misaddressed, readdress
from tracker.store.hand import rejection_of
from tracker.store.histories import HistoryRow, histories_of
from tracker.store.incidents import incidents_of
from tracker.store.leases import finish, new_token
from tracker.store.logs import DecisionNote, log_decisions
from tracker.store.notices import (
    Member,
    OrderNotice,
    add_member,
    add_notice,
    finish_check,
    joinable_notice,
    members_of,
    notices_of_orders,
    take_due_checks,
    take_due_order_checks,
)
from tracker.store.problems import ProblemRow, problems_of
from tracker.store.restores import last_restore
from tracker.store.tables import NoticeOrderCheck, table

log = structlog.get_logger(__name__)
BATCH: Final = 200
READDRESSED: Final = "message.readdressed"
"""The rule under which the log says that a message goes to another address."""


@dataclass(frozen=True)
class NoticeSweep:
    """The lane `messages`: looks at every shipment with something new."""

    database: Database
    policy: NoticePolicy
    days: CalendarsBetween
    live_from: LiveFrom
    new_message_id: Callable[[str], str]
    """A fresh Message-ID of a shop's own domain."""
    unmailed: Callable[[str], Unmailed]
    """Whom a shop does not write to."""
    home: Callable[[str], Place] = lambda shop: Place()
    """Where a shop's parcels start."""
    pickup_days: Callable[[str], int | None] = lambda carrier: None
    """How long a carrier keeps parcels at a counter."""

    async def run(self, now: datetime) -> int:
        """Decide for all that is due; returns how many shipments and orders were looked at."""
        total = 0
        for batch in (self._batch, self._orders):
            looked = BATCH
            while looked == BATCH:
                looked = await self.database.write(partial(batch, now=now))
                total += looked
        return total

    def _orders(self, connection: Connection, now: datetime) -> int:
        """Orders that are paid and have no parcel on its way: intake wakes them."""
        token = new_token()
        due = take_due_order_checks(connection, now=now, limit=BATCH, token=token)
        if not due:
            return 0
        orders = orders_of(connection, due)
        told = notices_of_orders(connection, {order.shop for order in orders.values()}, due)
        acts = acts_about(connection, "order", due)
        for order_id, order in orders.items():
            days = self.days(order.shop, order.state, order.city)
            facts = OrderFacts(
                OrderStatus(order.status),
                order.ordered_at,
                order.created_at,
                order.updated_at,
                _of_order(told[order_id], days, now),
            )
            wanted = thanks(facts, self.policy)
            if wanted is None:
                continue
            recipient, missing = self._recipient(order)
            why = WhyNotTold.TOO_OLD if wanted.expires_at <= now else missing if recipient is None else None
            if why is None:
                mute = mute_of(acts.get(order_id, ()), now)
                self._make(connection, order, None, wanted, (), days, mute, now)
            else:
                held = held_back(wanted, why)
                log_changes(connection, [_held_note(order.shop, ("order", order_id), held)], now)
        finish(connection, table(NoticeOrderCheck), "next_check_at", [(one, None) for one in due], token=token)
        return len(due)

    def _recipient(self, order: OrderRow) -> tuple[str | None, WhyNotTold | None]:
        return recipient_of(order.recipient_email, order.customer_email, self.unmailed(order.shop))

    def _batch(self, connection: Connection, now: datetime) -> int:
        token = new_token()
        due = take_due_checks(connection, now=now, limit=BATCH, token=token)
        if not due:
            return 0
        contexts, histories = contexts_of(connection, due), histories_of(connection, due)
        problems, claims = problems_of(connection, due), claims_of_shipments(connection, due)
        members, shared = members_of(connection, due), incidents_of(connection, due)
        orders = {context.order.id: context.order.shop for context in contexts.values()}
        told_orders = notices_of_orders(connection, set(orders.values()), orders)
        acts = acts_about(connection, "order", list(orders))
        self._readdress(connection, {one.notice_id for found in members.values() for one in found}, contexts, now)
        for shipment_id in due:
            wake = None
            if shipment_id in histories:
                context, history = contexts[shipment_id], histories[shipment_id]
                days = self.days(context.order.shop, context.order.state, context.order.city)
                told = (problems[shipment_id], claims[shipment_id], members[shipment_id])
                facts = _facts(context, history, *told, days, now)
                facts = replace(
                    facts,
                    home=self.home(context.order.shop),
                    pickup_days=self.pickup_days(context.carrier),
                    is_shared=shipment_id in shared,
                    order=_of_order(told_orders[context.order.id], days, now),
                )
                wanted, held, wake = decide(facts, self.policy, days, now)
                recipient, missing = self._recipient(context.order)
                if recipient is None and missing is not None:
                    # No notice yet: the address may come with a later file, while it is still worth telling.
                    held += [held_back(notice, missing) for notice in wanted]
                    wanted = []
                mute = mute_of(acts.get(context.order.id, ()), now)
                for notice in wanted:
                    self._make(connection, context.order, shipment_id, notice, problems[shipment_id], days, mute, now)
                    # The next parcel of this order in this batch must know of it.
                    told_orders[context.order.id].append(OrderNotice(notice.trigger, now, waiting=True))
                subject = ("shipment", shipment_id)
                log_changes(connection, [_held_note(context.order.shop, subject, entry) for entry in held], now)
            finish_check(connection, shipment_id, wake, token=token)
        return len(due)

    def _readdress(
        self,
        connection: Connection,
        notices: Collection[int],
        contexts: Mapping[int, ShipmentContext],
        now: datetime,
    ) -> None:
        """What nobody has got yet goes to the address that the order has by now, unless a person stopped it."""
        states = {context.order.shop: context.order.state for context in contexts.values()}
        for late in misaddressed(connection, notices, now):
            address, _ = recipient_of(late.recipient_email, late.customer_email, self.unmailed(late.shop))
            stopped = late.state is DeliveryState.SUPPRESSED and rejection_of(connection, "message", late.id)
            if address is None or address == late.recipient or stopped:
                continue
            waits = late.state in {DeliveryState.QUEUED, DeliveryState.AWAITING_PERSON}
            days = self.days(late.shop, states.get(late.shop))
            leaves = None if waits else leaves_at(late.trigger, late.since, self.policy, days, now)
            # An address that comes with a file that is read once more: it may have gone there before the restore.
            lost = not waits and rests_on_the_lost(late.since, None, last_restore(connection))
            if readdress(connection, late, address, leaves, held=RESTORED if lost else None):
                facts = {"trigger": late.trigger.value, "was": late.state.value}
                is_held = lost or late.state is DeliveryState.AWAITING_PERSON
                outcome = "held" if is_held else DeliveryState.QUEUED.value
                reason = "the order has another e-mail address now"
                log_decisions(
                    connection,
                    [DecisionNote(late.shop, "message", late.id, READDRESSED, 1, outcome, reason, facts)],
                    now,
                )

    def _make(
        self,
        connection: Connection,
        order: OrderRow,
        shipment_id: int | None,
        wanted: Wanted,
        problems: Sequence[ProblemRow],
        days: Calendars,
        mute: Mute | None,
        now: datetime,
    ) -> None:
        """Make a notice of a shipment, or of an order that has none yet, or join one that has not left."""
        problem = next((row for row in problems if row.id == wanted.problem_id), None)
        hold, reason = self._hold(order.shop, wanted, problem, days, now)
        if hold is None and _may_have_been_told(wanted, problem, last_restore(connection)):
            hold, reason = Hold.RESTORED, RESTORED
        if hold is None and mute is not None:
            hold, reason = Hold.MUTED, MUTED
        if shipment_id is not None:
            member = (shipment_id, wanted.trigger, wanted.episode, wanted.problem_id)
            joined = joinable_notice(connection, order.shop, order.id, wanted.trigger, now, is_held=hold is not None)
            if joined is not None:
                add_member(connection, joined, *member)
                return
        values = {
            "shop": order.shop,
            "order_id": order.id,
            "trigger": wanted.trigger.value,
            "occurrence": f"{'order' if shipment_id is None else shipment_id}:{wanted.episode}",
            "since": wanted.since,
            "created_at": now,
            "expires_at": wanted.expires_at,
        }
        notice_id = add_notice(connection, values)
        if notice_id is None or (shipment_id is not None and not add_member(connection, notice_id, *member)):
            return
        several = len(shipments_of_orders(connection, [order.id])[order.id]) > 1
        leaves = max(wanted.not_before, now + self.policy.hold if several else now)
        if hold:
            leaves = look_again(hold, self._live_at(order.shop, days), wanted.expires_at, now)
        if hold is Hold.MUTED and mute is not None and mute.until is not None:
            leaves = min(mute.until, wanted.expires_at)
        for channel in self.policy.channels[wanted.trigger]:
            self._queue(connection, order, shipment_id, notice_id, channel, wanted, leaves, (hold, reason), now)

    def _queue(
        self,
        connection: Connection,
        order: OrderRow,
        shipment_id: int | None,
        notice_id: int,
        channel: str,
        wanted: Wanted,
        leaves: datetime,
        hold: tuple[Hold | None, str],
        now: datetime,
    ) -> None:
        recipient, _ = self._recipient(order)
        state = DeliveryState.AWAITING_PERSON if hold[0] else DeliveryState.QUEUED
        reason = hold[1]
        delivery_id = add_delivery(
            connection,
            {
                "notice_id": notice_id,
                "channel": channel,
                "recipient": recipient,
                "state": state.value,
                "hold_reason": hold[0].value if hold[0] else None,
                "queued_at": now,
                "urgent": wanted.trigger in URGENT,
                "next_step_at": leaves,
                "message_id": self.new_message_id(order.shop),
                "reason": reason or None,
            },
        )
        if delivery_id is None:
            return
        outcome = "held" if state is DeliveryState.AWAITING_PERSON else state.value
        facts = {
            "trigger": wanted.trigger.value,
            "shipment_id": shipment_id,
            "since": wanted.since.isoformat(),
            "expires_at": wanted.expires_at.isoformat(),
        }
        why = reason or f"{wanted.trigger.value}: true since {wanted.since.isoformat()}"
        if hold[0]:
            facts["why"] = hold[0].value
        rule = f"notice.{wanted.trigger.value}"
        note = DecisionNote(order.shop, "message", delivery_id, rule, RULE_VERSIONS[rule], outcome, why, facts)
        log_changes(connection, [note], now)
        metrics.message_moved(wanted.trigger.value, state.value)
        log.info("message.queued", message_id=delivery_id, trigger=wanted.trigger.value, state=state.value)

    def _hold(
        self, shop: str, wanted: Wanted, problem: ProblemRow | None, days: Calendars, now: datetime
    ) -> tuple[Hold | None, str]:
        """Observe mode lets nothing leave; what began before the shop went live waits for `tracker release`."""
        began: datetime | None = problem.since if problem is not None else wanted.since
        if problem is not None and problem.released_at is not None:
            began = None
        hold = live_hold(began, self._live_at(shop, days), now)
        return hold, NOT_LIVE[hold] if hold else ""

    def _live_at(self, shop: str, days: Calendars) -> datetime | None:
        return live_at(self.live_from(shop), days)


def _facts(
    context: ShipmentContext,
    row: HistoryRow,
    problems: Sequence[ProblemRow],
    claims: Sequence[ClaimRow],
    members: Sequence[Member],
    days: Calendars,
    now: datetime,
) -> NoticeFacts:
    newest = claims[-1] if claims else None
    today = days.local_date(now)
    silent = {OrderStatus.CANCELLED.value, OrderStatus.RETURNED.value}
    return NoticeFacts(
        history=row.history,
        first_seen_at=row.first_seen_at,
        problems=tuple(told_problem(problem) for problem in problems),
        claim=ToldClaim(newest.told_state, newest.protocol, newest.opened_at) if newest else None,
        problem_told=any(m.told and m.trigger in PROBLEM_TRIGGERS for m in members),
        order_silent=context.order.status in silent,
        known=frozenset((m.trigger, m.episode) for m in members),
        today=sum(days.local_date(m.created_at) == today for m in members),
        delay_told_at=_delay_told_at(members, now),
        promises_from=_promises_from(members),
        news_on=_news_on(members),
        promised_on=context.order.promised_on or row.history.due_on,
        destination=Place(context.order.city, context.order.state),
        last_answered_at=context.last_answered_at,
        journey=sum(m.trigger in JOURNEY for m in members),
        journey_today=sum(m.trigger in JOURNEY and days.local_date(m.created_at) == today for m in members),
    )


def _of_order(notices: Sequence[OrderNotice], days: Calendars, now: datetime) -> OrderTold:
    today = days.local_date(now)
    return OrderTold(
        ever=frozenset(one.trigger for one in notices),
        today=frozenset(one.trigger for one in notices if days.local_date(one.created_at) == today),
        waiting=frozenset(one.trigger for one in notices if one.waiting),
    )


def _promises_from(members: Sequence[Member]) -> datetime | None:
    """When the newest message that promised news left; one of promised news counts from its making, sent or not."""
    left = [m.left_at for m in members if m.trigger is Trigger.DELAY_DETECTED and m.left_at is not None]
    left += [m.left_at or m.created_at for m in members if m.trigger is Trigger.DELAY_FOLLOWUP]
    return max(left, default=None)


def _news_on(members: Sequence[Member]) -> date | None:
    """By when the newest message about a delay that left promised news."""
    about = (m for m in members if m.trigger in {Trigger.DELAY_DETECTED, Trigger.DELAY_FOLLOWUP})
    newest = max((m for m in about if m.left_at is not None), key=lambda m: m.left_at or m.created_at, default=None)
    return newest.promised_on if newest is not None else None


def _delay_told_at(members: Sequence[Member], now: datetime) -> datetime | None:
    """A notice that has not left yet (queued, or let go by a person a moment ago) counts as told now."""
    delays = [m.created_at if m.told else now for m in members if m.trigger is Trigger.DELAY_DETECTED]
    return max(delays, default=None)


def told_problem(row: ProblemRow) -> ToldProblem:
    """The row as the rules read it."""
    return ToldProblem(
        row.id,
        row.kind,
        row.episode,
        row.presumed,
        row.since,
        row.customer_since,
        row.detected_at,
        row.resolved_at,
        row.rule.startswith(BY_HAND),
        row.by_words,
    )


def _may_have_been_told(wanted: Wanted, problem: ProblemRow | None, restored_at: datetime | None) -> bool:
    """Whether it rests on what was so before the database was put back to an earlier copy."""
    if problem is None:
        return rests_on_the_lost(min(wanted.since, wanted.began or wanted.since), None, restored_at)
    return rests_on_the_lost(min(problem.since, wanted.since), problem.released_at, restored_at)


def _held_note(shop: str, subject: tuple[str, int], entry: HeldBack) -> DecisionNote:
    facts: Mapping[str, object] = {
        "why": entry.why.value,
        "trigger": entry.trigger.value,
        "episode": entry.episode,
        **entry.facts,
    }
    rule, outcome = f"notice.{entry.trigger.value}", "postponed" if entry.why in POSTPONES else "not_told"
    return DecisionNote(shop, *subject, rule, RULE_VERSIONS[rule], outcome, entry.reason, facts)
