"""Whom an answer wakes that says nothing new: what waits for any answer at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from tracker.domain.calendar import Calendars
from tracker.store.polls import DuePoll


def newly_heard(heard: Iterable[tuple[DuePoll, datetime | None]], days: Callable[[str], Calendars]) -> list[int]:
    """Those of these parcels (and when the carrier answered) of which it had not answered yet on this local day.

    A rule that waits for an answer waits for one of the day that has begun (`wait_for_answer`), whatever it says.
    """
    begins: dict[tuple[str, datetime], datetime] = {}
    found = []
    for poll, answered_at in heard:
        if answered_at is None:
            continue
        begun = begins.get((poll.shop, answered_at))
        if begun is None:
            calendars = days(poll.shop)
            begun = begins[poll.shop, answered_at] = calendars.start_of(calendars.local_date(answered_at))
        if poll.last_answered_at is None or poll.last_answered_at < begun:
            found.append(poll.shipment_id)
    return found
