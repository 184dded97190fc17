"""Many orders at once: those that nothing in the store knows are inserted together, the others one by one.

A first import is nearly all new orders, and a statement an order and table costs ten times what a statement a batch does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from tracker.domain.order import Order
from tracker.store.archived import archived_among
from tracker.store.database import insert_new
from tracker.store.order_rows import Parcel, alias_rows, item_rows, order_row, ref_row, shipment_row
from tracker.store.orders import FILE_SOURCE, INVOICE_KEY, SavedOrder, archived_order, save_order
from tracker.store.tables import Order as OrderTable
from tracker.store.tables import OrderAlias, OrderCancellation, OrderItem, Shipment, ShipmentRef, table

_ORDERS, _ITEMS, _ALIASES, _CANCELLATIONS, _SHIPMENTS, _REFS = (
    table(model) for model in (OrderTable, OrderItem, OrderAlias, OrderCancellation, Shipment, ShipmentRef)
)

Wanted = tuple[Order, Sequence[Parcel]]


def save_orders(
    connection: Connection, shop: str, wanted: Sequence[Wanted], now: datetime, source: str = FILE_SOURCE
) -> list[SavedOrder]:
    """Save orders as `save_order` does each, one after the other; what was dropped for its age stays away."""
    archived = archived_among(connection, shop, source, [order for order, _ in wanted])
    seen = _known(connection, shop, source, wanted)
    saved = {place: archived_order(closed_at) for place, closed_at in archived.items()}
    new: list[int] = []
    for place, (order, parcels) in enumerate(wanted):
        if place in archived:
            continue
        names = set(_names(order, parcels))
        if names.isdisjoint(seen) and len(names) == sum(1 for _ in _names(order, parcels)):
            new.append(place)
        # What shares a name with an earlier order of the batch is about that one: it is saved after it.
        seen |= names
    saved |= dict(zip(new, _insert(connection, shop, source, [wanted[place] for place in new], now), strict=True))
    for place, (order, parcels) in enumerate(wanted):
        if place not in saved:
            saved[place] = save_order(connection, shop, order, parcels, now, source)
    return [saved[place] for place in range(len(wanted))]


def _names(order: Order, parcels: Sequence[Parcel]) -> Iterator[tuple[str, str]]:
    """All by which an order may be found, or be in another's way."""
    yield "number", order.number
    yield from order.aliases
    yield from (("ref", parcel.ref.value) for parcel in parcels)


def _known(connection: Connection, shop: str, source: str, wanted: Sequence[Wanted]) -> set[tuple[str, str]]:
    """Those names that the store has."""
    numbers = [order.number for order, _ in wanted]
    keys = [alias for order, _ in wanted for kind, alias in order.aliases if kind == INVOICE_KEY]
    refs = [parcel.ref.value for _, parcels in wanted for parcel in parcels]
    queries: list[tuple[str, Any]] = [
        (
            "number",
            select(_ORDERS.c.number).where(
                _ORDERS.c.shop == shop, _ORDERS.c.source == source, _ORDERS.c.number.in_(numbers)
            ),
        )
    ]
    if keys:
        known = select(_ALIASES.c.alias).where(_ALIASES.c.shop == shop, _ALIASES.c.kind == INVOICE_KEY)
        cancelled = select(_CANCELLATIONS.c.invoice_key).where(_CANCELLATIONS.c.shop == shop)
        queries.append((INVOICE_KEY, known.where(_ALIASES.c.alias.in_(keys))))
        queries.append((INVOICE_KEY, cancelled.where(_CANCELLATIONS.c.invoice_key.in_(keys))))
    if refs:
        queries.append(("ref", select(_REFS.c.value).where(_REFS.c.value.in_(refs))))
    return {(kind, name) for kind, query in queries for name in connection.execute(query).scalars()}


def _insert(
    connection: Connection, shop: str, source: str, wanted: Sequence[Wanted], now: datetime
) -> list[SavedOrder]:
    if not wanted:
        return []
    orders = [order_row(shop, source, order, now) for order, _ in wanted]
    new_order = insert(_ORDERS).returning(_ORDERS.c.id, sort_by_parameter_order=True)
    ids = _ids(connection, new_order, orders)
    insert_new(
        connection,
        _ALIASES,
        [row for order_id, (order, _) in zip(ids, wanted, strict=True) for row in alias_rows(shop, order_id, order)],
    )
    items = [row for order_id, (order, _) in zip(ids, wanted, strict=True) for row in item_rows(order_id, order)]
    if items:
        connection.execute(insert(_ITEMS), items)
    placed = [(order_id, parcel) for order_id, (_, parcels) in zip(ids, wanted, strict=True) for parcel in parcels]
    new_shipment = insert(_SHIPMENTS).returning(_SHIPMENTS.c.id, sort_by_parameter_order=True)
    shipments = _ids(connection, new_shipment, [shipment_row(shop, *entry, now) for entry in placed])
    refs = [ref_row(one, parcel, now) for one, (_, parcel) in zip(shipments, placed, strict=True)]
    if refs:
        connection.execute(insert(_REFS), refs)
    made: dict[int, list[tuple[int, str]]] = {order_id: [] for order_id in ids}
    for one, (order_id, parcel) in zip(shipments, placed, strict=True):
        made[order_id].append((one, parcel.carrier))
    return [SavedOrder(order_id, True, True, tuple(made[order_id]), ()) for order_id in ids]


def _ids(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Insert rows and return their ids in the rows' order."""
    return [int(one) for one in connection.execute(statement, rows).scalars()] if rows else []
