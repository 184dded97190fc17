"""From problems to planned claims: which one is filed, on which day, and why another is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from carriers.base import ClaimKind, ClaimOutcome, ClaimTerms, ProblemKind
from tracker import metrics
from tracker.claims.gates import ClaimPolicy
from tracker.claims.moves import REJECTED_ALERT, settled_notes
from tracker.domain.calendar import Calendars, CalendarsBetween
from tracker.domain.claim_moves import RULE_VERSIONS
from tracker.domain.claim_plan import (
    RULE,
    SILENT_BUSINESS_DAYS,
    WHY_NOT,
    ClaimableProblem,
    ClaimPlan,
    NotClaimable,
    Silence,
    WhyNot,
    plan,
)
from tracker.domain.hand import WRONG_NUMBER, renumbered_at
from tracker.domain.history import History
from tracker.domain.words import ClaimState, Hold
from tracker.store.acts import acts_about
from tracker.store.claims import (
    ClaimRow,
    StepRow,
    add_claim,
    attach,
    attached,
    claims_by_id,
    claims_of_shipments,
    finish_checks,
    hand_over,
    problems_of_claims,
    put_off,
    save_claim,
    settled_desks,
    steps_of,
    take_due_checks,
    wake_claims,
)
from tracker.store.contexts import ShipmentContext, contexts_of
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.histories import HistoryRow, event_codes, histories_of, learned_at
from tracker.store.leases import new_token
from tracker.store.logs import DecisionNote, call_off
from tracker.store.problems import ProblemRow, problems_of
from tracker.store.wake import wake

log = structlog.get_logger(__name__)
BATCH: Final = 200
SECOND_PROBLEM: Final = "claim.second_problem"
GIVES_WAY: Final = "claim.gives_way"
SUPERSEDED: Final = "superseded"
"""The outcome of an inquiry in whose place a refund is claimed."""
ACCOUNT: Final = "claim.account"
GAVE_UP: Final = frozenset({"refused", "expired", "by_contract"})
"""Outcomes of a claim that the carrier never took: it stands in no other's way."""
TAKEN_UP: Final = frozenset({ClaimState.ACCEPTED, ClaimState.REJECTED})
"""Answered claims that another problem of the parcel may take up again."""
TOLD_FOR: Final = timedelta(days=30)
"""So long a rejection that came after its problem had ended is shown to the operator: nothing else ends it."""
WORTH: Final = frozenset({ProblemKind.LOSS, ProblemKind.THEFT, ProblemKind.DAMAGE})
"""Problems for which the declared value is owed; what else is owed is not known here."""


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
    days: CalendarsBetween
    silent_business_days: int = SILENT_BUSINESS_DAYS

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
        if not due:
            return 0
        contexts = contexts_of(connection, due)
        histories = histories_of(connection, due)
        problems = problems_of(connection, due)
        claims = claims_of_shipments(connection, due)
        by_contract = settled_desks(connection)
        nexts: dict[int, datetime | None] = {}
        for shipment_id in due:
            # A parcel that the carrier has never shown has problems too, and the log says why they are not claimed.
            history = histories.get(shipment_id) or HistoryRow(shipment_id, 0, History(), None, None, None, now)
            context = contexts[shipment_id]
            settled = context.carrier in by_contract
            again = self._look(connection, context, history, problems[shipment_id], claims[shipment_id], settled, now)
            rejected = _settle_rejected(connection, problems[shipment_id], claims[shipment_id], now)
            nexts[shipment_id] = min((at for at in (again, rejected) if at is not None), default=None)
        finish_checks(connection, nexts, token)
        return len(due)

    def _look(
        self,
        connection: Connection,
        context: ShipmentContext,
        row: HistoryRow,
        problems: Sequence[ProblemRow],
        claims: Sequence[ClaimRow],
        by_contract: bool,
        now: datetime,
    ) -> datetime | None:
        """Plan for one shipment; returns when to look again, where time alone may change the plan."""
        desk = self.desks.get(context.carrier)
        strange = _about_another_parcel(connection, context, claims)
        self._drop_strange(connection, strange, now)
        claims = [claim for claim in claims if claim not in strange]
        standing = self._standing(connection, context, row, claims, now)
        loose = {claim.id for claim in strange} | _giving_way(standing, desk)
        free = _free(connection, problems, [*claims, *strange], standing, loose)
        why_not = _why_no_desk(desk, context)
        if why_not is not None or desk is None or desk.terms is None:
            self._explain(connection, context, [NotClaimable(p.id, why_not or WhyNot.NO_DESK) for p in free], now)
            return None
        days = self.days(context.order.shop, context.order.state, context.order.city)
        plans, refused = self._plans(connection, context, row, free, desk.terms, days, by_contract, now)
        plans, more = _not_refused_before(plans, claims)
        refused = [*refused, *more]
        if standing is not None and _gives_way(standing, plans, desk):
            standing = self._give_way(connection, standing, plans[0], now)
        if standing is not None:
            worth = _worth(plans[0], context, row) if plans else None
            self._adjust(connection, standing, plans, worth, free, days, by_contract, now)
        elif (taken := _taken(claims, desk.terms)) is None:
            self._open(connection, context, row, plans, free, now)
        elif plans:
            refused += self._second(connection, taken, plans, free, now)
        self._explain(connection, context, refused, now)
        return _when_silent(plans, days, now)

    def _drop_strange(self, connection: Connection, strange: Sequence[ClaimRow], now: datetime) -> None:
        """Claims about the parcel that the number belonged to: whatever has not left goes."""
        for claim in strange:
            if claim.opened_at is None and claim.closed_at is None and claim.state is not ClaimState.SUBMITTING:
                why = {"why": WRONG_NUMBER}
                self._drop(connection, claim, "cancelled", "its number was another parcel's", why, now)

    def _standing(
        self,
        connection: Connection,
        context: ShipmentContext,
        row: HistoryRow,
        claims: Sequence[ClaimRow],
        now: datetime,
    ) -> ClaimRow | None:
        """The claim that is not closed, with the parcel's present account and number; it is looked at where it has news."""
        standing = next((claim for claim in claims if claim.closed_at is None), None)
        if standing is not None and standing.carrier != context.carrier:
            standing = self._follow(connection, context, standing, now)
        if standing is not None and standing.tracking_ref_id != context.ref_id:
            standing = self._relabel(connection, context, standing)
        if standing is not None and _has_news(connection, standing, row.history):
            wake_claims(connection, [context.shipment_id], now)
        return standing

    def _plans(
        self,
        connection: Connection,
        context: ShipmentContext,
        row: HistoryRow,
        free: Sequence[ProblemRow],
        terms: ClaimTerms,
        days: Calendars,
        by_contract: bool,
        now: datetime,
    ) -> tuple[Sequence[ClaimPlan], Sequence[NotClaimable]]:
        """What these terms allow to claim for the problems that no claim has, and why not the others."""
        returned = any(problem.kind is ProblemKind.RETURNED for problem in free)
        return plan(
            [_claimable(problem) for problem in free],
            row.history,
            terms,
            days,
            first_on=days.local_date(context.created_at),
            by_contract=by_contract,
            codes=event_codes(connection, context.shipment_id) if returned else frozenset(),
            silence=Silence(self.silent_business_days, days.local_date(now), context.last_answered_at),
        )

    @staticmethod
    def _give_way(connection: Connection, claim: ClaimRow, best: ClaimPlan, now: datetime) -> ClaimRow | None:
        """The inquiry ends, for the refund it asked about has come due; None where it has, else it as it stands."""
        values = {
            "state": ClaimState.CANCELLED.value,
            "outcome": SUPERSEDED,
            "closed_at": now,
            "next_step_at": None,
            "hold_reason": None,
        }
        if not save_claim(connection, claim, values):
            return claim
        reason = "the refund that it asked about is due: it is claimed in a letter of its own"
        facts = {"motive": best.motive, "kind": best.kind.value}
        note = _note(claim.shop, "claim", claim.id, SUPERSEDED, reason, GIVES_WAY, facts)
        log_changes(connection, [note], now)
        call_off(connection, settled_notes(claim), now)
        metrics.claim_moved(claim.carrier, ClaimState.CANCELLED.value)
        log.info("claim.superseded", claim_id=claim.id, motive=best.motive)
        return None

    @staticmethod
    def _follow(connection: Connection, context: ShipmentContext, claim: ClaimRow, now: datetime) -> ClaimRow:
        """The parcel turned out to belong to another account: a claim that has not left yet goes there too."""
        moved = hand_over(connection, claim, context.carrier)
        if moved is None:
            return claim
        reason = f"its parcel is followed by {context.carrier} now, not by {claim.carrier}"
        log_changes(connection, [_note(claim.shop, "claim", claim.id, "handed_over", reason, ACCOUNT)], now)
        return moved

    @staticmethod
    def _relabel(connection: Connection, context: ShipmentContext, claim: ClaimRow) -> ClaimRow:
        """The parcel has a new label: a claim that has not left yet leaves under the new number."""
        waits = claim.opened_at is None and claim.state is not ClaimState.SUBMITTING
        if not waits or context.ref_id is None:
            return claim
        save_claim(connection, claim, {"tracking_ref_id": context.ref_id})
        return claims_by_id(connection, [claim.id])[claim.id]

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
        days = self.days(context.order.shop, context.order.state, context.order.city)
        values: dict[str, Any] = {
            "shop": context.order.shop,
            "shipment_id": context.shipment_id,
            "tracking_ref_id": context.ref_id,
            "carrier": context.carrier,
            "state": ClaimState.PLANNED.value,
            "planned_at": now,
            "expected_cents": _worth(best, context, row),
            "next_step_at": max(days.start_of(best.claimable_from), now),
            "version": 1,
            **_dates(best),
        }
        claim_id = add_claim(connection, values)
        if claim_id is None:
            return
        attach(connection, claim_id, _answered_by(plans, problems))
        reason = f"motive {best.motive} from {best.claimable_from}, deadline {best.deadline_on}"
        facts = _plan_facts(best, best.claimable_from)
        log_changes(connection, [_note(context.order.shop, "claim", claim_id, "planned", reason, facts=facts)], now)
        metrics.claim_moved(context.carrier, ClaimState.PLANNED.value)
        log.info("claim.planned", claim_id=claim_id, shipment_id=context.shipment_id, motive=best.motive)
        wake(connection, "messages", [context.shipment_id], now)

    @staticmethod
    def _second(
        connection: Connection,
        taken: ClaimRow,
        plans: Sequence[ClaimPlan],
        problems: Sequence[ProblemRow],
        now: datetime,
    ) -> list[NotClaimable]:
        """Another problem of a parcel whose claim was taken and answered takes that claim up again, where it can."""
        best = plans[0]
        if taken.state in TAKEN_UP and (best.motive, best.kind.value) != (taken.motive, taken.kind):
            # The claims lane decides by the carrier's terms whether it is reopened; it closes again where it is not.
            if save_claim(connection, taken, {"closed_at": None, "next_step_at": now}):
                attach(connection, taken.id, _answered_by(plans, problems))
                reason = f"another problem of the parcel: motive {best.motive}, {best.kind.value}"
                facts = {"motive": best.motive, "kind": best.kind.value}
                note = _note(taken.shop, "claim", taken.id, "taken_up", reason, SECOND_PROBLEM, facts)
                log_changes(connection, [note], now)
            return []
        answers: dict[str, Any] = {"claim": taken.id, "protocol": taken.protocol}
        return [NotClaimable(entry.problem_id, WhyNot.ONE_CLAIM_A_PARCEL, answers) for entry in plans]

    def _adjust(
        self,
        connection: Connection,
        claim: ClaimRow,
        plans: Sequence[ClaimPlan],
        worth: int | None,
        problems: Sequence[ProblemRow],
        days: Calendars,
        by_contract: bool,
        now: datetime,
    ) -> None:
        """A standing claim: new problems attach to it; one that is not filed follows the facts, or falls away."""
        attach(connection, claim.id, _answered_by(plans, problems))
        if claim.opened_at is not None:
            return
        if claim.state is ClaimState.SUBMITTING:
            # Whoever files it holds it; its day alone may move under their hands.
            if plans and plans[0].claimable_from > claim.claimable_from:
                put_off(connection, claim, plans[0].claimable_from)
            return
        if not plans:
            self._cancel(connection, claim, by_contract, now)
            return
        values = self._replanned(connection, claim, plans[0], worth, days, now)
        if claim.hold_reason == Hold.BY_WORDS.value and "words_until" not in plans[0].basis:
            # What it waited for has come: a code that confirms the text, or the silence after it.
            wake_claims(connection, [claim.shipment_id], now)
            claim = claims_by_id(connection, [claim.id])[claim.id]
        if all(getattr(claim, name) == value for name, value in values.items()):
            return
        start = values["claimable_from"]
        if claim.state is ClaimState.PLANNED:
            values["next_step_at"] = max(days.start_of(start), now)
        reason = f"motive {values['motive']} from {start}, deadline {values['deadline_on']}"
        if save_claim(connection, claim, values):
            facts = {**_plan_facts(plans[0], start), "motive": values["motive"], "kind": values["kind"]}
            note = _note(claim.shop, "claim", claim.id, "replanned", reason, facts=facts)
            log_changes(connection, [note], now)

    def _replanned(
        self,
        connection: Connection,
        claim: ClaimRow,
        best: ClaimPlan,
        worth: int | None,
        days: Calendars,
        now: datetime,
    ) -> dict[str, Any]:
        """What the plan now says of it, after what the carrier has said."""
        asked = steps_of(connection, [claim.id])[claim.id]
        start = best.claimable_from
        if claim.refusal_code is not None and best.motive == claim.motive:
            start = max(start, self._after_refusal(connection, claim, asked, days, now))
        values = {**_dates(best), "claimable_from": start, "expected_cents": worth}
        if (best.motive, best.kind.value) in _refused_pairs(asked):
            # It was asked for as the plan says and not taken so: what came in its place stands.
            values |= {"motive": claim.motive, "kind": claim.kind, "expected_cents": claim.expected_cents}
        return values

    @staticmethod
    def _after_refusal(
        connection: Connection, claim: ClaimRow, asked: Sequence[StepRow], days: Calendars, now: datetime
    ) -> date:
        """The day the carrier's last answer put off to, brought forward by the event it waits for."""
        answered = [row for row in asked if row.done_at is not None]
        if not answered or not answered[-1].waits_for_event:
            return claim.claimable_from
        return days.local_date(now) if _moved_since(connection, claim, answered[-1]) else claim.claimable_from

    @staticmethod
    def _cancel(connection: Connection, claim: ClaimRow, gone: bool, now: datetime) -> None:
        """It falls away: its problem has ended, or its contract settles such ones."""
        reason = WHY_NOT[WhyNot.BY_CONTRACT] if gone else "its problem has ended before it was filed"
        facts = {"why": WhyNot.BY_CONTRACT.value} if gone else {}
        PlanSweep._drop(connection, claim, "by_contract" if gone else "cancelled", reason, facts, now)

    @staticmethod
    def _drop(
        connection: Connection, claim: ClaimRow, outcome: str, reason: str, facts: Mapping[str, Any], now: datetime
    ) -> None:
        values = {
            "state": ClaimState.CANCELLED.value,
            "outcome": outcome,
            "closed_at": now,
            "next_step_at": None,
            "hold_reason": None,
        }
        if save_claim(connection, claim, values):
            note = _note(claim.shop, "claim", claim.id, "cancelled", reason, facts=facts)
            log_changes(connection, [note], now)
            call_off(connection, settled_notes(claim), now)
            metrics.claim_moved(claim.carrier, ClaimState.CANCELLED.value)
            log.info("claim.cancelled", claim_id=claim.id)

    @staticmethod
    def _explain(
        connection: Connection, context: ShipmentContext, refused: Sequence[NotClaimable], now: datetime
    ) -> None:
        shop = context.order.shop
        notes = [
            _note(
                shop,
                "problem",
                entry.problem_id,
                "not_claimed",
                entry.reason,
                facts={"why": entry.why.value, **entry.facts},
            )
            for entry in refused
        ]
        log_changes(connection, notes, now)


