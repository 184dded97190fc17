"""What a claim's letter to its carrier rests on: the facts it states, and the parcel's events as the carrier gave them.

The carrier is told what it needs to find the parcel and to answer, and nothing else of the customer: number, service, dates,
city and state, invoice, declared value. The words are the messages stage's, and the merchant's own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from carriers.base import ClaimTerms, ProblemKind
from tracker.claims.story import Story, stories_of
from tracker.domain.calendar import Calendars, CalendarsBetween
from tracker.domain.claim_filing import instead_of_filing
from tracker.domain.claim_letter import LETTER, answer_due_on
from tracker.domain.claim_plan import offer_for
from tracker.domain.history import History, StoredEvent
from tracker.domain.words import ClaimState
from tracker.store.claims import ClaimRow, claims_by_id
from tracker.store.histories import events_of
from tracker.store.invoices import InvoiceRow, invoices_of

COLUMNS: Final = ("ocorrido_em", "visto_em", "codigo", "descricao", "local", "situacao", "retirado_em")
_FORMULA: Final = frozenset("=+-@\t\r")
"""What a spreadsheet takes for the beginning of a formula: a carrier's words are text, whatever they begin with."""
MAX_EVENTS: Final = 1000
"""Newest events in an attachment: no parcel has as many, and no mail grows without end."""


@dataclass(frozen=True, slots=True)
class LetterDesk:
    """One carrier as letters know it."""

    title: str
    terms: ClaimTerms
    to: str | None
    copies: tuple[str, ...] = ()
    reply_to: str | None = None
    contract: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    asks_for: tuple[str, ...] = ()
    asks_for_motive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    law: Mapping[str, str] = field(default_factory=dict)
    carried_by: str | None = None
    """Who carries, where the letter goes to somebody else: the broker who sold the label."""
    cnpj: str | None = None
    """Of whom the letter is written to."""

    def documents(self, motive: str) -> list[str]:
        """What is asked for with a letter of this motive."""
        return [*self.asks_for, *self.asks_for_motive.get(motive, ())]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One attachment; `name` is plain ASCII."""

    name: str
    subtype: str
    data: bytes


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """What one letter states. What nobody knows is None, and the text has a form without it."""

    claim: ClaimRow
    part: str
    desk: LetterDesk
    days: Calendars
    tracking_code: str
    order_number: str
    service: str | None
    contract: str | None
    problem: ProblemKind | None
    """The problem that the claim's motive is for."""
    history: History
    last_event: StoredEvent | None
    events: tuple[StoredEvent, ...]
    invoice: InvoiceRow
    declared_cents: int | None
    city: str | None
    state: str | None
    answer_by: date
    reminds_of: date | None
    """The day on which the letter left that this one reminds of."""
    is_wanted: bool
    """False: its day moved away or it was overtaken since it was decided; the claims stage will say so."""


def letter_facts(
    connection: Connection,
    claims: Mapping[int, str],
    desks: Mapping[str, LetterDesk],
    days: CalendarsBetween,
    now: datetime,
) -> dict[int, LetterFacts]:
    """The facts of these claims' letters (claim -> `letter` or `follow_up`); a claim without a desk is left out."""
    rows = claims_by_id(connection, claims)
    found: dict[int, LetterFacts] = {}
    for carrier in {row.carrier for row in rows.values()} & set(desks):
        desk, mine = desks[carrier], [row for row in rows.values() if row.carrier == carrier]
        stories = stories_of(connection, mine, desk.terms, days, by_letter=True, writes=desk.to is not None)
        shipments = [row.shipment_id for row in mine]
        events, invoices = events_of(connection, shipments), invoices_of(connection, shipments)
        for row in mine:
            shipment = row.shipment_id
            found[row.id] = _facts(stories[row.id], claims[row.id], desk, events[shipment], invoices[shipment], now)
    return found


