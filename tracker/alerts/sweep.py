"""Signals become alerts, raised once and resolved once; each sink is told of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Protocol

import httpx
import structlog
from sqlalchemy import Connection

from tracker import metrics
from tracker.alerts.webhook import post, retry_in
from tracker.domain.outcome import Outcome, Result
from tracker.store.alerts import (
    AlertRow,
    DueDelivery,
    consume,
    new_signals,
    raise_alert,
    resolve_alert,
    save_delivery,
    take_due,
)
from tracker.store.database import Database
from tracker.store.leases import new_token

log = structlog.get_logger(__name__)
BATCH: Final = 200


class Sink(Protocol):
    """Something that is told of alerts."""

    async def tell(self, delivery: DueDelivery, now: datetime) -> Outcome: ...


@dataclass(frozen=True)
class LogSink:
    """The log, for whoever reads the journal."""

    async def tell(self, delivery: DueDelivery, now: datetime) -> Outcome:
        """Write one line."""
        alert = delivery.alert
        facts = {"alert_id": alert.id, "kind": alert.kind, "key": alert.key, "summary": alert.summary}
        if delivery.phase == "resolved":
            log.info("alert.resolved", **facts)
        else:
            log.warning("alert.raised", severity=alert.severity, **facts)
        return Outcome(Result.ACCEPTED)


@dataclass(frozen=True)
class WebhookSink:
    """A web address that takes signed posts."""

    url: str
    secret: str

    async def tell(self, delivery: DueDelivery, now: datetime) -> Outcome:
        """Post the envelope once."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return await post(self.url, self.secret, f"alert-{delivery.id}", now, envelope(delivery), client)


def envelope(delivery: DueDelivery) -> dict[str, Any]:
    """An alert as every sink is told of it; the end of one carries `resolved_at`."""
    alert: AlertRow = delivery.alert
    resolved = alert.resolved_at if delivery.phase == "resolved" else None
    return {
        "id": f"A{alert.id}",
        "kind": alert.kind,
        "severity": alert.severity,
        "key": alert.key,
        "summary": alert.summary,
        "details": dict(alert.details),
        "raised_at": _utc(alert.raised_at),
        "resolved_at": _utc(resolved) if resolved else None,
    }


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class AlertSweep:
    """The lane `alerts`. `sinks` by name; a name stands in the rows, so it must not change with the configuration's order."""

    database: Database
    sinks: Mapping[str, Sink]

    async def run(self, now: datetime) -> int:
        """Make alerts of what was signalled and tell the sinks; returns how many rows were worked on."""
        total = 0
        while True:
            read = await self.database.write(lambda c: self._read_signals(c, now))
            total += read
            if read < BATCH:
                break
        while True:
            token = new_token()
            due = await self.database.write(partial(take_due, now=now, limit=BATCH, token=token))
            for delivery in due:
                await self._tell(delivery, token, now)
            total += len(due)
            if len(due) < BATCH:
                return total

    def _read_signals(self, connection: Connection, now: datetime) -> int:
        signals = new_signals(connection, BATCH)
        for signal in signals:
            change = raise_alert if signal.raised else resolve_alert
            change(connection, signal, list(self.sinks), now)
        consume(connection, [signal.id for signal in signals], now)
        return len(signals)

    async def _tell(self, delivery: DueDelivery, token: str, now: datetime) -> None:
        sink = self.sinks.get(delivery.sink)
        if sink is None:
            values = {"state": "failed", "next_step_at": None, "reason": "the sink is no longer configured"}
        else:
            outcome = await sink.tell(delivery, now)
            metrics.alert_told(delivery.sink, outcome.result.value)
            values = _after(outcome, delivery, now)
        await self.database.write(partial(save_delivery, delivery_id=delivery.id, values=values, token=token))


def _after(outcome: Outcome, delivery: DueDelivery, now: datetime) -> dict[str, Any]:
    attempts = delivery.attempts + 1
    if outcome.result is Result.ACCEPTED:
        return {"state": "sent", "attempts": attempts, "sent_at": now, "next_step_at": None, "reason": None}
    wait = retry_in(attempts, outcome) if outcome.result is Result.RETRY else None
    state = "queued" if wait else "failed"
    log.warning("alert.not_told", sink=delivery.sink, alert_id=delivery.alert.id, reason=outcome.reason, state=state)
    return {
        "state": state,
        "attempts": attempts,
        "next_step_at": now + wait if wait else None,
        "reason": outcome.reason or outcome.result.value,
    }
