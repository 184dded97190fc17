"""`tracker report-problem`: a person's word opens the problem, and the claim follows by the carrier's terms."""

from __future__ import annotations

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.hands.support import acts, hand, one_line, rules, shown
from tracker.sandbox.plan import Fate
from tracker.store.tables import Claim, Notice, OperatorAct, Problem, ShipmentHistory

PARCEL = of_fate(Fate.ON_TIME)
CODE = PARCEL.code
DELIVERED_BY = at(day(8), 9)


def delivered(start: Start, url: str | None = None, mode: str = "auto") -> Trial:
    trial = start(PARCEL, url=url)
    trial.settings["messages"]["preset"] = "problems"
    trial.carrier["claims"]["mode"] = mode
    trial.drop_orders()
    trial.pass_through([at(day(2), 9), DELIVERED_BY])
    assert trial.one(ShipmentHistory)["delivered_at"] is not None
    assert trial.rows(Problem) == []
    return trial


@pytest.mark.parametrize(
    ("kind", "problem", "motive", "claim"),
    [
        pytest.param("misdelivery", "misdelivery", "132", "information_request", id="somebody else has it"),
        pytest.param("not_received", "misdelivery", "132", "information_request", id="the customer has not got it"),
        pytest.param("violation", "violation", "133", "refund", id="opened"),
        pytest.param("damage", "damage", "134", "refund", id="broken"),
    ],
)
def test_a_report_opens_the_problem_and_its_claim(
    start: Start, kind: str, problem: str, motive: str, claim: str
) -> None:
    trial = delivered(start)
    said = hand(trial, "report-problem", CODE, "--kind", kind, "--reason", "fotos no chamado 77")
    assert f"{CODE}: {kind} is reported" in said and f"motive {motive}" in said
    trial.pass_at(at(day(8), 9, 5))
    row, filed = trial.one(Problem), trial.one(Claim)
    delivered_at = trial.one(ShipmentHistory)["delivered_at"]
    assert (row["kind"], row["rule"], row["since"]) == (problem, f"hand.{kind}", delivered_at)
    assert (filed["motive"], filed["kind"], filed["state"]) == (motive, claim, "open")
    assert trial.rows(Notice) == []
    assert rules(trial, "problem", row["id"]) == [(f"hand.{kind}", "opened")]
    assert acts(trial) == [("fulana", "report", "shipment", "fotos no chamado 77")]
    words = {"not_received": "o cliente diz que não recebeu", "misdelivery": "entregue a outra pessoa"}
    if kind in words:
        assert f"P{row['id']} {words[kind]} desde" in one_line(hand(trial, "show", CODE))
    told = one_line(hand(trial, "explain", CODE, "--lang", "pt-BR"))
    assert "Informado por fulana: " in told and "fotos no chamado 77" in told


def test_reporting_twice_changes_nothing_and_a_mistake_is_taken_back(start: Start, database_url: str) -> None:
    trial = delivered(start, database_url, mode="propose")
    hand(trial, "report-problem", CODE, "--kind", "not_received")
    again = hand(trial, "report-problem", CODE, "--kind", "misdelivery")
    assert (
        again == f"{CODE} was reported already, on {day(8):%Y-%m-%d}: the daemon opens the problem at its next look\n"
    )
    trial.pass_at(at(day(8), 9, 5))
    row = trial.one(Problem)
    again = hand(trial, "report-problem", CODE, "--kind", "not_received")
    assert again == f"{CODE} has this problem already: P{row['id']} (misdelivery) stands open\n"
    assert len(trial.rows(OperatorAct)) == 1
    hand(trial, "resolve", f"P{row['id']}", "--as", "mistake")
    trial.pass_through([at(day(8), 9, 10), at(day(9), 9)])
    assert [(p["episode"], p["resolution"]) for p in trial.rows(Problem)] == [(1, "hand_mistake")]
    assert trial.one(Claim)["state"] == "cancelled"
    # A new word of the customer's is a new fact.
    assert "is reported" in hand(trial, "report-problem", CODE, "--kind", "not_received")
    trial.pass_at(at(day(9), 9, 5))
    assert [(p["episode"], p["resolved_at"] is None) for p in trial.rows(Problem)] == [(1, False), (2, True)]
    assert [act["act"] for act in shown(trial, "show", CODE)["acts"]] == ["report", "resolve", "report"]


def test_the_day_it_happened(start: Start) -> None:
    trial = delivered(start)
    hand(trial, "report-problem", CODE, "--kind", "violation", "--on", f"{day(7):%d/%m/%Y}")
    trial.pass_at(at(day(8), 9, 5))
    assert trial.one(Problem)["since"] == at(day(7), 0)


def test_what_cannot_be_so(start: Start) -> None:
    trial = start(PARCEL, of_fate(Fate.LATE_OPEN))
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    for words, exit_code, sentence in (
        ([CODE, "--kind", "misdelivery"], 1, "is not delivered by what the carrier says"),
        ([CODE, "--kind", "damage"], 1, "nobody can have seen damage before it is handed over"),
        ([CODE, "--kind", "violation"], 1, "nobody can have seen violation before it is handed over"),
        ([CODE, "--kind", "damage", "--on", "2026-12-01"], 2, "that day is still to come"),
        ([CODE, "--kind", "damage", "--on", "2026-07-01"], 1, "was not posted yet on that day"),
        (["nada", "--kind", "damage"], 1, "there is no order, tracking code or customer nada"),
        (["S99", "--kind", "damage"], 1, "there is no shipment S99"),
        ([CODE, of_fate(Fate.LATE_OPEN).code, "--kind", "damage"], 2, "that is 2 parcels; add --yes"),
    ):
        assert sentence in hand(trial, "report-problem", *words, exit_code=exit_code)
    assert trial.rows(OperatorAct) == []
