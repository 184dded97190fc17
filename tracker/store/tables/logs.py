"""Decisions and what operators did by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId


class Decision(SQLModel, table=True):
    """Why something was done, or held back: what `explain` prints."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_subject", "subject_kind", "subject_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime
    shop: str
    subject_kind: str
    subject_id: int = Field(sa_type=BigId)
    rule: str
    rule_version: int
    outcome: str
    reason: str = Field(sa_type=Text)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Restore(SQLModel, table=True):
    """The database was put back to an earlier copy: what may have left between the two waits for a person."""

    __tablename__ = "restores"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    restored_at: datetime
    source: str
    """The name of the copy's file."""
    who: str


class OperatorAct(SQLModel, table=True):
    """What a person did by hand: who, when, why. What the act says (a value, a day) is in `facts`."""

    __tablename__ = "operator_acts"
    __table_args__ = (Index("ix_operator_acts_subject", "subject_kind", "subject_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime
    who: str
    act: str
    subject_kind: str
    subject_id: int = Field(sa_type=BigId)
    reason: str | None = Field(default=None, sa_type=Text)
    facts: dict[str, Any] | None = Field(default=None, sa_type=JSON)
