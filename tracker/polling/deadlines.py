"""Asks a carrier's calculator for the due dates that its tracking does not name, a batch at a time.

What is missing on our side (a service code, a postal code) is said once in the shipment's decision log and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from carriers.base import (
    CarrierConfigError,
    DeadlineAdapter,
    DeadlineAnswer,
    DeadlineOutcome,
    DeadlineRequest,
    PermanentCarrierError,
    TransientCarrierError,
)
from tracker.domain.calendar import Calendars
from tracker.polling.breaker import Breaker
from tracker.store.database import Database
from tracker.store.deadlines import DueDeadline, save, take_due
from tracker.store.decisions import log_changes
from tracker.store.leases import new_token, put_down
from tracker.store.logs import DecisionNote
from tracker.store.polls import keep_raw
from tracker.store.tables import ShipmentDeadline, table

log = structlog.get_logger(__name__)
RULE: Final = "deadline.calculator"
WAITS: Final = tuple(timedelta(days=days) for days in (1, 2, 4))
"""After the carrier's refusals of one parcel; then it rests until order or configuration change."""

Outcome = DeadlineOutcome


@dataclass(frozen=True)
class DeadlineSweep:
    """The lane `deadlines:<carrier>`."""

    database: Database
    carrier: str
    adapter: DeadlineAdapter
    breaker: Breaker
    record: Callable[[Connection, int, date, datetime], None]
    """The events stage's `record_due_date`, bound to the source: stands right of polling, so it is handed in."""
    origin: Callable[[str], str | None]
    """A shop's postal code of origin."""
    days: Callable[[str, str | None], Calendars]
    """The calendars between a shop and a state of destination."""
    stopping: Callable[[], bool] = lambda: False

    async def run(self, now: datetime) -> int:
        """Ask for all that is due; returns for how many shipments there was an outcome."""
        total = 0
        while not self.stopping() and await self.breaker.may_call(now):
            token = new_token()
            due = await self.database.write(partial(self._take, token=token, now=now))
            if not due:
                break
            questions = {row.shipment_id: self._question(row) for row in due}
            asked = [question for question in questions.values() if isinstance(question, DeadlineRequest)]
            answers = await self._ask(asked, now) if asked else {}
            if answers is None:
                rows = table(ShipmentDeadline)
                await self.database.write(partial(put_down, rows=rows, keys=[r.shipment_id for r in due], token=token))
                break
            save_all = partial(self._save, due=due, questions=questions, answers=answers, token=token, now=now)
            total += await self.database.write(save_all)
        return total

    def _take(self, connection: Connection, *, token: str, now: datetime) -> list[DueDeadline]:
        limit = self.adapter.deadline_terms.batch_size
        return take_due(connection, self.carrier, now=now, limit=limit, token=token)

    def _question(self, row: DueDeadline) -> DeadlineRequest | str:
        """What to ask, or why nothing can be or need be asked."""
        origin = self.origin(row.shop)
        if row.posted_at is None or row.known_due_on is not None:
            return ""
        if origin is None:
            return f"the shop {row.shop} has no origin_postal_code in the configuration"
        if row.postal_code is None:
            return "the order has no postal code of the destination"
        return DeadlineRequest(
            key=row.shipment_id,
            origin_postal_code=origin,
            destination_postal_code=row.postal_code,
            posted_on=self.days(row.shop, row.state).local_date(row.posted_at),
            posted_code=row.posted_code or "",
            tracked_service=row.tracked_service,
            ordered_service=row.ordered_service,
        )

    async def _ask(self, asked: Sequence[DeadlineRequest], now: datetime) -> Mapping[int, DeadlineAnswer] | None:
        """None where the carrier must be left alone for now."""
        try:
            answers = await self._due_dates(asked)
        except TransientCarrierError as error:
            await self.breaker.failed(error, now)
            return None
        except CarrierConfigError as error:
            await self.breaker.refused(error, now)
            return None
        await self.breaker.answered(now)
        return answers

    async def _due_dates(self, asked: Sequence[DeadlineRequest]) -> dict[int, DeadlineAnswer]:
        """Ask; a batch that is refused as a whole is halved until the one that spoils it stands alone."""
        try:
            return dict(await self.adapter.due_dates(asked))
        except PermanentCarrierError as error:
            if len(asked) == 1:
                return {asked[0].key: DeadlineAnswer(asked[0].key, Outcome.REFUSED, message=error.message)}
            half = len(asked) // 2
            return {**await self._due_dates(asked[:half]), **await self._due_dates(asked[half:])}

    def _save(
        self,
        connection: Connection,
        *,
        due: Sequence[DueDeadline],
        questions: Mapping[int, DeadlineRequest | str],
        answers: Mapping[int, DeadlineAnswer],
        token: str,
        now: datetime,
    ) -> int:
        counts: dict[str, int] = {}
        notes = []
        for row in due:
            question = questions[row.shipment_id]
            if isinstance(question, str):
                values: dict[str, Any] = {"state": "missing" if question else "not_needed", "reason": question or None}
                due_on = None
            else:
                answer = answers.get(row.shipment_id) or _left_out(row.shipment_id)
                due_on = due_date(answer, question.posted_on, self.days(row.shop, row.state))
                values = _values(row, question, answer, now)
                keep_raw(connection, "deadline", _evidence(answer), now)
            if not save(connection, row.shipment_id, {"next_ask_at": None, **values}, token=token):
                continue
            if due_on is not None:
                self.record(connection, row.shipment_id, due_on, now)
            counts[values["state"]] = counts.get(values["state"], 0) + 1
            notes += _note(row, values, due_on)
        log_changes(connection, notes, now)
        log.info("deadline.done", carrier=self.carrier, **counts)
        return len(due)


