"""Notices, their members, and a delivery for every channel tried."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId, Leased, due_index


class NoticeCheck(Leased, table=True):
    """When messages looks at a shipment again."""

    __tablename__ = "notice_checks"
    __table_args__ = (due_index("ix_notice_checks_due", "next_check_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    next_check_at: datetime | None = None


class Notice(SQLModel, table=True):
    """One thing to tell about one order, whatever channels it takes."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("shop", "order_id", "trigger", "occurrence"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId)
    trigger: str
    occurrence: str
    """`<shipment>:<episode>` of the first member."""
    since: datetime
    created_at: datetime
    expires_at: datetime
    version: int = 1


class NoticeMember(SQLModel, table=True):
    __tablename__ = "notice_members"

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
    sent_to: str | None = Field(default=None, index=True)
    """The address it was given for, as it goes on the wire, in lower case: what a returned mail is matched with."""
    repeated: bool = False
    """Sent again once after an answer that never came, with the same Message-ID."""
