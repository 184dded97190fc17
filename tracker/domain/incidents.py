"""Many parcels with one cause: a hub, a state or a carrier where far more than usual goes wrong at once. Pure.

Counted are late, stalled and silent parcels by where they were last seen and where they go (design.md section 8). The
narrowest place that explains them is named; a wider one only where several narrower ones suffer alike. What begins by
counting ends by counting: no new parcel for some days, and few left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from carriers.base import ProblemKind

SYMPTOMS: Final = frozenset({ProblemKind.DELAY, ProblemKind.STALLED, ProblemKind.LOSS})
"""A coded loss is counted as well: a burnt lorry is one cause like any other."""
RULE_VERSIONS: Final[Mapping[str, int]] = {"incident.joined": 1}
"""Rules of this room that a decision names."""
JOINED: Final = "incident.joined"
PACED_OVER: Final = timedelta(hours=9)
PACED_FROM: Final = timedelta(hours=8)
"""Claims of an incident leave between eight and five of their first allowed day, each at its own minute."""


class Scope(StrEnum):
    HUB = "hub"
    STATE = "state"
    CARRIER = "carrier"


@dataclass(frozen=True, slots=True)
class IncidentPolicy:
    """When many is too many (configuration `rules.incidents`)."""

    min_parcels: int = 10
    factor: float = 3.0
    """So many times what is usual there."""
    window: timedelta = timedelta(days=2)
    """New problems of so long are compared ..."""
    usual_over: timedelta = timedelta(days=28)
    """... with those of so long before."""
    min_places: int = 3
    """A wider place is named where at least so many narrower ones suffer ..."""
    max_share: float = 0.6
    """... and none of them has more than this share."""
    quiet: timedelta = timedelta(days=2)
    """Over when no parcel joined for so long and few are left."""


@dataclass(frozen=True, slots=True)
class Tally:
    """New problems of one carrier last seen at one place on the way to one state; `''` where either is not known."""

    carrier: str
    place: str
    state: str
    recent: int
    before: int


@dataclass(frozen=True, slots=True)
class Where:
    """What an incident is about; `name` is the place or the state, `''` for a whole carrier."""

    carrier: str
    scope: Scope
    name: str = ""

    def holds(self, carrier: str, place: str, state: str) -> bool:
        """Whether a parcel last seen there, on its way there, belongs to it."""
        if carrier != self.carrier:
            return False
        return self.scope is Scope.CARRIER or self.name == (place if self.scope is Scope.HUB else state)


@dataclass(frozen=True, slots=True)
class StandingIncident:
    """An incident that goes on, with the parcels that are still in it."""

    id: int
    where: Where
    last_joined_at: datetime
    open_members: int


@dataclass(frozen=True, slots=True)
class IncidentChanges:
    """Incidents to open and to end (with why)."""

    opened: tuple[Where, ...] = ()
    ended: tuple[tuple[StandingIncident, str], ...] = ()


def decide(
    tallies: Sequence[Tally], standing: Sequence[StandingIncident], policy: IncidentPolicy, now: datetime
) -> IncidentChanges:
    """What the counts say at *now*."""
    by_carrier: dict[str, list[Tally]] = defaultdict(list)
    for tally in tallies:
        by_carrier[tally.carrier].append(tally)
    known = {incident.where for incident in standing}
    opened: list[Where] = []
    for carrier in sorted(by_carrier):
        opened += _new(carrier, by_carrier[carrier], known, policy)
    ended = [(incident, reason) for incident in standing if (reason := _end(incident, opened, policy, now))]
    return IncidentChanges(tuple(opened), tuple(ended))


def paced(first_instant: datetime, claim_id: int) -> datetime:
    """When a claim of an incident leaves on its first allowed day, which begins at *first_instant*: the same each time."""
    share = int.from_bytes(blake2b(str(claim_id).encode(), digest_size=4).digest()) / 2**32
    return first_instant + PACED_FROM + PACED_OVER * share


def _new(carrier: str, tallies: Sequence[Tally], known: set[Where], policy: IncidentPolicy) -> list[Where]:
    """The widest that the counts carry first; what lies within it, or within one that stands, is not named again."""
    whole = Where(carrier, Scope.CARRIER)
    if whole in known:
        return []
    # Parcels of one hub go everywhere: where one place has most of them, it is the place and not the carrier.
    if _many(tallies, policy) and all(_is_spread(tallies, name, policy) for name in ("place", "state")):
        return [whole]
    found: list[Where] = []
    for state, mine in sorted(_grouped(tallies, "state").items()):
        where = Where(carrier, Scope.STATE, state)
        if where in known:
            continue
        if _many(mine, policy) and _is_spread(mine, "place", policy):
            found.append(where)
    wider = {where.name for where in (*found, *known) if where.carrier == carrier and where.scope is Scope.STATE}
    for place, mine in sorted(_grouped(tallies, "place").items()):
        where = Where(carrier, Scope.HUB, place)
        outside = [tally for tally in mine if tally.state not in wider]
        if where not in known and _many(outside, policy):
            found.append(where)
    return found


def _grouped(tallies: Sequence[Tally], name: str) -> Mapping[str, list[Tally]]:
    groups: dict[str, list[Tally]] = defaultdict(list)
    for tally in tallies:
        if getattr(tally, name):
            groups[getattr(tally, name)].append(tally)
    return groups


def _many(tallies: Sequence[Tally], policy: IncidentPolicy) -> bool:
    recent = sum(tally.recent for tally in tallies)
    usual = sum(tally.before for tally in tallies) * (policy.window / policy.usual_over)
    return recent >= policy.min_parcels and recent >= policy.factor * usual


def _is_spread(tallies: Sequence[Tally], name: str, policy: IncidentPolicy) -> bool:
    """Whether several narrower places (`place` or `state`) suffer, none of them nearly alone."""
    counts: Counter[str] = Counter()
    for tally in tallies:
        if getattr(tally, name) and tally.recent:
            counts[getattr(tally, name)] += tally.recent
    return len(counts) >= policy.min_places and max(counts.values()) <= policy.max_share * counts.total()


def _end(incident: StandingIncident, opened: Sequence[Where], policy: IncidentPolicy, now: datetime) -> str | None:
    wider = any(_within(incident.where, where) for where in opened)
    if wider:
        return "part of a wider one"
    if incident.open_members == 0:
        return "no parcel is left in it"
    if now - incident.last_joined_at >= policy.quiet and incident.open_members * 2 < policy.min_parcels:
        return "no new parcel, and few are left"
    return None


def _within(inner: Where, outer: Where) -> bool:
    return inner.carrier == outer.carrier and inner.scope is not Scope.CARRIER and outer.scope is Scope.CARRIER
