"""The simulated carrier's own business calendar; on purpose not the one of the program under trial."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from tracker.sandbox.state_holidays import state_holidays

LOCAL = ZoneInfo("America/Sao_Paulo")
_DAY = timedelta(days=1)


@cache
def _closed_days(year: int, state: str) -> frozenset[date]:
    """National holidays and Good Friday; branches also close on Carnival Monday and Tuesday, 46 and 45 days before."""
    by_law = dict(holidays.country_holidays("BR", years=year, language="en_US").items())
    good_friday = next(day for day, name in by_law.items() if "Good Friday" in name)
    carnival = {good_friday - 46 * _DAY, good_friday - 45 * _DAY}
    return frozenset(by_law) | carnival | state_holidays(state, year, good_friday + 2 * _DAY)


def is_business_day(day: date, state: str = "") -> bool:
    """Whether the carrier works on *day*: everywhere, or in one state with its own holidays."""
    return day.weekday() < 5 and day not in _closed_days(day.year, state)


def add_business_days(day: date, count: int, state: str = "") -> date:
    """Return the *count*-th business day after *day* (before it, where negative); zero gives *day* itself."""
    step = _DAY if count >= 0 else -_DAY
    left = abs(count)
    while left > 0:
        day += step
        if is_business_day(day, state):
            left -= 1
    return day


def local(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return an aware instant from Brasilia wall time."""
    return datetime.combine(day, time(hour, minute, second), tzinfo=LOCAL)


def local_date(instant: datetime) -> date:
    """Return the Brasilia calendar day of an instant."""
    return instant.astimezone(LOCAL).date()


def local_text(instant: datetime) -> str:
    """Return an instant as the interfaces write it: Brasilia time without zone."""
    return instant.astimezone(LOCAL).strftime("%Y-%m-%dT%H:%M:%S")
