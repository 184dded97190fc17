"""The alerts stage's tables: alerts made of signals, and what each sink was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from tracker.store.database import insert_new
from tracker.store.leases import claim_due, held, release
from tracker.store.tables import Alert, AlertDelivery, Signal, table

_ALERTS, _DELIVERIES, _SIGNALS = table(Alert), table(AlertDelivery), table(Signal)


@dataclass(frozen=True, slots=True)
class SignalRow:
    id: int
    at: datetime
    shop: str
    key: str
    kind: str
    severity: str
    raised: bool
    summary: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as every sink is told of it."""

    id: int
    shop: str
    key: str
    kind: str
    severity: str
    summary: str
    details: Mapping[str, Any]
    raised_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """One sink to be told of one alert's beginning or end."""

    id: int
    sink: str
    phase: str
    attempts: int
    alert: AlertRow


def new_signals(connection: Connection, limit: int) -> list[SignalRow]:
    """The oldest signals nobody has looked at."""
    names = SignalRow.__dataclass_fields__
    query = (
        select(*(_SIGNALS.c[name] for name in names))
        .where(_SIGNALS.c.consumed_at.is_(None))
        .order_by(_SIGNALS.c.id)
        .limit(limit)
    )
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    return [SignalRow(**row) for row in connection.execute(query).mappings()]


def consume(connection: Connection, signal_ids: Iterable[int], at: datetime) -> None:
    """These signals have become alerts, or changed none."""
    connection.execute(update(_SIGNALS).where(_SIGNALS.c.id.in_(list(signal_ids))).values(consumed_at=at))


def standing_keys(connection: Connection, kind: str) -> list[str]:
    """The keys of the open alerts of a kind: what its signals have come to."""
    query = select(_ALERTS.c.key).where(_ALERTS.c.resolved_at.is_(None), _ALERTS.c.kind == kind)
    return list(connection.execute(query.order_by(_ALERTS.c.key)).scalars())


def standing_count(connection: Connection) -> int:
    """How many alerts are open."""
    return connection.execute(select(func.count()).where(_ALERTS.c.resolved_at.is_(None))).scalar_one()


def raise_alert(connection: Connection, signal: SignalRow, sinks: Sequence[str], at: datetime) -> int | None:
    """Open the alert of this key, with a delivery to each sink. One that stands takes the newest words, and is told to
    nobody again: None."""
    row = {
        "shop": signal.shop,
        "key": signal.key,
        "kind": signal.kind,
        "severity": signal.severity,
        "summary": signal.summary,
        "details": dict(signal.details),
        "raised_at": signal.at,
    }
    new = insert_new(connection, _ALERTS, [row], _ALERTS.c.id)
    if not new:
        standing = (_ALERTS.c.key == signal.key, _ALERTS.c.resolved_at.is_(None))
        words = {"summary": signal.summary, "details": dict(signal.details)}
        connection.execute(update(_ALERTS).where(*standing).values(**words))
        return None
    alert_id = int(new[0][0])
    _add_deliveries(connection, alert_id, sinks, "raised", at)
    return alert_id


def resolve_alert(connection: Connection, signal: SignalRow, sinks: Sequence[str], at: datetime) -> int | None:
    """Close the alert of this key; None where none stands."""
    standing = (_ALERTS.c.key == signal.key, _ALERTS.c.resolved_at.is_(None))
    alert_id = connection.execute(select(_ALERTS.c.id).where(*standing)).scalar_one_or_none()
    if alert_id is None:
        return None
    connection.execute(update(_ALERTS).where(_ALERTS.c.id == alert_id).values(resolved_at=signal.at))
    _add_deliveries(connection, int(alert_id), sinks, "resolved", at)
    return int(alert_id)


def _add_deliveries(connection: Connection, alert_id: int, sinks: Sequence[str], phase: str, at: datetime) -> None:
    rows = [
        {"alert_id": alert_id, "sink": sink, "phase": phase, "state": "queued", "attempts": 0, "next_step_at": at}
        for sink in sinks
    ]
    insert_new(connection, _DELIVERIES, rows)


def take_due(connection: Connection, *, now: datetime, limit: int, token: str) -> list[DueDelivery]:
    """Lease the next due deliveries."""
    keys = claim_due(connection, _DELIVERIES, "next_step_at", now=now, limit=limit, token=token)
    names = AlertRow.__dataclass_fields__
    query = (
        select(
            _DELIVERIES.c.id.label("delivery_id"),
            _DELIVERIES.c.sink,
            _DELIVERIES.c.phase,
            _DELIVERIES.c.attempts,
            *(_ALERTS.c[name] for name in names),
        )
        .join(_ALERTS, _ALERTS.c.id == _DELIVERIES.c.alert_id)
        .where(_DELIVERIES.c.id.in_(keys))
        .order_by(_DELIVERIES.c.id)
    )
    found = []
    for row in connection.execute(query).mappings():
        alert = AlertRow(**{name: row[name] for name in names})
        found.append(DueDelivery(row["delivery_id"], row["sink"], row["phase"], row["attempts"], alert))
    return found


def save_delivery(connection: Connection, delivery_id: int, values: Mapping[str, Any], token: str) -> bool:
    """Write how a sink took it, while the lease is ours."""
    ours = (_DELIVERIES.c.id == delivery_id, held(_DELIVERIES, token))
    return connection.execute(update(_DELIVERIES).where(*ours).values(**release(dict(values)))).rowcount == 1
