"""`python -m bench`: measure; one line of JSON a benchmark on standard output, a table on standard error.

Each is measured against the same work done bare in the same run; carrier and mail server are processes of their own on the
same machine. docs/performance.md says how each is measured, and has the last figures.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

import orjson

from bench import claiming, hours, ingest, mailing, polling, scale, workers
from bench.figures import Figure, machine, shown, versions
from bench.servers import running
from bench.setting import QUICK, TINY, Setting, Sizes

BENCHMARKS: Final[dict[str, Callable[[Setting], list[Figure]]]] = {
    "poll_unchanged": polling.unchanged,
    "poll_tenth_new": polling.tenth_new,
    "mail": mailing.mail,
    "claims": claiming.claims,
    "ingest_events": ingest.events,
    "import_csv": ingest.lines,
    "memory_hour": hours.memory_hour,
    "workers": workers.workers,
    "large": scale.large,
    "help": scale.helping,
}
"""By the name that `--only` takes. `memory_hour` gives memory_looks too; `workers` gives workers_1, workers_2 and workers_4, on
PostgreSQL alone; `large` fills databases of three sizes once, and measures due_*, due_checks_*, detect_*, startup_1m, memory_1m
and stop_1m in them."""

LEAST_HOURS: Final = 2


def main() -> None:
    """Measure what was asked for; ends with 1 where a target was missed."""
    options = _options()
    figures: list[Figure] = []
    with (
        tempfile.TemporaryDirectory(prefix="tracker-bench-", dir=options.folder) as folder,
        running("bench.servers", "carrier") as carrier,
        running("bench.servers", "mail") as mail,
    ):
        servers = [None if one == "sqlite" else one for one in options.database or ["sqlite"]]
        numbers = count(1)
        for server in servers:
            setting = Setting(Path(folder), server, _sizes(options), carrier, mail, numbers)
            for name in options.only or BENCHMARKS:
                figures += _measured(name, setting)
    sys.stderr.write(f"{shown(figures)}\n")
    raise SystemExit(1 if options.strict and any(figure.met is False for figure in figures) else 0)


def _measured(name: str, setting: Setting) -> list[Figure]:
    sys.stderr.write(f"measuring: {name} ({setting.database})\n")
    found = BENCHMARKS[name](setting)
    for figure in found:
        line = figure.line(versions(), machine())
        sys.stdout.write(f"{orjson.dumps(line).decode()}\n")
        sys.stdout.flush()
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Figures as ratios to the same work done bare."
    )
    small = parser.add_mutually_exclusive_group()
    small.add_argument("--quick", action="store_true", help="a tenth of the rows: for a look, not for a verdict")
    small.add_argument("--tiny", action="store_true", help="a handful of rows: only to see that it works")
    parser.add_argument(
        "--only", action="append", choices=list(BENCHMARKS), help="one benchmark alone; may be repeated"
    )
    parser.add_argument(
        "--database",
        action="append",
        metavar="sqlite|URL",
        help="where: sqlite (the default), or the URL of a PostgreSQL server, which gets databases of its own for the "
        "run; may be repeated",
    )
    parser.add_argument("--folder", help="where files are written meanwhile (default: the system's)")
    parser.add_argument("--strict", action="store_true", help="end with 1 where a target is missed")
    for name, what in (
        ("parcels", "polled"),
        ("messages", "sent"),
        ("claims", "filed a round"),
        ("events", "recorded"),
        ("lines", "imported"),
        ("shipments", "in the largest database"),
        ("hours", "simulated, over which memory is watched"),
        ("rounds", "over which the median is taken"),
    ):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"{name} {what}")
    options = parser.parse_args()
    if options.hours is not None and options.hours < LEAST_HOURS:
        parser.error(f"--hours {options.hours}: give at least {LEAST_HOURS}, for the first half only warms up")
    return options


def _sizes(options: argparse.Namespace) -> Sizes:
    base = TINY if options.tiny else QUICK if options.quick else Sizes()
    given = {name: value for name in Sizes.__dataclass_fields__ if (value := getattr(options, name, None)) is not None}
    return replace(base, **given)


if __name__ == "__main__":
    main()
