"""One row of a spreadsheet to one `Order`, and a sentence on each of its cells that could not be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from tracker.domain.documents import cep, document, invoice_of_key, nfe_key
from tracker.domain.order import Address, Item, Order, OrderStatus, Package, Person
from tracker.domain.text import clean, email, fold, is_placeholder, person_name
from tracker.domain.wrong_codes import with_wrong_codes
from tracker.intake import values
from tracker.intake.codes import NO_CODES, Codes, codes_of, entered_without
from tracker.intake.csv_columns import Columns
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
from tracker.intake.options import FIELDS, MAX_NUMBER_LENGTH, MAX_ORIGINAL_LENGTH, ReadOptions
from tracker.intake.values import BadValue, DecimalMark

_T = TypeVar("_T")

NOBODY = Person()
NOWHERE = Address()

Row = dict[str, tuple[str, int]]
"""Field -> its text in this row and the column it came from; only fields that say something."""
_FORMULA_ERRORS = frozenset(
    "#N/A #N/D #REF! #VALUE! #VALOR! #NAME? #NOME? #DIV/0! #NUM! #NÚM! #NULL! #NULO! #SPILL! #DESPEJAR! #CALC!".split()
)
_PRICES = frozenset(["total", "freight", "declared_value", "unit_price"])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What only the whole file tells: the decimal mark of its majority and, per column, oddities of dates and codes."""

    mark: DecimalMark | None = None
    month_first: frozenset[int] = frozenset()
    keeps_digits: frozenset[int] = frozenset()


class RowRefused(Exception):
    """The row as a whole cannot be used; the text is the merchant's reason."""


