"""When to ask, what was answered, how each carrier account is doing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, Text, UniqueConstraint, false, text
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


class CarrierFeed(SQLModel, table=True):
    """How what one carrier account sends by itself comes in."""

    __tablename__ = "carrier_feeds"

    carrier: str = Field(primary_key=True)
    began_at: datetime
    """Since when this program waits for it."""
    heard_at: datetime | None = None
    """When the last news came in."""
    silent_since: datetime | None = None
    """Set while it should have come and does not."""
    pulled_at: datetime | None = None
    """When it was last asked for, where it has to be."""
    today_at: datetime | None = None
    """When the day that was still going on was last asked for."""
    whole_until: date | None = None
    """Up to this day everything was fetched after the day had ended."""
    tidied_on: date | None = None


class FeedFile(SQLModel, table=True):
    """A file, or a day's answer, that a carrier sent by itself; known by its content."""

    __tablename__ = "feed_files"
    __table_args__ = (
        UniqueConstraint("carrier", "content_hash"),
        Index("ix_feed_files_received", "carrier", "received_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    carrier: str
    content_hash: str
    name: str
    received_at: datetime
    size: int
    state: str
    """`stored` (not read to its end yet), `read` or `refused`."""
    answers: int = 0
    matched: int = 0
    """Of the numbers in it, those that were parcels of ours."""
    faults: int = 0
    report: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    """Compressed; None once nothing in it is waited for any more."""


class FeedWaiting(SQLModel, table=True):
    """A number that a feed named and no parcel has yet: tried again when its order comes, for some weeks."""

    __tablename__ = "feed_waiting"
    __table_args__ = (UniqueConstraint("carrier", "kind", "value", "file_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    carrier: str
    kind: str
    value: str
    file_id: int = Field(foreign_key="feed_files.id", sa_type=BigId, index=True)
    of_kind: str
    """With `of_value`: under which number the file speaks of it."""
    of_value: str
    seen_at: datetime


class FeedSeen(SQLModel, table=True):
    """What was looked at already in a place that files come from, and is still there."""

    __tablename__ = "feed_seen"

    carrier: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    mark: str
    """What changes when it is another one: size and time of a file, the last number of a mailbox."""
    seen_at: datetime
