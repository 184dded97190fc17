"""Every move of a claim whose answer was lost, or that is followed to its end; and what holds of all moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.base import (
    ClaimAnswer,
    ClaimOutcome,
    ClaimProgress,
    ClaimStatus,
)
from tests.domain.claim_support import (
    FREE,
    NOW,
    TERMS,
    WAITS,
    alert_kind,
    answer,
    claim,
    filed,
    filing,
    shown,
    status,
    step,
    steps,
)
from tests.domain.support import DAYS, at, on
from tracker.domain.claim_filing import after_lost_answer, after_not_sent, after_open, after_refused_call, start
from tracker.domain.claim_following import after_look_up, follow
from tracker.domain.claim_moves import ClaimFacts, Gates, Step, next_follow
from tracker.domain.words import ClaimState, Hold

State = ClaimState
Progress = ClaimProgress
Outcome = ClaimOutcome


# --- no answer --------------------------------------------------------------------------------------


def test_a_filing_whose_answer_was_lost_is_looked_up_before_anything_is_sent() -> None:
    move = after_lost_answer(filing(steps=steps("open", "lost")), NOW)
    assert shown(move, "state", "call", "next_step_at", "opened") == {
        "state": State.SUBMITTING,
        "call": "look_up",
        "next_step_at": NOW,
        "opened": False,
    }


@pytest.mark.parametrize(
    "state", [State.OPEN, State.ANSWERED, State.ACCEPTED, State.REOPENED], ids=lambda state: state.value
)
def test_a_filed_claim_whose_look_up_was_lost_stays_filed(state: ClaimState) -> None:
    move = after_lost_answer(filed(state=state, steps=(step(1), step(2, "look_up", "lost"))), NOW)
    assert shown(move, "state", "call") == {"state": state, "call": "look_up"}


@pytest.mark.parametrize(
    ("outcomes", "state", "call", "next_step_at"),
    [
        pytest.param(
            ("none",), State.SUBMITTING, "look_up", "2026-11-25 11:00", id="not found once: look again in an hour"
        ),
        pytest.param(("none", "none"), State.SUBMITTING, "open", "2026-11-25 10:00", id="not found twice: filed again"),
        pytest.param(
            ("none", "not_sent", "none"),
            State.SUBMITTING,
            "open",
            "2026-11-25 10:00",
            id="twice, with a look-up between that brought no answer",
        ),
    ],
)
def test_a_lost_filing_that_the_carrier_does_not_know(
    outcomes: tuple[str, ...], state: ClaimState, call: str, next_step_at: str
) -> None:
    asked = tuple(step(n, "look_up", outcome) for n, outcome in enumerate(outcomes, start=2))
    move = after_look_up(filing(steps=(step(1, outcome="lost"), *asked)), status(Progress.NONE), TERMS, DAYS, NOW)
    assert shown(move, "state", "call", "next_step_at") == {
        "state": state,
        "call": call,
        "next_step_at": at(next_step_at),
    }


@pytest.mark.parametrize(
    ("found", "state", "closed"),
    [
        pytest.param(status(Progress.OPEN, protocol="P1"), State.OPEN, False, id="open, with its number"),
        pytest.param(status(Progress.OPEN), State.OPEN, False, id="open, without a number"),
        pytest.param(status(Progress.ANSWERED, protocol="P1"), State.ANSWERED, False, id="answered meanwhile"),
        pytest.param(status(Progress.ACCEPTED, protocol="P1"), State.ACCEPTED, False, id="accepted meanwhile"),
        pytest.param(status(Progress.REJECTED, protocol="P1"), State.REJECTED, True, id="rejected meanwhile"),
        pytest.param(status(Progress.REOPENED, protocol="P1"), State.REOPENED, False, id="reopened meanwhile"),
        pytest.param(status(Progress.PAID, protocol="P1"), State.PAID, True, id="paid meanwhile"),
        pytest.param(status(Progress.NOT_FOLLOWED, protocol="P1"), State.OPEN, True, id="there, and not followed"),
    ],
)
def test_a_lost_filing_that_the_carrier_has_is_adopted(found: ClaimStatus, state: ClaimState, closed: bool) -> None:
    move = after_look_up(filing(steps=(step(1, outcome="lost"), step(2, "look_up", "x"))), found, TERMS, DAYS, NOW)
    assert shown(move, "state", "opened", "protocol", "closed", "call") == {
        "state": state,
        "opened": True,
        "protocol": found.protocol,
        "closed": closed,
        "call": None,
    }


@pytest.mark.parametrize(
    ("asked", "call", "wait"),
    [
        pytest.param(steps("open", "not_sent"), "open", timedelta(minutes=5), id="first: five minutes"),
        pytest.param(
            steps("open", *["not_sent"] * 2), "open", timedelta(minutes=15), id="second: a quarter of an hour"
        ),
        pytest.param(steps("open", *["not_sent"] * 3), "open", timedelta(hours=1), id="third: an hour"),
        pytest.param(steps("open", *["not_sent"] * 4), "open", timedelta(hours=6), id="fourth: six hours"),
        pytest.param(steps("open", *["not_sent"] * 9), "open", timedelta(hours=6), id="and so on"),
        pytest.param(
            (*steps("open", "not_sent", "lost"), step(3, "look_up", "not_sent")),
            "look_up",
            timedelta(minutes=5),
            id="a look-up that did not leave is the one repeated",
        ),
        pytest.param((), "open", timedelta(minutes=5), id="nothing asked yet"),
    ],
)
def test_a_call_that_did_not_arrive_is_made_again_ever_more_slowly(
    asked: tuple[Step, ...], call: str, wait: timedelta
) -> None:
    move = after_not_sent(filing(steps=asked), "connection refused", NOW)
    assert shown(move, "state", "call", "next_step_at") == {
        "state": State.SUBMITTING,
        "call": call,
        "next_step_at": NOW + wait,
    }
    assert "connection refused" in move.reason


def test_a_filed_claim_whose_look_up_is_refused_is_looked_up_again_and_never_filed() -> None:
    facts = filed(steps=(step(1, outcome="registered"), step(2, "look_up", "refused_call")))
    move = after_refused_call(facts, "HTTP 400", TERMS, DAYS, NOW)
    assert shown(move, "state", "hold", "call", "next_step_at") == {
        "state": State.OPEN,
        "hold": None,
        "call": None,
        "next_step_at": at("2026-11-26 06:00"),
    }
    assert alert_kind(move) == "claim_needs_person"


# --- following --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # Filed Wed 25 November. Thu 26 (1), Fri 27 (2), Mon 30 (3), Tue 1 (4), Wed 2 December (5): the term has passed.
        pytest.param("2026-11-25 10:00", "2026-11-26 06:00", id="the next quiet hour"),
        pytest.param("2026-11-26 05:59", "2026-11-26 06:00", id="this very morning"),
        pytest.param("2026-11-26 06:00", "2026-11-27 06:00", id="once a day inside the term"),
        pytest.param("2026-12-01 14:00", "2026-12-02 06:00", id="the last day inside the term"),
        pytest.param("2026-12-02 06:00", "2026-12-02 15:00", id="twice a day from the end of the term"),
        pytest.param("2026-12-02 15:00", "2026-12-03 06:00", id="and the next morning"),
    ],
)
def test_the_rhythm_of_following(now: str, expected: str) -> None:
    assert next_follow(NOW, TERMS, DAYS, at(now)) == at(expected)


def test_a_doubtful_day_counts_into_the_answering_term() -> None:
    # Filed Fri 18 December: Mon 21, 22, 23, Thu 24 (doubtful, none for "until"), (25, weekend), Mon 28 is the fifth.
    assert next_follow(at("2026-12-18 10:00"), TERMS, DAYS, at("2026-12-28 07:00")) == at("2026-12-28 15:00")


@pytest.mark.parametrize(
    ("facts", "now", "expected", "alert"),
    [
        pytest.param(
            filed(), "2026-11-26 06:00", {"state": State.OPEN, "call": "look_up", "closed": False}, None, id="asks"
        ),
        pytest.param(
            filed(state=State.ACCEPTED),
            "2026-11-26 06:00",
            {"state": State.ACCEPTED, "call": "look_up", "closed": False},
            None,
            id="accepted, and asked for the money",
        ),
        pytest.param(
            filed(indemnified_at=at("2026-12-10 10:00")),
            "2026-12-11 06:00",
            {"state": State.PAID, "outcome": "paid", "closed": True, "call": None},
            None,
            id="tracking shows the payment",
        ),
        # 25 November + 90 = 23 February
        pytest.param(filed(), "2027-02-23 06:00", {"call": "look_up", "closed": False}, None, id="on the last day"),
        pytest.param(
            filed(),
            "2027-02-24 00:00",
            {"state": State.OPEN, "outcome": "open", "closed": True, "call": None},
            "claim_unanswered",
            id="never answered: closed, and said so",
        ),
        pytest.param(
            filed(state=State.ACCEPTED),
            "2027-02-24 00:00",
            {"state": State.ACCEPTED, "outcome": "accepted", "closed": True, "call": None},
            None,
            id="accepted, and no payment was ever seen",
        ),
    ],
)
def test_following(facts: ClaimFacts, now: str, expected: dict[str, Any], alert: str | None) -> None:
    move = follow(facts, TERMS, DAYS, at(now))
    assert shown(move, *expected) == expected
    assert alert_kind(move) == alert


@pytest.mark.parametrize(
    ("found", "expected", "alert"),
    [
        pytest.param(
            status(Progress.OPEN),
            {"state": State.OPEN, "next_step_at": at("2026-11-27 06:00"), "outcome": None},
            None,
            id="open",
        ),
        pytest.param(
            status(Progress.REOPENED),
            {"state": State.REOPENED, "next_step_at": at("2026-11-27 06:00")},
            None,
            id="reopened",
        ),
        pytest.param(
            status(Progress.ANSWERED, answered_on=on("2026-11-25"), text="words"),
            {
                "state": State.ANSWERED,
                "answered_on": on("2026-11-25"),
                "next_step_at": at("2026-11-27 06:00"),
                "closed": False,
                "facts": {"text": "words", "carrier_state": None},
            },
            "claim_needs_person",
            id="answered neither for nor against",
        ),
        pytest.param(
            status(Progress.ACCEPTED),
            {
                "state": State.ACCEPTED,
                "outcome": "accepted",
                "answered_on": on("2026-11-26"),
                "next_step_at": at("2026-11-27 06:00"),
                "closed": False,
            },
            None,
            id="accepted: followed to the money",
        ),
        pytest.param(
            status(Progress.REJECTED),
            {"state": State.REJECTED, "outcome": "rejected", "next_step_at": None, "closed": True},
            "claim_rejected",
            id="rejected: closed, and the operator is told",
        ),
        pytest.param(
            status(Progress.PAID),
            {"state": State.PAID, "outcome": "paid", "next_step_at": None, "closed": True},
            None,
            id="paid",
        ),
        pytest.param(
            status(Progress.NOT_FOLLOWED),
            {"state": State.OPEN, "next_step_at": None, "closed": True, "outcome": "by_contract"},
            None,
            id="the carrier's contract handles it and shows nothing more of it: no more asking",
        ),
    ],
)
def test_what_following_finds(found: ClaimStatus, expected: dict[str, Any], alert: str | None) -> None:
    facts = filed(steps=(step(1), step(2, "look_up", found.progress.value)))
    move = after_look_up(facts, found, TERMS, DAYS, at("2026-11-26 10:00"))
    assert shown(move, *expected) == expected
    assert alert_kind(move) == alert
    assert not move.opened
    assert move.call is None


@pytest.mark.parametrize(
    ("words", "summary"),
    [
        pytest.param("Objeto \n  não localizado", "rejected by the carrier: Objeto não localizado", id="its words"),
        pytest.param("", "rejected by the carrier, which gives no reason", id="without a word"),
    ],
)
def test_a_rejection_says_why(words: str, summary: str) -> None:
    move = after_look_up(filed(), status(Progress.REJECTED, text=words), TERMS, DAYS, at("2026-11-26 10:00"))
    assert move.alert == ("claim_rejected", "warning", summary)


def test_money_that_tracking_shows_settles_whatever_the_claims_office_says() -> None:
    move = after_look_up(filed(indemnified_at=NOW), status(Progress.REJECTED), TERMS, DAYS, at("2026-12-10 06:00"))
    assert (move.state, move.closed) == (State.PAID, True)


@pytest.mark.parametrize(
    ("now", "alert"),
    [
        # Filed Wed 25: 26, 27 (2), 30, 1, 2, 3, 4 (7), 7, 8 (9), Wed 9 December (10)
        pytest.param("2026-12-08 06:00", None, id="nine business days"),
        pytest.param("2026-12-09 06:00", "claim_unanswered", id="ten business days"),
    ],
)
def test_a_claim_without_an_answer_is_brought_to_a_person(now: str, alert: str | None) -> None:
    assert alert_kind(after_look_up(filed(), status(Progress.OPEN), TERMS, DAYS, at(now))) == alert


@pytest.mark.parametrize(
    ("outcomes", "alert"),
    [
        pytest.param(("none",), None, id="once may be the carrier's mood"),
        pytest.param(("none", "none"), None, id="twice too"),
        pytest.param(("none", "none", "none"), "claim_vanished", id="three times is an alert"),
        pytest.param(("none", "none", "open", "none"), None, id="seen in between"),
    ],
)
def test_a_filed_claim_that_is_no_longer_found_is_never_filed_again(
    outcomes: tuple[str, ...], alert: str | None
) -> None:
    asked = tuple(step(n, "look_up", outcome) for n, outcome in enumerate(outcomes, start=2))
    move = after_look_up(filed(steps=(step(1), *asked)), status(Progress.NONE), TERMS, DAYS, at("2026-11-26 06:00"))
    assert shown(move, "state", "call", "next_step_at", "closed") == {
        "state": State.OPEN,
        "call": None,
        "next_step_at": at("2026-11-27 06:00"),
        "closed": False,
    }
    assert alert_kind(move) == alert


# --- properties -------------------------------------------------------------------------------------

_NOW = st.integers(0, 150 * 24).map(lambda hours: NOW + timedelta(hours=hours))
_ANSWERS = st.builds(
    lambda outcome, day, due, after_event, waits, motive: answer(
        outcome, not_before=day, after_due=due, after_event=after_event, waits=WAITS[:waits], motive=motive
    ),
    st.sampled_from(list(Outcome)),
    st.one_of(st.none(), st.dates(on("2026-11-01"), on("2027-06-01"))),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([None, "135", "211"]),
)


@given(_ANSWERS, st.integers(1, 5), _NOW)
def test_no_refusal_is_tried_again_at_once_in_the_same_way(
    given_answer: ClaimAnswer, tries: int, now: datetime
) -> None:
    facts = filing(steps=tuple(step(n, outcome=given_answer.outcome.value, code="7") for n in range(1, tries + 1)))
    move = after_open(facts, given_answer, TERMS, DAYS, now)
    if move.call == "open" and move.motive is None and move.kind is None:
        assert move.next_step_at is not None and move.next_step_at > now
    if move.state is State.PLANNED:
        assert move.next_step_at is not None and move.next_step_at > now
    assert move.closed or move.next_step_at is not None


@given(
    st.sampled_from(list(Progress)), _NOW, st.sampled_from([State.OPEN, State.ANSWERED, State.ACCEPTED, State.REOPENED])
)
def test_a_filed_claim_is_never_filed_again(progress: ClaimProgress, now: datetime, state: ClaimState) -> None:
    facts = filed(state=state)
    moves = [
        after_look_up(facts, status(progress), TERMS, DAYS, now),
        follow(facts, TERMS, DAYS, now),
        after_lost_answer(facts, now),
    ]
    assert all(move.call != "open" and move.state is not State.SUBMITTING for move in moves)


@given(_NOW, st.sampled_from(list(Hold)), st.booleans(), st.booleans())
def test_a_start_always_ends_or_comes_back(now: datetime, hold: Hold, approved: bool, gated: bool) -> None:
    facts = claim(state=State.WAITING_APPROVAL, hold=hold, approved_at=NOW if approved else None)
    move = start(facts, Gates(hold, "because") if gated else FREE, TERMS, DAYS, now)
    by_letter = move.state is State.OPEN
    assert move.closed or by_letter or (move.next_step_at is not None and move.next_step_at >= now)
    assert move.call is None or (move.call == "open" and not move.closed)
