"""The truth about a plan: which problems an attentive reader must have seen, and when, from timelines and published rules.

Written from the field's rules (sections named as in the domain reference "Correios": 3.4, 4.1, 4.2, 7.1) and the product's
own (design section 8), never from the program that is judged by it. Each rule has two readings: the widest, in which a
problem may be named, and the narrowest, in which it must be. What is doubtful (a holiday, an order of suppression, a name
for what has two) lies between them and is held against nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tracker.sandbox.attention import A_DAY_OF_LOOKS, Attention, Run, add_strictly, loosely, runs, strictly_closed
from tracker.sandbox.people import ORIGIN
from tracker.sandbox.plan import Service, Shipment, Sight
from tracker.sandbox.story import ENDS, Story, View
from tracker.sandbox.workdays import local_date

STALLED_DAYS = 5
"""Design 8: no event for five business days in transit."""
PRESUMED_DAYS: Mapping[Service, int] = {Service.SEDEX: 7, Service.PAC: 10}
"""7.1: counted from the later of due date and last event."""
EXPIRING_DAYS = 2
GIVEN_UP_AFTER = timedelta(days=29)
"""3.4: stop after 30 days without any event; a day less where an order came in the evening."""
NOT_POSTED_DAYS = 2
"""3.4: the order says it was posted more than two business days ago."""
_DAY = timedelta(days=1)
_STRAIGHT = frozenset({"posted", "in_transit", "out_for_delivery", "delivery_failed"})
_GONE = frozenset({"lost", "stolen", "returning", *ENDS})
_SECOND_LOOKS = (1, 3, 7)


@dataclass(frozen=True, slots=True)
class Expected:
    """One problem of one parcel, to be detected between the local days `earliest` and `latest`.

    `since_look`: the look from which on it stood beyond doubt; a problem that was seen before and still stands then will do.
    """

    code: str
    kind: str
    cause: str | None
    presumed: bool
    earliest: date
    latest: date
    since_look: datetime


@dataclass(frozen=True, slots=True)
class Allowed:
    """A stretch of local days in which naming this problem is no error."""

    kind: str
    presumed: bool
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class ProblemTruth:
    """All that may and must be found of one parcel."""

    shipment: Shipment
    expected: tuple[Expected, ...]
    allowed: tuple[Allowed, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One parcel under one reader."""

    story: Story
    attention: Attention

    @property
    def shipment(self) -> Shipment:
        return self.story.shipment

    @property
    def states(self) -> tuple[str, str]:
        return ORIGIN.state, self.shipment.order.customer.place.state

    def strictly(self, day: date, count: int) -> date:
        """The *count*-th business day after *day* in the narrowest reading, days without an answer left out."""
        return add_strictly(day, count, self.states, self.attention.blind_days)

    def is_hidden(self) -> bool:
        return self.story.is_hidden


