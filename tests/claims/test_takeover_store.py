"""A claim taken over while it was being filed: what the first process hears late undoes nothing, and nothing is filed twice."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.claims.test_filing_store import LATE, late_parcel, later, results
from tests.end_to_end.support import Start, Trial
from tracker.app import App
from tracker.sandbox.judgement import REGISTERED
from tracker.store.leases import free_all
from tracker.store.tables import Claim, ClaimStep


async def claims_lane(app: App) -> None:
    lane = next(lane for lane in app.lanes if lane.name == "claims:correios")
    await lane.run(app.clock.now())


def taken_over_while(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the claims lane once; in the middle of its filing another process takes the claim over, as from a dead one."""
    send = httpx.AsyncHTTPTransport.handle_async_request

    async def sending(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        response = await send(transport, request)
        if request.method != "POST" or not request.url.path.endswith("cadastra"):
            return response
        monkeypatch.undo()
        other = trial.build()
        try:
            with trial.database.begin_write() as connection:
                free_all(connection)
            await claims_lane(other)
        finally:
            await other.close()
        return response

    async def first() -> None:
        app = trial.build()
        try:
            for lane in app.lanes[: next(n for n, lane in enumerate(app.lanes) if lane.name == "claims:correios")]:
                await lane.run(app.clock.now())
            monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", sending)
            await claims_lane(app)
        finally:
            await app.close()

    asyncio.run(first())


def test_a_late_answer_undoes_nothing(start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = late_parcel(start(LATE, url=database_url))
    trial.clock_at(later(0))
    taken_over_while(trial, monkeypatch)
    steps = [(step["action"], step["state"]) for step in trial.rows(ClaimStep)]
    # Whoever took it over decided: lost, so the carrier is asked before anything is sent again.
    assert steps[0] == ("open", "lost") and [action for action, _ in steps[1:]] == ["look_up"]
    trial.pass_at(later(5))
    claim = trial.one(Claim)
    assert (claim["state"], [claim["protocol"]]) == ("open", trial.world.registrations()[LATE.code])
    assert results(trial) == [REGISTERED]
