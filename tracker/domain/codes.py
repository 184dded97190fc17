"""The merchant's own reading of a carrier's event codes (configuration `carriers[].codes`). Pure.

Carriers by road relabel codes, so what the merchant says of one comes before the adapter's own reading, and is as good as a
confirmed code; the adapter's reading is kept beside it and stands again when the line is taken away. A reversal is no code to
be read: it takes back what came before it, whatever it is called.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from carriers.base import Cause, TrackingEvent, TrackingStatus
from tracker.domain.history import FINAL
from tracker.domain.text import without_accents

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
LONGEST_CODE: Final = 60
"""A code that is a text may be longer: it is known by its beginning."""


def code_key(code: str) -> str:
    """A code as it is compared: upper case, without accents, one blank between words, of a bounded length."""
    return " ".join(without_accents(code).upper().split())[:LONGEST_CODE].rstrip()


@dataclass(frozen=True, slots=True)
class OwnReading:
    """What an adapter itself reads in an event that the merchant reads otherwise."""

    status: TrackingStatus
    cause: Cause | None = None
    final: bool = False
    attempt: bool = False
    indemnified: bool = False
    by_words: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        """As an event's row has it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "status": self.status.value, "cause": self.cause.value if self.cause else None}

    @property
    def kept(self) -> str:
        """As it stands beside the merchant's reading, in one text."""
        return json.dumps(self.columns, sort_keys=True)

    @classmethod
    def of_columns(cls, values: Mapping[str, Any]) -> OwnReading:
        """The other way."""
        names = {field.name: values[field.name] for field in fields(cls)}
        cause = Cause(names["cause"]) if names["cause"] else None
        return cls(**{**names, "status": TrackingStatus(names["status"]), "cause": cause})

    @classmethod
    def of_kept(cls, text: str | None) -> OwnReading | None:
        """What was kept, if anything was."""
        return cls.of_columns(json.loads(text)) if text else None

    @classmethod
    def of_mapping(cls, reading: CodeReading) -> OwnReading:
        """The merchant's reading in the same terms: confirmed, and no more than it says."""
        return cls(reading.status, reading.cause, reading.final, reading.attempt)


@dataclass(frozen=True, slots=True)
class MappedEvent(TrackingEvent):
    """An event as the merchant reads it; `own` is what its adapter reads in it, None where that is nothing."""

    own: OwnReading | None = None


def read_by(codes: CodeMap, event: TrackingEvent) -> TrackingEvent:
    """The event as the merchant reads it, where there is a line for its code."""
    reading = codes.get(event.carrier_code)
    if reading is None or event.reversal:
        return event
    values = {field.name: getattr(event, field.name) for field in fields(TrackingEvent)}
    names = [field.name for field in fields(OwnReading)]
    own = OwnReading(**{name: values[name] for name in names})
    mapped = OwnReading.of_mapping(reading)
    values |= {name: getattr(mapped, name) for name in names}
    return MappedEvent(**values, own=own if own.status is not Status.UNKNOWN else None)
