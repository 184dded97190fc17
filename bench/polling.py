"""Polling against the same requests made bare: with nothing new, and with news for every tenth parcel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import text

from bench import bare
from bench.figures import Figure, Took, against_bare, timed
from bench.parcels import SHARE
from bench.rows import fill
from bench.servers import ask
from bench.setting import Setting
from bench.world import NOW, World, lanes, run
from tracker.app import App
from tracker.store.database import Database

UNIT = "parcels/s"
Round = Callable[[App, Database, World, int, int], Coroutine[None, None, tuple[Took, Took]]]


def unchanged(setting: Setting) -> list[Figure]:
    """Every answer says what the last one said."""
    pairs = _measured(setting, _quiet)
    return [against_bare("poll_unchanged", pairs, setting.sizes.parcels, UNIT, setting.database, 0.5)]


def tenth_new(setting: Setting) -> list[Figure]:
    """Every tenth parcel has a new event; detection included."""
    pairs = _measured(setting, _busy)
    return [against_bare("poll_tenth_new", pairs, setting.sizes.parcels, UNIT, setting.database, 0.35)]


def _measured(setting: Setting, one_round: Round) -> list[tuple[Took, Took]]:
    with setting.world() as world:
        return asyncio.run(_rounds(world, setting.sizes.parcels, setting.sizes.rounds, one_round))


async def _rounds(world: World, count: int, rounds: int, one_round: Round) -> list[tuple[Took, Took]]:
    aside = world.aside()
    with world.program() as app:
        fill(app.database, count, poll_at=lambda _: NOW)
        bare.prepare(aside, count)
        # The first sight of each parcel is not measured: afterwards all is known.
        await run([*lanes(app, "poll:"), *lanes(app, "detect#")], NOW)
        found = [await one_round(app, aside, world, count, number) for number in range(1, rounds + 1)]
        await app.book.accounts["correios"].http.aclose()
    aside.close()
    return found


async def _quiet(app: App, aside: Database, world: World, count: int, number: int) -> tuple[Took, Took]:
    now = _all_due(app, NOW + timedelta(minutes=number))
    numbers = range(1, count + 1)
    bare_took, _ = await timed(partial(bare.poll, aside, world.carrier_port, numbers, now, with_news=False))
    ours_took, rows = await timed(partial(run, lanes(app, "poll:"), now))
    _expect(rows, count)
    return bare_took, ours_took


async def _busy(app: App, aside: Database, world: World, count: int, number: int) -> tuple[Took, Took]:
    ask(world.carrier_port, f"/round/{number}")
    now = _all_due(app, NOW + timedelta(hours=number))
    numbers = range(1, count + 1)
    # Once beforehand: the carrier writes each new answer down at its first call.
    await bare.poll(aside, world.carrier_port, numbers, now, with_news=False)
    bare_took, _ = await timed(partial(bare.poll, aside, world.carrier_port, numbers, now, with_news=True))
    polled, rows = await timed(partial(run, lanes(app, "poll:"), now))
    detected, looked = await timed(partial(run, lanes(app, "detect#"), now))
    _expect(rows, count)
    if looked < count // SHARE:
        raise RuntimeError(
            f"{looked} parcels were looked at, fewer than {count // SHARE}: the figure would mean nothing"
        )
    return bare_took, polled + detected


def _all_due(app: App, now: datetime) -> datetime:
    with app.database.begin_write() as connection:
        at = now.strftime("%Y-%m-%d %H:%M:%S.%f") if app.database.sqlite else now
        connection.execute(text("UPDATE shipment_polls SET next_poll_at = :at"), {"at": at})
    return now


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} rows were worked on instead of {wanted}: the figure would mean nothing")
