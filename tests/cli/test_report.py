"""`tracker report --freshness` and what `check-config` says of it; neither makes a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import update
from typer.testing import CliRunner, Result

from tests.cli.conftest import Tracker
from tests.reports.support import DELIVERED, MOVING, NOW, POSTED, add_order, order, track
from tracker.cli.check_config import check_config
from tracker.cli.report import report
from tracker.store.database import Database
from tracker.store.tables import ShipmentPoll, table

POLLS = table(ShipmentPoll)
HOUR = timedelta(hours=1)


def run(tracker: Tracker, *words: str) -> Result:
    app = typer.Typer()
    app.command("report")(report)
    app.command("check-config")(check_config)
    return CliRunner().invoke(app, [*words, "-c", str(tracker.config)])


def document(tracker: Tracker, *words: str) -> Any:
    result = run(tracker, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def filled(database: Database) -> None:
    """Ten parcels in transit, looked at one to ten hours ago and answered an hour before; one nobody has looked at."""
    with database.begin_write() as connection:
        for n in range(1, 12):
            (shipment,) = add_order(connection, order(f"{n}"), f"AA{n:09}BR")
            if n == 11:
                continue
            track(connection, shipment, [POSTED, MOVING])
            values = {
                "last_polled_at": NOW - n * HOUR,
                "last_answered_at": NOW - (n + 1) * HOUR,
                "next_poll_at": NOW - HOUR if n > 8 else NOW + HOUR,
            }
            connection.execute(update(POLLS).where(POLLS.c.shipment_id == shipment).values(**values))
        (ended,) = add_order(connection, order("99"), "AA123456785BR")
        track(connection, ended, [POSTED, DELIVERED])
        connection.execute(update(POLLS).where(POLLS.c.shipment_id == ended).values(next_poll_at=None))


@pytest.mark.usefixtures("filled")
def test_ages_by_status(tracker: Tracker) -> None:
    statuses = {one["status"]: one for one in document(tracker, "report", "--freshness")["statuses"]}
    moving = statuses["in_transit"]
    assert (moving["shipments"], moving["overdue"], moving["never_answered"]) == (10, 2, 0)
    assert moving["looked_age_s"] == {"p50": 5 * 3600, "p95": 10 * 3600, "oldest": 10 * 3600}
    assert moving["answered_age_s"] == {"p50": 6 * 3600, "p95": 11 * 3600, "oldest": 11 * 3600}
    unseen = statuses["unknown"]
    assert (unseen["shipments"], unseen["overdue"], unseen["never_answered"]) == (1, 1, 1)
    assert moving["allowed_every_s"] == 45 * 60  # all of them are late
    assert set(statuses) == {"in_transit", "unknown"}  # what is settled is not asked about any more


@pytest.mark.usefixtures("filled")
def test_what_the_limits_allow(tracker: Tracker) -> None:
    account = document(tracker, "report", "--freshness")["accounts"]["correios"]
    assert (account["kept"], account["calls_an_hour_allowed"]) == (True, 18_000)
    lines = run(tracker, "report", "--freshness").stdout
    assert "correios: 11 open shipments want" in lines
    assert "correios: 11 open shipments want" in run(tracker, "check-config").stdout
    assert document(tracker, "check-config")["freshness"]["correios"]["kept"] is True


def test_what_has_ended_is_shown_with_its_second_looks(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        (moving,) = add_order(connection, order("1"), "AA000000001BR")
        track(connection, moving, [POSTED, MOVING])
        (ended,) = add_order(connection, order("2"), "AA000000002BR")
        track(connection, ended, [POSTED, DELIVERED])
        connection.execute(update(POLLS).where(POLLS.c.shipment_id == ended).values(next_poll_at=NOW + 48 * HOUR))
    lines = run(tracker, "report", "--freshness").stdout
    assert "correios: 1 open shipments, 1 ended with second looks left, want 0 calls" in lines
    assert next(line for line in lines.splitlines() if " delivered " in line).rstrip().endswith("days 1, 3, 7")
    statuses = {one["status"]: one for one in document(tracker, "report", "--freshness")["statuses"]}
    delivered = statuses["delivered"]
    assert (delivered["allowed_every_s"], delivered["second_looks_days"]) == (None, [1, 3, 7])
    assert statuses["in_transit"]["second_looks_days"] == []


@pytest.mark.usefixtures("filled")
def test_a_rhythm_that_cannot_be_kept_is_warned_of(tracker: Tracker) -> None:
    text = tracker.config.read_text(encoding="utf-8")
    slow = text.replace("  - id: correios\n", "  - id: correios\n    requests_per_second: 0.00005\n")
    tracker.config.write_text(slow, encoding="utf-8")
    shown = run(tracker, "check-config").stdout
    assert "freshness warning: correios: in_transit" in shown
    assert "every 45min is wanted, every 1h" in shown


def test_nothing_is_open(tracker: Tracker) -> None:
    assert run(tracker, "report", "--freshness").stdout == "no open shipments\n"


def test_a_report_has_a_name(tracker: Tracker) -> None:
    result = run(tracker, "report")
    assert (result.exit_code, "--freshness" in result.output) == (2, True)


def test_checking_a_configuration_makes_no_database(
    tmp_path: Path, configured: Callable[[str, str | None], Tracker]
) -> None:
    tracker = configured(f"sqlite:///{tmp_path / 'none.db'}", None)
    assert document(tracker, "check-config")["freshness"] == {}
    assert not (tmp_path / "none.db").exists()
    assert run(tracker, "report", "--freshness").exit_code == 2
