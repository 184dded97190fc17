"""What a run is given: where to write, which database, how large, and the servers around the program."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from bench.servers import ask
from bench.world import World, new_database


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large each benchmark is."""

    parcels: int = 20_000
    messages: int = 2_000
    claims: int = 1_000
    events: int = 1_000_000
    lines: int = 100_000
    shipments: int = 1_000_000
    hours: int = 24
    """Simulated, over which the memory is watched."""
    workers: tuple[int, ...] = (1, 2, 4)
    """Numbers of processes that share the lanes; the first is what the others are compared with."""
    rounds: int = 5
    watched_s: float = 15.0
    """How long the daemon's memory is watched."""


QUICK: Final = Sizes(parcels=2_000, messages=200, claims=100, events=50_000, lines=5_000, shipments=100_000, hours=12)
TINY: Final = Sizes(
    parcels=60,
    messages=10,
    claims=10,
    events=200,
    lines=20,
    shipments=2_000,
    hours=2,
    workers=(2,),
    rounds=1,
    watched_s=1.0,
)


@dataclass(frozen=True)
class Setting:
    """One run's surroundings."""

    folder: Path
    server: str | None
    """The URL of a PostgreSQL server; None: SQLite."""
    sizes: Sizes
    carrier_port: int
    mail_port: int
    _numbers: count[int]

    @property
    def database(self) -> str:
        """The kind of database, for the figures."""
        return "sqlite" if self.server is None else "postgresql"

    @contextlib.contextmanager
    def world(self, *, engine: str = "local", accounts: str = "") -> Iterator[World]:
        """A fresh folder and database, prepared, and the carrier at its beginning; see `World`."""
        number = next(self._numbers)
        own = self.folder / f"{self.database}-{number}"
        own.mkdir()
        ask(self.carrier_port, "/round/0")
        with contextlib.ExitStack() as stack:
            url = f"sqlite:///{own / 'tracker.db'}"
            if self.server is not None:
                url = stack.enter_context(new_database(self.server, f"tracker_bench_{number}"))
            world = World(own, url, self.carrier_port, self.mail_port, engine, accounts)
            world.prepare()
            yield world
