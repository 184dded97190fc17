"""An order as any source tells it: what intake reads from a file and upserts into the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

MADE_UP: Final = ("code:", "nfe:")
"""How numbers begin that stand in for the one a file does not name; an order with its real number takes their place."""


class OrderStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    READY = "ready"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    OUT = "out"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Person:
    """Who pays or receives. `phone` is E.164, `document` a CPF or CNPJ without punctuation; None where unknown."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where the parcel goes; `postal_code` is eight digits, `state` two letters."""

    postal_code: str | None = None
    street: str | None = None
    number: str | None = None
    complement: str | None = None
    district: str | None = None
    city: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    sku: str | None = None
    quantity: Decimal = Decimal(1)
    unit_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """One parcel of an order. `tracking_code` is as given, upper case without blanks; `invoice_key` has 44 characters."""

    tracking_code: str | None = None
    invoice_key: str | None = None
    invoice_number: str | None = None
    carrier_raw: str | None = None
    carrier_cnpj: str | None = None
    service_raw: str | None = None
    shipped_on: date | None = None
    declared_value_cents: int | None = None
    direction: Direction = Direction.OUT


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `number` is what the customer knows it by; money in centavos; `promised_on` a local date."""

    number: str
    aliases: tuple[tuple[str, str], ...] = ()
    """Other names of the same order as (kind, value): ("invoice_key", ...), ("invoice_number", ...), ("shop_number", ...)."""
    ordered_at: datetime | None = None
    promised_on: date | None = None
    ship_by: date | None = None
    customer: Person = field(default_factory=Person)
    recipient: Person = field(default_factory=Person)
    address: Address = field(default_factory=Address)
    total_cents: int | None = None
    freight_cents: int | None = None
    items: tuple[Item, ...] = ()
    status: OrderStatus = OrderStatus.UNKNOWN
    packages: tuple[Package, ...] = ()
    originals: tuple[tuple[str, str], ...] = ()
    """What stood in the file where a value was mended or could not be used, as (field, text): ("name", "ANA SILVA"), ...
    The fields are name, recipient, email, phone, document, postal_code, and code for codes that cannot be."""
    line: int = field(default=0, compare=False)
    """Where it begins in its file (a sheet's line, a zip's place); 0 where the file is the order."""
    record: int = field(default=0, compare=False)
    """Which record of a JSON file it is, from 1; 0 in files whose line says it."""
    place: int = field(default=0, compare=False)
    """Of its file within an archive; 0 outside of one."""

    def mended(self) -> dict[str, str | None]:
        """The values that intake mends, by the names `originals` uses."""
        customer = self.customer
        return {
            "name": customer.name,
            "email": customer.email,
            "phone": customer.phone,
            "document": customer.document,
            "recipient": self.recipient.name,
            "postal_code": self.address.postal_code,
        }


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The order behind this NF-e key was cancelled; may arrive before the order itself."""

    invoice_key: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LineReport:
    """What became of one line (or one document, line 0) of a file. `reason` is in the merchant's language."""

    line: int
    order_number: str | None
    outcome: str
    """`imported`, `updated`, `repeated`, `warning` (imported without something), `ignored` or `refused`."""
    reason: str = ""
    place: int = 0
    """Of its file within an archive; 0 outside of one."""


@dataclass(frozen=True, slots=True)
class FileReading:
    """A file read, or a piece of a large one: its good orders, its cancellations, a report on each line that needs one."""

    orders: tuple[Order, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    lines: tuple[LineReport, ...] = ()
    refused: str | None = None
    """Why the file as a whole was not taken, in the merchant's language; None where it was."""
    pieces: int = 1
    """In how many readings like this the file comes; each order is whole in one of them."""
    name: str = ""
    """Of its file within an archive; "" outside of one."""
