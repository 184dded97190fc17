"""A claim by letter: when its letter leaves, when it is reminded of, and what a person's word does. Terms: five business
days to answer, ten until a person asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.base import ClaimProgress
from tests.domain.claim_support import FREE, claim
from tests.domain.support import DAYS, at, on
from tests.domain.test_claim_reopening import TERMS
from tracker.claims.gates import NOTHING_LEAVES, ClaimPolicy, WhyHeld, gates
from tracker.domain.claim_filing import instead_of_filing, start
from tracker.domain.claim_following import after_look_up, pursue
from tracker.domain.claim_letter import (
    FOLLOW_UP,
    LETTER,
    LetterOutcome,
    PersonsAnswer,
    after_letter,
    after_sent_by_hand,
    answer_due_on,
    answer_overdue_at,
    by_person,
    may_have_reminded,
    on_its_way,
    status_of,
    takes_answer,
)
from tracker.domain.claim_moves import RULE_VERSIONS, ClaimFacts, Gates, Move, Step
from tracker.domain.words import ClaimState, Hold

State = ClaimState
FRIDAY = at("2026-11-27 12:00")
NO_LETTERS = replace(FREE, letters=False)
LOST = replace(FREE, reminder_waits=True)
MONDAY = at("2026-12-07 06:00")
WAITS = {"state": State.WAITING_APPROVAL, "hold": Hold.RESTORED}


def letter(**changes: Any) -> ClaimFacts:
    """A claim whose carrier's address is known."""
    return claim(**{"by_letter": True, "writes": True, **changes})


def sent(**changes: Any) -> ClaimFacts:
    """Its letter left on a Friday."""
    step = Step(1, LETTER, "done", "x", "sent")
    return letter(**{"state": State.OPEN, "opened_at": FRIDAY, "outcome": "registered", "steps": (step,), **changes})


def reminded(outcome: str = "sent", **changes: Any) -> ClaimFacts:
    step = Step(2, FOLLOW_UP, "done", "x", outcome)
    facts = sent(**changes)
    return replace(facts, steps=(*facts.steps, step), reminded_at=at("2026-12-07 06:00") if outcome == "sent" else None)


@pytest.mark.parametrize(
    ("facts", "gate", "expected"),
    [
        pytest.param(letter(), FREE, (State.SUBMITTING, LETTER, None), id="its day has come"),
        pytest.param(
            letter(), Gates(Hold.PROPOSE, "a person"), (State.WAITING_APPROVAL, None, Hold.PROPOSE), id="propose"
        ),
        pytest.param(
            letter(state=State.WAITING_APPROVAL, hold=Hold.PROPOSE, approved_at=FRIDAY),
            Gates(Hold.PROPOSE, "a person"),
            (State.SUBMITTING, LETTER, None),
            id="approved: the daemon sends it",
        ),
        pytest.param(
            letter(state=State.WAITING_APPROVAL, hold=Hold.BY_LETTER, approved_at=FRIDAY),
            FREE,
            (State.OPEN, None, None),
            id="approved before an address was known: a person sent it",
        ),
        pytest.param(
            letter(state=State.WAITING_APPROVAL, hold=Hold.PROPOSE, approved_at=FRIDAY, writes=False),
            Gates(Hold.BY_LETTER, "a person"),
            (State.WAITING_APPROVAL, None, Hold.BY_LETTER),
            id="approved for us to write, and its address is gone: nobody has sent it",
        ),
        pytest.param(
            letter(state=State.WAITING_APPROVAL, hold=Hold.LETTER),
            FREE,
            (State.WAITING_APPROVAL, None, Hold.LETTER),
            id="never confirmed: not again by itself",
        ),
        pytest.param(
            letter(state=State.WAITING_APPROVAL, hold=Hold.LETTER, approved_at=FRIDAY),
            FREE,
            (State.SUBMITTING, LETTER, None),
            id="never confirmed, and approved",
        ),
    ],
)
def test_when_a_letter_leaves(facts: ClaimFacts, gate: Gates, expected: tuple[State, str | None, Hold | None]) -> None:
    move = start(facts, gate, TERMS, DAYS, FRIDAY)
    assert (move.state, move.call, move.hold) == expected


