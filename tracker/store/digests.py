"""A shop's daily digest: what it tells, read once a day, and the rows that keep it to one a day and address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, bindparam, exists, func, select, update

from tracker.domain.mail_address import diverted_to
from tracker.domain.words import ClaimState, DeliveryState, Hold
from tracker.store.database import insert_new
from tracker.store.hand import problems_to_release
from tracker.store.leases import claim_due, held, release
from tracker.store.tables import (
    Alert,
    Claim,
    Delivery,
    Digest,
    Notice,
    Order,
    Problem,
    Shipment,
    ShipmentHistory,
    ShipmentRef,
    table,
)

_DIGESTS, _ORDERS, _SHIPMENTS, _HISTORIES = table(Digest), table(Order), table(Shipment), table(ShipmentHistory)
_PROBLEMS, _CLAIMS, _REFS = table(Problem), table(Claim), table(ShipmentRef)
_NOTICES, _DELIVERIES, _ALERTS = table(Notice), table(Delivery), table(Alert)
TOLD: Final = ("sent", "unconfirmed", "skipped")
"""States of a digest whose day need not be told again."""
SHOWN: Final = 20
NUMBER_LATE_AFTER, NUMBER_WANTED_FOR = timedelta(days=7), timedelta(days=60)
"""From when on, and until when after its import, an order without a parcel is told of: most shops hand over within days, and
after two months nobody waits for it any more."""
NUMBERS_SHOWN: Final = 5
_MAY_LEAVE: Final = ("open", "paid", "ready", "shipped", "unknown")
"""Orders of which a parcel is to be expected: neither cancelled nor over."""
_NOT_LIVE: Final = (Hold.OBSERVE.value, Hold.BEFORE_LIVE.value)


@dataclass(frozen=True, slots=True)
class DueDigest:
    """One digest that is to leave, or may have left."""

    id: int
    shop: str
    day: date
    recipient: str
    since: datetime
    until: datetime
    state: str
    message_id: str
    attempts: int


@dataclass(frozen=True, slots=True)
class WaitingClaim:
    """A claim that a person must let go or give up."""

    id: int
    tracking_code: str
    order_number: str
    hold_reason: str | None
    expected_cents: int | None
    deadline_on: date | None


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that waits for a person, or that nobody can vouch for."""

    id: int
    order_number: str
    trigger: str
    state: str
    hold_reason: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """What would leave if the shop were live, or was let go: counted, and its worth."""

    messages: Mapping[str, int]
    """By trigger."""
    claims: int = 0
    claims_cents: int = 0
    """Of those whose worth is known."""
    claims_of_unknown_worth: int = 0
    problems: int = 0
    """Those that go on."""
    first_deadline_on: date | None = None
    """When the first of the claims can no longer be filed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands when the digest is made, however long it has stood so."""

    problems: Mapping[str, int] = field(default_factory=dict)
    """Those that go on, by kind."""
    stopped: Held = field(default_factory=lambda: Held({}))
    """All that an observing shop holds; empty for one that is live."""
    alerts: int = 0
    """Of this shop, or of the whole program."""
    alerts_since: datetime | None = None
    """Since when the oldest of them stands."""
    without_number: int = 0
    """Orders imported more than a week ago for which no file has named a tracking code or an invoice to follow them by."""
    without_number_first: Sequence[str] = ()
    """The oldest of them, by their numbers."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands."""
        held = self.stopped.claims or self.stopped.messages
        return not (self.problems or held or self.alerts or self.without_number)


