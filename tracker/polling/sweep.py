"""Asks one carrier about everything that is due, a batch at a time, and hands the answers to be recorded.

While one batch is saved the next ones are being asked about. An answer that says what the last one said is known by its
digest and not even read.

Looking, answering and moving are three facts: `last_polled_at` is set by every look, `last_answered_at` by every answer,
`last_event_at` by an event. A carrier that does not answer leaves its shipments due.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from hashlib import blake2b
from itertools import groupby
from typing import Final, NamedTuple, Protocol

import structlog
from sqlalchemy import Connection

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    Heard,
    PermanentCarrierError,
    TrackingAdapter,
    TrackingAnswer,
    TrackingRef,
    TrackingStatus,
    TransientCarrierError,
)
from tracker import metrics
from tracker.domain.calendar import Calendars
from tracker.domain.detection import RECHECK
from tracker.domain.words import CLOSED, CLOSED_REASONS
from tracker.polling.breaker import Breaker
from tracker.polling.heard import newly_heard
from tracker.polling.presence import Presence
from tracker.polling.schedule import Next, PollingPolicy, Standing, next_look
from tracker.polling.sight import Sight
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.histories import HistoryRow
from tracker.store.hooks import last_delivery, lately_pushed
from tracker.store.leases import new_token, put_down
from tracker.store.logs import DecisionNote, SignalNote, signal
from tracker.store.polls import DuePoll, PollSave, keep_raw, reschedule, save_polls, still_ours, take_due
from tracker.store.tables import ShipmentPoll, table
from tracker.store.wake import hasten, wake

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


AT_ONCE: Final = 4
"""At most so many batches are asked about at a time: a carrier takes longer to answer than its limit makes us wait."""
OTHERS_EVERY: Final = 4
"""Every so many batches begin with what is not urgent: where the budget is too small the others come late, but they come."""
BEHIND_PUSHES: Final = timedelta(hours=1)
"""A carrier's tracking may show an event so much later than its push tells of it."""
_SETTLED: Final[Mapping[str | None, AnswerOutcome]] = {
    outcome.value: outcome for outcome in AnswerOutcome if outcome is not AnswerOutcome.ERROR
}
_STATUSES: Final[Mapping[str | None, TrackingStatus]] = {status.value: status for status in TrackingStatus}
UNFOLLOWED: Final = frozenset({"invalid_number", "other_account", "not_found"})
"""Polls that ended although the parcel may travel."""


class Look(NamedTuple):
    """One shipment's answer, and whether it says anything that the last one did not."""

    poll: DuePoll
    heard: Heard
    """Read already, unless it says what the last one said."""
    outcome: AnswerOutcome
    digest: str
    changed: bool
    is_known: bool = False
    """The same bytes, read in the same way, as at the last look."""
    is_unread: bool = False
    """Nothing of it could be read, and it was not sent as a refusal: it may be the carrier's fault as a whole."""

    @property
    def is_error(self) -> bool:
        """Whether it says nothing of the parcel: unread, or refused in words that no adapter knows."""
        return self.outcome is AnswerOutcome.ERROR


Asked = tuple[list[DuePoll], asyncio.Task[list[Look] | None]]
"""A leased batch, and what will be heard of it; None where the carrier must be left alone."""


