"""What is wrong with a shipment: facts in, findings out, and how they differ from the problems that stand.

Each rule has a name and a version; both go with every problem it opens, so that `explain` can say what was applied.
`since` is the instant at which the facts made it true, not the instant at which we looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from carriers.base import Cause, ProblemKind, TrackingStatus
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.history import FINAL, MOVING, History
from tracker.domain.promise import Promise

Kind = ProblemKind
Status = TrackingStatus

RULE_VERSIONS: Final[Mapping[str, int]] = {
    "delay.past_promise": 2,
    "late_delivery.past_promise": 1,
    "loss.coded": 1,
    "loss.presumed": 1,
    "theft.coded": 1,
    "damage.coded": 1,
    "returning.coded": 1,
    "returned.coded": 1,
}
ENDED: Final = "problem.ended"
"""The rule under which the log says how a problem came to its end."""
RESOLUTIONS: Final = frozenset(
    {
        *(status.value for status in FINAL),
        "attempted",
        "returning",
        "superseded",
        "order_cancelled",
        "promise_moved",
        "moving_again",
        "withdrawn",
    }
)
"""How a problem may end."""
RECHECK: Final = timedelta(hours=3)
"""How soon to look again where a rule waits for the carrier's next answer."""
UNSEEN: Final = datetime.min.replace(tzinfo=UTC)
"""Stands for the last answer of a carrier that has never answered."""
OUTAGE_DAY: Final = timedelta(hours=12)
"""A day of which the carrier answered less than half counts as one without answers."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that detection may know of one shipment."""

    history: History
    promise: Promise
    service: str | None
    presumed_loss_business_days: int | None
    """None: nobody's terms are known, so no loss is presumed."""
    last_answered_at: datetime | None = None
    outages: tuple[tuple[datetime, datetime], ...] = ()
    grace_days: int = 0
    order_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that the facts show. `ended` is set where the same facts already end it (late, but here)."""

    kind: Kind
    rule: str
    since: datetime
    cause: Cause | None = None
    presumed: bool = False
    customer_since: datetime | None = None
    carrier_since: datetime | None = None
    ended: tuple[datetime, str] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownProblem:
    """A problem as it stands in the store: the newest episode of its kind."""

    id: int
    kind: Kind
    episode: int
    cause: Cause | None
    presumed: bool
    since: datetime
    customer_since: datetime | None
    carrier_since: datetime | None
    resolved_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What detection wants written: problems to open (finding, episode), to change, to end; and when to look again."""

    opened: tuple[tuple[Finding, int], ...] = ()
    changed: tuple[tuple[KnownProblem, Finding], ...] = ()
    ended: tuple[tuple[KnownProblem, datetime, str], ...] = ()
    next_check_at: datetime | None = None


def detect(facts: Facts, known: Sequence[KnownProblem], *, days: Calendars, now: datetime) -> Changes:
    """Compare what the facts show at `now` with the newest episode of each kind of problem."""
    findings, wake = find(facts, days=days, now=now)
    newest = {problem.kind: problem for problem in known}
    opened: list[tuple[Finding, int]] = []
    changed: list[tuple[KnownProblem, Finding]] = []
    for finding in findings:
        standing = newest.get(finding.kind)
        if standing is None:
            opened.append((finding, 1))
        elif standing.resolved_at is None:
            if _differs(standing, finding):
                changed.append((standing, finding))
        elif not (_is_record(finding.kind) and _same_record(standing, finding)):
            opened.append((finding, standing.episode + 1))
    found = {finding.kind for finding in findings}
    ended = tuple(
        (problem, *_ending(problem, facts, found, now))
        for problem in newest.values()
        if problem.resolved_at is None and problem.kind not in found
    )
    return Changes(tuple(opened), tuple(changed), ended, wake)


