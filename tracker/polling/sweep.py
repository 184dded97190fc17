"""Asks one carrier about everything that is due, a batch at a time, and hands the answers to be recorded.

Looking, answering and moving are three facts: `last_polled_at` is set by every look, `last_answered_at` by every answer,
`last_event_at` by an event. A carrier that does not answer leaves its shipments due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Protocol

import structlog
from sqlalchemy import Connection

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    PermanentCarrierError,
    TrackingAdapter,
    TrackingAnswer,
    TrackingRef,
    TrackingStatus,
    TransientCarrierError,
)
from tracker.domain.calendar import Calendars
from tracker.polling.breaker import Breaker
from tracker.polling.schedule import PollingPolicy, Standing, next_look
from tracker.store.database import Database
from tracker.store.histories import HistoryRow
from tracker.store.leases import new_token, put_down
from tracker.store.logs import SignalNote, signal
from tracker.store.polls import DuePoll, PollSave, keep_raw, save_polls, still_ours, take_due
from tracker.store.tables import ShipmentPoll, table

log = structlog.get_logger(__name__)


class Recorded(Protocol):
    """What recording one answer came to (the events stage's word for it)."""

    @property
    def history(self) -> HistoryRow: ...
    @property
    def events_added(self) -> int: ...


Recorder = Callable[[Connection, Mapping[int, TrackingAnswer], datetime], Mapping[int, Recorded]]
"""The events stage's `record_answers`, bound to a carrier: stands right of polling, so it is handed in."""


@dataclass(frozen=True)
class PollSweep:
    """The lane `poll:<carrier>`."""

    database: Database
    carrier: str
    adapter: TrackingAdapter
    breaker: Breaker
    record: Recorder
    policy: PollingPolicy
    days: Callable[[str], Calendars]
    """The calendars of a shop."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the engine is being stopped: then the batch at hand is the last."""

    async def run(self, now: datetime) -> int:
        """Ask about all that is due; returns how many shipments were answered."""
        total = 0
        while not self.stopping() and await self.breaker.may_call(now):
            token = new_token()
            limit = self.adapter.tracking_terms.batch_size
            due = await self.database.write(partial(take_due, carrier=self.carrier, now=now, limit=limit, token=token))
            if not due:
                break
            answered = await self._ask(due, token, now)
            if answered is None:
                break
            total += answered
        return total

    async def _ask(self, due: Sequence[DuePoll], token: str, now: datetime) -> int | None:
        """Ask about one batch and save; None where the carrier must be left alone for now."""
        try:
            answers = await self._track([poll.ref for poll in due])
        except TransientCarrierError as error:
            await self.breaker.failed(error, now)
        except CarrierConfigError as error:
            await self.breaker.refused(error, now)
        else:
            await self.breaker.answered(now)
            return await self.database.write(lambda c: self._save(c, due, answers, token, now))
        rows = table(ShipmentPoll)
        await self.database.write(lambda c: put_down(c, rows, [poll.shipment_id for poll in due], token))
        return None

    async def _track(self, refs: Sequence[TrackingRef]) -> dict[TrackingRef, TrackingAnswer]:
        """Ask; a batch that is refused as a whole is halved until the number that spoils it stands alone."""
        try:
            return dict(await self.adapter.track(refs))
        except PermanentCarrierError as error:
            if len(refs) == 1:
                log.warning("poll.refused", carrier=self.carrier, http_status=error.http_status, reason=error.message)
                answer = TrackingAnswer(refs[0], AnswerOutcome.ERROR, b"", message=error.message)
                return {refs[0]: answer}
            half = len(refs) // 2
            return {**await self._track(refs[:half]), **await self._track(refs[half:])}

    def _save(
        self,
        connection: Connection,
        due: Sequence[DuePoll],
        answers: Mapping[TrackingRef, TrackingAnswer],
        token: str,
        now: datetime,
    ) -> int:
        ours = still_ours(connection, [poll.shipment_id for poll in due], token)
        polls = {poll.shipment_id: poll for poll in due if poll.shipment_id in ours}
        got = {key: self._answer(poll, answers) for key, poll in polls.items()}
        digests = {key: self._digest(answer) for key, answer in got.items()}
        changed = {key: answer for key, answer in got.items() if digests[key] != polls[key].digest}
        recorded = self.record(connection, changed, now)
        keep_raw(connection, "shipment", [(key, digests[key], a.raw) for key, a in changed.items() if a.raw], now)
        saves = [self._poll_save(polls[key], got[key], digests[key], recorded.get(key), now) for key in polls]
        save_polls(connection, saves, polled_at=now, token=token)
        self._signal(connection, polls, got, saves, now)
        log.info(
            "poll.done",
            carrier=self.carrier,
            shipments=len(polls),
            changed=len(changed),
            events_added=sum(entry.events_added for entry in recorded.values()),
        )
        return len(polls)

    def _answer(self, poll: DuePoll, answers: Mapping[TrackingRef, TrackingAnswer]) -> TrackingAnswer:
        missing = TrackingAnswer(poll.ref, AnswerOutcome.ERROR, b"", message="the carrier left it out of its answer")
        return answers.get(poll.ref, missing)

    def _digest(self, answer: TrackingAnswer) -> str:
        """Covers the answer, and how this version of the adapter and its code table reads it."""
        read_by = self.adapter.tracking_terms.reading_version.encode()
        return blake2b(answer.raw + b"\0" + answer.outcome.encode() + b"\0" + read_by, digest_size=16).hexdigest()

    def _poll_save(
        self, poll: DuePoll, answer: TrackingAnswer, digest: str, recorded: Recorded | None, now: datetime
    ) -> PollSave:
        is_error = answer.outcome is AnswerOutcome.ERROR
        due_on = min((day for day in (poll.promised_on, poll.carrier_due_on) if day is not None), default=None)
        standing = Standing(
            shipment_id=poll.shipment_id,
            created_at=poll.created_at,
            failures=poll.failures,
            status=TrackingStatus(poll.status) if poll.status else None,
            status_at=poll.status_at,
            last_event_at=poll.last_event_at,
            due_on=due_on,
        )
        if recorded is not None:
            history = recorded.history.history
            known = [day for day in (poll.promised_on, history.due_on) if day is not None]
            standing = replace(
                standing,
                status=history.status,
                status_at=history.status_at,
                last_event_at=history.last_event_at,
                due_on=min(known, default=None),
            )
        following = next_look(answer.outcome, standing, self.policy, self.days(poll.shop), now)
        return PollSave(
            shipment_id=poll.shipment_id,
            next_poll_at=following.at,
            closed_reason=following.closed_reason,
            outcome=answer.outcome.value,
            digest=poll.digest if is_error else digest,
            answered_at=poll.last_answered_at if is_error else now,
            failures=poll.failures + 1 if is_error else 0,
        )

    def _signal(
        self,
        connection: Connection,
        polls: Mapping[int, DuePoll],
        got: Mapping[int, TrackingAnswer],
        saves: Sequence[PollSave],
        now: datetime,
    ) -> None:
        """Say what only a person can mend: numbers the carrier cannot know, or will not show to this account."""
        notes = []
        for save in saves:
            if save.closed_reason not in {"invalid_number", "other_account", "not_found"}:
                continue
            poll, message = polls[save.shipment_id], got[save.shipment_id].message or ""
            notes.append(
                SignalNote(
                    key=f"untrackable:{self.carrier}:{save.closed_reason}",
                    kind="untrackable",
                    severity="warning",
                    shop=poll.shop,
                    summary=f"{self.carrier} cannot follow {poll.ref.value}: {save.closed_reason}. {message}".strip(),
                    details={"shipment_id": save.shipment_id, "reason": save.closed_reason},
                )
            )
        signal(connection, notes, now)
