"""A worker that is stopped at any instant holds nothing of the queue against the others."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.cluster.play import wait
from tests.support.forked import exit_code, fork
from tests.support.postgres import PostgresServer
from tests.support.schema import prepare
from tracker.store import queue_schema

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
STOPS = 40
HELD = "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND state LIKE 'idle in transaction%'"
WORKS = "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND query LIKE '%procrastinate%'"


def call_and_answer(url: str) -> None:
    """Call for lanes and answer the calls, for ever."""
    from tracker.engine.cluster.queue import opened

    async def work() -> None:
        async with opened(url) as queue:
            worker = await queue.register()
            while True:
                await queue.defer("poll")
                if job := await queue.fetch(["poll"], worker):
                    await queue.finish(job.id, well=True)

    asyncio.run(work())


def test_a_process_that_is_stopped_holds_no_transaction_open(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    prepare(postgres_url)
    queue_schema.upgrade(postgres_url)
    name = {"name": make_url(postgres_url).database}
    admin = create_engine(postgres_server.url("postgres"), isolation_level="AUTOCOMMIT")
    worker = fork(call_and_answer, postgres_url)
    assert worker.pid is not None
    try:
        with admin.connect() as connection:
            wait(lambda: connection.execute(text(WORKS), name).scalar_one(), lambda: "it does not work")
            held = 0
            for _ in range(STOPS):
                os.kill(worker.pid, signal.SIGSTOP)
                time.sleep(0.05)  # what the server was asked is answered
                held += connection.execute(text(HELD), name).scalar_one()
                os.kill(worker.pid, signal.SIGCONT)
                time.sleep(0.013)
            assert held == 0
            assert exit_code(worker) is None
    finally:
        worker.kill()
        worker.join()
        admin.dispose()
