"""The drop folder: files that have settled are taken and put away beside a report; nothing is ever deleted.

`done/` holds what was taken, `refused/` what could not be read (with the reason beside it), `duplicate/` what was taken
before. A report or a reason that lies in the inbox itself goes to `done/` unread. A file none of whose orders could be taken is
refused, and its report lies beside the reason. How old a file is, is asked of the disk itself: a clock that was set wrong
must not hold an import back.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from tracker.domain.order import LineReport
from tracker.drop_folder import PUT_AWAY, DropFolder, free_name, is_unchanged, was_renamed
from tracker.intake.importer import Account, Imported, Importer, Intake, PutDownError
from tracker.intake.options import TruncatedFile
from tracker.intake.spool import reported

log = structlog.get_logger(__name__)
LEFT_ALONE: Final = ("leia-me.txt", "readme.txt")
REPORT_NAME: Final = ".resultado.csv"
"""Ends the name of a report, after the whole name of the file it tells of: two of them may differ in their suffix alone."""
REASON_NAME: Final = ".reason.txt"
"""Ends the name of the reason beside a file that was refused."""
_REPORT: Final = re.compile(r"\.resultado[^.]*\.csv$")  # a second one of a name is numbered, as is a copy of it
TRUNCATED_FOR_S: Final = 600.0
"""A file that ends in the middle may still be being written: so long it is tried again before it is refused."""
_BOM: Final = "\ufeff".encode()
_TITLES: Final = b"linha;pedido;resultado;motivo"
_HEADING: Final = _BOM + _TITLES + b"\r\n"
_OUTCOMES: Final = {
    "imported": "importado",
    "updated": "atualizado",
    "repeated": "repetido",
    "warning": "aviso",
    "ignored": "ignorado",
    "refused": "recusado",
}
_ROWS_AT_ONCE: Final = 1_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class FolderSweep:
    """The lane `intake:<folder>`."""

    folder: Path
    intake: Intake
    importer: Importer
    settle_s: float = 5.0
    stopping: Callable[[], bool] = lambda: False
    """Whether to put a file down after the batch at hand: it stays, and is read from its beginning after the next start."""
    waiting: bool = field(default=False, init=False)
    """Whether the last look left a file that had not settled yet."""
    tally: Counter[str] = field(default_factory=Counter, init=False)
    """Files put away since the program started, by the folder they went to."""
    refused_lines: int = field(default=0, init=False)
    """Lines refused since the program started in files that were taken for the rest."""
    unfinished: dict[Path, float] = field(default_factory=dict, init=False)
    """Files that end in the middle and when each was last written to, by the disk's clock."""

    async def run(self, now: datetime) -> int:
        """Take every file that has settled; returns how many were put away."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.waiting = False
        before = self.tally.copy()
        self.unfinished = {path: written for path, written in self.unfinished.items() if path.exists()}
        disk_now = DropFolder(self.folder).disk_now()
        for path in sorted(self._files()):
            if self.stopping():
                break
            if await asyncio.to_thread(_is_ours, path):
                self._lay_by(path)
                continue
            age = disk_now - path.stat().st_mtime
            # A file dated in the future was copied with its own date: it has settled.
            if 0 <= age < self.settle_s and not was_renamed(path):
                self.waiting = True
                continue
            await self._take(path, age, now)
        new = self.tally - before
        if new["done"] and not new["refused"]:
            await self.importer.settle(self.intake, now)
        return new.total()

    def _files(self) -> Iterator[Path]:
        for path in self.folder.rglob("*"):
            parts = path.relative_to(self.folder).parts
            hidden = any(part.startswith((".", "~")) for part in parts)
            if path.is_file() and not hidden and parts[0] not in PUT_AWAY and path.name.lower() not in LEFT_ALONE:
                yield path

    async def _take(self, path: Path, age: float, now: datetime) -> None:
        with reported() as faults, reported() as orders:
            account = Account(faults, orders, stopping=self.stopping)
            result = await self._read(path, age, now, account)
            if result is not None:
                # A report may have a million lines: written in a thread, it keeps no other lane waiting.
                await asyncio.to_thread(self._put_away, path, result, account)

    async def _read(self, path: Path, age: float, now: datetime, account: Account) -> Imported | None:
        """What became of the file; None where it stays for now."""
        try:
            with path.open("rb") as file:
                before = os.fstat(file.fileno())
                result = await self._read_open(path, file, age, now, account)
            if result is not None and not is_unchanged(path, before):
                # Somebody wrote to it meanwhile: it is read again once it has settled, which doubles nothing.
                self.waiting = True
                log.info("import.changed", shop=self.intake.shop, file=path.name)
                return None
            return result
        except PutDownError:
            log.info("import.put_down", shop=self.intake.shop, file=path.name)
            return None
        except OSError as fault:
            # Not ours to read (permissions, a vanished file): say so, go on with the others.
            log.warning("import.unreadable", file=path.name, reason=fault.strerror)
            return None

    async def _read_open(
        self, path: Path, file: BinaryIO, age: float, now: datetime, account: Account
    ) -> Imported | None:
        try:
            return await self.importer.take(path.name, file, self.intake, now, account)
        except TruncatedFile as fault:
            if 0 <= age < TRUNCATED_FOR_S:
                self._wait_for(path, age, fault.reason, now)
                return None
            return await self.importer.refuse(path.name, file, self.intake, fault.reason, now)

    def _wait_for(self, path: Path, age: float, reason: str, now: datetime) -> None:
        """Leave a file that ends in the middle where it is; said once, and again when somebody has written to it."""
        written = path.stat().st_mtime
        if self.unfinished.get(path) != written:
            until = (now + timedelta(seconds=TRUNCATED_FOR_S - age)).isoformat(timespec="seconds")
            log.warning("import.waiting", shop=self.intake.shop, file=path.name, reason=reason, until=until)
        self.unfinished[path] = written

    def _put_away(self, path: Path, result: Imported, account: Account) -> None:
        where = "refused" if result.refused else "duplicate" if result.duplicate else "done"
        target = free_name(self.folder / where / path.relative_to(self.folder))
        DropFolder(self.folder).make(target.parent)
        if result.refused:
            DropFolder(self.folder).write(
                target.with_name(f"{target.name}{REASON_NAME}"), [f"{result.refused}\n".encode()]
            )
        if result.refused_lines or not (result.refused or result.duplicate):
            # What asks for a person stands first, then a line for each order.
            rows = _rows(chain(account.faults, account.orders))
            DropFolder(self.folder).write(
                free_name(target.with_name(f"{target.name}{REPORT_NAME}")), chain([_HEADING], rows)
            )
        path.replace(target)
        self.tally[where] += 1
        self.refused_lines += 0 if result.refused else result.refused_lines

    def _lay_by(self, path: Path) -> None:
        """Put what this program wrote itself into done/: it came with the files that somebody moved back."""
        target = free_name(self.folder / "done" / path.relative_to(self.folder))
        try:
            DropFolder(self.folder).make(target.parent)
            path.replace(target)
        except OSError as fault:
            log.warning("import.unreadable", file=path.name, reason=fault.strerror)


def _rows(lines: Iterable[LineReport]) -> Iterator[bytes]:
    """Rows of the report beside a file, as a Brazilian spreadsheet opens it."""
    rest = iter(lines)
    while batch := list(islice(rest, _ROWS_AT_ONCE)):
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        for line in batch:
            row = [line.line or "", line.order_number or "", _OUTCOMES.get(line.outcome, line.outcome), line.reason]
            writer.writerow([_defused(str(cell)) for cell in row])
        yield text.getvalue().encode()


def _defused(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula, as text."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _is_ours(path: Path) -> bool:
    """Whether this program wrote the file beside one that it put away: a reason, by its name; a report, by its first line too."""
    if path.name.endswith(REASON_NAME):
        return True
    if not _REPORT.search(path.name):
        return False
    try:
        with path.open("rb") as file:
            return file.readline(len(_HEADING) + 2).rstrip(b"\r\n").removeprefix(_BOM) == _TITLES
    except OSError:
        return False
