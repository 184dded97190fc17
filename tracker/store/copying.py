"""Copies a whole database into an empty one, SQLite or PostgreSQL either way; whoever calls holds both engines' locks.

A batch of rows and how far it goes are committed together in the target, so that a copying that died goes on where it was.
Nothing can change meanwhile: the source bears a mark that outlives a death (see `tracker.store.moved`), and while this
works its tables are locked against writers. The order of the last steps keeps a shop from living twice: the source is told
that it was copied before the target loses the mark of a half-done copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import psycopg
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    MetaData,
    Table,
    Text,
    delete,
    exists,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from tracker.errors import ProgramError, UsageError
from tracker.store.canonical import Plain, Row, Sum, cleaned, plain_tables, shop_tables, table_sum
from tracker.store.database import Database
from tracker.store.migrate import upgrade
from tracker.store.moved import (
    NAMES,
    Away,
    Unfinished,
    away_of,
    mark_away,
    mark_copied,
    mark_unfinished,
    unfinished_of,
    unmark_unfinished,
)
from tracker.store.restore import is_put_back

VERSIONS: Final = "alembic_version"
FOREIGN_OURS: Final = "procrastinate_"
"""Tables of the job queue, whose rows are no shop's."""
SHOWN_NAMES: Final = 5
_PROGRESS: Final = Table(
    "copy_progress",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("last_key", Text),
    Column("copied", BigInteger, nullable=False),
    Column("is_done", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Step:
    """How far the work is."""

    doing: str
    """`copying` or `comparing`."""
    table: str
    rows: int
    total: int
    share: float
    """Of all that is to be done, the comparing included."""


Watch = Callable[[Step], None]
"""Called once a batch; what it raises ends the work, which then goes on from there another time."""


@dataclass(frozen=True, slots=True)
class Differs:
    """A table that does not hold the same rows on both sides."""

    table: str
    source: Sum
    target: Sum


@dataclass(frozen=True, slots=True)
class Compared:
    """What both sides hold."""

    tables: int
    rows: int
    differs: tuple[Differs, ...] = ()


@dataclass(frozen=True)
class Copying:
    """A copy from one database to another. `shown_*`: their addresses without passwords."""

    source: Database
    target: Database
    shown_source: str
    shown_target: str
    drops_nul: bool = False

    def copy(self, *, now: datetime, who: str, watch: Watch) -> Compared:
        """Copy everything, compare, and let the shop live in the target. Raises UsageError, ProgramError."""
        away = self._begin(now, who)
        with reading_alone(self.source) as source:
            totals = _counts(source)
            progress = _Progress(watch, totals)
            for plain in plain_tables():
                self._copy_table(source, plain, progress)
            self._set_sequences(source)
            compared = self._compare(source, progress)
            if compared.differs:
                # The rows that were copied are not those that are there: nothing of it can be trusted.
                self._empty(Unfinished("", self.shown_source))
                return compared
            self._get_ready()
            # Before a writer that waits for the lock has its turn, and before the target is open.
            mark_copied(source, away.copied_at or now)
        self._open_target()
        return compared

    def compare(self, watch: Watch) -> Compared:
        """What both hold, table by table; changes nothing."""
        with reading_alone(self.source) as source:
            return self._compare(source, _Progress(watch, _counts(source), only_compares=True))

    # --- before the first row ---------------------------------------------------------------------------

    def _begin(self, now: datetime, who: str) -> Away:
        """Mark both sides, or find the marks of a copying that was cut off; the target then has the schema."""
        away, there = self._marks()
        if away is not None and away.copied_at is not None and (there is None or there.copy_key != away.copy_key):
            raise UsageError(
                f"{self.shown_source}: was copied to {away.target} at {away.copied_at:%Y-%m-%d %H:%MZ}; compare again with "
                "--verify-only, or come back to this database with: tracker db reopen"
            )
        if there is not None and there.source != self.shown_source:
            raise UsageError(
                f"{self.shown_target}: is a half-done copy of {there.source}; name an empty database, or empty this one"
            )
        self._require_ours(is_copy=there is not None)
        # A source that was worked on since its half-done copy has another key, or none.
        goes_on = away is not None and there is not None and there.copy_key == away.copy_key
        if away is None or not goes_on:
            away = Away(uuid4().hex, self.shown_target, who, now)
        upgrade(self.target.url, copy_first=False)
        with self.source.begin_write() as connection:
            if not goes_on:
                mark_away(connection, away)
        if not goes_on:
            self._empty(Unfinished(away.copy_key, self.shown_source))
        return away

    def _marks(self) -> tuple[Away | None, Unfinished | None]:
        """The source's mark of a copying, and the target's of a half-done copy. Raises UsageError."""
        with self.source.begin_read() as connection:
            if unfinished := unfinished_of(connection):
                raise UsageError(f"{self.shown_source}: is a half-done copy of {unfinished.source}; finish that first")
            if is_put_back(connection):
                raise UsageError(
                    f"{self.shown_source}: was put back from a backup, and what it would send again is not held back yet; "
                    "first run: tracker db restore --in-place"
                )
            away = away_of(connection)
        with self.target.begin_read() as connection:
            return away, unfinished_of(connection)

    def _require_ours(self, *, is_copy: bool) -> None:
        """Raises UsageError where the target holds anything that a copy would mix with, or overwrite."""
        with self.target.begin_read() as connection:
            there = set(inspect(connection).get_table_names())
            ours = set(SQLModel.metadata.tables)
            shops = [rows for rows in shop_tables() if rows.name in there]
            foreign = sorted(name for name in there - ours - {VERSIONS, *NAMES} if not name.startswith(FOREIGN_OURS))
            if foreign:
                self._refuse_target(f"holds tables that are not this program's ({_some(foreign)})")
            if VERSIONS not in there and there & ours:
                self._refuse_target(
                    f"holds tables of this program without their revision ({_some(sorted(there & ours))})"
                )
            filled = sorted(rows.name for rows in shops if _has_rows(connection, rows))
            if filled and not is_copy:
                self._refuse_target(f"holds a shop's rows already ({_some(filled)})")

    def _refuse_target(self, what: str) -> None:
        raise UsageError(f"{self.shown_target}: {what}; name an empty database, nothing was changed")

    def _empty(self, mark: Unfinished) -> None:
        """Begin anew: no row, and the mark of a copy that is not whole. Nobody ever worked on what is thrown away."""
        with self.target.begin_write() as connection:
            mark_unfinished(connection, mark)
            _PROGRESS.create(connection, checkfirst=True)
            connection.execute(delete(_PROGRESS))
            if self.target.sqlite:
                for rows in reversed(shop_tables()):
                    connection.execute(delete(rows))
            else:
                connection.execute(text(f"TRUNCATE {', '.join(rows.name for rows in shop_tables())}"))

    # --- rows -------------------------------------------------------------------------------------------

    def _copy_table(self, source: Connection, plain: Plain, progress: _Progress) -> None:
        name = plain.table.name
        with self.target.begin_read() as connection:
            row = connection.execute(select(_PROGRESS).where(_PROGRESS.c.name == name)).one_or_none()
        done = row.copied if row is not None else 0
        progress.add("copying", name, done)
        if row is not None and row.is_done:
            return
        key = plain.unpacked(row.last_key) if row is not None and row.last_key is not None else None
        while True:
            batch = list(cleaned(source.execute(plain.after(key)).all(), self.drops_nul))
            is_last = len(batch) < plain.batch
            done += len(batch)
            if batch:
                key = plain.key_of(batch[-1])
            self._write(
                plain, batch, {"last_key": plain.packed(key) if key else None, "copied": done, "is_done": is_last}
            )
            progress.add("copying", name, len(batch))
            if is_last:
                return

    def _write(self, plain: Plain, batch: list[Row], reached: dict[str, Any]) -> None:
        if not self.target.sqlite:
            _refuse_nul(plain, batch)
        try:
            with self.target.begin_write() as connection:
                _insert(connection, plain, batch)
                mine = _PROGRESS.c.name == plain.table.name
                if connection.execute(update(_PROGRESS).where(mine).values(**reached)).rowcount == 0:
                    connection.execute(insert(_PROGRESS), {"name": plain.table.name, **reached})
        except (psycopg.DataError, psycopg.IntegrityError, DBAPIError) as error:
            raise self._refused_row(plain, batch, error) from error

    def _refused_row(self, plain: Plain, batch: Sequence[Row], error: Exception) -> ProgramError:
        """Which row of a batch the target does not take, and why; nothing of it is kept."""
        found, why = None, error
        with self.target.begin_write() as connection:
            outer = connection.begin_nested()
            for row in batch:
                try:
                    with connection.begin_nested():
                        _insert(connection, plain, [row])
                except (psycopg.Error, DBAPIError) as refused:
                    found, why = row, refused
                    break
            outer.rollback()
        words = str(getattr(why, "orig", None) or why).strip().partition("\n")[0]
        where = f"{plain.table.name}, {plain.shown_key(found)}" if found is not None else plain.table.name
        return ProgramError(
            f"table {where}: {self.shown_target} does not take it: {words}; what was copied so far is kept"
        )

    def _set_sequences(self, source: Connection) -> None:
        """New rows of the target get numbers that the source never gave."""
        if self.target.sqlite:
            return
        with self.target.begin_write() as target:
            for plain in plain_tables():
                sequence = _sequence(target, plain)
                if sequence is None:
                    continue
                newest = source.execute(select(func.max(plain.keys[0]))).scalar_one()
                given = None if self.source.sqlite else _last_given(source, plain)
                if known := [number for number in (newest, given) if number is not None]:
                    target.execute(
                        text("SELECT setval(:sequence, :number)"), {"sequence": sequence, "number": max(known)}
                    )

    # --- after the last row -----------------------------------------------------------------------------

    def _compare(self, source: Connection, progress: _Progress) -> Compared:
        differs, rows = [], 0
        with self.target.begin_read() as target:
            for plain in plain_tables():
                watch = progress.comparing(plain.table.name)
                ours = table_sum(source, plain, drops_nul=self.drops_nul, watch=watch)
                theirs = table_sum(target, plain, watch=watch)
                rows += ours.rows
                if ours != theirs:
                    differs.append(Differs(plain.table.name, ours, theirs))
        return Compared(len(plain_tables()), rows, tuple(differs))

    def _get_ready(self) -> None:
        if not self.target.sqlite:
            with self.target.begin_write() as connection:
                # Without figures of its own the server would plan the first day's queries as if every table were empty.
                connection.execute(text("ANALYZE"))

    def _open_target(self) -> None:
        with self.target.begin_write() as connection:
            _PROGRESS.drop(connection, checkfirst=True)
            unmark_unfinished(connection)


class _Progress:
    """Rows copied and rows compared, on both sides, against all there are."""

    def __init__(self, watch: Watch, totals: dict[str, int], *, only_compares: bool = False) -> None:
        self._watch = watch
        self._totals = totals
        self._all = sum(totals.values()) * (2 if only_compares else 3) or 1
        self._done = 0
        self._rows = dict.fromkeys(totals, 0)

    def add(self, doing: str, name: str, rows: int) -> None:
        self._rows[name] += rows
        self._done += rows
        self._watch(Step(doing, name, self._rows[name], self._totals[name], min(self._done / self._all, 1.0)))

    def comparing(self, name: str) -> Callable[[int], None]:
        self._rows[name] = 0

        def tell(rows: int) -> None:
            # Both sides are read, the source first.
            self.add("comparing", name, rows)

        return tell


@contextmanager
def reading_alone(database: Database) -> Iterator[Connection]:
    """A transaction that keeps every writer out of the shop's tables while it lasts; readers go on."""
    with database.begin_write() as connection:
        if not database.sqlite:
            names = ", ".join(rows.name for rows in shop_tables())
            connection.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))
        yield connection


