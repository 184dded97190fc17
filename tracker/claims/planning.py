"""From problems to planned claims: which one is filed, on which day, and why another is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from carriers.base import ClaimKind, ClaimTerms, ProblemKind
from tracker.claims.gates import ClaimPolicy
from tracker.claims.moves import settled_notes
from tracker.domain.calendar import Calendars
from tracker.domain.claim_plan import ClaimableProblem, ClaimPlan, NotClaimable, plan
from tracker.domain.history import History
from tracker.domain.words import FILED, ClaimState, Hold
from tracker.store.claims import (
    ClaimRow,
    add_claim,
    attach,
    attached,
    claims_of_shipments,
    finish_checks,
    problems_of_claims,
    save_claim,
    steps_of,
    take_due_checks,
    wake_claims,
)
from tracker.store.contexts import ShipmentContext, contexts_of
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.histories import HistoryRow, histories_of, learned_at
from tracker.store.leases import new_token
from tracker.store.logs import DecisionNote, signal
from tracker.store.problems import ProblemRow, problems_of
from tracker.store.wake import wake

log = structlog.get_logger(__name__)
BATCH: Final = 200
UNFILED: Final = frozenset({ClaimState.PLANNED, ClaimState.WAITING_APPROVAL})


@dataclass(frozen=True, slots=True)
class ClaimDesk:
    """What claims must know of one carrier; `terms` None: it takes no claims at all."""

    terms: ClaimTerms | None
    policy: ClaimPolicy


@dataclass(frozen=True)
class PlanSweep:
    """The lane `claims`: looks at every shipment whose problems changed."""

    database: Database
    desks: Mapping[str, ClaimDesk]
    days: Callable[[str, str | None], Calendars]

    async def run(self, now: datetime) -> int:
        """Plan for all that is due; returns how many shipments were looked at."""
        total = 0
        while True:
            looked = await self.database.write(lambda c: self._batch(c, now))
            total += looked
            if looked < BATCH:
                return total

    def _batch(self, connection: Connection, now: datetime) -> int:
        token = new_token()
        due = take_due_checks(connection, now=now, limit=BATCH, token=token)
        contexts = contexts_of(connection, due)
        histories = histories_of(connection, due)
        problems = problems_of(connection, due)
        claims = claims_of_shipments(connection, due)
        for shipment_id in due:
            history = histories.get(shipment_id)
            if history is not None:
                context = contexts[shipment_id]
                self._look(connection, context, history, problems[shipment_id], claims[shipment_id], now)
        finish_checks(connection, due, token)
        return len(due)

    def _look(
        self,
        connection: Connection,
        context: ShipmentContext,
        row: HistoryRow,
        problems: Sequence[ProblemRow],
        claims: Sequence[ClaimRow],
        now: datetime,
    ) -> None:
        desk = self.desks.get(context.carrier)
        standing = next((claim for claim in claims if claim.closed_at is None), None)
        if standing is not None and _has_news(standing, row.history):
            wake_claims(connection, [context.shipment_id], now)
        free = [problem for problem in problems if problem.id not in self._settled(connection, problems, standing)]
        why_not = _why_no_desk(desk, context)
        if why_not is not None or desk is None or desk.terms is None:
            self._explain(connection, context, [NotClaimable(p.id, why_not or "") for p in free], now)
            return
        days = self.days(context.order.shop, context.order.state)
        wanted = [_claimable(problem) for problem in free]
        plans, refused = plan(wanted, row.history, desk.terms, days, first_on=days.local_date(context.created_at))
        if standing is None:
            plans, more = _without_second(plans, claims, desk.terms)
            refused = [*refused, *more]
            self._open(connection, context, row, plans, problems, now)
        else:
            self._adjust(connection, standing, plans, problems, days, now)
        self._explain(connection, context, refused, now)

    @staticmethod
    def _settled(connection: Connection, problems: Sequence[ProblemRow], standing: ClaimRow | None) -> set[int]:
        """Problems that a claim answered already. One that is not filed yet may still be planned anew."""
        taken = attached(connection, [problem.id for problem in problems])
        if standing is not None and standing.state in UNFILED:
            taken -= set(problems_of_claims(connection, [standing.id])[standing.id])
        return taken

    def _open(
        self,
        connection: Connection,
        context: ShipmentContext,
        row: HistoryRow,
        plans: Sequence[ClaimPlan],
        problems: Sequence[ProblemRow],
        now: datetime,
    ) -> None:
        if not plans:
            return
        best = plans[0]
        days = self.days(context.order.shop, context.order.state)
        declared = row.declared_value_cents or context.declared_value_cents
        values: dict[str, Any] = {
            "shop": context.order.shop,
            "shipment_id": context.shipment_id,
            "tracking_ref_id": context.ref_id,
            "carrier": context.carrier,
            "state": ClaimState.PLANNED.value,
            "planned_at": now,
            "expected_cents": declared if best.kind is ClaimKind.REFUND else None,
            "next_step_at": max(days.start_of(best.claimable_from), now),
            "version": 1,
            **_dates(best),
        }
        claim_id = add_claim(connection, values)
        if claim_id is None:
            return
        attach(connection, claim_id, _answered_by(plans, problems))
        reason = f"motive {best.motive} from {best.claimable_from}, deadline {best.deadline_on}"
        note = DecisionNote(context.order.shop, "claim", claim_id, "claim.plan", 1, "planned", reason)
        log_changes(connection, [note], now)
        log.info("claim.planned", claim_id=claim_id, shipment_id=context.shipment_id, motive=best.motive)
        wake(connection, "messages", [context.shipment_id], now)

    def _adjust(
        self,
        connection: Connection,
        claim: ClaimRow,
        plans: Sequence[ClaimPlan],
        problems: Sequence[ProblemRow],
        days: Calendars,
        now: datetime,
    ) -> None:
        """A standing claim: new problems attach to it; one that is not filed follows the facts, or falls away."""
        if claim.state not in UNFILED:
            attach(connection, claim.id, _answered_by(plans, problems))
            return
        if not plans:
            self._cancel(connection, claim, now)
            return
        best = plans[0]
        attach(connection, claim.id, _answered_by(plans, problems))
        start = best.claimable_from
        if claim.refusal_code is not None and best.motive == claim.motive:
            start = max(start, self._after_refusal(connection, claim, days, now))
        values = {**_dates(best), "claimable_from": start}
        if all(getattr(claim, name) == value for name, value in values.items()):
            return
        if claim.state is ClaimState.PLANNED:
            values["next_step_at"] = max(days.start_of(start), now)
        reason = f"motive {best.motive} from {start}, deadline {best.deadline_on}"
        if save_claim(connection, claim, values):
            note = DecisionNote(claim.shop, "claim", claim.id, "claim.plan", 1, "replanned", reason)
            log_changes(connection, [note], now)

    @staticmethod
    def _after_refusal(connection: Connection, claim: ClaimRow, days: Calendars, now: datetime) -> date:
        """The day the carrier's last answer put off to, brought forward by the event it waits for."""
        asked = [row for row in steps_of(connection, [claim.id])[claim.id] if row.done_at is not None]
        if not asked or not asked[-1].waits_for_event or asked[-1].done_at is None:
            return claim.claimable_from
        learned = learned_at(connection, claim.shipment_id)
        moved = learned is not None and learned > asked[-1].done_at
        return days.local_date(now) if moved else claim.claimable_from

    @staticmethod
    def _cancel(connection: Connection, claim: ClaimRow, now: datetime) -> None:
        values = {
            "state": ClaimState.CANCELLED.value,
            "outcome": "cancelled",
            "closed_at": now,
            "next_step_at": None,
            "hold_reason": None,
        }
        if save_claim(connection, claim, values):
            reason = "its problem has ended before it was filed"
            note = DecisionNote(claim.shop, "claim", claim.id, "claim.plan", 1, "cancelled", reason)
            log_changes(connection, [note], now)
            signal(connection, settled_notes(claim), now)
            log.info("claim.cancelled", claim_id=claim.id)

    @staticmethod
    def _explain(
        connection: Connection, context: ShipmentContext, refused: Sequence[NotClaimable], now: datetime
    ) -> None:
        shop = context.order.shop
        notes = [
            DecisionNote(shop, "problem", entry.problem_id, "claim.plan", 1, "not_claimed", entry.reason)
            for entry in refused
        ]
        log_changes(connection, notes, now)


