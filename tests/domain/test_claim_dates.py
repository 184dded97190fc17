"""The date matrix: in whatever order the carrier names its dates, the first allowed day and the window (design section 9).

Friday 20 November 2026 is a holiday (Lei 14.759/2023); Carnival is 8 and 9 February 2027, Ash Wednesday the 10th; 25 December
is one, the 24th in doubt. A claim's day counts from the latest date named plus one business day, ten after the first at most;
its window from the earliest of all dates and of the delivery.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.base import ClaimKind, ClaimOffer, ClaimStart, ProblemKind
from tests.domain.claim_support import FREE
from tests.domain.claim_support import TERMS as FILING_TERMS
from tests.domain.claim_support import claim as standing
from tests.domain.support import DAYS, at, on
from tests.domain.test_claim_plan import LONG_AGO, TERMS, history, problem
from tracker.domain.claim_filing import instead_of_filing, start
from tracker.domain.claim_plan import ClaimPlan, WhyNot, claimable_from, plan

Kind = ProblemKind
MATRIX = [
    # (id, dates in the order of naming, delivered, first allowed day, deadline)
    ("one date, a Tuesday", ["2026-11-24"], None, "2026-11-25", "2026-12-24"),
    ("one date, a Friday", ["2026-11-27"], None, "2026-11-30", "2026-12-27"),
    ("one date, a Saturday", ["2026-11-28"], None, "2026-11-30", "2026-12-28"),
    ("one date, before a national holiday", ["2026-11-19"], None, "2026-11-23", "2026-12-19"),
    ("one date, on the national holiday", ["2026-11-20"], None, "2026-11-23", "2026-12-20"),
    ("one date, before Carnival", ["2027-02-05"], None, "2027-02-11", "2027-03-07"),
    ("one date, on Carnival Monday", ["2027-02-08"], None, "2027-02-11", "2027-03-10"),
    ("one date, before Christmas", ["2026-12-23"], None, "2026-12-28", "2027-01-22"),
    ("one date, on the year's last day", ["2026-12-31"], None, "2027-01-04", "2027-01-30"),
    ("put off by three days", ["2026-11-24", "2026-11-27"], None, "2026-11-30", "2026-12-24"),
    ("brought forward", ["2026-11-27", "2026-11-24"], None, "2026-11-30", "2026-12-24"),
    ("put off twice", ["2026-11-24", "2026-11-27", "2026-12-02"], None, "2026-12-03", "2026-12-24"),
    ("put off and brought back", ["2026-11-24", "2026-12-02", "2026-11-25"], None, "2026-12-03", "2026-12-24"),
    ("put off over Carnival", ["2027-02-04", "2027-02-09"], None, "2027-02-11", "2027-03-06"),
    ("put off beyond the cap", ["2026-11-24", "2027-01-29"], None, "2026-12-08", "2026-12-24"),
    ("delivered the day after", ["2026-11-24"], "2026-11-25 10:00", "2026-11-25", "2026-12-24"),
    ("delivered at 23:30 of the day after", ["2026-11-24"], "2026-11-25 23:30", "2026-11-25", "2026-12-24"),
    ("delivered on a Saturday", ["2026-11-27"], "2026-11-28 09:00", "2026-11-30", "2026-12-27"),
    (
        "delivered after a date beyond the cap",
        ["2026-11-24", "2027-01-29"],
        "2026-12-16 10:00",
        "2026-12-16",
        "2026-12-24",
    ),
    ("delivered long after both", ["2026-11-24", "2026-11-27"], "2026-12-16 10:00", "2026-12-16", "2026-12-24"),
    ("delivered on the holiday", ["2026-11-18"], "2026-11-20 10:00", "2026-11-20", "2026-12-18"),
]


@pytest.mark.parametrize(
    ("named", "delivered", "first", "deadline"), [row[1:] for row in MATRIX], ids=[m[0] for m in MATRIX]
)
def test_the_matrix(named: list[str], delivered: str | None, first: str, deadline: str) -> None:
    kind = Kind.DELAY if delivered is None else Kind.LATE_DELIVERY
    ended = at(delivered) if delivered else None
    subject = problem(kind, named[0] + " 00:00", resolved_at=ended)
    (found,), _ = plan([subject], history(*named, delivered=delivered), TERMS, DAYS, first_on=LONG_AGO)
    assert (found.claimable_from, found.deadline_on) == (on(first), on(deadline))


@pytest.mark.parametrize(
    ("named", "came", "owed"),
    [
        pytest.param(["2026-11-24", "2026-11-30"], "2026-11-26 10:00", False, id="between the two dates"),
        pytest.param(["2026-11-24", "2026-11-30"], "2026-11-30 23:30", False, id="at 23:30 of the later date"),
        pytest.param(["2026-11-24", "2026-11-30"], "2026-12-01 00:00", True, id="at midnight after it"),
        pytest.param(
            ["2026-11-30", "2026-11-24"], "2026-11-26 10:00", False, id="brought forward: the later one counts"
        ),
        # Ten business days after Tuesday 24 November: Tuesday 8 December.
        pytest.param(["2026-11-24", "2027-01-29"], "2026-12-08 10:00", False, id="on the last day of the cap"),
        pytest.param(["2026-11-24", "2027-01-29"], "2026-12-09 10:00", True, id="put off beyond the cap"),
    ],
)
def test_what_came_by_the_latest_date_is_not_claimed_as_late(named: list[str], came: str, owed: bool) -> None:
    """Section 6.4, code 530: the claims office goes by its own calculator, which may have been put off."""
    subject = problem(Kind.LATE_DELIVERY, came, resolved_at=at(came))
    plans, refused = plan([subject], history(*named, delivered=came), TERMS, DAYS, first_on=LONG_AGO)
    assert bool(plans) is owed
    assert [entry.why for entry in refused] == ([] if owed else [WhyNot.INSIDE_LATEST_DATE])


@pytest.mark.parametrize("order", list(permutations(["2026-11-24", "2026-11-27", "2026-12-02"])), ids=" then ".join)
def test_the_order_of_naming_changes_the_cap_alone(order: tuple[str, ...]) -> None:
    (found,), _ = plan([problem(Kind.DELAY)], history(*order), TERMS, DAYS, first_on=LONG_AGO)
    assert found.claimable_from == on("2026-12-03")


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        pytest.param("2026-11-25 23:30", "2026-11-25", id="23:30 local is still that day, though the next in UTC"),
        pytest.param("2026-11-26 00:00", "2026-11-26", id="midnight local is the next"),
    ],
)
def test_an_event_counts_by_its_local_day(since: str, expected: str) -> None:
    offer = ClaimOffer(Kind.LOSS, "M", ClaimKind.REFUND, ClaimStart.EVENT, priority=1)
    assert claimable_from(problem(Kind.LOSS, since), offer, history(), TERMS, DAYS) == on(expected)


@given(
    st.lists(st.dates(date(2026, 1, 1), date(2028, 12, 31)), min_size=1, max_size=4),
    st.integers(-48, 48),
    st.none() | st.integers(0, 60),
)
def test_nothing_leaves_before_its_day(named: list[date], hours: int, delivered_after: int | None) -> None:
    """Whatever was named and whatever the hour: a plan's claim makes no call on a day before its first allowed one."""
    came = None if delivered_after is None else f"{named[0] + timedelta(days=delivered_after)} 23:30"
    story = history(*(day.isoformat() for day in named), delivered=came)
    kind = Kind.DELAY if came is None else Kind.LATE_DELIVERY
    subject = problem(kind, resolved_at=at(came) if came else None)
    plans, _ = plan([subject], story, TERMS, DAYS, first_on=LONG_AGO)
    for entry in plans:
        check(entry, hours)


def check(entry: ClaimPlan, hours: int) -> None:
    facts = standing(claimable_from=entry.claimable_from, alert_on=entry.alert_on, last_on=entry.last_on)
    now = DAYS.start_of(entry.claimable_from) + timedelta(hours=hours)
    if now < DAYS.start_of(entry.claimable_from):
        assert start(facts, FREE, FILING_TERMS, DAYS, now).call is None
        instead = instead_of_filing(facts, DAYS, now)
        assert instead is not None and instead.call is None
