"""The state machine of a claim: given how it stands and what was answered, what comes next.

Every call to the carrier is a step whose intent is committed before it leaves. A call that may have arrived and was not
answered is looked up before anything is sent again; a claim that stands already is adopted. Each refusal has its answer
here, and none is retried blindly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from carriers.base import ClaimAnswer, ClaimOutcome, ClaimProgress, ClaimStatus, ClaimTerms
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.text import clean
from tracker.domain.words import ClaimState, Hold

State = ClaimState

RULE_VERSIONS: Final[Mapping[str, int]] = {
    "claim.window": 1,
    "claim.due": 1,
    "claim.approved": 1,
    "claim.letter": 1,
    **{f"claim.hold.{hold.value}": 1 for hold in Hold},
    "claim.lost_answer": 1,
    "claim.not_sent": 1,
    "claim.registered": 1,
    "claim.adopted": 1,
    "claim.refused": 1,
    "claim.later": 1,
    "claim.look_first": 1,
    "claim.switch": 1,
    "claim.not_found": 1,
    "claim.ask": 1,
    "claim.follow": 1,
    "claim.follow_ends": 1,
    "claim.not_followed": 1,
    "claim.answered": 1,
    "claim.accepted": 1,
    "claim.rejected": 1,
    "claim.paid": 1,
    "claim.account": 1,
    "hand.reject": 1,
}
"""Every rule that may move a claim."""
FOLLOW_AT: Final = time(6, 0)
SECOND_FOLLOW_AT: Final = time(15, 0)
"""Answers are looked for at a quiet hour, and twice a day once the carrier's term for an answer has passed."""
NOT_SENT_WAITS: Final = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
"""After a call that surely did not arrive; the last one goes on: the carrier is down, and its breaker says so."""
LOOK_UP_AGAIN: Final = timedelta(hours=1)
"""A claim taken a moment ago may not show yet (the carrier answers "none found"): look once more before filing again."""
AFTER_EVENT_DAYS: Final = 5
"""A refusal that waits for the parcel's next event is tried again after so many business days without one."""
_UNANSWERED: Final = frozenset({"lost", "not_sent"})


@dataclass(frozen=True, slots=True)
class Gates:
    """What may hold a claim that is due back: None lets it go."""

    hold: Hold | None = None
    reason: str = ""
    until: datetime | None = None
    """When to ask again by itself (the shop goes live)."""
    why: str = ""
    """The code of the reason, for translations."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call about a claim as the store keeps it."""

    seq: int
    action: str
    state: str
    motive: str
    outcome: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """How a claim stands."""

    state: State
    motive: str
    kind: str
    claimable_from: date
    alert_on: date
    last_on: date
    hold: Hold | None = None
    approved_at: datetime | None = None
    opened_at: datetime | None = None
    answered_at: datetime | None = None
    indemnified_at: datetime | None = None
    due_max_on: date | None = None
    steps: tuple[Step, ...] = ()
    fallback: tuple[str, str] | None = None
    by_letter: bool = False
    """The carrier takes no calls: a person sends it, and says so by approving it."""


@dataclass(frozen=True, slots=True)
class Move:
    """What to write: the state, when to look again, a call to make, and why."""

    state: State
    rule: str
    reason: str
    next_step_at: datetime | None = None
    call: str | None = None
    hold: Hold | None = None
    motive: str | None = None
    kind: str | None = None
    protocol: str | None = None
    claimable_from: date | None = None
    opened: bool = False
    answered_on: date | None = None
    outcome: str | None = None
    refusal: tuple[str, str] | None = None
    closed: bool = False
    look: bool = False
    """Have the parcel's tracking asked now: the carrier knows more than it had told."""
    alert: tuple[str, str, str] | None = None
    """(alert kind, severity, summary) for the operator."""
    facts: dict[str, Any] = field(default_factory=dict)


def start(claim: ClaimFacts, gates: Gates, days: Calendars, now: datetime) -> Move:
    """A claim that is planned or waits for a person: hold it, file it, or give it up after its last day."""
    today = days.local_date(now)
    if today > claim.last_on:
        return Move(State.EXPIRED, "claim.window", "the carrier's window has closed", outcome="expired", closed=True)
    if claim.approved_at is None and claim.hold in {Hold.CONFIGURATION, Hold.CARRIER_ANSWER}:
        # Before the dates: one that moves must not make us forget that the carrier has refused it once.
        return _held(claim, Gates(claim.hold, "waits for a person"), claim.hold, days, now)
    if today < claim.claimable_from:
        at = days.start_of(claim.claimable_from)
        return Move(State.PLANNED, "claim.window", "the carrier takes it from a later day", at)
    if claim.by_letter and claim.approved_at is not None:
        return Move(State.OPEN, "claim.letter", "a person sent it", opened=True, outcome="registered")
    if claim.approved_at is not None:
        return Move(State.SUBMITTING, "claim.approved", "approved by a person", now, call="open")
    if gates.hold is not None:
        return _held(claim, gates, gates.hold, days, now)
    return Move(State.SUBMITTING, "claim.due", "its first allowed day has come", now, call="open")


