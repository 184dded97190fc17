"""What holds of detection for every history, every clock and every order of looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from carriers.base import Cause, TrackingStatus
from tests.domain.support import DAYS, at, event, kinds, on, settle
from tracker.domain.detection import RULE_VERSIONS, SILENCES, Facts, KnownProblem, detect, find
from tracker.domain.history import StoredEvent, fold
from tracker.domain.promise import Promise, PromiseBasis

BASE = at("2026-11-16 10:00")
_DAY = st.one_of(st.none(), st.dates(on("2026-11-16"), on("2026-12-10")))
_EVENT = st.tuples(
    st.integers(0, 20 * 24),
    st.sampled_from(list(TrackingStatus)),
    st.sampled_from([None, *Cause]),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
    _DAY,
)


@st.composite
def _events(draw: st.DrawFn) -> list[StoredEvent]:
    return [
        event(n, "2026-11-16 10:00", status, cause=cause, attempt=attempt, reversal=undo, pickup_until=until)._replace(
            occurred_at=BASE + timedelta(hours=hour)
        )
        for n, (hour, status, cause, attempt, undo, until) in enumerate(draw(st.lists(_EVENT, max_size=8)))
    ]


@st.composite
def _surroundings(draw: st.DrawFn) -> dict[str, Any]:
    """Everything that facts hold beside the history."""
    promised = draw(_DAY)
    begins = [BASE + timedelta(hours=draw(st.integers(0, 900))) for _ in range(draw(st.integers(0, 3)))]
    return {
        "promise": Promise(promised, promised, PromiseBasis.GIVEN if promised else PromiseBasis.NONE),
        "service": None,
        "presumed_loss_business_days": draw(st.sampled_from([None, 3, 7])),
        "last_answered_at": BASE + timedelta(hours=draw(st.integers(0, 1200))),
        "outages": tuple((begin, begin + timedelta(hours=draw(st.integers(1, 80)))) for begin in begins),
        "grace_days": draw(st.integers(0, 2)),
        "order_cancelled": draw(st.sampled_from([False, False, True])),
        "order_settled": draw(st.sampled_from([False, False, True])),
        "closed_reason": draw(st.sampled_from([None, None, None, "not_found", "other_account", "final"])),
        "is_asked": draw(st.booleans()),
        "post_by": draw(_DAY),
        "stalled_business_days": draw(st.sampled_from([None, 2, 5])),
        "pickup_days": draw(st.sampled_from([None, 7])),
        "pickup_business_days": draw(st.integers(0, 3)),
    }


@st.composite
def _facts(draw: st.DrawFn) -> Facts:
    due = [day for day in draw(st.lists(_DAY, max_size=3)) if day]
    return Facts(history=fold(draw(_events()), due), **draw(_surroundings()))


_NOW = st.integers(0, 1200).map(lambda hours: BASE + timedelta(hours=hours))


def _open(known: list[KnownProblem]) -> list[KnownProblem]:
    return [problem for problem in known if problem.resolved_at is None]


def _shown(known: list[KnownProblem]) -> set[tuple[Any, ...]]:
    return {(p.kind, p.since, p.cause, p.presumed, p.customer_since, p.carrier_since) for p in _open(known)}


@given(_facts(), st.lists(_NOW, max_size=3), _NOW)
def test_the_same_look_twice_changes_nothing(shown: Facts, earlier: list[datetime], now: datetime) -> None:
    known: list[KnownProblem] = []
    for moment in [*sorted(earlier), now]:
        known = settle(known, detect(shown, known, days=DAYS, now=moment))
    again = detect(shown, known, days=DAYS, now=now)
    assert (again.opened, again.changed, again.ended) == ((), (), ())


@given(_events(), _surroundings(), st.data(), _NOW)
def test_the_order_and_repetition_in_which_events_arrive_are_of_no_account(
    events: list[StoredEvent], around: dict[str, Any], data: st.DataObject, now: datetime
) -> None:
    """Learned of one by one in two orders, some answers twice: the same problems stand, since the same instants."""

    def live(arrivals: list[StoredEvent]) -> list[KnownProblem]:
        known: list[KnownProblem] = []
        for count in range(len(arrivals) + 1):
            seen = {one.event_key: one._replace(id=n) for n, one in enumerate(arrivals[:count])}
            facts = Facts(history=fold(list(seen.values())), **around)
            known = settle(known, detect(facts, known, days=DAYS, now=now))
        return known

    twice = [*events, *data.draw(st.lists(st.sampled_from(events), max_size=3) if events else st.just([]))]
    one, other = live(events), live(list(data.draw(st.permutations(twice))))
    assert _shown(one) == _shown(other)


@given(_facts(), st.lists(_NOW, max_size=3), _NOW)
def test_no_two_problems_stand_of_which_one_silences_the_other(
    shown: Facts, earlier: list[datetime], now: datetime
) -> None:
    known: list[KnownProblem] = []
    for moment in [*sorted(earlier), now]:
        known = settle(known, detect(shown, known, days=DAYS, now=moment))
    findings, _ = find(shown, days=DAYS, now=now)
    rules = {finding.kind: finding.rule for finding in findings}
    standing = {problem.kind for problem in _open(known)}
    assert standing <= set(rules)
    for kind in standing:
        assert not (SILENCES.get(rules[kind], frozenset()) - {kind}) & standing


@given(_facts(), _NOW)
def test_every_standing_problem_ends_with_an_event_an_answer_or_the_clock(shown: Facts, now: datetime) -> None:
    """Whatever stands is gone once the carrier says that the parcel was delivered in time and the shop is content."""
    known = settle([], detect(shown, [], days=DAYS, now=now))
    here = event(99, "2026-11-16 09:00", TrackingStatus.DELIVERED, final=True)
    done = replace(shown, history=fold([here]), closed_reason=None, order_settled=True)
    known = settle(known, detect(done, known, days=DAYS, now=now))
    assert _open(known) == []


@given(_facts(), _NOW)
def test_the_next_look_is_always_ahead(shown: Facts, now: datetime) -> None:
    again = detect(shown, [], days=DAYS, now=now).next_check_at
    assert again is None or again > now


@given(_facts(), _NOW)
def test_no_time_driven_problem_is_missed_between_two_looks(shown: Facts, now: datetime) -> None:
    # Right before the next look the same is found as now: nothing became true in between.
    findings, again = find(shown, days=DAYS, now=now)
    until = again - timedelta(seconds=1) if again is not None else now + timedelta(days=400)
    between, _ = find(shown, days=DAYS, now=until)
    assert kinds(between) == kinds(findings)


@given(_facts(), _NOW)
def test_a_problem_is_true_since_before_it_is_found(shown: Facts, now: datetime) -> None:
    for finding in find(shown, days=DAYS, now=now)[0]:
        by_the_clock = finding.rule in {"stalled.silence", "loss.presumed", "not_posted.no_scan", "delay.past_promise"}
        assert not by_the_clock or finding.since <= now
        assert finding.rule in RULE_VERSIONS
