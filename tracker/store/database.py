"""One synchronous code path for SQLite and PostgreSQL, and the asynchronous face that hands it to its own threads.

SQLite: WAL, synchronous FULL, one writer thread (`BEGIN IMMEDIATE`, so that a transaction never fails half-way for want of
the lock) and a few readers. PostgreSQL: one thread pool. A transaction is a batch and never stays open across a network call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url

from tracker.errors import UsageError
from tracker.store.faults import damaged, faults_told
from tracker.store.kept import json_text
from tracker.store.many import can_be_listed, execute_many, insert_listed

T = TypeVar("T")
READERS: Final = 3
POSTGRES_THREADS: Final = 6
BUSY_TIMEOUT_MS: Final = 15_000
"""How long a command waits beside a busy daemon before it gives up on the write lock."""
STATEMENT_TIMEOUT_MS: Final = 120_000
LOCK_TIMEOUT_MS: Final = 15_000
"""How long a statement waits for what another PostgreSQL session holds. Each waits in one of the few threads: without an end
to it, the lanes of one locked table would keep every other lane from the database."""


def is_sqlite(url: str) -> bool:
    """Whether this database is a file of SQLite's."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_path(url: str) -> Path:
    """The file behind a SQLite URL."""
    return Path(make_url(url).database or "")


def _normalised(url: str) -> URL:
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        # One driver for everything; the bare scheme would ask for psycopg2.
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _json_reader(path: Path) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as fault:
            # Only this program writes here, and it writes JSON.
            raise damaged(path, "a value that is no JSON") from fault

    return read


def _sqlite_engine(url: URL, begin: str, cache_kib: int, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        json_serializer=json_text,
        json_deserializer=_json_reader(Path(url.database or "")),
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=pool_size,
        max_overflow=0,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # pysqlite opens no transaction before a SELECT; with this it opens none at all, and `begin` below does.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            f"cache_size=-{cache_kib}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: URL, idle_s: float | None) -> Engine:
    from tracker.store.pg_texts import take_any_text

    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} -c timezone=UTC"
    if idle_s is not None:
        options += f" -c idle_in_transaction_session_timeout={round(idle_s * 1000)}"
    engine = create_engine(
        url,
        hide_parameters=True,
        json_serializer=json_text,
        json_deserializer=orjson.loads,
        pool_pre_ping=True,
        pool_size=POSTGRES_THREADS + 2,
        max_overflow=0,
        connect_args={"options": options},
    )
    event.listen(engine, "connect", take_any_text)
    return engine


class Database:
    """The open database. Use `write`/`read` from coroutines, `begin_write`/`begin_read` from commands."""

    def __init__(self, url: str, *, idle_s: float | None = None) -> None:
        """
        Args:
            url: SQLAlchemy's; a SQLite path in it is absolute.
            idle_s: PostgreSQL ends a transaction that waits so long for its next statement. A process that was stopped in the
                middle of one would hold its locks against the others until it goes on.
        """
        self.url = url
        parsed = _normalised(url)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self.closed_because: str | None = None
        """Why nothing may be written into it (see `tracker.store.moved`); None: it may."""
        if self.sqlite:
            self._writer = _sqlite_engine(parsed, "BEGIN IMMEDIATE", 65_536, 1)
            self._reader = _sqlite_engine(parsed, "BEGIN", 8_192, READERS)
            self._write_threads = ThreadPoolExecutor(1, thread_name_prefix="db-writer")
            self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="db-reader")
        else:
            self._writer = self._reader = _postgres_engine(parsed, idle_s)
            self._write_threads = self._read_threads = ThreadPoolExecutor(POSTGRES_THREADS, thread_name_prefix="db")

    @contextmanager
    def begin_write(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, rolled back on an error. Raises DatabaseFaultError, UsageError."""
        if self.closed_because is not None:
            raise UsageError(self.closed_because)
        with faults_told(self.url), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def begin_read(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises DatabaseFaultError."""
        with faults_told(self.url), self._reader.begin() as connection:
            yield connection

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction on the writer's thread."""
        return await self._run(self._write_threads, self.begin_write, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one reading transaction on a reader's thread."""
        return await self._run(self._read_threads, self.begin_read, work)

    async def compact(self) -> None:
        """Rewrite the database without its empty places, on the writer's thread: all other writing waits for it.

        Raises DatabaseFaultError, where there is no room for the copy that this takes, say; then all is as it was.
        """
        await asyncio.get_running_loop().run_in_executor(self._write_threads, self.compact_now)

    def compact_now(self) -> None:
        """As `compact`, for commands."""
        with faults_told(self.url), self._writer.connect() as connection:
            # On the driver's own connection: SQLAlchemy would open a transaction, in which this cannot be done.
            driver: Any = connection.connection.driver_connection
            if self.sqlite:
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                driver.rollback()
                driver.autocommit = True
                try:
                    driver.execute("SET statement_timeout = 0")
                    driver.execute("VACUUM (ANALYZE)")
                finally:
                    driver.autocommit = False
                    connection.invalidate()

    @staticmethod
    async def _run(threads: ThreadPoolExecutor, begin: Callable[[], Any], work: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(threads, partial(transaction))

    def close(self) -> None:
        """Wait for running transactions and close every connection."""
        self._write_threads.shutdown(wait=True)
        self._read_threads.shutdown(wait=True)
        self._writer.dispose()
        if self._reader is not self._writer:
            self._reader.dispose()


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]], *returning: Any) -> list[Any]:
    """Insert rows, leaving those whose natural key stands already; returns what `returning` asks of the new ones."""
    if not rows:
        return []
    name = connection.dialect.name
    if returning and name == "sqlite" and can_be_listed(table, rows[0], returning):
        found = insert_listed(connection, table, rows, returning)
        if found is not None:
            return found
    if returning:
        return list(connection.execute(_inserting(name, table, returning), rows).all())
    execute_many(connection, _inserting(name, table, ()), rows)
    return []


def upsert(
    connection: Connection, table: Table, rows: list[dict[str, Any]], keys: list[str], changed: list[str]
) -> None:
    """Insert rows, or set `changed` on those whose key stands already."""
    if rows:
        execute_many(connection, _upserting(connection.dialect.name, table, tuple(keys), tuple(changed)), rows)


# To build such a statement costs as much as to run it; there are few different ones.
@cache
def _inserting(dialect: str, table: Table, returning: tuple[Any, ...]) -> Any:
    statement: Any = _insert(dialect, table).on_conflict_do_nothing()
    return statement.returning(*returning) if returning else statement


@cache
def _upserting(dialect: str, table: Table, keys: tuple[str, ...], changed: tuple[str, ...]) -> Any:
    statement = _insert(dialect, table)
    new: Mapping[str, Any] = {name: statement.excluded[name] for name in changed}
    return statement.on_conflict_do_update(index_elements=keys, set_=new)


def _insert(dialect: str, table: Table) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def secure_file(path: Path) -> None:
    """Keep the database to its owner: it holds customers' names and the carriers' tokens."""
    if path.exists():
        path.chmod(0o600)
