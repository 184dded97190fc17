"""What became of a claim's letter and what a person says of its answer: appended by who learns of it, read by claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, text, update

from tracker.store.database import insert_new
from tracker.store.tables import ClaimFact, table
from tracker.store.wake import wake_claim

_FACTS = table(ClaimFact)
_NEWS: Final = text("taken_at IS NULL")
LETTER: Final = "letter"
ANSWER: Final = "answer"
SENT_BY_HAND: Final = "sent_by_hand"


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact about a claim. `facts` of a letter: step, outcome, reason, to; of an answer: see `tracker.claims.heard`."""

    id: int
    claim_id: int
    key: str
    kind: str
    at: datetime
    facts: Mapping[str, Any]


def add_fact(
    connection: Connection, claim_id: int, *, key: str, kind: str, facts: Mapping[str, Any], at: datetime
) -> bool:
    """Append a fact and wake the claim; False where it is known already."""
    row: dict[str, Any] = {"claim_id": claim_id, "key": key, "kind": kind, "at": at, "facts": dict(facts)}
    is_new = bool(insert_new(connection, _FACTS, [row], _FACTS.c.id))
    if is_new:
        wake_claim(connection, claim_id, at)
    return is_new


def news_of(connection: Connection, claim_ids: Iterable[int]) -> dict[int, list[FactRow]]:
    """The facts about these claims that nobody has acted on, in the order in which they came."""
    ids = list(claim_ids)
    found: dict[int, list[FactRow]] = {claim_id: [] for claim_id in ids}
    columns = (_FACTS.c[name] for name in FactRow.__dataclass_fields__)
    query = select(*columns).where(_FACTS.c.claim_id.in_(ids), _NEWS).order_by(_FACTS.c.id)
    for row in connection.execute(query).mappings():
        found[row["claim_id"]].append(FactRow(**row))
    return found


def facts_of(connection: Connection, claim_id: int) -> list[FactRow]:
    """Every fact about a claim, in the order in which they came."""
    columns = (_FACTS.c[name] for name in FactRow.__dataclass_fields__)
    query = select(*columns).where(_FACTS.c.claim_id == claim_id).order_by(_FACTS.c.id)
    return [FactRow(**row) for row in connection.execute(query).mappings()]


def taken(connection: Connection, fact_id: int, at: datetime) -> None:
    """The claims stage has acted on it."""
    connection.execute(update(_FACTS).where(_FACTS.c.id == fact_id).values(taken_at=at))
