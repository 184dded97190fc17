"""Where a carrier's files come to, and the first such place: a folder.

Every place hands its files over one by one and puts each away by what became of it. Nothing is ever deleted, unless the
merchant has asked for that (a server's folder that would grow for ever). What is no file of the feed stays where it is, and is
named once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import structlog

from tracker.drop_folder import PUT_AWAY, DropFolder, free_name, has_settled, is_unchanged
from tracker.polling.feed_files import Fate, Taken
from tracker.store.database import Database
from tracker.store.feeds import forget_seen, save_seen, seen

log = structlog.get_logger(__name__)
REPORT_NAME: Final = ".report.txt"
"""Ends the name of the report beside a file, after the whole name of the file it tells of."""
MAX_NAME: Final = 300
UNFINISHED: Final = (".part", ".filepart", ".tmp", ".partial", ".crdownload")
"""Names under which programs write what they have not finished."""
_PUT_AWAY: Final = {Fate.READ: "done", Fate.REFUSED: "refused", Fate.DUPLICATE: "duplicate"}

Take = Callable[[str, bytes], Awaitable[Taken]]
"""Reads one file, by its name and content."""


class PlaceError(Exception):
    """The place cannot be read now; the words are for a person, without password. `is_refusal`: a person must mend it."""

    def __init__(self, message: str, *, is_refusal: bool = False) -> None:
        super().__init__(message)
        self.is_refusal = is_refusal


class Place(Protocol):
    """One place that files come to."""

    @property
    def shown(self) -> str:
        """For logs, alerts and rows: which place it is."""

    async def visit(self, take: Take, now: datetime) -> int:
        """Hand over every file that is new; returns how many were taken. Raises PlaceError."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at already in one place, and is still there: kept, so that it is named once."""

    database: Database
    carrier: str
    place: str

    async def marks(self) -> dict[str, str]:
        """The mark of each, by name."""
        return await self.database.read(lambda c: seen(c, self.carrier, self.place))

    async def save(self, name: str, mark: str, now: datetime) -> None:
        """It was looked at."""
        await self.database.write(lambda c: save_seen(c, self.carrier, self.place, name, mark, now))

    async def forget(self, names: set[str]) -> None:
        """They are gone."""
        if names:
            await self.database.write(lambda c: forget_seen(c, self.carrier, self.place, names))

    def leave_alone(self, name: str, taken: Taken) -> None:
        """Say once that it is none of ours."""
        log.warning("feed.left_alone", carrier=self.carrier, place=self.place, file=name, reason=taken.report[0])


def readable(name: str) -> str:
    """A file's name as it can be kept and shown, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "replace")[:MAX_NAME]


def is_unfinished(name: str) -> bool:
    """Whether a name is one of those under which something is still being written, or hidden."""
    return name.startswith((".", "~")) or name.lower().endswith(UNFINISHED)


@dataclass
class FeedFolder:
    """A folder on this machine (or mounted)."""

    folder: Path
    looked: Looked
    max_bytes: int
    settle_s: float = 5.0
    stopping: Callable[[], bool] = lambda: False
    waiting: bool = field(default=False, init=False)
    """Whether the last visit left a file that had not settled yet."""

    @property
    def shown(self) -> str:
        """See `Place`."""
        return f"folder {self.folder}"

    async def visit(self, take: Take, now: datetime) -> int:
        """See `Place`. Files are put into done/, refused/ and duplicate/, a report beside those with faults."""
        self.waiting = False
        try:
            return await self._visit(take, now)
        except OSError as fault:
            raise PlaceError(f"{fault.filename or self.folder}: {fault.strerror}") from fault

    async def _visit(self, take: Take, now: datetime) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        marks, count = await self.looked.marks(), 0
        disk_now = DropFolder(self.folder).disk_now()
        there = {readable(str(path.relative_to(self.folder))): path for path in sorted(self._files())}
        await self.looked.forget(set(marks) - set(there))
        for name, path in there.items():
            if self.stopping():
                break
            try:
                if marks.get(name) != _mark(path.stat()):
                    count += await self._take(name, path, disk_now, take, now)
            except OSError as fault:
                # Not ours to read or to move (permissions), or gone (somebody took it): say so, go on with the others.
                log.warning("feed.unreadable", carrier=self.looked.carrier, file=name, reason=fault.strerror)
        return count

    def _files(self) -> Iterator[Path]:
        for path in self.folder.rglob("*"):
            parts = path.relative_to(self.folder).parts
            if parts[0] not in PUT_AWAY and not any(map(is_unfinished, parts)) and path.is_file():
                yield path

    async def _take(self, name: str, path: Path, disk_now: float, take: Take, now: datetime) -> int:
        if not has_settled(path, disk_now, self.settle_s):
            self.waiting = True
            return 0
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            payload = await asyncio.to_thread(file.read, self.max_bytes + 1)
        taken = await take(name, payload)
        if not is_unchanged(path, before):
            # Somebody wrote to it meanwhile: it is read again once it has settled, which doubles nothing.
            self.waiting = True
            return 0
        if taken.fate is Fate.FOREIGN:
            self.looked.leave_alone(name, taken)
            await self.looked.save(name, _mark(before), now)
        if taken.fate not in _PUT_AWAY:
            return 0
        await asyncio.to_thread(self._put_away, path, taken)
        return 1

    def _put_away(self, path: Path, taken: Taken) -> None:
        place = DropFolder(self.folder)
        target = free_name(self.folder / _PUT_AWAY[taken.fate] / path.relative_to(self.folder))
        place.make(target.parent)
        if taken.report and taken.fate is not Fate.DUPLICATE:
            pages = [f"{line}\n".encode() for line in taken.report]
            place.write(target.with_name(f"{target.name}{REPORT_NAME}"), pages)
        path.replace(target)


def _mark(stat: os.stat_result) -> str:
    return f"{stat.st_size}:{stat.st_mtime_ns}"
