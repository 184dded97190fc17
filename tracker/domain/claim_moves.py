"""What is known of a claim, what may hold it, and what is written about it next: the words of its state machine.

The rules themselves stand in `claim_filing` (until the carrier has it), `claim_following` (until it is answered) and
`claim_reopening` (what follows an answer). Every call to the carrier is a step whose intent is committed before it leaves;
one that may have arrived and was not answered is looked up before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from carriers.base import ClaimTerms
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.words import ClaimState, Hold

State = ClaimState

RULE_VERSIONS: Final[Mapping[str, int]] = {
    "claim.plan": 3,
    "claim.account": 1,
    "claim.second_problem": 1,
    "claim.gives_way": 1,
    "claim.window": 1,
    "claim.letter": 2,
    "claim.letter_sent": 1,
    "claim.letter_waits": 1,
    "claim.letter_follow_up": 1,
    "claim.letter_reminded": 1,
    "claim.approved": 1,
    "claim.due": 1,
    "claim.needs_news": 1,
    "claim.overtaken": 1,
    "claim.paced": 1,
    **{f"claim.hold.{hold.value}": 1 for hold in Hold if hold is not Hold.TEMPLATE},
    "claim.restored_look": 1,
    "claim.lost_answer": 1,
    "claim.not_sent": 1,
    "claim.registered": 1,
    "claim.adopted": 2,
    "claim.refused": 1,
    "claim.later": 2,
    "claim.carrier_failing": 1,
    "claim.look_first": 1,
    "claim.switch": 2,
    "claim.ask": 1,
    "claim.follow": 1,
    "claim.follow_ends": 1,
    "claim.indemnified": 1,
    "claim.not_found": 1,
    "claim.not_followed": 2,
    "claim.answered": 1,
    "claim.accepted": 2,
    "claim.rejected": 2,
    "claim.paid": 1,
    "claim.reopen": 1,
    "claim.reopened": 1,
    "claim.reopen_adopted": 1,
    "claim.reopen_later": 1,
    "claim.reopen_switch": 1,
    "claim.reopen_look": 1,
    "claim.reopen_refused": 1,
    "claim.reopen_term": 1,
    "hand.reject": 1,
    "hand.cancel": 1,
}
"""Every rule about claims, with its version; a person's rejection moves one too."""

FOLLOW_AT: Final = time(6, 0)
SECOND_FOLLOW_AT: Final = time(15, 0)
"""Answers are looked for at a quiet hour, and twice a day once the carrier's term for an answer has passed."""
LOOK_UP_AGAIN: Final = timedelta(hours=1)
"""A claim taken a moment ago may not show yet (the carrier answers "none found"): look once more before filing again."""
AFTER_EVENT_DAYS: Final = 5
"""A refusal that waits for the parcel's next event is tried again after so many business days without one."""
UNANSWERED: Final = frozenset({"lost", "not_sent"})
"""Outcomes of a call that brought no answer."""
WITHDRAWN: Final = "withdrawn"
"""The outcome of a call that was called off before it was made, or that a restore forgot the end of."""


@dataclass(frozen=True, slots=True)
class Gates:
    """What may hold a claim that is due back: None lets it go."""

    hold: Hold | None = None
    reason: str = ""
    until: datetime | None = None
    """When to ask again by itself (the shop goes live)."""
    why: str = ""
    """The code of the reason, for translations."""
    letters: bool = True
    """Whether a letter about a claim that the carrier has may leave by itself."""
    look_first: bool = False
    """The database was put back: before anything is asked of the carrier it says how the claim stands."""
    reminder_waits: bool = False
    """The database was put back: the reminder of a letter may have left already, and only a person lets it go."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a reopening asks for: `way` is `refund` (the accepted inquiry's money), `contest` (of a rejection) or `problem`
    (another problem of the same parcel). Each way is gone once."""

    motive: str
    kind: str
    way: str


