"""How closely the reader looks: the instants of its looks, the outages that blind it, and runs of looks at one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

from tracker.sandbox.faults import Outage
from tracker.sandbox.workdays import LOCAL, add_business_days, is_business_day, local_date

PASSES = (time(8, 30), time(13, 0), time(18, 30))
A_DAY_OF_LOOKS = len(PASSES)
"""So many looks later the same hour of the next day has come; what stood all the while must have been seen."""
_DAY = timedelta(days=1)
_DOUBTFUL = ((12, 24), (12, 31))
_CORPUS_CHRISTI = (date(2026, 6, 4), date(2027, 5, 27), date(2028, 6, 15))
_ASH_WEDNESDAY = (date(2026, 2, 18), date(2027, 2, 10), date(2028, 3, 1))


def passes(first: date, days: int) -> list[datetime]:
    """Return the instants of three looks a day over *days* days from *first* on."""
    return [datetime.combine(first + _DAY * n, at, tzinfo=LOCAL) for n in range(days) for at in PASSES]


@dataclass(frozen=True, slots=True)
class Attention:
    """The looks that got an answer of tracking, and those at which claims could be filed too."""

    looks: tuple[datetime, ...]
    claim_looks: tuple[datetime, ...]
    blind_days: frozenset[date] = frozenset()
    """Days on which a look got no answer: whether silence rules count them is open (design 6)."""

    @classmethod
    def of(cls, instants: Iterable[datetime], outages: Sequence[Outage] = ()) -> Attention:
        """Return the attention of a reader that looks at *instants* through *outages*."""
        wanted = tuple(instants)
        looks = tuple(now for now in wanted if not _out("/srorastro", now, outages))
        claim_looks = tuple(now for now in looks if not _out("/pedido-informacao", now, outages))
        blind = frozenset(local_date(now) for now in wanted if now not in looks)
        return cls(looks, claim_looks, blind)


def _out(path: str, now: datetime, outages: Sequence[Outage]) -> bool:
    return any(outage.strikes(path, now) for outage in outages)


@cache
def strictly_closed(day: date, states: tuple[str, ...]) -> bool:
    """Whether anybody could take *day* for a holiday: any of the states' own, and the optional ones."""
    if (day.month, day.day) in _DOUBTFUL or day in _CORPUS_CHRISTI or day in _ASH_WEDNESDAY:
        return True
    return not is_business_day(day) or any(not is_business_day(day, state) for state in states)


@cache
def add_strictly(day: date, count: int, states: tuple[str, ...], blind: frozenset[date] = frozenset()) -> date:
    """Return the *count*-th day after *day* (before it, where negative) that nobody can doubt is a business day."""
    step = _DAY if count >= 0 else -_DAY
    left = abs(count)
    while left > 0:
        day += step
        if day not in blind and not strictly_closed(day, states):
            left -= 1
    return day


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive looks, by their places in the list of looks."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def runs(looks: Sequence[datetime], holds: Callable[[datetime], bool]) -> list[Run]:
    """Return the longest stretches of *looks* at which *holds* is true."""
    found: list[Run] = []
    start: int | None = None
    for place, now in enumerate(looks):
        if holds(now):
            start = place if start is None else start
        elif start is not None:
            found.append(Run(start, place - 1))
            start = None
    if start is not None:
        found.append(Run(start, len(looks) - 1))
    return found


@cache
def loosely(day: date, count: int) -> date:
    """Return the *count*-th business day after *day*, counting every day on which the carrier works somewhere."""
    return add_business_days(day, count)
