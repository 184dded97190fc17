"""What people did by hand, as the screen of `tracker show` says it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from tracker.domain.hand import ActKind, cancellation_of, mute_of
from tracker.domain.money import in_reais
from tracker.domain.words import Hold
from tracker.reports import words_pt as pt
from tracker.reports.identity import public_id
from tracker.reports.picture import word_given
from tracker.reports.words_pt import say
from tracker.store.acts import ActRow
from tracker.store.claims import ClaimRow
from tracker.store.views_show import MessageRow, OrderStory

Minute = Callable[[datetime | None], str]
"""An instant as the screen shows it."""


def marks(story: OrderStory, now: datetime, minute: Minute) -> Iterator[str]:
    """What silences the whole order, each with the command that takes it back."""
    order = story.order
    cancelled = cancellation_of(story.order_acts)
    if cancelled is not None:
        yield (
            f"CANCELADO desde {minute(cancelled.at)} por {_whose(cancelled.who, cancelled.reason)}: o cliente não recebe "
            f"mensagens; para desfazer, tracker cancel {_named(order.number)} --off"
        )
    mute = mute_of(story.order_acts, now)
    if mute is not None:
        until = f" até {minute(mute.until)}" if mute.until else ""
        yield (
            f"SILENCIADO desde {minute(mute.since)}{until} por {_whose(mute.who, mute.reason)}: o cliente não recebe "
            f"mensagens; para voltar a avisar, tracker mute {_named(order.number)} --off"
        )


def told(row: ActRow, minute: Minute) -> str:
    """One act in one line."""
    act = row.act
    about = "" if row.subject_kind == "order" else f" {public_id(row.subject_kind, row.subject_id)}"
    until = f" até {minute(datetime.fromisoformat(act.facts['until']))}" if act.facts.get("until") else ""
    return f"{minute(act.at)} {act.who} {say(pt.ACT, act.act)}{about}{_what(row, minute)}{until}{_because(act.reason)}"


def waiting_claim(claim: ClaimRow, story: OrderStory) -> str:
    """Why a claim waits for a person, and what to type; or that a person's word was given, and waits for the daemon."""
    name = public_id("claim", claim.id)
    given = word_given(claim, story)
    if given is not None:
        return f"{name} reclamação: {_GIVEN[given]} na próxima passada do programa"
    return f"{name} reclamação: {say(pt.HOLD, claim.hold_reason)}{_command(claim.hold_reason, name, story)}"


def waiting_message(message: MessageRow, story: OrderStory) -> str:
    """Why a message waits for a person, and what to type."""
    name = public_id("message", message.id)
    return f"{name} mensagem: {say(pt.HOLD, message.hold_reason)}{_command(message.hold_reason, name, story)}"


_GIVEN: Final = {"approved": "aprovada, segue", "released": "liberada, é decidida"}
_APPROVED: Final = frozenset(
    {Hold.PROPOSE, Hold.VALUE_CEILING, Hold.BY_LETTER, Hold.CARRIER_ANSWER, Hold.CONFIGURATION, Hold.TEMPLATE}
)


def _command(hold: str | None, name: str, story: OrderStory) -> str:
    order = _named(story.order.number)
    if hold in _APPROVED:
        return f" → tracker approve {name} (ou tracker reject {name})"
    if hold == Hold.LETTER:
        return f" → tracker approve {name} manda de novo; tracker claims sent {name}, se ela chegou"
    if hold in {Hold.BEFORE_LIVE, Hold.RESTORED}:
        return f" → tracker release {name}"
    if hold == Hold.MISSING_DATA:
        return f" → tracker edit {order} --name NOME"
    return f" → tracker mute {order} --off" if hold == Hold.MUTED else ""


def money(claim: ClaimRow) -> list[str]:
    """What a claim is expected to bring, and what it brought."""
    amounts = (("esperado", claim.expected_cents), ("concedido", claim.granted_cents), ("pago", claim.received_cents))
    return [f"{word} {in_reais(cents)}" for word, cents in amounts if cents is not None]


def _what(row: ActRow, minute: Minute) -> str:
    act = row.act
    if act.act == ActKind.RESOLVE:
        return f": {say(pt.SETTLED, str(act.facts.get('how')))}"
    if act.act == ActKind.REPORT:
        return f": {say(pt.REPORTED, str(act.facts.get('kind')))}"
    if act.act == ActKind.EDIT:
        was, now = act.facts.get("was"), act.facts.get("now")
        return f" {say(pt.FIELD, str(act.facts.get('field')))}: {was or 'vazio'} → {now or 'nenhum'}"
    return ""


def _whose(who: str, reason: str | None) -> str:
    return f"{who}{_because(reason)}"


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def _named(number: str) -> str:
    return number if number and not any(char.isspace() for char in number) else f'"{number}"'
