"""Acts on what was heard of a claim by letter: what became of its letter, and what a person says of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from carriers.base import ClaimProgress, ClaimTerms
from tracker.claims.story import Story
from tracker.domain.calendar import Calendars
from tracker.domain.claim_filing import instead_of_filing
from tracker.domain.claim_following import after_look_up, pursue
from tracker.domain.claim_letter import (
    ENDS,
    LetterOutcome,
    PersonsAnswer,
    after_letter,
    after_sent_by_hand,
    by_person,
    status_of,
)
from tracker.domain.claim_letter import LETTER as CLAIM_LETTER
from tracker.domain.claim_moves import ClaimFacts, Gates, Move
from tracker.store.claim_facts import ANSWER, LETTER, FactRow
from tracker.store.claims import PENDING, StepRow, add_step, set_step, steps_of


def move_of(story: Story, fact: FactRow, terms: ClaimTerms, now: datetime) -> Move | None:
    """The move that follows from a fact; None where it changes nothing any more."""
    claim, days = story.facts, story.days
    if fact.kind == LETTER:
        return _of_letter(story, fact, claim, terms, days, now)
    if fact.kind == ANSWER:
        answer = answer_of(fact.facts)
        # Nothing is reopened by mail: what follows an answer is a person's.
        ends_here = replace(terms, refund_motives=(), contest_days=None)
        return by_person(after_look_up(claim, status_of(answer), ends_here, days, now), answer)
    if claim.opened_at is not None:
        return None
    return after_sent_by_hand(claim, fact.facts["who"], fact.facts.get("protocol"), terms, days, now)


def note_step(connection: Connection, story: Story, fact: FactRow, now: datetime) -> None:
    """Write what the fact says of the claim's steps: the letter's own, or a step for what a person says."""
    if fact.kind == LETTER:
        row = _step_of(story, fact)
        values = _of_step(LetterOutcome(fact.facts["outcome"]), fact, row) if row is not None else {}
        if row is not None and values:
            set_step(connection, row.id, values)
        return
    withdraw(connection, story, now)
    claim = story.claim
    add_step(connection, claim.id, action=fact.kind, motive=claim.motive, kind=claim.kind, now=now, facts=fact.facts)
    added = steps_of(connection, [claim.id])[claim.id][-1]
    outcome = fact.facts.get("progress", "registered")
    text = fact.facts.get("note") or None
    set_step(connection, added.id, {"state": "done", "done_at": now, "outcome": outcome, "text": text})


def called_off(story: Story, gates: Gates, terms: ClaimTerms, now: datetime) -> Move | None:
    """The move instead of a letter that has not left: its day has moved away, the money has come. None: it may leave."""
    pending = next((row.step for row in reversed(story.steps) if row.step.state in PENDING), None)
    if pending is None or pending.state != "intended":
        return None
    if pending.action == CLAIM_LETTER:
        return instead_of_filing(story.facts, story.days, now, gates)
    if story.facts.indemnified_at is None:
        return None
    return pursue(story.facts, gates, terms, story.days, now)


def withdraw(connection: Connection, story: Story, now: datetime) -> None:
    """A letter that has not left is called off."""
    for row in story.steps:
        if row.step.state == "intended":
            set_step(connection, row.id, {"state": "done", "done_at": now, "outcome": "withdrawn"})


def answer_of(facts: Mapping[str, Any]) -> PersonsAnswer:
    """What a person recorded, as `tracker claims answer` wrote it."""
    return PersonsAnswer(
        progress=ClaimProgress(facts["progress"]),
        answered_on=date.fromisoformat(facts["answered_on"]),
        who=facts["who"],
        note=facts["note"],
        cents=facts.get("cents"),
        protocol=facts.get("protocol"),
    )


def _of_letter(
    story: Story, fact: FactRow, claim: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime
) -> Move | None:
    row = _step_of(story, fact)
    if row is None or row.step.state not in PENDING:
        return None
    outcome = LetterOutcome(fact.facts["outcome"])
    move = after_letter(claim, row.step.action, outcome, fact.facts.get("reason", ""), terms, days, now)
    return replace(move, facts={**move.facts, **_told(fact)})


def _told(fact: FactRow) -> dict[str, Any]:
    """Where the letter went and what went with it; nothing where it did not leave."""
    told = {key: value for key, value in fact.facts.items() if key not in {"step", "outcome", "reason"}}
    return {**told, "evidence": ", ".join(told["evidence"])} if "evidence" in told else told


def _step_of(story: Story, fact: FactRow) -> StepRow | None:
    return next((row for row in story.steps if row.id == fact.facts["step"]), None)


def _of_step(outcome: LetterOutcome, fact: FactRow, row: StepRow) -> dict[str, Any]:
    """`calling` from the moment in which the letter may be with the mail server; what it came to in the end."""
    if outcome is LetterOutcome.LEAVING:
        return {"state": "calling", "called_at": fact.at} if row.step.state == "intended" else {}
    if outcome is LetterOutcome.BACK:
        return {"state": "intended", "called_at": None} if row.step.state == "calling" else {}
    told = _told(fact)
    state = "lost" if outcome is LetterOutcome.UNCONFIRMED else "done"
    values = {"state": state, "done_at": fact.at, "text": fact.facts.get("reason") or None}
    return {**values, "outcome": outcome.value, "facts": {**row.facts, **told}} if outcome in ENDS else {}
