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
    events: int = 1_000_000
    lines: int = 100_000
    shipments: int = 1_000_000
    rounds: int = 5
    watched_s: float = 15.0
    """How long the daemon's memory is watched."""


QUICK: Final = Sizes(2_000, 200, 50_000, 5_000, 100_000)
TINY: Final = Sizes(60, 10, 200, 20, 2_000, rounds=1, watched_s=1.0)


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
    def world(self) -> Iterator[World]:
        """A fresh folder and database, prepared, and the carrier at its beginning."""
        number = next(self._numbers)
        own = self.folder / f"{self.database}-{number}"
        own.mkdir()
        ask(self.carrier_port, "/round/0")
        with contextlib.ExitStack() as stack:
            url = f"sqlite:///{own / 'tracker.db'}"
            if self.server is not None:
                url = stack.enter_context(new_database(self.server, f"tracker_bench_{number}"))
            world = World(own, url, self.carrier_port, self.mail_port)
            world.prepare()
            yield world
