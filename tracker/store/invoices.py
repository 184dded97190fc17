"""The invoices of shipments, as the orders' files gave them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tracker.store.orders import INVOICE_KEY
from tracker.store.tables import OrderAlias, Shipment, table

_SHIPMENTS, _ALIASES = table(Shipment), table(OrderAlias)


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """Key (44 characters) and number; each is None where no file named it."""

    key: str | None
    number: str | None


def invoices_of(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, InvoiceRow]:
    """The invoice of each of these shipments."""
    columns = (_SHIPMENTS.c.id, _SHIPMENTS.c.invoice_key, _SHIPMENTS.c.invoice_number)
    query = select(*columns).where(_SHIPMENTS.c.id.in_(list(shipment_ids)))
    return {row[0]: InvoiceRow(row[1], row[2]) for row in connection.execute(query)}


def invoice_of_parcel(connection: Connection, shipment_id: int) -> InvoiceRow:
    """The parcel's own invoice, else the key that a file named for its order, where that is the order's only one."""
    own = invoices_of(connection, [shipment_id])[shipment_id]
    if own.key is not None:
        return own
    query = (
        select(_ALIASES.c.alias)
        .join(_SHIPMENTS, _SHIPMENTS.c.order_id == _ALIASES.c.order_id)
        .where(_SHIPMENTS.c.id == shipment_id, _ALIASES.c.kind == INVOICE_KEY)
    )
    keys = connection.execute(query).scalars().all()
    return InvoiceRow(keys[0], own.number) if len(keys) == 1 else own
