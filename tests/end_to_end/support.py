"""A trial of the whole program: a shop's folder, the simulated world on loopback, a clock that tests set, passes in process."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest
import yaml
from sqlalchemy import Table, select
from sqlmodel import SQLModel

from carriers.base import Adapter
from carriers.http import CarrierHttp
from tests.support.forked import run_tracker
from tests.support.schema import prepare
from tracker import accounts as composition
from tracker.app import App, build
from tracker.clock import CLOCK_FILE_VARIABLE
from tracker.config.load import load_config
from tracker.engine.once import OnceResult, run_once
from tracker.sandbox.clock import SandboxClock, write_instant
from tracker.sandbox.fates import demo_plan
from tracker.sandbox.mail import MailSettings
from tracker.sandbox.plan import Fate, Plan, Shipment
from tracker.sandbox.world import World, orders_csv
from tracker.store.database import Database
from tracker.store.tables import table

ZONE = ZoneInfo("America/Sao_Paulo")
MONDAY = date(2026, 8, 3)
"""No holiday in the three weeks after it."""
DEMO = demo_plan(MONDAY)
SHOP = "aurora"
SETTLED_S = 60.0
ROOT = Path(__file__).parents[2]


def at(day: date, hour: int = 9, minute: int = 0) -> datetime:
    """An instant by the shop's clock."""
    return datetime.combine(day, time(hour, minute), tzinfo=ZONE)


def day(number: int) -> date:
    """The plan's day *number*, counted from one."""
    return MONDAY + timedelta(days=number - 1)


def of_fate(fate: Fate, index: int = 0) -> Shipment:
    """A parcel of the demonstration with this fate."""
    return DEMO.of_fate(fate)[index]


def plan_of(*shipments: Shipment) -> Plan:
    """A world of these parcels alone."""
    return Plan(DEMO.seed, MONDAY, tuple(shipments))


async def _at_once(_seconds: float) -> None:
    """Stands in for the seconds between two tries of one call."""


