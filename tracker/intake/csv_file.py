"""A CSV, TSV or list of codes to orders: the file is passed over several times, and never held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from tracker.domain.order import FileReading, LineReport, Order, Package
from tracker.intake.codes import codes_of, looks_like_code
from tracker.intake.csv_columns import own_keys
from tracker.intake.csv_records import SNIFFED_LINES, Record, data_records, sniff
from tracker.intake.options import ReadOptions
from tracker.intake.sheet import part_of, parts_for, read_rows
from tracker.intake.spool import spooled
from tracker.intake.text_file import TextFile

NO_HEADER = (
    "Não encontrei o cabeçalho nas 15 primeiras linhas; ponha acima dos pedidos uma linha com os nomes das colunas, "
    "como Pedido;Cliente;E-mail;Código de rastreio."
)
MOST_EXAMPLES = 20  # of a file that is no list of codes, these lines say enough


def read_csv(text: TextFile, *, timezone: ZoneInfo, options: ReadOptions) -> Iterator[FileReading]:
    """Read a text file; a large one comes in several pieces."""
    layout = sniff(text.head(SNIFFED_LINES), own_keys(options.columns))
    if layout.header is None:
        yield from read_code_list(lambda: data_records(text.lines(), layout, None), options)
        return
    yield from read_rows(
        layout.header, lambda width: data_records(text.lines(), layout, width), timezone=timezone, options=options
    )


@dataclass(slots=True)
class _CodeList:
    """One order a code, monitored without a customer."""

    options: ReadOptions
    orders: dict[str, Order] = field(default_factory=dict)
    reports: list[LineReport] = field(default_factory=list)

    def take(self, record: Record) -> None:
        if record.cells is None:
            self.reports.append(LineReport(record.line, None, "refused", record.fault))
            return
        codes = codes_of(_joined(record), accept_bad_check_digits=self.options.accept_bad_check_digits)
        for reason in codes.refused:
            self.reports.append(LineReport(record.line, None, "refused", f"{reason[0].upper()}{reason[1:]}."))
        for code in codes.good:
            number = f"code:{code}"
            if number in self.orders:
                reason = f"O código {code} já está na linha {self.orders[number].line}."
                self.reports.append(LineReport(record.line, number, "ignored", reason))
            else:
                self.orders[number] = Order(number, packages=(Package(tracking_code=code),), line=record.line)

    def reading(self, pieces: int) -> FileReading:
        return FileReading(orders=tuple(self.orders.values()), lines=tuple(self.reports), pieces=pieces)


def _joined(record: Record) -> str:
    return " / ".join(cell.strip() for cell in record.cells or () if cell.strip())


def read_code_list(records: Callable[[], Iterator[Record]], options: ReadOptions) -> Iterator[FileReading]:
    """A file without header: a list of tracking codes. `records` gives all its records at every call."""
    count, is_any_good = 0, False
    examples = _CodeList(options)
    for record in records():
        count += 1
        cells = [cell.strip() for cell in record.cells or () if cell.strip()]
        if len(cells) > 1 and not all(looks_like_code(cell.upper()) for cell in cells):
            yield FileReading(refused=NO_HEADER)
            return
        if len(examples.reports) < MOST_EXAMPLES and not is_any_good:
            examples.take(record)
            is_any_good = bool(examples.orders)
        elif not is_any_good:
            is_any_good = bool(codes_of(_joined(record)).good)
    if not is_any_good:
        yield FileReading(lines=tuple(examples.reports[:MOST_EXAMPLES]), refused=NO_HEADER)
        return
    parts = parts_for(count)
    with spooled(parts) as spool:
        for record in records():
            # A line with several codes goes where its first one goes; what repeats the others is taken as an update.
            spool.add(part_of(_joined(record).upper().replace(" ", "")[:13], parts), record)
        for part in range(parts):
            codes = _CodeList(options)
            for record in spool.read(part):
                codes.take(record)
            yield codes.reading(parts)
