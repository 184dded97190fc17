"""Reads what carriers' hooks brought, and records it as the answers of looks are recorded.

Each delivery is a transaction of its own: what it tells, the looks that come later for it, and that it was read. One that
cannot be read stops no other; numbers that nobody has imported yet are tried again for some days.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import AnswerOutcome, FeedReading, HookReceiver, PermanentCarrierError, TrackingAnswer, TrackingRef
from tracker import metrics
from tracker.domain.calendar import Calendars
from tracker.polling.schedule import PollingPolicy, next_after_push
from tracker.polling.sweep import Recorder, standing_of
from tracker.store.database import Database
from tracker.store.hooks import (
    UNREADABLE,
    DueDelivery,
    Told,
    followed,
    has_unreadable,
    lock_looks,
    save_told,
    settle_delivery,
    take_deliveries,
)
from tracker.store.leases import new_token, put_down
from tracker.store.logs import SignalNote, signal
from tracker.store.polls import keep_raw, polls_of
from tracker.store.tables import HookDelivery, table

log = structlog.get_logger(__name__)
BATCH: Final = 20
_COUNTED: Final = ("read", "unreadable", "shipments", "events_added", "unmatched", "faults")
UNMATCHED_TRIES: Final = (
    *(timedelta(minutes=15), timedelta(hours=1), timedelta(hours=3), timedelta(hours=6), timedelta(hours=12)),
    *(timedelta(days=day) for day in range(1, 8)),
)
"""How long after it came a delivery is tried again that told of numbers nobody knows: orders may be imported after the push.
What is imported is asked about at once anyway, so nothing is lost past the last."""
UNREADABLE_TRIES: Final = tuple(timedelta(days=day) for day in range(1, 15))
"""The same for one that the adapter cannot read: a newer one may."""


@dataclass(frozen=True)
class HookAccount:
    """One account whose carrier pushes."""

    receiver: HookReceiver
    adapter: str
    """The adapter's name, under which its numbers are kept."""
    record: Recorder


