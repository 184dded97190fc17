"""An answered claim: which one is reopened, as what and when, and what follows the carrier's answer to that.

An accepted inquiry is reopened as a refund request, because that is how its money comes; a rejection is contested once; a
problem of the same parcel that came after the filing takes its place. Each way is gone once at most. Sources: sections 6.3,
6.4 (second table) and 7.1 of the carrier's domain notes; which motives and how long is in `ClaimTerms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from carriers.base import ClaimProgress, ClaimTerms, ProblemKind, ReopenAnswer, ReopenOutcome
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.claim_moves import (
    AFTER_EVENT_DAYS,
    UNANSWERED,
    Ask,
    ClaimFacts,
    Gates,
    Move,
    State,
    Step,
    next_follow,
)
from tracker.domain.words import Hold

REFUND, CONTEST, PROBLEM = "refund", "contest", "problem"
ANSWER_TRIES: Final = 5
"""So often a claim that shows its answer and is not reopened as "not answered yet" is tried, a day apart."""
_UNDELIVERED: Final = frozenset({ProblemKind.DELAY, ProblemKind.LOSS, ProblemKind.THEFT})
_SPENT: Final = frozenset({ReopenOutcome.REOPENED.value, ReopenOutcome.REFUSED.value, ReopenOutcome.ALREADY.value})


# --- what is wanted ---------------------------------------------------------------------------------


def wanted(claim: ClaimFacts, terms: ClaimTerms) -> Ask | None:
    """What an answered claim is reopened as; None where nothing is to be had by it."""
    asks: list[Ask | None] = []
    if claim.protocol is None:
        return None
    if claim.outcome == State.ACCEPTED.value:
        asks = [_as_refund(claim, terms)]
    elif claim.outcome == State.REJECTED.value:
        asks = [_for_second(claim, terms), _as_contest(claim, terms)]
    return next((ask for ask in asks if ask is not None and not _is_spent(claim.steps, ask.way)), None)


def _as_refund(claim: ClaimFacts, terms: ClaimTerms) -> Ask | None:
    if claim.kind != "information_request" or claim.motive not in terms.refund_motives:
        return None
    if claim.second is not None:
        return Ask(claim.second[0], "refund", REFUND)
    return Ask(claim.motive, "refund", REFUND) if _still_fits(claim, terms) else None


def _for_second(claim: ClaimFacts, terms: ClaimTerms) -> Ask | None:
    if claim.second is None or not _takes_reopenings(terms):
        return None
    return Ask(*claim.second, PROBLEM)


def _as_contest(claim: ClaimFacts, terms: ClaimTerms) -> Ask | None:
    if terms.contest_days is None or not _still_fits(claim, terms):
        return None
    return Ask(claim.motive, claim.kind, CONTEST)


def _takes_reopenings(terms: ClaimTerms) -> bool:
    return terms.contest_days is not None or bool(terms.refund_motives)


def _still_fits(claim: ClaimFacts, terms: ClaimTerms) -> bool:
    """What has been delivered since is no longer "not delivered"."""
    undelivered = {offer.motive for offer in terms.offers if offer.problem in _UNDELIVERED}
    return claim.delivered_at is None or claim.motive not in undelivered


def _is_spent(steps: Sequence[Step], way: str) -> bool:
    mine = [step for step in steps if step.action == "reopen" and step.way == way]
    if any(step.outcome in _SPENT for step in mine):
        return True
    if _count(mine, ReopenOutcome.NOT_FOUND) > 1:
        return True
    # One whose answer was lost, and which the carrier then showed as reopened.
    return any(step.outcome == "lost" and _next_look(steps, step) == ClaimProgress.REOPENED.value for step in mine)


def _next_look(steps: Sequence[Step], after: Step) -> str | None:
    looks = (s.outcome for s in steps if s.seq > after.seq and s.action == "look_up" and s.outcome not in UNANSWERED)
    found = [outcome for outcome in looks if outcome is not None]
    # The first look may come before the reopening shows.
    return ClaimProgress.REOPENED.value if ClaimProgress.REOPENED.value in found[:2] else next(iter(found), None)


# --- deciding ---------------------------------------------------------------------------------------


def due_reopening(claim: ClaimFacts, gates: Gates, terms: ClaimTerms, days: Calendars, now: datetime) -> Move | None:
    """What a filed claim that is due does about a reopening; None where there is none to decide about now."""
    waits = claim.state is State.WAITING_APPROVAL
    if not waits and not _just_answered(claim):
        return None
    ask = wanted(claim, terms)
    if ask is None:
        return _ended(claim, "there is nothing to reopen it for any more", terms, days, now) if waits else None
    ends_on = _ends_on(claim, ask, terms, days, now)
    if days.local_date(now) > ends_on:
        return _ended(claim, "the term for reopening it has passed", terms, days, now)
    if gates.hold is Hold.OBSERVE:
        return _held(gates.hold, gates.reason, ends_on, days, now, gates.until)
    if waits and claim.approved_at is not None:
        return _reopen(claim, ask, "approved by a person", now)
    if waits and claim.hold in {Hold.CONFIGURATION, Hold.CARRIER_ANSWER}:
        return _held(claim.hold, "waits for a person", ends_on, days, now, None)
    if gates.hold is not None:
        return _held(gates.hold, gates.reason, ends_on, days, now, gates.until)
    reasons = {
        REFUND: "accepted: reopened as a refund request, which is how its money comes",
        CONTEST: "rejected: contested once",
        PROBLEM: "rejected, and the parcel has another problem since",
    }
    return _reopen(claim, ask, reasons[ask.way], now)


def instead_of_reopening(
    claim: ClaimFacts, gates: Gates, terms: ClaimTerms, days: Calendars, now: datetime
) -> Move | None:
    """Right before a reopening leaves: it waits where its shop has gone back to observing. None: it may leave."""
    ask = wanted(claim, terms)
    if gates.hold is not Hold.OBSERVE or ask is None:
        return None
    ends_on = max(_ends_on(claim, ask, terms, days, now), days.local_date(now))
    return _held(gates.hold, gates.reason, ends_on, days, now, gates.until)


def _just_answered(claim: ClaimFacts) -> bool:
    """The newest thing we heard is the answer itself: nothing is reopened on old news."""
    last = claim.steps[-1] if claim.steps else None
    return last is not None and last.action == "look_up" and last.outcome == claim.outcome == claim.state.value


def _ends_on(claim: ClaimFacts, ask: Ask, terms: ClaimTerms, days: Calendars, now: datetime) -> date:
    """Until when the reopening may wait. The term of a contest counts from the day we learned of the rejection."""
    if ask.way == CONTEST and terms.contest_days is not None:
        return days.local_date(claim.answered_at or now) + timedelta(days=terms.contest_days)
    return days.local_date(claim.answered_at or now) + timedelta(days=terms.follow_days)


def _reopen(claim: ClaimFacts, ask: Ask, reason: str, now: datetime) -> Move:
    return Move(_answered_state(claim), "claim.reopen", reason, now, call="reopen", ask=ask)


def _held(hold: Hold, reason: str, ends_on: date, days: Calendars, now: datetime, until: datetime | None) -> Move:
    wakes = [days.start_of(ends_on + DAY), until]
    wake = min(at for at in wakes if at is not None and at > now)
    return Move(State.WAITING_APPROVAL, f"claim.hold.{hold.value}", reason, wake, hold=hold)


def _ended(claim: ClaimFacts, reason: str, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """No reopening any more: a rejection is the end, an acceptance is still followed to its money, as long as any other."""
    move = _without_reopening(claim, "claim.reopen_term", reason, terms, days, now)
    since = claim.reopened_at or claim.opened_at or now
    over = days.local_date(now) > days.local_date(since) + timedelta(days=terms.follow_days)
    return replace(move, next_step_at=None, closed=True) if over else move


def _without_reopening(
    claim: ClaimFacts, rule: str, reason: str, terms: ClaimTerms, days: Calendars, now: datetime
) -> Move:
    state = _answered_state(claim)
    closed = state is not State.ACCEPTED
    at = None if closed else next_follow(claim.opened_at or now, terms, days, now)
    return Move(state, rule, reason, at, outcome=state.value, closed=closed)


def _answered_state(claim: ClaimFacts) -> State:
    """Accepted or rejected, also where it waits for a person meanwhile."""
    return State(claim.outcome) if claim.outcome in {State.ACCEPTED.value, State.REJECTED.value} else claim.state


# --- the carrier's answer ---------------------------------------------------------------------------


def after_reopen(claim: ClaimFacts, answer: ReopenAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """The carrier's answer to a reopening; each of the table's outcomes has its move here."""
    last = claim.steps[-1]
    ask = Ask(last.motive, last.kind, last.way or "")
    match answer.outcome:
        case ReopenOutcome.REOPENED:
            return _reopened(answer, ask, terms, days, now)
        case ReopenOutcome.ALREADY:
            return _adopt_refund(claim, answer, now)
        case ReopenOutcome.NOT_FOUND:
            return _find(claim, answer, ask, terms, days, now)
        case ReopenOutcome.OTHER_KIND:
            return _with_first_kind(claim, answer, ask, days, now)
        case ReopenOutcome.OTHER_MOTIVE:
            return _with_other_motive(claim, answer, ask, terms, days, now)
        case _:
            return _settle(claim, answer, answer.outcome, terms, days, now)


def lost_reopening(steps: Sequence[Step]) -> Step | None:
    """The newest call, look-ups aside, where it was a reopening whose answer is still missing.

    The last step is the look being judged: one before it that showed the claim as reopened has settled the matter.
    """
    calls = [step for step in steps if step.action != "look_up" and step.outcome != "not_sent"]
    if not calls or calls[-1].action != "reopen" or calls[-1].outcome != "lost":
        return None
    earlier = (step for step in steps[:-1] if step.seq > calls[-1].seq)
    found = any(step.outcome == ClaimProgress.REOPENED.value for step in earlier)
    return None if found else calls[-1]


def not_reopened(
    claim: ClaimFacts,
    reason: str,
    refusal: tuple[str, str] | None,
    terms: ClaimTerms,
    days: Calendars,
    now: datetime,
) -> Move:
    """Refused for good; of an accepted claim a person hears, for its money does not come by itself."""
    move = _without_reopening(claim, "claim.reopen_refused", reason, terms, days, now)
    alert = None
    if move.state is State.ACCEPTED:
        alert = ("claim_refund_refused", "warning", f"an accepted claim is not reopened as a refund request: {reason}")
    return replace(move, refusal=refusal, alert=alert)


def _reopened(answer: ReopenAnswer, ask: Ask, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    return Move(
        State.REOPENED,
        "claim.reopened",
        f"the carrier reopened it ({ask.way})",
        next_follow(now, terms, days, now),
        reopened=True,
        motive=ask.motive,
        kind=ask.kind,
        protocol=answer.protocol,
        outcome="registered",
    )


def _adopt_refund(claim: ClaimFacts, answer: ReopenAnswer, now: datetime) -> Move:
    return Move(
        _answered_state(claim),
        "claim.reopen_adopted",
        "a refund request for it stands already: that one is followed",
        now,
        call="look_up",
        by_parcel=True,
        kind="refund",
        protocol=answer.protocol,
    )


def _find(claim: ClaimFacts, answer: ReopenAnswer, ask: Ask, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    tries = [step for step in claim.steps if step.action == "reopen" and step.way == ask.way]
    if _count(tries, ReopenOutcome.NOT_FOUND) > 1:
        return not_reopened(claim, _said(answer), (answer.code, answer.text), terms, days, now)
    reason = "its protocol is not known: looked up by the parcel"
    state = _answered_state(claim)
    return Move(state, "claim.reopen_look", reason, now, call="look_up", by_parcel=True, ask=ask)


def _with_first_kind(claim: ClaimFacts, answer: ReopenAnswer, ask: Ask, days: Calendars, now: datetime) -> Move:
    if ask.kind == claim.kind or _tried(claim, ask.way, ask.motive, claim.kind):
        return _for_person(claim, Hold.CARRIER_ANSWER, answer, days, now)
    return _switched(claim, replace(ask, kind=claim.kind), "only with the kind it was filed as", now)


def _with_other_motive(
    claim: ClaimFacts, answer: ReopenAnswer, ask: Ask, terms: ClaimTerms, days: Calendars, now: datetime
) -> Move:
    tries = [step for step in claim.steps if step.action == "reopen" and step.way == ask.way]
    others = [claim.second, (claim.motive, ask.kind) if _still_fits(claim, terms) else None]
    if _count(tries, ReopenOutcome.OTHER_MOTIVE) <= 1:
        for other in others:
            if other is not None and other[0] != ask.motive and not _tried(claim, ask.way, *other):
                reason = f"not as {ask.motive}: asked as {other[0]}"
                return _switched(claim, Ask(*other, ask.way), reason, now)
    return _settle(claim, answer, answer.otherwise, terms, days, now)


def _switched(claim: ClaimFacts, ask: Ask, reason: str, now: datetime) -> Move:
    return Move(_answered_state(claim), "claim.reopen_switch", reason, now, call="reopen", ask=ask)


def _settle(
    claim: ClaimFacts,
    answer: ReopenAnswer,
    outcome: ReopenOutcome,
    terms: ClaimTerms,
    days: Calendars,
    now: datetime,
) -> Move:
    if outcome is ReopenOutcome.NOT_YET:
        return _later(claim, answer, terms, days, now)
    if outcome is ReopenOutcome.REFUSED:
        move = not_reopened(claim, _said(answer), (answer.code, answer.text), terms, days, now)
        return replace(move, by_contract=answer.text if answer.service_level else None)
    hold = Hold.CONFIGURATION if outcome is ReopenOutcome.WRONG_CONFIGURATION else Hold.CARRIER_ANSWER
    return _for_person(claim, hold, answer, days, now)


def _later(claim: ClaimFacts, answer: ReopenAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """Later, and never blindly: all but a mere wait are followed by a look at the claim before it is asked again."""
    refusal, today = (answer.code, answer.text), days.local_date(now)
    state = _answered_state(claim)
    if answer.waits:
        return _after_wait(claim, answer, terms, days, now)
    if answer.after_answer:
        if sum(step.waits_for_answer for step in claim.steps) > ANSWER_TRIES:
            return _for_person(claim, Hold.CARRIER_ANSWER, answer, days, now)
        at = next_follow(now, terms, days, now)
        reason = "not answered yet, says the carrier: after the next answer"
        return Move(state, "claim.reopen_later", reason, at, refusal=refusal)
    on = answer.not_before + DAY if answer.not_before is not None else days.since.add(today, AFTER_EVENT_DAYS)
    on = max(on, today + DAY)
    reason = "the carrier takes it later"
    if answer.not_before is not None:
        reason = f"its payment's term runs until {answer.not_before}: looked at after it"
    return Move(state, "claim.reopen_later", reason, days.start_of(on), refusal=refusal, look=answer.look_first)


def _after_wait(claim: ClaimFacts, answer: ReopenAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    last = claim.steps[-1]
    ask = Ask(last.motive, last.kind, last.way or "")
    tries = sum(step.code == answer.code for step in claim.steps if step.action == "reopen" and step.way == ask.way)
    learned = claim.answered_at or now
    if now - learned > timedelta(days=terms.follow_days):
        return _ended(claim, "the carrier never took its reopening", terms, days, now)
    reason, wait, alert = "the carrier asks for patience", DAY, None
    if tries <= len(answer.waits):
        wait = answer.waits[tries - 1]
    elif not answer.carrier_fault:
        return _for_person(claim, Hold.CARRIER_ANSWER, answer, days, now)
    else:
        reason = "the carrier's machines fail; tried once a day"
        alert = ("claims_failing", "warning", f"takes no claims: {_said(answer)}")
    rule = "claim.reopen_later" if alert is None else "claim.carrier_failing"
    refusal, state = (answer.code, answer.text), _answered_state(claim)
    return Move(state, rule, reason, now + wait, call="reopen", ask=ask, refusal=refusal, alert=alert)


def _for_person(claim: ClaimFacts, hold: Hold, answer: ReopenAnswer, days: Calendars, now: datetime) -> Move:
    reason = _said(answer)
    # Looked at once more a week later: whatever a person has or has not done, it comes to its end.
    at = days.start_of(days.local_date(now) + timedelta(days=7))
    alert = ("claim_needs_person", "warning", f"the reopening of a claim waits for a person: {reason}")
    refusal = (answer.code, answer.text)
    rule = f"claim.hold.{hold.value}"
    return Move(State.WAITING_APPROVAL, rule, reason, at, hold=hold, refusal=refusal, alert=alert)


def _tried(claim: ClaimFacts, way: str, motive: str, kind: str) -> bool:
    tried = {(s.motive, s.kind) for s in claim.steps if s.action == "reopen" and s.way == way}
    return (motive, kind) in tried


def _count(steps: Sequence[Step], outcome: ReopenOutcome) -> int:
    return sum(step.outcome == outcome.value for step in steps)


def _said(answer: ReopenAnswer) -> str:
    return f"{answer.code}: {answer.text}"
