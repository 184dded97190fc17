"""Many parcels with one cause become one incident, on real databases: counted, gathered, told once, ended."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from carriers.base import ProblemKind
from tests.detection.incident_support import NOW, Shop
from tracker.detection.incidents import IncidentSweep
from tracker.domain.incidents import IncidentPolicy
from tracker.store.database import Database
from tracker.store.incidents import incidents_of
from tracker.store.tables import Incident, IncidentMember, Problem, Signal, table

Kind = ProblemKind


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def swept(shop: Shop, days: float = 0) -> int:
    return asyncio.run(IncidentSweep(shop.database, IncidentPolicy()).run(NOW + timedelta(days=days)))


def test_a_hub_where_many_stand_still_is_told_once(shop: Shop) -> None:
    held = [shop.problem(Kind.STALLED, "CAJAMAR/SP", state) for state in ("PR", "SC", "RS", "PR") * 3]
    shop.problem(Kind.DAMAGE, "CAJAMAR/SP", "PR")
    elsewhere = shop.problem(Kind.STALLED, "BAURU/SP", "PR")
    swept(shop)
    (incident,) = shop.rows(Incident)
    assert (incident["scope"], incident["name"], incident["ended_at"]) == ("hub", "CAJAMAR/SP", None)
    assert {row["problem_id"] for row in shop.rows(IncidentMember)} == set(held)
    (signal,) = shop.rows(Signal)
    assert signal["raised"] is True and signal["summary"].startswith(
        "12 parcels went wrong with entregas at CAJAMAR/SP"
    )
    assert swept(shop) == 0
    with shop.database.begin_read() as connection:
        around = incidents_of(connection, [shop.shipment_of(held[0]), shop.shipment_of(elsewhere)])
    assert [where.name for where in around.values()] == ["CAJAMAR/SP"]


def test_those_that_come_later_join_and_it_ends_by_itself(shop: Shop) -> None:
    first = [shop.problem(Kind.DELAY, "CAJAMAR/SP", "PR") for _ in range(11)]
    swept(shop)
    late = shop.problem(Kind.DELAY, "CAJAMAR/SP", "SC", days=1)
    swept(shop, days=1)
    assert len(shop.rows(IncidentMember)) == 12
    problems = table(Problem)
    with shop.database.begin_write() as connection:
        arrived = [*first[2:], late]
        connection.execute(update(problems).where(problems.c.id.in_(arrived)).values(resolved_at=NOW))
    swept(shop, days=2)
    assert shop.rows(Incident)[0]["ended_at"] is None
    swept(shop, days=4)
    assert shop.rows(Incident)[0]["end_reason"] == "no new parcel, and few are left"
    assert [row["raised"] for row in shop.rows(Signal)] == [True, False]


def test_what_is_usual_there_is_no_incident(shop: Shop) -> None:
    for day in range(-29, 1):
        for _ in range(5):
            shop.problem(Kind.DELAY, "CAJAMAR/SP", "PR", days=day)
    swept(shop)
    assert shop.rows(Incident) == []


def test_hubs_become_one_with_the_whole_carrier(shop: Shop) -> None:
    for _ in range(10):
        shop.problem(Kind.STALLED, "A/RN", "RN")
    swept(shop)
    for name in ("PR", "SP", "BA"):
        for _ in range(10):
            shop.problem(Kind.STALLED, f"B/{name}", name, days=1)
    swept(shop, days=1)
    assert [(row["scope"], row["end_reason"]) for row in shop.rows(Incident)] == [
        ("hub", "part of a wider one"),
        ("carrier", None),
    ]
    carrier = shop.rows(Incident)[1]["id"]
    assert {row["incident_id"] for row in shop.rows(IncidentMember)} == {carrier}
