"""Whole lives of a claim under any answers: one filing taken, never before its day, each reopening once, and always an end.

The carrier of these plays answers at random, also nonsense: a claim is lost, found, refused, taken, answered, put off, in
any order. What is written between two moves is what the claims stage writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.base import ClaimAnswer, ClaimOutcome, ClaimProgress, ClaimStatus, ReopenAnswer, ReopenOutcome
from tests.domain.claim_support import FREE, WAITS, answer, claim, status
from tests.domain.support import DAYS, at
from tests.domain.test_claim_reopening import REFUND, TERMS, reply
from tracker.domain.claim_filing import (
    after_lost_answer,
    after_not_sent,
    after_open,
    after_refused_call,
    instead_of_filing,
    start,
)
from tracker.domain.claim_following import after_look_up, pursue
from tracker.domain.claim_moves import RULE_VERSIONS, ClaimFacts, Gates, Move, Step
from tracker.domain.claim_reopening import after_reopen
from tracker.domain.words import ClaimState, Hold

LONGEST = 2000
"""Moves in a life: ninety days of two looks, and three reopenings with as many, come to some eight hundred."""
LAST_END = at("2028-06-01 00:00")


@dataclass
class Life:
    """One claim, its carrier (a source of answers) and what was seen of it."""

    chance: Random
    facts: ClaimFacts
    now: datetime
    gate: Gates = FREE
    taken: int = 0
    early: int = 0
    filed_after_taken: int = 0
    reopened: dict[str, int] = field(default_factory=dict)
    rules: set[str] = field(default_factory=set)
    moves: int = 0
    next_at: datetime | None = None
    closed: bool = False
    call: Move | None = None

    def live(self) -> None:
        """From its planning to its end."""
        self.next_at = self.now
        while not self.closed and self.moves < LONGEST:
            assert self.next_at is not None, f"neither closed nor looked at again: {self.facts}"
            self.now = max(self.now, self.next_at)
            self.moves += 1
            self.write(self.called(self.call) if self.call is not None else self.decided())

    def decided(self) -> Move:
        if self.facts.opened_at is not None:
            return pursue(self.facts, self.gate, TERMS, DAYS, self.now)
        return start(self.facts, self.gate, TERMS, DAYS, self.now)

    def called(self, call: Move) -> Move:
        """The call leaves (or not) and is answered, lost, or never arrives."""
        self.call = None
        action = call.call or ""
        if action == "open":
            instead = instead_of_filing(self.facts, DAYS, self.now)
            if instead is not None:
                return instead
            self.early += DAYS.local_date(self.now) < self.facts.claimable_from
            self.filed_after_taken += self.taken > 0
        fate = self.chance.random()
        if fate < 0.08:
            self.step(call, "lost", "lost")
            return after_lost_answer(self.facts, self.now)
        if fate < 0.12:
            self.step(call, "not_sent")
            return after_not_sent(self.facts, "no", self.now)
        if fate < 0.13:
            self.step(call, "refused_call")
            return after_refused_call(self.facts, "no", TERMS, DAYS, self.now)
        return {"open": self.opened, "look_up": self.looked, "reopen": self.asked}[action](call)

    def opened(self, call: Move) -> Move:
        given = self._answer()
        self.taken += given.outcome in {ClaimOutcome.REGISTERED, ClaimOutcome.ALREADY_OPEN}
        self.step(call, given.outcome.value, code=given.code)
        return after_open(self.facts, given, TERMS, DAYS, self.now)

    def looked(self, call: Move) -> Move:
        found = self._status()
        if self.facts.opened_at is None and found.progress is not ClaimProgress.NONE:
            self.taken += 1
        self.step(call, found.progress.value, code="0", answered_on=found.answered_on)
        return after_look_up(self.facts, found, TERMS, DAYS, self.now)

    def asked(self, call: Move) -> Move:
        given = self._reply()
        self.step(call, given.outcome.value, code=given.code, waits_for_answer=given.after_answer)
        move = after_reopen(self.facts, given, TERMS, DAYS, self.now)
        if move.reopened and call.ask is not None:
            self.reopened[call.ask.way] = self.reopened.get(call.ask.way, 0) + 1
        return move

    def step(self, call: Move, outcome: str, state: str = "done", **more: Any) -> None:
        motive, kind, way = self.facts.motive, self.facts.kind, None
        if call.ask is not None:
            motive, kind, way = call.ask.motive, call.ask.kind, call.ask.way
        elif call.by_parcel:
            way = ""
        seq = len(self.facts.steps) + 1
        made = Step(seq, call.call or "", state, motive, outcome, kind=kind, way=way, **more)
        self.facts = replace(self.facts, steps=(*self.facts.steps, made))

    def write(self, move: Move) -> None:
        """What the claims stage saves of a move."""
        facts = replace(self.facts, state=move.state, hold=move.hold)
        for name in ("motive", "kind", "protocol", "claimable_from", "outcome"):
            if getattr(move, name) is not None:
                facts = replace(facts, **{name: getattr(move, name)})
        if move.opened and facts.opened_at is None:
            facts = replace(facts, opened_at=self.now, adopted=move.adopted)
        if move.reopened:
            facts = replace(facts, reopened_at=self.now)
        again = (
            facts.reopened_at is not None and facts.answered_at is not None and facts.answered_at <= facts.reopened_at
        )
        if move.answered_on is not None and (facts.answered_at is None or again):
            facts = replace(facts, answered_at=self.now)
        if move.hold is not None:
            facts = replace(facts, approved_at=None)
            if self.chance.random() < 0.2:
                # A person lets it go before the next look.
                facts = replace(facts, approved_at=self.now)
        self.facts, self.closed, self.next_at = facts, move.closed, move.next_step_at
        self.call = move if move.call is not None else None
        self.rules.add(move.rule)

    # --- what the carrier says ----------------------------------------------------------------------

    def _answer(self) -> ClaimAnswer:
        outcomes = [*ClaimOutcome, ClaimOutcome.REGISTERED, *[ClaimOutcome.NOT_YET] * 4]
        return answer(
            self.chance.choice(outcomes),
            code=str(self.chance.randint(1, 2)),
            protocol=self.chance.choice([None, "1"]),
            not_before=self.chance.choice(
                [None, DAYS.local_date(self.now) + timedelta(days=self.chance.randint(-3, 9))]
            ),
            after_event=self.chance.random() < 0.3,
            look_first=self.chance.random() < 0.1,
            waits=self.chance.choice([(), WAITS]),
            carrier_fault=self.chance.random() < 0.5,
            motive=self.chance.choice([None, "135", "211"]),
            otherwise=self.chance.choice([ClaimOutcome.NOT_YET, ClaimOutcome.REFUSED, ClaimOutcome.NEEDS_PERSON]),
        )

    def _status(self) -> ClaimStatus:
        today = DAYS.local_date(self.now)
        likely = [ClaimProgress.OPEN, ClaimProgress.ACCEPTED, ClaimProgress.REJECTED]
        progress = self.chance.choice(likely if self.chance.random() < 0.9 else list(ClaimProgress))
        answered_on = today - timedelta(days=self.chance.randint(0, 4))
        return status(progress, answered_on=answered_on, protocol=self.chance.choice([None, "1", "2"]))

    def _reply(self) -> ReopenAnswer:
        return reply(
            self.chance.choice([*ReopenOutcome, ReopenOutcome.REOPENED]),
            code=str(self.chance.randint(1, 4)),
            not_before=self.chance.choice(
                [None, DAYS.local_date(self.now) + timedelta(days=self.chance.randint(-3, 30))]
            ),
            after_answer=self.chance.random() < 0.3,
            waits=self.chance.choice([(), (), WAITS]),
            carrier_fault=self.chance.random() < 0.5,
            otherwise=self.chance.choice([ReopenOutcome.NOT_YET, ReopenOutcome.REFUSED, ReopenOutcome.NEEDS_PERSON]),
        )


@settings(max_examples=max(2_000, settings().max_examples))
@given(
    st.integers(0, 2**32),
    st.sampled_from([FREE, Gates(Hold.PROPOSE, "a person")]),
    st.sampled_from([None, ("135", REFUND), ("211", REFUND)]),
    st.booleans(),
)
def test_any_life_of_a_claim(seed: int, gate: Gates, second: tuple[str, str] | None, delivered: bool) -> None:
    begun = at("2026-11-23 10:00")
    facts = claim(
        state=ClaimState.PLANNED, second=second, delivered_at=begun if delivered else None, fallback=("211", REFUND)
    )
    life = Life(Random(seed), facts, begun, gate)
    life.live()
    assert life.closed, f"no end after {life.moves} moves"
    assert life.now < LAST_END
    assert life.facts.state is not ClaimState.WAITING_APPROVAL, "closed, and still waiting"
    assert life.early == 0, "filed before its day"
    assert life.taken <= 1 and life.filed_after_taken == 0, "two claims on one parcel"
    assert all(times == 1 for times in life.reopened.values()), life.reopened
    assert len(life.reopened) <= 3
    assert life.rules <= set(RULE_VERSIONS)


def test_the_lives_go_everywhere() -> None:
    """The plays are worth something only where they come to every end and every rule they can."""
    seen: set[str] = set()
    ends: set[ClaimState] = set()
    for seed in range(150):
        begun = at("2026-11-23 10:00")
        life = Life(Random(seed), claim(second=("135", REFUND) if seed % 3 else None), begun)
        life.live()
        seen |= life.rules
        ends.add(life.facts.state)
    away = {"claim.plan", "claim.second_problem", "claim.letter", "claim.follow_ends"}
    holds = {name for name in RULE_VERSIONS if name.startswith(("claim.hold.", "claim.letter_"))}
    elsewhere = {
        "claim.account",
        "claim.gives_way",
        "claim.indemnified",
        "claim.needs_news",
        "claim.overtaken",
        "claim.paced",
        "claim.restored_look",
        "hand.cancel",
        "hand.reject",
    }
    assert set(RULE_VERSIONS) - away - holds - elsewhere - seen == set()
    assert ends >= {ClaimState.REFUSED, ClaimState.REJECTED, ClaimState.PAID}
