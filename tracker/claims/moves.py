"""Writes a claim's next move: its state, the call it intends, why, and what the operator must hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from tracker.domain.claim_moves import RULE_VERSIONS, Move
from tracker.domain.words import ClaimState
from tracker.store.claims import ClaimRow, add_step, save_claim
from tracker.store.decisions import log_changes
from tracker.store.logs import DecisionNote, SignalNote, log_decisions, signal
from tracker.store.wake import wake, wake_polling

log = structlog.get_logger(__name__)
REJECTED_ALERT = "claim_rejected"
_ALERTS_THAT_END_WITH_THE_CLAIM = (
    "claim_deadline",
    "claim_needs_person",
    "claim_unanswered",
    "claim_vanished",
    REJECTED_ALERT,
)
_ALERTS_THAT_END_WITH_AN_ANSWER = ("claim_needs_person", "claim_unanswered", "claim_vanished")


def apply_move(connection: Connection, claim: ClaimRow, move: Move, *, token: str | None, now: datetime) -> bool:
    """Save a move in the transaction of the answer it follows; False where the claim was no longer ours."""
    if not save_claim(connection, claim, _values(claim, move, now), token):
        return False
    if move.call is not None:
        motive, kind = move.motive or claim.motive, move.kind or claim.kind
        add_step(connection, claim.id, action=move.call, motive=motive, kind=kind, now=now)
    outcome = "held" if move.hold else move.state.value
    version, facts = RULE_VERSIONS[move.rule], _shown(claim, move)
    note = DecisionNote(claim.shop, "claim", claim.id, move.rule, version, outcome, move.reason, facts)
    changed = move.state is not claim.state or (move.hold.value if move.hold else None) != claim.hold_reason
    # What comes back to a state that it has left is news, also where the same rule said the same before.
    (log_decisions if changed else log_changes)(connection, [note], now)
    _signal(connection, claim, move, now)
    if move.look:
        wake_polling(connection, [(claim.shipment_id, claim.carrier)], now)
    if move.state is not claim.state:
        log.info("claim.moved", claim_id=claim.id, state=move.state.value, rule=move.rule, carrier=claim.carrier)
        wake(connection, "messages", [claim.shipment_id], now)
    if move.state is ClaimState.REJECTED:
        # Where the parcel came before the answer, nothing else would end the alert.
        wake(connection, "claims", [claim.shipment_id], now)
    return True


def _values(claim: ClaimRow, move: Move, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": move.state.value,
        "hold_reason": move.hold.value if move.hold else None,
        "next_step_at": None if move.closed else move.next_step_at,
    }
    if move.protocol is not None:
        values["protocol"] = move.protocol
    if move.motive is not None:
        values["motive"] = move.motive
    if move.kind is not None:
        values["kind"] = move.kind
    if move.claimable_from is not None:
        values["claimable_from"] = move.claimable_from
    if move.opened and claim.opened_at is None:
        values["opened_at"] = now
    if move.answered_on is not None and claim.answered_at is None:
        values["answered_at"] = now
    if move.outcome is not None:
        values["outcome"] = move.outcome
    if move.refusal is not None:
        values["refusal_code"], values["refusal_text"] = move.refusal
    if move.hold is not None:
        # What comes back to a person waits for the person again.
        values["approved_at"] = None
    if move.closed:
        values["closed_at"] = now
    return values


def _shown(claim: ClaimRow, move: Move) -> Mapping[str, Any]:
    return {
        "claimable_from": (move.claimable_from or claim.claimable_from).isoformat(),
        "deadline_on": claim.deadline_on.isoformat(),
        "motive": move.motive or claim.motive,
        "kind": move.kind or claim.kind,
        "protocol": move.protocol or claim.protocol,
        "next_step_at": move.next_step_at.isoformat() if move.next_step_at else None,
        **({"answer_code": move.refusal[0], "answer_text": move.refusal[1]} if move.refusal else {}),
        **move.facts,
    }


def _signal(connection: Connection, claim: ClaimRow, move: Move, now: datetime) -> None:
    over: Sequence[str] = ()
    if move.closed or move.opened or move.state is ClaimState.SUBMITTING:
        over = _ALERTS_THAT_END_WITH_THE_CLAIM
    elif move.answered_on is not None:
        over = _ALERTS_THAT_END_WITH_AN_ANSWER
    raised = move.alert[0] if move.alert is not None else None
    notes = settled_notes(claim, [kind for kind in over if kind != raised])
    if move.alert is not None:
        kind, severity, summary = move.alert
        notes.append(_note(claim, kind, severity, f"claim {claim.id} ({claim.carrier}): {summary}"))
    signal(connection, notes, now)


def settled_notes(claim: ClaimRow, kinds: Sequence[str] = _ALERTS_THAT_END_WITH_THE_CLAIM) -> list[SignalNote]:
    """What a claim had to be looked at for is over."""
    return [_note(claim, kind, "info", "settled", raised=False) for kind in kinds]


def deadline_note(claim: ClaimRow, why: str) -> SignalNote:
    """A claim is not filed and its deadline is near."""
    summary = f"claim {claim.id} ({claim.carrier}) must be filed by {claim.deadline_on}: {why}"
    return _note(claim, "claim_deadline", "critical", summary)


def _note(claim: ClaimRow, kind: str, severity: str, summary: str, *, raised: bool = True) -> SignalNote:
    key = f"{kind}:{claim.id}"
    if kind == "claims_by_contract":
        # Such a contract refuses every claim of the motive: one alert says it.
        key = f"{kind}:{claim.carrier}:{claim.motive}"
    details = {"claim_id": claim.id, "shipment_id": claim.shipment_id, "deadline_on": claim.deadline_on.isoformat()}
    return SignalNote(key, kind, severity, summary, raised, claim.shop, details)
