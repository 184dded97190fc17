"""The alerts stage's tables: alerts made of signals, what each sink is to be told, and the notifications that tell it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from tracker.domain.alerting import RANK, Ack, AlertFacts, Held, HeldFor, Pending, Told, Word, WordState
from tracker.store.database import insert_new, upsert
from tracker.store.leases import claim_due, held, release
from tracker.store.tables import Alert, AlertDelivery, AlertNotification, AlertSink, Pulse, Signal, table

_ALERTS, _WORDS, _NOTIFICATIONS, _SINKS = (
    table(model) for model in (Alert, AlertDelivery, AlertNotification, AlertSink)
)
_SIGNALS, _PULSES = table(Signal), table(Pulse)
UNSETTLED: Final = ("queued", "sending")
"""States of a notification that has not come to its end; `unconfirmed` may be sent once more, but holds nothing up."""
WORDS_AT_ONCE: Final = 2_000


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
    """An alert as it stands."""

    id: int
    shop: str
    key: str
    kind: str
    severity: str
    summary: str
    details: Mapping[str, Any]
    raised_at: datetime
    resolved_at: datetime | None
    acked_at: datetime | None = None
    acked_until: datetime | None = None
    acked_severity: str | None = None

    @property
    def facts(self) -> AlertFacts:
        """What decides about it."""
        ack = Ack(self.acked_severity or self.severity, self.acked_until) if self.acked_at is not None else None
        return AlertFacts(self.kind, self.severity, self.resolved_at, ack)


@dataclass(frozen=True, slots=True)
class Notification:
    """What one sink is told at once."""

    id: int
    sink: str
    tone: str
    body: Mapping[str, Any]
    state: str
    made_at: datetime
    attempts: int
    repeated: bool


# --- signals ----------------------------------------------------------------------------------------


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


# --- alerts -----------------------------------------------------------------------------------------


def standing_keys(connection: Connection, kind: str) -> list[str]:
    """The keys of the open alerts of a kind: what its signals have come to."""
    query = select(_ALERTS.c.key).where(_ALERTS.c.resolved_at.is_(None), _ALERTS.c.kind == kind)
    return list(connection.execute(query.order_by(_ALERTS.c.key)).scalars())


def standing_since(connection: Connection, key: str) -> datetime | None:
    """Since when the alert of this key stands; None where none does."""
    query = select(_ALERTS.c.raised_at).where(_ALERTS.c.key == key, _ALERTS.c.resolved_at.is_(None))
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


def standing_count(connection: Connection) -> int:
    """How many alerts are open."""
    return connection.execute(select(func.count()).where(_ALERTS.c.resolved_at.is_(None))).scalar_one()


def raise_alert(connection: Connection, signal: SignalRow) -> int | None:
    """Open the alert of this key; returns its id where it is new or worse than it was.

    One that stands takes the newest words and the worse severity.
    """
    row = {
        "shop": signal.shop,
        "key": signal.key,
        "kind": signal.kind,
        "severity": signal.severity,
        "summary": signal.summary,
        "details": dict(signal.details),
        "raised_at": signal.at,
        "times": 1,
    }
    new = insert_new(connection, _ALERTS, [row], _ALERTS.c.id)
    if new:
        return int(new[0][0])
    standing = (_ALERTS.c.key == signal.key, _ALERTS.c.resolved_at.is_(None))
    before = connection.execute(select(_ALERTS.c.id, _ALERTS.c.severity).where(*standing)).one()
    is_worse = RANK[signal.severity] > RANK[before.severity]
    values: dict[str, Any] = {"summary": signal.summary, "details": dict(signal.details), "times": _ALERTS.c.times + 1}
    if is_worse:
        values["severity"] = signal.severity
    connection.execute(update(_ALERTS).where(*standing).values(**values))
    return int(before.id) if is_worse else None


def resolve_alert(connection: Connection, signal: SignalRow) -> int | None:
    """Close the alert of this key; None where none stands."""
    standing = (_ALERTS.c.key == signal.key, _ALERTS.c.resolved_at.is_(None))
    alert_id = connection.execute(select(_ALERTS.c.id).where(*standing)).scalar_one_or_none()
    if alert_id is None:
        return None
    ended = {"resolved_at": signal.at, "next_look_at": None}
    connection.execute(update(_ALERTS).where(_ALERTS.c.id == alert_id).values(**ended))
    return int(alert_id)


def note_past(connection: Connection, alerts: Iterable[AlertRow]) -> None:
    """Write down alerts that are over, and of which every sink has heard without a row."""
    names = ("shop", "key", "kind", "severity", "summary", "details", "raised_at", "resolved_at")
    rows = [{name: getattr(alert, name) for name in names} | {"times": 1} for alert in alerts]
    connection.execute(insert(_ALERTS), [{**row, "details": dict(row["details"])} for row in rows])


def alerts_by_id(connection: Connection, alert_ids: Iterable[int]) -> dict[int, AlertRow]:
    """These alerts."""
    names = AlertRow.__dataclass_fields__
    query = select(*(_ALERTS.c[name] for name in names)).where(_ALERTS.c.id.in_(list(alert_ids)))
    return {row["id"]: AlertRow(**row) for row in connection.execute(query.order_by(_ALERTS.c.id)).mappings()}


def alerts_since(connection: Connection, resolved_since: datetime) -> list[AlertRow]:
    """The open alerts, and those that ended since then."""
    names = AlertRow.__dataclass_fields__
    wanted = or_(_ALERTS.c.resolved_at.is_(None), _ALERTS.c.resolved_at >= resolved_since)
    query = select(*(_ALERTS.c[name] for name in names)).where(wanted).order_by(_ALERTS.c.id)
    return [AlertRow(**row) for row in connection.execute(query).mappings()]


def due_looks(connection: Connection, now: datetime, limit: int) -> list[int]:
    """Open alerts of which somebody may have to be reminded."""
    query = select(_ALERTS.c.id).where(_ALERTS.c.next_look_at <= now)
    return list(connection.execute(query.order_by(_ALERTS.c.next_look_at).limit(limit)).scalars())


def save_looks(connection: Connection, looks: Mapping[int, datetime | None]) -> None:
    """When each of these alerts is looked at next."""
    statement = update(_ALERTS).where(_ALERTS.c.id == bindparam("of")).values(next_look_at=bindparam("at"))
    if looks:
        connection.execute(statement, [{"of": alert_id, "at": look_at} for alert_id, look_at in looks.items()])


def acknowledge(
    connection: Connection, alert_id: int, *, who: str, until: datetime | None, reason: str | None, at: datetime
) -> bool:
    """A person has taken note of an open alert, also of what was to be said of it; False where it is over."""
    values = {
        "acked_at": at,
        "acked_by": who,
        "acked_until": until,
        "acked_severity": _ALERTS.c.severity,
        "ack_reason": reason,
        "next_look_at": at,
    }
    ours = (_ALERTS.c.id == alert_id, _ALERTS.c.resolved_at.is_(None))
    if connection.execute(update(_ALERTS).where(*ours).values(**values)).rowcount != 1:
        return False
    unsaid = (_WORDS.c.alert_id == alert_id, _WORDS.c.next_step_at.is_not(None))
    connection.execute(update(_WORDS).where(*unsaid).values(**_never_said("acknowledged before it left")))
    return True


# --- words ------------------------------------------------------------------------------------------


def words_of(connection: Connection, alert_ids: Iterable[int]) -> dict[tuple[int, str], list[Word]]:
    """By alert and sink, what was said, oldest first."""
    columns = (_WORDS.c[name] for name in ("alert_id", "sink", "phase", "severity", "made_at", "state"))
    query = select(*columns).where(_WORDS.c.alert_id.in_(list(alert_ids))).order_by(_WORDS.c.id)
    found: dict[tuple[int, str], list[Word]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.alert_id, row.sink].append(Word(row.phase, row.severity, row.made_at, WordState(row.state)))
    return found


def add_words(connection: Connection, said: Iterable[tuple[AlertRow, str, str]], at: datetime) -> None:
    """(alert, sink, phase): each sink is to be told this, once."""
    rows = [
        {
            "alert_id": alert.id,
            "sink": sink,
            "phase": phase,
            "severity": alert.severity,
            "state": WordState.QUEUED.value,
            "made_at": at,
            "next_step_at": at,
        }
        for alert, sink, phase in said
    ]
    insert_new(connection, _WORDS, rows)


def sinks_with_words(connection: Connection, now: datetime) -> list[str]:
    """The sinks of which a word is due."""
    query = select(_WORDS.c.sink).where(_WORDS.c.next_step_at <= now).distinct().order_by(_WORDS.c.sink)
    return list(connection.execute(query).scalars())


def pending_words(connection: Connection, sink: str) -> list[Pending]:
    """All that this sink is to be told and that is in no notification yet, held or not, oldest first."""
    query = (
        select(_WORDS.c.id, _WORDS.c.alert_id, _ALERTS.c.kind, _ALERTS.c.severity, _WORDS.c.phase, _WORDS.c.held_for)
        .join(_ALERTS, _ALERTS.c.id == _WORDS.c.alert_id)
        .where(_WORDS.c.sink == sink, _WORDS.c.next_step_at.is_not(None))
        .order_by(_WORDS.c.id)
        .limit(WORDS_AT_ONCE)
    )
    return [
        Pending(
            row.id, row.alert_id, row.kind, row.severity, row.phase, HeldFor(row.held_for) if row.held_for else None
        )
        for row in connection.execute(query)
    ]


def hold_words(connection: Connection, waiting: Iterable[Held]) -> None:
    """These wait."""
    for one in waiting:
        values = {"next_step_at": one.until, "held_for": one.why.value}
        connection.execute(update(_WORDS).where(_WORDS.c.id.in_(one.words)).values(**values))


def fail_words(connection: Connection, sink: str, reason: str) -> int:
    """What this sink was still to be told is told no more; how many words."""
    ours = (_WORDS.c.sink == sink, _WORDS.c.state == WordState.QUEUED.value)
    return connection.execute(update(_WORDS).where(*ours).values(**_never_said(reason))).rowcount


def _never_said(reason: str) -> dict[str, Any]:
    return {"state": WordState.FAILED.value, "next_step_at": None, "held_for": None, "reason": reason}


# --- notifications ----------------------------------------------------------------------------------


def told_since(connection: Connection, sink: str, since: datetime) -> list[Told]:
    """The notifications that were made for this sink since then."""
    query = select(_NOTIFICATIONS.c.made_at, _NOTIFICATIONS.c.kind).where(
        _NOTIFICATIONS.c.sink == sink, _NOTIFICATIONS.c.made_at > since
    )
    return [Told(row.made_at, row.kind) for row in connection.execute(query.order_by(_NOTIFICATIONS.c.id))]


def tried_again_at(connection: Connection, sink: str) -> datetime | None:
    """When the notification is tried again that this sink has not taken; None where it takes what it is sent."""
    query = select(func.max(_NOTIFICATIONS.c.next_step_at)).where(
        _NOTIFICATIONS.c.sink == sink, _NOTIFICATIONS.c.state.in_(UNSETTLED), _NOTIFICATIONS.c.attempts > 0
    )
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def add_notification(
    connection: Connection, sink: str, kind: str, tone: str, body: Mapping[str, Any], words: Sequence[int], at: datetime
) -> int:
    """Put these words into one notification; returns its id."""
    row = {
        "sink": sink,
        "kind": kind,
        "tone": tone,
        "body": dict(body),
        "state": "queued",
        "made_at": at,
        "next_step_at": at,
        "attempts": 0,
        "repeated": False,
    }
    made = connection.execute(insert(_NOTIFICATIONS).returning(_NOTIFICATIONS.c.id), row).scalar_one()
    told = update(_WORDS).where(_WORDS.c.id.in_(words))
    connection.execute(told.values(notification_id=made, next_step_at=None, held_for=None))
    return int(made)


def alerts_of_words(connection: Connection, words: Iterable[int]) -> list[tuple[int, str]]:
    """The alert and the phase of each of these words, oldest first."""
    query = select(_WORDS.c.alert_id, _WORDS.c.phase).where(_WORDS.c.id.in_(list(words))).order_by(_WORDS.c.id)
    return [(row.alert_id, row.phase) for row in connection.execute(query)]


def take_due(connection: Connection, *, sink: str, now: datetime, limit: int, token: str) -> list[Notification]:
    """Lease the next due notifications of this sink, oldest first."""
    where = (_NOTIFICATIONS.c.sink == sink,)
    keys = claim_due(connection, _NOTIFICATIONS, "next_step_at", now=now, limit=limit, token=token, where=where)
    names = Notification.__dataclass_fields__
    query = select(*(_NOTIFICATIONS.c[name] for name in names)).where(_NOTIFICATIONS.c.id.in_(keys))
    return [Notification(**row) for row in connection.execute(query.order_by(_NOTIFICATIONS.c.id)).mappings()]


def save_notification(
    connection: Connection, notification_id: int, values: Mapping[str, Any], token: str, *, keep_lease: bool = False
) -> bool:
    """Write how a sink took it, while the lease is ours."""
    ours = (_NOTIFICATIONS.c.id == notification_id, held(_NOTIFICATIONS, token))
    written = dict(values) if keep_lease else release(dict(values))
    return connection.execute(update(_NOTIFICATIONS).where(*ours).values(**written)).rowcount == 1


def settle_words(
    connection: Connection, notification_id: int, state: WordState, at: datetime | None, reason: str | None
) -> None:
    """The words of a notification came to this."""
    values = {"state": state.value, "sent_at": at, "reason": reason}
    connection.execute(update(_WORDS).where(_WORDS.c.notification_id == notification_id).values(**values))


def put_off(connection: Connection, notification_ids: Iterable[int], until: datetime, token: str) -> None:
    """Notifications that would fare like the one before them wait with it."""
    for one in notification_ids:
        save_notification(connection, one, {"next_step_at": until}, token)


def sink_is_back(connection: Connection, sink: str, now: datetime) -> None:
    """It took something: what waited for that leaves at once."""
    waiting = (_NOTIFICATIONS.c.sink == sink, _NOTIFICATIONS.c.state == "queued", _NOTIFICATIONS.c.next_step_at > now)
    connection.execute(update(_NOTIFICATIONS).where(*waiting).values(next_step_at=now))
    words = (_WORDS.c.sink == sink, _WORDS.c.held_for == HeldFor.DOWN.value, _WORDS.c.next_step_at > now)
    connection.execute(update(_WORDS).where(*words).values(next_step_at=now))


# --- sinks ------------------------------------------------------------------------------------------


def known_sinks(connection: Connection) -> dict[str, tuple[str, bool]]:
    """By name, the digest of its configuration and whether it was given up."""
    query = select(_SINKS.c.name, _SINKS.c.digest, _SINKS.c.disabled_at)
    return {row.name: (row.digest, row.disabled_at is not None) for row in connection.execute(query)}


def use_sinks(connection: Connection, digests: Mapping[str, str], now: datetime) -> None:
    """These are used from now on: they are told what stands and they were not told of."""
    rows = [{"name": name, "digest": digest, "disabled_at": None, "reason": None} for name, digest in digests.items()]
    upsert(connection, _SINKS, rows, ["name"], ["digest", "disabled_at", "reason"])
    connection.execute(update(_ALERTS).where(_ALERTS.c.resolved_at.is_(None)).values(next_look_at=now))


def retry_sinks(connection: Connection, now: datetime) -> list[str]:
    """Use again what was given up; their names."""
    off = select(_SINKS.c.name).where(_SINKS.c.disabled_at.is_not(None)).order_by(_SINKS.c.name)
    names = list(connection.execute(off).scalars())
    if names:
        again = {"disabled_at": None, "reason": None}
        connection.execute(update(_SINKS).where(_SINKS.c.name.in_(names)).values(**again))
        connection.execute(update(_ALERTS).where(_ALERTS.c.resolved_at.is_(None)).values(next_look_at=now))
    return names


def forget_sink(connection: Connection, name: str, reason: str) -> None:
    """It is no longer configured."""
    _fail_notifications(connection, name, reason)
    connection.execute(delete(_SINKS).where(_SINKS.c.name == name))


def give_up_sink(connection: Connection, name: str, reason: str, at: datetime) -> None:
    """It is told nothing more until its configuration changes."""
    _fail_notifications(connection, name, reason)
    values = {"disabled_at": at, "reason": reason}
    connection.execute(update(_SINKS).where(_SINKS.c.name == name).values(**values))


def _fail_notifications(connection: Connection, name: str, reason: str) -> None:
    unsettled = (_NOTIFICATIONS.c.sink == name, _NOTIFICATIONS.c.next_step_at.is_not(None))
    values = release({"state": "failed", "next_step_at": None, "reason": reason})
    connection.execute(update(_NOTIFICATIONS).where(*unsettled).values(**values))
    fail_words(connection, name, reason)


# --- signs of life ----------------------------------------------------------------------------------


def last_pulse(connection: Connection, name: str) -> datetime | None:
    """When this was last said to be alive."""
    query = select(_PULSES.c.at).where(_PULSES.c.name == name)
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


def forget_pulse(connection: Connection, name: str) -> None:
    """It was away, and that has been said."""
    connection.execute(delete(_PULSES).where(_PULSES.c.name == name))


def beat(connection: Connection, name: str, at: datetime) -> None:
    """It is alive."""
    upsert(connection, _PULSES, [{"name": name, "at": at}], ["name"], ["at"])
