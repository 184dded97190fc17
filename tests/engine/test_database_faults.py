"""Every lane meets the same fault of the database: said once, tried again within a minute, and its end is said once too."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.engine.support import NOW, Script, Time, until
from tests.engine.test_local import engine_of, running
from tests.engine.test_local import time as time
from tracker.engine.base import MAX_DATABASE_BACKOFF_S, why
from tracker.engine.local import LocalEngine
from tracker.engine.once import run_once
from tracker.errors import DatabaseFaultError

pytestmark = pytest.mark.anyio
FULL = DatabaseFaultError("tracker.db: the disk is full; make room")


async def again(engine: LocalEngine, name: str, script: Script) -> None:
    """One more run of a lane, now."""
    runs = len(script.seen)
    engine._look_in(engine._slots[name], 0)
    await until(lambda: len(script.seen) > runs and not engine._slots[name].is_running)


async def test_a_fault_is_said_once_however_many_lanes_meet_it(time: Time) -> None:
    scripts = {name: Script(name, [FULL] * 3, every_s=1) for name in ("poll", "detect", "alerts")}
    looks = Script("incidents")
    engine = engine_of([*(script.lane for script in scripts.values()), looks.lane], time)
    with capture_logs() as logs:
        async with running(engine):
            await until(lambda: all(len(script.seen) == 1 for script in [*scripts.values(), looks]))
            for _ in range(2):
                for name, script in scripts.items():
                    await again(engine, name, script)
            assert [lane.failures for lane in engine.health().lanes] == [3, 3, 3, 0]
            for name, script in scripts.items():
                assert [line["event"] for line in logs].count("database.usable") == 0
                await again(engine, name, script)
    said = [
        line
        for line in logs
        if line["event"] in {"database.unusable", "database.usable", "lane.failed", "lane.recovered"}
    ]
    assert [line["event"] for line in said] == ["database.unusable", "database.usable"]
    assert said[0]["reason"] == str(FULL)


async def test_another_fault_is_news(time: Time) -> None:
    other = DatabaseFaultError("tracker.db: the database cannot be written")
    script = Script("poll", [FULL, other, other], every_s=1)
    engine = engine_of([script.lane], time)
    with capture_logs() as logs:
        async with running(engine):
            await until(lambda: len(script.seen) == 1 and not engine._slots["poll"].is_running)
            for _ in range(2):
                await again(engine, "poll", script)
    assert [line["reason"] for line in logs if line["event"] == "database.unusable"] == [str(FULL), str(other)]


async def test_it_is_tried_again_within_a_minute_however_often_it_failed(time: Time) -> None:
    script = Script("poll", [FULL] * 12, every_s=1)
    engine = engine_of([script.lane], time)
    async with running(engine):
        await until(lambda: len(script.seen) == 1 and not engine._slots["poll"].is_running)
        for _ in range(11):
            await again(engine, "poll", script)
        assert engine._slots["poll"].wait_s == MAX_DATABASE_BACKOFF_S


@pytest.mark.parametrize(
    ("error", "keys"),
    [
        pytest.param(
            PermissionError(13, "Permission denied", "/inbox"), {"reason"}, id="a folder that may not be read"
        ),
        pytest.param(OSError(28, "No space left on device", "/inbox"), {"reason"}, id="a full disk"),
        pytest.param(FULL, {"reason"}, id="the database's fault"),
        pytest.param(ValueError("a fault of ours"), {"exc_info"}, id="a fault of the program"),
        pytest.param(OSError(9, "Bad file descriptor"), {"exc_info"}, id="a descriptor that was closed too early"),
    ],
)
async def test_what_a_person_can_mend_is_a_sentence(error: Exception, keys: set[str]) -> None:
    assert set(why(error)) == keys
    if not isinstance(error, DatabaseFaultError):
        with capture_logs() as logs:
            await run_once([Script("intake", [error]).lane], NOW)
        assert keys <= set(next(line for line in logs if line["event"] == "lane.failed"))
