"""Problems, and when a shipment or an order is looked at again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId, Leased, due_index, open_index


class ShipmentCheck(Leased, table=True):
    """When detection looks at a shipment again."""

    __tablename__ = "shipment_checks"
    __table_args__ = (due_index("ix_shipment_checks_due", "next_check_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    next_check_at: datetime | None = None


class OrderCheck(Leased, table=True):
    """When detection looks at an order again: one that should have a shipment by then."""

    __tablename__ = "order_checks"
    __table_args__ = (due_index("ix_order_checks_due", "next_check_at"),)

    order_id: int = Field(primary_key=True, foreign_key="orders.id", sa_type=BigId)
    next_check_at: datetime | None = None


class Problem(SQLModel, table=True):
    __tablename__ = "problems"
    __table_args__ = (
        UniqueConstraint("shop", "subject_kind", "subject_id", "kind", "episode"),
        Index("ix_problems_subject", "subject_kind", "subject_id"),
        Index("ix_problems_order", "order_id"),
        Index("ix_problems_detected", "detected_at"),
        Index("ix_problems_carrier_detected", "carrier", "detected_at"),
        open_index("ix_problems_open", "shop", "kind", closed="resolved_at"),
        Index("ix_problems_ended", "shop", "resolved_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    subject_kind: str
    subject_id: int = Field(sa_type=BigId)
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId)
    carrier: str | None = None
    place: str | None = None
    """Where the parcel was last seen when this was found; with carrier and state, what incidents group by."""
    state: str | None = None
    """The state of destination."""
    kind: str
    episode: int = 1
    cause: str | None = None
    presumed: bool = False
    by_words: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Only the carrier's free text says so: no confirmed code does."""
    since: datetime
    customer_since: datetime | None = None
    carrier_since: datetime | None = None
    detected_at: datetime
    resolved_at: datetime | None = None
    resolution: str | None = None
    rule: str
    rule_version: int
    released_at: datetime | None = None
    """When a person let go what rests on it, although it began before the shop went live."""
    claims_wish: str | None = None
    """What a person who settled it wants of its claim: `keep` or `cancel`; None where nobody settled it by hand."""
    version: int = 1
