"""What the simulated world is made of: orders, their parcels, and all that will happen to each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from tracker.sandbox.people import Customer, Item


class Fate(StrEnum):
    ON_TIME = "on_time"
    LATE_DELIVERED = "late_delivered"
    LATE_OPEN = "late_open"
    LOST_CODED = "lost_coded"
    LOST_SILENT = "lost_silent"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    RETURNED_REFUSED = "returned_refused"
    RETURNED_ABSENT = "returned_absent"
    RETURNED_UNCLAIMED = "returned_unclaimed"
    WRONG_ADDRESS = "wrong_address"
    PICKUP = "pickup"
    REVERSAL = "reversal"
    REPLANNED = "replanned"
    NEVER_POSTED = "never_posted"
    OTHER_CONTRACT = "other_contract"
    BAD_CODE = "bad_code"
    UNKNOWN_CODE = "unknown_code"
    # The rest is not in the demonstration.
    POSTED_LATE = "posted_late"
    STALLED = "stalled"
    HUB_DELAY = "hub_delay"
    ABSENT_ONCE = "absent_once"
    ABSENT_THRICE = "absent_thrice"
    ADDRESS_CORRECTED = "address_corrected"
    PICKUP_LAST_DAY = "pickup_last_day"
    CUSTOMS_HOLD = "customs_hold"
    SEIZED = "seized"
    RETURNED_UNDULY = "returned_unduly"
    DAMAGED_DELIVERED = "damaged_delivered"
    DAMAGED_RETURNED = "damaged_returned"
    LOST_FOUND = "lost_found"
    STOLEN_RECOVERED = "stolen_recovered"
    SILENT_FOUND = "silent_found"
    REVERSED_LATE = "reversed_late"
    REVERSED_LOST = "reversed_lost"
    REPLANNED_EARLIER = "replanned_earlier"
    REPLANNED_OFTEN = "replanned_often"
    DATE_VANISHED = "date_vanished"
    DATE_NEVER_SHOWN = "date_never_shown"
    LATE_NEWS = "late_news"
    INSERTED = "inserted"
    REPEATED = "repeated"
    VANISHED = "vanished"
    BUYER_CLAIMED = "buyer_claimed"
    SECOND_CONTRACT = "second_contract"
    SECOND_CARD = "second_card"


class Service(StrEnum):
    SEDEX = "SEDEX"
    PAC = "PAC"

    @property
    def contract_code(self) -> str:
        """The service code of current contracts."""
        return {"SEDEX": "03220", "PAC": "03298"}[self.value]


class Verdict(StrEnum):
    """What becomes of a claim: `paid` is accepted first and paid some days later, whatever its type.

    `paid_as_refund` pays a refund request alone: a complaint is accepted, and must be reopened as one within its term.
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PAID = "paid"
    PAID_AS_REFUND = "paid_as_refund"


class Sight(StrEnum):
    """What tracking shows of an object: its events, or one of the per-object messages."""

    SHOWN = "shown"
    NOT_FOUND = "SRO-020: Objeto não encontrado na base de dados dos Correios."
    OTHER_CONTRACT = "SRO-009: Objeto não pertence ao contrato"
    INVALID = "SRO-019: Objeto inválido"


class Account(StrEnum):
    """Whose object it is: of the main contract, of its second posting card, or of the holder's second contract."""

    MAIN = "main"
    SECOND_CARD = "second_card"
    SECOND_CONTRACT = "second_contract"


@dataclass(frozen=True, slots=True)
class Unit:
    """Where an event happened; a unit abroad or a whole country has only `state`."""

    kind: str
    city: str | None
    state: str
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One tracking event. `at` is aware; `pickup_by` is the last day at the counter.

    Tracking shows it from `shown_at` on (at once, where None) until `hidden_at` (for ever, where None).
    """

    code: str
    kind: str
    at: datetime
    text: str
    unit: Unit
    detail: str | None = None
    towards: Unit | None = None
    pickup_by: date | None = None
    receiver: str | None = None
    shown_at: datetime | None = None
    hidden_at: datetime | None = None

    @property
    def appears_at(self) -> datetime:
        return self.shown_at or self.at

    def is_shown(self, now: datetime) -> bool:
        return self.appears_at <= now and (self.hidden_at is None or now < self.hidden_at)


@dataclass(frozen=True, slots=True)
class Forecast:
    """From `seen_from` on tracking gives `due_on` as the due date; None where it shows none any more."""

    seen_from: datetime
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Order:
    """`shipped_on` is the day the shop handed the parcel over, or says it did; money in centavos."""

    number: str
    ordered_on: date
    shipped_on: date
    customer: Customer
    items: tuple[Item, ...]
    total_cents: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """One parcel and its future.

    `promised_on` is what the shop told the customer, `due_on` what the carrier's term gives for the real posting day.
    `by_latest_date`: the claim desk goes by the due date that tracking showed last, not by `due_on`.
    """

    fate: Fate
    order: Order
    service: Service
    code: str
    promised_on: date
    due_on: date
    by_latest_date: bool = False
    events: tuple[Event, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    sight: Sight = Sight.SHOWN
    verdict: Verdict = Verdict.ACCEPTED
    second_verdict: Verdict = Verdict.ACCEPTED
    """The answer to a claim that was reopened."""
    answer_days: int = 3
    """Business days from a claim's registration to its answer, two to five."""
    account: Account = Account.MAIN
    buyer_claims_at: datetime | None = None
    """When the buyer opens a claim of his own on the carrier's site."""

    def events_until(self, now: datetime) -> tuple[Event, ...]:
        """Return what tracking shows at *now* of what has happened, oldest first."""
        return tuple(sorted((event for event in self.events if event.is_shown(now)), key=lambda event: event.at))

    def due_seen_at(self, now: datetime) -> date | None:
        """Return the due date that tracking shows at *now*."""
        seen = [forecast for forecast in self.forecasts if forecast.seen_from <= now]
        return seen[-1].due_on if seen else None

    def due_dates(self, now: datetime) -> list[date]:
        """Return every due date named until *now*: the calculator's first, then those tracking showed in their order."""
        shown = [each.due_on for each in self.forecasts if each.seen_from <= now and each.due_on is not None]
        return [self.due_on, *shown]

    def claim_due_on(self, now: datetime) -> date:
        """Return the due date that the claim desk goes by at *now*."""
        return self.due_dates(now)[-1] if self.by_latest_date else self.due_on


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole world: `first_day` is the first day anything is shipped.

    `realistic`: terms are as long as the carrier's own, and state holidays of the destination count; see `terms`.
    """

    seed: int
    first_day: date
    shipments: tuple[Shipment, ...] = field(default=())
    realistic: bool = False

    def day(self, number: int) -> date:
        """Return the calendar day of the plan's day *number*, counted from one."""
        return self.first_day + timedelta(days=number - 1)

    def shipped_on(self, day: date) -> tuple[Shipment, ...]:
        return tuple(shipment for shipment in self.shipments if shipment.order.shipped_on == day)

    def of_fate(self, fate: Fate) -> tuple[Shipment, ...]:
        return tuple(shipment for shipment in self.shipments if shipment.fate is fate)
