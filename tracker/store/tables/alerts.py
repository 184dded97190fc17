"""Signals, alerts, what each sink was told, and the merchant's daily digest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, Text, UniqueConstraint, text
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
    __table_args__ = (
        one_open("uq_alerts_open", "key", "resolved_at"),
        due_index("ix_alerts_due", "next_look_at"),
        Index("ix_alerts_resolved", "resolved_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str = ""
    key: str
    kind: str
    severity: str
    summary: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    raised_at: datetime
    resolved_at: datetime | None = None
    times: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    """How often its cause was signalled."""
    next_look_at: datetime | None = None
    """When somebody may have to be reminded of it."""
    acked_at: datetime | None = None
    acked_by: str | None = None
    acked_until: datetime | None = None
    """None with `acked_at`: until it is over."""
    acked_severity: str | None = None
    """How bad it was then: worse is told all the same."""
    ack_reason: str | None = Field(default=None, sa_type=Text)


class AlertDelivery(SQLModel, table=True):
    """One word to one sink about one alert. It leaves with others of its kind, in a notification."""

    __tablename__ = "alert_deliveries"
    __table_args__ = (
        UniqueConstraint("alert_id", "sink", "phase"),
        due_index("ix_alert_deliveries_due", "next_step_at"),
        Index("ix_alert_deliveries_notification", "notification_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    alert_id: int = Field(foreign_key="alerts.id", sa_type=BigId)
    sink: str
    phase: str
    """A tone of `tracker.domain.alerting`, numbered where it can come again (`reminder:2`)."""
    severity: str
    state: str
    made_at: datetime
    next_step_at: datetime | None = None
    """When it is put into a notification; NULL once it is in one, or over."""
    held_for: str | None = None
    notification_id: int | None = Field(default=None, foreign_key="alert_notifications.id", sa_type=BigId)
    sent_at: datetime | None = None
    reason: str | None = Field(default=None, sa_type=Text)


class AlertNotification(Leased, table=True):
    """What leaves for one sink at once, worded when it is made: every attempt sends the same under the same id."""

    __tablename__ = "alert_notifications"
    __table_args__ = (
        due_index("ix_alert_notifications_due", "sink", "next_step_at"),
        Index("ix_alert_notifications_made", "sink", "made_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    sink: str
    kind: str
    """Empty where it tells of several."""
    tone: str
    body: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """The envelope."""
    state: str
    """`queued`, `sending` (a mail's text is about to leave), `sent`, `unconfirmed`, `failed`."""
    made_at: datetime
    next_step_at: datetime | None = None
    attempts: int = 0
    sending_at: datetime | None = None
    repeated: bool = False
    """A mail sent again once after an answer that never came, with the same Message-ID."""
    sent_at: datetime | None = None
    reason: str | None = Field(default=None, sa_type=Text)


class AlertSink(SQLModel, table=True):
    """A sink that was configured once, and whether it was given up."""

    __tablename__ = "alert_sinks"

    name: str = Field(primary_key=True)
    digest: str
    """Its configuration: another one than it was given up with is tried again."""
    disabled_at: datetime | None = None
    reason: str | None = Field(default=None, sa_type=Text)


class Pulse(SQLModel, table=True):
    """When the alerts stage last worked on this database."""

    __tablename__ = "pulses"

    name: str = Field(primary_key=True)
    at: datetime


class Digest(Leased, table=True):
    """A shop's daily digest to one address. Kept before it leaves, so that a day has one, whoever sends it."""

    __tablename__ = "digests"
    __table_args__ = (
        UniqueConstraint("shop", "day", "recipient"),
        due_index("ix_digests_due", "next_step_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    day: date
    """By the shop's clock."""
    recipient: str
    since: datetime
    until: datetime
    """What happened from `since` up to here is told."""
    state: str
    """`queued`, `sending`, `sent`, `unconfirmed`, `failed`, `skipped` (nothing to tell) or `expired` (its day is over)."""
    message_id: str
    next_step_at: datetime | None = None
    attempts: int = 0
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    reason: str | None = Field(default=None, sa_type=Text)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    """What was sent, compressed, as it left."""
