"""Notices, their members, a delivery for every channel tried; and letters to carriers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import JSON, Index, LargeBinary, Text, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId, Leased, due_index


class NoticeCheck(Leased, table=True):
    """When messages looks at a shipment again."""

    __tablename__ = "notice_checks"
    __table_args__ = (due_index("ix_notice_checks_due", "next_check_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    next_check_at: datetime | None = None


class NoticeOrderCheck(Leased, table=True):
    """When messages looks at an order again, whose shipment may be still to come."""

    __tablename__ = "notice_order_checks"
    __table_args__ = (due_index("ix_notice_order_checks_due", "next_check_at"),)

    order_id: int = Field(primary_key=True, foreign_key="orders.id", sa_type=BigId)
    next_check_at: datetime | None = None


class Notice(SQLModel, table=True):
    """One thing to tell about one order, whatever channels it takes."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("shop", "order_id", "trigger", "occurrence"),
        Index("ix_notices_order", "order_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId)
    trigger: str
    occurrence: str
    """`<shipment>:<episode>` of the first member; `order:<episode>` of an order that has no shipment yet."""
    since: datetime
    created_at: datetime
    expires_at: datetime
    version: int = 1


_OF_PROBLEM: Final = text("problem_id IS NOT NULL")


class NoticeMember(SQLModel, table=True):
    __tablename__ = "notice_members"
    __table_args__ = (
        Index("ix_notice_members_shipment", "shipment_id"),
        Index("ix_notice_members_problem", "problem_id", sqlite_where=_OF_PROBLEM, postgresql_where=_OF_PROBLEM),
    )

    trigger: str = Field(primary_key=True)
    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    episode: int = Field(primary_key=True)
    notice_id: int = Field(foreign_key="notices.id", sa_type=BigId, index=True)
    problem_id: int | None = Field(default=None, foreign_key="problems.id", sa_type=BigId)


class Delivery(Leased, table=True):
    """One try to tell a notice through one channel; what the messages export shows."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("notice_id", "channel"),
        UniqueConstraint("message_id"),
        due_index("ix_deliveries_due", "channel", "urgent", "next_step_at"),
        Index("ix_deliveries_sent", "channel", "sent_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    notice_id: int = Field(foreign_key="notices.id", sa_type=BigId)
    channel: str
    recipient: str | None = None
    state: str
    urgent: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Leaves before what only informs, where not everything due can leave."""
    hold_reason: str | None = None
    queued_at: datetime
    next_step_at: datetime | None = None
    attempts: int = 0
    message_id: str | None = None
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    provider_id: str | None = None
    reason: str | None = Field(default=None, sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    """What was sent, compressed, as it left."""
    account: str | None = None
    """The mail account that was given it."""
    promised_on: date | None = None
    """By which local day its text, as it left, promises news; None: it promises none."""
    sent_to: str | None = Field(default=None, index=True)
    """The address it was given for, as it goes on the wire, in lower case: what a returned mail is matched with."""
    repeated: bool = False
    """Sent again once after an answer that never came, with the same Message-ID."""


_LEFT: Final = text("sending_at IS NOT NULL")


class Letter(Leased, table=True):
    """A claim's letter to its carrier. One that left, or may have, is the only one that asks for its kind about its parcel and
    motive."""

    __tablename__ = "letters"
    __table_args__ = (
        UniqueConstraint("claim_id", "part"),
        UniqueConstraint("message_id"),
        due_index("ix_letters_due", "next_step_at"),
        Index(
            "uq_letters_left",
            *("shipment_id", "motive", "kind", "part"),
            unique=True,
            sqlite_where=_LEFT,
            postgresql_where=_LEFT,
        ),
        Index("ix_letters_sent", "sent_at"),
        Index("ix_letters_shipment", "shipment_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    claim_id: int = Field(foreign_key="claims.id", sa_type=BigId)
    step_id: int = Field(foreign_key="claim_steps.id", sa_type=BigId, index=True)
    """The claim's step that it answers; another one where a person has it sent again."""
    part: str
    """`letter` or `follow_up`."""
    shop: str
    shipment_id: int = Field(foreign_key="shipments.id", sa_type=BigId)
    motive: str
    kind: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """What it asks for: `information_request` or `refund`."""
    recipient: str | None = None
    copies: list[str] = Field(default_factory=list, sa_type=JSON)
    state: str
    reason: str | None = Field(default=None, sa_type=Text)
    queued_at: datetime
    next_step_at: datetime | None = None
    attempts: int = 0
    message_id: str
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    provider_id: str | None = None
    subject: str | None = Field(default=None, sa_type=Text)
    evidence: list[str] = Field(default_factory=list, sa_type=JSON)
    """The names of what is attached."""
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    """What was sent, compressed, as it left."""
    repeated: bool = False
    """Sent again by a person's word after an answer that never came, with the same Message-ID."""
