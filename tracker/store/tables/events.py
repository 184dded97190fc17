"""Events and due dates as facts, and the history they add up to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import BigInteger, Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId

UNREAD: Final = "(status = 'unknown' OR mapped)"
"""Events whose code nobody reads, or the merchant does; queries must say it word for word to use its index."""


class Event(SQLModel, table=True):
    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("shipment_id", "event_key"),
        Index("ix_events_unread", "carrier_code", sqlite_where=text(UNREAD), postgresql_where=text(UNREAD)),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shipment_id: int = Field(foreign_key="shipments.id", sa_type=BigId)
    event_key: str
    occurred_at: datetime
    seen_at: datetime
    carrier_code: str
    status: str
    cause: str | None = None
    description: str
    location: str | None = None
    final: bool = False
    attempt: bool = False
    reversal: bool = False
    indemnified: bool = False
    pickup_until: date | None = None
    void: bool = False
    vanished_at: datetime | None = None
    mapped: bool | None = None
    """Read by the merchant's own mapping."""
    own: str | None = None
    """What the adapter itself reads in a mapped event, as JSON (`domain.codes.OwnReading`); NULL where that is nothing."""
    by_words: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Read from the carrier's free text, or from a code that nobody has confirmed."""
    told_by: str | None = None
    """The account that told it, where its parcel has been moved to another one since."""


class DueDate(SQLModel, table=True):
    """Each due date a carrier named, in the order it named them (`A, B, A` is three rows)."""

    __tablename__ = "due_dates"
    __table_args__ = (UniqueConstraint("shipment_id", "source", "seq"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shipment_id: int = Field(foreign_key="shipments.id", sa_type=BigId)
    source: str
    """`tracking`, `calculator` for the carrier's term for the real posting, `claim` for what its claims office counts with."""
    seq: int
    due_on: date
    seen_at: datetime
    void: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Named for a number that was not this shipment's; its place is negative then, out of the way of the right one's."""


class CodeMapping(SQLModel, table=True):
    """With which mapping of codes a carrier's stored events were read last."""

    __tablename__ = "code_mappings"

    carrier: str = Field(primary_key=True)
    digest: str
    read_at: datetime


class ShipmentHistory(SQLModel, table=True):
    """What the events add up to; recomputed, never patched."""

    __tablename__ = "shipment_histories"

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    version: int = 0
    status: str
    status_at: datetime | None = None
    posted_at: datetime | None = None
    first_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    returning_at: datetime | None = None
    returning_cause: str | None = None
    returned_at: datetime | None = None
    lost_at: datetime | None = None
    stolen_at: datetime | None = None
    damaged_at: datetime | None = None
    violated_at: datetime | None = None
    misdelivered_at: datetime | None = None
    last_event_at: datetime | None = None
    indemnified_at: datetime | None = None
    pickup_until: date | None = None
    pickup_since: datetime | None = None
    trouble_at: datetime | None = None
    trouble_cause: str | None = None
    location: str | None = None
    by_words: str | None = None
    """The marks that rest on the carrier's free text alone, by name, with commas between."""
    carrier_due_first_on: date | None = None
    carrier_due_on: date | None = None
    carrier_due_max_on: date | None = None
    service: str | None = None
    contract: str | None = None
    declared_value_cents: int | None = Field(default=None, sa_type=BigInteger)
    first_seen_at: datetime
    """When the carrier first told anything: what had happened before is the past."""
