"""Holds what a database that was put back would send once more, in one transaction (see `tracker.domain.restoring`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from tracker.domain.claim_moves import WITHDRAWN
from tracker.domain.restoring import (
    CLAIM_RULE,
    MESSAGE_RULE,
    VERSION,
    ClaimAfter,
    claim_after,
    message_after,
)
from tracker.domain.words import ClaimState, DeliveryState, Hold
from tracker.store.leases import free_all
from tracker.store.logs import DecisionNote, log_decisions
from tracker.store.restores import add_restore
from tracker.store.tables import AlertDelivery, Claim, ClaimStep, Delivery, Notice, table

_CLAIMS, _STEPS, _DELIVERIES, _NOTICES = table(Claim), table(ClaimStep), table(Delivery), table(Notice)
_ALERT_DELIVERIES = table(AlertDelivery)
_PENDING: Final = ("intended", "calling")
_MAY_CHANGE: Final = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.UNCONFIRMED,
    DeliveryState.AWAITING_PERSON,
)
_ALERT_REASON: Final = (
    "the database was put back: it may have been told before; tracker alerts --open shows what stands"
)
_CLAIM_REASON: Final = "it was about to be filed when the copy was made: the carrier is asked first, then a person"


@dataclass(frozen=True, slots=True)
class HeldBack:
    """How much waits for a person since the restore, and how many alerts are not told any more."""

    messages: int = 0
    claims: int = 0
    alerts: int = 0


def hold_back(connection: Connection, *, now: datetime, source: str, who: str) -> HeldBack:
    """Note the restore, and let nothing leave by itself that was about to leave when the copy was made."""
    free_all(connection)
    add_restore(connection, at=now, source=source, who=who)
    return HeldBack(_messages(connection, now), _claims(connection, now), _alerts(connection))


# --- messages ---------------------------------------------------------------------------------------


def _messages(connection: Connection, now: datetime) -> int:
    columns = (_DELIVERIES.c.id, _DELIVERIES.c.state, _DELIVERIES.c.hold_reason, _NOTICES.c.shop, _NOTICES.c.expires_at)
    standing = _DELIVERIES.c.state.in_([state.value for state in _MAY_CHANGE])
    query = select(*columns).join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id).where(standing)
    held: list[dict[str, Any]] = []
    quiet: list[int] = []
    notes = []
    for key, state, hold, shop, expires_at in connection.execute(query.order_by(_DELIVERIES.c.id)).all():
        after = message_after(DeliveryState(state), Hold(hold) if hold else None)
        if after is None:
            continue
        if after.is_held:
            held.append({"b_id": key, "b_expires_at": expires_at, "b_reason": after.reason})
            facts = {"was": state, "why": hold or state}
            notes.append(DecisionNote(shop, "message", key, MESSAGE_RULE, VERSION, "held", after.reason, facts))
        else:
            quiet.append(key)
    _write_messages(connection, held, quiet)
    log_decisions(connection, notes, now)
    return len(held)


def _write_messages(connection: Connection, held: Sequence[Mapping[str, Any]], quiet: Sequence[int]) -> None:
    if held:
        values = {
            "state": DeliveryState.AWAITING_PERSON.value,
            "hold_reason": Hold.RESTORED.value,
            "reason": bindparam("b_reason"),
            # It is looked at once more when it is no longer worth telling.
            "next_step_at": bindparam("b_expires_at"),
        }
        connection.execute(
            update(_DELIVERIES).where(_DELIVERIES.c.id == bindparam("b_id")).values(**values), list(held)
        )
    if quiet:
        again = update(_DELIVERIES).where(_DELIVERIES.c.id == bindparam("b_id")).values(next_step_at=None)
        connection.execute(again, [{"b_id": key} for key in quiet])


# --- claims -----------------------------------------------------------------------------------------


def _claims(connection: Connection, now: datetime) -> int:
    columns = [_CLAIMS.c[name] for name in ("id", "shop", "state", "hold_reason", "opened_at", "approved_at")]
    open_ones = connection.execute(select(*columns).where(_CLAIMS.c.closed_at.is_(None)).order_by(_CLAIMS.c.id)).all()
    pending = select(_STEPS.c.claim_id, _STEPS.c.action).where(_STEPS.c.state.in_(_PENDING))
    calls: dict[int, str] = {row.claim_id: row.action for row in connection.execute(pending)}
    notes, held = [], 0
    for row in open_ones:
        after = claim_after(
            ClaimState(row.state),
            filed=row.opened_at is not None,
            hold=Hold(row.hold_reason) if row.hold_reason else None,
            approved=row.approved_at is not None,
            call=calls.get(row.id),
        )
        _write_claim(connection, row.id, after, now)
        if after.is_held:
            held += 1
            facts = {"was": row.state, "why": Hold.RESTORED.value}
            notes.append(DecisionNote(row.shop, "claim", row.id, CLAIM_RULE, VERSION, "held", _CLAIM_REASON, facts))
    log_decisions(connection, notes, now)
    return held


def _write_claim(connection: Connection, claim_id: int, after: ClaimAfter, now: datetime) -> None:
    if after.withdraws:
        mine = (_STEPS.c.claim_id == claim_id, _STEPS.c.state.in_(_PENDING))
        ended = {"state": "done", "done_at": now, "outcome": WITHDRAWN}
        connection.execute(update(_STEPS).where(*mine).values(**ended))
    values: dict[str, Any] = {"approved_at": None, "version": _CLAIMS.c.version + 1}
    if after.is_held:
        values |= {"state": ClaimState.WAITING_APPROVAL.value, "hold_reason": Hold.RESTORED.value}
    if after.looks:
        values["next_step_at"] = now
    connection.execute(update(_CLAIMS).where(_CLAIMS.c.id == claim_id).values(**values))


# --- alerts -----------------------------------------------------------------------------------------


def _alerts(connection: Connection) -> int:
    """What a sink was about to be told it was told, most likely, on the day the copy was made."""
    waiting = update(_ALERT_DELIVERIES).where(_ALERT_DELIVERIES.c.next_step_at.is_not(None))
    ended = {"state": "failed", "next_step_at": None, "reason": _ALERT_REASON}
    return connection.execute(waiting.values(**ended)).rowcount