@dataclass(frozen=True, slots=True)
class DigestFacts:
    """What one digest tells: what happened from `since` to `until`, and how it stands. Money in centavos."""

    orders: int
    delivered: int
    problems: Mapping[str, int]
    """New ones, by kind."""
    problems_ended: int
    problems_open: int
    claims_filed: int
    claims_accepted: int
    claims_rejected: int
    sent: Mapping[str, int]
    """To customers, by trigger."""
    diverted: Mapping[str, int]
    """What another address got in the customer's place (a trial), by that address."""
    expected_cents: int
    """Of claims the carriers have and have not paid."""
    granted_cents: int
    received_cents: int
    waiting_claims: Sequence[WaitingClaim]
    waiting_claims_count: int
    waiting_messages: Sequence[WaitingMessage]
    waiting_messages_count: int
    observed: Held
    """New in this time: what would have left."""
    before_live: Held
    """All that stays held from before the first live day."""
    critical_alerts: Sequence[tuple[int, str, str]]
    """Id, kind and sentence."""
    standing: Standing

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new to tell: nothing happened and nothing waits. What only stands is no news."""
        happened = (self.orders, self.delivered, self.claims_filed, self.granted_cents, self.received_cents)
        changed = (self.problems_ended, self.claims_accepted, self.claims_rejected, self.observed.claims)
        waits = (self.waiting_claims_count, self.waiting_messages_count, self.before_live.problems)
        held_now = (self.before_live.claims, *self.before_live.messages.values(), *self.observed.messages.values())
        told = (*self.problems.values(), *self.sent.values(), *self.diverted.values(), *held_now)
        return not (any(happened) or any(changed) or any(waits) or any(told) or self.critical_alerts)


def of_a_past_day(facts: DigestFacts) -> DigestFacts:
    """Only what happened then: how things stood that day is not kept, and how they stand now is another day's news."""
    return replace(
        facts,
        expected_cents=0,
        waiting_claims=(),
        waiting_claims_count=0,
        waiting_messages=(),
        waiting_messages_count=0,
        before_live=Held({}),
        critical_alerts=(),
        standing=Standing(),
    )


# --- what it tells ----------------------------------------------------------------------------------


def digest_facts(
    connection: Connection, shop: str, since: datetime, until: datetime, live_at: datetime | None
) -> DigestFacts:
    """Read it all, once a day: some of these go through a whole table. *live_at*: the shop's first live instant."""

    def in_time(column: Column[Any]) -> ColumnElement[bool]:
        return and_(column > since, column <= until)

    claims = _CLAIMS.c.shop == shop
    answered = (claims, in_time(_CLAIMS.c.answered_at))
    waiting_claims = (
        claims,
        _CLAIMS.c.state == ClaimState.WAITING_APPROVAL.value,
        func.coalesce(_CLAIMS.c.hold_reason, "").not_in(_NOT_LIVE),
    )
    unclear = (DeliveryState.AWAITING_PERSON.value, DeliveryState.UNCONFIRMED.value)
    waiting_messages = (
        _NOTICES.c.shop == shop,
        _DELIVERIES.c.state.in_(unclear),
        func.coalesce(_DELIVERIES.c.hold_reason, "").not_in(_NOT_LIVE),
        # What nobody can vouch for is told on its day; it stays in `tracker messages`.
        (_DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value) | in_time(_DELIVERIES.c.sending_at),
    )
    paid = (claims, _CLAIMS.c.state == ClaimState.PAID.value, in_time(_CLAIMS.c.closed_at))
    pending = (claims, _CLAIMS.c.opened_at.is_not(None), _CLAIMS.c.closed_at.is_(None))
    sent, diverted = _sent(connection, _NOTICES.c.shop == shop, in_time(_DELIVERIES.c.sent_at))
    observes = live_at is None or live_at > until
    stand = _problems_at(connection, shop, until)
    return DigestFacts(
        orders=_count(connection, _ORDERS, _ORDERS.c.shop == shop, in_time(_ORDERS.c.created_at)),
        delivered=_count(
            connection,
            _SHIPMENTS.join(_HISTORIES, _HISTORIES.c.shipment_id == _SHIPMENTS.c.id),
            _SHIPMENTS.c.shop == shop,
            in_time(_HISTORIES.c.delivered_at),
        ),
        problems=_by(
            connection, _PROBLEMS.c.kind, _PROBLEMS, _PROBLEMS.c.shop == shop, in_time(_PROBLEMS.c.detected_at)
        ),
        problems_ended=_count(connection, _PROBLEMS, _PROBLEMS.c.shop == shop, in_time(_PROBLEMS.c.resolved_at)),
        problems_open=sum(stand.values()),
        claims_filed=_count(connection, _CLAIMS, claims, in_time(_CLAIMS.c.opened_at)),
        claims_accepted=_count(connection, _CLAIMS, *answered, _CLAIMS.c.outcome == ClaimState.ACCEPTED.value),
        claims_rejected=_count(connection, _CLAIMS, *answered, _CLAIMS.c.outcome == ClaimState.REJECTED.value),
        sent=sent,
        diverted=diverted,
        expected_cents=_sum(connection, _CLAIMS.c.expected_cents, *pending),
        granted_cents=_sum(connection, _CLAIMS.c.granted_cents, *answered),
        received_cents=_sum(connection, _CLAIMS.c.received_cents, *paid),
        waiting_claims=_waiting_claims(connection, waiting_claims),
        waiting_claims_count=_count(connection, _CLAIMS, *waiting_claims),
        waiting_messages=_waiting_messages(connection, waiting_messages),
        waiting_messages_count=_count(connection, _told(), *waiting_messages),
        observed=_held(
            connection,
            (claims, _CLAIMS.c.hold_reason == Hold.OBSERVE.value, in_time(_CLAIMS.c.planned_at)),
            (_NOTICES.c.shop == shop, *_would_have_left(), in_time(_DELIVERIES.c.queued_at)),
        )
        if observes
        else Held({}),
        before_live=_held(
            connection,
            (claims, _CLAIMS.c.hold_reason == Hold.BEFORE_LIVE.value, _CLAIMS.c.closed_at.is_(None)),
            (_NOTICES.c.shop == shop, _DELIVERIES.c.hold_reason == Hold.BEFORE_LIVE.value),
            problems=len(problems_to_release(connection, shop, live_at, only_open=True)),
        )
        if live_at is not None and not observes
        else Held({}),
        critical_alerts=_critical(connection, shop),
        standing=_standing(connection, shop, stand, observes, until),
    )


