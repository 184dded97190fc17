"""A claim by letter in a person's hands: read before it leaves, held back by every gate, answered on paper."""

from __future__ import annotations

import csv
import io
import json
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest

from tests.claims.letters import LEAVES, TO, by_letter, letters, states
from tests.end_to_end.flecha import LATE, Flecha
from tests.end_to_end.support import Start, Trial, at, day
from tracker.store.tables import Alert, Claim, ClaimStep, OperatorAct

POSTED = at(day(2), 12)


def open_claim(trial: Trial) -> Trial:
    trial.pass_through([POSTED, LEAVES])
    assert trial.one(Claim)["state"] == "open"
    trial.clock_at(at(day(9), 10))
    return trial


def said(trial: Trial, *words: str) -> str:
    result = trial.command(*words)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_person_reads_the_letter_before_it_leaves(start: Start, flecha: Flecha, tmp_path: Path) -> None:
    trial = by_letter(start(), flecha, mode="propose")
    trial.pass_through([POSTED, LEAVES])
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"], letters(trial)) == ("waiting_approval", "propose", [])
    shown = said(trial, "claims", "letter", "C1")
    assert "as it would leave now" in shown and f"To: Flecha Expressa <{TO}>" in shown
    assert f"Attached: rastreamento_{LATE}.csv" in shown and "Prezados," in shown
    file = tmp_path / "letter.eml"
    assert str(file) in said(trial, "claims", "letter", "C1", "--out", str(file))
    draft = BytesParser(policy=policy.default.clone(raise_on_defect=True)).parsebytes(file.read_bytes())
    assert trial.command("claims", "letter", "C1", "--out", str(file)).returncode == 1
    assert letters(trial) == [] and states(trial) == []  # to read it sends nothing
    said(trial, "approve", "C1")
    trial.pass_at(at(day(5), 15))
    (letter,) = letters(trial)
    assert letter["Subject"] == draft["Subject"]
    assert "as it left on 2026-08-07 15:00 (sent)" in said(trial, "claims", "letter", "C1")


def test_a_carrier_without_an_address_is_written_to_by_a_person(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha, letter_to=None)
    trial.pass_through([POSTED, LEAVES])
    assert trial.one(Claim)["hold_reason"] == "by_letter"
    draft = said(trial, "claims", "letter", "C1")
    assert "no address for letters to flecha is configured (claims.letter_to)" in draft
    assert "To: Flecha Expressa <preencha-o-endereco@transportadora.invalid>" in draft and "Prezados," in draft
    # An address that comes later lets it leave by itself.
    trial.settings["carriers"][0]["claims"]["letter_to"] = TO
    trial.pass_at(at(day(5), 15))
    assert (trial.one(Claim)["state"], len(letters(trial))) == ("open", 1)


def test_what_a_person_sent_is_not_sent_again_when_an_address_comes(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha, letter_to=None)
    trial.pass_through([POSTED, LEAVES])
    said(trial, "approve", "C1")
    trial.settings["carriers"][0]["claims"]["letter_to"] = TO
    trial.pass_through([at(day(5), 15), at(day(6), 12)])
    assert (trial.one(Claim)["state"], letters(trial)) == ("open", [])


@pytest.mark.parametrize(
    ("settings", "hold"),
    [
        pytest.param({"mode": "off"}, None, id="switched off"),
        pytest.param({"max_value": "50.00"}, "value_ceiling", id="above the ceiling"),
    ],
)
def test_the_gates_of_claims_hold_letters_too(
    start: Start, flecha: Flecha, settings: dict[str, str], hold: str | None
) -> None:
    trial = by_letter(start(), flecha, **settings)
    trial.pass_through([POSTED, LEAVES, at(day(6), 12)])
    assert letters(trial) == []
    assert [row["hold_reason"] for row in trial.rows(Claim)] == ([hold] if hold else [])


def test_a_shop_that_only_observes_writes_to_nobody(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha)
    trial.shop["live_from"] = None
    trial.pass_through([POSTED, LEAVES])
    assert (trial.one(Claim)["hold_reason"], letters(trial)) == ("observe", [])
    assert trial.command("approve", "C1").returncode == 1


