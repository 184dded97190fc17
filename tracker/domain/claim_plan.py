"""Whether a shipment's problems can be claimed, with which motive, and inside which dates.

Never early, never late: from the latest of all due dates the carrier has named plus a margin (the wait for re-planned dates
is capped), until the window that counts from the earlier of delivery and the earliest due date. In doubt about a holiday it
is one for "from"; the window counts calendar days, which knows no holidays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from carriers.base import Cause, ClaimKind, ClaimOffer, ClaimStart, ClaimTerms, ProblemKind, WindowStart
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.hand import Settlement, Wish
from tracker.domain.history import FINAL, History

Kind = ProblemKind
RULE: Final = "claim.plan"
SILENT_BUSINESS_DAYS: Final = 5
"""The default of `rules.by_words.silent_business_days`: when a carrier by road is asked where a standing parcel is."""
NEEDS_CARRIER_LATE = frozenset({Kind.DELAY, Kind.LATE_DELIVERY})
"""Claimed only where the carrier itself is late: a promise of the shop's own is told, not claimed."""
STILL_OWED = frozenset({Kind.LATE_DELIVERY, Kind.DAMAGE, Kind.VIOLATION, Kind.MISDELIVERY, Kind.RETURNED})
"""What has ended and is owed nevertheless; a delay or a loss that ended is not."""


class WhyNot(StrEnum):
    """Why a problem is not claimed: the code that translations go by."""

    NO_OFFER = "no_offer"
    PRESUMED = "presumed"
    INSIDE_CARRIER_TERM = "inside_carrier_term"
    NO_DUE_DATE = "no_due_date"
    NOT_DELIVERED_YET = "not_delivered_yet"
    INSIDE_LATEST_DATE = "inside_latest_date"
    ENDED = "ended"
    NO_DESK = "no_desk"
    SWITCHED_OFF = "switched_off"
    NO_NUMBER = "no_number"
    ONE_CLAIM_A_PARCEL = "one_claim_a_parcel"
    NOT_THE_CARRIERS_FAULT = "not_the_carriers_fault"
    BY_CONTRACT = "by_contract"
    REFUSED_BEFORE = "refused_before"
    SETTLED_BY_HAND = "settled_by_hand"


WHY_NOT: Final[Mapping[WhyNot, str]] = {
    WhyNot.NO_OFFER: "the carrier takes no claim for this kind of problem",
    WhyNot.PRESUMED: "presumed from silence: claimed as not delivered, with the delay",
    WhyNot.INSIDE_CARRIER_TERM: "later than the shop promised, but inside the carrier's own term",
    WhyNot.NO_DUE_DATE: "the carrier has named no due date; none is guessed",
    WhyNot.NOT_DELIVERED_YET: "attempted late; claimable as a late delivery once it is delivered",
    WhyNot.INSIDE_LATEST_DATE: "it came by the latest date that the carrier had named ({due_on})",
    WhyNot.ENDED: "ended before it could be claimed",
    WhyNot.NO_DESK: "this carrier takes no claims here",
    WhyNot.SWITCHED_OFF: "claims are switched off for this carrier (claims.mode: off)",
    WhyNot.NO_NUMBER: "the shipment has no active tracking number to claim for",
    WhyNot.ONE_CLAIM_A_PARCEL: (
        "the carrier has taken a claim for this parcel already (C{claim}, {protocol}); it takes no second"
    ),
    WhyNot.NOT_THE_CARRIERS_FAULT: "no fault of the carrier's ({cause}): nothing to claim",
    WhyNot.BY_CONTRACT: "delays are settled by the contract's service level: kept as statistics",
    WhyNot.SETTLED_BY_HAND: "a person settled it, and wants no claim for it",
    WhyNot.REFUSED_BEFORE: "a claim with motive {motive} was not taken (C{claim})",
}
"""What the log says of each, in English; `{names}` are facts."""


