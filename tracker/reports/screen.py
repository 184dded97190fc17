"""`tracker show` as one screen in Portuguese, for the person on the phone. Pure: rows in, lines out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.claim_letter import LETTER
from tracker.domain.hand import WRONG_NUMBER, Reported
from tracker.domain.incidents import Scope, Where
from tracker.domain.money import in_reais
from tracker.domain.order import MADE_UP, OrderStatus
from tracker.domain.promise import PromiseBasis
from tracker.domain.suppression import token_of
from tracker.domain.text import clean
from tracker.domain.words import ClaimState, DeliveryState
from tracker.domain.wrong_codes import as_typed, mended_by, wrong_codes
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
    shown_codes,
    standing_events,
    unread_codes,
    unread_events,
)
from tracker.reports.screen_hands import marks, money, told, waiting_claim, waiting_message
from tracker.reports.words_pt import say
from tracker.store.claims import ClaimRow
from tracker.store.letters import LetterRow
from tracker.store.problems import ProblemRow
from tracker.store.tables import Decision
from tracker.store.views_show import MessageRow, OrderHit, OrderStory, Parcel

WIDTH: Final = 100
ROOM: Final = 40
"""Lines that fit on one screen."""
LABEL: Final = 15
"""Where values begin, so that labels stand in one column."""
_BASIS: Final = {PromiseBasis.GIVEN: "informado no pedido", PromiseBasis.CARRIER: "da transportadora, com folga"}


@dataclass(frozen=True, slots=True)
class ScreenLine:
    """One line of the screen; `tone` is `title`, `bad`, `good`, `dim` or nothing."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown. None: all of it. `quiet`: parcels without any trouble take two lines."""

    events: int | None = None
    acts: int | None = None
    messages: int | None = None
    ended: bool = True
    """What is over: ended problems, closed claims, what was not told."""
    quiet: bool = False
    parcels: int | None = None
    calm: bool = True
    """What is as it should be: the address, looks that are fresh."""


WHOLE: Final = Detail()
FOLDED: Final = (
    Detail(events=8),
    Detail(events=5, acts=5, messages=6),
    Detail(events=3, acts=3, messages=4, quiet=True),
    Detail(events=2, acts=2, messages=3, ended=False, quiet=True),
    Detail(events=0, acts=1, messages=2, ended=False, quiet=True, calm=False),
    *(Detail(events=0, acts=1, messages=1, ended=False, quiet=True, calm=False, parcels=n) for n in (6, 4, 3, 2, 1)),
)
"""What is folded away first, until one screen holds the rest."""


def screen(story: OrderStory, desk: Desk, shop_name: str, *, whole: bool = False) -> list[ScreenLine]:
    """The screen: at most `ROOM` lines, or the whole story."""
    everything = _lines(story, desk, shop_name, WHOLE)
    if whole:
        return everything
    for detail in FOLDED:
        lines = _lines(story, desk, shop_name, detail)
        if len(lines) <= ROOM - 1 or detail is FOLDED[-1]:
            break
    if len(everything) > len(lines):
        fold = f"… resumido; a história inteira: tracker show {public_id('order', story.order.id)} --all"
        lines = [*lines[: ROOM - 1], ScreenLine(fold, "dim")]
    return lines


def _lines(story: OrderStory, desk: Desk, shop_name: str, detail: Detail) -> list[ScreenLine]:
    when = _When(desk)
    lines = [*_order(story, shop_name, when, detail), *_by_hand(story, desk, when, detail)]
    standing = [one for one in story.problems if detail.ended or one.resolved_at is None]
    lines += _section("Problemas", [_problem(problem, when) for problem in standing])
    lines += _section("RETIDO", list(_held(story)))
    lines += _section("Não feito", [_not_done(one) for one in _left_out(story, detail)])
    parcels = sorted(story.parcels, key=_is_quiet)[: detail.parcels]
    shown = [parcel for parcel in story.parcels if parcel in parcels]
    for parcel in shown:
        lines += [ScreenLine(""), *_parcel(parcel, story, desk, when, detail)]
    if len(shown) < len(story.parcels):
        lines += [ScreenLine(""), ScreenLine(f"… e mais {len(story.parcels) - len(shown)} envios", "dim")]
    if not story.parcels:
        lines += [ScreenLine(""), *_without_parcel(story, when)]
    lines += _wrong_codes(story)
    lines += _messages(story.messages, when, detail)
    return lines


