"""Parcels about which tracking tells badly: hours late, into the past, twice, or not any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from tracker.sandbox.people import ORIGIN
from tracker.sandbox.plan import Fate
from tracker.sandbox.script import Script

_NIGHT = timedelta(hours=11)
"""What happens in the afternoon shows before the next morning's first look, so that no claim rests on the silence."""


def _late_news(script: Script, variant: int) -> None:
    """Every scan after the posting shows half a day late; delivered in time (even) or late (odd)."""
    script.deliver(script.day(script.term + (2 if variant % 2 else 0)))
    script.events = [
        event if event.code in {"FC", "PO"} else replace(event, shown_at=event.at + _NIGHT) for event in script.events
    ]


def _inserted(script: Script, variant: int) -> None:
    """A try the day before the due date becomes known a day later, at a look's distance from the delivery."""
    first = script.day(max(1, script.term - 1))
    script.arrive(first)
    script.absent(first, 15)
    script.show_last(after=script.at(script.day(max(1, script.term - 1) + 1), 10))
    last = script.day(script.term + (2 if variant % 2 else 1))
    script.out(last)
    script.delivered(last)


def _repeated(script: Script, variant: int) -> None:
    """Every scan stands twice in the answers; late by two working days where odd."""
    script.deliver(script.day(script.term + (2 if variant % 2 else 0)))
    script.events = [event for event in script.events for _ in range(2)]


def _vanished(script: Script, variant: int) -> None:
    """A scan that was an error disappears again: a movement (even), or "not found" after two days (odd)."""
    gone = script.at(script.day(3), 12)
    if variant % 2:
        script.lost(script.at(script.day(1), 17))
    else:
        script.move(script.at(script.day(1), 17), script.place, ORIGIN)
    script.show_last(until=gone)
    script.move(script.at(script.day(3), 14), ORIGIN, script.place)
    script.deliver(script.day(max(4, script.term)))


TELLERS: Mapping[Fate, Callable[[Script, int], None]] = {
    Fate.LATE_NEWS: _late_news,
    Fate.INSERTED: _inserted,
    Fate.REPEATED: _repeated,
    Fate.VANISHED: _vanished,
}
