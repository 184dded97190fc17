"""A zip of NF-e, as programs export a month: read in memory within limits, one report an entry, nothing unpacked to disk."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from tracker.domain.order import Cancellation, FileReading, LineReport, Order
from tracker.intake.nfe import MAX_NOTE_BYTES
from tracker.intake.options import TruncatedFile

MAX_ZIP_BYTES = 20_000_000
MAX_ENTRIES = 2_000
MAX_UNPACKED_BYTES = 200_000_000
_END_OF_ZIP = b"PK\x05\x06"
_UNSEEN = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")

_LOCKED = "está protegido por senha; envie o zip sem senha."
_BROKEN = "está corrompido dentro do zip; crie o arquivo de novo."
_NESTED = "é um zip dentro do zip e não foi aberto; envie-o sozinho, ou os XML dele."
_WHOLE = {
    _LOCKED: "O zip está protegido por senha; envie o zip sem senha.",
    _NESTED: "O arquivo só traz zip dentro do zip, que não é aberto; envie cada zip sozinho, ou os XML deles.",
}
_NOTHING = (
    "Nenhum arquivo do zip pode ser lido: o que há nele está corrompido, cortado ou com senha; crie o zip de novo."
)

ReadEntry = Callable[[bytes], FileReading]


def open_zip(data: bytes) -> zipfile.ZipFile | str:
    """The open archive, or the reason why it is refused.

    One without its end is refused at once: unlike a note, it says nothing of what is still to come.
    """
    if len(data) > MAX_ZIP_BYTES:
        return "O zip tem mais de 20 MB; divida as notas em vários arquivos."
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        if _END_OF_ZIP not in data:
            return "O zip termina no meio: a cópia não chegou ao fim; copie o arquivo inteiro para a pasta de novo."
        return "O zip está corrompido e não pode ser aberto; crie o arquivo de novo."


def read_zip(archive: zipfile.ZipFile, read_entry: ReadEntry) -> FileReading:
    """Read every XML of an archive; `line` of a report is the entry's place in it, its name stands in the reason.

    Where no entry could be read at all, the archive is refused as a whole.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    problem = _whole_problem(entries)
    if problem:
        return FileReading(refused=problem)
    orders: list[Order] = []
    cancellations: list[Cancellation] = []
    reports: list[LineReport] = []
    unread: set[str] = set()
    is_any_read = False
    for place, entry in enumerate(entries, start=1):
        if any(part in entry.filename for part in _UNSEEN):
            continue
        if not entry.filename.lower().endswith((".xml", ".zip")):
            reports.append(LineReport(place, None, "ignored", f"{entry.filename}: não é XML e ficou de fora."))
            continue
        reading = _entry_reading(archive, entry, read_entry)
        if isinstance(reading, str):
            unread.add(reading)
            reading = FileReading(refused=reading)
        else:
            is_any_read = True
        orders += [replace(order, line=place) for order in reading.orders]
        cancellations += reading.cancellations
        if reading.refused:
            reports.append(LineReport(place, None, "refused", f"{entry.filename}: {reading.refused}"))
        reports += [replace(line, line=place, reason=f"{entry.filename}: {line.reason}") for line in reading.lines]
    if unread and not is_any_read:
        return FileReading(refused=_WHOLE.get(unread.pop(), _NOTHING) if len(unread) == 1 else _NOTHING)
    return FileReading(tuple(orders), tuple(cancellations), tuple(reports))


def _whole_problem(entries: list[zipfile.ZipInfo]) -> str | None:
    if len(entries) > MAX_ENTRIES:
        return f"O zip tem {len(entries)} arquivos; envie no máximo 2.000 notas em cada zip."
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename:
            return "O zip traz nomes de arquivo que apontam para fora dele; crie o arquivo de novo só com as notas."
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        return "O zip descompactado passa de 200 MB; divida as notas em vários arquivos."
    if not any(entry.filename.lower().endswith((".xml", ".zip")) for entry in entries):
        return "O zip não tem nenhum XML de NF-e; envie os XML das notas, ou a planilha em CSV fora do zip."
    return None


def _entry_reading(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, read_entry: ReadEntry) -> FileReading | str:
    """What an entry holds, or why its bytes cannot be had."""
    if entry.filename.lower().endswith(".zip"):
        return _NESTED
    if entry.flag_bits & 0x1:
        return _LOCKED
    try:
        with archive.open(entry) as stream:
            # The size written in the archive may lie; one byte more than allowed is enough to know.
            data = stream.read(MAX_NOTE_BYTES + 1)
    # ValueError: a damaged directory sends the reader to a place before the file's beginning.
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError, ValueError):
        return _BROKEN
    try:
        return read_entry(data)
    except TruncatedFile as exc:
        return exc.reason
