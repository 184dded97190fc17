"""The lanes' job queue: Procrastinate's tables, driven through its job manager. Imported only where `engine: procrastinate` is.

Procrastinate's own `Worker` is not used: it ends, and lets its sign of life fall silent, where one answer of the database is
lost or while it waits for its last jobs; and a job whose end could not be written stays locked for as long as its worker
lives. Here an end that was not written is written later, and signs of life go on until the last lane is put down.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import procrastinate
import psycopg
from procrastinate import exceptions, jobs
from sqlalchemy.engine import make_url

from tracker.errors import DatabaseFaultError

TASK: Final = "tracker.lane"
_CONNECTIONS: Final = 4
_PATIENCE_S: Final = 10.0
"""A connection that does not come within so long is a fault of the database."""
_STATEMENT_MS: Final = 30_000

# What is wrong with the connection is said by us, once; the pool says it at every try.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Job:
    """One call for a lane, given to this worker."""

    id: int
    lane: str
    """The lane's key."""


class WorkerForgotten(DatabaseFaultError):
    """The queue does not know this worker any more: the others have taken it for dead."""


class LaneQueue:
    """The queue of one database. Every method but `open` and `close` raises DatabaseFaultError where it cannot be asked."""

    def __init__(self, url: str) -> None:
        conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        options = f"-c statement_timeout={_STATEMENT_MS} -c timezone=UTC"
        connector = procrastinate.PsycopgConnector(
            conninfo=conninfo,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_PATIENCE_S,
            configure=_commit_at_once,
            kwargs={"connect_timeout": int(_PATIENCE_S), "options": options},
        )
        self._app = procrastinate.App(connector=connector)
        self._jobs = self._app.job_manager

    async def open(self) -> None:
        """Connect. Raises DatabaseFaultError."""
        with _told():
            await self._app.open_async()

    async def close(self) -> None:
        """Let go of every connection."""
        with _told():
            await self._app.close_async()

    # --- the worker ---------------------------------------------------------------------------------

    async def register(self) -> int:
        """A new worker; its number."""
        with _told():
            return await self._jobs.register_worker()

    async def unregister(self, worker: int) -> None:
        """The worker ends; a job that it still has counts as stalled from now on."""
        with _told():
            await self._jobs.unregister_worker(worker)

    async def beat(self, worker: int) -> None:
        """A sign of life."""
        with _told():
            await self._jobs.update_heartbeat(worker)

    # --- jobs ---------------------------------------------------------------------------------------

    async def defer(self, key: str) -> bool:
        """Call for a lane; False where a call waits already.

        The lane's key is the lock, so that one run goes in the whole cluster, and the queueing lock, so that one call waits.
        """
        job = jobs.Job(queue=queue_of(key), lock=key, queueing_lock=key, task_name=TASK, task_kwargs={"lane": key})
        with _told():
            try:
                await self._jobs.defer_job_async(job)
            except exceptions.AlreadyEnqueued:
                return False
        return True

    async def fetch(self, keys: Sequence[str], worker: int) -> Job | None:
        """The oldest call for one of these lanes that may run now; it is this worker's until it is finished."""
        with _told():
            found = await self._jobs.fetch_job([queue_of(key) for key in keys], worker)
        return None if found is None else _job(found)

    async def finish(self, job_id: int, *, well: bool) -> bool:
        """The call has been answered, and its row goes; False where it was somebody else's by now."""
        status = jobs.Status.SUCCEEDED if well else jobs.Status.FAILED
        with _told():
            try:
                await self._jobs.finish_job_by_id_async(job_id, status, delete_job=True)
            except exceptions.ConnectorException as fault:
                if isinstance(fault.__cause__, psycopg.errors.RaiseException):
                    return False  # finished, or taken from a worker that was taken for dead
                raise
        return True

    async def held_by(self, worker: int) -> list[Job]:
        """What this worker has begun and not finished, by the queue's word."""
        with _told():
            found = await self._jobs.list_jobs_async(worker_id=worker, task=TASK, status=jobs.Status.DOING.value)
        return [_job(job) for job in found]

    async def rescue(self, dead_after_s: float) -> list[str]:
        """End the calls that workers without a sign of life hold, so that the next one runs; the lanes' keys.

        A stalled call is finished and never retried: beside a waiting call of the same lane a retry would break the
        queueing lock, and that one would wait for the stalled one's lock for ever.
        """
        with _told():
            stalled = await self._jobs.get_stalled_jobs(task_name=TASK, seconds_since_heartbeat=dead_after_s)
        freed = [job.lane for job in map(_job, stalled) if await self.finish(job.id, well=False)]
        with _told():
            await self._jobs.prune_stalled_workers(dead_after_s)
        return freed

    async def listen(self, on_call: Callable[[], None]) -> None:
        """Call back at every new call for a lane, for ever. A notification is a hint: whoever misses one asks a little later."""

        async def notified(*, channel: str, notification: Any) -> None:
            on_call()

        with _told():
            await self._jobs.listen_for_jobs(on_notification=notified)


async def _commit_at_once(connection: psycopg.AsyncConnection[Any]) -> None:
    """Every question to the queue is one statement. In a transaction around it, a process that is stopped before it commits
    would keep its locks: the others' call for that lane would wait for them, and with it every lane they plan."""
    await connection.set_autocommit(True)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[LaneQueue]:
    """The queue, connected."""
    queue = LaneQueue(url)
    await queue.open()
    try:
        yield queue
    finally:
        await queue.close()


def queue_of(key: str) -> str:
    """A lane's queue: its own, so that a worker asks for the lanes alone that it can run. Short, since PostgreSQL's channels are
    named after it."""
    return f"lane-{blake2b(key.encode(), digest_size=8).hexdigest()}"


def _job(job: jobs.Job) -> Job:
    assert job.id is not None
    return Job(job.id, str(job.task_kwargs["lane"]))


@contextmanager
def _told() -> Iterator[None]:
    """Faults of the queue's connections as DatabaseFaultError."""
    try:
        yield
    except (exceptions.ConnectorException, psycopg.Error, OSError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, psycopg.errors.ForeignKeyViolation):
            raise WorkerForgotten("the job queue does not know this worker any more") from error
        reason = str(cause).strip().partition("\n")[0] or type(cause).__name__
        raise DatabaseFaultError(f"the job queue cannot be reached: {reason}; it is tried again") from error
