"""What a person settles stays settled, until something new comes true; what a person reports is a problem like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from carriers.base import ProblemKind
from tests.domain.detection_support import BOTH, DAMAGED, LOST, SEVEN, delivered, facts, found
from tests.domain.support import DAYS, at
from tracker.domain.detection import Facts, Finding, KnownProblem, detect
from tracker.domain.hand import Act, Report, Reported, Settled, Settlement, Wish, mute_of, reports_of

Kind = ProblemKind
LATE = facts(**BOTH)
SETTLED_AT = at("2026-11-30 10:00")
NOW = "2026-12-01 09:00"


def known(finding: Finding, **more: object) -> KnownProblem:
    return KnownProblem(
        id=1,
        kind=finding.kind,
        episode=1,
        cause=finding.cause,
        presumed=finding.presumed,
        since=finding.since,
        customer_since=finding.customer_since,
        carrier_since=finding.carrier_since,
        resolved_at=None,
        version=1,
        **more,  # type: ignore[arg-type]
    )


def settled(shown: Facts, kind: Kind, now: str = NOW) -> KnownProblem:
    """The problem these facts show, as a person's settling left it."""
    problem = known(found(shown, now)[kind.value])
    return replace(problem, resolved_at=SETTLED_AT, resolution=Settled.FOUND.value)


def test_a_settlement_ends_the_problem_at_its_own_instant_and_the_same_look_opens_no_other() -> None:
    problem = known(found(LATE, NOW)["delay"], settlement=Settlement(SETTLED_AT, Settled.REFUNDED, Wish.KEEP))
    changes = detect(LATE, [problem], days=DAYS, now=at(NOW))
    assert changes.ended == ((problem, SETTLED_AT, "hand_refunded"),)
    assert (changes.opened, changes.changed) == ((), ())


def test_the_same_facts_open_nothing_again() -> None:
    changes = detect(LATE, [settled(LATE, Kind.DELAY)], days=DAYS, now=at("2026-12-20 09:00"))
    assert [finding.kind for finding, _ in changes.opened if finding.kind is Kind.DELAY] == []
    assert changes.changed == () and changes.ended == ()


@pytest.mark.parametrize(
    ("before", "kind", "then", "episode"),
    [
        pytest.param(LATE, Kind.DELAY, facts(promised="2026-12-02", due="2026-12-02"), 2, id="a promise after that"),
        pytest.param(facts(**SEVEN), Kind.LOSS, facts(LOST, **SEVEN), 2, id="the carrier's own word after silence"),
        pytest.param(facts(LOST), Kind.LOSS, facts(LOST), None, id="the loss that was settled"),
    ],
)
def test_what_is_new_opens_it_again(before: Facts, kind: Kind, then: Facts, episode: int | None) -> None:
    problem = settled(before, kind, "2026-12-20 09:00")
    changes = detect(then, [problem], days=DAYS, now=at("2026-12-20 09:00"))
    assert [one for finding, one in changes.opened if finding.kind is kind] == ([episode] if episode else [])


# --- what a person reports --------------------------------------------------------------------------


def told(what: Reported, when: str = "2026-11-28 12:00", happened: datetime | None = None) -> Report:
    return Report(what, at(when), happened)


HERE = delivered("2026-11-24 15:00")


@pytest.mark.parametrize(
    ("shown", "kind", "rule", "since"),
    [
        pytest.param(
            facts(HERE, reports=(told(Reported.NOT_RECEIVED),)),
            "misdelivery",
            "hand.not_received",
            "2026-11-24 15:00",
            id="since the delivery",
        ),
        pytest.param(
            facts(HERE, reports=(told(Reported.VIOLATION, happened=at("2026-11-25 00:00")),)),
            "violation",
            "hand.violation",
            "2026-11-25 00:00",
            id="since the day that was named",
        ),
        pytest.param(
            facts(reports=(told(Reported.DAMAGE),)),
            "damage",
            "hand.damage",
            "2026-11-28 12:00",
            id="before a delivery, since it was told",
        ),
        pytest.param(
            facts(delivered("2026-11-29 15:00"), reports=(told(Reported.DAMAGE),)),
            "damage",
            "hand.damage",
            "2026-11-28 12:00",
            id="told before the delivery was recorded",
        ),
    ],
)
def test_a_report_is_a_problem(shown: Facts, kind: str, rule: str, since: str) -> None:
    finding = found(shown, NOW)[kind]
    assert (finding.rule, finding.since) == (rule, at(since))


def test_a_delivery_that_was_taken_back_ends_what_contradicted_it() -> None:
    report = (told(Reported.MISDELIVERY),)
    problem = known(found(facts(HERE, reports=report), NOW)["misdelivery"])
    changes = detect(facts(reports=report), [problem], days=DAYS, now=at(NOW))
    assert [ended[0].kind for ended in changes.ended] == [Kind.MISDELIVERY]


def test_what_the_carrier_recorded_itself_need_not_be_reported() -> None:
    assert found(facts(DAMAGED, reports=(told(Reported.DAMAGE),)), NOW)["damage"].rule == "damage.coded"


def test_a_new_word_opens_what_an_earlier_one_had_and_a_person_settled() -> None:
    first = facts(HERE, reports=(told(Reported.NOT_RECEIVED),))
    problem = settled(first, Kind.MISDELIVERY)
    assert detect(first, [problem], days=DAYS, now=at(NOW)).opened == ()
    again = facts(HERE, reports=(told(Reported.NOT_RECEIVED, "2026-12-01 08:00"),))
    assert [episode for _, episode in detect(again, [problem], days=DAYS, now=at(NOW)).opened] == [2]


# --- reading acts -----------------------------------------------------------------------------------


def act(done: str, when: str, **said: object) -> Act:
    return Act(1, at(when), "ana", done, None, said)


def test_the_newest_word_on_each_kind_of_problem_counts() -> None:
    acts = [
        act("report", "2026-11-25 12:00", kind="misdelivery"),
        act("mute", "2026-11-25 13:00"),
        act("report", "2026-11-26 12:00", kind="violation"),
        act("report", "2026-11-27 12:00", kind="not_received"),
    ]
    assert [report.what for report in reports_of(acts)] == [Reported.VIOLATION, Reported.NOT_RECEIVED]


def test_a_silence_ends_with_its_instant_or_a_hand() -> None:
    until = at("2026-11-30 09:00")
    acts = [act("mute", "2026-11-25 12:00", until=until.isoformat())]
    assert mute_of(acts, at("2026-11-30 08:59")) is not None
    assert mute_of(acts, until) is None
    assert mute_of([*acts, act("unmute", "2026-11-26 12:00")], at("2026-11-27 09:00")) is None
    assert mute_of([], until) is None
