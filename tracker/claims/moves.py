"""Writes a claim's next move: its state, the call it intends, why, and what the operator must hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from carriers.base import ClaimTerms
from tracker import metrics
from tracker.domain.claim_moves import RULE_VERSIONS, Move
from tracker.domain.words import ClaimState
from tracker.store.claims import NOTE, WAY, ClaimRow, add_step, save_claim
from tracker.store.decisions import log_changes
from tracker.store.logs import DecisionNote, SignalNote, call_off, log_decisions, signal
from tracker.store.wake import wake, wake_polling

log = structlog.get_logger(__name__)
REJECTED_ALERT = "claim_rejected"
_ALERTS_THAT_END_WITH_THE_CLAIM = (
    "claim_deadline_near",
    "claim_deadline",
    "claim_needs_person",
    "claim_unanswered",
    "claim_vanished",
    REJECTED_ALERT,
)
FAILING: Final = "claims_failing"
"""One alert for all claims of a carrier whose machines fail."""
_ALERTS_THAT_END_WITH_AN_ANSWER = ("claim_needs_person", "claim_unanswered", "claim_vanished")


def apply_move(connection: Connection, claim: ClaimRow, move: Move, *, token: str | None, now: datetime) -> bool:
    """Save a move in the transaction of the answer it follows; False where the claim was no longer ours."""
    if not save_claim(connection, claim, _values(claim, move, now), token):
        return False
    if move.call is not None:
        _intend(connection, claim, move, move.call, now)
    outcome = "held" if move.hold else move.state.value
    version, facts = RULE_VERSIONS[move.rule], _shown(claim, move)
    note = DecisionNote(claim.shop, "claim", claim.id, move.rule, version, outcome, move.reason, facts)
    changed = move.state is not claim.state or (move.hold.value if move.hold else None) != claim.hold_reason
    # What comes back to a state that it has left is news, also where the same rule said the same before.
    (log_decisions if changed else log_changes)(connection, [note], now)
    _signal(connection, claim, move, now)
    if move.replan:
        wake(connection, "claims", [claim.shipment_id], now)
    if move.look:
        wake_polling(connection, [(claim.shipment_id, claim.carrier)], now)
    if move.state is not claim.state:
        metrics.claim_moved(claim.carrier, move.state.value)
        log.info("claim.moved", claim_id=claim.id, state=move.state.value, rule=move.rule, carrier=claim.carrier)
        wake(connection, "messages", [claim.shipment_id], now)
    if move.state is ClaimState.REJECTED:
        # Where the parcel came before the answer, only a look at a later day ends the alert.
        wake(connection, "claims", [claim.shipment_id], now)
    return True


def _intend(connection: Connection, claim: ClaimRow, move: Move, call: str, now: datetime) -> None:
    motive, kind = move.motive or claim.motive, move.kind or claim.kind
    facts: dict[str, Any] = {}
    if move.ask is not None:
        motive, kind, facts = move.ask.motive, move.ask.kind, {WAY: move.ask.way}
    elif move.by_parcel:
        facts = {WAY: ""}
    if move.note:
        facts[NOTE] = move.note
    add_step(connection, claim.id, action=call, motive=motive, kind=kind, now=now, facts=facts)


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
        if move.kind != claim.kind:
            # What a refund is expected to bring is nothing that an inquiry brings.
            values["expected_cents"] = None
    if move.claimable_from is not None:
        values["claimable_from"] = move.claimable_from
    if move.opened and claim.opened_at is None:
        values |= {"opened_at": now, "adopted": move.adopted}
    if move.reopened:
        values["reopened_at"] = now
    if move.answered_on is not None and (claim.answered_at is None or _is_of_a_reopening(claim)):
        values["answered_at"] = now
    for name in ("granted_cents", "received_cents", "expected_cents", "carrier_state"):
        if getattr(move, name) is not None:
            values[name] = getattr(move, name)
    if move.outcome is not None:
        values["outcome"] = move.outcome
    if move.refusal is not None:
        values["refusal_code"], values["refusal_text"] = move.refusal
    if move.hold is not None and move.call is None:
        # What comes back to a person waits for the person again.
        values["approved_at"] = None
    if move.closed:
        values["closed_at"] = now
    return values


def _is_of_a_reopening(claim: ClaimRow) -> bool:
    return claim.reopened_at is not None and claim.answered_at is not None and claim.answered_at <= claim.reopened_at


def _shown(claim: ClaimRow, move: Move) -> Mapping[str, Any]:
    return {
        "claimable_from": (move.claimable_from or claim.claimable_from).isoformat(),
        "deadline_on": claim.deadline_on.isoformat(),
        "motive": move.motive or claim.motive,
        "kind": move.kind or claim.kind,
        "protocol": move.protocol or claim.protocol,
        "next_step_at": move.next_step_at.isoformat() if move.next_step_at else None,
        **({"reopened_as": f"{move.ask.motive} {move.ask.kind} ({move.ask.way})"} if move.ask else {}),
        **({"answer_code": move.refusal[0], "answer_text": move.refusal[1]} if move.refusal else {}),
        **move.facts,
    }


def _signal(connection: Connection, claim: ClaimRow, move: Move, now: datetime) -> None:
    over: Sequence[str] = ()
    if move.closed or move.opened or move.reopened or move.state is ClaimState.SUBMITTING:
        over = _ALERTS_THAT_END_WITH_THE_CLAIM
    elif move.answered_on is not None:
        over = _ALERTS_THAT_END_WITH_AN_ANSWER
    raised = move.alert[0] if move.alert is not None else None
    ended = settled_notes(claim, [kind for kind in over if kind != raised])
    if move.opened or move.reopened:
        ended.append(_note(claim, FAILING, "info", f"{claim.carrier} takes claims again", raised=False))
    call_off(connection, ended, now)
    if move.alert is not None:
        kind, severity, summary = move.alert
        named = claim.carrier if kind == FAILING else f"claim C{claim.id} ({claim.carrier})"
        signal(connection, [_note(claim, kind, severity, f"{named}: {summary}")], now)


def settled_notes(claim: ClaimRow, kinds: Sequence[str] = _ALERTS_THAT_END_WITH_THE_CLAIM) -> list[SignalNote]:
    """What a claim had to be looked at for is over."""
    return [_note(claim, kind, "info", "settled", raised=False) for kind in kinds]


def near_note(claim: ClaimRow) -> SignalNote:
    """A claim is not filed and its deadline is near."""
    summary = f"claim C{claim.id} ({claim.carrier}) is not filed and must be by {claim.deadline_on}: {_why(claim)}"
    return _note(claim, "claim_deadline_near", "warning", summary)


def deadline_note(claim: ClaimRow, code: str, terms: ClaimTerms) -> SignalNote:
    """The carrier's window closes and the claim is not filed: a person has all it takes to do it by hand."""
    summary = (
        f"claim C{claim.id} ({claim.carrier}) about {code} is not filed and its term ends on {claim.deadline_on}: "
        f"{_why(claim)}. A person can file it by hand; it is still tried until {claim.last_on}"
    )
    return _note(claim, "claim_deadline", "critical", summary, text=by_hand(claim, code, terms))


