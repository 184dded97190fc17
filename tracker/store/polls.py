"""Polling's tables: when to ask about what, what was answered, and how each carrier account is doing."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import cache
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    DateTime,
    TextClause,
    Update,
    bindparam,
    func,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from carriers.base import RefKind, TrackingRef
from tracker.domain.words import CLOSED, CLOSED_REASONS
from tracker.store.at_once import AtOnce
from tracker.store.database import insert_new
from tracker.store.decisions import log_changes
from tracker.store.kept import among, as_sqlite_keeps
from tracker.store.leases import claim, claiming, held, release
from tracker.store.logs import DecisionNote
from tracker.store.many import execute_many
from tracker.store.tables import (
    CarrierOutage,
    CarrierState,
    CarrierToken,
    Order,
    RawAnswer,
    Shipment,
    ShipmentHistory,
    ShipmentPoll,
    ShipmentRef,
    table,
)

_POLLS, _RAW = table(ShipmentPoll), table(RawAnswer)
_SHIPMENTS, _REFS, _HISTORIES, _ORDERS = table(Shipment), table(ShipmentRef), table(ShipmentHistory), table(Order)
_STATES, _OUTAGES, _TOKENS = table(CarrierState), table(CarrierOutage), table(CarrierToken)


CONFIGURATION: Final = "configuration"
"""The family under which an account's configuration is remembered."""
TRACKING: Final = "tracking"
OWN_ABSENCE: Final = "own_absence"
"""The family of times in which nobody was there to ask."""


class DuePoll(NamedTuple):
    """One shipment to ask about, with what its next instant depends on."""

    shipment_id: int
    shop: str
    ref: TrackingRef
    digest: str | None
    failures: int
    created_at: datetime
    promised_on: date | None
    last_answered_at: datetime | None
    status: str | None
    status_at: datetime | None
    last_event_at: datetime | None
    carrier_due_on: date | None
    outcome: str | None = None
    """What the carrier said last."""
    accounts_tried: str | None = None
    """Accounts that said the parcel is not theirs."""
    pushed_at: datetime | None = None
    """When the carrier last told of it by itself."""
    last_polled_at: datetime | None = None
    hook_at: datetime | None = None
    """When the carrier last told this account of any parcel by itself; None also where nobody asked."""


_KINDS: Final = {kind.value: kind for kind in RefKind}
_TAKE: Final = {
    urgent: claiming(_POLLS, "next_poll_at", [_POLLS.c.carrier == bindparam("of_carrier"), _POLLS.c.urgent.is_(urgent)])
    for urgent in (True, False)
}
_TAKEN: Final = AtOnce(
    select(
        _POLLS.c.shipment_id,
        _SHIPMENTS.c.shop,
        _REFS.c.kind,
        _REFS.c.value,
        _POLLS.c.digest,
        _POLLS.c.failures,
        _SHIPMENTS.c.created_at,
        _ORDERS.c.promised_on,
        _POLLS.c.last_answered_at,
        _HISTORIES.c.status,
        _HISTORIES.c.status_at,
        _HISTORIES.c.last_event_at,
        _HISTORIES.c.carrier_due_on,
        _POLLS.c.outcome,
        _POLLS.c.accounts_tried,
        _POLLS.c.pushed_at,
        _POLLS.c.last_polled_at,
    )
    .join(_SHIPMENTS, _SHIPMENTS.c.id == _POLLS.c.shipment_id)
    .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
    .join(_REFS, (_REFS.c.shipment_id == _POLLS.c.shipment_id) & _REFS.c.active)
    .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _POLLS.c.shipment_id)
    .where(among(_POLLS.c.shipment_id, "keys"))
    .order_by(_POLLS.c.next_poll_at, _REFS.c.id.desc())
)


