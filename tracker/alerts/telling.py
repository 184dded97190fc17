"""Tells one sink what it is to be told: a lane a sink, so that one that is down delays no other."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from tracker import metrics
from tracker.alerts.sinks import ALERT, SinkEntry
from tracker.alerts.webhook import retry_in
from tracker.domain.alerting import WordState
from tracker.domain.outcome import Outcome, Result
from tracker.errors import ProgramError
from tracker.store.alerts import (
    Notification,
    give_up_sink,
    put_off,
    save_notification,
    settle_words,
    sink_is_back,
    take_due,
)
from tracker.store.database import Database
from tracker.store.leases import new_token
from tracker.store.logs import SignalNote, signal

log = structlog.get_logger(__name__)
BATCH: Final = 20
TOLD_AFTER: Final = 4
"""Refused so often, for more than half an hour, the other sinks are told."""
RECONCILE: Final = timedelta(minutes=15)
"""How long a mail that left without an answer waits before it is sent once more: an alert may rather come twice than never."""
_AGAIN: Final = frozenset({Result.RETRY, Result.THROTTLED})
_GIVES_UP: Final = frozenset({Result.ACCOUNT_DOWN, Result.BAD_ADDRESS, Result.BLOCKED})


class LeaseLost(Exception):
    """Somebody else took the notification over before it left."""


@dataclass(frozen=True)
class SinkSweep:
    """The lane of one sink. `jitter` draws a number in [0, 1): what failed together must not come back together."""

    database: Database
    entry: SinkEntry
    jitter: Callable[[], float] = random.random

    async def run(self, now: datetime) -> int:
        """Tell what is due, oldest first; returns how many notifications were worked on."""
        total = 0
        while True:
            token = new_token()
            take = partial(take_due, sink=self.entry.name, now=now, limit=BATCH, token=token)
            due = await self.database.write(take)
            for place, note in enumerate(due):
                total += 1
                again_at = await self._one(note, token, now)
                if again_at is not None:
                    # The next would fare the same, and nothing may overtake what it follows.
                    rest = [waiting.id for waiting in due[place + 1 :]]
                    await self.database.write(partial(put_off, notification_ids=rest, until=again_at, token=token))
                    return total
            if len(due) < BATCH:
                return total

    async def _one(self, note: Notification, token: str, now: datetime) -> datetime | None:
        """Tell one; when the sink is tried again, where it is not to be tried now."""
        if note.state == "sending":
            # We died after it was committed that it leaves: the server may have it.
            outcome = Outcome(Result.UNKNOWN, "died_while_sending")
        else:
            try:
                outcome = await self.entry.sink.tell(note, now, partial(self._leaving, note, token, now))
            except LeaseLost:
                return None
            except ProgramError:
                raise
            except Exception as exc:
                # A fault of ours in this one must not hold up those behind it.
                log.error("alert.untellable", sink=self.entry.label, error=type(exc).__name__, exc_info=exc)
                outcome = Outcome(Result.BAD_CONTENT, "fault")
            metrics.alert_told(self.entry.name, outcome.result.value)
        return await self.database.write(partial(self._settle, note=note, outcome=outcome, token=token, now=now))

    async def _leaving(self, note: Notification, token: str, now: datetime) -> None:
        values = {"state": "sending", "sending_at": now, "repeated": note.repeated or note.state == "unconfirmed"}
        save = partial(save_notification, notification_id=note.id, values=values, token=token, keep_lease=True)
        if not await self.database.write(save):
            raise LeaseLost

    def _settle(
        self, connection: Connection, note: Notification, outcome: Outcome, token: str, now: datetime
    ) -> datetime | None:
        attempts = note.attempts + (outcome.result is not Result.THROTTLED)
        values: dict[str, Any] = {"attempts": attempts, "next_step_at": None, "reason": outcome.reason or None}
        again_at = None
        if outcome.result is Result.ACCEPTED:
            values |= {"state": "sent", "sent_at": now, "reason": None}
        elif outcome.result is Result.UNKNOWN:
            once_more = not (note.repeated or note.state == "unconfirmed")
            values |= {"state": "unconfirmed", "next_step_at": now + RECONCILE if once_more else None}
        elif outcome.result in _AGAIN and (wait := self._wait(attempts, outcome)) is not None:
            again_at = now + wait
            values |= {"state": "unconfirmed" if note.state == "unconfirmed" else "queued", "next_step_at": again_at}
        else:
            values["state"] = "failed"
        if not save_notification(connection, note.id, values, token):
            return None
        self._follow_up(connection, note, outcome, values, now)
        return again_at

    def _wait(self, attempts: int, outcome: Outcome) -> timedelta | None:
        if outcome.result is Result.THROTTLED:
            return outcome.after or timedelta(minutes=1)
        return retry_in(attempts, outcome, jitter=self.jitter())

    def _follow_up(
        self, connection: Connection, note: Notification, outcome: Outcome, values: dict[str, Any], now: datetime
    ) -> None:
        state, reason = values["state"], values["reason"]
        if state in {"sent", "unconfirmed"}:
            settle_words(connection, note.id, WordState.SENT, now, reason)
        if state == "sent":
            sink_is_back(connection, self.entry.name, now)
            if note.attempts >= TOLD_AFTER:
                signal(connection, [self._note("info", f"{self.entry.label} takes alerts again", raised=False)], now)
            return
        log.warning(
            "alert.not_told", sink=self.entry.label, alert_id=note.body.get("id"), reason=outcome.reason, state=state
        )
        if state == "failed":
            settle_words(connection, note.id, WordState.FAILED, None, reason)
            if outcome.result in _AGAIN or outcome.result in _GIVES_UP:
                self._give_up(connection, reason or outcome.result.value, now)
        elif state == "queued" and values["attempts"] == TOLD_AFTER:
            summary = f"{self.entry.label} takes no alerts: {reason}; it is tried for three days"
            signal(connection, [self._note("warning", summary)], now)

    def _give_up(self, connection: Connection, reason: str, now: datetime) -> None:
        give_up_sink(connection, self.entry.name, reason, now)
        log.error("alert.sink_given_up", sink=self.entry.label, reason=reason)
        summary = (
            f"{self.entry.label} is told nothing more: {reason}. Mend it, then change its entry under alerts "
            "(its address or secret) or run tracker alerts retry"
        )
        signal(connection, [self._note("critical", summary)], now)

    def _note(self, severity: str, summary: str, *, raised: bool = True) -> SignalNote:
        return SignalNote(self.entry.alert_key, ALERT, severity, summary, raised, details={"sink": self.entry.label})
