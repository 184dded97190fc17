"""Finding due work among ten thousand rows reads the partial index of what is due, never the table."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text, update
from sqlmodel import SQLModel

from tests.support.schema import prepare
from tracker.domain.words import DeliveryState
from tracker.store import alerts, claims, deadlines, deliveries, digests, hooks, letters, notices, polls, problems
from tracker.store.database import Database
from tracker.store.leases import free_all
from tracker.store.tables import (
    Alert,
    AlertDelivery,
    AlertNotification,
    Claim,
    ClaimCheck,
    ClaimStep,
    Delivery,
    Digest,
    HookDelivery,
    Letter,
    Notice,
    NoticeCheck,
    NoticeOrderCheck,
    Order,
    OrderCheck,
    Shipment,
    ShipmentCheck,
    ShipmentDeadline,
    ShipmentPoll,
    ShipmentRef,
    table,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROWS = 10_000
DUE = 30


def when(number: int) -> datetime | None:
    """A few are due, a third will be one day, the rest never again."""
    if number <= DUE:
        return NOW - timedelta(minutes=number)
    return NOW + timedelta(minutes=number) if number % 3 == 0 else None


def put(connection: Connection, model: Any, rows: Iterator[dict[str, Any]]) -> None:
    connection.execute(insert(table(model)), list(rows))


def fill(connection: Connection) -> None:
    numbers = range(1, ROWS + 1)
    common = {"shop": "exemplo", "created_at": NOW}
    order = {**common, "source": "file", "status": "shipped", "updated_at": NOW}
    put(connection, Order, ({**order, "id": n, "number": str(n)} for n in numbers))
    put(connection, OrderCheck, ({"order_id": n, "next_check_at": when(n)} for n in numbers))
    shipment = {**common, "order_id": 1, "carrier": "correios", "direction": "outbound"}
    put(connection, Shipment, ({**shipment, "id": n} for n in numbers))
    ref = {"adapter": "correios", "kind": "code", "cycle": 1, "account": "", "active": True, "added_at": NOW}
    put(connection, ShipmentRef, ({**ref, "id": n, "shipment_id": n, "value": f"C{n}"} for n in numbers))
    poll = {"carrier": "correios", "failures": 0}
    put(connection, ShipmentPoll, ({**poll, "shipment_id": n, "next_poll_at": when(n)} for n in numbers))
    asked = {"carrier": "correios", "state": "waiting", "failures": 0}
    put(connection, ShipmentDeadline, ({**asked, "shipment_id": n, "next_ask_at": when(n)} for n in numbers))
    for model in (ShipmentCheck, ClaimCheck, NoticeCheck):
        put(connection, model, ({"shipment_id": n, "next_check_at": when(n)} for n in numbers))
    put(connection, Claim, (claim(n) for n in numbers))
    put(connection, ClaimStep, (step(n) for n in numbers))
    notice = {**common, "order_id": 1, "trigger": "posted", "since": NOW, "expires_at": NOW, "version": 1}
    put(connection, Notice, ({**notice, "id": n, "occurrence": f"{n}:1"} for n in numbers))
    put(connection, Delivery, (delivery(n) for n in numbers))
    put(connection, NoticeOrderCheck, ({"order_id": n, "next_check_at": when(n)} for n in numbers))
    put(connection, Letter, (letter(n) for n in numbers))
    put(connection, Digest, (digest(n) for n in numbers))
    alert = {"shop": "", "key": "k", "kind": "k", "severity": "info", "summary": "s", "details": {}, "raised_at": NOW}
    put(connection, Alert, ({**alert, "id": n, "key": f"k{n}", "next_look_at": when(n)} for n in numbers))
    told = {"alert_id": 1, "phase": "raised", "severity": "info", "state": "queued", "made_at": NOW}
    put(connection, AlertDelivery, ({**told, "id": n, "sink": f"s{n}", "next_step_at": when(n)} for n in numbers))
    note = {"sink": "s", "kind": "k", "tone": "raised", "body": {}, "state": "queued", "made_at": NOW, "attempts": 0}
    rows = ({**note, "id": n, "repeated": False, "next_step_at": when(n)} for n in numbers)
    put(connection, AlertNotification, rows)
    pushed = {"carrier": "correios", "received_at": NOW, "body": zlib.compress(b"{}"), "state": "read"}
    bodies = ({**pushed, "id": n, "digest": f"d{n}", "next_read_at": when(n)} for n in numbers)
    put(connection, HookDelivery, bodies)


def claim(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "shop": "exemplo",
        "shipment_id": number,
        "tracking_ref_id": number,
        "carrier": "correios",
        "kind": "refund",
        "motive": "211",
        "state": "planned",
        "planned_at": NOW,
        "claimable_from": date(2026, 11, 20),
        "alert_on": date(2026, 12, 15),
        "deadline_on": date(2026, 12, 20),
        "last_on": date(2027, 2, 18),
        "next_step_at": when(number),
        "version": 1,
    }


def step(number: int) -> dict[str, Any]:
    return {
        "claim_id": number,
        "seq": 1,
        "action": "open",
        "state": "intended" if number <= DUE // 2 else "done",
        "motive": "211",
        "kind": "refund",
        "intended_at": NOW,
        "facts": {},
    }


def delivery(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "notice_id": number,
        "channel": "email",
        "state": DeliveryState.QUEUED.value,
        "queued_at": NOW,
        "attempts": 0,
        "repeated": False,
        "message_id": f"<{number}@x>",
        "next_step_at": when(number),
    }


def letter(number: int) -> dict[str, Any]:
    return {
        "claim_id": number,
        "step_id": number,
        "part": "letter",
        "shop": "exemplo",
        "shipment_id": number,
        "motive": "loss",
        "copies": [],
        "state": DeliveryState.QUEUED.value,
        "queued_at": NOW,
        "next_step_at": when(number),
        "attempts": 0,
        "message_id": f"<letter{number}@x>",
        "repeated": False,
    }


def digest(number: int) -> dict[str, Any]:
    return {
        "shop": "exemplo",
        "day": date(2026, 11, 24),
        "recipient": f"dono{number}@x.example",
        "since": NOW,
        "until": NOW,
        "state": "queued",
        "message_id": f"<digest{number}@x>",
        "next_step_at": when(number),
        "attempts": 0,
    }


def _filled(url: str) -> Iterator[Database]:
    prepare(url)
    database = Database(url)
    with database.begin_write() as connection:
        fill(connection)
        connection.execute(text("ANALYZE"))
    yield database
    database.close()


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    yield from _filled(f"sqlite:///{tmp_path_factory.mktemp('due') / 'tracker.db'}")


Take = Callable[[Connection, str], object]
TAKES: dict[str, tuple[Any, str, Take]] = {
    "polls": (
        ShipmentPoll,
        "ix_shipment_polls_due",
        lambda c, token: polls.take_due(c, "correios", now=NOW, limit=50, token=token),
    ),
    "deadlines": (
        ShipmentDeadline,
        "ix_shipment_deadlines_due",
        lambda c, token: deadlines.take_due(c, "correios", now=NOW, limit=50, token=token),
    ),
    "detection": (
        ShipmentCheck,
        "ix_shipment_checks_due",
        lambda c, token: problems.take_due_checks(c, 3, 8, now=NOW, limit=200, token=token),
    ),
    "orders": (
        OrderCheck,
        "ix_order_checks_due",
        lambda c, token: problems.take_due_orders(c, now=NOW, limit=200, token=token),
    ),
    "claim checks": (
        ClaimCheck,
        "ix_claim_checks_due",
        lambda c, token: claims.take_due_checks(c, now=NOW, limit=200, token=token),
    ),
    "claims to decide": (
        Claim,
        "ix_claims_due",
        lambda c, token: claims.take_due(c, "correios", calls=False, now=NOW, limit=100, token=token),
    ),
    "claims to call": (
        Claim,
        "ix_claims_due",
        lambda c, token: claims.take_due(c, "correios", calls=True, now=NOW, limit=100, token=token),
    ),
    "notice checks": (
        NoticeCheck,
        "ix_notice_checks_due",
        lambda c, token: notices.take_due_checks(c, now=NOW, limit=200, token=token),
    ),
    "orders to thank for": (
        NoticeOrderCheck,
        "ix_notice_order_checks_due",
        lambda c, token: notices.take_due_order_checks(c, now=NOW, limit=200, token=token),
    ),
    "letters": (
        Letter,
        "ix_letters_due",
        lambda c, token: letters.take_due_letters(c, now=NOW, limit=50, token=token),
    ),
    "digests": (
        Digest,
        "ix_digests_due",
        lambda c, token: digests.take_due_digests(c, now=NOW, limit=50, token=token),
    ),
    "messages no longer worth telling, but for a shop's": (
        Delivery,
        "ix_deliveries_due",
        lambda c, token: deliveries.take_due(c, "email", now=NOW, limit=50, token=token, but_for=["other"], stale=True),
    ),
    "messages": (
        Delivery,
        "ix_deliveries_due",
        lambda c, token: deliveries.take_due(c, "email", now=NOW, limit=50, token=token),
    ),
    "messages held by a shop that was not live": (
        Delivery,
        "ix_deliveries_due",
        lambda c, token: deliveries.take_not_live(c, "email", now=NOW, limit=200, token=token),
    ),
    "alerts to be reminded of": (
        Alert,
        "ix_alerts_due",
        lambda c, token: alerts.due_looks(c, NOW, 50),
    ),
    "sinks to be told": (
        AlertDelivery,
        "ix_alert_deliveries_due",
        lambda c, token: alerts.sinks_with_words(c, NOW),
    ),
    "pushes": (
        HookDelivery,
        "ix_hook_deliveries_due",
        lambda c, token: hooks.take_deliveries(c, ["correios"], now=NOW, limit=50, token=token),
    ),
    "notifications": (
        AlertNotification,
        "ix_alert_notifications_due",
        lambda c, token: alerts.take_due(c, sink="s", now=NOW, limit=20, token=token),
    ),
}


def test_every_index_of_due_work_is_asked_for() -> None:
    """A lane whose query is not in the table would be found slow by a shop, not by us."""
    indexes = {index.name for rows in SQLModel.metadata.tables.values() for index in rows.indexes}
    assert {str(name) for name in indexes if str(name).endswith("_due")} == {index for _, index, _ in TAKES.values()}


def plan_of(database: Database, take: Take) -> str:
    """How the database finds what is due; nothing stays leased."""
    seen: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    with database.begin_write() as connection:
        event.listen(connection, "before_cursor_execute", listen)
        take(connection, "a-token")
        event.remove(connection, "before_cursor_execute", listen)
        statement, parameters = next(one for one in seen if "next_" in one[0])
        free_all(connection)
        explain = "EXPLAIN QUERY PLAN " if database.sqlite else "EXPLAIN "
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
        connection.rollback()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("what", TAKES)
def test_sqlite_finds_due_work_by_its_index(filled_sqlite: Database, what: str) -> None:
    model, index, take = TAKES[what]
    plan = plan_of(filled_sqlite, take)
    assert f"SEARCH {table(model).name} USING INDEX {index}" in plan.replace("COVERING ", ""), plan
    assert f"SCAN {table(model).name}" not in plan, plan


def test_postgresql_finds_due_work_by_its_index(postgres_url: str) -> None:
    for database in _filled(postgres_url):
        for what, (_, index, take) in TAKES.items():
            plan = plan_of(database, take)
            assert index in plan, f"{what}: {plan}"
            assert "Seq Scan" not in plan, f"{what}: {plan}"


def test_what_an_observing_shop_holds_is_counted_by_the_indexes_of_what_is_open(tmp_path: Path) -> None:
    """Once a day, but of a history of years: the digest's standing totals read what is open and no more."""
    seen: list[tuple[str, Any]] = []
    for filled in _filled(f"sqlite:///{tmp_path / 'tracker.db'}"):
        with filled.begin_write() as connection:
            for model, ended in ((Claim, "closed_at"), (Alert, "resolved_at")):
                rows = table(model)
                connection.execute(update(rows).where(rows.c.id > DUE).values({ended: NOW}))
            connection.execute(text("ANALYZE"))
        with filled.begin_read() as connection:
            event.listen(connection, "before_cursor_execute", lambda *said: seen.append((said[2], said[3])))
            digests.stopped(connection, "exemplo")
            digests.standing_alerts(connection, "exemplo")
            asked = list(seen)
            plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", given).all() for words, given in asked]
    assert len(plans) == 6
    for rows in plans:
        plan = " / ".join(str(row[-1]) for row in rows)
        assert any(index in plan for index in ("uq_claims_open", "ix_deliveries_due", "uq_alerts_open")), plan
        assert "SCAN" not in plan, plan
