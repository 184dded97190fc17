"""What the hand commands share: whose hand it is, what it means by what it names, and how the act is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracker.cli.common import at_keyboard
from tracker.cli.opened import Opened, opened, refuse
from tracker.cli.settled import Said

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from tracker.reports.identity import PublicId
    from tracker.store.views_show import OrderHit

ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why; kept with the act.", show_default=False)]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Whose hand it is. Default: the login.", show_default=False)
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask where it touches more than one.")]


@dataclass(frozen=True, slots=True)
class Hand:
    """Whose hand it is, and why."""

    who: str
    reason: str | None
    now: datetime


Act = Callable[["Connection", int, Hand, Opened], Said]
"""Does one thing to one row in one transaction, and says what it did."""


def each(
    ids: Sequence[str], config: Path | None, reason: str | None, acts: Mapping[str, Act], who: str | None = None
) -> None:
    """Each id in its turn with its own sentence, said as soon as it is true: what fails later unsays nothing."""
    who = who or at_keyboard()
    codes = []
    with opened(config) as program:
        hand = Hand(who, reason, program.now)
        for text in ids:
            said = _one(program, text, acts, hand)
            tell(said)
            codes.append(said.exit_code)
    leave(max(codes))


def _one(program: Opened, text: str, acts: Mapping[str, Act], hand: Hand) -> Said:
    one = named(program, text, tuple(acts))
    return one if isinstance(one, Said) else perform(program, one, acts, hand)


def perform(program: Opened, one: PublicId, acts: Mapping[str, Act], hand: Hand) -> Said:
    """The act on this row, in a transaction of its own."""
    with program.database.begin_write() as connection:
        return acts[one.kind or ""](connection, one.row_id, hand, program)


def tell(said: Said) -> None:
    """The sentence, on standard error where it was not done."""
    typer.echo(said.sentence, err=said.exit_code != 0)


def leave(exit_code: int) -> None:
    """End the command with this code where it is none of success."""
    if exit_code:
        raise typer.Exit(exit_code)


def sure(count: int, what: str, yes: bool) -> None:
    """Ask, or refuse where nobody can answer, before more than one is touched."""
    if count < 2 or yes:
        return
    if not sys.stdin.isatty():
        refuse(f"that is {count} {what}; add --yes if you mean all of them")
    if not typer.confirm(f"{count} {what}, all of them?"):
        raise typer.Exit(1)


def zone_of(program: Opened) -> ZoneInfo:
    """The merchant's zone."""
    return program.settings.timezone


def day_of(option: str, text: str, program: Opened) -> date:
    """A day as people type it (`2026-12-10`, `10/12/2026`). Ends the command on others."""
    from carriers.dates import parse_day

    try:
        return parse_day(text, zone_of(program))
    except ValueError:
        refuse(f"{option} {text}: needs a day, as 2026-12-10 or 10/12/2026")


# --- what is meant ----------------------------------------------------------------------------------


def named(program: Opened, text: str, kinds: tuple[str, ...]) -> PublicId | Said:
    """The id with its kind, or what is wrong with it; a bare number must belong to one kind only."""
    from tracker.reports.identity import PREFIXES, PublicId, parse_id, public_id
    from tracker.store.views_explain import kinds_with

    given = parse_id(text)
    wanted = " or ".join(f"a {kind} ({PREFIXES[kind]}12)" for kind in kinds)
    if given is None or (given.kind is not None and given.kind not in kinds):
        return Said(f"{text}: needs the id of {wanted}", 2)
    with program.database.begin_read() as connection:
        found = [kind for kind in kinds_with(connection, given.row_id) if kind in kinds]
    if given.kind is not None:
        found = [kind for kind in found if kind == given.kind]
    if not found:
        return Said(f"there is no {' or '.join(kinds) if given.kind is None else given.kind} {text}", 1)
    if len(found) > 1:
        candidates = " or ".join(public_id(kind, given.row_id) for kind in found)
        return Said(f"{text} could be {candidates}; name one of them", 2)
    return PublicId(found[0], given.row_id)


def order_named(program: Opened, text: str) -> OrderHit | Said:
    """The one order that is meant, by whatever `tracker show` finds orders by; a sentence where there is none, or several."""
    from tracker.cli.show import accounts_of, behind, find
    from tracker.reports.identity import parse_id, public_id

    found = find(program, text, None, accounts_of(program)) if text.strip() else []
    if not found and (one := parse_id(text)) is not None and one.kind is not None:
        found = behind(program, one.kind, one.row_id)
    if not found:
        return Said(f"there is no order, tracking code or customer {text}", 1)
    if len(found) > 1:
        candidates = ", ".join(f"{public_id('order', hit.id)} ({hit.number})" for hit in found[:5])
        more = ", …" if len(found) > 5 else ""
        return Said(f"{text} could be {candidates}{more}; name one of them", 2)
    return found[0]


