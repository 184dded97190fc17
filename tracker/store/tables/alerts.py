"""Signals, alerts, and what each sink was told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId, Leased, due_index, one_open


class Signal(SQLModel, table=True):
    """A stage's word that something needs an operator, or no longer does; alerts are made of these."""

    __tablename__ = "signals"
    __table_args__ = (one_open("ix_signals_new", "id", "consumed_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime
    shop: str = ""
    key: str
    kind: str
    severity: str
    raised: bool
    summary: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    consumed_at: datetime | None = None


class Alert(SQLModel, table=True):
    __tablename__ = "alerts"
    __table_args__ = (one_open("uq_alerts_open", "key", "resolved_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str = ""
    key: str
    kind: str
    severity: str
    summary: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    raised_at: datetime
    resolved_at: datetime | None = None


class AlertDelivery(Leased, table=True):
    __tablename__ = "alert_deliveries"
    __table_args__ = (
        UniqueConstraint("alert_id", "sink", "phase"),
        due_index("ix_alert_deliveries_due", "next_step_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    alert_id: int = Field(foreign_key="alerts.id", sa_type=BigId)
    sink: str
    phase: str
    """`raised` or `resolved`."""
    state: str
    attempts: int = 0
    next_step_at: datetime | None = None
    sent_at: datetime | None = None
    reason: str | None = Field(default=None, sa_type=Text)