@dataclass(frozen=True)
class HookSweep:
    """The lane `hooks`, of all accounts."""

    database: Database
    accounts: Mapping[str, HookAccount]
    policy: PollingPolicy
    days: Callable[[str], Calendars]
    """The calendars of a shop."""
    stopping: Callable[[], bool] = lambda: False

    async def run(self, now: datetime) -> int:
        """Read all that waits, in the order in which it came; returns how many deliveries that were."""
        token, total = new_token(), 0
        while not self.stopping():
            due = await self.database.write(
                partial(take_deliveries, carriers=self.accounts.keys(), now=now, limit=BATCH, token=token)
            )
            told: dict[str, Counter[str]] = {}
            for place, delivery in enumerate(due):
                if self.stopping():
                    left = [one.id for one in due[place:]]
                    await self.database.write(partial(put_down, rows=table(HookDelivery), keys=left, token=token))
                    break
                told.setdefault(delivery.carrier, Counter()).update(await self._read(delivery, token, now))
                total += 1
            for carrier, counts in told.items():
                log.info("hook.done", carrier=carrier, **{name: counts[name] for name in _COUNTED})
            if len(due) < BATCH:
                break
        return total

    async def _read(self, delivery: DueDelivery, token: str, now: datetime) -> Counter[str]:
        reason = ""
        try:
            # In a thread: a body may be large, and the loop has probes and other hooks to answer.
            reading = await asyncio.to_thread(self.accounts[delivery.carrier].receiver.read, delivery.body)
        except PermanentCarrierError as error:
            reason = error.message
        except Exception as error:
            # A fault of the adapter's in this one body. Its words may quote the body, so only its kind is kept.
            log.error("hook.misread", carrier=delivery.carrier, delivery_id=delivery.id, exc_info=error)
            reason = f"the adapter failed on it ({type(error).__name__})"
        if not reason:
            try:
                record = partial(self._record, delivery=delivery, reading=reading, token=token, now=now)
                return await self.database.write(record)
            except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
                # What the adapter made of it fits nowhere: the next ones must have their turn.
                log.error("hook.misread", carrier=delivery.carrier, delivery_id=delivery.id, exc_info=error)
                reason = f"what the adapter read cannot be recorded ({type(error).__name__})"
        await self.database.write(partial(self._set_aside, delivery=delivery, reason=reason, token=token, now=now))
        return Counter(unreadable=1)

    def _set_aside(self, connection: Connection, delivery: DueDelivery, reason: str, token: str, now: datetime) -> None:
        """Keep what cannot be read, and say so once."""
        carrier, again = delivery.carrier, _next_try(UNREADABLE_TRIES, delivery.received_at, now)
        if not settle_delivery(connection, delivery.id, token, state=UNREADABLE, next_read_at=again, reason=reason):
            return
        metrics.hook_read(carrier, UNREADABLE)
        log.warning("hook.unreadable", carrier=carrier, delivery_id=delivery.id, reason=reason)
        if delivery.state != UNREADABLE:
            what = f"{carrier} pushed something that cannot be read (H{delivery.id}: {reason}); it is kept and tried again daily"
            signal(connection, [_unreadable_note(carrier, what, raised=True)], now)
        elif again is None:
            self._call_off(connection, carrier, "it was tried for two weeks, and is not tried again", now)

    @staticmethod
    def _call_off(connection: Connection, carrier: str, why: str, now: datetime) -> None:
        if not has_unreadable(connection, carrier):
            signal(connection, [_unreadable_note(carrier, f"{carrier}: {why}", raised=False)], now)

    def _record(
        self, connection: Connection, delivery: DueDelivery, reading: FeedReading, token: str, now: datetime
    ) -> Counter[str]:
        carrier, account = delivery.carrier, self.accounts[delivery.carrier]
        answers = {
            ref: answer
            for ref, answer in reading.answers.items()
            if answer.outcome is AnswerOutcome.FOUND and (delivery.unmatched is None or ref in delivery.unmatched)
        }
        found = followed(connection, carrier, account.adapter, answers.keys())
        missing = answers.keys() - found.keys()
        state = "unmatched" if missing else "read"
        again = _next_try(UNMATCHED_TRIES, delivery.received_at, now) if missing else None
        if not settle_delivery(connection, delivery.id, token, state=state, next_read_at=again, unmatched=missing):
            return Counter()
        added = sum(self._tell(connection, delivery, layer, now) for layer in _layers(answers, found))
        if delivery.state != "unmatched" or not missing:
            metrics.hook_read(carrier, state, added)
        if delivery.state == UNREADABLE:
            self._call_off(connection, carrier, "what it pushed can be read now", now)
        shipments = sum(map(len, found.values()))
        counts = {
            "shipments": shipments,
            "events_added": added,
            "unmatched": len(missing),
            "faults": len(reading.faults),
        }
        return Counter(read=1, **counts)

    def _tell(
        self, connection: Connection, delivery: DueDelivery, answers: Mapping[int, TrackingAnswer], now: datetime
    ) -> int:
        """Record what was told of these shipments; returns how many events were new."""
        lock_looks(connection, answers.keys())
        recorded = self.accounts[delivery.carrier].record(connection, answers, now)
        raw = [(key, blake2b(answer.raw, digest_size=16).hexdigest(), answer.raw) for key, answer in answers.items()]
        keep_raw(connection, "shipment", [row for row in raw if row[2]], delivery.received_at)
        polls = polls_of(connection, list(answers))
        told = []
        for key, poll in polls.items():
            pushed = max(filter(None, (poll.pushed_at, delivery.received_at)))
            standing = standing_of(poll._replace(pushed_at=pushed, hook_at=pushed), recorded.get(key))
            following = next_after_push(standing, poll.last_polled_at, self.policy, self.days(poll.shop), now)
            if not answers[key].events:
                # It tells that there is news, and not which: the next look does, and must not wait for a day.
                following = following._replace(at=now)
            known_at = _known_at(answers[key], delivery.received_at)
            told.append(Told(key, pushed, known_at, following.at, following.urgent, following.closed_reason))
        save_told(connection, told, {key: poll.last_answered_at for key, poll in polls.items()})
        return sum(entry.events_added for entry in recorded.values())


def _layers(
    answers: Mapping[TrackingRef, TrackingAnswer], found: Mapping[TrackingRef, Sequence[int]]
) -> list[dict[int, TrackingAnswer]]:
    """By shipment; one that was told of under two of its numbers stands in two layers."""
    layers: list[dict[int, TrackingAnswer]] = []
    places: Counter[int] = Counter()
    for ref, shipment_ids in found.items():
        for shipment_id in shipment_ids:
            if places[shipment_id] == len(layers):
                layers.append({})
            layers[places[shipment_id]][shipment_id] = answers[ref]
            places[shipment_id] += 1
    return layers


def _known_at(answer: TrackingAnswer, received_at: datetime) -> datetime | None:
    """As of when the carrier told how the parcel stands: its newest event. A push that was long on its way says no more of
    the hours since, and a parcel must not be late for them."""
    newest = max((event.occurred_at for event in answer.events), default=None)
    return min(newest, received_at) if newest is not None else None


def _next_try(tries: Sequence[timedelta], received_at: datetime, now: datetime) -> datetime | None:
    return next((at for wait in tries if (at := received_at + wait) > now), None)


def _unreadable_note(carrier: str, summary: str, *, raised: bool) -> SignalNote:
    severity = "warning" if raised else "info"
    key = f"hook_unreadable:{carrier}"
    return SignalNote(key, "hook_unreadable", severity, summary, raised, details={"carrier": carrier})
