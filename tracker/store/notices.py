"""What customers are told: shipments and orders to look at, notices and their members. How each stands on its way is in
`tracker.store.deliveries`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, update

from tracker.domain.notices import ToldDelay
from tracker.domain.words import DeliveryState, Trigger
from tracker.store.database import insert_new
from tracker.store.leases import claim_due, held, release
from tracker.store.tables import (
    Delivery,
    Notice,
    NoticeCheck,
    NoticeMember,
    NoticeOrderCheck,
    Order,
    Problem,
    ShipmentPoll,
    table,
)

_NOTICES, _MEMBERS, _DELIVERIES, _CHECKS = table(Notice), table(NoticeMember), table(Delivery), table(NoticeCheck)
_POLLS, _PROBLEMS, _ORDER_CHECKS, _ORDERS = table(ShipmentPoll), table(Problem), table(NoticeOrderCheck), table(Order)
TOLD = (DeliveryState.SENT.value, DeliveryState.UNCONFIRMED.value, DeliveryState.DELIVERED.value)


@dataclass(frozen=True, slots=True)
class Member:
    """A shipment's part in a notice, with the state of its delivery."""

    notice_id: int
    shipment_id: int
    trigger: Trigger
    episode: int
    problem_id: int | None
    created_at: datetime
    told: bool
    left_at: datetime | None = None
    """When its message left; None where it has not, or is not known to."""
    promised_on: date | None = None
    """By when that message promised further news."""


@dataclass(frozen=True, slots=True)
class OrderNotice:
    """What an order is or was told, whichever of its parcels it is about."""

    trigger: Trigger
    created_at: datetime
    waiting: bool
    """Whether its message has not left yet."""


def take_due_checks(connection: Connection, *, now: datetime, limit: int, token: str) -> list[int]:
    """Lease the next shipments about which something may have to be told."""
    return claim_due(connection, _CHECKS, "next_check_at", now=now, limit=limit, token=token)


def take_due_order_checks(connection: Connection, *, now: datetime, limit: int, token: str) -> list[int]:
    """Lease the next orders about which something may have to be told before they have a shipment."""
    return claim_due(connection, _ORDER_CHECKS, "next_check_at", now=now, limit=limit, token=token)


def finish_check(connection: Connection, shipment_id: int, next_check_at: datetime | None, *, token: str) -> None:
    """Set the next look; taking, deciding and this are one transaction."""
    ours = (_CHECKS.c.shipment_id == shipment_id, held(_CHECKS, token))
    connection.execute(update(_CHECKS).where(*ours).values(**release({"next_check_at": next_check_at})))


def members_of(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, list[Member]]:
    """What was or will be told about these shipments."""
    ids = list(shipment_ids)
    told = (
        select(_DELIVERIES.c.notice_id)
        .where(_DELIVERIES.c.notice_id == _NOTICES.c.id, _DELIVERIES.c.state.in_(TOLD))
        .exists()
    )
    left_at = (
        select(func.max(func.coalesce(_DELIVERIES.c.sent_at, _DELIVERIES.c.sending_at)))
        .where(_DELIVERIES.c.notice_id == _NOTICES.c.id, _DELIVERIES.c.state.in_(TOLD))
        .scalar_subquery()
    )
    promised_on = (
        select(func.max(_DELIVERIES.c.promised_on))
        .where(_DELIVERIES.c.notice_id == _NOTICES.c.id, _DELIVERIES.c.state.in_(TOLD))
        .scalar_subquery()
    )
    query = (
        select(
            _MEMBERS.c.notice_id,
            _MEMBERS.c.shipment_id,
            _MEMBERS.c.trigger,
            _MEMBERS.c.episode,
            _MEMBERS.c.problem_id,
            _NOTICES.c.created_at,
            told.label("told"),
            left_at.label("left_at"),
            promised_on.label("promised_on"),
        )
        .join(_NOTICES, _NOTICES.c.id == _MEMBERS.c.notice_id)
        .where(_MEMBERS.c.shipment_id.in_(ids))
    )
    found: dict[int, list[Member]] = {shipment_id: [] for shipment_id in ids}
    for row in connection.execute(query):
        member = Member(row[0], row[1], Trigger(row[2]), row[3], row[4], row[5], bool(row[6]), row[7], row[8])
        found[row.shipment_id].append(member)
    return found


def notices_of_orders(
    connection: Connection, shops: Iterable[str], order_ids: Iterable[int]
) -> dict[int, list[OrderNotice]]:
    """All that these orders (of these shops) were or will be told."""
    ids = list(order_ids)
    waiting = [DeliveryState.QUEUED.value, DeliveryState.AWAITING_PERSON.value]
    still = (
        select(_DELIVERIES.c.notice_id)
        .where(_DELIVERIES.c.notice_id == _NOTICES.c.id, _DELIVERIES.c.state.in_(waiting), _DELIVERIES.c.attempts == 0)
        .exists()
    )
    query = select(_NOTICES.c.order_id, _NOTICES.c.trigger, _NOTICES.c.created_at, still.label("waiting"))
    found: dict[int, list[OrderNotice]] = {order_id: [] for order_id in ids}
    # The shop comes first in the index: without it every notice there ever was would be read.
    for row in connection.execute(query.where(_NOTICES.c.shop.in_(list(shops)), _NOTICES.c.order_id.in_(ids))):
        found[row[0]].append(OrderNotice(Trigger(row[1]), row[2], bool(row[3])))
    return found


