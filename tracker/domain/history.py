"""What a shipment's events add up to. Recomputed from all of them each time, never patched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, cast

from carriers.base import Cause, TrackingStatus

Status = TrackingStatus

BEFORE_TRANSIT = frozenset({Status.PRE_TRANSIT, Status.UNKNOWN})
MOVING = frozenset(
    {
        Status.POSTED,
        Status.IN_TRANSIT,
        Status.CUSTOMS,
        Status.OUT_FOR_DELIVERY,
        Status.DELIVERY_FAILED,
        Status.EXCEPTION,
    }
)
"""On its way to the customer, as far as the carrier says."""
FINAL = frozenset({Status.DELIVERED, Status.RETURNED, Status.SEIZED, Status.CANCELLED, Status.EXPIRED})
"""The carrier expects nothing more. Lost, stolen and damaged are not here: such parcels reappear."""
_KEEPS_RETURNING = frozenset(
    {
        Status.POSTED,
        Status.IN_TRANSIT,
        Status.CUSTOMS,
        Status.DELIVERY_FAILED,
        Status.AVAILABLE_FOR_PICKUP,
        Status.EXCEPTION,
        Status.DAMAGED,
    }
)
"""On its way back a parcel moves, is tried and waits at a counter like any other; only these do not end the return."""
_BEFORE_POSTING = BEFORE_TRANSIT | {Status.CANCELLED, Status.EXPIRED}
_FURTHER = {status: place for place, status in enumerate(Status)}
_TROUBLED = frozenset({Status.DELIVERY_FAILED, Status.EXCEPTION, Status.CUSTOMS})
_TROUBLES = frozenset({Cause.ABSENT, Cause.WRONG_ADDRESS, Cause.REFUSED, Cause.UNCLAIMED, Cause.CUSTOMS_HOLD})
_AUTHORITIES = frozenset({Cause.CUSTOMS_HOLD, Cause.SEIZED})
_KEEPS_TROUBLE = frozenset(
    {Status.POSTED, Status.IN_TRANSIT, Status.OUT_FOR_DELIVERY, Status.DELIVERY_FAILED, Status.EXCEPTION}
)
"""After a failed attempt a parcel is moved and taken out again: the trouble ends with a result, not with the next scan."""


class StoredEvent(NamedTuple):
    """An event as the store keeps it; `event_key` is its own within a shipment."""

    id: int
    event_key: str
    occurred_at: datetime
    seen_at: datetime
    carrier_code: str
    status: Status
    description: str
    cause: Cause | None = None
    location: str | None = None
    final: bool = False
    attempt: bool = False
    reversal: bool = False
    indemnified: bool = False
    pickup_until: date | None = None
    void: bool = False
    vanished_at: datetime | None = None
    mapped: bool | None = None
    """Read by the merchant's own mapping of its code."""
    by_words: bool = False
    """Read from the carrier's free text, or from a code that nobody has confirmed (`carriers.base.TrackingEvent`)."""
    told_by: str | None = None
    """The account that told it, where the parcel has been moved to another one since; None: the one that follows it."""


@dataclass(frozen=True, slots=True)
class History:
    """The sum of a shipment's events. Dates the carrier named are the first, the latest and the farthest one."""

    status: Status = Status.UNKNOWN
    status_at: datetime | None = None
    posted_at: datetime | None = None
    first_attempt_at: datetime | None = None
    """When the carrier first came, laid the parcel out for pickup or delivered it: what ends its term."""
    delivered_at: datetime | None = None
    returning_at: datetime | None = None
    returning_cause: Cause | None = None
    returned_at: datetime | None = None
    lost_at: datetime | None = None
    stolen_at: datetime | None = None
    damaged_at: datetime | None = None
    violated_at: datetime | None = None
    misdelivered_at: datetime | None = None
    """Since when the carrier itself says, or asks whether, it was handed to somebody else; None once it says otherwise."""
    last_event_at: datetime | None = None
    indemnified_at: datetime | None = None
    pickup_until: date | None = None
    pickup_since: datetime | None = None
    """When it was first laid out at the counter where it waits now."""
    trouble_at: datetime | None = None
    """Since when a failed attempt, a wrong address, a refusal, a customs hold or a seizure stands; None where none does."""
    trouble_cause: Cause | None = None
    """Why, by the newest event that says so; None where the carrier came, failed and gave no reason."""
    location: str | None = None
    """Where the newest event that names a place happened."""
    due_first_on: date | None = None
    due_on: date | None = None
    due_max_on: date | None = None
    by_words: frozenset[str] = frozenset()
    """Those of the marks in `WORDED` that rest on the carrier's free text alone: no confirmed code says the same."""


