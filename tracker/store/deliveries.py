"""A delivery for every channel that a notice is tried on: what is due, what is held and why, what left and came back."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Update, and_, bindparam, case, func, not_, or_, select, update

from tracker.domain.notices import NOT_LIVE
from tracker.domain.words import DeliveryState, Hold, Trigger
from tracker.store.database import insert_new
from tracker.store.leases import Claiming, claim, claim_due, claiming, release
from tracker.store.tables import Delivery, Notice, NoticeMember, Order, Problem, table

_NOTICES, _MEMBERS, _DELIVERIES = table(Notice), table(NoticeMember), table(Delivery)
_PROBLEMS, _ORDERS = table(Problem), table(Order)
_HELD_NOT_LIVE: Final = and_(
    _DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value,
    _DELIVERIES.c.hold_reason.in_(sorted(hold.value for hold in NOT_LIVE)),
)


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """One delivery to work on, with its notice."""

    id: int
    notice_id: int
    shop: str
    order_id: int
    trigger: Trigger
    channel: str
    state: DeliveryState
    recipient: str | None
    attempts: int
    message_id: str | None
    expires_at: datetime
    queued_at: datetime
    repeated: bool
    hold_reason: str | None
    next_step_at: datetime | None = None


_OF_NOTICE: Final = ("shop", "order_id", "trigger", "expires_at")
_WITH_NOTICES: Final = (
    select(
        *(_DELIVERIES.c[name] for name in DueDelivery.__dataclass_fields__ if name not in _OF_NOTICE),
        *(_NOTICES.c[name] for name in _OF_NOTICE),
    )
    .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
    .where(_DELIVERIES.c.id.in_(bindparam("ids", expanding=True)))
)


def add_delivery(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Insert a delivery; None where this channel has one already."""
    new = insert_new(connection, _DELIVERIES, [{"attempts": 0, "repeated": False, **values}], _DELIVERIES.c.id)
    return int(new[0][0]) if new else None


@dataclass(frozen=True, slots=True)
class HeldNotLive:
    """A delivery that is held because its shop was not live. `began` None: a person has released its problems."""

    id: int
    shop: str
    trigger: Trigger
    since: datetime
    expires_at: datetime
    hold: Hold
    began: datetime | None


def take_not_live(connection: Connection, channel: str, *, now: datetime, limit: int, token: str) -> list[HeldNotLive]:
    """Lease the channel's next due deliveries that a shop's not being live holds back."""
    mine = [_DELIVERIES.c.channel == channel, _DELIVERIES.c.urgent.in_([False, True]), _HELD_NOT_LIVE]
    keys = claim_due(connection, _DELIVERIES, "next_step_at", now=now, limit=limit, token=token, where=mine)
    if not keys:
        return []
    kept = func.min(case((_PROBLEMS.c.released_at.is_(None), _PROBLEMS.c.since)))
    query = (
        select(
            _DELIVERIES.c.id,
            _NOTICES.c.shop,
            _NOTICES.c.trigger,
            _NOTICES.c.since,
            _NOTICES.c.expires_at,
            _DELIVERIES.c.hold_reason,
            case((func.count(_PROBLEMS.c.id) > 0, kept), else_=_NOTICES.c.since),
        )
        .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
        # A notice of an order that has no shipment yet has no member.
        .outerjoin(_MEMBERS, _MEMBERS.c.notice_id == _NOTICES.c.id)
        .outerjoin(_PROBLEMS, _PROBLEMS.c.id == _MEMBERS.c.problem_id)
        .where(_DELIVERIES.c.id.in_(keys))
        .group_by(_DELIVERIES.c.id, _NOTICES.c.id)
        .order_by(_DELIVERIES.c.id)
    )
    return [
        HeldNotLive(key, shop, Trigger(trigger), since, expires_at, Hold(hold), began)
        for key, shop, trigger, since, expires_at, hold, began in connection.execute(query)
    ]


