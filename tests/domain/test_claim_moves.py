"""Every move of a claim until it is filed: starting, holding, and the carrier's answers to a filing.

The claim of most rows may be filed from Wednesday 25 November 2026 (due Tuesday 24), alerts on 19 December and is tried
until 22 February 2027.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from carriers.base import (
    ClaimAnswer,
    ClaimOutcome,
    ClaimProgress,
)
from tests.domain.claim_support import (
    FREE,
    NOW,
    TERMS,
    WAITS,
    alert_kind,
    answer,
    claim,
    filing,
    shown,
    step,
)
from tests.domain.support import DAYS, at, on
from tracker.domain.claim_filing import after_open, after_refused_call, instead_of_filing, start
from tracker.domain.claim_moves import ClaimFacts, Gates
from tracker.domain.words import ClaimState, Hold

State = ClaimState
Progress = ClaimProgress
Outcome = ClaimOutcome


# --- starting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "now", "expected"),
    [
        pytest.param(
            claim(),
            "2026-11-24 23:59",
            {"state": State.PLANNED, "next_step_at": at("2026-11-25 00:00"), "call": None},
            id="a minute early",
        ),
        pytest.param(
            claim(),
            "2026-11-25 00:00",
            {"state": State.SUBMITTING, "call": "open"},
            id="its first allowed day has come",
        ),
        pytest.param(
            claim(),
            "2026-12-25 10:00",
            {"state": State.SUBMITTING, "call": "open"},
            id="past the deadline, still tried",
        ),
        pytest.param(claim(), "2027-02-22 23:59", {"state": State.SUBMITTING, "call": "open"}, id="on its last day"),
        pytest.param(
            claim(),
            "2027-02-23 00:00",
            {"state": State.EXPIRED, "closed": True, "outcome": "expired", "call": None},
            id="after its last day",
        ),
        pytest.param(
            claim(state=State.WAITING_APPROVAL, hold=Hold.PROPOSE),
            "2027-02-23 00:00",
            {"state": State.EXPIRED, "closed": True},
            id="held past its last day",
        ),
        pytest.param(
            claim(state=State.WAITING_APPROVAL, hold=Hold.PROPOSE, approved_at=NOW),
            "2027-02-23 00:00",
            {"state": State.EXPIRED, "closed": True},
            id="approved too late",
        ),
        pytest.param(
            claim(state=State.WAITING_APPROVAL, hold=Hold.PROPOSE),
            "2026-11-26 10:00",
            {"state": State.SUBMITTING, "call": "open"},
            id="held until the merchant switched to auto",
        ),
        pytest.param(
            claim(approved_at=NOW, claimable_from=on("2026-11-30")),
            "2026-11-26 10:00",
            {"state": State.PLANNED, "next_step_at": at("2026-11-30 00:00"), "call": None},
            id="approved, but the carrier takes it later",
        ),
    ],
)
def test_starting_without_a_gate(facts: ClaimFacts, now: str, expected: dict[str, Any]) -> None:
    move = start(facts, FREE, TERMS, DAYS, at(now))
    assert shown(move, *expected) == expected


@pytest.mark.parametrize(
    "hold", [hold for hold in Hold if hold is not Hold.TEMPLATE], ids=lambda hold: f"held: {hold.value}"
)
def test_a_gate_holds_what_is_due(hold: Hold) -> None:
    move = start(claim(), Gates(hold, "because"), TERMS, DAYS, NOW)
    assert shown(move, "state", "hold", "reason", "call") == {
        "state": State.WAITING_APPROVAL,
        "hold": hold,
        "reason": "because",
        "call": None,
    }
    # Nothing but a person or the calendar: the day of the alert is the next look.
    assert (move.next_step_at, move.alert) == (at("2026-12-19 00:00"), None)


@pytest.mark.parametrize(
    ("until", "now", "wake"),
    [
        pytest.param("2026-12-01 00:00", "2026-11-25 10:00", "2026-12-01 00:00", id="the hold ends by itself first"),
        pytest.param("2027-01-04 00:00", "2026-11-25 10:00", "2026-12-19 00:00", id="the alert comes first"),
        pytest.param(None, "2026-12-18 23:59", "2026-12-19 00:00", id="the eve of the alert"),
        pytest.param(None, "2026-12-19 00:00", "2027-02-23 00:00", id="the day of the alert"),
        pytest.param(
            "2027-01-04 00:00",
            "2026-12-20 10:00",
            "2027-01-04 00:00",
            id="alerted, and the hold ends",
        ),
        pytest.param(None, "2027-02-22 23:59", "2027-02-23 00:00", id="the last day"),
    ],
)
def test_a_held_claim_looks_up_at_times(until: str | None, now: str, wake: str) -> None:
    gate = Gates(Hold.OBSERVE, "only observes", at(until) if until else None)
    move = start(claim(state=State.WAITING_APPROVAL, hold=Hold.OBSERVE), gate, TERMS, DAYS, at(now))
    assert move.next_step_at == at(wake)


@pytest.mark.parametrize("hold", [Hold.CONFIGURATION, Hold.CARRIER_ANSWER], ids=lambda hold: hold.value)
def test_what_the_carrier_refused_waits_for_a_person_although_no_gate_holds_it(hold: Hold) -> None:
    facts = claim(state=State.WAITING_APPROVAL, hold=hold)
    move = start(facts, FREE, TERMS, DAYS, at("2026-12-01 10:00"))
    assert shown(move, "state", "hold", "call") == {"state": State.WAITING_APPROVAL, "hold": hold, "call": None}


@pytest.mark.parametrize("hold", [Hold.CONFIGURATION, Hold.CARRIER_ANSWER], ids=lambda hold: hold.value)
def test_what_waits_for_a_person_still_waits_when_its_dates_move(hold: Hold) -> None:
    facts = claim(state=State.WAITING_APPROVAL, hold=hold, claimable_from=on("2026-12-07"))
    move = start(facts, FREE, TERMS, DAYS, at("2026-12-01 10:00"))
    assert shown(move, "state", "hold") == {"state": State.WAITING_APPROVAL, "hold": hold}


@pytest.mark.parametrize(
    "hold", [Hold.BEFORE_LIVE, Hold.PROPOSE, Hold.VALUE_CEILING, Hold.MISSING_DATA, Hold.CARRIER_ANSWER]
)
def test_a_person_lets_it_go(hold: Hold) -> None:
    facts = claim(state=State.WAITING_APPROVAL, hold=hold, approved_at=NOW)
    move = start(facts, Gates(hold, "because"), TERMS, DAYS, NOW)
    assert shown(move, "state", "rule", "call", "hold") == {
        "state": State.SUBMITTING,
        "rule": "claim.approved",
        "call": "open",
        "hold": None,
    }


def test_nothing_that_was_approved_leaves_a_shop_that_observes_again() -> None:
    gates = Gates(Hold.OBSERVE, "because", at("2026-12-20 00:00"))
    for facts in (claim(approved_at=NOW), claim(state=State.WAITING_APPROVAL, hold=Hold.PROPOSE, approved_at=NOW)):
        move = start(facts, gates, TERMS, DAYS, NOW)
        assert shown(move, "state", "hold", "call") == {
            "state": State.WAITING_APPROVAL,
            "hold": Hold.OBSERVE,
            "call": None,
        }
    assert instead_of_filing(filing(), DAYS, NOW, gates) == move
    assert instead_of_filing(filing(), DAYS, NOW, Gates(Hold.PROPOSE, "because")) is None


@pytest.mark.parametrize("hold", [Hold.BY_LETTER, Hold.OBSERVE, Hold.BEFORE_LIVE], ids=lambda hold: hold.value)
def test_approving_a_letter_says_that_it_was_sent_whatever_held_it(hold: Hold) -> None:
    facts = claim(state=State.WAITING_APPROVAL, hold=hold, approved_at=NOW, by_letter=True)
    move = start(facts, Gates(hold, "because"), TERMS, DAYS, NOW)
    assert shown(move, "state", "opened", "outcome", "call") == {
        "state": State.OPEN,
        "opened": True,
        "outcome": "registered",
        "call": None,
    }


# --- waiting on its day -----------------------------------------------------------------------------

BLIND: dict[str, Any] = {"needs_news": True, "last_answered_at": at("2026-11-24 23:50")}
"""Its day is the 25th; tracking has not answered since."""


@pytest.mark.parametrize(
    ("changes", "now", "rule"),
    [
        pytest.param(BLIND, "2026-11-25 00:10", "claim.needs_news", id="nothing was heard since its day came"),
        pytest.param(
            BLIND | {"last_answered_at": None}, "2026-11-25 09:00", "claim.needs_news", id="tracking never answered"
        ),
        pytest.param(
            BLIND | {"last_answered_at": at("2026-11-25 00:00")}, "2026-11-25 09:00", "claim.due", id="heard since"
        ),
        pytest.param(
            {"needs_news": True, "last_answered_at": at("2026-11-25 08:00"), "next_look_at": at("2026-11-25 08:45")},
            "2026-11-26 09:00",
            "claim.needs_news",
            id="its next look is a day overdue",
        ),
        pytest.param({"needs_news": False}, "2026-11-25 09:00", "claim.due", id="an event proves it"),
        pytest.param(BLIND, "2026-12-19 09:00", "claim.due", id="near its deadline it waits for nothing"),
        pytest.param(BLIND | {"approved_at": NOW}, "2026-11-25 09:00", "claim.approved", id="a person let it go"),
        pytest.param(
            {"paced_until": at("2026-11-25 13:30")}, "2026-11-25 09:00", "claim.paced", id="its turn comes later today"
        ),
        pytest.param({"paced_until": at("2026-11-25 13:30")}, "2026-11-25 13:30", "claim.due", id="its turn has come"),
        pytest.param(
            {"paced_until": at("2026-12-19 13:30")}, "2026-12-19 09:00", "claim.due", id="no turns near the deadline"
        ),
    ],
)
def test_what_lets_a_claim_wait_on_its_day(changes: dict[str, Any], now: str, rule: str) -> None:
    """Design section 6: an outage is never read as "no news"."""
    move = start(claim(**changes), FREE, TERMS, DAYS, at(now))
    assert move.rule == rule
    assert (move.call is None) is (move.state is State.PLANNED)
    assert move.state is not State.PLANNED or (move.next_step_at is not None and move.next_step_at > at(now))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({}, None, id="nothing has changed"),
        pytest.param(BLIND, "claim.needs_news", id="tracking has gone away since it was decided"),
        pytest.param({"is_overtaken": True}, "claim.overtaken", id="the parcel has come meanwhile"),
        pytest.param({"claimable_from": on("2026-11-27")}, "claim.window", id="its day has moved"),
    ],
)
def test_a_filing_is_looked_at_once_more_before_it_leaves(changes: dict[str, Any], rule: str | None) -> None:
    move = instead_of_filing(filing(**changes), DAYS, NOW)
    assert (move.rule if move else None) == rule
    assert move is None or (move.state, move.call) == (State.PLANNED, None)


# --- the answer to a filing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_answer", "rule", "next_step_at"),
    [
        # Registered Wednesday at 10:00: the next quiet hour is Thursday at 06:00.
        pytest.param(
            answer(Outcome.REGISTERED, protocol="P1"), "claim.registered", "2026-11-26 06:00", id="registered"
        ),
        pytest.param(
            answer(Outcome.REGISTERED),
            "claim.registered",
            "2026-11-25 11:00",
            id="registered without a number: ask in an hour",
        ),
        pytest.param(
            answer(Outcome.ALREADY_OPEN, protocol="P1"),
            "claim.adopted",
            "2026-11-26 06:00",
            id="adopted with its number",
        ),
        pytest.param(
            answer(Outcome.ALREADY_OPEN),
            "claim.adopted",
            "2026-11-25 10:00",
            id="adopted without a number: ask at once",
        ),
    ],
)
def test_a_claim_that_is_taken(given_answer: ClaimAnswer, rule: str, next_step_at: str) -> None:
    move = after_open(filing(), given_answer, TERMS, DAYS, NOW)
    assert shown(move, "state", "rule", "opened", "outcome", "protocol", "next_step_at", "call", "closed") == {
        "state": State.OPEN,
        "rule": rule,
        "opened": True,
        "outcome": "registered",
        "protocol": given_answer.protocol,
        "next_step_at": at(next_step_at),
        "call": None,
        "closed": False,
    }


@pytest.mark.parametrize(
    ("service_level", "by_contract"),
    [
        pytest.param(False, None, id="refused for good"),
        pytest.param(True, "the carrier's words", id="settled by the contract's service level"),
    ],
)
def test_a_claim_that_is_refused_is_closed(service_level: bool, by_contract: str | None) -> None:
    move = after_open(filing(), answer(Outcome.REFUSED, service_level=service_level), TERMS, DAYS, NOW)
    assert shown(move, "state", "outcome", "closed", "refusal", "call") == {
        "state": State.REFUSED,
        "outcome": "refused",
        "closed": True,
        "refusal": ("7", "the carrier's words"),
        "call": None,
    }
    assert move.by_contract == by_contract


@pytest.mark.parametrize(
    ("outcome", "hold"),
    [
        pytest.param(Outcome.WRONG_CONFIGURATION, Hold.CONFIGURATION, id="contract or settings do not fit"),
        pytest.param(Outcome.NEEDS_PERSON, Hold.CARRIER_ANSWER, id="only a person can go on"),
        pytest.param(Outcome.UNKNOWN, Hold.CARRIER_ANSWER, id="a code nobody knows"),
        pytest.param(Outcome.OTHER_MOTIVE, Hold.CARRIER_ANSWER, id="another motive, and there is none"),
    ],
)
def test_a_refusal_that_a_person_must_see(outcome: ClaimOutcome, hold: Hold) -> None:
    move = after_open(filing(), answer(outcome), TERMS, DAYS, NOW)
    assert shown(move, "state", "hold", "call", "closed", "refusal") == {
        "state": State.WAITING_APPROVAL,
        "hold": hold,
        "call": None,
        "closed": False,
        "refusal": ("7", "the carrier's words"),
    }
    assert alert_kind(move) == "claim_needs_person"
    assert "7: the carrier's words" in move.reason


@pytest.mark.parametrize(
    ("now", "wake"),
    [
        pytest.param("2026-11-25 10:00", "2026-12-19 00:00", id="first the day of the alert"),
        pytest.param("2026-12-19 00:00", "2027-02-23 00:00", id="at the midnight of that day the end of the window"),
        pytest.param("2026-12-19 10:00", "2027-02-23 00:00", id="then the end of the window"),
        pytest.param("2027-03-01 10:00", "2027-03-02 00:00", id="answered after the window: the next day"),
    ],
)
def test_what_waits_for_a_person_is_looked_at_before_it_is_too_late(now: str, wake: str) -> None:
    assert after_open(filing(), answer(Outcome.UNKNOWN), TERMS, DAYS, at(now)).next_step_at == at(wake)
    assert after_refused_call(filing(), "HTTP 400", TERMS, DAYS, at(now)).next_step_at == at(wake)


def test_a_call_that_is_refused_as_such_waits_for_a_person() -> None:
    move = after_refused_call(filing(), "HTTP 400", TERMS, DAYS, NOW)
    assert shown(move, "state", "hold", "reason", "call") == {
        "state": State.WAITING_APPROVAL,
        "hold": Hold.CARRIER_ANSWER,
        "reason": "HTTP 400",
        "call": None,
    }


@pytest.mark.parametrize(
    ("given_answer", "facts", "expected"),
    [
        pytest.param(
            answer(Outcome.NOT_YET, not_before=on("2026-12-04")), filing(), "2026-12-04", id="on the day it names"
        ),
        pytest.param(
            answer(Outcome.NOT_YET, not_before=on("2026-11-25")),
            filing(),
            "2026-11-26",
            id="it names today: not before tomorrow",
        ),
        pytest.param(
            answer(Outcome.NOT_YET, not_before=on("2026-11-02")),
            filing(),
            "2026-11-26",
            id="it names the past: tomorrow",
        ),
        # due Fri 27, then Mon 30
        pytest.param(
            answer(Outcome.NOT_YET, after_due=True),
            filing(due_max_on=on("2026-11-27")),
            "2026-11-30",
            id="the business day after a due date to come",
        ),
        pytest.param(
            answer(Outcome.NOT_YET, after_due=True),
            filing(),
            "2026-11-26",
            id="the due date has gone by: the next business day",
        ),
        pytest.param(
            answer(Outcome.NOT_YET, after_due=True),
            filing(due_max_on=None),
            "2026-11-26",
            id="no due date: the next business day",
        ),
        # Thu 26 (1), Fri 27 (2), Mon 30 (3), Tue 1 (4), Wed 2 December (5)
        pytest.param(
            answer(Outcome.NOT_YET, after_event=True),
            filing(),
            "2026-12-02",
            id="after the next event, or five business days",
        ),
        pytest.param(answer(Outcome.NOT_YET), filing(), "2026-12-02", id="later, and nobody says when"),
    ],
)
def test_later_on_a_day(given_answer: ClaimAnswer, facts: ClaimFacts, expected: str) -> None:
    move = after_open(facts, given_answer, TERMS, DAYS, NOW)
    assert shown(move, "state", "claimable_from", "next_step_at", "call", "refusal") == {
        "state": State.PLANNED,
        "claimable_from": on(expected),
        "next_step_at": at(f"{expected} 00:00"),
        "call": None,
        "refusal": ("7", "the carrier's words"),
    }


def test_a_carrier_that_knows_more_than_its_tracking_told_sends_us_to_look_there() -> None:
    given = answer(Outcome.NOT_YET, look_first=True)
    once = filing(steps=(step(1, outcome="not_yet", code="7"),))
    assert shown(after_open(once, given, TERMS, DAYS, NOW), "state", "look", "claimable_from", "call") == {
        "state": State.PLANNED,
        "look": True,
        "claimable_from": on("2026-11-26"),
        "call": None,
    }
    # An answer that got lost in between says nothing either way.
    again = filing(
        steps=(
            step(1, outcome="not_yet", code="7"),
            step(2, outcome="lost"),
            step(3, "look_up", "none"),
            step(4, outcome="not_yet", code="7"),
        )
    )
    assert shown(after_open(again, given, TERMS, DAYS, NOW), "state", "hold", "look") == {
        "state": State.WAITING_APPROVAL,
        "hold": Hold.CARRIER_ANSWER,
        "look": False,
    }


def test_the_margin_after_the_due_date_is_that_of_the_terms() -> None:
    # due Fri 27: Mon 30 (1), Tue 1 (2), Wed 2 December (3)
    terms = replace(TERMS, margin_business_days=3)
    move = after_open(filing(due_max_on=on("2026-11-27")), answer(Outcome.NOT_YET, after_due=True), terms, DAYS, NOW)
    assert move.claimable_from == on("2026-12-02")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(("7",), "2026-11-25 10:05", id="the first wait"),
        pytest.param(("7", "7"), "2026-11-25 10:15", id="the second"),
        pytest.param(("7", "7", "7"), "2026-11-25 11:00", id="the last"),
        pytest.param(("7", "7", "7", "7"), None, id="no wait is left: a person"),
        pytest.param(("8", "8", "8", "7"), "2026-11-25 10:05", id="another code's waits are its own"),
        pytest.param(("7", "8", "7"), "2026-11-25 10:15", id="another code between does not begin anew"),
    ],
)
def test_later_after_a_wait(codes: tuple[str, ...], expected: str | None) -> None:
    facts = filing(steps=tuple(step(n, outcome="not_yet", code=code) for n, code in enumerate(codes, start=1)))
    move = after_open(facts, answer(Outcome.NOT_YET, waits=WAITS), TERMS, DAYS, NOW)
    if expected is None:
        assert shown(move, "state", "hold", "call") == {
            "state": State.WAITING_APPROVAL,
            "hold": Hold.CARRIER_ANSWER,
            "call": None,
        }
    else:
        assert shown(move, "state", "next_step_at", "call") == {
            "state": State.SUBMITTING,
            "next_step_at": at(expected),
            "call": "open",
        }


@pytest.mark.parametrize(
    ("facts", "motive", "expected"),
    [
        pytest.param(
            filing(),
            "135",
            ("135", "refund"),
            id="the motive that the carrier points to, with the kind of its own offer",
        ),
        pytest.param(
            filing(), "136", ("136", "information_request"), id="a motive without an offer, with the kind it had"
        ),
        pytest.param(
            filing(motive="135", steps=(step(1), step(2, motive="135"))),
            "211",
            None,
            id="not one that was tried before",
        ),
        pytest.param(filing(), "211", None, id="not the same one again"),
        pytest.param(
            filing(kind="refund", fallback=("211", "information_request")),
            None,
            ("211", "information_request"),
            id="the offer's other kind where it names none",
        ),
        pytest.param(
            filing(kind="refund", fallback=("211", "information_request")),
            "211",
            ("211", "information_request"),
            id="the offer's other kind where the named motive was tried",
        ),
        pytest.param(filing(fallback=("211", "information_request")), None, None, id="the other kind is tried once"),
        pytest.param(
            filing(fallback=("136", "refund")), "135", ("135", "refund"), id="the carrier's word before the offer's"
        ),
    ],
)
def test_with_another_motive(facts: ClaimFacts, motive: str | None, expected: tuple[str, str | None] | None) -> None:
    move = after_open(facts, answer(Outcome.OTHER_MOTIVE, motive=motive), TERMS, DAYS, NOW)
    if expected is None:
        assert shown(move, "state", "hold") == {"state": State.WAITING_APPROVAL, "hold": Hold.CARRIER_ANSWER}
    else:
        assert shown(move, "state", "call", "next_step_at") == {
            "state": State.SUBMITTING,
            "call": "open",
            "next_step_at": NOW,
        }
        assert (move.motive, move.kind) == expected


@pytest.mark.parametrize(
    ("otherwise", "expected"),
    [
        # Thu 26 (1), Fri 27 (2), Mon 30 (3), Tue 1 (4), Wed 2 December (5)
        pytest.param(
            Outcome.NOT_YET,
            {"state": State.PLANNED, "claimable_from": on("2026-12-02"), "call": None},
            id="6.4, 545: else the next event",
        ),
        pytest.param(
            Outcome.REFUSED,
            {"state": State.REFUSED, "closed": True, "outcome": "refused"},
            id="6.4, 550, 560: else final",
        ),
        pytest.param(
            Outcome.NEEDS_PERSON,
            {"state": State.WAITING_APPROVAL, "hold": Hold.CARRIER_ANSWER},
            id="6.4, 262: else a person on the site",
        ),
    ],
)
@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(filing(), id="no other motive"),
        pytest.param(
            filing(
                kind="information_request",
                fallback=("211", "information_request"),
                steps=(step(1, outcome="other_motive"), step(2, outcome="other_motive")),
            ),
            id="switched once already",
        ),
    ],
)
def test_what_is_left_without_another_motive(
    facts: ClaimFacts, otherwise: ClaimOutcome, expected: dict[str, Any]
) -> None:
    move = after_open(facts, answer(Outcome.OTHER_MOTIVE, otherwise=otherwise), TERMS, DAYS, NOW)
    assert shown(move, *expected) == expected


def test_a_window_that_the_carrier_calls_closed_is_for_a_person_at_once() -> None:
    """Section 7.2: 564 is for a person, with the law's ninety days."""
    move = after_open(filing(), answer(Outcome.NEEDS_PERSON, window_passed=True), TERMS, DAYS, NOW)
    assert (move.state, move.by_hand, move.alert) == (State.WAITING_APPROVAL, True, None)


