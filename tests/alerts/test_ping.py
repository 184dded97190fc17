"""The dead-man's switch, against a real address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from structlog.testing import capture_logs

from tests.alerts.support import NOW, Receiver
from tests.end_to_end.support import Start, at, day, of_fate
from tests.support.schema import prepare
from tracker.alerts.ping import PingSweep, SharedWatch, Watch
from tracker.sandbox.plan import Fate
from tracker.store.database import Database
from tracker.store.engine_rows import Ending, LaneEntry, WorkerRow, begin, end, register, take_lanes


@dataclass
class Seconds:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Work:
    """A lane's body; raises while it is broken."""

    is_broken: bool = False

    async def __call__(self, now: datetime) -> int:
        if self.is_broken:
            raise OSError("disk full")
        return 7


@dataclass
class Play:
    """One lane and its watch."""

    receiver: Receiver

    def __post_init__(self) -> None:
        self.seconds, self.work = Seconds(), Work()
        self.watch = Watch(self.seconds)
        self.lane = self.watch.over("poll", self.work, 30.0, 3_600.0)
        self.ping = PingSweep(self.receiver.url, 300.0, self.watch)

    async def minutes(self, count: int, *, runs: bool = True) -> None:
        """The lane, then the ping, once a minute."""
        for _ in range(count):
            self.seconds.now += 60
            if runs:
                try:
                    await self.lane(NOW)
                except OSError:
                    assert self.work.is_broken
            assert await self.ping.run(NOW) == 0


def paths(receiver: Receiver) -> list[bytes]:
    return [body for _, body in receiver.got]


@pytest.mark.anyio
async def test_it_pings_at_its_pace_while_the_lanes_run(receiver: Receiver) -> None:
    play = Play(receiver)
    assert await play.lane(NOW) == 7
    await play.minutes(16)
    assert paths(receiver) == [b"1 lanes run"] * 4


@pytest.mark.anyio
async def test_it_falls_silent_when_a_lane_is_called_no_more_and_speaks_again(receiver: Receiver) -> None:
    play = Play(receiver)
    await play.minutes(1)
    with capture_logs() as logs:
        await play.minutes(40, runs=False)
    assert len(receiver.got) == 4  # sixteen minutes and a half of patience
    assert {(one["event"], tuple(one["lanes"])) for one in logs} == {("ping.withheld", ("poll",))}
    await play.minutes(1)
    assert len(receiver.got) == 5


@pytest.mark.anyio
async def test_a_lane_that_keeps_failing_is_told(receiver: Receiver) -> None:
    play = Play(receiver)
    play.work.is_broken = True
    await play.minutes(36)
    assert paths(receiver)[-3:] == [b"1 lanes run", b"failing: poll", b"failing: poll"]
    assert receiver.paths[-1].endswith("/hook/fail")
    play.work.is_broken = False
    await play.minutes(5)
    assert paths(receiver)[-1] == b"1 lanes run"


@pytest.mark.anyio
async def test_an_address_that_does_not_answer_fails_nothing_and_is_not_logged(receiver: Receiver) -> None:
    play = Play(receiver)
    receiver.always = 500
    with capture_logs() as logs:
        await play.minutes(16)
        play.ping.url = "http://127.0.0.1:9/geheim"
        await play.minutes(10)
    assert [(one["event"], one["reason"]) for one in logs] == [("ping.unanswered", "HTTP 500")]
    assert "geheim" not in repr(play.ping)


def test_the_whole_program_pings_after_a_pass(start: Start, receiver: Receiver) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.settings["ping"] = {"url": receiver.url, "every_minutes": 5}
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    assert len(receiver.got) == 1


@pytest.mark.anyio
async def test_lanes_that_run_anywhere_are_judged_by_their_rows(postgres_url: str) -> None:
    """Where several machines share the lanes, what runs elsewhere is no lane that is forgotten."""
    prepare(postgres_url)
    database = Database(postgres_url)
    entry, worker = (
        LaneEntry("poll", 20.0, 3600.0),
        WorkerRow("aa", "procrastinate", "daemon", "one", 7, 1, NOW, NOW, ()),
    )
    watch = SharedWatch(database)
    with database.begin_write() as connection:
        register(connection, worker)
        take_lanes(connection, "aa", [entry])
    (new,) = await watch.look()
    assert new.running_since_s is None and abs(new.called_s - watch.monotonic()) < 5
    with database.begin_write() as connection:
        begin(connection, "poll", worker, 5)
    (running,) = await watch.look()
    assert running.running_since_s is not None and abs(running.running_since_s - watch.monotonic()) < 5
    with database.begin_write() as connection:
        assert end(connection, worker, Ending("poll", 5, "failed", error="OSError", next_in_s=60))
    (failing,) = await watch.look()
    assert failing.running_since_s is None and failing.failing_since_s is not None
    database.close()
