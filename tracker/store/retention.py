"""Drops what has ended long ago, batch by batch, in the order of the rows' numbers, whoever wrote it.

A pile is one kind of thing that is dropped whole: an order with everything of it, a carrier's answer, a line of a log. Rows
are numbered as they come, so a walk over a pile begins at the oldest and ends where the rows become too young: what is kept
is never read, but for what is old and still held back by something.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, or_, select, update
from sqlmodel import SQLModel

from tracker.domain.retention import OrderFacts, may_go
from tracker.domain.words import DeliveryState
from tracker.store.archived import number_kind
from tracker.store.database import upsert
from tracker.store.tables import (
    Alert,
    AlertDelivery,
    AlertNotification,
    ArchivedName,
    Claim,
    ClaimCheck,
    ClaimFact,
    ClaimProblem,
    ClaimStep,
    Decision,
    Delivery,
    Digest,
    DueDate,
    Event,
    HookDelivery,
    IncidentMember,
    Letter,
    Notice,
    NoticeCheck,
    NoticeMember,
    NoticeOrderCheck,
    OperatorAct,
    Order,
    OrderAlias,
    OrderCancellation,
    OrderCheck,
    OrderItem,
    Problem,
    RawAnswer,
    RetentionMark,
    ReturnedMail,
    Shipment,
    ShipmentCheck,
    ShipmentDeadline,
    ShipmentHistory,
    ShipmentPoll,
    ShipmentRef,
    Signal,
    Suppression,
    table,
)

ORDERS_AT_ONCE: Final = 50
ROWS_AT_ONCE: Final = 500
_MARKS, _NAMES, _SUPPRESSIONS = table(RetentionMark), table(ArchivedName), table(Suppression)
_ORDERS, _SHIPMENTS, _REFS, _POLLS = table(Order), table(Shipment), table(ShipmentRef), table(ShipmentPoll)
_PROBLEMS, _CLAIMS, _NOTICES, _DELIVERIES = table(Problem), table(Claim), table(Notice), table(Delivery)
_ALIASES, _CANCELLATIONS, _HISTORIES = table(OrderAlias), table(OrderCancellation), table(ShipmentHistory)
_RAW, _DECISIONS, _LETTERS, _RETURNED = table(RawAnswer), table(Decision), table(Letter), table(ReturnedMail)
_SIGNALS, _ALERTS, _WORDS, _NOTIFICATIONS = table(Signal), table(Alert), table(AlertDelivery), table(AlertNotification)
_DIGESTS, _ACTS, _HOOKS = table(Digest), table(OperatorAct), table(HookDelivery)
_WAITING: Final = tuple(s.value for s in (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.AWAITING_PERSON))
"""States of a message or letter that may still leave, or may just have left."""

Document = dict[str, Any]
"""One line of an archive."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a pile found. `last_id`: up to where it looked; `is_end`: what comes after is too young."""

    ids: tuple[int, ...]
    last_id: int
    is_end: bool


@dataclass(frozen=True)
class Pile:
    """One kind of thing that grows old."""

    name: str
    batch: int
    dated: Callable[[Connection, int, int], list[tuple[int, datetime]]]
    """(after this row, at most so many): the next rows with their age, by number."""
    may_go: Callable[[Connection, Sequence[int], datetime], set[int]]
    """Which of these rows, all older than the instant, nothing needs any more."""
    documents: Callable[[Connection, Sequence[int]], list[Document]]
    """What an archive keeps of them."""
    drop: Callable[[Connection, Sequence[int]], int]
    """Deletes them with what belongs to them; returns how many rows that were."""
    is_archived: bool = True

    def look(self, connection: Connection, after: int, cutoff: datetime) -> Look:
        """The next batch of what may go."""
        rows = self.dated(connection, after, self.batch)
        old = [row_id for row_id, at in rows if at <= cutoff]
        if not old:
            return Look((), after, True)
        ids = tuple(sorted(self.may_go(connection, old, cutoff)))
        return Look(ids, rows[-1][0], len(rows) < self.batch)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a walk is; `pending` is what an archive was being given when the program died."""

    last_id: int = 0
    next_walk_at: datetime | None = None
    pending: Mapping[str, Any] | None = None


def mark_of(connection: Connection, pile: str) -> Mark:
    """How far the walk over a pile is."""
    query = select(_MARKS.c.last_id, _MARKS.c.next_walk_at, _MARKS.c.pending).where(_MARKS.c.pile == pile)
    row = connection.execute(query).one_or_none()
    return Mark(*row) if row is not None else Mark()


def save_mark(connection: Connection, pile: str, mark: Mark) -> None:
    """Remember how far the walk over a pile is."""
    row = {"pile": pile, "last_id": mark.last_id, "next_walk_at": mark.next_walk_at, "pending": mark.pending}
    upsert(connection, _MARKS, [row], ["pile"], ["last_id", "next_walk_at", "pending"])


# --- orders with everything of them -----------------------------------------------------------------


@dataclass(frozen=True)
class _Keys:
    """The numbers of everything that belongs to some orders, each with its order's."""

    orders: Mapping[int, int]
    shipments: Mapping[int, int]
    problems: Mapping[int, int]
    claims: Mapping[int, int]
    notices: Mapping[int, int]
    deliveries: Mapping[int, int]

    def of(self, kind: str) -> Mapping[int, int]:
        found: Mapping[int, int] = getattr(self, kind)
        return found


