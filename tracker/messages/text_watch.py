"""Watches the texts that hold messages back: counts what they cost, and lets go what waits once a text is mended.

The alert about a text ends when the text can be used again, whether or not anything still waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.domain.outcome import Outcome
from tracker.domain.words import DeliveryState, Hold, Trigger
from tracker.messages.compose import Composer, Withheld
from tracker.messages.templates import Mark
from tracker.store.alerts import standing_keys
from tracker.store.decisions import log_changes
from tracker.store.deliveries import DueDelivery, held_for_text, let_go, texts_waited_for
from tracker.store.logs import DecisionNote, SignalNote, signal

log = structlog.get_logger(__name__)
RULE: Final = "message.text_mended"
BROKEN: Final = "template_broken"
OVERDUE: Final = "template_overdue"
_PREFIXES: Final[Mapping[str, str]] = {BROKEN: "template", OVERDUE: OVERDUE}
Text = tuple[str, Trigger]
"""A shop and the trigger."""


@dataclass
class TextWatch:
    """What one process knows of the texts that were found broken, by their marks when they were last tried."""

    composer: Composer
    channel: str
    tried: dict[Text, Mark | None] | None = None
    """None until the database was asked, once a process: whatever breaks later passes through `held`."""
    well: set[Text] = field(default_factory=set)
    """Texts whose alerts this process has called off already: once is enough until one is raised again."""
    counted: set[Text] = field(default_factory=set)
    """Texts of which this process has told what they cost."""

    def forget(self) -> None:
        """Another process has worked since: what it found broken, or well, is not known here."""
        self.tried = None
        self.well.clear()
        self.counted.clear()

    def look(self, connection: Connection) -> None:
        """Learn what earlier processes left."""
        texts = texts_waited_for(connection, self.channel)
        texts |= {_text_of(key) for key in standing_keys(connection, BROKEN)}
        self.tried = dict.fromkeys(sorted(texts))

    def mended(self) -> list[Text]:
        """The texts that can be used again, each only once after a change of its files."""
        found = []
        for text, tried in list((self.tried or {}).items()):
            mark = self.composer.text_mark(*text)
            if self.tried is not None and mark is not None and mark != tried:
                self.tried[text] = mark
                if self.composer.text_fault(*text) is None:
                    found.append(text)
        return found

    def release(self, connection: Connection, texts: list[Text], now: datetime) -> None:
        """Queue what waited for these texts and is not too old, and end the alerts about them."""
        for shop, trigger in texts:
            waiting = [
                delivery_id
                for delivery_id, expires_at in held_for_text(connection, self.channel, shop, trigger).items()
                if expires_at > now
            ]
            let_go(connection, waiting, now)
            reason = f"the text of {trigger.value} can be used again"
            queued = DeliveryState.QUEUED.value
            notes = [DecisionNote(shop, "message", one, RULE, 1, queued, reason) for one in waiting]
            log_changes(connection, notes, now)
            signal(connection, self.over(shop, trigger), now)
            log.info("message.text_mended", shop=shop, trigger=trigger.value, messages=len(waiting))

    def held(self, connection: Connection, delivery: DueDelivery, why: Withheld, now: datetime) -> None:
        """A delivery is about to be held for its text, is still held shortly before its end, or was held until then."""
        text = (delivery.shop, delivery.trigger)
        waited = delivery.hold_reason == Hold.TEMPLATE.value
        if why.is_broken_text:
            if self.tried is not None:
                self.tried[text] = self.composer.text_mark(*text)
            signal(connection, [self._raised(BROKEN, "warning", text, why.reason)], now)
        if not waited:
            self.counted.discard(text)
        if not waited or text in self.counted:
            return
        self.counted.add(text)
        summary = f"{why.reason}; {self._cost(connection, text, why)}"
        signal(connection, [self._raised(OVERDUE, "critical", text, summary)], now)
        if self.composer.text_fault(*text) is None and not why.is_broken_text:
            # Mended too late for these: told once, and nothing is left to be done.
            signal(connection, self.over(*text), now)

    def refused(self, connection: Connection, delivery: DueDelivery, outcome: Outcome, now: datetime) -> None:
        """A mail server did not take a message as it is written: a person looks, and a change of the text tries again."""
        text = (delivery.shop, delivery.trigger)
        if self.tried is not None:
            self.tried[text] = self.composer.text_mark(*text)
        summary = f"the mail server refuses the text of {delivery.trigger.value} ({outcome.reason}): {outcome.reply}"
        signal(connection, [self._raised(BROKEN, "warning", text, summary)], now)

    def over(self, shop: str, trigger: Trigger) -> list[SignalNote]:
        """The alerts about a text end."""
        text = (shop, trigger)
        if text in self.well:
            return []
        self.well.add(text)
        summary = "its text can be used again"
        return [SignalNote(_key(kind, text), kind, "info", summary, raised=False, shop=shop) for kind in _PREFIXES]

    def _raised(self, kind: str, severity: str, text: Text, summary: str) -> SignalNote:
        self.well.discard(text)
        return SignalNote(_key(kind, text), kind, severity, summary, shop=text[0])

    def _cost(self, connection: Connection, text: Text, why: Withheld) -> str:
        """How many messages wait for a text, the one at hand included, and until when the first is worth telling."""
        ends = held_for_text(connection, self.channel, *text).values()
        first = min(ends).astimezone(self.composer.days(text[0], None).zone)
        one, several = ("waits", "wait") if why.is_broken_text else ("waited", "waited")
        count = f"1 message {one}" if len(ends) == 1 else f"{len(ends)} messages {several}"
        return f"{count} for it, the first until {first:%Y-%m-%d %H:%M}"


def _key(kind: str, text: Text) -> str:
    return f"{_PREFIXES[kind]}:{text[0]}:{text[1].value}"


def _text_of(key: str) -> Text:
    _, shop, trigger = key.split(":")
    return shop, Trigger(trigger)