def _held(claim: ClaimFacts, gates: Gates, hold: Hold, days: Calendars, now: datetime) -> Move:
    """Held claims are looked at again when the hold may end, on the day of the alert, and after the last day."""
    today = days.local_date(now)
    alert = None
    if today >= claim.alert_on:
        alert = ("claim_deadline", "critical", "a claim is held and its deadline is near")
    wakes = [days.start_of(claim.alert_on), days.start_of(claim.last_on + DAY), gates.until]
    wake = min(at for at in wakes if at is not None and at > now)
    rule, facts = f"claim.hold.{hold.value}", {"why": gates.why} if gates.why else {}
    return Move(State.WAITING_APPROVAL, rule, gates.reason, wake, hold=hold, alert=alert, facts=facts)


def after_lost_answer(claim: ClaimFacts, now: datetime) -> Move:
    """A call left and no answer came: look before anything is sent again. What the carrier has stays filed."""
    state = State.SUBMITTING if claim.opened_at is None else claim.state
    return Move(state, "claim.lost_answer", "no answer came: look it up first", now, call="look_up")


def after_not_sent(claim: ClaimFacts, reason: str, now: datetime) -> Move:
    """The call surely did not arrive: try again, ever more slowly."""
    tries = _trailing(claim.steps, "not_sent")
    wait = NOT_SENT_WAITS[min(tries, len(NOT_SENT_WAITS)) - 1] if tries else NOT_SENT_WAITS[0]
    call = claim.steps[-1].action if claim.steps else "open"
    return Move(claim.state, "claim.not_sent", f"did not reach the carrier: {reason}", now + wait, call=call)


def after_refused_call(claim: ClaimFacts, reason: str, days: Calendars, now: datetime) -> Move:
    """The carrier refused the call as such (unreadable to it, or its answer to us): a person looks."""
    return _person(claim, Hold.CARRIER_ANSWER, reason, days, now)


