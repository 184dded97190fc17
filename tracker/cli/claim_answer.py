"""`tracker claims letter`, `sent`, `answer`: claims of carriers that take letters. A person reads the letter before it leaves,
and says what became of it and what the carrier answered; each word is a fact that the daemon acts on at its next look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tracker.cli.common import ConfigOption, at_keyboard
from tracker.cli.lists import claims as list_claims
from tracker.cli.opened import Opened, opened, refuse
from tracker.cli.settled import Said

if TYPE_CHECKING:
    from email.message import EmailMessage

    from sqlalchemy import Connection

    from carriers.base import ClaimProgress
    from tracker.messages.letter import LetterBook
    from tracker.store.claims import ClaimRow

ClaimArgument = Annotated[str, typer.Argument(metavar="ID", help="A claim (C7).")]
ReasonOption = Annotated[str, typer.Option("--reason", help="In your own words, kept with the claim.")]
ProtocolOption = Annotated[
    str | None, typer.Option("--protocol", help="The carrier's number for it.", show_default=False)
]
NO_ADDRESS: Final = "preencha-o-endereco@transportadora.invalid"
"""Where a person has to write the carrier's address; `.invalid` reaches nobody (RFC 2606)."""
MAX_TEXT: Final = 500
"""Characters of a protocol or reason."""

claims = typer.Typer(help="List claims; or read a claim's letter, say that it was sent, record its answer.")
claims.callback(invoke_without_command=True)(list_claims)