def evidence_of(facts: LetterFacts) -> tuple[Evidence, ...]:
    """The parcel's events: a table that spreadsheets open, and the same without a change, for who compares."""
    name = f"rastreamento_{_plain(facts.tracking_code)}"
    return (
        Evidence(f"{name}.csv", "csv", timeline_csv(facts.events, facts.days)),
        Evidence(f"{name}.json", "json", timeline_json(facts.events)),
    )


def timeline_csv(events: Sequence[StoredEvent], days: Calendars) -> bytes:
    """One line an event, oldest first, in local time; `;` and a byte order mark, as spreadsheets here expect."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for event in events[-MAX_EVENTS:]:
        gone = event.vanished_at.astimezone(days.zone).isoformat() if event.vanished_at else ""
        writer.writerow(
            _cell(text)
            for text in (
                event.occurred_at.astimezone(days.zone).isoformat(),
                event.seen_at.astimezone(days.zone).isoformat(),
                event.carrier_code,
                event.description,
                event.location or "",
                event.status.value,
                gone,
            )
        )
    return out.getvalue().encode("utf-8-sig", "replace")


def timeline_json(events: Sequence[StoredEvent]) -> bytes:
    """The same events with the carrier's words untouched; instants in UTC."""
    lines: list[dict[str, Any]] = [
        {
            "occurred_at": event.occurred_at,
            "seen_at": event.seen_at,
            "carrier_code": event.carrier_code,
            "description": _sound(event.description),
            "location": _sound(event.location) if event.location else None,
            "status": event.status.value,
            "void": event.void,
            "vanished_at": event.vanished_at,
        }
        for event in events[-MAX_EVENTS:]
    ]
    return orjson.dumps(lines, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


# --- pieces -----------------------------------------------------------------------------------------


def _facts(
    story: Story,
    part: str,
    desk: LetterDesk,
    events: Sequence[StoredEvent],
    invoice: InvoiceRow,
    now: datetime,
) -> LetterFacts:
    claim, context, row = story.claim, story.context, story.history
    standing = [event for event in events if not event.void and event.vanished_at is None]
    wanted = part != LETTER or claim.state is not ClaimState.SUBMITTING or _may_leave(story, now)
    return LetterFacts(
        claim=claim,
        part=part,
        desk=desk,
        days=story.days,
        tracking_code=context.tracking_code or "",
        order_number=context.order.number.removeprefix("code:"),
        service=(row.service if row else None) or context.service,
        contract=desk.contract or (row.contract if row else None),
        problem=_problem(story),
        history=row.history if row else History(),
        last_event=standing[-1] if standing else None,
        events=tuple(events),
        invoice=invoice,
        declared_cents=(row.declared_value_cents if row else None) or context.declared_value_cents,
        city=context.order.city,
        state=context.order.state,
        answer_by=answer_due_on(now, desk.terms, story.days),
        reminds_of=story.days.local_date(claim.opened_at) if part != LETTER and claim.opened_at else None,
        is_wanted=wanted,
    )


def _problem(story: Story) -> ProblemKind | None:
    """A claim that answers several problems speaks of the one that its motive is for."""
    kinds = [
        problem.kind
        for problem in sorted(story.problems, key=lambda problem: problem.id)
        if (offer := offer_for(problem.kind, problem.presumed, story.terms)) and offer.motive == story.claim.motive
    ]
    return kinds[0] if kinds else None


def _may_leave(story: Story, now: datetime) -> bool:
    return instead_of_filing(story.facts, story.days, now) is None


def _cell(text: str) -> str:
    # An apostrophe in front is what spreadsheets themselves write for "this is text"; lines stay within their cell.
    line = " ".join(_sound(text).split())
    return f"'{line}" if line[:1] in _FORMULA else line


def _sound(text: str) -> str:
    """Without lone surrogates, which no encoding has."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _plain(code: str) -> str:
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in code)
    return kept[:44] or "objeto"
