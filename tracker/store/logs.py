"""The logs any stage appends to: decisions, signals for the operator, and what operators did by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from tracker.store.tables import Alert, Decision, OperatorAct, Signal, table

_DECISIONS, _SIGNALS, _ACTS, _ALERTS = table(Decision), table(Signal), table(OperatorAct), table(Alert)
_NEW_DECISIONS, _NEW_SIGNALS = insert(_DECISIONS), insert(_SIGNALS)


@dataclass(frozen=True, slots=True)
class DecisionNote:
    """One decision about one subject: which rule in which version, what came of it, why, on which facts."""

    shop: str
    subject_kind: str
    subject_id: int
    rule: str
    rule_version: int
    outcome: str
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def log_decisions(connection: Connection, notes: Iterable[DecisionNote], at: datetime) -> None:
    """Append decisions. Callers log a change of rule, version, outcome or reason, and what a gate held back: not each look."""
    rows = [
        {
            "at": at,
            "shop": note.shop,
            "subject_kind": note.subject_kind,
            "subject_id": note.subject_id,
            "rule": note.rule,
            "rule_version": note.rule_version,
            "outcome": note.outcome,
            "reason": note.reason,
            "facts": dict(note.facts),
        }
        for note in notes
    ]
    if rows:
        connection.execute(_NEW_DECISIONS, rows)


@dataclass(frozen=True, slots=True)
class SignalNote:
    """Something that needs an operator (`raised`) or no longer does; `key` names the one alert it belongs to."""

    key: str
    kind: str
    severity: str
    summary: str
    raised: bool = True
    shop: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def signal(connection: Connection, notes: Iterable[SignalNote], at: datetime) -> None:
    """Append signals for the alerts stage; one about an alert that stands already only renews its words."""
    rows = [
        {
            "at": at,
            "shop": note.shop,
            "key": note.key,
            "kind": note.kind,
            "severity": note.severity,
            "raised": note.raised,
            "summary": note.summary,
            "details": dict(note.details),
        }
        for note in notes
    ]
    if rows:
        connection.execute(_NEW_SIGNALS, rows)


def call_off(connection: Connection, notes: Sequence[SignalNote], at: datetime) -> None:
    """Append those that end an alert which stands, or which a signal that nobody has looked at is about to raise.

    For who cannot know whether there is one: most claims go their way without any, and each word would be read for nothing.
    """
    keys = [note.key for note in notes]
    stand = select(_ALERTS.c.key).where(_ALERTS.c.key.in_(keys), _ALERTS.c.resolved_at.is_(None))
    come = select(_SIGNALS.c.key).where(_SIGNALS.c.consumed_at.is_(None), _SIGNALS.c.key.in_(keys))
    known = set(connection.execute(stand.union_all(come)).scalars()) if keys else set()
    signal(connection, [note for note in notes if note.key in known], at)


def log_act(
    connection: Connection,
    *,
    who: str,
    act: str,
    subject_kind: str,
    subject_id: int,
    reason: str | None,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Keep what a person did by hand, as a fact; *facts* are what the act says."""
    connection.execute(
        insert(_ACTS),
        {
            "at": at,
            "who": who,
            "act": act,
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "reason": reason,
            "facts": dict(facts or {}),
        },
    )
