"""Due dates that tracking does not name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class DeadlineTerms:
    """What a carrier's calculator of delivery terms can do."""

    batch_size: int
    source: str


@dataclass(frozen=True, slots=True)
class DeadlineRequest:
    """One parcel whose due date is asked for; `key` is the daemon's own and comes back with the answer."""

    key: int
    origin_postal_code: str
    destination_postal_code: str
    posted_on: date
    posted_code: str
    """The carrier's code of the event that posted it: a carrier may have one for "after the day's cut-off"."""
    tracked_service: str | None = None
    """The service family as tracking names it."""
    ordered_service: str | None = None
    """The service as the order names it."""


class DeadlineOutcome(StrEnum):
    """What came of one request."""

    NAMED = "named"
    NO_SERVICE = "no_service"
    """No service code is configured for what the parcel was sent by; nothing was asked."""
    REFUSED = "refused"
    """The carrier cannot compute this one; `message` has its words."""


@dataclass(frozen=True, slots=True)
class DeadlineAnswer:
    """One parcel's term. `due_on` is a date the carrier itself gave, or None where it gave only `business_days`.

    Both count from the day that was asked with; `after_cutoff` says that the carrier counts from one business day later, since
    the parcel was posted too late that day.
    """

    key: int
    outcome: DeadlineOutcome
    raw: bytes = b""
    due_on: date | None = None
    business_days: int | None = None
    after_cutoff: bool = False
    home_delivery: bool | None = None
    """Whether the carrier delivers to this address at all, or lays everything out for pickup."""
    service_code: str | None = None
    message: str = ""


@runtime_checkable
class DeadlineAdapter(Protocol):
    """Asks a carrier until when a parcel is due, for the day on which it was really posted."""

    deadline_terms: DeadlineTerms

    async def due_dates(self, requests: Sequence[DeadlineRequest]) -> Mapping[int, DeadlineAnswer]:
        """Answers by `key` for up to `batch_size` requests; one without an answer was left out by the carrier.

        Raises TransientCarrierError, PermanentCarrierError or CarrierConfigError for the call as a whole.
        """
