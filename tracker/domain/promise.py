"""The two promises: what the customer was promised drives messages, what the carrier owes drives claims."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tracker.domain.calendar import Calendars


class PromiseBasis(StrEnum):
    GIVEN = "given"
    CARRIER = "carrier"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Promise:
    """What the customer was promised: the first word, and the latest."""

    on: date | None
    first_on: date | None
    basis: PromiseBasis


def customer_promise(
    given: date | None, first_given: date | None, carrier_first: date | None, slack_business_days: int, days: Calendars
) -> Promise:
    """The order's own date; else the carrier's first date plus a slack, since the shop surely promised no less."""
    if given is not None:
        return Promise(given, first_given or given, PromiseBasis.GIVEN)
    if carrier_first is not None:
        on = days.since.add(carrier_first, slack_business_days)
        return Promise(on, on, PromiseBasis.CARRIER)
    return Promise(None, None, PromiseBasis.NONE)