WORDED: Final = (
    *("lost_at", "stolen_at", "damaged_at", "violated_at", "misdelivered_at"),
    *("returning_at", "returned_at", "trouble_at"),
)
"""The marks of `History` that a problem is made of."""
SHRUNK_AT_LEAST: Final = 3
"""So many parcels of one call, and half of those that could, must show less than before: one alone was corrected."""


def is_loss_of_sight(shrunk: Iterable[bool | None]) -> bool:
    """Whether the answers of one call show that the carrier has begun to hide history. Each: does this one show less?"""
    told = [one for one in shrunk if one is not None]
    return sum(told) >= SHRUNK_AT_LEAST and 2 * sum(told) >= len(told)


def void_ids(events: Sequence[StoredEvent]) -> set[int]:
    """The events that a later reversal takes back: each reversal the newest earlier one still standing, once."""
    if not any(event.reversal for event in events):
        return set()
    void: set[int] = set()
    standing: list[StoredEvent] = []
    for event in _in_order(events):
        if not event.reversal:
            standing.append(event)
        elif standing:
            void.add(standing.pop().id)
    return void


_NOTHING: Final = History()
_EMPTY: Final[Mapping[str, Any]] = {field.name: getattr(_NOTHING, field.name) for field in fields(History)}


def fold(events: Sequence[StoredEvent], due_dates: Sequence[date] = ()) -> History:
    """The history behind these events (in any order) and the due dates in the order the carrier named them."""
    void = void_ids(events)
    # A stand-in that can be changed: a new history after each event was most of what recording a look cost.
    running = SimpleNamespace(**_EMPTY)
    for event in _in_order(events):
        if event.id not in void and not event.reversal:
            vars(running).update(_step(cast(History, running), event))
    if due_dates:
        vars(running).update(due_first_on=due_dates[0], due_on=due_dates[-1], due_max_on=max(due_dates))
    return History(**vars(running))


def _in_order(events: Sequence[StoredEvent]) -> list[StoredEvent]:
    return sorted((e for e in events if e.vanished_at is None), key=_place)


def _place(event: StoredEvent) -> tuple[datetime, bool, int, str]:
    """By time. At one instant a reversal follows what it takes back, and what is further on its way follows what is less
    far: never by the order in which we happened to learn of them."""
    return event.occurred_at, event.reversal, _FURTHER[event.status], event.event_key


def _step(history: History, event: StoredEvent) -> dict[str, Any]:
    """What this event changes in the history of those before it."""
    marks: dict[str, Any] = {"last_event_at": event.occurred_at, "location": event.location or history.location}
    if event.indemnified and history.indemnified_at is None:
        marks["indemnified_at"] = event.occurred_at
    if event.cause is Cause.DAMAGE or event.status is Status.DAMAGED:
        marks["damaged_at"] = history.damaged_at or event.occurred_at
    if event.cause is Cause.VIOLATION:
        marks["violated_at"] = history.violated_at or event.occurred_at
    if event.attempt and history.first_attempt_at is None and history.returning_at is None:
        marks["first_attempt_at"] = event.occurred_at
    kept_returning = history.status is Status.RETURNING and event.status in _KEEPS_RETURNING
    # An event of unknown meaning is kept and shown, but it moves nothing.
    if event.status is not Status.UNKNOWN and not kept_returning:
        if history.posted_at is None and event.status not in _BEFORE_POSTING:
            marks["posted_at"] = event.occurred_at
        marks |= _settled(history, event)
    if event.by_words or history.by_words:
        marks["by_words"] = _by_words(history, event, marks)
    return marks


