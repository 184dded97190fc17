"""The job queue's own tables (Procrastinate's), kept beside ours: which version stands here, and how it gets the installed one.

The library brings its schema as SQL files and writes no version down, so `engine_queue` does.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, delete, insert, inspect, select, text

from tracker.errors import ProgramError, UsageError
from tracker.store.database import Database, _normalised
from tracker.store.faults import faults_told
from tracker.store.tables import EngineQueue, table

_QUEUE = table(EngineQueue)
_LOCK: Final = "SELECT pg_advisory_xact_lock(7364112)"
"""The same as an upgrade's of our own tables: one of both at a time."""
PREFIX: Final = "procrastinate_"
NOT_INSTALLED: Final = 'needs Procrastinate, which is not installed (pip install "shipment-tracker[procrastinate]")'


def is_installed() -> bool:
    """Whether the library is here; asks without importing it."""
    return find_spec("procrastinate") is not None


def installed() -> list[Path]:
    """The library's migrations, oldest first; the last one's name is the version. Raises UsageError where it is not here."""
    if not is_installed():
        raise UsageError(f"engine: procrastinate {NOT_INSTALLED}")
    from procrastinate.schema import migrations_path

    return sorted(migrations_path.glob("*.sql"))


def shown(version: str | None) -> str | None:
    """A version as people name it: `03.04.00` of `03.04.00_50_post_...`."""
    return version and version.partition("_")[0]


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring the queue's tables to the installed library's version; returns (before, after). Our own schema stands already.

    Raises UsageError where the tables are of a newer library or somebody else's, DatabaseFaultError.
    """
    files = installed()
    newest = files[-1].stem
    engine = create_engine(_normalised(url), hide_parameters=True)
    try:
        with faults_told(url):
            with engine.begin() as connection:
                connection.execute(text(_LOCK))
                before = _found(connection)
                _refuse_newer(before, files)
                if before is None:
                    _create(connection, newest)
            for file in [file for file in files if before is not None and file.stem > before]:
                # One transaction each: PostgreSQL lets a new value of an enumeration be used only after its commit.
                with engine.begin() as connection:
                    connection.execute(text(_LOCK))
                    if (_found(connection) or "") < file.stem:
                        _run(connection, file.read_text(encoding="utf-8"))
                        _write(connection, file.stem)
    finally:
        engine.dispose()
    return before, newest


def require_current(database: Database) -> None:
    """Raises UsageError unless the queue's tables are those of the installed library."""
    files = installed()
    with database.begin_read() as connection:
        found = _found(connection)
    _refuse_newer(found, files)
    if found is None:
        raise UsageError(
            "the database has no job queue yet, which engine: procrastinate works by; run: tracker db upgrade"
        )
    if found < files[-1].stem:
        raise UsageError(
            f"the database's job queue is older than the installed procrastinate (its tables have version {shown(found)}); "
            "run: tracker db upgrade"
        )


def _refuse_newer(found: str | None, files: list[Path]) -> None:
    if found is not None and found > files[-1].stem:
        raise UsageError(
            f"the database's job queue is newer than the installed procrastinate (its tables have version {shown(found)}); "
            "install the newer program"
        )


def _found(connection: Connection) -> str | None:
    """The version that stands here; None where there are no tables of it. Raises ProgramError where they are not ours."""
    version = connection.execute(select(_QUEUE.c.version)).scalar()
    if version is None and inspect(connection).has_table("procrastinate_jobs"):
        raise ProgramError(
            "the database has Procrastinate tables that this program did not make; give it a database of its own"
        )
    return version


def _create(connection: Connection, version: str) -> None:
    from procrastinate.schema import SchemaManager

    _run(connection, SchemaManager.get_schema())
    _write(connection, version)


def _write(connection: Connection, version: str) -> None:
    connection.execute(delete(_QUEUE))
    connection.execute(insert(_QUEUE), {"id": 1, "version": version})


def _run(connection: Connection, sql: str) -> None:
    # The driver itself, without parameters: its own would take each per cent sign of the file for one.
    driver: Any = connection.connection.driver_connection
    driver.execute(sql)
