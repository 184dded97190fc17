"""Where not everything due can be asked about: the urgent first, each the longest due first, and the others all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from carriers.base import TrackingAnswer, TrackingRef, TransientCarrierError
from tests.polling.test_sweep_store import Spoilt, sweep
from tests.reports.support import add_order, order
from tracker.store.database import Database
from tracker.store.polls import take_due
from tracker.store.tables import ShipmentPoll, table

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POLLS = table(ShipmentPoll)


def fill(database: Database, count: int, urgent: int) -> list[int]:
    """So many parcels, the first the longest due; the last so many are urgent."""
    ids = []
    with database.begin_write() as connection:
        for n in range(count):
            (shipment,) = add_order(connection, order(f"{n}"), f"AA{n:09}BR")
            values = {"next_poll_at": NOW - timedelta(minutes=count - n), "urgent": n >= count - urgent}
            connection.execute(update(POLLS).where(POLLS.c.shipment_id == shipment).values(**values))
            ids.append(shipment)
    return ids


@pytest.mark.parametrize(
    ("urgent_first", "expected"),
    [pytest.param(True, [3, 4, 0], id="urgent first"), pytest.param(False, [0, 1, 2], id="the others first")],
)
def test_a_batch_is_filled(database: Database, urgent_first: bool, expected: list[int]) -> None:
    ids = fill(database, 5, 2)
    with database.begin_write() as connection:
        due = take_due(connection, "correios", now=NOW, limit=3, token="t", urgent_first=urgent_first)
    assert {poll.shipment_id for poll in due} == {ids[n] for n in expected}


class Slow(Spoilt):
    """Answers so many calls and then no more, as where the budget of a round is used up."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, TrackingAnswer]:
        if len(self.asked) == self.calls:
            raise TransientCarrierError("correios", "HTTP 429", 429)
        return await super().track(refs)


@pytest.mark.anyio
async def test_every_fourth_batch_is_for_the_others(database: Database) -> None:
    fill(database, 100, 60)
    adapter = Slow(calls=5)
    await sweep(database, adapter).run(NOW)
    numbers = [{int(code[2:11]) // 40 for code in asked} for asked in adapter.asked]
    # 0: not urgent, the forty longest due; the others are urgent.
    assert [0 in kinds for kinds in numbers] == [False, False, False, True, False]
