"""The simulated carrier's own business calendar; on purpose not the one of the program under trial."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

LOCAL = ZoneInfo("America/Sao_Paulo")
_DAY = timedelta(days=1)


@cache
def _closed_days(year: int) -> frozenset[date]:
    """National holidays and Good Friday; branches also close on Carnival Monday and Tuesday, 46 and 45 days before."""
    by_law = dict(holidays.country_holidays("BR", years=year, language="en_US").items())
    good_friday = next(day for day, name in by_law.items() if "Good Friday" in name)
    return frozenset(by_law) | {good_friday - 46 * _DAY, good_friday - 45 * _DAY}


def is_business_day(day: date) -> bool:
    return day.weekday() < 5 and day not in _closed_days(day.year)


def add_business_days(day: date, count: int) -> date:
    """Return the *count*-th business day after *day*; zero gives *day* itself, whatever it is."""
    while count > 0:
        day += _DAY
        if is_business_day(day):
            count -= 1
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
