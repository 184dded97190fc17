"""Rows of a spreadsheet to orders: rows of one order become its packages and items, bad rows are reported.

Two passes over the rows. The first gathers what only a whole column tells (decimal mark, order of day and month,
whether "frete" is money); the second reads. Rows of one order may stand anywhere in the file: a large one is first laid
out on disk in parts, by order number, and read part by part, so that memory does not grow with the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from zlib import crc32
from zoneinfo import ZoneInfo

from tracker.domain.order import FileReading, Item, LineReport, Order, OrderStatus, Package, Person
from tracker.domain.text import clean, fold
from tracker.domain.wrong_codes import WRONG_CODE, written, wrong_codes
from tracker.intake import values
from tracker.intake.csv_columns import FREIGHT_OR_CARRIER, Columns, map_columns, meaning, own_keys
from tracker.intake.csv_records import Record
from tracker.intake.csv_rows import NOBODY, NOWHERE, Evidence, RowReader, RowRefused
from tracker.intake.options import ReadOptions
from tracker.intake.spool import spooled

_TOTALS = re.compile(r"(sub)?tota(l|is)( geral| do periodo| de pedidos)?\s*:?|soma( total)?\s*:?")
_DATES = ("ordered_at", "promised_on", "ship_by", "shipped_on")
_MONEY = ("total", "freight", "declared_value", "unit_price")
NO_IDENTITY = (
    "O arquivo não tem coluna de número do pedido, de código de rastreio nem de chave da NF-e; "
    "acrescente uma delas e envie de novo."
)
ROWS_AT_ONCE: Final = 10_000
"""Rows that are gathered in memory."""
MOST_PARTS: Final = 128
"""Each is an open file while the rows are read."""
ROWS_OF_AN_ORDER: Final = 2_000
MOST_HEADINGS: Final = 8
"""Headings that a report names."""

Rows = Callable[[int], Iterator[Record]]
"""The records below the header, from the first at every call; given how many cells a whole one has."""


def read_rows(
    header: tuple[str, ...], rows: Rows, *, timezone: ZoneInfo, options: ReadOptions
) -> Iterator[FileReading]:
    """Read the rows under a header; a large sheet comes in several pieces, each with whole orders."""
    own = own_keys(options.columns)
    columns, evidence, count = _survey(rows, header, own)
    if not {"number", "code", "invoice_key"} & columns.places.keys():
        yield FileReading(refused=NO_IDENTITY)
        return
    reader = RowReader(columns, evidence, timezone, options)
    parts = parts_for(count)
    told = _without_codes(header, columns)
    if parts == 1:
        reading = _Gathering(reader, header).read(rows(columns.width))
        yield replace(reading, lines=(*told, *reading.lines))
        return
    with spooled(parts) as spool:
        for record in rows(columns.width):
            spool.add(part_of(_identity(reader, record), parts), record)
        for part in range(parts):
            reading = _Gathering(reader, header).read(spool.read(part))
            lines = (*told, *reading.lines) if part == 0 else reading.lines
            yield replace(reading, lines=lines, pieces=parts)


def _without_codes(header: Sequence[str], columns: Columns) -> list[LineReport]:
    """A line on the headings that nobody reads, where no column is the tracking code's: it may be one of them."""
    known = {place for places in columns.places.values() for place in places}
    unread = [clean(cell) for place, cell in enumerate(header) if place not in known and clean(cell)]
    if {"code", "invoice_key"} & columns.places.keys() or not unread:
        return []
    named = ", ".join(f'"{heading[:40]}"' for heading in unread[:MOST_HEADINGS])
    more = f" e mais {len(unread) - MOST_HEADINGS}" if len(unread) > MOST_HEADINGS else ""
    reason = (
        f"Nenhuma coluna é conhecida como a do código de rastreio. Títulos que não são lidos: {named}{more}. Se um deles é o do "
        "código, ensine-o em config.yaml (intake: columns)."
    )
    return [LineReport(0, None, "ignored", reason)]


