"""What every stage right of polling reads of a shipment: its order, its number, how it was last answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, exists, func, select

from tracker.store.at_once import AtOnce
from tracker.store.kept import among
from tracker.store.tables import Order, OrderItem, Shipment, ShipmentPoll, ShipmentRef, table

_ORDERS, _ITEMS, _SHIPMENTS, _REFS, _POLLS = (
    table(model) for model in (Order, OrderItem, Shipment, ShipmentRef, ShipmentPoll)
)


_UNKNOWN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as decisions and texts need it."""

    id: int
    shop: str
    number: str
    status: str
    promised_on: date | None
    promised_first_on: date | None
    customer_name: str | None
    customer_email: str | None
    customer_document: str | None
    recipient_name: str | None
    recipient_email: str | None
    state: str | None
    total_cents: int | None
    city: str | None = None
    ordered_at: datetime | None = None
    ship_by: date | None = None
    created_at: datetime = _UNKNOWN
    """When we first learned of it."""
    updated_at: datetime = _UNKNOWN
    """When its newest file changed it."""


@dataclass(frozen=True, slots=True)
class ShipmentContext:
    """A shipment with its order and its active number (`ref_id` is None where it has none).

    `carrier` is the account that follows the parcel, which need not be the one its order named.
    """

    shipment_id: int
    carrier: str
    service: str | None
    declared_value_cents: int | None
    created_at: datetime
    ref_id: int | None
    ref_kind: str | None
    tracking_code: str | None
    last_answered_at: datetime | None
    next_poll_at: datetime | None
    order: OrderRow
    shipped_on: date | None = None
    closed_reason: str | None = None
    """Why nobody asks the carrier about it any more; None while somebody does."""


_ORDER_COLUMNS = tuple(OrderRow.__dataclass_fields__)
_OWN: Final = len(ShipmentContext.__dataclass_fields__) - 1
"""So many columns are a shipment's own; its order's follow."""
_ORDER: Final = tuple(ShipmentContext.__dataclass_fields__).index("order")


# To build it takes longer than to run it, and every stage asks it of every batch.
_CONTEXTS_OF: Final = AtOnce(
    select(
        _SHIPMENTS.c.id.label("shipment_id"),
        func.coalesce(_POLLS.c.carrier, _SHIPMENTS.c.carrier).label("carrier"),
        _SHIPMENTS.c.service,
        _SHIPMENTS.c.declared_value_cents,
        _SHIPMENTS.c.created_at,
        _REFS.c.id.label("ref_id"),
        _REFS.c.kind.label("ref_kind"),
        _REFS.c.value.label("tracking_code"),
        _POLLS.c.last_answered_at,
        _POLLS.c.next_poll_at,
        _SHIPMENTS.c.shipped_on,
        _POLLS.c.closed_reason,
        # From here on the order's.
        *(_ORDERS.c[name].label(f"order_{name}") for name in _ORDER_COLUMNS),
    )
    .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
    .outerjoin(_REFS, (_REFS.c.shipment_id == _SHIPMENTS.c.id) & _REFS.c.active)
    .outerjoin(_POLLS, _POLLS.c.shipment_id == _SHIPMENTS.c.id)
    .where(among(_SHIPMENTS.c.id, "ids"))
    .order_by(_SHIPMENTS.c.id, _REFS.c.id)
)


def contexts_of(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, ShipmentContext]:
    """These shipments with what stands left of every decision about them."""
    found: dict[int, ShipmentContext] = {}
    for values in _CONTEXTS_OF.rows(connection, {"ids": list(shipment_ids)}):
        own, of_order = values[:_OWN], values[_OWN:]
        found[own[0]] = ShipmentContext(*[*own[:_ORDER], OrderRow(*of_order), *own[_ORDER:]])
    return found


def orders_of(connection: Connection, order_ids: Iterable[int]) -> dict[int, OrderRow]:
    """These orders by themselves: one that is told about before it has a shipment."""
    query = select(*(_ORDERS.c[name] for name in _ORDER_COLUMNS)).where(_ORDERS.c.id.in_(list(order_ids)))
    return {row["id"]: OrderRow(**row) for row in connection.execute(query).mappings()}


def numbers_of(connection: Connection, ref_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """The numbers behind these references, as (kind, value)."""
    query = select(_REFS.c.id, _REFS.c.kind, _REFS.c.value).where(_REFS.c.id.in_(list(ref_ids)))
    return {row.id: (row.kind, row.value) for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class OrderStanding:
    """An order as far as it matters before it has a shipment."""

    id: int
    shop: str
    status: str
    ship_by: date | None
    state: str | None
    city: str | None
    has_shipment: bool
    ordered_at: datetime | None
    created_at: datetime
    updated_at: datetime


def standing_of_orders(connection: Connection, order_ids: Iterable[int]) -> list[OrderStanding]:
    """These orders, each with whether it has a shipment."""
    names = [name for name in OrderStanding.__dataclass_fields__ if name != "has_shipment"]
    has_shipment = exists().where(_SHIPMENTS.c.order_id == _ORDERS.c.id).label("has_shipment")
    query = select(*(_ORDERS.c[name] for name in names), has_shipment).where(_ORDERS.c.id.in_(list(order_ids)))
    return [OrderStanding(**row) for row in connection.execute(query).mappings()]


def item_names(connection: Connection, order_id: int) -> list[str]:
    """What was ordered, in the order's own words."""
    return items_of_orders(connection, [order_id])[order_id]


_ITEMS_OF: Final = (
    select(_ITEMS.c.order_id, _ITEMS.c.name)
    .where(_ITEMS.c.order_id.in_(bindparam("ids", expanding=True)))
    .order_by(_ITEMS.c.line)
)


def items_of_orders(connection: Connection, order_ids: Iterable[int]) -> dict[int, list[str]]:
    """What each of these orders was about, in the order's own words."""
    ids = list(order_ids)
    found: dict[int, list[str]] = {order_id: [] for order_id in ids}
    for order_id, name in connection.execute(_ITEMS_OF, {"ids": ids}):
        found[order_id].append(name)
    return found


def shipments_of_orders(connection: Connection, order_ids: Iterable[int]) -> dict[int, list[int]]:
    """The shipments of these orders."""
    ids = list(order_ids)
    query = (
        select(_SHIPMENTS.c.order_id, _SHIPMENTS.c.id).where(_SHIPMENTS.c.order_id.in_(ids)).order_by(_SHIPMENTS.c.id)
    )
    found: dict[int, list[int]] = {order_id: [] for order_id in ids}
    for order_id, shipment_id in connection.execute(query):
        found[order_id].append(shipment_id)
    return found
