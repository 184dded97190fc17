"""What carriers sent by themselves, kept before it was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from tracker.store.tables.base import BigId, Leased, due_index

_Numbers: Any = JSON(none_as_null=True)


class HookDelivery(Leased, table=True):
    """One body that came to an account's hook; the same body twice is one delivery."""

    __tablename__ = "hook_deliveries"
    __table_args__ = (
        UniqueConstraint("carrier", "digest"),
        due_index("ix_hook_deliveries_due", "next_read_at"),
        Index("ix_hook_deliveries_received", "carrier", "received_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    carrier: str
    digest: str
    """Of the bytes as they came."""
    received_at: datetime
    body: bytes = Field(sa_type=LargeBinary)
    """Compressed."""
    state: str = "waiting"
    """`waiting`, `read`, `unmatched` (tells of numbers that nobody has imported yet), `unreadable`."""
    next_read_at: datetime | None = None
    unmatched: list[Any] | None = Field(default=None, sa_type=_Numbers)
    """The numbers nobody knew when it was read: [kind, value] each."""
    reason: str | None = Field(default=None, sa_type=Text)
    """Why it could not be read, without personal data."""