def take_due(
    connection: Connection, carrier: str, *, now: datetime, limit: int, token: str, urgent_first: bool = True
) -> list[DuePoll]:
    """Lease the carrier's next due shipments, the urgent ones before the others or after them, each the longest due first.

    One without an active number is put to rest.
    """
    keys: list[int] = []
    for urgent in (urgent_first, not urgent_first):
        if len(keys) < limit:
            left = limit - len(keys)
            keys += claim(connection, _TAKE[urgent], now=now, limit=left, token=token, of_carrier=carrier)
    if not keys:
        return []
    found = polls_of(connection, keys)
    without = [key for key in keys if key not in found]
    if without:
        _close_numberless(connection, without, token, now)
    return list(found.values())


def polls_of(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, DuePoll]:
    """These shipments as they are asked about, the longest due first; one without an active number is left out."""
    found: dict[int, DuePoll] = {}
    for shipment_id, shop, kind, value, *known in _TAKEN.rows(connection, {"keys": list(shipment_ids)}):
        if shipment_id not in found:
            found[shipment_id] = DuePoll(shipment_id, shop, TrackingRef(_KINDS[kind], value), *known)
    return found


def _close_numberless(connection: Connection, shipment_ids: list[int], token: str, now: datetime) -> None:
    reason = "no_number"
    connection.execute(
        update(_POLLS)
        .where(_POLLS.c.shipment_id.in_(shipment_ids), held(_POLLS, token))
        .values(**release({"next_poll_at": None, "closed_reason": reason}))
    )
    shops = select(_SHIPMENTS.c.id, _SHIPMENTS.c.shop).where(_SHIPMENTS.c.id.in_(shipment_ids))
    said = CLOSED_REASONS[reason]
    notes = [
        DecisionNote(shop, "shipment", shipment_id, CLOSED, 1, "closed", said, {"why": reason})
        for shipment_id, shop in connection.execute(shops)
    ]
    log_changes(connection, notes, now)


def restart(connection: Connection, shipment_id: int, carrier: str, now: datetime) -> None:
    """Ask about a shipment from now on as if it were new: a person has corrected its number."""
    values: dict[str, Any] = dict.fromkeys(("digest", "last_polled_at", "last_answered_at", "outcome", "closed_reason"))
    values |= {"accounts_tried": None, "carrier": carrier, "next_poll_at": now, "urgent": False, "failures": 0}
    # Without its lease, an answer to the old number that is under way can no longer be saved.
    statement = update(_POLLS).where(_POLLS.c.shipment_id == shipment_id).values(**release(values))
    if connection.execute(statement).rowcount == 0:
        insert_new(connection, _POLLS, [{"shipment_id": shipment_id, **values}])


@dataclass(frozen=True, slots=True)
class PollSave:
    """What a poll leaves behind for one shipment."""

    shipment_id: int
    next_poll_at: datetime | None
    outcome: str | None = None
    digest: str | None = None
    answered_at: datetime | None = None
    failures: int = 0
    closed_reason: str | None = None
    urgent: bool = False
    carrier: str = ""
    """The account that follows the parcel from now on; empty where that stays as it is."""
    accounts_tried: str | None = None


def _saving(*names: str) -> Update:
    """Saves these columns, and puts the lease down; `at` is the instant of the look."""
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    values |= {"last_polled_at": bindparam("at"), "lease_token": null(), "lease_until": null()}
    return update(_POLLS).where(_POLLS.c.shipment_id == bindparam("b_id")).values(**values)


_NEXT: Final = ("next_poll_at", "urgent", "closed_reason", "failures")
_ANSWER: Final = ("last_answered_at", "outcome", "digest")
_SAVE_SILENT: Final = _saving(*_NEXT)
_SAVE_ANSWERED: Final = _saving(*_NEXT, *_ANSWER)
_SAVE_MOVED: Final = _saving(*_NEXT, *_ANSWER, "carrier", "accounts_tried")
_STILL_OURS: Final = AtOnce(
    select(_POLLS.c.shipment_id)
    .where(among(_POLLS.c.shipment_id, "keys"), _POLLS.c.lease_token == bindparam("token_of_ours"))
    # In one order, as whoever records what was pushed: two who lock several never wait for each other.
    .order_by(_POLLS.c.shipment_id)
    .with_for_update()
)


