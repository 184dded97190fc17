"""`tracker show` as one screen in Portuguese, for the person on the phone. Pure: rows in, lines out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from carriers.base import ProblemKind
from tracker.domain.claim_letter import LETTER
from tracker.domain.history import StoredEvent
from tracker.domain.money import in_reais
from tracker.domain.promise import PromiseBasis
from tracker.domain.suppression import token_of
from tracker.domain.text import clean
from tracker.domain.words import ClaimState, DeliveryState
from tracker.reports import words_pt as pt
from tracker.reports.identity import public_id
from tracker.reports.picture import (
    LEFT,
    Desk,
    answer_by,
    history_of,
    is_stale,
    left_at,
    promise_of,
    sentences,
    standing_events,
)
from tracker.reports.screen_hands import marks, told
from tracker.reports.words_pt import say
from tracker.store.claims import ClaimRow
from tracker.store.letters import LetterRow
from tracker.store.problems import ProblemRow
from tracker.store.tables import Decision
from tracker.store.views_show import MessageRow, OrderHit, OrderStory, Parcel

WIDTH: Final = 100
EVENTS_SHOWN: Final = 8
LABEL: Final = 12
"""Where values begin, so that labels stand in one column."""
_NO_NUMBER: Final = ("code:", "nfe:")
_BASIS: Final = {PromiseBasis.GIVEN: "informado no pedido", PromiseBasis.CARRIER: "da transportadora, com folga"}


@dataclass(frozen=True, slots=True)
class ScreenLine:
    """One line of the screen; `tone` is `title`, `bad`, `good`, `dim` or nothing."""

    text: str
    tone: str = ""


def screen(story: OrderStory, desk: Desk, shop_name: str) -> list[ScreenLine]:
    """The whole screen."""
    when = _When(desk)
    lines = [*_order(story, shop_name, when), *_by_hand(story, desk, when)]
    lines += _section("Problemas", [_problem(problem, when) for problem in story.problems])
    for parcel in story.parcels:
        lines += [ScreenLine(""), *_parcel(parcel, story, desk, when)]
    if not story.parcels:
        lines += [ScreenLine(""), ScreenLine("Nenhum envio deste pedido é conhecido ainda.")]
    if story.messages:
        lines += [ScreenLine(""), ScreenLine("MENSAGENS", "title")]
        for message in story.messages:
            lines += _message(message, when)
    held = list(_held(story))
    if held:
        lines += [ScreenLine(""), ScreenLine("RETIDO", "title"), *held]
    return lines


def choices(hits: Sequence[OrderHit], zone: ZoneInfo, more: bool) -> list[str]:
    """Several orders, to choose one from."""
    lines = ["Mais de um pedido; escolha um:"]
    for hit in hits:
        day = f"{hit.created_at.astimezone(zone):%d/%m/%Y}"
        parcels = "1 envio" if hit.shipments == 1 else f"{hit.shipments} envios"
        name = clean(hit.customer_name or "(sem nome)")
        facts = " · ".join((_number(hit.number), hit.shop, name, day, parcels))
        lines.append(_cut(f"  tracker show {public_id('order', hit.id):<8} {facts}"))
    return [*lines, "  … e outros mais antigos"] if more else lines


# --- the order --------------------------------------------------------------------------------------


def _order(story: OrderStory, shop_name: str, when: _When) -> Iterator[ScreenLine]:
    order = story.order
    yield ScreenLine(_cut(f"PEDIDO {_number(order.number)} · {clean(shop_name)}"), "title")
    document = order.customer_document
    kind = "CNPJ" if document and len(document) == 14 else "CPF"
    person = [order.customer_name, order.customer_email, _phone(order.customer_phone)]
    yield from _field("Cliente", [*person, f"{kind} {document}" if document else None])
    if order.recipient_name and order.recipient_name != order.customer_name:
        yield from _field("Recebe", [order.recipient_name])
    street = ", ".join(part for part in (order.street, order.street_number, order.complement) if part)
    city = "/".join(part for part in (order.city, order.state) if part)
    yield from _field(
        "Endereço", [street, order.district, city, f"CEP {order.postal_code}" if order.postal_code else None]
    )
    yield from _field("Arquivo", _originals(story))
    more = f" e mais {len(story.items) - 1}" if len(story.items) > 1 else ""
    yield from _field(
        "Compra",
        [
            say(pt.ORDER_STATUS, order.status) if order.status != "unknown" else None,
            f"feita em {when.day(order.ordered_at)}" if order.ordered_at else None,
            in_reais(order.total_cents) if order.total_cents is not None else None,
            f"{story.items[0]}{more}" if story.items else None,
        ],
        "bad" if order.status == "cancelled" else "",
    )


def _by_hand(story: OrderStory, desk: Desk, when: _When) -> Iterator[ScreenLine]:
    """What people did: first what silences the order."""
    for mark in marks(story, desk.now, when.minute):
        yield from _wrapped(mark, "  ", "    ", "bad")
    yield from _section("Feito à mão", [(told(row, when.minute), "") for row in story.acts])


def _originals(story: OrderStory) -> list[str]:
    """What the file had where it was mended or could not be used."""
    order = story.order
    values = {
        "name": order.customer_name,
        "email": order.customer_email,
        "phone": order.customer_phone,
        "document": order.customer_document,
        "recipient": order.recipient_name,
        "postal_code": order.postal_code,
    }
    found = order.originals or {}
    return [
        f'{pt.MENDED[name]} "{found[name]}"' + ("" if value else " não serve e não é usado")
        for name, value in values.items()
        if name in found
    ]


# --- one parcel -------------------------------------------------------------------------------------


def _parcel(parcel: Parcel, story: OrderStory, desk: Desk, when: _When) -> Iterator[ScreenLine]:
    context = parcel.context
    service = (parcel.history.service if parcel.history else None) or context.service
    carrier = f"{desk.title(context.carrier)} {service or ''}".strip()
    code = context.tracking_code or "sem código"
    invoice = f" · NF {parcel.invoice_number}" if parcel.invoice_number else ""
    title = f"ENVIO {public_id('shipment', context.shipment_id)} · {carrier} · {code}{invoice}"
    yield ScreenLine(_cut(clean(title)), "title")
    if parcel.old_codes:
        yield from _field("Antes", [f"código {old}" for old in parcel.old_codes])
    yield from _now(parcel, when)
    yield from _promises(parcel, story, desk)
    yield from _looks(parcel, desk, when)
    yield from _section("Problemas", [_problem(problem, when) for problem in parcel.problems])
    yield from _section("Reclamações", [_claim(claim, parcel, story, desk, when) for claim in parcel.claims])
    yield ScreenLine("  O que dizer ao cliente", "title")
    for sentence in sentences(parcel, story, desk):
        yield from _wrapped(sentence, "    ", "    ")
    yield from _timeline(parcel.events, when)


def _now(parcel: Parcel, when: _When) -> Iterator[ScreenLine]:
    history, events = history_of(parcel), standing_events(parcel)
    status = say(pt.STATUS, history.status.value)
    since = f"desde {when.minute(history.status_at)}" if history.status_at else None
    place = events[-1].location if events else None
    until = f"retirada até {history.pickup_until:%d/%m/%Y}" if history.pickup_until else None
    good = "good" if history.delivered_at else ""
    yield from _field("Agora", [" ".join(part for part in (status, since) if part), place, until], good)


def _promises(parcel: Parcel, story: OrderStory, desk: Desk) -> Iterator[ScreenLine]:
    history, promise = history_of(parcel), promise_of(parcel, story, desk)
    customer = f"cliente {promise.on:%d/%m/%Y} ({_BASIS[promise.basis]})" if promise.on else "cliente: sem data"
    carrier = "transportadora: sem data"
    if history.due_on is not None:
        first = history.due_first_on
        moved = f" (antes {first:%d/%m/%Y})" if first and first != history.due_on else ""
        carrier = f"transportadora {history.due_on:%d/%m/%Y}{moved}"
    late = any(p.kind is ProblemKind.DELAY and p.resolved_at is None for p in parcel.problems)
    yield from _field("Prazo", [customer, carrier], "bad" if late else "")


def _looks(parcel: Parcel, desk: Desk, when: _When) -> Iterator[ScreenLine]:
    looks = parcel.looks
    answered = when.minute(looks.last_answered_at) if looks.last_answered_at else "nunca"
    silent = looks.last_polled_at is not None and looks.last_polled_at != looks.last_answered_at
    following = f"próxima {when.ahead(looks.next_poll_at)}" if looks.next_poll_at else None
    closed = f"encerrada: {say(pt.CLOSED, looks.closed_reason)}" if looks.closed_reason else None
    asked = f"última tentativa {when.minute(looks.last_polled_at)}" if silent else None
    tone = "bad" if is_stale(parcel, desk) else "dim"
    yield from _field("Consulta", [f"última resposta {answered}", asked, following, closed], tone)


def _timeline(events: Sequence[StoredEvent], when: _When) -> Iterator[ScreenLine]:
    yield ScreenLine("  Histórico", "title")
    if not events:
        yield ScreenLine("    nenhum evento")
    for event in list(reversed(events))[:EVENTS_SHOWN]:
        place = f" · {event.location}" if event.location else ""
        gone = event.void or event.vanished_at is not None
        mark = " [anulado]" if event.void else " [retirado pela transportadora]" if event.vanished_at else ""
        mark = mark or (" [estorno]" if event.reversal else "")
        text = f"{when.minute(event.occurred_at)} {event.description} ({event.carrier_code}){place}{mark}"
        yield from _wrapped(text, "    ", " " * 21, "dim" if gone else "")
    if len(events) > EVENTS_SHOWN:
        yield ScreenLine(f"    … e mais {len(events) - EVENTS_SHOWN} anteriores", "dim")


def _problem(problem: ProblemRow, when: _When) -> tuple[str, str]:
    kind = say(pt.PROBLEM, problem.kind.value) + (" presumido" if problem.presumed else "")
    text = f"{public_id('problem', problem.id)} {kind} desde {when.day(problem.since)}"
    if problem.resolved_at is not None:
        return f"{text}, encerrado em {when.day(problem.resolved_at)}", "dim"
    return f"{text}, em aberto", "bad"


def _claim(claim: ClaimRow, parcel: Parcel, story: OrderStory, desk: Desk, when: _When) -> tuple[str, str]:
    parts = [
        f"{public_id('claim', claim.id)} {say(pt.CLAIM_KIND, claim.kind)}: {say(pt.CLAIM_STATE, claim.state.value)}"
    ]
    if claim.protocol:
        parts.append(f"protocolo {claim.protocol}")
    if claim.opened_at:
        parts.append(f"registrada em {when.day(claim.opened_at)}")
    parts += [_letter(letter, when) for letter in parcel.letters.get(claim.id, ())]
    expected = answer_by(claim, story, desk)
    if claim.answered_at:
        parts.append(f"respondida em {when.day(claim.answered_at)}")
    elif expected is not None and claim.closed_at is None:
        parts.append(f"resposta esperada até {expected:%d/%m/%Y}")
    if claim.opened_at is None and claim.closed_at is None:
        parts.append(f"pode ser feita de {claim.claimable_from:%d/%m/%Y} a {claim.deadline_on:%d/%m/%Y}")
    if claim.refusal_text:
        parts.append(f"transportadora: {claim.refusal_text}")
    return " · ".join(parts), "dim" if claim.closed_at else ""


def _letter(letter: LetterRow, when: _When) -> str:
    name = "carta" if letter.part == LETTER else "lembrete"
    state = say(pt.MESSAGE_STATE, letter.state.value)
    at = letter.sent_at or letter.sending_at
    return f"{name} para {letter.recipient}: {state} em {when.day(at)}" if at else f"{name}: {state}"


# --- messages and what is held ----------------------------------------------------------------------

REFUSED: Final = frozenset({DeliveryState.BOUNCED, DeliveryState.FAILED, DeliveryState.SUPPRESSED})
"""Why it did not reach the customer is worth a word."""


def _message(message: MessageRow, when: _When) -> Iterator[ScreenLine]:
    at = left_at(message) if message.state in LEFT else message.queued_at
    subject = f" “{clean(message.subject)}”" if message.subject else ""
    state = say(pt.MESSAGE_STATE, message.state.value)
    cause = token_of(message.reason) if message.state is DeliveryState.SUPPRESSED else message.reason
    if message.state in REFUSED and cause is not None and cause in pt.SMTP:
        state = f"{state} ({pt.SMTP[cause]})"
    trigger = say(pt.TRIGGER, message.trigger.value)
    to = f" para {message.recipient}" if message.recipient else ""
    text = f"{public_id('message', message.id)} {when.minute(at)} {trigger}{to}: {state}{subject}"
    yield from _wrapped(text, "  ", "      ", "dim" if message.state is DeliveryState.SUPPRESSED else "")


def _held(story: OrderStory) -> Iterator[ScreenLine]:
    for parcel in story.parcels:
        for claim in parcel.claims:
            if claim.state is ClaimState.WAITING_APPROVAL:
                why = say(pt.HOLD, claim.hold_reason)
                yield from _wrapped(f"{public_id('claim', claim.id)} reclamação: {why}", "  ", "      ", "bad")
        for decision in parcel.held_back:
            yield from _wrapped(_not_done(decision), "  ", "      ", "dim")
    for message in story.messages:
        if message.state is DeliveryState.AWAITING_PERSON:
            why = say(pt.HOLD, message.hold_reason)
            yield from _wrapped(f"{public_id('message', message.id)} mensagem: {why}", "  ", "      ", "bad")


def _not_done(decision: Decision) -> str:
    subject = public_id(decision.subject_kind, decision.subject_id)
    why = pt.WHY.get(decision.facts.get("why", ""), decision.reason)
    if decision.outcome == "not_claimed":
        return f"{subject} sem reclamação: {why}"
    return f"{subject} sem aviso ({say(pt.TRIGGER, decision.rule.removeprefix('notice.'))}): {why}"


# --- layout -----------------------------------------------------------------------------------------


class _When:
    """Instants in the configured zone."""

    def __init__(self, desk: Desk) -> None:
        self._days = desk.promises.days("", None)
        self._now = desk.now

    def minute(self, instant: datetime | None) -> str:
        return f"{instant.astimezone(self._days.zone):%d/%m/%Y %H:%M}" if instant else ""

    def ahead(self, instant: datetime) -> str:
        return self.minute(instant) if instant > self._now else "já na vez"

    def day(self, instant: datetime | date | None) -> str:
        if isinstance(instant, datetime):
            instant = self._days.local_date(instant)
        return f"{instant:%d/%m/%Y}" if instant else ""


def _field(label: str, parts: Sequence[str | None], tone: str = "") -> Iterator[ScreenLine]:
    text = " · ".join(clean(part) for part in parts if part)
    if text:
        yield from _wrapped(text, f"  {label:<{LABEL - 2}}", " " * LABEL, tone)


def _section(label: str, entries: Sequence[tuple[str, str]]) -> Iterator[ScreenLine]:
    if entries:
        yield ScreenLine(f"  {label}", "title")
    for text, tone in entries:
        yield from _wrapped(text, "    ", "      ", tone)


def _wrapped(text: str, first: str, rest: str, tone: str = "") -> Iterator[ScreenLine]:
    """The text on lines of at most `WIDTH`, without any control character of a carrier's or customer's."""
    for line in textwrap.wrap(clean(text), WIDTH, initial_indent=first, subsequent_indent=rest):
        yield ScreenLine(line, tone)


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _number(number: str) -> str:
    """The order's number; a code stands for it where the shop gave none."""
    for prefix in _NO_NUMBER:
        if number.startswith(prefix):
            return f"(sem número) {number.removeprefix(prefix)}"
    return number


def _phone(number: str | None) -> str | None:
    """E.164 as Brazilians write it; a foreign number stays as it is."""
    if number is None or not number.startswith("+55"):
        return number
    area, rest = number[3:5], number[5:]
    return f"({area}) {rest[:-4]}-{rest[-4:]}"
