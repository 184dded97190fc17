"""One door for every file of orders: what it is is told by its content, whatever its name says.

`read_file` is pure: bytes in, `FileReading` out, no disk and no clock. It raises `TruncatedFile` (and nothing else) where
the file ends in the middle and may still be being written: the caller tries again for ten minutes and then refuses the
file with the error's `reason`.
"""

from __future__ import annotations

import zipfile
from zoneinfo import ZoneInfo

from tracker.domain.order import FileReading
from tracker.intake.archive import open_zip, read_zip
from tracker.intake.csv_file import read_csv
from tracker.intake.decode import decode
from tracker.intake.nfe import read_nfe
from tracker.intake.options import ReadOptions, TruncatedFile

__all__ = ["ReadOptions", "TruncatedFile", "read_file"]

MAX_TEXT_BYTES = 500_000_000
_AS_CSV = 'abra-a no programa de planilhas e use "Salvar como" CSV'
_REFUSED_BY_START = (
    (b"\xd0\xcf\x11\xe0", f"O arquivo é uma planilha XLS ou protegida por senha, que não é lida; {_AS_CSV}."),
    (b"%PDF", "O arquivo é um PDF; envie o XML da NF-e ou a planilha em CSV."),
    (b"Rar!", "O arquivo é um RAR; envie os XML soltos ou em um zip."),
    (b"7z\xbc\xaf", "O arquivo é um 7z; envie os XML soltos ou em um zip."),
    (b"\x1f\x8b", "O arquivo é um gzip; envie os XML soltos ou em um zip."),
)
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_JSON = f"Arquivos JSON não são lidos nesta versão; exporte os pedidos como planilha: {_AS_CSV}."
_XLSX = f"Planilhas XLSX não são lidas nesta versão; {_AS_CSV}."
_HTML = f"O arquivo é uma página HTML com nome de planilha; {_AS_CSV}."
_BINARY = "O arquivo não é texto nem XML; envie os pedidos em CSV ou as notas em XML."
_EMPTY = "O arquivo está vazio; exporte-o de novo."
_JSON_NAMES = (".json", ".ndjson", ".jsonl")
_HTML_STARTS = ("<!doctype html", "<html", "<head", "<body", "<table", "<meta", "<style")


def read_file(
    name: str, data: bytes, *, timezone: ZoneInfo, merchant_cnpj: str | None, options: ReadOptions
) -> FileReading:
    """Read a file of orders.

    `timezone` is the merchant's: times without offset are on its clock. `merchant_cnpj` lets NF-e of other issuers be
    refused; None takes all. Raises TruncatedFile.
    """
    for start, reason in _REFUSED_BY_START:
        if data.startswith(start):
            return FileReading(refused=reason)
    if data.startswith(_ZIP_STARTS):
        return _read_archive(data, timezone, merchant_cnpj, options)
    if not data.strip(b"\x00 \t\r\n"):
        if name.lower().endswith(".xml"):
            raise TruncatedFile(_EMPTY)
        return FileReading(refused=_EMPTY)
    head = decode(data[:4000]).lstrip(" \t\r\n\ufeff").lower()
    if head.startswith("<"):
        if head.startswith(_HTML_STARTS):
            return FileReading(refused=_HTML)
        return read_nfe(data, timezone=timezone, merchant_cnpj=merchant_cnpj, options=options)
    if name.lower().endswith(_JSON_NAMES) or head.startswith("{") or head.replace(" ", "").startswith("[{"):
        return FileReading(refused=_JSON)
    return _read_text(data, timezone, options)


def _read_archive(data: bytes, timezone: ZoneInfo, merchant_cnpj: str | None, options: ReadOptions) -> FileReading:
    archive = open_zip(data)
    if isinstance(archive, str):
        return FileReading(refused=archive)
    with archive:
        if _is_office(archive):
            return FileReading(refused=_XLSX)
        return read_zip(
            archive,
            lambda entry: read_nfe(entry, timezone=timezone, merchant_cnpj=merchant_cnpj, options=options),
        )


def _is_office(archive: zipfile.ZipFile) -> bool:
    return any(name in ("[Content_Types].xml", "content.xml", "mimetype") for name in archive.namelist())


def _read_text(data: bytes, timezone: ZoneInfo, options: ReadOptions) -> FileReading:
    if len(data) > MAX_TEXT_BYTES:
        return FileReading(refused="O arquivo tem mais de 500 MB; divida os pedidos em vários arquivos.")
    text = decode(data)
    if "\x00" in text:
        return FileReading(refused=_BINARY)
    return read_csv(text, timezone=timezone, options=options)
