"""How everything stands, in numbers for `/metrics`: what is due by indexes alone, and what has to be counted row by row.

`quick` costs as much as there is due work, and no more than so much, since it reads partial indexes that hold nothing else;
`slow` reads every open parcel, problem and claim, so its caller asks for it the less often the longer it takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, func, select, text

from tracker.store.tables import (
    Alert,
    AlertDelivery,
    CarrierState,
    Claim,
    ClaimCheck,
    Delivery,
    Event,
    HookDelivery,
    Notice,
    NoticeCheck,
    OrderCheck,
    Problem,
    Shipment,
    ShipmentCheck,
    ShipmentHistory,
    ShipmentPoll,
    Signal,
    table,
)
from tracker.store.tables.events import UNREAD

_POLLS, _HISTORIES, _SHIPMENTS = table(ShipmentPoll), table(ShipmentHistory), table(Shipment)
_ALERTS, _SIGNALS, _STATES = table(Alert), table(Signal), table(CarrierState)
_CLAIMS, _DELIVERIES, _NOTICES, _PROBLEMS = table(Claim), table(Delivery), table(Notice), table(Problem)
_EVENTS = table(Event)

MOST: Final = 100_000
"""No queue is counted further than this."""
DAY: Final = timedelta(days=1)
AGE_BOUNDS: Final = tuple(
    timedelta(hours=hours) for hours in (0.25, 0.5, 1, 2, 4, 6, 8, 12, 16, 24, 36, 48, 72, 96, 168, 336)
)
"""Upper ends of the histogram of looks' ages, around the rhythms that a shop may want."""


@dataclass(frozen=True, slots=True)
class Due:
    """One queue: how much is due now (`MOST` says so many or more), and since when the oldest is."""

    count: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class FamilyStanding:
    """One API family of a carrier account, as its breaker sees it."""

    carrier: str
    family: str
    failures: int
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Quick:
    """What indexes alone tell."""

    looks: Mapping[str, Due]
    """By carrier account."""
    queues: Mapping[str, Due]
    """By the words of `QUEUES`."""
    sent_last_day: Mapping[str, int]
    """By channel."""
    families: Sequence[FamilyStanding]
    alerts: Mapping[tuple[str, str], int]
    """Open ones by kind and severity."""
    database_bytes: int


@dataclass(frozen=True, slots=True)
class LookAges:
    """Open parcels of one account whose journey has not ended, by the age of the last look (never looked: since import)."""

    open: int
    """All that are asked about again, those at their end included."""
    travelling: int
    within: tuple[int, ...]
    """How many of the travelling ones are at most as old as each of `AGE_BOUNDS`."""


@dataclass(frozen=True, slots=True)
class Money:
    """Sums in centavos."""

    expected: int
    granted: int
    received: int


@dataclass(frozen=True, slots=True)
class Slow:
    """What has to be counted row by row."""

    ages: Mapping[str, LookAges]
    problems: Mapping[tuple[str, str], int]
    """Open ones by shop and kind."""
    claims: Mapping[tuple[str, str, str], int]
    """By carrier, kind and state."""
    money: Mapping[tuple[str, str], Money]
    """By carrier and state of the claim."""
    deadlines: Mapping[str, date]
    """By carrier, the nearest deadline of a claim that is not filed."""
    messages: Mapping[tuple[str, str, str], int]
    """Open ones by channel, trigger and state."""
    unknown_codes: int
    """Different codes that nobody reads."""


def quick(connection: Connection, carriers: Sequence[str], channels: Sequence[str], now: datetime) -> Quick:
    """Count what is due; reads indexes of due rows only."""
    return Quick(
        looks={carrier: _looks(connection, carrier, now) for carrier in carriers},
        queues={name: _due(connection, rows, column, now) for name, (rows, column) in _CHECKS.items()}
        | {"claims": _claims_due(connection, carriers, now)}
        | {"mail": _together(_mail_due(connection, channel, now) for channel in channels)}
        | {"signals": _signals(connection)},
        sent_last_day={channel: _sent_since(connection, channel, now - DAY) for channel in channels},
        families=[
            FamilyStanding(carrier, family, failures, refused_at is not None)
            for carrier, family, failures, refused_at in connection.execute(
                select(_STATES.c.carrier, _STATES.c.family, _STATES.c.failures, _STATES.c.refused_at).order_by(
                    _STATES.c.carrier, _STATES.c.family
                )
            )
        ],
        alerts=_open_alerts(connection),
        database_bytes=database_size(connection),
    )


