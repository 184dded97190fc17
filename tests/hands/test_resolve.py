"""`tracker resolve`: settled by hand, and open again only on something new."""

from __future__ import annotations

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.hands.support import acts, hand, one_line, rules, standing
from tracker.sandbox.plan import Fate
from tracker.store.tables import Claim, OperatorAct, Problem

LATE = of_fate(Fate.LATE_OPEN)
"""Due on day 4, late from day 5 on, delivered on day 15."""
NUMBER = LATE.order.number


def late(start: Start, url: str | None = None, mode: str = "propose") -> Trial:
    """A delay that is told and whose claim waits for a person, or for its day."""
    trial = start(LATE, url=url)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.carrier["claims"]["mode"] = mode
    trial.drop_orders()
    trial.pass_through([at(day(2), 9), at(day(5), 9), at(day(6), 9)])
    return trial


def test_a_settled_problem_stays_settled_and_its_claim_falls(start: Start, database_url: str) -> None:
    trial = late(start, database_url)
    (claim,) = trial.rows(Claim)
    problem = trial.one(Problem)
    said = hand(trial, "resolve", f"P{problem['id']}", "--as", "found", "--reason", "na portaria")
    assert said == (
        f"P{problem['id']} (delay) is settled: the parcel was found; its claim C{claim['id']}, not filed yet, falls away "
        "(--claims keep files it all the same)\n"
    )
    trial.pass_through([at(day(6), 9, 1), at(day(7), 9), at(day(10), 9)])
    row = trial.one(Problem, kind="delay")
    assert (row["resolution"], row["resolved_at"], row["claims_wish"]) == ("hand_found", at(day(6), 9), "cancel")
    assert trial.one(Claim, id=claim["id"])["state"] == "cancelled"
    assert acts(trial) == [("fulana", "resolve", "problem", "na portaria")]
    assert rules(trial, "problem", row["id"])[-3:] == [
        ("hand.resolve", "settled"),
        ("problem.ended", "resolved"),
        ("claim.plan", "not_claimed"),
    ]
    told = one_line(hand(trial, "explain", f"P{row['id']}", "--lang", "pt-BR"))
    assert "Encerrado à mão por fulana: a encomenda apareceu (na portaria)." in told
    assert "Reclamação cancelada: o problema terminou antes de ela ser registrada." in told
    again = hand(trial, "resolve", f"P{row['id']}", "--as", "satisfied")
    assert again == f"P{row['id']} was settled already, on {day(6):%Y-%m-%d} by fulana: the parcel was found\n"
    assert len(trial.rows(OperatorAct)) == 1


def test_a_claim_is_kept_where_the_shop_has_paid(start: Start, database_url: str) -> None:
    trial = late(start, database_url)
    (claim,) = trial.rows(Claim)
    said = hand(trial, "resolve", NUMBER, "--as", "refunded")
    assert f"its claim C{claim['id']} is claimed all the same (--claims cancel lets it fall)" in said
    trial.pass_at(at(day(6), 10))
    assert trial.one(Problem)["resolution"] == "hand_refunded"
    assert trial.one(Claim)["state"] == "waiting_approval"
    hand(trial, "approve", f"C{claim['id']}")
    trial.pass_at(at(day(6), 11))
    assert trial.one(Claim)["state"] == "open"


@pytest.mark.parametrize("how", ["mistake", "found"])
def test_a_claim_that_falls_with_its_problem_is_not_approved(start: Start, how: str) -> None:
    trial = late(start)
    claim, problem = f"C{trial.one(Claim)['id']}", f"P{trial.one(Problem)['id']}"
    hand(trial, "resolve", problem, "--as", how)
    said = hand(trial, "approve", claim, exit_code=1)
    assert said == f"{claim} falls away at the next pass: {problem} was settled ({how})\n"
    assert [act[1] for act in acts(trial)] == ["resolve"]
    trial.pass_at(at(day(6), 10))
    assert (trial.one(Claim)["state"], trial.one(Claim)["approved_at"]) == ("cancelled", None)
    assert hand(trial, "approve", claim, exit_code=1) == f"{claim} is closed, nothing to approve: it is cancelled\n"


