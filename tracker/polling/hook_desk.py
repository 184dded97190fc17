"""Takes what comes to the carriers' hooks: proved by the adapter, on the disk before it is answered, read later.

A flood of forgeries costs a digest each: nothing is written for one, neither rows nor log lines. Once a minute the count is
logged, and many within an hour are one alert.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Final

import structlog

from carriers.base import HookOutcome, HookReceiver, HookRequest, HookVerdict
from tracker import metrics
from tracker.clock import Clock
from tracker.errors import DatabaseFaultError, ProgramError
from tracker.store.database import Database
from tracker.store.hooks import Arrival, keep_deliveries, packed
from tracker.store.logs import SignalNote, signal

log = structlog.get_logger(__name__)
KEEP_WITHIN_S: Final = 4.0
"""A database that takes longer is busy: the carrier is asked to come again. Should the row come after all, it is kept once."""
AGAIN_AFTER_S: Final = 60
AT_ONCE: Final = 50
"""Bodies in one commit."""
MOST_WAITING: Final = 200
"""So many wait in memory for a database that hangs; the carriers keep the others."""
BUSY: Final = "the database is busy"
MANY_REFUSED: Final = 20
REFUSED_WITHIN: Final = timedelta(hours=1)
REFUSALS: Final = frozenset({401, 403})
PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HookReply:
    """What is answered."""

    status: int
    body: bytes = b""
    content_type: str = PLAIN
    headers: Mapping[str, str] = field(default_factory=dict)


_UNAVAILABLE: Final = HookReply(503, headers={"Retry-After": str(AGAIN_AFTER_S)})


@dataclass
class _Tally:
    """What one account's hook did not take."""

    refused: int = 0
    """Not logged yet; likewise `unkept`."""
    unkept: int = 0
    refused_why: str = ""
    unkept_why: str = ""
    counted: deque[tuple[datetime, int]] = field(default_factory=deque)
    """Refusals a minute, within the last hour."""
    is_raised: bool | None = None
    """Whether the alert stands; None: another process may have raised it."""

    def refuse(self, reason: str) -> None:
        self.refused += 1
        self.refused_why = reason

    def lose(self, reason: str) -> None:
        self.unkept += 1
        self.unkept_why = reason


