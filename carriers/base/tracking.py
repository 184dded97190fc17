"""What a parcel is known by, what happened to it, and how a carrier is asked about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable


class TrackingStatus(StrEnum):
    """Where a shipment stands; the same words for an event and for the whole shipment."""

    PRE_TRANSIT = "pre_transit"
    POSTED = "posted"
    IN_TRANSIT = "in_transit"
    CUSTOMS = "customs"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERY_FAILED = "delivery_failed"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"
    EXCEPTION = "exception"
    LOST = "lost"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    SEIZED = "seized"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why an event happened, where the carrier's code says so."""

    ABSENT = "absent"
    WRONG_ADDRESS = "wrong_address"
    REFUSED = "refused"
    UNCLAIMED = "unclaimed"
    RETURN = "return"
    DELAY = "delay"
    LOSS = "loss"
    THEFT = "theft"
    DAMAGE = "damage"
    VIOLATION = "violation"
    MISDELIVERY = "misdelivery"
    CUSTOMS_HOLD = "customs_hold"
    SEIZED = "seized"
    OTHER = "other"


class ProblemKind(StrEnum):
    """What can be wrong with a shipment, as the daemon names it; carriers say which of these they take claims for."""

    NOT_POSTED = "not_posted"
    DELAY = "delay"
    STALLED = "stalled"
    LOSS = "loss"
    THEFT = "theft"
    DAMAGE = "damage"
    VIOLATION = "violation"
    DELIVERY_FAILED = "delivery_failed"
    ADDRESS_PROBLEM = "address_problem"
    PICKUP_EXPIRING = "pickup_expiring"
    REFUSED = "refused"
    RETURNING = "returning"
    RETURNED = "returned"
    SEIZED = "seized"
    CUSTOMS_HOLD = "customs_hold"
    LATE_DELIVERY = "late_delivery"
    MISDELIVERY = "misdelivery"
    UNTRACKABLE = "untrackable"


class RefKind(StrEnum):
    """By what a carrier finds a shipment."""

    CODE = "code"
    INVOICE_KEY = "invoice_key"
    """The 44 characters of an NF-e access key."""
    INVOICE = "invoice"
    """Issuer, series and number of an NF-e, `12345678000195/1/4711` (`carriers.invoice`): what files between companies name."""


@dataclass(frozen=True, slots=True, order=True)
class TrackingRef:
    """One number a carrier knows a parcel by, already normalised (no blanks; upper case, unless the carrier minds)."""

    kind: RefKind
    value: str


# --- tracking -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """One event as the carrier told it.

    `key` is drawn from the carrier's raw stable fields alone, so that a better code table never makes an old event new.
    `carrier_code` is the carrier's own; where it sends a text and no code, that text as `carriers.codes.normal` writes it.
    `occurred_at` is aware UTC. `attempt` says that the carrier came, or laid the parcel out for pickup: what ends its term.
    """

    key: str
    occurred_at: datetime
    carrier_code: str
    status: TrackingStatus
    description: str
    cause: Cause | None = None
    location: str | None = None
    """City and state as `CURITIBA/PR`, or less where the carrier says less."""
    final: bool = False
    attempt: bool = False
    reversal: bool = False
    """Takes back the newest earlier event (and says nothing itself)."""
    indemnified: bool = False
    """The carrier's own mark that it has paid for the parcel."""
    pickup_until: date | None = None
    by_words: bool = False
    """Read from the carrier's free text, since it sends no code, or from a code whose meaning nobody has confirmed: alone it
    opens no refund claim."""


class AnswerOutcome(StrEnum):
    """What a carrier says of one number."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    """Not known (yet): normal in the first days."""
    OTHER_ACCOUNT = "other_account"
    """Exists, but under credentials that are not these."""
    INVALID_NUMBER = "invalid_number"
    """Cannot be a number of this carrier; asking again is of no use."""
    ERROR = "error"
    """A refusal about this number that we cannot name; `message` has the carrier's words."""


@dataclass(frozen=True, slots=True)
class TrackingAnswer:
    """Everything a carrier said of one number in one answer.

    `raw` is that part of the answer, byte for byte the same whenever the carrier repeats itself (canonical JSON, say): it is
    kept as evidence and its digest tells whether anything changed. `complete` is true where the answer holds the whole
    history, so that an event missing from it has been taken away by the carrier. `due_on` is the date the carrier now names.
    """

    ref: TrackingRef
    outcome: AnswerOutcome
    raw: bytes
    events: tuple[TrackingEvent, ...] = ()
    complete: bool = True
    due_on: date | None = None
    service: str | None = None
    """The carrier's service family, e.g. `SEDEX`; the key of `TrackingTerms.presumed_loss_business_days`."""
    contract: str | None = None
    declared_value_cents: int | None = None
    message: str | None = None
    also: tuple[TrackingRef, ...] = ()
    """Other numbers of the same parcel that a feed names: tried in turn where `ref` is no parcel of ours."""

    @property
    def said(self) -> bytes:
        """See `Heard`."""
        return self.raw or self.outcome.encode()

    def read(self) -> TrackingAnswer:
        """See `Heard`."""
        return self


class Heard(Protocol):
    """What a carrier said of one number: an answer, or one that is read only where it says something new.

    Most looks find what the last one found, and to read an answer costs many times what it costs to compare it.
    """

    @property
    def said(self) -> bytes:
        """What was said, the same bytes whenever the carrier repeats itself: compared by its digest, and never kept."""

    def read(self) -> TrackingAnswer:
        """The answer. Never raises for what the carrier wrote."""


@dataclass(frozen=True, slots=True)
class UnreadAnswer:
    """An answer as it came, with everything in it that may not be kept; `reader` makes the answer of it."""

    said: bytes = field(repr=False)
    reader: Callable[[], TrackingAnswer] = field(repr=False)

    def read(self) -> TrackingAnswer:
        """See `Heard`."""
        return self.reader()


@dataclass(frozen=True, slots=True)
class TrackingTerms:
    """What a carrier's tracking can do, and its terms.

    `presumed_loss_business_days` maps a service family to how long without an event counts as lost; `""` is every other.
    `reading_version` changes whenever the adapter or its code table reads the same bytes differently.
    """

    ref_kinds: tuple[RefKind, ...]
    batch_size: int
    requests_per_second: float
    timezone: str
    reading_version: str
    presumed_loss_business_days: Mapping[str, int]
    terms_source: str
    push: bool = False
    pickup_days: int | None = None
    """Calendar days a parcel waits at a counter where its events name no last day; None: not known, and never guessed."""


class Followed(Protocol):
    """How a carrier's parcels are numbered, and on what terms they are followed, be it asked or told."""

    tracking_terms: TrackingTerms

    def normalise(self, value: str) -> TrackingRef | None:
        """The number as this carrier writes it, or None where it cannot be one of its own (form or check digit)."""


@runtime_checkable
class TrackingAdapter(Followed, Protocol):
    """Asks a carrier about parcels."""

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """Ask about up to `batch_size` numbers; every one asked has its answer in what comes back, read or not yet.

        Raises TransientCarrierError, PermanentCarrierError or CarrierConfigError for the call as a whole.
        """