def _counts(connection: Connection) -> dict[str, int]:
    return {
        plain.table.name: connection.execute(select(func.count()).select_from(plain.table)).scalar_one()
        for plain in plain_tables()
    }


def _has_rows(connection: Connection, rows: Table) -> bool:
    return bool(connection.execute(select(exists().select_from(rows))).scalar_one())


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (", ..." if len(names) > SHOWN_NAMES else "")


def _insert(connection: Connection, plain: Plain, batch: Sequence[Row]) -> None:
    if not batch:
        return
    names = plain.table.columns.keys()
    if connection.dialect.name == "sqlite":
        connection.execute(insert(plain.table), [dict(zip(names, row, strict=True)) for row in batch])
        return
    columns = ", ".join(f'"{name}"' for name in names)
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with closing(driver.cursor()) as cursor, cursor.copy(f'COPY "{plain.table.name}" ({columns}) FROM STDIN') as copy:
        for row in batch:
            copy.write_row(row)


def _refuse_nul(plain: Plain, batch: Sequence[Row]) -> None:
    """Raise where a text holds what no text of PostgreSQL's can: whether it may be left out is for a person to say."""
    for row in batch:
        nul = [
            column.name
            for column, value in zip(plain.table.columns, row, strict=True)
            if isinstance(value, str) and "\x00" in value
        ]
        if nul:
            raise ProgramError(
                f"table {plain.table.name}, {plain.shown_key(row)}: {' and '.join(nul)} holds a NUL character, which no text of "
                "PostgreSQL's can; what was copied so far is kept: run this again with --drop-nul, which leaves such "
                "characters out"
            )


def _sequence(connection: Connection, plain: Plain) -> str | None:
    """The sequence that numbers a table's rows; None where nothing does."""
    if len(plain.keys) != 1:
        return None
    query = text("SELECT pg_get_serial_sequence(:name, :key)")
    found: str | None = connection.execute(query, {"name": plain.table.name, "key": plain.keys[0].name}).scalar_one()
    return found


def _last_given(connection: Connection, plain: Plain) -> int | None:
    sequence = _sequence(connection, plain)
    if sequence is None:
        return None
    row = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
    return int(row.last_value) if row.is_called else None