def slow(connection: Connection, carriers: Sequence[str], ended: Sequence[str], now: datetime) -> Slow:
    """Count row by row. *ended*: the statuses of parcels that travel no more."""
    return Slow(
        ages={carrier: _ages(connection, carrier, ended, now) for carrier in carriers},
        problems=_grouped(connection, (_PROBLEMS.c.shop, _PROBLEMS.c.kind), _PROBLEMS.c.resolved_at.is_(None)),
        claims=_grouped(connection, (_CLAIMS.c.carrier, _CLAIMS.c.kind, _CLAIMS.c.state)),
        money=_money(connection),
        deadlines=_deadlines(connection),
        messages=_messages(connection),
        unknown_codes=_unknown_codes(connection),
    )


def answers(connection: Connection) -> None:
    """The smallest question that makes the database look at what it keeps. Raises DatabaseFaultError where it cannot."""
    # A bare SELECT 1 is answered by SQLite without opening its file.
    connection.execute(select(_STATES.c.failures).limit(1)).first()


# --- by indexes alone ---------------------------------------------------------------------------------

_CHECKS: Final[Mapping[str, tuple[Table, str]]] = {
    "hooks": (table(HookDelivery), "next_read_at"),
    "detection": (table(ShipmentCheck), "next_check_at"),
    "orders": (table(OrderCheck), "next_check_at"),
    "claim_plans": (table(ClaimCheck), "next_check_at"),
    "notices": (table(NoticeCheck), "next_check_at"),
    "alerts": (table(AlertDelivery), "next_step_at"),
}
QUEUES: Final = (*_CHECKS, "claims", "mail", "signals")


def _looks(connection: Connection, carrier: str, now: datetime) -> Due:
    # Each half alone is a range of the index (carrier, urgent, next_poll_at).
    halves = [
        _due(connection, _POLLS, "next_poll_at", now, _POLLS.c.carrier == carrier, _POLLS.c.urgent.is_(urgent))
        for urgent in (False, True)
    ]
    return _together(halves)


def _claims_due(connection: Connection, carriers: Sequence[str], now: datetime) -> Due:
    return _together(_due(connection, _CLAIMS, "next_step_at", now, _CLAIMS.c.carrier == one) for one in carriers)


def _mail_due(connection: Connection, channel: str, now: datetime) -> Due:
    mine = _DELIVERIES.c.channel == channel
    return _together(
        _due(connection, _DELIVERIES, "next_step_at", now, mine, _DELIVERIES.c.urgent.is_(urgent))
        for urgent in (False, True)
    )


def _due(connection: Connection, rows: Table, column: str, now: datetime, *where: ColumnElement[bool]) -> Due:
    at = rows.c[column]
    # Oldest first, as the index has them: after days of an outage the first hundred thousand say enough.
    due = select(at.label("at")).where(*where, at <= now).order_by(at).limit(MOST).subquery()
    count, oldest = connection.execute(select(func.count(), func.min(due.c.at)).select_from(due)).one()
    return Due(int(count), oldest)


def _together(parts: Any) -> Due:
    found = list(parts)
    oldest = min((part.oldest_at for part in found if part.oldest_at is not None), default=None)
    return Due(sum(part.count for part in found), oldest)


def _signals(connection: Connection) -> Due:
    waiting = _SIGNALS.c.consumed_at.is_(None)
    count, first = connection.execute(select(func.count(), func.min(_SIGNALS.c.id)).where(waiting)).one()
    oldest = None
    if first is not None:
        oldest = connection.execute(select(_SIGNALS.c.at).where(_SIGNALS.c.id == first)).scalar_one()
    return Due(int(count), oldest)


def _sent_since(connection: Connection, channel: str, since: datetime) -> int:
    sent = (_DELIVERIES.c.channel == channel, _DELIVERIES.c.sent_at > since)
    return connection.execute(select(func.count()).select_from(_DELIVERIES).where(*sent)).scalar_one()