def _has_news(claim: ClaimRow, history: History) -> bool:
    """What its next step waited for may have come: the indemnity in tracking, the name that the order lacked."""
    paid = claim.state in FILED and history.indemnified_at is not None
    return paid or claim.hold_reason == Hold.MISSING_DATA.value


def _without_second(
    plans: list[ClaimPlan], claims: Sequence[ClaimRow], terms: ClaimTerms
) -> tuple[list[ClaimPlan], list[NotClaimable]]:
    """A carrier that keeps one claim a parcel takes no second after it has answered the first."""
    taken = next((claim for claim in claims if claim.opened_at is not None), None)
    if taken is None or not terms.one_claim_a_parcel:
        return plans, []
    reason = (
        f"the carrier has taken a claim for this parcel already (C{taken.id}, {taken.protocol}); it takes no second"
    )
    return [], [NotClaimable(entry.problem_id, reason) for entry in plans]


def _why_no_desk(desk: ClaimDesk | None, context: ShipmentContext) -> str | None:
    if desk is None or desk.terms is None:
        return "this carrier takes no claims here"
    if desk.policy.mode == "off":
        return "claims are switched off for this carrier (claims.mode: off)"
    if context.ref_id is None:
        return "the shipment has no active tracking number to claim for"
    return None


def _claimable(row: ProblemRow) -> ClaimableProblem:
    return ClaimableProblem(
        id=row.id,
        kind=row.kind,
        presumed=row.presumed,
        since=row.since,
        carrier_since=row.carrier_since,
        detected_at=row.detected_at,
        resolved_at=row.resolved_at,
        released=row.released_at is not None,
        cause=row.cause,
    )


def _answered_by(plans: Sequence[ClaimPlan], problems: Sequence[ProblemRow]) -> list[int]:
    """What one claim answers: all that could be claimed, and a loss presumed from the same silence."""
    presumed = [p.id for p in problems if p.kind is ProblemKind.LOSS and p.presumed and p.resolved_at is None]
    return [entry.problem_id for entry in plans] + (presumed if plans else [])


def _dates(best: ClaimPlan) -> dict[str, Any]:
    return {
        "kind": best.kind.value,
        "motive": best.motive,
        "claimable_from": best.claimable_from,
        "alert_on": best.alert_on,
        "deadline_on": best.deadline_on,
        "last_on": best.last_on,
    }
