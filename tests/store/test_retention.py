"""What has ended long ago goes, whole, archived once and never twice; what anything still needs stays; and nothing comes back."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import shutil
import signal as signals
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import UniqueConstraint, event, insert, select, text, update
from sqlmodel import SQLModel

from carriers.base import RefKind, TrackingRef
from tests.reports.support import (
    DELIVERED,
    EMAIL,
    POSTED,
    add_a_claim,
    add_message,
    add_order,
    add_problem,
    order,
    track,
)
from tests.store.old_releases import build
from tests.support.schema import prepare
from tracker.archives import Archive
from tracker.domain.order import Address, Package, Person
from tracker.domain.order import Order as OrderRead
from tracker.domain.retention import Terms, next_hour
from tracker.retention import RetentionSweep
from tracker.store.compact import Room, may_compact
from tracker.store.database import Database
from tracker.store.gauges import database_size
from tracker.store.hooks import Arrival, keep_deliveries, packed
from tracker.store.logs import DecisionNote, SignalNote, log_act, log_decisions, signal
from tracker.store.migrate import checked
from tracker.store.new_orders import save_orders
from tracker.store.order_rows import Parcel
from tracker.store.polls import keep_raw
from tracker.store.retention import ANSWERS, HOOKS, LOGS, ORDERS, SIGNALS, WITH_ORDERS, Pile, order_facts
from tracker.store.schema import head
from tracker.store.tables import (
    ArchivedName,
    Claim,
    Decision,
    Delivery,
    Event,
    Order,
    OrderAlias,
    Problem,
    RawAnswer,
    ReturnedMail,
    Shipment,
    ShipmentPoll,
    Suppression,
    table,
)

ROOT = Path(__file__).parents[2]
THEN = datetime(2026, 11, 24, 15, tzinfo=UTC)
"""All is over by then, but for what a test opens again."""
LATER = THEN + timedelta(days=181)
TERMS = Terms(orders=timedelta(days=180), answers=timedelta(days=120), logs=timedelta(days=90))
CODE = "AA123456785BR"
KEY = "35261112345678000195550010000012341000012346"


def ended(database: Database, number: str = "10482", code: str = CODE, **changes: Any) -> int:
    """An order with everything that one can have, all of it over; returns its shipment."""
    with database.begin_write() as connection:
        (shipment,) = add_order(
            connection, order(number, aliases=(("invoice_key", f"{KEY}{number}"),), **changes), code
        )
        track(connection, shipment, (POSTED, DELIVERED), next_poll_at=None)  # type: ignore[arg-type]
        problem = add_problem(connection, shipment)
        closed = {"state": "paid", "opened_at": THEN, "closed_at": THEN}
        claim = add_a_claim(connection, shipment, [problem], **closed)
        sent = {"state": "sent", "sent_at": THEN, "body": zlib.compress(b"Subject: Ol\xc3\xa1\r\n\r\nMarina")}
        message = add_message(connection, shipment, problem_id=problem, **sent)
        values = {"resolved_at": THEN, "resolution": "delivered"}
        connection.execute(update(table(Problem)).where(table(Problem).c.id == problem).values(**values))
        polls = table(ShipmentPoll)
        connection.execute(update(polls).where(polls.c.shipment_id == shipment).values(closed_reason="final"))
        keep_raw(connection, "shipment", [(shipment, f"d{n}", b'{"objeto": "\xc3\xa9"}' * n) for n in (1, 2)], THEN)
        keep_raw(connection, "claim", [(claim, "c1", b"{}")], THEN)
        returned = {
            "mail_key": f"k{number}",
            "recipient": EMAIL,
            "kind": "failed",
            "status": "5.1.1",
            "evidence": "no such",
        }
        connection.execute(
            insert(table(ReturnedMail)), {**returned, "delivery_id": message, "seen_at": THEN, "applied_at": THEN}
        )
        stands = {"shop": "", "channel": "email", "address": f"{number}@example.com", "reason": "gone", "evidence": "x"}
        connection.execute(insert(table(Suppression)), {**stands, "source": "dsn", "delivery_id": message, "at": THEN})
        order_id = connection.execute(
            select(table(Shipment).c.order_id).where(table(Shipment).c.id == shipment)
        ).scalar_one()
        log_act(
            connection, who="fulana", act="mute", subject_kind="order", subject_id=order_id, reason="asked", at=THEN
        )
        connection.execute(update(table(Order)).where(table(Order).c.id == order_id).values(updated_at=THEN))
    return shipment


def young(database: Database) -> None:
    """The newest of everything, which is never dropped."""
    shipment = ended(database, "99999", "AA999999995BR")
    with database.begin_write() as connection:
        shipments = table(Shipment)
        newest = select(shipments.c.order_id).where(shipments.c.id == shipment).scalar_subquery()
        values = {"created_at": LATER, "updated_at": LATER}
        connection.execute(update(table(Order)).where(table(Order).c.id == newest).values(**values))
        connection.execute(
            update(table(RawAnswer)).where(table(RawAnswer).c.subject_id == shipment).values(seen_at=LATER)
        )


def sweep(database: Database, archive: Path | None = None, **changes: Any) -> RetentionSweep:
    given: dict[str, Any] = {
        "terms": TERMS,
        "at": time(4, 15),
        "zone": UTC,
        "archive": Archive(archive) if archive is not None else None,
        "compact_mib": 0,
        "stopping": lambda: False,
    }
    return RetentionSweep(database, **{**given, **changes})


def run(database: Database, archive: Path | None = None, now: datetime = LATER, **changes: Any) -> None:
    assert asyncio.run(sweep(database, archive, **changes).run(now)) == 0


def numbers(database: Database) -> list[str]:
    with database.begin_read() as connection:
        return list(connection.execute(select(table(Order).c.number).order_by(table(Order).c.id)).scalars())


def count(database: Database, model: type[SQLModel]) -> int:
    with database.begin_read() as connection:
        return len(connection.execute(select(table(model))).all())


def archived(folder: Path, pile: str = "orders") -> list[dict[str, Any]]:
    lines = []
    for file in sorted(folder.glob(f"{pile}-*.jsonl.gz")):
        lines += [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    return lines


def test_every_table_is_dropped_with_an_order_or_for_a_reason_kept() -> None:
    piles = {ANSWERS.name, HOOKS.name, SIGNALS.name, *(pile.name for pile in LOGS), "alert_deliveries"}
    # What is about no order, does not grow with them, or is all that is kept of one.
    kept = {
        *("imports", "incidents", "carrier_states", "carrier_outages", "carrier_tokens", "claim_desks", "suppressions"),
        *("mail_circuits", "mail_uses", "return_mailboxes", "alert_sinks", "pulses", "restores"),
        *("archived_names", "retention_marks"),
        *("engine_lanes", "engine_queue", "engine_workers"),
        # What carriers send by themselves is tidied by the lane that reads it.
        *("carrier_feeds", "feed_files", "feed_waiting", "feed_seen", "code_mappings"),
    }
    gone = {table(model).name for model in WITH_ORDERS}
    assert (gone | piles) & kept == set()
    assert gone | piles | kept == set(SQLModel.metadata.tables)


def test_an_order_goes_with_everything_of_it(database: Database) -> None:
    ended(database)
    young(database)
    run(database)
    assert numbers(database) == ["99999"]
    for model in (Shipment, Event, Problem, Claim, Delivery, OrderAlias):
        assert count(database, model) == (2 if model is Event else 1), model
    # An address that failed goes on being left alone.
    assert count(database, Suppression) == 2
    assert checked(database).faults == ()
    # Nobody can be told by what is left of it.
    with database.begin_read() as connection:
        assert sorted(tuple(row)[:3] for row in connection.execute(select(table(ArchivedName)))) == [
            ("exemplo", "file:number", "10482"),
            ("exemplo", "invoice_key", f"{KEY}10482"),
        ]


OPEN: dict[str, str] = {
    "it is still asked about": "UPDATE shipment_polls SET next_poll_at = '2030-01-01 00:00:00' WHERE shipment_id = 1",
    "nobody said why it is asked about no more": "UPDATE shipment_polls SET closed_reason = NULL WHERE shipment_id = 1",
    "a problem is open": "UPDATE problems SET resolved_at = NULL, resolution = NULL WHERE id = 1",
    "a claim is open": "UPDATE claims SET state = 'open', closed_at = NULL WHERE id = 1",
    "a message waits for a person": "UPDATE deliveries SET state = 'awaiting_person' WHERE id = 1",
    "a message is queued": "UPDATE deliveries SET state = 'queued', next_step_at = '2030-01-01 00:00:00' WHERE id = 1",
    "a mail that came back is not read yet": "UPDATE returned_mails SET applied_at = NULL WHERE id = 1",
    "it was changed the other day": "UPDATE orders SET updated_at = '2027-05-01 00:00:00' WHERE id = 1",
    "a person did something the other day": "UPDATE operator_acts SET at = '2027-05-01 00:00:00' WHERE id = 1",
    "the claim ended the other day": "UPDATE claims SET closed_at = '2027-05-01 00:00:00' WHERE id = 1",
    "the carrier told something the other day": "UPDATE shipment_histories SET last_event_at = '2027-05-01 00:00:00' "
    "WHERE shipment_id = 1",
    "it should have a parcel by then": "INSERT INTO order_checks (order_id, next_check_at) VALUES (1, '2030-01-01 00:00:00')",
    "it is looked at again": "INSERT INTO shipment_checks (shipment_id, next_check_at) VALUES (1, '2030-01-01 00:00:00')",
    "its claims are looked at again": "INSERT INTO claim_checks (shipment_id, next_check_at) "
    "VALUES (1, '2030-01-01 00:00:00')",
}


@pytest.mark.parametrize("why", OPEN)
def test_what_has_not_ended_stays(sqlite_database: Database, why: str) -> None:
    ended(sqlite_database)
    young(sqlite_database)
    with sqlite_database.begin_write() as connection:
        assert connection.execute(text(OPEN[why])).rowcount == 1
    run(sqlite_database)
    assert numbers(sqlite_database) == ["10482", "99999"]


def test_what_a_problem_holds_goes_once_nobody_can_claim_anything_any_more(sqlite_database: Database) -> None:
    ended(sqlite_database)
    young(sqlite_database)
    with sqlite_database.begin_write() as connection:
        connection.execute(text(OPEN["a problem is open"]))
    for days, left in ((1824, ["10482", "99999"]), (1826, [])):
        run(sqlite_database, now=THEN + timedelta(days=days))
        assert [number for number in numbers(sqlite_database) if number != "99999"] == left[:-1]


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    prepare(sqlite_url)
    database = Database(sqlite_url)
    yield database
    database.close()


def test_the_newest_of_everything_stays_however_old(database: Database) -> None:
    ended(database)
    run(database)
    assert numbers(database) == ["10482"]


def test_an_order_is_kept_for_its_days_and_no_longer(database: Database) -> None:
    ended(database)
    young(database)
    run(database, now=THEN + timedelta(days=179))
    assert numbers(database) == ["10482", "99999"]
    run(database, now=THEN + timedelta(days=181))
    assert numbers(database) == ["99999"]


def test_a_day_has_one_walk(sqlite_database: Database) -> None:
    run(sqlite_database)
    ended(sqlite_database)
    young(sqlite_database)
    run(sqlite_database, now=LATER + timedelta(minutes=5))
    assert numbers(sqlite_database) == ["10482", "99999"]
    run(sqlite_database, now=LATER + timedelta(days=1))
    assert numbers(sqlite_database) == ["99999"]


# --- the archive ------------------------------------------------------------------------------------


def test_what_goes_is_archived_readably(database: Database, tmp_path: Path) -> None:
    ended(database)
    young(database)
    run(database, tmp_path / "old")
    (line,) = archived(tmp_path / "old")
    assert (line["order"], line["shop"], line["number"]) == (1, "exemplo", "10482")
    rows = line["rows"]
    assert rows["orders"][0]["customer_name"] == "Marina Souza"
    assert rows["raw_answers"][1]["body"] == '{"objeto": "é"}' * 2
    assert rows["deliveries"][0]["body"].endswith("Marina")
    assert [len(rows[name]) for name in ("events", "claims", "problems", "order_items")] == [2, 1, 1, 2]
    assert {row["subject_kind"] for row in rows["decisions"]} == {"problem", "claim", "message"}
    (file,) = (tmp_path / "old").glob("orders-*")
    assert file.name == f"orders-{LATER:%Y-%m}.jsonl.gz"
    assert file.stat().st_mode & 0o077 == 0 and file.parent.stat().st_mode & 0o077 == 0


def test_a_months_batches_stand_one_after_the_other(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        ended(sqlite_database, f"1{number}", f"AA12345678{number}BR")
    young(sqlite_database)
    monkeypatch.setattr("tracker.retention.ORDERS", _small(2))
    run(sqlite_database, tmp_path)
    assert [line["number"] for line in archived(tmp_path)] == [f"1{number}" for number in range(7)]
    assert numbers(sqlite_database) == ["99999"]


def _small(batch: int) -> Pile:
    return replace(ORDERS, batch=batch)


def test_an_archive_that_cannot_be_written_drops_nothing_and_says_so(database: Database, tmp_path: Path) -> None:
    ended(database)
    young(database)
    (tmp_path / "file").write_text("no folder")
    lane = sweep(database, tmp_path / "file" / "old")
    asyncio.run(lane.run(LATER))
    assert numbers(database) == ["10482", "99999"]
    with database.begin_read() as connection:
        key, raised, summary = connection.execute(text("SELECT key, raised, summary FROM signals")).one()
    assert (key, bool(raised)) == ("retention_failed", True) and "cannot be archived" in summary
    asyncio.run(lane.run(LATER + timedelta(minutes=5)))
    lane.archive = Archive(tmp_path / "old")
    asyncio.run(lane.run(LATER + timedelta(minutes=20)))
    assert numbers(database) == ["99999"]
    assert len(archived(tmp_path / "old")) == 1


def test_an_order_that_changes_while_it_is_archived_stays_and_its_copy_goes(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(sqlite_database)
    young(sqlite_database)
    real = Archive.append

    def meddled(self: Archive, place: Any, documents: Any) -> None:
        real(self, place, documents)
        if "orders" in place.file:
            with sqlite_database.begin_write() as connection:
                connection.execute(text("UPDATE orders SET city = 'Londrina' WHERE id = 1"))

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "append", meddled)
        run(sqlite_database, tmp_path)
    assert numbers(sqlite_database) == ["10482", "99999"]
    assert archived(tmp_path) == []
    run(sqlite_database, tmp_path, now=LATER + timedelta(days=1))
    (line,) = archived(tmp_path)
    assert line["rows"]["orders"][0]["city"] == "Londrina"


_DIES_AT = """
import asyncio, os, signal, sys
from pathlib import Path
from tracker import retention, archives
from tests.store.test_retention import Database, LATER, sweep, _small
retention.ORDERS = _small(2)
place, when, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
holder = archives.Archive if hasattr(archives.Archive, place) else retention
real = getattr(holder, place)
def dying(*given, **named):
    global calls
    calls -= 1
    if calls == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(*given, **named)
    if calls == 0:
        if when == "half":
            path = given[0].folder / given[1].file
            os.truncate(path, given[1].size + 20)
        os.kill(os.getpid(), signal.SIGKILL)
    return found
