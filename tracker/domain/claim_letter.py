"""A claim by letter: what follows when its letter has left, did not leave or may have left, and when a person knows the answer.

The carrier has no API: a letter is an effect that the messages stage delivers, and its answer comes to a person. What the
person records goes the way of an API's answer (`claim_following`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from carriers.base import ClaimProgress, ClaimStatus, ClaimTerms
from tracker.domain.calendar import Calendars
from tracker.domain.claim_moves import FOLLOW_AT, WITHDRAWN, ClaimFacts, Gates, Move, State, to_person
from tracker.domain.words import Hold

LETTER: Final = "letter"
FOLLOW_UP: Final = "follow_up"
"""The steps of a claim by letter; the second is sent once, when the carrier's term has passed without an answer."""
LOOK_AGAIN: Final = timedelta(hours=1)
"""A letter that waits for the mail server is looked at so often: its day may move away meanwhile."""
NEVER_TAKEN: Final = frozenset({State.REFUSED, State.EXPIRED, State.CANCELLED})


class LetterOutcome(StrEnum):
    """What the deliverer says of a letter."""

    LEAVING = "leaving"
    """It may be with the mail server from now on: it is no more called off."""
    BACK = "back"
    """It did not leave, and will be tried again."""
    SENT = "sent"
    """The mail server took it."""
    FAILED = "failed"
    """It did not leave and will not by itself."""
    UNCONFIRMED = "unconfirmed"
    """It left, and nobody knows whether it was taken."""