def wake_not_live(connection: Connection, channel: str, now: datetime) -> None:
    """Have the channel's messages that a shop's not being live holds back judged anew: the configuration has changed."""
    waiting = (_DELIVERIES.c.channel == channel, _DELIVERIES.c.next_step_at.is_not(None), _HELD_NOT_LIVE)
    connection.execute(update(_DELIVERIES).where(*waiting).values(next_step_at=now))


def take_due(
    connection: Connection,
    channel: str,
    *,
    now: datetime,
    limit: int,
    token: str,
    but_for: Sequence[str] = (),
    stale: bool = False,
) -> list[DueDelivery]:
    """Lease the channel's next due deliveries, the urgent ones first, but for those of `take_not_live` and of some shops.

    *stale*: only those that are no longer worth telling.
    """
    keys: list[int] = []
    for urgent in (True, False):
        if len(keys) < limit:
            left, statement = limit - len(keys), _due(urgent, tuple(but_for), stale)
            keys += claim(connection, statement, now=now, limit=left, token=token, of_channel=channel)
    found = _deliveries(connection, keys)
    return [found[key] for key in keys]


@lru_cache(maxsize=64)
def _due(urgent: bool, but_for: tuple[str, ...], stale: bool) -> Claiming:
    mine = [_DELIVERIES.c.channel == bindparam("of_channel"), _DELIVERIES.c.urgent.is_(urgent)]
    mine.append(or_(_DELIVERIES.c.hold_reason.is_(None), not_(_HELD_NOT_LIVE)))
    theirs = select(_NOTICES.c.id).where(_NOTICES.c.id == _DELIVERIES.c.notice_id)
    if but_for:
        mine.append(~theirs.where(_NOTICES.c.shop.in_(but_for)).exists())
    if stale:
        mine.append(theirs.where(_NOTICES.c.expires_at <= bindparam("claimed_at")).exists())
    return claiming(_DELIVERIES, "next_step_at", mine)


def delivery_by_id(connection: Connection, delivery_id: int) -> DueDelivery | None:
    """One delivery with its notice."""
    return _deliveries(connection, [delivery_id]).get(delivery_id)


def _deliveries(connection: Connection, delivery_ids: Sequence[int]) -> dict[int, DueDelivery]:
    if not delivery_ids:
        return {}
    found = {}
    for row in connection.execute(_WITH_NOTICES, {"ids": delivery_ids}).mappings():
        words = {"trigger": Trigger(row["trigger"]), "state": DeliveryState(row["state"])}
        found[row["id"]] = DueDelivery(**{**row, **words})
    return found


def save_delivery(
    connection: Connection, delivery_id: int, values: Mapping[str, Any], *, token: str, keep_lease: bool = False
) -> bool:
    """Write fields of a delivery that is still ours, and put its lease down unless told otherwise."""
    fields = dict(values) if keep_lease else release(dict(values))
    given = {**fields, "b_id": delivery_id, "b_token": token}
    return connection.execute(_saving(tuple(fields)), given).rowcount == 1


@lru_cache(maxsize=64)
def _saving(names: tuple[str, ...]) -> Update:
    ours = (_DELIVERIES.c.id == bindparam("b_id"), _DELIVERIES.c.lease_token == bindparam("b_token"))
    return update(_DELIVERIES).where(*ours).values({name: bindparam(name) for name in names})


def let_go(connection: Connection, delivery_ids: Iterable[int], now: datetime) -> int:
    """Held messages are let go: they are queued, and what they say is looked at once more when they leave."""
    waiting = (
        _DELIVERIES.c.id.in_(list(delivery_ids)),
        _DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value,
    )
    values = {"state": DeliveryState.QUEUED.value, "hold_reason": None, "next_step_at": now, "reason": None}
    return connection.execute(update(_DELIVERIES).where(*waiting).values(**values)).rowcount


def reject(connection: Connection, delivery_id: int, reason: str) -> bool:
    """A person stops a held or queued message for good."""
    stoppable = [DeliveryState.AWAITING_PERSON.value, DeliveryState.QUEUED.value]
    waiting = (_DELIVERIES.c.id == delivery_id, _DELIVERIES.c.state.in_(stoppable))
    values = release(
        {"state": DeliveryState.SUPPRESSED.value, "reason": reason, "next_step_at": None, "hold_reason": None}
    )
    return connection.execute(update(_DELIVERIES).where(*waiting).values(**values)).rowcount == 1