def _problems_at(connection: Connection, shop: str, until: datetime) -> dict[str, int]:
    """Problems that went on at that instant, by kind."""
    # Two questions, and when they were found among what is counted: so each is asked by the index that holds little else.
    begun = func.count().filter(_PROBLEMS.c.detected_at <= until)
    counts = Counter[str]()
    for goes_on in (_PROBLEMS.c.resolved_at.is_(None), _PROBLEMS.c.resolved_at > until):
        query = select(_PROBLEMS.c.kind, begun).where(_PROBLEMS.c.shop == shop, goes_on).group_by(_PROBLEMS.c.kind)
        counts.update({str(kind): int(number) for kind, number in connection.execute(query)})
    return _most_first(counts)


def _standing(
    connection: Connection, shop: str, problems: Mapping[str, int], observes: bool, until: datetime
) -> Standing:
    alerts, since = standing_alerts(connection, shop)
    held = stopped(connection, shop) if observes else Held({})
    return Standing(problems, held, alerts, since, *_without_number(connection, shop, until))


def _without_number(connection: Connection, shop: str, until: datetime) -> tuple[int, tuple[str, ...]]:
    """How many orders are without a parcel that should have one by now, and the oldest of them."""
    where = (
        _ORDERS.c.shop == shop,
        _ORDERS.c.status.in_(_MAY_LEAVE),
        _ORDERS.c.created_at > until - NUMBER_WANTED_FOR,
        _ORDERS.c.created_at <= until - NUMBER_LATE_AFTER,
        ~exists().where(_SHIPMENTS.c.order_id == _ORDERS.c.id),
    )
    oldest = select(_ORDERS.c.number).where(*where).order_by(_ORDERS.c.created_at, _ORDERS.c.id).limit(NUMBERS_SHOWN)
    return _count(connection, _ORDERS, *where), tuple(connection.execute(oldest).scalars())


# No key is empty; named, it lets the index of open alerts serve, which is the smallest way to them.
_STANDING_ALERTS: Final = select(func.count(), func.min(_ALERTS.c.raised_at)).where(
    _ALERTS.c.resolved_at.is_(None), _ALERTS.c.key > "", _ALERTS.c.shop.in_(("", bindparam("shop")))
)


def standing_alerts(connection: Connection, shop: str) -> tuple[int, datetime | None]:
    """How many alerts of this shop or of the whole program are open, and since when the oldest is."""
    count, since = connection.execute(_STANDING_ALERTS, {"shop": shop}).one()
    return int(count), since


