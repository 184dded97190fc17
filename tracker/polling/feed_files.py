"""Takes what a carrier sent by itself: keeps it as a fact, reads it, and hands what it says to be recorded.

A file is known by its content. It is kept before it is read, so that a death in between only makes the next start read it from
the beginning, which doubles nothing. What it says of a number that is no parcel of ours yet is waited for: the order may come
later than the carrier's news. Such a file is never a whole history: what it leaves out is not taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from hashlib import blake2b, sha256
from itertools import groupby
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from carriers.base import (
    AnswerOutcome,
    EventFeed,
    FeedFault,
    FeedReading,
    FileFeed,
    PermanentCarrierError,
    TrackingAnswer,
    TrackingRef,
)
from tracker.errors import ProgramError
from tracker.polling.sweep import Recorder
from tracker.store.database import Database
from tracker.store.feeds import (
    FeedFileRow,
    change_feed,
    come,
    count_in_file,
    drop_old_bodies,
    drop_old_files,
    file_body,
    finish_file,
    former_file,
    is_newest_faulty,
    newest_faulty,
    replace_file,
    restart_file,
    shipments_of,
    stop_waiting,
    store_file,
    unread_files,
    wait_for,
    wait_no_more,
)
from tracker.store.logs import SignalNote, signal
from tracker.store.polls import keep_raw
from tracker.store.wake import wake_polling

log = structlog.get_logger(__name__)
BATCH: Final = 200
NAMED: Final = 20
"""Among so many files, the newest, an alert names those with faults."""
KEPT_FAULTS: Final = 1_000
WAITED_FOR: Final = timedelta(days=30)
"""A number that no order has named for so long is somebody else's."""
BODY_FOR: Final = timedelta(days=45)
"""So long a file is kept as it came: what it told of our parcels is kept with them, the rest is other people's."""
KNOWN_FOR: Final = timedelta(days=400)
UNREADABLE: Final = "feed_refused"


class Fate(StrEnum):
    """What became of a file."""

    READ = "read"
    REFUSED = "refused"
    """Nothing in it could be read."""
    DUPLICATE = "duplicate"
    """The same content was read before."""
    FOREIGN = "foreign"
    """Another kind of file: it is left where it is."""
    PUT_DOWN = "put_down"
    """The program stops: it is read from its beginning after the next start."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file, and what there is to say of it to a person, a sentence a line."""

    fate: Fate
    report: tuple[str, ...] = ()
    matched: int = 0
    answers: int = 0


