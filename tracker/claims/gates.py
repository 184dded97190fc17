"""What holds a claim back that is due. Pure; the first reason counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tracker.domain.calendar import Calendars
from tracker.domain.claim_moves import Gates
from tracker.domain.words import Hold


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """A carrier's entry in the configuration, as far as claims go. `max_value_cents` None: no ceiling."""

    mode: str = "propose"
    max_value_cents: int | None = None
    by_letter: bool = False


def gates(
    *,
    live_from: date | None,
    problem_since: datetime,
    released: bool,
    policy: ClaimPolicy,
    value_cents: int | None,
    recipient_name: str | None,
    days: Calendars,
    now: datetime,
) -> Gates:
    """Whether a due claim may leave by itself."""
    live_at = days.start_of(live_from) if live_from else None
    if live_at is None or now < live_at:
        return Gates(Hold.OBSERVE, "the shop only observes; nothing leaves before its live_from", live_at)
    if problem_since < live_at and not released:
        reason = "its problem began before the shop went live: tracker release lets it go"
        return Gates(Hold.BEFORE_LIVE, reason)
    if policy.by_letter:
        return Gates(Hold.BY_LETTER, "the carrier takes claims by letter: send it, then approve")
    if policy.mode == "off":
        return Gates(Hold.PROPOSE, "claims of this carrier were switched off after it was planned")
    if not recipient_name:
        return Gates(Hold.MISSING_DATA, "the order has no recipient's name, which the carrier asks for")
    if policy.mode == "propose":
        return Gates(Hold.PROPOSE, "claims of this carrier wait for a person: tracker approve files it")
    if policy.max_value_cents is not None and value_cents is None:
        return Gates(Hold.VALUE_CEILING, "there is a ceiling for filing by itself, and the order's value is unknown")
    if policy.max_value_cents is not None and value_cents is not None and value_cents > policy.max_value_cents:
        return Gates(Hold.VALUE_CEILING, "the order's value is above the ceiling for filing by itself")
    return Gates()
