"""The one alert that cannot be a row: that the database takes none. It is told straight from this process's memory.

Once to each sink when the fault has stood for a while, once when it is over; then it is written down, so that the list of
alerts has it, under a number of its own: meanwhile its id begins with D. A process that ends meanwhile has told of the
beginning alone: whoever starts it again has looked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from tracker import metrics
from tracker.alerts.envelope import envelope
from tracker.alerts.sinks import SinkEntry
from tracker.clock import Clock, SystemClock, monotonic_s
from tracker.domain.alerting import Tone
from tracker.domain.outcome import Outcome, Result
from tracker.errors import DatabaseFaultError
from tracker.store.alerts import AlertRow, Notification, note_past
from tracker.store.database import Database

log = structlog.get_logger(__name__)
KIND: Final = "database_unusable"
STANDS_S: Final = 120.0
"""Each lane has been tried twice by then: a short trouble has passed by itself."""
CALM_S: Final = 30.0
"""On a disk that is all but full small writes succeed between those that fail: that is one fault, not many short ones."""
EVERY_S: Final = 5.0
FIRST_WAIT_S: Final = 5.0
MAX_WAIT_S: Final = 900.0
MOST_TRIES: Final = 100
"""About a day."""
_AGAIN: Final = frozenset({Result.RETRY, Result.THROTTLED, Result.ACCOUNT_DOWN})


@dataclass
class _Word:
    """What one sink has yet to be told."""

    entry: SinkEntry
    note: Notification
    tries: int = 0
    due_s: float = 0.0


@dataclass
class DatabaseAlarm:
    """Watches the engine's word about the database. `fault` is '' where there is none; `sinks` those configured now."""

    fault: Callable[[], str]
    sinks: Callable[[], Sequence[SinkEntry]]
    database: Callable[[], Database]
    clock: Clock
    wall: Clock = field(default_factory=SystemClock)
    """The machine's clock numbers the notifications: a trial's may stand still."""
    monotonic: Callable[[], float] = monotonic_s
    _since_s: float | None = None
    _since: datetime | None = None
    _met_s: float = 0.0
    """When it was last found to stand."""
    _raised: AlertRow | None = None
    _told: dict[str, SinkEntry] = field(default_factory=dict)
    """Sinks that know of its beginning."""
    _words: list[_Word] = field(default_factory=list)
    _last_number: int = 0
    _past: list[AlertRow] = field(default_factory=list)
    """What is over and not yet written down."""

    async def keep(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except Exception as exc:
                # A fault of ours; without its next look nobody would hear of the database's.
                log.error("alarm.failed", error=type(exc).__name__, exc_info=exc)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Look once; tell what there is to tell, each sink beside the others."""
        fault = self.fault()
        here = self.monotonic()
        if fault:
            self._met_s = here
            self._stands(fault)
        elif here - self._met_s >= CALM_S:
            self._is_over()
        due = [word for word in self._words if word.due_s <= here]
        await asyncio.gather(*(self._tell(word) for word in due))
        if self._past and not fault:
            await self._write_down()

    def _stands(self, fault: str) -> None:
        if self._since_s is None:
            self._since_s, self._since = self.monotonic(), self.clock.now()
        if self._raised is not None or self.monotonic() - self._since_s < STANDS_S:
            return
        self._raised = _alert(self._number(), fault, self._since or self.clock.now())
        wanting = [entry for entry in self.sinks() if entry.policy.wants(KIND, "critical")]
        self._words += [self._word(entry, self._raised, Tone.RAISED) for entry in wanting]

    def _is_over(self) -> None:
        self._since_s = self._since = None
        if self._raised is None:
            return
        over = replace(self._raised, resolved_at=self.clock.now())
        self._raised = None
        # Who has not heard of its beginning need not hear of its end.
        self._words = [word for word in self._words if word.note.tone != Tone.RAISED]
        self._words += [self._word(entry, over, Tone.RESOLVED) for entry in self._told.values()]
        self._told = {}
        self._past.append(over)

    def _word(self, entry: SinkEntry, alert: AlertRow, tone: Tone) -> _Word:
        body = {**envelope(alert, tone), "id": f"D{alert.id}"}
        number = self._number()
        return _Word(entry, Notification(number, entry.name, tone.value, body, "queued", self.clock.now(), 0, False))

    def _number(self) -> int:
        """Of no row, since a row's numbers are far smaller; no two of one process are the same."""
        self._last_number = max(round(self.wall.now().timestamp() * 1_000), self._last_number + 1)
        return self._last_number

    async def _tell(self, word: _Word) -> None:
        try:
            outcome = await word.entry.sink.tell(word.note, self.clock.now(), _leaving)
        except Exception as exc:
            log.error("alert.untellable", sink=word.entry.label, error=type(exc).__name__, exc_info=exc)
            outcome = Outcome(Result.BAD_CONTENT, "fault")
        metrics.alert_told(word.entry.name, outcome.result.value)
        word.tries += 1
        if outcome.result in _AGAIN and word.tries < MOST_TRIES:
            wait_s = min(FIRST_WAIT_S * 2.0 ** min(word.tries - 1, 16), MAX_WAIT_S)
            word.due_s = self.monotonic() + (outcome.after.total_seconds() if outcome.after else wait_s)
            if word.tries == 1:
                log.warning("alert.not_told", sink=word.entry.label, reason=outcome.reason, state="queued")
            return
        self._words.remove(word)
        if outcome.result in {Result.ACCEPTED, Result.UNKNOWN}:
            if word.note.tone == Tone.RAISED:
                self._told[word.entry.name] = word.entry
        else:
            log.warning("alert.not_told", sink=word.entry.label, reason=outcome.reason, state="failed")

    async def _write_down(self) -> None:
        past = list(self._past)
        try:
            await self.database().write(partial(note_past, alerts=past))
        except DatabaseFaultError as fault:
            log.debug("alert.unrecorded", reason=str(fault))
            return
        self._past = [alert for alert in self._past if alert not in past]


def _alert(number: int, fault: str, since: datetime) -> AlertRow:
    host = socket.gethostname()
    return AlertRow(number, "", f"database:{host}", KIND, "critical", fault, {"host": host}, since, None)


async def _leaving() -> None:
    """Nothing can be written down before it leaves."""