_OVER: Final = frozenset(
    status.value for status in (OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.DELIVERED)
)
"""What the shop says of an order for which no parcel is waited for any more."""


def _without_parcel(story: OrderStory, when: _When) -> Iterator[ScreenLine]:
    order = story.order
    yield ScreenLine("Nenhum envio deste pedido é conhecido ainda.")
    if order.status in _OVER or wrong_codes(order.originals):
        return
    sentence = (
        f"Desde {when.day(order.created_at)} ele espera o código de rastreio ou a chave da NF-e; até lá nada é acompanhado. "
        f"Importe-o com outro arquivo, ou digite: tracker edit {as_typed(order.number)} --code CÓDIGO"
    )
    yield from _wrapped(sentence, "", "  ")


def _is_quiet(parcel: Parcel) -> bool:
    """Whether nothing is wrong with a parcel, and nothing open about it."""
    return not any(p.resolved_at is None for p in parcel.problems) and not any(
        c.closed_at is None for c in parcel.claims
    )


def _messages(messages: Sequence[MessageRow], when: _When, detail: Detail) -> Iterator[ScreenLine]:
    """The newest so many, those that wait among them, oldest first."""
    if not messages:
        return
    yield ScreenLine("")
    yield ScreenLine("MENSAGENS", "title")
    newest = messages if detail.messages is None else messages[-detail.messages :]
    if len(newest) < len(messages):
        yield ScreenLine(f"  … e mais {len(messages) - len(newest)} anteriores", "dim")
    for message in newest:
        yield from _message(message, when)


def choices(hits: Sequence[OrderHit], zone: ZoneInfo, more: bool) -> list[str]:
    """Several orders, to choose one from."""
    lines = ["Mais de um pedido; escolha um:", *(_choice(hit, zone) for hit in hits)]
    return [*lines, "  … e outros mais antigos"] if more else lines


def alike(hits: Sequence[OrderHit], zone: ZoneInfo) -> list[str]:
    """Orders that are spelt nearly so; nothing where there is none."""
    return ["Parecidos:", *(_choice(hit, zone) for hit in hits)] if hits else []


def _choice(hit: OrderHit, zone: ZoneInfo) -> str:
    known = f"feito em {hit.ordered_at.astimezone(zone):%d/%m/%Y}" if hit.ordered_at else ""
    day = known or f"importado em {hit.created_at.astimezone(zone):%d/%m/%Y}"
    parcels = "1 envio" if hit.shipments == 1 else f"{hit.shipments} envios"
    name = clean(hit.customer_name or "(sem nome)")
    facts = " · ".join((_number(hit.number), hit.shop, name, day, parcels))
    return _cut(f"  tracker show {public_id('order', hit.id):<8} {facts}")


# --- the order --------------------------------------------------------------------------------------


def _order(story: OrderStory, shop_name: str, when: _When, detail: Detail) -> Iterator[ScreenLine]:
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
    postal_code = f"CEP {order.postal_code}" if order.postal_code else None
    if detail.calm:
        yield from _field("Endereço", [street, order.district, city, postal_code])
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


def _by_hand(story: OrderStory, desk: Desk, when: _When, detail: Detail) -> Iterator[ScreenLine]:
    """What people did: first what silences the order."""
    for mark in marks(story, desk.now, when.minute):
        yield from _wrapped(mark, "  ", "    ", "bad")
    acts = story.acts if detail.acts is None else story.acts[-detail.acts :] if detail.acts else ()
    entries = [(told(row, when.minute), "") for row in acts]
    if entries and len(acts) < len(story.acts):
        entries.insert(0, (f"… e mais {len(story.acts) - len(acts)} anteriores", "dim"))
    yield from _section("Feito à mão", entries)


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


def _wrong_codes(story: OrderStory) -> Iterator[ScreenLine]:
    """What the file names as a code and cannot be one, and the command that puts the right one in its place."""
    wrong, number = wrong_codes(story.order.originals), story.order.number
    for code in wrong:
        # The order's name would mean its parcel, where it has one.
        named = code if story.parcels or len(wrong) > 1 or number.startswith(MADE_UP) else number
        sentence = (
            f'O arquivo traz o código "{code}", que não pode ser um código de rastreio. O certo: {mended_by(named)}'
        )
        yield from _wrapped(sentence, "", "  ", "bad")


# --- one parcel -------------------------------------------------------------------------------------