def save_polls(
    connection: Connection,
    saves: Iterable[PollSave],
    *,
    polled_at: datetime,
    token: str,
    ours: Collection[int] | None = None,
) -> set[int]:
    """Save polls whose lease is still ours; returns the shipments that were saved.

    *ours*: what `still_ours` has said in this very transaction, so that it need not be asked twice.
    """
    wanted = list(saves)
    mine = set(still_ours(connection, [save.shipment_id for save in wanted], token) if ours is None else ours)
    rows: dict[Update, list[dict[str, Any]]] = {}
    for save in wanted:
        if save.shipment_id in mine:
            statement, row = _saved(save)
            rows.setdefault(statement, []).append({**row, "b_id": save.shipment_id, "at": polled_at})
    for statement, values in rows.items():
        execute_many(connection, statement, values)
    return mine


_RESCHEDULE: Final = """
    UPDATE shipment_polls
    SET next_poll_at = again.at, urgent = again.urgent, last_polled_at = :now, last_answered_at = :now,
        failures = 0, closed_reason = NULL, lease_token = NULL, lease_until = NULL
    FROM ({rows}) AS again
    WHERE shipment_polls.shipment_id = again.id AND shipment_polls.lease_token = :token
"""
_RESCHEDULES: Final = {
    "sqlite": """
        SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at, json_extract(value, '$[2]') AS urgent
        FROM json_each(:rows)
    """,
    "postgresql": "SELECT * FROM unnest(:ids, :ats, :urgent) AS given (id, at, urgent)",
}
_AT: Final = _POLLS.c.next_poll_at.type


def reschedule(
    connection: Connection, again: Sequence[tuple[int, datetime, bool]], *, polled_at: datetime, token: str
) -> int:
    """The usual look: these shipments (id, next look, urgent) were answered as at the last look. One statement for them all.

    Returns for how many the lease was still ours: the others stay as they are.
    """
    if not again:
        return 0
    name = connection.dialect.name
    if name == "sqlite":
        written = [(key, as_sqlite_keeps(at), int(urgent)) for key, at, urgent in again]
        values: dict[str, Any] = {"rows": orjson.dumps(written).decode()}
    else:
        values = dict(zip(("ids", "ats", "urgent"), map(list, zip(*again, strict=True)), strict=True))
    return connection.execute(_rescheduling(name), {**values, "now": polled_at, "token": token}).rowcount


@cache
def _rescheduling(dialect: str) -> TextClause:
    statement = text(_RESCHEDULE.format(rows=_RESCHEDULES[dialect])).bindparams(bindparam("now", type_=_AT))
    if dialect == "sqlite":
        return statement
    kinds: dict[str, TypeEngine[Any]] = {"ids": BigInteger(), "ats": DateTime(timezone=True), "urgent": Boolean()}
    return statement.bindparams(*(bindparam(name, type_=postgresql.ARRAY(kind)) for name, kind in kinds.items()))


def _saved(save: PollSave) -> tuple[Update, dict[str, Any]]:
    row: dict[str, Any] = {"next_poll_at": save.next_poll_at, "urgent": save.urgent}
    row |= {"closed_reason": save.closed_reason, "failures": save.failures}
    if save.answered_at is None:
        return _SAVE_SILENT, row
    row |= {"last_answered_at": save.answered_at, "outcome": save.outcome, "digest": save.digest}
    if not save.carrier:
        return _SAVE_ANSWERED, row
    return _SAVE_MOVED, row | {"carrier": save.carrier, "accounts_tried": save.accounts_tried}


def still_ours(connection: Connection, shipment_ids: Sequence[int], token: str) -> set[int]:
    """Of these shipments, those whose poll is still leased to us; locked until the transaction ends."""
    return {key for (key,) in _STILL_OURS.rows(connection, {"keys": list(shipment_ids), "token_of_ours": token})}