def at_once(requests_per_second: float) -> int:
    """How many batches to ask about at a time: never more than are sent within a second, so that a stop waits for few."""
    return max(1, min(AT_ONCE, int(requests_per_second)))


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
    """Whether the engine is being stopped: then the batches at hand are the last."""
    at_once: int = 1
    """How many batches are asked about at a time."""
    is_pushed: bool = False
    """Whether the carrier also tells this account by itself."""

    async def run(self, now: datetime) -> int:
        """Ask about all that is due; returns how many shipments were answered."""
        if self.stopping() or not await self.breaker.may_call(now):
            return 0
        await Presence(self.database, self.carrier).note(now)
        return await _Round(self, now, new_token()).run()

    def take(
        self, connection: Connection, token: str, now: datetime, turns: Sequence[int] = (0,)
    ) -> list[list[DuePoll]]:
        """Lease the next batches, by their places in the round; fewer where fewer are due."""
        limit = self.adapter.tracking_terms.batch_size
        taken: list[list[DuePoll]] = []
        for urgent_first, alike in groupby(turns, lambda turn: turn % OTHERS_EVERY != OTHERS_EVERY - 1):
            most = limit * len(list(alike))
            due = take_due(connection, self.carrier, now=now, limit=most, token=token, urgent_first=urgent_first)
            taken += [due[start : start + limit] for start in range(0, len(due), limit)]
            if len(due) < most:
                break
        return self._with_hook(connection, taken) if self.is_pushed else taken

    def _with_hook(self, connection: Connection, taken: Sequence[Sequence[DuePoll]]) -> list[list[DuePoll]]:
        hook_at = last_delivery(connection, self.carrier)
        return [[poll._replace(hook_at=hook_at) for poll in batch] for batch in taken]

    async def ask(self, due: Sequence[DuePoll]) -> list[Look]:
        """Ask about one batch, and read what is new. Raises TransientCarrierError, CarrierConfigError."""
        heard = await self._track([poll.ref for poll in due])
        return [self._look(poll, heard) for poll in due]

    async def _track(self, refs: Sequence[TrackingRef]) -> dict[TrackingRef, Heard | PermanentCarrierError]:
        """Ask; a batch that is refused as a whole is halved until the number that spoils it stands alone."""
        try:
            return dict(await self.adapter.track(refs))
        except PermanentCarrierError as error:
            if len(refs) == 1:
                log.warning("poll.refused", carrier=self.carrier, http_status=error.http_status, reason=error.message)
                return {refs[0]: error}
            half = len(refs) // 2
            return {**await self._track(refs[:half]), **await self._track(refs[half:])}

    def save(self, connection: Connection, asked: Sequence[Look], token: str, now: datetime) -> int:
        """Write what one batch came to; returns how many shipments were still ours."""
        again: list[tuple[int, datetime, bool]] = []
        others: list[Look] = []
        for look in asked:
            following = self._as_ever(look, now)
            if following is None or following.at is None:
                others.append(look)
            else:
                again.append((look.poll.shipment_id, following.at, following.urgent))
        looks, events_added = self._save_others(connection, others, token, now) if others else ((), 0)
        saved = len(looks) + reschedule(connection, sorted(again), polled_at=now, token=token)
        heard = [(look.poll, now) for look in asked if not look.is_error]
        hasten(connection, newly_heard(heard, self.days), until=now + RECHECK, at=now)
        metrics.looked(self.carrier, Counter(look.outcome for look in asked), events_added)
        changed = sum(look.changed for look in looks)
        log.info("poll.done", carrier=self.carrier, shipments=saved, changed=changed, events_added=events_added)
        return saved

    def _as_ever(self, look: Look, now: datetime) -> Next | None:
        """When to look again, where the carrier said what it said last and the parcel is followed further; else None."""
        poll = look.poll
        if not look.is_known or poll.accounts_tried is not None or look.outcome is AnswerOutcome.OTHER_ACCOUNT:
            return None
        return next_look(look.outcome, standing_of(poll, None), self.policy, self.days(poll.shop), now)

    def _save_others(
        self, connection: Connection, asked: Sequence[Look], token: str, now: datetime
    ) -> tuple[Sequence[Look], int]:
        """Write what says something new, or ends; returns what was still ours, and how many events were new."""
        ours = still_ours(connection, [look.poll.shipment_id for look in asked], token)
        looks = [look for look in asked if look.poll.shipment_id in ours]
        changed = {look.poll.shipment_id: look.heard.read() for look in looks if look.changed}
        if self.is_pushed:
            changed = _beside_pushes(connection, changed, now)
        recorded = self.record(connection, changed, now)
        raw = [(key, self._digest(answer.raw), answer.raw) for key, answer in changed.items() if answer.raw]
        keep_raw(connection, "shipment", raw, now)
        # Where nothing of the carrier can be read, no parcel is to blame, and none waits ever longer.
        blames = not any(look.is_error for look in looks) or not self.breaker.is_failing(connection)
        saves = [
            self._poll_save(look, standing_of(look.poll, recorded.get(look.poll.shipment_id)), now, blames)
            for look in looks
        ]
        save_polls(connection, saves, polled_at=now, token=token, ours=ours)
        self._signal(connection, looks, saves, now)
        wake(connection, "detection", _newly_followed_or_not(looks, saves), now)
        log_changes(connection, _closed_notes(looks, saves), now)
        self._tell_of_moves(connection, saves, now)
        self.sight.look(connection, _shown(looks, recorded), now)
        return looks, sum(entry.events_added for entry in recorded.values())

    def _look(self, poll: DuePoll, answers: Mapping[TrackingRef, Heard | PermanentCarrierError]) -> Look:
        heard, is_refused = answers.get(poll.ref), False
        if heard is None:
            heard = TrackingAnswer(poll.ref, AnswerOutcome.ERROR, b"", message="the carrier left it out of its answer")
        elif isinstance(heard, PermanentCarrierError):
            is_refused = heard.http_status is not None and 400 <= heard.http_status < 500
            heard = TrackingAnswer(poll.ref, AnswerOutcome.ERROR, b"", message=heard.message)
        digest = self._digest(heard.said)
        changed = digest != poll.digest
        if not changed and poll.outcome in _SETTLED:
            # The same bytes read in the same way say the same: they are not read again.
            return Look(poll, heard, _SETTLED[poll.outcome], digest, changed, is_known=True)
        answer = heard.read()
        look = Look(poll, answer, answer.outcome, digest, changed)
        return look._replace(is_unread=True) if look.is_error and not is_refused else look

    def _digest(self, said: bytes) -> str:
        """Covers what was said, and how this version of the adapter and its code table reads it."""
        return blake2b(said + self._reading, digest_size=16).hexdigest()

    @cached_property
    def _reading(self) -> bytes:
        return b"\0" + self.adapter.tracking_terms.reading_version.encode()

    def _poll_save(self, look: Look, standing: Standing, now: datetime, blames: bool) -> PollSave:
        poll, is_error = look.poll, look.is_error
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
            failures=poll.failures + blames if is_error else 0,
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
            poll, message = look.poll, look.heard.read().message or ""
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


