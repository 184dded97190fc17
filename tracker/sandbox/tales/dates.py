"""Parcels whose due date moves, vanishes, or is never shown by tracking."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tracker.sandbox.plan import Fate, Forecast
from tracker.sandbox.script import Script


def replanned(script: Script, variant: int) -> None:
    """The due date moves two business days on the eve and the parcel keeps the new one."""
    new_due = script.day(script.term + 2)
    script.forecasts.append(Forecast(script.at(script.day(max(0, script.term - 1)), 22), new_due))
    script.deliver(new_due)


def _replanned_earlier(script: Script, variant: int) -> None:
    """The due date comes a day nearer; the parcel keeps the first one (even) or none (odd)."""
    script.forecasts.append(Forecast(script.at(script.day(0), 22), script.day(max(1, script.term - 1))))
    script.deliver(script.day(script.term + (3 if variant % 2 else 0)))


def _replanned_often(script: Script, variant: int) -> None:
    """Later, a little earlier, later again: named while the former date still lay ahead. Arrives later than all."""
    eve, last = script.day(max(0, script.term - 1)), script.day(script.term + 3)
    script.forecasts.append(Forecast(script.at(eve, 22), script.day(script.term + 2)))
    script.forecasts.append(Forecast(script.at(script.due_on, 6), script.day(script.term + 1)))
    script.forecasts.append(Forecast(script.at(script.due_on, 22), last))
    script.deliver(script.day(script.term + (6 if variant % 2 else 3)))


def _date_vanished(script: Script, variant: int) -> None:
    """The due date disappears before it has come, and the parcel is in time (every third) or late."""
    script.forecasts.append(Forecast(script.at(script.day(max(0, script.term - 1)), 5), None))
    script.deliver(script.day(script.term + (0 if variant % 3 == 0 else 3)))


def _date_never_shown(script: Script, variant: int) -> None:
    """Tracking names no due date at all: only the deadline service knows it. In time (every third) or late."""
    script.forecasts.clear()
    script.deliver(script.day(script.term + (0 if variant % 3 == 0 else 4)))


TELLERS: Mapping[Fate, Callable[[Script, int], None]] = {
    Fate.REPLANNED: replanned,
    Fate.REPLANNED_EARLIER: _replanned_earlier,
    Fate.REPLANNED_OFTEN: _replanned_often,
    Fate.DATE_VANISHED: _date_vanished,
    Fate.DATE_NEVER_SHOWN: _date_never_shown,
}