@pytest.mark.parametrize(
    ("since", "due_on", "overdue"),
    [
        pytest.param("2026-11-23 12:00", "2026-11-30", "2026-12-01 06:00", id="a week without a holiday"),
        pytest.param("2026-09-02 12:00", "2026-09-10", "2026-09-11 06:00", id="over Independence Day"),
        pytest.param("2026-12-18 12:00", "2026-12-29", "2026-12-30 06:00", id="over Christmas Eve and Christmas"),
        pytest.param("2026-11-28 12:00", "2026-12-04", "2026-12-07 06:00", id="sent on a Saturday, over on a Friday"),
    ],
)
def test_the_carriers_term_counts_no_holiday(since: str, due_on: str, overdue: str) -> None:
    assert answer_due_on(at(since), TERMS, DAYS) == on(due_on)
    assert answer_overdue_at(at(since), TERMS, DAYS) == at(overdue)


@pytest.mark.parametrize(
    ("facts", "gate", "now", "call", "alert"),
    [
        pytest.param(sent(), FREE, "2026-12-04 23:00", None, None, id="inside the term"),
        pytest.param(sent(), FREE, "2026-12-07 06:00", FOLLOW_UP, None, id="the term is over"),
        pytest.param(sent(), NO_LETTERS, "2026-12-07 06:00", None, "claim_unanswered", id="nothing leaves any more"),
        pytest.param(
            sent(writes=False), FREE, "2026-12-07 06:00", None, "claim_unanswered", id="its address is gone: a person"
        ),
        pytest.param(reminded(), FREE, "2026-12-14 23:00", None, None, id="reminded, inside the term"),
        pytest.param(reminded(), FREE, "2026-12-15 06:00", None, "claim_unanswered", id="reminded in vain"),
        pytest.param(
            reminded("failed"), FREE, "2026-12-08 06:00", None, "claim_unanswered", id="a second is not tried"
        ),
        pytest.param(
            sent(state=State.ACCEPTED, answered_at=at("2026-12-01 09:00")),
            FREE,
            "2026-12-15 06:00",
            None,
            None,
            id="accepted: the money has its time",
        ),
        pytest.param(
            sent(state=State.ACCEPTED, answered_at=at("2026-12-01 09:00")),
            FREE,
            "2026-12-16 06:00",
            None,
            "claim_needs_person",
            id="accepted, and no money in ten business days",
        ),
    ],
)
def test_what_follows_a_letter(facts: ClaimFacts, gate: Gates, now: str, call: str | None, alert: str | None) -> None:
    move = pursue(facts, gate, TERMS, DAYS, at(now))
    assert (move.state, move.call, move.alert and move.alert[0]) == (facts.state, call, alert)
    assert move.next_step_at is not None and move.next_step_at >= at(now)


@pytest.mark.parametrize(
    ("changes", "gate", "expected"),
    [
        pytest.param({}, LOST, (State.WAITING_APPROVAL, Hold.RESTORED, None), id="it may have left: it waits"),
        pytest.param(WAITS, LOST, (State.WAITING_APPROVAL, Hold.RESTORED, None), id="it goes on waiting"),
        pytest.param({**WAITS, "approved_at": MONDAY}, LOST, (State.OPEN, None, FOLLOW_UP), id="a person lets it go"),
        pytest.param(WAITS, FREE, (State.OPEN, None, FOLLOW_UP), id="its problem was released"),
        pytest.param(WAITS, NO_LETTERS, (State.OPEN, None, None), id="nothing leaves any more: a person asks"),
    ],
)
def test_a_reminder_that_may_have_left_waits_for_a_person(
    changes: dict[str, Any], gate: Gates, expected: tuple[State, Hold | None, str | None]
) -> None:
    move = pursue(sent(**changes), gate, TERMS, DAYS, MONDAY)
    assert (move.state, move.hold, move.call) == expected


def test_a_reminder_that_was_called_off_is_still_to_come() -> None:
    assert pursue(reminded("withdrawn"), FREE, TERMS, DAYS, MONDAY).call == FOLLOW_UP


@pytest.mark.parametrize(
    ("restored", "reminded_at", "expected"),
    [
        pytest.param("2026-12-07 05:59", None, False, id="its day had not come"),
        pytest.param("2026-12-07 06:01", None, True, id="its day had come"),
        pytest.param("2026-12-09 06:00", MONDAY, False, id="it left before the copy was made"),
    ],
)
def test_which_reminders_may_have_left(restored: str, reminded_at: datetime | None, expected: bool) -> None:
    assert may_have_reminded(FRIDAY, reminded_at, at(restored), TERMS, DAYS) is expected


def test_a_letter_is_followed_no_longer_than_any_claim() -> None:
    move = pursue(reminded(), FREE, TERMS, DAYS, at("2027-02-26 00:00"))
    assert (move.rule, move.closed, move.state) == ("claim.follow_ends", True, State.OPEN)


