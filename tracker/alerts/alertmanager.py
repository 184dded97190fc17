"""Alerts to Prometheus Alertmanager, API v2 (prometheus/alertmanager, `api/v2/openapi.yaml`): what stands, again and again.

It is told states, not events: whatever is open is sent every minute or two with an end three intervals away, so that an
alert ends by itself where this program dies; what is over is sent for five minutes more with its real end. So there are no
rows and no retries: the next round says the same. Each replica gets everything; one that is down delays no other.

The labels are the alert's identity, so they hold no instants, counts or personal data. Grouping, silences and reminders are
Alertmanager's own work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import structlog

from tracker.alerts.sinks import ALERT, digest_of
from tracker.clock import monotonic_s
from tracker.domain.alert_kinds import what_to_do
from tracker.domain.alerting import SinkPolicy
from tracker.store.alerts import AlertRow, alerts_since
from tracker.store.database import Database
from tracker.store.logs import SignalNote, signal

log = structlog.get_logger(__name__)
INTERVAL: Final = timedelta(seconds=60)
RESOLVED_FOR: Final = timedelta(minutes=5)
TOLD_AFTER: Final = timedelta(minutes=30)
AT_ONCE: Final = 200
_TIMEOUT: Final = httpx.Timeout(15.0, connect=5.0)
_BAD_REQUEST: Final = 400


@dataclass
class AlertmanagerSweep:
    """The lane of one entry `kind: alertmanager`."""

    database: Database
    label: str
    urls: Sequence[str]
    policy: SinkPolicy
    monotonic: Callable[[], float] = monotonic_s
    _sent_at: float | None = None
    _sent: list[dict[str, Any]] = field(default_factory=list)
    _failing_since: dict[str, datetime] = field(default_factory=dict)
    _said_down: dict[str, bool] = field(default_factory=dict)
    """What this process has signalled last of each replica; at first it calls off what an earlier one may have raised."""

    def forget(self) -> None:
        """Another process has told the replicas since: what it may have raised is called off anew."""
        self._sent_at, self._sent = None, []
        self._failing_since.clear()
        self._said_down.clear()

    async def run(self, now: datetime) -> int:
        """Send what stands, unless the same was sent a moment ago. Always 0: nothing follows from it for other lanes."""
        found = await self.database.read(lambda c: alerts_since(c, now - RESOLVED_FOR))
        wanted = [alert for alert in found if self.policy.wants(alert.kind, alert.severity)]
        told = [_labels(alert) for alert in wanted]
        soon = self._sent_at is not None and self.monotonic() - self._sent_at < INTERVAL.total_seconds() * 0.9
        if soon and told == self._sent and not any(alert.resolved_at for alert in wanted):
            return 0
        self._sent_at, self._sent = self.monotonic(), told
        posts = [posted(alert, now) for alert in wanted]
        await asyncio.gather(*(self._tell(url, posts, now) for url in self.urls))
        return 0

    async def _tell(self, url: str, posts: Sequence[Mapping[str, Any]], now: datetime) -> None:
        reason = None
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT, follow_redirects=False) as client:
            for start in range(0, len(posts), AT_ONCE):
                reason = await _post(client, url, posts[start : start + AT_ONCE]) or reason
        if reason is None and not posts:
            return  # nobody was asked
        await self._mind(url, reason, now)

    async def _mind(self, url: str, reason: str | None, now: datetime) -> None:
        """Say once when a replica goes and once when it returns."""
        replica = self.urls.index(url) + 1
        since = self._failing_since.get(url)
        if reason is None:
            if self._failing_since.pop(url, None) is not None:
                log.info("alert.sink_back", sink=self.label, replica=replica)
            await self._signal(url, f"{self.label} takes alerts again", False, now)
            return
        if since is None:
            self._failing_since[url] = now
            log.warning("alert.sink_failing", sink=self.label, replica=replica, reason=reason)
        elif now - since >= TOLD_AFTER:
            await self._signal(url, f"{self.label}, replica {replica}, takes no alerts: {reason}", True, now)

    async def _signal(self, url: str, summary: str, raised: bool, now: datetime) -> None:
        if self._said_down.get(url) is raised:
            return
        self._said_down[url] = raised
        key, severity = f"{ALERT}:{digest_of(url)}", "warning" if raised else "info"
        note = SignalNote(key, ALERT, severity, summary, raised, details={"sink": self.label})
        await self.database.write(lambda c: signal(c, [note], now))


def posted(alert: AlertRow, now: datetime) -> dict[str, Any]:
    """One alert as Alertmanager takes it."""
    ends = now + 3 * INTERVAL
    if alert.resolved_at is not None:
        # It refuses an end that is not after the beginning.
        ends = max(alert.resolved_at, alert.raised_at + timedelta(seconds=1))
    acked = {"acknowledged": alert.acked_at.astimezone(UTC).isoformat()} if alert.acked_at else {}
    return {
        "labels": _labels(alert),
        "annotations": {
            "summary": alert.summary,
            "description": what_to_do(alert.kind),
            "alert_id": f"A{alert.id}",
            **acked,
        },
        "startsAt": _instant(alert.raised_at),
        "endsAt": _instant(ends),
    }


def _labels(alert: AlertRow) -> dict[str, str]:
    shop = {"shop": alert.shop} if alert.shop else {}
    return {
        "alertname": alert.kind,
        "severity": alert.severity,
        "service": "shipment_tracker",
        "key": alert.key,
        **shop,
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _post(client: httpx.AsyncClient, url: str, posts: Sequence[Mapping[str, Any]]) -> str | None:
    """Why it was not taken; None where it was."""
    try:
        answer = await client.post(f"{url.rstrip('/')}/api/v2/alerts", json=list(posts))
    except httpx.TimeoutException:
        return "timeout"
    except httpx.TransportError as exc:
        return type(exc).__name__
    if answer.is_success:
        return None
    if answer.status_code == _BAD_REQUEST:
        # Our own fault: said with its words, and the next round tries anew.
        log.error("alert.sink_refused", status=answer.status_code, reason=answer.text[:200])
    return f"HTTP {answer.status_code}"
