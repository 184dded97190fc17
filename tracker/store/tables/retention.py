"""What is left of what was dropped for its age, and how far the dropping is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId


class ArchivedName(SQLModel, table=True):
    """A name that a dropped order had: a file that is read again must not bring it back. No person can be told by it."""

    __tablename__ = "archived_names"

    shop: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    """`SOURCE:number`, or an alias's kind."""
    name: str = Field(primary_key=True)
    closed_at: datetime
    """When the last thing happened to it: an order that was placed later is another one of the same name."""


class RetentionMark(SQLModel, table=True):
    """How far the daily walk over one pile of old rows is."""

    __tablename__ = "retention_marks"

    pile: str = Field(primary_key=True)
    last_id: int = Field(default=0, sa_type=BigId)
    """Rows up to this one were looked at in the walk under way."""
    next_walk_at: datetime | None = None
    """When the next walk begins; None while one is under way."""
    pending: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    """A batch that is being written to the archive: the file's name and its size before. What stands behind that size is cut
    off again where the rows were not dropped."""
