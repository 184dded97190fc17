"""Looks at every shipment that is due: gathers the facts, lets the rules decide, writes problems and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import ProblemKind
from tracker.domain.calendar import Calendars
from tracker.domain.detection import ENDED, RULE_VERSIONS, Changes, Facts, Finding, KnownProblem, detect
from tracker.domain.history import History
from tracker.domain.order import OrderStatus
from tracker.domain.promise import customer_promise
from tracker.store.contexts import ShipmentContext, contexts_of
from tracker.store.database import Database
from tracker.store.histories import HistoryRow, histories_of
from tracker.store.leases import finish, new_token
from tracker.store.logs import DecisionNote, log_decisions
from tracker.store.polls import outages
from tracker.store.problems import (
    ProblemRow,
    as_known,
    change_problem,
    end_problem,
    open_problem,
    problems_of,
    take_due_checks,
)
from tracker.store.tables import ShipmentCheck, table
from tracker.store.wake import wake

log = structlog.get_logger(__name__)
Outage = tuple[datetime, datetime]
BATCH: Final = 200
SHARDS: Final = 8


@dataclass(frozen=True, slots=True)
class DetectionPolicy:
    """The merchant's thresholds (configuration `rules`). `presumed_loss_business_days` None: the carrier's own terms."""

    promise_slack_business_days: int = 1
    delay_grace_days: int = 0
    presumed_loss_business_days: int | None = None


@dataclass(frozen=True)
class DetectionSweep:
    """The lane `detect#<shard>`."""

    database: Database
    shard: int
    policy: DetectionPolicy
    days: Callable[[str, str | None], Calendars]
    """The calendars between a shop and a state of destination."""
    loss_terms: Callable[[str], Mapping[str, int] | None]
    """A carrier's presumed-loss terms by service family; None where it is no longer configured."""

    async def run(self, now: datetime) -> int:
        """Look at all that is due in this shard; returns how many shipments were looked at."""
        total = 0
        while True:
            looked = await self.database.write(lambda c: self._batch(c, now))
            total += looked
            if looked < BATCH:
                return total

    def _batch(self, connection: Connection, now: datetime) -> int:
        token = new_token()
        due = take_due_checks(connection, self.shard, SHARDS, now=now, limit=BATCH, token=token)
        contexts = contexts_of(connection, due)
        histories = histories_of(connection, due)
        problems = problems_of(connection, due)
        away = _outages(connection, contexts, histories, now)
        nexts = []
        for shipment_id in due:
            context = contexts[shipment_id]
            facts = self._facts(context, histories.get(shipment_id), away[context.carrier])
            days = self.days(context.order.shop, context.order.state)
            changes = detect(facts, _newest(problems[shipment_id]), days=days, now=now)
            self._write(connection, context, changes, bool(problems[shipment_id]), now)
            nexts.append((shipment_id, changes.next_check_at))
        # Taking, deciding and this are one transaction: a fact that arrives meanwhile waits, and wakes the check again.
        finish(connection, table(ShipmentCheck), "next_check_at", nexts, token=token)
        return len(due)

    def _facts(self, context: ShipmentContext, row: HistoryRow | None, away: Sequence[Outage]) -> Facts:
        order, history = context.order, row.history if row else History()
        days = self.days(order.shop, order.state)
        service = (row.service if row else None) or context.service
        promise = customer_promise(
            order.promised_on,
            order.promised_first_on,
            history.due_first_on,
            self.policy.promise_slack_business_days,
            days,
        )
        since = _silent_since(context, row)
        return Facts(
            history=history,
            promise=promise,
            service=service,
            presumed_loss_business_days=self._presumed_loss(context.carrier, service),
            last_answered_at=context.last_answered_at,
            outages=tuple(outage for outage in away if outage[1] >= since),
            grace_days=self.policy.delay_grace_days,
            order_cancelled=order.status == OrderStatus.CANCELLED.value,
        )

    def _presumed_loss(self, carrier: str, service: str | None) -> int | None:
        if self.policy.presumed_loss_business_days is not None:
            return self.policy.presumed_loss_business_days
        terms = self.loss_terms(carrier)
        return None if terms is None else terms.get((service or "").upper(), terms[""])

    def _write(
        self, connection: Connection, context: ShipmentContext, changes: Changes, had_problems: bool, now: datetime
    ) -> None:
        order, notes = context.order, []
        for finding, episode in changes.opened:
            problem_id = open_problem(
                connection,
                shop=order.shop,
                shipment_id=context.shipment_id,
                order_id=order.id,
                finding=finding,
                episode=episode,
                rule_version=RULE_VERSIONS[finding.rule],
                now=now,
            )
            if problem_id is not None:
                notes.append(_note(order.shop, problem_id, finding, "opened"))
        for known, finding in changes.changed:
            if change_problem(connection, known, finding, RULE_VERSIONS[finding.rule]):
                notes.append(_note(order.shop, known.id, finding, "changed"))
        for known, at, resolution in changes.ended:
            if end_problem(connection, known, at, resolution):
                reason, ended = f"ended: {resolution} at {at.isoformat()}", _ended(at, resolution)
                notes.append(DecisionNote(order.shop, "problem", known.id, ENDED, 1, "resolved", reason, ended))
        log_decisions(connection, notes, now)
        for note in notes:
            facts = {"problem_id": note.subject_id, "shipment_id": context.shipment_id, "rule": note.rule}
            if note.outcome == "opened":
                log.info("problem.found", **facts)
            else:
                log.info("problem.changed", outcome=note.outcome, **facts)
        if notes or had_problems:
            # A claim may wait for the parcel's next event although no problem changes.
            wake(connection, "claims", [context.shipment_id], now)
        if notes:
            wake(connection, "messages", [context.shipment_id], now)