def test_machines_that_fail_beyond_their_waits_are_tried_daily_to_the_last_day() -> None:
    """Section 6.4, 999: three days, then a person hears of it; design section 9: still tried to day 90."""
    facts = filing(steps=tuple(step(n, outcome="not_yet", code="7") for n in range(1, 5)))
    move = after_open(facts, answer(Outcome.NOT_YET, waits=WAITS, carrier_fault=True), TERMS, DAYS, NOW)
    assert shown(move, "state", "call", "next_step_at") == {
        "state": State.SUBMITTING,
        "call": "open",
        "next_step_at": at("2026-11-26 10:00"),
    }
    assert alert_kind(move) == "claims_failing"
    gone = instead_of_filing(facts, DAYS, at("2027-02-23 00:00"))
    assert gone is not None and (gone.state, gone.closed) == (State.EXPIRED, True)


@pytest.mark.parametrize(
    ("claimable_from", "now", "expected"),
    [
        pytest.param("2026-11-25", "2026-11-25 00:00", None, id="its day has come"),
        pytest.param("2026-11-26", "2026-11-25 23:59", State.PLANNED, id="its day has moved to tomorrow"),
        pytest.param("2026-11-25", "2027-02-22 23:59", None, id="on its last day"),
    ],
)
def test_right_before_a_filing_leaves(claimable_from: str, now: str, expected: ClaimState | None) -> None:
    move = instead_of_filing(filing(claimable_from=on(claimable_from)), DAYS, at(now))
    assert (move.state if move else None) is expected


@pytest.mark.parametrize(
    ("steps_before", "adopted"),
    [
        pytest.param((step(1, outcome="already_open"),), True, id="6.4, 900: somebody else's"),
        pytest.param(
            (step(1, outcome="lost"), step(2, "look_up", "none"), step(3, outcome="already_open")),
            False,
            id="6.1: our own, whose answer was lost",
        ),
    ],
)
def test_whose_claim_it_is_that_stands_already(steps_before: Any, adopted: bool) -> None:
    move = after_open(filing(steps=steps_before), answer(Outcome.ALREADY_OPEN, protocol="P1"), TERMS, DAYS, NOW)
    assert (move.adopted, move.facts.get("other_channel", False)) == (adopted, adopted)
