"""How often the database is counted, and what happens to the numbers when it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.schema import prepare
from tracker.clock import FrozenClock
from tracker.engine.base import Lane
from tracker.store import gauges
from tracker.store.database import Database
from tracker.store.gauges import Due, Quick
from tracker.web import counts as module
from tracker.web.counts import LEAST_S, SLOW_EVERY_S, Counts

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def empty(sqlite_url: str) -> Iterator[Database]:
    prepare(sqlite_url)
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def counts(seconds: Seconds) -> Counts:
    return Counts(["delivered"], wall=FrozenClock(NOW), monotonic=seconds)


@pytest.fixture
def lane(counts: Counts, empty: Database) -> Lane:
    return counts.lane(empty, ["a"], ["email"])


async def run_at(lane: Lane, seconds: Seconds, at: float) -> None:
    seconds.at = 1000.0 + at
    assert await lane.run(NOW + timedelta(seconds=at)) == 0  # it makes no work for other lanes


async def test_what_is_due_is_counted_at_once_and_row_by_row_a_little_later(
    lane: Lane, seconds: Seconds, counts: Counts
) -> None:
    await run_at(lane, seconds, 0)
    assert (counts.quick is not None, counts.slow) == (True, None)
    assert counts.counted_at == {"quick": NOW}
    await run_at(lane, seconds, LEAST_S)
    assert counts.slow is not None and counts.slow.ages["a"].open == 0


async def test_neighbours_that_call_often_get_no_counting(lane: Lane, seconds: Seconds, counts: Counts) -> None:
    await run_at(lane, seconds, 0)
    await run_at(lane, seconds, LEAST_S - 0.1)
    assert counts.program_now == NOW
    await run_at(lane, seconds, LEAST_S + 0.1)
    assert counts.program_now == NOW + timedelta(seconds=LEAST_S + 0.1)


@pytest.mark.parametrize(
    ("took_s", "again_after_s"),
    [
        pytest.param(0.1, SLOW_EVERY_S, id="a small shop: every minute"),
        pytest.param(6.0, 600.0, id="a million parcels: a hundredth of the time"),
    ],
)
async def test_counting_row_by_row_comes_the_less_often_the_longer_it_takes(
    lane: Lane, seconds: Seconds, counts: Counts, monkeypatch: pytest.MonkeyPatch, took_s: float, again_after_s: float
) -> None:
    counted: list[float] = []
    real = gauges.slow

    def slow(*args: object, **more: object) -> gauges.Slow:
        counted.append(seconds.at)
        seconds.at += took_s
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module.gauges, "slow", slow)
    await run_at(lane, seconds, LEAST_S)
    ended = seconds.at - 1000.0
    await run_at(lane, seconds, ended + again_after_s - 1)
    assert len(counted) == 1
    await run_at(lane, seconds, ended + again_after_s + LEAST_S)
    assert len(counted) == 2


async def test_numbers_stay_when_the_database_cannot_be_read(
    lane: Lane, seconds: Seconds, counts: Counts, empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_at(lane, seconds, 0)
    before = counts.quick

    def broken(*_args: object, **_more: object) -> Quick:
        raise RuntimeError("no")

    monkeypatch.setattr(module.gauges, "quick", broken)
    with pytest.raises(RuntimeError):  # the engine waits and tries again, and says so
        await run_at(lane, seconds, LEAST_S)
    assert counts.quick is before and counts.counted_at == {"quick": NOW}


def due(**queues: int) -> Callable[[Counts], None]:
    def put(counts: Counts) -> None:
        found = {name: Due(number, NOW if number else None) for name, number in queues.items()}
        looks = {"a": found.pop("looks", Due(0, None))}
        counts.quick = Quick(looks, found, {}, [], {}, 0)

    return put


@pytest.mark.parametrize(
    ("put", "words"),
    [
        pytest.param(lambda _counts: None, "", id="not counted yet"),
        pytest.param(due(looks=0, mail=0), "", id="nothing due"),
        pytest.param(due(looks=12, mail=3, claims=0), "12 looks a, 3 mail", id="some"),
    ],
)
async def test_what_is_due_in_words(counts: Counts, put: Callable[[Counts], None], words: str) -> None:
    put(counts)
    assert counts.due_words() == words
