"""The values a text may use, from the shipment's story at the moment it leaves. Every date in it is one somebody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from carriers.base import Cause, ClaimTerms
from tracker.domain.calendar import Calendars
from tracker.domain.history import History
from tracker.domain.incidents import Scope, Where
from tracker.domain.money import in_reais
from tracker.domain.words import FILED, Trigger
from tracker.messages.variables import Value, first_name
from tracker.store.claims import ClaimRow
from tracker.store.contexts import ShipmentContext
from tracker.store.histories import HistoryRow

WITHDRAWAL_DAYS: Final = 7
"""CDC art. 49: seven days from receipt to withdraw from a distance sale."""
_WEEKDAYS: Final = (
    "segunda-feira",
    "terça-feira",
    "quarta-feira",
    "quinta-feira",
    "sexta-feira",
    "sábado",
    "domingo",
)
_RETURN_REASONS: Final = {
    Cause.ABSENT: "não havia ninguém para receber",
    Cause.WRONG_ADDRESS: "o endereço não foi localizado",
    Cause.REFUSED: "a entrega foi recusada no endereço",
    Cause.UNCLAIMED: "não foi retirada dentro do prazo",
}
_COMPANY_DOCUMENT: Final = 14


@dataclass(frozen=True, slots=True)
class ShopVoice:
    """How a shop speaks: its name, how to reach it."""

    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class Part:
    """One shipment of a notice."""

    context: ShipmentContext
    history: HistoryRow
    claim: ClaimRow | None
    incident: Where | None = None
    """What many parcels suffer at once, this one among them."""


def spoken_date(day: date) -> str:
    """The date as a Brazilian reads it, with its weekday: `sexta-feira, 27/11`."""
    return f"{_WEEKDAYS[day.weekday()]}, {day:%d/%m}"


def values_of(
    trigger: Trigger,
    parts: Sequence[Part],
    *,
    shop: ShopVoice,
    carrier_title: str,
    items: Sequence[str],
    terms: ClaimTerms | None,
    days: Calendars,
    now: datetime,
) -> dict[str, Value]:
    """The values of a notice about these shipments; what nobody knows is None, and the text has a form without it."""
    lead = parts[0]
    order = lead.context.order
    codes = [part.context.tracking_code for part in parts if part.context.tracking_code]
    values: dict[str, Value] = {
        "loja": shop.name,
        "sac": shop.contact,
        "pedido": order.number.removeprefix("code:"),
        "nome": _name(order.recipient_name or order.customer_name, order.customer_document),
        "produto": _product(items),
        "transportadora": carrier_title,
        "rastreio": codes[0] if len(codes) == 1 else None,
        "rastreios": codes if len(codes) > 1 else None,
    }
    values |= _of_trigger(trigger, lead, carrier_title, terms, days, now)
    return values


def _of_trigger(
    trigger: Trigger, lead: Part, carrier_title: str, terms: ClaimTerms | None, days: Calendars, now: datetime
) -> dict[str, Value]:
    history, order = lead.history.history, lead.context.order
    if trigger is Trigger.POSTED:
        return {"data": _ahead(order.promised_on or history.due_on, days, now)}
    if trigger is Trigger.DELAY_DETECTED:
        return {
            "data_original": spoken_date(order.promised_on) if order.promised_on else None,
            "data": _ahead(history.due_on, days, now),
            "acao": _done_so_far(lead.claim),
            "ocorrencia": _shared(lead.incident, carrier_title),
        }
    if trigger is Trigger.INQUIRY_OPENED:
        protocol = lead.claim.protocol if lead.claim else None
        return {"protocolo_transp": protocol, "data": _ahead(_answer_by(lead, terms, days), days, now)}
    if trigger is Trigger.LOSS_CONFIRMED:
        return {"valor": in_reais(order.total_cents) if order.total_cents else None}
    if trigger is Trigger.RETURNED_TO_SENDER:
        cause = history.returning_cause
        return {"motivo": _RETURN_REASONS.get(cause) if cause else None}
    if trigger is Trigger.DELIVERED:
        return {"data_arrependimento": _withdrawal_until(history, days)}
    return {}


def _name(full_name: str | None, document: str | None) -> str | None:
    """A person's first name; a company is greeted by its whole name."""
    if document and len(document) == _COMPANY_DOCUMENT:
        return full_name
    return first_name(full_name)


def _product(items: Sequence[str]) -> str | None:
    if not items:
        return None
    more = f" e mais {len(items) - 1}" if len(items) > 1 else ""
    return f"{items[0]}{more}"


def _ahead(day: date | None, days: Calendars, now: datetime) -> str | None:
    """A date still to come; a past one promises nothing."""
    return spoken_date(day) if day is not None and day > days.local_date(now) else None


def _shared(incident: Where | None, carrier_title: str) -> str | None:
    """Which parcels suffer with this one: only what was counted, no cause that nobody knows."""
    if incident is None:
        return None
    if incident.scope is Scope.HUB:
        return f"muitas encomendas que passam por {incident.name}"
    if incident.scope is Scope.STATE:
        return f"muitas encomendas a caminho de {incident.name}"
    return f"muitas encomendas da transportadora ({carrier_title})"


def _done_so_far(claim: ClaimRow | None) -> str | None:
    """What was really done; nothing is claimed that did not happen."""
    if claim is None or claim.told_state not in FILED:
        return None
    number = f", número {claim.protocol}" if claim.protocol else ""
    return f"abrimos um pedido de informação na transportadora{number}"


def _answer_by(lead: Part, terms: ClaimTerms | None, days: Calendars) -> date | None:
    if lead.claim is None or lead.claim.opened_at is None or terms is None:
        return None
    return days.since.add(days.local_date(lead.claim.opened_at), terms.answer_business_days)


def _withdrawal_until(history: History, days: Calendars) -> str | None:
    if history.delivered_at is None:
        return None
    return spoken_date(days.local_date(history.delivered_at) + timedelta(days=WITHDRAWAL_DAYS))
