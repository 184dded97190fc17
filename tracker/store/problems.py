"""Detection's tables: problems with their episodes, and when a shipment or an order is looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from carriers.base import Cause, ProblemKind
from tracker.domain.detection import Finding, KnownProblem
from tracker.domain.hand import Settlement
from tracker.store.at_once import AtOnce
from tracker.store.database import insert_new
from tracker.store.kept import among
from tracker.store.leases import Claiming, claim, claim_due, claiming, held, release
from tracker.store.tables import OrderCheck, Problem, ShipmentCheck, table

_PROBLEMS, _CHECKS, _ORDER_CHECKS = table(Problem), table(ShipmentCheck), table(OrderCheck)
SHIPMENT = "shipment"
ORDER = "order"


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem as the stages right of detection read it."""

    id: int
    shop: str
    shipment_id: int | None
    """None for an order that has no shipment yet."""
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
    claims_wish: str | None = None
    rule: str = ""
    by_words: bool = False


def take_due_checks(
    connection: Connection, shard: int, shards: int, *, now: datetime, limit: int, token: str
) -> list[int]:
    """Lease this shard's next due shipments."""
    return claim(connection, _checks_of(shard, shards), now=now, limit=limit, token=token)


@cache
def _checks_of(shard: int, shards: int) -> Claiming:
    return claiming(_CHECKS, "next_check_at", [_CHECKS.c.shipment_id % shards == shard])


def take_due_orders(connection: Connection, *, now: datetime, limit: int, token: str) -> list[int]:
    """Lease the next orders that are due."""
    return claim_due(connection, _ORDER_CHECKS, "next_check_at", now=now, limit=limit, token=token)


def finish_check(connection: Connection, shipment_id: int, next_check_at: datetime | None, *, token: str) -> None:
    """Set the next look. Taking, deciding and this are one transaction, so a fact that arrives waits and wakes it again."""
    values = release({"next_check_at": next_check_at})
    ours = (_CHECKS.c.shipment_id == shipment_id, held(_CHECKS, token))
    connection.execute(update(_CHECKS).where(*ours).values(**values))


def problems_of(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, list[ProblemRow]]:
    """Every problem these shipments have or had, by kind and episode."""
    return _problems(connection, SHIPMENT, shipment_ids)


def problems_of_orders(connection: Connection, order_ids: Iterable[int]) -> dict[int, list[ProblemRow]]:
    """Every problem these orders have or had before they had a shipment."""
    return _problems(connection, ORDER, order_ids)


_PROBLEMS_OF: Final = AtOnce(
    select(_PROBLEMS)
    .where(_PROBLEMS.c.subject_kind == bindparam("kind_of"), among(_PROBLEMS.c.subject_id, "ids"))
    .order_by(_PROBLEMS.c.kind, _PROBLEMS.c.episode)
)
_COLUMNS: Final = tuple(column.name for column in _PROBLEMS.c)


def _problems(connection: Connection, subject_kind: str, subject_ids: Iterable[int]) -> dict[int, list[ProblemRow]]:
    ids = list(subject_ids)
    found: dict[int, list[ProblemRow]] = {subject_id: [] for subject_id in ids}
    for values in _PROBLEMS_OF.rows(connection, {"kind_of": subject_kind, "ids": ids}):
        row = dict(zip(_COLUMNS, values, strict=True))
        found[row["subject_id"]].append(_problem_row(row))
    return found


def _problem_row(row: dict[str, Any]) -> ProblemRow:
    values: dict[str, Any] = {name: row[name] for name in ProblemRow.__dataclass_fields__ if name in row}
    values |= {
        "shipment_id": row["subject_id"] if row["subject_kind"] == SHIPMENT else None,
        "kind": ProblemKind(row["kind"]),
        "cause": Cause(row["cause"]) if row["cause"] else None,
    }
    return ProblemRow(**values)


def as_known(row: ProblemRow, settlement: Settlement | None = None) -> KnownProblem:
    """The row as detection compares it; *settlement* is how a person settled it."""
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
        resolution=row.resolution,
        settlement=settlement,
        by_words=row.by_words,
    )


def open_problem(
    connection: Connection,
    *,
    shop: str,
    shipment_id: int | None = None,
    order_id: int,
    finding: Finding,
    episode: int,
    rule_version: int,
    now: datetime,
    carrier: str | None = None,
    place: str | None = None,
    state: str | None = None,
) -> int | None:
    """Open an episode of a shipment, or of an order that has none; None where it stands already.

    *carrier*, *place* (where it was last seen) and *state* (of destination) are what incidents group by.
    """
    row = {
        "shop": shop,
        "subject_kind": ORDER if shipment_id is None else SHIPMENT,
        "subject_id": order_id if shipment_id is None else shipment_id,
        "order_id": order_id,
        "carrier": carrier,
        "place": place,
        "state": state,
        "kind": finding.kind.value,
        "episode": episode,
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
    values = {"resolved_at": at, "resolution": resolution, "version": known.version + 1}
    if known.settlement is not None and known.settlement.how.value == resolution:
        values["claims_wish"] = known.settlement.claims.value
    return _update(connection, known, values)


def open_problems(connection: Connection, order_id: int) -> list[int]:
    """The ids of an order's problems that stand, those of its shipments too."""
    query = select(_PROBLEMS.c.id).where(_PROBLEMS.c.order_id == order_id, _PROBLEMS.c.resolved_at.is_(None))
    return list(connection.execute(query.order_by(_PROBLEMS.c.id)).scalars())


def lock_check(connection: Connection, shipment_id: int) -> None:
    """Keep detection and other hands from this shipment until the transaction ends."""
    connection.execute(select(_CHECKS.c.shipment_id).where(_CHECKS.c.shipment_id == shipment_id).with_for_update())


def problem_by_id(connection: Connection, problem_id: int) -> ProblemRow | None:
    """One problem, locked until the transaction ends."""
    query = select(_PROBLEMS).where(_PROBLEMS.c.id == problem_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _problem_row(dict(row))


def release_problems(connection: Connection, problem_ids: Iterable[int], at: datetime) -> int:
    """Let go what rests on these problems, although they began before the shop went live or the database was put back."""
    statement = update(_PROBLEMS).where(_PROBLEMS.c.id.in_(list(problem_ids)))
    return connection.execute(statement.values(released_at=at)).rowcount


def _shown(finding: Finding) -> dict[str, Any]:
    ended_at, resolution = finding.ended or (None, None)
    return {
        "since": finding.since,
        "cause": finding.cause.value if finding.cause else None,
        "presumed": finding.presumed,
        "by_words": finding.by_words,
        "customer_since": finding.customer_since,
        "carrier_since": finding.carrier_since,
        "resolved_at": ended_at,
        "resolution": resolution,
    }


def _update(connection: Connection, known: KnownProblem, values: dict[str, Any]) -> bool:
    unchanged = (_PROBLEMS.c.id == known.id, _PROBLEMS.c.version == known.version)
    return connection.execute(update(_PROBLEMS).where(*unchanged).values(**values)).rowcount == 1
