"""Incidents: many problems with one cause, and which problems belong to which."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId

_OPEN = text("ended_at IS NULL")


class Incident(SQLModel, table=True):
    """A hub, a state or a whole carrier (`scope`; `name` is `''` for the last) where many parcels went wrong at once."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("uq_incidents_open", "carrier", "scope", "name", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    carrier: str
    scope: str
    name: str
    started_at: datetime
    """From when on parcels that went wrong there belong to it."""
    detected_at: datetime
    last_joined_at: datetime
    ended_at: datetime | None = None
    end_reason: str | None = Field(default=None, sa_type=Text)


class IncidentMember(SQLModel, table=True):
    """A problem belongs to one incident, the first that took it in."""

    __tablename__ = "incident_members"

    problem_id: int = Field(primary_key=True, foreign_key="problems.id", sa_type=BigId)
    incident_id: int = Field(foreign_key="incidents.id", sa_type=BigId, index=True)
    joined_at: datetime
