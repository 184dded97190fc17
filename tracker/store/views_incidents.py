"""What lists and `explain` read of incidents: each with how many parcels it holds, and which alert told of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from tracker.domain.incidents import Scope, Where
from tracker.store.tables import Alert, Incident, IncidentMember, Order, Problem, Shipment, table
from tracker.store.views import tracking_code_of

_INCIDENTS, _MEMBERS, _PROBLEMS = table(Incident), table(IncidentMember), table(Problem)
_ALERTS, _ORDERS, _SHIPMENTS = table(Alert), table(Order), table(Shipment)


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident as it stands. `members` are problems, `open_members` those that go on."""

    id: int
    where: Where
    started_at: datetime
    detected_at: datetime
    last_joined_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    members: int
    open_members: int
    alert_id: int | None
    alert_resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A problem of an incident."""

    problem_id: int
    kind: str
    since: datetime
    resolved_at: datetime | None
    shop: str
    order_number: str
    tracking_code: str | None
    joined_at: datetime


def incidents(
    connection: Connection,
    *,
    open_only: bool = False,
    carrier: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[IncidentRow]:
    """Incidents, the newest first; `since`: those that were seen, joined or ended since then."""
    conditions: list[ColumnElement[bool]] = []
    if open_only:
        conditions.append(_INCIDENTS.c.ended_at.is_(None))
    if carrier is not None:
        conditions.append(_INCIDENTS.c.carrier == carrier)
    if since is not None:
        newest = func.coalesce(_INCIDENTS.c.ended_at, _INCIDENTS.c.last_joined_at)
        conditions.append(newest >= since)
    return _incidents(connection, conditions, limit)


def incident_by_id(connection: Connection, incident_id: int) -> IncidentRow | None:
    """One incident."""
    return next(iter(_incidents(connection, [_INCIDENTS.c.id == incident_id], 1)), None)


def _incidents(
    connection: Connection, conditions: Iterable[ColumnElement[bool]], limit: int | None
) -> list[IncidentRow]:
    going_on = case((and_(_PROBLEMS.c.id.is_not(None), _PROBLEMS.c.resolved_at.is_(None)), 1), else_=0)
    query = (
        select(_INCIDENTS, func.count(_MEMBERS.c.problem_id), func.coalesce(func.sum(going_on), 0))
        .outerjoin(_MEMBERS, _MEMBERS.c.incident_id == _INCIDENTS.c.id)
        .outerjoin(_PROBLEMS, _PROBLEMS.c.id == _MEMBERS.c.problem_id)
        .where(*conditions)
        .group_by(_INCIDENTS.c.id)
        .order_by(_INCIDENTS.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).all()
    keys = {f"incident:{row.id}": row.id for row in rows}
    alerts = select(_ALERTS.c.key, _ALERTS.c.id, _ALERTS.c.resolved_at).where(_ALERTS.c.key.in_(list(keys)))
    told = {keys[key]: (alert_id, over) for key, alert_id, over in connection.execute(alerts.order_by(_ALERTS.c.id))}
    return [
        IncidentRow(
            id=row.id,
            where=Where(row.carrier, Scope(row.scope), row.name),
            started_at=row.started_at,
            detected_at=row.detected_at,
            last_joined_at=row.last_joined_at,
            ended_at=row.ended_at,
            end_reason=row.end_reason,
            members=int(row[-2]),
            open_members=int(row[-1]),
            alert_id=told.get(row.id, (None, None))[0],
            alert_resolved_at=told.get(row.id, (None, None))[1],
        )
        for row in rows
    ]


def members_of_incident(connection: Connection, incident_id: int) -> list[MemberRow]:
    """Its problems, those that go on first, then the newest."""
    query = (
        select(
            _PROBLEMS.c.id,
            _PROBLEMS.c.kind,
            _PROBLEMS.c.since,
            _PROBLEMS.c.resolved_at,
            _PROBLEMS.c.shop,
            _ORDERS.c.number,
            tracking_code_of(_SHIPMENTS.c.id),
            _MEMBERS.c.joined_at,
        )
        .join(_MEMBERS, _MEMBERS.c.problem_id == _PROBLEMS.c.id)
        .join(_ORDERS, _ORDERS.c.id == _PROBLEMS.c.order_id)
        .outerjoin(_SHIPMENTS, and_(_PROBLEMS.c.subject_kind == "shipment", _SHIPMENTS.c.id == _PROBLEMS.c.subject_id))
        .where(_MEMBERS.c.incident_id == incident_id)
        .order_by(_PROBLEMS.c.resolved_at.is_not(None), _PROBLEMS.c.id.desc())
    )
    return [MemberRow(*row) for row in connection.execute(query)]


def incidents_of_problems(connection: Connection, problem_ids: Iterable[int]) -> dict[int, tuple[int, Where, bool]]:
    """By problem, the incident it belongs to: (id, where, whether it is over)."""
    columns = (_INCIDENTS.c.id, _INCIDENTS.c.carrier, _INCIDENTS.c.scope, _INCIDENTS.c.name, _INCIDENTS.c.ended_at)
    query = (
        select(_MEMBERS.c.problem_id, *columns)
        .join(_INCIDENTS, _INCIDENTS.c.id == _MEMBERS.c.incident_id)
        .where(_MEMBERS.c.problem_id.in_(list(problem_ids)))
    )
    return {
        problem_id: (key, Where(carrier, Scope(scope), name), ended_at is not None)
        for problem_id, key, carrier, scope, name, ended_at in connection.execute(query)
    }
