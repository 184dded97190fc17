"""A consistent, checked copy of the database, made while others write.

SQLite: the backup API inside one reading transaction, so that the copy is of one instant and never begins anew because
somebody wrote; in WAL mode a reader holds no writer up. PostgreSQL: `pg_dump`. A copy appears under its name only when it
is whole, checked and on the disk; it belongs to its owner alone, and no file is ever overwritten.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy.engine import make_url

from tracker.errors import DatabaseDamagedError, ProgramError
from tracker.store.database import is_sqlite, sqlite_path
from tracker.store.faults import DAMAGE, damaged, faults_told, require_file
from tracker.store.pg_tools import dump

STEP_PAGES: Final = 2048
"""Pages between two looks at whether to stop, and two words about the progress: some 8 MB."""
COPIED: Final = 1
"""The `user_version` of a copy: put in the database's place by hand, it is known for what it is (see `restore`)."""
CHECK_OPS: Final = 100_000
"""SQLite's steps between two looks at whether to stop while a copy is checked."""
BUSY_S: Final = 60.0
MARGIN_BYTES: Final = 16 * 2**20
_STAMP: Final = "%Y-%m-%dT%H%M%SZ"
_NAME: Final = r"\.(\d{4}-\d\d-\d\dT\d{6}Z)\.(?:bak|dump)"

Watch = Callable[[float], None]
"""Called every now and then with the share that is done; what it raises ends the copying."""


class BackupError(ProgramError):
    """The copy could not be made; nothing was left behind, and the database is as it was."""


@dataclass(frozen=True, slots=True)
class Made:
    """A copy that is whole and on the disk."""

    path: Path
    size: int
    removed: tuple[Path, ...] = ()
    """Older copies that had to go."""


def silent(_share: float) -> None:
    """A `Watch` for whoever has nobody to tell."""


def stem_of(url: str) -> str:
    """What the names of a database's copies begin with."""
    return sqlite_path(url).name if is_sqlite(url) else make_url(url).database or "database"


def name_of(url: str, at: datetime) -> str:
    """The name of a copy made at this instant: `tracker.db.2026-11-28T063000Z.bak`; in UTC, so that names sort by age."""
    return f"{stem_of(url)}.{at.astimezone(UTC):{_STAMP}}.{'bak' if is_sqlite(url) else 'dump'}"


def copies_in(folder: Path, url: str) -> list[tuple[datetime, Path]]:
    """The copies of this database that stand in a folder under such names, the newest first. Raises BackupError."""
    pattern = re.compile(re.escape(stem_of(url)) + _NAME)
    found = []
    try:
        for path in folder.iterdir() if folder.is_dir() else ():
            match = pattern.fullmatch(path.name)
            if match is not None:
                with suppress(ValueError):  # digits that are no date: not one of ours
                    found.append((datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC), path))
    except OSError as fault:
        raise BackupError(f"{folder}: the folder of backups cannot be read: {fault.strerror}") from fault
    return sorted(found, reverse=True)


def back_up_into(url: str, folder: Path, at: datetime, *, keep: int | None = None, watch: Watch = silent) -> Made:
    """Make a copy in a folder, which is made where it is missing; then keep only the newest `keep`. Raises ProgramError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise BackupError(f"{folder}: the folder of backups cannot be made: {fault.strerror}") from fault
    made = back_up(url, folder / name_of(url, at), watch)
    if keep is None:
        return made
    old = [path for _, path in copies_in(folder, url) if path != made.path][max(keep - 1, 0) :]
    removed = []
    for path in old:
        # One that may not be removed costs room and nothing else: the new copy stands.
        with suppress(OSError):
            path.unlink()
            removed.append(path)
    return Made(made.path, made.size, tuple(removed))


def back_up(url: str, target: Path, watch: Watch = silent) -> Made:
    """Make a copy under this name. Raises BackupError where one stands there, or it cannot be made; DatabaseFaultError."""
    if os.path.lexists(target):
        raise BackupError(f"{target}: stands already; a backup overwrites nothing: name another file, or a folder")
    part = target.with_name(f".{target.name}.part")
    try:
        with _alone(target.parent):
            remove(part)
            try:
                os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
                if is_sqlite(url):
                    copy_file(sqlite_path(url), part, watch)
                else:
                    dump(url, part, watch)
                sync(part)
                size = part.stat().st_size
                _publish(part, target)
            finally:
                remove(part)
    except OSError as fault:
        raise BackupError(f"{target}: the backup was not made: {fault.strerror or fault}; nothing was kept") from fault
    watch(1.0)
    return Made(target, size)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One copy at a time into a folder: whatever half copy lies there is a dead one's."""
    # On the folder's own descriptor: the lock needs no file, and no descriptor of a database is closed.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as fault:
        raise BackupError(f"{folder}: another backup is being made there; wait for it") from fault
    finally:
        os.close(descriptor)