def test_an_accepted_claim_is_followed_to_its_money(start: Start, flecha: Flecha, database_url: str) -> None:
    trial = open_claim(by_letter(start(url=database_url), flecha))
    accepted = ("claims", "answer", "C1", "--accepted", "--amount", "80,00", "--protocol", "F-77", "--reason", "e-mail")
    assert "accepted, R$ 80,00," in said(trial, *accepted)
    assert "recorded already" in said(trial, *accepted)
    trial.pass_at(at(day(9), 12))
    claim = trial.one(Claim)
    assert (claim["state"], claim["granted_cents"], claim["protocol"], claim["closed_at"]) == (
        "accepted",
        8000,
        "F-77",
        None,
    )
    # Ten business days and no money: a person asks. No reminder leaves for what was answered.
    trial.pass_through([at(day(15), 12), at(day(24), 12)])
    assert (states(trial), trial.one(Alert, kind="claim_needs_person")["resolved_at"]) == ([("letter", "sent")], None)
    trial.clock_at(at(day(24), 13))
    said(trial, "claims", "answer", "C1", "--paid", "--amount", "75,50", "--reason", "extrato")
    trial.pass_at(at(day(24), 14))
    claim = trial.one(Claim)
    assert (claim["state"], claim["outcome"], claim["received_cents"], claim["granted_cents"]) == (
        "paid",
        "paid",
        7550,
        8000,
    )
    assert claim["closed_at"] is not None
    assert trial.one(Alert, kind="claim_needs_person")["resolved_at"] is not None
    acts = [(row["act"], row["reason"]) for row in trial.rows(OperatorAct)]
    assert acts == [("answer_accepted", "e-mail"), ("answer_paid", "extrato")]


def test_a_rejection_ends_the_claim_with_an_alert(start: Start, flecha: Flecha) -> None:
    trial = open_claim(by_letter(start(), flecha))
    said(trial, "claims", "answer", "C1", "--rejected", "--reason", "diz que entregou")
    trial.pass_at(at(day(9), 12))
    claim = trial.one(Claim)
    assert (claim["state"], claim["outcome"], claim["closed_at"]) == ("rejected", "rejected", at(day(9), 12))
    assert "diz que entregou" in trial.one(Alert, kind="claim_rejected")["summary"]
    # Money that comes all the same is recorded; another opinion is not.
    trial.clock_at(at(day(10), 10))
    refused = trial.command("claims", "answer", "C1", "--accepted", "--reason", "mudou de ideia")
    assert refused.returncode == 1 and "only a payment" in refused.stderr
    said(trial, "claims", "answer", "C1", "--paid", "--reason", "pagou")
    trial.pass_at(at(day(10), 12))
    claim = trial.one(Claim)
    assert (claim["state"], claim["received_cents"]) == ("paid", None)  # how much nobody said, and nobody guesses
    steps = [(row["action"], row["outcome"], row["text"]) for row in trial.rows(ClaimStep)]
    assert steps[1:] == [("answer", "rejected", "diz que entregou"), ("answer", "paid", "pagou")]


