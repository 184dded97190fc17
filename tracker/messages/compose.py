"""Builds an e-mail from a delivery: looks at the facts once more, renders the shop's text, and gives the bytes to send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from carriers.base import ClaimTerms
from tracker.domain.calendar import Calendars, CalendarsBetween
from tracker.domain.freshness import is_stale
from tracker.domain.hand import Mute, mute_of
from tracker.domain.incidents import Where
from tracker.domain.live import LiveFrom, live_at, observes
from tracker.domain.mail_address import BadAddress, ascii_address
from tracker.domain.notice_facts import NoticePolicy
from tracker.domain.notice_rules import followups_before, news_promised_on
from tracker.domain.notices import (
    MUTED,
    NEEDS_NEWS,
    NOT_LIVE,
    RETRY,
    ToldDelay,
    after_delay,
    look_again,
    still_true,
)
from tracker.domain.order import OrderStatus
from tracker.domain.relays import Unmailed
from tracker.domain.words import DeliveryState, Hold, Trigger
from tracker.messages.email_message import build_message, parse_mailbox
from tracker.messages.phrases import phrases
from tracker.messages.planning import told_problem
from tracker.messages.recipients import recipient_of
from tracker.messages.sandbox import TemplateFault
from tracker.messages.story import Part, ShopVoice, Telling, values_of
from tracker.messages.templates import Mark, MissingVariable, Rendered, Templates
from tracker.store.acts import acts_about
from tracker.store.claims import ClaimRow, claims_of_shipments
from tracker.store.contexts import OrderRow, ShipmentContext, contexts_of, items_of_orders, orders_of
from tracker.store.deliveries import DueDelivery
from tracker.store.histories import HistoryRow, histories_of
from tracker.store.incidents import incidents_of
from tracker.store.notices import delays_told, members_of_notice, members_of_notices, next_looks, told_before
from tracker.store.problems import ProblemRow, problems_of

RULE: Final = "deliver.email"
VERSION: Final = 1
TOO_OLD: Final = "past the age at which it is worth telling"


class WhyWithheld(StrEnum):
    """Why a message that is due is not sent: the code that translations go by."""

    TOO_OLD = "too_old"
    NO_SHOP = "no_shop"
    NO_LONGER_TRUE = "no_longer_true"
    ORDER_SILENT = "order_silent"
    BROKEN_TEXT = "broken_text"
    BAD_ADDRESS = "bad_address"
    STALE_NEWS = "stale_news"
    DELAY_FIRST = "delay_first"
    MUTED = "muted"
    ADDRESS_CHANGED = "address_changed"
    ADDRESS_SUPPRESSED = "address_suppressed"
    OBSERVE = "observe"


@dataclass(frozen=True, slots=True)
class Sender:
    """A shop as its mails show it."""

    shop: str
    voice: ShopVoice
    sender: str
    reply_to: str | None
    language: str = "pt-BR"


@dataclass(frozen=True, slots=True)
class Composed:
    """A message ready to leave."""

    envelope_from: str
    subject: str
    data: bytes
    shipments: tuple[int, ...] = ()
    """The shipments of its notice."""
    promised_on: date | None = None
    """By when its text promises news; None: it promises none."""
    packed: bytes = b""
    """*data* as it is kept."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a message does not leave, and how its delivery stands instead."""

    state: DeliveryState
    reason: str
    why: WhyWithheld
    hold: Hold | None = None
    next_step_at: datetime | None = None
    is_broken_text: bool = False
    cause: str = ""
    """The suppression's own reason, where that is why."""


WARN_BEFORE: Final = timedelta(hours=6)
"""A message that is held for its text is looked at once more so long before it is no longer worth telling, or half-way."""


def _look_again(delivery: DueDelivery, now: datetime) -> datetime:
    if delivery.hold_reason == Hold.TEMPLATE.value:
        return delivery.expires_at
    return max(delivery.expires_at - WARN_BEFORE, now + (delivery.expires_at - now) / 2)


WAITS_FOR: Final[Mapping[WhyWithheld, str]] = {
    WhyWithheld.STALE_NEWS: "no fresh news of the parcel: its next look is overdue by more than two hours",
    WhyWithheld.ADDRESS_CHANGED: "the order has another e-mail address now: it goes there",
    WhyWithheld.DELAY_FIRST: "the same parcel's delay is told first, and this some hours after it",
}
"""What the log says of a message that leaves by itself later."""


