"""One carrier's claims: decides about those that are due, and makes the calls that were decided.

A call's intent is committed before it leaves and marked as `calling` right before; whatever dies in between is found in
that state and looked up at the carrier before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import ClaimKind, ClaimsAdapter, ClaimTerms
from tracker.claims.calls import Caller, Job, Results
from tracker.claims.gates import ClaimPolicy, gates
from tracker.claims.moves import apply_move, deadline_note
from tracker.domain import claim_moves
from tracker.domain.calendar import Calendars, CalendarsBetween
from tracker.domain.claim_moves import ClaimFacts, Gates
from tracker.domain.words import FILED, ClaimState, Hold
from tracker.polling.breaker import Breaker
from tracker.store.claims import ClaimRow, StepRow, problems_of_claims, set_step, steps_of, take_due, take_unfiled
from tracker.store.contexts import ShipmentContext, contexts_of
from tracker.store.database import Database
from tracker.store.histories import HistoryRow, histories_of
from tracker.store.leases import new_token
from tracker.store.logs import signal
from tracker.store.problems import ProblemRow, problems_of

log = structlog.get_logger(__name__)
BATCH: Final = 100
ANY_SHOP: Final = ""
"""Local days are the same for every shop of one configuration."""


@dataclass(frozen=True)
class ClaimSweep:
    """The lane `claims:<carrier>`. `adapter` None: the carrier takes claims by letter, and a person sends them."""

    database: Database
    carrier: str
    terms: ClaimTerms
    policy: ClaimPolicy
    breaker: Breaker
    adapter: ClaimsAdapter | None
    days: CalendarsBetween
    live_from: Callable[[str], date | None]

    async def run(self, now: datetime) -> int:
        """Decide and call until nothing is due; returns how many claims were worked on."""
        total = await self._decide_all(now)
        await self.database.write(partial(self._warn, now=now))
        if self.adapter is None:
            return total
        caller = Caller(self.database, self.adapter, self.breaker, self.terms)
        while await self.breaker.may_call(now):
            token = new_token()
            jobs = await self.database.write(partial(self._take_jobs, now=now, token=token))
            if not jobs:
                break
            results = await caller.call(jobs, token, now)
            await self.database.write(partial(self._settle, results=results, token=token, now=now))
            total += len(results.done)
            total += await self._decide_all(now)
            if results.stop:
                break
        return total

    async def _decide_all(self, now: datetime) -> int:
        total = 0
        while True:
            decided = await self.database.write(partial(self._decide, now=now))
            total += decided
            if decided < BATCH:
                return total

    # --- deciding -----------------------------------------------------------------------------------

    def _decide(self, connection: Connection, now: datetime) -> int:
        token = new_token()
        due = take_due(connection, self.carrier, calls=False, now=now, limit=BATCH, token=token)
        stories = self._stories(connection, due)
        for claim in due:
            story = stories[claim.id]
            if claim.state in FILED:
                move = claim_moves.follow(story.facts, self.terms, story.days, now)
            else:
                move = claim_moves.start(story.facts, self._gates(claim, story, now), story.days, now)
            apply_move(connection, claim, move, token=token, now=now)
        return len(due)

    def _warn(self, connection: Connection, *, now: datetime) -> None:
        """A claim that should have left long ago, because the carrier does not take calls: a person can use the site."""
        for claim in take_unfiled(connection, self.carrier, self.days(ANY_SHOP, None).local_date(now), now):
            signal(connection, [deadline_note(claim, "it does not get through to the carrier")], now)

    def _gates(self, claim: ClaimRow, story: Story, now: datetime) -> Gates:
        order = story.context.order
        kept = [problem.since for problem in story.problems if problem.released_at is None]
        return gates(
            live_from=self.live_from(claim.shop),
            problem_since=min(kept, default=claim.planned_at),
            released=bool(story.problems) and not kept,
            policy=self.policy,
            value_cents=order.total_cents,
            recipient_name=order.recipient_name or order.customer_name,
            days=story.days,
            now=now,
        )

    # --- calling ------------------------------------------------------------------------------------

    def _take_jobs(self, connection: Connection, *, now: datetime, token: str) -> list[Job]:
        due = take_due(connection, self.carrier, calls=True, now=now, limit=BATCH, token=token)
        stories = self._stories(connection, due)
        jobs = []
        for claim in due:
            story = stories[claim.id]
            last = story.steps[-1]
            if last.step.state == "calling":
                self._lost(connection, claim, story, last, token, now)
            else:
                jobs.append(Job(claim, last, story.context, story.history.contract if story.history else None))
        return jobs

    def _lost(
        self, connection: Connection, claim: ClaimRow, story: Story, step: StepRow, token: str, now: datetime
    ) -> None:
        """We died between sending and saving: what was asked may have happened."""
        set_step(connection, step.id, {"state": "lost", "done_at": now, "outcome": "lost"})
        log.warning("claim.answer_lost", claim_id=claim.id, carrier=self.carrier, action=step.step.action)
        apply_move(connection, claim, claim_moves.after_lost_answer(story.facts, now), token=token, now=now)

    def _settle(self, connection: Connection, *, results: Results, token: str, now: datetime) -> None:
        """Write what came back, each with the move that follows from it."""
        stories = self._stories(connection, [done.job.claim for done in results.done])
        for done in results.done:
            done.record(connection, now)
            story = stories[done.job.claim.id]
            move = done.move(story.fresh(connection), self.terms, story.days, now)
            apply_move(connection, story.claim, move, token=token, now=now)

    # --- reading ------------------------------------------------------------------------------------

    def _stories(self, connection: Connection, claims: Sequence[ClaimRow]) -> Mapping[int, Story]:
        ids = [claim.id for claim in claims]
        shipments = [claim.shipment_id for claim in claims]
        contexts, histories = contexts_of(connection, shipments), histories_of(connection, shipments)
        problems, links, steps = (
            problems_of(connection, shipments),
            problems_of_claims(connection, ids),
            steps_of(connection, ids),
        )
        stories = {}
        for claim in claims:
            context = contexts[claim.shipment_id]
            stories[claim.id] = Story(
                claim=claim,
                context=context,
                history=histories.get(claim.shipment_id),
                problems=[p for p in problems[claim.shipment_id] if p.id in links[claim.id]],
                steps=steps[claim.id],
                days=self.days(claim.shop, context.order.state, context.order.city),
                fallback=self._fallback(claim),
                by_letter=self.adapter is None,
            )
        return stories

    def _fallback(self, claim: ClaimRow) -> tuple[str, ClaimKind] | None:
        for offer in self.terms.offers:
            if offer.motive == claim.motive and offer.kind.value == claim.kind and offer.fallback is not None:
                return offer.fallback
        return None


@dataclass(frozen=True)
class Story:
    """A claim with all that its next move depends on."""

    claim: ClaimRow
    context: ShipmentContext
    history: HistoryRow | None
    problems: Sequence[ProblemRow]
    steps: Sequence[StepRow]
    days: Calendars
    fallback: tuple[str, ClaimKind] | None
    by_letter: bool

    @property
    def facts(self) -> ClaimFacts:
        """The claim as its state machine reads it."""
        claim, history = self.claim, self.history.history if self.history else None
        return ClaimFacts(
            state=ClaimState(claim.state),
            motive=claim.motive,
            kind=claim.kind,
            claimable_from=claim.claimable_from,
            alert_on=claim.alert_on,
            last_on=claim.last_on,
            hold=Hold(claim.hold_reason) if claim.hold_reason else None,
            approved_at=claim.approved_at,
            opened_at=claim.opened_at,
            answered_at=claim.answered_at,
            indemnified_at=history.indemnified_at if history else None,
            due_max_on=history.due_max_on if history else None,
            steps=tuple(row.step for row in self.steps),
            fallback=self.fallback,
            by_letter=self.by_letter,
        )

    def fresh(self, connection: Connection) -> ClaimFacts:
        """The same, with the steps as they stand in this transaction."""
        rows = steps_of(connection, [self.claim.id])[self.claim.id]
        return replace(self, steps=rows).facts