def _silent_since(context: ShipmentContext, row: HistoryRow | None) -> datetime:
    return (row.history.last_event_at if row else None) or context.created_at


def _outages(
    connection: Connection,
    contexts: Mapping[int, ShipmentContext],
    histories: Mapping[int, HistoryRow],
    now: datetime,
) -> dict[str, tuple[Outage, ...]]:
    """By carrier, the times without an answer since the longest silence among these shipments."""
    oldest: dict[str, datetime] = {}
    for shipment_id, context in contexts.items():
        since = _silent_since(context, histories.get(shipment_id))
        oldest[context.carrier] = min(since, oldest.get(context.carrier, since))
    return {carrier: outages(connection, carrier, "tracking", since, now) for carrier, since in oldest.items()}


def _newest(rows: Sequence[ProblemRow]) -> list[KnownProblem]:
    newest: dict[ProblemKind, ProblemRow] = {}
    for row in rows:
        newest[row.kind] = row
    return [as_known(row) for row in newest.values()]


def _note(shop: str, problem_id: int, finding: Finding, outcome: str) -> DecisionNote:
    since = _since(finding)
    facts = {
        "kind": finding.kind.value,
        "since": finding.since.isoformat(),
        "cause": finding.cause.value if finding.cause else None,
        "presumed": finding.presumed,
        "customer_since": finding.customer_since.isoformat() if finding.customer_since else None,
        "carrier_since": finding.carrier_since.isoformat() if finding.carrier_since else None,
        **(_ended(*finding.ended) if finding.ended else {}),
        **finding.facts,
    }
    return DecisionNote(shop, "problem", problem_id, finding.rule, RULE_VERSIONS[finding.rule], outcome, since, facts)


def _since(finding: Finding) -> str:
    """The reason: since when, for the customer and for the carrier, so that a change of either is a new one."""
    sides = (("customer", finding.customer_since), ("carrier", finding.carrier_since))
    more = "".join(f"; for the {side} since {at.isoformat()}" for side, at in sides if at is not None)
    return f"true since {finding.since.isoformat()}{more}"


def _ended(at: datetime, resolution: str) -> dict[str, str]:
    return {"ended_at": at.isoformat(), "resolution": resolution}