def _parcel(parcel: Parcel, story: OrderStory, desk: Desk, when: _When, detail: Detail) -> Iterator[ScreenLine]:
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
    yield from _unread(parcel)
    if detail.quiet and _is_quiet(parcel) and len(story.parcels) > 1:
        return
    yield from _promises(parcel, story, desk)
    if detail.calm or is_stale(parcel, desk):
        yield from _looks(parcel, desk, when)
    problems = [p for p in parcel.problems if detail.ended or p.resolved_at is None]
    claims = [c for c in parcel.claims if detail.ended or c.closed_at is None or c is parcel.claims[-1]]
    yield from _section("Problemas", [_problem(problem, when) for problem in problems])
    yield from _section("Ocorrências", [_incident(one, desk) for one in parcel.incidents])
    yield from _section("Reclamações", [_claim(claim, parcel, story, desk, when) for claim in claims])
    yield ScreenLine("  O que dizer ao cliente", "title")
    for sentence in sentences(parcel, story, desk):
        yield from _wrapped(sentence, "    ", "    ")
    if detail.events != 0:
        yield from _timeline(parcel, story, when, detail.events)


def _incident(one: tuple[int, Where, bool], desk: Desk) -> tuple[str, str]:
    key, where, is_over = one
    place = f" em {where.name}" if where.scope is Scope.HUB else f" para {where.name}" if where.name else ""
    name = public_id("incident", key)
    if is_over:
        return f"{name} muitas encomendas de {desk.title(where.carrier)}{place}, encerrada", "dim"
    return (
        f"{name} muitas encomendas de {desk.title(where.carrier)}{place} ao mesmo tempo: tracker explain {name}",
        "bad",
    )


def _now(parcel: Parcel, when: _When) -> Iterator[ScreenLine]:
    history, events = history_of(parcel), standing_events(parcel)
    status = say(pt.STATUS, history.status.value)
    if history.status is TrackingStatus.UNKNOWN and (unread := unread_events(parcel)):
        status = f"não se sabe: a transportadora mostra {_movements(len(unread))} de código desconhecido"
    since = f"desde {when.minute(history.status_at)}" if history.status_at else None
    place = events[-1].location if events else None
    until = f"retirada até {history.pickup_until:%d/%m/%Y}" if history.pickup_until else None
    good = "good" if history.delivered_at else ""
    yield from _field("Agora", [" ".join(part for part in (status, since) if part), place, until], good)


def _unread(parcel: Parcel) -> Iterator[ScreenLine]:
    """Codes that nobody reads, whatever else is known of the parcel, and the command that shows how to map them."""
    codes = unread_codes(parcel)
    if codes:
        carriers = {event.told_by or parcel.context.carrier for event in unread_events(parcel)}
        command = (
            f"tracker carriers unknown --carrier {carriers.pop()}" if len(carriers) == 1 else "tracker carriers unknown"
        )
        yield from _field("Códigos", [f"{shown_codes(codes)}: não são lidos, e nada muda por eles → {command}"], "bad")


def _movements(count: int) -> str:
    return "uma movimentação" if count == 1 else f"{count} movimentações"


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
    closed = f"encerrada: {say(pt.CLOSED, looks.closed_reason)}" if looks.closed_reason else None
    if parcel.context.carrier in desk.silent:
        yield from _field("Notícias", ["a transportadora avisa por si", f"a última: {answered}", closed], "dim")
        return
    # A push is heard without a look: then the last look may be older than what is known.
    silent = looks.last_polled_at is not None and (
        looks.last_answered_at is None or looks.last_polled_at > looks.last_answered_at
    )
    following = f"próxima {when.ahead(looks.next_poll_at)}" if looks.next_poll_at else None
    asked = f"última tentativa {when.minute(looks.last_polled_at)}" if silent else None
    pushed = f"avisado pela transportadora {when.minute(looks.pushed_at)}" if looks.pushed_at else None
    tone = "bad" if is_stale(parcel, desk) else "dim"
    yield from _field("Consulta", [f"última resposta {answered}", pushed, asked, following, closed], tone)


