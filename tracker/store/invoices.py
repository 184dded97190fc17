"""The invoices of shipments, as the orders' files gave them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tracker.store.tables import Shipment, table

_SHIPMENTS = table(Shipment)


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