def _settle_rejected(
    connection: Connection, problems: Sequence[ProblemRow], claims: Sequence[ClaimRow], now: datetime
) -> datetime | None:
    """End the alerts of rejections that need nobody any more; returns when the next one ends by itself, if any does."""
    rejected = {claim.id: claim for claim in claims if claim.state is ClaimState.REJECTED and claim.closed_at}
    links = problems_of_claims(connection, rejected)
    by_id = {problem.id: problem for problem in problems}
    waits = []
    for claim in rejected.values():
        told_until = _told_until(claim, [by_id[key] for key in links[claim.id] if key in by_id])
        if told_until is not None and told_until > now:
            waits.append(told_until)
        elif told_until is not None:
            call_off(connection, settled_notes(claim, [REJECTED_ALERT]), now)
    return min(waits, default=None)


def _told_until(claim: ClaimRow, problems: Sequence[ProblemRow]) -> datetime | None:
    """Until when a rejection needs a person: None as long as a problem stands; its end settles it, unless it came first."""
    ends = [problem.resolved_at for problem in problems if problem.resolved_at is not None]
    if claim.closed_at is None or len(ends) < len(problems):
        return None
    last = max(ends, default=claim.closed_at)
    return last if last > claim.closed_at else claim.closed_at + TOLD_FOR