_PARTS: Final[tuple[tuple[type[SQLModel], str, str], ...]] = (
    (ClaimFact, "claim_id", "claims"),
    (Letter, "claim_id", "claims"),
    (ClaimStep, "claim_id", "claims"),
    (ClaimProblem, "claim_id", "claims"),
    (IncidentMember, "problem_id", "problems"),
    (NoticeMember, "notice_id", "notices"),
    (ReturnedMail, "delivery_id", "deliveries"),
    (Delivery, "notice_id", "notices"),
    (Notice, "id", "notices"),
    (Claim, "id", "claims"),
    (Problem, "id", "problems"),
    (ShipmentPoll, "shipment_id", "shipments"),
    (ShipmentDeadline, "shipment_id", "shipments"),
    (ShipmentHistory, "shipment_id", "shipments"),
    (ShipmentCheck, "shipment_id", "shipments"),
    (ClaimCheck, "shipment_id", "shipments"),
    (NoticeCheck, "shipment_id", "shipments"),
    (Event, "shipment_id", "shipments"),
    (DueDate, "shipment_id", "shipments"),
    (ShipmentRef, "shipment_id", "shipments"),
    (Shipment, "id", "shipments"),
    (OrderItem, "order_id", "orders"),
    (OrderAlias, "order_id", "orders"),
    (OrderCheck, "order_id", "orders"),
    (NoticeOrderCheck, "order_id", "orders"),
    (Order, "id", "orders"),
)
"""What belongs to an order, each before what it points to: the table, its column, and whose numbers stand there."""
_ABOUT: Final[tuple[type[SQLModel], ...]] = (RawAnswer, Decision, OperatorAct)
"""What is said about a part of an order, by the kind of the part."""
_KINDS: Final = {
    "order": "orders",
    "shipment": "shipments",
    "deadline": "shipments",
    "problem": "problems",
    "claim": "claims",
    "message": "deliveries",
}
WITH_ORDERS: Final = (*(model for model, _, _ in _PARTS), *_ABOUT, OrderCancellation)
"""Every table of which rows go with an order."""


def _keys(connection: Connection, order_ids: Sequence[int]) -> _Keys:
    def ids(rows: Table, column: str, of: Mapping[int, int]) -> dict[int, int]:
        query = select(rows.c.id, rows.c[column]).where(rows.c[column].in_(list(of)))
        return {row_id: of[whose] for row_id, whose in connection.execute(query)}

    orders = {one: one for one in order_ids}
    shipments, notices = ids(_SHIPMENTS, "order_id", orders), ids(_NOTICES, "order_id", orders)
    problems, claims = ids(_PROBLEMS, "order_id", orders), ids(_CLAIMS, "shipment_id", shipments)
    return _Keys(orders, shipments, problems, claims, notices, ids(_DELIVERIES, "notice_id", notices))


def _about(rows: Table, keys: _Keys) -> ColumnElement[bool]:
    kinds = [(kind, list(keys.of(whose))) for kind, whose in _KINDS.items()]
    return or_(*(and_(rows.c.subject_kind == kind, rows.c.subject_id.in_(ids)) for kind, ids in kinds))


def _dated_orders(connection: Connection, after: int, limit: int) -> list[tuple[int, datetime]]:
    query = select(_ORDERS.c.id, _ORDERS.c.created_at).where(_ORDERS.c.id > after).order_by(_ORDERS.c.id).limit(limit)
    return [(row.id, row.created_at) for row in connection.execute(query)]


