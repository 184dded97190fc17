"""What exports and lists read: one page of rows of a kind at a time, in the order of their ids.

Pages instead of one long cursor: each is its own short transaction, so that an export of a million rows neither grows nor
keeps SQLite from writing its log back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, ScalarSelect, Select, and_, false, func, or_, select

from tracker.domain.words import DeliveryState
from tracker.store.contexts import shipments_of_orders
from tracker.store.letters import letters_of_claims
from tracker.store.problems import SHIPMENT
from tracker.store.tables import (
    Alert,
    Claim,
    ClaimProblem,
    Decision,
    Delivery,
    Event,
    Notice,
    NoticeMember,
    Order,
    OrderAlias,
    Problem,
    Shipment,
    ShipmentHistory,
    ShipmentPoll,
    ShipmentRef,
    table,
)

_ORDERS, _SHIPMENTS, _REFS, _POLLS = table(Order), table(Shipment), table(ShipmentRef), table(ShipmentPoll)
_EVENTS, _HISTORIES, _PROBLEMS = table(Event), table(ShipmentHistory), table(Problem)
_CLAIMS, _LINKS = table(Claim), table(ClaimProblem)
_NOTICES, _MEMBERS, _DELIVERIES = table(Notice), table(NoticeMember), table(Delivery)
_ALERTS, _DECISIONS, _ALIASES = table(Alert), table(Decision), table(OrderAlias)

Row = dict[str, Any]
OPEN_DELIVERIES: Final = (
    DeliveryState.QUEUED.value,
    DeliveryState.SENDING.value,
    DeliveryState.UNCONFIRMED.value,
    DeliveryState.AWAITING_PERSON.value,
)
"""Messages that are not settled: waiting, on their way, or unexplained."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are wanted; None is any. `kind` is a problem's or claim's kind, or a message's trigger.

    `since` is compared with the newest instant that the row itself carries:

    - shipments: created, last event, last look, order changed
    - orders: first read, changed
    - events: seen, vanished
    - problems: detected, resolved, released
    - claims: planned, approved, opened, answered, closed
    - messages: queued, handed to the server, sent
    - alerts: raised, resolved
    - decisions: made
    """

    shop: str | None = None
    carrier: str | None = None
    state: str | None = None
    kind: str | None = None
    open_only: bool = False
    since: datetime | None = None


def page(
    connection: Connection, kind: str, wanted: Filter, *, after: int | None = None, limit: int, newest: bool = False
) -> list[Row]:
    """Up to `limit` rows behind the id `after`, oldest first, or newest first where so asked."""
    key, query = _QUERIES[kind](wanted)
    query = query.order_by(key.desc() if newest else key).limit(limit)
    if after is not None:
        query = query.where(key < after if newest else key > after)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    if kind == "claims":
        problems = _problems_of_claims(connection, [row["id"] for row in rows])
        letters = letters_of_claims(connection, [row["id"] for row in rows])
        rows = [row | {"problem_ids": problems.get(row["id"], []), "letters": letters[row["id"]]} for row in rows]
    if kind == "orders":
        keys = [row["id"] for row in rows]
        aliases, parcels = _aliases_of_orders(connection, keys), shipments_of_orders(connection, keys)
        rows = [row | {"aliases": aliases.get(row["id"], []), "shipment_ids": parcels[row["id"]]} for row in rows]
    if kind == "messages":
        members = _shipments_of_notices(connection, [row["notice_id"] for row in rows])
        rows = [row | {"shipment_ids": members.get(row["notice_id"], [])} for row in rows]
    return rows


def tracking_code_of(shipment_id: ColumnElement[Any]) -> ScalarSelect[Any]:
    """The number by which the carrier knows a shipment now."""
    return (
        select(_REFS.c.value)
        .where(_REFS.c.shipment_id == shipment_id, _REFS.c.active)
        .order_by(_REFS.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


# --- one query a kind -------------------------------------------------------------------------------

Query = tuple[Column[Any], Select[Any]]


def _orders(wanted: Filter) -> Query:
    names = (
        "id",
        "shop",
        "source",
        "status",
        "ordered_at",
        "promised_on",
        "promised_first_on",
        "ship_by",
        "city",
        "state",
    )
    more = ("total_cents", "freight_cents", "created_at", "updated_at")
    columns = (*(_ORDERS.c[name] for name in (*names, *more)), _ORDERS.c.number.label("order_number"))
    conditions = [*_shop(_ORDERS.c.shop, wanted), *_since(wanted, _ORDERS.c.created_at, _ORDERS.c.updated_at)]
    return _ORDERS.c.id, select(*columns).where(*conditions)


def _shipments(wanted: Filter) -> Query:
    columns = (
        *(_SHIPMENTS.c[name] for name in ("id", "shop", "carrier")),
        _ORDERS.c.number.label("order_number"),
        _ORDERS.c.promised_on,
        _ORDERS.c.promised_first_on,
        _ORDERS.c.state.label("destination_state"),
        _ORDERS.c.city.label("destination_city"),
        tracking_code_of(_SHIPMENTS.c.id).label("tracking_code"),
        func.coalesce(_HISTORIES.c.service, _SHIPMENTS.c.service).label("service"),
        *(_HISTORIES.c[name] for name in ("status", "posted_at", "carrier_due_on", "carrier_due_first_on")),
        *(_HISTORIES.c[name] for name in ("first_attempt_at", "delivered_at", "last_event_at")),
        *(_POLLS.c[name] for name in ("last_polled_at", "last_answered_at", "next_poll_at", "closed_reason")),
    )
    query = (
        select(*columns)
        .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
        .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _SHIPMENTS.c.id)
        .outerjoin(_POLLS, _POLLS.c.shipment_id == _SHIPMENTS.c.id)
    )
    newest = (_SHIPMENTS.c.created_at, _ORDERS.c.updated_at, _HISTORIES.c.last_event_at)
    heard = (_POLLS.c.last_polled_at, _POLLS.c.pushed_at)
    conditions = [*_shop(_SHIPMENTS.c.shop, wanted), *_since(wanted, *newest, *heard), *_carrier(wanted)]
    return _SHIPMENTS.c.id, query.where(*conditions)


def _events(wanted: Filter) -> Query:
    names = ("id", "shipment_id", "occurred_at", "seen_at", "status", "carrier_code", "description", "location")
    columns = (
        *(_EVENTS.c[name] for name in (*names, "void", "vanished_at", "by_words", "told_by")),
        _SHIPMENTS.c.shop,
        tracking_code_of(_EVENTS.c.shipment_id).label("tracking_code"),
    )
    query = select(*columns).join(_SHIPMENTS, _SHIPMENTS.c.id == _EVENTS.c.shipment_id)
    newest = _since(wanted, _EVENTS.c.seen_at, _EVENTS.c.vanished_at)
    return _EVENTS.c.id, query.where(*_shop(_SHIPMENTS.c.shop, wanted), *newest, *_carrier(wanted))


def _problems(wanted: Filter) -> Query:
    names = (
        "id",
        "shop",
        "subject_kind",
        "subject_id",
        "kind",
        "cause",
        "presumed",
        "by_words",
        "since",
        "customer_since",
    )
    more = ("carrier_since", "detected_at", "resolved_at", "resolution", "rule", "rule_version", "released_at")
    query = (
        select(
            *(_PROBLEMS.c[name] for name in (*names, *more)),
            _ORDERS.c.number.label("order_number"),
            _SHIPMENTS.c.carrier,
            tracking_code_of(_SHIPMENTS.c.id).label("tracking_code"),
        )
        .join(_ORDERS, _ORDERS.c.id == _PROBLEMS.c.order_id)
        .outerjoin(_SHIPMENTS, and_(_PROBLEMS.c.subject_kind == SHIPMENT, _SHIPMENTS.c.id == _PROBLEMS.c.subject_id))
    )
    conditions = [*_shop(_PROBLEMS.c.shop, wanted), *_carrier(wanted), *_kind(_PROBLEMS.c.kind, wanted)]
    conditions += _since(wanted, _PROBLEMS.c.detected_at, _PROBLEMS.c.resolved_at, _PROBLEMS.c.released_at)
    if wanted.open_only:
        conditions.append(_PROBLEMS.c.resolved_at.is_(None))
    return _PROBLEMS.c.id, query.where(*conditions)


def _claims(wanted: Filter) -> Query:
    names = ("id", "shop", "shipment_id", "carrier", "kind", "motive", "state", "protocol", "planned_at", "opened_at")
    dates = ("claimable_from", "deadline_on", "answered_at", "outcome", "closed_at", "hold_reason", "approved_at")
    money = ("expected_cents", "granted_cents", "received_cents", "refusal_code")
    query = (
        select(
            *(_CLAIMS.c[name] for name in (*names, *dates, *money)),
            _REFS.c.value.label("tracking_code"),
            _ORDERS.c.number.label("order_number"),
        )
        .join(_REFS, _REFS.c.id == _CLAIMS.c.tracking_ref_id)
        .join(_SHIPMENTS, _SHIPMENTS.c.id == _CLAIMS.c.shipment_id)
        .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
    )
    conditions = [*_shop(_CLAIMS.c.shop, wanted), *_kind(_CLAIMS.c.kind, wanted), *_state(_CLAIMS.c.state, wanted)]
    newest = ("planned_at", "approved_at", "opened_at", "answered_at", "closed_at")
    conditions += _since(wanted, *(_CLAIMS.c[name] for name in newest))
    if wanted.carrier is not None:
        conditions.append(_CLAIMS.c.carrier == wanted.carrier)
    if wanted.open_only:
        conditions.append(_CLAIMS.c.closed_at.is_(None))
    return _CLAIMS.c.id, query.where(*conditions)


def _messages(wanted: Filter) -> Query:
    names = ("id", "notice_id", "channel", "recipient", "state", "queued_at", "sent_at", "message_id", "provider_id")
    query = (
        select(
            *(_DELIVERIES.c[name] for name in (*names, "hold_reason", "reason", "subject", "sent_to")),
            _NOTICES.c.shop,
            _NOTICES.c.trigger,
            _NOTICES.c.expires_at,
            _ORDERS.c.number.label("order_number"),
        )
        .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
        .join(_ORDERS, _ORDERS.c.id == _NOTICES.c.order_id)
    )
    conditions = [*_shop(_NOTICES.c.shop, wanted), *_kind(_NOTICES.c.trigger, wanted)]
    conditions += _state(_DELIVERIES.c.state, wanted)
    conditions += _since(wanted, _DELIVERIES.c.queued_at, _DELIVERIES.c.sending_at, _DELIVERIES.c.sent_at)
    if wanted.open_only:
        conditions.append(_DELIVERIES.c.state.in_(OPEN_DELIVERIES))
    if wanted.carrier is not None:
        theirs = select(_MEMBERS.c.notice_id).join(_SHIPMENTS, _SHIPMENTS.c.id == _MEMBERS.c.shipment_id)
        about = theirs.where(_MEMBERS.c.notice_id == _DELIVERIES.c.notice_id, _SHIPMENTS.c.carrier == wanted.carrier)
        conditions.append(about.exists())
    return _DELIVERIES.c.id, query.where(*conditions)


def _alerts(wanted: Filter) -> Query:
    names = ("id", "shop", "kind", "severity", "key", "summary", "raised_at", "resolved_at")
    more = ("times", "acked_at", "acked_by", "acked_until", "ack_reason")
    conditions = [*_shop(_ALERTS.c.shop, wanted), *_kind(_ALERTS.c.kind, wanted)]
    conditions += _since(wanted, _ALERTS.c.raised_at, _ALERTS.c.resolved_at, _ALERTS.c.acked_at)
    if wanted.open_only:
        conditions.append(_ALERTS.c.resolved_at.is_(None))
    return _ALERTS.c.id, select(*(_ALERTS.c[name] for name in (*names, *more))).where(*conditions)


def _decisions(wanted: Filter) -> Query:
    names = ("id", "at", "shop", "subject_kind", "subject_id", "rule", "rule_version", "outcome", "reason", "facts")
    conditions = [*_shop(_DECISIONS.c.shop, wanted), *_since(wanted, _DECISIONS.c.at)]
    return _DECISIONS.c.id, select(*(_DECISIONS.c[name] for name in names)).where(*conditions)


_QUERIES: Final[Mapping[str, Callable[[Filter], Query]]] = {
    "orders": _orders,
    "shipments": _shipments,
    "events": _events,
    "problems": _problems,
    "claims": _claims,
    "messages": _messages,
    "alerts": _alerts,
    "decisions": _decisions,
}
KINDS: Final = tuple(_QUERIES)


# --- conditions -------------------------------------------------------------------------------------


def _shop(column: ColumnElement[Any], wanted: Filter) -> list[ColumnElement[bool]]:
    return [] if wanted.shop is None else [column == wanted.shop]


def _carrier(wanted: Filter) -> list[ColumnElement[bool]]:
    return [] if wanted.carrier is None else [_SHIPMENTS.c.carrier == wanted.carrier]


def _kind(column: ColumnElement[Any], wanted: Filter) -> list[ColumnElement[bool]]:
    return [] if wanted.kind is None else [column == wanted.kind]


def _state(column: ColumnElement[Any], wanted: Filter) -> list[ColumnElement[bool]]:
    return [] if wanted.state is None else [column == wanted.state]


def _since(wanted: Filter, *columns: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    if wanted.since is None:
        return []
    return [or_(false(), *(column >= wanted.since for column in columns))]


# --- what belongs to a page's rows ------------------------------------------------------------------


def _problems_of_claims(connection: Connection, claim_ids: Iterable[int]) -> dict[int, list[int]]:
    """The problems of each claim, the one it was made for first: what is presumed from the same silence only joins it."""
    query = (
        select(_LINKS.c.claim_id, _LINKS.c.problem_id)
        .join(_PROBLEMS, _PROBLEMS.c.id == _LINKS.c.problem_id)
        .where(_LINKS.c.claim_id.in_(list(claim_ids)))
        .order_by(_PROBLEMS.c.presumed, _LINKS.c.problem_id)
    )
    return _grouped(connection, query)


def _aliases_of_orders(connection: Connection, order_ids: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    query = (
        select(_ALIASES.c.order_id, _ALIASES.c.kind, _ALIASES.c.alias)
        .where(_ALIASES.c.order_id.in_(list(order_ids)))
        .order_by(_ALIASES.c.kind, _ALIASES.c.alias)
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for order_id, kind, alias in connection.execute(query):
        found.setdefault(order_id, []).append((kind, alias))
    return found


def _shipments_of_notices(connection: Connection, notice_ids: Iterable[int]) -> dict[int, list[int]]:
    query = (
        select(_MEMBERS.c.notice_id, _MEMBERS.c.shipment_id)
        .where(_MEMBERS.c.notice_id.in_(list(notice_ids)))
        .order_by(_MEMBERS.c.shipment_id)
    )
    return _grouped(connection, query)


def _grouped(connection: Connection, query: Select[Any]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for owner, member in connection.execute(query):
        found.setdefault(owner, []).append(member)
    return found
