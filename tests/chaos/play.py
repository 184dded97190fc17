"""Plays the simulated days: every pass a real process, some of them killed, each kill followed by a pass at the same clock."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select

from tests.chaos.killer import Points, launched
from tests.end_to_end.support import MONDAY, Trial, at, of_fate, start_trial
from tests.support.forked import exit_code, fork
from tracker.sandbox.plan import Fate, Shipment
from tracker.sandbox.world import orders_csv
from tracker.store.leases import LEASED
from tracker.store.tables import Delivery

DAYS = 20
HOURS = ((9, 30), (15, 30))
"""Two passes a day: the second finds what a lost answer left for "a little later"."""
PARCELS: tuple[Shipment, ...] = (
    of_fate(Fate.ON_TIME),
    of_fate(Fate.LATE_DELIVERED),
    of_fate(Fate.LATE_DELIVERED, 3),
    of_fate(Fate.LATE_OPEN),
    of_fate(Fate.LATE_OPEN, 1),
    of_fate(Fate.LOST_CODED),
    of_fate(Fate.LOST_SILENT, 1),
    of_fate(Fate.STOLEN),
    of_fate(Fate.DAMAGED),
    of_fate(Fate.RETURNED_REFUSED),
    of_fate(Fate.RETURNED_UNCLAIMED),
    of_fate(Fate.REPLANNED),
    of_fate(Fate.UNKNOWN_CODE),
)
KILLED = -signal.SIGKILL
LONGEST_PASS_S = 60.0


@dataclass(frozen=True)
class Kill:
    """Kill the first pass from `day` on (5.5: the afternoon of day 5) that comes to a point of this name (a pattern)."""

    point: str
    day: float = 1


@dataclass(frozen=True)
class Struck:
    """A kill that happened: in which pass, at which point, and the messages that stood as `sending` then."""

    at: datetime
    choice: str
    point: str
    sending: tuple[int, ...]


@dataclass
class Play:
    """One trial, played day by day."""

    trial: Trial
    struck: list[Struck] = field(default_factory=list)
    points: int = 0
    """How many points the passes went through."""

    @property
    def log(self) -> Path:
        return self.trial.folder / "run.log"

    @property
    def listing(self) -> Path:
        return self.trial.folder / "points.txt"

    def days(self, kills: Sequence[Kill] = (), *, days: int = DAYS) -> None:
        """Play them; each kill strikes once, one a pass."""
        left = list(kills)

        def one_kill(number: float) -> None:
            armed = {kill.point: kill for kill in left if kill.day <= number}
            if armed and (struck := self.killed(tuple(armed))):
                left.remove(armed[struck.choice])

        self._play(one_kill, days)
        assert not left, f"no pass came to {left}"

    def days_of_kills(self, stride: int, *, days: int, most: int = 12) -> None:
        """Play them, and kill every pass of the first twenty at its point number *stride*: again and again until it ends
        before that, at most *most* times."""

        def many_kills(number: float) -> None:
            if number < 1 + DAYS:
                for _ in range(most):
                    if not self.killed((str(stride),)):
                        return

        self._play(many_kills, days)

    def _play(self, kill: Callable[[float], None], days: int) -> None:
        for number, instant in instants(days):
            self.trial.clock_at(instant)
            self.drop_orders(instant)
            kill(number)
            self.run()
            self.is_at_rest()

    def drop_orders(self, instant: datetime) -> None:
        """Put the orders shipped on this day into the inbox: every other one in the morning, the rest at noon."""
        plan, half = self.trial.world.plan, [time(*hour) for hour in HOURS].index(instant.time())
        shipped = plan.shipped_on(instant.date())[half::2]
        if shipped:
            part = replace(plan, shipments=shipped)
            self.trial.drop(f"pedidos-{instant:%Y-%m-%d-%H}.csv", orders_csv(part, instant.date()))

    # --- one pass -----------------------------------------------------------------------------------

    def start(self, chosen: Sequence[str] = ()) -> BaseProcess:
        """Start a real `tracker run --once`, to be killed at a point of these names."""
        self.listing.unlink(missing_ok=True)
        words = ["run", "--once", "-c", str(self.trial.config)]
        points = (list(chosen), self.listing)
        return fork(_run, points, words, self.trial.clock_file, self.log)

    def run(self) -> None:
        """One pass from beginning to end."""
        process = self.start()
        assert finish(process) == 0, self.said()
        self.points += len(self.passed())

    def killed(self, chosen: tuple[str, ...]) -> Struck | None:
        """One pass that may be killed; what struck it, None where it ended by itself."""
        process = self.start(chosen)
        code = finish(process)
        assert code in (0, KILLED), f"exit code {code}: {self.said()}"
        names = self.passed()
        self.points += len(names)
        if code == 0:
            return None
        choice = next(word for word in chosen if Points((word,), count=len(names)).is_chosen(names[-1]))
        sending = tuple(row["id"] for row in self._sending())
        self.struck.append(Struck(self.trial.world.clock.now(), choice, names[-1], sending))
        return self.struck[-1]

    def passed(self) -> list[str]:
        """The points of the last pass, in order."""
        return self.listing.read_text(encoding="utf-8").splitlines() if self.listing.exists() else []

    def said(self) -> str:
        """The end of what the passes wrote."""
        return self.log.read_text(encoding="utf-8")[-3000:]

    # --- after a pass -------------------------------------------------------------------------------

    def _sending(self) -> list[dict[str, Any]]:
        tables = self.trial.database
        with tables.begin_read() as connection:
            known = connection.dialect.has_table(connection, "deliveries")
        return self.trial.rows(Delivery, state="sending") if known else []

    def is_at_rest(self) -> None:
        """A finished pass leaves no lease, no message half told, and nothing that is due."""
        assert not self._sending()
        now = self.trial.world.clock.now()
        with self.trial.database.begin_read() as connection:
            for rows in LEASED:
                held = select(func.count()).select_from(rows).where(rows.c.lease_token.is_not(None))
                assert connection.execute(held).scalar_one() == 0, rows.name
                due = [rows.c[name] <= now for name in _DUE if name in rows.c]
                if due:
                    waiting = select(func.count()).select_from(rows).where(or_(*due))
                    assert connection.execute(waiting).scalar_one() == 0, rows.name


_DUE = ("next_poll_at", "next_check_at", "next_step_at")


def _run(points: tuple[list[str], Path], words: list[str], clock_file: Path, log: Path) -> None:
    launched(Points(*points), words, clock_file, log)


def finish(process: BaseProcess) -> int | None:
    """Wait for a pass to end; its exit code. One that hangs is killed and fails the test."""
    wait([process.sentinel], LONGEST_PASS_S)
    code = exit_code(process)
    if code is None:
        process.kill()
        raise AssertionError(f"a pass did not end within {LONGEST_PASS_S:.0f} s")
    return code


def instants(days: int = DAYS) -> list[tuple[float, datetime]]:
    """Every pass: the day's number from one (and a half in the afternoon), and the instant."""
    dates = [(number, MONDAY + timedelta(days=number)) for number in range(days)]
    return [
        (1 + number + half / len(HOURS), at(today, *hour)) for number, today in dates for half, hour in enumerate(HOURS)
    ]


@contextmanager
def new_play(folder: Path, url: str | None = None, parcels: Sequence[Shipment] = PARCELS) -> Iterator[Play]:
    """The shop, its parcels and its world, before the first day."""
    folder.mkdir(parents=True, exist_ok=True)
    trial = start_trial(folder, *parcels, url=url)
    with trial.world:
        trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
        trial.write_config()
        try:
            yield Play(trial)
        finally:
            trial.close()
