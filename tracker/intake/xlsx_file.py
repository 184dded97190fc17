"""A workbook to orders: the first visible sheet with headings, its stored values as a spreadsheet would save them as text.

Formulas are never computed: the result that was stored is read. A merged cell stands in each of its rows, so that the
order's number counts for all its lines.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import islice
from typing import IO, Any, BinaryIO, Final
from xml.etree.ElementTree import ParseError
from zoneinfo import ZoneInfo

from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string
from openpyxl.utils.exceptions import InvalidFileException

from tracker.domain.order import FileReading, LineReport
from tracker.intake.archive import MAX_UNPACKED_BYTES
from tracker.intake.csv_columns import own_keys, recognised
from tracker.intake.csv_file import NO_HEADER, read_code_list
from tracker.intake.csv_records import HEADER_LINES, Record
from tracker.intake.decode import decode
from tracker.intake.options import ReadOptions
from tracker.intake.sheet import read_rows
from tracker.intake.spool import Spool, spooled

MOST_ROWS: Final = 1_048_576  # of a sheet, by the format
MOST_COLUMNS: Final = 256
MOST_SHEETS: Final = 200
MOST_TEXTS_BYTES: Final = 60_000_000
"""Of the table of shared texts, which is held in memory."""
_MOST_MERGED: Final = 100_000
_EXACT: Final = 10**15  # a number cell is a binary double: beyond 15 digits they are not the merchant's
_PAGE: Final = 1 << 20
_OVERLAP: Final = 400
_HEAD_BYTES: Final = 4_000
_HOSTILE = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_WITHOUT_RESULT = re.compile(rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]{0,200}/>)\s*(?:<(?:\w+:)?v\s*/>\s*)?</(?:\w+:)?c>")
# What the library raises on a workbook that is damaged or was made to harm; DefusedXmlException is a ValueError.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    InvalidFileException,
    LookupError,
    NotImplementedError,
    OSError,
    ParseError,
    RecursionError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
_AS_XLSX = 'abra-a no programa de planilhas e use "Salvar como" XLSX ou CSV'
_BROKEN = f"A planilha está corrompida ou incompleta e não pode ser lida; {_AS_XLSX}."
_TOO_LARGE = "A planilha descompactada passa de 200 MB; divida os pedidos em várias planilhas, ou salve-a como CSV."
_HOSTILE_FOUND = (
    f"A planilha traz DOCTYPE ou ENTITY, que uma planilha verdadeira nunca tem; peça o arquivo original, ou {_AS_XLSX}."
)
_LOCKED = f"A planilha está protegida por senha e não pode ser aberta; tire a senha: {_AS_XLSX}."

# The library warns of extensions it does not know (drop-down lists, colours); nothing that is read here rests on them.
warnings.filterwarnings("ignore", module=r"openpyxl\.")


class _Refused(Exception):
    """The workbook is not read; the text is the merchant's reason."""


