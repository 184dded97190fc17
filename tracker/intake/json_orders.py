"""One record of a JSON file to one `Order`. The record is an object:

    {"order_number": "10234", "source_order_id": "ERP-1", "ordered_at": "2026-11-10T14:02:11-03:00",
     "promised_date": "2026-11-17", "ship_by": "2026-11-12", "status": "shipped", "total": "189.90", "freight": "12.00",
     "customer": {"name": "", "email": "", "phone": "", "document": ""},
     "address": {"recipient": "", "zip": "", "street": "", "number": "", "complement": "", "district": "", "city": "",
                 "state": ""},
     "items": [{"sku": "", "name": "", "quantity": 1, "unit_price": "170.00"}],
     "packages": [{"tracking_code": "", "carrier": "", "service": "", "shipped_at": "2026-11-11",
                   "declared_value": "189.90", "invoice_key": "", "invoice_number": "", "direction": "out"}]}

Only a number (`order_number` or `source_order_id`) or a tracking code is needed. Other spellings and the headings of a
spreadsheet are understood as well (`tracker.intake.json_keys`). A value that cannot be used is left out with a sentence that
names its path; a part of the wrong kind refuses the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from tracker.domain.documents import nfe_key
from tracker.domain.order import Address, Direction, Item, Order, OrderStatus, Package, Person
from tracker.domain.text import clean, fold, is_placeholder, person_name
from tracker.domain.wrong_codes import with_wrong_codes
from tracker.intake import values
from tracker.intake.codes import codes_of, entered_without
from tracker.intake.csv_columns import own_keys
from tracker.intake.fields import (
    address_of,
    carrier_cnpj_of,
    document_of,
    is_mended,
    phone_of,
    postal_code_of,
    state_of,
    status_of,
)
from tracker.intake.json_keys import KeyReader
from tracker.intake.options import MAX_NUMBER_LENGTH, MAX_ORIGINAL_LENGTH, ReadOptions
from tracker.intake.values import BadValue

_T = TypeVar("_T")
_MOST_PACKAGES: Final = 200
_MOST_ITEMS: Final = 2_000
_LARGEST: Final = Decimal(10) ** 13
_LONGEST_TEXT: Final = 1_000
_ZERO = re.compile(r"0+([.,]0+)?")

Part = dict[str, Any]


class OrderRefused(Exception):
    """The record cannot be used; the text is the merchant's reason and continues `Registro N:`."""

    def __init__(self, reason: str, number: str | None = None) -> None:
        super().__init__(reason)
        self.number = number


def printable(text: str) -> str:
    """A text that every store and report can hold: JSON may spell half of a character, or a NUL."""
    return clean(text.encode("utf-8", "replace").decode())


