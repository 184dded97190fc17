"""What the carrier itself says: lost, stolen, damaged, going back, back, seized. Time changes nothing here.

Sources: carrier reference section 10 (`normalized_status`, `problem`); contract.md section 3.
"""

from __future__ import annotations

from datetime import datetime

from carriers.base import Cause, ProblemKind, TrackingStatus
from tracker.domain.calendar import Calendars
from tracker.domain.detection.facts import NOTHING, Facts, Finding, Seen
from tracker.domain.history import History

Kind = ProblemKind
Status = TrackingStatus


def lost(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """The carrier cannot find it."""
    at = facts.history.lost_at
    return NOTHING if at is None else Seen((Finding(Kind.LOSS, "loss.coded", at, cause=Cause.LOSS),))


def stolen(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """It was stolen from the carrier."""
    at = facts.history.stolen_at
    return NOTHING if at is None else Seen((Finding(Kind.THEFT, "theft.coded", at, cause=Cause.THEFT),))


def damaged(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """Damaged on the way; it stays so when it moves on, until it arrives somewhere."""
    at = facts.history.damaged_at
    if at is None:
        return NOTHING
    return Seen((Finding(Kind.DAMAGE, "damage.coded", at, cause=Cause.DAMAGE, ended=arrival(facts.history)),))


def turned_back(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """On its way back, or back, with the reason for which it turned.

    A parcel that its sender did not collect at the counter (BDE 03 and 12, FC 09) turned back before, whether or not we
    saw that: contract.md section 3, "unclaimed -> returning".
    """
    history = facts.history
    if history.status is Status.RETURNING and history.returning_at is not None:
        return Seen(
            (Finding(Kind.RETURNING, "returning.coded", history.returning_at, cause=history.returning_cause),),
        )
    if history.status is Status.RETURNED and history.returned_at is not None:
        return Seen((Finding(Kind.RETURNED, "returned.coded", history.returned_at, cause=history.returning_cause),))
    if history.trouble_cause is Cause.UNCLAIMED and history.trouble_at is not None:
        return Seen((Finding(Kind.RETURNING, "returning.unclaimed", history.trouble_at, cause=Cause.UNCLAIMED),))
    return NOTHING


def seized(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """An authority took it: no indemnity is due for that (carrier reference section 7.1)."""
    history = facts.history
    if history.status is not Status.SEIZED or history.trouble_at is None:
        return NOTHING
    return Seen((Finding(Kind.SEIZED, "seized.coded", history.trouble_at, cause=Cause.SEIZED),))


def arrival(history: History) -> tuple[datetime, str] | None:
    """Where the parcel's way ended, and when; None while it travels."""
    if history.delivered_at is not None:
        return history.delivered_at, "delivered"
    if history.returned_at is not None:
        return history.returned_at, "returned"
    return None