def due_date(answer: DeadlineAnswer, posted_on: date, days: Calendars) -> date | None:
    """The date computed for the day of posting, or our calendar's; one business day more after the cut-off.

    The calculator answers for the day it is asked with and cannot know how late on it the parcel came (reference, section
    4.1: such a parcel moves only on the next business day). A doubtful holiday counts as one, for a date that is too early
    makes a claim that is refused as too early.
    """
    if answer.outcome is not Outcome.NAMED:
        return None
    if answer.due_on is not None:
        return days.since.add(answer.due_on, int(answer.after_cutoff))
    if answer.business_days is None:
        return None
    return days.since.add(posted_on, answer.business_days + answer.after_cutoff)


def _evidence(answer: DeadlineAnswer) -> list[tuple[int, str, bytes]]:
    return [(answer.key, blake2b(answer.raw, digest_size=16).hexdigest(), answer.raw)] if answer.raw else []


def _left_out(key: int) -> DeadlineAnswer:
    return DeadlineAnswer(key, Outcome.REFUSED, message="the carrier left it out of its answer")


def _values(row: DueDeadline, question: DeadlineRequest, answer: DeadlineAnswer, now: datetime) -> dict[str, Any]:
    """What is kept of an answer, and when to ask again where there is a point in it."""
    refused = answer.outcome is Outcome.REFUSED
    again = refused and row.failures < len(WAITS)
    states = {Outcome.NAMED: "named", Outcome.NO_SERVICE: "missing", Outcome.REFUSED: "refused"}
    return {
        "state": states[answer.outcome],
        "next_ask_at": now + WAITS[row.failures] if again else None,
        "asked_at": None if answer.outcome is Outcome.NO_SERVICE else now,
        "failures": row.failures + 1 if refused else 0,
        "reason": answer.message or None,
        "posted_on": question.posted_on,
        "service_code": answer.service_code,
        "business_days": answer.business_days,
        "carrier_due_on": answer.due_on,
        "home_delivery": answer.home_delivery,
    }


def _note(row: DueDeadline, values: Mapping[str, Any], due_on: date | None) -> list[DecisionNote]:
    """One decision a shipment and outcome, for `explain`."""
    if values["state"] == "not_needed":
        return []
    if due_on is None:
        reason = f"no due date could be computed: {values['reason']}"
    else:
        own = values["carrier_due_on"] is None
        whose = f"{values['business_days']} business days by our own calendar" if own else "the carrier's calculator"
        reason = f"due on {due_on} by {whose}, posted on {values['posted_on']}; tracking names no date"
    facts = {name: values.get(name) for name in ("service_code", "business_days", "home_delivery")}
    posted_on: date | None = values.get("posted_on")
    facts |= {
        "due_on": due_on.isoformat() if due_on else None,
        "posted_on": posted_on.isoformat() if posted_on else None,
        "said": values.get("reason"),
    }
    outcome = "named" if due_on is not None else values["state"]
    return [DecisionNote(row.shop, "shipment", row.shipment_id, RULE, 1, outcome, reason, facts)]