@dataclass(slots=True)
class RowReader:
    """Reads rows of one file; keeps nothing between rows but what it warned of once and for all."""

    columns: Columns
    evidence: Evidence
    timezone: ZoneInfo
    options: ReadOptions
    _told: set[tuple[str, str]] = field(default_factory=set)
    _warnings: list[str] = field(default_factory=list)
    _originals: list[tuple[str, str]] = field(default_factory=list)

    def read(self, cells: Sequence[str]) -> tuple[Order, list[str]]:
        """The row's order and a sentence on each thing that was left out. Raises RowRefused."""
        self._warnings = []
        self._originals = []
        row = self._present(cells)
        codes = self._codes(row)
        key = self._invoice_key(row)
        order = Order(
            number=self._number(row, codes, key),
            aliases=self._aliases(row, key),
            ordered_at=self._instant(row, "ordered_at"),
            promised_on=self._day(row, "promised_on"),
            ship_by=self._day(row, "ship_by"),
            customer=self._customer(row),
            recipient=self._recipient(row),
            address=self._address(row),
            total_cents=self._money(row, "total"),
            freight_cents=self._money(row, "freight"),
            items=self._items(row),
            status=self._status(row),
            packages=self._packages(row, codes, key),
        )
        if self._originals:
            order = replace(order, originals=tuple(self._originals))
        return with_wrong_codes(order, codes.wrong), [*_left_out(codes, order.number), *self._warnings]

    def identity(self, cells: Sequence[str]) -> str:
        """The number of the row's order, as `read` would give it; "" where the row cannot be used."""
        row = self._present(cells)
        number = values.without_zero_cents(self._text(row, "number"))
        if number:
            return number
        try:
            return self._number(row, self._codes(row), self._invoice_key(row))
        except RowRefused:
            return ""

    def is_plausible(self, cells: Sequence[str]) -> bool:
        """Whether a row that is too short only lost its empty last cells, and is not half of a broken line.

        Spreadsheets leave out trailing delimiters of empty cells; then every cell that has a checkable form still fits.
        """
        row = self._present(cells)
        number = self._text(row, "number")
        if len(cells) * 2 < self.columns.width or not any(char.isdigit() for char in number):
            return False
        checks: Mapping[str, Callable[[str], object]] = {"email": email, "postal_code": cep, "document": document}
        held = [bool(check(text)) for name, check in checks.items() if (text := self._text(row, name))]
        days = [self._is_day(text) for name in ("ordered_at", "promised_on") if (text := self._text(row, name))]
        return bool(held + days) and all(held + days)

    @staticmethod
    def _is_day(text: str) -> bool:
        try:
            return values.day(text) is not None
        except BadValue:
            return False

    def _present(self, cells: Sequence[str]) -> Row:
        """The first cell of each field that says something."""
        row: Row = {}
        length = len(cells)
        for name, places in self.columns.places.items():
            for index in places:
                text = cells[index].strip() if index < length else ""
                if text and text[0] in "'=#":
                    text = self._unwrapped(name, text)
                # A lone zero means "nothing here" in every field but a price.
                if text and (not is_placeholder(text) or (name in _PRICES and "0" in text)):
                    row[name] = text, index
                    break
        return row

    def _unwrapped(self, name: str, text: str) -> str:
        """A cell without the apostrophe or the `="…"` by which programs force text, "" for the error of a formula.

        A formula stays text and is never evaluated.
        """
        if text[0] == "'":
            return text[1:].strip()
        if text.upper() in _FORMULA_ERRORS:
            self._warn(
                name, f"{text} é o erro de uma fórmula da planilha, e a célula contou como vazia; corrija a fórmula"
            )
            return ""
        return text[2:-1].strip() if text.startswith('="') and text.endswith('"') and text.count('"') == 2 else text

    @staticmethod
    def _text(row: Row, name: str) -> str:
        found = row.get(name)
        return _shared_clean(found[0]) if found else ""

    def _read(self, row: Row, name: str, convert: Callable[[str, int], _T | None]) -> _T | None:
        found = row.get(name)
        if found is None:
            return None
        text, index = found
        try:
            return convert(text, index)
        except BadValue as exc:
            self._warn(name, str(exc))
        return None

    def _warn(self, name: str, reason: str) -> None:
        self._warnings.append(f"{FIELDS[name]}: {reason}.")

    def _warn_once(self, name: str, what: str, reason: str) -> None:
        """Warn of what many rows have alike at the first of them."""
        if (name, fold(what)) not in self._told:
            self._told.add((name, fold(what)))
            self._warn(name, reason)

    def _number(self, row: Row, codes: Codes, key: str | None) -> str:
        """The order's number; without one, a name made of the invoice key or of the tracking code."""
        number = values.without_zero_cents(self._text(row, "number"))
        if values.is_scientific(number):
            raise RowRefused(
                f"Número do pedido: {number} perdeu algarismos na planilha; formate a coluna como texto e exporte de novo."
            )
        if len(number) > MAX_NUMBER_LENGTH:
            raise RowRefused("Número do pedido: é longo demais; corrija a célula e envie a linha de novo.")
        if number:
            return number
        if key:
            series, invoice = invoice_of_key(key)
            return f"nfe:{series}-{invoice}"
        if codes.good:
            return f"code:{codes.good[0]}"
        damaged = "".join(f" {reason[0].upper()}{reason[1:]}." for reason in codes.refused)
        raise RowRefused(f"A linha não tem número do pedido nem código de rastreio que se possa usar.{damaged}")

    def _codes(self, row: Row) -> Codes:
        found = row.get("code")
        if found is None:
            return NO_CODES
        text, index = found
        return codes_of(
            text,
            accept_bad_check_digits=self.options.accept_bad_check_digits,
            column_keeps_digits=index in self.evidence.keeps_digits,
        )

    def _invoice_key(self, row: Row) -> str | None:
        def convert(text: str, _index: int) -> str:
            key = nfe_key(text)
            if key:
                return key
            if values.is_scientific(text) or values.loses_digits(text):
                raise BadValue("perdeu algarismos na planilha; formate a coluna como texto e exporte o arquivo de novo")
            raise BadValue("não é uma chave de 44 posições com o dígito verificador certo; confira-a na nota")

        return self._read(row, "invoice_key", convert)

    def _invoice_number(self, row: Row, key: str | None) -> str | None:
        number = values.without_zero_cents(self._text(row, "invoice_number"))
        if number.isdigit():
            return number.lstrip("0")
        return number or (invoice_of_key(key)[1] if key else None)

    def _aliases(self, row: Row, key: str | None) -> tuple[tuple[str, str], ...]:
        named = (
            ("invoice_key", key),
            ("invoice_number", self._invoice_number(row, key)),
            ("shop_number", values.without_zero_cents(self._text(row, "shop_number"))),
        )
        return tuple((kind, value) for kind, value in named if value)

    def _instant(self, row: Row, name: str) -> datetime | None:
        return self._read(
            row, name, lambda t, i: values.instant(t, self.timezone, month_first=i in self.evidence.month_first)
        )

    def _day(self, row: Row, name: str) -> date | None:
        return self._read(
            row, name, lambda t, i: values.local_day(t, self.timezone, month_first=i in self.evidence.month_first)
        )

    def _money(self, row: Row, name: str) -> int | None:
        return self._read(row, name, lambda t, _i: values.money_cents(t, self.evidence.mark))

    def _customer(self, row: Row) -> Person:
        person = Person(
            name=self._mended(row, "name", lambda text, _i: person_name(clean(text)) or None),
            email=self._mended(row, "email", lambda text, _i: address_of(text)),
            phone=self._mended(row, "phone", lambda text, _i: phone_of(text)),
            document=self._mended(
                row, "document", lambda text, index: document_of(text, self.columns.document_kinds.get(index))
            ),
        )
        return NOBODY if person == NOBODY else person

    def _recipient(self, row: Row) -> Person:
        name = self._text(row, "recipient")
        if not name or fold(name) == fold(self._text(row, "name")):
            return NOBODY
        return Person(name=self._mended(row, "recipient", lambda text, _i: person_name(clean(text))))

    def _mended(self, row: Row, name: str, convert: Callable[[str, int], str | None]) -> str | None:
        """A value that is brought into its form; what the row had is kept where that is more than punctuation."""
        value = self._read(row, name, convert)
        if name in row and is_mended(name, row[name][0], value):
            self._originals.append((name, row[name][0][:MAX_ORIGINAL_LENGTH]))
        return value

    def _address(self, row: Row) -> Address:
        address = Address(
            postal_code=self._mended(row, "postal_code", lambda text, _i: postal_code_of(text)),
            street=self._text(row, "street") or None,
            number=values.without_zero_cents(self._text(row, "house_number")) or None,
            complement=self._text(row, "complement") or None,
            district=self._text(row, "district") or None,
            city=self._text(row, "city") or None,
            state=self._read(row, "state", lambda text, _i: state_of(text)),
        )
        return NOWHERE if address == NOWHERE else address

    def _items(self, row: Row) -> tuple[Item, ...]:
        sku, name = self._text(row, "sku"), self._text(row, "product")
        if not sku and not name:
            return ()
        amount = self._read(row, "quantity", lambda text, _i: values.quantity(text, self.evidence.mark))
        price = self._money(row, "unit_price")
        return (Item(name or sku, sku or None, amount or Decimal(1), price),)

    def _status(self, row: Row) -> OrderStatus:
        text = self._text(row, "status")
        status = status_of(text)
        if text and status is OrderStatus.UNKNOWN:
            self._warn_once("status", text, f'"{text[:40]}" não é conhecida; os pedidos com ela entraram sem situação')
        return status

    def _packages(self, row: Row, codes: Codes, key: str | None) -> tuple[Package, ...]:
        """One package a code; without code one where a carrier can be asked by the invoice key, else none yet."""
        carrier = self._text(row, "carrier")
        carrier_cnpj = self._read(row, "carrier_cnpj", lambda text, _i: carrier_cnpj_of(text))
        if not codes.good and not (key and (carrier or carrier_cnpj)):
            return ()
        found = codes.good or (None,)
        declared = self._money(row, "declared_value")
        if declared is not None and len(found) > 1:
            self._warn(
                "declared_value", "vale para vários códigos na mesma célula e ficou de fora; use uma linha por código"
            )
            declared = None
        carriers = _parallel(carrier, len(found))
        services = _parallel(self._text(row, "service"), len(found))
        shipped_on, number = self._day(row, "shipped_on"), self._invoice_number(row, key)
        return tuple(
            Package(
                tracking_code=code,
                invoice_key=key,
                invoice_number=number,
                carrier_raw=carriers[index] or None,
                carrier_cnpj=carrier_cnpj,
                service_raw=services[index] or None,
                shipped_on=shipped_on,
                declared_value_cents=declared,
            )
            for index, code in enumerate(found)
        )


def _left_out(codes: Codes, number: str) -> Iterator[str]:
    """A sentence on each code that cannot be."""
    for reason, code in zip(codes.refused, codes.wrong, strict=True):
        sentence = entered_without(reason, number, code)
        yield f"{sentence[0].upper()}{sentence[1:]}."


@lru_cache(maxsize=8192)
def _shared_clean(text: str) -> str:
    """Cities, states and carriers repeat: one object for all rows keeps a large file small."""
    return clean(text)


def _parallel(text: str, count: int) -> list[str]:
    """One text for each of several codes: its parts where it has as many, else the whole for all."""
    if count > 1:
        for mark in "/;,|":
            parts = [part.strip() for part in text.split(mark)]
            if len(parts) == count and all(parts):
                return parts
    return [text] * count
