"""One engine a database: who does not hold this lock must not run lanes. Workers that share the lanes hold it together.

SQLite: `flock` on `<db>.lock`, never on the database itself, because closing any descriptor of that file drops SQLite's
own locks. PostgreSQL: an advisory lock held by a session of its own. Both die with the process: after kill -9 the kernel,
or the server when it sees the connection end, gives the lock back.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from sqlalchemy.engine import make_url

from tracker.errors import EngineBusyError, ProgramError
from tracker.log import get_logger
from tracker.store.database import is_sqlite, sqlite_path

# The server's driver takes longer to import than all the rest of this: a shop on SQLite needs none.
if TYPE_CHECKING:
    import psycopg

log = get_logger(__name__)

KEY_CONSTANT: Final = b"shipment-tracker engine 1"
"""Part of the advisory key; another number would let an old and a new program run side by side."""
CHECK_EVERY_S: Final = 5.0
CHECK_TIMEOUT_S: Final = 20.0
"""A check without an answer for so long means the session is lost."""
RESTART_PATIENCE_S: Final = 40.0
"""How long a service waits for the lock at its start: a PostgreSQL server that lost a host or a network notices after 25 s
(`_SESSION_OPTIONS`), and a start that gave up meanwhile would not be repeated (exit 2)."""
RETRY_EVERY_S: Final = 0.5
APPLICATION_PREFIX: Final = "shipment-tracker engine"
NAMED: Final = 3
"""So many holders are named to whoever finds the lock taken."""

_SESSION_OPTIONS: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    # Without these a cut cable is noticed after hours, while the server has long given the lock to somebody else.
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    # The same on the server's side, so that it frees the lock of a machine that fell over.
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
}
_WHO_HOLDS: Final = """
    SELECT activity.application_name, activity.pid
    FROM pg_locks AS held JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND held.classid = %(high)s::bigint::oid AND held.objid = %(low)s::bigint::oid
    ORDER BY activity.backend_start
"""


class EngineLock:
    """The right to be this database's engine. Use it as a context manager, or `acquire` and `release`."""

    def __init__(self, url: str, *, shared: bool = False, pause: Callable[[float], None] = time.sleep) -> None:
        """
        Args:
            url: the database's SQLAlchemy URL; a SQLite path in it is absolute.
            shared: beside others who share it, and beside nobody else; PostgreSQL only.
            pause: waits so many seconds between two tries.
        """
        self._pause = pause
        self._holding: _Holding = _FileLock(sqlite_path(url)) if is_sqlite(url) else _SessionLock(url, shared)

    def acquire(self, patience_s: float = 0.0) -> None:
        """Take the lock, waiting so long for another engine to let go; blocks, so not for a running event loop.

        Raises EngineBusyError where another engine holds it, naming that engine; ProgramError where it cannot be asked for.
        """
        tries = int(patience_s / RETRY_EVERY_S)
        for left in range(tries, -1, -1):
            try:
                self._holding.acquire()
                break
            except EngineBusyError:
                if not left:
                    raise
                if left == tries:
                    log.warning("engine.lock_awaited", kind=self._holding.kind, wait_s=patience_s)
                self._pause(RETRY_EVERY_S)
        log.info("engine.locked", kind=self._holding.kind)

    def release(self) -> None:
        """Give the lock back; harmless where it is not held."""
        self._holding.release()

    def lost(self) -> bool:
        """Whether the lock, once taken, is no longer ours. Blocks for a round trip on PostgreSQL."""
        return self._holding.lost()

    async def watch(self, on_lost: Callable[[], None], every_s: float = CHECK_EVERY_S) -> None:
        """Look at the lock for ever; call *on_lost* once and end when it is lost. Cancel it before `release`."""
        while True:
            if await self._is_lost():
                break
            await asyncio.sleep(every_s)
        log.error("engine.lock_lost", kind=self._holding.kind)
        on_lost()

    async def _is_lost(self) -> bool:
        try:
            return await asyncio.wait_for(asyncio.to_thread(self.lost), CHECK_TIMEOUT_S)
        except TimeoutError:
            return True

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class _Holding(Protocol):
    kind: str

    def acquire(self) -> None: ...
    def release(self) -> None: ...
    def lost(self) -> bool: ...


