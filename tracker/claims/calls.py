"""Makes the calls about claims and says what came of each: an answer, none, or a carrier that must be left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from carriers.base import (
    AnswerLostError,
    CarrierConfigError,
    ClaimAnswer,
    ClaimKind,
    ClaimRequest,
    ClaimsAdapter,
    ClaimStatus,
    ClaimTerms,
    PermanentCarrierError,
    RefKind,
    TrackingRef,
    TransientCarrierError,
)
from tracker.domain import claim_moves
from tracker.domain.calendar import Calendars
from tracker.domain.claim_moves import ClaimFacts, Move
from tracker.events.record import record_due_date
from tracker.polling.breaker import Breaker
from tracker.store.claims import WAITS_FOR_EVENT, ClaimRow, StepRow, leased, set_step
from tracker.store.contexts import ShipmentContext
from tracker.store.database import Database
from tracker.store.leases import put_down
from tracker.store.polls import keep_raw
from tracker.store.tables import Claim, table

log = structlog.get_logger(__name__)
CLAIM_OFFICE: Final = "claim"


@dataclass(frozen=True, slots=True)
class Job:
    """One intended call."""

    claim: ClaimRow
    step: StepRow
    context: ShipmentContext
    contract: str | None

    @property
    def ref(self) -> TrackingRef:
        return TrackingRef(RefKind(self.context.ref_kind or RefKind.CODE), self.context.tracking_code or "")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one call: an answer, a status, or an error as (outcome, reason)."""

    job: Job
    answer: ClaimAnswer | None = None
    status: ClaimStatus | None = None
    error: tuple[str, str] | None = None

    def record(self, connection: Connection, now: datetime) -> None:
        """Write the outcome as a fact, with the raw answer as evidence."""
        values: dict[str, Any] = {"state": "done", "done_at": now}
        raw = b""
        if self.answer is not None:
            raw = self.answer.raw
            values |= {"outcome": self.answer.outcome.value, "code": self.answer.code, "text": self.answer.text}
            if self.answer.after_event or self.answer.look_first:
                values["facts"] = {WAITS_FOR_EVENT: True}
        elif self.status is not None:
            raw = self.status.raw
            values |= {"outcome": self.status.progress.value, "code": self.status.code, "text": self.status.text}
            if self.status.due_on is not None:
                record_due_date(connection, self.job.claim.shipment_id, CLAIM_OFFICE, self.status.due_on, now=now)
        elif self.error is not None:
            outcome, reason = self.error
            values |= {"outcome": outcome, "text": reason, "state": "lost" if outcome == "lost" else "done"}
        if raw:
            values["raw_digest"] = blake2b(raw, digest_size=16).hexdigest()
            keep_raw(connection, "claim", [(self.job.claim.id, values["raw_digest"], raw)], now)
        set_step(connection, self.job.step.id, values)

    def move(self, facts: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
        """The move that follows."""
        if self.answer is not None:
            return claim_moves.after_open(facts, self.answer, terms, days, now)
        if self.status is not None:
            return claim_moves.after_look_up(facts, self.status, terms, days, now)
        outcome, reason = self.error or ("lost", "no answer")
        if outcome == "lost":
            return claim_moves.after_lost_answer(facts, now)
        if outcome == "not_sent":
            return claim_moves.after_not_sent(facts, reason, now)
        return claim_moves.after_refused_call(facts, reason, days, now)


@dataclass
class Results:
    """What a round of calls came to; `stop`: leave the carrier alone for now."""

    done: list[Done] = field(default_factory=list)
    stop: bool = False


@dataclass(frozen=True)
class Caller:
    """Makes calls to one carrier."""

    database: Database
    adapter: ClaimsAdapter
    breaker: Breaker
    terms: ClaimTerms

    async def call(self, jobs: Sequence[Job], token: str, now: datetime) -> Results:
        """Make these calls, filings in batches and look-ups one by one. Jobs not reached keep their intent."""
        results = Results()
        batches = _filings(jobs, self.terms.batch_size)
        batches += [[job] for job in jobs if job.step.step.action != "open"]
        for batch in batches:
            if results.stop:
                await self._give_back(batch, token)
                continue
            await self._batch(batch, token, now, results)
        return results

    async def _batch(self, batch: Sequence[Job], token: str, now: datetime, results: Results) -> None:
        ours = await self.database.write(lambda c: self._mark(c, batch, token, now))
        if not ours:
            return
        try:
            done = await self._ask(ours)
        except AnswerLostError as error:
            await self.breaker.failed(error, now)
            results.done += [Done(job, error=("lost", error.message)) for job in ours]
            results.stop = True
        except TransientCarrierError as error:
            await self.breaker.failed(error, now)
            results.done += [Done(job, error=("not_sent", error.message)) for job in ours]
            results.stop = True
        except CarrierConfigError as error:
            await self.breaker.refused(error, now)
            await self._unmark(ours, token)
            results.stop = True
        except PermanentCarrierError as error:
            await self._refused(ours, error, token, now, results)
        else:
            await self.breaker.answered(now)
            results.done += done

    async def _refused(
        self, jobs: Sequence[Job], error: PermanentCarrierError, token: str, now: datetime, results: Results
    ) -> None:
        """The carrier refused the whole call: find the one that spoils it, and let a person see that one."""
        if len(jobs) == 1:
            results.done.append(Done(jobs[0], error=("refused_call", error.message)))
            return
        half = len(jobs) // 2
        for part in (jobs[:half], jobs[half:]):
            if not results.stop:
                await self._batch(part, token, now, results)

    async def _ask(self, jobs: Sequence[Job]) -> list[Done]:
        if jobs[0].step.step.action != "open":
            status = await self.adapter.look_up(jobs[0].ref, jobs[0].claim.protocol)
            return [Done(jobs[0], status=status)]
        answers = await self.adapter.open_claims([_request(job) for job in jobs])
        missing = ("lost", "the carrier left it out of its answer")
        return [Done(job, answer=answers[job.ref]) if job.ref in answers else Done(job, error=missing) for job in jobs]

    def _mark(self, connection: Connection, jobs: Sequence[Job], token: str, now: datetime) -> list[Job]:
        """Commit that these calls are about to leave."""
        ours = leased(connection, [job.claim for job in jobs], token)
        marked = [job for job in jobs if job.claim.id in ours]
        for job in marked:
            set_step(connection, job.step.id, {"state": "calling", "called_at": now})
        return marked

    async def _unmark(self, jobs: Sequence[Job], token: str) -> None:
        """The carrier refused us before looking at them: the intent stands, nothing was sent."""

        def unmark(connection: Connection) -> None:
            for job in jobs:
                set_step(connection, job.step.id, {"state": "intended", "called_at": None})

        await self.database.write(unmark)
        await self._give_back(jobs, token)

    async def _give_back(self, jobs: Sequence[Job], token: str) -> None:
        await self.database.write(lambda c: put_down(c, table(Claim), [job.claim.id for job in jobs], token))


def _filings(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """The filings in batches, each of one posting contract: a carrier takes no call about two."""
    by_contract: dict[str | None, list[Job]] = {}
    for job in jobs:
        if job.step.step.action == "open":
            by_contract.setdefault(job.contract, []).append(job)
    return [mine[start : start + size] for mine in by_contract.values() for start in range(0, len(mine), size)]


def _request(job: Job) -> ClaimRequest:
    order = job.context.order
    return ClaimRequest(
        ref=job.ref,
        motive=job.step.step.motive,
        kind=ClaimKind(job.step.kind),
        recipient_name=order.recipient_name or order.customer_name or "",
        contract=job.contract,
    )
