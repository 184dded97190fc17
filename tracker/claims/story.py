"""A claim with all that its next move depends on, read in one go for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from carriers.base import ClaimKind, ClaimOffer, ClaimTerms, ProblemKind
from tracker.domain.calendar import Calendars, CalendarsBetween
from tracker.domain.claim_letter import FOLLOW_UP, LetterOutcome, may_have_reminded
from tracker.domain.claim_moves import UNANSWERED, WITHDRAWN, ClaimFacts, Move, Step
from tracker.domain.claim_note import NoteFacts, note
from tracker.domain.claim_plan import Silence, not_claimable, offer_for, words_alone
from tracker.domain.hand import released_at
from tracker.domain.history import History
from tracker.domain.incidents import paced
from tracker.domain.restoring import knows_the_carriers_word, may_have_been_filed, rests_on_the_lost
from tracker.domain.words import ClaimState, Hold
from tracker.store.acts import acts_about
from tracker.store.claims import ClaimRow, StepRow, problems_of_claims, steps_of
from tracker.store.contexts import ShipmentContext, contexts_of
from tracker.store.histories import HistoryRow, event_codes, events_of, histories_of
from tracker.store.incidents import incidents_of
from tracker.store.problems import ProblemRow, problems_of


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore means for a claim: it `waits` for a person, it `looks_first` at the carrier, its letter's reminder waits."""

    waits: bool = False
    looks_first: bool = False
    reminder_waits: bool = False


def _is_answered(step: Step) -> bool:
    return step.outcome is not None and step.outcome not in {*UNANSWERED, WITHDRAWN}


