"""Files read, orders, shipments and the numbers carriers know them by."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId


class Import(SQLModel, table=True):
    """A file that was read, known by its content."""

    __tablename__ = "imports"
    __table_args__ = (UniqueConstraint("shop", "content_hash"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    content_hash: str
    name: str
    received_at: datetime
    state: str
    """`imported` or `refused`."""
    orders: int = 0
    shipments: int = 0
    faults: int = 0
    report: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class Order(SQLModel, table=True):
    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("shop", "source", "number"), Index("ix_orders_number", "number"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    source: str
    number: str
    status: str
    ordered_at: datetime | None = None
    promised_on: date | None = None
    promised_first_on: date | None = None
    ship_by: date | None = None
    customer_name: str | None = None
    customer_email: str | None = Field(default=None, index=True)
    customer_phone: str | None = Field(default=None, index=True)
    customer_document: str | None = Field(default=None, index=True)
    recipient_name: str | None = None
    recipient_email: str | None = Field(default=None, index=True)
    recipient_phone: str | None = Field(default=None, index=True)
    recipient_document: str | None = Field(default=None, index=True)
    postal_code: str | None = None
    street: str | None = None
    street_number: str | None = None
    complement: str | None = None
    district: str | None = None
    city: str | None = None
    state: str | None = None
    total_cents: int | None = Field(default=None, sa_type=BigInteger)
    freight_cents: int | None = Field(default=None, sa_type=BigInteger)
    originals: dict[str, str] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    """What the file had where a value was mended or could not be used: name, email, phone, document, recipient,
    postal_code -> its text; code -> the codes that cannot be, ` / ` between them."""
    created_at: datetime
    updated_at: datetime


class OrderItem(SQLModel, table=True):
    __tablename__ = "order_items"

    order_id: int = Field(primary_key=True, foreign_key="orders.id", sa_type=BigId)
    line: int = Field(primary_key=True)
    name: str
    sku: str | None = None
    quantity: str
    """A decimal as text: a float would lose grams."""
    unit_cents: int | None = Field(default=None, sa_type=BigInteger)


class OrderAlias(SQLModel, table=True):
    """Another name of an order: its invoice key, its number in the shop."""

    __tablename__ = "order_aliases"
    __table_args__ = (Index("ix_order_aliases_alias", "alias"),)

    shop: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    alias: str = Field(primary_key=True)
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId, index=True)


class OrderCancellation(SQLModel, table=True):
    """A cancelled invoice, kept although its order may not have arrived yet."""

    __tablename__ = "order_cancellations"

    shop: str = Field(primary_key=True)
    invoice_key: str = Field(primary_key=True)
    cancelled_at: datetime | None = None
    seen_at: datetime


class Shipment(SQLModel, table=True):
    __tablename__ = "shipments"
    __table_args__ = (Index("ix_shipments_order", "order_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId)
    shop: str
    carrier: str
    service: str | None = None
    shipped_on: date | None = None
    declared_value_cents: int | None = Field(default=None, sa_type=BigInteger)
    invoice_key: str | None = Field(default=None, index=True)
    invoice_number: str | None = Field(default=None, index=True)
    direction: str
    created_at: datetime


class ShipmentRef(SQLModel, table=True):
    """How a carrier finds a shipment. Codes are re-used (cycle), replaced (active) and move between accounts."""

    __tablename__ = "tracking_refs"
    __table_args__ = (
        UniqueConstraint("adapter", "kind", "value", "cycle", "account"),
        Index("ix_tracking_refs_value", "value"),
        Index("ix_tracking_refs_shipment", "shipment_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shipment_id: int = Field(foreign_key="shipments.id", sa_type=BigId)
    adapter: str
    kind: str
    value: str
    cycle: int = 1
    account: str = ""
    active: bool = True
    added_at: datetime
