"""What `tracker explain` reads: a subject with its decisions, the facts behind it, and the subjects it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from tracker.domain.mail_address import diverted_to
from tracker.domain.words import FILED, DeliveryState
from tracker.store.claims import claims_of_shipments, problems_of_claims
from tracker.store.decisions import decisions_of
from tracker.store.letters import LetterRow, letters_of_claims
from tracker.store.notices import members_of_notice
from tracker.store.problems import SHIPMENT
from tracker.store.tables import (
    Claim,
    ClaimProblem,
    ClaimStep,
    Decision,
    Delivery,
    DueDate,
    Event,
    Notice,
    NoticeMember,
    OperatorAct,
    Order,
    Problem,
    Shipment,
    ShipmentHistory,
    ShipmentPoll,
    ShipmentRef,
    table,
)

_ORDERS, _SHIPMENTS, _REFS, _POLLS = table(Order), table(Shipment), table(ShipmentRef), table(ShipmentPoll)
_EVENTS, _DUES, _HISTORIES, _PROBLEMS = table(Event), table(DueDate), table(ShipmentHistory), table(Problem)
_CLAIMS, _LINKS, _STEPS = table(Claim), table(ClaimProblem), table(ClaimStep)
_NOTICES, _MEMBERS, _DELIVERIES, _ACTS = table(Notice), table(NoticeMember), table(Delivery), table(OperatorAct)

Row = dict[str, Any]
_HIDDEN: Final = frozenset(
    {"lease_token", "lease_until", "version", "body", "raw_digest", "recipient", "sent_to", "refusal_text"}
)
"""Machinery, and the customer's address: `show` is the place for that."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that decisions were made about.

    `lists` are raw facts by name (due dates, events, calls to the carrier), oldest first; `references` are the ids of what
    rests on it, by kind of subject.
    """

    kind: str
    id: int
    facts: Row
    decisions: Sequence[Decision]
    acts: Sequence[Row] = ()
    lists: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    references: Mapping[str, Sequence[int]] = field(default_factory=dict)
    rests_on: tuple[Subject, ...] = ()


def kinds_with(connection: Connection, row_id: int) -> list[str]:
    """Of the kinds that can be explained, those that have this number."""
    return [kind for kind, rows in _ROWS.items() if _row(connection, rows, row_id) is not None]


def subject_of(connection: Connection, kind: str, row_id: int) -> Subject | None:
    """The subject with all it rests on; None where there is none. `kind` is one of `EXPLAINED`."""
    row = _row(connection, _ROWS[kind], row_id)
    return None if row is None else _READERS[kind](connection, row)


def _row(connection: Connection, rows: Table, row_id: int) -> Row | None:
    found = connection.execute(select(rows).where(rows.c.id == row_id)).mappings().one_or_none()
    return None if found is None else dict(found)


def _shown(row: Row, *hidden: str) -> Row:
    return {name: value for name, value in row.items() if name not in _HIDDEN and name not in ("id", *hidden)}


def _subject(
    connection: Connection,
    kind: str,
    row_id: int,
    facts: Row,
    *,
    lists: Mapping[str, Sequence[Row]] | None = None,
    references: Mapping[str, Sequence[int]] | None = None,
    rests_on: Sequence[Subject | None] = (),
) -> Subject:
    acts = select(_ACTS.c.at, _ACTS.c.who, _ACTS.c.act, _ACTS.c.reason).where(
        _ACTS.c.subject_kind == kind, _ACTS.c.subject_id == row_id
    )
    return Subject(
        kind=kind,
        id=row_id,
        facts=facts,
        decisions=decisions_of(connection, [(kind, row_id)]),
        acts=_rows(connection, acts.order_by(_ACTS.c.id)),
        lists={name: entries for name, entries in (lists or {}).items() if entries},
        references={name: ids for name, ids in (references or {}).items() if ids},
        rests_on=tuple(subject for subject in rests_on if subject is not None),
    )


def _rows(connection: Connection, query: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]


# --- one reader a kind ------------------------------------------------------------------------------


def _shipment(connection: Connection, row: Row) -> Subject:
    shipment_id = row["id"]
    order = _row(connection, _ORDERS, row["order_id"]) or {}
    history = connection.execute(select(_HISTORIES).where(_HISTORIES.c.shipment_id == shipment_id)).mappings().first()
    looks = connection.execute(select(_POLLS).where(_POLLS.c.shipment_id == shipment_id)).mappings().first()
    asked = ("next_poll_at", "last_polled_at", "last_answered_at", "outcome", "failures", "closed_reason")
    facts = {
        **{name: row[name] for name in ("shop", "carrier", "service", "shipped_on", "created_at")},
        "order_number": order.get("number"),
        "order_status": order.get("status"),
        "promised_on": order.get("promised_on"),
        "promised_first_on": order.get("promised_first_on"),
        **(_shown(dict(history), "shipment_id", "service") if history else {}),
        **({name: looks[name] for name in asked} if looks else {}),
    }
    codes = select(_REFS.c.value, _REFS.c.kind, _REFS.c.active, _REFS.c.added_at).where(
        _REFS.c.shipment_id == shipment_id
    )
    dues = select(_DUES.c.seen_at, _DUES.c.source, _DUES.c.due_on, _DUES.c.void).where(
        _DUES.c.shipment_id == shipment_id
    )
    names = ("occurred_at", "seen_at", "carrier_code", "status", "cause", "description", "location", "attempt")
    events = select(*(_EVENTS.c[name] for name in (*names, "reversal", "void", "vanished_at"))).where(
        _EVENTS.c.shipment_id == shipment_id
    )
    of_shipment = (_PROBLEMS.c.subject_kind == SHIPMENT, _PROBLEMS.c.subject_id == shipment_id)
    problems = select(_PROBLEMS.c.id).where(*of_shipment).order_by(_PROBLEMS.c.id)
    claims = select(_CLAIMS.c.id).where(_CLAIMS.c.shipment_id == shipment_id).order_by(_CLAIMS.c.id)
    return _subject(
        connection,
        "shipment",
        shipment_id,
        facts,
        lists={
            "tracking numbers": _rows(connection, codes.order_by(_REFS.c.id)),
            "due dates named by the carrier": _rows(connection, dues.order_by(_DUES.c.id)),
            "events": _rows(connection, events.order_by(_EVENTS.c.occurred_at, _EVENTS.c.id)),
        },
        references={
            "problem": list(connection.execute(problems).scalars()),
            "claim": list(connection.execute(claims).scalars()),
        },
    )


def _problem(connection: Connection, row: Row) -> Subject:
    claims = select(_LINKS.c.claim_id).where(_LINKS.c.problem_id == row["id"]).order_by(_LINKS.c.claim_id)
    messages = (
        select(_DELIVERIES.c.id)
        .join(_MEMBERS, _MEMBERS.c.notice_id == _DELIVERIES.c.notice_id)
        .where(_MEMBERS.c.problem_id == row["id"])
        .distinct()
        .order_by(_DELIVERIES.c.id)
    )
    shipment = subject_of(connection, "shipment", row["subject_id"]) if row["subject_kind"] == SHIPMENT else None
    return _subject(
        connection,
        "problem",
        row["id"],
        _shown(row, "subject_kind", "subject_id", "order_id"),
        references={
            "claim": list(connection.execute(claims).scalars()),
            "message": list(connection.execute(messages).scalars()),
        },
        rests_on=[shipment],
    )


def _claim(connection: Connection, row: Row) -> Subject:
    names = (
        "seq",
        "action",
        "state",
        "motive",
        "kind",
        "intended_at",
        "called_at",
        "done_at",
        "outcome",
        "code",
        "text",
    )
    steps = select(*(_STEPS.c[name] for name in names)).where(_STEPS.c.claim_id == row["id"]).order_by(_STEPS.c.seq)
    problems = problems_of_claims(connection, [row["id"]])[row["id"]]
    return _subject(
        connection,
        "claim",
        row["id"],
        {**_shown(row, "shipment_id", "tracking_ref_id"), "refusal_text": row["refusal_text"]},
        lists={
            "calls to the carrier": _rows(connection, steps),
            "letters to the carrier": [
                _letter(letter) for letter in letters_of_claims(connection, [row["id"]])[row["id"]]
            ],
        },
        rests_on=[subject_of(connection, "problem", problem_id) for problem_id in problems],
    )


def _letter(letter: LetterRow) -> Row:
    """How a letter stands; where it went, in which thread, and what went with it."""
    names = (
        "part",
        "recipient",
        "copies",
        "state",
        "reason",
        "sending_at",
        "sent_at",
        "message_id",
        "subject",
        "evidence",
    )
    return {name: value for name in (*names, "repeated") if (value := getattr(letter, name)) not in (None, [], False)}


def _message(connection: Connection, row: Row) -> Subject:
    notice = _row(connection, _NOTICES, row["notice_id"]) or {}
    members = members_of_notice(connection, row["notice_id"])
    facts = {
        **{name: notice.get(name) for name in ("shop", "trigger", "occurrence", "since", "created_at", "expires_at")},
        **_shown(row, "subject"),
        "diverted_to": diverted_to(DeliveryState(row["state"]), row["recipient"], row["sent_to"]),
    }
    rests_on: list[Subject | None] = []
    for shipment_id, _, problem_id in members:
        kind, subject_id = ("problem", problem_id) if problem_id is not None else ("shipment", shipment_id)
        rests_on.append(subject_of(connection, kind, subject_id))
    if notice.get("trigger") == "inquiry_opened":
        claims = claims_of_shipments(connection, [member[0] for member in members])
        filed = [rows[-1].id for rows in claims.values() if rows and rows[-1].state in FILED]
        rests_on = [subject_of(connection, "claim", claim_id) for claim_id in filed] or rests_on
    return _subject(connection, "message", row["id"], facts, rests_on=rests_on)


_ROWS: Final[Mapping[str, Table]] = {
    "problem": _PROBLEMS,
    "claim": _CLAIMS,
    "message": _DELIVERIES,
    "shipment": _SHIPMENTS,
}
_READERS: Final[Mapping[str, Callable[[Connection, Row], Subject]]] = {
    "problem": _problem,
    "claim": _claim,
    "message": _message,
    "shipment": _shipment,
}
EXPLAINED: Final = tuple(_ROWS)