def _waiting(delivery: DueDelivery, why: WhyWithheld, until: datetime) -> Withheld:
    return Withheld(DeliveryState.QUEUED, WAITS_FOR[why], why, next_step_at=min(until, delivery.expires_at))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known about the shipments of some deliveries."""

    members: Mapping[int, Sequence[tuple[int, int, int | None]]]
    """By delivery: (shipment, episode, problem)."""
    orders: Mapping[int, OrderRow]
    """Of the notices that speak of an order without a shipment."""
    contexts: Mapping[int, ShipmentContext]
    histories: Mapping[int, HistoryRow]
    problems: Mapping[int, Sequence[ProblemRow]]
    claims: Mapping[int, Sequence[ClaimRow]]
    incidents: Mapping[int, Where]
    next_looks: Mapping[int, datetime | None]
    """Of the shipments whose notices need fresh news."""
    delays: Mapping[int, Sequence[ToldDelay]]
    """Of the shipments whose inquiry is to be told."""
    mutes: Mapping[int, Mute]
    """By order, those whose customer hears nothing."""
    earlier: Mapping[int, Sequence[str]]
    """By order, the Message-IDs of what it was told before, the oldest first."""
    items: Mapping[int, Sequence[str]]
    """By order, what was ordered."""

    def parts(self, delivery: DueDelivery) -> list[Part]:
        """What the delivery's notice is still true of."""
        if not self.members[delivery.id]:
            return [Part(self.orders[delivery.order_id])] if delivery.order_id in self.orders else []
        parts = []
        for shipment_id, episode, problem_id in self.members[delivery.id]:
            history = self.histories.get(shipment_id)
            row = next((p for p in self.problems[shipment_id] if p.id == problem_id), None)
            if history is not None and still_true(
                delivery.trigger, history.history, told_problem(row) if row else None
            ):
                claims = self.claims[shipment_id]
                newest, shared = claims[-1] if claims else None, self.incidents.get(shipment_id)
                parts.append(Part.of(self.contexts[shipment_id], history, newest, shared, episode))
        return parts

    def waits(self, delivery: DueDelivery, parts: Sequence[Part], now: datetime) -> Withheld | None:
        """Why a true message does not leave yet, although nobody need do anything."""
        ids = [part.shipment_id for part in parts if part.shipment_id is not None]
        if delivery.trigger in NEEDS_NEWS and any(is_stale(self.next_looks.get(one), now) for one in ids):
            return _waiting(delivery, WhyWithheld.STALE_NEWS, now + RETRY)
        if delivery.trigger is not Trigger.INQUIRY_OPENED:
            return None
        until = after_delay([delay for one in ids for delay in self.delays.get(one, ())], now)
        return _waiting(delivery, WhyWithheld.DELAY_FIRST, until) if until else None


def _mutes(connection: Connection, deliveries: Sequence[DueDelivery], now: datetime) -> dict[int, Mute]:
    acts = acts_about(connection, "order", [delivery.order_id for delivery in deliveries])
    found = {order_id: mute_of(given, now) for order_id, given in acts.items()}
    return {order_id: mute for order_id, mute in found.items() if mute is not None}


def _muted(delivery: DueDelivery, mute: Mute) -> Withheld:
    until = delivery.expires_at if mute.until is None else min(mute.until, delivery.expires_at)
    return Withheld(DeliveryState.AWAITING_PERSON, MUTED, WhyWithheld.MUTED, Hold.MUTED, until)


def _facts_of(connection: Connection, deliveries: Sequence[DueDelivery], now: datetime) -> _Facts:
    of_notices = members_of_notices(connection, [delivery.notice_id for delivery in deliveries])
    members = {delivery.id: of_notices[delivery.notice_id] for delivery in deliveries}
    ids = list(dict.fromkeys(member[0] for found in members.values() for member in found))
    late = [member[0] for one in deliveries if one.trigger in NEEDS_NEWS for member in members[one.id]]
    asked = [m[0] for one in deliveries if one.trigger is Trigger.INQUIRY_OPENED for m in members[one.id]]
    without = [one.order_id for one in deliveries if not members[one.id]]
    return _Facts(
        members,
        orders_of(connection, without) if without else {},
        contexts_of(connection, ids),
        histories_of(connection, ids),
        problems_of(connection, ids),
        claims_of_shipments(connection, ids),
        incidents_of(connection, ids),
        next_looks(connection, late) if late else {},
        delays_told(connection, asked) if asked else {},
        _mutes(connection, deliveries, now),
        told_before(connection, {one.shop for one in deliveries}, {one.order_id for one in deliveries}),
        items_of_orders(connection, {one.order_id for one in deliveries}),
    )


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """Where servers return what they cannot deliver: one address, or (`verp`) one a message."""

    address: str
    verp: bool = False

    def of(self, message_id: str) -> str:
        """The envelope's sender of the message with this Message-ID, whose local part is the token."""
        local, _, domain = self.address.rpartition("@")
        token = message_id.strip("<>").partition("@")[0]
        return f"{local}+{token}@{domain}" if self.verp else self.address


