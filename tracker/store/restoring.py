"""Holds what a database that was put back would send once more, in one transaction (see `tracker.domain.restoring`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from tracker.domain.alerting import WordState
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
from tracker.store.alerts import consume, new_signals, raise_alert, resolve_alert
from tracker.store.leases import free_all
from tracker.store.logs import DecisionNote, log_decisions
from tracker.store.restores import add_restore
from tracker.store.tables import (
    Alert,
    AlertDelivery,
    AlertNotification,
    Claim,
    ClaimStep,
    Delivery,
    Digest,
    Letter,
    Notice,
    Pulse,
    table,
)

_CLAIMS, _STEPS, _DELIVERIES, _NOTICES = table(Claim), table(ClaimStep), table(Delivery), table(Notice)
_LETTERS, _DIGESTS = table(Letter), table(Digest)
_ALERTS, _WORDS, _NOTIFICATIONS, _PULSES = (table(model) for model in (Alert, AlertDelivery, AlertNotification, Pulse))
_PENDING: Final = ("intended", "calling")
_MAY_CHANGE: Final = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.UNCONFIRMED,
    DeliveryState.AWAITING_PERSON,
)
_UNSETTLED: Final = (DeliveryState.QUEUED.value, DeliveryState.SENDING.value, DeliveryState.AWAITING_PERSON.value)
"""States of a letter that may leave, or may just have left."""
_ALERT_REASON: Final = (
    "the database was put back: it may have been told before; tracker alerts --open shows what stands"
)
_DIGEST_REASON: Final = "the database was put back: it may have been sent before; tracker digest prints it"
_REMINDED_AFTER: Final = timedelta(days=1)
"""So long after a restore nobody is reminded of an alert from the copy: the facts end most of them first."""
_AT_ONCE: Final = 1_000
_CLAIM_REASON: Final = (
    "it was about to leave when the copy was made: the carrier is asked first where it can be, then a person"
)


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
    _digests(connection)
    return HeldBack(_messages(connection, now), _claims(connection, now), _alerts(connection, now))


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
    calls = _calls(connection)
    notes, held = [], 0
    for row in open_ones:
        call = calls.get(row.id)
        after = claim_after(
            ClaimState(row.state),
            filed=row.opened_at is not None,
            hold=Hold(row.hold_reason) if row.hold_reason else None,
            approved=row.approved_at is not None,
            call=call.action if call else None,
            is_known=call is not None and call.is_known,
        )
        _write_claim(connection, row.id, after, now)
        if after.is_held:
            held += 1
            facts = {"was": row.state, "why": Hold.RESTORED.value}
            notes.append(DecisionNote(row.shop, "claim", row.id, CLAIM_RULE, VERSION, "held", _CLAIM_REASON, facts))
    _call_letters_off(connection, now)
    log_decisions(connection, notes, now)
    return held


@dataclass(frozen=True, slots=True)
class _Call:
    """A call or letter that was on its way; `is_known`: what became of the letter is."""

    action: str
    is_known: bool


def _calls(connection: Connection) -> dict[int, _Call]:
    """By claim."""
    query = (
        select(_STEPS.c.claim_id, _STEPS.c.action, _LETTERS.c.state)
        .outerjoin(_LETTERS, _LETTERS.c.step_id == _STEPS.c.id)
        .where(_STEPS.c.state.in_(_PENDING))
    )
    return {
        claim_id: _Call(action, letter is not None and letter not in _UNSETTLED)
        for claim_id, action, letter in connection.execute(query)
    }


def _call_letters_off(connection: Connection, now: datetime) -> None:
    """No claim wants them any more: their lane ends them at its first look, one that was leaving as unconfirmed. The row
    stays, and so its Message-ID, for a person who has the letter sent again."""
    unsettled = _LETTERS.c.state.in_(_UNSETTLED)
    connection.execute(update(_LETTERS).where(unsettled).values(next_step_at=now))


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


# --- alerts and digests -----------------------------------------------------------------------------


def _alerts(connection: Connection, now: datetime) -> int:
    """What a sink was about to be told it was told, most likely, on the day the copy was made; how many words those were.

    They count as told: a word that failed would be said once more. Nor is it news that nobody worked on this copy.
    """
    while signals := new_signals(connection, _AT_ONCE):
        for one in signals:
            # An alert of which nobody is to be told stands in the list all the same.
            (raise_alert if one.raised else resolve_alert)(connection, one)
        consume(connection, [one.id for one in signals], now)
    waiting = {"state": WordState.SENT.value, "next_step_at": None, "held_for": None, "reason": _ALERT_REASON}
    words = connection.execute(update(_WORDS).where(_WORDS.c.state == WordState.QUEUED.value).values(**waiting))
    leaving = {"state": "unconfirmed", "next_step_at": None, "reason": _ALERT_REASON}
    connection.execute(update(_NOTIFICATIONS).where(_NOTIFICATIONS.c.next_step_at.is_not(None)).values(**leaving))
    later = now + _REMINDED_AFTER
    connection.execute(update(_ALERTS).where(_ALERTS.c.next_look_at < later).values(next_look_at=later))
    connection.execute(delete(_PULSES))
    return words.rowcount


def _digests(connection: Connection) -> None:
    """A digest that was to leave may have left. What it would have told the next one tells; one that was leaving is behind."""
    for was, state in (("queued", "expired"), ("sending", "unconfirmed")):
        ended = {"state": state, "next_step_at": None, "reason": _DIGEST_REASON}
        connection.execute(update(_DIGESTS).where(_DIGESTS.c.state == was).values(**ended))