def test_money_that_tracking_shows_is_for_a_person_to_confirm() -> None:
    paid = sent(indemnified_at=at("2026-12-01 10:00"))
    move = pursue(paid, FREE, TERMS, DAYS, at("2026-12-01 11:00"))
    assert (move.state, move.closed, move.answered_on) == (State.ACCEPTED, False, on("2026-12-01"))
    assert move.alert is not None and "has the money come?" in move.alert[2]
    again = pursue(replace(paid, state=State.ACCEPTED), FREE, TERMS, DAYS, at("2026-12-02 11:00"))
    assert (again.state, again.rule, again.closed) == (State.ACCEPTED, "claim.follow", False)


@pytest.mark.parametrize(
    ("outcome", "state", "hold", "opened"),
    [
        pytest.param(LetterOutcome.LEAVING, State.SUBMITTING, None, False, id="it is leaving"),
        pytest.param(LetterOutcome.BACK, State.SUBMITTING, None, False, id="tried again later"),
        pytest.param(LetterOutcome.SENT, State.OPEN, None, True, id="the server took it"),
        pytest.param(LetterOutcome.FAILED, State.WAITING_APPROVAL, Hold.LETTER, False, id="it did not leave"),
        pytest.param(LetterOutcome.UNCONFIRMED, State.WAITING_APPROVAL, Hold.LETTER, False, id="nobody knows"),
    ],
)
def test_what_a_letters_outcome_does(outcome: LetterOutcome, state: State, hold: Hold | None, opened: bool) -> None:
    move = after_letter(letter(state=State.SUBMITTING), LETTER, outcome, "550 no", TERMS, DAYS, FRIDAY)
    assert (move.state, move.hold, move.opened, move.call) == (state, hold, opened, None)
    assert move.next_step_at is not None
    assert (move.alert is not None) is (hold is not None)


@pytest.mark.parametrize("outcome", [LetterOutcome.FAILED, LetterOutcome.UNCONFIRMED])
def test_a_reminder_that_did_not_leave_leaves_the_claim_where_it_is(outcome: LetterOutcome) -> None:
    move = after_letter(sent(), FOLLOW_UP, outcome, "no", TERMS, DAYS, at("2026-12-07 06:00"))
    assert (move.state, move.hold, move.alert and move.alert[0]) == (State.OPEN, None, "claim_unanswered")


@pytest.mark.parametrize(
    ("progress", "cents", "expected"),
    [
        pytest.param(ClaimProgress.ACCEPTED, 8000, (State.ACCEPTED, False, 8000, None), id="accepted"),
        pytest.param(ClaimProgress.REJECTED, None, (State.REJECTED, True, None, None), id="rejected"),
        pytest.param(ClaimProgress.PAID, 7550, (State.PAID, True, None, 7550), id="paid"),
        pytest.param(ClaimProgress.PAID, None, (State.PAID, True, None, None), id="paid, nobody said how much"),
    ],
)
def test_a_persons_answer_moves_it_like_an_apis(
    progress: ClaimProgress, cents: int | None, expected: tuple[State, bool, int | None, int | None]
) -> None:
    answer = PersonsAnswer(progress, on("2026-12-01"), "fulana", "e-mail", cents, "F-77")
    terms = replace(TERMS, refund_motives=(), contest_days=None)
    move = by_person(after_look_up(sent(), status_of(answer), terms, DAYS, at("2026-12-02 10:00")), answer)
    assert (move.state, move.closed, move.granted_cents, move.received_cents) == expected
    assert (move.protocol, move.answered_on, move.facts["who"]) == ("F-77", on("2026-12-01"), "fulana")


@pytest.mark.parametrize(
    ("state", "opened", "closed", "progress", "why"),
    [
        (State.OPEN, True, False, ClaimProgress.ACCEPTED, None),
        (State.ACCEPTED, True, False, ClaimProgress.PAID, None),
        (State.REJECTED, True, True, ClaimProgress.PAID, None),
        (State.OPEN, True, True, ClaimProgress.PAID, None),
        (State.OPEN, True, True, ClaimProgress.ACCEPTED, "only a payment"),
        (State.PAID, True, True, ClaimProgress.PAID, "paid already"),
        (State.WAITING_APPROVAL, False, False, ClaimProgress.PAID, "not been sent"),
        (State.CANCELLED, False, True, ClaimProgress.PAID, "never had it"),
    ],
)
def test_which_answers_a_claim_takes(
    state: State, opened: bool, closed: bool, progress: ClaimProgress, why: str | None
) -> None:
    found = takes_answer(state, None, progress, opened=opened, closed=closed)
    assert found is None if why is None else found is not None and why in found


