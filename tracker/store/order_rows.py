"""An order as read, as the rows that keep it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carriers.base import TrackingRef
from tracker.domain.order import Order, Package


@dataclass(frozen=True, slots=True)
class Parcel:
    """A package whose carrier is known: how that carrier finds it."""

    package: Package
    carrier: str
    adapter: str
    ref: TrackingRef


def order_values(order: Order) -> dict[str, Any]:
    """What a file says of an order itself, by column."""
    customer, recipient, address = order.customer, order.recipient, order.address
    return {
        "status": order.status.value,
        "ordered_at": order.ordered_at,
        "promised_on": order.promised_on,
        "ship_by": order.ship_by,
        "customer_name": customer.name,
        "customer_email": customer.email,
        "customer_phone": customer.phone,
        "customer_document": customer.document,
        "recipient_name": recipient.name,
        "recipient_email": recipient.email,
        "recipient_phone": recipient.phone,
        "recipient_document": recipient.document,
        "postal_code": address.postal_code,
        "street": address.street,
        "street_number": address.number,
        "complement": address.complement,
        "district": address.district,
        "city": address.city,
        "state": address.state,
        "total_cents": order.total_cents,
        "freight_cents": order.freight_cents,
        "originals": dict(order.originals) or None,
    }


def order_row(shop: str, source: str, order: Order, now: datetime) -> dict[str, Any]:
    """A new order's row."""
    return {
        **order_values(order),
        "shop": shop,
        "source": source,
        "number": order.number,
        "promised_first_on": order.promised_on,
        "created_at": now,
        "updated_at": now,
    }


def alias_rows(shop: str, order_id: int, order: Order) -> list[dict[str, Any]]:
    """The rows of an order's other names."""
    return [
        {"shop": shop, "kind": kind, "alias": alias, "order_id": order_id}
        for kind, alias in dict.fromkeys(order.aliases)
    ]


def item_rows(order_id: int, order: Order) -> list[dict[str, Any]]:
    """The rows of what was bought."""
    return [
        {
            "order_id": order_id,
            "line": line,
            "name": item.name,
            "sku": item.sku,
            "quantity": str(item.quantity),
            "unit_cents": item.unit_cents,
        }
        for line, item in enumerate(order.items, start=1)
    ]


def shipment_row(shop: str, order_id: int, parcel: Parcel, now: datetime) -> dict[str, Any]:
    """A new shipment's row."""
    package = parcel.package
    return {
        "order_id": order_id,
        "shop": shop,
        "carrier": parcel.carrier,
        "service": package.service_raw,
        "shipped_on": package.shipped_on,
        "declared_value_cents": package.declared_value_cents,
        "invoice_key": package.invoice_key,
        "invoice_number": package.invoice_number,
        "direction": package.direction.value,
        "created_at": now,
    }


def ref_row(shipment_id: int, parcel: Parcel, now: datetime, cycle: int = 1) -> dict[str, Any]:
    """The row of the number a carrier finds a shipment by."""
    return number_row(shipment_id, parcel.adapter, parcel.ref, cycle, now)


def number_row(shipment_id: int, adapter: str, ref: TrackingRef, cycle: int, now: datetime) -> dict[str, Any]:
    """The row of a number of a shipment."""
    return {
        "shipment_id": shipment_id,
        "adapter": adapter,
        "kind": ref.kind.value,
        "value": ref.value,
        "cycle": cycle,
        "account": "",
        "active": True,
        "added_at": now,
    }
