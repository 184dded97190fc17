"""`tracker alerts`: the list with its marks, taking note of one, learning what a kind means."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.alerts.support import Alerting, codes, log_entry, say
from tests.cli.conftest import Tracker
from tests.reports.support import NOW
from tracker.store.alerts import give_up_sink, known_sinks
from tracker.store.database import Database
from tracker.store.tables import OperatorAct, table

HOUR = timedelta(hours=1)


@pytest.fixture
def alerted(database: Database, tracker: Tracker) -> Tracker:
    """One critical alert that stands, one warning that stands, one that is over."""
    say(database, NOW - 3 * HOUR)
    codes(database, NOW - 2 * HOUR, 1, 2)
    say(database, NOW - 2 * HOUR)
    codes(database, NOW - HOUR, 2, raised=False)
    asyncio.run(Alerting(database, [log_entry()]).run(NOW))
    return tracker


def test_the_list_counts_and_marks(alerted: Tracker) -> None:
    assert alerted("alerts", "ack", "A1", "--for", "24h", "--reason", "conhecido").exit_code == 0
    lines = alerted("alerts").stdout.splitlines()
    assert lines[0].split() == "ID SEVERITY KIND SHOP RAISED RESOLVED TIMES ACK UNTIL SUMMARY".split()
    assert lines[3].split()[:7] == ["A1", "critical", "carrier_down", "2026-11-24", "09:00", "2", "2026-11-25"]
    assert lines[-1] == "3 alerts, 2 open (1 critical, 1 warning), 1 of them acknowledged"
    assert [one["id"] for one in alerted.json("alerts", "--open")] == ["A2", "A1"]
    assert [one["id"] for one in alerted.json("alerts", "--kind", "unknown_code", "--open")] == ["A2"]


def test_an_acknowledgement_is_kept_with_who_and_why(alerted: Tracker, database: Database) -> None:
    said = alerted("alerts", "ack", "A1", "A2", "--for", "90m", "--reason", "obra na rua")
    assert said.stdout.splitlines() == [
        "A1 is acknowledged: quiet until 2026-11-24 13:30, unless it gets worse",
        "A2 is acknowledged: quiet until 2026-11-24 13:30, unless it gets worse",
    ]
    line = alerted.json("alerts", "--open")[1]
    assert (line["acked_by"], line["ack_reason"], line["acked_until"]) == (
        "fulana",
        "obra na rua",
        "2026-11-24T16:30:00Z",
    )
    with database.begin_read() as connection:
        acts = connection.execute(table(OperatorAct).select()).all()
    assert [(act.who, act.act, act.subject_kind, act.subject_id) for act in acts] == [
        ("fulana", "ack", "alert", 1),
        ("fulana", "ack", "alert", 2),
    ]


def test_the_story_of_an_alert_tells_its_acknowledgement(alerted: Tracker) -> None:
    assert "fulana" not in alerted("explain", "A1").stdout
    alerted("alerts", "ack", "A1", "--for", "90m", "--reason", "obra na rua")
    told = " ".join(alerted("explain", "A1").stdout.split())
    assert (
        "24/11/2026 ter 12:00 Visto por fulana (obra na rua): nada mais é dito dele até 24/11/2026 às 13:30, a não ser que"
        " piore."
    ) in told
    document = alerted.json("explain", "A1")
    assert (document["facts"]["acked_by"], document["facts"]["acked_until"]) == ("fulana", "2026-11-24T16:30:00Z")
    alerted("alerts", "ack", "A2")
    told = " ".join(alerted("explain", "A2", "--lang", "en").stdout.split())
    assert "Acknowledged by fulana: no more is said of it until it is over, unless it gets worse." in told


@pytest.mark.parametrize(
    ("words", "sentence", "code"),
    [
        pytest.param(["A1"], "A1 is acknowledged: quiet until it is over, unless it gets worse", 0, id="no time"),
        pytest.param(["A3"], "A3 is over already, nothing to acknowledge", 0, id="over"),
        pytest.param(["A99"], "there is no alert A99", 1, id="no such alert"),
        pytest.param(["C1"], "C1: needs the id of an alert (A2)", 2, id="a claim"),
        pytest.param(
            ["A1", "--for", "soon"], "--for soon: needs minutes, hours or days (90m, 24h, 3d)", 2, id="no time at all"
        ),
        pytest.param(["A1", "--for", "0h"], "--for 0h: needs minutes, hours or days (90m, 24h, 3d)", 2, id="zero"),
    ],
)
def test_what_can_be_acknowledged(alerted: Tracker, words: list[str], sentence: str, code: int) -> None:
    said = alerted("alerts", "ack", *words)
    assert (said.output.strip(), said.exit_code) == (sentence, code)


def test_a_sink_that_was_given_up_is_tried_again(alerted: Tracker, database: Database) -> None:
    assert alerted("alerts", "retry").stdout == "no sink was given up\n"
    with database.begin_write() as connection:
        give_up_sink(connection, "log", "gone", NOW)
    assert alerted("alerts", "retry").stdout == "1 sink is tried again\n"
    with database.begin_read() as connection:
        assert known_sinks(connection) == {"log": ("log", False)}


def test_a_kind_is_explained(tracker: Tracker) -> None:
    said = tracker("alerts", "--explain", "unknown_code").stdout.splitlines()
    assert said[0].startswith("unknown_code (warning): An event came whose code nobody reads")
    assert "tracker carriers unknown" in said[2]
    assert tracker.json("alerts", "--explain", "mail_down")["severity"] == "critical"
    refused = tracker("alerts", "--explain", "mail_dwon")
    assert refused.exit_code == 2 and "mail_down" in refused.output


def test_an_empty_list_says_so(tracker: Tracker) -> None:
    assert tracker("alerts", "--open").stdout == "no alerts of this kind\n"