def _note(
    shop: str,
    subject: str,
    row_id: int,
    outcome: str,
    reason: str,
    rule: str = RULE,
    facts: Mapping[str, Any] | None = None,
) -> DecisionNote:
    return DecisionNote(shop, subject, row_id, rule, RULE_VERSIONS[rule], outcome, reason, facts or {})


def _has_news(connection: Connection, claim: ClaimRow, history: History) -> bool:
    """What its next step waited for may have come: the indemnity in tracking, the name that the order lacked, an event."""
    if claim.opened_at is None:
        return claim.hold_reason == Hold.MISSING_DATA.value
    if history.indemnified_at is not None:
        return True
    last = steps_of(connection, [claim.id])[claim.id][-1:]
    return bool(last) and last[0].waits_for_event and _moved_since(connection, claim, last[0])


def _moved_since(connection: Connection, claim: ClaimRow, step: StepRow) -> bool:
    learned = learned_at(connection, claim.shipment_id)
    return learned is not None and step.done_at is not None and learned > step.done_at


def _about_another_parcel(
    connection: Connection, context: ShipmentContext, claims: Sequence[ClaimRow]
) -> list[ClaimRow]:
    """Claims made under a number of which a person has said since that it was another parcel's."""
    others = [claim for claim in claims if claim.tracking_ref_id != context.ref_id]
    if not others:
        return []
    acts = acts_about(connection, "shipment", [context.shipment_id]).get(context.shipment_id, ())
    wrong_until = renumbered_at(acts)
    return [claim for claim in others if wrong_until is not None and claim.planned_at <= wrong_until]


