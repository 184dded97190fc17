"""What the simulated world is made of: orders, their parcels, and all that will happen to each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from tracker.sandbox.people import Customer, Item
from tracker.sandbox.workdays import local_date


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


class Service(StrEnum):
    SEDEX = "SEDEX"
    PAC = "PAC"

    @property
    def contract_code(self) -> str:
        """The service code of current contracts."""
        return {"SEDEX": "03220", "PAC": "03298"}[self.value]


class Verdict(StrEnum):
    """What becomes of a claim: `paid` is accepted first and paid some days later."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PAID = "paid"


class Sight(StrEnum):
    """What tracking shows of an object: its events, or one of the per-object messages."""

    SHOWN = "shown"
    NOT_FOUND = "SRO-020: Objeto não encontrado na base de dados dos Correios."
    OTHER_CONTRACT = "SRO-009: Objeto não pertence ao contrato"
    INVALID = "SRO-019: Objeto inválido"


@dataclass(frozen=True, slots=True)
class Unit:
    """Where an event happened; a unit abroad or a whole country has only `state`."""

    kind: str
    city: str | None
    state: str
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One tracking event. `at` is aware; `pickup_by` is the last day at the counter."""

    code: str
    kind: str
    at: datetime
    text: str
    unit: Unit
    detail: str | None = None
    towards: Unit | None = None
    pickup_by: date | None = None
    receiver: str | None = None


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

    `promised_on` is what the shop told the customer, `due_on` what the carrier's term gives for the real posting day,
    `claim_due_on` the due date its claim desk goes by (a re-planned one where they differ).
    """

    fate: Fate
    order: Order
    service: Service
    code: str
    promised_on: date
    due_on: date
    claim_due_on: date
    events: tuple[Event, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    sight: Sight = Sight.SHOWN
    verdict: Verdict = Verdict.ACCEPTED
    answer_days: int = 3
    """Business days from a claim's registration to its answer, two to five."""

    def events_until(self, now: datetime) -> tuple[Event, ...]:
        """Return what has happened by *now*, oldest first."""
        return tuple(event for event in self.events if event.at <= now)

    def due_seen_at(self, now: datetime) -> date | None:
        """Return the due date that tracking shows at *now*."""
        seen = [forecast for forecast in self.forecasts if forecast.seen_from <= now]
        return seen[-1].due_on if seen else None


@dataclass(frozen=True, slots=True)
class Strike:
    """Nobody's parcel moves from the start of `first` until the end of `last`."""

    first: date
    last: date

    def hold(self, shipment: Shipment) -> Shipment:
        """Return *shipment* with all that falls into or after the strike moved behind it.

        The shop still posts: label and posting keep their time, and a parcel posted meanwhile waits only for the rest.
        """
        posted = [local_date(event.at) for event in shipment.events if event.code == "PO"]
        anchor = max([self.first, *posted])
        if anchor > self.last:
            return shipment
        pause = self.last - anchor + timedelta(days=1)
        moved = tuple(self._move(event, anchor, pause) for event in shipment.events)
        return replace(shipment, events=moved)

    @staticmethod
    def _move(event: Event, anchor: date, pause: timedelta) -> Event:
        if event.code == "PO" or (event.code, event.kind) == ("FC", "82") or local_date(event.at) < anchor:
            return event
        pickup_by = None if event.pickup_by is None else event.pickup_by + pause
        return replace(event, at=event.at + pause, pickup_by=pickup_by)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole world: `first_day` is the first day anything is shipped."""

    seed: int
    first_day: date
    shipments: tuple[Shipment, ...] = field(default=())

    def day(self, number: int) -> date:
        """Return the calendar day of the plan's day *number*, counted from one."""
        return self.first_day + timedelta(days=number - 1)

    def shipped_on(self, day: date) -> tuple[Shipment, ...]:
        return tuple(shipment for shipment in self.shipments if shipment.order.shipped_on == day)

    def of_fate(self, fate: Fate) -> tuple[Shipment, ...]:
        return tuple(shipment for shipment in self.shipments if shipment.fate is fate)
