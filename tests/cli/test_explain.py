"""`tracker explain`: the decision log, what it rests on, and what was not done and why."""

from __future__ import annotations

import pytest

from carriers.base import ProblemKind
from tests.cli.conftest import Tracker
from tests.reports.support import CODE, NOW, add_message, add_order, add_problem, at, order, track, waiting
from tracker.domain.words import Trigger
from tracker.store.claims import add_step
from tracker.store.database import Database
from tracker.store.logs import DecisionNote, log_act, log_decisions


@pytest.fixture
def ids(database: Database) -> dict[str, int]:
    """A late parcel with a claim that waits and a message that was told."""
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment)
        problem = add_problem(connection, shipment)
        claim = waiting(connection, shipment, [problem])
        add_step(connection, claim, action="open", motive="132", kind="information_request", now=at(23))
        message = add_message(connection, shipment, problem_id=problem, state="sent", sent_at=at(21, 7))
    return {"shipment": shipment, "problem": problem, "claim": claim, "message": message}


def test_a_claim_with_all_it_rests_on(tracker: Tracker, ids: dict[str, int]) -> None:
    out = tracker("explain", f"c{ids['claim']}").stdout
    lines = out.splitlines()
    assert lines[0] == f"C{ids['claim']} claim"
    assert max(map(len, lines)) <= 100
    assert "  NOT DONE (held, claim.hold.propose): as the test says" in lines
    assert f"    P{ids['problem']} problem" in lines
    assert f"        S{ids['shipment']} shipment" in lines
    flat = " ".join(out.split())
    assert "2026-11-21 01:00:00 delay.past_promise v1 opened: true since 2026-11-21T03:00:00+00:00" in flat
    assert "facts: promised_on=2026-11-20" in flat
    assert "source=tracking; due_on=2026-11-18" in flat
    assert "carrier_code=RO-01; status=in_transit" in flat
    assert "seq=1; action=open; state=intended" in flat


def test_as_data(tracker: Tracker, ids: dict[str, int]) -> None:
    document = tracker.json("explain", f"M{ids['message']}")
    assert (document["id"], document["kind"]) == (f"M{ids['message']}", "message")
    assert document["facts"]["trigger"] == "delay_detected"
    assert "recipient" not in document["facts"]
    (problem,) = document["rests_on"]
    assert problem["references"] == {"claim": [f"C{ids['claim']}"], "message": [f"M{ids['message']}"]}
    (shipment,) = problem["rests_on"]
    assert shipment["lists"]["due dates named by the carrier"][0]["due_on"] == "2026-11-18"
    assert document["decisions"][0] == {
        "at": "2026-11-21T06:00:00Z",
        "rule": "notice.delay_detected",
        "rule_version": 1,
        "outcome": "sent",
        "reason": "as the test says",
        "facts": {},
    }


def test_why_it_was_not_claimed_or_told(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment)
        problem = add_problem(connection, shipment)
        notes = [
            DecisionNote(
                "exemplo", "problem", problem, "claim.plan", 1, "not_claimed", "inside the carrier's own term"
            ),
            DecisionNote("exemplo", "shipment", shipment, "notice.posted", 1, "not_told", "too old"),
        ]
        log_decisions(connection, notes, at(22))
    document = tracker.json("explain", f"P{problem}")
    assert [entry["reason"] for entry in document["held_back"]] == ["inside the carrier's own term"]
    assert [entry["reason"] for entry in document["rests_on"][0]["held_back"]] == ["too old"]
    with database.begin_write() as connection:
        waiting(connection, shipment, [problem])
    # It has its claim now: the earlier refusal stays in the log and stands no more.
    document = tracker.json("explain", f"P{problem}")
    assert document["held_back"] == []
    assert [entry["outcome"] for entry in document["decisions"]] == ["opened", "not_claimed"]


def test_what_a_person_did(tracker: Tracker, database: Database, ids: dict[str, int]) -> None:
    with database.begin_write() as connection:
        log_act(
            connection, who="fulana", act="approve", subject_kind="claim", subject_id=ids["claim"], reason="ok", at=NOW
        )
        note = DecisionNote("exemplo", "claim", ids["claim"], "hand.approve", 1, "approved", "approved by fulana")
        log_decisions(connection, [note], NOW)
    out = tracker("explain", f"C{ids['claim']}").stdout
    assert "by hand 2026-11-24 12:00:00 fulana approve: ok" in out
    assert "NOT DONE" not in out.split("rests on")[0]


def test_a_message_about_a_claim_rests_on_it(tracker: Tracker, database: Database, ids: dict[str, int]) -> None:
    tracker("reject", f"C{ids['claim']}")
    from tests.reports.support import add_a_claim

    with database.begin_write() as connection:
        problem = add_problem(connection, ids["shipment"], ProblemKind.LOSS)
        claim = add_a_claim(connection, ids["shipment"], [problem], state="open", opened_at=at(23))
        message = add_message(connection, ids["shipment"], Trigger.INQUIRY_OPENED, problem_id=problem)
    document = tracker.json("explain", f"M{message}")
    assert [one["id"] for one in document["rests_on"]] == [f"C{claim}"]


def test_a_shipment_named_twice_is_told_once(tracker: Tracker, database: Database, ids: dict[str, int]) -> None:
    from tracker.store.claims import attach

    with database.begin_write() as connection:
        loss = add_problem(connection, ids["shipment"], ProblemKind.LOSS, at(22), presumed=True)
        attach(connection, ids["claim"], [loss])
    out = tracker("explain", f"C{ids['claim']}").stdout
    assert out.count(f"S{ids['shipment']} shipment") == 2
    assert f"S{ids['shipment']} shipment (see above)" in out


@pytest.mark.parametrize(
    ("text", "exit_code", "sentence"),
    [
        pytest.param("P99", 1, "there is no problem P99", id="no such problem"),
        pytest.param("99", 1, "there is no problem, claim, message or shipment 99", id="no such number"),
        pytest.param("1", 2, "1 could be P1 or C1 or M1 or S1; name one of them", id="a number of several kinds"),
        pytest.param("A1", 2, "needs the id of a problem (P12)", id="a kind that has no log"),
        pytest.param("nada", 2, "needs the id of a problem (P12)", id="no id"),
    ],
)
def test_wrong_ids(tracker: Tracker, ids: dict[str, int], text: str, exit_code: int, sentence: str) -> None:
    result = tracker("explain", text)
    assert result.exit_code == exit_code
    assert sentence in result.stderr


def test_a_bare_number_of_one_kind(tracker: Tracker, database: Database, ids: dict[str, int]) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("2"), "AA111111119BR")
    assert tracker("explain", "2").stdout.startswith("S2 shipment")
