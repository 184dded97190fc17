"""What the carrier itself says: lost, stolen, damaged, going back, back, seized. Time changes nothing here.

Sources: carrier reference section 10 (`normalized_status`, `problem`); contract.md section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from carriers.base import Cause, ProblemKind, TrackingStatus
from tracker.domain.calendar import Calendars
from tracker.domain.detection.facts import NOTHING, Facts, Finding, Seen
from tracker.domain.history import History

Kind = ProblemKind
Status = TrackingStatus


def lost(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """The carrier cannot find it."""
    at = facts.history.lost_at
    if at is None:
        return NOTHING
    words = by_words(facts.history, "lost_at")
    return Seen((Finding(Kind.LOSS, "loss.coded", at, cause=Cause.LOSS, by_words=words),))


def stolen(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """It was stolen from the carrier."""
    at = facts.history.stolen_at
    if at is None:
        return NOTHING
    words = by_words(facts.history, "stolen_at")
    return Seen((Finding(Kind.THEFT, "theft.coded", at, cause=Cause.THEFT, by_words=words),))


def damaged(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """Damaged on the way; it stays so when it moves on, until it arrives somewhere."""
    at = facts.history.damaged_at
    if at is None:
        return NOTHING
    words, ended = by_words(facts.history, "damaged_at"), arrival(facts.history)
    return Seen((Finding(Kind.DAMAGE, "damage.coded", at, cause=Cause.DAMAGE, by_words=words, ended=ended),))


def violated(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """Opened on the way, by the carrier's own word; it stays so until it arrives somewhere."""
    at = facts.history.violated_at
    if at is None:
        return NOTHING
    words, ended = by_words(facts.history, "violated_at"), arrival(facts.history)
    return Seen((Finding(Kind.VIOLATION, "violation.coded", at, cause=Cause.VIOLATION, by_words=words, ended=ended),))


def misdelivered(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """Handed to somebody else, by the carrier's own word, until it says otherwise."""
    at = facts.history.misdelivered_at
    if at is None:
        return NOTHING
    words = by_words(facts.history, "misdelivered_at")
    return Seen((Finding(Kind.MISDELIVERY, "misdelivery.coded", at, cause=Cause.MISDELIVERY, by_words=words),))


def turned_back(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """On its way back, or back, with the reason for which it turned.

    A parcel that its sender did not collect at the counter (BDE 03 and 12, FC 09) turned back before, whether or not we
    saw that: contract.md section 3, "unclaimed -> returning".
    """
    history = facts.history
    if history.status is Status.RETURNING and history.returning_at is not None:
        return _turned(Kind.RETURNING, "returning.coded", history.returning_at, history.returning_cause, history)
    if history.status is Status.RETURNED and history.returned_at is not None:
        return _turned(Kind.RETURNED, "returned.coded", history.returned_at, history.returning_cause, history)
    if history.trouble_cause is Cause.UNCLAIMED and history.trouble_at is not None:
        return _turned(Kind.RETURNING, "returning.unclaimed", history.trouble_at, Cause.UNCLAIMED, history)
    return NOTHING


_MARKS: Final[Mapping[str, str]] = {
    "returning.coded": "returning_at",
    "returned.coded": "returned_at",
    "returning.unclaimed": "trouble_at",
}


def _turned(kind: ProblemKind, rule: str, at: datetime, cause: Cause | None, history: History) -> Seen:
    return Seen((Finding(kind, rule, at, cause=cause, by_words=by_words(history, _MARKS[rule])),))


def seized(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """An authority took it: no indemnity is due for that (carrier reference section 7.1)."""
    history = facts.history
    if history.status is not Status.SEIZED or history.trouble_at is None:
        return NOTHING
    words = by_words(history, "trouble_at")
    return Seen((Finding(Kind.SEIZED, "seized.coded", history.trouble_at, cause=Cause.SEIZED, by_words=words),))


def by_words(history: History, mark: str) -> bool:
    """Whether only the carrier's free text, or a code that nobody has confirmed, says so."""
    return mark in history.by_words


def arrival(history: History) -> tuple[datetime, str] | None:
    """Where the parcel's way ended, and when; None while it travels."""
    if history.delivered_at is not None:
        return history.delivered_at, "delivered"
    if history.returned_at is not None:
        return history.returned_at, "returned"
    return None
