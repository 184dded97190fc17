"""What people did by hand, read back by whoever decides on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select

from tracker.domain.hand import Act
from tracker.store.kept import among
from tracker.store.tables import OperatorAct, table

_ACTS = table(OperatorAct)
_NAMES: Final = tuple(Act.__dataclass_fields__)
# To build it takes longer than to run it.
_ABOUT: Final = (
    select(_ACTS.c.subject_id, *(_ACTS.c[name] for name in _NAMES))
    .where(_ACTS.c.subject_kind == bindparam("kind_of"), among(_ACTS.c.subject_id, "ids"))
    .order_by(_ACTS.c.id)
)


@dataclass(frozen=True, slots=True)
class ActRow:
    """An act with what it is about."""

    subject_kind: str
    subject_id: int
    act: Act


def acts_about(connection: Connection, subject_kind: str, subject_ids: Iterable[int]) -> dict[int, list[Act]]:
    """Every act about these subjects of one kind, oldest first; a subject without any is left out."""
    ids = list(dict.fromkeys(subject_ids))
    if not ids:
        return {}
    found: dict[int, list[Act]] = {}
    for row in connection.execute(_ABOUT, {"kind_of": subject_kind, "ids": ids}).mappings():
        act = Act(**{**{name: row[name] for name in _NAMES}, "facts": row["facts"] or {}})
        found.setdefault(row["subject_id"], []).append(act)
    return found


def acts_on(connection: Connection, subjects: Mapping[str, Sequence[int]]) -> list[ActRow]:
    """Every act about these subjects, by kind, oldest first."""
    found = [
        ActRow(kind, subject_id, act)
        for kind, ids in subjects.items()
        for subject_id, acts in acts_about(connection, kind, ids).items()
        for act in acts
    ]
    return sorted(found, key=lambda row: row.act.id)
