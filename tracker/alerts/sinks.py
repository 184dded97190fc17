"""What can be told of alerts, and how the program knows each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

import httpx
import structlog

from tracker.alerts.webhook import post
from tracker.domain.alerting import SinkPolicy, Tone
from tracker.domain.outcome import Outcome, Result
from tracker.store.alerts import Notification
from tracker.store.logs import SignalNote

log = structlog.get_logger(__name__)
ALERT: Final = "alert_sink_down"
Leaving = Callable[[], Awaitable[None]]


class Sink(Protocol):
    """Something that is told of alerts, one notification after another."""

    async def tell(self, note: Notification, now: datetime, leaving: Leaving) -> Outcome:
        """Try once.

        RETRY, THROTTLED and UNKNOWN are tried again; ACCOUNT_DOWN, BAD_ADDRESS and BLOCKED give the sink up; anything else
        but ACCEPTED gives this notification up. *leaving* is awaited before what cannot be taken back leaves, where the
        sink cannot recognise a repetition.
        """
        ...


@dataclass(frozen=True)
class SinkEntry:
    """One configured sink. `name` stands in the rows: it does not change with the configuration's order."""

    name: str
    label: str
    """For logs, alerts and the lane's name: says nothing of the address."""
    digest: str
    """Of its configuration: one that was given up is tried again with another."""
    policy: SinkPolicy
    sink: Sink

    @property
    def alert_key(self) -> str:
        """The key of the alert that says this sink takes nothing."""
        return alert_key(self.name)


def alert_key(name: str) -> str:
    """The key of the alert about a sink of this name."""
    return f"{ALERT}:{digest_of(name)}"


def tried_anew(name: str) -> SignalNote:
    """What was said of this sink holds no more: its configuration is another, or a person had it tried again."""
    return SignalNote(alert_key(name), ALERT, "info", "it is tried again, or configured no more", raised=False)


def digest_of(*parts: str) -> str:
    """A short name for what must not be written out."""
    return sha256("\0".join(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class LogSink:
    """The log, for whoever reads the journal; it is reminded of nothing."""

    async def tell(self, note: Notification, now: datetime, leaving: Leaving) -> Outcome:
        """Write one line."""
        said = note.body
        facts = {"alert_id": said["id"], "kind": said["kind"], "key": said["key"], "summary": said["summary"]}
        if note.tone == Tone.RESOLVED:
            log.info("alert.resolved", **facts)
        else:
            log.warning("alert.raised", severity=said["severity"], **facts)
        return Outcome(Result.ACCEPTED)


@dataclass(frozen=True)
class WebhookSink:
    """A web address that takes signed posts. Several secrets while one replaces the other, the current one first."""

    url: str
    secrets: Sequence[str]

    async def tell(self, note: Notification, now: datetime, leaving: Leaving) -> Outcome:
        """Post the envelope once."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return await post(self.url, self.secrets, f"note-{note.id}", now, note.body, client)
