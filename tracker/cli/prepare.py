"""What a command does before it touches the database: the schema, the engine's lock, whose file it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker.errors import UsageError
from tracker.store.database import Database, is_sqlite, sqlite_path
from tracker.store.faults import require_file
from tracker.store.migrate import SchemaError, make_folder, require_current, upgrade

if TYPE_CHECKING:
    from pathlib import Path

    from tracker.engine.lock import EngineLock


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


def prepare_database(url: str) -> None:
    """Create or upgrade a SQLite file; a PostgreSQL schema is upgraded by a person. Raises ProgramError."""
    try:
        if is_sqlite(url):
            upgrade(url)
            return
        database = Database(url)
        try:
            require_current(database)
        finally:
            database.close()
    except SchemaError as fault:
        raise UsageError(str(fault)) from fault


@contextmanager
def engine_lock(url: str) -> Iterator[EngineLock]:
    """Be the one engine on this database. Raises EngineBusyError where another one is at work, ProgramError."""
    from tracker.engine.lock import RESTART_PATIENCE_S, EngineLock

    if is_sqlite(url):
        path = sqlite_path(url)
        drop_to_owner(path)
        require_file(path)
        make_folder(path)
    lock = EngineLock(url)
    # A service that was restarted after its host was lost waits for the dead one's session to be noticed.
    lock.acquire(RESTART_PATIENCE_S if os.environ.get("NOTIFY_SOCKET") else 0)
    try:
        yield lock
    finally:
        lock.release()


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
        yield database
