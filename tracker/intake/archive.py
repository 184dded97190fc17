"""A zip of files, as programs export a month: read within limits, one report an entry, nothing unpacked into a folder."""

from __future__ import annotations

import lzma
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Final

from tracker.domain.order import FileReading, LineReport
from tracker.intake.nfe import MAX_NOTE_BYTES
from tracker.intake.options import TruncatedFile

MAX_ZIP_BYTES: Final = 20_000_000
MAX_WORKBOOK_BYTES: Final = 100_000_000
MAX_ENTRIES: Final = 2_000
MAX_UNPACKED_BYTES: Final = 200_000_000
_END_OF_ZIP = b"PK\x05\x06"
_END_WITHIN: Final = 66_000  # the end record may be followed by a comment of 65,535 bytes
_UNSEEN = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_READ = (".xml", ".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".json", ".ndjson", ".jsonl", ".zip")
_OFFICE = ("[Content_Types].xml", "content.xml", "mimetype")
_IN_MEMORY: Final = 4_000_000
_PAGE: Final = 1 << 20

_LOCKED = "está protegido por senha; envie o zip sem senha."
_BROKEN = "está corrompido dentro do zip; crie o arquivo de novo."
_NESTED = "é um zip dentro do zip e não foi aberto; envie-o sozinho, ou os arquivos dele."
_WHOLE = {
    _LOCKED: "O zip está protegido por senha; envie o zip sem senha.",
    _NESTED: "O arquivo só traz zip dentro do zip, que não é aberto; envie cada zip sozinho, ou os arquivos deles.",
}
_TOO_LARGE = "O zip tem mais de 20 MB; divida os arquivos em vários zips."
_NOTHING = (
    "Nenhum arquivo do zip pode ser lido: o que há nele está corrompido, cortado ou com senha; crie o zip de novo."
)

# ValueError: a damaged directory sends the reader to a place before the file's beginning.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
)

ReadEntry = Callable[[str, BinaryIO], Iterator[FileReading] | None]
"""Reads one entry by its name and content; None where it is an archive itself."""


class _Unread(Exception):
    """An entry is not read; the text continues a sentence that begins with its name."""

    def __init__(self, reason: str, *, is_fault: bool = True) -> None:
        super().__init__(reason)
        self.is_fault = is_fault


def open_zip(file: BinaryIO) -> zipfile.ZipFile | str:
    """The open archive, or the reason why it is refused.

    One without its end is refused at once: unlike a note, it says nothing of what is still to come.
    """
    size = file.seek(0, os.SEEK_END)
    if size > MAX_WORKBOOK_BYTES:
        return "O zip ou a planilha tem mais de 100 MB; divida os pedidos em vários arquivos."
    file.seek(max(0, size - _END_WITHIN))
    has_end = _END_OF_ZIP in file.read()
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGE:
        if size > MAX_ZIP_BYTES:
            return _TOO_LARGE
        if not has_end:
            return "O zip termina no meio: a cópia não chegou ao fim; copie o arquivo inteiro para a pasta de novo."
        return "O zip está corrompido e não pode ser aberto; crie o arquivo de novo."
    if size > MAX_ZIP_BYTES and not is_workbook(archive):
        archive.close()
        return _TOO_LARGE
    return archive


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether the zip is a document of an office program."""
    return any(name in _OFFICE for name in archive.namelist())


def read_zip(archive: zipfile.ZipFile, read_entry: ReadEntry) -> Iterator[FileReading]:
    """Read every file of an archive, in pieces that say where in it they come from.

    `line` of a report on a whole entry is the entry's place in the archive; its name stands in the reason. Where no entry
    could be read at all, the archive is refused as a whole.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    problem = _whole_problem(entries)
    if problem:
        yield FileReading(refused=problem)
        return
    faults: set[str] = set()
    # Told once something is read: an archive without anything to read is refused as one.
    untold: list[FileReading] = []
    is_any_read = False
    for place, entry in enumerate(entries, start=1):
        if any(part in entry.filename for part in _UNSEEN):
            continue
        try:
            for piece in _entry_pieces(archive, entry, read_entry):
                is_any_read = True
                yield from untold
                untold.clear()
                yield replace(_placed(piece, entry.filename, place), pieces=len(entries))
        except _Unread as fault:
            faults.update([str(fault)] if fault.is_fault else [])
            outcome = "refused" if fault.is_fault else "ignored"
            line = LineReport(place, None, outcome, f"{entry.filename}: {fault}", place)
            untold.append(FileReading(lines=(line,), pieces=len(entries)))
    if is_any_read:
        yield from untold
    else:
        yield FileReading(refused=_WHOLE.get(faults.pop(), _NOTHING) if len(faults) == 1 else _NOTHING)


def _placed(piece: FileReading, name: str, place: int) -> FileReading:
    """A piece with its place in the archive; what stands in one document of its own has no other line."""
    lines = [
        replace(line, line=line.line or place, place=place, reason=f"{name}: {line.reason}") for line in piece.lines
    ]
    if piece.refused:
        lines.append(LineReport(place, None, "refused", f"{name}: {piece.refused}", place))
    orders = tuple(replace(order, line=order.line or place, place=place) for order in piece.orders)
    return FileReading(orders, piece.cancellations, tuple(lines), name=name)


def _whole_problem(entries: list[zipfile.ZipInfo]) -> str | None:
    if len(entries) > MAX_ENTRIES:
        return f"O zip tem {len(entries)} arquivos; envie no máximo 2.000 notas em cada zip."
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename:
            return "O zip traz nomes de arquivo que apontam para fora dele; crie o arquivo de novo só com as notas."
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        return "O zip descompactado passa de 200 MB; divida os arquivos em vários zips."
    if not any(entry.filename.lower().endswith(_READ) for entry in entries):
        return "O zip não tem nenhum XML de NF-e, planilha ou JSON de pedidos; envie os arquivos com os pedidos."
    return None


def _entry_pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, read_entry: ReadEntry) -> Iterator[FileReading]:
    """What an entry holds. Raises _Unread."""
    if not entry.filename.lower().endswith(_READ):
        raise _Unread("não é XML, planilha nem JSON e ficou de fora.", is_fault=False)
    if entry.filename.lower().endswith(".zip"):
        raise _Unread(_NESTED)
    if entry.flag_bits & 0x1:
        raise _Unread(_LOCKED)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        _unpack(archive, entry, file)
        file.seek(0)
        pieces = read_entry(entry.filename, file)  # type: ignore[arg-type]
        if pieces is None:
            raise _Unread(_NESTED)
        try:
            yield from pieces
        except TruncatedFile as exc:
            raise _Unread(exc.reason) from exc


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: IO[bytes]) -> None:
    # The size written in the archive may lie; one byte more than allowed is enough to know.
    left = (MAX_NOTE_BYTES if entry.filename.lower().endswith(".xml") else MAX_UNPACKED_BYTES) + 1
    for page in _pages(archive, entry):
        target.write(page[:left])
        left -= len(page)
        if left <= 0:
            return


def _pages(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked bytes of an entry. Raises _Unread; a fault of the disk they go to is none of the archive."""
    try:
        with archive.open(entry) as stream:
            while page := stream.read(_PAGE):
                yield page
    except _DAMAGE as exc:
        raise _Unread(_BROKEN) from exc