class _Round:
    """One run of the lane: several batches are under way at a time, and saved in the order in which they were asked.

    While those that were answered are saved together, as many others are being asked about: that is as far ahead as it goes.
    The first goes alone, so that a carrier that is down is asked once. A failure ends the round: what was asked beside it is
    saved where it was answered, and else given back.
    """

    def __init__(self, sweep: PollSweep, now: datetime, token: str) -> None:
        self._sweep, self._now, self._token = sweep, now, token
        self._asked: deque[Asked] = deque()
        self._gate = asyncio.Semaphore(sweep.at_once)
        self._turn = 0
        self._ended = False
        self._heard = False
        self._unread = ""

    async def run(self) -> int:
        """Ask about all that is due; returns how many shipments were answered."""
        sweep, total = self._sweep, 0
        self._begin(await sweep.database.write(partial(sweep.take, token=self._token, now=self._now)))
        try:
            while self._asked:
                due, asking = self._asked.popleft()
                looks = await asking
                if looks is None:
                    await self._give_back(due)
                    continue
                looks += self._answered_beside()
                await self._judge(looks)
                answered, taken = await sweep.database.write(partial(self._save_and_take, looks=looks))
                total += answered
                self._begin(taken)
            if self._unread and not self._ended:
                await sweep.breaker.unread(self._unread, self._now)
            elif total and not self._heard and not self._ended:
                # Numbers were refused, one by one: so it works.
                await sweep.breaker.answered(self._now)
        finally:
            await self._abandon()
        return total

    async def _judge(self, looks: Sequence[Look]) -> None:
        """Say that the carrier answers, with the first answer that can be read: after one it stays well until a failure ends
        the round, for this lane alone calls this family."""
        if self._heard:
            return
        unread = next((look for look in looks if look.is_unread), None)
        if not all(look.is_error for look in looks):
            self._heard, self._unread = True, ""
            await self._sweep.breaker.answered(self._now)
        elif unread is not None:
            self._unread = self._unread or unread.heard.read().message or "it does not say why"

    def _answered_beside(self) -> list[Look]:
        """What was answered meanwhile, of the batches whose turn it is to be saved."""
        looks: list[Look] = []
        for _ in range(self._sweep.at_once - 1):
            if not self._asked or not self._asked[0][1].done() or (found := self._asked[0][1].result()) is None:
                break
            looks += found
            self._asked.popleft()
        return looks

    def _begin(self, taken: Sequence[list[DuePoll]]) -> None:
        for due in taken:
            self._turn += 1
            self._asked.append((due, asyncio.create_task(self._ask(due))))

    async def _ask(self, due: Sequence[DuePoll]) -> list[Look] | None:
        """What was heard of one batch; None where the carrier must be left alone. The first failure of a round is told."""
        async with self._gate:
            if self._ended or self._sweep.stopping():
                return None
            try:
                return await self._sweep.ask(due)
            except (TransientCarrierError, CarrierConfigError) as error:
                if not self._ended:
                    self._ended = True
                    await self._tell(error)
                return None

    async def _tell(self, error: TransientCarrierError | CarrierConfigError) -> None:
        if isinstance(error, TransientCarrierError):
            await self._sweep.breaker.failed(error, self._now)
        else:
            await self._sweep.breaker.refused(error, self._now)

    def _save_and_take(self, connection: Connection, looks: Sequence[Look]) -> tuple[int, list[list[DuePoll]]]:
        """Save and lease the next in the same transaction: a commit is what costs most here."""
        answered = self._sweep.save(connection, looks, self._token, self._now)
        if self._ended or self._sweep.stopping():
            return answered, []
        free = range(self._turn, self._turn + 2 * self._sweep.at_once - len(self._asked))
        return answered, self._sweep.take(connection, self._token, self._now, free)

    async def _give_back(self, due: Sequence[DuePoll]) -> None:
        rows, keys = table(ShipmentPoll), [poll.shipment_id for poll in due]
        await self._sweep.database.write(lambda c: put_down(c, rows, keys, self._token))

    async def _abandon(self) -> None:
        """Cut off, or failed: leave nothing running behind."""
        left = [asking for _, asking in self._asked]
        for asking in left:
            asking.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _newly_followed_or_not(looks: Sequence[Look], saves: Sequence[PollSave]) -> list[int]:
    """Shipments that a carrier has just refused to show, or shows again: answers without an event, so nobody else wakes."""
    refusals = {AnswerOutcome.INVALID_NUMBER.value, AnswerOutcome.OTHER_ACCOUNT.value}
    return [
        save.shipment_id
        for look, save in zip(looks, saves, strict=True)
        if save.closed_reason in UNFOLLOWED or (look.poll.outcome in refusals and look.outcome.value not in refusals)
    ]


