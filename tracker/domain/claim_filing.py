"""A claim until the carrier has it: when it is filed, what holds it back, and what follows the carrier's answer to it.

Each refusal has its answer here, and none is retried blindly. Sources: section 6.4 of the carrier's domain notes for what
each outcome is, design section 9 for windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from carriers.base import ClaimAnswer, ClaimOutcome, ClaimTerms
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.claim_letter import LETTER
from tracker.domain.claim_moves import (
    AFTER_EVENT_DAYS,
    LOOK_UP_AGAIN,
    UNANSWERED,
    Ask,
    ClaimFacts,
    Gates,
    Move,
    State,
    Step,
    next_follow,
    to_person,
    trailing,
)
from tracker.domain.freshness import is_stale
from tracker.domain.words import Hold

NOT_SENT_WAITS: Final = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
"""After a call that surely did not arrive; the last one goes on: the carrier is down, and its breaker says so."""
OPEN_GATES: Final = Gates()
WRITERS_HOLDS: Final = frozenset({Hold.PROPOSE, Hold.VALUE_CEILING, Hold.BY_WORDS})
"""Holds that a claim has only where the program itself would send or file it."""
NO_ADDRESS: Final = Gates(Hold.BY_LETTER, "the carrier takes claims by letter: send it, then approve")
FAILING_WAIT: Final = timedelta(days=1)
"""Where the carrier's machines fail beyond the waits of the table: one alert for all, and a try a day until the last day."""