def find(facts: Facts, *, days: Calendars, now: datetime) -> tuple[list[Finding], datetime | None]:
    """Everything wrong at `now`, and the next instant at which time alone may change that."""
    history = facts.history
    findings: list[Finding] = []
    wakes: list[datetime] = []
    findings += _coded(history)
    findings += _turned_back(history)
    coded = {finding.kind for finding in findings}
    if not coded & {Kind.LOSS, Kind.THEFT, Kind.RETURNING, Kind.RETURNED}:
        late, wake = _lateness(facts, days, now)
        findings += late
        wakes += wake
        silent, wake = _silence(facts, days, now)
        findings += silent
        wakes += wake
    return findings, min((w for w in wakes if w > now), default=None)


# --- rules ------------------------------------------------------------------------------------------


def _coded(history: History) -> Iterable[Finding]:
    """What the carrier itself says: lost, stolen, damaged."""
    if history.lost_at is not None:
        yield Finding(Kind.LOSS, "loss.coded", history.lost_at, cause=Cause.LOSS)
    if history.stolen_at is not None:
        yield Finding(Kind.THEFT, "theft.coded", history.stolen_at, cause=Cause.THEFT)
    if history.damaged_at is not None:
        ended = _arrival(history)
        yield Finding(Kind.DAMAGE, "damage.coded", history.damaged_at, cause=Cause.DAMAGE, ended=ended)


def _turned_back(history: History) -> Iterable[Finding]:
    if history.status is Status.RETURNING and history.returning_at is not None:
        yield Finding(Kind.RETURNING, "returning.coded", history.returning_at, cause=history.returning_cause)
    if history.status is Status.RETURNED and history.returned_at is not None:
        yield Finding(Kind.RETURNED, "returned.coded", history.returned_at, cause=history.returning_cause)


def _lateness(facts: Facts, days: Calendars, now: datetime) -> tuple[list[Finding], list[datetime]]:
    """Late means the first attempt, pickup availability or delivery after the due date, compared as local dates.

    An absent buyer on time is not late: the carrier came, and refuses such a claim as delivered on time. A day that has
    gone by without an answer since proves nothing.
    """
    history = facts.history
    if history.status in FINAL - {Status.DELIVERED} or facts.order_cancelled:
        return [], []
    promises = (_late_from(facts.promise.on, days, facts.grace_days), _late_from(history.due_first_on, days, 0))
    wakes = [instant for instant in promises if instant is not None]
    reached = history.first_attempt_at or history.delivered_at
    # Without an attempt the carrier must have answered since: a parcel that nobody could look at may have been delivered.
    shown_until = min(now, facts.last_answered_at or UNSEEN) if reached is None else reached
    customer_since, carrier_since = (day if day is not None and day <= shown_until else None for day in promises)
    if reached is None and any(shown_until < day <= now for day in wakes):
        wakes.append(now + RECHECK)
    if customer_since is None and carrier_since is None:
        return [], wakes
    since = min(instant for instant in (customer_since, carrier_since) if instant is not None)
    dates = {"promised_on": facts.promise.on, "carrier_due_first_on": history.due_first_on}
    if reached is None:
        kind, rule, ended = Kind.DELAY, "delay.past_promise", None
    else:
        kind, rule, ended = Kind.LATE_DELIVERY, "late_delivery.past_promise", _arrival(history)
        since = reached
    finding = Finding(
        kind,
        rule,
        since,
        customer_since=customer_since,
        carrier_since=carrier_since,
        ended=ended,
        facts={name: value.isoformat() if value else None for name, value in dates.items()},
    )
    return [finding], wakes


