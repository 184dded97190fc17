"""What a command does before it touches the database: the schema, the engine's lock, whose file it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tracker.errors import DatabaseFaultError, UsageError
from tracker.log import get_logger
from tracker.store import queue_schema
from tracker.store.database import Database, is_sqlite, secure_file, sqlite_path
from tracker.store.faults import require_file, shown_url
from tracker.store.moved import why_closed
from tracker.store.schema import SchemaError, is_current_file, make_folder, require_current

if TYPE_CHECKING:
    from pathlib import Path

    from tracker.clock import Clock
    from tracker.engine.lock import EngineLock

log = get_logger(__name__)


def drop_to_owner(path: Path) -> None:
    """As root on a service's database: become the file's owner, so that no file of ours locks the service out.

    Raises UsageError where that is not possible, or where the owner may not read this very program: half of it is imported
    only when it is needed, and then could not be.
    """
    if os.geteuid() != 0:
        return
    # Unlike Path.exists, this answers no where the folder may not be entered; whoever opens the file says so.
    existing = next((p for p in (path, *path.parents) if os.path.exists(p)), None)  # noqa: PTH110
    if existing is None:
        return
    stat = existing.stat()
    if stat.st_uid == 0:
        return
    try:
        os.setgroups([])
        os.setgid(stat.st_gid)
        os.setuid(stat.st_uid)
    except OSError as fault:
        raise UsageError(
            f"{path} belongs to user {stat.st_uid}; run this as that user (sudo -u ...), not as root"
        ) from fault
    if not all(os.access(part, os.R_OK) for part in (os.__file__, __file__)):
        raise UsageError(
            f"{path} belongs to user {stat.st_uid}, who may not read this installation of the program ({os.__file__}): "
            "run one that this user may read, as that user (sudo -u ...), not as root"
        )


KNOWN = ".database"
"""In the state folder: which SQLite file was made. A disk that is not mounted looks like a shop that has just begun."""


def prepare_database(url: str, state: Path, *, shared: bool = False) -> None:
    """Create or upgrade a SQLite file; a PostgreSQL schema is upgraded by a person.

    *shared*: the lanes are shared through the job queue, whose tables must stand too. Raises UsageError where the shop lives in
    another database, ProgramError.
    """
    try:
        if is_sqlite(url):
            _require_known(sqlite_path(url), state / KNOWN)
            _upgrade_file(url)
            _remember(sqlite_path(url), state / KNOWN)
        database = Database(url)
        try:
            require_current(database)
            if closed := _why_closed(database):
                raise UsageError(closed)
            if shared:
                queue_schema.require_current(database)
        finally:
            database.close()
    except SchemaError as fault:
        raise UsageError(str(fault)) from fault


def _upgrade_file(url: str) -> None:
    if is_current_file(sqlite_path(url)):
        secure_file(sqlite_path(url))
        return
    from tracker.store.migrate import upgrade

    upgrade(url)


def _why_closed(database: Database) -> str | None:
    with database.begin_read() as connection:
        closed = why_closed(connection)
    return f"{shown_url(database.url)}: {closed}" if closed else None


def _require_known(path: Path, mark: Path) -> None:
    """Raise where a database that was made is gone: beginning anew would forget the shop's whole past without a word."""
    if path.exists():
        return
    try:
        known = mark.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return
    if known == str(path):
        raise DatabaseFaultError(
            f"{path}: the database that was here is gone; is its disk mounted? Put it back (tracker db restore FILE), or "
            "begin anew with: tracker db upgrade"
        )


def _remember(path: Path, mark: Path) -> None:
    # Where it cannot be written the work goes on without it.
    with suppress(OSError):
        if not mark.exists() or mark.read_text(encoding="utf-8") != f"{path}\n":
            mark.write_text(f"{path}\n", encoding="utf-8")


def settle_copy(url: str, clock: Clock) -> None:
    """Before an engine works on it: a copy that was put here by hand, or a restore that was cut off, is held back first."""
    from tracker.store.restore import BY_HAND, finish

    held = finish(url, now=clock.now(), who="tracker run")
    if held is not None:
        log.warning("database.restored", source=BY_HAND, messages=held.messages, claims=held.claims, alerts=held.alerts)


@contextmanager
def engine_lock(url: str, *, shared: bool = False) -> Iterator[EngineLock]:
    """Be the one engine on this database, or one of those that share it. Raises EngineBusyError where another one is at work
    beside which this one may not be, ProgramError."""
    from tracker.engine.lock import RESTART_PATIENCE_S, EngineLock

    if is_sqlite(url):
        path = sqlite_path(url)
        drop_to_owner(path)
        require_file(path)
        make_folder(path)
    lock = EngineLock(url, shared=shared)
    # A service that was restarted after its host was lost waits for the dead one's session to be noticed.
    lock.acquire(RESTART_PATIENCE_S if os.environ.get("NOTIFY_SOCKET") else 0)
    try:
        yield lock
    finally:
        lock.release()


@contextmanager
def alone_on(url: str) -> Iterator[None]:
    """As `engine_lock`, to replace whatever lies in the database's place. Raises EngineBusyError, ProgramError."""
    from tracker.engine.lock import EngineLock

    if is_sqlite(url):
        drop_to_owner(sqlite_path(url))
        make_folder(sqlite_path(url))
    with EngineLock(url):
        yield


@contextmanager
def existing_database(url: str) -> Iterator[Database]:
    """The database whatever its revision. Never creates one. Raises UsageError, DatabaseFaultError."""
    if is_sqlite(url):
        path = sqlite_path(url)
        require_file(path)
        if not path.exists():
            raise UsageError(f"there is no database at {path} yet; tracker run or tracker db upgrade makes it")
        drop_to_owner(path)
    database = Database(url)
    try:
        yield database
    except SchemaError as fault:
        raise UsageError(str(fault)) from fault
    finally:
        database.close()


@contextmanager
def open_database(url: str) -> Iterator[Database]:
    """The database as it stands, for a command beside the daemon. Raises UsageError, DatabaseFaultError."""
    with existing_database(url) as database:
        require_current(database)
        # What is known can be looked up meanwhile; what a person does would be lost with it.
        database.closed_because = _why_closed(database)
        yield database
