"""When to ask, what was answered, how each carrier account is doing."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import LargeBinary, Text, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId, Leased, due_index


class ShipmentPoll(Leased, table=True):
    """When a shipment is asked about next; "last looked" and "last answered" are two facts.

    `carrier` is the account that follows the parcel: at first the order's, later whichever it belongs to.
    """

    __tablename__ = "shipment_polls"
    __table_args__ = (due_index("ix_shipment_polls_due", "carrier", "urgent", "next_poll_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    carrier: str
    urgent: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Out for delivery, due or late: asked about first where not everything due can be."""
    next_poll_at: datetime | None = None
    digest: str | None = None
    last_polled_at: datetime | None = None
    last_answered_at: datetime | None = None
    outcome: str | None = None
    failures: int = 0
    closed_reason: str | None = None
    accounts_tried: str | None = None
    """Accounts of the same adapter that said the parcel is not theirs, with blanks between; each is asked once."""
    pushed_at: datetime | None = None
    """When the carrier last told of it by itself."""


class ShipmentDeadline(Leased, table=True):
    """A due date asked for at the carrier's calculator, because tracking names none; and what it said."""

    __tablename__ = "shipment_deadlines"
    __table_args__ = (due_index("ix_shipment_deadlines_due", "carrier", "next_ask_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    carrier: str
    state: str
    """`waiting`, `named`, `missing` (data of ours), `refused` (by the carrier) or `not_needed`."""
    next_ask_at: datetime | None = None
    asked_at: datetime | None = None
    failures: int = 0
    reason: str | None = Field(default=None, sa_type=Text)
    posted_on: date | None = None
    service_code: str | None = None
    business_days: int | None = None
    carrier_due_on: date | None = None
    """The date the carrier's calculator named itself; None where it gave only a number of days."""
    home_delivery: bool | None = None


class RawAnswer(SQLModel, table=True):
    """What a carrier said, compressed: the evidence behind a claim."""

    __tablename__ = "raw_answers"
    __table_args__ = (UniqueConstraint("subject_kind", "subject_id", "digest"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    subject_kind: str
    subject_id: int = Field(sa_type=BigId)
    digest: str
    body: bytes = Field(sa_type=LargeBinary)
    seen_at: datetime


class CarrierState(SQLModel, table=True):
    """Breaker, cool-down and refusal of one API family of one carrier account; survives a restart."""

    __tablename__ = "carrier_states"

    carrier: str = Field(primary_key=True)
    family: str = Field(primary_key=True)
    failures: int = 0
    cooldown_until: datetime | None = None
    down_since: datetime | None = None
    refused_at: datetime | None = None
    refused_digest: str | None = None
    """The account's configuration when it was refused: a new one is tried at once."""
    reason: str | None = None
    looked_at: datetime | None = None
    """When this program last looked, answered or not: kept to the hour, so that its own absence is noticed."""


class CarrierOutage(SQLModel, table=True):
    """A time in which a carrier did not answer: never read as "no news"."""

    __tablename__ = "carrier_outages"
    __table_args__ = (UniqueConstraint("carrier", "family", "started_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    carrier: str
    family: str
    started_at: datetime
    ended_at: datetime | None = None


class CarrierToken(Leased, table=True):
    """One account's access token, shared by all its families and renewed under the lease; and what the next is asked with."""

    __tablename__ = "carrier_tokens"

    carrier: str = Field(primary_key=True)
    value: str | None = Field(default=None, sa_type=Text)
    expires_at: datetime | None = None
    renew_at: datetime | None = None
    refresh: str | None = Field(default=None, sa_type=Text)
    """What the next token is asked for with, where the carrier gives a new one each time; outlives the token."""
    origin: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """A digest of the configured credential that `refresh` descends from; `''`: of none."""