@dataclass(frozen=True, slots=True)
class Step:
    """One call about a claim as the store keeps it: `open`, `look_up`, `reopen`; or a letter: `letter`, `follow_up`."""

    seq: int
    action: str
    state: str
    motive: str
    outcome: str | None = None
    code: str | None = None
    kind: str = ""
    way: str | None = None
    waits_for_answer: bool = False
    """The carrier put it off until the claim's next answer."""
    answered_on: date | None = None
    """The day of the answer that a look-up found."""


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
    """When we learned of its last answer."""
    reopened_at: datetime | None = None
    indemnified_at: datetime | None = None
    delivered_at: datetime | None = None
    due_max_on: date | None = None
    protocol: str | None = None
    outcome: str | None = None
    """What it came to so far: the carrier's last answer, where there is one."""
    steps: tuple[Step, ...] = ()
    fallback: tuple[str, str] | None = None
    adopted: bool = False
    """It was opened through another channel."""
    second: tuple[str, str] | None = None
    """Motive and kind for another problem of the parcel, seen after the claim was filed."""
    last_answered_at: datetime | None = None
    """When tracking last answered about the parcel."""
    next_look_at: datetime | None = None
    """When tracking is, or was, to be asked next; None: no more."""
    needs_news: bool = False
    """It rests on the parcel's not having come: only a fresh look at tracking says so."""
    is_overtaken: bool = False
    """What it was planned for is over."""
    paced_until: datetime | None = None
    """One of many of an incident: it takes its turn within its first day."""
    by_letter: bool = False
    """The carrier takes no calls: it takes letters."""
    writes: bool = False
    """The letter's address is known: it leaves by mail. Else a person sends it, and says so by approving it."""
    reminded_at: datetime | None = None
    """When the carrier was reminded of the letter."""


@dataclass(frozen=True, slots=True)
class Move:
    """What to write: the state, when to look again, a call to make, and why."""

    state: State
    rule: str
    reason: str
    next_step_at: datetime | None = None
    call: str | None = None
    hold: Hold | None = None
    ask: Ask | None = None
    """What a `reopen` asks for; the claim itself changes when the carrier has taken it."""
    by_parcel: bool = False
    """A `look_up` by the parcel's number: its protocol is in doubt."""
    note: str = ""
    """What the carrier reads with a `reopen`."""
    motive: str | None = None
    kind: str | None = None
    protocol: str | None = None
    claimable_from: date | None = None
    opened: bool = False
    adopted: bool = False
    """It was opened through another channel (by the buyer, say, or on the carrier's site)."""
    reopened: bool = False
    answered_on: date | None = None
    granted_cents: int | None = None
    received_cents: int | None = None
    expected_cents: int | None = None
    carrier_state: str | None = None
    outcome: str | None = None
    refusal: tuple[str, str] | None = None
    closed: bool = False
    replan: bool = False
    """Have it planned anew by what the facts show."""
    look: bool = False
    """Have the parcel's tracking asked now: the carrier knows more than it had told."""
    by_contract: str | None = None
    """The carrier's words that say its contract settles lateness by service level."""
    alert: tuple[str, str, str] | None = None
    """(alert kind, severity, summary) for the operator."""
    by_hand: bool = False
    """Only a person can still file it, and must have at once what that takes."""
    facts: dict[str, Any] = field(default_factory=dict)


def next_follow(since: datetime, terms: ClaimTerms, days: Calendars, now: datetime) -> datetime:
    """The next quiet hour; from the end of the carrier's answering term (counted from *since*) on, two a day."""
    today = days.local_date(now)
    waited = days.until.count(days.local_date(since), today)
    hours = [FOLLOW_AT, SECOND_FOLLOW_AT] if waited >= terms.answer_business_days else [FOLLOW_AT]
    times = [days.at(day, hour) for day in (today, today + DAY) for hour in hours]
    return next(at for at in times if at > now)


def to_person(
    claim: ClaimFacts,
    hold: Hold,
    reason: str,
    days: Calendars,
    now: datetime,
    refusal: tuple[str, str] | None = None,
    *,
    window_passed: bool = False,
) -> Move:
    """Only a person can go on; it is looked at again near its deadline and after its last day."""
    wakes = [days.start_of(claim.alert_on), days.start_of(max(claim.last_on, days.local_date(now)) + DAY)]
    wake = min(at for at in wakes if at > now)
    alert = None if window_passed else ("claim_needs_person", "warning", f"a claim waits for a person: {reason}")
    return Move(
        State.WAITING_APPROVAL,
        f"claim.hold.{hold.value}",
        reason,
        wake,
        hold=hold,
        refusal=refusal,
        alert=alert,
        by_hand=window_passed,
    )


def trailing(steps: Sequence[Step], outcome: str) -> int:
    """How many of the newest steps ended this way in a row."""
    count = 0
    for step in reversed(steps):
        if step.outcome != outcome:
            break
        count += 1
    return count
