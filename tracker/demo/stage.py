"""Sets the stage of the demonstration: a folder with a configuration, an inbox, a clock, and the simulated world."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from tracker.sandbox.clock import write_instant
from tracker.sandbox.world import World

ZONE: Final = ZoneInfo("America/Sao_Paulo")
FIRST_DAY: Final = date(2026, 8, 3)
"""A Monday with no holiday in the three weeks after it, so that every fate shows inside twenty days."""
PASSES: Final = (time(9, 30), time(18, 30))
SETTLED_S: Final = 60.0

_CONFIG: Final = """\
# Written by `tracker demo`: the whole configuration of this trial.
shops:
  - id: aurora
    name: Loja Aurora
    email: {{from: "Loja Aurora <entregas@aurora.example>", reply_to: sac@aurora.example}}
    contact: "sac@aurora.example, seg. a sex., 9h às 18h"
    holidays: {{state: PR}}
    live_from: {live_from}
carriers:
  - id: correios
    adapter: correios
    aliases: [sedex, pac]
    base_url: {url}
    user: "{user}"
    access_code: {access_code}
    contract: "{contract}"
    posting_card: "{card}"
    services: {{SEDEX: "03220", PAC: "03298"}}
    claims: {{mode: auto, phone: "4133330000", reply_email: pi@aurora.example, packaging: box}}
intake:
  - {{kind: folder, shop: aurora, path: inbox}}
messages:
  preset: all
  email: {{host: 127.0.0.1, port: {smtp_port}, security: none}}
alerts:
  - {{kind: log}}
"""


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
        held = self.world.correios.credentials
        text = _CONFIG.format(
            live_from=FIRST_DAY,
            url=self.world.correios_url,
            user=held.user,
            access_code=held.access_code,
            contract=held.contract,
            card=held.posting_card,
            smtp_port=self.world.smtp_port,
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
        command = [sys.executable, "-m", "tracker", "run", "--once", "-c", str(self.config)]
        env = {**os.environ, "TRACKER_CLOCK_FILE": str(self.clock_file)}
        env.pop("TRACKER_CONFIG", None)
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        with (self.folder / "run.log").open("a", encoding="utf-8") as log:
            log.write(done.stderr)
        if done.returncode != 0:
            raise PassFailed(f"exit code {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")


def instants(days: int) -> list[tuple[date, datetime]]:
    """The day and instant of every pass."""
    return [
        (day, datetime.combine(day, hour, tzinfo=ZONE))
        for day in (FIRST_DAY + timedelta(days=n) for n in range(days))
        for hour in PASSES
    ]
