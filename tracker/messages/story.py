"""The values a text may use, from the shipment's story at the moment it leaves. Every date in it is one somebody knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from carriers.base import ClaimTerms, RefKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.history import History
from tracker.domain.incidents import Where
from tracker.domain.notice_facts import Place
from tracker.domain.notice_journey import has_arrived, last_pickup_day
from tracker.domain.text import fold, person_name
from tracker.domain.words import FILED, Trigger
from tracker.messages.phrases import PORTUGUESE, Phrases, shared
from tracker.messages.variables import Value, first_name
from tracker.store.claims import ClaimRow
from tracker.store.contexts import OrderRow, ShipmentContext
from tracker.store.histories import HistoryRow

WITHDRAWAL_DAYS: Final = 7
"""CDC art. 49: seven days from receipt to withdraw from a distance sale."""
_COMPANY_DOCUMENT: Final = 14


@dataclass(frozen=True, slots=True)
class ShopVoice:
    """How a shop speaks: its name, how to reach it, where its parcels start."""

    name: str
    contact: str
    home: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Part:
    """What a notice speaks of: one shipment, or an order that has none yet."""

    order: OrderRow
    history: History = field(default_factory=History)
    claim: ClaimRow | None = None
    incident: Where | None = None
    """What many parcels suffer at once, this one among them."""
    shipment_id: int | None = None
    carrier: str = ""
    tracking_code: str | None = None
    episode: int = 1
    """Of the notice, which tells the first of several from the later ones."""

    @classmethod
    def of(
        cls,
        context: ShipmentContext,
        history: HistoryRow,
        claim: ClaimRow | None = None,
        incident: Where | None = None,
        episode: int = 1,
    ) -> Part:
        """The part of a shipment, from its rows."""
        return cls(
            context.order,
            history.history,
            claim,
            incident,
            context.shipment_id,
            context.carrier,
            # What companies call an invoice among themselves tells a customer nothing.
            context.tracking_code if context.ref_kind != RefKind.INVOICE.value else None,
            episode,
        )


@dataclass(frozen=True, slots=True)
class Telling:
    """What a notice's values are reckoned with, besides its parts."""

    shop: ShopVoice
    carrier_title: str
    items: Sequence[str]
    terms: ClaimTerms | None
    days: Calendars
    now: datetime
    words: Phrases = PORTUGUESE
    pickup_days: int | None = None
    """How long the carrier keeps parcels at a counter; None: not known."""
    next_news: Callable[[Trigger, int, date], date | None] = lambda trigger, episode, left_on: None
    """By when a message of this trigger and episode that leaves on this day promises news; None: it promises none."""

    @property
    def today(self) -> date:
        """The local day."""
        return self.days.local_date(self.now)

    def ahead(self, day: date | None) -> str | None:
        """A date still to come, spoken; a past one promises nothing."""
        return self.words.date(day) if day is not None and day > self.today else None

    def on(self, instant: datetime | None) -> str | None:
        """The local day of an instant, spoken."""
        return self.words.date(self.days.local_date(instant)) if instant is not None else None

    def news(self, trigger: Trigger, episode: int) -> str | None:
        """The day of the next news, spoken."""
        day = self.next_news(trigger, episode, self.today)
        return self.words.date(day) if day is not None else None


def values_of(trigger: Trigger, parts: Sequence[Part], telling: Telling) -> dict[str, Value]:
    """The values of a notice about these; what nobody knows is None, and the text has a form without it."""
    lead = parts[0]
    order = lead.order
    codes = [part.tracking_code for part in parts if part.tracking_code]
    values: dict[str, Value] = {
        "loja": telling.shop.name,
        "sac": telling.shop.contact,
        "pedido": order.number.removeprefix("code:"),
        "nome": _name(order.recipient_name or order.customer_name, order.customer_document),
        "produto": _product(telling.items, telling.words),
        "transportadora": telling.carrier_title or None,
        "rastreio": codes[0] if len(codes) == 1 else None,
        "rastreios": codes if len(codes) > 1 else None,
    }
    own = _OF_TRIGGER.get(trigger)
    return values | own(lead, telling) if own is not None else values


# --- of each trigger --------------------------------------------------------------------------------


def _promise(lead: Part, telling: Telling) -> dict[str, Value]:
    return {"data": telling.ahead(lead.order.promised_on or lead.history.due_on)}


def _milestone(lead: Part, telling: Telling) -> dict[str, Value]:
    destination = Place(lead.order.city, lead.order.state)
    arrived = has_arrived(lead.history.location, destination, telling.shop.home)
    return {"cidade": _place_of(lead) if arrived else None, **_promise(lead, telling)}


def _attempt(lead: Part, telling: Telling) -> dict[str, Value]:
    history = lead.history
    tried_at = history.status_at if history.status is TrackingStatus.DELIVERY_FAILED else history.trouble_at
    cause = history.trouble_cause
    return {"motivo": telling.words.reasons.get(cause) if cause else None, "data_tentativa": telling.on(tried_at)}