def test_an_answer_that_comes_while_the_reminder_waits_calls_it_off(start: Start, flecha: Flecha) -> None:
    trial = open_claim(by_letter(start(), flecha))
    trial.settings["messages"]["email"]["port"] = 9
    trial.pass_through([at(day(15), 12)])
    assert states(trial) == [("letter", "sent"), ("follow_up", "queued")]
    said(trial, "claims", "answer", "C1", "--accepted", "--reason", "telefone")
    trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
    trial.pass_through([at(day(15), 13), at(day(16), 12)])
    assert len(letters(trial)) == 1
    assert (trial.one(Claim)["state"], states(trial)[1]) == ("accepted", ("follow_up", "suppressed"))


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        pytest.param(["C1", "--reason", "x"], 2, "name one of --accepted, --rejected and --paid", id="nothing"),
        pytest.param(["C1", "--paid", "--accepted", "--reason", "x"], 2, "name one of", id="two at once"),
        pytest.param(["C9", "--paid", "--reason", "x"], 1, "there is no claim C9", id="no such claim"),
        pytest.param(["P1", "--paid", "--reason", "x"], 2, "needs the id of a claim", id="a problem"),
        pytest.param(["C1", "--paid", "--amount", "oito", "--reason", "x"], 2, "above zero, as 123,45", id="no number"),
        pytest.param(["C1", "--paid", "--amount", "0", "--reason", "x"], 2, "above zero, as 123,45", id="zero"),
        pytest.param(["C1", "--rejected", "--amount", "1", "--reason", "x"], 2, "grants nothing", id="a rejection's"),
        pytest.param(["C1", "--paid", "--on", "ontem", "--reason", "x"], 2, "needs a day", id="no day"),
        pytest.param(["C1", "--paid", "--on", "2026-08-12", "--reason", "x"], 2, "in the future", id="tomorrow"),
        pytest.param(["C1", "--paid", "--on", "2026-08-06", "--reason", "x"], 2, "before the day", id="too early"),
        pytest.param(["C1", "--paid", "--reason", " "], 2, "needs some words", id="no words"),
    ],
)
def test_an_answer_that_cannot_be_meant(answered: Trial, words: list[str], code: int, sentence: str) -> None:
    result = answered.command("claims", "answer", *words)
    assert (result.returncode, sentence in result.stderr) == (code, True), result.stderr
    assert answered.rows(OperatorAct) == []


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> object:
    """An open claim on 11 August, for answers that change nothing."""
    from contextlib import ExitStack

    from tests.end_to_end.flecha import serving
    from tests.end_to_end.support import start_trial

    with ExitStack() as stack:
        trial = start_trial(tmp_path_factory.mktemp("answers"))
        stack.enter_context(trial.world)
        stack.callback(trial.close)
        trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
        yield open_claim(by_letter(trial, stack.enter_context(serving())))


def test_what_was_written_and_answered_can_be_told(start: Start, flecha: Flecha) -> None:
    trial = open_claim(by_letter(start(), flecha))
    trial.pass_at(at(day(15), 12))
    told = said(trial, "explain", "C1")
    assert f"A carta saiu para {TO}, com rastreamento_{LATE}.csv, rastreamento_{LATE}.json" in " ".join(told.split())
    assert "lembrete em 17/08/2026" in " ".join(told.split())
    english = " ".join(said(trial, "explain", "C1", "--lang", "en").split())
    assert f"The letter left for {TO}" in english and "reminded on 17/08/2026" in english
    data = json.loads(said(trial, "explain", "C1", "--json"))
    assert TO in json.dumps(data)
    screen = " ".join(said(trial, "show", LATE).split())
    assert f"carta para {TO}: enviada em 07/08/2026" in screen and f"lembrete para {TO}" in screen
    (line,) = [json.loads(row) for row in said(trial, "export", "claims").splitlines()]
    assert (line["letter_to"], line["letter_state"], line["letter_sent_at"]) == (TO, "sent", "2026-08-07T15:00:00Z")
    assert line["reminder_sent_at"] == "2026-08-17T15:00:00Z"
    assert line["evidence"] == [f"rastreamento_{LATE}.csv", f"rastreamento_{LATE}.json"]
    table = list(csv.DictReader(io.StringIO(said(trial, "export", "claims", "--format", "csv")), delimiter=";"))
    assert table[0]["letter_to"] == TO
    assert json.loads(said(trial, "claims", "--json"))[0]["letter_to"] == TO
    assert "C1" in said(trial, "claims", "--open")


def test_an_indemnity_that_tracking_shows_is_confirmed_by_a_person(start: Start, flecha: Flecha) -> None:
    trial = open_claim(by_letter(start(), flecha, code="X1"))
    flecha.show(LATE, (1, at(day(1), 14), "B1"), (3, at(day(5), 8), "X1"), (4, at(day(8), 9), "X9"))
    trial.pass_at(at(day(9), 12))
    claim = trial.one(Claim)
    assert (claim["state"], claim["received_cents"], claim["closed_at"]) == ("accepted", None, None)
    assert "has the money come?" in trial.one(Alert, kind="claim_needs_person")["summary"]
    trial.clock_at(at(day(10), 10))
    said(trial, "claims", "answer", "C1", "--paid", "--amount", "75,50", "--reason", "extrato")
    trial.pass_at(at(day(10), 12))
    claim = trial.one(Claim)
    assert (claim["state"], claim["received_cents"], claim["closed_at"]) == ("paid", 75_50, at(day(10), 12))
    assert trial.one(Alert, kind="claim_needs_person")["resolved_at"] is not None
