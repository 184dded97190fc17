"""What `tracker show` reads: the orders behind whatever a person typed, and the whole story of one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, Text, cast, func, or_, select

from tracker.domain.hand import Act
from tracker.domain.history import StoredEvent
from tracker.domain.incidents import Where
from tracker.domain.mail_address import diverted_to
from tracker.domain.words import DeliveryState, Trigger
from tracker.domain.wrong_codes import WRONG_CODE, is_one_of, wrong_codes
from tracker.store.acts import ActRow, acts_on
from tracker.store.claims import ClaimRow, claims_of_shipments, problems_of_claims
from tracker.store.contexts import ShipmentContext, contexts_of, item_names, shipments_of_orders
from tracker.store.decisions import decisions_of
from tracker.store.histories import HistoryRow, events_of, histories_of
from tracker.store.letters import LetterRow, letters_of_claims
from tracker.store.problems import ProblemRow, problems_of, problems_of_orders
from tracker.store.tables import (
    Decision,
    Delivery,
    Notice,
    NoticeMember,
    Order,
    OrderAlias,
    Shipment,
    ShipmentPoll,
    ShipmentRef,
    table,
)
from tracker.store.views_incidents import incidents_of_problems

_ORDERS, _ALIASES, _SHIPMENTS = table(Order), table(OrderAlias), table(Shipment)
_REFS, _POLLS = table(ShipmentRef), table(ShipmentPoll)
_NOTICES, _MEMBERS, _DELIVERIES = table(Notice), table(NoticeMember), table(Delivery)
AT_ONCE: Final = 5_000
"""Orders that one statement asks for by their ids."""
HELD_BACK: Final = frozenset({"not_told", "not_claimed"})
"""Outcomes of decisions not to do something."""


@dataclass(frozen=True, slots=True)
class Search:
    """Every reading of what a person typed; an empty field is a reading it does not allow."""

    codes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    """Order numbers, other names of an order, invoice numbers."""
    invoice_key: str | None = None
    email: str | None = None
    document: str | None = None
    phone: str | None = None
    order_id: int | None = None
    shipment_id: int | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """Spellings near to what a person typed; an empty field is no way to look."""

    mailbox: str | None = None
    """What stands before the `@`, in small letters."""
    code: str | None = None
    number: str | None = None
    phone: str | None = None
    """The last eight digits."""
    name: str | None = None
    """In small letters."""


@dataclass(frozen=True, slots=True)
class OrderHit:
    """An order that was found, with enough to choose it from a list."""

    id: int
    shop: str
    number: str
    customer_name: str | None
    ordered_at: datetime | None
    created_at: datetime
    originals: dict[str, str] | None
    """What its file had where a value was mended or could not be used."""
    shipments: int


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order as the person on the phone needs it."""

    id: int
    shop: str
    number: str
    status: str
    ordered_at: datetime | None
    customer_name: str | None
    customer_email: str | None
    customer_phone: str | None
    customer_document: str | None
    recipient_name: str | None
    postal_code: str | None
    street: str | None
    street_number: str | None
    complement: str | None
    district: str | None
    city: str | None
    state: str | None
    total_cents: int | None
    originals: dict[str, str] | None
    """What the file had where a value was mended or could not be used."""
    created_at: datetime
    """When it was imported."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How a shipment is being asked about."""

    next_poll_at: datetime | None = None
    last_polled_at: datetime | None = None
    last_answered_at: datetime | None = None
    outcome: str | None = None
    closed_reason: str | None = None
    pushed_at: datetime | None = None
    """When the carrier last told of it by itself."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message about an order, by whatever channel."""

    id: int
    notice_id: int
    trigger: Trigger
    channel: str
    recipient: str | None
    state: DeliveryState
    hold_reason: str | None
    reason: str | None
    queued_at: datetime
    sent_at: datetime | None
    sending_at: datetime | None
    next_step_at: datetime | None
    expires_at: datetime
    subject: str | None
    message_id: str | None = None
    """What the mail server's log knows it by."""
    shipment_ids: tuple[int, ...] = ()
    diverted_to: str | None = None
    """The address that got it in the place of the recipient; None: none did."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One shipment with all that is known and was decided about it."""

    context: ShipmentContext
    invoice_number: str | None
    old_codes: tuple[str, ...]
    looks: Looks
    history: HistoryRow | None
    events: Sequence[StoredEvent]
    problems: Sequence[ProblemRow]
    claims: Sequence[ClaimRow]
    claim_problems: dict[int, list[int]]
    letters: dict[int, list[LetterRow]]
    """By claim; only for carriers that take claims by letter."""
    held_back: Sequence[Decision]
    """The newest decision of each rule not to tell or claim something."""
    incidents: Sequence[tuple[int, Where, bool]] = ()
    """Those that its problems belong to: (id, where, whether it is over)."""


