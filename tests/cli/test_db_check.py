"""`tracker db check`: a shop's rows are in order, and each rule that is broken is named with the rows that break it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from tests.cli.conftest import Tracker, write_config
from tests.reports.support import add_order, at, order
from tracker.cli.main import app
from tracker.domain.words import Trigger
from tracker.engine.lock import EngineLock
from tracker.store.claims import add_claim
from tracker.store.database import Database
from tracker.store.deliveries import add_delivery
from tracker.store.notices import add_member, add_notice

CLAIM = {
    "shop": "exemplo",
    "tracking_ref_id": 1,
    "carrier": "correios",
    "kind": "refund",
    "motive": "211",
    "state": "open",
    "planned_at": at(11),
    "claimable_from": at(12).date(),
    "opened_at": at(12),
    "next_step_at": at(20),
    "version": 1,
}


@pytest.fixture
def check(
    database: Database, database_url: str, tmp_path: Any, configured: Callable[[str, str | None], Tracker]
) -> Callable[..., Any]:
    configured(database_url, None)
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), "AA123456785BR")
        add_claim(connection, {**CLAIM, "shipment_id": shipment})
        notice = {"shop": "exemplo", "order_id": 1, "trigger": "posted", "occurrence": "1:1"}
        dates = {"since": at(11), "created_at": at(11), "expires_at": at(30)}
        notice_id = add_notice(connection, {**notice, **dates})
        assert notice_id is not None
        add_member(connection, notice_id, shipment, Trigger.POSTED, 1, None)
        delivery = {"notice_id": notice_id, "channel": "email", "state": "queued", "queued_at": at(11)}
        add_delivery(connection, {**delivery, "next_step_at": at(12)})
    return Tracker(app, write_config(tmp_path, database_url, None))


def test_a_shop_in_order(check: Tracker) -> None:
    document = check.json("db", "check")
    assert document["ok"] is True and document["faults"] == []
    assert document["rows"]["claims"] == 1 and len(document["rules"]) >= 15
    assert all(rule == {"found": 0, "examples": []} for rule in document["rules"].values())
    assert "whole (" in check("db", "check").stdout


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        pytest.param("UPDATE claims SET next_step_at = NULL", "claim.asleep", id="a claim that nothing wakes"),
        pytest.param("UPDATE claims SET state = 'paid'", "claim.closed", id="paid and not ended"),
        pytest.param("UPDATE claims SET opened_at = NULL", "claim.opened", id="open and never opened"),
        pytest.param("UPDATE claims SET state = 'opne'", "claim.words", id="a claim's state misspelt"),
        pytest.param("UPDATE deliveries SET next_step_at = NULL", "message.asleep", id="a message that nothing sends"),
        pytest.param("UPDATE deliveries SET state = 'sent', next_step_at = NULL", "message.sent", id="sent at no time"),
        pytest.param("UPDATE deliveries SET state = 'expired'", "message.over", id="ended and still due"),
        pytest.param("UPDATE deliveries SET state = 'awaiting_person'", "message.held", id="held for no reason"),
        pytest.param("UPDATE deliveries SET state = 'gone'", "message.words", id="a message's state misspelt"),
        pytest.param("DELETE FROM notice_members", "notice.members", id="a notice about nothing"),
        pytest.param("UPDATE shipment_polls SET next_poll_at = NULL", "poll.asleep", id="asked about no more"),
    ],
)
def test_a_rule_that_is_broken_is_named(check: Tracker, database: Database, spoil: str, rule: str) -> None:
    with database.begin_write() as connection:
        connection.execute(text(spoil))
    result = check("db", "check")
    assert result.exit_code == 1
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("1 ") and f"({rule}: 1)" in sentence
    assert "1 faults (" in result.stdout


def test_a_natural_key_that_is_gone_is_named(check: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        connection.execute(text("DROP INDEX uq_claims_open"))
    result = check("db", "check")
    assert result.exit_code == 1
    assert "the schema lacks something: add_index uq_claims_open" in result.stderr


def test_a_file_is_made_smaller_and_not_beside_a_daemon(check: Tracker, database: Database, database_url: str) -> None:
    with EngineLock(database_url):
        assert check("db", "compact").exit_code == 2
    # As in a process of its own: what the log says belongs to a journal, a person reads the answer alone.
    structlog.reset_defaults()
    result = check("db", "compact")
    assert (result.exit_code, len(result.output.splitlines())) == (0, 1), result.output
    assert re.search(r": [\d.]+ -> [\d.]+ MiB$", result.stdout.strip())
    assert "whole (" in check("db", "check").stdout
