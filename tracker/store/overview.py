"""How everything stands, counted: a few numbers for a progress line and a summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Select, case, func, select

from tracker.store.tables import Alert, Claim, Delivery, Notice, Order, Problem, Shipment, ShipmentHistory, table

_SHIPMENTS, _HISTORIES, _PROBLEMS, _CLAIMS = table(Shipment), table(ShipmentHistory), table(Problem), table(Claim)
_DELIVERIES, _NOTICES, _ALERTS, _ORDERS = table(Delivery), table(Notice), table(Alert), table(Order)


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts by their own words. `statuses` has "" for shipments the carrier has not told of yet; alerts are the open ones."""

    shipments: int
    statuses: Mapping[str, int]
    open_problems: Mapping[str, int]
    all_problems: Mapping[str, int]
    claims: Mapping[str, int]
    claims_opened: int
    claims_paid: int
    messages: Mapping[str, int]
    sent_by_trigger: Mapping[str, int]
    open_alerts: Mapping[str, int]


def overview(connection: Connection) -> Overview:
    """Count everything. Meant for one shop's database, not for a hot path: it reads whole tables."""
    seen = _SHIPMENTS.outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _SHIPMENTS.c.id)
    status = func.coalesce(_HISTORIES.c.status, "")
    sent = _DELIVERIES.c.state == "sent"
    counted = (func.count(), func.count(_CLAIMS.c.opened_at), func.count().filter(_CLAIMS.c.state == "paid"))
    _, opened, paid = connection.execute(select(*counted).select_from(_CLAIMS)).one()
    notices = _DELIVERIES.join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
    return Overview(
        shipments=int(connection.execute(select(func.count()).select_from(_SHIPMENTS)).scalar_one()),
        statuses=_grouped(connection, select(status, func.count()).select_from(seen).group_by(status)),
        open_problems=_grouped(connection, _count(_PROBLEMS.c.kind).where(_PROBLEMS.c.resolved_at.is_(None))),
        all_problems=_grouped(connection, _count(_PROBLEMS.c.kind)),
        claims=_grouped(connection, _count(_CLAIMS.c.state)),
        claims_opened=int(opened),
        claims_paid=int(paid),
        messages=_grouped(connection, _count(_DELIVERIES.c.state)),
        sent_by_trigger=_grouped(connection, _count(_NOTICES.c.trigger).select_from(notices).where(sent)),
        open_alerts=_grouped(connection, _count(_ALERTS.c.kind).where(_ALERTS.c.resolved_at.is_(None))),
    )


def example_ids(connection: Connection) -> dict[str, str]:
    """An order and a claim worth a closer look: the newest claim that was paid, else any; empty words where there is none."""
    rank = case((_CLAIMS.c.state == "paid", 0), (_CLAIMS.c.state == "accepted", 1), else_=2)
    query = (
        select(_CLAIMS.c.id, _ORDERS.c.number)
        .join(_SHIPMENTS, _SHIPMENTS.c.id == _CLAIMS.c.shipment_id)
        .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
        .order_by(rank, _CLAIMS.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return {"claim": f"C{row[0]}", "order": row[1]} if row else {"claim": "", "order": ""}


def _count(column: ColumnElement[Any]) -> Select[Any, int]:
    return select(column, func.count()).group_by(column)


def _grouped(connection: Connection, query: Executable) -> dict[str, int]:
    return {str(name): int(number) for name, number in connection.execute(query)}
