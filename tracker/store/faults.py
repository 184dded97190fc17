"""What the database's own errors mean for whoever runs the program: one table, one sentence each, and what to do.

SQLite's codes are those of https://www.sqlite.org/rescode.html. Errors that are faults of the program (a missing column, a
broken constraint) are not in the table and stay what they are.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from tracker.errors import DatabaseDamagedError, DatabaseFaultError

# The server's driver is imported where one of its errors may have come: a shop on SQLite needs none.
if TYPE_CHECKING:
    import psycopg

STEPS: Final = "docs/operators.md, Backups, has the steps"
NEEDED_BYTES: Final = 128 * 1024
"""With less room than this nothing can be opened: the file that readers share takes 32 KiB alone."""
_AWAY: Final = ("57P", "08")
"""PostgreSQL's classes of states: the operator shuts it down or it starts up, the connection broke."""
_IDLE: Final = "25P03"
"""A transaction waited longer for its next statement than this program allows: its process was stopped."""
_NO_ROOM: Final = "53"
_LOCKED: Final = "55P03"
_TOO_LONG: Final = "57014"
"""A statement met `statement_timeout`, or somebody ended it."""
_ONLY_READS: Final = "25006"
_NO_UTF8: Final = "Could not decode to UTF-8"
"""The driver's own error, without a code; what follows quotes the value."""


@contextmanager
def faults_told(url: str) -> Iterator[None]:
    """Raise DatabaseFaultError, or DatabaseDamagedError, in place of a driver's error that the table knows."""
    try:
        yield
    except PendingRollbackError as error:
        # What the transaction met before was swallowed on its way: the connection is gone.
        raise _away(url, "the connection was lost in the middle of a transaction") from error
    except Exception as error:
        fault = fault_of(error, url)
        if fault is None:
            raise
        raise fault from error


def fault_of(error: Exception, url: str) -> DatabaseFaultError | None:
    """The fault behind a driver's error; None for all others, and where it is none of the database's surroundings."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause, Path(make_url(url).database or ""))
    import psycopg

    return _of_server(cause, url) if isinstance(cause, psycopg.Error) else None


def _of_server(error: psycopg.Error, url: str) -> DatabaseFaultError | None:
    """Of a server's errors those of its surroundings: it is away, stops, starts, has no room, is held up, or only reads."""
    import psycopg

    words, state = str(error).strip().partition("\n")[0], error.sqlstate
    if state is not None and state.startswith(_NO_ROOM):
        return DatabaseFaultError(f"{shown_url(url)}: the server lacks room or connections: {words}; make room there")
    if state == _ONLY_READS:
        return DatabaseFaultError(f"{shown_url(url)}: the server only reads: {words}; is database.url a standby's?")
    if state == _LOCKED:
        return DatabaseFaultError(
            f"{shown_url(url)}: another session holds what is needed: {words}; look for it in pg_stat_activity (a table "
            "that is rebuilt, a transaction left open) and end it: the work then goes on by itself"
        )
    if state == _TOO_LONG:
        return DatabaseFaultError(
            f"{shown_url(url)}: the server is too slow: {words}; look at its load, its disk and pg_stat_activity"
        )
    if isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(_AWAY)):
        return _away(url, words)
    return _away(url, words) if state == _IDLE else None


def _away(url: str, words: str) -> DatabaseFaultError:
    return DatabaseFaultError(
        f"{shown_url(url)}: the database cannot be reached: {words}; check the server and database.url"
    )


def require_file(path: Path) -> None:
    """Raise where something that cannot be a database lies at its place; no file at all is none of that.

    An empty file opens as a new database, and the shop's whole past would be gone without a word.
    """
    try:
        if path.is_dir():
            raise DatabaseFaultError(_cannot_open(path, "it is a folder"))
        if path.exists() and path.stat().st_size == 0:
            raise DatabaseDamagedError(
                f"{path}: the database file is empty (0 bytes), as a broken copy leaves it; {_restore(path)}; "
                "only if there was never anything in it, delete it and start again"
            )
    except OSError as fault:
        raise DatabaseFaultError(_cannot_open(path, fault.strerror or "it cannot be reached")) from fault