class _Together:
    """Puts what comes while one commit lasts on the disk in the next: a commit is what costs most here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Arrival, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, arrival: Arrival) -> bool:
        """Returns once it is committed, whether it was new. Raises what the database raises."""
        if len(self._waiting) >= MOST_WAITING:
            raise DatabaseFaultError(BUSY)
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, kept))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="hooks")
        return await kept

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            arrivals = [arrival for arrival, _ in batch]
            try:
                new = await self._database.write(partial(keep_deliveries, arrivals=arrivals))
            except Exception as error:
                for _, kept in batch:
                    if not kept.done():
                        kept.set_exception(error)
                continue
            for arrival, kept in batch:
                if not kept.done():
                    kept.set_result(arrival.key in new)


class HookDesk:
    """The hooks of one configuration's accounts."""

    def __init__(self, database: Database, receivers: Mapping[str, HookReceiver], clock: Clock) -> None:
        """*receivers*: by account."""
        self._database, self._receivers, self._clock = database, receivers, clock
        self._tallies = {carrier: _Tally() for carrier in receivers}
        self._together = _Together(database)
        self._began_at = clock.now()

    @property
    def carriers(self) -> Collection[str]:
        """The accounts that have a hook."""
        return self._receivers.keys()

    async def receive(
        self, carrier: str, method: str, headers: Mapping[str, str], query: str, body: bytes
    ) -> HookReply | None:
        """Judge one request; what the carrier signed is committed before this returns. None: no account has this hook.

        Args:
            carrier: the account that the address names.
            method: in capitals.
            headers: names in lower case.
            query: what stands behind the `?`.
            body: the bytes as they came.
        """
        receiver = self._receivers.get(carrier)
        if receiver is None:
            return None
        try:
            verdict = receiver.check(HookRequest(method, headers, body, query))
        except Exception as error:
            # A fault of the adapter's: whether it was the carrier's is not known, so it may come again.
            return self._unavailable(carrier, f"the adapter failed on it ({type(error).__name__})")
        now = self._clock.now()
        if verdict.outcome is HookOutcome.REFUSED or _is_stale(verdict, now):
            self._tallies[carrier].refuse(verdict.reason or "its time is long over")
            metrics.hook_asked(carrier, "refused")
            return HookReply(verdict.status if verdict.status in REFUSALS else 401)
        if verdict.outcome is HookOutcome.PROBE or method != "POST" or not body:
            metrics.hook_asked(carrier, "probe")
        elif (fault := await self._keep(carrier, body, now)) is not None:
            return self._unavailable(carrier, fault)
        return HookReply(verdict.status, verdict.body, verdict.content_type)

    async def _keep(self, carrier: str, body: bytes, now: datetime) -> str | None:
        """Put a body on the disk; why it is not there, or not known to be."""
        arrival = Arrival(carrier, blake2b(body, digest_size=32).hexdigest(), packed(body), now)
        keeping = asyncio.ensure_future(self._together.keep(arrival))
        # A thread cannot be called back, and what it writes later is the carrier's all the same.
        done, _ = await asyncio.wait([keeping], timeout=KEEP_WITHIN_S)
        if not done:
            keeping.add_done_callback(lambda late: late.cancelled() or late.exception())
            return BUSY
        error = keeping.exception()
        if error is not None:
            return str(error) if isinstance(error, ProgramError) else type(error).__name__
        metrics.hook_asked(carrier, "accepted" if keeping.result() else "repeated")
        return None

    def _unavailable(self, carrier: str, reason: str) -> HookReply:
        self._tallies[carrier].lose(reason)
        metrics.hook_asked(carrier, "unavailable")
        return _UNAVAILABLE

    async def tell(self, now: datetime) -> int:
        """Say what was not taken in the last minutes; never any work for other lanes, so 0."""
        notes = [note for carrier, tally in self._tallies.items() if (note := self._judge(carrier, tally, now))]
        if notes:
            await self._database.write(partial(signal, notes=notes, at=now))
        for note in notes:
            self._tallies[str(note.details["carrier"])].is_raised = note.raised
        return 0

    def _judge(self, carrier: str, tally: _Tally, now: datetime) -> SignalNote | None:
        if tally.unkept:
            log.warning("hook.not_kept", carrier=carrier, requests=tally.unkept, reason=tally.unkept_why)
            tally.unkept = 0
        if tally.refused:
            log.warning("hook.refused", carrier=carrier, requests=tally.refused, reason=tally.refused_why)
            tally.counted.append((now, tally.refused))
            tally.refused = 0
        while tally.counted and now - tally.counted[0][0] > REFUSED_WITHIN:
            tally.counted.popleft()
        total = sum(count for _, count in tally.counted)
        if total >= MANY_REFUSED and not tally.is_raised:
            what = (
                f"{total} requests to the hook of {carrier} within an hour were not the carrier's: {tally.refused_why}"
            )
            return _note(carrier, what, raised=True)
        is_over = tally.is_raised or (tally.is_raised is None and now - self._began_at > REFUSED_WITHIN)
        if is_over and total < MANY_REFUSED:
            return _note(carrier, f"what comes to the hook of {carrier} is its own again", raised=False)
        return None


def _is_stale(verdict: HookVerdict, now: datetime) -> bool:
    if verdict.sent_at is None or verdict.good_for is None:
        return False
    return now - verdict.sent_at > verdict.good_for


def _note(carrier: str, summary: str, *, raised: bool) -> SignalNote:
    key, severity = f"hook_refused:{carrier}", "warning" if raised else "info"
    return SignalNote(key, "hook_refused", severity, summary, raised, details={"carrier": carrier})