def _open_alerts(connection: Connection) -> dict[tuple[str, str], int]:
    # No key is empty; named, it lets the index of open alerts serve, which is the smallest way to them.
    standing = (_ALERTS.c.resolved_at.is_(None), _ALERTS.c.key > "")
    query = select(_ALERTS.c.kind, _ALERTS.c.severity, func.count()).where(*standing)
    found = connection.execute(query.group_by(_ALERTS.c.kind, _ALERTS.c.severity))
    return {(kind, severity): int(number) for kind, severity, number in found}


def database_size(connection: Connection) -> int:
    """The database's size in bytes; on SQLite without what is not yet moved from the -wal file."""
    if connection.dialect.name != "sqlite":
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())


# --- row by row ---------------------------------------------------------------------------------------


def _ages(connection: Connection, carrier: str, ended: Sequence[str], now: datetime) -> LookAges:
    """One aggregate without groups: neither a sort nor memory that grows with the parcels."""
    imported = select(_SHIPMENTS.c.created_at).where(_SHIPMENTS.c.id == _POLLS.c.shipment_id).scalar_subquery()
    rows = (
        select(
            func.coalesce(_POLLS.c.last_polled_at, imported).label("looked_at"),
            func.coalesce(_HISTORIES.c.status, "").in_(ended).label("has_ended"),
        )
        .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _POLLS.c.shipment_id)
        .where(_POLLS.c.carrier == carrier, _POLLS.c.next_poll_at.is_not(None))
        .subquery()
    )
    travels = ~rows.c.has_ended
    within = [func.count().filter(travels, rows.c.looked_at >= now - bound) for bound in AGE_BOUNDS]
    query = select(func.count(), func.count().filter(travels), *within).select_from(rows)
    every, travelling, *counts = connection.execute(query).one()
    return LookAges(int(every), int(travelling), tuple(map(int, counts)))


def _grouped(connection: Connection, by: Sequence[ColumnElement[Any]], *where: ColumnElement[bool]) -> dict[Any, int]:
    query = select(*by, func.count()).where(*where).group_by(*by)
    return {tuple(row[:-1]): int(row[-1]) for row in connection.execute(query)}


def _money(connection: Connection) -> dict[tuple[str, str], Money]:
    amounts = (_CLAIMS.c.expected_cents, _CLAIMS.c.granted_cents, _CLAIMS.c.received_cents)
    sums = [func.coalesce(func.sum(amount), 0) for amount in amounts]
    query = select(_CLAIMS.c.carrier, _CLAIMS.c.state, *sums).group_by(_CLAIMS.c.carrier, _CLAIMS.c.state)
    return {(carrier, state): Money(*map(int, found)) for carrier, state, *found in connection.execute(query)}


def _deadlines(connection: Connection) -> dict[str, date]:
    unfiled = (_CLAIMS.c.opened_at.is_(None), _CLAIMS.c.closed_at.is_(None), _CLAIMS.c.deadline_on.is_not(None))
    query = select(_CLAIMS.c.carrier, func.min(_CLAIMS.c.deadline_on)).where(*unfiled).group_by(_CLAIMS.c.carrier)
    return {row[0]: row[1] for row in connection.execute(query)}


def _messages(connection: Connection) -> dict[tuple[str, str, str], int]:
    # Only what still has a step before it: those that left are by far the most, and their rows carry whole mails.
    query = (
        select(_DELIVERIES.c.channel, _NOTICES.c.trigger, _DELIVERIES.c.state, func.count())
        .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
        .where(_DELIVERIES.c.next_step_at.is_not(None))
        .group_by(_DELIVERIES.c.channel, _NOTICES.c.trigger, _DELIVERIES.c.state)
    )
    return {(channel, trigger, state): int(number) for channel, trigger, state, number in connection.execute(query)}


def _unknown_codes(connection: Connection) -> int:
    nobody_reads = (text(UNREAD), _EVENTS.c.status == "unknown")
    return connection.execute(select(func.count(_EVENTS.c.carrier_code.distinct())).where(*nobody_reads)).scalar_one()
