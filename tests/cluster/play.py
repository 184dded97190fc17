"""Several real workers on one PostgreSQL, killed, stopped and cut off while the simulated days go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select

from tests.chaos.ending import SETTLED, TOLERANT, check_claims
from tests.chaos.play import HOURS, PARCELS, Play, new_play
from tests.cluster.process import DEAD_AFTER_S, SLOWNESS
from tests.end_to_end.support import at, day
from tests.support.schema import prepare
from tracker.sandbox.plan import Shipment
from tracker.store import engine_rows, queue_schema
from tracker.store.leases import LEASED
from tracker.store.tables import Delivery, Notice, Signal, table

PATIENCE_S = 60.0 * SLOWNESS
MOVE_AFTER_S = 6.0 * SLOWNESS
QUIET_S = 0.7
"""Nothing has been due for so long: it is over."""
_DUE = ("next_poll_at", "next_check_at", "next_step_at", "next_ask_at")


def wait(holds: Callable[[], Any], what: Callable[[], str], patience_s: float = PATIENCE_S) -> Any:
    """Wait until it holds; its value."""
    ends = time.monotonic() + patience_s
    while not (found := holds()):
        assert time.monotonic() < ends, what()
        time.sleep(0.05)
    return found


@dataclass
class Worker:
    """One process; started again when it dies, as systemd does."""

    number: int
    process: subprocess.Popen[bytes]
    log: Path
    exits: list[int] = field(default_factory=list)


@dataclass
class Cluster:
    """The workers of one trial."""

    play: Play
    workers: list[Worker] = field(default_factory=list)
    stopped: set[int] = field(default_factory=set)
    """Processes that were stopped once: what they ran is somebody else's, and may go beside it for a moment."""
    traps: int = 0
    orders_waiting: set[datetime] = field(default_factory=set)
    """Halves of the days come to whose orders are not shipped yet."""
    days: set[int] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        return self.play.trial.folder / "traps"

    # --- workers ------------------------------------------------------------------------------------

    def start(self, number: int) -> None:
        """Start so many workers and wait until each is known to the others."""
        self.folder.mkdir(exist_ok=True)
        for place in range(len(self.workers), len(self.workers) + number):
            log = self.play.trial.folder / f"worker{place}.log"
            self.workers.append(Worker(place, self._begin(log), log))
        wait(lambda: len(self.living()) == len(self.workers), self.said)

    def _begin(self, log: Path) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "tests.cluster.process", str(self.folder)]
        words += ["run", "-c", str(self.play.trial.config)]
        with log.open("ab") as file:
            environment = {
                **self.play.trial.environment,
                "NOTIFY_SOCKET": "",
                "CLUSTER_SLOWNESS": str(SLOWNESS),
            }
            return subprocess.Popen(words, stdout=file, stderr=file, env=environment, cwd=self.play.trial.folder)

    def living(self) -> list[int]:
        """The processes that the others know as workers."""
        with self.play.trial.database.begin_read() as connection:
            return [row.pid for row in engine_rows.workers(connection)]

    def mind(self) -> None:
        """Start again whoever has ended, and let go on whoever was stopped and is taken for dead by now."""
        for worker in self.workers:
            code = worker.process.poll()
            if code is not None:
                worker.exits.append(code)
                worker.process = self._begin(worker.log)
        for pid in self._halted() - set(self.living()):
            self.stopped.add(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _halted(self) -> set[int]:
        """Of those that were ever struck the ones that stand still now: one may be struck again and again."""
        found = (json.loads(path.read_text(encoding="utf-8")) for path in self.folder.glob("*.struck"))
        return {one["pid"] for one in found if one["how"] == "STOP" and _stands_still(one["pid"])}

    def end(self) -> None:
        """Kill what still lives, stopped or not."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()

    def stop(self) -> list[int]:
        """End all of them as systemd does; their exit codes."""
        for worker in self.workers:
            worker.process.send_signal(signal.SIGTERM)
        return [worker.process.wait(PATIENCE_S) for worker in self.workers]

    # --- traps --------------------------------------------------------------------------------------

    def trap(self, how: str, point: str) -> Path:
        """Whoever comes to this point first is struck there: KILL or STOP."""
        self.traps += 1
        trap = self.folder / f"{self.traps}.trap"
        part = trap.with_suffix(".new")
        part.write_text(f"{how} {point}", encoding="utf-8")
        part.rename(trap)
        return trap.with_suffix(".struck")

    def disarm(self) -> None:
        """Take away the traps that nobody came to."""
        for trap in self.folder.glob("*.trap"):
            trap.unlink(missing_ok=True)

    def strikes(self) -> int:
        """How many were struck."""
        return len(list(self.folder.glob("*.struck")))

    def struck(self, trap: Path) -> int:
        """Wait until somebody is struck; that process."""
        wait(trap.exists, lambda: f"nobody came to {trap.name}: {self.said()}")
        return int(json.loads(trap.read_text(encoding="utf-8"))["pid"])

    def taken_for_dead(self, pid: int) -> None:
        """Wait until the others have given up a process that is stopped, and let it go on then."""
        wait(lambda: pid not in self.living(), self.said)
        self.stopped.add(pid)
        time.sleep(DEAD_AFTER_S / 4)  # its lanes are under way elsewhere when it comes back
        os.kill(pid, signal.SIGCONT)

    # --- days ---------------------------------------------------------------------------------------

    def at(self, number: int, hour: int = 9, minute: int = 30) -> None:
        """Let it be this hour of the plan's day *number*; what was shipped by then comes with it."""
        instant = at(day(number), hour, minute)
        self.play.trial.clock_at(instant)
        if number not in self.days:
            self.days.add(number)
            self.orders_waiting |= {at(day(number), *half) for half in HOURS}
        for half_day in sorted(half_day for half_day in self.orders_waiting if half_day <= instant):
            self.orders_waiting.remove(half_day)
            self.play.drop_orders(half_day)

    def settle(self) -> float:
        """Wait until nothing is due any more, whoever dies meanwhile; how long it took, in seconds.

        The clock goes on a little where that takes long: what waits for a minute is not stuck.
        """
        begun = quiet_since = time.monotonic()
        moves = 0
        with self.play.trial.database.begin_read() as connection:
            moved_at = engine_rows.database_now(connection)
        while time.monotonic() - quiet_since < QUIET_S:
            took_s = time.monotonic() - begun
            assert took_s < PATIENCE_S, f"{self.waits(moved_at)}: {self.sessions()} {self.said()}"
            if took_s > (moves + 1) * MOVE_AFTER_S:
                moves += 1
                self.play.trial.clock_at(self.play.trial.world.clock.now() + timedelta(minutes=2))
            self.mind()
            if self.waits(moved_at):
                quiet_since = time.monotonic()
            time.sleep(0.1)
        return time.monotonic() - begun

    def waits(self, moved_at: datetime) -> list[str]:
        """What is not done yet: due rows, leases, signals, files, lanes without a turn since that instant."""
        trial = self.play.trial
        now, found = trial.world.clock.now(), []
        with trial.database.begin_read() as connection:
            for rows in LEASED:
                due = [rows.c[name] <= now for name in _DUE if name in rows.c]
                wanted = or_(rows.c.lease_token.is_not(None), *due)
                if connection.execute(select(func.count()).select_from(rows).where(wanted)).scalar_one():
                    found.append(rows.name)
            signals = table(Signal)
            if connection.execute(select(signals.c.id).where(signals.c.consumed_at.is_(None)).limit(1)).first():
                found.append("signals")
            lanes = engine_rows.lanes(connection)
        found += [lane.name for lane in lanes if lane.ended_at is None or (lane.started_at or moved_at) < moved_at]
        return found + [path.name for path in trial.inbox.glob("*.csv")]

    # --- what must hold -----------------------------------------------------------------------------

    def check(self) -> None:
        """Each object registered once at most, no message twice but the kind that may be, no lane twice at once."""
        trial = self.play.trial
        check_claims(trial)
        triggers = {row["id"]: row["trigger"] for row in trial.rows(Notice)}
        rows = {row["message_id"]: row for row in trial.rows(Delivery)}
        assert {row["state"] for row in rows.values()} <= SETTLED
        taken = Counter(message_id for _recipient, message_id in trial.told())
        for message_id, times in taken.items():
            tolerates = triggers[rows[message_id]["notice_id"]] in TOLERANT and rows[message_id]["repeated"]
            assert times <= (2 if tolerates else 1), f"{times} times: {triggers[rows[message_id]['notice_id']]}"
        assert {key for key, row in rows.items() if row["state"] == "sent"} <= set(taken)
        assert sum(row["state"] == "unconfirmed" for row in rows.values()) <= self.traps
        self._check_runs()

    def _check_runs(self) -> None:
        lines = (self.folder / "runs.jsonl").read_text(encoding="utf-8").splitlines()
        runs = [run for run in map(json.loads, lines) if run["pid"] not in self.stopped]
        by_lane: dict[str, list[dict[str, Any]]] = {}
        for run in runs:
            by_lane.setdefault(run["lane"], []).append(run)
        for lane, found in by_lane.items():
            found.sort(key=lambda run: run["begun"])
            for before, after in pairwise(found):
                assert before["ended"] <= after["begun"], f"{lane} twice at once: {before}, {after}"

    def shares(self) -> Counter[int]:
        """How many runs of lanes each process made."""
        lines = (self.folder / "runs.jsonl").read_text(encoding="utf-8").splitlines()
        return Counter(json.loads(line)["pid"] for line in lines)

    def sessions(self) -> str:
        """What each session of the database does, and who holds it up."""
        told = "pid, application_name, state, wait_event, now() - xact_start, pg_blocking_pids(pid), left(query, 300)"
        wanted = f"SELECT {told} FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
        with self.play.trial.database.begin_read() as connection:
            found = [str(tuple(row)) for row in connection.exec_driver_sql(wanted)]
        still = [worker.number for worker in self.workers if _stands_still(worker.process.pid)]
        return "\n".join([f"standing still: {still}", *found])

    def said(self) -> str:
        """The ends of what the workers said."""
        return "\n".join(f"{w.log.name}: {w.log.read_text(encoding='utf-8')[-2500:]}" for w in self.workers)


def _stands_still(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] == "T"


@contextmanager
def new_cluster(folder: Path, url: str, parcels: tuple[Shipment, ...] = PARCELS) -> Iterator[Cluster]:
    """A trial whose lanes are shared, before the first worker."""
    prepare(url)
    queue_schema.upgrade(url)
    with new_play(folder, url, parcels) as play:
        play.trial.settings["engine"] = "procrastinate"
        play.trial.write_config()
        cluster = Cluster(play)
        try:
            yield cluster
        finally:
            cluster.end()