def stopped(connection: Connection, shop: str) -> Held:
    """What is held because the shop observes. The conditions beside the hold are those of the indexes of what is open: an
    open claim has its parcel, a held message its channel and next look."""
    return _held(
        connection,
        (
            *(_CLAIMS.c.shop == shop, _CLAIMS.c.hold_reason == Hold.OBSERVE.value),
            *(_CLAIMS.c.closed_at.is_(None), _CLAIMS.c.tracking_ref_id > 0),
        ),
        (
            *(_NOTICES.c.shop == shop, _DELIVERIES.c.hold_reason == Hold.OBSERVE.value),
            *(_DELIVERIES.c.channel > "", _DELIVERIES.c.next_step_at.is_not(None)),
        ),
    )


def _sent(connection: Connection, *where: ColumnElement[bool]) -> tuple[dict[str, int], dict[str, int]]:
    """What customers were sent, by trigger, and what went elsewhere in their place, by the address that got it."""
    sent, diverted = Counter(_by(connection, _NOTICES.c.trigger, _told(), *where)), Counter[str]()
    columns = (_NOTICES.c.trigger, *(_DELIVERIES.c[name] for name in ("state", "recipient", "sent_to")))
    unlike = _DELIVERIES.c.sent_to != func.lower(_DELIVERIES.c.recipient)
    for row in connection.execute(select(*columns).select_from(_told()).where(*where, unlike)):
        address = diverted_to(DeliveryState(row.state), row.recipient, row.sent_to)
        if address is not None:
            sent[row.trigger] -= 1
            diverted[address] += 1
    return _most_first(sent), _most_first(diverted)


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if number > 0}


def _would_have_left() -> tuple[ColumnElement[bool], ...]:
    """A message of an observing shop: held, or too old meanwhile; one that was told to nobody for its own sake is none."""
    states = (DeliveryState.AWAITING_PERSON.value, DeliveryState.EXPIRED.value)
    return (_DELIVERIES.c.state.in_(states),)


def _held(
    connection: Connection,
    claims: Iterable[ColumnElement[bool]],
    messages: Iterable[ColumnElement[bool]],
    problems: int = 0,
) -> Held:
    wanted = list(claims)
    return Held(
        messages=_by(connection, _NOTICES.c.trigger, _told(), *messages),
        claims=_count(connection, _CLAIMS, *wanted),
        claims_cents=_sum(connection, _CLAIMS.c.expected_cents, *wanted),
        claims_of_unknown_worth=_count(connection, _CLAIMS, *wanted, _CLAIMS.c.expected_cents.is_(None)),
        problems=problems,
        first_deadline_on=connection.execute(select(func.min(_CLAIMS.c.deadline_on)).where(*wanted)).scalar_one(),
    )


def _waiting_claims(connection: Connection, where: Iterable[ColumnElement[bool]]) -> list[WaitingClaim]:
    query = (
        select(
            _CLAIMS.c.id,
            _REFS.c.value,
            _ORDERS.c.number,
            _CLAIMS.c.hold_reason,
            _CLAIMS.c.expected_cents,
            _CLAIMS.c.deadline_on,
        )
        .join(_REFS, _REFS.c.id == _CLAIMS.c.tracking_ref_id)
        .join(_SHIPMENTS, _SHIPMENTS.c.id == _CLAIMS.c.shipment_id)
        .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
        .where(*where)
        .order_by(_CLAIMS.c.deadline_on, _CLAIMS.c.id)
        .limit(SHOWN)
    )
    return [WaitingClaim(*row) for row in connection.execute(query)]


def _waiting_messages(connection: Connection, where: Iterable[ColumnElement[bool]]) -> list[WaitingMessage]:
    columns = (
        *(_DELIVERIES.c.id, _ORDERS.c.number, _NOTICES.c.trigger),
        *(_DELIVERIES.c[name] for name in ("state", "hold_reason", "reason")),
    )
    query = select(*columns).select_from(_told()).join(_ORDERS, _ORDERS.c.id == _NOTICES.c.order_id).where(*where)
    return [WaitingMessage(*row) for row in connection.execute(query.order_by(_DELIVERIES.c.id).limit(SHOWN))]