def start(claim: ClaimFacts, gates: Gates, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """A claim that is planned or waits for a person: hold it, file it, or give it up after its last day."""
    today = days.local_date(now)
    if gates.look_first and not claim.by_letter:
        return _look_up_restored(claim, now)
    if today > claim.last_on:
        return _expired()
    if claim.approved_at is None and claim.hold in {Hold.CONFIGURATION, Hold.CARRIER_ANSWER, Hold.LETTER}:
        # Before the dates: one that moves must not make us forget that the carrier has refused it once.
        return _held(claim, Gates(claim.hold, "waits for a person"), claim.hold, days, now)
    if today < claim.claimable_from:
        return _too_early(claim, days)
    if claim.by_letter and claim.approved_at is not None and _is_with_a_person(claim):
        at = days.start_of(days.since.add(today, terms.escalate_business_days))
        return Move(State.OPEN, "claim.letter", "a person sent it", at, opened=True, outcome="registered")
    if claim.by_letter and claim.approved_at is not None and not claim.writes:
        # Approved for us to write, while there was an address or an API: nobody has sent it, and a person must know.
        return _held(claim, gates if gates.hold else NO_ADDRESS, gates.hold or Hold.BY_LETTER, days, now)
    call = LETTER if claim.by_letter else "open"
    if gates.hold is Hold.OBSERVE:
        # Whatever was approved while the shop was live: it has been taken back, and a person says it again.
        return _held(claim, gates, gates.hold, days, now)
    if claim.approved_at is not None:
        return Move(State.SUBMITTING, "claim.approved", "approved by a person", now, call=call)
    if gates.hold is not None:
        return _held(claim, gates, gates.hold, days, now)
    waits = _waits(claim, days, now)
    if waits is not None:
        return waits
    return Move(State.SUBMITTING, "claim.due", "its first allowed day has come", now, call=call)


def _is_with_a_person(claim: ClaimFacts) -> bool:
    """Whether an approval says that a person sent it: not where it was given while there was an address to write to."""
    return claim.hold is Hold.BY_LETTER or (not claim.writes and claim.hold not in WRITERS_HOLDS)


def _look_up_restored(claim: ClaimFacts, now: datetime) -> Move:
    reason = "the database was put back: the carrier is asked first whether it has this claim"
    return Move(State.WAITING_APPROVAL, "claim.restored_look", reason, now, call="look_up", hold=Hold.RESTORED)


def instead_of_filing(claim: ClaimFacts, days: Calendars, now: datetime, gates: Gates = OPEN_GATES) -> Move | None:
    """Right before a filing leaves: what to do instead where its day has moved away, or its last one gone by, since it was
    decided (a storm of errors lasts days, and the carrier re-plans meanwhile), or its shop has gone back to observing.
    None: it may leave."""
    today = days.local_date(now)
    if today > claim.last_on:
        return _expired()
    if claim.is_overtaken:
        return Move(State.PLANNED, "claim.overtaken", "what it was planned for is over: planned anew", now, replan=True)
    if today < claim.claimable_from:
        return _too_early(claim, days)
    if gates.hold is Hold.OBSERVE:
        return _held(claim, gates, gates.hold, days, now)
    return _waits(claim, days, now) if claim.needs_news and claim.approved_at is None else None


def _waits(claim: ClaimFacts, days: Calendars, now: datetime) -> Move | None:
    """What lets a claim wait on its day: no fresh word of tracking, or its turn within an incident. Near its deadline nothing
    does: a claim refused for a delivery costs less than one that was never filed."""
    if days.local_date(now) >= claim.alert_on:
        return None
    if claim.needs_news and _is_blind(claim, days, now):
        reason = "tracking has not answered since its day came: the parcel may have been delivered"
        return Move(State.PLANNED, "claim.needs_news", reason, now + LOOK_UP_AGAIN)
    if claim.paced_until is not None and now < claim.paced_until:
        reason = "one of many parcels with the same cause: it takes its turn within the day"
        return Move(State.PLANNED, "claim.paced", reason, claim.paced_until)
    return None


def _is_blind(claim: ClaimFacts, days: Calendars, now: datetime) -> bool:
    seen = claim.last_answered_at
    return seen is None or seen < days.start_of(claim.claimable_from) or is_stale(claim.next_look_at, now)


def after_lost_answer(claim: ClaimFacts, now: datetime) -> Move:
    """A call left and no answer came: look before anything is sent again. What the carrier has stays filed."""
    restored = Hold.RESTORED if claim.hold is Hold.RESTORED else None
    state = State.SUBMITTING if claim.opened_at is None and restored is None else claim.state
    return Move(state, "claim.lost_answer", "no answer came: look it up first", now, call="look_up", hold=restored)


def after_not_sent(claim: ClaimFacts, reason: str, now: datetime) -> Move:
    """The call surely did not arrive: try again, ever more slowly."""
    tries = trailing(claim.steps, "not_sent")
    wait = NOT_SENT_WAITS[min(tries, len(NOT_SENT_WAITS)) - 1] if tries else NOT_SENT_WAITS[0]
    call, ask, by_parcel = "open", None, False
    if claim.steps:
        last = claim.steps[-1]
        call = last.action
        ask = Ask(last.motive, last.kind, last.way or "") if call == "reopen" else None
        by_parcel = call == "look_up" and last.way is not None
    reason = f"did not reach the carrier: {reason}"
    restored = Hold.RESTORED if claim.hold is Hold.RESTORED else None
    return Move(
        claim.state, "claim.not_sent", reason, now + wait, call=call, ask=ask, by_parcel=by_parcel, hold=restored
    )


def after_refused_call(claim: ClaimFacts, reason: str, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """The carrier refused the call as such (unreadable to it, or its answer to us): a person looks. What it has taken is
    never filed again for that: only its next look-up may go better."""
    if claim.opened_at is not None and claim.steps and claim.steps[-1].action == "look_up":
        at = next_follow(claim.reopened_at or claim.opened_at, terms, days, now)
        alert = ("claim_needs_person", "warning", f"a claim cannot be looked up: {reason}")
        return Move(claim.state, "claim.not_found", f"its look-up was refused: {reason}", at, alert=alert)
    return to_person(claim, Hold.CARRIER_ANSWER, reason, days, now)


def after_open(claim: ClaimFacts, answer: ClaimAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """The carrier's answer to a filing."""
    outcome = answer.outcome
    if outcome in {ClaimOutcome.REGISTERED, ClaimOutcome.ALREADY_OPEN}:
        return _taken(claim, answer, terms, days, now)
    if outcome is ClaimOutcome.OTHER_MOTIVE:
        return _other_motive(claim, answer, terms, days, now)
    return _settle(claim, answer, outcome, terms, days, now)


# --- pieces -----------------------------------------------------------------------------------------


def _settle(
    claim: ClaimFacts, answer: ClaimAnswer, outcome: ClaimOutcome, terms: ClaimTerms, days: Calendars, now: datetime
) -> Move:
    """What an answer comes to that does not take the claim and names no other motive to try."""
    refusal = (answer.code, answer.text)
    if outcome is ClaimOutcome.REFUSED:
        return Move(
            State.REFUSED,
            "claim.refused",
            "refused for good by the carrier",
            outcome="refused",
            refusal=refusal,
            closed=True,
            by_contract=answer.text if answer.service_level else None,
        )
    if outcome is ClaimOutcome.NOT_YET:
        return _later(claim, answer, terms, days, now)
    hold = Hold.CONFIGURATION if outcome is ClaimOutcome.WRONG_CONFIGURATION else Hold.CARRIER_ANSWER
    reason = f"{answer.code}: {answer.text}"
    return to_person(claim, hold, reason, days, now, refusal, window_passed=answer.window_passed)


def _expired() -> Move:
    return Move(State.EXPIRED, "claim.window", "the carrier's window has closed", outcome="expired", closed=True)


def _too_early(claim: ClaimFacts, days: Calendars) -> Move:
    at = days.start_of(claim.claimable_from)
    return Move(State.PLANNED, "claim.window", "the carrier takes it from a later day", at)


def _held(claim: ClaimFacts, gates: Gates, hold: Hold, days: Calendars, now: datetime) -> Move:
    """Held claims are looked at again when the hold may end, on the day of the alert, and after the last day."""
    wakes = [days.start_of(claim.alert_on), days.start_of(claim.last_on + DAY), gates.until]
    wake = min(at for at in wakes if at is not None and at > now)
    facts = {"why": gates.why} if gates.why else {}
    return Move(State.WAITING_APPROVAL, f"claim.hold.{hold.value}", gates.reason, wake, hold=hold, facts=facts)


def _taken(claim: ClaimFacts, answer: ClaimAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    stands = answer.outcome is ClaimOutcome.ALREADY_OPEN
    # One of ours whose answer was lost may stand there; any other came through another channel.
    adopted = stands and not any(step.action == "open" and step.outcome == "lost" for step in claim.steps)
    reason = "the carrier registered it"
    if stands:
        reason = "a claim for it stands already" + (", opened through another channel" if adopted else ": our own")
    # Without a number it cannot be told or proven: ask for it soon.
    missing = answer.protocol is None
    at = now if missing and stands else now + LOOK_UP_AGAIN if missing else next_follow(now, terms, days, now)
    return Move(
        State.OPEN,
        "claim.adopted" if stands else "claim.registered",
        reason,
        at,
        opened=True,
        adopted=adopted,
        protocol=answer.protocol,
        outcome="registered",
        facts={"other_channel": True} if adopted else {},
    )


def _later(claim: ClaimFacts, answer: ClaimAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    today = days.local_date(now)
    refusal = (answer.code, answer.text)
    if answer.waits:
        return _after_wait(claim, answer, days, now)
    if answer.look_first:
        return _look_first(claim, answer, days, now)
    on = answer.not_before
    if on is None and answer.after_due:
        # Its calculator counts longer than every date it told us: the margin after whichever day is later.
        on = days.since.add(max(claim.due_max_on or today, today), terms.margin_business_days)
    if on is None:
        on = days.since.add(today, AFTER_EVENT_DAYS)
    on = max(on, today + DAY)  # a carrier that names today has just refused today
    reason = "the carrier takes it later"
    return Move(State.PLANNED, "claim.later", reason, days.start_of(on), claimable_from=on, refusal=refusal)


def _after_wait(claim: ClaimFacts, answer: ClaimAnswer, days: Calendars, now: datetime) -> Move:
    refusal = (answer.code, answer.text)
    tries = sum(step.code == answer.code for step in claim.steps if step.action == "open")
    if tries <= len(answer.waits):
        at = now + answer.waits[tries - 1]
        return Move(State.SUBMITTING, "claim.later", "the carrier asks for patience", at, call="open", refusal=refusal)
    if not answer.carrier_fault:
        return to_person(claim, Hold.CARRIER_ANSWER, f"{answer.code}: {answer.text}", days, now, refusal)
    return Move(
        State.SUBMITTING,
        "claim.carrier_failing",
        "the carrier's machines fail; tried once a day",
        now + FAILING_WAIT,
        call="open",
        refusal=refusal,
        alert=("claims_failing", "warning", f"takes no claims: {answer.code}: {answer.text}"),
    )


def _look_first(claim: ClaimFacts, answer: ClaimAnswer, days: Calendars, now: datetime) -> Move:
    """What tracking then shows decides: the claim is planned anew by it, or falls away. A carrier whose claims office and
    tracking still contradict each other on the next business day gets a person."""
    refusal = (answer.code, answer.text)
    if _trailing_code(claim.steps, answer.code) > 1:
        reason = f"{answer.code}: {answer.text} (its tracking says otherwise)"
        return to_person(claim, Hold.CARRIER_ANSWER, reason, days, now, refusal)
    on = days.since.add(days.local_date(now), 1)
    reason = "the carrier knows of something that its tracking had not told: look there first"
    return Move(
        State.PLANNED, "claim.look_first", reason, days.start_of(on), claimable_from=on, refusal=refusal, look=True
    )


def _other_motive(claim: ClaimFacts, answer: ClaimAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    refusal = (answer.code, answer.text)
    switch = _switch(claim, answer, terms)
    if switch is None:
        return _settle(claim, answer, answer.otherwise, terms, days, now)
    motive, kind, reason = switch
    return Move(State.SUBMITTING, "claim.switch", reason, now, call="open", motive=motive, kind=kind, refusal=refusal)


def _switch(claim: ClaimFacts, answer: ClaimAnswer, terms: ClaimTerms) -> tuple[str, str, str] | None:
    """(motive, kind, why) to try instead, once: what the carrier points to, else the offer's other pair."""
    tried = {step.motive for step in claim.steps if step.action == "open"}
    if answer.motive is not None and answer.motive not in tried:
        offered = (offer.kind.value for offer in terms.offers if offer.motive == answer.motive)
        return answer.motive, next(offered, claim.kind), f"not as {claim.motive}: tried as {answer.motive}"
    first_time = trailing(claim.steps, ClaimOutcome.OTHER_MOTIVE.value) <= 1
    pairs = {(step.motive, step.kind) for step in claim.steps if step.action == "open"}
    if first_time and claim.fallback is not None and claim.fallback not in {*pairs, (claim.motive, claim.kind)}:
        motive, kind = claim.fallback
        return motive, kind, f"not as {claim.kind}: tried as {kind}"
    return None


def _trailing_code(steps: Sequence[Step], code: str) -> int:
    """How many of the newest filings in a row were answered with this code."""
    count = 0
    for step in reversed([step for step in steps if step.action == "open" and step.outcome not in UNANSWERED]):
        if step.code != code:
            break
        count += 1
    return count