Reading = Callable[[Case, View, datetime], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """`looks`: so many looks in a row at what must be seen make it required."""

    kind: str
    may: Reading
    must: Reading
    looks: int = A_DAY_OF_LOOKS + 1
    presumed: bool = False


def problems(shipment: Shipment, attention: Attention, indemnified_on: date | None = None) -> ProblemTruth:
    """Return what may and must be found of *shipment* (strikes applied) by a reader of that attention.

    *indemnified_on*: the day tracking told of an indemnity, which reads as a loss.
    """
    expected: list[Expected] = []
    allowed: list[Allowed] = []
    case = Case(Story(shipment), attention)
    if shipment.sight is not Sight.INVALID:  # a code that cannot exist is refused with its order
        started = [now for now in attention.looks if local_date(now) >= shipment.order.shipped_on]
        for rule in RULES:
            found = _apply(rule, case, started)
            expected += found[0]
            allowed += found[1]
    if indemnified_on is not None:
        allowed.append(Allowed("loss", False, indemnified_on, date.max))
    return ProblemTruth(shipment, tuple(expected), tuple(allowed))


def _apply(rule: Rule, case: Case, looks: Sequence[datetime]) -> tuple[list[Expected], list[Allowed]]:
    story = case.story
    allowed = [
        Allowed(rule.kind, rule.presumed, local_date(looks[run.first]), _grace(looks, run))
        for run in runs(looks, lambda now: rule.may(case, story.view(now), now))
    ]
    expected = []
    watched = [now for now in looks if not story.is_closed(now)]
    for run in runs(watched, lambda now: rule.must(case, story.view(now), now)):
        wait = slack(story, looks, run)
        if run.length < max(rule.looks, wait - A_DAY_OF_LOOKS + rule.looks):
            continue
        latest = run.first + wait
        if latest >= len(looks):
            continue  # the reader stops before it must have been seen
        first, view = looks[run.first], story.view(looks[run.first])
        earliest = max((each.first for each in allowed if each.first <= local_date(first)), default=local_date(first))
        cause = _cause(rule.kind, view)
        expected.append(
            Expected(case.shipment.code, rule.kind, cause, rule.presumed, earliest, local_date(looks[latest]), first)
        )
    return expected, allowed


def _grace(looks: Sequence[datetime], run: Run) -> date:
    """The last day of an allowed stretch: a reader that is a day of looks behind still saw it standing."""
    return local_date(looks[min(run.last + 2 * A_DAY_OF_LOOKS, len(looks) - 1)])


def slack(story: Story, looks: Sequence[datetime], run: Run) -> int:
    """After how many looks a change must have been noticed: at once, save for what is looked at more rarely.

    Design 6: lost, stolen and damaged daily; after the end second looks on days 1, 3 and 7.
    """
    if run.first == 0:
        return A_DAY_OF_LOOKS
    before, now = story.view(looks[run.first - 1]), story.view(looks[run.first])
    end = before if before.status in ENDS else _end_still_believed(story, looks, run.first)
    if end is not None and end.status_on is not None:
        age = (local_date(looks[run.first]) - end.status_on).days
        wait = next((day for day in _SECOND_LOOKS if day >= age), None)
        return len(looks) if wait is None else (wait - age + 2) * A_DAY_OF_LOOKS
    rare = before.status in {"lost", "stolen", "damaged"} and now.status != before.status
    return (2 if rare else 1) * A_DAY_OF_LOOKS


def _end_still_believed(story: Story, looks: Sequence[datetime], first: int) -> View | None:
    """The end that the carrier took back between two second looks: until the next one nobody can know."""
    for index in range(first - 1, max(-1, first - 1 - _SECOND_LOOKS[-1] * A_DAY_OF_LOOKS), -1):
        view = story.view(looks[index])
        if view.status in ENDS and view.status_on is not None:
            shown, today = ((local_date(at) - view.status_on).days for at in (looks[index], looks[first]))
            return None if any(shown < day <= today for day in _SECOND_LOOKS) else view
    return None


def _cause(kind: str, view: View) -> str | None:
    return view.return_cause if kind in {"returning", "returned"} else None


# --- rules ------------------------------------------------------------------------------------------


def _never(case: Case, view: View, now: datetime) -> bool:
    return False


def _dues(case: Case, now: datetime) -> list[date]:
    return case.shipment.due_dates(now)


def _is_untried(view: View) -> bool:
    return view.tried_on is None and view.delivered_on is None


def _may_delay(case: Case, view: View, now: datetime) -> bool:
    """4.1: no attempt, availability or delivery by the day a due date or the shop's promise is over."""
    if case.is_hidden() or not _is_untried(view) or view.status in ENDS:
        return False
    return local_date(now) > min(case.shipment.promised_on, *_dues(case, now))


def _must_delay(case: Case, view: View, now: datetime) -> bool:
    if case.is_hidden() or not _is_untried(view) or view.posted_on is None:
        return False
    if view.status not in _STRAIGHT:
        return False
    return local_date(now) > min(case.shipment.promised_on, case.story.first_due_on(now))


def _may_late_delivery(case: Case, view: View, now: datetime) -> bool:
    if view.tried_on is None:
        return False
    return view.tried_on > min(case.shipment.promised_on, *_dues(case, now))


def _must_late_delivery(case: Case, view: View, now: datetime) -> bool:
    if view.tried_on is None or view.status not in {*_STRAIGHT, "delivered", "available_for_pickup"}:
        return False
    return view.tried_on > case.story.first_due_on(now)


def _silent_since(view: View) -> date | None:
    return view.last_on if view.posted_on is not None else None


def _may_stall(case: Case, view: View, now: datetime) -> bool:
    last = _silent_since(view)
    if last is None or view.status in {*_GONE, "available_for_pickup"}:
        return False
    return local_date(now) >= loosely(last, STALLED_DAYS)


def _must_stall(case: Case, view: View, now: datetime) -> bool:
    """Only before it is late: after that the delay already says so."""
    if view.last_word_on is None or view.status not in {"posted", "in_transit"} or view.tried_on is not None:
        return False
    late = _may_delay(case, view, now)
    return not late and local_date(now) > case.strictly(view.last_word_on, STALLED_DAYS)


def _may_presume(case: Case, view: View, now: datetime) -> bool:
    last = _silent_since(view)
    if last is None or view.status in {*_GONE, "available_for_pickup"}:
        return False
    start = max(last, min(_dues(case, now)))
    return local_date(now) >= loosely(start, PRESUMED_DAYS[case.shipment.service])


def _must_presume(case: Case, view: View, now: datetime) -> bool:
    if view.last_word_on is None or view.status not in {"posted", "in_transit", "out_for_delivery"}:
        return False
    if view.posted_on is None or view.tried_on is not None:
        return False
    start = max(view.last_word_on, *_dues(case, now))
    return local_date(now) > case.strictly(start, PRESUMED_DAYS[case.shipment.service])


def _not_seen(case: Case, view: View) -> bool:
    return not case.is_hidden() and view.posted_on is None and view.status in {"unknown", "pre_transit"}


def _may_not_be_posted(case: Case, view: View, now: datetime) -> bool:
    return _not_seen(case, view) and local_date(now) >= loosely(case.shipment.order.shipped_on, NOT_POSTED_DAYS)


def _must_not_be_posted(case: Case, view: View, now: datetime) -> bool:
    last = case.strictly(case.shipment.order.shipped_on, NOT_POSTED_DAYS)
    return _not_seen(case, view) and local_date(now) > last


def _hidden(case: Case, view: View, now: datetime) -> bool:
    return case.is_hidden()


def _may_be_given_up(case: Case, view: View, now: datetime) -> bool:
    """3.4: asked about for thirty days without any event, and then no more."""
    return case.is_hidden() or (
        view.posted_on is None and local_date(now) >= case.shipment.order.shipped_on + GIVEN_UP_AFTER
    )


def _expires(case: Case, view: View, now: datetime, back: Callable[[date, int], date]) -> bool:
    if view.status != "available_for_pickup" or view.pickup_by is None:
        return False
    return back(view.pickup_by, -EXPIRING_DAYS) <= local_date(now)


def _may_expire(case: Case, view: View, now: datetime) -> bool:
    """A last day on which nobody works may be read as the last working one before it."""

    def back(day: date, count: int) -> date:
        while strictly_closed(day, case.states):
            day -= _DAY
        return add_strictly(day, count, case.states)

    return _expires(case, view, now, back)


def _must_expire(case: Case, view: View, now: datetime) -> bool:
    last = view.pickup_by
    return last is not None and local_date(now) <= last and _expires(case, view, now, loosely)


def _is(status: str, cause: str | None = None) -> Reading:
    def holds(case: Case, view: View, now: datetime) -> bool:
        return view.status == status and cause in (None, view.cause)

    return holds


def _tried_in_vain(cause: str) -> Reading:
    """Stands from the attempt until the parcel is delivered, laid out or turned back, whatever else is scanned."""

    def holds(case: Case, view: View, now: datetime) -> bool:
        failed = view.status == "delivery_failed" and view.cause == cause
        return failed or (view.status == "out_for_delivery" and view.before == "delivery_failed")

    return holds


def _may_fail(case: Case, view: View, now: datetime) -> bool:
    return view.status in {"delivery_failed", "out_for_delivery", "returning", "returned", "available_for_pickup"}


def _damaged(case: Case, view: View, now: datetime) -> bool:
    return view.damaged


def _turned_back(cause: str) -> Reading:
    def holds(case: Case, view: View, now: datetime) -> bool:
        return view.status in {"returning", "returned"} and view.return_cause == cause

    return holds


def _either(*readings: Reading) -> Reading:
    return lambda case, view, now: any(reading(case, view, now) for reading in readings)


_address, _absent = _tried_in_vain("wrong_address"), _tried_in_vain("absent")
RULES: tuple[Rule, ...] = (
    Rule("not_posted", _may_not_be_posted, _must_not_be_posted),
    Rule("untrackable", _may_be_given_up, _hidden),
    Rule("delay", _may_delay, _must_delay),
    Rule("late_delivery", _may_late_delivery, _must_late_delivery),
    Rule("stalled", _may_stall, _must_stall),
    Rule("loss", _may_presume, _must_presume, presumed=True),
    Rule("loss", _is("lost"), _is("lost")),
    Rule("theft", _is("stolen"), _is("stolen")),
    Rule("damage", _damaged, _damaged),
    Rule("delivery_failed", _either(_absent, _turned_back("absent")), _is("delivery_failed", "absent"), looks=2),
    Rule(
        "address_problem", _either(_address, _turned_back("wrong_address")), _is("delivery_failed", "wrong_address"), 2
    ),
    Rule("pickup_expiring", _may_expire, _must_expire, looks=2),
    Rule("refused", _turned_back("refused"), _never),
    Rule("returning", _is("returning"), _is("returning")),
    Rule("returned", _is("returned"), _is("returned")),
    Rule("customs_hold", _is("customs", "customs_hold"), _is("customs", "customs_hold")),
    Rule("seized", _is("seized"), _is("seized")),
)
"""Not here: violation and misdelivery, which only a buyer can tell."""


def kinds() -> frozenset[str]:
    """Every kind of problem that the truth knows."""
    return frozenset(rule.kind for rule in RULES)


def plan_problems(
    shipments: Iterable[Shipment], attention: Attention, indemnified: Mapping[str, date]
) -> dict[str, ProblemTruth]:
    """Return the truth about every parcel, by its code."""
    return {each.code: problems(each, attention, indemnified.get(each.code)) for each in shipments}
