"""What the simulated carrier concludes from an object's own events before it judges a claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tracker.sandbox.plan import Event
from tracker.sandbox.workdays import local_date

# BDE, BDI and BDR share one table of kinds.
_DELIVERY_CODES = frozenset({"BDE", "BDI", "BDR"})
_DELIVERED = frozenset({"00", "01", "67", "68", "70"})
_LOST = frozenset({"29", "80", "98"})
_STOLEN = frozenset({"50", "51", "52"})
_DAMAGED = frozenset({"28", "37", "86"})
_RETURNED = frozenset({"23"})
_TURNED_BACK = frozenset({"04", "05", "06", "07", "08", "10", "21", "26"})
_TRIED = frozenset({"02", "04", "06", "07", "08", "10", "18", "19", "20", "21", "25", "33", "34"})


@dataclass(frozen=True, slots=True)
class Facts:
    """`first_try_on`: the first of attempt, availability at a counter and delivery; that day decides about lateness."""

    posted_on: date | None
    delivered_on: date | None
    first_try_on: date | None
    last: Event | None
    at_counter: bool
    sent_to_counter_untried: bool
    lost: bool
    stolen: bool
    damaged: bool
    turned_back: bool
    returned: bool


def effective(events: Iterable[Event]) -> list[Event]:
    """Return the events that still hold, oldest first: EST takes back the one before it, and itself says nothing."""
    holding: list[Event] = []
    for event in sorted(events, key=lambda event: event.at):
        if event.code != "EST":
            holding.append(event)
        elif holding:
            holding.pop()
    return holding


def facts(events: Iterable[Event]) -> Facts:
    """Return what *events* amount to."""
    holding = effective(events)
    last = holding[-1] if holding else None
    tries = _days(holding, _TRIED)
    delivered = _days(holding, _DELIVERED)
    counter = [local_date(event.at) for event in holding if event.code == "LDI"]
    posted = [local_date(event.at) for event in holding if event.code == "PO"]
    return Facts(
        posted_on=posted[0] if posted else None,
        delivered_on=delivered[-1] if delivered else None,
        first_try_on=min([*tries, *counter, *delivered], default=None),
        last=last,
        at_counter=last is not None and last.code == "LDI",
        sent_to_counter_untried=bool(counter) and not [day for day in tries if day <= counter[0]],
        lost=bool(_days(holding, _LOST)),
        stolen=bool(_days(holding, _STOLEN)),
        damaged=bool(_days(holding, _DAMAGED)),
        turned_back=bool(_days(holding, _TURNED_BACK)),
        returned=bool(_days(holding, _RETURNED)),
    )


def _days(events: Iterable[Event], kinds: frozenset[str]) -> list[date]:
    return [local_date(event.at) for event in events if event.code in _DELIVERY_CODES and event.kind in kinds]
