"""What detection may know, and what it says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from carriers.base import Cause, ProblemKind
from tracker.domain.calendar import Calendars
from tracker.domain.hand import Report, Settlement
from tracker.domain.history import History
from tracker.domain.promise import Promise

RECHECK: Final = timedelta(hours=3)
"""How soon to look again where a rule waits for the carrier's next answer; the first one of a day wakes it at once."""
UNSEEN: Final = datetime.min.replace(tzinfo=UTC)
"""Stands for the last answer of a carrier that has never answered."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that detection may know of one shipment."""

    history: History
    promise: Promise
    service: str | None
    presumed_loss_business_days: int | None
    """None: nobody's terms are known, so no loss is presumed."""
    last_answered_at: datetime | None = None
    outages: tuple[tuple[datetime, datetime], ...] = ()
    """Times in which the carrier did not answer, or we did not ask."""
    grace_days: int = 0
    order_cancelled: bool = False
    order_settled: bool = False
    """The shop expects nothing of it: cancelled, refunded, or delivered by its own word."""
    closed_reason: str | None = None
    """Why the carrier is no longer asked about it."""
    is_asked: bool = True
    """Whether a next answer of the carrier may be waited for."""
    known_since: datetime | None = None
    """When the shipment was imported."""
    post_by: date | None = None
    """The day on which the shop posted it, or should have; None where no order says."""
    post_by_basis: str = ""
    """What `post_by` rests on: `shipped_on`, `ship_by` or `ordered_at`."""
    not_posted_business_days: int = 2
    stalled_business_days: int | None = None
    """None: the rule is off."""
    pickup_days: int | None = None
    """How many calendar days this carrier keeps parcels at a counter; None: not known, and never guessed."""
    pickup_business_days: int = 2
    reports: tuple[Report, ...] = ()
    """What people told of it that no tracking code tells."""
    renumbered_at: datetime | None = None
    """When a person said that what was known of it had been another parcel's."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that the facts show. `ended` is set where the same facts already end it (late, but here)."""

    kind: ProblemKind
    rule: str
    since: datetime
    cause: Cause | None = None
    presumed: bool = False
    by_words: bool = False
    """Only the carrier's free text says so: no confirmed code does."""
    customer_since: datetime | None = None
    carrier_since: datetime | None = None
    ended: tuple[datetime, str] | None = None
    told_at: datetime | None = None
    """When a person told of it; None where the carrier or the clock did."""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownProblem:
    """A problem as it stands in the store: the newest episode of its kind."""

    id: int
    kind: ProblemKind
    episode: int
    cause: Cause | None
    presumed: bool
    since: datetime
    customer_since: datetime | None
    carrier_since: datetime | None
    resolved_at: datetime | None
    version: int
    resolution: str | None = None
    settlement: Settlement | None = None
    """How a person settled it; it is ended so at the next look."""
    by_words: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What detection wants written: problems to open (finding, episode), to change, to end; and when to look again."""

    opened: tuple[tuple[Finding, int], ...] = ()
    changed: tuple[tuple[KnownProblem, Finding], ...] = ()
    ended: tuple[tuple[KnownProblem, datetime, str], ...] = ()
    next_check_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one rule says: its findings, and the instants at which time alone may change them."""

    findings: tuple[Finding, ...] = ()
    wakes: tuple[datetime, ...] = ()


Look = Callable[[Facts, Calendars, datetime], Seen]
NOTHING: Final = Seen()


def answered_since(facts: Facts, since: datetime) -> bool:
    """Whether the carrier has answered since: a day that went by without an answer proves nothing."""
    return facts.last_answered_at is not None and facts.last_answered_at >= since


def wait_for_answer(facts: Facts, now: datetime) -> Seen:
    """Look again soon, as long as somebody still asks the carrier."""
    return Seen(wakes=(now + RECHECK,)) if facts.is_asked else NOTHING


def iso(value: date | datetime | None) -> str | None:
    """A date or instant as the decision log shows it."""
    return value.isoformat() if value is not None else None
