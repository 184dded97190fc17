"""What a carrier sends by itself: files, feeds that are fetched, and pushes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from carriers.base.tracking import TrackingAnswer, TrackingRef


@dataclass(frozen=True, slots=True)
class FeedFault:
    """A part of what was sent that could not be read; the rest was. `line` counts from 1 where there are lines."""

    line: int | None
    reason: str
    """One sentence, without personal data."""


@dataclass(frozen=True, slots=True)
class FeedReading:
    """What one payload told: an answer for each number in it (`complete` only where it holds a whole history)."""

    answers: Mapping[TrackingRef, TrackingAnswer]
    faults: tuple[FeedFault, ...] = ()


@runtime_checkable
class EventFeed(Protocol):
    """Reads what a carrier sends by itself: a file, a daily feed, the body of a hook."""

    def read(self, payload: bytes) -> FeedReading:
        """Pure. Raises PermanentCarrierError where the bytes as a whole cannot be read."""


@runtime_checkable
class FileFeed(EventFeed, Protocol):
    """A feed of files that come by folder, SFTP or mail."""

    max_bytes: int
    """A larger file is refused without being read."""

    def is_own(self, name: str, payload: bytes) -> bool:
        """Whether a file that lies there is one of these at all: others are left where they are."""


@runtime_checkable
class PulledFeed(EventFeed, Protocol):
    """A feed that is fetched: everything the carrier wrote on a day, whichever parcels it is about."""

    pull_every: timedelta
    """The carrier refuses to be asked more often."""

    async def pull(self, day: date) -> bytes:
        """The payload of one calendar day in the carrier's zone. Raises as `TrackingAdapter.track`."""


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A request that came in under an account's address on the public listener. Header names are in lower case."""

    method: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    query: str = field(default="", repr=False)


class HookOutcome(StrEnum):
    """What is to be done with a request to a hook."""

    ACCEPTED = "accepted"
    """Signed by the carrier: kept, then answered."""
    PROBE = "probe"
    """The carrier's trial of the address: answered, nothing is kept of it."""
    REFUSED = "refused"
    """Not proved to be the carrier's."""


@dataclass(frozen=True, slots=True)
class HookVerdict:
    """What an adapter says of a request to its hook, and what it answers. `reason` is for the log, without any secret.

    Where what was signed holds its time, `sent_at` is that time and `good_for` how much later the carrier itself still sends
    it: what comes after that is refused. A body that was seen already is never taken for a new one, with a time or without.
    """

    outcome: HookOutcome
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    reason: str = ""
    sent_at: datetime | None = None
    good_for: timedelta | None = None


@runtime_checkable
class HookReceiver(EventFeed, Protocol):
    """A carrier's push: `check` proves who sent a request before anything of it is read, `read` reads its body later.

    The same body twice is the same delivery; the daemon keeps one.
    """

    def check(self, request: HookRequest) -> HookVerdict:
        """Pure and quick: signature or secret compared in constant time over the raw body (`carriers.signatures`)."""
