"""Strikes: for some days the parcels of the whole carrier, of one state or of one city stand still."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tracker.sandbox.plan import Event, Shipment
from tracker.sandbox.workdays import local_date


@dataclass(frozen=True, slots=True)
class Strike:
    """From the start of `first` until the end of `last` nothing moves: nowhere, or in `state` (or its `city`) alone.

    `city` is written as the carrier does, in capitals without accents.
    """

    first: date
    last: date
    state: str | None = None
    city: str | None = None

    def hold(self, shipment: Shipment) -> Shipment:
        """Return *shipment* with all that falls into or after the strike moved behind it.

        The shop still posts: label and posting keep their time, and a parcel posted meanwhile waits only for the rest.
        A local strike holds a parcel from its first event there on; one that comes there later passes by.
        """
        anchor = self._anchor(shipment)
        if anchor is None or anchor > self.last:
            return shipment
        pause = self.last - anchor + timedelta(days=1)
        moved = tuple(_move(event, anchor, pause) for event in shipment.events)
        return replace(shipment, events=moved)

    def _anchor(self, shipment: Shipment) -> date | None:
        """The day from which on the parcel's events wait, or None where the strike does not touch it."""
        posted = [local_date(event.at) for event in shipment.events if event.code == "PO"]
        if self.state is None:
            return max([self.first, *posted])
        here = [local_date(event.at) for event in shipment.events if self._is_here(event)]
        if not here or min(here) > self.last:
            return None
        return max([self.first, min(here), *posted])

    def _is_here(self, event: Event) -> bool:
        if event.code == "PO" or (event.code, event.kind) == ("FC", "82"):
            return False
        return event.unit.state == self.state and self.city in (None, event.unit.city)


def _move(event: Event, anchor: date, pause: timedelta) -> Event:
    if event.code == "PO" or (event.code, event.kind) == ("FC", "82") or local_date(event.at) < anchor:
        return event
    return replace(
        event,
        at=event.at + pause,
        pickup_by=None if event.pickup_by is None else event.pickup_by + pause,
        shown_at=_later(event.shown_at, pause),
        hidden_at=_later(event.hidden_at, pause),
    )


def _later(instant: datetime | None, pause: timedelta) -> datetime | None:
    return None if instant is None else instant + pause
