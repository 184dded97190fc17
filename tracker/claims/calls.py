"""Makes the calls about claims and says what came of each: an answer, none, or a carrier that must be left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from carriers.base import (
    AnswerLostError,
    CarrierConfigError,
    ClaimAnswer,
    ClaimKind,
    ClaimOutcome,
    ClaimRequest,
    ClaimsAdapter,
    ClaimStatus,
    ClaimTerms,
    PermanentCarrierError,
    RefKind,
    ReopenAnswer,
    ReopenOutcome,
    ReopenRequest,
    TrackingRef,
    TransientCarrierError,
)
from tracker.domain import claim_filing, claim_following, claim_reopening
from tracker.domain.calendar import Calendars
from tracker.domain.claim_moves import ClaimFacts, Move
from tracker.events.record import record_due_date
from tracker.polling.breaker import Breaker
from tracker.store.claims import (
    ANSWERED_ON,
    WAITS_FOR_ANSWER,
    WAITS_FOR_EVENT,
    ClaimRow,
    StepRow,
    leased,
    set_step,
)
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
    reopening: ReopenAnswer | None = None
    status: ClaimStatus | None = None
    error: tuple[str, str] | None = None

    def record(self, connection: Connection, now: datetime) -> None:
        """Write the outcome as a fact, with the raw answer as evidence."""
        values: dict[str, Any] = {"state": "done", "done_at": now}
        raw, facts = b"", dict(self.job.step.facts)
        said = self.answer or self.reopening
        if said is not None:
            raw = said.raw
            values |= {"outcome": said.outcome.value, "code": said.code, "text": said.text}
            facts |= _waits(said)
        elif self.status is not None:
            raw = self.status.raw
            values |= {"outcome": self.status.progress.value, "code": self.status.code, "text": self.status.text}
            facts |= _told(self.status)
            if self.status.due_on is not None:
                record_due_date(connection, self.job.claim.shipment_id, CLAIM_OFFICE, self.status.due_on, now=now)
        elif self.error is not None:
            outcome, reason = self.error
            values |= {"outcome": outcome, "text": reason, "state": "lost" if outcome == "lost" else "done"}
        if raw:
            values["raw_digest"] = blake2b(raw, digest_size=16).hexdigest()
            keep_raw(connection, "claim", [(self.job.claim.id, values["raw_digest"], raw)], now)
        set_step(connection, self.job.step.id, {**values, "facts": facts})

    def move(self, facts: ClaimFacts, terms: ClaimTerms, days: Calendars, now: datetime) -> Move:
        """The move that follows."""
        if self.answer is not None:
            return claim_filing.after_open(facts, self.answer, terms, days, now)
        if self.reopening is not None:
            return claim_reopening.after_reopen(facts, self.reopening, terms, days, now)
        if self.status is not None:
            return claim_following.after_look_up(facts, self.status, terms, days, now)
        outcome, reason = self.error or ("lost", "no answer")
        if outcome == "lost":
            return claim_filing.after_lost_answer(facts, now)
        if outcome == "not_sent":
            return claim_filing.after_not_sent(facts, reason, now)
        return claim_filing.after_refused_call(facts, reason, terms, days, now)


def _waits(said: ClaimAnswer | ReopenAnswer) -> dict[str, Any]:
    """What the answer waits for, where it names no day."""
    event = said.after_event or said.look_first
    if said.outcome in (ClaimOutcome.OTHER_MOTIVE, ReopenOutcome.OTHER_MOTIVE):
        event = said.otherwise in (ClaimOutcome.NOT_YET, ReopenOutcome.NOT_YET)
    answer = isinstance(said, ReopenAnswer) and said.after_answer
    return {**({WAITS_FOR_EVENT: True} if event else {}), **({WAITS_FOR_ANSWER: True} if answer else {})}


def _told(status: ClaimStatus) -> dict[str, Any]:
    """Everything a look-up told that no column holds, as evidence and for `explain`."""
    told: dict[str, Any] = {
        ANSWERED_ON: status.answered_on,
        "carrier_state": status.carrier_state,
        "motive": status.motive,
        "first_motive": status.first_motive,
        "kind": status.kind.value if status.kind else None,
        "opened_on": status.opened_on,
        "reopened_on": status.reopened_on,
        "reopening_text": status.reopening_text or None,
        "last_event": status.last_event,
        "last_event_on": status.last_event_on,
        "posted_on": status.posted_on,
        "posted_after_cutoff": status.posted_after_cutoff,
        "service_level": status.service_level or None,
        "granted_cents": status.granted_cents,
    }
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in told.items()
        if value is not None
    }


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
        """Make these calls, filings and reopenings in batches, look-ups one by one. Jobs not reached keep their intent."""
        results = Results()
        batches = _batches(jobs, self.terms.batch_size)
        batches += [[job] for job in jobs if job.step.step.action == "look_up"]
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
        action, first = jobs[0].step.step.action, jobs[0]
        if action == "look_up":
            protocol = None if first.step.step.way is not None else first.claim.protocol
            return [Done(first, status=await self.adapter.look_up(first.ref, protocol))]
        if action == "reopen":
            return await self._reopen(jobs)
        answers = await self.adapter.open_claims([_request(job) for job in jobs])
        missing = ("lost", "the carrier left it out of its answer")
        return [Done(job, answer=answers[job.ref]) if job.ref in answers else Done(job, error=missing) for job in jobs]

    async def _reopen(self, jobs: Sequence[Job]) -> list[Done]:
        answers = await self.adapter.reopen_claims([_reopening(job) for job in jobs])
        missing = ("lost", "the carrier left it out of its answer")
        done = []
        for job in jobs:
            answer = answers.get(job.claim.protocol or "")
            done.append(Done(job, reopening=answer) if answer is not None else Done(job, error=missing))
        return done

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
            ours = leased(connection, [job.claim for job in jobs], token)
            for job in (job for job in jobs if job.claim.id in ours):
                set_step(connection, job.step.id, {"state": "intended", "called_at": None})

        await self.database.write(unmark)
        await self._give_back(jobs, token)

    async def _give_back(self, jobs: Sequence[Job], token: str) -> None:
        await self.database.write(lambda c: put_down(c, table(Claim), [job.claim.id for job in jobs], token))


def _batches(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """Filings and reopenings in batches, each of one kind and one posting contract: a carrier takes no call about two."""
    alike: dict[tuple[str, str | None], list[Job]] = {}
    for job in jobs:
        if job.step.step.action in ("open", "reopen"):
            alike.setdefault((job.step.step.action, job.contract), []).append(job)
    return [mine[start : start + size] for mine in alike.values() for start in range(0, len(mine), size)]


def _request(job: Job) -> ClaimRequest:
    order = job.context.order
    return ClaimRequest(
        ref=job.ref,
        motive=job.step.step.motive,
        kind=ClaimKind(job.step.kind),
        recipient_name=order.recipient_name or order.customer_name or "",
        contract=job.contract,
    )


def _reopening(job: Job) -> ReopenRequest:
    return ReopenRequest(
        ref=job.ref,
        protocol=job.claim.protocol or "",
        motive=job.step.step.motive,
        kind=ClaimKind(job.step.kind),
        note=job.step.note,
        contract=job.contract,
    )