@pytest.mark.parametrize("why", WhyHeld)
def test_a_reminder_leaves_unless_nothing_may(why: WhyHeld) -> None:
    assert (why in NOTHING_LEAVES) is (why in {WhyHeld.OBSERVE, WhyHeld.BY_LETTER, WhyHeld.SWITCHED_OFF})


def test_a_letter_needs_no_recipients_name() -> None:
    policy = ClaimPolicy("auto", by_letter=True, letter_to="sac@flecha.example")
    told: dict[str, Any] = {"live_from": on("2026-11-01"), "problem_since": FRIDAY, "released": False, "days": DAYS}
    assert gates(**told, policy=policy, value_cents=1, recipient_name=None, now=FRIDAY).hold is None


# --- whole lives ------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_any_life_of_a_letter(seed: int) -> None:
    """Outcomes and answers at random: one letter at a time, one reminder, an end; and none leaves after it may have."""
    life = _Life(Random(seed))
    life.live()
    assert life.closed, f"no end: {life.facts}"
    assert life.reminders <= 1
    assert life.blind == 0, "sent again after it may have left, and no person said so"
    assert life.rules <= set(RULE_VERSIONS)


class _Life:
    def __init__(self, chance: Random) -> None:
        self.chance, self.facts, self.now = chance, letter(), at("2026-11-23 10:00")
        self.closed, self.reminders, self.blind, self.may_have_left = False, 0, 0, False
        self.rules: set[str] = set()

    def live(self) -> None:
        next_at: datetime | None = self.now
        for _ in range(400):
            if self.closed:
                return
            assert next_at is not None, f"neither closed nor looked at again: {self.facts}"
            self.now = max(self.now, next_at)
            next_at = self.write(self.move())
            if self.facts.hold is not None and self.chance.random() < 0.3:
                self.facts, self.may_have_left = replace(self.facts, approved_at=self.now), False
                next_at = self.now

    def move(self) -> Move:
        pending = next((step for step in self.facts.steps if step.state != "done"), None)
        if pending is not None:
            return self.delivered(pending)
        if self.facts.opened_at is None:
            if self.facts.hold is Hold.LETTER and self.chance.random() < 0.2:
                return after_sent_by_hand(self.facts, "fulana", None, TERMS, DAYS, self.now)
            return start(self.facts, FREE, TERMS, DAYS, self.now)
        if self.chance.random() < 0.2:
            progress = self.chance.choice([ClaimProgress.ACCEPTED, ClaimProgress.REJECTED, ClaimProgress.PAID])
            answer = PersonsAnswer(progress, DAYS.local_date(self.now), "fulana", "x")
            terms = replace(TERMS, refund_motives=(), contest_days=None)
            return by_person(after_look_up(self.facts, status_of(answer), terms, DAYS, self.now), answer)
        return pursue(self.facts, FREE, TERMS, DAYS, self.now)

    def delivered(self, step: Step) -> Move:
        if step.action == LETTER and (instead := instead_of_filing(self.facts, DAYS, self.now)) is not None:
            self.end(step, "withdrawn")
            return instead
        if self.chance.random() < 0.3:
            return on_its_way(self.facts, self.now)
        outcome = self.chance.choice([LetterOutcome.SENT, LetterOutcome.FAILED, LetterOutcome.UNCONFIRMED])
        if step.action == LETTER:
            self.blind += self.may_have_left
            self.may_have_left = self.may_have_left or outcome is LetterOutcome.UNCONFIRMED
        self.end(step, outcome.value)
        if step.action == FOLLOW_UP and outcome is LetterOutcome.SENT:
            self.facts = replace(self.facts, reminded_at=self.now)
        return after_letter(self.facts, step.action, outcome, "x", TERMS, DAYS, self.now)

    def end(self, step: Step, outcome: str) -> None:
        ended = replace(step, state="done", outcome=outcome)
        self.facts = replace(self.facts, steps=tuple(ended if one is step else one for one in self.facts.steps))

    def write(self, move: Move) -> datetime | None:
        facts = replace(self.facts, state=move.state, hold=move.hold, outcome=move.outcome or self.facts.outcome)
        if move.opened and facts.opened_at is None:
            facts = replace(facts, opened_at=self.now)
        if move.answered_on is not None and facts.answered_at is None:
            facts = replace(facts, answered_at=self.now)
        if move.hold is not None:
            facts = replace(facts, approved_at=None)
        if move.call is not None:
            self.reminders += move.call == FOLLOW_UP
            facts = replace(facts, steps=(*facts.steps, Step(len(facts.steps) + 1, move.call, "intended", "x")))
        self.rules.add(move.rule)
        self.facts, self.closed = facts, move.closed
        return move.next_step_at