@dataclass(frozen=True, slots=True)
class Misaddressed:
    """A message whose order has another address now than it was made for."""

    id: int
    shop: str
    trigger: Trigger
    state: DeliveryState
    recipient: str | None
    since: datetime
    expires_at: datetime
    recipient_email: str | None
    customer_email: str | None


_READDRESSED: Final = tuple(
    state.value
    for state in (
        DeliveryState.QUEUED,
        DeliveryState.AWAITING_PERSON,
        DeliveryState.BOUNCED,
        DeliveryState.FAILED,
        DeliveryState.SUPPRESSED,
    )
)
"""States in which nobody has got the message yet."""


def misaddressed(connection: Connection, notice_ids: Collection[int], now: datetime) -> list[Misaddressed]:
    """Messages of these notices that nobody got, still worth telling, whose order has another address by now."""
    if not notice_ids:
        return []
    columns = (_DELIVERIES.c.id, _NOTICES.c.shop, _NOTICES.c.trigger, _DELIVERIES.c.state, _DELIVERIES.c.recipient)
    emails = (_ORDERS.c.recipient_email, _ORDERS.c.customer_email)
    query = (
        select(*columns, _NOTICES.c.since, _NOTICES.c.expires_at, *emails)
        .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
        .join(_ORDERS, _ORDERS.c.id == _NOTICES.c.order_id)
        .where(
            _NOTICES.c.id.in_(list(notice_ids)),
            _NOTICES.c.expires_at > now,
            _DELIVERIES.c.channel == "email",
            _DELIVERIES.c.state.in_(_READDRESSED),
            _DELIVERIES.c.recipient != func.coalesce(*emails),
        )
        .order_by(_DELIVERIES.c.id)
    )
    return [
        Misaddressed(row[0], row[1], Trigger(row[2]), DeliveryState(row[3]), *row[4:])
        for row in connection.execute(query)
    ]


def readdress(
    connection: Connection,
    delivery: Misaddressed,
    recipient: str,
    leaves_at: datetime | None,
    *,
    held: str | None = None,
) -> bool:
    """Send a message elsewhere; False where it moved meanwhile.

    *leaves_at*: queue it anew, as if it had never been tried. *held*: why it does not leave for all that (a restore).
    """
    values: dict[str, Any] = {"recipient": recipient}
    if leaves_at is not None:
        again = {"state": DeliveryState.QUEUED.value, "hold_reason": None, "reason": None, "attempts": 0}
        values |= {**again, "next_step_at": leaves_at, "sent_at": None}
    if held is not None:
        waits = {"state": DeliveryState.AWAITING_PERSON.value, "hold_reason": Hold.RESTORED.value, "reason": held}
        values |= {**waits, "next_step_at": delivery.expires_at}
    same = (_DELIVERIES.c.id == delivery.id, _DELIVERIES.c.state == delivery.state.value)
    # Without its lease, a try that is under way to the old address ends before its text leaves.
    return connection.execute(update(_DELIVERIES).where(*same).values(**release(values))).rowcount == 1


def muted_deliveries(connection: Connection, order_id: int) -> list[tuple[int, Trigger, datetime, datetime]]:
    """An order's messages that its being muted holds back: (id, trigger, since, when it is no longer worth telling)."""
    query = (
        select(_DELIVERIES.c.id, _NOTICES.c.trigger, _NOTICES.c.since, _NOTICES.c.expires_at)
        .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
        .where(
            _NOTICES.c.order_id == order_id,
            _DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value,
            _DELIVERIES.c.hold_reason == Hold.MUTED.value,
        )
        .order_by(_DELIVERIES.c.id)
    )
    return [(row[0], Trigger(row[1]), row[2], row[3]) for row in connection.execute(query)]


def look_again_at(connection: Connection, delivery_id: int, at: datetime) -> None:
    """Have a message that is held looked at again then: what holds it has changed."""
    held_back = (_DELIVERIES.c.id == delivery_id, _DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value)
    connection.execute(update(_DELIVERIES).where(*held_back).values(next_step_at=at))