@dataclass(frozen=True, slots=True)
class OrderStory:
    """Everything about one order."""

    order: OrderDetail
    items: Sequence[str]
    parcels: Sequence[Parcel] = field(default_factory=tuple)
    messages: Sequence[MessageRow] = field(default_factory=tuple)
    problems: Sequence[ProblemRow] = field(default_factory=tuple)
    """Those of the order itself, from before it had a shipment."""
    acts: Sequence[ActRow] = field(default_factory=tuple)
    """What people did by hand to the order and to whatever belongs to it, oldest first."""

    @property
    def order_acts(self) -> list[Act]:
        """Those on the order itself."""
        return [row.act for row in self.acts if row.subject_kind == "order"]


# --- finding ----------------------------------------------------------------------------------------


def find_orders(
    connection: Connection, search: Search, *, limit: int | None, shop: str | None = None
) -> list[OrderHit]:
    """The orders that fit any reading, the newest first; where none does, those whose file named a wrong code like it."""
    found = _order_ids(connection, search) or _with_wrong_code(connection, search.codes)
    return _hits(connection, found, limit, shop)


def _with_wrong_code(connection: Connection, codes: Sequence[str]) -> list[int]:
    """Orders whose file named this as a code although it cannot be one. It reads every order: only where nothing else fits."""
    if not codes:
        return []
    kept = cast(_ORDERS.c.originals, Text)
    query = select(_ORDERS.c.id, _ORDERS.c.originals).where(kept.contains(f'"{WRONG_CODE}":', autoescape=True))
    rows = connection.execute(query.execution_options(yield_per=1_000))
    return [row.id for row in rows if any(is_one_of(code, wrong_codes(row.originals)) for code in codes)]


def near_orders(connection: Connection, near: Near, *, limit: int, shop: str | None = None) -> list[OrderHit]:
    """Orders that are spelt nearly so, the newest first. It reads every order: only for where nothing was found."""
    alike: list[ColumnElement[bool]] = []
    emails = [func.lower(_ORDERS.c[name]) for name in ("customer_email", "recipient_email")]
    names = [func.lower(_ORDERS.c[name]) for name in ("customer_name", "recipient_name")]
    phones = [_ORDERS.c[name] for name in ("customer_phone", "recipient_phone")]
    if near.mailbox is not None:
        alike += [email.startswith(f"{near.mailbox}@", autoescape=True) for email in emails]
    if near.name is not None:
        alike += [name.contains(near.name, autoescape=True) for name in names]
    if near.phone is not None:
        alike += [phone.endswith(near.phone, autoescape=True) for phone in phones]
    if near.number is not None:
        alike.append(_ORDERS.c.number.contains(near.number, autoescape=True))
    if near.code is not None:
        coded = select(_SHIPMENTS.c.order_id).join(_REFS, _REFS.c.shipment_id == _SHIPMENTS.c.id)
        alike.append(_ORDERS.c.id.in_(coded.where(_REFS.c.value.contains(near.code, autoescape=True))))
    if not alike:
        return []
    conditions = [or_(*alike), *([_ORDERS.c.shop == shop] if shop is not None else [])]
    query = select(_ORDERS.c.id).where(*conditions).order_by(_ORDERS.c.created_at.desc(), _ORDERS.c.id.desc())
    found = list(connection.execute(query.limit(limit)).scalars())
    return _hits(connection, found, limit) if found else []


def _hits(
    connection: Connection, order_ids: Sequence[int], limit: int | None, shop: str | None = None
) -> list[OrderHit]:
    count = select(func.count()).where(_SHIPMENTS.c.order_id == _ORDERS.c.id).scalar_subquery()
    names = [name for name in OrderHit.__dataclass_fields__ if name != "shipments"]
    query = select(*(_ORDERS.c[name] for name in names), count.label("shipments"))
    if shop is not None:
        query = query.where(_ORDERS.c.shop == shop)
    newest_first = query.order_by(_ORDERS.c.created_at.desc(), _ORDERS.c.id.desc()).limit(limit)
    hits: list[OrderHit] = []
    # A reseller's document may stand in more orders than a statement takes values.
    for start in range(0, len(order_ids), AT_ONCE):
        some = newest_first.where(_ORDERS.c.id.in_(order_ids[start : start + AT_ONCE]))
        hits += [OrderHit(**row) for row in connection.execute(some).mappings()]
    return sorted(hits, key=lambda hit: (hit.created_at, hit.id), reverse=True)[:limit]