@dataclass
class Trial:
    """One shop in its folder. `settings` is what the next pass finds in `config.yaml`; `adapters` replace the installed."""

    folder: Path
    world: World
    settings: dict[str, Any]
    adapters: dict[str, type[Adapter]] | None = None
    plugins: tuple[Path, ...] = ()
    """Folders of installed packages that processes of the program find beside its own."""
    _opened: list[Database] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def shop(self) -> dict[str, Any]:
        """The shop's entry in the configuration."""
        entry: dict[str, Any] = self.settings["shops"][0]
        return entry

    @property
    def carrier(self) -> dict[str, Any]:
        """The simulated carrier's entry in the configuration."""
        entry: dict[str, Any] = self.settings["carriers"][0]
        return entry

    @property
    def database(self) -> Database:
        """The database as it stands, for a look from outside."""
        if not self._opened:
            self._opened.append(Database(self.database_url))
        return self._opened[0]

    @property
    def database_url(self) -> str:
        url: str = self.settings["database"]["url"]
        return url

    def close(self) -> None:
        for database in self._opened:
            database.close()

    # --- what the shop does -------------------------------------------------------------------------

    def write_config(self) -> Path:
        self.config.write_text(yaml.safe_dump(self.settings, allow_unicode=True), encoding="utf-8")
        return self.config

    def drop(self, name: str, data: bytes) -> Path:
        """Put a file into the inbox that has settled already."""
        self.inbox.mkdir(exist_ok=True)
        path = self.inbox / name
        path.write_bytes(data)
        written = path.stat().st_mtime - SETTLED_S
        os.utime(path, (written, written))
        return path

    def drop_orders(self) -> None:
        """Put every order of the world into the inbox, a file a day."""
        plan = self.world.plan
        for shipped_on in sorted({shipment.order.shipped_on for shipment in plan.shipments}):
            self.drop(f"pedidos-{shipped_on.isoformat()}.csv", orders_csv(plan, shipped_on))

    def clock_at(self, instant: datetime) -> None:
        """Let the world and the program live at this instant."""
        write_instant(self.clock_file, instant)

    # --- what the program does ----------------------------------------------------------------------

    def pass_at(self, instant: datetime) -> OnceResult:
        """One full pass at this instant, in process; every lane must come to rest without an error."""
        return self.pass_through([instant])[0]

    def pass_through(self, instants: Iterable[datetime]) -> list[OnceResult]:
        """A full pass at each of these instants, by one program that stays up in between."""
        prepare(self.database_url)
        return asyncio.run(self._passes(list(instants)))

    async def _passes(self, instants: list[datetime]) -> list[OnceResult]:
        self.clock_at(instants[0])
        app = self.build()
        results = []
        try:
            app.take_over()
            for instant in instants:
                self.clock_at(instant)
                result = await run_once(app.lanes, app.clock.now(), wait_settled=app.wait_settled)
                assert result.exit_code == 0, result
                results.append(result)
        finally:
            await app.close()
        return results

    def build(self) -> App:
        """The program as it would start now; its carriers' seconds of patience pass at once."""
        loaded = load_config(self.write_config(), self.environment, strict_credentials=True, adapters=self.adapters)
        with pytest.MonkeyPatch.context() as patch:
            if self.adapters is not None:
                patch.setattr(composition, "load", self.adapters.__getitem__)
            return build(loaded, self.environment, connect=partial(CarrierHttp, sleep=_at_once))

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the program needs; nothing of the machine's own configuration."""
        path = os.pathsep.join(str(folder) for folder in (ROOT, *self.plugins))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, CLOCK_FILE_VARIABLE: str(self.clock_file), "PYTHONPATH": path}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A real process: `python -m tracker ...` on this configuration."""
        return self.command_in(*words, "-c", str(self.config))

    def command_in(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A real process in the shop's folder: `tracker ...`."""
        return run_tracker(words, env=self.environment, cwd=self.folder, timeout_s=60)

    # --- what can be seen ---------------------------------------------------------------------------

    def rows(self, model: type[SQLModel], **where: Any) -> list[dict[str, Any]]:
        """The rows of a table with these values, oldest first."""
        return self._read(table(model), where)

    def one(self, model: type[SQLModel], **where: Any) -> dict[str, Any]:
        """The only such row."""
        (row,) = self.rows(model, **where)
        return row

    def _read(self, rows: Table, where: dict[str, Any]) -> list[dict[str, Any]]:
        query = select(rows).where(*(rows.c[name] == value for name, value in where.items()))
        with self.database.begin_read() as connection:
            found = connection.execute(query.order_by(*rows.primary_key.columns)).mappings()
            return [dict(row) for row in found]

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table."""
        return {rows.name: self._read(rows, {}) for rows in SQLModel.metadata.sorted_tables}

    def told(self) -> list[tuple[str, str]]:
        """(recipient, Message-ID) of all that the mail server took, in the order of arrival."""
        return [(delivery.recipient, delivery.message_id) for delivery in self.world.mail.deliveries()]

    def mail_text(self, index: int = -1) -> bytes:
        """A message as the server keeps it."""
        return (self.world.mail.folder / self.world.mail.deliveries()[index].file).read_bytes()

    def attempts(self) -> list[dict[str, Any]]:
        """Every try to register a claim, as the simulated carrier saw it."""
        found: list[dict[str, Any]] = self.world.correios.desk.ledger()["attempts"]
        return found


def start_trial(folder: Path, *shipments: Shipment, url: str | None = None, mail: MailSettings | None = None) -> Trial:
    """A live shop that claims by itself and tells everything; its world is entered by whoever asked for it."""
    clock_file = folder / "clock"
    write_instant(clock_file, at(MONDAY, 0, 0))
    world = World(plan_of(*shipments), SandboxClock(file=clock_file), folder=folder / "world", mail=mail)
    return Trial(folder, world, settings_of(world, url or f"sqlite:///{folder / 'data' / 'tracker.db'}"))


def settings_of(world: World, url: str) -> dict[str, Any]:
    """The configuration for a world; the mail server's port is known once it runs."""
    held = world.credentials
    claims = {"mode": "auto", "phone": "4133330000", "reply_email": "pi@aurora.example", "packaging": "box"}
    return {
        "database": {"url": url},
        "shops": [
            {
                "id": SHOP,
                "name": "Loja Aurora",
                "email": {"from": "Loja Aurora <entregas@aurora.example>", "reply_to": "sac@aurora.example"},
                "holidays": {"state": "PR"},
                "live_from": MONDAY,
            }
        ],
        "carriers": [
            {
                "id": "correios",
                "aliases": ["sedex", "pac"],
                "base_url": world.carrier_url,
                "requests_per_second": 1000,
                "user": held.user,
                "access_code": held.access_code,
                "contract": held.contract,
                "posting_card": held.posting_card,
                "claims": claims,
            }
        ],
        "intake": [{"kind": "folder", "shop": SHOP, "path": "inbox"}],
        "messages": {"preset": "all", "email": {"host": "127.0.0.1", "security": "none"}},
        "alerts": [{"kind": "log"}],
        # Tests run side by side; the one that wants a listener names a port of its own.
        "web": {"operator": None},
    }


class Start(Protocol):
    """Opens a trial in the test's folder: `url` a database of its own, else SQLite; `mail` how the mail server wants it."""

    def __call__(self, *shipments: Shipment, url: str | None = None, mail: MailSettings | None = None) -> Trial: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start_one(*shipments: Shipment, url: str | None = None, mail: MailSettings | None = None) -> Trial:
            trial = start_trial(tmp_path, *shipments, url=url, mail=mail)
            stack.enter_context(trial.world)
            stack.callback(trial.close)
            trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
            return trial

        yield start_one
