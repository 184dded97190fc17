"""Signals become alerts, raised once and resolved once; what each sink is to be told of them becomes notifications."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.alerts.envelope import envelope_of
from tracker.alerts.sinks import SinkEntry, tried_anew
from tracker.domain.alerting import HOUR, Tone, bundle, tone_of, turn
from tracker.store.alerts import (
    AlertRow,
    add_notification,
    add_words,
    alerts_by_id,
    alerts_of_words,
    consume,
    due_looks,
    fail_words,
    forget_sink,
    hold_words,
    known_sinks,
    new_signals,
    pending_words,
    raise_alert,
    resolve_alert,
    save_looks,
    sinks_with_words,
    told_since,
    tried_again_at,
    use_sinks,
    words_of,
)
from tracker.store.database import Database
from tracker.store.logs import signal

log = structlog.get_logger(__name__)
BATCH: Final = 200
BEHIND: Final = timedelta(minutes=1)
"""What waits for a sink that is down waits until it was tried again."""
GONE: Final = "the sink is no longer configured"
GIVEN_UP: Final = "the sink was given up"


@dataclass
class AlertSweep:
    """The lane `alerts`: decides what is told. Each sink has a lane of its own that tells it."""

    database: Database
    sinks: Sequence[SinkEntry]
    is_known: bool = False
    """Whether this process has compared its sinks with those of before."""
    _entries: Mapping[str, SinkEntry] = field(init=False)

    def __post_init__(self) -> None:
        self._entries = {entry.name: entry for entry in self.sinks}

    async def run(self, now: datetime) -> int:
        """Make alerts of what was signalled, and notifications of what is to be told; returns how many rows were worked on."""
        if not self.is_known:
            await self.database.write(lambda c: self._know_sinks(c, now))
            self.is_known = True
        total = 0
        while True:
            read = await self.database.write(lambda c: self._read_signals(c, now))
            total += read
            if read < BATCH:
                break
        while True:
            looked = await self.database.write(lambda c: self._look_again(c, now))
            total += looked
            if looked < BATCH:
                break
        return total + await self.database.write(lambda c: self._bundle_all(c, now))

    def _know_sinks(self, connection: Connection, now: datetime) -> None:
        """A sink that is new, or configured anew, is told what stands; one that is gone is told nothing more."""
        before = known_sinks(connection)
        gone = sorted(set(before) - set(self._entries))
        for name in gone:
            forget_sink(connection, name, GONE)
        digests = {name: entry.digest for name, entry in self._entries.items()}
        fresh = {name: digest for name, digest in digests.items() if before.get(name, ("", False))[0] != digest}
        if fresh:
            use_sinks(connection, fresh, now)
        signal(connection, [tried_anew(name) for name in (*gone, *fresh) if name in before], now)

    def _read_signals(self, connection: Connection, now: datetime) -> int:
        signals = new_signals(connection, BATCH)
        changed: dict[str, int] = {}
        for one in signals:
            if one.key in changed:
                # What begins and ends between two looks is told as both.
                self._look(connection, changed.values(), now)
                changed = {}
            alert_id = (raise_alert if one.raised else resolve_alert)(connection, one)
            if alert_id is not None:
                changed[one.key] = alert_id
        self._look(connection, changed.values(), now)
        consume(connection, [one.id for one in signals], now)
        return len(signals)

    def _look_again(self, connection: Connection, now: datetime) -> int:
        due = due_looks(connection, now, BATCH)
        self._look(connection, due, now)
        return len(due)

    def _look(self, connection: Connection, alert_ids: Collection[int], now: datetime) -> None:
        """What is there to say of these alerts, and to whom?"""
        if not alert_ids:
            return
        alerts = alerts_by_id(connection, alert_ids)
        words = words_of(connection, alerts)
        given_up = {name for name, (_, is_off) in known_sinks(connection).items() if is_off}
        said: list[tuple[AlertRow, str, str]] = []
        looks: dict[int, datetime | None] = {}
        for alert in alerts.values():
            turns = []
            for name, entry in self._entries.items():
                # That a sink takes nothing is for the others to know.
                if name not in given_up and alert.key != entry.alert_key:
                    turns.append((name, turn(alert.facts, words.get((alert.id, name), []), entry.policy, now)))
            said += [(alert, name, one.phase) for name, one in turns if one.phase is not None]
            looks[alert.id] = min((one.look_at for _, one in turns if one.look_at is not None), default=None)
        add_words(connection, said, now)
        save_looks(connection, looks)

    # --- notifications ------------------------------------------------------------------------------

    def _bundle_all(self, connection: Connection, now: datetime) -> int:
        known = known_sinks(connection)
        total = 0
        for name in sinks_with_words(connection, now):
            entry = self._entries.get(name)
            if entry is None or known.get(name, ("", False))[1]:
                total += fail_words(connection, name, GONE if entry is None else GIVEN_UP)
            else:
                total += self._bundle(connection, entry, now)
        return total

    def _bundle(self, connection: Connection, entry: SinkEntry, now: datetime) -> int:
        again = tried_again_at(connection, entry.name)
        made = bundle(
            pending_words(connection, entry.name),
            told_since(connection, entry.name, now - max(HOUR, entry.policy.group)),
            entry.policy,
            now,
            down_until=max(again, now) + BEHIND if again is not None else None,
        )
        hold_words(connection, made.waiting)
        for one in made.leaving:
            self._notify(connection, entry, one.words, one.kind, one.tone, now)
        return sum(len(one.words) for one in made.leaving) + sum(len(one.words) for one in made.waiting)

    def _notify(
        self, connection: Connection, entry: SinkEntry, words: Sequence[int], kind: str, tone: Tone, now: datetime
    ) -> None:
        told = alerts_of_words(connection, words)
        alerts = list(alerts_by_id(connection, {alert_id for alert_id, _ in told}).values())
        over = frozenset(alert_id for alert_id, phase in told if tone_of(phase) is Tone.RESOLVED)
        body = envelope_of(alerts, over, kind, tone)
        add_notification(connection, entry.name, kind, tone, body, words, now)
