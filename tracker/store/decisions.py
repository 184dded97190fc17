"""The decision log, read back: so that only changes are written, and so that `explain` can print it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from tracker.store.logs import DecisionNote, log_decisions
from tracker.store.tables import Decision, table

_DECISIONS = table(Decision)


def log_changes(connection: Connection, notes: Iterable[DecisionNote], at: datetime) -> None:
    """Append those decisions whose rule, version, outcome or reason differs from the subject's last one under that rule."""
    fresh = [note for note in notes if _last(connection, note) != (note.rule_version, note.outcome, note.reason)]
    log_decisions(connection, fresh, at)


def _last(connection: Connection, note: DecisionNote) -> tuple[int, str, str] | None:
    query = (
        select(_DECISIONS.c.rule_version, _DECISIONS.c.outcome, _DECISIONS.c.reason)
        .where(
            _DECISIONS.c.subject_kind == note.subject_kind,
            _DECISIONS.c.subject_id == note.subject_id,
            _DECISIONS.c.rule == note.rule,
        )
        .order_by(_DECISIONS.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return (row[0], row[1], row[2]) if row else None


def decisions_of(connection: Connection, subjects: Sequence[tuple[str, int]]) -> list[Decision]:
    """Every decision about these subjects (kind, id), oldest first."""
    found: list[Decision] = []
    for kind, subject_id in subjects:
        query = select(_DECISIONS).where(_DECISIONS.c.subject_kind == kind, _DECISIONS.c.subject_id == subject_id)
        found += [Decision(**row) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda decision: (decision.at, decision.id or 0))
