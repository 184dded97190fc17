"""Puts an earlier copy in the database's place; whoever calls holds the engine's lock.

SQLite: the copy is checked, upgraded and held back under another name and takes the database's place in one step, so that a
death at any line leaves either the old database or the whole new one. What stood there is kept beside it. PostgreSQL: a mark
that outlives `pg_restore` tells the next start that what stands there was put back and nothing is held back yet.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from tracker.errors import DatabaseFaultError, ProgramError, UsageError
from tracker.store import queue_schema
from tracker.store.backup import COPIED, Watch, back_up, integrity, name_of, remove, sync, sync_folder
from tracker.store.database import Database, is_sqlite, secure_file, sqlite_path
from tracker.store.moved import NAMES as MOVED
from tracker.store.moved import Away, unmark_away
from tracker.store.pg_tools import ToolError, contents, put_back
from tracker.store.restoring import HeldBack, hold_back
from tracker.store.schema import SchemaError, head, known, make_folder, revision_of

T = TypeVar("T")
BY_HAND: Final = "(put back by hand)"
_MARK: Final = "restore_unfinished"
_BUSY_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to. `kept`: where the replaced database lies now; None where there was none."""

    before: str | None
    after: str
    held: HeldBack
    kept: Path | None = None


def restore(url: str, file: Path, *, now: datetime, who: str, watch: Watch) -> Restored:
    """Put this copy in the database's place. Raises UsageError where the file is no such copy, ProgramError."""
    try:
        return (_restore_file if is_sqlite(url) else _restore_server)(url, file.absolute(), now, who, watch)
    except OSError as fault:
        what = f"{fault.filename or file}: {fault.strerror or fault}"
        raise ProgramError(f"nothing was restored: {what}; mend that and try again") from fault


def mark_restored(url: str) -> None:
    """Say of the database as it stands that it was put back by other means; `finish` does the rest. Raises ProgramError."""
    _write(url, _mark)


def finish(url: str, *, now: datetime, who: str, source: str = BY_HAND) -> HeldBack | None:
    """Where the database is a copy that was put in its place by hand, or a restore was cut off: hold back what would leave.

    None where it is neither. The schema is this program's.
    """

    def work(connection: Connection) -> HeldBack | None:
        if not is_put_back(connection):
            return None
        held = hold_back(connection, now=now, source=source, who=who)
        _unmark(connection)
        return held

    return _write(url, work)


def come_back(database: Database, away: Away, *, now: datetime, who: str) -> HeldBack | None:
    """Let a database be worked on again that was copied to another; None where that copy was never whole.

    A whole copy may have been worked on since: what stands here is an earlier state then, as after a restore.
    """
    with database.begin_write() as connection:
        unmark_away(connection)
        if away.copied_at is None:
            return None
        return hold_back(connection, now=now, source=f"(before its copy in {away.target})", who=who)


def _write(url: str, work: Callable[[Connection], T]) -> T:
    database = Database(url)
    try:
        with database.begin_write() as connection:
            return work(connection)
    finally:
        database.close()


def is_put_back(connection: Connection) -> bool:
    """Whether it is a copy in the database's place of which nothing is held back yet."""
    if connection.dialect.name == "sqlite":
        return bool(connection.exec_driver_sql("PRAGMA user_version").scalar_one() == COPIED)
    return inspect(connection).has_table(_MARK)


