"""A carrier that takes claims by letter: each leaves once, is reminded of once, and its answer comes from a person."""

from __future__ import annotations

import csv
import io
import json

import pytest
from pydantic import BaseModel

from carriers.base import AdapterContext, ClaimsByLetter
from tests.carriers.fictitious import LETTER_TERMS, Fictitious
from tests.claims.letters import (
    COLLECTED,
    GIVES_UP,
    LEAVES,
    REMINDS,
    TO,
    attached,
    by_letter,
    letters,
    states,
    text_of,
)
from tests.end_to_end.flecha import DUE_ON, LATE, Flecha
from tests.end_to_end.support import Start, at, day
from tracker.store.tables import Alert, Claim, ClaimFact, ClaimStep, Letter


def test_a_letter_leaves_once_and_is_reminded_of_once(start: Start, flecha: Flecha, database_url: str) -> None:
    trial = by_letter(start(url=database_url), flecha)
    before = [at(day(2), 12), at(day(4), 23)]
    trial.pass_through([*before, LEAVES, at(day(5), 18), at(day(6), 12), at(day(14), 23)])
    claim = trial.one(Claim)
    assert (claim["state"], claim["opened_at"], claim["outcome"]) == ("open", LEAVES, "registered")
    assert len(letters(trial)) == 1
    trial.pass_through([at(day(15), 5), REMINDS, at(day(16), 12), at(day(22), 23)])
    first, second = letters(trial)
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert first["Message-ID"] != second["Message-ID"] and first["In-Reply-To"] is None
    assert states(trial) == [("letter", "sent"), ("follow_up", "sent")]
    assert trial.rows(Alert, kind="claim_unanswered") == []
    trial.pass_through([GIVES_UP, at(day(24), 12), at(day(60), 12)])
    assert len(letters(trial)) == 2
    assert trial.one(Alert, kind="claim_unanswered")["resolved_at"] is None
    steps = [(row["action"], row["state"], row["outcome"]) for row in trial.rows(ClaimStep)]
    assert steps == [("letter", "done", "sent"), ("follow_up", "done", "sent")]
    assert [row for row in trial.rows(ClaimFact) if row["taken_at"] is None] == []


def test_a_letter_tells_the_carrier_what_it_needs_and_nothing_else(start: Start, flecha: Flecha) -> None:
    trial = by_letter(
        start(),
        flecha,
        letter_cc=["financeiro@aurora.example"],
        letter_reply_to="reclamacoes@aurora.example",
        letter_contract="99-1",
    )
    trial.pass_through([at(day(2), 12), LEAVES])
    (letter,) = letters(trial)
    claim = trial.one(Claim)
    assert letter["From"] == "Loja Aurora <entregas@aurora.example>"
    assert letter["To"] == f"Flecha Expressa <{TO}>"
    assert (letter["Cc"], letter["Reply-To"]) == ("financeiro@aurora.example", "reclamacoes@aurora.example")
    assert (
        letter["Subject"]
        == f"Pedido de informação por atraso na entrega - objeto {LATE} - NF 1001 - ref. C{claim['id']}"
    )
    assert letter["Auto-Submitted"] is None  # the carrier's desk files what a machine wrote unread
    assert letter["Message-ID"] == trial.one(Letter)["message_id"]
    assert {delivery.recipient for delivery in trial.world.mail.deliveries()} >= {TO, "financeiro@aurora.example"}
    text = text_of(letter)
    for told in (
        "CNPJ 12.345.678/0001-95",
        "contrato 99-1",
        LATE,
        "RODOVIARIO",
        "segunda-feira, 03/08/2026",
        "Prazo de entrega informado pela transportadora: quinta-feira, 06/08/2026",
        "Recife/PE",
        "Nota fiscal: 1001",
        "sexta-feira, 14/08/2026 (5 dias úteis)",
        "art. 749 do Código Civil",
    ):
        assert told in text, told
    raw = letter.as_string()
    assert not any(word in raw + text for word in ("Bia", "bia@example.com"))
    assert text_of(letter, "html").count("<html") == 1