def _free(
    connection: Connection,
    problems: Sequence[ProblemRow],
    claims: Sequence[ClaimRow],
    standing: ClaimRow | None,
    strange: Collection[int],
) -> list[ProblemRow]:
    """Problems that no claim answers or answered. One that is not filed yet may still be planned anew; one that the carrier
    never took, or that was about another parcel (`strange`), stands in nobody's way."""
    own = standing.id if standing is not None else None
    loose = {claim.id for claim in claims if claim.opened_at is None and (claim.outcome in GAVE_UP or claim.id == own)}
    loose |= set(strange)
    links = attached(connection, [problem.id for problem in problems])
    return [problem for problem in problems if problem.id not in links or links[problem.id] in loose]


def _not_refused_before(
    plans: Sequence[ClaimPlan], claims: Sequence[ClaimRow]
) -> tuple[list[ClaimPlan], list[NotClaimable]]:
    """What the carrier has refused for good is not asked for again: for this parcel and motive."""
    gone = {
        claim.motive: claim for claim in claims if claim.opened_at is None and claim.outcome in {"refused", "expired"}
    }
    left = [entry for entry in plans if entry.motive not in gone]
    refused = [
        NotClaimable(entry.problem_id, WhyNot.REFUSED_BEFORE, {"motive": entry.motive, "claim": gone[entry.motive].id})
        for entry in plans
        if entry.motive in gone
    ]
    return left, refused