def _silence(facts: Facts, days: Calendars, now: datetime) -> tuple[list[Finding], list[datetime]]:
    """Presumed loss: so many business days without an event, counted from the later of due date and last event.

    Days on which the carrier did not answer do not count, and the silence must have been confirmed by an answer since.
    """
    history, terms = facts.history, facts.presumed_loss_business_days
    if terms is None or history.status not in MOVING or history.last_event_at is None or history.posted_at is None:
        return [], []
    start = max(days.local_date(history.last_event_at), history.due_max_on or date.min)
    last_day, unanswered = _silent_until(start, terms, facts.outages, days)
    since = days.start_of(last_day + DAY)
    if since > now:
        return [], [since]
    if facts.last_answered_at is None or facts.last_answered_at < since:
        return [], [now + RECHECK]
    shown = {
        "last_event_at": history.last_event_at.isoformat(),
        "counted_from": start.isoformat(),
        "business_days": terms,
        "days_without_answer": unanswered,
        "last_answered_at": facts.last_answered_at.isoformat(),
        "holidays_skipped": [day.isoformat() for day in days.since.skipped(start, last_day)],
    }
    return [Finding(Kind.LOSS, "loss.presumed", since, cause=Cause.LOSS, presumed=True, facts=shown)], []


# --- small questions --------------------------------------------------------------------------------


def _late_from(due: date | None, days: Calendars, grace_days: int) -> datetime | None:
    return None if due is None else days.start_of(due + DAY * (1 + grace_days))


def _arrival(history: History) -> tuple[datetime, str] | None:
    if history.delivered_at is not None:
        return history.delivered_at, "delivered"
    if history.returned_at is not None:
        return history.returned_at, "returned"
    return None


def _is_record(kind: Kind) -> bool:
    """Kinds that record what happened, rather than what is going on: the same facts are the same episode."""
    return kind in {Kind.LATE_DELIVERY, Kind.DAMAGE, Kind.RETURNED}


def _same_record(problem: KnownProblem, finding: Finding) -> bool:
    """Also where an older event, learned of later, moves the beginning: the same end is the same episode."""
    return problem.since == finding.since or (finding.ended is not None and finding.ended[0] == problem.resolved_at)


def _differs(problem: KnownProblem, finding: Finding) -> bool:
    if finding.ended is not None:
        return True
    return (problem.cause, problem.presumed, problem.customer_since, problem.carrier_since) != (
        finding.cause,
        finding.presumed,
        finding.customer_since,
        finding.carrier_since,
    )


def _ending(problem: KnownProblem, facts: Facts, found: set[Kind], now: datetime) -> tuple[datetime, str]:
    """When and how a problem that the facts no longer show came to its end."""
    history, attempt = facts.history, facts.history.first_attempt_at
    if problem.kind is Kind.DELAY and history.delivered_at is not None and attempt is not None:
        # Whatever we saw first: the carrier's term ended when it came, not when it was let in.
        return attempt, "delivered" if attempt == history.delivered_at else "attempted"
    if history.status in FINAL and history.status_at is not None:
        return history.status_at, history.status.value
    if Kind.RETURNING in found and history.returning_at is not None:
        return history.returning_at, "returning"
    if found & {Kind.LOSS, Kind.THEFT}:
        return now, "superseded"
    if problem.kind is Kind.DELAY:
        if attempt is not None:
            return attempt, "attempted"
        return now, "order_cancelled" if facts.order_cancelled else "promise_moved"
    if history.last_event_at is not None and history.last_event_at > problem.since:
        return history.last_event_at, "moving_again"
    return now, "withdrawn"


def _silent_until(
    start: date, terms: int, outages: Sequence[tuple[datetime, datetime]], days: Calendars
) -> tuple[date, int]:
    """The business day that completes a silence of `terms`, and how many without answers it skipped on its way.

    What happens after that day is of no account: an outage now does not undo a silence that was long enough before it.
    """
    day, silent, unanswered = start, 0, 0
    while silent < terms:
        day += DAY
        if not days.since.is_business(day):
            continue
        if _unanswered(day, outages, days) > OUTAGE_DAY:
            unanswered += 1
        else:
            silent += 1
    return day, unanswered


def _unanswered(day: date, outages: Sequence[tuple[datetime, datetime]], days: Calendars) -> timedelta:
    begin, end = days.at(day, time.min), days.start_of(day + DAY)
    return sum((max(timedelta(), min(end, until) - max(begin, since)) for since, until in outages), start=timedelta())