def after_open(claim: ClaimFacts, answer: ClaimAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """The carrier's answer to a filing."""
    outcome = answer.outcome
    if outcome in {ClaimOutcome.REGISTERED, ClaimOutcome.ALREADY_OPEN}:
        return _taken(answer, terms, days, now)
    refusal = (answer.code, answer.text)
    if outcome is ClaimOutcome.REFUSED:
        alert = ("claims_by_contract", "warning", answer.text) if answer.service_level else None
        reason = "refused for good by the carrier"
        return Move(
            State.REFUSED, "claim.refused", reason, outcome="refused", refusal=refusal, closed=True, alert=alert
        )
    if outcome is ClaimOutcome.NOT_YET:
        return _later(claim, answer, terms, days, now)
    if outcome is ClaimOutcome.OTHER_MOTIVE:
        return _other_motive(claim, answer, terms, days, now)
    hold = Hold.CONFIGURATION if outcome is ClaimOutcome.WRONG_CONFIGURATION else Hold.CARRIER_ANSWER
    return _person(claim, hold, f"{answer.code}: {answer.text}", days, now, refusal)


def after_look_up(claim: ClaimFacts, status: ClaimStatus, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """What the carrier says of a claim: one that may have been filed, or one that is being followed."""
    if status.progress is ClaimProgress.NONE:
        return _not_found(claim, terms, days, now)
    if claim.opened_at is None:
        opened = Move(
            State.OPEN,
            "claim.adopted",
            "the carrier has it already",
            now,
            opened=True,
            protocol=status.protocol,
            outcome="registered",
        )
        return opened if status.progress is ClaimProgress.OPEN else _progress(claim, status, terms, days, now, opened)
    return _progress(claim, status, terms, days, now, None)


def follow(claim: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """A filed claim whose time has come: ask the carrier for its answer, or stop asking."""
    if claim.indemnified_at is not None:
        return Move(State.PAID, "claim.paid", "tracking shows the indemnity", outcome="paid", closed=True)
    opened = claim.opened_at or now
    if days.local_date(now) > days.local_date(opened) + timedelta(days=terms.follow_days):
        reason = f"not followed beyond {terms.follow_days} days"
        alert = ("claim_unanswered", "warning", "a claim was never answered") if claim.state is State.OPEN else None
        return Move(claim.state, "claim.follow_ends", reason, outcome=claim.state.value, closed=True, alert=alert)
    return Move(claim.state, "claim.ask", "asks the carrier for its answer, at a quiet hour", now, call="look_up")


def next_follow(opened_at: datetime, terms: ClaimTerms, days: Calendars, now: datetime) -> datetime:
    """The next quiet hour; from the end of the carrier's answering term on, two a day."""
    today = days.local_date(now)
    waited = days.until.count(days.local_date(opened_at), today)
    hours = [FOLLOW_AT, SECOND_FOLLOW_AT] if waited >= terms.answer_business_days else [FOLLOW_AT]
    times = [days.at(day, hour) for day in (today, today + DAY) for hour in hours]
    return next(at for at in times if at > now)


# --- pieces -----------------------------------------------------------------------------------------


def _taken(answer: ClaimAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    adopted = answer.outcome is ClaimOutcome.ALREADY_OPEN
    rule = "claim.adopted" if adopted else "claim.registered"
    reason = "a claim for it stands already" if adopted else "the carrier registered it"
    # Without a number it cannot be told or proven: ask for it soon.
    missing = answer.protocol is None
    at = now if missing and adopted else now + LOOK_UP_AGAIN if missing else next_follow(now, terms, days, now)
    return Move(State.OPEN, rule, reason, at, opened=True, protocol=answer.protocol, outcome="registered")


def _later(claim: ClaimFacts, answer: ClaimAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    today = days.local_date(now)
    refusal = (answer.code, answer.text)
    if answer.waits:
        tries = sum(step.code == answer.code for step in claim.steps)
        if tries > len(answer.waits):
            return _person(claim, Hold.CARRIER_ANSWER, f"{answer.code}: {answer.text}", days, now, refusal)
        at = now + answer.waits[tries - 1]
        return Move(State.SUBMITTING, "claim.later", "the carrier asks for patience", at, call="open", refusal=refusal)
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


def _look_first(claim: ClaimFacts, answer: ClaimAnswer, days: Calendars, now: datetime) -> Move:
    """What tracking then shows decides: the claim is planned anew by it, or falls away. A carrier whose claims office and
    tracking still contradict each other on the next business day gets a person."""
    refusal = (answer.code, answer.text)
    if _trailing_code(claim.steps, answer.code) > 1:
        reason = f"{answer.code}: {answer.text} (its tracking says otherwise)"
        return _person(claim, Hold.CARRIER_ANSWER, reason, days, now, refusal)
    on = days.since.add(days.local_date(now), 1)
    reason = "the carrier knows of something that its tracking had not told: look there first"
    return Move(
        State.PLANNED, "claim.look_first", reason, days.start_of(on), claimable_from=on, refusal=refusal, look=True
    )


def _other_motive(claim: ClaimFacts, answer: ClaimAnswer, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    refusal = (answer.code, answer.text)
    tried = {(step.motive) for step in claim.steps if step.action == "open"}
    if answer.motive is not None and answer.motive not in tried:
        reason = f"not as {claim.motive}: tried as {answer.motive}"
        offered = (offer.kind.value for offer in terms.offers if offer.motive == answer.motive)
        return Move(
            State.SUBMITTING,
            "claim.switch",
            reason,
            now,
            call="open",
            motive=answer.motive,
            kind=next(offered, claim.kind),
            refusal=refusal,
        )
    first_time = _trailing(claim.steps, ClaimOutcome.OTHER_MOTIVE.value) <= 1
    if first_time and claim.fallback is not None and (claim.motive, claim.kind) != claim.fallback:
        motive, kind = claim.fallback
        reason = f"not as {claim.kind}: tried as {kind}"
        return Move(
            State.SUBMITTING, "claim.switch", reason, now, call="open", motive=motive, kind=kind, refusal=refusal
        )
    return _person(claim, Hold.CARRIER_ANSWER, f"{answer.code}: {answer.text}", days, now, refusal)


def _person(
    claim: ClaimFacts,
    hold: Hold,
    reason: str,
    days: Calendars,
    now: datetime,
    refusal: tuple[str, str] | None = None,
) -> Move:
    wakes = [days.start_of(claim.alert_on), days.start_of(max(claim.last_on, days.local_date(now)) + DAY)]
    wake = min(at for at in wakes if at > now)
    alert = ("claim_needs_person", "warning", f"a claim waits for a person: {reason}")
    return Move(
        State.WAITING_APPROVAL, f"claim.hold.{hold.value}", reason, wake, hold=hold, refusal=refusal, alert=alert
    )


def _not_found(claim: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    if claim.opened_at is not None:
        at = next_follow(claim.opened_at, terms, days, now)
        alert = ("claim_vanished", "warning", "the carrier no longer finds a claim that it took")
        lost = _not_found_times(claim.steps) >= 3
        return Move(claim.state, "claim.not_found", "the carrier does not find it", at, alert=alert if lost else None)
    if _not_found_times(claim.steps) < 2:
        at = now + LOOK_UP_AGAIN
        return Move(State.SUBMITTING, "claim.lost_answer", "not found yet: look once more", at, call="look_up")
    return Move(State.SUBMITTING, "claim.lost_answer", "it never arrived: filed again", now, call="open")


def _progress(
    claim: ClaimFacts,
    status: ClaimStatus,
    terms: ClaimTerms,
    days: Calendars,
    now: datetime,
    opened: Move | None,
) -> Move:
    first = opened is not None
    at = next_follow(claim.opened_at or now, terms, days, now)
    protocol = status.protocol
    answered_on = status.answered_on or days.local_date(now)
    if claim.indemnified_at is not None or status.progress is ClaimProgress.PAID:
        return Move(
            State.PAID,
            "claim.paid",
            "the carrier says it has paid",
            protocol=protocol,
            opened=first,
            answered_on=answered_on,
            outcome="paid",
            closed=True,
        )
    if status.progress is ClaimProgress.NOT_FOLLOWED:
        reason = "registered, but the carrier shows nothing more of it"
        return Move(State.OPEN, "claim.not_followed", reason, protocol=protocol, opened=first)
    if status.progress in {ClaimProgress.OPEN, ClaimProgress.REOPENED}:
        return _unanswered(claim, status, terms, days, at, first, now)
    rejected = status.progress is ClaimProgress.REJECTED
    state = {ClaimProgress.ACCEPTED: State.ACCEPTED, ClaimProgress.REJECTED: State.REJECTED}.get(
        status.progress, State.ANSWERED
    )
    alert = None
    if status.progress is ClaimProgress.ANSWERED:
        alert = ("claim_needs_person", "warning", "a claim was answered without saying for or against")
    elif rejected:
        alert = ("claim_rejected", "warning", _rejection(status.text))
    return Move(
        state,
        f"claim.{state.value}",
        f"the carrier answered: {state.value}",
        None if rejected else at,
        protocol=protocol,
        opened=first,
        answered_on=answered_on,
        outcome=state.value,
        closed=rejected,
        alert=alert,
        facts={"text": status.text, "carrier_state": status.carrier_state},
    )


def _rejection(text: str) -> str:
    words = clean(text)
    return f"rejected by the carrier: {words}" if words else "rejected by the carrier, which gives no reason"


def _unanswered(
    claim: ClaimFacts,
    status: ClaimStatus,
    terms: ClaimTerms,
    days: Calendars,
    at: datetime,
    first: bool,
    now: datetime,
) -> Move:
    state = State.REOPENED if status.progress is ClaimProgress.REOPENED else State.OPEN
    waited = days.until.count(days.local_date(claim.opened_at or now), days.local_date(now))
    alert = None
    if waited >= terms.escalate_business_days:
        alert = ("claim_unanswered", "warning", f"no answer to a claim after {waited} business days")
    return Move(state, "claim.follow", "not answered yet", at, protocol=status.protocol, opened=first, alert=alert)


def _trailing(steps: Sequence[Step], outcome: str) -> int:
    """How many of the newest steps ended this way in a row."""
    count = 0
    for step in reversed(steps):
        if step.outcome != outcome:
            break
        count += 1
    return count


def _trailing_code(steps: Sequence[Step], code: str) -> int:
    """How many of the newest filings in a row were answered with this code."""
    count = 0
    for step in reversed([step for step in steps if step.action == "open" and step.outcome not in _UNANSWERED]):
        if step.code != code:
            break
        count += 1
    return count


def _not_found_times(steps: Sequence[Step]) -> int:
    """How often in a row the carrier found nothing, since the last filing. A look-up that brought no answer says nothing:
    counted as a break, a carrier (or a machine) that fails every second time would keep the claim from being filed."""
    answered = [step for step in steps if step.action == "open" or step.outcome not in _UNANSWERED]
    return _trailing(answered, ClaimProgress.NONE.value)