def _closed_notes(looks: Sequence[Look], saves: Sequence[PollSave]) -> list[DecisionNote]:
    """Why a shipment is asked about no more."""
    notes = []
    for look, save in zip(looks, saves, strict=True):
        if save.closed_reason is not None:
            message, why = look.heard.read().message, save.closed_reason
            said = {"why": why, "message": message, "outcome": look.outcome.value}
            reason, shop = CLOSED_REASONS[why], look.poll.shop
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


def standing_of(poll: DuePoll, recorded: Recorded | None) -> Standing:
    """What the next look depends on: what was just recorded, else what stood already."""
    if recorded is not None:
        history = recorded.history.history
        status: TrackingStatus | None = history.status
        status_at, last_event_at, carrier_due_on = history.status_at, history.last_event_at, history.due_on
    else:
        status = _STATUSES[poll.status] if poll.status else None
        status_at, last_event_at, carrier_due_on = poll.status_at, poll.last_event_at, poll.carrier_due_on
    due_on = carrier_due_on
    if poll.promised_on is not None and (due_on is None or poll.promised_on < due_on):
        due_on = poll.promised_on
    return Standing(
        poll.shipment_id,
        poll.created_at,
        poll.failures,
        status,
        status_at,
        last_event_at,
        due_on,
        poll.pushed_at,
        poll.hook_at,
    )


def _beside_pushes(
    connection: Connection, answers: Mapping[int, TrackingAnswer], now: datetime
) -> dict[int, TrackingAnswer]:
    """These answers, none of which takes away what a push has told since it was asked for, or a little before."""
    newer = lately_pushed(connection, answers, now - BEHIND_PUSHES)
    return {key: replace(answer, complete=False) if key in newer else answer for key, answer in answers.items()}