@dataclass(frozen=True)
class Composer:
    """Reads the story behind a delivery and puts it into words."""

    templates: Templates
    senders: Mapping[str, Sender]
    carrier_titles: Mapping[str, str]
    claim_terms: Mapping[str, ClaimTerms | None]
    days: CalendarsBetween
    policy: NoticePolicy = field(default_factory=NoticePolicy)
    """Which news is promised, and when."""
    pickup_days: Mapping[str, int | None] = field(default_factory=dict)
    """By carrier, how long it keeps parcels at a counter."""
    return_path: ReturnPath | None = None
    """None: the shop's own address."""
    unmailed: Callable[[str], Unmailed] = lambda shop: Unmailed()
    """Whom a shop does not write to."""
    live_from: LiveFrom = lambda shop: date.min
    """What was queued while its shop was live does not leave once that was taken back."""
    is_redirected: bool = False
    """Whether somebody else reads the messages, in a trial: each subject says whom it is for."""

    def shipments(self, connection: Connection, delivery: DueDelivery) -> list[int]:
        """The shipments that a delivery speaks of."""
        return [shipment_id for shipment_id, _, _ in members_of_notice(connection, delivery.notice_id)]

    def compose(self, connection: Connection, delivery: DueDelivery, now: datetime) -> Composed | Withheld:
        """The message as it would leave now, or why it does not."""
        return self.compose_all(connection, [delivery], now)[delivery.id]

    def compose_all(
        self, connection: Connection, deliveries: Sequence[DueDelivery], now: datetime
    ) -> dict[int, Composed | Withheld]:
        """`compose` for several, by delivery: their facts are read together."""
        facts = _facts_of(connection, deliveries, now)
        return {delivery.id: self._composed(delivery, facts, now) for delivery in deliveries}

    def _composed(self, delivery: DueDelivery, facts: _Facts, now: datetime) -> Composed | Withheld:
        if delivery.expires_at <= now:
            return Withheld(DeliveryState.EXPIRED, self._too_old(delivery), WhyWithheld.TOO_OLD)
        if delivery.shop not in self.senders:
            reason = f"shop {delivery.shop} is no longer in the configuration"
            hold, why = Hold.CONFIGURATION, WhyWithheld.NO_SHOP
            return Withheld(DeliveryState.AWAITING_PERSON, reason, why, hold, delivery.expires_at)
        first = live_at(self.live_from(delivery.shop), self.days(delivery.shop, None))
        if observes(first, now):
            again = look_again(Hold.OBSERVE, first, delivery.expires_at, now)
            return Withheld(
                DeliveryState.AWAITING_PERSON, NOT_LIVE[Hold.OBSERVE], WhyWithheld.OBSERVE, Hold.OBSERVE, again
            )
        parts = facts.parts(delivery)
        if not parts:
            reason = "superseded: it is no longer true of any parcel"
            return Withheld(DeliveryState.SUPPRESSED, reason, WhyWithheld.NO_LONGER_TRUE)
        if parts[0].order.status in {OrderStatus.CANCELLED.value, OrderStatus.RETURNED.value}:
            return Withheld(DeliveryState.SUPPRESSED, "the order was cancelled", WhyWithheld.ORDER_SILENT)
        order = parts[0].order
        address, _ = recipient_of(order.recipient_email, order.customer_email, self.unmailed(order.shop))
        if address not in {None, delivery.recipient}:
            return _waiting(delivery, WhyWithheld.ADDRESS_CHANGED, now + RETRY)
        mute = facts.mutes.get(delivery.order_id)
        if mute is not None:
            return _muted(delivery, mute)
        composed = facts.waits(delivery, parts, now) or self._rendered(delivery, parts, facts, now)
        if isinstance(composed, Composed):
            return replace(composed, shipments=tuple(member[0] for member in facts.members[delivery.id]))
        return composed

    def _too_old(self, delivery: DueDelivery) -> str:
        if delivery.hold_reason != Hold.TEMPLATE.value:
            return TOO_OLD
        fault = self.text_fault(delivery.shop, delivery.trigger)
        return f"{TOO_OLD}: the text of {delivery.trigger.value} could not be used" + (f": {fault}" if fault else "")

    def text_fault(self, shop: str, trigger: Trigger) -> TemplateFault | None:
        """Why no message of this shop and trigger can be put into words now."""
        sender = self.senders.get(shop)
        return self.templates.trial_fault(trigger.value, shop=shop, language=sender.language) if sender else None

    def text_mark(self, shop: str, trigger: Trigger) -> Mark | None:
        """What tells whether a text was changed; None for a shop that is no longer configured."""
        sender = self.senders.get(shop)
        return self.templates.mark(trigger.value, shop=shop, language=sender.language) if sender else None

    def _rendered(self, delivery: DueDelivery, parts: list[Part], facts: _Facts, now: datetime) -> Composed | Withheld:
        earlier, items = facts.earlier[delivery.order_id], facts.items[delivery.order_id]
        # One conversation an order in the customer's mailbox; the root and the newest are enough for a mail program.
        thread = [message_id for message_id in earlier if message_id != delivery.message_id]
        sender, order = self.senders[delivery.shop], parts[0].order
        trigger = delivery.trigger
        try:
            rendered = self.rendered(trigger, parts, items, shop=delivery.shop, language=sender.language, now=now)
        except (TemplateFault, MissingVariable) as fault:
            reason = f"the text of {trigger.value} cannot be used: {fault}"
            hold, why = Hold.TEMPLATE, WhyWithheld.BROKEN_TEXT
            return Withheld(DeliveryState.AWAITING_PERSON, reason, why, hold, _look_again(delivery, now), True)
        try:
            if self.is_redirected:
                to = ascii_address(delivery.recipient or "")
                subject = phrases(sender.language).in_place_of.format(address=to, subject=rendered.subject)
                rendered = replace(rendered, subject=subject)
            data = build_message(
                rendered,
                sender=sender.sender,
                reply_to=sender.reply_to,
                recipient=delivery.recipient or "",
                recipient_name=order.recipient_name or order.customer_name,
                message_id=delivery.message_id or "",
                date=now.astimezone(self.days(delivery.shop, order.state, order.city).zone),
                trigger=trigger.value,
                shop=delivery.shop,
                entity_ref=(delivery.message_id or "").strip("<>").partition("@")[0],
                references=[*thread[:1], *thread[1:][-2:]],
            )
        except BadAddress as fault:
            return Withheld(DeliveryState.BOUNCED, str(fault), WhyWithheld.BAD_ADDRESS)
        path = self.return_path
        envelope_from = path.of(delivery.message_id or "") if path else parse_mailbox(sender.sender).address
        promised_on = self._promised_on(trigger, parts[0], rendered, sender, now)
        return Composed(envelope_from, rendered.subject, data, promised_on=promised_on)

    def _promised_on(
        self, trigger: Trigger, lead: Part, rendered: Rendered, sender: Sender, now: datetime
    ) -> date | None:
        """The day of the next news, where the text names it: a merchant's own text may leave it out."""
        if trigger not in {Trigger.DELAY_DETECTED, Trigger.DELAY_FOLLOWUP}:
            return None
        days = self.days(sender.shop, lead.order.state, lead.order.city)
        day = self._next_news(days)(trigger, lead.episode, days.local_date(now))
        # A line of the shop's own text may break in the middle of the spoken day.
        text = " ".join(rendered.text.split())
        return day if day is not None and phrases(sender.language).date(day) in text else None

    def rendered(
        self, trigger: Trigger, parts: Sequence[Part], items: Sequence[str], *, shop: str, language: str, now: datetime
    ) -> Rendered:
        """The text of this trigger about these parts, as it would read at *now*. Raises as `Templates.render`."""
        lead = parts[0]
        telling = Telling(
            shop=self.senders[shop].voice,
            carrier_title=self.carrier_titles.get(lead.carrier, lead.carrier),
            items=items,
            terms=self.claim_terms.get(lead.carrier),
            days=self.days(shop, lead.order.state, lead.order.city),
            now=now,
            words=phrases(language),
            pickup_days=self.pickup_days.get(lead.carrier),
            next_news=self._next_news(self.days(shop, lead.order.state, lead.order.city)),
        )
        return self.templates.render(trigger.value, values_of(trigger, parts, telling), shop=shop, language=language)

    def _next_news(self, days: Calendars) -> Callable[[Trigger, int, date], date | None]:
        def promised(trigger: Trigger, episode: int, left_on: date) -> date | None:
            told = followups_before(episode) if trigger is Trigger.DELAY_FOLLOWUP else 0
            return news_promised_on(told, left_on, self.policy, days)

        return promised