def _by_words(history: History, event: StoredEvent, marks: dict[str, Any]) -> frozenset[str]:
    """The marks that rest on words alone after this event: a confirmed code that says the same confirms one for good."""
    shown = _shown_by(event)
    found = set()
    for mark in WORDED:
        before = getattr(history, mark)
        after = marks.get(mark, before)
        if after is None:
            continue
        if mark not in shown:
            alone = mark in history.by_words
        else:
            alone = event.by_words and (mark in history.by_words or after != before)
        if alone:
            found.add(mark)
    return frozenset(found)


def _shown_by(event: StoredEvent) -> set[str]:
    """The marks that an event is a sign of."""
    status, cause = event.status, event.cause
    signs = {
        "lost_at": status is Status.LOST or cause is Cause.LOSS,
        "stolen_at": status is Status.STOLEN or cause is Cause.THEFT,
        "damaged_at": status is Status.DAMAGED or cause is Cause.DAMAGE,
        "violated_at": cause is Cause.VIOLATION,
        "misdelivered_at": cause is Cause.MISDELIVERY,
        "returning_at": status in {Status.RETURNING, Status.RETURNED},
        "returned_at": status is Status.RETURNED,
        "trouble_at": status in _TROUBLED | {Status.SEIZED},
    }
    return {mark for mark, is_shown in signs.items() if is_shown}


def _settled(history: History, event: StoredEvent) -> dict[str, Any]:
    """The marks that belong to the present status alone: a parcel that moves again is no longer lost or delivered."""
    at, status = event.occurred_at, event.status
    is_lost = status is Status.LOST or event.cause is Cause.LOSS
    is_stolen = status is Status.STOLEN or event.cause is Cause.THEFT
    waiting = status is Status.AVAILABLE_FOR_PICKUP
    waited = history if history.status is Status.AVAILABLE_FOR_PICKUP else _NOTHING
    trouble_at, trouble_cause = (None, None) if is_lost or is_stolen else _trouble(history, event)
    return {
        "status": status,
        "status_at": at,
        "delivered_at": at if status is Status.DELIVERED else None,
        "returning_at": (history.returning_at or at) if status in {Status.RETURNING, Status.RETURNED} else None,
        "returning_cause": _return_cause(history, event),
        "returned_at": at if status is Status.RETURNED else None,
        "lost_at": (history.lost_at or at) if is_lost else None,
        "stolen_at": (history.stolen_at or at) if is_stolen else None,
        "misdelivered_at": (history.misdelivered_at or at) if event.cause is Cause.MISDELIVERY else None,
        "pickup_until": (event.pickup_until or waited.pickup_until) if waiting else None,
        "pickup_since": (waited.pickup_since or at) if waiting else None,
        "trouble_at": trouble_at,
        "trouble_cause": trouble_cause,
    }


def _trouble(history: History, event: StoredEvent) -> tuple[datetime | None, Cause | None]:
    """What keeps it from being handed over, after this event: since when, and why.

    Of the causes, `delay` and `other` are none by themselves (contract.md section 3). A trouble with customs ends with the
    next event that is none; one at the door lasts until a result.
    """
    unexplained = event.status is Status.DELIVERY_FAILED and event.cause is None
    if unexplained or event.status is Status.SEIZED or (event.status in _TROUBLED and event.cause in _TROUBLES):
        cause = Cause.SEIZED if event.status is Status.SEIZED else event.cause
        same = history.trouble_at is not None and history.trouble_cause is cause
        return (history.trouble_at if same else event.occurred_at), cause
    with_customs = history.trouble_cause in _AUTHORITIES or history.status is Status.CUSTOMS
    if event.status in _KEEPS_TROUBLE and not with_customs:
        return history.trouble_at, history.trouble_cause
    return None, None


def _return_cause(history: History, event: StoredEvent) -> Cause | None:
    if event.status is Status.RETURNING:
        # "Goes back" and "out for delivery to the sender" follow the event that says why: keep the first real reason.
        known = history.returning_cause if history.status is Status.RETURNING else None
        return event.cause if known in {None, Cause.RETURN} and event.cause else known
    if event.status is Status.RETURNED:
        return history.returning_cause or event.cause
    return None
