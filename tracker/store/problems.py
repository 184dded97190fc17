"""Detection's tables: problems with their episodes, and when a shipment is looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from carriers.base import Cause, ProblemKind
from tracker.domain.detection import Finding, KnownProblem
from tracker.store.database import insert_new
from tracker.store.leases import claim_due, held, release
from tracker.store.tables import Problem, ShipmentCheck, table

_PROBLEMS, _CHECKS = table(Problem), table(ShipmentCheck)
SHIPMENT = "shipment"


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem as the stages right of detection read it."""

    id: int
    shop: str
    shipment_id: int
    order_id: int
    kind: ProblemKind
    episode: int
    cause: Cause | None
    presumed: bool
    since: datetime
    customer_since: datetime | None
    carrier_since: datetime | None
    detected_at: datetime
    resolved_at: datetime | None
    resolution: str | None
    released_at: datetime | None
    version: int


def take_due_checks(
    connection: Connection, shard: int, shards: int, *, now: datetime, limit: int, token: str
) -> list[int]:
    """Lease this shard's next due shipments."""
    mine = [_CHECKS.c.shipment_id % shards == shard]
    return claim_due(connection, _CHECKS, "next_check_at", now=now, limit=limit, token=token, where=mine)


def finish_check(connection: Connection, shipment_id: int, next_check_at: datetime | None, *, token: str) -> None:
    """Set the next look. Taking, deciding and this are one transaction, so a fact that arrives waits and wakes it again."""
    values = release({"next_check_at": next_check_at})
    ours = (_CHECKS.c.shipment_id == shipment_id, held(_CHECKS, token))
    connection.execute(update(_CHECKS).where(*ours).values(**values))


def problems_of(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, list[ProblemRow]]:
    """Every problem these shipments have or had, by kind and episode."""
    ids = list(shipment_ids)
    query = (
        select(_PROBLEMS)
        .where(_PROBLEMS.c.subject_kind == SHIPMENT, _PROBLEMS.c.subject_id.in_(ids))
        .order_by(_PROBLEMS.c.kind, _PROBLEMS.c.episode)
    )
    found: dict[int, list[ProblemRow]] = {shipment_id: [] for shipment_id in ids}
    for row in connection.execute(query).mappings():
        values: dict[str, Any] = {name: row[name] for name in ProblemRow.__dataclass_fields__ if name in row}
        values |= {
            "shipment_id": row["subject_id"],
            "kind": ProblemKind(row["kind"]),
            "cause": Cause(row["cause"]) if row["cause"] else None,
        }
        found[row["subject_id"]].append(ProblemRow(**values))
    return found


def as_known(row: ProblemRow) -> KnownProblem:
    """The row as detection compares it."""
    return KnownProblem(
        id=row.id,
        kind=row.kind,
        episode=row.episode,
        cause=row.cause,
        presumed=row.presumed,
        since=row.since,
        customer_since=row.customer_since,
        carrier_since=row.carrier_since,
        resolved_at=row.resolved_at,
        version=row.version,
    )


def open_problem(
    connection: Connection,
    *,
    shop: str,
    shipment_id: int,
    order_id: int,
    finding: Finding,
    episode: int,
    rule_version: int,
    now: datetime,
) -> int | None:
    """Open an episode; None where it stands already."""
    row = {
        "shop": shop,
        "subject_kind": SHIPMENT,
        "subject_id": shipment_id,
        "order_id": order_id,
        "kind": finding.kind.value,
        "episode": episode,
        "since": finding.since,
        "detected_at": now,
        "rule": finding.rule,
        "rule_version": rule_version,
        "version": 1,
        **_shown(finding),
    }
    new = insert_new(connection, _PROBLEMS, [row], _PROBLEMS.c.id)
    return int(new[0][0]) if new else None


def change_problem(connection: Connection, known: KnownProblem, finding: Finding, rule_version: int) -> bool:
    """Write what the facts now show; False where somebody changed the row meanwhile."""
    values = {"rule": finding.rule, "rule_version": rule_version, "version": known.version + 1, **_shown(finding)}
    return _update(connection, known, values)


def end_problem(connection: Connection, known: KnownProblem, at: datetime, resolution: str) -> bool:
    """End an episode; False where somebody changed the row meanwhile."""
    return _update(connection, known, {"resolved_at": at, "resolution": resolution, "version": known.version + 1})


def release_problems(connection: Connection, problem_ids: Iterable[int], at: datetime) -> int:
    """Let go what rests on these problems, although they began before the shop went live."""
    statement = update(_PROBLEMS).where(_PROBLEMS.c.id.in_(list(problem_ids)), _PROBLEMS.c.released_at.is_(None))
    return connection.execute(statement.values(released_at=at)).rowcount


def _shown(finding: Finding) -> dict[str, Any]:
    ended_at, resolution = finding.ended or (None, None)
    return {
        "cause": finding.cause.value if finding.cause else None,
        "presumed": finding.presumed,
        "customer_since": finding.customer_since,
        "carrier_since": finding.carrier_since,
        "resolved_at": ended_at,
        "resolution": resolution,
    }


def _update(connection: Connection, known: KnownProblem, values: dict[str, Any]) -> bool:
    unchanged = (_PROBLEMS.c.id == known.id, _PROBLEMS.c.version == known.version)
    return connection.execute(update(_PROBLEMS).where(*unchanged).values(**values)).rowcount == 1
