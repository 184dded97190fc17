"""Twenty days of the demonstration's world: the log of decisions is complete and small, and all of it can be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from tests.end_to_end.support import DEMO, Trial, at, day, start_trial
from tracker.domain.words import ClaimState, DeliveryState
from tracker.reports.story import LANGUAGES
from tracker.store.tables import Claim, ClaimProblem, Decision, Delivery, Problem, ShipmentPoll

DAYS = 20
HOURS = (9, 14, 19)
Log = Mapping[tuple[str, int], Sequence[dict[str, Any]]]
"""Decisions by subject, oldest first."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """The whole demonstration, three passes a day."""
    trial = start_trial(tmp_path_factory.mktemp("log"), *DEMO.shipments)
    with trial.world:
        trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
        for number in range(1, DAYS + 1):
            if number == 1:
                trial.drop_orders()
            trial.pass_through([at(day(number), hour) for hour in HOURS])
        yield trial
        trial.close()


@pytest.fixture(scope="module")
def log(played: Trial) -> Log:
    found: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in played.rows(Decision):
        found[row["subject_kind"], row["subject_id"]].append(row)
    return found


def test_no_two_rows_in_a_row_say_the_same(log: Log) -> None:
    says = ("rule", "rule_version", "outcome", "reason")
    doubled = [
        (subject, older["rule"], older["reason"])
        for subject, rows in log.items()
        for older, newer in pairwise(rows)
        if all(older[name] == newer[name] for name in says)
    ]
    assert doubled == []


def test_looking_often_adds_nothing(log: Log) -> None:
    """Sixty passes; a subject has as many rows as its story has turns."""
    most = {kind: max(len(rows) for (k, _), rows in log.items() if k == kind) for kind, _ in log}
    assert set(most) == {"shipment", "problem", "claim", "message"}
    assert most["claim"] <= 16 and most["problem"] <= 4 and most["message"] <= 3 and most["shipment"] <= 3, most


def test_every_claim_is_explained_by_its_log(played: Trial, log: Log) -> None:
    claims = played.rows(Claim)
    assert len({row["state"] for row in claims}) >= 4
    for claim in claims:
        outcomes = [row["outcome"] for row in log["claim", claim["id"]]]
        state = "held" if claim["state"] == ClaimState.WAITING_APPROVAL.value else claim["state"]
        assert state in outcomes, (claim["id"], state, outcomes)


def test_every_message_is_explained_by_its_log(played: Trial, log: Log) -> None:
    for message in played.rows(Delivery):
        rows = log["message", message["id"]]
        state = "held" if message["state"] == DeliveryState.AWAITING_PERSON.value else message["state"]
        assert rows and state in {rows[-1]["outcome"], rows[0]["outcome"]}, (message["id"], state)


def test_every_problem_is_explained_by_its_log(played: Trial, log: Log) -> None:
    claimed = {row["problem_id"] for row in played.rows(ClaimProblem)}
    for problem in played.rows(Problem):
        rows = log["problem", problem["id"]]
        assert rows[0]["outcome"] == "opened"
        if problem["resolved_at"] is not None:
            assert any(row["facts"].get("resolution") == problem["resolution"] for row in rows), problem["id"]
        if problem["id"] not in claimed:
            assert any(row["outcome"] == "not_claimed" for row in rows), (problem["id"], problem["kind"])


def test_every_shipment_that_is_asked_about_no_more_says_why(played: Trial, log: Log) -> None:
    closed = [row for row in played.rows(ShipmentPoll) if row["closed_reason"] is not None]
    assert closed
    for poll in closed:
        said = [row["facts"]["why"] for row in log["shipment", poll["shipment_id"]] if row["rule"] == "poll.closed"]
        assert said[-1:] == [poll["closed_reason"]]


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))
def test_every_decision_of_twenty_days_has_its_sentence(log: Log, language: Any) -> None:
    unsaid = {
        (row["rule"], row["outcome"], row["facts"].get("why"))
        for rows in log.values()
        for row in rows
        if language.key(row["rule"], row["outcome"], str(row["facts"].get("why") or "")) is None
    }
    assert unsaid == set()


def test_a_claim_says_why_on_this_day(played: Trial) -> None:
    claim = next(row for row in played.rows(Claim) if row["motive"] == "211" and row["kind"] == "information_request")
    told = played.command("explain", f"C{claim['id']}", "--no-details")
    assert told.returncode == 0, told.stderr
    story = " ".join(told.stdout.split())
    assert "Reclamação planejada: pedido de informação, motivo 211. Pode ser registrada a partir de" in story
    assert "mais 1 dia útil de margem." in story
    assert f"com o protocolo {claim['protocol']}" in story
