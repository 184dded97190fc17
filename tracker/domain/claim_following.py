"""A claim that the carrier has, or may have: looked up after a lost answer, followed to its answer and its money.

Sources: sections 6.2 and 7.3 of the carrier's domain notes; terms come from `ClaimTerms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from carriers.base import ClaimProgress, ClaimStatus, ClaimTerms
from tracker.domain.calendar import Calendars
from tracker.domain.claim_letter import pursue_letter
from tracker.domain.claim_moves import (
    LOOK_UP_AGAIN,
    UNANSWERED,
    Ask,
    ClaimFacts,
    Gates,
    Move,
    State,
    Step,
    next_follow,
    trailing,
)
from tracker.domain.claim_reopening import due_reopening, lost_reopening, not_reopened, wanted
from tracker.domain.text import clean
from tracker.domain.words import Hold

_ANSWERED = {
    ClaimProgress.ACCEPTED: State.ACCEPTED,
    ClaimProgress.REJECTED: State.REJECTED,
    ClaimProgress.ANSWERED: State.ANSWERED,
}


def after_look_up(claim: ClaimFacts, status: ClaimStatus, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """What the carrier says of a claim: one that may have been filed or reopened, or one that is being followed."""
    if status.progress is ClaimProgress.NONE:
        return _not_found(claim, terms, days, now)
    lost = lost_reopening(claim.steps)
    if lost is not None and status.progress is not ClaimProgress.PAID and claim.indemnified_at is None:
        return _after_lost_reopening(claim, lost, status, terms, days, now)
    if claim.opened_at is not None:
        return _progress(claim, status, terms, days, now)
    move = replace(_progress(claim, status, terms, days, now), opened=True)
    if status.progress is ClaimProgress.OPEN:
        move = replace(move, rule="claim.adopted", reason="the carrier has it already", outcome="registered")
    return move


def pursue(claim: ClaimFacts, gates: Gates, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """A claim that the carrier has and whose time has come: reopen it, look at it, or leave it be."""
    if claim.indemnified_at is not None and not claim.by_letter:
        return follow(claim, terms, days, now)
    if claim.by_letter:
        return pursue_letter(claim, gates, terms, days, now)
    if gates.look_first:
        return follow(claim, terms, days, now)
    return due_reopening(claim, gates, terms, days, now) or follow(claim, terms, days, now)


def follow(claim: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """A filed claim whose time has come: ask the carrier for its answer, or stop asking."""
    if claim.indemnified_at is not None:
        return Move(State.PAID, "claim.paid", "tracking shows the indemnity", outcome="paid", closed=True)
    since = _since(claim, now)
    if days.local_date(now) > days.local_date(since) + timedelta(days=terms.follow_days):
        reason = f"not followed beyond {terms.follow_days} days"
        silent = claim.state in {State.OPEN, State.REOPENED}
        alert = ("claim_unanswered", "warning", "a claim was never answered") if silent else None
        return Move(claim.state, "claim.follow_ends", reason, outcome=claim.state.value, closed=True, alert=alert)
    return Move(claim.state, "claim.ask", "asks the carrier for its answer, at a quiet hour", now, call="look_up")


# --- pieces -----------------------------------------------------------------------------------------


def _since(claim: ClaimFacts, now: datetime) -> datetime:
    """From when the carrier's terms run: the newest reopening, else the filing."""
    return claim.reopened_at or claim.opened_at or now