def wake_queued(connection: Connection, order_id: int, now: datetime) -> None:
    """Have an order's messages that wait to leave looked at now: its customer is to be told nothing more."""
    notices = select(_NOTICES.c.id).where(_NOTICES.c.order_id == order_id)
    waiting = (_DELIVERIES.c.notice_id.in_(notices), _DELIVERIES.c.state == DeliveryState.QUEUED.value)
    connection.execute(update(_DELIVERIES).where(*waiting).values(next_step_at=now))


def came_back(connection: Connection, delivery_id: int, reason: str) -> bool:
    """A message that had left was returned for good; False where it is not one that left.

    A second try that is under way loses its lease before its text leaves.
    """
    left = [DeliveryState.SENT.value, DeliveryState.UNCONFIRMED.value, DeliveryState.DELIVERED.value]
    values = release(
        {"state": DeliveryState.BOUNCED.value, "reason": reason, "next_step_at": None, "hold_reason": None}
    )
    mine = (_DELIVERIES.c.id == delivery_id, _DELIVERIES.c.state.in_(left))
    return connection.execute(update(_DELIVERIES).where(*mine).values(**values)).rowcount == 1


def held_deliveries(connection: Connection, reasons: Iterable[str], *, problem_ids: Iterable[int] | None) -> list[int]:
    """Deliveries held for these reasons: all, or those that rest on these problems."""
    query = select(_DELIVERIES.c.id).where(
        _DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value, _DELIVERIES.c.hold_reason.in_(list(reasons))
    )
    if problem_ids is not None:
        members = select(_MEMBERS.c.notice_id).where(_MEMBERS.c.problem_id.in_(list(problem_ids)))
        query = query.where(_DELIVERIES.c.notice_id.in_(members))
    return list(connection.execute(query.order_by(_DELIVERIES.c.id)).scalars())


def held_for_text(connection: Connection, channel: str, shop: str, trigger: Trigger) -> dict[int, datetime]:
    """Deliveries that wait until their text can be used, with the instant at which each is no longer worth telling."""
    query = _held_for_text(channel, _DELIVERIES.c.id, _NOTICES.c.expires_at)
    query = query.where(_NOTICES.c.shop == shop, _NOTICES.c.trigger == trigger.value).order_by(_DELIVERIES.c.id)
    return {row[0]: row[1] for row in connection.execute(query)}


def texts_waited_for(connection: Connection, channel: str) -> set[tuple[str, Trigger]]:
    """The texts, by shop and trigger, for which deliveries wait."""
    query = _held_for_text(channel, _NOTICES.c.shop, _NOTICES.c.trigger).distinct()
    return {(row[0], Trigger(row[1])) for row in connection.execute(query)}


def _held_for_text(channel: str, *columns: ColumnElement[Any]) -> Select[Any]:
    # What waits is due some day: the index over what is due finds it, however much was sent before.
    return (
        select(*columns)
        .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
        .where(
            _DELIVERIES.c.channel == channel,
            _DELIVERIES.c.next_step_at.is_not(None),
            _DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value,
            _DELIVERIES.c.hold_reason == Hold.TEMPLATE.value,
        )
    )


def refused_for_policy(
    connection: Connection, channel: str, account: str, since: datetime
) -> dict[int, tuple[str, Trigger]]:
    """Deliveries held since then because this account's server refused their text for policy, with shop and trigger."""
    query = _held_for_text(channel, _DELIVERIES.c.id, _NOTICES.c.shop, _NOTICES.c.trigger).where(
        _DELIVERIES.c.account == account, _DELIVERIES.c.reason == "policy", _DELIVERIES.c.sending_at >= since
    )
    return {row[0]: (row[1], Trigger(row[2])) for row in connection.execute(query)}


def body_of(connection: Connection, delivery_id: int) -> bytes | None:
    """The message as it left."""
    packed = connection.execute(select(_DELIVERIES.c.body).where(_DELIVERIES.c.id == delivery_id)).scalar_one_or_none()
    return zlib.decompress(packed) if packed else None