def _order_ids(connection: Connection, search: Search) -> list[int]:
    found: set[int] = set()
    if search.codes:
        query = select(_SHIPMENTS.c.order_id).join(_REFS, _REFS.c.shipment_id == _SHIPMENTS.c.id)
        found.update(connection.execute(query.where(_REFS.c.value.in_(search.codes))).scalars())
    names = [*search.numbers, *([search.invoice_key] if search.invoice_key else [])]
    if names:
        found.update(connection.execute(select(_ALIASES.c.order_id).where(_ALIASES.c.alias.in_(names))).scalars())
    if search.shipment_id is not None:
        found.update(
            connection.execute(select(_SHIPMENTS.c.order_id).where(_SHIPMENTS.c.id == search.shipment_id)).scalars()
        )
    for rows, key, conditions in (
        (_ORDERS, _ORDERS.c.id, _of_orders(search)),
        (_SHIPMENTS, _SHIPMENTS.c.order_id, _of_shipments(search)),
    ):
        if conditions:
            found.update(_matching(connection, rows, key, conditions))
    return sorted(found)


def _matching(
    connection: Connection, rows: Table, key: ColumnElement[Any], conditions: Sequence[ColumnElement[bool]]
) -> Iterable[int]:
    return connection.execute(select(key).select_from(rows).where(or_(*conditions))).scalars()