@dataclass(frozen=True)
class FeedFiles:
    """One account's feed. `reading_version` as in its terms."""

    database: Database
    carrier: str
    feed: EventFeed
    record: Recorder
    reading_version: str
    stopping: Callable[[], bool] = lambda: False

    async def take(self, name: str, payload: bytes, now: datetime) -> Taken:
        """Keep and read a file."""
        if isinstance(self.feed, FileFeed) and not await asyncio.to_thread(self.feed.is_own, name, payload):
            return Taken(Fate.FOREIGN, ("is another kind of file: it was left where it is",))
        kept = await self.keep(name, payload, now)
        if kept.state == "read":
            return Taken(Fate.DUPLICATE, ("the same content was read before",))
        return await self._read(kept, payload, now)

    async def keep(self, name: str, payload: bytes, now: datetime) -> FeedFileRow:
        """Keep a file as a fact."""
        content_hash = sha256(payload).hexdigest()
        kept, _ = await self.database.write(lambda c: store_file(c, self.carrier, content_hash, name, payload, now))
        return kept

    async def take_newest_of(self, name: str, payload: bytes, now: datetime) -> Taken:
        """As `take`, of an answer that says all that the former one of that name said, and perhaps more."""
        kept = await self.keep(name, payload, now)
        if kept.state == "read":
            await self.database.write(lambda c: change_feed(c, self.carrier, heard_at=now))
            return Taken(Fate.DUPLICATE)
        former = await self.database.read(lambda c: former_file(c, self.carrier, name, kept.id))
        return await self._read(kept, payload, now, former)

    async def finish(self, now: datetime) -> int:
        """Read what was kept and not read to its end; returns how many files that were."""
        rest = await self.database.read(lambda c: unread_files(c, self.carrier))
        for count, row in enumerate(rest):
            payload = await self._body(row.id)
            if self.stopping() or payload is None:
                return count
            await self._read(row, payload, now)
        return len(rest)

    async def retry(self, now: datetime) -> int:
        """Record what was said of numbers whose parcels have come since; returns how many."""
        found = await self.database.read(lambda c: come(c, self.carrier))
        for file_id, group in groupby(found, key=lambda one: one.file_id):
            wanted = {one.of: one.shipment_id for one in group}
            reading = await self._reading_of(file_id)
            said = {ref: reading.answers[ref] for ref in wanted if reading is not None and ref in reading.answers}
            answers = [(wanted[ref], answer) for ref, answer in said.items()]
            await self.database.write(partial(self._come, file_id=file_id, refs=list(wanted), answers=answers, now=now))
            log.info("feed.come", carrier=self.carrier, file_id=file_id, shipments=len(answers))
        return len(found)

    async def tidy(self, now: datetime) -> None:
        """Forget what is too old to be waited for, and files that nobody needs any more."""

        def drop(connection: Connection) -> tuple[int, int, int]:
            given_up = stop_waiting(connection, self.carrier, now - WAITED_FOR)
            bodies = drop_old_bodies(connection, self.carrier, now - BODY_FOR)
            return given_up, bodies, drop_old_files(connection, self.carrier, now - KNOWN_FOR)

        given_up, bodies, files = await self.database.write(drop)
        if given_up or bodies or files:
            log.info("feed.tidied", carrier=self.carrier, numbers=given_up, bodies=bodies, files=files)

    # --- reading --------------------------------------------------------------------------------------

    async def _read(self, kept: FeedFileRow, payload: bytes, now: datetime, former: FeedFileRow | None = None) -> Taken:
        """Read it, and record what the former one, if any, did not say already."""
        try:
            reading = await asyncio.to_thread(self.feed.read, payload)
        except PermanentCarrierError as fault:
            return await self._refuse(kept, fault.message, now)
        except Exception as fault:  # a stranger's reader may raise anything; one file must not stop the others
            log.error("feed.reader_failed", carrier=self.carrier, file=kept.name, exc_info=fault)
            return await self._refuse(kept, f"its reader failed ({type(fault).__name__}): the log says where", now)
        try:
            return await self._store(kept, reading, former, now)
        except ProgramError:
            raise  # the database's fault, not the file's
        except Exception as fault:  # an answer that no adapter should make: the same at every try
            log.error("feed.reader_failed", carrier=self.carrier, file=kept.name, exc_info=fault)
            return await self._refuse(kept, f"it cannot be recorded ({type(fault).__name__}): the log says where", now)

    async def _store(self, kept: FeedFileRow, reading: FeedReading, former: FeedFileRow | None, now: datetime) -> Taken:
        known = await self._answers_of(former) if former is not None else {}
        numbers = list(reading.answers)
        await self.database.write(lambda c: restart_file(c, kept.id))
        answers = matched = 0
        for start in range(0, len(numbers), BATCH):
            if self.stopping():
                log.info("feed.put_down", carrier=self.carrier, file=kept.name)
                return Taken(Fate.PUT_DOWN)
            batch = await asyncio.to_thread(_news, reading.answers, numbers[start : start + BATCH], known)
            answers += len(batch)
            if batch:
                matched += await self.database.write(partial(self._save, file_id=kept.id, batch=batch, now=now))
        # One that lacks something may not be put in the place of the former: its parcels may still come.
        replaced = former.id if former is not None and known.keys() <= reading.answers.keys() else None
        await self.database.write(partial(self._finished, kept=kept, reading=reading, replaced=replaced, now=now))
        counts = {"answers": answers, "shipments": matched, "faults": len(reading.faults)}
        log.info("feed.read", carrier=self.carrier, file=kept.name, **counts)
        return Taken(Fate.READ, tuple(sentence(fault) for fault in reading.faults), matched, answers)

    def _save(self, connection: Connection, *, file_id: int, batch: Sequence[TrackingAnswer], now: datetime) -> int:
        """One batch: what is said of our parcels is recorded, the other numbers are waited for."""
        names = {answer.ref: (answer.ref, *answer.also) for answer in batch}
        ours = shipments_of(connection, self.carrier, [ref for refs in names.values() for ref in refs])
        found: list[tuple[int, TrackingAnswer]] = []
        waiting: dict[TrackingRef, tuple[TrackingRef, ...]] = {}
        for answer in batch:
            key = next((ours[ref] for ref in names[answer.ref] if ref in ours), None)
            if key is None:
                waiting[answer.ref] = names[answer.ref]
            else:
                found.append((key, answer))
        self._record(connection, found, now)
        wait_for(connection, self.carrier, file_id, waiting, now)
        count_in_file(connection, file_id, len(batch), len(found))
        return len(found)

    def _come(
        self,
        connection: Connection,
        *,
        file_id: int,
        refs: Sequence[TrackingRef],
        answers: Sequence[tuple[int, TrackingAnswer]],
        now: datetime,
    ) -> None:
        self._record(connection, answers, now)
        wait_no_more(connection, file_id, refs)
        count_in_file(connection, file_id, 0, len(answers))

    def _record(self, connection: Connection, found: Sequence[tuple[int, TrackingAnswer]], now: datetime) -> None:
        together: dict[int, TrackingAnswer] = {}
        for key, answer in found:
            if answer.outcome is AnswerOutcome.FOUND:
                together[key] = _joined(together[key], answer) if key in together else answer
        self.record(connection, together, now)
        raw = [(key, self._digest(answer.raw), answer.raw) for key, answer in together.items() if answer.raw]
        keep_raw(connection, "shipment", raw, now)
        # Looked at anew in this very run: when next, depends on what was just learned.
        wake_polling(connection, [(key, self.carrier) for key in together], now)

    def _digest(self, raw: bytes) -> str:
        digest = blake2b(raw, digest_size=16)
        digest.update(b"\0" + self.reading_version.encode())
        return digest.hexdigest()

    async def _body(self, file_id: int) -> bytes | None:
        return await self.database.read(lambda c: file_body(c, file_id))

    async def _reading_of(self, file_id: int) -> FeedReading | None:
        payload = await self._body(file_id)
        if payload is None:
            return None
        try:
            return await asyncio.to_thread(self.feed.read, payload)
        except PermanentCarrierError:
            return None  # it was read once: another program wrote this adapter since

    async def _answers_of(self, row: FeedFileRow) -> Mapping[TrackingRef, TrackingAnswer]:
        reading = await self._reading_of(row.id)
        return reading.answers if reading is not None else {}

    # --- what became of it ------------------------------------------------------------------------------

    def _finished(
        self, connection: Connection, *, kept: FeedFileRow, reading: FeedReading, replaced: int | None, now: datetime
    ) -> None:
        report = [{"line": fault.line, "reason": fault.reason} for fault in reading.faults[:KEPT_FAULTS]]
        finish_file(connection, kept.id, "read", faults=len(reading.faults), report=report)
        if replaced is not None:
            replace_file(connection, replaced, kept.id)
        change_feed(connection, self.carrier, heard_at=now)
        if reading.faults or kept.state == "refused" or is_newest_faulty(connection, self.carrier, kept.id):
            signal(connection, [self._note(connection, is_good=not reading.faults)], now)

    async def _refuse(self, kept: FeedFileRow, reason: str, now: datetime) -> Taken:
        def refuse(connection: Connection) -> None:
            report = [{"line": None, "reason": reason}]
            finish_file(connection, kept.id, "refused", faults=1, report=report)
            signal(connection, [self._note(connection, is_good=False)], now)

        await self.database.write(refuse)
        log.warning("feed.refused", carrier=self.carrier, file=kept.name, reason=reason)
        return Taken(Fate.REFUSED, (reason,))

    def _note(self, connection: Connection, *, is_good: bool) -> SignalNote:
        key = f"{UNREADABLE}:{self.carrier}"
        if is_good:
            return SignalNote(key, UNREADABLE, "info", f"what {self.carrier} sends can be read again", raised=False)
        faulty = newest_faulty(connection, self.carrier, NAMED)
        name, report = faulty[0]
        first = FeedFault(report[0]["line"], report[0]["reason"])
        summary = f"{name}, sent by {self.carrier}, could not be read: {sentence(first)}"
        if len(report) > 1 or first.line is not None:
            some = "a line" if len(report) == 1 else f"{len(report)} lines"
            summary = f"{some} of {name}, sent by {self.carrier}, could not be read; {sentence(first)}"
        details: dict[str, Any] = {"carrier": self.carrier, "files": [one for one, _ in faulty]}
        return SignalNote(key, UNREADABLE, "warning", summary, details=details)


def sentence(fault: FeedFault) -> str:
    """A fault for a person: `line 7: has no date that can be`."""
    return fault.reason if fault.line is None else f"line {fault.line}: {fault.reason}"


def _news(
    answers: Mapping[TrackingRef, TrackingAnswer],
    numbers: Sequence[TrackingRef],
    known: Mapping[TrackingRef, TrackingAnswer],
) -> list[TrackingAnswer]:
    """Of these numbers, the answers that are not known word for word."""
    found = []
    for ref in numbers:
        answer, before = answers[ref], known.get(ref)
        if before is None or before.raw != answer.raw or before.events != answer.events:
            found.append(answer)
    return found


def _joined(one: TrackingAnswer, other: TrackingAnswer) -> TrackingAnswer:
    """Two numbers of one parcel in one file: what is said of it is what is said of both."""
    events = {event.key: event for event in (*one.events, *other.events)}
    in_time = tuple(sorted(events.values(), key=lambda event: event.occurred_at))
    return replace(one, events=in_time, raw=one.raw + b"\n" + other.raw)
