"""Whether the daemon is ready: judged from how its engine is and whether the database answered. Pure."""

from __future__ import annotations

from typing import Any, Final

from tracker.engine.base import Health, LaneHealth

FAILING_AFTER: Final = 3
"""So many runs of a lane in a row that raised: no passing trouble any more."""


def readiness(health: Health, database_fault: str | None, *, is_stopping: bool) -> dict[str, Any]:
    """`ready`, and under `faults` what is not, each with the part (`database`, `scheduler`, `lane`, `daemon`) and why.

    Args:
        health: how every lane is.
        database_fault: why the database does not answer; None where it does.
        is_stopping: whether the daemon is putting its work down.
    """
    faults: list[dict[str, str]] = []
    if is_stopping:
        faults.append({"part": "daemon", "why": "it is stopping"})
    if database_fault is not None:
        faults.append({"part": "database", "why": database_fault})
    if health.lanes and all(lane.is_overdue for lane in health.lanes):
        faults.append({"part": "scheduler", "why": "no lane gets its turn"})
    else:
        faults += [
            {"part": "lane", "name": lane.name, "why": why}
            for lane in health.lanes
            if (why := _why_not(lane, is_stopping)) is not None
        ]
    return {"ready": not faults, "lanes": len(health.lanes), "faults": faults}


def _why_not(lane: LaneHealth, is_stopping: bool) -> str | None:
    if lane.is_stuck:
        return f"one run takes {lane.running_s or 0:.0f} s already, longer than its bound"
    if lane.is_overdue:
        return "it is not called any more"
    if lane.failures >= FAILING_AFTER:
        return f"it failed {lane.failures} times in a row"
    has_begun = lane.running_s is not None or lane.last_finished_at is not None or lane.failures > 0
    return None if has_begun or is_stopping else "it had no turn yet"
