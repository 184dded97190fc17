"""The program under measurement, built from a configuration as the daemon is."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bench.parcels import START
from tracker import log
from tracker.app import App, build
from tracker.clock import FrozenClock, SystemClock
from tracker.config import load_config
from tracker.engine import memory
from tracker.engine.base import Lane
from tracker.store.database import Database
from tracker.store.migrate import upgrade

NOW: Final = START + timedelta(days=7)
_CONFIG: Final = """\
database: {{url: "{url}"}}
engine: {engine}
shops:
  - id: aurora
    name: Loja Aurora
    cnpj: "12345678000195"
    origin_postal_code: "80010000"
    email: {{from: "Loja Aurora <entregas@aurora.example>", reply_to: sac@aurora.example}}
    contact: "sac@aurora.example, seg. a sex., 9h às 18h"
    holidays: {{state: PR}}
    live_from: 2026-01-01
carriers:
{accounts}messages:
  email: {{host: 127.0.0.1, port: {mail_port}, security: none}}
web: {{operator: {web}}}
"""
_ACCOUNT: Final = """\
  - id: {id}
    adapter: correios
    base_url: http://127.0.0.1:{port}
    api_key: cws-measured
    contract: "9912000001"
    posting_card: "{card}"
    requests_per_second: 1000
"""


def account(id_: str, port: int, card: str = "0067599079") -> str:
    """The lines of the configuration for one account of the carrier at this port."""
    return _ACCOUNT.format(id=id_, port=port, card=card)


@dataclass(frozen=True)
class World:
    """A folder with a configuration and a database, and the ports of what stands around the program."""

    folder: Path
    url: str
    carrier_port: int
    mail_port: int
    engine: str = "local"
    accounts: str = field(default="", repr=False)
    """The lines about carriers; empty: one account of the carrier at `carrier_port`."""

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def prepare(self) -> None:
        """Write the configuration and create the schema."""
        words = _CONFIG.format(
            url=self.url,
            engine=self.engine,
            accounts=self.accounts or account("correios", self.carrier_port),
            mail_port=self.mail_port,
            # Several processes of one configuration cannot have one port.
            web=f'"127.0.0.1:{_free_port()}"' if self.engine == "local" else "null",
        )
        self.config.write_text(words, encoding="utf-8")
        upgrade(self.url)

    def aside(self) -> Database:
        """The database of the bare work: beside ours, with the same settings."""
        return Database(f"sqlite:///{self.folder / 'bare.db'}" if self.url.startswith("sqlite") else self.url)

    @property
    def clock_file(self) -> Path:
        """The replaced clock of a trial, where there is one."""
        return self.folder / "clock.txt"

    @contextlib.contextmanager
    def program(self, env: Mapping[str, str] | None = None) -> Iterator[App]:
        """The program, its log lines written to memory: what a line costs is part of the work."""
        app = build(load_config(self.config, {}, strict_credentials=True), env or {})
        log.configure(FrozenClock(NOW), io.StringIO(), force_json=True)
        app.take_over()
        memory.settle()
        yield app
        # The caller's loop has ended, and the carrier's connections with it.
        app.database.close()


@contextlib.contextmanager
def new_database(url: str, name: str) -> Iterator[str]:
    """A fresh database on the PostgreSQL server of *url*; gives its own address, and drops it."""
    server = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def lanes(app: App, prefix: str) -> list[Lane]:
    """The lanes whose names begin so."""
    return [lane for lane in app.lanes if lane.name.startswith(prefix)]


async def run(chosen: list[Lane], now: datetime) -> int:
    """Run each lane once; returns the rows worked on."""
    return sum([await lane.run(now) for lane in chosen])


def present() -> datetime:
    """The real present: the daemons that are started here work by it."""
    return SystemClock().now()
