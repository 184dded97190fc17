"""`python -m bench [--quick] [--postgres URL] [--only PART]`: measure and print the table.

Figures are ratios to the same work done bare in the same run; the server is another process on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bench import mailing, polling, scale
from bench.figures import Figure, shown
from bench.servers import ask, running
from bench.world import World, new_database
from tracker.store.database import Database

PARTS = ("poll", "mail", "scale")


def main() -> None:
    """Measure what was asked for; ends with 1 where a target was missed."""
    options = _options()
    wanted = [options.only] if options.only else list(PARTS)
    with (
        tempfile.TemporaryDirectory(prefix="tracker-bench-", dir=options.folder) as folder,
        running("carrier") as carrier,
        running("mail") as mail,
    ):
        figures = []
        for part in wanted:
            sys.stderr.write(f"measuring: {part}\n")
            figures += _measured(part, Path(folder), (carrier, mail), options)
    sys.stdout.write(f"{shown(figures)}\n")
    raise SystemExit(1 if any(figure.met is False for figure in figures) else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Figures as ratios to the same work done bare."
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows: for a look, not for a verdict")
    parser.add_argument(
        "--postgres", metavar="URL", help="also measure polling and mail in new databases of this server"
    )
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    parser.add_argument("--folder", help="where the databases are written meanwhile (default: the system's)")
    return parser.parse_args()


def _measured(part: str, folder: Path, ports: tuple[int, int], options: argparse.Namespace) -> list[Figure]:
    share = 10 if options.quick else 1
    if part == "scale":
        return _scale(_world(folder, "scale", ports), 1_000_000 // share)
    count, measure = (20_000, polling.measure) if part == "poll" else (2_000, mailing.measure)
    ask(ports[0], "/round/0")
    figures = asyncio.run(measure(_world(folder, part, ports), count // share, "SQLite"))
    if options.postgres:
        ask(ports[0], "/round/0")
        with new_database(options.postgres, f"tracker_bench_{part}") as url:
            world = _world(folder, f"{part}-postgres", ports, url)
            figures += asyncio.run(measure(world, count // share, "PostgreSQL"))
    return figures


def _world(folder: Path, name: str, ports: tuple[int, int], url: str | None = None) -> World:
    own = folder / name
    own.mkdir()
    return World(own, url or f"sqlite:///{own / 'tracker.db'}", *ports)


def _scale(world: World, count: int) -> list[Figure]:
    few = World(world.folder / "few", f"sqlite:///{world.folder / 'few.db'}", world.carrier_port, world.mail_port)
    few.folder.mkdir()
    now = scale.present()
    sizes = f"{count:,} shipments"
    databases = []
    for each, size in ((few, 10_000), (world, count)):
        each.prepare()
        database = Database(each.url)
        scale.fill_spread(database, size, 1_000, now)
        databases.append(database)
    figures = scale.finding(databases[0], databases[1], now, f"{sizes} against 10,000")
    for database in databases:
        database.close()
    return [*figures, *scale.start(world, sizes), scale.help_time()]


if __name__ == "__main__":
    main()
