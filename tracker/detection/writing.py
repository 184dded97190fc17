"""Writes what detection decided: problems opened, changed and ended, each with its decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from carriers.base import ProblemKind
from tracker.domain.detection import ENDED, RULE_VERSIONS, Changes, Finding, KnownProblem
from tracker.domain.hand import Act, settlement_of
from tracker.store.acts import acts_about
from tracker.store.logs import DecisionNote, log_decisions
from tracker.store.problems import ProblemRow, as_known, change_problem, end_problem, open_problem

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class About:
    """Whose problems these are: an order's, or its shipment's; and what incidents group them by."""

    shop: str
    order_id: int
    shipment_id: int | None = None
    carrier: str | None = None
    place: str | None = None
    state: str | None = None


def newest(rows: Sequence[ProblemRow], acts: Mapping[int, Sequence[Act]]) -> list[KnownProblem]:
    """The newest episode of each kind, as the rules compare it; *acts* by problem are what people did to them."""
    found: dict[ProblemKind, ProblemRow] = {}
    for row in rows:
        found[row.kind] = row
    return [as_known(row, settlement_of(acts.get(row.id, ()))) for row in found.values()]


def acts_of_open(connection: Connection, problems: Iterable[Sequence[ProblemRow]]) -> dict[int, list[Act]]:
    """What people did to the problems among these that still stand."""
    standing = [row.id for rows in problems for row in rows if row.resolved_at is None]
    return acts_about(connection, "problem", standing)


def write_changes(connection: Connection, about: About, changes: Changes, now: datetime) -> bool:
    """Write these changes and why; returns whether there were any."""
    notes = []
    for finding, episode in changes.opened:
        problem_id = open_problem(
            connection,
            shop=about.shop,
            shipment_id=about.shipment_id,
            order_id=about.order_id,
            finding=finding,
            episode=episode,
            rule_version=RULE_VERSIONS[finding.rule],
            now=now,
            carrier=about.carrier,
            place=about.place,
            state=about.state,
        )
        if problem_id is not None:
            notes.append(_note(about.shop, problem_id, finding, "opened"))
    for known, finding in changes.changed:
        if change_problem(connection, known, finding, RULE_VERSIONS[finding.rule]):
            notes.append(_note(about.shop, known.id, finding, "changed"))
    for known, at, resolution in changes.ended:
        if end_problem(connection, known, at, resolution):
            reason, ended = f"ended: {resolution} at {at.isoformat()}", _ended(at, resolution)
            notes.append(DecisionNote(about.shop, "problem", known.id, ENDED, 1, "resolved", reason, ended))
    log_decisions(connection, notes, now)
    for note in notes:
        _log(note, about)
    return bool(notes)


def _log(note: DecisionNote, about: About) -> None:
    subject = {"order_id": about.order_id} if about.shipment_id is None else {"shipment_id": about.shipment_id}
    facts = {"problem_id": note.subject_id, "rule": note.rule, **subject}
    if note.outcome == "opened":
        log.info("problem.found", **facts)
    else:
        log.info("problem.changed", outcome=note.outcome, **facts)


def _note(shop: str, problem_id: int, finding: Finding, outcome: str) -> DecisionNote:
    facts = {
        "kind": finding.kind.value,
        "since": finding.since.isoformat(),
        "cause": finding.cause.value if finding.cause else None,
        "presumed": finding.presumed,
        **({"by_words": True} if finding.by_words else {}),
        "customer_since": finding.customer_since.isoformat() if finding.customer_since else None,
        "carrier_since": finding.carrier_since.isoformat() if finding.carrier_since else None,
        **(_ended(*finding.ended) if finding.ended else {}),
        **finding.facts,
    }
    version = RULE_VERSIONS[finding.rule]
    return DecisionNote(shop, "problem", problem_id, finding.rule, version, outcome, _since(finding), facts)


def _since(finding: Finding) -> str:
    """The reason: since when, for the customer and for the carrier, so that a change of either is a new one."""
    words = "; read from the carrier's text, without a confirmed code" if finding.by_words else ""
    sides = (("customer", finding.customer_since), ("carrier", finding.carrier_since))
    more = "".join(f"; for the {side} since {at.isoformat()}" for side, at in sides if at is not None)
    return f"true since {finding.since.isoformat()}{more}{words}"


def _ended(at: datetime, resolution: str) -> dict[str, str]:
    return {"ended_at": at.isoformat(), "resolution": resolution}
