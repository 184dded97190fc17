"""The contract between the daemon and every carrier adapter.

An adapter turns a carrier's answers into the types below and nothing else: it holds no state, never asks the time, never
touches the database and never guesses. A code it does not know stays `TrackingStatus.UNKNOWN` with the carrier's own code
beside it. The daemon asks an adapter what it can do (`TrackingTerms`, `ClaimTerms`) and never asks who it is.

Errors (all name the carrier and say what to do)::

    CarrierError                  this request, this time
        TransientCarrierError     time-out, refused connection, 408, 429, 5xx: ask again later
            AnswerLostError       the request may have arrived, its answer did not: look before asking again
        PermanentCarrierError     400, unreadable payload: a person looks, the round goes on
    CarrierConfigError            401, 403 after one renewal, contract ended: stop this API family, tell a person
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel

if TYPE_CHECKING:
    from carriers.http import CarrierHttp


class CarrierError(Exception):
    """A carrier did not do what it was asked; says who, what, and the HTTP status where there was one."""

    def __init__(self, carrier: str, message: str, http_status: int | None = None) -> None:
        super().__init__(f"{carrier}: {message}")
        self.carrier = carrier
        self.message = message
        self.http_status = http_status


class TransientCarrierError(CarrierError):
    """Ask again later; `retry_after` is the carrier's own wish where it named one."""

    def __init__(
        self, carrier: str, message: str, http_status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(carrier, message, http_status)
        self.retry_after = retry_after


class AnswerLostError(TransientCarrierError):
    """The request left and no readable answer came: what was asked for may have happened."""


class PermanentCarrierError(CarrierError):
    """Asking again is of no use: a refused request or an answer that cannot be read."""


class CarrierConfigError(Exception):
    """Credentials or contract do not allow this; stands outside `CarrierError` so that no wide `except` swallows it."""

    def __init__(self, carrier: str, message: str, http_status: int | None = None) -> None:
        super().__init__(f"{carrier}: {message}")
        self.carrier = carrier
        self.message = message
        self.http_status = http_status


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


# --- what a carrier sends by itself ---------------------------------------------------------------


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


# --- claims ---------------------------------------------------------------------------------------


class ClaimKind(StrEnum):
    INFORMATION_REQUEST = "information_request"
    REFUND = "refund"


class ClaimStart(StrEnum):
    """From when a claim may be filed."""

    DUE_DATE = "due_date"
    """The latest due date plus the margin of the terms."""
    EVENT = "event"
    """The event that proves the fault, plus `days_after_event`."""


class WindowStart(StrEnum):
    """From which local day the term of an offer counts."""

    EVENT = "event"
    """The day on which the fault came to be known: the event that proves it, or the person's word."""
    DELIVERY = "delivery"
    """The delivery; before there is one, the event (which is the earlier of the two, and so the safe one)."""


@dataclass(frozen=True, slots=True)
class ClaimWindow:
    """A term of an offer's own, where law or contract count otherwise for it than `ClaimTerms` does for the rest.

    All are calendar days from the day that `counts_from` names; on each of `alert_days` an unfiled claim is told of again.
    """

    counts_from: WindowStart
    days: int
    alert_days: tuple[int, ...]
    last_day: int
    """Tried until then; past it a right has lapsed, or only a court is left."""
    source: str


@dataclass(frozen=True, slots=True)
class ClaimOffer:
    """One kind of claim a carrier takes, for one kind of problem."""

    problem: ProblemKind
    motive: str
    kind: ClaimKind
    start: ClaimStart
    priority: int
    """Where several apply, the lowest number is filed: one claim a parcel."""
    days_after_event: int = 0
    fallback: tuple[str, ClaimKind] | None = None
    """Motive and kind to try once where the carrier does not take the first pair."""
    presumed: bool = False
    """For a problem that silence shows and no event of the carrier's: such a one has an offer of its own, or none."""
    not_causes: tuple[Cause, ...] = ()
    """Causes that are not the carrier's fault: with one of these there is nothing to claim."""
    not_codes: tuple[str, ...] = ()
    """Codes of events that show another's wish behind it; the same."""
    window: ClaimWindow | None = None
    """None: the window of the terms."""


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """When a carrier takes claims, how long it has to answer; data with a source, never a guess.

    The window counts calendar days from the earlier of delivery and the earliest due date (from the event where there is
    neither): an alert on `alert_day`, the deadline on `window_days`, tried to `last_day`.
    """

    offers: tuple[ClaimOffer, ...]
    source: str
    valid_since: date
    window_days: int = 30
    alert_day: int = 25
    last_day: int = 90
    margin_business_days: int = 1
    replanning_cap_business_days: int = 10
    answer_business_days: int = 5
    escalate_business_days: int = 10
    follow_days: int = 90
    batch_size: int = 1
    one_claim_a_parcel: bool = False
    """The carrier keeps one claim a parcel for ever: a second filing would only find the first one again."""
    service_level_motives: tuple[str, ...] = ()
    """Motives that a contract measured by service level does not settle claim by claim."""
    refund_motives: tuple[str, ...] = ()
    """Motives whose accepted inquiry is reopened as a refund request: that is how its money comes."""
    contest_days: int | None = None
    """How many calendar days a rejection may wait for its contest; None: the carrier takes none. A claim is contested once."""
    reopen_source: str = ""
    """Where the terms of reopening come from."""
    by_hand: str = ""
    """What a person does where the API does not take a claim (portal, law), in the merchant's language."""
    inquiry_gives_way: bool = False
    """A request for information and one for refund are two things to this carrier: where the refund comes due while only the
    other stands, the other ends and the refund is filed (a letter is no form that can be filled in once only)."""


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What a carrier must be told to open one claim. `recipient_name` is the only personal datum a carrier may need."""

    ref: TrackingRef
    motive: str
    kind: ClaimKind
    recipient_name: str
    contract: str | None = None
    """The contract the parcel was posted under, where tracking told it."""


class ClaimOutcome(StrEnum):
    """A carrier's answer to the opening of a claim, typed."""

    REGISTERED = "registered"
    ALREADY_OPEN = "already_open"
    NOT_YET = "not_yet"
    """Later: on `not_before`, after the next of `waits`, or after the next event (`after_event`)."""
    REFUSED = "refused"
    """Refused for good, for this parcel and motive."""
    OTHER_MOTIVE = "other_motive"
    """Not with this motive; `motive` names another where the carrier's answer points to one."""
    WRONG_CONFIGURATION = "wrong_configuration"
    """Contract, card or settings do not fit; a person must act."""
    NEEDS_PERSON = "needs_person"
    """Only a person can go on (missing data, another channel)."""
    UNKNOWN = "unknown"
    """A code we do not know: kept, not retried, shown to a person."""


@dataclass(frozen=True, slots=True)
class ClaimAnswer:
    """One carrier's answer about one claim; `raw` is kept as evidence."""

    outcome: ClaimOutcome
    code: str
    text: str
    raw: bytes
    protocol: str | None = None
    not_before: date | None = None
    after_due: bool = False
    """`NOT_YET` because the term has not ended: ask again the margin after the (recomputed) due date."""
    after_event: bool = False
    look_first: bool = False
    """The carrier knows of something that its tracking had not told us yet: look there before anything else is decided."""
    waits: tuple[timedelta, ...] = ()
    """How long to wait after the first, second, ... answer with this code; past the last, a person."""
    motive: str | None = None
    service_level: bool = False
    """The contract settles this kind by service level: no claim of this motive will ever be taken."""
    otherwise: ClaimOutcome = ClaimOutcome.NEEDS_PERSON
    """What `OTHER_MOTIVE` comes to where no other motive is left: `NOT_YET` (after the next event), `REFUSED` or a person."""
    window_passed: bool = False
    """The carrier's own window for this motive has closed, though the law may give more: for a person, with the law's words."""
    carrier_fault: bool = False
    """The carrier's machines failed; it says nothing of this claim."""


class ReopenOutcome(StrEnum):
    """A carrier's answer to the reopening of an answered claim, typed."""

    REOPENED = "reopened"
    NOT_YET = "not_yet"
    """Later: after `not_before`, after the next of `waits`, after the claim's next answer or the parcel's next event."""
    ALREADY = "already"
    """A refund request stands already: follow that one."""
    NOT_FOUND = "not_found"
    """The protocol is not known: look the claim up by its parcel."""
    OTHER_MOTIVE = "other_motive"
    OTHER_KIND = "other_kind"
    """Only as the kind that it was filed as."""
    REFUSED = "refused"
    """Refused for good."""
    WRONG_CONFIGURATION = "wrong_configuration"
    NEEDS_PERSON = "needs_person"
    UNKNOWN = "unknown"
    """A code we do not know: kept, not retried, shown to a person."""


@dataclass(frozen=True, slots=True)
class ReopenRequest:
    """What a carrier must be told to reopen one claim. `note` is made of dates and codes alone, without personal data."""

    ref: TrackingRef
    protocol: str
    motive: str
    kind: ClaimKind
    note: str
    contract: str | None = None


@dataclass(frozen=True, slots=True)
class ReopenAnswer:
    """One carrier's answer about one reopening; `raw` is kept as evidence."""

    outcome: ReopenOutcome
    code: str
    text: str
    raw: bytes
    protocol: str | None = None
    not_before: date | None = None
    """The last day of a term that still runs: look again after it."""
    after_answer: bool = False
    after_event: bool = False
    look_first: bool = False
    waits: tuple[timedelta, ...] = ()
    otherwise: ReopenOutcome = ReopenOutcome.NEEDS_PERSON
    """What `OTHER_MOTIVE` comes to where no other motive is left."""
    service_level: bool = False
    carrier_fault: bool = False


class ClaimProgress(StrEnum):
    """How far the carrier has come with a claim."""

    NONE = "none"
    """The carrier knows of no such claim."""
    OPEN = "open"
    ANSWERED = "answered"
    """Answered, without saying for or against."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REOPENED = "reopened"
    PAID = "paid"
    NOT_FOLLOWED = "not_followed"
    """Exists, but the carrier shows nothing more of it."""


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """What a carrier says of a claim when looked up."""

    progress: ClaimProgress
    raw: bytes
    protocol: str | None = None
    motive: str | None = None
    kind: ClaimKind | None = None
    opened_on: date | None = None
    answered_on: date | None = None
    due_on: date | None = None
    """The due date the carrier's claims office counts with."""
    reopened_on: date | None = None
    """When it was last reopened, where it was."""
    first_motive: str | None = None
    """The motive it was filed with; `motive` is the one the carrier has put in its place, if it has."""
    last_event: str | None = None
    """The parcel's newest event as the claims office knows it, as tracking codes it."""
    last_event_on: date | None = None
    posted_on: date | None = None
    posted_after_cutoff: bool | None = None
    service_level: bool = False
    """Registered by the service-level system: the contract settles such claims."""
    granted_cents: int | None = None
    """The indemnity that the answer names, where it names one amount and no other."""
    reopening_text: str = ""
    text: str = ""
    carrier_state: str | None = None
    """The carrier's own word for it, verbatim."""
    code: str = ""


@runtime_checkable
class ClaimsAdapter(Protocol):
    """Files and follows claims through a carrier's API."""

    claim_terms: ClaimTerms

    async def open_claims(self, requests: Sequence[ClaimRequest]) -> Mapping[TrackingRef, ClaimAnswer]:
        """File up to `claim_terms.batch_size` claims. A request that has no answer in what comes back was not answered.

        Never repeated by the adapter. Raises AnswerLostError where the carrier may have taken them, TransientCarrierError
        where it surely has not, PermanentCarrierError or CarrierConfigError.
        """

    async def reopen_claims(self, requests: Sequence[ReopenRequest]) -> Mapping[str, ReopenAnswer]:
        """Reopen up to `claim_terms.batch_size` answered claims; answers by protocol. Otherwise as `open_claims`."""

    async def look_up(self, ref: TrackingRef, protocol: str | None) -> ClaimStatus:
        """The claim with this protocol, or the newest one on this parcel. Raises as `TrackingAdapter.track`."""


class CounterpartyKind(StrEnum):
    """Who invoiced the freight, and so answers for the parcel to the shop."""

    CARRIER = "carrier"
    BROKER = "broker"
    """A seller of labels or a hub: the contract is with it, whoever carries."""


@dataclass(frozen=True, slots=True)
class ClaimsByLetter:
    """A carrier without a claims API: its terms, and how a letter to it is written.

    A letter goes to the merchant's `claims.letter_to`, else to `letter_to`; where there is neither, a person sends the claim.
    """

    claim_terms: ClaimTerms
    letter_to: str | None = None
    """The address that the carrier itself publishes for every shipper's claims; never one that is guessed."""
    words: Mapping[str, str] = field(default_factory=dict)
    """By motive, what the carrier's own clerks call it (`carta-protesto por avaria`): it stands in the subject."""
    asks_for: tuple[str, ...] = ()
    """Documents that the carrier asks for beside every letter (`declaração de não recebimento`), in Portuguese."""
    asks_for_motive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """More of them by motive (`boletim de ocorrência` for a theft)."""
    law: Mapping[str, str] = field(default_factory=dict)
    """By motive, what the letter rests on, in Portuguese; a motive without one gets what the law says of every carriage."""
    counterparty: CounterpartyKind = CounterpartyKind.CARRIER
    """Whom letters are written to, unless the merchant's contract says otherwise (`claims.counterparty`)."""


# --- due dates that tracking does not name --------------------------------------------------------


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


# --- what the daemon lends to an adapter ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; `renew_at` is when a new one should be asked for (aware UTC)."""

    value: str = field(repr=False)
    expires_at: datetime
    renew_at: datetime
    missing: tuple[str, ...] = ()
    """APIs that this account needs and the carrier does not open to it, in words a person can ask for them with."""
    refresh: str | None = field(default=None, repr=False)
    """What the next token is asked for with, where the carrier gives a new one each time; outlives the token."""
    origin: str = field(default="", repr=False)
    """A digest of the configured credential that the first token of this chain came from."""


class TokenStore(Protocol):
    """Keeps one account's access token for all its API families, across restarts and processes."""

    async def get(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        """The token in force; `mint` is called, by one caller at a time, where there is none or it is due for renewal."""

    async def discard(self, token: Token) -> None:
        """Forget this token (not a newer one that somebody put in its place); its `refresh` is kept."""

    async def refresh_of(self, origin: str) -> str | None:
        """The newest refresh token of this chain, of a discarded token too; None where this chain has none yet.

        To be asked, inside `mint`, before each use of a refresh token or a first one: a store that could not keep the next
        one raises here. `get` may return a token of another `origin`, which the configuration had before: discard it.
        """


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What the composition root hands to an adapter."""

    carrier: str
    """The carrier's id in the configuration, for error messages."""
    http: CarrierHttp
    tokens: TokenStore
    now: Callable[[], datetime]
    """The daemon's clock (aware UTC): for how long a token lives and when a signature was made, never for what an event means."""


class Adapter(Protocol):
    """What an entry point of the group `shipment_tracker.carriers` must name: a class of this shape.

    An adapter may have more; the daemon asks whether it does, so that an older one fits without a change::

        deadlines: DeadlineAdapter | None     due dates that tracking does not name (`deadlines_of`)
        feed: FileFeed | PulledFeed | None    what the carrier writes for many parcels at once (`feed_of`)
        READS_FILES: bool                     static: its feed is a `FileFeed` (`reads_files`)
        hook: HookReceiver | None             what the carrier pushes (`hook_of`)
        code_word(code: str) -> CodeWord      static: whether it reads an event code itself (`code_word`)
        code_status(code: str) -> TrackingStatus | None    static: as what it reads it (`code_status`)
        FACTS: AdapterFacts                   how sure its facts are, and where they come from (`facts_of`)
    """

    API_VERSION: ClassVar[int]
    NAME: ClassVar[str]
    """The adapter's name in the configuration."""
    TITLE: ClassVar[str]
    """The carrier's name as customers know it."""
    BASE_URL: ClassVar[str]
    """Production address, used where the configuration names none."""
    Settings: ClassVar[type[BaseModel]]
    """This carrier's own keys of its entry under `carriers:`, checked with unknown keys refused."""

    @property
    def tracking(self) -> Followed | None:
        """A `TrackingAdapter`; of a carrier that only sends (`feed`) what its parcels are known by, which cannot be asked."""

    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None: ...

    async def log_in(self) -> str:
        """Prove the credentials (for `check-config --online`); returns one sentence on what they allow.

        Raises CarrierConfigError or TransientCarrierError.
        """


class CodeWord(StrEnum):
    """What an adapter says of an event code (`carrier_code` of an event) before any event has it."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    """May be sent, and is left `TrackingStatus.UNKNOWN`."""
    NO_CODE = "no_code"
    """Cannot be a code of this carrier: another form."""


def code_word(adapter: type[Adapter], code: str) -> CodeWord:
    """What the adapter says of this code; one that cannot be asked leaves it unknown."""
    asked: Callable[[str], CodeWord] | None = getattr(adapter, "code_word", None)
    return asked(code) if asked is not None else CodeWord.UNKNOWN


def code_status(adapter: type[Adapter], code: str) -> TrackingStatus | None:
    """As what the adapter reads this code, where it can say so."""
    asked: Callable[[str], TrackingStatus | None] | None = getattr(adapter, "code_status", None)
    return asked(code) if asked is not None else None


def deadlines_of(adapter: Adapter) -> DeadlineAdapter | None:
    """The adapter's calculator of due dates, where it has one."""
    found = getattr(adapter, "deadlines", None)
    return found if isinstance(found, DeadlineAdapter) else None


def feed_of(adapter: Adapter) -> FileFeed | PulledFeed | None:
    """The adapter's feed, where it has one."""
    found = getattr(adapter, "feed", None)
    return found if isinstance(found, FileFeed | PulledFeed) else None


def reads_files(adapter: type[Adapter]) -> bool:
    """Whether its feed is one of files, so that its accounts name places where they come to (`files`)."""
    return bool(getattr(adapter, "READS_FILES", False))


def hook_of(adapter: Adapter) -> HookReceiver | None:
    """The adapter's push, where it has one and the account's settings hold what proves it."""
    found = getattr(adapter, "hook", None)
    return found if isinstance(found, HookReceiver) else None


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What a merchant should know of an adapter before relying on it; shown by `tracker carriers list` and at start-up."""

    confidence: str
    """`A` the carrier's own description, `B` several independent programs agree, `C` one program only."""
    source: str
    """Where the facts come from, and when they were read."""
    auth: str
    """What the account needs, in a few words."""
    experimental: bool = False
    """The facts are thin: watch it beside something else."""
    gaps: tuple[str, ...] = ()
    """What it does not show or what nobody could confirm, a sentence each."""


def facts_of(adapter: type[Adapter]) -> AdapterFacts | None:
    """What the adapter says of itself, where it says anything."""
    found = getattr(adapter, "FACTS", None)
    return found if isinstance(found, AdapterFacts) else None
