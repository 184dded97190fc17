"""`python -m bench.growth [--parcels N] [--postgres URL]`: what a parcel costs in bytes and in looks, and what is left of it.

The program itself works against the simulated carrier and mail server, every message switched on, until all is over; then the
lane `retention` drops it. Fates come in the proportions of a bad month (every second parcel has a story), so that a quiet
month costs less. Sizes are those of the database's own pages, less what an empty one takes.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import text

from bench.world import new_database
from tracker import log
from tracker.app import App, build, freshness_plans
from tracker.clock import CLOCK_FILE_VARIABLE, SystemClock
from tracker.config import load_config
from tracker.domain.retention import (
    DEFAULT_ANSWERS_DAYS,
    DEFAULT_LOGS_DAYS,
    DEFAULT_ORDERS_DAYS,
    SIGNALS_KEPT,
    Terms,
)
from tracker.engine.once import run_once
from tracker.sandbox.clock import SandboxClock, write_instant
from tracker.sandbox.fates import random_plan
from tracker.sandbox.world import World, orders_csv
from tracker.store.copying import Copying
from tracker.store.database import Database
from tracker.store.freshness import OpenCount, open_counts
from tracker.store.migrate import upgrade

MONDAY: Final = date(2026, 8, 3)
EVERY_HOURS: Final = 6
DROP_AFTER: Final = timedelta(days=500)
MONTHLY: Final = (1_000, 10_000, 100_000, 1_000_000)
DAYS_A_MONTH: Final = 30.4
BATCH: Final = 50
"""Parcels that the carrier answers about at once."""
LONG_LATE: Final = timedelta(days=30)
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders and parcels": (
        *(
            "orders",
            "order_items",
            "order_aliases",
            "shipments",
            "tracking_refs",
            "shipment_polls",
            "shipment_deadlines",
        ),
        *(
            "shipment_histories",
            "shipment_checks",
            "order_checks",
            "claim_checks",
            "notice_checks",
            "notice_order_checks",
        ),
    ),
    "events and due dates": ("events", "due_dates"),
    "raw answers": ("raw_answers",),
    "problems and claims": (
        *(
            "problems",
            "claims",
            "claim_problems",
            "claim_steps",
            "claim_facts",
            "letters",
            "incidents",
            "incident_members",
        ),
    ),
    "messages": ("notices", "notice_members", "deliveries", "suppressions", "returned_mails", "mail_uses"),
    "decisions and logs": (
        *("decisions", "operator_acts", "alerts", "alert_deliveries", "alert_notifications", "digests"),
    ),
    "signals": ("signals",),
}
"""Tables by what they are for; the rest does not grow with parcels."""


@dataclass(frozen=True, slots=True)
class Season:
    """How long a shop is played: days with new parcels, days of a look every few hours, days in all (then one look a day)."""

    posting: int = 20
    close: int = 35
    days: int = 120


@dataclass
class Growth:
    """What was measured. Bytes a parcel, by group of tables."""

    parcels: int
    bytes_a_parcel: dict[str, float] = field(default_factory=dict)
    postgres: dict[str, float] = field(default_factory=dict)
    left: float = 0.0
    """Bytes in the database for each order that was dropped."""
    archive: float = 0.0
    """Bytes in the archive for each."""
    tables: dict[str, float] = field(default_factory=dict)
    """Bytes a parcel of the largest tables."""
    dropped: int = 0
    days_in: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Parcel-days by status and whether it was due, while somebody looked at it."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth", description="What a parcel costs, and what is left."
    )
    parser.add_argument("--parcels", type=int, default=400, help="how many are played (default: 400)")
    parser.add_argument("--postgres", metavar="URL", help="also measure sizes in a new database of this server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tracker-growth-") as folder:
        growth, settings = measure(Path(folder), options.parcels, options.postgres)
    for line in (*sizes(growth), "", *months(growth, settings)):
        sys.stdout.write(f"{line}\n")


def measure(folder: Path, parcels: int, postgres: str | None = None, season: Season = Season()) -> tuple[Growth, Any]:
    """Play a shop of so many parcels to its end; returns the figures and its configuration."""
    growth = Growth(parcels)
    clock_file = folder / "clock"
    write_instant(clock_file, _at(1, 0))
    plan = random_plan(parcels, season.posting, 1, first_day=MONDAY, realistic=True)
    url = f"sqlite:///{folder / 'tracker.db'}"
    upgrade(url)
    empty = _sqlite_bytes(folder / "tracker.db")
    with World(plan, SandboxClock(file=clock_file), folder=folder / "world") as world:
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(_settings(world, url)), encoding="utf-8")
        env = {CLOCK_FILE_VARIABLE: str(clock_file)}
        log.configure(SystemClock(), (folder / "log").open("w", encoding="utf-8"), force_json=True)
        loaded = load_config(config, env, strict_credentials=True)
        asyncio.run(_play(lambda: build(loaded, env), folder, plan, clock_file, _instants(season), growth))
        full = _sqlite_bytes(folder / "tracker.db")
        growth.bytes_a_parcel = _a_parcel(full, empty, parcels)
        growth.tables = {name: (full[name] - empty[name]) / parcels for name, _ in full.most_common(12)}
        if postgres is not None:
            growth.postgres = _on_postgres(url, postgres, parcels)
        before = _rows(folder / "tracker.db", "orders")
        asyncio.run(
            _play(lambda: build(loaded, env), folder, plan, clock_file, [_at(season.days, 5) + DROP_AFTER], growth)
        )
        growth.dropped = before - _rows(folder / "tracker.db", "orders")
        names = _sqlite_bytes(folder / "tracker.db")["archived_names"] - empty["archived_names"]
        files = sum(path.stat().st_size for path in (folder / "old").glob("*.jsonl.gz"))
        growth.left, growth.archive = (each / max(growth.dropped, 1) for each in (names, files))
    return growth, loaded.settings


def _at(day: int, hour: int) -> datetime:
    return datetime.combine(MONDAY + timedelta(days=day - 1), time(hour), tzinfo=UTC)


def _instants(season: Season) -> Iterator[datetime]:
    for day in range(1, season.days + 1):
        for hour in range(10, 34, EVERY_HOURS) if day <= season.close else (13,):
            yield _at(day, 0) + timedelta(hours=hour)


def _settings(world: World, url: str) -> dict[str, Any]:
    held = world.credentials
    shop = {
        "id": "aurora",
        "name": "Loja Aurora",
        "email": {"from": "Loja Aurora <entregas@aurora.example>", "reply_to": "sac@aurora.example"},
        "live_from": MONDAY,
    }
    claims = {"mode": "auto", "phone": "4133330000", "reply_email": "pi@aurora.example", "packaging": "box"}
    carrier = {"id": "correios", "aliases": ["sedex", "pac"], "base_url": world.carrier_url, "claims": claims}
    login = {"user": held.user, "access_code": held.access_code}
    contract = {"contract": held.contract, "posting_card": held.posting_card}
    return {
        "database": {"url": url},
        "retention": {"archive": "old", "closed_orders_days": 400},
        "shops": [shop],
        "carriers": [{**carrier, **login, **contract}],
        "intake": [{"kind": "folder", "shop": "aurora", "path": "inbox"}],
        "messages": {"preset": "all", "email": {"host": "127.0.0.1", "port": world.smtp_port, "security": "none"}},
        "alerts": [{"kind": "log"}],
        "web": {"operator": None},
    }


async def _play(
    make: Any, folder: Path, plan: Any, clock_file: Path, instants: Iterable[datetime], growth: Growth
) -> None:
    app: App = make()
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    counted: date | None = None
    try:
        app.take_over()
        for instant in instants:
            write_instant(clock_file, instant)
            if instant.date() != counted:
                _drop_orders(inbox, plan, instant.date())
            await run_once(app.lanes, app.clock.now(), wait_settled=app.wait_settled)
            if instant.date() != counted:
                counted = instant.date()
                await _count_open(app, growth, counted)
    finally:
        await app.close()


def _drop_orders(inbox: Path, plan: Any, day: date) -> None:
    if plan.shipped_on(day):
        (inbox / f"{day}.csv").write_bytes(orders_csv(plan, day))


async def _count_open(app: App, growth: Growth, day: date) -> None:
    for one in await app.database.read(lambda connection: open_counts(connection, day, LONG_LATE)):
        growth.days_in[one.status, one.is_due] += one.shipments


# --- sizes ------------------------------------------------------------------------------------------


def _sqlite_bytes(path: Path) -> Counter[str]:
    """By table, its indexes included."""
    query = "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name GROUP BY 1"
    with closing(sqlite3.connect(path)) as connection:
        return Counter(dict(connection.execute(query).fetchall()))


def _rows(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])


def _a_parcel(full: Counter[str], empty: Counter[str], parcels: int) -> dict[str, float]:
    return {group: sum(full[name] - empty[name] for name in names) / parcels for group, names in GROUPS.items()}


def _on_postgres(url: str, server: str, parcels: int) -> dict[str, float]:
    """The same rows, moved as `tracker db copy` moves them."""
    query = text(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200"
    )
    with new_database(server, "tracker_bench_growth") as target_url:
        upgrade(target_url)
        source, target = Database(url), Database(target_url)
        try:
            with target.begin_read() as connection:
                empty = Counter({name: int(size) for name, size in connection.execute(query)})
            copying = Copying(source, target, "the file", "the server")
            copying.copy(now=datetime(2026, 12, 31, tzinfo=UTC), who="bench", watch=lambda step: None)
            with target.begin_read() as connection:
                full = Counter({name: int(size) for name, size in connection.execute(query)})
            with source.begin_write() as connection:
                connection.execute(text("DROP TABLE copied_away"))
        finally:
            source.close()
            target.close()
    return _a_parcel(full, empty, parcels)


# --- tables -----------------------------------------------------------------------------------------


def sizes(growth: Growth) -> Iterator[str]:
    """Bytes a parcel, by group of tables."""
    yield f"bytes a parcel ({growth.parcels} parcels played to their end){'':12}SQLite  PostgreSQL"
    for group, size in growth.bytes_a_parcel.items():
        other = f"{growth.postgres[group]:>12,.0f}" if growth.postgres else ""
        yield f"  {group:<50}{size:>10,.0f}{other}"
    other = f"{sum(growth.postgres.values()):>12,.0f}" if growth.postgres else ""
    yield f"  {'all':<50}{sum(growth.bytes_a_parcel.values()):>10,.0f}{other}"
    yield f"  largest tables: {', '.join(f'{name} {size:,.0f}' for name, size in growth.tables.items())}"
    yield f"  {f'left of a dropped order ({growth.dropped} dropped)':<50}{growth.left:>10,.0f}"
    yield f"  {'in the archive of a dropped order':<50}{growth.archive:>10,.0f}"


def disk(bytes_a_parcel: Mapping[str, float], terms: Terms, months: int) -> float:
    """Bytes that a shop of one parcel a month takes after so many months, by how long each thing is kept."""
    kept_for = {"raw answers": terms.answers, "decisions and logs": terms.logs, "signals": SIGNALS_KEPT}
    return sum(
        size * min(months, kept_for.get(group, terms.orders) / timedelta(days=DAYS_A_MONTH))
        for group, size in bytes_a_parcel.items()
    )


def months(growth: Growth, settings: Any) -> Iterator[str]:
    """For so many parcels a month: the disk by the usual terms, looks, and the freshness that the planner reckons."""
    usual = Terms(*(timedelta(days=d) for d in (DEFAULT_ORDERS_DAYS, DEFAULT_ANSWERS_DAYS, DEFAULT_LOGS_DAYS)))
    taken = [disk(growth.bytes_a_parcel, usual, span) for span in (1, 12, 60)]
    widths = (16, 10, 10, 10, 10, 12, 11)
    names = ("parcels a month", "a month", "1 year", "5 years", "followed", "looks/day", "calls/day")
    yield _line(names, widths) + "  freshness"
    for monthly in MONTHLY:
        found = list(_open(growth, monthly))
        (plan,) = freshness_plans(settings, found).values()
        calls = min(plan.calls_wanted, plan.calls_allowed) * 24
        opened = sum(one.shipments for one in found)
        cells = (
            f"{monthly:,}",
            *(_size(monthly * each) for each in taken),
            f"{opened:,}",
            f"{calls * BATCH:,.0f}",
            f"{calls:,.0f}",
        )
        rhythms = ", ".join(f"{_hours(r.wanted)} -> {_hours(r.allowed)}" for r in plan.rhythms)
        yield f"{_line(cells, widths)}  {'kept' if plan.kept else rhythms}"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _open(growth: Growth, monthly: int) -> Iterator[OpenCount]:
    """How many stand in each status at any time: as many as come in a day, for the days that each stays there."""
    for (status, is_due), days in growth.days_in.items():
        yield OpenCount("correios", status, is_due, round(monthly / DAYS_A_MONTH * days / growth.parcels))


def _size(size: float) -> str:
    return f"{size / 2**20:,.0f} MiB" if size < 2**30 else f"{size / 2**30:,.1f} GiB"


def _hours(interval: timedelta) -> str:
    return f"{interval / timedelta(hours=1):.1f} h"


if __name__ == "__main__":
    main()
