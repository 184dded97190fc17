"""Sets the stage of the demonstration: a folder with a configuration, an inbox, a clock, and the simulated world."""

from __future__ import annotations

import multiprocessing
import os
import sys
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from tracker.cli.main import main
from tracker.sandbox.clock import write_instant
from tracker.sandbox.world import World

ZONE: Final = ZoneInfo("America/Sao_Paulo")
FIRST_DAY: Final = date(2026, 8, 3)
"""A Monday with no holiday in the three weeks after it, so that every fate shows inside twenty days."""
PASSES: Final = (time(8, 30), time(13, 0), time(18, 30))
SETTLED_S: Final = 60.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "tracker.app",
        "tracker.cli.main",
        "tracker.cli.prepare",
        "tracker.cli.run",
        "tracker.demo.stage",
        "tracker.engine.lock",
        "tracker.engine.once",
        "anyio.to_thread",
        "holidays.countries",
        "httpcore",
    ]
)
"""Each pass is a process of its own, forked from one that has the program loaded: a cold start would cost the most."""


class PassFailed(Exception):
    """A pass of the program did not end well; the message holds its own words."""


@dataclass(frozen=True)
class Stage:
    """The folder of one demonstration and the world it plays in."""

    folder: Path
    world: World
    clock_file: Path

    @property
    def config(self) -> Path:
        """The configuration that every pass runs on."""
        return self.folder / "config.yaml"

    @property
    def database_url(self) -> str:
        """Where the passes keep their database."""
        return f"sqlite:///{self.folder / 'data' / 'tracker.db'}"

    @property
    def mails(self) -> Path:
        """Where the mail sink keeps what it was given."""
        return self.folder / "world" / "mail"

    def write_config(self) -> None:
        """Write the configuration for this world's ports."""
        held = self.world.credentials
        text = (
            (files("tracker") / "templates" / "demo.yaml")
            .read_text(encoding="utf-8")
            .format(
                live_from=FIRST_DAY,
                url=self.world.carrier_url,
                user=held.user,
                access_code=held.access_code,
                contract=held.contract,
                card=held.posting_card,
                smtp_port=self.world.smtp_port,
            )
        )
        self.config.write_text(text, encoding="utf-8")

    def drop_orders(self, day: date) -> int:
        """Put the day's order file into the inbox, as a shop's export would; returns how many orders it holds."""
        shipments = self.world.plan.shipped_on(day)
        if shipments:
            inbox = self.folder / "inbox"
            inbox.mkdir(exist_ok=True)
            path = self.folder / f"pedidos-{day.isoformat()}.csv"
            path.write_bytes(self.world.orders_csv(day))
            written = path.stat().st_mtime - SETTLED_S
            os.utime(path, (written, written))
            path.replace(inbox / path.name)
        return len(shipments)

    def run_pass(self, at: datetime) -> None:
        """Set the clock and run one real `tracker run --once`. Raises PassFailed."""
        write_instant(self.clock_file, at)
        log = self.folder / "run.log"
        process = _FORKS.Process(
            target=_tracker, args=(["run", "--once", "-c", str(self.config)], self.clock_file, log)
        )
        process.start()
        process.join()
        if process.exitcode != 0:
            raise PassFailed(f"exit code {process.exitcode}: {log.read_text(encoding='utf-8')[-2000:]}")


def _tracker(arguments: list[str], clock_file: Path, log: Path) -> None:
    """In a process of its own: the `tracker` command as a user types it, its words going to the log."""
    os.environ["TRACKER_CLOCK_FILE"] = str(clock_file)
    with log.open("a", encoding="utf-8") as words:
        sys.stdout = sys.stderr = words
        sys.argv = ["tracker", *arguments]
        main()


def instants(days: int) -> list[tuple[date, datetime]]:
    """The day and instant of every pass."""
    return [
        (day, datetime.combine(day, hour, tzinfo=ZONE))
        for day in (FIRST_DAY + timedelta(days=n) for n in range(days))
        for hour in PASSES
    ]