ENDS: Final = frozenset({LetterOutcome.SENT, LetterOutcome.FAILED, LetterOutcome.UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class PersonsAnswer:
    """The carrier's answer as a person read it; `cents` is granted with an acceptance and received with a payment."""

    progress: ClaimProgress
    answered_on: date
    who: str
    note: str
    cents: int | None = None
    protocol: str | None = None


def after_letter(
    claim: ClaimFacts,
    action: str,
    outcome: LetterOutcome,
    reason: str,
    terms: ClaimTerms,
    days: Calendars,
    now: datetime,
) -> Move:
    """The move after a letter's outcome; `reason` is the deliverer's words."""
    if outcome not in ENDS:
        return on_its_way(claim, now)
    if action == FOLLOW_UP:
        return _after_follow_up(claim, outcome, reason, terms, days, now)
    if outcome is LetterOutcome.SENT:
        at = answer_overdue_at(now, terms, days)
        words = "the letter has left: the carrier's answer comes to a person"
        return Move(State.OPEN, "claim.letter_sent", words, at, opened=True, outcome="registered")
    if outcome is LetterOutcome.UNCONFIRMED:
        return to_person(claim, Hold.LETTER, f"the letter may have left, nobody knows: {reason}", days, now)
    return to_person(claim, Hold.LETTER, f"the letter did not leave: {reason}", days, now)


def on_its_way(claim: ClaimFacts, now: datetime) -> Move:
    """The letter is with the deliverer: nothing to do but look again."""
    words = "its letter leaves with the next mails"
    return Move(claim.state, "claim.letter_waits", words, now + LOOK_AGAIN)


def after_sent_by_hand(
    claim: ClaimFacts, who: str, protocol: str | None, terms: ClaimTerms, days: Calendars, now: datetime
) -> Move:
    """A person says that the claim is with the carrier, on whatever way it went."""
    at = answer_overdue_at(now, terms, days)
    words = f"{who} says that it is with the carrier"
    return Move(State.OPEN, "claim.letter", words, at, opened=True, outcome="registered", protocol=protocol)


def status_of(answer: PersonsAnswer) -> ClaimStatus:
    """The answer in the words of a carrier's look-up; a person has no raw answer to keep."""
    granted = answer.cents if answer.progress is ClaimProgress.ACCEPTED else None
    return ClaimStatus(
        answer.progress,
        b"",
        protocol=answer.protocol,
        answered_on=answer.answered_on,
        granted_cents=granted,
        text=answer.note,
    )


def by_person(move: Move, answer: PersonsAnswer) -> Move:
    """The move that the answer led to, with whose word it was and what was received."""
    received = answer.cents if answer.progress is ClaimProgress.PAID else None
    return replace(move, received_cents=received, facts={**move.facts, "who": answer.who, "note": answer.note})


def takes_answer(
    state: State, outcome: str | None, progress: ClaimProgress, *, opened: bool, closed: bool
) -> str | None:
    """Why a person's answer cannot be recorded; None where it can."""
    if state in NEVER_TAKEN or outcome in {one.value for one in NEVER_TAKEN}:
        return f"it is {state.value}: the carrier never had it"
    if not opened:
        return "it has not been sent yet"
    if state is State.PAID:
        return "it is paid already"
    if closed and progress is not ClaimProgress.PAID:
        return f"it is closed ({state.value}): only a payment can still be recorded"
    return None


def pursue_letter(claim: ClaimFacts, gates: Gates, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """A claim that the carrier has by letter and whose time has come: remind the carrier once, then a person."""
    end = days.start_of(days.local_date(claim.opened_at or now) + timedelta(days=terms.follow_days + 1))
    if now >= end:
        reason = f"not followed beyond {terms.follow_days} days"
        return Move(claim.state, "claim.follow_ends", reason, outcome=claim.state.value, closed=True)
    if claim.indemnified_at is not None and claim.state not in {State.ACCEPTED, State.PAID}:
        return _indemnified(claim, terms, days, now)
    if claim.state is State.ACCEPTED:
        return _until_paid(claim, terms, days, now, end)
    if claim.state not in {State.OPEN, State.WAITING_APPROVAL}:
        return Move(claim.state, "claim.follow", "by letter: what comes next comes to a person", end)
    return _until_answered(claim, gates, terms, days, now, end)


def may_have_reminded(
    opened_at: datetime, reminded_at: datetime | None, restored_at: datetime, terms: ClaimTerms, days: Calendars
) -> bool:
    """Whether a claim by letter came to its reminder in the time that a restore lost."""
    return reminded_at is None and answer_overdue_at(opened_at, terms, days) < restored_at


def answer_overdue_at(since: datetime, terms: ClaimTerms, days: Calendars) -> datetime:
    """The morning of the first business day after the carrier's term, counted from the day of *since*; a doubtful holiday is
    one here, so that the carrier is never reminded early."""
    last = answer_due_on(since, terms, days)
    return days.at(days.since.add(last, 1), FOLLOW_AT)


def answer_due_on(since: datetime, terms: ClaimTerms, days: Calendars) -> date:
    """The last day of the carrier's term for an answer to what was sent at *since*."""
    return days.since.add(days.local_date(since), terms.answer_business_days)


# --- pieces -----------------------------------------------------------------------------------------


def _until_answered(
    claim: ClaimFacts, gates: Gates, terms: ClaimTerms, days: Calendars, now: datetime, end: datetime
) -> Move:
    wait = "sent by letter: its answer comes to a person"
    if claim.reminded_at is not None:
        at = answer_overdue_at(claim.reminded_at, terms, days)
        if now < at:
            return Move(State.OPEN, "claim.follow", wait, min(at, end))
        silent = "the carrier has not answered its letter and one reminder: a person has to ask"
        return Move(State.OPEN, "claim.follow", wait, end, alert=("claim_unanswered", "warning", silent))
    at = answer_overdue_at(claim.opened_at or now, terms, days)
    if now < at:
        return Move(State.OPEN, "claim.follow", wait, min(at, end))
    if claim.writes and gates.letters and not _tried_to_remind(claim):
        if gates.reminder_waits and claim.approved_at is None:
            reason = "the database was put back, and its reminder may have left since: a person lets it go"
            return Move(State.WAITING_APPROVAL, "claim.hold.restored", reason, end, hold=Hold.RESTORED)
        words = "no answer within the carrier's term: reminded in the same thread"
        return Move(State.OPEN, "claim.letter_follow_up", words, now, call=FOLLOW_UP)
    alert = ("claim_unanswered", "warning", "a claim sent by letter: has it been answered?")
    return Move(State.OPEN, "claim.follow", wait, end, alert=alert)


def _indemnified(claim: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
    """Tracking shows the carrier's own mark that it has paid: it has accepted, and whether the money came a person knows."""
    alert = (
        "claim_needs_person",
        "warning",
        "the carrier's tracking says that it was indemnified: has the money come?",
    )
    return Move(
        State.ACCEPTED,
        "claim.indemnified",
        "tracking shows the indemnity: a person records the money",
        days.at(days.since.add(days.local_date(now), terms.escalate_business_days + 1), FOLLOW_AT),
        answered_on=days.local_date(claim.indemnified_at or now),
        outcome="accepted",
        alert=alert,
    )


def _until_paid(claim: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime, end: datetime) -> Move:
    at = days.at(days.since.add(days.local_date(claim.answered_at or now), terms.escalate_business_days + 1), FOLLOW_AT)
    wait = "accepted: the payment comes to a person"
    if now < at:
        return Move(claim.state, "claim.follow", wait, min(at, end))
    alert = ("claim_needs_person", "warning", "accepted by the carrier, and no payment was recorded: has it come?")
    return Move(claim.state, "claim.follow", wait, end, alert=alert)


def _tried_to_remind(claim: ClaimFacts) -> bool:
    return any(step.action == FOLLOW_UP and step.outcome != WITHDRAWN for step in claim.steps)


def _after_follow_up(
    claim: ClaimFacts, outcome: LetterOutcome, reason: str, terms: ClaimTerms, days: Calendars, now: datetime
) -> Move:
    at = answer_overdue_at(now, terms, days)
    if outcome is LetterOutcome.SENT:
        return Move(claim.state, "claim.letter_reminded", "the reminder has left", at)
    sure = "may have left, nobody knows" if outcome is LetterOutcome.UNCONFIRMED else "did not leave"
    words = f"its reminder {sure}: {reason}"
    end = days.start_of(days.local_date(claim.opened_at or now) + timedelta(days=terms.follow_days + 1))
    alert = ("claim_unanswered", "warning", f"a claim sent by letter was not answered, and {words}")
    return Move(claim.state, "claim.letter_reminded", words, max(end, now), alert=alert)