def _critical(connection: Connection, shop: str) -> list[tuple[int, str, str]]:
    """Open critical alerts of this shop or of the whole program."""
    where = (_ALERTS.c.resolved_at.is_(None), _ALERTS.c.severity == "critical", _ALERTS.c.shop.in_(("", shop)))
    query = select(_ALERTS.c.id, _ALERTS.c.kind, _ALERTS.c.summary).where(*where).order_by(_ALERTS.c.id).limit(SHOWN)
    return [(row.id, row.kind, row.summary) for row in connection.execute(query)]


def _told() -> Any:
    return _DELIVERIES.join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)


def _count(connection: Connection, of: Any, *where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(of).where(*where)).scalar_one())


def _sum(connection: Connection, column: Column[Any], *where: ColumnElement[bool]) -> int:
    query: Select[Any] = select(func.coalesce(func.sum(column), 0)).where(*where)
    return int(connection.execute(query).scalar_one())


def _by(connection: Connection, column: Column[Any], of: Any, *where: ColumnElement[bool]) -> dict[str, int]:
    query = (
        select(column, func.count())
        .select_from(of)
        .where(*where)
        .group_by(column)
        .order_by(func.count().desc(), column)
    )
    return {str(name): int(number) for name, number in connection.execute(query)}


# --- the rows ---------------------------------------------------------------------------------------


def told_until(connection: Connection, shop: str, recipient: str) -> datetime | None:
    """Up to when this address was told, or from when on it never was; None before its first digest."""
    mine = (_DIGESTS.c.shop == shop, _DIGESTS.c.recipient == recipient)
    told = select(func.max(_DIGESTS.c.until)).where(*mine, _DIGESTS.c.state.in_(TOLD))
    first = select(func.min(_DIGESTS.c.since)).where(*mine)
    found: datetime | None = connection.execute(told).scalar_one() or connection.execute(first).scalar_one()
    return found


def mailed_on(connection: Connection, shop: str, day: date, recipient: str) -> tuple[datetime, datetime] | None:
    """What this address's digest of that day covers, where it was mailed."""
    mine = (_DIGESTS.c.shop == shop, _DIGESTS.c.recipient == recipient, _DIGESTS.c.day == day)
    mailed = _DIGESTS.c.state.in_(("sent", "unconfirmed"))
    row = connection.execute(select(_DIGESTS.c.since, _DIGESTS.c.until).where(*mine, mailed)).first()
    return (row.since, row.until) if row is not None else None


def has_digest(connection: Connection, shop: str, day: date, recipient: str) -> bool:
    """Whether this address has its digest of that day, whatever became of it."""
    mine = (_DIGESTS.c.shop == shop, _DIGESTS.c.day == day, _DIGESTS.c.recipient == recipient)
    return connection.execute(select(_DIGESTS.c.id).where(*mine)).first() is not None


def add_digest(
    connection: Connection, shop: str, day: date, recipient: str, since: datetime, until: datetime, message_id: str
) -> None:
    """This address is due a digest of this day; once."""
    row = {
        "shop": shop,
        "day": day,
        "recipient": recipient,
        "since": since,
        "until": until,
        "state": "queued",
        "message_id": message_id,
        "next_step_at": until,
        "attempts": 0,
    }
    insert_new(connection, _DIGESTS, [row])


def take_due_digests(connection: Connection, *, now: datetime, limit: int, token: str) -> list[DueDigest]:
    """Lease the next due digests."""
    keys = claim_due(connection, _DIGESTS, "next_step_at", now=now, limit=limit, token=token)
    names = DueDigest.__dataclass_fields__
    query = select(*(_DIGESTS.c[name] for name in names)).where(_DIGESTS.c.id.in_(keys)).order_by(_DIGESTS.c.id)
    return [DueDigest(**row) for row in connection.execute(query).mappings()]


def save_digest(
    connection: Connection, digest_id: int, values: Mapping[str, Any], token: str, *, keep_lease: bool = False
) -> bool:
    """Write what became of it, while the lease is ours."""
    ours = (_DIGESTS.c.id == digest_id, held(_DIGESTS, token))
    written = dict(values) if keep_lease else release(dict(values))
    return connection.execute(update(_DIGESTS).where(*ours).values(**written)).rowcount == 1