def by_hand(claim: ClaimRow, code: str, terms: ClaimTerms) -> str:
    """What a person needs to file it: which parcel, as what, where, and the law; in the merchant's language."""
    kind = "indenização" if claim.kind == "refund" else "reclamação"
    said = f" Resposta da transportadora: {claim.refusal_code}: {claim.refusal_text}." if claim.refusal_code else ""
    what = f"Objeto {code}, motivo {claim.motive} ({kind}), C{claim.id} da loja {claim.shop}."
    until = f"Prazo: {claim.deadline_on:%d/%m/%Y}; pela lei, até {claim.last_on:%d/%m/%Y}."
    return " ".join(f"{what} {until}{said} {terms.by_hand}".split())


def _why(claim: ClaimRow) -> str:
    if claim.hold_reason is not None:
        return f"it waits ({claim.hold_reason})"
    if claim.refusal_code is not None:
        return f"the carrier puts it off ({claim.refusal_code}: {claim.refusal_text})"
    if claim.state is ClaimState.SUBMITTING:
        return "it does not get through to the carrier"
    return f"its first allowed day is {claim.claimable_from}"


def _note(
    claim: ClaimRow, kind: str, severity: str, summary: str, *, raised: bool = True, text: str | None = None
) -> SignalNote:
    if kind == FAILING:
        # Every claim of the carrier meets the same fault: one alert says it.
        return SignalNote(
            f"{kind}:{claim.carrier}", kind, severity, summary, raised, details={"carrier": claim.carrier}
        )
    details = {"claim_id": claim.id, "shipment_id": claim.shipment_id, "deadline_on": claim.deadline_on.isoformat()}
    if text is not None:
        details["text"] = text
    return SignalNote(f"{kind}:{claim.id}", kind, severity, summary, raised, claim.shop, details)