def test_the_events_go_along_as_the_carrier_gave_them(start: Start, flecha: Flecha) -> None:
    hostile = '=HYPERLINK("http://x.example";"a");\r\n<script>ç</script>, \t"x" '
    trial = by_letter(start(), flecha, text=hostile)
    trial.shop["name"] = 'Loja <b>"Má"</b>, ' + "Aurora " * 12 + "\\"
    trial.pass_through([at(day(2), 12), LEAVES])
    (letter,) = letters(trial)
    files = attached(letter)
    assert list(files) == [f"rastreamento_{LATE}.csv", f"rastreamento_{LATE}.json"] == trial.one(Letter)["evidence"]
    table = list(csv.reader(io.StringIO(files[f"rastreamento_{LATE}.csv"].decode("utf-8-sig")), delimiter=";"))
    assert [len(line) for line in table] == [7, 7, 7]
    assert [line[0] for line in table[1:]] == ["2026-08-03T14:00:00-03:00", "2026-08-03T23:00:00-03:00"]
    assert all(line[3].startswith("'=HYPERLINK") and "\n" not in line[3] for line in table[1:])
    raw = json.loads(files[f"rastreamento_{LATE}.json"])
    assert [(event["carrier_code"], event["description"]) for event in raw] == [("B1", hostile), ("C1", hostile)]
    html = text_of(letter, "html")
    assert "<script" not in html and "<b>" not in html and "&lt;script&gt;" in html
    assert 'Loja <b>"Má"</b>, Aurora' in text_of(letter)


@pytest.mark.parametrize("code", ["X1", "X2"])
def test_a_letter_without_what_nobody_knows(start: Start, flecha: Flecha, code: str) -> None:
    trial = by_letter(start(), flecha, due_on=None, value="", code=code)
    trial.pass_through([at(day(2), 12), LEAVES])
    (letter,) = letters(trial)
    text = text_of(letter)
    title = {"X1": "Indenização por extravio (formulário F-12)", "X2": "Carta-protesto por avaria"}[code]
    assert title in str(letter["Subject"]) and "NF" not in str(letter["Subject"])
    assert "nos termos do contrato" in text and "arts. 749 e 750" in text
    assert not any(word in text for word in ("None", "R$", "Nota fiscal", "Chave", "Prazo de entrega", "contrato "))
    assert "- declaração de não recebimento\n" in text.replace("\r\n", "\n")
    assert "registrad" in text and "\n\n\n" not in text


def test_three_parcels_at_once_are_three_letters(start: Start, flecha: Flecha) -> None:
    numbers = ("FX00000001", "FX00000004", "FX00000005")
    trial = by_letter(start(), flecha, numbers=numbers)
    trial.pass_through([at(day(2), 12), LEAVES, at(day(6), 12)])
    sent = letters(trial)
    assert len({letter["Message-ID"] for letter in sent}) == len(sent) == 3
    assert sorted(number for letter in sent for number in numbers if number in str(letter["Subject"])) == list(numbers)
    assert {row["state"] for row in trial.rows(Claim)} == {"open"}


def test_an_address_that_the_carrier_publishes_needs_no_configuration(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha, letter_to=None)

    class Published(Fictitious):
        def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
            super().__init__(settings, context)
            self.claims = ClaimsByLetter(LETTER_TERMS, letter_to=TO)

    trial.adapters = {Fictitious.NAME: Published}
    trial.pass_through([at(day(2), 12), LEAVES])
    assert (len(letters(trial)), trial.one(Claim)["state"]) == (1, "open")


def test_an_inquiry_that_becomes_a_refund_is_expected_to_bring_what_one_asked_for_at_once_is(
    start: Start, flecha: Flecha
) -> None:
    """A late parcel's letter waits for a person; then the carrier says that it lost the parcel."""
    trial = by_letter(start(), flecha, mode="propose", column="Valor declarado")
    trial.pass_through([at(day(2), 12), LEAVES])
    claim = trial.one(Claim)
    assert (claim["kind"], claim["expected_cents"]) == ("information_request", None)
    flecha.show(LATE, (1, COLLECTED, "B1"), (3, at(day(5), 18), "X1"), due_on=DUE_ON)
    trial.pass_at(at(day(6), 12))
    claim = trial.one(Claim)
    assert (claim["id"], claim["kind"], claim["state"]) == (1, "refund", "waiting_approval")
    assert claim["expected_cents"] == 100_00
    assert "esperado R$ 100,00" in trial.command("show", LATE).stdout
    (line,) = [json.loads(row) for row in trial.command("export", "claims").stdout.splitlines()]
    assert line["expected_cents"] == 100_00