def order_facts(connection: Connection, order_ids: Sequence[int]) -> list[OrderFacts]:
    """What decides whether each of these orders may go."""
    last: dict[int, datetime] = {}
    is_open: set[int] = set()
    for query in _last_queries(order_ids):
        for order_id, at in connection.execute(query):
            if at is not None:
                last[order_id] = max(last.get(order_id, at), at)
    for query in _open_queries(order_ids):
        is_open.update(connection.execute(query).scalars())
    mine = (_PROBLEMS.c.order_id.in_(order_ids), _PROBLEMS.c.resolved_at.is_(None))
    unresolved = set(connection.execute(select(_PROBLEMS.c.order_id).where(*mine)).scalars())
    newest = _newest(connection)
    return [
        OrderFacts(one, last[one], one in is_open, one in unresolved, one in newest) for one in order_ids if one in last
    ]


def _last_queries(order_ids: Sequence[int]) -> Iterable[Select[Any, Any]]:
    """(order, when something happened last), a query a table."""

    def newest(column: ColumnElement[Any], order: ColumnElement[int]) -> Select[Any, Any]:
        return select(order, func.max(column)).where(order.in_(order_ids)).group_by(order)

    of_shipment = _SHIPMENTS.c.order_id
    yield newest(_ORDERS.c.updated_at, _ORDERS.c.id)
    yield newest(_SHIPMENTS.c.created_at, of_shipment)
    for column in (_POLLS.c.last_answered_at, _POLLS.c.last_polled_at, _POLLS.c.pushed_at):
        yield newest(column, of_shipment).join_from(_SHIPMENTS, _POLLS, _POLLS.c.shipment_id == _SHIPMENTS.c.id)
    for column in (_HISTORIES.c.last_event_at, _HISTORIES.c.first_seen_at):
        yield newest(column, of_shipment).join_from(_SHIPMENTS, _HISTORIES, _HISTORIES.c.shipment_id == _SHIPMENTS.c.id)
    yield newest(_PROBLEMS.c.detected_at, _PROBLEMS.c.order_id)
    yield newest(_PROBLEMS.c.resolved_at, _PROBLEMS.c.order_id)
    yield newest(_CLAIMS.c.closed_at, of_shipment).join_from(
        _SHIPMENTS, _CLAIMS, _CLAIMS.c.shipment_id == _SHIPMENTS.c.id
    )
    for column in (_DELIVERIES.c.queued_at, _DELIVERIES.c.sent_at):
        yield newest(column, _NOTICES.c.order_id).join_from(
            _NOTICES, _DELIVERIES, _DELIVERIES.c.notice_id == _NOTICES.c.id
        )
    yield newest(_ACTS.c.at, _ACTS.c.subject_id).where(_ACTS.c.subject_kind == "order")


def _open_queries(order_ids: Sequence[int]) -> Iterable[Select[Any]]:
    """Orders of which something has not ended, a query a reason."""
    mine = _SHIPMENTS.c.order_id.in_(order_ids)

    def of_shipments(rows: Table, *wanted: ColumnElement[bool]) -> Select[Any]:
        return select(_SHIPMENTS.c.order_id).join(rows, rows.c.shipment_id == _SHIPMENTS.c.id).where(mine, *wanted)

    yield of_shipments(_POLLS, or_(_POLLS.c.next_poll_at.is_not(None), _POLLS.c.closed_reason.is_(None)))
    yield of_shipments(table(ShipmentDeadline), table(ShipmentDeadline).c.next_ask_at.is_not(None))
    for model in (ShipmentCheck, ClaimCheck, NoticeCheck):
        yield of_shipments(table(model), table(model).c.next_check_at.is_not(None))
    for rows in (table(OrderCheck), table(NoticeOrderCheck)):
        yield select(rows.c.order_id).where(rows.c.order_id.in_(order_ids), rows.c.next_check_at.is_not(None))
    yield of_shipments(_CLAIMS, _CLAIMS.c.closed_at.is_(None))
    yield of_shipments(_LETTERS, or_(_LETTERS.c.next_step_at.is_not(None), _LETTERS.c.state.in_(_WAITING)))
    told = select(_NOTICES.c.order_id).where(_NOTICES.c.order_id.in_(order_ids))
    told = told.join(_DELIVERIES, _DELIVERIES.c.notice_id == _NOTICES.c.id)
    yield told.where(or_(_DELIVERIES.c.state.in_(_WAITING), _DELIVERIES.c.next_step_at.is_not(None)))
    waiting = told.join(_RETURNED, _RETURNED.c.delivery_id == _DELIVERIES.c.id)
    yield waiting.where(_RETURNED.c.applied_at.is_(None))


