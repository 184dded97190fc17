"""How a claim is opened, reopened and followed at a carrier, by its API or by letter, and on what terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from carriers.base.tracking import Cause, ProblemKind, TrackingRef


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
