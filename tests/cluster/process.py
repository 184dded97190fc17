"""The `tracker` command with all its waits cut short, which dies or stops at a point that a test has set a trap at.

    python -m tests.cluster.process FOLDER run -c config.yaml

FOLDER holds the traps, a file each: `KILL` or `STOP`, then a pattern of a point's name (tests/chaos/killer.py names them). Of
several processes the first that comes there takes the trap: it renames it, writes its process into it, and is struck.
`runs.jsonl` in it gets a line for each run of a lane that ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.chaos.killer import Points, tracker

SLOWNESS = float(os.environ.get("CLUSTER_SLOWNESS", "1"))
"""On a machine that does much else: who does not get his turn in time is not dead."""
HEARTBEAT_S, DEAD_AFTER_S = 0.3 * SLOWNESS, 3.0 * SLOWNESS
SOON_S = 0.4


@dataclass
class Traps(Points):
    """Points that are looked up in a folder, so that a test can set them while the program runs."""

    folder: Path = Path()

    def reached(self, name: str) -> None:
        """Be struck where a trap stands here."""
        with self._lock:
            for trap in sorted(self.folder.glob("*.trap")):
                try:
                    how, _, pattern = trap.read_text(encoding="utf-8").partition(" ")
                except FileNotFoundError:
                    continue  # another process was quicker
                if fnmatchcase(name, pattern) and self._takes(trap, how, name):
                    os.kill(os.getpid(), signal.SIGKILL if how == "KILL" else signal.SIGSTOP)

    @staticmethod
    def _takes(trap: Path, how: str, name: str) -> bool:
        try:
            struck = trap.rename(trap.with_suffix(".taken"))
        except FileNotFoundError:
            return False
        part = struck.with_suffix(".part")
        part.write_text(json.dumps({"pid": os.getpid(), "how": how, "point": name}), encoding="utf-8")
        part.rename(trap.with_suffix(".struck"))
        return True


def hasten() -> None:
    """Cut the program's waits short, in this process alone."""
    from tracker import alert_lanes, app, lanes, message_lanes
    from tracker.engine import base, lock
    from tracker.engine.cluster import engine, passes, worker

    for module in (lanes, message_lanes, alert_lanes):
        for name in [name for name in vars(module) if name.endswith("_EVERY_S")]:
            setattr(module, name, SOON_S)
    setattr(base, "MIN_BACKOFF_S", SOON_S)
    setattr(base, "MAX_DATABASE_BACKOFF_S", SOON_S)
    times = replace(worker.TIMES, heartbeat=HEARTBEAT_S, dead_after=DEAD_AFTER_S, rescue=0.3, plan=0.1, fetch=0.3)
    for module in (engine, passes, worker):
        setattr(module, "TIMES", replace(times, again=DEAD_AFTER_S))
    lock.EngineLock.watch.__defaults__ = (0.3,)
    # As in real life: what a stopped process had locked is free before it counts as dead.
    setattr(app, "IDLE_S", DEAD_AFTER_S / 2)


def note_runs(file: Path) -> None:
    """Write down every run of a lane that ended: by whom, from when to when."""
    from tracker.engine.cluster.worker import ClusterWorker

    work = ClusterWorker._work

    async def noted(self: ClusterWorker, run: Any) -> Any:
        begun = time.monotonic()
        try:
            return await work(self, run)
        finally:
            line = {"lane": run.lane.key, "pid": os.getpid(), "begun": begun, "ended": time.monotonic()}
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(line) + "\n")

    setattr(ClusterWorker, "_work", noted)


if __name__ == "__main__":
    place, words = Path(sys.argv[1]), sys.argv[2:]
    hasten()
    note_runs(place / "runs.jsonl")
    tracker(Traps(folder=place), words)