def _newest(connection: Connection) -> set[int]:
    """Orders that hold the highest number of a table: free, SQLite would give it to the next row, and whoever was told of
    that number, in an export or a mail, would take one for the other."""
    found: set[int] = set()

    def add(query: Select[Any]) -> None:
        found.update(connection.execute(query).scalars())

    def top(rows: Table) -> Any:
        return select(func.max(rows.c.id)).scalar_subquery()

    add(select(_ORDERS.c.id).where(_ORDERS.c.id == top(_ORDERS)))
    add(select(_SHIPMENTS.c.order_id).where(_SHIPMENTS.c.id == top(_SHIPMENTS)))
    add(select(_PROBLEMS.c.order_id).where(_PROBLEMS.c.id == top(_PROBLEMS)))
    add(select(_NOTICES.c.order_id).where(_NOTICES.c.id == top(_NOTICES)))
    of_claim = select(_SHIPMENTS.c.order_id).join(_CLAIMS, _CLAIMS.c.shipment_id == _SHIPMENTS.c.id)
    add(of_claim.where(_CLAIMS.c.id == top(_CLAIMS)))
    of_delivery = select(_NOTICES.c.order_id).join(_DELIVERIES, _DELIVERIES.c.notice_id == _NOTICES.c.id)
    add(of_delivery.where(_DELIVERIES.c.id == top(_DELIVERIES)))
    return found


def orders_may_go(
    connection: Connection, ids: Sequence[int], cutoff: datetime, unresolved_longer: timedelta = timedelta()
) -> set[int]:
    """Which of these orders have ended, with everything of them, before that instant (see `tracker.domain.retention`)."""
    return {facts.order_id for facts in order_facts(connection, ids) if may_go(facts, cutoff, unresolved_longer)}


def _order_documents(connection: Connection, ids: Sequence[int]) -> list[Document]:
    """Everything of each order, by table, as it stands."""
    keys = _keys(connection, ids)
    parts: dict[int, dict[str, list[Document]]] = {one: {} for one in ids}
    for model, column, whose in reversed(_PARTS):
        rows, owners = table(model), keys.of(whose)
        for row in _rows(connection, rows, rows.c[column].in_(list(owners))):
            parts[owners[row[column]]].setdefault(_name(rows), []).append(row)
    for model in _ABOUT:
        rows = table(model)
        for row in _rows(connection, rows, _about(rows, keys)):
            owner = keys.of(_KINDS[row["subject_kind"]])[row["subject_id"]]
            parts[owner].setdefault(_name(rows), []).append(row)
    return [_order_document(order_id, found) for order_id, found in parts.items()]


def _order_document(order_id: int, parts: dict[str, list[Document]]) -> Document:
    (order,) = parts["orders"]
    return {"order": order_id, "shop": order["shop"], "number": order["number"], "rows": parts}


def _rows(connection: Connection, rows: Table, wanted: ColumnElement[bool]) -> list[Document]:
    query = select(rows).where(wanted).order_by(*rows.primary_key.columns)
    return [_document(row) for row in connection.execute(query).mappings()]


def _document(row: Mapping[Any, Any]) -> Document:
    return {f"{name}": _plain(value) for name, value in row.items() if value is not None}


def _name(rows: Table) -> str:
    # Of SQLAlchemy's own kind of text, no writer of JSON takes a key.
    return f"{rows.name}"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return _text(bytes(value))
    return value.isoformat() if isinstance(value, datetime | date) else value


def _text(body: bytes) -> str:
    """What was kept compressed, readable: a carrier's answer, a mail."""
    try:
        body = zlib.decompress(body)
        return body.decode()
    except (zlib.error, UnicodeDecodeError):
        return f"base64:{base64.b64encode(body).decode()}"


def _drop_orders(connection: Connection, ids: Sequence[int]) -> int:
    # Nobody changes them meanwhile; on SQLite nobody could.
    connection.execute(select(_ORDERS.c.id).where(_ORDERS.c.id.in_(ids)).with_for_update()).all()
    keys = _keys(connection, ids)
    _keep_names(connection, ids)
    dropped = 0
    for model in _ABOUT:
        rows = table(model)
        dropped += connection.execute(delete(rows).where(_about(rows, keys))).rowcount
    mine = _SUPPRESSIONS.c.delivery_id.in_(list(keys.deliveries))
    # The address goes on being left alone; which message it was that came back is gone.
    connection.execute(update(_SUPPRESSIONS).where(mine).values(delivery_id=None))
    cancelled = select(_ALIASES.c.alias).where(_ALIASES.c.order_id.in_(ids), _ALIASES.c.kind == "invoice_key")
    dropped += connection.execute(delete(_CANCELLATIONS).where(_CANCELLATIONS.c.invoice_key.in_(cancelled))).rowcount
    for model, column, whose in _PARTS:
        rows = table(model)
        dropped += connection.execute(delete(rows).where(rows.c[column].in_(list(keys.of(whose))))).rowcount
    return dropped