def _not_found(claim: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    if claim.opened_at is not None:
        if claim.steps and claim.steps[-1].way is not None:
            return not_reopened(claim, "its protocol is not known, nor any claim on the parcel", None, terms, days, now)
        at = next_follow(_since(claim, now), terms, days, now)
        alert = ("claim_vanished", "warning", "the carrier no longer finds a claim that it took")
        gone = _not_found_times(claim.steps) >= 3
        return Move(claim.state, "claim.not_found", "the carrier does not find it", at, alert=alert if gone else None)
    if claim.hold is Hold.RESTORED and claim.approved_at is not None:
        return Move(State.SUBMITTING, "claim.approved", "approved by a person, and not filed yet", now, call="open")
    if claim.hold is Hold.RESTORED:
        reason = "the carrier has no claim for it: filed once a person lets it go"
        return Move(State.WAITING_APPROVAL, "claim.hold.restored", reason, now, hold=Hold.RESTORED)
    if _not_found_times(claim.steps) < 2:
        at = now + LOOK_UP_AGAIN
        return Move(State.SUBMITTING, "claim.lost_answer", "not found yet: look once more", at, call="look_up")
    return Move(State.SUBMITTING, "claim.lost_answer", "it never arrived: filed again", now, call="open")


def _after_lost_reopening(
    claim: ClaimFacts, lost: Step, status: ClaimStatus, terms: ClaimTerms, days: Calendars, now: datetime
) -> Move:
    """The call that reopens it left and no answer came: the carrier's own mark tells whether it had arrived."""
    if status.progress is ClaimProgress.REOPENED:
        return Move(
            State.REOPENED,
            "claim.reopen_adopted",
            "the reopening whose answer was lost had arrived",
            next_follow(now, terms, days, now),
            reopened=True,
            motive=lost.motive,
            kind=lost.kind,
            protocol=status.protocol,
            carrier_state=status.carrier_state,
            outcome="registered",
        )
    if _looks_since(claim.steps, lost) < 2:
        reason = "the reopening does not show yet: look once more"
        return Move(claim.state, "claim.lost_answer", reason, now + LOOK_UP_AGAIN, call="look_up")
    ask = Ask(lost.motive, lost.kind, lost.way or "")
    return Move(claim.state, "claim.reopen", "the reopening never arrived: asked again", now, call="reopen", ask=ask)


def _progress(claim: ClaimFacts, status: ClaimStatus, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    if claim.adopted:
        # Somebody else chose its motive and kind: the carrier says which.
        kind = status.kind.value if status.kind is not None else claim.kind
        claim = replace(claim, motive=status.motive or claim.motive, kind=kind)
    # By letter it is a person who says what came of it; what tracking shows only asked them.
    shown = claim.indemnified_at is not None and not claim.by_letter
    if shown or status.progress is ClaimProgress.PAID:
        move = Move(
            State.PAID,
            "claim.paid",
            "the carrier says it has paid",
            answered_on=status.answered_on or days.local_date(now),
            outcome="paid",
            closed=True,
        )
    elif status.progress is ClaimProgress.NOT_FOLLOWED:
        move = _not_followed(claim, status)
    elif status.progress in _ANSWERED and not _is_old_answer(claim, status, days):
        move = _answered(claim, status, terms, days, now)
    else:
        move = _unanswered(claim, status, terms, days, now)
    return replace(
        move,
        motive=claim.motive if claim.adopted else None,
        kind=claim.kind if claim.adopted else None,
        protocol=status.protocol,
        granted_cents=status.granted_cents,
        carrier_state=status.carrier_state,
        by_contract=move.by_contract or ("registered by the service-level system" if status.service_level else None),
    )


def _not_followed(claim: ClaimFacts, status: ClaimStatus) -> Move:
    """Nothing more will ever be shown of it: tracking alone can still tell of a payment."""
    reason = "the carrier's contract handles it and shows nothing more of it"
    state = State.OPEN if claim.opened_at is None else claim.state
    return Move(
        state, "claim.not_followed", reason, outcome="by_contract", closed=True, by_contract=status.text or reason
    )


def _is_old_answer(claim: ClaimFacts, status: ClaimStatus, days: Calendars) -> bool:
    """The answer that the reopening was about; one of the same day is taken for it too."""
    if claim.reopened_at is None or claim.state is not State.REOPENED or status.answered_on is None:
        return False
    return status.answered_on <= days.local_date(claim.reopened_at)


def _answered(claim: ClaimFacts, status: ClaimStatus, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    state = _ANSWERED[status.progress]
    protocol = status.protocol or claim.protocol
    after = wanted(replace(claim, state=state, outcome=state.value, protocol=protocol), terms)
    rejected = state is State.REJECTED
    alert = None
    if state is State.ANSWERED:
        alert = ("claim_needs_person", "warning", "a claim was answered without saying for or against")
    ends = rejected and after is None
    if ends:
        alert = ("claim_rejected", "warning", _rejection(status.text))
    at = next_follow(_since(claim, now), terms, days, now)
    return Move(
        state,
        f"claim.{state.value}",
        f"the carrier answered: {state.value}",
        None if ends else now if after is not None else at,
        answered_on=status.answered_on or days.local_date(now),
        outcome=state.value,
        closed=ends,
        alert=alert,
        facts={"text": status.text, "carrier_state": status.carrier_state},
    )


def _rejection(text: str) -> str:
    words = clean(text)
    return f"rejected by the carrier: {words}" if words else "rejected by the carrier, which gives no reason"


def _unanswered(claim: ClaimFacts, status: ClaimStatus, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    reopened = status.progress is ClaimProgress.REOPENED or claim.state is State.REOPENED
    since = _since(claim, now)
    waited = days.until.count(days.local_date(since), days.local_date(now))
    alert = None
    if waited >= terms.escalate_business_days:
        alert = ("claim_unanswered", "warning", f"no answer to a claim after {waited} business days")
    state = State.REOPENED if reopened else State.OPEN
    return Move(state, "claim.follow", "not answered yet", next_follow(since, terms, days, now), alert=alert)


def _not_found_times(steps: Sequence[Step]) -> int:
    """How often in a row the carrier found nothing, since the last filing. A look-up that brought no answer says nothing:
    counted as a break, a carrier (or a machine) that fails every second time would keep the claim from being filed."""
    answered = [step for step in steps if step.action == "open" or step.outcome not in UNANSWERED]
    return trailing(answered, ClaimProgress.NONE.value)


def _looks_since(steps: Sequence[Step], lost: Step) -> int:
    return sum(s.seq > lost.seq and s.action == "look_up" and s.outcome not in {None, *UNANSWERED} for s in steps)
