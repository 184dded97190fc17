"""A parcel as an attentive reader of tracking sees it at an instant: where it is, since when, and what has been named."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tracker.sandbox.facts import effective
from tracker.sandbox.meanings import Meaning, meaning
from tracker.sandbox.plan import Account, Event, Shipment, Sight
from tracker.sandbox.workdays import local_date

ENDS = frozenset({"delivered", "returned", "seized"})
LAST_LOOK = timedelta(days=7)
_ON_THE_WAY_BACK = frozenset({"posted", "in_transit", "customs", "delivery_failed", "available_for_pickup", "damaged"})
"""What a parcel that was turned back goes through without being turned round again."""


@dataclass(frozen=True, slots=True)
class View:
    """All that tracking has said until now, summed up. Dates are Brasilia days.

    `last_on` the day of the newest event that holds, `last_word_on` of any event; `tried_on` the first try, availability
    or delivery; `before` the status ahead of the present one.
    """

    status: str = "unknown"
    cause: str | None = None
    before: str = "unknown"
    status_on: date | None = None
    posted_on: date | None = None
    last_on: date | None = None
    last_word_on: date | None = None
    tried_on: date | None = None
    delivered_on: date | None = None
    stolen_on: date | None = None
    return_cause: str | None = None
    damaged: bool = False
    pickup_by: date | None = None
    untried_counter: bool = False


def view_of(events: Iterable[Event]) -> View:
    """Return the sum of *events*, reversals applied."""
    shown = list(events)
    view = View()
    for event in effective(shown):
        said = meaning(event)
        view = replace(view, last_on=local_date(event.at))
        if said is not None:
            view = _step(view, event, said)
    words = [local_date(event.at) for event in shown]
    return replace(view, last_word_on=max(words, default=None))


def _step(view: View, event: Event, said: Meaning) -> View:
    day = local_date(event.at)
    going_back = view.status == "returning"
    if said.tries and view.tried_on is None and not going_back:
        untried = event.code == "LDI"
        view = replace(view, tried_on=day, untried_counter=untried)
    if said.status == "damaged":
        view = replace(view, damaged=True)
    if going_back and said.status in _ON_THE_WAY_BACK:
        return view
    if view.posted_on is None and said.status not in {"pre_transit", "unknown"}:
        view = replace(view, posted_on=day)
    return_cause = view.return_cause if going_back and view.return_cause != "return" else said.cause
    returns = said.status in {"returning", "returned"}
    return replace(
        view,
        status=said.status,
        cause=said.cause,
        before=view.status if said.status != view.status else view.before,
        status_on=day if said.status != view.status else view.status_on,
        delivered_on=day if said.status == "delivered" else None,
        stolen_on=(view.stolen_on or day) if said.status == "stolen" else None,
        return_cause=return_cause if returns else None,
        pickup_by=event.pickup_by if said.status == "available_for_pickup" else None,
    )


class Story:
    """One parcel's views through time, strikes applied, as the main contract's reader has them."""

    def __init__(self, shipment: Shipment) -> None:
        self.shipment = shipment
        self.is_hidden = shipment.sight is Sight.OTHER_CONTRACT or shipment.account is Account.SECOND_CONTRACT
        """Of another contract: tracking says so, and nothing else."""
        events = () if self.is_hidden else shipment.events
        changes = {event.appears_at for event in events}
        changes |= {event.hidden_at for event in events if event.hidden_at is not None}
        self._changes = sorted(changes)
        self._views: dict[int, View] = {}
        self._closed_at = self._find_end()

    def view(self, now: datetime) -> View:
        """Return what tracking has said by *now*."""
        index = bisect_right(self._changes, now)
        if index not in self._views:
            events = self.shipment.events_until(self._changes[index - 1]) if index else ()
            self._views[index] = view_of(events)
        return self._views[index]

    def is_closed(self, now: datetime) -> bool:
        """Whether nobody looks any more: an end has stood for longer than the second looks go (design 6)."""
        return self._closed_at is not None and now > self._closed_at

    def _find_end(self) -> datetime | None:
        for place, change in enumerate(self._changes):
            following = self._changes[place + 1] if place + 1 < len(self._changes) else None
            ended = self.view(change).status in ENDS
            if ended and (following is None or following - change > LAST_LOOK):
                return change + LAST_LOOK
        return None

    def first_due_on(self, now: datetime) -> date:
        """Return the due date that tracking named first, else the one that the deadline service knows."""
        shown = [each.due_on for each in self.shipment.forecasts if each.seen_from <= now and each.due_on is not None]
        return shown[0] if shown else self.shipment.due_on