def parts_for(rows: int) -> int:
    """In how many parts a file is read."""
    return min(-(-rows // ROWS_AT_ONCE) or 1, MOST_PARTS)


def part_of(name: str, parts: int) -> int:
    """The part that everything of this name goes to."""
    return crc32(name.encode()) % parts


def _identity(reader: RowReader, record: Record) -> str:
    return reader.identity(record.cells) if record.cells is not None else ""


def _survey(rows: Rows, header: tuple[str, ...], own: dict[str, str]) -> tuple[Columns, Evidence, int]:
    """The first pass: settle the ambiguous columns, gather what single rows cannot tell, and count the rows."""
    columns = map_columns(header, own, freight_is_money=True)
    freight = [index for index, cell in enumerate(header) if meaning(cell, own) == FREIGHT_OR_CARRIER]
    tally = _Tally(columns, freight)
    count = 0
    for record in rows(columns.width):
        count += 1
        if record.cells is not None and len(record.cells) >= columns.width:
            tally.add(record.cells)
    if freight and not tally.freight_is_money():
        columns = map_columns(header, own, freight_is_money=False)
    return columns, tally.evidence(), count


class _Tally:
    """Counts over whole columns."""

    def __init__(self, columns: Columns, freight: Sequence[int]) -> None:
        self._freight = freight
        self._dates = [index for name in _DATES for index in columns.places.get(name, ())]
        self._money = [index for name in _MONEY for index in columns.places.get(name, ())]
        self._codes = columns.places.get("code", ())
        self._marks: Counter[values.DecimalMark] = Counter()
        self._orders: Counter[tuple[int, bool]] = Counter()
        self._freight_kinds: Counter[bool] = Counter()
        self._keeps_digits: set[int] = set()

    def add(self, cells: Sequence[str]) -> None:
        for index in self._money:
            mark = values.decimal_mark(cells[index])
            if mark:
                self._marks[mark] += 1
        for index in self._dates:
            order = values.is_month_first_only(cells[index])
            if order is not None:
                self._orders[index, order] += 1
        for index in self._codes:
            if values.keeps_digits(cells[index].strip()):
                self._keeps_digits.add(index)
        for index in self._freight:
            if cell := cells[index].strip():
                self._freight_kinds[_is_money(cell)] += 1

    def freight_is_money(self) -> bool:
        return self._freight_kinds[True] > self._freight_kinds[False]

    def evidence(self) -> Evidence:
        comma, dot = self._marks[","], self._marks["."]
        return Evidence(
            mark=None if comma == dot else "," if comma > dot else ".",
            month_first=frozenset(
                index for index in self._dates if self._orders[index, True] and not self._orders[index, False]
            ),
            keeps_digits=frozenset(self._keeps_digits),
        )


def _is_money(text: str) -> bool:
    try:
        return values.money_cents(text) is not None
    except values.BadValue:
        return False


@dataclass(slots=True)
class _Draft:
    """One order while its rows arrive; the collections exist only from its second row on."""

    order: Order
    line: int
    rows: dict[int, int]
    packages: dict[str | None, Package] | None = None  # by tracking code, else by invoice key
    items: dict[Item, None] | None = None

    def finished(self) -> Order:
        if self.packages is None or self.items is None:
            return replace(self.order, line=self.line)
        return replace(self.order, line=self.line, packages=tuple(self.packages.values()), items=tuple(self.items))


@dataclass(slots=True)
class _Gathering:
    """The second pass: rows to orders, and a report on each row that needs one."""

    reader: RowReader
    header: tuple[str, ...]
    drafts: dict[str, _Draft] = field(default_factory=dict)
    reports: list[LineReport] = field(default_factory=list)

    def read(self, records: Iterator[Record]) -> FileReading:
        for record in records:
            self._take(record)
        # Drafts go as they are finished, so that a large file is not held twice.
        orders = tuple(self.drafts.pop(number).finished() for number in list(self.drafts))
        return FileReading(orders=orders, lines=tuple(self.reports))

    def _report(self, line: int, number: str | None, outcome: str, reason: str) -> None:
        self.reports.append(LineReport(line, number, outcome, reason))

    def _number_in(self, cells: Sequence[str]) -> str | None:
        index = self.reader.columns.first("number")
        return (clean(cells[index]) or None) if index is not None and index < len(cells) else None

    def _take(self, record: Record) -> None:
        if record.cells is None:
            self._report(record.line, self._number_in(record.before), "refused", record.fault)
            return
        cells = record.cells
        first = next((cell for cell in cells if cell and not cell.isspace()), None)
        if first is None:
            return
        if _TOTALS.fullmatch(fold(first)):
            self._report(record.line, None, "ignored", "Linha de totais.")
        elif len(cells) >= len(self.header) and tuple(cells) == self.header:
            self._report(record.line, None, "ignored", "Cabeçalho repetido.")
        elif (reason := self._wrong_length(cells)) is not None:
            self._report(record.line, None, "refused", reason)
        else:
            self._take_row(record.line, cells)

    def _wrong_length(self, cells: list[str]) -> str | None:
        width = self.reader.columns.width
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            surplus = "há mais células do que colunas"
        elif len(cells) < width and not self.reader.is_plausible(cells):
            surplus = "faltam células"
        else:
            return None
        return (
            f"A linha tem {len(cells)} células e o cabeçalho tem {width} ({surplus}); "
            "confira separadores e aspas e envie a linha de novo."
        )

    def _take_row(self, line: int, cells: list[str]) -> None:
        try:
            order, warnings = self.reader.read(cells)
        except RowRefused as exc:
            self._report(line, None, "refused", str(exc))
            return
        identity = hash(tuple(cells))
        draft = self.drafts.get(order.number)
        if draft is None:
            self.drafts[order.number] = _Draft(order, line, {identity: line})
        elif identity in draft.rows:
            self._report(line, order.number, "ignored", f"Linha igual à linha {draft.rows[identity]}.")
            return
        elif not _same_customer(draft.order.customer, order.customer):
            reason = (
                f"O pedido {order.number} já está na linha {draft.line} com outro cliente; "
                "corrija o número do pedido ou o cliente e envie a linha de novo."
            )
            self._report(line, order.number, "refused", reason)
            return
        elif len(draft.rows) >= ROWS_OF_AN_ORDER:
            reason = f"O pedido {order.number} já tem 2.000 linhas neste arquivo; confira a coluna do número do pedido."
            self._report(line, order.number, "refused", reason)
            return
        else:
            draft.rows[identity] = line
            warnings = warnings + _merge(draft, order)
        if warnings:
            self._report(line, order.number, "warning", " ".join(warnings))


def _same_customer(one: Person, other: Person) -> bool:
    """Whether two rows may speak of one person: the strongest identity that both give must agree."""
    for mine, theirs in ((one.document, other.document), (one.email, other.email), (one.name, other.name)):
        if mine and theirs:
            return fold(mine) == fold(theirs)
    return True


def _merge(draft: _Draft, row: Order) -> list[str]:
    """Add a further row of the same order: new packages and items, values where there were none; the first row wins."""
    order = draft.order
    if draft.packages is None or draft.items is None:
        draft.packages = {_parcel(package): package for package in order.packages}
        draft.items = dict.fromkeys(order.items)
    for package in row.packages:
        draft.packages.setdefault(_parcel(package), package)
        if package.tracking_code:
            # The invoice alone stood for the parcel until a row brought its code.
            draft.packages.pop(package.invoice_key, None)
    draft.items.update(dict.fromkeys(row.items))
    merged = replace(
        order,
        aliases=order.aliases + tuple(alias for alias in row.aliases if alias not in order.aliases),
        ordered_at=order.ordered_at or row.ordered_at,
        promised_on=order.promised_on or row.promised_on,
        ship_by=order.ship_by or row.ship_by,
        customer=_filled(order.customer, row.customer),
        recipient=row.recipient if order.recipient is NOBODY else order.recipient,
        address=row.address if order.address is NOWHERE else order.address,
        total_cents=row.total_cents if order.total_cents is None else order.total_cents,
        freight_cents=row.freight_cents if order.freight_cents is None else order.freight_cents,
        status=row.status if order.status is OrderStatus.UNKNOWN else order.status,
        originals=_originals(order, row),
    )
    draft.order = merged
    return _differences(merged, row, draft.line)


def _originals(order: Order, row: Order) -> tuple[tuple[str, str], ...]:
    """What stood in the file, of the values that were taken."""
    if not order.originals and not row.originals:
        return ()
    first, second = dict(order.originals), dict(row.originals)
    found = {
        name: first.get(name) if value is not None else second.get(name) or first.get(name)
        for name, value in order.mended().items()
    }
    filled = {name for name, value in order.mended().items() if value is None and row.mended()[name] is not None}
    found.update({name: second.get(name) for name in filled})
    found[WRONG_CODE] = written([*wrong_codes(first), *wrong_codes(second)])
    return tuple((name, text) for name, text in found.items() if text is not None)


def _parcel(package: Package) -> str | None:
    return package.tracking_code or package.invoice_key


def _filled(one: Person, other: Person) -> Person:
    if one == other:
        return one
    return Person(
        one.name or other.name, one.email or other.email, one.phone or other.phone, one.document or other.document
    )


def _differences(order: Order, row: Order, line: int) -> list[str]:
    """Sentences on values of a row that contradict the order's first rows."""
    pairs = (
        ("O valor total", order.total_cents, row.total_cents),
        ("A previsão de entrega", order.promised_on, row.promised_on),
        ("O CEP", order.address.postal_code, row.address.postal_code),
        ("A situação", order.status, None if row.status is OrderStatus.UNKNOWN else row.status),
    )
    return [
        f"{what} é diferente do que está na linha {line} do mesmo pedido; ficou o primeiro."
        for what, kept, given in pairs
        if given is not None and given != kept
    ]
