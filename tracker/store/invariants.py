"""What must hold of the rows beyond what the database itself enforces: each rule a query for the rows that break it.

Natural keys are the database's own (unique constraints and partial indexes); that they are there is compared with the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, not_, or_, select
from sqlmodel import SQLModel

from tracker.domain.words import ClaimState, DeliveryState
from tracker.store.tables import (
    Claim,
    ClaimCheck,
    ClaimStep,
    Delivery,
    Notice,
    NoticeCheck,
    NoticeMember,
    Problem,
    Shipment,
    ShipmentCheck,
    ShipmentPoll,
    table,
)

EXAMPLES: Final = 5
_CLAIMS, _STEPS, _PROBLEMS, _SHIPMENTS = table(Claim), table(ClaimStep), table(Problem), table(Shipment)
_DELIVERIES, _NOTICES, _MEMBERS, _POLLS = table(Delivery), table(Notice), table(NoticeMember), table(ShipmentPoll)
_CLOSED: Final = (ClaimState.PAID, ClaimState.REFUSED, ClaimState.EXPIRED, ClaimState.CANCELLED)
_HAVE_IT: Final = (ClaimState.OPEN, ClaimState.ANSWERED, ClaimState.ACCEPTED, ClaimState.REJECTED, ClaimState.REOPENED)
_NEVER_AGAIN: Final = (
    DeliveryState.SENT,
    DeliveryState.DELIVERED,
    DeliveryState.BOUNCED,
    DeliveryState.FAILED,
    DeliveryState.SUPPRESSED,
    DeliveryState.EXPIRED,
)


@dataclass(frozen=True, slots=True)
class Broken:
    """One rule and the rows that break it: how many, and the first few of them."""

    rule: str
    sentence: str
    found: int
    examples: tuple[str, ...] = ()


def check_rules(connection: Connection) -> list[Broken]:
    """Every rule in its turn, broken or not. Reads whole tables."""
    return [_checked(connection, rule, sentence, query) for rule, (sentence, query) in _RULES.items()]


def rows_by_table(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = sorted(SQLModel.metadata.sorted_tables, key=lambda rows: rows.name)
    return {rows.name: connection.execute(select(func.count()).select_from(rows)).scalar_one() for rows in tables}


def _checked(connection: Connection, rule: str, sentence: str, query: Select[Any]) -> Broken:
    found = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    keys = connection.execute(query.limit(EXAMPLES)).scalars().all() if found else ()
    return Broken(rule, sentence, found, tuple(str(key) for key in keys))


def _in(column: ColumnElement[Any], words: Iterable[ClaimState | DeliveryState]) -> ColumnElement[bool]:
    return column.in_([word.value for word in words])


def _claims(*broken: ColumnElement[bool]) -> Select[Any]:
    return select(_CLAIMS.c.id).where(*broken).order_by(_CLAIMS.c.id)


def _deliveries(*broken: ColumnElement[bool]) -> Select[Any]:
    return select(_DELIVERIES.c.id).where(*broken).order_by(_DELIVERIES.c.id)


def _woken_without_shipment(model: type[SQLModel]) -> Select[Any]:
    rows = table(model)
    mine = exists().where(_SHIPMENTS.c.id == rows.c.shipment_id)
    return select(rows.c.shipment_id).where(~mine).order_by(rows.c.shipment_id)


_RULES: Final[Mapping[str, tuple[str, Select[Any]]]] = {
    "claim.one_open": (
        "tracking references with more than one open claim",
        select(_CLAIMS.c.tracking_ref_id)
        .where(_CLAIMS.c.closed_at.is_(None))
        .group_by(_CLAIMS.c.tracking_ref_id)
        .having(func.count() > 1),
    ),
    "claim.words": ("claims in a state nobody knows", _claims(not_(_in(_CLAIMS.c.state, ClaimState)))),
    "claim.closed": (
        "claims that have ended without a day of their end, or with a next step",
        _claims(
            or_(
                and_(_in(_CLAIMS.c.state, _CLOSED), _CLAIMS.c.closed_at.is_(None)),
                and_(_CLAIMS.c.closed_at.is_not(None), _CLAIMS.c.next_step_at.is_not(None)),
            )
        ),
    ),
    "claim.opened": (
        "claims that the carrier has, without the day it took them",
        _claims(_in(_CLAIMS.c.state, _HAVE_IT), _CLAIMS.c.opened_at.is_(None)),
    ),
    "claim.asleep": (
        "open claims that nothing will ever wake",
        _claims(_CLAIMS.c.closed_at.is_(None), _CLAIMS.c.next_step_at.is_(None)),
    ),
    "step.pending": (
        "calls under way about claims that have ended",
        select(_STEPS.c.id)
        .join(_CLAIMS, _CLAIMS.c.id == _STEPS.c.claim_id)
        .where(_STEPS.c.state == "calling", _CLAIMS.c.closed_at.is_not(None))
        .order_by(_STEPS.c.id),
    ),
    "message.words": ("messages in a state nobody knows", _deliveries(not_(_in(_DELIVERIES.c.state, DeliveryState)))),
    "message.sent": (
        "messages that were sent, without the time",
        _deliveries(_DELIVERIES.c.state == DeliveryState.SENT.value, _DELIVERIES.c.sent_at.is_(None)),
    ),
    "message.over": (
        "messages that have ended and are still due",
        _deliveries(_in(_DELIVERIES.c.state, _NEVER_AGAIN), _DELIVERIES.c.next_step_at.is_not(None)),
    ),
    "message.asleep": (
        "queued messages that nothing will ever send",
        _deliveries(_DELIVERIES.c.state == DeliveryState.QUEUED.value, _DELIVERIES.c.next_step_at.is_(None)),
    ),
    "message.held": (
        "messages that wait for a person without a reason",
        _deliveries(_DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value, _DELIVERIES.c.hold_reason.is_(None)),
    ),
    "notice.members": (
        "notices that speak of no parcel",
        select(_NOTICES.c.id).where(~exists().where(_MEMBERS.c.notice_id == _NOTICES.c.id)).order_by(_NOTICES.c.id),
    ),
    "problem.resolved": (
        "problems that ended without a reason, or have one and did not end",
        select(_PROBLEMS.c.id)
        .where(_PROBLEMS.c.resolved_at.is_(None) != _PROBLEMS.c.resolution.is_(None))
        .order_by(_PROBLEMS.c.id),
    ),
    "poll.asleep": (
        "shipments that are asked about no more, without a reason",
        select(_POLLS.c.shipment_id)
        .where(_POLLS.c.next_poll_at.is_(None), _POLLS.c.closed_reason.is_(None))
        .order_by(_POLLS.c.shipment_id),
    ),
    **{
        f"wake.{rows.__tablename__}": (
            f"{rows.__tablename__} of shipments that are not there",
            _woken_without_shipment(rows),
        )
        for rows in (ShipmentCheck, ClaimCheck, NoticeCheck)
    },
}
