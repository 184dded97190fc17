"""At which revision a database stands, told without the migrations themselves: every command asks this before its work.

A revision's number begins its file's name, and the numbers go up; a test holds them against what Alembic reads.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from tracker.errors import DatabaseFaultError
from tracker.store.database import Database

MIGRATIONS: Final = Path(__file__).parent / "migrations"


class SchemaError(Exception):
    """The database does not fit this program; the message says what to do."""


@cache
def known() -> frozenset[str]:
    """The revisions this program can work with, once they are upgraded."""
    return frozenset(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    """The newest revision this program knows."""
    return max(known())


def revision_of(connection: Connection) -> str | None:
    """The revision a database stands at, or None where it has no schema."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def is_current_file(path: Path) -> bool:
    """Whether a SQLite file stands at this program's revision. A file that cannot be asked is not: who opens it says why."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return False
    return found is not None and found[0] == head()


def require_current(database: Database) -> None:
    """Raises SchemaError unless the database stands at this program's revision."""
    with database.begin_read() as connection:
        found = revision_of(connection)
    if found == head():
        return
    if found is None:
        raise SchemaError("the database is empty; create it with: tracker db upgrade")
    if found not in known():
        raise SchemaError(f"the database is newer than this program (revision {found}); install the newer program")
    raise SchemaError("the database is older than this program; run: tracker db upgrade")


def make_folder(path: Path) -> None:
    """Make the folder of a SQLite file. Raises DatabaseFaultError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        what = f"{path.parent}: the database's folder cannot be made: {fault.strerror}"
        raise DatabaseFaultError(f"{what}; check state_dir and who may write there") from fault
