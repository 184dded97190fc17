"""When something is so old that it may be dropped. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

ORDERS_MIN_DAYS: Final = 180
"""A claim may be filed for 90 days, is answered, contested and paid after that."""
ANSWERS_MIN_DAYS: Final = 120
LOGS_MIN_DAYS: Final = 90
DEFAULT_ORDERS_DAYS: Final = 1825
"""Five years: so long a consumer may sue for damage (Lei 8.078/1990, art. 27), and so long the shop may have to answer."""
DEFAULT_ANSWERS_DAYS: Final = 400
"""A carrier can be sued for a year after the delivery (Lei 11.442/2007, art. 18)."""
DEFAULT_LOGS_DAYS: Final = 400
HOOKS_KEPT: Final = timedelta(days=30)
"""Of what carriers pushed, as it came: to see what they sent, and to tell a repetition."""
SIGNALS_KEPT: Final = timedelta(days=14)
"""Of what alerts were made of, for a look after something went wrong."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long what has ended is kept."""

    orders: timedelta
    answers: timedelta
    logs: timedelta


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What decides whether an order may go. `last_at`: when the last thing happened to it or to anything of it."""

    order_id: int
    last_at: datetime
    is_open: bool
    """Something of it is still looked at, claimed, told, or held for a person."""
    is_unresolved: bool = False
    """It has a problem that nothing has ended: a lost parcel stays lost, until a person settles it."""
    is_newest: bool = False
    """It holds a number that the database would give once more, were it free."""


def may_go(facts: OrderFacts, cutoff: datetime, unresolved_longer: timedelta = timedelta()) -> bool:
    """Whether an order with everything of it has ended, and that was long ago; with a problem unresolved, longer still."""
    if facts.is_open or facts.is_newest:
        return False
    return facts.last_at <= (cutoff - unresolved_longer if facts.is_unresolved else cutoff)


def unresolved_longer(terms: Terms) -> timedelta:
    """By how much an order with an unresolved problem outlives others: after five years nobody can claim anything of it."""
    return max(timedelta(days=DEFAULT_ORDERS_DAYS) - terms.orders, timedelta())


def next_hour(at: time, zone: tzinfo, now: datetime) -> datetime:
    """The first instant after now at which it is `at` by the shop's clock."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), at, tzinfo=zone)
    return today if today > now else datetime.combine(local.date() + timedelta(days=1), at, tzinfo=zone)
