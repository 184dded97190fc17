"""Which order a preview of a text is made from: the newest that was told, else the newest of which it would be true."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.order import OrderStatus
from tracker.domain.words import Trigger
from tracker.store.problems import SHIPMENT
from tracker.store.tables import Notice, NoticeMember, Order, Problem, Shipment, ShipmentHistory, table

_NOTICES, _MEMBERS, _ORDERS = table(Notice), table(NoticeMember), table(Order)
_SHIPMENTS, _HISTORIES, _PROBLEMS = table(Shipment), table(ShipmentHistory), table(Problem)


@dataclass(frozen=True, slots=True)
class Sample:
    """An order to preview a text with. `told_at`: when its notice was made; None where there is none."""

    order_id: int
    shop: str
    shipments: tuple[tuple[int, int], ...] = ()
    """Each with the episode of its notice."""
    told_at: datetime | None = None


def orders_named(connection: Connection, number: str, shop: str | None) -> list[tuple[int, str]]:
    """The orders (id, shop) with this number."""
    query = select(_ORDERS.c.id, _ORDERS.c.shop).where(_ORDERS.c.number == number, *_of(_ORDERS.c.shop, shop))
    return [(row[0], row[1]) for row in connection.execute(query.order_by(_ORDERS.c.id))]


def newest_told(
    connection: Connection, trigger: Trigger, shop: str | None, order_id: int | None = None
) -> Sample | None:
    """The newest notice of this trigger: of any order, or of this one."""
    wanted = [_NOTICES.c.trigger == trigger.value, *_of(_NOTICES.c.shop, shop)]
    if order_id is not None:
        wanted.append(_NOTICES.c.order_id == order_id)
    query = select(_NOTICES.c.id, _NOTICES.c.order_id, _NOTICES.c.shop, _NOTICES.c.created_at).where(*wanted)
    row = connection.execute(query.order_by(_NOTICES.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    members = select(_MEMBERS.c.shipment_id, _MEMBERS.c.episode).where(_MEMBERS.c.notice_id == row[0])
    found = connection.execute(members.order_by(_MEMBERS.c.shipment_id))
    return Sample(row[1], row[2], tuple((member[0], member[1]) for member in found), row[3])


def newest_in(connection: Connection, statuses: Collection[TrackingStatus], shop: str | None) -> Sample | None:
    """The newest shipment that stands so."""
    query = (
        select(_SHIPMENTS.c.order_id, _SHIPMENTS.c.shop, _SHIPMENTS.c.id)
        .join(_HISTORIES, _HISTORIES.c.shipment_id == _SHIPMENTS.c.id)
        .where(_HISTORIES.c.status.in_([status.value for status in statuses]), *_of(_SHIPMENTS.c.shop, shop))
        .order_by(_SHIPMENTS.c.id.desc())
    )
    return _first(connection, query)


def newest_with(connection: Connection, kinds: Collection[ProblemKind], shop: str | None) -> Sample | None:
    """The newest shipment that has or had such a problem."""
    query = (
        select(_PROBLEMS.c.order_id, _PROBLEMS.c.shop, _PROBLEMS.c.subject_id)
        .where(
            _PROBLEMS.c.subject_kind == SHIPMENT,
            _PROBLEMS.c.kind.in_([kind.value for kind in kinds]),
            *_of(_PROBLEMS.c.shop, shop),
        )
        .order_by(_PROBLEMS.c.id.desc())
    )
    return _first(connection, query)


def newest_paid(connection: Connection, shop: str | None) -> Sample | None:
    """The newest order that its file says is paid."""
    query = select(_ORDERS.c.id, _ORDERS.c.shop).where(
        _ORDERS.c.status == OrderStatus.PAID.value, *_of(_ORDERS.c.shop, shop)
    )
    row = connection.execute(query.order_by(_ORDERS.c.id.desc()).limit(1)).one_or_none()
    return Sample(row[0], row[1]) if row is not None else None


def _first(connection: Connection, query: Any) -> Sample | None:
    row = connection.execute(query.limit(1)).one_or_none()
    return Sample(row[0], row[1], ((row[2], 1),)) if row is not None else None


def _of(column: ColumnElement[Any], shop: str | None) -> list[ColumnElement[bool]]:
    return [] if shop is None else [column == shop]