def _of_orders(search: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.order_id is not None:
        conditions.append(_ORDERS.c.id == search.order_id)
    if search.numbers:
        conditions.append(_ORDERS.c.number.in_(search.numbers))
    if search.email:
        # People write their address in whatever case; mailboxes that tell the cases apart do not exist in practice.
        conditions += [
            func.lower(_ORDERS.c[name]) == search.email.lower() for name in ("customer_email", "recipient_email")
        ]
    if search.document:
        conditions += [_ORDERS.c[name] == search.document for name in ("customer_document", "recipient_document")]
    if search.phone:
        conditions += [_ORDERS.c[name] == search.phone for name in ("customer_phone", "recipient_phone")]
    return conditions


def _of_shipments(search: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.invoice_key:
        conditions.append(_SHIPMENTS.c.invoice_key == search.invoice_key)
    if search.numbers:
        conditions.append(_SHIPMENTS.c.invoice_number.in_(search.numbers))
    return conditions


def order_exists(connection: Connection, order_id: int) -> bool:
    """Whether there is such an order."""
    return connection.execute(select(_ORDERS.c.id).where(_ORDERS.c.id == order_id)).first() is not None


# --- one order --------------------------------------------------------------------------------------


def story_of(connection: Connection, order_id: int) -> OrderStory:
    """The whole story of an order that exists."""
    query = select(*(_ORDERS.c[name] for name in OrderDetail.__dataclass_fields__)).where(_ORDERS.c.id == order_id)
    order = OrderDetail(**connection.execute(query).mappings().one())
    parcels = _parcels(connection, shipments_of_orders(connection, [order_id])[order_id])
    messages, problems = messages_of_order(connection, order_id), problems_of_orders(connection, [order_id])[order_id]
    subjects = {
        "order": [order_id],
        "shipment": [parcel.context.shipment_id for parcel in parcels],
        "problem": [row.id for row in (*problems, *(p for parcel in parcels for p in parcel.problems))],
        "claim": [claim.id for parcel in parcels for claim in parcel.claims],
        "message": [message.id for message in messages],
    }
    return OrderStory(
        order=order,
        items=item_names(connection, order_id),
        parcels=parcels,
        messages=messages,
        problems=problems,
        acts=acts_on(connection, subjects),
    )


def _parcels(connection: Connection, ids: list[int]) -> list[Parcel]:
    contexts, histories, events = (
        contexts_of(connection, ids),
        histories_of(connection, ids),
        events_of(connection, ids),
    )
    problems, claims = problems_of(connection, ids), claims_of_shipments(connection, ids)
    around = incidents_of_problems(connection, [row.id for rows in problems.values() for row in rows])
    looks, codes, invoices = _looks(connection, ids), _old_codes(connection, ids), _invoices(connection, ids)
    parcels = []
    for shipment_id in ids:
        mine = sorted(problems[shipment_id], key=lambda row: (row.since, row.id))
        claimed = problems_of_claims(connection, [row.id for row in claims[shipment_id]])
        subjects = [("shipment", shipment_id), *(("problem", row.id) for row in mine)]
        parcels.append(
            Parcel(
                context=contexts[shipment_id],
                invoice_number=invoices.get(shipment_id),
                old_codes=codes.get(shipment_id, ()),
                looks=looks.get(shipment_id, Looks()),
                history=histories.get(shipment_id),
                events=events[shipment_id],
                problems=mine,
                claims=claims[shipment_id],
                claim_problems=claimed,
                letters=letters_of_claims(connection, claimed),
                incidents=list(dict.fromkeys(around[row.id] for row in mine if row.id in around)),
                held_back=_held_back(
                    decisions_of(connection, subjects), {one for ids in claimed.values() for one in ids}
                ),
            )
        )
    return parcels


def _looks(connection: Connection, ids: list[int]) -> dict[int, Looks]:
    names = Looks.__dataclass_fields__
    query = select(_POLLS.c.shipment_id, *(_POLLS.c[name] for name in names)).where(_POLLS.c.shipment_id.in_(ids))
    return {row["shipment_id"]: Looks(**{n: row[n] for n in names}) for row in connection.execute(query).mappings()}


def _old_codes(connection: Connection, ids: list[int]) -> dict[int, tuple[str, ...]]:
    query = (
        select(_REFS.c.shipment_id, _REFS.c.value)
        .where(_REFS.c.shipment_id.in_(ids), _REFS.c.active.is_(False))
        .order_by(_REFS.c.id)
    )
    found: dict[int, tuple[str, ...]] = {}
    for shipment_id, value in connection.execute(query):
        found[shipment_id] = (*found.get(shipment_id, ()), value)
    return found


def _invoices(connection: Connection, ids: list[int]) -> dict[int, str | None]:
    query = select(_SHIPMENTS.c.id, _SHIPMENTS.c.invoice_number).where(_SHIPMENTS.c.id.in_(ids))
    return {row[0]: row[1] for row in connection.execute(query)}


def _held_back(decisions: Sequence[Decision], claimed: set[int]) -> list[Decision]:
    """Decisions that still stand; a problem that could not be claimed at first may be now."""
    newest: dict[tuple[str, int, str], Decision] = {}
    for decision in decisions:
        newest[decision.subject_kind, decision.subject_id, decision.rule] = decision
    return [
        decision
        for decision in newest.values()
        if decision.outcome in HELD_BACK
        and not (
            decision.outcome == "not_claimed" and decision.subject_kind == "problem" and decision.subject_id in claimed
        )
    ]


def messages_of_order(connection: Connection, order_id: int) -> list[MessageRow]:
    """Every message about this order, in the order of queueing."""
    return _messages(connection, _NOTICES.c.order_id == order_id)


def message_by_id(connection: Connection, delivery_id: int) -> MessageRow | None:
    """One message."""
    return next(iter(_messages(connection, _DELIVERIES.c.id == delivery_id)), None)


def _messages(connection: Connection, condition: ColumnElement[bool]) -> list[MessageRow]:
    names = [name for name in MessageRow.__dataclass_fields__ if name not in {"shipment_ids", "diverted_to"}]
    columns = [(_NOTICES if name in {"trigger", "expires_at"} else _DELIVERIES).c[name] for name in (*names, "sent_to")]
    query = (
        select(*columns)
        .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
        .where(condition)
        .order_by(_DELIVERIES.c.queued_at, _DELIVERIES.c.id)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    members: dict[int, list[int]] = {}
    query = (
        select(_MEMBERS.c.notice_id, _MEMBERS.c.shipment_id)
        .where(_MEMBERS.c.notice_id.in_([row["notice_id"] for row in rows]))
        .order_by(_MEMBERS.c.shipment_id)
    )
    for notice_id, shipment_id in connection.execute(query):
        members.setdefault(notice_id, []).append(shipment_id)
    for row in rows:
        row["trigger"], row["state"] = Trigger(row["trigger"]), DeliveryState(row["state"])
        row["shipment_ids"] = tuple(members.get(row["notice_id"], ()))
        row["diverted_to"] = diverted_to(row["state"], row["recipient"], row.pop("sent_to"))
    return [MessageRow(**row) for row in rows]
