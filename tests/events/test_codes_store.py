"""Codes that the adapter does not know: listed, mapped by the merchant, and the stored history read again without a call."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from carriers.base import Cause, TrackingStatus
from tests.end_to_end.support import MONDAY, Start, at, day
from tests.polling.gateway import Gateway, at_gateway, event
from tests.reports.support import CODE as PARCEL
from tests.reports.support import MOVING, POSTED, add_order, order, track
from tests.reports.support import event as told
from tracker.domain.codes import CodeReading, MappedEvent, read_by
from tracker.events.reread import CodeSweep
from tracker.store.codes import misread
from tracker.store.database import Database
from tracker.store.histories import events_of, histories_of
from tracker.store.tables import Alert, Event, Problem, ShipmentHistory, table

CODE = "AD100000017BR"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STATUS = TrackingStatus
HAPPENED = at(day(2), 8)
ODD = event("OFF-01", HAPPENED, "Objeto não localizado no fluxo postal")
DUE = {"dtPrevista": "2026-08-12T23:59:59"}


def test_a_mapping_reads_the_stored_history_again_without_asking(start: Start, database_url: str) -> None:
    trial = at_gateway(start(url=database_url), CODE)
    gateway = Gateway()
    gateway.show(CODE, event("PO-01", at(MONDAY, 10), "Objeto postado"), ODD, **DUE)
    with gateway.open():
        trial.pass_at(at(day(2), 9))
        assert trial.one(ShipmentHistory)["status"] == "posted"  # an unknown code moves nothing
        assert trial.one(Alert, kind="unknown_code")["resolved_at"] is None
        (listed,) = json.loads(trial.command("carriers", "unknown", "--json").stdout)
        assert (listed["carrier_code"], listed["events"], listed["tracking_code"]) == ("OFF-01", 1, CODE)
        assert (listed["description"], listed["yaml"]) == (ODD["descricao"], '"OFF-01": STATUS')
        assert " 1 event of 1 shipment, first seen " in trial.command("carriers", "unknown").stdout
        asked = len(gateway.calls("objetos"))
        trial.carrier["codes"] = {"OFF-01": {"status": "lost", "cause": "loss"}}
        trial.pass_at(at(day(2), 9, 10))
        assert len(gateway.calls("objetos")) == asked
    history = trial.one(ShipmentHistory)
    assert (history["status"], history["lost_at"]) == ("lost", HAPPENED)
    assert trial.one(Problem, kind="loss")["since"] == HAPPENED  # the day it happened, not the day of the mapping
    assert trial.one(Alert, kind="unknown_code")["resolved_at"] == at(day(2), 9, 10)
    assert trial.command("carriers", "unknown").stdout == "no unknown codes\n"


def test_a_mapping_can_be_corrected_and_taken_away(start: Start) -> None:
    trial = at_gateway(start(), CODE)
    gateway = Gateway()
    gateway.show(CODE, event("PO-01", at(MONDAY, 10), "Objeto postado"), ODD, **DUE)
    seen = []
    with gateway.open():
        for minute, codes in enumerate(({"OFF-01": "in_transit"}, {"OFF-01": "exception"}, {})):
            trial.carrier["codes"] = codes
            trial.pass_at(at(day(2), 9, minute))
            stored = trial.one(Event, carrier_code="OFF-01")
            seen.append((trial.one(ShipmentHistory)["status"], stored["status"], stored["mapped"]))
    assert seen == [("in_transit", "in_transit", True), ("exception", "exception", True), ("posted", "unknown", None)]
    assert trial.one(Alert, kind="unknown_code")["resolved_at"] is None  # nobody reads it again


def test_new_events_are_read_by_the_mapping_at_once(start: Start) -> None:
    trial = at_gateway(start(), CODE)
    trial.carrier["codes"] = {"off-01": "in_transit"}
    gateway = Gateway()
    gateway.show(CODE, event("PO-01", at(MONDAY, 10), "Objeto postado"), ODD, **DUE)
    with gateway.open():
        trial.pass_at(at(day(2), 9))
        version = trial.one(ShipmentHistory)["version"]
        trial.pass_at(at(day(2), 13))
    assert (trial.one(ShipmentHistory)["status"], trial.one(ShipmentHistory)["version"]) == ("in_transit", version)
    assert trial.rows(Alert, kind="unknown_code") == []


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        pytest.param("OFF-01", STATUS.UNKNOWN, STATUS.IN_TRANSIT, id="what the adapter leaves unknown"),
        pytest.param("OFF-01", STATUS.LOST, STATUS.IN_TRANSIT, id="in place of the adapter's own reading"),
        pytest.param("OFF-02", STATUS.UNKNOWN, STATUS.UNKNOWN, id="a neighbour is another code"),
        pytest.param("OFF-011", STATUS.UNKNOWN, STATUS.UNKNOWN, id="a beginning is no code"),
    ],
)
def test_what_a_mapping_reads(code: str, status: TrackingStatus, expected: TrackingStatus) -> None:
    assert read_by({"OFF-01": CodeReading(STATUS.IN_TRANSIT)}, told(code, NOW, status, "x")).status is expected


@pytest.mark.parametrize(
    ("reading", "final", "attempt"),
    [
        pytest.param(CodeReading(STATUS.IN_TRANSIT), False, False, id="on its way"),
        pytest.param(CodeReading(STATUS.DELIVERED), True, True, id="delivered"),
        pytest.param(CodeReading(STATUS.AVAILABLE_FOR_PICKUP), False, True, id="laid out for pickup"),
        pytest.param(CodeReading(STATUS.DELIVERY_FAILED, Cause.ABSENT), False, True, id="came and found nobody"),
        pytest.param(CodeReading(STATUS.DELIVERY_FAILED, Cause.DELAY), False, False, id="did not come"),
        pytest.param(CodeReading(STATUS.LOST, Cause.LOSS), False, False, id="lost objects reappear"),
    ],
)
def test_what_follows_from_a_status(reading: CodeReading, final: bool, attempt: bool) -> None:
    mapped = read_by({"X-1": reading}, told("X-1", NOW, STATUS.UNKNOWN, "x"))
    assert isinstance(mapped, MappedEvent)
    assert (mapped.final, mapped.attempt, mapped.cause) == (final, attempt, reading.cause)


def test_what_the_merchant_says_counts_as_confirmed() -> None:
    words = replace(told("EXTRAVIADO", NOW, STATUS.LOST, "x", cause=Cause.LOSS), by_words=True, indemnified=True)
    mapped = read_by({"EXTRAVIADO": CodeReading(STATUS.LOST, Cause.LOSS)}, words)
    assert isinstance(mapped, MappedEvent) and mapped.own is not None
    assert (mapped.by_words, mapped.indemnified, mapped.own.by_words) == (False, False, True)


@pytest.mark.anyio
async def test_a_known_code_is_overruled_and_stands_again_when_the_line_is_taken_away(database: Database) -> None:
    words = replace(told("EXTRAVIADO", NOW, STATUS.LOST, "x", cause=Cause.LOSS), by_words=True)
    with database.begin_write() as connection:
        (parcel,) = add_order(connection, order("1"), PARCEL)
        track(connection, parcel, [POSTED, MOVING, words])
    seen = []
    for mapping in ({"EXTRAVIADO": CodeReading(STATUS.EXCEPTION)}, {"EXTRAVIADO": CodeReading(STATUS.LOST)}, {}):
        read = await CodeSweep(database, {"correios": mapping}).run(NOW)
        with database.begin_read() as connection:
            (stored,) = events_of(connection, [parcel])[parcel][2:]
            history = histories_of(connection, [parcel])[parcel].history
        again = await CodeSweep(database, {"correios": mapping}).run(NOW)
        seen.append((read, again, history.status.value, stored.by_words, stored.mapped, sorted(history.by_words)))
    assert seen == [
        (1, 0, "exception", False, True, []),
        (1, 0, "lost", False, True, []),
        (1, 0, "lost", True, None, ["lost_at"]),
    ]


@pytest.mark.anyio
async def test_pages_of_events_hide_none(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.events.reread.PAGE", 3)
    with database.begin_write() as connection:
        for number in range(1, 5):
            (parcel,) = add_order(connection, order(str(number)), f"AA98765{number}325BR")
            track(connection, parcel, [POSTED, MOVING])
    mapping = {"RO-01": CodeReading(STATUS.OUT_FOR_DELIVERY)}
    assert await CodeSweep(database, {"correios": mapping}).run(NOW) == 4


@pytest.mark.anyio
async def test_many_events_are_read_again_in_batches_and_of_one_carrier_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.events.reread.BATCH", 2)
    odd = [told("OFF-01", NOW - timedelta(hours=n), STATUS.UNKNOWN, "x") for n in range(1, 6)]
    with database.begin_write() as connection:
        (ours,) = add_order(connection, order("1"), PARCEL)
        (theirs,) = add_order(connection, order("2"), "AA987654325BR", carrier="outra")
        for shipment in (ours, theirs):
            track(connection, shipment, [POSTED, MOVING, *odd])
    codes = {"correios": {"OFF-01": CodeReading(STATUS.EXCEPTION)}, "outra": {}}
    sweep = CodeSweep(database, codes)
    assert (await sweep.run(NOW), await sweep.run(NOW)) == (5, 0)
    with database.begin_read() as connection:
        rows = connection.execute(table(Event).select()).all()
        assert misread(connection, "correios", codes["correios"], 10) == []
    assert {(row.shipment_id, row.status) for row in rows if row.carrier_code == "OFF-01"} == {
        (ours, "exception"),
        (theirs, "unknown"),
    }


def fill(database: Database) -> None:
    common = {"seen_at": NOW, "description": "x", **dict.fromkeys(("final", "attempt", "reversal"), False)}
    common |= {"indemnified": False, "void": False, "occurred_at": NOW}
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), PARCEL)
        rows: list[dict[str, Any]] = [
            {
                **common,
                "shipment_id": shipment,
                "event_key": str(n),
                "carrier_code": "OFF-01" if n % 1000 == 0 else "RO-01",
                "status": "unknown" if n % 1000 == 0 else "in_transit",
            }
            for n in range(20_000)
        ]
        connection.execute(insert(table(Event)), rows)
        connection.execute(text("ANALYZE"))


def test_unread_events_are_found_by_their_index(database: Database) -> None:
    fill(database)
    query = "SELECT e.id FROM events e WHERE (status = 'unknown' OR mapped) AND NOT reversal"
    explain = "EXPLAIN QUERY PLAN " if database.sqlite else "EXPLAIN "
    with database.begin_read() as connection:
        plan = "\n".join(str(row[-1]) for row in connection.execute(text(explain + query)))
    assert "ix_events_unread" in plan, plan