class _FileLock:
    """`flock` beside the database. The file stays: removing it would let two engines lock two files of one name."""

    kind = "file"

    def __init__(self, database: Path) -> None:
        # Two paths to one database must come to one lock.
        real = database.resolve()
        self._path = real.with_name(real.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = _read_holder(descriptor)
            os.close(descriptor)
            raise _busy([holder], str(self._path)) from exc
        except OSError as exc:
            os.close(descriptor)
            raise ProgramError(
                f"{self._path}: this file system gives no locks ({exc.strerror}); use a local disk"
            ) from exc
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        except OSError as exc:
            os.close(descriptor)
            raise ProgramError(f"{self._path}: cannot be written: {exc.strerror}; mend that and start again") from exc
        self._descriptor = descriptor

    def _open(self) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # O_NOFOLLOW: nobody who may write to the folder shall make us truncate another file.
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.open(self._path, flags, 0o600)
        except OSError as exc:
            advice = "check that this user may write there and that the disk is neither full nor read-only"
            raise ProgramError(f"{self._path}: the engine's lock cannot be opened: {exc.strerror}; {advice}") from exc

    def release(self) -> None:
        if self._descriptor is None:
            return
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def lost(self) -> bool:
        """Whether the file was removed or replaced: a second engine would lock the new one and find it free."""
        if self._descriptor is None:
            return True
        try:
            return not os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except OSError:
            return True


class _SessionLock:
    """An advisory lock of a PostgreSQL session that does nothing else. A pooler in transaction mode cannot carry it."""

    kind = "session"

    def __init__(self, url: str, shared: bool) -> None:
        parsed = make_url(url)
        self._mode = "_shared" if shared else ""
        self._conninfo = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        self._database = parsed.database or ""
        self._key = advisory_key(self._database)
        self._session: psycopg.Connection[tuple[Any, ...]] | None = None

    def acquire(self) -> None:
        import psycopg

        session = self._connect()
        try:
            row = session.execute(f"SELECT pg_try_advisory_lock{self._mode}(%s)", (self._key,)).fetchone()
            if row is None or row[0] is not True:
                raise _busy(self._holders(session), f"database {self._database}")
        except psycopg.Error as exc:
            session.close()
            raise _unreachable(exc) from exc
        except EngineBusyError:
            session.close()
            raise
        self._session = session

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        import psycopg

        # PostgreSQL cuts the name to 63 bytes; the pid stands first because it must survive.
        name = f"{APPLICATION_PREFIX} {os.getpid()} {socket.gethostname()}"
        try:
            # autocommit: an open transaction would hold back the server's vacuum for as long as the daemon lives.
            return psycopg.connect(self._conninfo, autocommit=True, application_name=name, **_SESSION_OPTIONS)
        except psycopg.Error as exc:
            raise _unreachable(exc) from exc

    def _holders(self, session: psycopg.Connection[tuple[Any, ...]]) -> list[dict[str, Any]]:
        unsigned = self._key % 2**64
        rows = session.execute(_WHO_HOLDS, {"high": unsigned >> 32, "low": unsigned % 2**32}).fetchall()
        found = []
        for application, server_pid in rows:
            name = str(application or "")
            if name.startswith(APPLICATION_PREFIX):
                pid, _, host = name.removeprefix(APPLICATION_PREFIX).strip().partition(" ")
                found.append({"pid": pid, "host": host})
            else:
                found.append({"session": server_pid})
        return found

    def release(self) -> None:
        if self._session is None:
            return
        import psycopg

        # The session's end gives the lock back too, but only once the server has seen it; the next engine may be quicker.
        with suppress(psycopg.Error):  # a session that is gone holds nothing
            self._session.execute(f"SELECT pg_advisory_unlock{self._mode}(%s)", (self._key,))
        self._session.close()
        self._session = None

    def lost(self) -> bool:
        session = self._session
        if session is None:
            return True
        import psycopg

        try:
            session.execute("SELECT 1")
        except psycopg.Error:
            return True
        return False


def advisory_key(database: str) -> int:
    """The 64-bit advisory key of a database's engine, signed as PostgreSQL wants it."""
    digest = blake2b(database.encode(), digest_size=8, key=KEY_CONSTANT).digest()
    return int.from_bytes(digest, "big", signed=True)


def _read_holder(descriptor: int) -> dict[str, Any]:
    try:
        holder = json.loads(os.pread(descriptor, 1000, 0))
    except ValueError:  # the other one has locked and not yet written
        return {}
    return holder if isinstance(holder, dict) else {}


def _busy(holders: Sequence[dict[str, Any]], where: str) -> EngineBusyError:
    named = [_named(holder) for holder in holders[:NAMED]] or [_named({})]
    if len(holders) > NAMED:
        named.append(f"{len(holders) - NAMED} more")
    it = "it" if len(holders) < 2 else "them"
    return EngineBusyError(
        f"another engine already works on this database: {', '.join(named)} ({where}); stop {it} first"
    )


def _named(holder: dict[str, Any]) -> str:
    if "pid" in holder:
        return f"process {holder['pid']} on {holder.get('host') or 'an unknown host'}"
    if "session" in holder:
        return f"PostgreSQL session {holder['session']}"
    return "its process is not known"


def _unreachable(error: psycopg.Error) -> ProgramError:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return ProgramError(f"the database does not answer, so the engine's lock cannot be taken: {reason}")
