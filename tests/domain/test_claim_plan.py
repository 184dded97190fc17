"""Which claims a shipment's problems allow, from when, until when, and why others are not claimed.

Friday 20 November 2026 is a holiday; 24 and 31 December are doubtful, which "from when" reads as holidays.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.base import (
    Cause,
    ClaimKind,
    ClaimOffer,
    ClaimStart,
    ClaimTerms,
    ClaimWindow,
    ProblemKind,
    TrackingStatus,
    WindowStart,
)
from tests.domain.support import DAYS, at, on
from tracker.domain.claim_plan import (
    ClaimableProblem,
    ClaimPlan,
    NotClaimable,
    WhyNot,
    claimable_from,
    plan,
    settled_away,
    window_base,
)
from tracker.domain.hand import Settled, Settlement, Wish
from tracker.domain.history import History

Kind = ProblemKind
DAMAGE = ClaimOffer(Kind.DAMAGE, "M-damage", ClaimKind.REFUND, ClaimStart.EVENT, priority=10)
LOSS = ClaimOffer(Kind.LOSS, "M-lost", ClaimKind.REFUND, ClaimStart.EVENT, priority=30)
THEFT = ClaimOffer(Kind.THEFT, "M-lost", ClaimKind.REFUND, ClaimStart.EVENT, priority=31, days_after_event=1)
DELAY = ClaimOffer(Kind.DELAY, "M-lost", ClaimKind.INFORMATION_REQUEST, ClaimStart.DUE_DATE, priority=40)
LATE = ClaimOffer(Kind.LATE_DELIVERY, "M-late", ClaimKind.REFUND, ClaimStart.DUE_DATE, priority=50)
TERMS = ClaimTerms(offers=(DAMAGE, LOSS, THEFT, DELAY, LATE), source="a test", valid_since=date(2026, 1, 1))
LONG_AGO = on("2026-01-01")


def problem(kind: Kind, since: str = "2026-11-25 00:00", id: int = 1, **more: Any) -> ClaimableProblem:
    carrier_since = at(since) if kind in {Kind.DELAY, Kind.LATE_DELIVERY} else None
    values: dict[str, Any] = {"presumed": False, "carrier_since": carrier_since, "resolved_at": None} | more
    return ClaimableProblem(id=id, kind=kind, since=at(since), detected_at=at(since), **values)


def history(*named: str, delivered: str | None = None) -> History:
    """A history with these due dates in the order of naming, perhaps delivered."""
    days = [on(text) for text in named]
    dates: dict[str, Any] = {"due_first_on": days[0], "due_on": days[-1], "due_max_on": max(days)} if days else {}
    if delivered is None:
        return History(status=TrackingStatus.IN_TRANSIT, **dates)
    return History(status=TrackingStatus.DELIVERED, delivered_at=at(delivered), first_attempt_at=at(delivered), **dates)


def planned(subject: ClaimableProblem, story: History, *, first_on: date = LONG_AGO) -> ClaimPlan | str:
    """The plan for this problem alone, or why there is none."""
    plans, refused = plan([subject], story, TERMS, DAYS, first_on=first_on)
    assert len(plans) + len(refused) == 1
    return plans[0] if plans else refused[0].reason


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param(history("2026-11-24"), "2026-11-25", id="due Tuesday: Wednesday"),
        pytest.param(history("2026-11-27"), "2026-11-30", id="due Friday: Monday"),
        pytest.param(history("2026-11-28"), "2026-11-30", id="due Saturday: Monday"),
        pytest.param(history("2026-11-29"), "2026-11-30", id="due Sunday: Monday"),
        # Thu 19, (Fri 20, weekend), Mon 23
        pytest.param(history("2026-11-19"), "2026-11-23", id="over a long weekend"),
        pytest.param(history("2026-11-30"), "2026-12-01", id="into the next month"),
        # Wed 23, (Thu 24 doubtful, Fri 25, weekend), Mon 28
        pytest.param(history("2026-12-23"), "2026-12-28", id="a doubtful 24 December is waited for"),
        # Wed 30, (Thu 31 doubtful, Fri 1, weekend), Mon 4
        pytest.param(history("2026-12-30"), "2027-01-04", id="over the year's end"),
        # Fri 5, (weekend, Carnival 8 and 9, Ash Wednesday 10), Thu 11
        pytest.param(history("2027-02-05"), "2027-02-11", id="over Carnival 2027"),
        # Thu 25, (Good Friday 26, weekend), Mon 29
        pytest.param(history("2027-03-25"), "2027-03-29", id="over Easter 2027"),
        pytest.param(history("2026-11-24", "2026-11-27"), "2026-11-30", id="put off: from the later day on"),
        pytest.param(
            history("2026-11-24", "2026-11-18"), "2026-11-25", id="brought forward: the first day still counts"
        ),
        pytest.param(
            history("2026-11-24", "2026-11-27", "2026-11-25"), "2026-11-30", id="the farthest of all, not the newest"
        ),
        # ten after Tue 24: 25, 26, 27 (3), 30, 1, 2, 3, 4 (8), Mon 7, Tue 8 December (10)
        pytest.param(history("2026-11-24", "2026-12-07"), "2026-12-08", id="put off to the day before the cap"),
        pytest.param(history("2026-11-24", "2026-12-08"), "2026-12-08", id="put off to the cap: no longer than that"),
        pytest.param(history("2026-11-24", "2027-02-26"), "2026-12-08", id="put off for months: the cap"),
        # ten after Wed 16: 17, 18 (2), 21, 22, 23 (5), (24 doubtful, 25), 28, 29, 30 (8), (31, 1), Mon 4, Tue 5 (10)
        pytest.param(history("2026-12-16", "2027-02-26"), "2027-01-05", id="the cap skips doubtful days too"),
    ],
)
def test_a_delay_is_claimable_from(story: History, expected: str) -> None:
    outcome = planned(problem(Kind.DELAY), story)
    assert isinstance(outcome, ClaimPlan)
    assert outcome.claimable_from == on(expected)


@pytest.mark.parametrize(
    ("subject", "story", "expected"),
    [
        pytest.param(
            problem(Kind.LATE_DELIVERY, "2026-11-25 15:00", resolved_at=at("2026-11-25 15:00")),
            history("2026-11-24", delivered="2026-11-25 15:00"),
            "2026-11-25",
            id="late delivery on the day it came",
        ),
        pytest.param(
            problem(Kind.LATE_DELIVERY, "2026-11-28 15:00", resolved_at=at("2026-11-28 15:00")),
            history("2026-11-27", delivered="2026-11-28 15:00"),
            "2026-11-30",
            id="late delivery on a Saturday waits for Monday",
        ),
        pytest.param(
            problem(Kind.LATE_DELIVERY, "2027-01-11 23:30", resolved_at=at("2027-01-11 23:30")),
            history("2026-11-24", delivered="2027-01-11 23:30"),
            "2027-01-11",
            id="late delivery past the cap, by its local day",
        ),
        pytest.param(
            problem(Kind.LOSS, "2026-11-21 15:00"), history("2026-12-10"), "2026-11-21", id="lost, before the due date"
        ),
        pytest.param(problem(Kind.LOSS, "2026-11-21 15:00"), history(), "2026-11-21", id="lost, without a due date"),
        pytest.param(problem(Kind.LOSS, "2026-11-21 23:59"), history(), "2026-11-21", id="lost at 23:59 local"),
        pytest.param(problem(Kind.THEFT, "2026-11-30 15:00"), history(), "2026-12-01", id="stolen: one day later"),
        pytest.param(
            problem(Kind.THEFT, "2026-11-27 15:00"),
            history(),
            "2026-11-28",
            id="stolen on Friday: Saturday, days of the week",
        ),
        pytest.param(problem(Kind.DAMAGE, "2026-11-21 15:00"), history(), "2026-11-21", id="damaged: on the event"),
    ],
)
def test_other_problems_are_claimable_from(subject: ClaimableProblem, story: History, expected: str) -> None:
    outcome = planned(subject, story)
    assert isinstance(outcome, ClaimPlan)
    assert outcome.claimable_from == on(expected)


def test_nothing_is_claimable_before_the_first_day_with_the_shipment() -> None:
    outcome = planned(problem(Kind.DELAY), history("2026-11-24"), first_on=on("2026-12-02"))
    assert isinstance(outcome, ClaimPlan)
    assert outcome.claimable_from == on("2026-12-02")
    # The carrier's window does not wait for us: 24 November + 30.
    assert outcome.deadline_on == on("2026-12-24")


@pytest.mark.parametrize(
    ("subject", "story", "base"),
    [
        pytest.param(problem(Kind.DELAY), history("2026-11-24"), "2026-11-24", id="the due date while it travels"),
        pytest.param(
            problem(Kind.LATE_DELIVERY, resolved_at=at("2026-11-27 15:00")),
            history("2026-11-24", delivered="2026-11-27 15:00"),
            "2026-11-24",
            id="the due date where the delivery was later",
        ),
        pytest.param(
            problem(Kind.DAMAGE, resolved_at=at("2026-11-20 15:00")),
            history("2026-11-24", delivered="2026-11-20 15:00"),
            "2026-11-20",
            id="the delivery where it was earlier",
        ),
        pytest.param(
            problem(Kind.DAMAGE, resolved_at=at("2026-11-23 23:30")),
            history("2026-11-24", delivered="2026-11-23 23:30"),
            "2026-11-23",
            id="the delivery by its local day",
        ),
        pytest.param(
            problem(Kind.DELAY), history("2026-11-24", "2026-12-04"), "2026-11-24", id="putting it off is no help"
        ),
        pytest.param(
            problem(Kind.DELAY),
            history("2026-11-24", "2026-11-19"),
            "2026-11-19",
            id="the earlier day where brought forward",
        ),
        pytest.param(
            problem(Kind.LOSS, "2026-11-21 15:00"), history(), "2026-11-21", id="the event where nothing else is known"
        ),
        pytest.param(
            problem(Kind.LOSS, "2026-11-21 15:00"),
            history("2026-11-30"),
            "2026-11-30",
            id="the due date before the event",
        ),
    ],
)
def test_the_window(subject: ClaimableProblem, story: History, base: str) -> None:
    outcome = planned(subject, story)
    assert isinstance(outcome, ClaimPlan)
    days = [(day - on(base)).days for day in (outcome.alert_on, outcome.deadline_on, outcome.last_on)]
    assert days == [25, 30, 90]


def test_the_window_of_one_delay_in_dates() -> None:
    outcome = planned(problem(Kind.DELAY), history("2026-11-24"))
    assert isinstance(outcome, ClaimPlan)
    # 24 November + 25 = 19 December, + 30 = 24 December (a doubtful day that is none for "until"), + 90 = 22 February
    assert (outcome.alert_on, outcome.deadline_on, outcome.last_on) == (
        on("2026-12-19"),
        on("2026-12-24"),
        on("2027-02-22"),
    )


@pytest.mark.parametrize(
    ("subject", "story", "reason"),
    [
        pytest.param(problem(Kind.RETURNED), history("2026-11-24"), "takes no claim", id="no offer for this kind"),
        pytest.param(
            problem(Kind.LOSS, presumed=True),
            history("2026-11-24"),
            "presumed from silence",
            id="a loss nobody confirmed",
        ),
        pytest.param(
            problem(Kind.DELAY, carrier_since=None),
            history("2026-11-24"),
            "inside the carrier's own term",
            id="late for us only",
        ),
        pytest.param(
            problem(Kind.LATE_DELIVERY, carrier_since=None),
            history("2026-11-24", delivered="2026-11-24 15:00"),
            "inside the carrier's own term",
            id="delivered late for us only",
        ),
        pytest.param(problem(Kind.DELAY), history(), "named no due date", id="no due date, and none is guessed"),
        pytest.param(
            problem(Kind.LATE_DELIVERY),
            history("2026-11-24"),
            "once it is delivered",
            id="attempted late, not here yet",
        ),
        pytest.param(
            problem(Kind.DELAY, resolved_at=at("2026-11-27 15:00")),
            history("2026-11-24", delivered="2026-11-27 15:00"),
            "ended before",
            id="a delay that ended",
        ),
        pytest.param(
            problem(Kind.LOSS, resolved_at=at("2026-11-27 15:00")),
            history("2026-11-24"),
            "ended before",
            id="found again",
        ),
        pytest.param(
            problem(Kind.THEFT, resolved_at=at("2026-11-27 15:00")),
            history("2026-11-24"),
            "ended before",
            id="recovered",
        ),
    ],
)
def test_why_a_problem_is_not_claimed(subject: ClaimableProblem, story: History, reason: str) -> None:
    outcome = planned(subject, story)
    assert isinstance(outcome, str)
    assert reason in outcome


RETURNED = ClaimOffer(
    Kind.RETURNED,
    "M-back",
    ClaimKind.INFORMATION_REQUEST,
    ClaimStart.EVENT,
    45,
    not_causes=(Cause.REFUSED, Cause.OTHER),
)
SILENT = ClaimOffer(Kind.LOSS, "M-lost", ClaimKind.INFORMATION_REQUEST, ClaimStart.DUE_DATE, 32, presumed=True)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        pytest.param(None, None, id="no cause at all"),
        pytest.param(Cause.RETURN, None, id="the carrier turned it back without saying why"),
        pytest.param(Cause.REFUSED, "no fault of the carrier's (refused)", id="the buyer refused it"),
        pytest.param(Cause.OTHER, "no fault of the carrier's (other)", id="the sender's own wish"),
    ],
)
def test_an_undue_return_is_one_without_a_reason_of_the_buyers(cause: Cause | None, reason: str | None) -> None:
    """Section 7.1 of the domain notes: "returned though address and buyer were right"."""
    terms = replace(TERMS, offers=(RETURNED,))
    plans, refused = plan([problem(Kind.RETURNED, cause=cause)], history(), terms, DAYS, first_on=LONG_AGO)
    assert [entry.motive for entry in plans] == (["M-back"] if reason is None else [])
    assert all(reason is not None and reason in entry.reason for entry in refused)


@pytest.mark.parametrize(
    ("codes", "owed"),
    [
        pytest.param({"BDE-36", "BDE-23"}, True, id="nobody asked for it"),
        pytest.param({"FC-01", "BDE-23"}, False, id="the sender asked for it"),
    ],
)
def test_a_return_that_the_sender_wished_is_not_claimed(codes: set[str], owed: bool) -> None:
    terms = replace(TERMS, offers=(replace(RETURNED, not_codes=("FC-01",)),))
    subject = problem(Kind.RETURNED, cause=Cause.RETURN)
    plans, _ = plan([subject], history(), terms, DAYS, first_on=LONG_AGO, codes=frozenset(codes))
    assert bool(plans) is owed


def test_a_loss_presumed_from_silence_has_an_offer_of_its_own() -> None:
    terms = replace(TERMS, offers=(LOSS, SILENT, DELAY))
    subjects = [problem(Kind.DELAY, id=1), problem(Kind.LOSS, id=2, presumed=True)]
    plans, refused = plan(subjects, history("2026-11-24"), terms, DAYS, first_on=LONG_AGO)
    assert [(entry.problem_id, entry.kind.value) for entry in plans] == [
        (2, "information_request"),
        (1, "information_request"),
    ]
    assert refused == []


def test_lateness_that_the_contract_settles_is_kept_as_statistics() -> None:
    """Section 8.4 of the domain notes; what is lost is claimed all the same."""
    subjects = [problem(Kind.DELAY, id=1), problem(Kind.LOSS, id=2)]
    plans, refused = plan(subjects, history("2026-11-24"), TERMS, DAYS, first_on=LONG_AGO, by_contract=True)
    assert [entry.problem_id for entry in plans] == [2]
    assert refused == [NotClaimable(1, WhyNot.BY_CONTRACT)]


@pytest.mark.parametrize(
    ("subject", "motive", "kind"),
    [
        pytest.param(
            problem(Kind.DAMAGE, resolved_at=at("2026-11-27 15:00")),
            "M-damage",
            ClaimKind.REFUND,
            id="damage that ended",
        ),
        pytest.param(
            problem(Kind.LATE_DELIVERY, resolved_at=at("2026-11-27 15:00")),
            "M-late",
            ClaimKind.REFUND,
            id="late delivery",
        ),
    ],
)
def test_what_has_ended_may_still_be_owed(subject: ClaimableProblem, motive: str, kind: ClaimKind) -> None:
    outcome = planned(subject, history("2026-11-24", delivered="2026-11-27 15:00"))
    assert isinstance(outcome, ClaimPlan)
    assert (outcome.motive, outcome.kind) == (motive, kind)


def test_the_best_claim_comes_first_and_the_others_say_why_not() -> None:
    subjects = [
        problem(Kind.DELAY, id=1),
        problem(Kind.THEFT, id=2),
        problem(Kind.DAMAGE, id=3),
        problem(Kind.RETURNING, id=4),
        problem(Kind.LOSS, id=5, presumed=True),
    ]
    plans, refused = plan(subjects, history("2026-11-24"), TERMS, DAYS, first_on=LONG_AGO)
    assert [entry.problem_id for entry in plans] == [3, 2, 1]
    assert [entry.problem_id for entry in refused] == [4, 5]


FOUND = Settlement(at("2026-12-01 10:00"), Settled.FOUND, Wish.CANCEL)
PAID = Settlement(at("2026-12-01 10:00"), Settled.REFUNDED, Wish.KEEP)


@pytest.mark.parametrize(
    ("others", "falls"),
    [
        pytest.param([], True, id="it was the only one"),
        pytest.param([(problem(Kind.LOSS, id=2), None)], False, id="another stands"),
        pytest.param([(problem(Kind.LOSS, id=2), PAID)], False, id="another is settled and its claim kept"),
        pytest.param([(problem(Kind.LOSS, id=2), FOUND)], True, id="both are settled so"),
        pytest.param(
            [(problem(Kind.DELAY, id=2, resolved_at=at("2026-11-30 09:00")), None)], True, id="another is over"
        ),
        pytest.param(
            [(problem(Kind.LATE_DELIVERY, id=2, resolved_at=at("2026-11-30 09:00")), None)],
            False,
            id="what has ended is owed all the same",
        ),
    ],
)
def test_a_claim_falls_with_the_last_of_its_problems(
    others: list[tuple[ClaimableProblem, Settlement | None]], falls: bool
) -> None:
    problems = {one.id: (one, by_hand) for one, by_hand in [(problem(Kind.MISDELIVERY), FOUND), *others]}
    expected = {key: FOUND for key, (_, by_hand) in problems.items() if by_hand is FOUND} if falls else {}
    assert settled_away(problems) == expected


def test_a_claim_of_which_nobody_said_anything_does_not_fall() -> None:
    ended = problem(Kind.DELAY, resolved_at=at("2026-11-30 09:00"))
    assert settled_away({1: (ended, None)}) == settled_away({}) == {}


def test_no_problem_no_plan() -> None:
    assert plan([], history("2026-11-24"), TERMS, DAYS, first_on=LONG_AGO) == ([], [])


def test_a_carrier_without_offers_refuses_everything() -> None:
    plans, refused = plan([problem(Kind.LOSS)], history(), replace(TERMS, offers=()), DAYS, first_on=LONG_AGO)
    assert plans == []
    assert refused == [NotClaimable(1, WhyNot.NO_OFFER)]


def test_a_term_without_a_due_date_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="needs one"):
        claimable_from(problem(Kind.DELAY), DELAY, history(), TERMS, DAYS)


@given(
    st.lists(st.dates(on("2026-01-01"), on("2028-12-31")), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(3, 12),
)
def test_never_before_the_first_business_day_after_and_never_past_the_cap(
    named: list[date], margin: int, cap: int
) -> None:
    story = History(due_first_on=named[0], due_on=named[-1], due_max_on=max(named))
    terms = replace(TERMS, margin_business_days=margin, replanning_cap_business_days=cap)
    start = claimable_from(problem(Kind.DELAY), DELAY, story, terms, DAYS)
    assert DAYS.since.add(named[0], margin) <= start <= DAYS.since.add(named[0], cap)
    assert start >= min(DAYS.since.add(max(named), margin), DAYS.since.add(named[0], cap))
    assert start == named[0] or DAYS.since.is_business(start)


@given(st.lists(st.dates(on("2026-01-01"), on("2028-12-31")), min_size=1, max_size=2), st.integers(-20, 40))
def test_the_window_begins_with_the_earliest_known_day(named: list[date], late: int) -> None:
    came = named[0] + timedelta(days=late)
    story = history(*(day.isoformat() for day in named), delivered=f"{came} 12:00")
    assert window_base(problem(Kind.DAMAGE), story, DAYS) == min(came, *named)


@pytest.mark.parametrize(
    ("subject", "story", "first_on", "expected"),
    [
        pytest.param(
            problem(Kind.DELAY),
            history("2026-11-19"),
            "2026-01-01",
            {"due_on": "2026-11-19", "margin_business_days": 1, "holidays_skipped": ["2026-11-20"]},
            id="the latest date and the margin, over 20 November",
        ),
        pytest.param(
            problem(Kind.DELAY),
            history("2026-11-02", "2026-12-15"),
            "2026-01-01",
            {"due_on": "2026-12-15", "due_first_on": "2026-11-02", "cap_business_days": 10},
            id="a date moved so far that the wait is capped",
        ),
        pytest.param(
            problem(Kind.DELAY), history("2026-11-19"), "2026-11-27", {"first_on": "2026-11-27"}, id="seen only later"
        ),
        pytest.param(
            problem(Kind.THEFT),
            history("2026-11-30"),
            "2026-01-01",
            {"event_on": "2026-11-25", "days_after_event": 1},
            id="the day after the event",
        ),
        pytest.param(
            problem(Kind.LATE_DELIVERY),
            history("2026-11-19", delivered="2026-11-26 10:00"),
            "2026-01-01",
            {"due_on": "2026-11-19", "delivered_on": "2026-11-26"},
            id="the day of a late delivery",
        ),
    ],
)
def test_a_plan_says_what_its_first_day_counts_from(
    subject: ClaimableProblem, story: History, first_on: str, expected: dict[str, Any]
) -> None:
    found = planned(subject, story, first_on=on(first_on))
    assert isinstance(found, ClaimPlan)
    assert found.basis == {"problem": subject.kind.value, **expected}


DAMAGE_IN_TEN = replace(
    DAMAGE, window=ClaimWindow(WindowStart.DELIVERY, days=10, alert_days=(5, 8), last_day=365, source="a test")
)


@pytest.mark.parametrize(
    ("story", "base"),
    [
        pytest.param(history("2026-11-24", delivered="2026-11-27 10:00"), "2026-11-27", id="from the delivery"),
        pytest.param(history("2026-11-24"), "2026-11-25", id="not delivered yet: from the event"),
    ],
)
def test_an_offer_may_have_a_window_of_its_own(story: History, base: str) -> None:
    terms = replace(TERMS, offers=(DAMAGE_IN_TEN,))
    (found,), _ = plan([problem(Kind.DAMAGE)], story, terms, DAYS, first_on=LONG_AGO)
    days = [(day - on(base)).days for day in (found.alert_on, found.urge_on, found.deadline_on, found.last_on)]
    assert days == [5, 8, 10, 365]


def test_without_one_the_terms_hold_and_a_person_is_called_on_the_deadline() -> None:
    found = planned(problem(Kind.LOSS), history("2026-11-24"))
    assert isinstance(found, ClaimPlan)
    assert found.urge_on == found.deadline_on
