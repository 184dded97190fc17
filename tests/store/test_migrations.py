"""Migrations and models agree on both databases, and no database is ever harmed by a program of another age."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, insert, select, text

from tracker.store.acts import acts_about
from tracker.store.database import Database
from tracker.store.histories import due_dates, histories_of
from tracker.store.migrate import (
    MIGRATIONS,
    SchemaError,
    differences,
    head,
    integrity_faults,
    known,
    require_current,
    revision_of,
    upgrade,
)
from tracker.store.tables import (
    Alert,
    AlertDelivery,
    Claim,
    Delivery,
    Order,
    OrderCheck,
    Problem,
    ShipmentCheck,
    ShipmentPoll,
    table,
)

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_migrations_and_models_agree(database: Database) -> None:
    with database.begin_write() as connection:
        assert differences(connection) == []
        assert revision_of(connection) == head()
    require_current(database)
    assert integrity_faults(database) == []


def test_revisions_are_told_by_their_files_names_as_alembic_tells_them() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert (head(), known()) == (scripts.get_current_head(), {script.revision for script in scripts.walk_revisions()})


def test_a_command_beside_the_daemon_loads_neither_alembic_nor_the_servers_driver() -> None:
    code = "import sys, tracker.cli.prepare; print(*sorted({'alembic', 'psycopg'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url) == (None, head())
    assert upgrade(database_url) == (head(), head())


def test_a_newer_database_is_refused(database: Database, database_url: str) -> None:
    with database.begin_write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="newer than this program"):
        require_current(database)
    with pytest.raises(SchemaError, match="newer than this program"):
        upgrade(database_url)


def test_an_empty_database_is_not_taken_for_a_good_one(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(SchemaError, match="db upgrade"):
        require_current(database)
    database.close()


def test_the_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'deep' / 'tracker.db'}")
    assert (tmp_path / "deep" / "tracker.db").stat().st_mode & 0o077 == 0


def test_instants_come_back_aware_and_in_utc(database: Database) -> None:
    orders = table(Order)
    row = {"shop": "s", "source": "file", "number": "1", "status": "paid", "created_at": NOW, "updated_at": NOW}
    with database.begin_write() as connection:
        connection.execute(insert(orders), row)
    with database.begin_read() as connection:
        assert connection.execute(select(orders.c.created_at)).scalar_one() == NOW


def test_a_naive_instant_is_refused(database: Database) -> None:
    row = {
        "shop": "s",
        "source": "file",
        "number": "1",
        "status": "paid",
        "created_at": datetime(2026, 1, 1),
        "updated_at": NOW,
    }
    with pytest.raises(Exception, match="timezone"), database.begin_write() as connection:
        connection.execute(insert(table(Order)), row)


# --- from one revision to the next, with rows --------------------------------------------------------


def at_revision(url: str, revision: str) -> Database:
    """A database as the program of that revision left it."""
    database = Database(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.begin_write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return database


def put(database: Database, name: str, **row: Any) -> None:
    """A row of a table as that revision knew it."""
    with database.begin_write() as connection:
        rows = Table(name, MetaData(), autoload_with=connection)
        connection.execute(insert(rows), {key: _stored(value, database) for key, value in row.items()})


def _stored(value: Any, database: Database) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) and database.sqlite else value


def test_0002_keeps_every_row_and_has_open_shipments_looked_at_again(database_url: str) -> None:
    old = at_revision(database_url, "0001")
    stamps = {"created_at": NOW, "updated_at": NOW}
    put(old, "orders", id=1, shop="s", source="file", number="1", status="paid", state="SP", **stamps)
    put(old, "orders", id=2, shop="s", source="file", number="2", status="paid", ship_by=NOW.date(), **stamps)
    polls = {
        1: ("digest", NOW, None),
        2: ("digest", None, "final"),
        3: ("digest", None, "not_found"),
        4: (None, NOW, None),
    }
    for key, (digest, next_poll_at, closed) in polls.items():
        put(old, "shipments", id=key, order_id=1, shop="s", carrier="veloz", direction="out", created_at=NOW)
        poll = {"digest": digest, "next_poll_at": next_poll_at, "closed_reason": closed, "failures": 0}
        put(old, "shipment_polls", shipment_id=key, carrier="veloz", **poll)
    put(old, "shipment_checks", shipment_id=1)
    put(old, "shipment_checks", shipment_id=2)
    put(old, "shipment_histories", shipment_id=1, version=1, status="in_transit", first_seen_at=NOW)
    problem = {"subject_kind": "shipment", "subject_id": 1, "order_id": 1, "kind": "delay", "episode": 1}
    rule = {"presumed": False, "rule": "delay.past_promise", "rule_version": 2, "version": 1}
    put(old, "problems", id=1, shop="s", since=NOW, detected_at=NOW, **problem, **rule)
    old.close()

    assert upgrade(database_url) == ("0001", head())
    new = Database(database_url)
    with new.begin_read() as connection:
        problems, checks, digests = table(Problem), table(ShipmentCheck), table(ShipmentPoll)
        row = connection.execute(select(problems)).mappings().one()
        assert (row["carrier"], row["state"], row["place"], row["since"]) == ("veloz", "SP", None, NOW)
        due = {
            key: at is not None and at < NOW
            for key, at in connection.execute(select(checks.c.shipment_id, checks.c.next_check_at))
        }
        assert due == {1: True, 2: False, 3: True, 4: True}
        kept = {row[0]: row[1] for row in connection.execute(select(digests.c.shipment_id, digests.c.digest))}
        assert kept == {1: None, 2: "digest", 3: "digest", 4: None}
        assert connection.execute(select(table(OrderCheck).c.order_id)).scalars().all() == [2]
        assert histories_of(connection, [1])[1].history.location is None
    assert integrity_faults(new) == []
    new.close()


def test_0005_keeps_the_claims_that_stand(database_url: str) -> None:
    """Claims get the columns of their second life; indexes on what is not filed yet hold what stands there."""
    old = at_revision(database_url, "0001")
    put(old, "orders", id=1, shop="s", source="file", number="1", status="paid", created_at=NOW, updated_at=NOW)
    put(old, "shipments", id=1, order_id=1, shop="s", carrier="c", direction="out", created_at=NOW)
    ref = {"adapter": "c", "kind": "code", "value": "AA1", "cycle": 1, "account": "", "active": True}
    put(old, "tracking_refs", id=1, shipment_id=1, added_at=NOW, **ref)
    claim = {"kind": "refund", "motive": "211", "state": "open", "protocol": "210000001", "version": 1}
    put(
        old,
        "claims",
        id=1,
        shop="s",
        shipment_id=1,
        tracking_ref_id=1,
        carrier="c",
        planned_at=NOW,
        claimable_from=NOW.date(),
        **claim,
    )
    old.close()
    assert upgrade(database_url) == ("0001", head())
    new = Database(database_url)
    with new.begin_read() as connection:
        assert differences(connection) == []
        row = connection.execute(select(table(Claim))).mappings().one()
    new.close()
    kept = (row["protocol"], row["adopted"], row["reopened_at"], row["escalated_at"])
    assert kept == ("210000001", False, None, None)


def test_0006_keeps_the_messages_that_stand(database_url: str) -> None:
    """What left can come back later, and what the customer must act on leaves first."""
    old = at_revision(database_url, "0005")
    put(old, "orders", id=1, shop="s", source="file", number="1", status="paid", created_at=NOW, updated_at=NOW)
    notice = {"shop": "s", "order_id": 1, "since": NOW, "created_at": NOW, "expires_at": NOW, "version": 1}
    put(old, "notices", id=1, trigger="loss_confirmed", occurrence="1:1", **notice)
    put(old, "notices", id=2, trigger="posted", occurrence="1:1", **notice)
    message = {
        "channel": "email",
        "recipient": "Joana@cliente.example",
        "queued_at": NOW,
        "attempts": 0,
        "repeated": False,
    }
    put(old, "deliveries", id=1, notice_id=1, state="queued", next_step_at=NOW, **message)
    put(old, "deliveries", id=2, notice_id=2, state="sent", sending_at=NOW, sent_at=NOW, **message)
    old.close()
    assert upgrade(database_url) == ("0005", head())
    new = Database(database_url)
    rows = table(Delivery)
    with new.begin_read() as connection:
        assert differences(connection) == []
        found = connection.execute(select(rows.c.urgent, rows.c.sent_to, rows.c.account).order_by(rows.c.id)).all()
    new.close()
    assert [tuple(row) for row in found] == [(True, None, None), (False, "joana@cliente.example", None)]


def test_0008_keeps_what_people_did_before(database_url: str) -> None:
    """Acts get their facts, due dates and problems what a hand may leave on them; the old ones say nothing of either."""
    old = at_revision(database_url, "0005")
    put(old, "orders", id=1, shop="s", source="file", number="1", status="paid", created_at=NOW, updated_at=NOW)
    put(old, "shipments", id=1, order_id=1, shop="s", carrier="c", direction="out", created_at=NOW)
    put(old, "operator_acts", id=1, at=NOW, who="ana", act="approve", subject_kind="claim", subject_id=7)
    put(old, "due_dates", id=1, shipment_id=1, source="tracking", seq=1, due_on=NOW.date(), seen_at=NOW)
    old.close()
    assert upgrade(database_url) == ("0005", head())
    new = Database(database_url)
    with new.begin_read() as connection:
        (act,) = acts_about(connection, "claim", [7])[7]
        assert due_dates(connection, [1]) == {1: {"tracking": [NOW.date()]}}
    new.close()
    assert (act.who, act.at, act.facts) == ("ana", NOW, {})


def test_0007_keeps_what_sinks_were_told_and_are_still_to_be_told(database_url: str) -> None:
    old = at_revision(database_url, "0005")
    alert = {"shop": "", "kind": "carrier_down", "severity": "critical", "summary": "s", "details": "{}"}
    put(old, "alerts", id=1, key="k", raised_at=NOW, **alert)
    told = {"alert_id": 1, "phase": "raised", "attempts": 2}
    put(old, "alert_deliveries", id=1, sink="log", state="sent", sent_at=NOW, **told)
    put(old, "alert_deliveries", id=2, sink="webhook", state="queued", next_step_at=NOW, **told)
    old.close()
    assert upgrade(database_url)[1] == head()
    database = Database(database_url)
    words, alerts = table(AlertDelivery), table(Alert)
    with database.begin_write() as connection:
        columns = (words.c.sink, words.c.severity, words.c.made_at, words.c.next_step_at, words.c.notification_id)
        assert connection.execute(select(*columns).order_by(words.c.id)).all() == [
            ("log", "critical", NOW, None, None),
            ("webhook", "critical", NOW, NOW, None),
        ]
        assert connection.execute(select(alerts.c.times, alerts.c.acked_at)).one() == (1, None)
        assert differences(connection) == []
    database.close()
