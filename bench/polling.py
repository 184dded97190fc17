"""Polling against the same requests made bare: with nothing new, and with news for every tenth parcel."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import text

from bench import bare
from bench.figures import Figure, ratio, timed
from bench.parcels import SHARE
from bench.rows import fill
from bench.servers import ask
from bench.world import NOW, World, lanes, run
from tracker.app import App
from tracker.store.database import Database

ROUNDS = 5


async def measure(world: World, count: int, label: str) -> list[Figure]:
    """Both kinds of polling over *count* due parcels."""
    world.prepare()
    aside = _aside(world)
    numbers = range(1, count + 1)
    with world.program() as app:
        fill(app.database, count, poll_at=lambda _: NOW)
        bare.prepare(aside, count)
        poll, detect = lanes(app, "poll:"), lanes(app, "detect#")
        first, _ = await timed(partial(run, poll, NOW))
        found, _ = await timed(partial(run, detect, NOW))
        quiet, busy = [], []
        for number in range(1, ROUNDS + 1):
            now = _all_due(app, NOW + timedelta(minutes=number))
            bare_took, _ = await timed(partial(bare.poll, aside, world.carrier_port, numbers, now, with_news=False))
            ours_took, rows = await timed(partial(run, poll, now))
            _expect(rows, count)
            quiet.append((bare_took, ours_took))
        for number in range(1, ROUNDS + 1):
            ask(world.carrier_port, f"/round/{number}")
            now = _all_due(app, NOW + timedelta(hours=number))
            # Once beforehand: the carrier writes each new answer down at its first call.
            await bare.poll(aside, world.carrier_port, numbers, now, with_news=False)
            bare_took, _ = await timed(partial(bare.poll, aside, world.carrier_port, numbers, now, with_news=True))
            polled, rows = await timed(partial(run, poll, now))
            detected, looked = await timed(partial(run, detect, now))
            _expect(rows, count)
            _expect_at_least(looked, count // SHARE)
            busy.append((bare_took, polled + detected))
        await app.book.accounts["correios"].http.aclose()
    aside.close()
    return [
        ratio(f"poll, nothing new ({label})", quiet, count, 0.5, "parcels"),
        ratio(f"poll, news for every tenth, with detection ({label})", busy, count, 0.35, "parcels"),
        Figure(
            f"first sight of nine events each ({label})",
            count / first.wall,
            "parcels/s",
            None,
            True,
            f"detection {count / found.wall:,.0f} parcels/s",
        ),
    ]


def _aside(world: World) -> Database:
    """The database of the bare work: beside ours, with the same settings."""
    if world.url.startswith("sqlite"):
        return Database(f"sqlite:///{Path(world.folder) / 'bare.db'}")
    return Database(world.url)


def _all_due(app: App, now: datetime) -> datetime:
    with app.database.begin_write() as connection:
        connection.execute(text("UPDATE shipment_polls SET next_poll_at = :at"), {"at": _written(app, now)})
    return now


def _written(app: App, at: datetime) -> object:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f") if app.database.sqlite else at


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} rows were worked on instead of {wanted}: the figure would mean nothing")


def _expect_at_least(found: int, wanted: int) -> None:
    if found < wanted:
        raise RuntimeError(f"{found} rows were worked on, fewer than {wanted}: the figure would mean nothing")