def _keep_names(connection: Connection, ids: Sequence[int]) -> None:
    ends = {facts.order_id: facts.last_at for facts in order_facts(connection, ids)}
    orders = select(_ORDERS.c.id, _ORDERS.c.shop, _ORDERS.c.source, _ORDERS.c.number).where(_ORDERS.c.id.in_(ids))
    names = [(one, shop, number_kind(source), number) for one, shop, source, number in connection.execute(orders)]
    aliases = select(_ALIASES.c.order_id, _ALIASES.c.shop, _ALIASES.c.kind, _ALIASES.c.alias)
    names += [tuple(row) for row in connection.execute(aliases.where(_ALIASES.c.order_id.in_(ids)))]
    rows = [
        {"shop": shop, "kind": kind, "name": name, "closed_at": ends[order_id]} for order_id, shop, kind, name in names
    ]
    upsert(connection, _NAMES, rows, ["shop", "kind", "name"], ["closed_at"])


# --- carriers' answers ------------------------------------------------------------------------------


def _dated_by(rows: Table, at: str) -> Callable[[Connection, int, int], list[tuple[int, datetime]]]:
    def dated(connection: Connection, after: int, limit: int) -> list[tuple[int, datetime]]:
        query = select(rows.c.id, rows.c[at]).where(rows.c.id > after).order_by(rows.c.id).limit(limit)
        return [(row_id, when) for row_id, when in connection.execute(query)]

    return dated


def _open_shipments(connection: Connection, shipments: Sequence[int]) -> set[int]:
    """Those that are followed, claimed, or have an unresolved problem."""
    queries = (
        select(_POLLS.c.shipment_id).where(_POLLS.c.shipment_id.in_(shipments), _POLLS.c.next_poll_at.is_not(None)),
        select(_CLAIMS.c.shipment_id).where(_CLAIMS.c.shipment_id.in_(shipments), _CLAIMS.c.closed_at.is_(None)),
        select(_PROBLEMS.c.subject_id).where(
            _PROBLEMS.c.subject_kind == "shipment",
            _PROBLEMS.c.subject_id.in_(shipments),
            _PROBLEMS.c.resolved_at.is_(None),
        ),
    )
    return {one for query in queries for one in connection.execute(query).scalars()}


def _answers_may_go(connection: Connection, ids: Sequence[int], _cutoff: datetime) -> set[int]:
    query = select(_RAW.c.id, _RAW.c.subject_kind, _RAW.c.subject_id).where(_RAW.c.id.in_(ids))
    rows = connection.execute(query).all()
    claims = {row.subject_id for row in rows if row.subject_kind == "claim"}
    whose = dict(connection.execute(select(_CLAIMS.c.id, _CLAIMS.c.shipment_id).where(_CLAIMS.c.id.in_(claims))).all())
    shipment_of = {row.id: whose.get(row.subject_id) if row.subject_kind == "claim" else row.subject_id for row in rows}
    held = _open_shipments(connection, [one for one in set(shipment_of.values()) if one is not None])
    return {row_id for row_id, shipment in shipment_of.items() if shipment not in held}


# --- logs -------------------------------------------------------------------------------------------


def _decisions_may_go(connection: Connection, ids: Sequence[int], _cutoff: datetime) -> set[int]:
    """Not those of a parcel, problem, claim or message that is still open."""
    query = select(_DECISIONS.c.id, _DECISIONS.c.subject_kind, _DECISIONS.c.subject_id).where(_DECISIONS.c.id.in_(ids))
    rows = connection.execute(query).all()

    def of(kind: str) -> list[int]:
        return [row.subject_id for row in rows if row.subject_kind == kind]

    open_ones: dict[str, set[int]] = {
        "shipment": _open_shipments(connection, of("shipment")),
        "problem": _ids_where(connection, _PROBLEMS, of("problem"), _PROBLEMS.c.resolved_at.is_(None)),
        "claim": _ids_where(connection, _CLAIMS, of("claim"), _CLAIMS.c.closed_at.is_(None)),
        "message": _ids_where(connection, _DELIVERIES, of("message"), _DELIVERIES.c.state.in_(_WAITING)),
    }
    return {row.id for row in rows if row.subject_id not in open_ones.get(row.subject_kind, ())}


