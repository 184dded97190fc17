"""The program under trial, through its public commands alone: real processes, order files, exports."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from tests.quarter.setting import Setting
from tests.support.forked import fork
from tracker.cli.main import main
from tracker.sandbox.clock import write_instant
from tracker.sandbox.world import World

SETTLED_S: Final = 60.0


class CommandFailed(Exception):
    """A command did not end well; the message holds its own last words."""


@dataclass(frozen=True)
class Program:
    """A shop's folder in a world on loopback."""

    folder: Path
    world: World
    live_from: date
    url: str = ""
    """A PostgreSQL database with its schema; empty: a SQLite file."""
    workers: int = 1
    """Several: each pass is made by so many processes at once, which share the lanes."""

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    @property
    def log(self) -> Path:
        return self.folder / "run.log"

    def write_config(self) -> None:
        """A live shop that claims by itself and tells only of problems."""
        held = self.world.credentials
        settings: dict[str, Any] = {
            "shops": [
                {
                    "id": "aurora",
                    "name": "Loja Aurora",
                    "origin_postal_code": "80010000",
                    "email": {"from": "Loja Aurora <entregas@aurora.example>", "reply_to": "sac@aurora.example"},
                    "holidays": {"state": "PR"},
                    "live_from": self.live_from,
                }
            ],
            "carriers": [
                {
                    "id": "correios",
                    "aliases": ["sedex", "pac"],
                    "base_url": self.world.carrier_url,
                    "requests_per_second": 1000,
                    "user": held.user,
                    "access_code": held.access_code,
                    "contract": held.contract,
                    "posting_card": held.posting_card,
                    "services": {"SEDEX": "03220", "PAC": "03298"},
                    "claims": {"mode": "auto", "phone": "4133330000", "reply_email": "pi@aurora.example"},
                }
            ],
            "intake": [{"kind": "folder", "shop": "aurora", "path": "inbox"}],
            "messages": {
                "email": {"host": "127.0.0.1", "port": self.world.smtp_port, "security": "none"},
            },
            "alerts": [{"kind": "log"}],
        }
        if self.url:
            settings["database"] = {"url": self.url}
        if self.workers > 1:
            settings["engine"] = "procrastinate"
        self.config.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")

    def drop_orders(self, day: date) -> None:
        """Put the day's order file into the inbox, as a shop's export would."""
        if not self.world.plan.shipped_on(day):
            return
        inbox = self.folder / "inbox"
        inbox.mkdir(exist_ok=True)
        path = self.folder / f"pedidos-{day.isoformat()}.csv"
        path.write_bytes(self.world.orders_csv(day))
        written = path.stat().st_mtime - SETTLED_S
        os.utime(path, (written, written))
        path.replace(inbox / path.name)

    def start_day(self, setting: Setting, day: date) -> None:
        """What the day brings: its orders, and how the claim desk spells."""
        self.drop_orders(day)
        self.world.faults.camel_case = setting.spells_camel_case(day)

    def run_pass(self, at: datetime) -> None:
        """Set the clock and run one `tracker run --once`, or several at once. Raises CommandFailed."""
        write_instant(self.clock_file, at)
        self._commands(["run", "--once"], self.log, times=self.workers)

    def export(self, kind: str) -> list[dict[str, Any]]:
        """The lines of `tracker export KIND`. Raises CommandFailed."""
        out = self.folder / f"{kind}.jsonl"
        out.unlink(missing_ok=True)
        self._command(["export", kind], self.log, out)
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines() if line]

    def _command(self, words: list[str], log: Path, out: Path) -> None:
        self._commands(words, log, out)

    def _commands(self, words: list[str], log: Path, out: Path | None = None, *, times: int = 1) -> None:
        arguments = [*words, "-c", str(self.config)]
        processes = [fork(_tracker, arguments, self.clock_file, log, out) for _ in range(times)]
        for process in processes:
            process.join()
        codes = [process.exitcode for process in processes if process.exitcode != 0]
        if codes:
            words_said = log.read_text(encoding="utf-8")[-2000:]
            raise CommandFailed(f"tracker {' '.join(arguments)}: exit code {codes[0]}: {words_said}")


def _tracker(arguments: list[str], clock_file: Path, log: Path, out: Path | None) -> None:
    """In a process of its own: the `tracker` command as a user types it."""
    os.environ["TRACKER_CLOCK_FILE"] = str(clock_file)
    with log.open("a", encoding="utf-8") as words, (out or log).open("a", encoding="utf-8") as answer:
        sys.stdout, sys.stderr = answer, words
        sys.argv = ["tracker", *arguments]
        main()