def _giving_way(claim: ClaimRow | None, desk: ClaimDesk | None) -> set[int]:
    """The standing claim, where it is a filed inquiry in whose place a refund may be claimed: what it answers is still open.

    One that the carrier has accepted is not: its money is on the way.
    """
    if claim is None or desk is None or desk.terms is None or not desk.terms.inquiry_gives_way:
        return set()
    filed = claim.opened_at is not None and claim.state not in {ClaimState.ACCEPTED, ClaimState.SUBMITTING}
    return {claim.id} if filed and claim.kind == ClaimKind.INFORMATION_REQUEST.value else set()


def _gives_way(claim: ClaimRow, plans: Sequence[ClaimPlan], desk: ClaimDesk) -> bool:
    refund = bool(plans) and plans[0].kind is ClaimKind.REFUND
    return refund and claim.id in _giving_way(claim, desk)


def _when_silent(plans: Sequence[ClaimPlan], days: Calendars, now: datetime) -> datetime | None:
    """When the second sign beside a text may have come."""
    waits = [
        days.start_of(date.fromisoformat(entry.basis["words_until"])) for entry in plans if "words_until" in entry.basis
    ]
    return min((at for at in waits if at > now), default=None)


def _taken(claims: Sequence[ClaimRow], terms: ClaimTerms) -> ClaimRow | None:
    """The claim beside which the carrier takes no second one."""
    if not terms.one_claim_a_parcel:
        return None
    return next((claim for claim in reversed(claims) if claim.opened_at is not None), None)