def _ids_where(connection: Connection, rows: Table, ids: Sequence[int], *wanted: ColumnElement[bool]) -> set[int]:
    return set(connection.execute(select(rows.c.id).where(rows.c.id.in_(ids), *wanted)).scalars())


def _where(rows: Table, *wanted: ColumnElement[bool]) -> Callable[[Connection, Sequence[int], datetime], set[int]]:
    return lambda connection, ids, _cutoff: _ids_where(connection, rows, ids, *wanted)


def _alerts_may_go(connection: Connection, ids: Sequence[int], cutoff: datetime) -> set[int]:
    over = _ids_where(connection, _ALERTS, ids, _ALERTS.c.resolved_at <= cutoff)
    waiting = select(_WORDS.c.alert_id).where(_WORDS.c.alert_id.in_(over), _WORDS.c.next_step_at.is_not(None))
    return over - set(connection.execute(waiting).scalars())


def _drop_alerts(connection: Connection, ids: Sequence[int]) -> int:
    words = connection.execute(delete(_WORDS).where(_WORDS.c.alert_id.in_(ids))).rowcount
    return int(words + connection.execute(delete(_ALERTS).where(_ALERTS.c.id.in_(ids))).rowcount)


def _notifications_may_go(connection: Connection, ids: Sequence[int], _cutoff: datetime) -> set[int]:
    over = _ids_where(connection, _NOTIFICATIONS, ids, _NOTIFICATIONS.c.next_step_at.is_(None))
    named = select(_WORDS.c.notification_id).where(_WORDS.c.notification_id.in_(over))
    return over - set(connection.execute(named).scalars())


def _digests_may_go(connection: Connection, ids: Sequence[int], _cutoff: datetime) -> set[int]:
    """Not the newest of a shop and an address: the next one tells what happened since."""
    over = _ids_where(connection, _DIGESTS, ids, _DIGESTS.c.next_step_at.is_(None))
    newest = select(func.max(_DIGESTS.c.id)).group_by(_DIGESTS.c.shop, _DIGESTS.c.recipient)
    return over - set(connection.execute(newest).scalars())


def _documents_of(rows: Table) -> Callable[[Connection, Sequence[int]], list[Document]]:
    def documents(connection: Connection, ids: Sequence[int]) -> list[Document]:
        found = _rows(connection, rows, rows.c.id.in_(ids))
        return [{"table": _name(rows), "row": row} for row in found]

    return documents


def _deletes(rows: Table) -> Callable[[Connection, Sequence[int]], int]:
    return lambda connection, ids: int(connection.execute(delete(rows).where(rows.c.id.in_(ids))).rowcount)


def _log(rows: Table, at: str, may_go: Callable[[Connection, Sequence[int], datetime], set[int]], **more: Any) -> Pile:
    given = {"drop": _deletes(rows), "documents": _documents_of(rows), **more}
    return Pile(rows.name, ROWS_AT_ONCE, _dated_by(rows, at), may_go, **given)


ORDERS: Final = Pile("orders", ORDERS_AT_ONCE, _dated_orders, orders_may_go, _order_documents, _drop_orders)
ANSWERS: Final = _log(_RAW, "seen_at", _answers_may_go)
SIGNALS: Final = _log(_SIGNALS, "at", _where(_SIGNALS, _SIGNALS.c.consumed_at.is_not(None)), is_archived=False)
"""Alerts have been made of them, and nobody reads them again."""
HOOKS: Final = _log(_HOOKS, "received_at", _where(_HOOKS, _HOOKS.c.next_read_at.is_(None)), is_archived=False)
"""What carriers pushed, as it came; what it told of each parcel is kept among the carriers' answers."""
LOGS: Final = (
    _log(_DECISIONS, "at", _decisions_may_go),
    _log(_ALERTS, "raised_at", _alerts_may_go, drop=_drop_alerts),
    _log(_NOTIFICATIONS, "made_at", _notifications_may_go),
    _log(_DIGESTS, "until", _digests_may_go),
    _log(_RETURNED, "seen_at", _where(_RETURNED, _RETURNED.c.applied_at.is_not(None))),
)