def test_a_claim_approved_before_its_problem_was_settled_is_not_said_to_leave(start: Start) -> None:
    trial = late(start)
    claim, problem = f"C{trial.one(Claim)['id']}", f"P{trial.one(Problem)['id']}"
    hand(trial, "approve", claim)
    hand(trial, "resolve", problem, "--as", "found")
    assert "falls away at the next pass" in hand(trial, "approve", claim, exit_code=1)
    trial.pass_at(at(day(6), 10))
    assert trial.one(Claim)["state"] == "cancelled"


def test_a_slip_of_the_hand_settles_nothing(start: Start) -> None:
    trial = late(start)
    for typed, meant in (("satisified", "satisfied"), ("Fuond", "found"), ("satisfeto", "satisfeito")):
        said = hand(trial, "resolve", NUMBER, "--as", typed, exit_code=2)
        assert f"--as {typed}: did you mean {meant}?" in said
    assert "--as: needs found, satisfied" in hand(trial, "resolve", NUMBER, "--as", " ", exit_code=2)
    assert trial.rows(OperatorAct) == []
    # What the program cannot read costs the shop nothing.
    said = hand(trial, "resolve", NUMBER, "--as", "cliente desistiu da troca")
    assert "for another reason" in said and "is claimed all the same (--claims cancel lets it fall)" in said
    trial.pass_at(at(day(6), 10))
    assert trial.one(Problem)["resolution"] == "hand_other"
    assert trial.one(Claim)["state"] == "waiting_approval"


def test_the_merchants_own_language_is_understood(start: Start) -> None:
    trial = late(start)
    assert "the parcel was found" in hand(trial, "resolve", NUMBER, "--as", "Encontrado")
    trial.pass_at(at(day(6), 10))
    assert (trial.one(Problem)["resolution"], trial.one(Claim)["state"]) == ("hand_found", "cancelled")


def test_a_kept_claim_falls_when_the_parcel_comes_after_all(start: Start) -> None:
    trial = late(start)
    hand(trial, "resolve", NUMBER, "--as", "refunded")
    trial.pass_through([at(day(6), 10), at(day(16), 9)])
    row = trial.one(Problem, kind="late_delivery")
    # What it asked for is over; what is owed for coming late takes its place.
    (claim,) = trial.rows(Claim)
    assert (claim["motive"], claim["closed_at"]) == ("135", None)
    assert row["resolution"] == "delivered"


def test_a_settled_message_does_not_leave(start: Start) -> None:
    trial = start(LATE)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    trial.world.mail.order_fault("greylist")
    trial.pass_at(at(day(5), 9))
    assert standing(trial, "delay_detected") == ("queued", None)
    said = hand(trial, "resolve", LATE.code, "--as", "cliente viajou, pediu para esperar", "--claims", "keep")
    assert "for another reason" in said
    assert acts(trial)[0][3] == "cliente viajou, pediu para esperar"
    trial.pass_at(at(day(5), 9, 5))
    assert standing(trial, "delay_detected") == ("suppressed", None)
    assert trial.told() == []


def test_what_cannot_be_settled(start: Start) -> None:
    trial = late(start)
    for words, exit_code, sentence in (
        (["P99", "--as", "found"], 1, "there is no problem P99\n"),
        (
            ["C1", "--as", "found"],
            2,
            "C1: only a problem (P12) is settled; tracker cancel C1 stops a claim or message\n",
        ),
        (["nada", "--as", "found"], 1, "there is no order, tracking code or customer nada\n"),
    ):
        assert hand(trial, "resolve", *words, exit_code=exit_code) == sentence
    trial.pass_at(at(day(16), 9))
    ended = trial.one(Problem, kind="delay")
    said = hand(trial, "resolve", f"P{ended['id']}", "--as", "found")
    assert said.startswith(f"P{ended['id']} is over already, since ") and "nothing to settle" in said
    assert hand(trial, "resolve", NUMBER, "--as", "found") == f"order {NUMBER} has no open problem: nothing to settle\n"
    assert trial.rows(OperatorAct) == []