def read_xlsx(
    file: BinaryIO, archive: zipfile.ZipFile, *, timezone: ZoneInfo, options: ReadOptions
) -> Iterator[FileReading]:
    """Read a workbook; a large one comes in several pieces."""
    with spooled(1) as spool:
        try:
            _require_harmless(archive)
            sheet = _laid_out(file, spool, options)
        except _Refused as fault:
            yield FileReading(refused=str(fault))
            return
        except _DAMAGE:
            yield FileReading(refused=_BROKEN)
            return
        notes = tuple(LineReport(0, None, *note) for note in sheet.notes)
        for piece in _pieces(sheet, spool, timezone, options):
            yield replace(piece, lines=notes + piece.lines)
            notes = ()


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The sheet that is read: its headings (None: a list of codes), and what to tell about the workbook."""

    header: tuple[str, ...] | None
    notes: Sequence[tuple[str, str]]


def _pieces(sheet: _Sheet, spool: Spool, timezone: ZoneInfo, options: ReadOptions) -> Iterator[FileReading]:
    if sheet.header is None:
        yield from read_code_list(lambda: spool.read(0), options)
        return

    def rows(width: int) -> Iterator[Record]:
        for record in spool.read(0):
            cells = record.cells or []
            # A note to the right of the table is none of the order's values.
            yield Record(record.line, [*cells[:width], *[""] * (width - len(cells))])

    yield from read_rows(sheet.header, rows, timezone=timezone, options=options)


# --- before it is opened ----------------------------------------------------------------------------


def _require_harmless(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    if "xl/workbook.bin" in names:
        raise _Refused(f"O arquivo é uma planilha XLSB, que não é lida; {_AS_XLSX}.")
    if "[Content_Types].xml" not in names:
        raise _Refused(f"O arquivo é um documento do LibreOffice, que não é lido; {_AS_XLSX}.")
    if not any(name.startswith("xl/") for name in names):
        raise _Refused("O arquivo é um documento do Office, mas não uma planilha; envie os pedidos em XLSX ou CSV.")
    entries = archive.infolist()
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise _Refused(_LOCKED)
    texts = sum(entry.file_size for entry in entries if "sharedstrings" in entry.filename.lower())
    # Nothing is unpacked beyond the size that is written in the archive.
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES or texts > MOST_TEXTS_BYTES:
        raise _Refused(_TOO_LARGE)
    for entry in entries:
        if entry.filename.endswith((".xml", ".rels")):
            with archive.open(entry) as stream:
                if _HOSTILE.search(decode(stream.read(_HEAD_BYTES))):
                    raise _Refused(_HOSTILE_FOUND)


# --- opening ----------------------------------------------------------------------------------------


def _laid_out(file: BinaryIO, spool: Spool, options: ReadOptions) -> _Sheet:
    """Choose the sheet and put its rows into the spool. Raises _Refused, and any of _DAMAGE."""
    file.seek(0)
    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        if len(book.sheetnames) > MOST_SHEETS:
            raise _Refused(f"A planilha tem {len(book.sheetnames)} abas; envie só a dos pedidos.")
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        own = own_keys(options.columns)
        for sheet in sheets:
            found = _header(sheet, own)
            if found:
                line, header = found
                notes = [*_other_sheets(book.sheetnames, sheet.title), *_spool_rows(sheet, line, len(header), spool)]
                return _Sheet(header, notes)
        if len(sheets) != 1:
            raise _Refused(f"Nenhuma aba visível da planilha tem cabeçalho de pedidos. {NO_HEADER}")
        return _Sheet(None, _spool_rows(sheets[0], 0, 1, spool))
    finally:
        book.close()


def _header(sheet: Any, own: dict[str, str]) -> tuple[int, tuple[str, ...]] | None:
    """The headings of a sheet and their row."""
    rows = sheet.iter_rows(min_row=1, max_row=HEADER_LINES, max_col=MOST_COLUMNS, values_only=True)
    for line, row in enumerate(islice(rows, HEADER_LINES), start=1):
        cells = [_text(value) for value in row]
        if recognised(cells, own):
            width = max(index for index, cell in enumerate(cells, start=1) if cell.strip())
            return line, tuple(cells[:width])
    return None


def _other_sheets(names: Sequence[str], read: str) -> Iterator[tuple[str, str]]:
    others = [f'"{name}"' for name in names if name != read]
    if others:
        shown = ", ".join(others[:5]) + (f" e mais {len(others) - 5}" if len(others) > 5 else "")
        yield "ignored", f'Foi lida a aba "{read}", a primeira com cabeçalho de pedidos; ficaram de fora: {shown}.'


def _spool_rows(sheet: Any, header_line: int, width: int, spool: Spool) -> list[tuple[str, str]]:
    """The rows below the headings, those without a value left out; returns what to tell about them."""
    merged, without_result = _survey(sheet)
    standing: dict[int, tuple[int, str]] = {}
    rows = sheet.iter_rows(min_row=header_line + 1, max_row=MOST_ROWS, max_col=width, values_only=True)
    for line, row in enumerate(rows, start=header_line + 1):
        cells = [_text(value) for value in row]
        if not any(cells):
            continue
        for column, last in merged.get(line, ()):
            if column < len(cells):
                standing[column] = last, cells[column]
        for column, (last, text) in standing.items():
            if line <= last and not cells[column]:
                cells[column] = text
        spool.add(0, Record(line, cells))
    if not without_result:
        return []
    return [
        (
            "warning",
            f"Há {without_result} fórmulas cujo resultado não está gravado na planilha, e essas células contaram como "
            "vazias; abra a planilha no Excel ou no LibreOffice, salve e envie de novo.",
        )
    ]


def _survey(sheet: Any) -> tuple[dict[int, list[tuple[int, int]]], int]:
    """What the library's reader passes over: cells merged over several rows, and formulas without a stored result.

    The first as row -> (column from 0, last row), the second as their number.
    """
    merged: dict[int, list[tuple[int, int]]] = {}
    count = without_result = 0
    # The library has no public way to the sheet's own bytes.
    with sheet._get_source() as source:
        for text, begin, end in _windows(source):
            without_result += sum(begin < match.end() <= end for match in _WITHOUT_RESULT.finditer(text))
            for match in _MERGED.finditer(text):
                first, last = int(match[2]), int(match[4])
                if begin < match.end() <= end and first < last and (count := count + 1) <= _MOST_MERGED:
                    merged.setdefault(first, []).append((column_index_from_string(match[1].decode()) - 1, last))
    return merged, without_result


def _windows(source: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Stretches of a stream, and between which places of each a match must end to be counted once."""
    text, begin = b"", 0
    while page := source.read(_PAGE):
        text += page
        end = len(text) if len(page) < _PAGE else len(text) - _OVERLAP
        yield text, begin, end
        start = max(0, end - _OVERLAP)
        text, begin = text[start:], end - start
    yield text, begin, len(text)


# --- cells ------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    """A stored value as text that `values` reads one way only."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "sim" if value else "não"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds") if value.time() != time() else value.date().isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _number(value: int | float) -> str:
    """A number with a comma and no three decimals, which could be thousands; one that lost digits as spreadsheets show it."""
    if abs(value) >= _EXACT:
        return f"{value:.5E}".replace(".", ",")
    if value == int(value):
        return str(int(value))
    # Fifteen digits are what a spreadsheet shows: 189.89999999999998 is 189,9 to whoever typed it.
    whole, _, decimals = f"{value:.15g}".partition(".")
    if "e" in whole or "e" in decimals:
        whole, _, decimals = f"{value:.15f}".rstrip("0").partition(".")
    return f"{whole},{decimals.ljust(4, '0')}"
