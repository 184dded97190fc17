"""One door for every file of orders: what it is is told by its content, whatever its name says.

A reading comes in pieces, so that a file of a million lines needs no more memory than one of ten thousand. It raises
`TruncatedFile` (and nothing else) where the file ends in the middle and may still be being written: the caller tries again
for ten minutes and then refuses the file with the error's `reason`. That comes before the first piece.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from tracker.domain.order import FileReading
from tracker.intake.archive import is_workbook, open_zip, read_zip
from tracker.intake.csv_file import NO_HEADER, read_csv
from tracker.intake.decode import decode
from tracker.intake.json_file import read_json
from tracker.intake.nfe import MAX_NOTE_BYTES, read_nfe
from tracker.intake.options import ReadOptions, TruncatedFile
from tracker.intake.text_file import open_text

__all__ = ["ReadOptions", "TruncatedFile", "read_file", "read_pieces"]

MAX_TEXT_BYTES: Final = 500_000_000
_HEAD_BYTES: Final = 4_000
_AS_XLSX = 'abra-a no programa de planilhas e use "Salvar como" XLSX ou CSV'
_XLS = f"O arquivo é uma planilha XLS, do Excel antigo, que não é lida; {_AS_XLSX}."
_LOCKED = f"A planilha está protegida por senha e não pode ser aberta; tire a senha: {_AS_XLSX}."
_OLE = b"\xd0\xcf\x11\xe0"
# What a workbook with a password holds instead of its sheets (MS-OFFCRYPTO 2.3.4), named in the directory of the container.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_REFUSED_BY_START = (
    (b"%PDF", "O arquivo é um PDF; envie o XML da NF-e ou a planilha em XLSX ou CSV."),
    (b"Rar!", "O arquivo é um RAR; envie os arquivos soltos ou em um zip."),
    (b"7z\xbc\xaf", "O arquivo é um 7z; envie os arquivos soltos ou em um zip."),
    (b"\x1f\x8b", "O arquivo é um gzip; envie os arquivos soltos ou em um zip."),
)
# Images by how they begin; WebP and HEIC (an ISO base media file) have the length of their first part in it.
_IMAGES = {
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "WebP": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "HEIC": re.compile(rb".{4}ftyp(he[iv][cxms]|mif1|msf1)", re.DOTALL),
}
_IMAGE = "O arquivo é uma imagem {kind}; envie o XML da NF-e ou a planilha em XLSX ou CSV."
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_HTML = f"O arquivo é uma página HTML com nome de planilha; {_AS_XLSX}."
_BINARY = "O arquivo não é texto nem XML; envie os pedidos em XLSX, CSV ou JSON, ou as notas em XML."
_NO_WORKBOOK = "O arquivo tem nome de XLSX, mas não é uma planilha XLSX; envie os pedidos em XLSX ou CSV."
_WORKBOOK_NAMES = (".xlsx", ".xlsm")
_EMPTY = "O arquivo está vazio; exporte-o de novo."
_JSON_NAMES = (".json", ".ndjson", ".jsonl")
_HTML_STARTS = ("<!doctype html", "<html", "<head", "<body", "<table", "<meta", "<style")


def read_file(
    name: str, data: bytes, *, timezone: ZoneInfo, merchant_cnpj: str | None, options: ReadOptions
) -> FileReading:
    """Read a small file whole, all its pieces as one. See `read_pieces`."""
    pieces = list(read_pieces(name, io.BytesIO(data), timezone=timezone, merchant_cnpj=merchant_cnpj, options=options))
    return FileReading(
        orders=tuple(order for piece in pieces for order in piece.orders),
        cancellations=tuple(cancellation for piece in pieces for cancellation in piece.cancellations),
        lines=tuple(line for piece in pieces for line in piece.lines),
        refused=next((piece.refused for piece in pieces if piece.refused), None),
    )


def read_pieces(
    name: str, file: BinaryIO, *, timezone: ZoneInfo, merchant_cnpj: str | None, options: ReadOptions
) -> Iterator[FileReading]:
    """Read a file of orders; one that is refused as a whole comes as one piece that says why.

    `timezone` is the merchant's: times without offset are on its clock. `merchant_cnpj` lets NF-e of other issuers be
    refused; None takes all. The file is read several times and must stay open and unchanged. Raises TruncatedFile.
    """
    return _Reader(timezone, merchant_cnpj, options).read(name, file)


@dataclass(frozen=True, slots=True)
class _Reader:
    """How one merchant's files are read."""

    timezone: ZoneInfo
    merchant_cnpj: str | None
    options: ReadOptions

    def read(self, name: str, file: BinaryIO) -> Iterator[FileReading]:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        start = file.read(_HEAD_BYTES)
        if start.startswith(_ZIP_STARTS):
            return self._read_archive(file)
        return self._read_other(name, file, size, start)

    def _read_archive(self, file: BinaryIO) -> Iterator[FileReading]:
        archive = open_zip(file)
        if isinstance(archive, str):
            yield FileReading(refused=archive)
            return
        with archive:
            if is_workbook(archive):
                yield from self._read_workbook(file, archive)
            else:
                yield from read_zip(archive, self._read_entry)

    def _read_workbook(self, file: BinaryIO, archive: zipfile.ZipFile) -> Iterator[FileReading]:
        # Loaded when the first one comes: it takes longer than all the rest of the program's start.
        from tracker.intake.xlsx_file import read_xlsx

        return read_xlsx(file, archive, timezone=self.timezone, options=self.options)

    def _read_entry(self, name: str, file: BinaryIO) -> Iterator[FileReading] | None:
        """A file within a zip; None where it is an archive itself."""
        if file.read(4).startswith(_ZIP_STARTS):
            archive = open_zip(file)
            if isinstance(archive, str):
                return iter([FileReading(refused=archive)])
            return self._read_workbook(file, archive) if is_workbook(archive) else None
        return self.read(name, file)

    def _read_other(self, name: str, file: BinaryIO, size: int, start: bytes) -> Iterator[FileReading]:
        refused = _refused_at_sight(file, start)
        if refused is not None:
            yield FileReading(refused=refused)
        elif not start.strip(b"\x00 \t\r\n") and (size <= len(start) or _is_blank(file)):
            yield self._read_blank(name, file, size)
        elif (head := decode(start).lstrip(" \t\r\n\ufeff").lower()).startswith("<"):
            yield self._read_markup(file, head)
        else:
            yield from self._read_text(name, file, size, head)

    def _read_blank(self, name: str, file: BinaryIO, size: int) -> FileReading:
        if not name.lower().endswith(".xml"):
            return FileReading(refused=_EMPTY)
        if size > MAX_NOTE_BYTES:
            return self._read_markup(file, "")
        raise TruncatedFile(_EMPTY)

    def _read_markup(self, file: BinaryIO, head: str) -> FileReading:
        if head.startswith(_HTML_STARTS):
            return FileReading(refused=_HTML)
        file.seek(0)
        data = file.read(MAX_NOTE_BYTES + 1)
        return read_nfe(data, timezone=self.timezone, merchant_cnpj=self.merchant_cnpj, options=self.options)

    def _read_text(self, name: str, file: BinaryIO, size: int, head: str) -> Iterator[FileReading]:
        if size > MAX_TEXT_BYTES:
            return iter([FileReading(refused="O arquivo tem mais de 500 MB; divida os pedidos em vários arquivos.")])
        text = open_text(file)
        is_workbook_by_name = name.lower().endswith(_WORKBOOK_NAMES)
        if text is None:
            return iter([FileReading(refused=_NO_WORKBOOK if is_workbook_by_name else _BINARY)])
        if name.lower().endswith(_JSON_NAMES) or head.startswith("{") or head.replace(" ", "").startswith("[{"):
            return read_json(name, text, timezone=self.timezone, options=self.options)
        pieces = read_csv(text, timezone=self.timezone, options=self.options)
        return _without_header(pieces) if is_workbook_by_name else pieces


def _without_header(pieces: Iterator[FileReading]) -> Iterator[FileReading]:
    """A CSV under a workbook's name is read; what is no table is refused for its name, without a word on its lines."""
    for piece in pieces:
        yield FileReading(refused=_NO_WORKBOOK) if piece.refused == NO_HEADER else piece


def _refused_at_sight(file: BinaryIO, start: bytes) -> str | None:
    if start.startswith(_OLE):
        file.seek(0)
        return _LOCKED if _ENCRYPTED in file.read(1 << 20) else _XLS
    image = next((kind for kind, begin in _IMAGES.items() if begin.match(start)), None)
    if image is not None:
        return _IMAGE.format(kind=image)
    return next((reason for begin, reason in _REFUSED_BY_START if start.startswith(begin)), None)


def _is_blank(file: BinaryIO) -> bool:
    file.seek(0)
    return not any(page.strip(b"\x00 \t\r\n") for page in iter(lambda: file.read(1 << 20), b""))
