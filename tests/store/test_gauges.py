"""The numbers behind `/metrics`, counted on both databases; on SQLite also by which index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text, update

from carriers.base import ProblemKind, TrackingEvent, TrackingStatus
from tests.reports.support import (
    CODE,
    DELIVERED,
    LOST,
    MOVING,
    NOW,
    OTHER_CODE,
    POSTED,
    add_a_claim,
    add_message,
    add_order,
    add_problem,
    order,
    track,
)
from tests.reports.support import event as tracked
from tests.support.schema import prepare
from tracker.domain.words import Trigger
from tracker.store import gauges
from tracker.store.database import Database
from tracker.store.digests import digest_facts
from tracker.store.gauges import AGE_BOUNDS, Due, FamilyStanding, Money
from tracker.store.logs import SignalNote, signal
from tracker.store.overview import overview
from tracker.store.tables import Alert, CarrierState, Problem, ShipmentPoll, table

HOUR = timedelta(hours=1)
CARRIERS = ["correios", "idle"]
DUE_TABLES = (
    "hook_deliveries shipment_polls shipment_checks order_checks claim_checks notice_checks claims deliveries "
    "alert_deliveries alerts"
).split()
NOBODY_READS = tracked("ZZ-99", NOW - 9 * HOUR, TrackingStatus.UNKNOWN, "Objeto em situação nova")


def quick(database: Database) -> gauges.Quick:
    with database.begin_read() as connection:
        return gauges.quick(connection, CARRIERS, ["email"], NOW)


def slow(database: Database) -> gauges.Slow:
    with database.begin_read() as connection:
        return gauges.slow(connection, CARRIERS, [TrackingStatus.DELIVERED.value], NOW)


@pytest.fixture
def shop(database: Database) -> Database:
    """Parcels 1 (travels), 2 (delivered) and 3 (lost), looked at an hour ago; 4, never looked at."""
    parcels: list[tuple[str, Sequence[TrackingEvent]]] = [
        (CODE, (POSTED, MOVING, NOBODY_READS)),
        (OTHER_CODE, (POSTED, MOVING, DELIVERED)),
        ("AA111111116BR", (POSTED, LOST, NOBODY_READS)),
    ]
    with database.begin_write() as connection:
        for number, (code, events) in enumerate(parcels, start=1):
            (shipment_id,) = add_order(connection, order(f"{number}"), code)
            # Due since one, two and three hours.
            track(connection, shipment_id, events, next_poll_at=NOW - HOUR * number)
        add_order(connection, order("4"), "AA222222227BR")
        polls = table(ShipmentPoll)
        never = polls.c.shipment_id == 4
        connection.execute(update(polls).where(never).values(next_poll_at=NOW + HOUR, urgent=True))
    return database


def test_an_empty_database_counts_to_nothing(database: Database) -> None:
    found, counted = quick(database), slow(database)
    assert found.looks == {"correios": Due(0, None), "idle": Due(0, None)}
    assert found.queues == dict.fromkeys(gauges.QUEUES, Due(0, None))
    assert (found.sent_last_day, list(found.families), found.alerts) == ({"email": 0}, [], {})
    assert found.database_bytes > 0
    assert counted.ages["correios"].within == (0,) * len(AGE_BOUNDS)
    assert (counted.problems, counted.claims, counted.money, counted.deadlines, counted.messages) == ({},) * 5
    assert counted.unknown_codes == 0


def test_looks_that_are_due_count_from_the_oldest(shop: Database) -> None:
    assert quick(shop).looks == {"correios": Due(3, NOW - 3 * HOUR), "idle": Due(0, None)}
    polls = table(ShipmentPoll)
    with shop.begin_write() as connection:
        late = NOW - 5 * HOUR
        connection.execute(update(polls).where(polls.c.shipment_id == 4).values(next_poll_at=late))
    assert quick(shop).looks["correios"] == Due(4, NOW - 5 * HOUR)  # the urgent one is a range of its own


def test_a_queue_is_counted_to_a_bound_from_its_oldest(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "MOST", 2)
    assert quick(shop).looks["correios"] == Due(2, NOW - 3 * HOUR)


def test_ages_of_looks_leave_out_what_travels_no_more(shop: Database) -> None:
    ages = slow(shop).ages
    assert (ages["correios"].open, ages["correios"].travelling) == (4, 3)
    by_bound = dict(zip(AGE_BOUNDS, ages["correios"].within, strict=True))
    # Two were looked at an hour ago; the third never, and counts from its import a fortnight ago.
    assert [by_bound[bound] for bound in (HOUR / 2, HOUR, 168 * HOUR, 336 * HOUR)] == [0, 2, 2, 2]
    assert ages["idle"].open == 0


def test_the_outbox_and_what_left_today(shop: Database) -> None:
    with shop.begin_write() as connection:
        add_message(connection, 1, next_step_at=NOW - 2 * HOUR)
        add_message(connection, 2, Trigger.DELIVERED, next_step_at=NOW + HOUR)
        sent = {"state": "sent", "next_step_at": None}
        add_message(connection, 3, Trigger.LOSS_CONFIRMED, sent_at=NOW - HOUR, **sent)
        add_message(connection, 3, Trigger.POSTED, sent_at=NOW - 25 * HOUR, **sent)
    assert quick(shop).queues["mail"] == Due(1, NOW - 2 * HOUR)
    assert quick(shop).sent_last_day == {"email": 1}
    assert slow(shop).messages == {("email", "delay_detected", "queued"): 1, ("email", "delivered", "queued"): 1}


def test_problems_that_stand(shop: Database) -> None:
    with shop.begin_write() as connection:
        add_problem(connection, 1)
        ended = add_problem(connection, 3, ProblemKind.LOSS)
        problems = table(Problem)
        connection.execute(update(problems).where(problems.c.id == ended).values(resolved_at=NOW))
    assert slow(shop).problems == {("exemplo", "delay"): 1}


def test_claims_their_money_and_their_nearest_deadline(shop: Database) -> None:
    with shop.begin_write() as connection:
        add_a_claim(connection, 1, [], next_step_at=NOW - HOUR)
        add_a_claim(connection, 2, [], state="waiting_approval", deadline_on=date(2026, 12, 10))
        paid = {
            "state": "paid",
            "kind": "refund",
            "opened_at": NOW,
            "closed_at": NOW,
            "deadline_on": date(2026, 11, 30),
        }
        add_a_claim(connection, 3, [], **paid, expected_cents=20_000, granted_cents=15_000, received_cents=15_000)
    counted = slow(shop)
    assert counted.claims == {
        ("correios", "information_request", "planned"): 1,
        ("correios", "information_request", "waiting_approval"): 1,
        ("correios", "refund", "paid"): 1,
    }
    assert counted.money["correios", "paid"] == Money(20_000, 15_000, 15_000)
    assert counted.money["correios", "planned"] == Money(0, 0, 0)
    assert counted.deadlines == {"correios": date(2026, 12, 10)}
    assert quick(shop).queues["claims"] == Due(1, NOW - HOUR)


def test_alerts_carriers_and_codes(shop: Database) -> None:
    with shop.begin_write() as connection:
        signal(connection, [SignalNote("k", "unknown_code", "warning", "so")], NOW - HOUR)
        for number, resolved_at in enumerate((None, None, NOW)):
            words = {"kind": "carrier_down", "severity": "critical", "summary": "so", "details": {}, "shop": ""}
            row = {"key": f"k{number}", "raised_at": NOW, "resolved_at": resolved_at, **words}
            connection.execute(insert(table(Alert)), row)
        for family, failures, refused_at in (("claims", 0, NOW), ("tracking", 3, None)):
            row = {"carrier": "correios", "family": family, "failures": failures, "refused_at": refused_at}
            connection.execute(insert(table(CarrierState)), row)
    found = quick(shop)
    assert found.alerts == {("carrier_down", "critical"): 2}
    assert found.queues["signals"].count >= 1
    assert found.families == [
        FamilyStanding("correios", "claims", 0, True),
        FamilyStanding("correios", "tracking", 3, False),
    ]
    assert slow(shop).unknown_codes == 1  # twice the same


def test_what_is_due_is_counted_by_indexes_of_due_rows_alone(sqlite_url: str) -> None:
    """SQLite tells before it runs; PostgreSQL decides by what the tables hold."""
    prepare(sqlite_url)
    database = Database(sqlite_url)
    asked: list[tuple[str, Any]] = []
    with database.begin_read() as connection:
        event.listen(connection, "before_cursor_execute", lambda _c, _u, sql, values, *_: asked.append((sql, values)))
        gauges.quick(connection, CARRIERS, ["email"], NOW)
        plans = {
            sql: [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            for sql, values in list(asked)
            if sql.startswith("SELECT")
        }
    database.close()
    steps = {step for sql, plan in plans.items() if "carrier_states" not in sql for step in plan}
    walks = {step for step in steps if step.startswith(("SEARCH", "SCAN")) and " anon_" not in step}
    assert {step.split(" USING ")[0] for step in walks} == {
        *(f"SEARCH {name}" for name in DUE_TABLES),
        # The whole of an index that holds nothing else than what nobody has looked at.
        "SCAN signals",
    }
    assert all("INDEX ix_" in step or "INDEX uq_alerts_open" in step for step in walks), walks
    # An index has its rows in order already: nothing is sorted but the few open alerts.
    sorted_by = [sql for sql, plan in plans.items() if any("TEMP B-TREE" in step for step in plan)]
    assert all("FROM alerts" in sql for sql in sorted_by)


def test_problems_that_stand_are_counted_without_those_that_ended(shop: Database) -> None:
    """Of years of problems a hundredth stands: the numbers, the overview and the digest read that part alone."""
    base = {
        "shop": "exemplo",
        "subject_kind": "shipment",
        "order_id": 1,
        "kind": "delay",
        "rule": "r",
        "rule_version": 1,
    }
    at = {"since": NOW - 99 * HOUR, "detected_at": NOW - 99 * HOUR}
    rows = [
        {**base, **at, "subject_id": n, "resolved_at": None if n % 100 == 0 else NOW - 90 * HOUR} for n in range(20_000)
    ]
    with shop.begin_write() as connection:
        connection.execute(insert(table(Problem)), rows)
    if not shop.sqlite:
        shop.compact_now()  # what PostgreSQL reads by an index alone, it must know to be old
    explain = "EXPLAIN QUERY PLAN " if shop.sqlite else "EXPLAIN "
    asked: list[tuple[str, Any]] = []
    with shop.begin_write() as connection:
        connection.execute(text("ANALYZE"))
        event.listen(connection, "before_cursor_execute", lambda _c, _u, sql, values, *_: asked.append((sql, values)))
        assert gauges.slow(connection, CARRIERS, [], NOW).problems == {("exemplo", "delay"): 200}
        assert overview(connection).open_problems == {"delay": 200}
        facts = digest_facts(connection, "exemplo", since=NOW - HOUR, until=NOW, live_at=NOW - 100 * HOUR)
        assert (facts.problems_open, facts.problems_ended) == (200, 0)
        mine = [(sql, values) for sql, values in asked if "FROM problems" in sql and "resolved_at" in sql]
        plans = {
            sql: " / ".join(str(row[-1]) for row in connection.exec_driver_sql(explain + sql, values))
            for sql, values in mine
        }
        connection.rollback()
    assert len(plans) >= 4
    for sql, plan in plans.items():
        assert "ix_problems_open" in plan or "ix_problems_ended" in plan, (sql, plan)
        assert "Seq Scan on problems" not in plan, (sql, plan)