def wait_for_configuration(connection: Connection, carrier: str, at: datetime) -> int:
    """Ask again about what no account could see, because the configuration of one has changed; returns how many."""
    closed = _POLLS.c.closed_reason.in_(["other_account"])
    anew = {"next_poll_at": at, "closed_reason": None, "accounts_tried": None}
    return connection.execute(update(_POLLS).where(_POLLS.c.carrier == carrier, closed).values(**anew)).rowcount


def carriers_with_work(connection: Connection) -> dict[str, int]:
    """How many shipments of each carrier are to be asked about some day."""
    query = select(_POLLS.c.carrier, func.count()).where(_POLLS.c.next_poll_at.is_not(None)).group_by(_POLLS.c.carrier)
    return {row[0]: row[1] for row in connection.execute(query)}


def keep_raw(connection: Connection, subject_kind: str, rows: Iterable[tuple[int, str, bytes]], at: datetime) -> None:
    """Keep raw answers (subject id, digest, bytes), each different one once."""
    insert_new(
        connection,
        _RAW,
        [
            {
                "subject_kind": subject_kind,
                "subject_id": subject_id,
                "digest": digest,
                "body": zlib.compress(body, 6),
                "seen_at": at,
            }
            for subject_id, digest, body in rows
        ],
    )


def raw_answers(connection: Connection, subject_kind: str, subject_id: int) -> list[tuple[datetime, bytes]]:
    """What a carrier said of a subject, oldest first."""
    query = (
        select(_RAW.c.seen_at, _RAW.c.body)
        .where(_RAW.c.subject_kind == subject_kind, _RAW.c.subject_id == subject_id)
        .order_by(_RAW.c.id)
    )
    return [(seen_at, zlib.decompress(body)) for seen_at, body in connection.execute(query)]


# --- how a carrier account is doing -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FamilyState:
    """Breaker, cool-down and refusal of one API family."""

    failures: int = 0
    cooldown_until: datetime | None = None
    down_since: datetime | None = None
    refused_at: datetime | None = None
    refused_digest: str | None = None
    reason: str | None = None


# To build it takes longer than to run it, and every save of something new asks it.
_STATE_OF: Final = AtOnce(
    select(*(_STATES.c[one.name] for one in fields(FamilyState))).where(
        _STATES.c.carrier == bindparam("of_carrier"), _STATES.c.family == bindparam("of_family")
    )
)


def family_state(connection: Connection, carrier: str, family: str) -> FamilyState:
    """How this family stands; all well where nothing was ever written."""
    rows = _STATE_OF.rows(connection, {"of_carrier": carrier, "of_family": family})
    return FamilyState(*rows[0]) if rows else FamilyState()


def save_family_state(connection: Connection, carrier: str, family: str, state: FamilyState) -> None:
    """Write how this family stands."""
    values = {
        "failures": state.failures,
        "cooldown_until": state.cooldown_until,
        "down_since": state.down_since,
        "refused_at": state.refused_at,
        "refused_digest": state.refused_digest,
        "reason": state.reason,
    }
    insert_new(connection, _STATES, [{"carrier": carrier, "family": family, "failures": 0}])
    connection.execute(update(_STATES).where(_STATES.c.carrier == carrier, _STATES.c.family == family).values(**values))


def carriers_down(connection: Connection, family: str) -> set[str]:
    """The carriers of which this family is marked as down."""
    query = select(_STATES.c.carrier).where(_STATES.c.family == family, _STATES.c.down_since.is_not(None))
    return set(connection.execute(query).scalars())


def configuration_changed(connection: Connection, carrier: str, digest: str) -> bool:
    """Whether this account's configuration is another than when we last worked; remembers the present one."""
    known = family_state(connection, carrier, CONFIGURATION).refused_digest
    if known == digest:
        return False
    save_family_state(connection, carrier, CONFIGURATION, FamilyState(refused_digest=digest))
    return known is not None