setattr(holder, place, dying)
asyncio.run(sweep(Database(sys.argv[4]), Path(sys.argv[5])).run(LATER))
"""


@pytest.mark.parametrize(
    ("place", "when", "calls"),
    [
        pytest.param("append", "before", 2, id="the place of a batch is noted"),
        pytest.param("append", "half", 2, id="half a batch is written"),
        pytest.param("append", "after", 2, id="a batch is written and its rows are there"),
        pytest.param("_dropped", "after", 3, id="as the rows are dropped"),
    ],
)
def test_a_death_in_the_middle_loses_and_doubles_nothing(
    sqlite_database: Database, sqlite_url: str, tmp_path: Path, place: str, when: str, calls: int
) -> None:
    wanted = [f"1{number}" for number in range(7)]
    for number in wanted:
        ended(sqlite_database, number, f"AA12345678{number[1]}BR")
    young(sqlite_database)
    words = [place, when, str(calls), sqlite_url, str(tmp_path / "old")]
    killed = subprocess.run(
        [sys.executable, "-c", _DIES_AT, *words], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert killed.returncode == -signals.SIGKILL, killed.stderr.decode()
    shutil.copytree(tmp_path / "old", tmp_path / "at_death")
    standing = set(numbers(sqlite_database))
    assert standing - {"99999"} and standing < {*wanted, "99999"}
    run(sqlite_database, tmp_path / "old")
    assert sorted(line["number"] for line in archived(tmp_path / "old")) == wanted
    assert numbers(sqlite_database) == ["99999"]


# --- what comes again -------------------------------------------------------------------------------


def take(database: Database, wanted: OrderRead, *codes: str) -> Any:
    parcels = [
        Parcel(Package(tracking_code=code), "correios", "correios", TrackingRef(RefKind.CODE, code)) for code in codes
    ]
    with database.begin_write() as connection:
        return save_orders(connection, "exemplo", [(wanted, parcels)], LATER)[0]


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(order("10482"), id="by its number"),
        pytest.param(order("nfe:1", ordered_at=None, aliases=(("invoice_key", f"{KEY}10482"),)), id="by its invoice"),
    ],
)
def test_an_old_file_brings_no_dropped_order_back(database: Database, wanted: OrderRead) -> None:
    ended(database)
    young(database)
    run(database)
    saved = take(database, wanted, CODE)
    assert saved.archived_at is not None and saved.new_shipments == () and not saved.changed
    assert numbers(database) == ["99999"]


def test_a_number_and_a_code_that_are_used_again_are_a_new_order(database: Database) -> None:
    ended(database)
    young(database)
    run(database)
    saved = take(database, order("10482", ordered_at=LATER), CODE)
    assert saved.is_new and len(saved.new_shipments) == 1
    saved = take(database, order("777", ordered_at=LATER), "AA111111115BR")
    assert saved.is_new


def test_a_code_is_free_for_another_order_once_its_first_is_dropped(database: Database) -> None:
    ended(database)
    young(database)
    other = {"customer": Person("Bruno Lima"), "address": Address("01310100")}
    assert take(database, order("10500", **other), CODE).taken == ((CODE, "10482"),)
    run(database)
    assert len(take(database, order("10500", **other), CODE).new_shipments) == 1


def test_another_shops_order_of_that_number_is_another_one(database: Database) -> None:
    ended(database)
    young(database)
    run(database)
    with database.begin_write() as connection:
        assert save_orders(connection, "outra", [(order("10482"), [])], LATER)[0].is_new


# --- answers and logs -------------------------------------------------------------------------------


def test_answers_go_before_their_order(database: Database, tmp_path: Path) -> None:
    ended(database)
    run(database, tmp_path, now=THEN + timedelta(days=121))
    assert count(database, RawAnswer) == 0
    first, *_ = archived(tmp_path, "raw_answers")
    assert first["row"]["body"] == '{"objeto": "é"}'
    assert numbers(database) == ["10482"]


@pytest.mark.parametrize("why", ["it is still asked about", "a problem is open", "a claim is open"])
def test_the_evidence_of_what_is_open_stays(sqlite_database: Database, why: str) -> None:
    ended(sqlite_database)
    with sqlite_database.begin_write() as connection:
        connection.execute(text(OPEN[why]))
    run(sqlite_database)
    assert count(sqlite_database, RawAnswer) == 3


def test_old_log_lines_go_but_those_of_what_is_open(database: Database) -> None:
    ended(database)
    shipment = ended(database, "10483", "AA987654325BR")
    with database.begin_write() as connection:
        connection.execute(text("UPDATE claims SET state = 'open', closed_at = NULL WHERE id = 2"))
        log_decisions(connection, [DecisionNote("exemplo", "shipment", shipment, "r", 1, "o", "w", {})], THEN)
        signal(connection, [SignalNote("k", "k", "info", "s")], THEN)
    run(database, now=THEN + timedelta(days=91))
    with database.begin_read() as connection:
        left = connection.execute(select(table(Decision).c.subject_kind, table(Decision).c.subject_id)).all()
    assert [tuple(row) for row in left] == [("claim", 2), ("shipment", shipment)]


def test_what_alerts_were_made_of_is_soon_gone_and_in_no_archive(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.begin_write() as connection:
        for at in (THEN, THEN + timedelta(days=2)):
            signal(connection, [SignalNote("k", "k", "info", "s")], at)
        connection.execute(text("UPDATE signals SET consumed_at = at WHERE id < 3"))
        signal(connection, [SignalNote("k", "k", "info", "nobody has read this one")], THEN)
    run(sqlite_database, tmp_path, now=THEN + timedelta(days=15))
    with sqlite_database.begin_read() as connection:
        assert connection.execute(text("SELECT id FROM signals")).scalars().all() == [2, 3]
    assert archived(tmp_path, "signals") == []


def test_what_carriers_pushed_is_dropped_once_it_is_read_or_given_up(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.begin_write() as connection:
        for number, at in enumerate((THEN, THEN, THEN + timedelta(days=2))):
            keep_deliveries(connection, [Arrival("flecha", f"d{number}", packed(b"{}"), at)])
        connection.execute(text("UPDATE hook_deliveries SET state = 'read', next_read_at = NULL WHERE id <> 2"))
    run(sqlite_database, tmp_path, now=THEN + timedelta(days=31))
    with sqlite_database.begin_read() as connection:
        # The second waits for whoever can read it, the third is too young.
        assert connection.execute(text("SELECT id FROM hook_deliveries")).scalars().all() == [2, 3]
    assert archived(tmp_path, "hook_deliveries") == []


def test_a_shop_of_every_table_is_looked_at_without_a_fault(sqlite_url: str, tmp_path: Path) -> None:
    build(sqlite_url, head())
    database = Database(sqlite_url)
    run(database, tmp_path, now=THEN + timedelta(days=2000))
    assert count(database, Order) >= 1
    database.close()


# --- the work itself --------------------------------------------------------------------------------


def big(database: Database, rows: int) -> None:
    """Many orders with their parcels, all of them young."""
    with database.begin_write() as connection:
        day = {"created_at": LATER, "updated_at": LATER}
        base = {"shop": "exemplo", "source": "file", "status": "shipped", **day}
        connection.execute(insert(table(Order)), [{**base, "id": n, "number": f"n{n}"} for n in range(10, rows)])
        at = {"subject_kind": "shipment", "body": b"x", "seen_at": LATER}
        raws = [{**at, "subject_id": n, "digest": "d"} for n in range(10, rows)]
        connection.execute(insert(table(RawAnswer)), raws)
        connection.execute(text("ANALYZE"))


def test_the_walks_read_no_table_whole(database: Database) -> None:
    ended(database)
    big(database, 3_000)
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("INSERT"):
            return
        prefix = "EXPLAIN QUERY PLAN " if database.sqlite else "EXPLAIN "
        with closing(connection.connection.driver_connection.cursor()) as asked:
            asked.execute(prefix + statement, parameters)
            plans.extend(f"{row} <- {statement[:90]}" for row in asked.fetchall())

    with database.begin_write() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        for pile in (ORDERS, ANSWERS, HOOKS, SIGNALS, *LOGS):
            assert len(pile.look(connection, 0, LATER - timedelta(days=1)).ids) <= pile.batch
        ORDERS.drop(connection, [1])
    assert plans and [plan for plan in plans if _reads_all(plan)] == []


def _reads_all(plan: str) -> bool:
    """Whether a step reads one of the two filled tables from end to end."""
    return any(f"SCAN {name}" in plan or f"Seq Scan on {name}" in plan for name in ("orders", "raw_answers"))


def test_whatever_points_to_a_row_is_found_by_an_index() -> None:
    """A row that goes is looked for in every table that may point to it: by the database itself, which shows no plan of that."""
    lacking = []
    for rows in SQLModel.metadata.tables.values():
        first = {next(iter(rows.primary_key.columns)).name}
        first |= {next(iter(index.columns)).name for index in rows.indexes}
        first |= {next(iter(c.columns)).name for c in rows.constraints if isinstance(c, UniqueConstraint)}
        lacking += [f"{rows.name}.{c.name}" for c in rows.columns if c.foreign_keys and c.name not in first]
    assert lacking == []


def test_facts_of_an_order_say_when_the_last_thing_happened(database: Database) -> None:
    ended(database)
    with database.begin_read() as connection:
        (facts,) = order_facts(connection, [1])
    assert facts.last_at == THEN and not facts.is_open and facts.is_newest


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(datetime(2026, 11, 24, 4, 14, tzinfo=UTC), datetime(2026, 11, 24, 4, 15, tzinfo=UTC), id="today"),
        pytest.param(
            datetime(2026, 11, 24, 4, 15, tzinfo=UTC), datetime(2026, 11, 25, 4, 15, tzinfo=UTC), id="tomorrow"
        ),
    ],
)
def test_the_next_walk_begins_at_its_hour(now: datetime, expected: datetime) -> None:
    assert next_hour(time(4, 15), UTC, now) == expected


@pytest.mark.parametrize(
    ("size_mib", "free_mib", "at_most", "expected"),
    [
        pytest.param(100, 30, 1024, True, id="a third of it is empty"),
        pytest.param(100, 20, 1024, False, id="a fifth is not worth it"),
        pytest.param(20, 15, 1024, False, id="a small file is never worth it"),
        pytest.param(2000, 1000, 1024, False, id="too large to wait for"),
        pytest.param(100, 90, 0, False, id="switched off"),
    ],
)
def test_when_a_file_is_rewritten(size_mib: int, free_mib: int, at_most: int, expected: bool) -> None:
    assert may_compact(Room(size_mib * 2**20, free_mib * 2**20), at_most) is expected


def test_the_room_of_what_is_dropped_goes_back_to_the_disk(sqlite_database: Database) -> None:
    ended(sqlite_database)
    young(sqlite_database)
    with sqlite_database.begin_write() as connection:
        raws = {"subject_kind": "shipment", "subject_id": 1, "seen_at": THEN}
        bodies = [{**raws, "digest": f"x{n}", "body": os.urandom(2**20)} for n in range(20)]
        connection.execute(insert(table(RawAnswer)), bodies)
    with sqlite_database.begin_read() as connection:
        before = database_size(connection)
    run(sqlite_database, compact_mib=1024)
    with sqlite_database.begin_read() as connection:
        assert database_size(connection) < before - 20 * 2**20
    assert numbers(sqlite_database) == ["99999"]
