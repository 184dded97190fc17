"""The lanes of the alerts stage: what the sinks of a configuration are, and who tells them. Called by `tracker.lanes` alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from tracker.alerts.alertmanager import INTERVAL, AlertmanagerSweep
from tracker.alerts.apprise import AppriseSink
from tracker.alerts.digest import DigestShop, DigestSweep
from tracker.alerts.mail import EmailSink
from tracker.alerts.ping import PingSweep, SharedWatch, Watch
from tracker.alerts.sinks import LogSink, Sink, SinkEntry, WebhookSink, digest_of
from tracker.alerts.sweep import AlertSweep
from tracker.alerts.telling import SinkSweep
from tracker.alerts.watch import WatchSweep
from tracker.config import Settings
from tracker.config.sinks import (
    AlertmanagerAlerts,
    AlertSettings,
    AppriseAlerts,
    EmailAlerts,
    TellingSink,
    WebhookAlerts,
)
from tracker.domain.alerting import SinkPolicy
from tracker.domain.words import Severity
from tracker.engine.base import Lane
from tracker.message_lanes import smtp_account
from tracker.messages.smtp import SmtpTransport
from tracker.store.database import Database

DECIDE_EVERY_S: Final = 30.0
WATCH_EVERY_S: Final = 60.0
TELL_EVERY_S: Final = 10.0
"""The shortest waits of the ladder are seconds."""


def alert_lanes(settings: Settings, database: Database) -> list[Lane]:
    """The lane that decides, and one for each sink: one that is down delays no other."""
    entries = sink_entries(settings)
    lanes = []
    if digest_shops(settings):
        lanes.append(Lane("digest", digest_sweep(settings, database).run, WATCH_EVERY_S))
    watch = WatchSweep(database, settings.timezone, carriers=[carrier.id for carrier in settings.carriers])
    lanes += [Lane("alerts:watch", watch.run, WATCH_EVERY_S)]
    lanes += [Lane("alerts", AlertSweep(database, entries).run, DECIDE_EVERY_S)]
    lanes += [Lane(f"alerts:{entry.label}", SinkSweep(database, entry).run, TELL_EVERY_S) for entry in entries]
    for place, alerts in enumerate(settings.alerts):
        if isinstance(alerts, AlertmanagerAlerts):
            label = _label(alerts.kind, place)
            sweep = AlertmanagerSweep(database, label, alerts.urls, _policy(settings, alerts))
            lanes.append(Lane(f"alerts:{label}", sweep.run, INTERVAL.total_seconds(), forget=sweep.forget))
    return lanes


def digest_sweep(settings: Settings, database: Database) -> DigestSweep:
    """The lane that sends each shop's daily digest."""
    transport = SmtpTransport(smtp_account(settings.messages.email))
    return DigestSweep(database, digest_shops(settings), settings.timezone, transport)


def digest_shops(settings: Settings) -> list[DigestShop]:
    """The shops that want one."""
    return [
        DigestShop(
            id=shop.id,
            name=shop.name,
            language=shop.language,
            sender=shop.email.from_,
            to=shop.digest.to,
            at=shop.digest.at,
            skip_empty=shop.digest.skip_empty,
            live_from=shop.live_from,
        )
        for shop in settings.shops
        if shop.digest is not None
    ]


def pinged(settings: Settings, database: Database, lanes: Sequence[Lane]) -> list[Lane]:
    """These lanes, and where a dead-man's switch is configured, the one that tells it that they run."""
    if settings.ping is None:
        return list(lanes)
    every_s = settings.ping.every_minutes * 60.0
    url = settings.ping.url.get_secret_value()
    if settings.engine == "procrastinate":
        ping = PingSweep(url, every_s, SharedWatch(database))
        return [*lanes, Lane("ping", ping.run, every_s)]
    watch = Watch()
    seen = [
        replace(lane, run=watch.over(lane.name, lane.run, lane.every_seconds, lane.stuck_after_seconds))
        for lane in lanes
    ]
    ping = PingSweep(url, every_s, watch)
    return [*seen, Lane("ping", ping.run, every_s)]


def sink_entries(settings: Settings) -> list[SinkEntry]:
    """Every address that is told of alerts, the log first: one entry each, so that one of two that fails is told alone."""
    logs = [alerts for alerts in settings.alerts if alerts.kind == "log"]
    policy = _policy(settings, logs[0]) if logs else SinkPolicy()
    found = [SinkEntry("log", "log", "log", policy, LogSink())]
    for place, alerts in enumerate(settings.alerts):
        addresses = list(_addresses(settings, alerts))
        for number, (name, digest, sink) in enumerate(addresses, 1):
            label = _label(alerts.kind, place) + (f".{number}" if len(addresses) > 1 else "")
            if all(entry.name != name for entry in found):
                found.append(SinkEntry(name, label, digest, _policy(settings, alerts), sink))
    return found


def _addresses(settings: Settings, alerts: AlertSettings) -> Iterator[tuple[str, str, Sink]]:
    """Name (as it stands in the rows: no secret), digest and sink of each address of an entry."""
    if isinstance(alerts, WebhookAlerts):
        secrets = [one.get_secret_value() for one in (alerts.secret, alerts.previous_secret) if one is not None]
        yield f"webhook:{alerts.url}", digest_of(alerts.url, *secrets), WebhookSink(alerts.url, secrets)
    elif isinstance(alerts, EmailAlerts):
        account, sender = smtp_account(settings.messages.email), alerts.from_ or settings.shops[0].email.from_
        for address in alerts.to:
            sink = EmailSink(SmtpTransport(account), sender, address, settings.timezone)
            yield f"email:{address}", digest_of(address, sender, account.host, str(account.port)), sink
    elif isinstance(alerts, AppriseAlerts):
        for url in alerts.urls:
            text = url.get_secret_value()
            yield f"apprise:{digest_of(text)}", digest_of(text), AppriseSink(text, settings.timezone)


def _label(kind: str, place: int) -> str:
    """How logs and alerts call an entry: by its place under `alerts`, counted from one."""
    return f"{kind}#{place + 1}"


def _policy(settings: Settings, alerts: AlertSettings) -> SinkPolicy:
    common = SinkPolicy(min_severity=alerts.min_severity, kinds=frozenset(alerts.kinds), zone=settings.timezone)
    if not isinstance(alerts, TellingSink):
        return common
    hours = {Severity.CRITICAL: alerts.remind_hours.critical, Severity.WARNING: alerts.remind_hours.warning}
    return SinkPolicy(
        min_severity=alerts.min_severity,
        kinds=frozenset(alerts.kinds),
        quiet=(alerts.quiet.from_, alerts.quiet.to) if alerts.quiet else None,
        zone=settings.timezone,
        remind={severity.value: timedelta(hours=one) for severity, one in hours.items() if one is not None},
        group=timedelta(minutes=alerts.group_minutes),
        per_hour=alerts.max_per_hour,
    )
