"""One carrier's claims: decides about those that are due, and makes the calls that were decided.

A call's intent is committed before it leaves and marked as `calling` right before; whatever dies in between is found in
that state and looked up at the carrier before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import ClaimsAdapter, ClaimTerms
from tracker.claims import heard
from tracker.claims.calls import Caller, Job, Results
from tracker.claims.contract import settled
from tracker.claims.gates import ClaimPolicy, gates
from tracker.claims.moves import apply_move, deadline_note, near_note
from tracker.claims.story import Story, stories_of
from tracker.domain import claim_filing, claim_following, claim_letter, claim_reopening
from tracker.domain.calendar import CalendarsBetween
from tracker.domain.claim_moves import WITHDRAWN, Gates, Move
from tracker.domain.claim_plan import SILENT_BUSINESS_DAYS
from tracker.domain.live import LiveFrom
from tracker.polling.breaker import Breaker
from tracker.store.claim_facts import FactRow, news_of, taken
from tracker.store.claims import (
    ClaimRow,
    StepRow,
    leased,
    save_claim,
    set_step,
    take_due,
    take_overdue,
    take_unfiled,
)
from tracker.store.contexts import contexts_of, numbers_of
from tracker.store.database import Database
from tracker.store.leases import new_token
from tracker.store.logs import signal
from tracker.store.restores import last_restore
from tracker.store.wake import wake_claim

log = structlog.get_logger(__name__)
BATCH: Final = 100
ANY_SHOP: Final = ""
"""Local days are the same for every shop of one configuration."""


@dataclass(frozen=True)
class ClaimSweep:
    """The lane `claims:<carrier>`. `adapter` None: the carrier takes claims by letter, which the messages stage sends where
    its address is known, and a person elsewhere."""

    database: Database
    carrier: str
    terms: ClaimTerms
    policy: ClaimPolicy
    breaker: Breaker
    adapter: ClaimsAdapter | None
    days: CalendarsBetween
    live_from: LiveFrom
    silent_business_days: int = SILENT_BUSINESS_DAYS
    """Without movement after a text that tells of a loss: the second sign (`domain.claim_plan.Silence`)."""

    async def run(self, now: datetime) -> int:
        """Decide and call until nothing is due; returns how many claims were worked on."""
        total = await self._decide_all(now)
        await self.database.write(partial(self._warn, now=now))
        if self.adapter is None:
            return total + await self._decide_all(now, letters=True)
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

    async def _decide_all(self, now: datetime, *, letters: bool = False) -> int:
        decide = self._decide_letters if letters else self._decide
        total = 0
        while True:
            decided = await self.database.write(partial(decide, now=now))
            total += decided
            if decided < BATCH:
                return total

    # --- deciding -----------------------------------------------------------------------------------

    def _decide(self, connection: Connection, now: datetime) -> int:
        token = new_token()
        due = take_due(connection, self.carrier, calls=False, now=now, limit=BATCH, token=token)
        if not due:
            return 0
        stories, restored_at = self._stories(connection, due), last_restore(connection)
        news = news_of(connection, stories) if self.adapter is None else {}
        for claim in due:
            story = stories[claim.id]
            if news.get(claim.id) or claim.closed_at is not None:
                self._hear(connection, story, news.get(claim.id, []), token, now)
                continue
            pursued = claim.opened_at is not None
            decide = claim_following.pursue if pursued else claim_filing.start
            move = decide(story.facts, self._gates(claim, story, restored_at, now), self.terms, story.days, now)
            self._apply(connection, story, move, token, now)
        return len(due)

    def _decide_letters(self, connection: Connection, now: datetime) -> int:
        """About claims whose letter is on its way: what was heard of it, or whether it is called off."""
        token = new_token()
        due = take_due(connection, self.carrier, calls=True, now=now, limit=BATCH, token=token)
        if not due:
            return 0
        stories, restored_at = self._stories(connection, due), last_restore(connection)
        news = news_of(connection, stories)
        for claim in due:
            story = stories[claim.id]
            if news[claim.id]:
                self._hear(connection, story, news[claim.id], token, now)
                continue
            instead = heard.called_off(story, self._gates(claim, story, restored_at, now), self.terms, now)
            move = instead or claim_letter.on_its_way(story.facts, now)
            if self._apply(connection, story, move, token, now) and instead is not None:
                heard.withdraw(connection, story, now)
        return len(due)

    def _hear(self, connection: Connection, story: Story, facts: Sequence[FactRow], token: str, now: datetime) -> None:
        """Act on the first of these facts; the others are looked at next. Without one, a closed claim is left to rest."""
        claim = story.claim
        move = heard.move_of(story, facts[0], self.terms, now) if facts else None
        if move is not None and claim.closed_at is not None and not move.closed:
            move = None
        again = now if len(facts) > 1 or (facts and claim.closed_at is None) else None
        if move is None:
            ours = save_claim(connection, claim, {"next_step_at": again}, token)
        else:
            ours = self._apply(connection, story, move, token, now)
        if not ours or not facts:
            return
        heard.note_step(connection, story, facts[0], now)
        taken(connection, facts[0].id, now)
        if len(facts) > 1:
            wake_claim(connection, claim.id, now)

    def _apply(self, connection: Connection, story: Story, move: Move, token: str, now: datetime) -> bool:
        if not apply_move(connection, story.claim, story.noted(connection, move, now), token=token, now=now):
            return False
        if move.by_hand:
            code, words = move.refusal or (None, None)
            refused = replace(story.claim, refusal_code=code, refusal_text=words)
            signal(connection, [deadline_note(refused, story.context.tracking_code or "", self.terms)], now)
        if move.by_contract is not None:
            settled(connection, self.carrier, move.by_contract, self.breaker.digest, now)
        return True

    def _warn(self, connection: Connection, *, now: datetime) -> None:
        """What should have been filed long ago, whatever keeps it: an alert first, a person on the deadline."""
        today = self.days(ANY_SHOP, None).local_date(now)
        overdue = take_overdue(connection, self.carrier, today, now)
        contexts = contexts_of(connection, [claim.shipment_id for claim in overdue])
        codes = {claim.id: contexts[claim.shipment_id].tracking_code or "" for claim in overdue}
        notes = [near_note(claim) for claim in take_unfiled(connection, self.carrier, today, now)]
        notes += [deadline_note(claim, codes[claim.id], self.terms) for claim in overdue]
        signal(connection, notes, now)

    def _gates(self, claim: ClaimRow, story: Story, restored_at: datetime | None, now: datetime) -> Gates:
        order = story.context.order
        restored = story.restored(restored_at)
        kept = [problem.since for problem in story.problems if problem.released_at is None]
        found = gates(
            live_from=self.live_from(claim.shop),
            problem_since=min(kept, default=claim.planned_at),
            released=story.released_at is not None or (bool(story.problems) and not kept),
            policy=self.policy,
            value_cents=order.total_cents,
            recipient_name=order.recipient_name or order.customer_name,
            days=story.days,
            now=now,
            restored=restored.waits,
            words_until=story.words_until(self.silent_business_days, now),
        )
        return replace(found, look_first=restored.looks_first, reminder_waits=restored.reminder_waits)

    # --- calling ------------------------------------------------------------------------------------

    def _take_jobs(self, connection: Connection, *, now: datetime, token: str) -> list[Job]:
        due = take_due(connection, self.carrier, calls=True, now=now, limit=BATCH, token=token)
        if not due:
            return []
        stories, restored_at = self._stories(connection, due), last_restore(connection)
        jobs = []
        for claim in due:
            story = stories[claim.id]
            last = story.steps[-1]
            instead = self._instead(claim, story, last.step.action, restored_at, now)
            if last.step.state == "calling":
                self._lost(connection, story, last, token, now)
            elif instead is not None:
                set_step(connection, last.id, {"state": "done", "done_at": now, "outcome": WITHDRAWN})
                self._apply(connection, story, instead, token, now)
            else:
                jobs.append(Job(claim, last, story.context, story.history.contract if story.history else None))
        return _by_their_own_numbers(connection, jobs)

    def _instead(
        self, claim: ClaimRow, story: Story, action: str, restored_at: datetime | None, now: datetime
    ) -> Move | None:
        """What to do instead of a call that was decided and not made yet; None: it may be made."""
        if action == "open":
            gates = self._gates(claim, story, restored_at, now)
            return claim_filing.instead_of_filing(story.facts, story.days, now, gates)
        if action == "reopen":
            gates = self._gates(claim, story, restored_at, now)
            return claim_reopening.instead_of_reopening(story.facts, gates, self.terms, story.days, now)
        return None

    def _lost(self, connection: Connection, story: Story, step: StepRow, token: str, now: datetime) -> None:
        """We died between sending and saving: what was asked may have happened."""
        set_step(connection, step.id, {"state": "lost", "done_at": now, "outcome": "lost"})
        log.warning("claim.answer_lost", claim_id=story.claim.id, carrier=self.carrier, action=step.step.action)
        self._apply(connection, story, claim_filing.after_lost_answer(story.facts, now), token, now)

    def _settle(self, connection: Connection, *, results: Results, token: str, now: datetime) -> None:
        """Write what came back, each with the move that follows from it."""
        claims = [done.job.claim for done in results.done]
        # What was taken over meanwhile is looked up by whoever took it: our answer must not undo what was decided since.
        ours = leased(connection, claims, token)
        stories = self._stories(connection, claims)
        for done in results.done:
            if done.job.claim.id not in ours:
                log.warning("claim.answer_late", claim_id=done.job.claim.id, carrier=self.carrier)
                continue
            done.record(connection, now)
            story = stories[done.job.claim.id].fresh(connection)
            self._apply(connection, story, done.move(story.facts, self.terms, story.days, now), token, now)

    # --- reading ------------------------------------------------------------------------------------

    def _stories(self, connection: Connection, claims: Sequence[ClaimRow]) -> Mapping[int, Story]:
        by_letter, writes = self.adapter is None, self.policy.writes
        return stories_of(connection, claims, self.terms, self.days, by_letter=by_letter, writes=writes)


def _by_their_own_numbers(connection: Connection, jobs: Sequence[Job]) -> list[Job]:
    """A claim that the carrier has is asked about under the number it was filed for, whatever the parcel is called now."""
    moved = {
        job.claim.tracking_ref_id
        for job in jobs
        if job.claim.opened_at is not None and job.claim.tracking_ref_id != job.context.ref_id
    }
    numbers = numbers_of(connection, moved) if moved else {}
    return [_under(job, numbers.get(job.claim.tracking_ref_id)) for job in jobs]


def _under(job: Job, number: tuple[str, str] | None) -> Job:
    if number is None or job.claim.opened_at is None:
        return job
    return replace(job, context=replace(job.context, ref_kind=number[0], tracking_code=number[1]))
