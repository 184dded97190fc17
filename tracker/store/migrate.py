"""Migrations: forward only, the same on SQLite and PostgreSQL.

On SQLite they run at start after a backup; on PostgreSQL a person runs `tracker db upgrade`. A database that is newer than
this program is refused, never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlmodel import SQLModel

from tracker.errors import DatabaseDamagedError, DatabaseFaultError
from tracker.store import backup, queue_schema
from tracker.store import tables as tables
from tracker.store.database import Database, _normalised, is_sqlite, secure_file, sqlite_path
from tracker.store.faults import damaged, faults_told, require_file
from tracker.store.invariants import Broken, check_rules, rows_by_table
from tracker.store.schema import MIGRATIONS, SchemaError, head, known, make_folder, require_current, revision_of

MAX_DAMAGE_LINES = 20
"""SQLite names every damaged page, one a line; the first ones tell what there is to know."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(url: str, *, copy_first: bool = True) -> tuple[str | None, str]:
    """Bring the database to this program's revision; returns (before, after). A SQLite file is copied first.

    Raises SchemaError where the database is newer than the program, DatabaseFaultError.
    """
    with faults_told(url):
        return _upgrade_sqlite(url, copy_first) if is_sqlite(url) else _upgrade_server(url)


def _upgrade_server(url: str) -> tuple[str | None, str]:
    engine = create_engine(_normalised(url), hide_parameters=True)
    try:
        with engine.begin() as connection:
            # Two programs started at once must not create the schema twice.
            connection.execute(text("SELECT pg_advisory_xact_lock(7364112)"))
            return _run(connection)
    finally:
        engine.dispose()


def _upgrade_sqlite(url: str, copy_first: bool) -> tuple[str | None, str]:
    path = sqlite_path(url)
    make_folder(path)
    require_file(path)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        # A batch rebuild under foreign keys cascades into child rows; the PRAGMA does nothing inside a transaction.
        connection.execute("PRAGMA foreign_keys=OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.connect() as connection:
            before = revision_of(connection)
        if copy_first and before is not None and before != head() and before in known():
            _back_up(path, path.with_name(f"{path.name}.before-{head()}.bak"))
        with engine.begin() as connection:
            result = _run(connection)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise SchemaError(
                    f"the upgrade would leave {len(broken)} rows without their parent; nothing was changed"
                )
    finally:
        engine.dispose()
    secure_file(path)
    return result


def _run(connection: Connection) -> tuple[str | None, str]:
    before = revision_of(connection)
    if before is not None and before not in known():
        raise SchemaError(f"the database is newer than this program (revision {before}); install the newer program")
    if before != head():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, head()


def _back_up(source: Path, target: Path) -> None:
    """A copy to go back to, in place of an older one that a cut-off upgrade left: of the same database, not upgraded either."""
    part = target.with_name(f".{target.name}.part")
    backup.remove(part)
    try:
        part.touch(mode=0o600)
        backup.copy_file(source, part)
        backup.sync(part)
        part.replace(target)
        backup.sync_folder(target.parent)
    except OSError as fault:
        what = f"{target}: the copy before the upgrade was not made: {fault.strerror or fault}"
        raise DatabaseFaultError(f"{what}; nothing was changed") from fault
    finally:
        backup.remove(part)


def differences(connection: Connection) -> list[Any]:
    """What the models would change in this database; empty where migrations and models agree."""
    options = {"compare_type": True, "compare_server_default": True, "include_name": _is_ours}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, SQLModel.metadata))


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """The job queue's tables are the library's, and are looked after by `queue_schema`."""
    return not (kind == "table" and (name or "").startswith(queue_schema.PREFIX))


def _shown(difference: Any) -> str:
    """One difference that Alembic found, in its own words: what to do, and to what."""
    words = difference if isinstance(difference, tuple) else difference[0]
    what = next((getattr(part, "name", None) for part in words[1:] if getattr(part, "name", None)), "")
    names = [part for part in words[1:] if isinstance(part, str)]
    return " ".join([str(words[0]), *names, *([str(what)] if what else [])])


def damage(database: Database) -> list[str]:
    """What SQLite itself finds damaged in its file, at most some lines, and what to do; empty where it is whole."""
    if not database.sqlite:
        return []
    try:
        found = _checked(database, str(MAX_DAMAGE_LINES))
    except DatabaseDamagedError as fault:
        # Such damage ends the check before its first line; table by table shows at least where it is.
        return [*_damaged_tables(database)[:MAX_DAMAGE_LINES], str(fault)]
    if found:
        found = [*found[:MAX_DAMAGE_LINES], str(damaged(sqlite_path(database.url), "see the lines above"))]
    return found


def _damaged_tables(database: Database) -> list[str]:
    found: list[str] = []
    for name in sorted(SQLModel.metadata.tables):
        try:
            found += _checked(database, name)
        except DatabaseDamagedError:
            found.append(f"integrity: table {name} is damaged")
    return found


def _checked(database: Database, what: str) -> list[str]:
    """The lines of SQLite's check of one table, or of the whole file with so many lines at most."""
    with database.begin_read() as connection:
        rows = connection.exec_driver_sql(f"PRAGMA integrity_check({what})").all()
    lines = [line for row in rows for line in str(row[0]).splitlines()]
    return [f"integrity: {line}" for line in lines if line != "ok" and not line.startswith("***")]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, a sentence each, and how much was looked at."""

    faults: tuple[str, ...]
    rules: tuple[Broken, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)


def checked(database: Database) -> Checked:
    """All that `tracker db check` looks at in a database that is not damaged: its schema, and the rules of its rows."""
    faults = integrity_faults(database)
    if faults:
        # Rules asked of another schema would only repeat what is wrong with that.
        return Checked(tuple(faults))
    with database.begin_read() as connection:
        rules, rows = tuple(check_rules(connection)), rows_by_table(connection)
    return Checked(tuple(_sentence(rule) for rule in rules if rule.found), rules, rows)


def _sentence(broken: Broken) -> str:
    more = ", ..." if broken.found > len(broken.examples) else ""
    return f"{broken.found} {broken.sentence} ({broken.rule}: {', '.join(broken.examples)}{more})"


def integrity_faults(database: Database) -> list[str]:
    """What is wrong with the schema and the references of a database that is not damaged, a sentence each."""
    faults: list[str] = []
    try:
        require_current(database)
    except SchemaError as fault:
        return [str(fault)]
    with database.begin_read() as connection:
        if database.sqlite:
            faults += [
                f"row {row[1]} of {row[0]} points to a missing row of {row[2]}"
                for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
            ]
        missing = set(SQLModel.metadata.tables) - set(inspect(connection).get_table_names())
        faults += [f"table {name} is missing" for name in sorted(missing)]
        # A unique constraint that is gone would let one parcel be claimed twice.
        lacking = [_shown(found) for found in ([] if missing else differences(connection))]
        faults += [f"the schema lacks something: {words}" for words in lacking if words.startswith("add_")]
    return faults