def _mark(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version={COPIED}")
    else:
        connection.execute(text(f"CREATE TABLE IF NOT EXISTS {_MARK} (at timestamptz DEFAULT now())"))


def _unmark(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version=0")
    else:
        connection.execute(text(f"DROP TABLE {_MARK}"))


def _upgrade(url: str, *, copy_first: bool = True) -> None:
    # Each start of the program asks this room whether a copy was put in place; the migrations' library is for those that were.
    from tracker.store.migrate import upgrade

    upgrade(url, copy_first=copy_first)


# --- SQLite -----------------------------------------------------------------------------------------


def _restore_file(url: str, file: Path, now: datetime, who: str, watch: Watch) -> Restored:
    path = sqlite_path(url)
    make_folder(path)
    _require_copy(file, path)
    part = path.with_name(f".{path.name}.restoring")
    remove(part)
    try:
        _take_in(file, part)
        watch(0.4)
        before = _checked(part, file, lambda: watch(0.5))
        watch(0.6)
        part_url = f"sqlite:///{part}"
        _upgrade(part_url, copy_first=False)
        mark_restored(part_url)
        held = finish(part_url, now=now, who=who, source=file.name)
        watch(0.8)
        _close(part)
        sync(part)
        kept = _swap(part, path, now)
    finally:
        remove(part)
    secure_file(path)
    watch(1.0)
    return Restored(before, head(), held or HeldBack(), kept)


def _require_copy(file: Path, path: Path) -> None:
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file; name a copy that tracker db backup made")
    if path.exists() and path.samefile(file):
        raise UsageError(f"{file}: is the database itself; name a copy of it")
    if file.stat().st_size == 0:
        raise UsageError(f"{file}: is empty, as a broken copy leaves it; name another copy")


def _take_in(file: Path, part: Path) -> None:
    """Copy it beside the database, so that the copy itself stays as it is; with its log, where it has one."""
    for name in ("", "-wal"):
        source, target = file.with_name(file.name + name), part.with_name(part.name + name)
        if source.exists():
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            shutil.copyfile(source, target)


def _checked(part: Path, file: Path, look: Callable[[], None]) -> str | None:
    """The copy's revision. Raises UsageError where it is damaged, no database of ours, or newer than the program."""
    try:
        found = integrity(part, look)
        with closing(sqlite3.connect(part)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise UsageError(
            f"{file}: is no usable copy of this program's database ({error}); name another copy"
        ) from error
    if found:
        raise UsageError(f"{file}: is damaged ({found[0]}); name another copy")
    revision = str(row[0]) if row else None
    if revision not in known():
        raise UsageError(f"{file}: is newer than this program (revision {revision}); install the newer program")
    return revision


def _close(path: Path) -> None:
    """One file, without a log beside it."""
    with closing(sqlite3.connect(path, timeout=_BUSY_S)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _swap(part: Path, path: Path, now: datetime) -> Path | None:
    """Let the new file take the database's place in one step, and keep the old one beside it."""
    if not os.path.lexists(path):
        part.replace(path)
        sync_folder(path.parent)
        return None
    kept = _free_name(path.with_name(f"{path.name}.replaced.{now.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"))
    if path.is_dir():
        path.rename(kept)
    else:
        _put_to_rest(path, kept)
        with suppress(OSError):  # a file system without hard links has it renamed
            os.link(path, kept)
        if not kept.exists():
            path.rename(kept)
    part.replace(path)
    sync_folder(path.parent)
    return kept


def _free_name(path: Path) -> Path:
    """This name, or the first with a number behind it that nothing has taken."""
    taken, number = path, 1
    while os.path.lexists(taken):
        number += 1
        taken = path.with_name(f"{path.name}.{number}")
    return taken


def _put_to_rest(path: Path, kept: Path) -> None:
    """Have the old database stand in its one file: its log, left behind, would be taken for the new one's."""
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise DatabaseFaultError(
                f"{path}: another program holds the database; close it (a command, a database browser) and restore again"
            ) from error
    except sqlite3.Error:
        pass  # damaged: that is why it is replaced; its log is kept with it
    for name in ("-wal", "-journal"):
        rest = path.with_name(path.name + name)
        if rest.exists():
            rest.rename(kept.with_name(kept.name + name))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)


# --- PostgreSQL -------------------------------------------------------------------------------------


def _restore_server(url: str, file: Path, now: datetime, who: str, watch: Watch) -> Restored:
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file; name a dump that tracker db backup made")
    try:
        contents(file)
    except ToolError as error:
        advice = "the database was not touched; name another dump that tracker db backup made"
        raise ToolError(f"{file}: cannot be read as a dump ({error}); {advice}") from error
    kept = _dump_present(url, file, now, watch)
    # The mark first: it is in no dump, so it outlives what pg_restore drops, and a death after it is noticed.
    mark_restored(url)
    try:
        tables = [*SQLModel.metadata.tables, *MOVED, "alembic_version"]
        put_back(url, file, tables, watch, families=[queue_schema.PREFIX])
    except BaseException:
        _write(url, _unmark)
        raise
    database = Database(url)
    try:
        with database.begin_read() as connection:
            before = revision_of(connection)
    finally:
        database.close()
    if before is not None and before not in known():
        raise SchemaError(
            f"{file}: is newer than this program (revision {before}); install the newer program, "
            f"or go back with: tracker db restore {kept}"
        )
    _upgrade(url)
    held = finish(url, now=now, who=who, source=file.name)
    return Restored(before, head(), held or HeldBack(), kept)


def _dump_present(url: str, file: Path, now: datetime, watch: Watch) -> Path | None:
    """A dump of what is about to be replaced, beside the one that replaces it; None where the database is empty."""
    database = Database(url)
    try:
        with database.begin_read() as connection:
            if revision_of(connection) is None:
                return None
    finally:
        database.close()
    name = name_of(url, now).removesuffix(".dump")
    return back_up(url, _free_name(file.with_name(f"{name}.replaced")), lambda share: watch(0.4 * share)).path