def copy_file(source: Path, target: Path, watch: Watch = silent) -> None:
    """Copy a SQLite database that others may be writing into an empty file, and check the copy: one file, marked as a copy.

    Raises DatabaseDamagedError where the source is damaged, BackupError.
    """
    require_file(source)
    if not source.exists():
        raise BackupError(f"there is no database at {source}")
    try:
        with closing(_reading(source)) as old:
            _copy_pages(old, target, watch)
        close_as_copy(target)
        found = integrity(target, lambda: watch(0.9))
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in DAMAGE:
            raise damaged(source, str(error)) from error
        raise BackupError(
            f"{target.parent}: the backup was not made: {error}; check its free space and rights"
        ) from error
    if found:
        raise DatabaseDamagedError(f"{source}: its copy did not pass the check ({found[0]}); see: tracker db check")


def _reading(source: Path) -> sqlite3.Connection:
    """The database inside a reading transaction: without one every write of another process begins the copy anew."""
    with faults_told(f"sqlite:///{source}"):
        old = _connect(source)
        try:
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error:
            old.close()
            raise
        return old


def _copy_pages(old: sqlite3.Connection, target: Path, watch: Watch) -> None:
    def look(_status: int, remaining: int, total: int) -> None:
        watch(0.8 * (total - remaining) / total if total else 0.8)

    with closing(_connect(target)) as new:
        (pages,) = old.execute("PRAGMA page_count").fetchone()
        (size,) = old.execute("PRAGMA page_size").fetchone()
        _require_room(target, pages * size)
        old.backup(new, pages=STEP_PAGES, progress=look)


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file that is there; without the URI a missing one would be made."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None)


def _require_room(target: Path, size: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < size + MARGIN_BYTES:
        need, there = (f"{amount / 2**20:,.0f} MiB" for amount in (size + MARGIN_BYTES, free))
        raise BackupError(f"{target.parent}: too little room for a backup: it needs {need}, {there} are free")


def close_as_copy(path: Path) -> None:
    """Make it one file without a log beside it, and mark it as a copy."""
    with closing(_connect(path)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute(f"PRAGMA user_version={COPIED}")


def integrity(path: Path, look: Callable[[], None] = lambda: None) -> list[str]:
    """What SQLite finds wrong in a file, at most some lines. `look` is called meanwhile; what it raises ends the check."""
    raised: list[BaseException] = []

    def watch() -> int:
        try:
            look()
        except BaseException as error:
            raised.append(error)
        return len(raised)

    with closing(_connect(path)) as connection:
        connection.set_progress_handler(watch, CHECK_OPS)
        try:
            rows = connection.execute("PRAGMA integrity_check(20)").fetchall()
        except sqlite3.OperationalError:
            if raised:
                raise raised[0] from None
            raise
    return [line for (text,) in rows for line in str(text).splitlines() if line != "ok"]


def sync(path: Path) -> None:
    """Have a file's content on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _publish(part: Path, target: Path) -> None:
    """Give the finished copy its name, where nothing has taken it meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError as fault:
        raise BackupError(f"{target}: stands already; a backup overwrites nothing") from fault
    except OSError as fault:
        if fault.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK}:
            raise
        part.rename(target)  # a file system without hard links
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a database file and whatever SQLite keeps beside it."""
    for name in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
