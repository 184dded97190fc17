"""Whether a shop is live: the one place that says when it only observes, and nothing of it may leave. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from tracker.domain.calendar import Calendars, CalendarsBetween

LiveFrom = Callable[[str], date | None]
"""By shop, its first live day as the configuration has it now; None while it only observes."""


def live_at(live_from: date | None, days: Calendars) -> datetime | None:
    """The start of a shop's first live day; None where it only observes."""
    return days.start_of(live_from) if live_from else None


def observes(live_at: datetime | None, now: datetime) -> bool:
    """Whether the shop only observes now: its first live day is not named, was taken away, or is still to come."""
    return live_at is None or now < live_at


def observing(shop: str, live_from: LiveFrom, between: CalendarsBetween, now: datetime) -> bool:
    """The same of a shop by its id."""
    return observes(live_at(live_from(shop), between(shop, None)), now)