def _timeline(parcel: Parcel, story: OrderStory, when: _When, shown: int | None) -> Iterator[ScreenLine]:
    yield ScreenLine("  Histórico", "title")
    events = parcel.events
    if not events:
        yield ScreenLine("    nenhum evento")
    corrected = {row.act.at for row in story.acts if row.act.facts.get(WRONG_NUMBER)}
    for event in list(reversed(events))[:shown]:
        place = f" · {event.location}" if event.location else ""
        gone = event.void or event.vanished_at is not None
        mark = " [anulado]" if event.void else " [retirado pela transportadora]" if event.vanished_at else ""
        mark = " [do código anterior]" if event.vanished_at in corrected else mark
        mark = mark or (" [estorno]" if event.reversal else f" [de {event.told_by}]" if event.told_by else "")
        text = f"{when.minute(event.occurred_at)} {event.description} ({event.carrier_code}){place}{mark}"
        yield from _wrapped(text, "    ", " " * 21, "dim" if gone else "")
    if shown is not None and len(events) > shown:
        yield ScreenLine(f"    … e mais {len(events) - shown} anteriores", "dim")


def _problem(problem: ProblemRow, when: _When) -> tuple[str, str]:
    kind = say(pt.PROBLEM, problem.kind.value) + (" presumido" if problem.presumed else "")
    if problem.rule == f"hand.{Reported.NOT_RECEIVED.value}":
        # To the carrier it is one question with a delivery to somebody else; nobody has said that to us.
        kind = pt.REPORTED[Reported.NOT_RECEIVED]
    text = f"{public_id('problem', problem.id)} {kind} desde {when.day(problem.since)}"
    if problem.resolved_at is not None:
        return f"{text}, encerrado em {when.day(problem.resolved_at)}", "dim"
    text += f" ({pt.BY_WORDS})" if problem.by_words else ""
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
        parts.append(f"pode ser feita de {claim.claimable_from:%d/%m} a {claim.deadline_on:%d/%m/%Y}")
    parts += money(claim)
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
    if message.diverted_to is not None:
        state = f"{state} (desviada para {message.diverted_to}, não ao cliente)"
    trigger = say(pt.TRIGGER, message.trigger.value)
    to = f" para {message.recipient}" if message.recipient else ""
    text = f"{public_id('message', message.id)} {when.minute(at)} {trigger}{to}: {state}{subject}"
    yield from _wrapped(text, "  ", "      ", "dim" if message.state is DeliveryState.SUPPRESSED else "")


def _held(story: OrderStory) -> Iterator[tuple[str, str]]:
    """What waits for a person, with the command to type."""
    for parcel in story.parcels:
        for claim in parcel.claims:
            if claim.state is ClaimState.WAITING_APPROVAL:
                yield waiting_claim(claim, story), "bad"
    for message in story.messages:
        if message.state is DeliveryState.AWAITING_PERSON:
            yield waiting_message(message, story), "bad"


def _left_out(story: OrderStory, detail: Detail) -> list[Decision]:
    """What is not done, although nothing holds it."""
    return [decision for parcel in story.parcels if detail.ended for decision in parcel.held_back]


def _not_done(decision: Decision) -> tuple[str, str]:
    subject = public_id(decision.subject_kind, decision.subject_id)
    why = pt.WHY.get(decision.facts.get("why", ""), decision.reason)
    if decision.outcome == "not_claimed":
        return f"Sem reclamação ({subject}): {why}", "dim"
    return f"Sem aviso ({say(pt.TRIGGER, decision.rule.removeprefix('notice.'))}, {subject}): {why}", "dim"


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
    """Entries under one label, which stands before the first."""
    for place, (text, tone) in enumerate(entries):
        head = f"  {label:<{LABEL - 2}}" if place == 0 else " " * LABEL
        yield from _wrapped(text, head, " " * (LABEL + 2), tone)


def _wrapped(text: str, first: str, rest: str, tone: str = "") -> Iterator[ScreenLine]:
    """The text on lines of at most `WIDTH`, without any control character of a carrier's or customer's."""
    for line in textwrap.wrap(clean(text), WIDTH, initial_indent=first, subsequent_indent=rest):
        yield ScreenLine(line, tone)


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _number(number: str) -> str:
    """The order's number; a code stands for it where the shop gave none."""
    for prefix in MADE_UP:
        if number.startswith(prefix):
            return f"(sem número) {number.removeprefix(prefix)}"
    return number


def _phone(number: str | None) -> str | None:
    """E.164 as Brazilians write it; a foreign number stays as it is."""
    if number is None or not number.startswith("+55"):
        return number
    area, rest = number[3:5], number[5:]
    return f"({area}) {rest[:-4]}-{rest[-4:]}"
