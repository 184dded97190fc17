"""The second life of a claim against the simulated carrier: reopened as a refund, contested, held, lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.end_to_end.support import DEMO, Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate, Shipment, Verdict
from tracker.sandbox.workdays import add_business_days
from tracker.sandbox.world import orders_csv
from tracker.store.tables import Alert, Claim, ClaimStep, Decision

NEVER = replace(of_fate(Fate.LATE_OPEN), events=of_fate(Fate.LATE_OPEN).events[:3], answer_days=3)
"""Late, and never delivered."""
ACCEPTED = replace(NEVER, verdict=Verdict.ACCEPTED)
REJECTED = replace(NEVER, verdict=Verdict.REJECTED, second_verdict=Verdict.REJECTED)
FILED_ON = add_business_days(NEVER.due_on, 1)
ANSWERED_ON = add_business_days(FILED_ON, 3)
AGAIN_ON = add_business_days(ANSWERED_ON, 3)


def filed(trial: Trial, **carrier_claims: Any) -> Trial:
    """Up to the morning after its filing."""
    trial.carrier["claims"].update(carrier_claims)
    # The shop's files say what each parcel was declared at, which the simulated carrier does not.
    orders = orders_csv(trial.world.plan, NEVER.order.shipped_on)
    trial.drop("pedidos.csv", orders.replace(b";Valor;", b";Valor declarado;"))
    trial.pass_through([at(day(2)), at(FILED_ON), at(FILED_ON + timedelta(days=1))])
    return trial


def reactivated(trial: Trial) -> list[tuple[str, int]]:
    """(kind, how often) of every claim at the carrier's desk."""
    desk = trial.world.correios.desk.ledger()["claims"]
    return [
        (claim["reopenings"][-1]["kind"] if claim["reopenings"] else claim["kind"], len(claim["reopenings"]))
        for claim in desk
    ]


def calls(trial: Trial, path: str = "reativa") -> int:
    return sum(call["path"].endswith(path) for call in trial.world.correios.calls)


def rules(trial: Trial) -> list[str]:
    return [row["rule"] for row in trial.rows(Decision, subject_kind="claim")]


def test_an_accepted_inquiry_is_reopened_as_a_refund_request(start: Start, database_url: str) -> None:
    """Section 7.1: "answer accepted or lost -> reativa as I"; that is how the money comes."""
    trial = filed(start(ACCEPTED, url=database_url))
    trial.pass_at(at(ANSWERED_ON, 11))
    claim = trial.one(Claim)
    assert (claim["state"], claim["kind"], claim["motive"]) == ("reopened", "refund", "211")
    assert claim["reopened_at"] == at(ANSWERED_ON, 11)
    assert claim["expected_cents"] == NEVER.order.total_cents
    assert reactivated(trial) == [("I", 1)]
    trial.pass_at(at(AGAIN_ON + timedelta(days=1), 11))
    claim = trial.one(Claim)
    assert (claim["state"], claim["outcome"], claim["closed_at"]) == ("accepted", "accepted", None)
    assert claim["answered_at"] == at(AGAIN_ON + timedelta(days=1), 11)
    assert reactivated(trial) == [("I", 1)], "at most once each way"


def test_the_note_is_made_of_dates_and_codes_alone(start: Start) -> None:
    trial = filed(start(ACCEPTED))
    trial.pass_at(at(ANSWERED_ON, 11))
    note = trial.one(ClaimStep, action="reopen")["facts"]["note"]
    last = NEVER.events[-1]
    assert note == (
        f"Resposta procedente de {ANSWERED_ON:%d/%m/%Y}. Prazo máximo em {NEVER.due_on:%d/%m/%Y}. "
        f"Último evento {last.code}-{last.kind} em {last.at:%d/%m/%Y}; sem entrega até {ANSWERED_ON:%d/%m/%Y}. "
        "Solicitamos o ressarcimento."
    )
    assert trial.world.correios.desk.ledger()["claims"][0]["reopenings"][-1]["note"] == note


def test_a_rejection_is_contested_once(start: Start) -> None:
    trial = filed(start(REJECTED))
    trial.pass_at(at(ANSWERED_ON, 11))
    claim = trial.one(Claim)
    assert (claim["state"], claim["kind"], reactivated(trial)) == ("reopened", "information_request", [("R", 1)])
    trial.pass_through(at(ANSWERED_ON + timedelta(days=n), 11) for n in range(1, 9))
    claim = trial.one(Claim)
    assert (claim["state"], claim["outcome"]) == ("rejected", "rejected")
    assert claim["closed_at"] is not None
    assert (reactivated(trial), calls(trial)) == ([("R", 1)], 1)


def test_what_was_delivered_late_meanwhile_is_reopened_as_that(start: Start) -> None:
    """An accepted "not delivered" whose parcel came: its money is that of the late delivery."""
    came = replace(of_fate(Fate.LATE_OPEN), answer_days=12, verdict=Verdict.ACCEPTED)
    trial = filed(start(came))
    trial.pass_through(at(FILED_ON + timedelta(days=n), 21) for n in range(2, 20))
    claim = trial.one(Claim)
    assert (claim["state"], claim["motive"], claim["kind"]) == ("reopened", "135", "refund")
    assert claim["expected_cents"] is None, "a percentage of the postage, which nobody told us"