@dataclass(frozen=True, slots=True)
class ClaimableProblem:
    """A problem as claims reads it. `resolved_at` matters: what has ended may still be owed."""

    id: int
    kind: Kind
    presumed: bool
    since: datetime
    carrier_since: datetime | None
    detected_at: datetime
    resolved_at: datetime | None
    released: bool = False
    cause: Cause | None = None
    claims_wish: str | None = None
    """What a person who settled it wants of its claim (`Wish`); None where nobody settled it by hand."""
    by_words: bool = False
    """Only the carrier's free text says so: no confirmed code does."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The second sign beside a text: no movement for so many business days after it, while the carrier answered.

    `answered_at`: when tracking last answered; a silence that nobody listened to proves nothing.
    """

    business_days: int
    today: date
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """One claim that may be filed: for which problem, how, and when."""

    problem_id: int
    offer: ClaimOffer
    motive: str
    kind: ClaimKind
    claimable_from: date
    alert_on: date
    urge_on: date
    """When an unfiled one is brought to a person: on its deadline, or before where that comes soon."""
    deadline_on: date
    last_on: date
    basis: Mapping[str, Any] = field(default_factory=dict)
    """Why it may be filed from that day on, as facts for `explain`."""


@dataclass(frozen=True, slots=True)
class NotClaimable:
    """Why a problem is not claimed, for `explain`."""

    problem_id: int
    why: WhyNot
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The sentence of the log."""
        return WHY_NOT[self.why].format(**self.facts)


def plan(
    problems: Sequence[ClaimableProblem],
    history: History,
    terms: ClaimTerms,
    days: Calendars,
    *,
    first_on: date,
    by_contract: bool = False,
    codes: frozenset[str] = frozenset(),
    silence: Silence | None = None,
) -> tuple[list[ClaimPlan], list[NotClaimable]]:
    """Every claim these problems allow, the best first; and for each problem without one, why.

    `first_on` is the day from which anything may be done at all (the shop's first day with this shipment). `by_contract`:
    this account's contract has been seen to settle lateness by service level. `codes`: those of the parcel's events.

    A problem that only the carrier's text tells of (`by_words`) asks for money only with a second sign, `silence`; until then
    the carrier is asked what happened, where a request for refund may still follow that (`ClaimTerms.inquiry_gives_way`).
    Elsewhere the refund is planned, and what holds it back until then is `words_alone`.
    """
    plans: list[ClaimPlan] = []
    refused: list[NotClaimable] = []
    for problem in problems:
        if by_contract and problem.kind in NEEDS_CARRIER_LATE:
            refused.append(NotClaimable(problem.id, WhyNot.BY_CONTRACT))
            continue
        offer = offer_for(problem.kind, problem.presumed, terms)
        outcome = _plan_one(problem, offer, history, terms, days, first_on, codes)
        if isinstance(outcome, ClaimPlan) and problem.by_words:
            outcome = _of_words(outcome, problem, history, terms, days, silence)
        if isinstance(outcome, ClaimPlan):
            plans.append(outcome)
        else:
            refused.append(outcome)
    return sorted(plans, key=lambda p: (p.offer.priority, p.problem_id)), refused


def offer_for(kind: ProblemKind, presumed: bool, terms: ClaimTerms) -> ClaimOffer | None:
    """The carrier's offer for such a problem; what is only presumed has an offer of its own, or none."""
    return next((o for o in terms.offers if o.problem is kind and o.presumed is presumed), None)


def _plan_one(
    problem: ClaimableProblem,
    offer: ClaimOffer | None,
    history: History,
    terms: ClaimTerms,
    days: Calendars,
    first_on: date,
    codes: frozenset[str],
) -> ClaimPlan | NotClaimable:
    why = not_claimable(problem, offer, history, terms, days, codes)
    if why is not None or offer is None:
        due = history.due_max_on
        facts = {"due_on": due.isoformat()} if due else {}
        if problem.cause is not None:
            facts["cause"] = problem.cause.value
        return NotClaimable(problem.id, why or WhyNot.NO_OFFER, facts)
    start = claimable_from(problem, offer, history, terms, days)
    alert_on, urge_on, deadline_on, last_on = _window(problem, offer, history, terms, days)
    return ClaimPlan(
        problem_id=problem.id,
        offer=offer,
        motive=offer.motive,
        kind=offer.kind,
        claimable_from=max(start, first_on),
        alert_on=alert_on,
        urge_on=urge_on,
        deadline_on=deadline_on,
        last_on=last_on,
        basis={"problem": problem.kind.value, **_basis(problem, offer, history, terms, days, first_on)},
    )


def _window(
    problem: ClaimableProblem, offer: ClaimOffer, history: History, terms: ClaimTerms, days: Calendars
) -> tuple[date, date, date, date]:
    """The days of the first alert, of the urgent one, of the deadline, and the last."""
    window = offer.window
    if window is None:
        base = window_base(problem, history, days)
        alert, deadline, last = (timedelta(days=n) for n in (terms.alert_day, terms.window_days, terms.last_day))
        return base + alert, base + deadline, base + deadline, base + last
    base = days.local_date(problem.since)
    if window.counts_from is WindowStart.DELIVERY and history.delivered_at is not None:
        base = days.local_date(history.delivered_at)
    alerts = [base + timedelta(days=day) for day in window.alert_days]
    deadline_on = base + timedelta(days=window.days)
    urge_on = alerts[-1] if len(alerts) > 1 else deadline_on
    return alerts[0] if alerts else deadline_on, urge_on, deadline_on, base + timedelta(days=window.last_day)


def _of_words(
    entry: ClaimPlan,
    problem: ClaimableProblem,
    history: History,
    terms: ClaimTerms,
    days: Calendars,
    silence: Silence | None,
) -> ClaimPlan:
    """The plan for a problem that only a text tells of."""
    if entry.kind is not ClaimKind.REFUND or silence is None:
        return replace(entry, basis={**entry.basis, "by_words": True})
    until = words_alone([problem], history, days, silence)
    if until is None:
        sign = {"by_words": True, "second_sign": "silence", "silent_business_days": silence.business_days}
        return replace(entry, basis={**entry.basis, **sign})
    waits = {"by_words": True, "words_until": until.isoformat()}
    kind = ClaimKind.INFORMATION_REQUEST if terms.inquiry_gives_way else entry.kind
    return replace(entry, kind=kind, basis={**entry.basis, **waits})


class Worded(Protocol):
    """What of a problem says how sure it is."""

    @property
    def since(self) -> datetime: ...
    @property
    def by_words(self) -> bool: ...


def words_alone(problems: Sequence[Worded], history: History, days: Calendars, silence: Silence | None) -> date | None:
    """Until when these problems rest on the carrier's text alone: no money is asked for before; None where they do not, or
    a second sign has come. A day that has come, but of which the carrier has not answered yet, is waited out."""
    if silence is None or not problems or not all(problem.by_words for problem in problems):
        return None
    last = max([problem.since for problem in problems] + ([history.last_event_at] if history.last_event_at else []))
    silent_on = days.since.add(days.local_date(last), silence.business_days) + DAY
    answered = silence.answered_at is not None and silence.answered_at >= days.start_of(silent_on)
    if silence.today < silent_on:
        return silent_on
    return None if answered else silence.today + DAY


def _basis(
    problem: ClaimableProblem, offer: ClaimOffer, history: History, terms: ClaimTerms, days: Calendars, first_on: date
) -> dict[str, Any]:
    """Which date the first allowed day counts from, and the holidays on the way."""
    start = claimable_from(problem, offer, history, terms, days)
    if start < first_on:
        return {"first_on": first_on.isoformat()}
    if offer.start is ClaimStart.EVENT or history.due_max_on is None or history.due_first_on is None:
        return {"event_on": days.local_date(problem.since).isoformat(), "days_after_event": offer.days_after_event}
    due_on = history.due_max_on.isoformat()
    if history.delivered_at is not None and days.local_date(history.delivered_at) == start:
        return {"due_on": due_on, "delivered_on": start.isoformat()}
    if start < days.since.add(history.due_max_on, terms.margin_business_days):
        first, cap = history.due_first_on.isoformat(), terms.replanning_cap_business_days
        return {"due_on": due_on, "due_first_on": first, "cap_business_days": cap}
    skipped = [day.isoformat() for day in days.since.skipped(history.due_max_on, start)]
    return {"due_on": due_on, "margin_business_days": terms.margin_business_days, "holidays_skipped": skipped}


class Claimable(Protocol):
    """What of a problem decides whether it can be claimed."""

    @property
    def kind(self) -> ProblemKind: ...
    @property
    def presumed(self) -> bool: ...
    @property
    def cause(self) -> Cause | None: ...
    @property
    def carrier_since(self) -> datetime | None: ...
    @property
    def resolved_at(self) -> datetime | None: ...
    @property
    def claims_wish(self) -> str | None: ...


def not_claimable(
    problem: Claimable,
    offer: ClaimOffer | None,
    history: History,
    terms: ClaimTerms,
    days: Calendars,
    codes: frozenset[str] = frozenset(),
) -> WhyNot | None:
    """Why there is no claim for this problem; None where there is one."""
    if offer is None:
        return WhyNot.PRESUMED if problem.presumed else WhyNot.NO_OFFER
    if problem.claims_wish == Wish.CANCEL:
        return WhyNot.SETTLED_BY_HAND
    if not codes.isdisjoint(offer.not_codes) or (problem.cause is not None and problem.cause in offer.not_causes):
        return WhyNot.NOT_THE_CARRIERS_FAULT
    if problem.kind in NEEDS_CARRIER_LATE and problem.carrier_since is None:
        return WhyNot.INSIDE_CARRIER_TERM
    if offer.start is ClaimStart.DUE_DATE and history.due_first_on is None:
        return WhyNot.NO_DUE_DATE
    if problem.kind is Kind.LATE_DELIVERY and history.delivered_at is None:
        return WhyNot.NOT_DELIVERED_YET
    if problem.kind is Kind.LATE_DELIVERY and _came_by_the_latest_date(history, terms, days):
        return WhyNot.INSIDE_LATEST_DATE
    if problem.resolved_at is not None and problem.kind not in STILL_OWED and not _kept(problem, history):
        return WhyNot.ENDED
    return None


def settled_away(problems: Mapping[int, tuple[Claimable, Settlement | None]]) -> dict[int, Settlement]:
    """The settlements with which a claim that is not filed yet falls away, by problem; none where it goes on.

    *problems* are those that the claim answers, each with how a person settled it. The plan comes to the same once detection
    has ended them; this says it before.
    """
    owed = {key: entry for key, entry in problems.items() if entry[0].resolved_at is None or _outlives_its_end(*entry)}
    let_fall = {key: by_hand for key, (_, by_hand) in problems.items() if by_hand and by_hand.claims is Wish.CANCEL}
    return let_fall if let_fall and owed.keys() <= let_fall.keys() else {}


def _outlives_its_end(problem: Claimable, by_hand: Settlement | None) -> bool:
    return problem.kind in STILL_OWED or (by_hand is not None and by_hand.claims is Wish.KEEP)


def _kept(problem: Claimable, history: History) -> bool:
    """Whether a person who settled it wants its claim to go on, and the parcel has not come after all."""
    return problem.claims_wish == Wish.KEEP and history.first_attempt_at is None and history.status not in FINAL


def _came_by_the_latest_date(history: History, terms: ClaimTerms, days: Calendars) -> bool:
    """The claims office may go by a date that the carrier put off, and refuses such a claim as on time (code 530). Beyond
    the cap on waiting for re-planned dates, what it owes is the first one."""
    reached = history.first_attempt_at or history.delivered_at
    if reached is None or history.due_first_on is None or history.due_max_on is None:
        return False
    cap = days.since.add(history.due_first_on, terms.replanning_cap_business_days)
    return days.local_date(reached) <= min(history.due_max_on, cap)


def claimable_from(
    problem: ClaimableProblem, offer: ClaimOffer, history: History, terms: ClaimTerms, days: Calendars
) -> date:
    """The first local day on which the carrier may take this claim."""
    if offer.start is ClaimStart.EVENT:
        return days.local_date(problem.since) + timedelta(days=offer.days_after_event)
    if history.due_first_on is None or history.due_max_on is None:
        raise ValueError("a claim that starts at the due date needs one")
    after_latest = days.since.add(history.due_max_on, terms.margin_business_days)
    cap = days.since.add(history.due_first_on, terms.replanning_cap_business_days)
    start = min(after_latest, cap)
    if problem.kind is Kind.LATE_DELIVERY and history.delivered_at is not None:
        start = max(start, days.local_date(history.delivered_at))
    return start


def window_base(problem: ClaimableProblem, history: History, days: Calendars) -> date:
    """The day from which the carrier counts its window: the earlier of delivery and the earliest due date, else the event."""
    # A carrier that brings its date forward may count from the new one: the window takes the earlier of the two.
    known = [day for day in (history.due_first_on, history.due_on) if day is not None]
    if history.delivered_at is not None:
        known.append(days.local_date(history.delivered_at))
    return min(known) if known else days.local_date(problem.since)
