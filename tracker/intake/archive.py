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

ReadEntry = Callable[[bytes], FileReading]


def open_zip(data: bytes) -> zipfile.ZipFile | str:
    """The open archive, or the reason why it is refused. Raises TruncatedFile where its end is missing."""
    if len(data) > MAX_ZIP_BYTES:
        return "O zip tem mais de 20 MB; divida as notas em vários arquivos."
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as exc:
        if _END_OF_ZIP not in data:
            raise TruncatedFile("O zip termina no meio; copie o arquivo inteiro para a pasta de novo.") from exc
        return "O zip está corrompido e não pode ser aberto; crie o arquivo de novo."


def read_zip(archive: zipfile.ZipFile, read_entry: ReadEntry) -> FileReading:
    """Read every XML of an archive; `line` of a report is the entry's place in it, its name stands in the reason."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    problem = _whole_problem(entries)
    if problem:
        return FileReading(refused=problem)
    orders: list[Order] = []
    cancellations: list[Cancellation] = []
    reports: list[LineReport] = []
    for place, entry in enumerate(entries, start=1):
        if any(part in entry.filename for part in _UNSEEN):
            continue
        reading = _entry_reading(archive, entry, read_entry)
        orders += reading.orders
        cancellations += reading.cancellations
        if reading.refused:
            reports.append(LineReport(place, None, "refused", f"{entry.filename}: {reading.refused}"))
        reports += [replace(line, line=place, reason=f"{entry.filename}: {line.reason}") for line in reading.lines]
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
    if not any(entry.filename.lower().endswith(".xml") for entry in entries):
        return "O zip não tem nenhum XML de NF-e; envie os XML das notas, ou a planilha em CSV fora do zip."
    return None


def _entry_reading(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, read_entry: ReadEntry) -> FileReading:
    if not entry.filename.lower().endswith(".xml"):
        return FileReading(lines=(LineReport(0, None, "ignored", "não é XML e ficou de fora."),))
    if entry.flag_bits & 0x1:
        return FileReading(refused="está protegido por senha; envie o zip sem senha.")
    try:
        with archive.open(entry) as stream:
            # The size written in the archive may lie; one byte more than allowed is enough to know.
            data = stream.read(MAX_NOTE_BYTES + 1)
        return read_entry(data)
    except TruncatedFile as exc:
        return FileReading(refused=exc.reason)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError):
        return FileReading(refused="está corrompido dentro do zip; crie o arquivo de novo.")