@dataclass(frozen=True)
class Story:
    """What stands about one claim: the problems are those that it answers."""

    claim: ClaimRow
    context: ShipmentContext
    history: HistoryRow | None
    problems: Sequence[ProblemRow]
    steps: Sequence[StepRow]
    days: Calendars
    terms: ClaimTerms
    by_letter: bool
    writes: bool = False
    """By letter, and its address is known."""
    codes: frozenset[str] = frozenset()
    """Of the parcel's events, where a return is among its problems."""
    in_incident: bool = False
    """Many parcels go wrong with it for one cause."""
    released_at: datetime | None = None
    """When a person let this claim go, whatever holds its problems' messages."""

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
            reopened_at=claim.reopened_at,
            indemnified_at=history.indemnified_at if history else None,
            delivered_at=history.delivered_at if history else None,
            due_max_on=history.due_max_on if history else None,
            protocol=claim.protocol,
            outcome=claim.outcome,
            steps=tuple(row.step for row in self.steps),
            fallback=self._fallback(),
            adopted=claim.adopted,
            second=self._second(),
            last_answered_at=self.context.last_answered_at,
            next_look_at=self.context.next_poll_at,
            needs_news=self._needs_news(history),
            is_overtaken=self._is_overtaken(),
            paced_until=self._paced_until(),
            by_letter=self.by_letter,
            writes=self.writes,
            reminded_at=self._reminded_at(),
        )

    def words_until(self, silent_business_days: int, now: datetime) -> date | None:
        """Until when this claim for money rests on the carrier's text alone; None where it does not."""
        if self.claim.kind != ClaimKind.REFUND.value:
            return None
        silence = Silence(silent_business_days, self.days.local_date(now), self.context.last_answered_at)
        history = self.history.history if self.history else History()
        return words_alone([p for p in self.problems if self._offer(p) is not None], history, self.days, silence)

    def _is_overtaken(self) -> bool:
        """Whether no problem that its motive is for can be claimed any more. A motive that the carrier itself pointed to is
        none of theirs, and stays."""
        its_own = [
            p
            for p in self.problems
            if (o := offer_for(p.kind, p.presumed, self.terms)) and o.motive == self.claim.motive
        ]
        return bool(its_own) and not any(self._offer(problem) for problem in its_own)

    def _reminded_at(self) -> datetime | None:
        reminders = [row for row in self.steps if row.step.action == FOLLOW_UP]
        return next((row.done_at for row in reminders if row.step.outcome == LetterOutcome.SENT.value), None)

    def _needs_news(self, history: History | None) -> bool:
        """Whether it says that the parcel has not come, and no event of the carrier's proves a loss or damage."""
        if history is None or history.delivered_at is not None:
            return False
        return not any((history.lost_at, history.stolen_at, history.damaged_at, history.returned_at))

    def _paced_until(self) -> datetime | None:
        return paced(self.days.start_of(self.claim.claimable_from), self.claim.id) if self.in_incident else None

    def restored(self, restored_at: datetime | None) -> Restored:
        """What it means for this claim that the database was put back then, if it was."""
        claim, began = self.claim, min((p.since for p in self.problems), default=self.claim.planned_at)
        if restored_at is None:
            return Restored()
        if claim.opened_at is not None:
            touched = claim.opened_at < restored_at
            # An answer that we learned of since the restore is known to be the newest.
            waits = touched and claim.answered_at is not None and claim.answered_at < restored_at
        else:
            filed_from = self.days.start_of(claim.claimable_from)
            waits = touched = began < restored_at and may_have_been_filed(filed_from, restored_at)
        kept = any(rests_on_the_lost(p.since, p.released_at, restored_at) for p in self.problems) or not self.problems
        kept = kept and not (self.released_at is not None and self.released_at >= restored_at)
        if self.by_letter and claim.opened_at is not None:
            reminded_at = self._reminded_at()
            told = may_have_reminded(claim.opened_at, reminded_at, restored_at, self.terms, self.days)
            return Restored(reminder_waits=touched and kept and told)
        word = max((row.done_at for row in self.steps if row.done_at and _is_answered(row.step)), default=None)
        looks = touched and not knows_the_carriers_word(word, restored_at)
        return Restored(waits and kept, looks)

    def fresh(self, connection: Connection) -> Story:
        """The same, with the steps as they stand in this transaction."""
        return replace(self, steps=steps_of(connection, [self.claim.id])[self.claim.id])

    def noted(self, connection: Connection, move: Move, now: datetime) -> Move:
        """The move, with the words that a reopening takes along, and what a claim is worth that becomes a refund."""
        if move.kind == "refund" and (move.reopened or self.claim.kind != "refund"):
            return replace(move, expected_cents=self._declared())
        if move.call != "reopen" or move.ask is None:
            return move
        return replace(move, note=note(self._note_facts(connection, move.ask.way, now)))

    def _declared(self) -> int | None:
        """The declared value where the parcel is lost, stolen, damaged or never came; nothing is guessed of other money."""
        history = self.history.history if self.history else History()
        kinds = {problem.kind for problem in self.problems}
        # What is late may still come; once the carrier was asked and refunds it, it does not.
        filed = self.claim.opened_at is not None
        missing = filed and ProblemKind.DELAY in kinds and history.delivered_at is None
        if not missing and not kinds & {ProblemKind.LOSS, ProblemKind.THEFT, ProblemKind.DAMAGE}:
            return None
        return (self.history.declared_value_cents if self.history else None) or self.context.declared_value_cents

    def _note_facts(self, connection: Connection, way: str, now: datetime) -> NoteFacts:
        history = self.history.history if self.history else History()
        standing = events_of(connection, [self.claim.shipment_id])[self.claim.shipment_id]
        last = next((e for e in reversed(standing) if not e.void and e.vanished_at is None), None)
        answers = [row.step.answered_on for row in self.steps if row.step.answered_on is not None]
        return NoteFacts(
            today=self.days.local_date(now),
            way=way,
            answered_on=answers[-1] if answers else None,
            due_on=history.due_first_on,
            attempted_on=self.days.local_date(history.first_attempt_at) if history.first_attempt_at else None,
            delivered_on=self.days.local_date(history.delivered_at) if history.delivered_at else None,
            last_event=last.carrier_code if last else None,
            last_event_on=self.days.local_date(last.occurred_at) if last else None,
        )

    def _fallback(self) -> tuple[str, str] | None:
        for offer in self.terms.offers:
            if (offer.motive, offer.kind.value) == (self.claim.motive, self.claim.kind) and offer.fallback is not None:
                motive, kind = offer.fallback
                return motive, kind.value
        return None

    def _second(self) -> tuple[str, str] | None:
        """Another problem of the parcel, seen after the claim was filed: the best that the carrier takes something for."""
        opened_at = self.claim.opened_at
        if opened_at is None or self.history is None:
            return None
        later = [problem for problem in self.problems if problem.detected_at > opened_at]
        offers = [offer for problem in later if (offer := self._offer(problem)) is not None]
        pairs = [(o.motive, o.kind.value) for o in sorted(offers, key=lambda offer: offer.priority)]
        return next((pair for pair in pairs if pair != (self.claim.motive, self.claim.kind)), None)

    def _offer(self, problem: ProblemRow) -> ClaimOffer | None:
        offer = offer_for(problem.kind, problem.presumed, self.terms)
        history = self.history.history if self.history else History()
        return None if not_claimable(problem, offer, history, self.terms, self.days, self.codes) is not None else offer


def stories_of(
    connection: Connection,
    claims: Sequence[ClaimRow],
    terms: ClaimTerms,
    days: CalendarsBetween,
    *,
    by_letter: bool,
    writes: bool,
) -> dict[int, Story]:
    """The stories of these claims of one carrier, by claim."""
    ids = [claim.id for claim in claims]
    shipments = [claim.shipment_id for claim in claims]
    contexts, histories = contexts_of(connection, shipments), histories_of(connection, shipments)
    problems, links, steps = (
        problems_of(connection, shipments),
        problems_of_claims(connection, ids),
        steps_of(connection, ids),
    )
    around, acts = incidents_of(connection, shipments), acts_about(connection, "claim", ids)
    stories = {}
    for claim in claims:
        context = contexts[claim.shipment_id]
        returned = any(problem.kind is ProblemKind.RETURNED for problem in problems[claim.shipment_id])
        stories[claim.id] = Story(
            claim=claim,
            context=context,
            history=histories.get(claim.shipment_id),
            problems=[p for p in problems[claim.shipment_id] if p.id in links[claim.id]],
            steps=steps[claim.id],
            days=days(claim.shop, context.order.state, context.order.city),
            terms=terms,
            by_letter=by_letter,
            writes=writes,
            codes=event_codes(connection, claim.shipment_id) if returned else frozenset(),
            in_incident=claim.shipment_id in around,
            released_at=released_at(acts.get(claim.id, ())),
        )
    return stories