# To build these takes longer than to run them, and each group of messages that leaves asks them.
_TOLD_BEFORE: Final = (
    select(_NOTICES.c.order_id, _DELIVERIES.c.message_id)
    .join(_DELIVERIES, _DELIVERIES.c.notice_id == _NOTICES.c.id)
    .where(
        _NOTICES.c.shop.in_(bindparam("shops", expanding=True)),
        _NOTICES.c.order_id.in_(bindparam("ids", expanding=True)),
        _DELIVERIES.c.state.in_(TOLD),
    )
    .order_by(_DELIVERIES.c.sending_at, _DELIVERIES.c.id)
)
_MEMBERS_OF: Final = (
    select(_MEMBERS.c.notice_id, _MEMBERS.c.shipment_id, _MEMBERS.c.episode, _MEMBERS.c.problem_id)
    .where(_MEMBERS.c.notice_id.in_(bindparam("ids", expanding=True)))
    .order_by(_MEMBERS.c.shipment_id)
)


def told_before(connection: Connection, shops: Iterable[str], order_ids: Iterable[int]) -> dict[int, list[str]]:
    """The Message-IDs of what each of these orders was told, the oldest first."""
    ids = list(order_ids)
    found: dict[int, list[str]] = {order_id: [] for order_id in ids}
    for order_id, message_id in connection.execute(_TOLD_BEFORE, {"shops": list(shops), "ids": ids}):
        if message_id is not None:
            found[order_id].append(message_id)
    return found


def joinable_notice(
    connection: Connection, shop: str, order_id: int, trigger: Trigger, now: datetime, *, is_held: bool
) -> int | None:
    """A notice of this order and trigger that has not left yet, held like the newcomer or like it free to leave."""
    state = DeliveryState.AWAITING_PERSON if is_held else DeliveryState.QUEUED
    query = (
        select(_NOTICES.c.id)
        .join(_DELIVERIES, _DELIVERIES.c.notice_id == _NOTICES.c.id)
        .where(
            _NOTICES.c.shop == shop,
            _NOTICES.c.order_id == order_id,
            _NOTICES.c.trigger == trigger.value,
            _NOTICES.c.expires_at > now,
            _DELIVERIES.c.state == state.value,
            _DELIVERIES.c.attempts == 0,
        )
        .order_by(_NOTICES.c.id.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar_one_or_none()
    return int(found) if found is not None else None


def add_notice(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Insert a notice; None where it stands already."""
    new = insert_new(connection, _NOTICES, [{**values, "version": 1}], _NOTICES.c.id)
    return int(new[0][0]) if new else None


def add_member(
    connection: Connection, notice_id: int, shipment_id: int, trigger: Trigger, episode: int, problem_id: int | None
) -> bool:
    """Have a notice speak of this shipment too; False where another notice does already."""
    row = {
        "trigger": trigger.value,
        "shipment_id": shipment_id,
        "episode": episode,
        "notice_id": notice_id,
        "problem_id": problem_id,
    }
    return bool(insert_new(connection, _MEMBERS, [row], _MEMBERS.c.notice_id))


def members_of_notice(connection: Connection, notice_id: int) -> list[tuple[int, int, int | None]]:
    """The members of a notice as (shipment, episode, problem)."""
    return members_of_notices(connection, [notice_id])[notice_id]


def members_of_notices(
    connection: Connection, notice_ids: Iterable[int]
) -> dict[int, list[tuple[int, int, int | None]]]:
    """The members of each of these notices as (shipment, episode, problem)."""
    ids = list(notice_ids)
    found: dict[int, list[tuple[int, int, int | None]]] = {notice_id: [] for notice_id in ids}
    for notice_id, *member in connection.execute(_MEMBERS_OF, {"ids": ids}):
        found[notice_id].append((member[0], member[1], member[2]))
    return found


def next_looks(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, datetime | None]:
    """When each of these shipments is, or was, to be asked about next; None: no more."""
    query = select(_POLLS.c.shipment_id, _POLLS.c.next_poll_at).where(_POLLS.c.shipment_id.in_(list(shipment_ids)))
    return {row[0]: row[1] for row in connection.execute(query)}


def delays_told(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, list[ToldDelay]]:
    """How every message about a delay of these shipments stands."""
    ids = list(shipment_ids)
    left_at = func.coalesce(_DELIVERIES.c.sent_at, _DELIVERIES.c.sending_at)
    query = (
        select(_MEMBERS.c.shipment_id, _DELIVERIES.c.state, left_at)
        .join(_DELIVERIES, _DELIVERIES.c.notice_id == _MEMBERS.c.notice_id)
        .where(_MEMBERS.c.trigger == Trigger.DELAY_DETECTED.value, _MEMBERS.c.shipment_id.in_(ids))
    )
    found: dict[int, list[ToldDelay]] = {shipment_id: [] for shipment_id in ids}
    for shipment_id, state, at in connection.execute(query):
        found[shipment_id].append(ToldDelay(DeliveryState(state), at))
    return found
