"""The merchant's own reading of event codes that an adapter does not know (configuration `carriers[].codes`). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from carriers.base import Cause, TrackingEvent, TrackingStatus
from tracker.domain.history import FINAL

Status = TrackingStatus
_ATTEMPTS: Final = frozenset({Status.DELIVERED, Status.AVAILABLE_FOR_PICKUP, Status.DELIVERY_FAILED})
"""What ends the carrier's term (domain notes on carriers: attempt, pickup or delivery, whichever comes first)."""


@dataclass(frozen=True, slots=True)
class CodeReading:
    """What a code means to this merchant."""

    status: TrackingStatus
    cause: Cause | None = None

    @property
    def final(self) -> bool:
        """Whether nothing more is expected."""
        return self.status in FINAL

    @property
    def attempt(self) -> bool:
        """Whether the carrier came; with the cause `delay` it did not."""
        return self.status in _ATTEMPTS and self.cause is not Cause.DELAY


UNREAD: Final = CodeReading(Status.UNKNOWN)
CodeMap = Mapping[str, CodeReading]
"""By the carrier's own code, exactly: a family of codes is never read as one, for one of them may be a loss."""


@dataclass(frozen=True, slots=True)
class MappedEvent(TrackingEvent):
    """An event that the adapter left unknown, as the merchant reads it."""


def read_by(codes: CodeMap, event: TrackingEvent) -> TrackingEvent:
    """The event as the merchant reads it, where the adapter does not know its code; the adapter's own word comes first."""
    reading = codes.get(event.carrier_code)
    if reading is None or event.status is not Status.UNKNOWN or event.reversal:
        return event
    values = {field.name: getattr(event, field.name) for field in fields(TrackingEvent)}
    values |= {
        "status": reading.status,
        "cause": reading.cause,
        "final": reading.final,
        "attempt": reading.attempt,
    }
    return MappedEvent(**values)
