"""Claims from due to the carrier's protocol number, against the same calls and one bulk update of what came back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update

from bench import bare, desk
from bench.figures import Figure, Took, against_bare, timed
from bench.rows import fill
from bench.servers import running
from bench.setting import Setting
from bench.world import NOW, World, lanes, run
from tracker.app import App
from tracker.clock import CLOCK_FILE_VARIABLE
from tracker.domain.words import ClaimState
from tracker.sandbox.clock import write_instant
from tracker.store.database import Database
from tracker.store.tables import Claim, table

FILED_AT: Final = NOW + timedelta(hours=1)
_CLAIMS: Final = table(Claim)


def claims(setting: Setting) -> list[Figure]:
    """Claims about lost parcels, as detection and planning have left them; others each round, for each is filed once."""
    count, rounds = setting.sizes.claims, setting.sizes.rounds
    # As many again for the bare calls: the desk takes one claim about a parcel.
    parcels = f"{2 * count * rounds}"
    with (
        running("bench.desk", parcels, FILED_AT.isoformat()) as port,
        setting.world(accounts=desk.account(port)) as world,
    ):
        pairs = asyncio.run(_rounds(world, port, count, rounds))
    return [against_bare("claims", pairs, count, "claims/s", setting.database, None)]


async def _rounds(world: World, port: int, count: int, rounds: int) -> list[tuple[Took, Took]]:
    # Its token is dated by the desk's clock.
    write_instant(world.clock_file, FILED_AT)
    pairs = []
    with world.program({CLOCK_FILE_VARIABLE: str(world.clock_file)}) as app:
        aside = world.aside()
        await _planned(app, count * rounds)
        bare.prepare(aside, count * rounds * 2)
        token = await bare.token(port)
        for first in range(1, count * rounds + 1, count):
            ours = range(first, first + count)
            theirs = range(count * rounds + first, count * rounds + first + count)
            _make_due(app, ours)
            bare_took, _ = await timed(lambda: bare.claims(aside, port, token, theirs, FILED_AT))  # noqa: B023
            ours_took, _ = await timed(lambda: run(lanes(app, "claims:"), FILED_AT))
            _expect(app, ours)
            pairs.append((bare_took, ours_took))
        aside.close()
        await app.book.accounts["correios"].http.aclose()
    return pairs


async def _planned(app: App, count: int) -> None:
    """Lost parcels, seen, their problems found and their claims planned, none of them due yet."""
    fill(app.database, count, poll_at=lambda _: NOW)
    plan = [lane for lane in app.lanes if lane.name == "claims"]
    await run([*lanes(app, "poll:"), *lanes(app, "detect#"), *plan], FILED_AT)
    _due_at(app.database, None)


def _make_due(app: App, numbers: Sequence[int]) -> None:
    if _due_at(app.database, FILED_AT, numbers) != len(numbers):
        raise RuntimeError("not every lost parcel has a planned claim: the figure would mean nothing")


def _due_at(database: Database, instant: datetime | None, numbers: Sequence[int] = ()) -> int:
    """When the claims of these parcels (default: of all) are due; how many there are."""
    mine = [_CLAIMS.c.shipment_id.between(numbers[0], numbers[-1])] if numbers else []
    with database.begin_write() as connection:
        return int(connection.execute(update(_CLAIMS).where(*mine).values(next_step_at=instant)).rowcount)


def _expect(app: App, numbers: Sequence[int]) -> None:
    opened = (_CLAIMS.c.state == ClaimState.OPEN.value, _CLAIMS.c.protocol.is_not(None))
    mine = _CLAIMS.c.shipment_id.between(numbers[0], numbers[-1])
    with app.database.begin_read() as connection:
        found = connection.execute(select(func.count()).select_from(_CLAIMS).where(mine, *opened)).scalar_one()
    if found != len(numbers):
        raise RuntimeError(f"{found} of {len(numbers)} claims have a protocol number: the figure would mean nothing")