def _refused_pairs(asked: Sequence[StepRow]) -> set[tuple[str, str]]:
    """Motive and kind that the carrier said are not the ones."""
    other = ClaimOutcome.OTHER_MOTIVE.value
    return {(row.step.motive, row.kind) for row in asked if row.step.action == "open" and row.step.outcome == other}


def _why_no_desk(desk: ClaimDesk | None, context: ShipmentContext) -> WhyNot | None:
    if desk is None or desk.terms is None:
        return WhyNot.NO_DESK
    if desk.policy.mode == "off":
        return WhyNot.SWITCHED_OFF
    if context.ref_id is None:
        return WhyNot.NO_NUMBER
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
        claims_wish=row.claims_wish,
        by_words=row.by_words,
    )


def _answered_by(plans: Sequence[ClaimPlan], problems: Sequence[ProblemRow]) -> list[int]:
    """What one claim answers: all that could be claimed, and a loss presumed from the same silence."""
    presumed = [p.id for p in problems if p.kind is ProblemKind.LOSS and p.presumed and p.resolved_at is None]
    return [entry.problem_id for entry in plans] + (presumed if plans else [])


def _plan_facts(best: ClaimPlan, start: date) -> dict[str, Any]:
    dates = {"claimable_from": start.isoformat(), "deadline_on": best.deadline_on.isoformat()}
    return {"motive": best.motive, "kind": best.kind.value, **dates, **best.basis}


def _worth(best: ClaimPlan, context: ShipmentContext, row: HistoryRow) -> int | None:
    """What the claim is expected to bring, in cents: the declared value, where that is what is owed."""
    if best.kind is not ClaimKind.REFUND or best.offer.problem not in WORTH:
        return None
    return row.declared_value_cents or context.declared_value_cents


def _dates(best: ClaimPlan) -> dict[str, Any]:
    return {
        "kind": best.kind.value,
        "motive": best.motive,
        "claimable_from": best.claimable_from,
        "alert_on": best.alert_on,
        "urge_on": best.urge_on,
        "deadline_on": best.deadline_on,
        "last_on": best.last_on,
    }
