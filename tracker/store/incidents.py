"""Incidents and the problems that belong to them: counted by carrier, last place and state of destination."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, func, insert, select, update

from carriers.base import ProblemKind
from tracker.domain.incidents import SYMPTOMS, Scope, StandingIncident, Tally, Where
from tracker.store.database import insert_new
from tracker.store.tables import Incident, IncidentMember, Problem, table

_INCIDENTS, _MEMBERS, _PROBLEMS = table(Incident), table(IncidentMember), table(Problem)
_KINDS: Final = sorted(kind.value for kind in SYMPTOMS)


@dataclass(frozen=True, slots=True)
class Joined:
    """A problem that has become part of an incident."""

    problem_id: int
    shop: str
    shipment_id: int
    kind: ProblemKind


def tallies(connection: Connection, *, recent_since: datetime, before_since: datetime) -> list[Tally]:
    """New problems by where they are: those since `recent_since`, and those from `before_since` until then."""
    recent = case((_PROBLEMS.c.since >= recent_since, 1), else_=0)
    columns = (
        _PROBLEMS.c.carrier,
        func.coalesce(_PROBLEMS.c.place, ""),
        func.coalesce(_PROBLEMS.c.state, ""),
    )
    query = (
        select(*columns, func.sum(recent), func.sum(1 - recent))
        # Nothing is found before it is true: what was found earlier than this began earlier too.
        .where(_PROBLEMS.c.detected_at >= before_since, _PROBLEMS.c.since >= before_since, *_counted())
        .group_by(*columns)
    )
    return [
        Tally(carrier, place, state, int(new), int(old))
        for carrier, place, state, new, old in connection.execute(query)
    ]


def known_since(connection: Connection) -> datetime | None:
    """Since when problems are known at all; None where there is none."""
    return connection.execute(select(func.min(_PROBLEMS.c.detected_at))).scalar()


def standing(connection: Connection) -> list[StandingIncident]:
    """The incidents that go on."""
    query = select(_INCIDENTS).where(_INCIDENTS.c.ended_at.is_(None)).order_by(_INCIDENTS.c.id)
    return [
        StandingIncident(row["id"], _where(row), row["last_joined_at"], _open_members(connection, row["id"]))
        for row in connection.execute(query).mappings().all()
    ]


def _open_members(connection: Connection, incident_id: int) -> int:
    mine = (_MEMBERS.c.incident_id == incident_id, _PROBLEMS.c.resolved_at.is_(None))
    query = select(func.count()).select_from(_MEMBERS.join(_PROBLEMS, _PROBLEMS.c.id == _MEMBERS.c.problem_id))
    return connection.execute(query.where(*mine)).scalar_one()


def open_incident(connection: Connection, where: Where, *, started_at: datetime, now: datetime) -> int | None:
    """Open an incident whose parcels went wrong from `started_at` on; None where it stands already."""
    row: dict[str, Any] = {
        "carrier": where.carrier,
        "scope": where.scope.value,
        "name": where.name,
        "started_at": started_at,
        "detected_at": now,
        "last_joined_at": now,
    }
    new = insert_new(connection, _INCIDENTS, [row], _INCIDENTS.c.id)
    return int(new[0][0]) if new else None


def end_incident(connection: Connection, incident_id: int, reason: str, now: datetime) -> None:
    """It is over; its problems go on by themselves."""
    values = {"ended_at": now, "end_reason": reason}
    connection.execute(update(_INCIDENTS).where(_INCIDENTS.c.id == incident_id).values(**values))


def join(connection: Connection, incident_id: int, limit: int, now: datetime) -> list[Joined]:
    """Take up to `limit` problems into an incident that belong there and to no other."""
    row = connection.execute(select(_INCIDENTS).where(_INCIDENTS.c.id == incident_id)).mappings().one()
    where = _where(row)
    query = (
        select(_PROBLEMS.c.id, _PROBLEMS.c.shop, _PROBLEMS.c.subject_id, _PROBLEMS.c.kind)
        .outerjoin(_MEMBERS, _MEMBERS.c.problem_id == _PROBLEMS.c.id)
        .where(
            _PROBLEMS.c.carrier == where.carrier,
            _PROBLEMS.c.detected_at >= row["started_at"],
            _PROBLEMS.c.since >= row["started_at"],
            _PROBLEMS.c.resolved_at.is_(None),
            _MEMBERS.c.problem_id.is_(None),
            *_counted(),
            *_inside(where),
        )
        .order_by(_PROBLEMS.c.id)
        .limit(limit)
    )
    found = [Joined(one, shop, subject, ProblemKind(kind)) for one, shop, subject, kind in connection.execute(query)]
    if found:
        connection.execute(
            insert(_MEMBERS),
            [{"problem_id": one.problem_id, "incident_id": incident_id, "joined_at": now} for one in found],
        )
        connection.execute(update(_INCIDENTS).where(_INCIDENTS.c.id == incident_id).values(last_joined_at=now))
    return found


def leave(connection: Connection, incident_id: int) -> None:
    """Let the problems of an incident that became part of a wider one join that."""
    connection.execute(delete(_MEMBERS).where(_MEMBERS.c.incident_id == incident_id))


_AROUND: Final = (
    select(_PROBLEMS.c.subject_id, _INCIDENTS.c.carrier, _INCIDENTS.c.scope, _INCIDENTS.c.name)
    .join(_MEMBERS, _MEMBERS.c.problem_id == _PROBLEMS.c.id)
    .join(_INCIDENTS, _INCIDENTS.c.id == _MEMBERS.c.incident_id)
    .where(
        _PROBLEMS.c.subject_kind == "shipment",
        _PROBLEMS.c.subject_id.in_(bindparam("ids", expanding=True)),
        _PROBLEMS.c.resolved_at.is_(None),
        _INCIDENTS.c.ended_at.is_(None),
    )
    .order_by(_INCIDENTS.c.id)
)


def incidents_of(connection: Connection, shipment_ids: Collection[int]) -> dict[int, Where]:
    """The incident that goes on around each of these shipments."""
    return {
        shipment_id: Where(carrier, Scope(scope), name)
        for shipment_id, carrier, scope, name in connection.execute(_AROUND, {"ids": list(shipment_ids)})
    }


def _where(row: Any) -> Where:
    return Where(row["carrier"], Scope(row["scope"]), row["name"])


def _counted() -> Iterable[ColumnElement[bool]]:
    return (_PROBLEMS.c.kind.in_(_KINDS), _PROBLEMS.c.carrier.is_not(None))


def _inside(where: Where) -> Iterable[ColumnElement[bool]]:
    if where.scope is Scope.HUB:
        return (_PROBLEMS.c.place == where.name,)
    return (_PROBLEMS.c.state == where.name,) if where.scope is Scope.STATE else ()
