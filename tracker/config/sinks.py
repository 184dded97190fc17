"""The configuration of alerts: where they go, how they are grouped and hushed, and the dead-man's switch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
)

from tracker.config.fields import (
    AlertKindName,
    AppriseAddress,
    BaseAddress,
    LocalTime,
    Mailbox,
    PingAddress,
    PlainAddress,
    SigningSecret,
    WebAddress,
    some,
)
from tracker.config.part import Part


class QuietHours(Part):
    """By the configured time zone; they may span midnight."""

    from_: LocalTime = Field(alias="from")
    to: LocalTime


class RemindHours(Part):
    """Hours after the last word until it is told that an alert still stands; null: never."""

    critical: Annotated[float, Field(gt=0, le=8760)] | None = 6
    warning: Annotated[float, Field(gt=0, le=8760)] | None = 48


class AlertSink(Part):
    """What every place has that alerts go to."""

    min_severity: Literal["info", "warning", "critical"] = "info"
    kinds: tuple[AlertKindName, ...] = ()
    """Empty: all."""


class LogAlerts(AlertSink):
    kind: Literal["log"]


class TellingSink(AlertSink):
    """A place where people read: grouped, with quiet hours, reminders and a cap."""

    quiet: QuietHours | None = None
    remind_hours: RemindHours = RemindHours()
    group_minutes: Annotated[int, Field(ge=0, le=1440)] = 10
    """Many alerts of one kind within this time are one notification; 0: each its own."""
    max_per_hour: Annotated[int, Field(ge=1)] = 30


class WebhookAlerts(TellingSink):
    kind: Literal["webhook"]
    url: WebAddress
    secret: SigningSecret
    previous_secret: SigningSecret | None = None
    """While one replaces the other, posts are signed with both."""


class EmailAlerts(TellingSink):
    kind: Literal["email"]
    to: Annotated[tuple[PlainAddress, ...], AfterValidator(some)]
    from_: Mailbox | None = Field(default=None, alias="from")
    """None: the first shop's."""


class AppriseAlerts(TellingSink):
    kind: Literal["apprise"]
    urls: Annotated[tuple[AppriseAddress, ...], AfterValidator(some)]


class AlertmanagerAlerts(AlertSink):
    kind: Literal["alertmanager"]
    urls: Annotated[tuple[BaseAddress, ...], AfterValidator(some)]
    """Every replica's, not a load balancer's."""


AlertSettings = LogAlerts | WebhookAlerts | EmailAlerts | AppriseAlerts | AlertmanagerAlerts


class PingSettings(Part):
    """A dead-man's switch elsewhere that is told while the lanes really run (healthchecks style)."""

    url: PingAddress
    every_minutes: Annotated[int, Field(ge=1, le=1440)] = 5
