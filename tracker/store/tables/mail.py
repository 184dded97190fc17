"""What the mail transport must remember across restarts: accounts, quotas, addresses not to mail, and returned mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId

_STANDING = text("lifted_at IS NULL")
_OF_DELIVERY = text("delivery_id IS NOT NULL")
_WAITING = text("applied_at IS NULL")


class Suppression(SQLModel, table=True):
    """An address that is not told anything, with what speaks against it; lifted, it stays as history."""

    __tablename__ = "suppressions"
    __table_args__ = (
        Index(
            "uq_suppressions_standing",
            "channel",
            "address",
            "shop",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_suppressions_delivery", "delivery_id", sqlite_where=_OF_DELIVERY, postgresql_where=_OF_DELIVERY),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    """`''`: every shop's messages."""
    channel: str
    address: str
    """As it goes on the wire, in lower case."""
    reason: str
    evidence: str = Field(sa_type=Text)
    source: str
    """`smtp`, `dsn`, `complaint` or `hand`."""
    delivery_id: int | None = Field(default=None, foreign_key="deliveries.id", sa_type=BigId)
    at: datetime
    lifted_at: datetime | None = None


class MailCircuit(SQLModel, table=True):
    """Why a mail account is left alone for now; no row, or one without `down_since` and `until`, is well."""

    __tablename__ = "mail_circuits"

    account: str = Field(primary_key=True)
    shop: str = Field(primary_key=True)
    """`''`: nobody's mail goes through; else only this shop's sender is refused."""
    failures: int = 0
    until: datetime | None = None
    down_since: datetime | None = None
    """None while it only asks for patience (a quota)."""
    reason: str | None = Field(default=None, sa_type=Text)
    digest: str
    """The account's configuration at that time: a new one is tried at once."""


class MailUse(SQLModel, table=True):
    """How many messages an account was given in one minute: what its quotas count."""

    __tablename__ = "mail_uses"

    account: str = Field(primary_key=True)
    minute: datetime = Field(primary_key=True)
    messages: int


class ReturnMailbox(SQLModel, table=True):
    """How far the mailbox of returned mail was read, and whether it can be."""

    __tablename__ = "return_mailboxes"

    mailbox: str = Field(primary_key=True)
    uid_validity: int = Field(sa_type=BigId)
    last_uid: int = Field(sa_type=BigId)
    """Everything up to here is recorded, and marked as seen or moved where it was ours."""
    failures: int = 0
    until: datetime | None = None
    down_since: datetime | None = None
    reason: str | None = Field(default=None, sa_type=Text)


class ReturnedMail(SQLModel, table=True):
    """What a mail that came back says about one recipient."""

    __tablename__ = "returned_mails"
    __table_args__ = (
        UniqueConstraint("mail_key", "recipient"),
        Index("ix_returned_mails_waiting", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    mail_key: str
    """A digest of the mail's Message-ID, or of the mail where it has none: the same mail is never counted twice."""
    recipient: str
    """As it goes on the wire, in lower case; `''` where the mail names none."""
    kind: str
    """`failed`, `delayed` or `complaint`."""
    status: str
    evidence: str = Field(sa_type=Text)
    delivery_id: int | None = Field(default=None, foreign_key="deliveries.id", sa_type=BigId, index=True)
    matched_by: str | None = None
    """`verp`, `message_id` or `recipient`."""
    seen_at: datetime
    applied_at: datetime | None = None
    """None while the delivery was just being sent when its return came."""
