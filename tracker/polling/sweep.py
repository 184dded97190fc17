"""Asks one carrier about everything that is due, a batch at a time, and hands the answers to be recorded.

Looking, answering and moving are three facts: `last_polled_at` is set by every look, `last_answered_at` by every answer,
`last_event_at` by an event. A carrier that does not answer leaves its shipments due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Final, Protocol

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
from tracker import metrics
from tracker.domain.calendar import Calendars
from tracker.domain.words import CLOSED, CLOSED_REASONS
from tracker.polling.breaker import Breaker
from tracker.polling.presence import Presence
from tracker.polling.schedule import PollingPolicy, Standing, next_look
from tracker.polling.sight import Sight
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.histories import HistoryRow
from tracker.store.leases import new_token, put_down
from tracker.store.logs import DecisionNote, SignalNote, signal
from tracker.store.polls import DuePoll, PollSave, keep_raw, save_polls, still_ours, take_due
from tracker.store.tables import ShipmentPoll, table
from tracker.store.wake import wake

log = structlog.get_logger(__name__)


class Recorded(Protocol):
    """What recording one answer came to (the events stage's word for it)."""

    @property
    def history(self) -> HistoryRow: ...
    @property
    def events_added(self) -> int: ...
    @property
    def shrunk(self) -> bool | None: ...


Recorder = Callable[[Connection, Mapping[int, TrackingAnswer], datetime], Mapping[int, Recorded]]
"""The events stage's `record_answers`, bound to a carrier: stands right of polling, so it is handed in."""


OTHERS_EVERY: Final = 4
"""Every so many batches begin with what is not urgent: where the budget is too small the others come late, but they come."""
_SETTLED: Final = frozenset(outcome.value for outcome in AnswerOutcome if outcome is not AnswerOutcome.ERROR)
UNFOLLOWED: Final = frozenset({"invalid_number", "other_account", "not_found"})
"""Polls that ended although the parcel may travel."""


@dataclass(frozen=True, slots=True)
class Look:
    """One shipment's answer, and whether it says anything that the last one did not."""

    poll: DuePoll
    answer: TrackingAnswer
    outcome: AnswerOutcome
    digest: str
    changed: bool


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
    sight: Sight
    """Notices when the carrier shows less than before."""
    accounts: Callable[[str], Sequence[str]] = lambda _shop: ()
    """The accounts of the same adapter that serve a shop, in the order of the configuration."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the engine is being stopped: then the batch at hand is the last."""

    async def run(self, now: datetime) -> int:
        """Ask about all that is due; returns how many shipments were answered."""
        if self.stopping() or not await self.breaker.may_call(now):
            return 0
        await Presence(self.database, self.carrier).note(now)
        total, turn, token = 0, 0, new_token()
        due = await self.database.write(partial(self._take, token=token, now=now))
        while due:
            answers = await self._ask(due, token, now)
            if answers is None:
                break
            if total == 0:
                # This lane alone calls this family: after one answer it stays well until a failure ends the round.
                await self.breaker.answered(now)
            turn += 1
            answered, due = await self.database.write(
                partial(self._save_and_take, due=due, answers=answers, token=token, now=now, turn=turn)
            )
            total += answered
        return total

    def _take(self, connection: Connection, token: str, now: datetime, turn: int = 0) -> list[DuePoll]:
        limit = self.adapter.tracking_terms.batch_size
        urgent_first = turn % OTHERS_EVERY != OTHERS_EVERY - 1
        return take_due(connection, self.carrier, now=now, limit=limit, token=token, urgent_first=urgent_first)

    def _save_and_take(
        self,
        connection: Connection,
        due: Sequence[DuePoll],
        answers: Mapping[TrackingRef, TrackingAnswer],
        token: str,
        now: datetime,
        turn: int,
    ) -> tuple[int, list[DuePoll]]:
        """Save one batch and lease the next in the same transaction: a commit is what costs most here."""
        answered = self._save(connection, due, answers, token, now)
        return answered, [] if self.stopping() else self._take(connection, token, now, turn)

    async def _ask(
        self, due: Sequence[DuePoll], token: str, now: datetime
    ) -> Mapping[TrackingRef, TrackingAnswer] | None:
        """Ask about one batch; None where the carrier must be left alone for now: then the batch is given back."""
        try:
            return await self._track([poll.ref for poll in due])
        except TransientCarrierError as error:
            await self.breaker.failed(error, now)
        except CarrierConfigError as error:
            await self.breaker.refused(error, now)
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
        looks = [self._look(poll, answers) for poll in due if poll.shipment_id in ours]
        changed = [look for look in looks if look.changed]
        recorded = self.record(connection, {look.poll.shipment_id: look.answer for look in changed}, now)
        raw = [(look.poll.shipment_id, look.digest, look.answer.raw) for look in changed if look.answer.raw]
        keep_raw(connection, "shipment", raw, now)
        saves = [
            self._poll_save(look, _standing(look.poll, recorded.get(look.poll.shipment_id)), now) for look in looks
        ]
        save_polls(connection, saves, polled_at=now, token=token, ours=ours)
        self._signal(connection, looks, saves, now)
        wake(connection, "detection", _newly_followed_or_not(looks, saves), now)
        log_changes(connection, _closed_notes(looks, saves), now)
        self._tell_of_moves(connection, saves, now)
        self.sight.look(connection, _shown(looks, recorded), now)
        events_added = sum(entry.events_added for entry in recorded.values())
        metrics.looked(self.carrier, Counter(look.outcome.value for look in looks), events_added)
        log.info(
            "poll.done",
            carrier=self.carrier,
            shipments=len(looks),
            changed=len(changed),
            events_added=events_added,
        )
        return len(looks)

    def _look(self, poll: DuePoll, answers: Mapping[TrackingRef, TrackingAnswer]) -> Look:
        answer = answers.get(poll.ref)
        if answer is None:
            answer = TrackingAnswer(poll.ref, AnswerOutcome.ERROR, b"", message="the carrier left it out of its answer")
        digest = self._digest(answer)
        changed = digest != poll.digest
        if not changed and poll.outcome in _SETTLED:
            # The same bytes read in the same way say the same: they are not read again.
            return Look(poll, answer, AnswerOutcome(poll.outcome), digest, changed)
        return Look(poll, answer, answer.outcome, digest, changed)

    def _digest(self, answer: TrackingAnswer) -> str:
        """Covers the answer, and how this version of the adapter and its code table reads it."""
        read_by = self.adapter.tracking_terms.reading_version.encode()
        said = answer.raw or answer.outcome.encode()
        return blake2b(said + b"\0" + read_by, digest_size=16).hexdigest()

    def _poll_save(self, look: Look, standing: Standing, now: datetime) -> PollSave:
        poll, is_error = look.poll, look.outcome is AnswerOutcome.ERROR
        if look.outcome is AnswerOutcome.OTHER_ACCOUNT:
            return self._hand_over(look, now)
        following = next_look(look.outcome, standing, self.policy, self.days(poll.shop), now)
        return PollSave(
            shipment_id=poll.shipment_id,
            next_poll_at=following.at,
            closed_reason=following.closed_reason,
            urgent=following.urgent,
            outcome=look.outcome.value,
            digest=poll.digest if is_error else look.digest,
            answered_at=poll.last_answered_at if is_error else now,
            failures=poll.failures + 1 if is_error else 0,
            # An account that follows it has answered: the round is over, and would begin anew.
            carrier=self.carrier if poll.accounts_tried is not None and not is_error else "",
        )

    def _hand_over(self, look: Look, now: datetime) -> PollSave:
        """A parcel of another contract goes to the next account of this adapter, once around; then it rests at the first."""
        tried = [*(look.poll.accounts_tried or "").split(), self.carrier]
        following = next((account for account in self.accounts(look.poll.shop) if account not in tried), None)
        return PollSave(
            shipment_id=look.poll.shipment_id,
            next_poll_at=None if following is None else now,
            closed_reason="other_account" if following is None else None,
            outcome=look.outcome.value,
            digest=look.digest if following is None else None,
            answered_at=now,
            carrier=following or tried[0],
            accounts_tried=" ".join(tried),
        )

    def _tell_of_moves(self, connection: Connection, saves: Sequence[PollSave], now: datetime) -> None:
        """Claims that are planned follow the parcel: whoever plans them looks again."""
        moved = [save.shipment_id for save in saves if save.carrier and save.carrier != self.carrier]
        if moved:
            wake(connection, "claims", moved, now)
            log.info("poll.handed_over", carrier=self.carrier, shipments=len(moved))

    def _signal(self, connection: Connection, looks: Sequence[Look], saves: Sequence[PollSave], now: datetime) -> None:
        """Say what only a person can mend: numbers the carrier cannot know, or will not show to this account."""
        notes = []
        for look, save in zip(looks, saves, strict=True):
            if save.closed_reason not in UNFOLLOWED:
                continue
            poll, message = look.poll, look.answer.message or ""
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


def _newly_followed_or_not(looks: Sequence[Look], saves: Sequence[PollSave]) -> list[int]:
    """Shipments that a carrier has just refused to show, or shows again: answers without an event, so nobody else wakes."""
    refusals = {AnswerOutcome.INVALID_NUMBER.value, AnswerOutcome.OTHER_ACCOUNT.value}
    return [
        save.shipment_id
        for look, save in zip(looks, saves, strict=True)
        if save.closed_reason in UNFOLLOWED or (look.poll.outcome in refusals and save.outcome not in refusals)
    ]


def _closed_notes(looks: Sequence[Look], saves: Sequence[PollSave]) -> list[DecisionNote]:
    """Why a shipment is asked about no more."""
    notes = []
    for look, save in zip(looks, saves, strict=True):
        if save.closed_reason is not None:
            said = {"why": save.closed_reason, "message": look.answer.message, "outcome": look.outcome.value}
            reason, shop = CLOSED_REASONS[save.closed_reason], look.poll.shop
            notes.append(DecisionNote(shop, "shipment", save.shipment_id, CLOSED, 1, "closed", reason, said))
    return notes


def _shown(looks: Sequence[Look], recorded: Mapping[int, Recorded]) -> list[bool | None]:
    """Of each answer: does it show less than we know? A parcel with events that is not found any more does."""
    shown: list[bool | None] = []
    for look in looks:
        entry = recorded.get(look.poll.shipment_id)
        if entry is not None:
            shown.append(entry.shrunk)
        elif look.changed and look.outcome is AnswerOutcome.NOT_FOUND and look.poll.last_event_at is not None:
            shown.append(True)
    return shown


def _standing(poll: DuePoll, recorded: Recorded | None) -> Standing:
    """What the next look depends on: what was just recorded, else what stood already."""
    if recorded is not None:
        history = recorded.history.history
        status: TrackingStatus | None = history.status
        status_at, last_event_at, carrier_due_on = history.status_at, history.last_event_at, history.due_on
    else:
        status = TrackingStatus(poll.status) if poll.status else None
        status_at, last_event_at, carrier_due_on = poll.status_at, poll.last_event_at, poll.carrier_due_on
    return Standing(
        shipment_id=poll.shipment_id,
        created_at=poll.created_at,
        failures=poll.failures,
        status=status,
        status_at=status_at,
        last_event_at=last_event_at,
        due_on=min((day for day in (poll.promised_on, carrier_due_on) if day is not None), default=None),
    )
