"""`tracker engine status`: what the engines wrote down, for a person and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from tests.cli.conftest import Tracker
from tracker.reports.engine import document
from tracker.store.database import Database
from tracker.store.engine_rows import LaneRow, WorkerRow
from tracker.store.tables import EngineLane, EngineWorker, table
from tracker.store.views_engine import EngineView, engine_view

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def worker(holder: str, host: str, silent_s: float = 3.0) -> WorkerRow:
    begun = NOW - timedelta(hours=2)
    return WorkerRow(holder, "procrastinate", "daemon", host, 700, 1, begun, NOW - timedelta(seconds=silent_s), ())


def lane(name: str, holder: str = "", started_s: float = 100.0, ended_s: float = 90.0, **other: Any) -> LaneRow:
    values: dict[str, Any] = {
        **{"name": name, "every_s": 30.0, "stuck_after_s": 21_600.0, "next_run_at": None, "holder": holder},
        **{"host": "one", "pid": 700, "started_at": NOW - timedelta(seconds=started_s)},
        **{"ended_at": NOW - timedelta(seconds=ended_s), "well_at": NOW, "failing_since": None, "failures": 0},
        **{"outcome": "done", "error": "", "worked": 5, "worked_in_all": 9},
    }
    return LaneRow(**{**values, **other})


@pytest.mark.parametrize(
    ("found", "state"),
    [
        pytest.param(lane("poll:x", ended_s=20), "waiting", id="had its turn a moment ago"),
        pytest.param(lane("poll:x", "alive"), "running", id="runs where somebody lives"),
        pytest.param(lane("poll:x", "dead"), "stalled", id="runs where nobody lives any more"),
        pytest.param(lane("poll:x", "unknown"), "stalled", id="runs at somebody who was taken for dead"),
        pytest.param(lane("poll:x", "alive", started_s=21_700), "stuck", id="one run takes too long"),
        pytest.param(lane("poll:x", ended_s=91), "overdue", id="nobody has called for it"),
        pytest.param(lane("poll:x", ended_s=91, failures=3, error="OSError"), "failing", id="it waits after failures"),
    ],
)
def test_a_lane_s_state(found: LaneRow, state: str) -> None:
    view = EngineView(NOW, (worker("alive", "one"), worker("dead", "two", silent_s=31)), (found,), {"poll:x": 12})
    told = document(view, NOW)
    assert (told["lanes"][0]["state"], told["lanes"][0]["backlog"]) == (state, 12)
    assert told["stalled"] == (["poll:x"] if state in {"stalled", "stuck", "overdue"} else [])
    assert [each["is_silent"] for each in told["workers"]] == [False, True]


def test_the_backlog_of_a_folder_s_lane_and_of_detection_is_nobody_s_number() -> None:
    told = document(EngineView(NOW, (), (lane("intake:inbox#0@f00"), lane("poll:x")), {"poll:x": 3}), NOW)
    assert [each["backlog"] for each in told["lanes"]] == [None, 3]


def test_without_a_process_no_lane_is_overdue() -> None:
    assert document(EngineView(NOW, (), (lane("poll:x", ended_s=9_000),), {}), NOW)["stalled"] == []


def test_the_view_counts_what_is_due_by_lane(database: Database) -> None:
    with database.begin_read() as connection:
        view = engine_view(connection, ["correios"], ["email"], NOW)
    assert view.workers == view.lanes == ()
    assert view.due["poll:correios"] == view.due["messages:email"] == 0


def test_the_command_prints_a_table_and_json(database: Database, tracker: Tracker) -> None:
    now, row = datetime.now(UTC), lane("poll:correios", "aa")
    with database.begin_write() as connection:
        values = {name: getattr(worker("aa", "one"), name) for name in WorkerRow.__slots__}
        connection.execute(insert(table(EngineWorker)), {**values, "engine": "local", "lanes": [], "beat_at": now})
        values = {name: getattr(row, name) for name in LaneRow.__slots__}
        connection.execute(insert(table(EngineLane)), {**values, "is_kicked": False, "started_at": now})
    told = tracker.json("engine", "status")
    assert told["engine"] == "local"
    assert told["workers"][0]["running"] == ["poll:correios"]
    assert [(each["name"], each["state"], each["pid"]) for each in told["lanes"]] == [("poll:correios", "running", 700)]
    lines = tracker("engine", "status").stdout.splitlines()
    assert lines[0].split() == ["ENGINE", "MACHINE", "PROCESS", "SINCE", "LAST", "SIGN", "RUNS"]
    assert "poll:correios" in lines[-1] and "running" in lines[-1]


def test_without_an_engine_it_says_so(tracker: Tracker) -> None:
    assert tracker("engine", "status").stdout == "nobody works on this database (tracker run)\n"
    assert tracker.json("engine", "status")["workers"] == []