@dataclass(slots=True)
class OrderReader:
    """Reads the records of one file; keeps nothing between them but what it warned of once and for all."""

    timezone: ZoneInfo
    options: ReadOptions
    keys: KeyReader = field(init=False)
    _told: set[str] = field(default_factory=set)
    _warnings: list[str] = field(default_factory=list)
    _originals: list[tuple[str, str]] = field(default_factory=list)
    _wrong: list[tuple[str, str, str]] = field(default_factory=list)
    """Codes that cannot be: where, why, and the code."""

    def __post_init__(self) -> None:
        self.keys = KeyReader(own_keys(self.options.columns))

    def read(self, record: Any, line: int) -> tuple[Order, list[str]]:
        """The record's order, and a sentence (without its full stop) on each value that was left out. Raises OrderRefused."""
        self._warnings, self._originals, self._wrong = [], [], []
        if not isinstance(record, dict):
            raise OrderRefused("não é um objeto com um pedido; envie cada pedido entre { e }")
        record = self.keys.renamed(record)
        own = self._text(record, "source_order_id")
        number = self._text(record, "order_number") or own
        try:
            return self._order(record, number, own, line), self._warnings
        except OrderRefused as fault:
            raise OrderRefused(str(fault), number or None) from fault

    def _order(self, record: Part, number: str, own: str, line: int) -> Order:
        packages = self._packages(record)
        customer, address = self._part(record, "customer"), self._part(record, "address")
        if not number and packages:
            number = f"code:{packages[0].tracking_code}" if packages[0].tracking_code else ""
        if not number:
            raise OrderRefused("order_number: falta o número do pedido (order_number ou source_order_id)")
        if len(number) > MAX_NUMBER_LENGTH:
            raise OrderRefused("order_number: é longo demais; corrija o número do pedido")
        person = self._person(customer, "customer")
        self._warnings += [f"{path}: {entered_without(why, number, code)}" for path, why, code in self._wrong]
        order = Order(
            number=number,
            aliases=self._aliases(record, number, own, packages),
            ordered_at=self._instant(record, "ordered_at"),
            promised_on=self._day(record, "promised_date"),
            ship_by=self._day(record, "ship_by"),
            customer=person,
            recipient=self._recipient(record, address, person),
            address=self._address(address),
            total_cents=self._money(record, "total"),
            freight_cents=self._money(record, "freight"),
            items=self._items(record),
            status=self._status(record),
            packages=packages,
            originals=tuple(self._originals),
            line=line,
        )
        return with_wrong_codes(order, [code for _, _, code in self._wrong])

    # --- parts --------------------------------------------------------------------------------------

    @staticmethod
    def _part(record: Part, name: str, path: str = "") -> Part:
        found = record.get(name)
        # PHP writes an empty object as an empty list.
        if found is None or found == []:
            return {}
        if not isinstance(found, dict):
            raise OrderRefused(f'{path}{name}: é {_kind(found)} e devia ser um objeto, como {{"name": "..."}}')
        return found

    @staticmethod
    def _list(record: Part, name: str, most: int) -> list[Part]:
        found = record.get(name)
        if found is None or found == {}:
            return []
        if not isinstance(found, list):
            raise OrderRefused(f"{name}: é {_kind(found)} e devia ser uma lista, como [...]")
        if len(found) > most:
            raise OrderRefused(f"{name}: tem {len(found)} entradas, e um pedido pode ter no máximo {most}")
        for index, entry in enumerate(found):
            if not isinstance(entry, dict):
                raise OrderRefused(f"{name}[{index}]: é {_kind(entry)} e devia ser um objeto entre {{ e }}")
        return found

    def _person(self, part: Part, path: str) -> Person:
        return Person(
            name=self._mended(part, "name", path, lambda text: person_name(text) or None),
            email=self._mended(part, "email", path, address_of),
            phone=self._mended(part, "phone", path, phone_of),
            document=self._mended(part, "document", path, document_of),
        )

    def _recipient(self, record: Part, address: Part, customer: Person) -> Person:
        """Who receives, from a part of its own or from the address; None where it is the customer."""
        own = self._part(record, "recipient")
        if own:
            kept = list(self._originals)
            person = self._person(own, "recipient")
            # Of a recipient only the name's original has a place.
            self._originals = kept + [
                ("recipient", text) for name, text in self._originals[len(kept) :] if name == "name"
            ]
            return person
        name = self._text(address, "recipient", "address.")
        if not name or fold(person_name(name)) == fold(customer.name or ""):
            return Person()
        return Person(name=self._mended({"recipient": name}, "recipient", "address", person_name))

    def _address(self, part: Part) -> Address:
        path = "address."
        return Address(
            postal_code=self._mended(part, "zip", "address", postal_code_of, "postal_code"),
            street=self._text(part, "street", path) or None,
            number=self._text(part, "number", path) or None,
            complement=self._text(part, "complement", path) or None,
            district=self._text(part, "district", path) or None,
            city=self._text(part, "city", path) or None,
            state=self._read(part, "state", path, state_of),
        )

    def _items(self, record: Part) -> tuple[Item, ...]:
        found = []
        for index, part in enumerate(self._list(record, "items", _MOST_ITEMS)):
            path = f"items[{index}]."
            name, sku = self._text(part, "name", path), self._text(part, "sku", path)
            if name or sku:
                amount = self._decimal(part, "quantity", path)
                price = self._money(part, "unit_price", path)
                found.append(Item(name or sku, sku or None, amount or Decimal(1), price))
        return tuple(found)

    def _packages(self, record: Part) -> tuple[Package, ...]:
        found = [
            package
            for index, part in enumerate(self._list(record, "packages", _MOST_PACKAGES))
            for package in self._package(part, f"packages[{index}].")
        ]
        return tuple(dict.fromkeys(found))

    def _package(self, part: Part, path: str) -> list[Package]:
        codes = codes_of(
            self._text(part, "tracking_code", path),
            accept_bad_check_digits=self.options.accept_bad_check_digits,
            column_keeps_digits=True,
        )
        self._wrong += [(f"{path}tracking_code", *one) for one in zip(codes.refused, codes.wrong, strict=True)]
        key = self._read(part, "invoice_key", path, _invoice_key)
        carrier = self._text(part, "carrier", path) or self._text(part, "carrier_raw", path)
        cnpj = self._read(part, "carrier_cnpj", path, carrier_cnpj_of)
        if not codes.good and not (key and (carrier or cnpj)):
            return []
        return [
            Package(
                tracking_code=code,
                invoice_key=key,
                invoice_number=self._text(part, "invoice_number", path) or None,
                carrier_raw=carrier or None,
                carrier_cnpj=cnpj,
                service_raw=(self._text(part, "service", path) or self._text(part, "service_raw", path)) or None,
                shipped_on=self._day(part, "shipped_at", path),
                declared_value_cents=self._money(part, "declared_value", path) if len(codes.good) < 2 else None,
                direction=Direction.RETURN if self._text(part, "direction", path) == "return" else Direction.OUT,
            )
            for code in codes.good or (None,)
        ]

    def _aliases(
        self, record: Part, number: str, own: str, packages: tuple[Package, ...]
    ) -> tuple[tuple[str, str], ...]:
        given = record.get("aliases")
        if given is not None and not isinstance(given, list):
            raise OrderRefused(f"aliases: é {_kind(given)} e devia ser uma lista de textos")
        names = [self._text({"alias": alias}, "alias", f"aliases[{n}].") for n, alias in enumerate(given or [])]
        found = [("invoice_key", key) if (key := nfe_key(name)) else ("shop_number", name) for name in names if name]
        found += [("invoice_key", package.invoice_key) for package in packages if package.invoice_key]
        found += [("invoice_number", package.invoice_number) for package in packages if package.invoice_number]
        # An invoice names the order also where it makes no parcel yet.
        for part in self._list(record, "packages", _MOST_PACKAGES):
            key, invoice = nfe_key(self._text(part, "invoice_key")), self._text(part, "invoice_number")
            found += [("invoice_key", key)] if key else []
            found += [("invoice_number", invoice)] if invoice else []
        if own and own != number:
            found.append(("source_id", own))
        return tuple(dict.fromkeys((kind, value) for kind, value in found if len(value) <= MAX_NUMBER_LENGTH))

    def _status(self, record: Part) -> OrderStatus:
        text = self._text(record, "status")
        status = status_of(text)
        if text and status is OrderStatus.UNKNOWN and fold(text) != "unknown":
            self._warn_once(text, f'status: "{text[:40]}" não é conhecido; os pedidos com ele entraram sem situação')
        return status

    # --- values -------------------------------------------------------------------------------------

    @staticmethod
    def _text(part: Part, name: str, path: str = "") -> str:
        """A text, or a number as one; "" where it is absent or only says so."""
        found = part.get(name)
        if found is None or isinstance(found, bool):
            return ""
        if isinstance(found, int | Decimal):
            return _plain(found)
        if not isinstance(found, str):
            raise OrderRefused(f"{path}{name}: é {_kind(found)} e devia ser um texto")
        text = printable(found)[:_LONGEST_TEXT]
        return "" if is_placeholder(text) else text

    def _read(self, part: Part, name: str, path: str, convert: Callable[[str], _T | None]) -> _T | None:
        text = self._text(part, name, path)
        if not text:
            return None
        try:
            return convert(text)
        except BadValue as fault:
            self._warnings.append(f"{path}{name}: {fault}")
        return None

    def _mended(
        self, part: Part, name: str, path: str, convert: Callable[[str], str | None], kept_as: str = ""
    ) -> str | None:
        value = self._read(part, name, f"{path}.", convert)
        given = part.get(name)
        text = printable(given) if isinstance(given, str) else self._text(part, name)
        if text and not is_placeholder(text) and is_mended(kept_as or name, text, value):
            self._originals.append((kept_as or name, text[:MAX_ORIGINAL_LENGTH]))
        return value

    def _instant(self, part: Part, name: str) -> datetime | None:
        return self._read(part, name, "", lambda text: values.instant(text, self.timezone))

    def _day(self, part: Part, name: str, path: str = "") -> date | None:
        return self._read(part, name, path, lambda text: values.local_day(text, self.timezone))

    def _money(self, part: Part, name: str, path: str = "") -> int | None:
        amount = self._decimal(part, name, path)
        return None if amount is None else values.to_cents(amount)

    def _decimal(self, part: Part, name: str, path: str = "") -> Decimal | None:
        """A number, or a text with one; the decimal mark of JSON and of its texts is the dot."""
        found = part.get(name)
        if isinstance(found, int | Decimal) and not isinstance(found, bool):
            if 0 <= found < _LARGEST:
                return Decimal(found)
            self._warnings.append(
                f"{path}{name}: {_plain(found)[:40]} não é um valor de pedido; informe um número positivo"
            )
            return None
        if isinstance(found, str) and _ZERO.fullmatch(found.strip()):
            return Decimal(0)  # a text of zeros says "nothing here" in every field but a price
        return self._read(part, name, path, lambda text: values.decimal_number(text, "."))

    def _warn_once(self, what: str, warning: str) -> None:
        if fold(what) not in self._told:
            self._told.add(fold(what))
            self._warnings.append(warning)


def _invoice_key(text: str) -> str:
    key = nfe_key(text)
    if key is None:
        raise BadValue("não é uma chave de 44 posições com o dígito verificador certo; confira-a na nota")
    return key


def _plain(number: int | Decimal) -> str:
    """A number as text, without an exponent where that stays short."""
    if isinstance(number, int) or abs(number.adjusted()) > 60:
        return str(number)
    return format(number, "f")


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, bool):
        return "um verdadeiro/falso"
    if isinstance(value, int | Decimal):
        return "um número"
    if isinstance(value, str):
        return "um texto"
    if isinstance(value, list):
        return "uma lista"
    return "um objeto" if isinstance(value, dict) else "nulo"
