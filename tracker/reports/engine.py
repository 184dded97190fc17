"""How the lanes are and who runs them, as a document and as lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from tracker.engine.base import MAX_BACKOFF_S
from tracker.reports.tables import rows
from tracker.store.engine_rows import LaneRow, WorkerRow
from tracker.store.views_engine import EngineView

SILENT_S: Final = 30.0
"""A process that gave no sign of life for so long counts as dead; it gives one every ten seconds."""
OVERDUE_S: Final = 60.0


def document(view: EngineView, now: datetime) -> dict[str, Any]:
    """`tracker engine status --json`. *now*: by the clock that the rows are written by."""
    silent = {worker.holder for worker in view.workers if _silent_s(worker, now) > SILENT_S}
    known = {worker.holder for worker in view.workers}
    lanes = [_lane(lane, view, silent, known, now) for lane in view.lanes]
    living = [worker for worker in view.workers if worker.holder not in silent]
    return {
        "engine": living[0].engine if living else None,
        "at": _instant(now),
        "workers": [_worker(worker, view, silent, now) for worker in view.workers],
        "lanes": lanes,
        "stalled": [lane["name"] for lane in lanes if lane["state"] in STALLED],
        "failing": [lane["name"] for lane in lanes if lane["failures"]],
    }


STALLED: Final = ("stalled", "stuck", "overdue")


def _worker(worker: WorkerRow, view: EngineView, silent: set[str], now: datetime) -> dict[str, Any]:
    return {
        "host": worker.host,
        "pid": worker.pid,
        "engine": worker.engine,
        "mode": worker.mode,
        "started_at": _instant(worker.started_at),
        "last_sign_at": _instant(worker.beat_at),
        "silent_s": round(_silent_s(worker, now), 1),
        "is_silent": worker.holder in silent,
        "running": [lane.name for lane in view.lanes if lane.holder == worker.holder],
    }


def _lane(lane: LaneRow, view: EngineView, silent: set[str], known: set[str], now: datetime) -> dict[str, Any]:
    running_s = (now - lane.started_at).total_seconds() if lane.holder and lane.started_at else None
    return {
        "name": lane.name,
        "state": _state(lane, running_s, silent, known, now, bool(view.workers)),
        "host": lane.host or None,
        "pid": lane.pid,
        "running_s": None if running_s is None else round(max(running_s, 0.0), 1),
        "last_end": _instant(lane.ended_at),
        "outcome": lane.outcome or None,
        "error": lane.error or None,
        "worked": lane.worked,
        "failures": lane.failures,
        "failing_since": _instant(lane.failing_since),
        "next_run_at": _instant(lane.next_run_at),
        "every_s": lane.every_s,
        "backlog": view.due.get(lane.name.partition("@")[0]),
    }


def _state(
    lane: LaneRow, running_s: float | None, silent: set[str], known: set[str], now: datetime, is_worked: bool
) -> str:
    """`running`, `waiting`, `failing`; or `stalled` (its process is dead), `stuck` (one run takes too long), `overdue` (nobody
    takes its call)."""
    if lane.holder and (lane.holder in silent or lane.holder not in known):
        return "stalled"
    if running_s is not None:
        return "stuck" if running_s > lane.stuck_after_s else "running"
    longest_s = max(lane.every_s, MAX_BACKOFF_S) if lane.failures else lane.every_s
    if is_worked and lane.ended_at and (now - lane.ended_at).total_seconds() > longest_s + OVERDUE_S:
        return "overdue"
    return "failing" if lane.failures else "waiting"


def lines(view: EngineView, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    """The same for a terminal."""
    told = document(view, now)
    if not told["workers"]:
        yield "nobody works on this database (tracker run)"
    else:
        yield from rows(["ENGINE", "MACHINE", "PROCESS", "SINCE", "LAST SIGN", "RUNS"], _worker_cells(told, zone))
    if told["lanes"]:
        yield ""
        headings = ["LANE", "STATE", "MACHINE", "PROCESS", "LAST END", "HOW", "ROWS", "DUE"]
        yield from rows(headings, [_lane_cells(lane, zone) for lane in told["lanes"]])
    if told["stalled"]:
        yield ""
        yield f"stalled: {', '.join(told['stalled'])}"


def _worker_cells(told: dict[str, Any], zone: ZoneInfo) -> list[list[str]]:
    return [
        [
            worker["engine"] if worker["mode"] == "daemon" else f"{worker['engine']} ({worker['mode']})",
            worker["host"],
            str(worker["pid"]),
            _shown(worker["started_at"], zone),
            f"{worker['silent_s']:.0f} s ago" + (": no sign of life" if worker["is_silent"] else ""),
            ", ".join(worker["running"]),
        ]
        for worker in told["workers"]
    ]


def _lane_cells(lane: dict[str, Any], zone: ZoneInfo) -> list[str]:
    running = f" {lane['running_s']:.0f} s" if lane["running_s"] is not None else ""
    how = lane["outcome"] or ""
    if lane["failures"]:
        how = f"{how} x{lane['failures']} ({lane['error']})"
    return [
        lane["name"],
        lane["state"] + running,
        lane["host"] or "",
        str(lane["pid"] or ""),
        _shown(lane["last_end"], zone),
        how,
        str(lane["worked"]) if lane["outcome"] else "",
        "" if lane["backlog"] is None else str(lane["backlog"]),
    ]


def _silent_s(worker: WorkerRow, now: datetime) -> float:
    return max((now - worker.beat_at).total_seconds(), 0.0)


def _instant(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z") if instant else None


def _shown(instant: str | None, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(zone):%Y-%m-%d %H:%M:%S}" if instant else ""