@claims.command()
def letter(
    context: typer.Context,
    claim: ClaimArgument,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.eml", help="Write the whole mail there.", show_default=False)
    ] = None,
    follow_up: Annotated[bool, typer.Option("--follow-up", help="The reminder instead of the first letter.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show a claim's letter as it left, or as it would leave now."""
    from tracker.domain.claim_letter import FOLLOW_UP, LETTER

    with opened(config or _above(context)) as program:
        row = _claim(program, claim)
        data, head = _letter(program, row, FOLLOW_UP if follow_up else LETTER)
    if out is None:
        typer.echo(_readable(head, data))
        return
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError:
        refuse(f"{out} exists already; name another file", 1)
    except OSError as error:
        refuse(f"{out} cannot be written: {error.strerror}", 1)
    typer.echo(f"{head} Written to {out}")


@claims.command()
def sent(
    context: typer.Context,
    claim: ClaimArgument,
    reason: ReasonOption,
    protocol: ProtocolOption = None,
    config: ConfigOption = None,
) -> None:
    """Say that a waiting claim is with its carrier, on whatever way it went: no letter of it leaves any more."""
    from tracker.store.claim_facts import SENT_BY_HAND

    with opened(config or _above(context)) as program:
        row = _claim(program, claim)
        why_not = _not_to_be_sent(row) or _not_by_letter(program, row)
        said = {"who": at_keyboard(), "note": _text("--reason", reason), "protocol": _optional("--protocol", protocol)}
        fact = _Fact(SENT_BY_HAND, SENT_BY_HAND, said, "sent", "it counts as sent from the daemon's next look on")
        told = _record(program, row, fact) if why_not is None else Said(why_not, 1)
    _leave(told)


@claims.command()
def answer(
    context: typer.Context,
    claim: ClaimArgument,
    reason: ReasonOption,
    accepted: Annotated[bool, typer.Option("--accepted", help="The carrier accepts it.")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="The carrier rejects it.")] = False,
    paid: Annotated[bool, typer.Option("--paid", help="The money is here.")] = False,
    amount: Annotated[
        str | None,
        typer.Option("--amount", metavar="123,45", help="In reais: granted, or received.", show_default=False),
    ] = None,
    protocol: ProtocolOption = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", help="The day of the answer. Default: today.", show_default=False),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Record the carrier's answer to a claim that went by letter."""
    from tracker.domain.money import in_reais
    from tracker.store.claim_facts import ANSWER

    with opened(config or _above(context)) as program:
        row = _claim(program, claim)
        progress = _progress(accepted=accepted, rejected=rejected, paid=paid)
        day, cents = _day(program, row, on), _cents(amount, rejected=rejected)
        said: dict[str, Any] = {
            "progress": progress.value,
            "answered_on": day.isoformat(),
            "who": at_keyboard(),
            "note": _text("--reason", reason),
            "cents": cents,
            "protocol": _optional("--protocol", protocol),
        }
        key = f"{ANSWER}:{progress.value}:{day.isoformat()}:{cents}:{said['protocol']}"
        worth = f", {in_reais(cents)}," if cents is not None else ""
        sentence = f"{progress.value}{worth} is recorded as the carrier's answer of {day.isoformat()}"
        fact = _Fact(ANSWER, key, said, f"answer_{progress.value}", sentence)
        why_not = _not_by_letter(program, row) or _not_to_be_answered(row, progress)
        told = _record(program, row, fact) if why_not is None else Said(why_not, 1)
    _leave(told)


# --- what is recorded -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fact:
    """What a person says: its kind and natural key, and the sentence about it."""

    kind: str
    key: str
    facts: dict[str, Any]
    act: str
    sentence: str


def _record(program: Opened, row: ClaimRow, fact: _Fact) -> Said:
    from tracker.store.claim_facts import add_fact
    from tracker.store.logs import log_act

    with program.database.begin_write() as connection:
        if not add_fact(connection, row.id, key=fact.key, kind=fact.kind, facts=fact.facts, at=program.now):
            return Said(f"C{row.id}: that is recorded already")
        log_act(
            connection,
            who=fact.facts["who"],
            act=fact.act,
            subject_kind="claim",
            subject_id=row.id,
            reason=fact.facts["note"],
            at=program.now,
        )
    return Said(f"C{row.id}: {fact.sentence}")


def _not_to_be_sent(row: ClaimRow) -> str | None:
    from tracker.domain.words import ClaimState

    name = f"C{row.id}"
    if row.closed_at is not None:
        return f"{name} is closed, nothing to send: it is {row.state.value}"
    if row.opened_at is not None:
        return f"{name} is with the carrier already ({row.state.value})"
    if row.state is ClaimState.SUBMITTING:
        return f"{name} is on its way: its letter leaves with the next mails"
    return None


def _not_to_be_answered(row: ClaimRow, progress: ClaimProgress) -> str | None:
    from tracker.domain.claim_letter import takes_answer

    opened_at, closed = row.opened_at is not None, row.closed_at is not None
    why = takes_answer(row.state, row.outcome, progress, opened=opened_at, closed=closed)
    if why is None:
        return None
    hint = f"; tracker claims sent C{row.id} says that it was" if why == "it has not been sent yet" else ""
    return f"C{row.id} takes no such answer: {why}{hint}"


def _not_by_letter(program: Opened, row: ClaimRow) -> str | None:
    if takes_letters(program, row.carrier):
        return None
    return f"C{row.id}: {row.carrier} takes claims through its API, and the daemon asks it for the answer itself"


def takes_letters(program: Opened, carrier_id: str) -> bool:
    """Whether this carrier has no API for claims and takes letters; False for one that is no longer configured."""
    from carriers.base import ClaimsByLetter
    from tracker.accounts import adapter_alone

    found = next((carrier for carrier in program.settings.carriers if carrier.id == carrier_id), None)
    if found is None or found.own is None:
        return False
    return isinstance(adapter_alone(found)[0].claims, ClaimsByLetter)


# --- what was typed ---------------------------------------------------------------------------------


def _above(context: typer.Context) -> Path | None:
    """`-c` may stand before the command's second word too."""
    found: Path | None = context.parent.params.get("config") if context.parent is not None else None
    return found


def _claim(program: Opened, text: str) -> ClaimRow:
    from tracker.reports.identity import parse_id
    from tracker.store.claims import claims_by_id

    named = parse_id(text)
    if named is None or named.kind not in {None, "claim"}:
        refuse(f"{text}: needs the id of a claim (C7)")
    with program.database.begin_read() as connection:
        row = claims_by_id(connection, [named.row_id]).get(named.row_id)
    if row is None:
        refuse(f"there is no claim {text}", 1)
    return row


def _progress(*, accepted: bool, rejected: bool, paid: bool) -> ClaimProgress:
    from carriers.base import ClaimProgress

    given = {ClaimProgress.ACCEPTED: accepted, ClaimProgress.REJECTED: rejected, ClaimProgress.PAID: paid}
    chosen = [progress for progress, is_given in given.items() if is_given]
    if len(chosen) != 1:
        refuse("name one of --accepted, --rejected and --paid")
    return chosen[0]


def _day(program: Opened, row: ClaimRow, text: str | None) -> date:
    from carriers.dates import parse_day

    zone = program.settings.timezone
    today = program.now.astimezone(zone).date()
    if text is None:
        return today
    try:
        day = parse_day(text, zone)
    except ValueError:
        refuse(f"--on {text}: needs a day, as 2026-12-10 or 10/12/2026")
    if day > today:
        refuse(f"--on {text}: lies in the future")
    if row.opened_at is not None and day < row.opened_at.astimezone(zone).date():
        refuse(f"--on {text}: lies before the day on which C{row.id} was sent")
    return day


def _cents(text: str | None, *, rejected: bool) -> int | None:
    from tracker.intake.values import BadValue, decimal_mark, money_cents

    if text is None:
        return None
    if rejected:
        refuse("--amount: a rejection grants nothing (leave it out)")
    try:
        cents = money_cents(text, decimal_mark(text))
    except BadValue:
        cents = None
    if cents is None or cents <= 0:
        refuse(f"--amount {text}: needs an amount in reais above zero, as 123,45")
    return cents


def _text(option: str, text: str) -> str:
    from tracker.domain.text import clean

    kept = clean(text)
    if not kept or len(kept) > MAX_TEXT:
        refuse(f"{option}: needs some words, {MAX_TEXT} characters at most")
    return kept


def _optional(option: str, text: str | None) -> str | None:
    return _text(option, text) if text is not None else None


def _leave(said: Said) -> None:
    typer.echo(said.sentence, err=said.exit_code != 0)
    if said.exit_code:
        raise typer.Exit(said.exit_code)


# --- the letter to read -----------------------------------------------------------------------------


def _letter(program: Opened, row: ClaimRow, part: str) -> tuple[bytes, str]:
    """The mail's bytes, and one sentence on whether it left."""
    from tracker.store.letters import letter_as_it_left, letters_of_claims

    with program.database.begin_read() as connection:
        standing = next((one for one in letters_of_claims(connection, [row.id])[row.id] if one.part == part), None)
        if standing is not None and standing.sending_at is not None:
            left = letter_as_it_left(connection, standing.id)
            if left is not None:
                when = standing.sending_at.astimezone(program.settings.timezone)
                return left, f"C{row.id}: as it left on {when:%Y-%m-%d %H:%M} ({standing.state.value})."
        message_id = standing.message_id if standing is not None else "<not-sent-yet@localhost>"
        return _written(program, connection, row, part, message_id)


def _written(program: Opened, connection: Connection, row: ClaimRow, part: str, message_id: str) -> tuple[bytes, str]:
    """The mail as it would leave; where no address is known, as a person may send it after filling one in."""
    from tracker.messages.letter import Unwritable

    book = _book(program, row)
    facts = book.facts(connection, row.id, part, program.now)
    if facts is None:
        refuse(f"C{row.id}: {row.carrier} takes no letters: its claims go through its API", 1)
    head = f"C{row.id}: as it would leave now."
    if facts.desk.to is None:
        facts = replace(facts, desk=replace(facts.desk, to=NO_ADDRESS))
        head = (
            f"C{row.id}: no address for letters to {row.carrier} is configured (claims.letter_to): fill it in, send it "
            f"yourself, then tracker claims sent C{row.id}."
        )
    try:
        return book.write(connection, facts, message_id, program.now).data, head
    except Unwritable as fault:
        refuse(f"C{row.id}: its letter cannot be written: {fault.reason}", 1)


def _book(program: Opened, row: ClaimRow) -> LetterBook:
    from tracker.accounts import adapter_alone
    from tracker.message_lanes import letter_book

    found = next((carrier for carrier in program.settings.carriers if carrier.id == row.carrier), None)
    if found is None:
        refuse(f"C{row.id}: its carrier {row.carrier} is no longer in the configuration", 1)
    if found.own is None:
        refuse(f"C{row.id}: a credential of {row.carrier} is not available to this command", 1)
    return letter_book(program.settings, {found.id: adapter_alone(found)[0]})


def _readable(head: str, data: bytes) -> str:
    """Headers, attachments and the plain text, as a person reads a mail."""
    from email import policy
    from email.parser import BytesParser

    mail: EmailMessage = BytesParser(policy=policy.default).parsebytes(data)
    shown = [
        f"{name}: {mail[name]}" for name in ("From", "To", "Cc", "Reply-To", "Subject", "In-Reply-To") if mail[name]
    ]
    shown += [f"Attached: {part.get_filename()}" for part in mail.iter_attachments()]
    body = mail.get_body(("plain",))
    return "\n".join([head, "", *shown, "", body.get_content().rstrip() if body is not None else ""])
