"""Business days and local days.

National and state holidays come from the `holidays` library; city holidays are in no maintained list, so the merchant
names them. Two readings of a doubtful day (Carnival, Corpus Christi, 24 and 31 December: optional, yet kept by many
carriers): it is a holiday where we ask from when we may act, and none where we ask until when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import holidays

DAY = timedelta(days=1)
_NOWHERE: Final[frozenset[str | None]] = frozenset({None})
STATES = frozenset("AC AL AM AP BA CE DF ES GO MA MG MS MT PA PB PE PI PR RJ RN RO RR RS SC SE SP TO".split())


@lru_cache(maxsize=512)
def _holidays(state: str | None, doubtful: bool, year: int) -> frozenset[date]:
    # Good Friday is among the public ones of the library; Saturday and Sunday are left to the caller.
    categories = ("public", "optional") if doubtful else ("public",)
    subdivision = state if state in STATES else None
    return frozenset(holidays.country_holidays("BR", subdiv=subdivision, years=year, categories=categories))


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Business days in one or more states; `doubtful` counts optional closings as holidays."""

    states: frozenset[str] = frozenset()
    extra: frozenset[date] = frozenset()
    doubtful: bool = False

    def is_business(self, day: date) -> bool:
        """Monday to Friday and no holiday."""
        if day.weekday() >= 5 or day in self.extra:
            return False
        # Not `any` of an expression: detection asks some twenty times a parcel, and it took a third longer.
        for state in self.states or _NOWHERE:  # noqa: SIM110
            if day in _holidays(state, self.doubtful, day.year):
                return False
        return True

    def skipped(self, after: date, until: date) -> list[date]:
        """The days Monday to Friday after `after`, up to and with `until`, that do not count: holidays and closed days."""
        span = (after + DAY * n for n in range(1, (until - after).days + 1))
        return [day for day in span if day.weekday() < 5 and not self.is_business(day)]

    def add(self, day: date, count: int) -> date:
        """The `count`-th business day after `day` (`day` itself where `count` is 0)."""
        while count > 0:
            day += DAY
            if self.is_business(day):
                count -= 1
        return day

    def count(self, after: date, until: date) -> int:
        """How many business days lie after `after`, up to and with `until`."""
        days = (until - after).days
        return sum(self.is_business(after + DAY * n) for n in range(1, days + 1))


@dataclass(frozen=True, slots=True)
class Calendars:
    """The two readings of a doubtful day for one shipment, and its zone."""

    zone: ZoneInfo
    since: BusinessCalendar
    """For "from when": a doubtful day is a holiday."""
    until: BusinessCalendar
    """For "until when": it is none."""

    def local_date(self, instant: datetime) -> date:
        """The merchant's calendar day of an instant."""
        return instant.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        """The instant (UTC) at which this local day begins."""
        return datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)

    def at(self, day: date, hour: time) -> datetime:
        """The instant (UTC) of an hour of this local day."""
        return datetime.combine(day, hour, tzinfo=self.zone).astimezone(UTC)


class CalendarsBetween(Protocol):
    """The calendars between a shop and a destination; closings of the city are among them where it is named."""

    def __call__(self, shop: str, state: str | None, city: str | None = None, /) -> Calendars: ...


def calendars(zone: ZoneInfo, states: frozenset[str], extra: frozenset[date]) -> Calendars:
    """Both calendars of a shipment between these states, with the shop's own closed days."""
    return Calendars(zone, BusinessCalendar(states, extra, doubtful=True), BusinessCalendar(states, extra))


def holiday_name(day: date, states: frozenset[str], language: str) -> str | None:
    """What this day is called in Portuguese (`pt_BR`) or English (`en_US`); None for one that the shop named itself."""
    places: list[str | None] = [*sorted(states & STATES)] or [None]
    for state in places:
        known = holidays.country_holidays(
            "BR", subdiv=state, years=day.year, categories=("public", "optional"), language=language
        )
        if day in known:
            return str(known[day])
    return None
