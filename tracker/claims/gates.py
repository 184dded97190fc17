"""What holds a claim back that is due. Pure; the first reason counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from tracker.domain.calendar import Calendars
from tracker.domain.claim_moves import Gates
from tracker.domain.live import live_at, observes
from tracker.domain.words import Hold


class WhyHeld(StrEnum):
    """Why a due claim does not leave by itself: the code that translations go by."""

    OBSERVE = "observe"
    BEFORE_LIVE = "before_live"
    BY_LETTER = "by_letter"
    RESTORED = "restored"
    SWITCHED_OFF = "switched_off"
    MISSING_NAME = "missing_name"
    BY_WORDS = "by_words"
    PROPOSE = "propose"
    VALUE_UNKNOWN = "value_unknown"
    ABOVE_CEILING = "above_ceiling"


WHY_HELD: Final[Mapping[WhyHeld, tuple[Hold, str]]] = {
    WhyHeld.OBSERVE: (Hold.OBSERVE, "the shop only observes; nothing leaves before its live_from"),
    WhyHeld.BEFORE_LIVE: (
        Hold.BEFORE_LIVE,
        "its problem began before the shop went live: tracker release lets it go",
    ),
    WhyHeld.BY_LETTER: (Hold.BY_LETTER, "the carrier takes claims by letter: send it, then approve"),
    WhyHeld.RESTORED: (
        Hold.RESTORED,
        "the database was put back to an earlier copy, and this may have been filed since: a person lets it go",
    ),
    WhyHeld.SWITCHED_OFF: (Hold.PROPOSE, "claims of this carrier were switched off after it was planned"),
    WhyHeld.MISSING_NAME: (Hold.MISSING_DATA, "the order has no recipient's name, which the carrier asks for"),
    WhyHeld.BY_WORDS: (
        Hold.BY_WORDS,
        "read from the carrier's text, without a confirmed code: waits for a code, a longer silence, or tracker approve",
    ),
    WhyHeld.PROPOSE: (Hold.PROPOSE, "claims of this carrier wait for a person: tracker approve files it"),
    WhyHeld.VALUE_UNKNOWN: (
        Hold.VALUE_CEILING,
        "there is a ceiling for filing by itself, and the order's value is unknown",
    ),
    WhyHeld.ABOVE_CEILING: (Hold.VALUE_CEILING, "the order's value is above the ceiling for filing by itself"),
}
"""The hold of each, and what the log says of it."""
NOTHING_LEAVES: Final = frozenset({WhyHeld.OBSERVE, WhyHeld.BY_LETTER, WhyHeld.SWITCHED_OFF})
"""With one of these not even a reminder of a letter that has left does."""


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """A carrier's entry in the configuration, as far as claims go. `max_value_cents` None: no ceiling."""

    mode: str = "propose"
    max_value_cents: int | None = None
    by_letter: bool = False
    letter_to: str | None = None
    """Where letters go. None: a person sends them."""

    @property
    def writes(self) -> bool:
        """Whether its letters leave by mail."""
        return self.by_letter and self.letter_to is not None


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
    restored: bool = False,
    words_until: date | None = None,
) -> Gates:
    """Whether a due claim may leave by itself. `restored`: it may have left before the database was put back. `words_until`:
    it asks for money, and rests until then on the carrier's text alone."""
    first = live_at(live_from, days)
    if observes(first, now):
        return _held(WhyHeld.OBSERVE, first)
    if first is not None and problem_since < first and not released:
        return _held(WhyHeld.BEFORE_LIVE)
    if policy.by_letter and not policy.writes:
        return _held(WhyHeld.BY_LETTER)
    if restored:
        return _held(WhyHeld.RESTORED)
    if policy.mode == "off":
        return _held(WhyHeld.SWITCHED_OFF)
    # A letter names no recipient: the parcel's number is enough, and the carrier has the rest.
    if not recipient_name and not policy.by_letter:
        return _held(WhyHeld.MISSING_NAME)
    if words_until is not None:
        return _held(WhyHeld.BY_WORDS, days.start_of(words_until))
    if policy.mode == "propose":
        return _held(WhyHeld.PROPOSE)
    if policy.max_value_cents is not None and value_cents is None:
        return _held(WhyHeld.VALUE_UNKNOWN)
    if policy.max_value_cents is not None and value_cents is not None and value_cents > policy.max_value_cents:
        return _held(WhyHeld.ABOVE_CEILING)
    return Gates()


def _held(why: WhyHeld, until: datetime | None = None) -> Gates:
    hold, reason = WHY_HELD[why]
    return Gates(hold, reason, until, why.value, letters=why not in NOTHING_LEAVES)