def damaged(path: Path, words: str) -> DatabaseDamagedError:
    """The fault of a file whose content cannot be trusted any more; *words* say what was found."""
    return DatabaseDamagedError(f"{path}: the database file is damaged ({words}); {_restore(path)}")


def _of_sqlite(error: sqlite3.Error, path: Path) -> DatabaseFaultError | None:
    words = str(error)
    if words.startswith(_NO_UTF8):
        return damaged(path, "text that is no text")
    # The low byte is the kind; the others tell where in SQLite it was noticed.
    code = getattr(error, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    if kind in DAMAGE:
        return damaged(path, words)
    sentence = _SENTENCES.get(kind) if kind is not None else None
    return DatabaseFaultError(sentence(path, words)) if sentence is not None else None


def _restore(path: Path) -> str:
    return (
        f"stop the service, then put the newest backup in its place: tracker db restore FILE ({_newest(path)}); {STEPS}"
    )


def _newest(path: Path) -> str:
    """Beside the database or in the usual folder of backups; where the configuration names another, it is not looked for."""
    folders = (path.parent, path.parent / "backups", path.parent.parent / "backups")
    try:
        copies = [copy for folder in folders for copy in folder.glob(f"{path.name}.*.bak")]
        found = max(copies, key=lambda one: one.stat().st_mtime, default=None)
    except OSError:
        found = None
    if found is None:
        return "none lies beside it"
    return f"beside it lies {found.name}" if found.parent == path.parent else f"the newest is {found}"


def _cannot_open(path: Path, words: str) -> str:
    if not path.parent.exists():
        return (
            f"{path}: the database's folder is gone; is its disk mounted? Put it back: the work then goes on by itself"
        )
    # Unlike Path.is_dir, this answers no where the folder may not be entered.
    if os.path.isdir(path):  # noqa: PTH112
        return f"{path}: a folder lies where the database file should be; move it away, then put the file back; {STEPS}"
    if _is_mounted_read_only(path):
        return _read_only(path, words)
    return (
        f"{path}: the database file cannot be opened ({words}); check that the file and its folder belong to this user "
        f"(number {os.geteuid()}), or run this as their owner"
    )


def _is_mounted_read_only(path: Path) -> bool:
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _read_only(path: Path, _words: str) -> str:
    return (
        f"{path}: the database cannot be written; check that the file system is not read-only and that the file "
        f"and its folder belong to this user (number {os.geteuid()})"
    )


def _full(path: Path, _words: str) -> str:
    return f"{path}: the disk is full; make room and start again: what was not finished is repeated, nothing is lost"


def _is_full(path: Path) -> bool:
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < NEEDED_BYTES


def _disk_error(path: Path, words: str) -> str:
    # Where there is no room for the file that readers share, SQLite says no more than that something went wrong.
    if _is_full(path):
        return _full(path, words)
    return f"{path}: the disk does not do as asked ({words}); look at its free space and its health, then: tracker db check"


def _held(path: Path, _words: str) -> str:
    return f"{path}: another program holds the database; close it (a database browser, a copy at work) and try again"


def shown_url(url: str) -> str:
    """A database's address without user and password."""
    parsed = make_url(url)
    return f"{parsed.get_backend_name()}://{parsed.host or ''}/{parsed.database or ''}"


DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""The kinds of error that say that a file's content cannot be trusted."""
_SENTENCES: Final[Mapping[int, Callable[[Path, str], str]]] = {
    sqlite3.SQLITE_CANTOPEN: _cannot_open,
    sqlite3.SQLITE_PERM: _cannot_open,
    sqlite3.SQLITE_AUTH: _cannot_open,
    sqlite3.SQLITE_READONLY: _read_only,
    sqlite3.SQLITE_FULL: _full,
    sqlite3.SQLITE_IOERR: _disk_error,
    sqlite3.SQLITE_PROTOCOL: _disk_error,
    sqlite3.SQLITE_BUSY: _held,
    sqlite3.SQLITE_LOCKED: _held,
}
