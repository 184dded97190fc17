"""How fresh the looks can be: from what is open, the wanted rhythm, batch size and pace, to what the limits allow. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from carriers.base import TrackingStatus
from tracker.polling.schedule import ENDED, PollingPolicy, wanted

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Open:
    """So many shipments of one status; `is_due`: due today or late, though not for long."""

    status: TrackingStatus
    is_due: bool
    shipments: int


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Shipments that are asked about equally often: as often as wanted, and as often as the limits allow."""

    wanted: timedelta
    allowed: timedelta
    shipments: int
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one account can keep up. Calls are full batches an hour."""

    rhythms: tuple[Rhythm, ...]
    """The quickest first. What has ended has none: it is looked at on certain days, not in a rhythm."""
    calls_wanted: float
    """Second looks among them."""
    calls_allowed: float
    ended: int = 0
    """Shipments that have ended and are looked at again."""
    second_looks_days: tuple[int, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether the wanted rhythm can be kept."""
        return self.calls_wanted <= self.calls_allowed

    def allowed(self, status: TrackingStatus, *, is_due: bool = False) -> timedelta | None:
        """How often this status can be asked about; None where nothing of it is open, or it has ended."""
        name = _name(status, is_due)
        return next((rhythm.allowed for rhythm in self.rhythms if name in rhythm.statuses), None)


def plan(found: Sequence[Open], policy: PollingPolicy, *, batch_size: int, requests_per_second: float) -> Plan:
    """Spend the calls on the quickest rhythm first; what is left is shared by the others, all stretched alike.

    Second looks are among those others, as in the sweep.
    """
    groups: dict[timedelta, list[Open]] = {}
    for one in found:
        if one.shipments and one.status not in ENDED:
            groups.setdefault(wanted(one.status, policy, is_due=one.is_due), []).append(one)
    calls = {every: sum(o.shipments for o in of) / batch_size / (every / HOUR) for every, of in groups.items()}
    budget = requests_per_second * HOUR.total_seconds()
    ended = sum(one.shipments for one in found if one.status in ENDED)
    second = ended / batch_size * _looks_an_hour(policy)
    stretched = _stretched(calls, second, budget)
    rhythms = [
        Rhythm(
            every,
            every * stretched[every],
            sum(o.shipments for o in groups[every]),
            tuple(sorted({_name(o.status, o.is_due) for o in groups[every]})),
        )
        for every in sorted(groups)
    ]
    return Plan(tuple(rhythms), sum(calls.values()) + second, budget, ended, policy.second_looks_days)


def _looks_an_hour(policy: PollingPolicy) -> float:
    """Second looks at one ended parcel, spread over the days from its end to the last of them."""
    days = policy.second_looks_days
    return len(days) / (timedelta(days=max(days)) / HOUR) if days else 0.0


def _stretched(calls: Mapping[timedelta, float], second_looks: float, budget: float) -> dict[timedelta, float]:
    """By wanted interval, the factor by which it grows: 1 where it can be kept."""
    factors = dict.fromkeys(calls, 1.0)
    total = sum(calls.values()) + second_looks
    if total <= budget or not calls:
        return factors
    quickest = min(calls)
    # As the sweep does: a quarter of the batches belongs to what is not urgent, where there is any.
    others = total - calls[quickest]
    kept_back = min(others, budget / 4)
    factors[quickest] = max(1.0, calls[quickest] / (budget - kept_back))
    left = budget - calls[quickest] / factors[quickest]
    return {every: factor if every == quickest else max(1.0, others / left) for every, factor in factors.items()}


def _name(status: TrackingStatus, is_due: bool) -> str:
    return f"{status.value} (due or late)" if is_due else status.value
