"""What the rules about messages may know, and what they say. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from carriers.base import ProblemKind
from tracker.domain.history import History
from tracker.domain.words import ClaimState, Trigger


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """The merchant's choices. `channels` names those of each trigger that is on; `delivered_only_after_problem` is the
    preset `problems`: a delivery is worth a mail where a problem was told."""

    channels: Mapping[Trigger, Sequence[str]] = field(default_factory=dict)
    max_age: Mapping[Trigger, timedelta] = field(default_factory=dict)
    delivered_after: timedelta = timedelta(hours=2)
    delivered_between: tuple[time, time] = (time(9), time(20))
    delivered_only_after_problem: bool = True
    hold: timedelta = timedelta(minutes=10)
    """How long a notice waits for the other parcels of its order."""
    followup_business_days: int = 3
    """So long after a message about a delay the next news is promised."""
    followups: int = 3
    """So many promised news at most; the last one promises no further."""
    journey_a_day: int = 2
    """At most so many messages about a parcel's good way on one local day (docs/messages.md) ..."""
    journey_a_parcel: int = 6
    """... and so many in all."""

    def is_on(self, trigger: Trigger) -> bool:
        """Whether the merchant wants it told."""
        return bool(self.channels.get(trigger))


@dataclass(frozen=True, slots=True)
class ToldProblem:
    """A problem as messages reads it."""

    id: int
    kind: ProblemKind
    episode: int
    presumed: bool
    since: datetime
    customer_since: datetime | None
    detected_at: datetime
    """When we learned of it."""
    resolved_at: datetime | None
    by_hand: bool = False
    """A person reported it: what the customer has told us himself is no news to him."""
    by_words: bool = False
    """Only the carrier's free text says so: no confirmed code does."""


@dataclass(frozen=True, slots=True)
class ToldClaim:
    """The shipment's newest claim."""

    state: ClaimState
    protocol: str | None
    opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A city with its state; either may be unknown."""

    city: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class OrderTold:
    """What an order was or will be told, for whichever of its parcels."""

    ever: frozenset[Trigger] = frozenset()
    today: frozenset[Trigger] = frozenset()
    """Those of this local day."""
    waiting: frozenset[Trigger] = frozenset()
    """Those whose message has not left yet: one more parcel in it costs the customer nothing."""


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """All that the rules may know of one shipment."""

    history: History
    first_seen_at: datetime
    problems: tuple[ToldProblem, ...] = ()
    claim: ToldClaim | None = None
    problem_told: bool = False
    """Whether the customer has been told of a problem of this shipment."""
    order_silent: bool = False
    """Cancelled and refunded orders are silent."""
    known: frozenset[tuple[Trigger, int]] = frozenset()
    """Triggers (with their episode) that have their notice already."""
    today: int = 0
    """How many notices about this parcel were made on this local day."""
    delay_told_at: datetime | None = None
    """When the customer was, or is about to be, told of a delay."""
    promises_from: datetime | None = None
    """When the newest message that may have promised further news left, or a promised one was made."""
    news_on: date | None = None
    """By which day the newest message about a delay that left promised news; None: its text promised none."""
    promised_on: date | None = None
    """The day on which the customer expects it: the order's, else the carrier's latest."""
    destination: Place = Place()
    home: Place = Place()
    """Where the shop's parcels start."""
    pickup_days: int | None = None
    """How many calendar days this carrier keeps parcels at a counter; None: not known, and never guessed."""
    journey: int = 0
    """How many messages about its good way this parcel has had."""
    journey_today: int = 0
    order: OrderTold = OrderTold()
    last_answered_at: datetime | None = None
    """When the carrier last answered about it, be it that nothing is new."""
    is_shared: bool = False
    """Whether it is one of many parcels that suffer from one cause (a standing incident)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A notice to make. `since`: when its reason became true; it leaves from `not_before` on and before `expires_at`."""

    trigger: Trigger
    episode: int
    since: datetime
    not_before: datetime
    expires_at: datetime
    problem_id: int | None = None
    began: datetime | None = None
    """When what it rests on began, where that is before `since` and it is told once: it may have been told since then."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one rule says: notices that could be told, and the instants at which time alone makes one due."""

    wanted: tuple[Wanted, ...] = ()
    wakes: tuple[datetime, ...] = ()


NOTHING = Look()
