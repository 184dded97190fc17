"""A carrier that sends texts: what a text alone says asks for no refund; a code, a silence or a person lets it go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from pydantic import BaseModel

from carriers.base import AdapterContext
from carriers.letters import road_claims
from tests.carriers.fictitious import Fictitious
from tests.claims.letters import LEAVES, by_letter, letters, text_of
from tests.end_to_end.flecha import LATE, Flecha
from tests.end_to_end.support import Start, Trial, at, day
from tracker.store.tables import Claim, Decision, Notice, Problem

TEXT = "Mercadoria extraviada"
LAST_SILENT_DAY, SILENT = at(day(12), 12), at(day(13), 18)
"""Five business days after Friday are over on the next Saturday."""


def map_it(trial: Trial) -> None:
    trial.carrier["codes"] = {"mercadoria  EXTRAVIADA": {"status": "lost", "cause": "loss"}}
    trial.pass_at(at(day(6), 12))


def be_silent(trial: Trial) -> None:
    trial.pass_at(LAST_SILENT_DAY)
    assert letters(trial) == []
    trial.pass_at(SILENT)


def approve_it(trial: Trial) -> None:
    trial.clock_at(at(day(6), 12))
    assert trial.command("approve", "C1").returncode == 0
    trial.pass_at(at(day(6), 12))


@pytest.mark.parametrize(
    ("let_go", "by_words"),
    [
        pytest.param(map_it, False, id="the merchant maps the text"),
        pytest.param(be_silent, True, id="nothing moves for five business days"),
        pytest.param(approve_it, True, id="a person approves"),
    ],
)
def test_money_waits_for_a_second_sign(
    start: Start, flecha: Flecha, let_go: Callable[[Trial], None], by_words: bool
) -> None:
    trial = by_letter(start(), flecha, due_on=None, code="", text=TEXT)
    trial.pass_at(LEAVES)
    assert trial.one(Problem, kind="loss")["by_words"]
    claim = trial.one(Claim)
    assert (claim["kind"], claim["state"], claim["hold_reason"]) == ("refund", "waiting_approval", "by_words")
    assert letters(trial) == []
    let_go(trial)
    assert (trial.one(Claim)["state"], trial.one(Problem, kind="loss")["by_words"]) == ("open", by_words)
    (letter,) = letters(trial)
    assert "Pedido de indenização" in text_of(letter) or "formulário F-12" in text_of(letter)


def test_people_are_told_that_only_a_text_says_so(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha, due_on=None, code="", text=TEXT)
    trial.pass_at(LEAVES)
    words = "lido do texto da transportadora, sem código confirmado"
    assert words in " ".join(trial.command("show", LATE).stdout.split())
    assert trial.rows(Notice, trigger="loss_confirmed") == []  # nobody has confirmed it
    assert "loss (text only)" in trial.command("problems").stdout
    assert "extravio (só pelo texto)" in trial.command("problems", "--lang", "pt-BR").stdout
    loss = trial.one(Problem, kind="loss")["id"]
    explained = trial.command("explain", f"P{loss}").stdout
    assert "Lido do texto da transportadora, sem código confirmado." in explained
    claim = trial.command("explain", "C1").stdout
    assert "Retida: pede indenização por algo lido do texto da transportadora" in claim
    rules = {row["rule"]: row["rule_version"] for row in trial.rows(Decision)}
    assert (rules["loss.coded"], rules["claim.plan"], rules["claim.hold.by_words"]) == (2, 3, 1)


class Road(Fictitious):
    """The same carrier, with claims as carriers by road take them."""

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        super().__init__(settings, context)
        self.claims = road_claims(source="an invented carrier", valid_since=date(2026, 1, 1))


def test_an_inquiry_leaves_at_once_and_gives_way_to_the_refund(start: Start, flecha: Flecha, database_url: str) -> None:
    trial = by_letter(start(url=database_url), flecha, due_on=None, code="", text=TEXT)
    trial.adapters = {Fictitious.NAME: Road}
    trial.pass_at(LEAVES)
    (asked,) = letters(trial)
    assert "Pedido de informação por extravio" in text_of(asked)
    assert (trial.one(Claim)["kind"], trial.one(Claim)["state"]) == ("information_request", "open")
    trial.pass_through([LAST_SILENT_DAY, SILENT, at(day(14), 18)])
    first, second = trial.rows(Claim)
    assert (first["state"], first["outcome"], first["closed_at"]) == ("cancelled", "superseded", SILENT)
    assert (second["kind"], second["motive"], second["state"]) == ("refund", "extravio", "open")
    claimed = letters(trial)[-1]
    assert "Pedido de indenização por extravio" in text_of(claimed)
    assert "art. 18 da Lei 11.442/2007" in text_of(claimed)
    assert "declaração de não recebimento assinada pelo destinatário" in text_of(claimed)
    assert len(letters(trial)) == 2


def test_a_broker_is_written_to_and_the_carrier_named(start: Start, flecha: Flecha) -> None:
    trial = by_letter(
        start(),
        flecha,
        due_on=None,
        code="X1",
        counterparty={"kind": "broker", "name": "Corretora de Fretes", "cnpj": "11222333000181"},
    )
    trial.pass_at(LEAVES)
    (letter,) = letters(trial)
    assert "À Corretora de Fretes, CNPJ 11.222.333/0001-81" in text_of(letter)
    assert "Transportado por: Flecha Expressa" in text_of(letter)
    assert letter["To"].startswith("Corretora de Fretes")