@pytest.mark.parametrize("parcel", [pytest.param(ACCEPTED, id="accepted"), pytest.param(REJECTED, id="rejected")])
def test_a_lost_answer_to_a_reopening_is_looked_up_and_never_sent_twice(start: Start, parcel: Shipment) -> None:
    trial = filed(start(parcel))
    trial.world.faults.next("lost_answer", path="reativa")
    trial.pass_at(at(ANSWERED_ON, 11))
    assert [row["state"] for row in trial.rows(ClaimStep, action="reopen")] == ["lost"]
    trial.pass_through([at(ANSWERED_ON, 11, 3), at(ANSWERED_ON, 13), at(ANSWERED_ON, 15)])
    assert trial.one(Claim)["state"] == "reopened"
    assert "claim.reopen_adopted" in rules(trial)
    assert [times for _, times in reactivated(trial)] == [1]
    assert calls(trial) == 1


def test_a_reopening_that_never_arrived_is_sent_again_after_two_looks(start: Start) -> None:
    trial = filed(start(ACCEPTED))
    trial.world.faults.next("close", path="reativa")
    trial.pass_through([at(ANSWERED_ON, 11), at(ANSWERED_ON, 11, 3)])
    assert (calls(trial), reactivated(trial)) == (1, [("R", 0)])
    trial.pass_at(at(ANSWERED_ON, 13))
    assert (calls(trial), reactivated(trial), trial.one(Claim)["state"]) == (2, [("I", 1)], "reopened")


def test_a_reopening_waits_for_a_person_where_claims_do(start: Start) -> None:
    trial = filed(start(ACCEPTED))
    trial.carrier["claims"]["mode"] = "propose"
    trial.pass_at(at(ANSWERED_ON, 11))
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"], claim["outcome"]) == ("waiting_approval", "propose", "accepted")
    said = trial.command("approve", f"C{claim['id']}")
    assert (said.returncode, said.stdout) == (
        0,
        f"C{claim['id']} is approved: the daemon reopens it at its next look\n",
    )
    assert calls(trial) == 0
    trial.pass_at(at(ANSWERED_ON, 12))
    assert (trial.one(Claim)["state"], reactivated(trial)) == ("reopened", [("I", 1)])


def test_a_person_may_leave_a_rejection_as_it_is(start: Start) -> None:
    trial = filed(start(REJECTED))
    trial.carrier["claims"]["mode"] = "propose"
    trial.pass_at(at(ANSWERED_ON, 11))
    name = f"C{trial.one(Claim)['id']}"
    said = trial.command("reject", name)
    assert (said.returncode, said.stdout) == (0, f"{name} is rejected: it will not be reopened\n")
    claim = trial.one(Claim)
    assert (claim["state"], claim["outcome"], claim["closed_at"] is not None) == ("rejected", "rejected", True)


def test_a_contest_that_nobody_approves_ends_with_its_term(start: Start) -> None:
    trial = filed(start(REJECTED))
    trial.carrier["claims"]["mode"] = "propose"
    trial.pass_through([at(ANSWERED_ON, 11), at(ANSWERED_ON + timedelta(days=5), 11)])
    assert trial.one(Claim)["state"] == "waiting_approval"
    trial.pass_at(at(ANSWERED_ON + timedelta(days=6), 11))
    claim = trial.one(Claim)
    assert (claim["state"], claim["closed_at"] is not None, calls(trial)) == ("rejected", True, 0)
    assert "claim.reopen_term" in rules(trial)


def test_the_value_ceiling_holds_a_reopening_too(start: Start) -> None:
    trial = filed(start(ACCEPTED))
    trial.carrier["claims"]["max_value"] = "1.00"
    trial.pass_at(at(ANSWERED_ON, 11))
    assert (trial.one(Claim)["hold_reason"], calls(trial)) == ("value_ceiling", 0)


def test_reopenings_of_one_day_leave_in_one_call(start: Start) -> None:
    late = [s for s in DEMO.shipments if s.fate in {Fate.LATE_OPEN, Fate.LOST_SILENT}][:3]
    parcels = [replace(s, events=s.events[:3], answer_days=3, verdict=Verdict.ACCEPTED) for s in late]
    trial = start(*parcels)
    trial.drop_orders()
    last = max(add_business_days(s.due_on, 1) for s in parcels)
    trial.carrier["claims"]["mode"] = "propose"
    trial.pass_through([at(day(3)), at(last)])
    trial.carrier["claims"]["mode"] = "auto"
    trial.pass_at(at(last, 10))
    trial.pass_at(at(add_business_days(last, 3), 11))
    assert reactivated(trial) == [("I", 1)] * 3
    assert calls(trial) == 1


def test_a_refund_request_that_stands_already_is_followed(start: Start) -> None:
    """A person filed the refund request on the site: 590, followed to its money and asked for no more."""
    trial = filed(start(ACCEPTED))
    desk = trial.world.correios.desk
    found = desk.find(NEVER.code)
    assert found is not None
    found.kind = "I"  # what was filed by hand on the carrier's site
    desk.scripted[found.number] = [590]
    trial.pass_at(at(ANSWERED_ON, 11))
    claim = trial.one(Claim)
    assert (claim["state"], claim["kind"], claim["closed_at"]) == ("accepted", "refund", None)
    assert claim["expected_cents"] == NEVER.order.total_cents
    assert "claim.reopen_adopted" in rules(trial)
    trial.pass_through(at(ANSWERED_ON + timedelta(days=n), 11) for n in range(1, 4))
    assert calls(trial) == 1
    assert trial.rows(Alert) == []