def open_outage(connection: Connection, carrier: str, family: str, at: datetime) -> None:
    """A carrier has stopped answering."""
    insert_new(connection, _OUTAGES, [{"carrier": carrier, "family": family, "started_at": at}])


def end_outage(connection: Connection, carrier: str, family: str, at: datetime) -> None:
    """It answers again."""
    open_ones = (_OUTAGES.c.carrier == carrier, _OUTAGES.c.family == family, _OUTAGES.c.ended_at.is_(None))
    connection.execute(update(_OUTAGES).where(*open_ones).values(ended_at=at))


def add_outage(connection: Connection, carrier: str, family: str, started_at: datetime, ended_at: datetime) -> None:
    """A time without answers that is over already."""
    row = {"carrier": carrier, "family": family, "started_at": started_at, "ended_at": ended_at}
    insert_new(connection, _OUTAGES, [row])


def looked_at(connection: Connection, carrier: str) -> datetime | None:
    """When this program last looked at this carrier, to the hour."""
    query = select(_STATES.c.looked_at).where(_STATES.c.carrier == carrier, _STATES.c.family == OWN_ABSENCE)
    return connection.execute(query).scalar_one_or_none()


def save_look(connection: Connection, carrier: str, at: datetime) -> None:
    """It looks now."""
    insert_new(connection, _STATES, [{"carrier": carrier, "family": OWN_ABSENCE, "failures": 0}])
    ours = (_STATES.c.carrier == carrier, _STATES.c.family == OWN_ABSENCE)
    connection.execute(update(_STATES).where(*ours).values(looked_at=at))


def outages(
    connection: Connection, carrier: str, family: str, since: datetime, now: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """The times in which this family did not answer, one that lasts ending `now`."""
    asked = {"of_carrier": carrier, "of_family": family, "since": since, "now": now}
    return tuple((start, end or now) for start, end in _OUTAGES_SINCE.rows(connection, asked))


# To build it takes longer than to run it, and detection asks it of every batch.
_OUTAGES_SINCE: Final = AtOnce(
    select(_OUTAGES.c.started_at, _OUTAGES.c.ended_at)
    .where(
        _OUTAGES.c.carrier == bindparam("of_carrier"),
        _OUTAGES.c.family == bindparam("of_family"),
        func.coalesce(_OUTAGES.c.ended_at, bindparam("now", type_=_AT)) >= bindparam("since", type_=_AT),
    )
    .order_by(_OUTAGES.c.started_at)
)


# --- access tokens ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenRow:
    value: str | None = field(repr=False)
    expires_at: datetime | None
    renew_at: datetime | None
    lease_token: str | None
    lease_until: datetime | None
    refresh: str | None = field(default=None, repr=False)
    origin: str = ""


def token_row(connection: Connection, carrier: str) -> TokenRow:
    """The account's token as it stands, with the lease of whoever renews it."""
    insert_new(connection, _TOKENS, [{"carrier": carrier}])
    # Locked: two who look at once must not both find it free to be renewed. SQLite has one writer at a time and leaves it out.
    return TokenRow(*connection.execute(_TOKEN_OF.with_for_update(), {"of_carrier": carrier}).one())


_TOKEN_OF: Final = select(*(_TOKENS.c[one.name] for one in fields(TokenRow))).where(
    _TOKENS.c.carrier == bindparam("of_carrier")
)


def kept_token(connection: Connection, carrier: str) -> TokenRow | None:
    """`token_row` for who only reads; None where none was ever asked for."""
    row = connection.execute(_TOKEN_OF, {"of_carrier": carrier}).one_or_none()
    return TokenRow(*row) if row is not None else None


def save_token(connection: Connection, carrier: str, values: dict[str, Any]) -> None:
    """Write fields of the account's token row."""
    connection.execute(update(_TOKENS).where(_TOKENS.c.carrier == carrier).values(**values))