def orders_named(program: Opened, texts: Sequence[str], yes: bool) -> tuple[list[OrderHit], list[Said]]:
    """The orders that are meant, each once; and a sentence, said already, for each text that names none."""
    found: dict[int, OrderHit] = {}
    wrong: list[Said] = []
    for text in texts:
        one = order_named(program, text)
        if isinstance(one, Said):
            wrong.append(one)
            tell(one)
        else:
            found[one.id] = one
    sure(len(found), "orders", yes)
    return list(found.values()), wrong


def orders_of_customer(program: Opened, text: str, yes: bool) -> list[OrderHit]:
    """Every order that this e-mail or CPF/CNPJ stands in, the newest first. Ends the command where there is none."""
    from tracker.domain.documents import document
    from tracker.domain.text import email
    from tracker.store.views_show import Search, find_orders

    address, number = (email(text), None) if "@" in text else (None, document(text))
    if address is None and number is None:
        refuse(f"--customer {text}: needs an e-mail address, or a CPF or CNPJ whose check digits agree")
    with program.database.begin_read() as connection:
        found = find_orders(connection, Search(email=address, document=number), limit=None)
    if not found:
        refuse(f"--customer {text}: no order has that", 1)
    sure(len(found), "orders", yes)
    return found


def shipment_named(program: Opened, text: str) -> int | Said:
    """The one shipment that is meant: by its code or id, or the only one of an order."""
    from tracker.reports.identity import parse_id
    from tracker.store.contexts import contexts_of, shipments_of_orders
    from tracker.store.views_story import order_of

    given = parse_id(text)
    with program.database.begin_read() as connection:
        if given is not None and given.kind == "shipment":
            known = order_of(connection, "shipment", given.row_id) is not None
            return given.row_id if known else Said(f"there is no shipment {text}", 1)
    hit = order_named(program, text)
    if isinstance(hit, Said):
        return hit
    with program.database.begin_read() as connection:
        contexts = contexts_of(connection, shipments_of_orders(connection, [hit.id])[hit.id])
    code = "".join(text.split()).upper()
    fitting = [one for one, context in contexts.items() if context.tracking_code == code] or list(contexts)
    if not fitting:
        return Said(f"order {hit.number} has no parcel yet", 1)
    if len(fitting) > 1:
        names = ", ".join(f"S{one} ({contexts[one].tracking_code or 'no code'})" for one in fitting)
        return Said(f"order {hit.number} has {len(fitting)} parcels: {names}; name one of them", 2)
    return fitting[0]


# --- keeping it -------------------------------------------------------------------------------------


def keep(
    connection: Connection, hand: Hand, act: str, kind: str, row_id: int, facts: Mapping[str, Any] | None = None
) -> None:
    """The act as a fact: who, when, why, and what it says."""
    from tracker.store.logs import log_act

    log_act(
        connection,
        who=hand.who,
        act=act,
        subject_kind=kind,
        subject_id=row_id,
        reason=hand.reason,
        at=hand.now,
        facts=facts,
    )


def decide(
    connection: Connection,
    hand: Hand,
    act: str,
    kind: str,
    row_id: int,
    shop: str,
    outcome: str,
    facts: Mapping[str, Any] | None = None,
    shown: Mapping[str, Any] | None = None,
) -> None:
    """The act, and the decision it is. *facts* are the act's; *shown* what the log may show of them to anybody."""
    from tracker.store.logs import DecisionNote, log_decisions

    keep(connection, hand, act, kind, row_id, facts)
    note = DecisionNote(
        shop, kind, row_id, f"hand.{act}", 1, outcome, why(hand, outcome), {**by(hand), **(shown or {})}
    )
    log_decisions(connection, [note], hand.now)


def by(hand: Hand) -> dict[str, str]:
    """Who it was, and the note, as facts of a decision."""
    return {"who": hand.who, **({"note": hand.reason} if hand.reason else {})}


def why(hand: Hand, outcome: str) -> str:
    """The reason of a decision that a hand made."""
    return f"{outcome} by {hand.who}" + (f": {hand.reason}" if hand.reason else "")