def _pickup(lead: Part, telling: Telling) -> dict[str, Value]:
    last = last_pickup_day(lead.history, telling.pickup_days, telling.days)
    soon = {telling.today: telling.words.today, telling.today + DAY: telling.words.tomorrow}
    return {
        "data": telling.words.date(last) if last is not None and last >= telling.today else None,
        "ultimo_dia": soon.get(last) if last is not None else None,
        "cidade": _place_of(lead),
        "documento": telling.words.photo_id,
    }


def _delay(lead: Part, telling: Telling) -> dict[str, Value]:
    promised = lead.order.promised_on
    return {
        "data_original": telling.words.date(promised) if promised else None,
        "data": telling.ahead(lead.history.due_on),
        "acao": _done_so_far(lead.claim, telling.words),
        "prox_contato": telling.news(Trigger.DELAY_DETECTED, lead.episode),
        "ocorrencia": shared(telling.words, lead.incident, telling.carrier_title),
    }


def _followup(lead: Part, telling: Telling) -> dict[str, Value]:
    return {
        "novidade": " ".join(_known_so_far(lead, telling)),
        "prox_contato": telling.news(Trigger.DELAY_FOLLOWUP, lead.episode),
    }


def _inquiry(lead: Part, telling: Telling) -> dict[str, Value]:
    protocol = lead.claim.protocol if lead.claim else None
    return {"protocolo_transp": protocol, "data": telling.ahead(_answer_by(lead, telling))}


def _loss(lead: Part, telling: Telling) -> dict[str, Value]:
    return {"valor": telling.words.money(lead.order.total_cents) if lead.order.total_cents else None}


def _return(lead: Part, telling: Telling) -> dict[str, Value]:
    cause = lead.history.returning_cause
    return {"motivo": telling.words.reasons.get(cause) if cause else None}


def _delivery(lead: Part, telling: Telling) -> dict[str, Value]:
    at = lead.history.delivered_at
    until = telling.days.local_date(at) + timedelta(days=WITHDRAWAL_DAYS) if at is not None else None
    return {"data_arrependimento": telling.words.date(until) if until else None}


_OF_TRIGGER: Final[dict[Trigger, Callable[[Part, Telling], dict[str, Value]]]] = {
    Trigger.ORDER_THANKED: _promise,
    Trigger.POSTED: _promise,
    Trigger.IN_TRANSIT: _milestone,
    Trigger.DELIVERY_ATTEMPT_FAILED: _attempt,
    Trigger.PICKUP_WAITING: _pickup,
    Trigger.DELAY_DETECTED: _delay,
    Trigger.DELAY_FOLLOWUP: _followup,
    Trigger.INQUIRY_OPENED: _inquiry,
    Trigger.LOSS_CONFIRMED: _loss,
    Trigger.RETURNED_TO_SENDER: _return,
    Trigger.DELIVERED: _delivery,
}


# --- single values ----------------------------------------------------------------------------------


def _place_of(lead: Part) -> str | None:
    """Where it was last seen; the customer's own city as the order spells it, for carriers leave accents out."""
    city, _, state = (lead.history.location or "").rpartition("/")
    if lead.order.city and fold(city) == fold(lead.order.city):
        return f"{person_name(lead.order.city)}/{state}"
    return place(lead.history.location)


def place(location: str | None) -> str | None:
    """`SAO PAULO/SP` as a letter writes it: `Sao Paulo/SP`; accents that the carrier leaves out stay out."""
    if not location:
        return None
    city, slash, state = location.rpartition("/")
    return f"{person_name(city)}/{state}" if slash else person_name(location)


def _name(full_name: str | None, document: str | None) -> str | None:
    """A person's first name; a company is greeted by its whole name."""
    if document and len(document) == _COMPANY_DOCUMENT:
        return full_name
    return first_name(full_name)


def _product(items: Sequence[str], words: Phrases) -> str | None:
    if not items:
        return None
    return items[0] if len(items) == 1 else words.more.format(first=items[0], count=len(items) - 1)


def _done_so_far(claim: ClaimRow | None, words: Phrases) -> str | None:
    """What was really done; nothing is claimed that did not happen."""
    if claim is None or claim.told_state not in FILED:
        return None
    return words.asked_as.format(number=claim.protocol) if claim.protocol else words.asked


def _known_so_far(lead: Part, telling: Telling) -> list[str]:
    """What tracking and the claim say, in whole sentences; nothing is made out to be news that is none."""
    words, seen_on, seen_at = telling.words, telling.on(lead.history.last_event_at), place(lead.history.location)
    if seen_on is None:
        said = [words.not_seen]
    else:
        said = [(words.last_seen_at if seen_at else words.last_seen).format(day=seen_on, place=seen_at)]
    if lead.claim is not None and lead.claim.told_state in FILED:
        until = telling.ahead(_answer_by(lead, telling))
        said.append(words.waits_until.format(day=until) if until else words.waits)
    return said


def _answer_by(lead: Part, telling: Telling) -> date | None:
    if lead.claim is None or lead.claim.opened_at is None or telling.terms is None:
        return None
    opened_on = telling.days.local_date(lead.claim.opened_at)
    return telling.days.since.add(opened_on, telling.terms.answer_business_days)
