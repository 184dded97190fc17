"""`tracker explain`: the decision log, what it rests on, and what was not done and why."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import update

from carriers.base import Cause, ProblemKind
from tests.cli.conftest import Tracker
from tests.reports.support import (
    CODE,
    NOW,
    STATUS,
    add_a_claim,
    add_message,
    add_order,
    add_problem,
    at,
    event,
    order,
    track,
    waiting,
)
from tracker.alerts.sweep import AlertSweep
from tracker.domain.words import Trigger
from tracker.store.claims import add_step
from tracker.store.contexts import orders_of
from tracker.store.database import Database
from tracker.store.logs import DecisionNote, SignalNote, log_act, log_decisions, signal
from tracker.store.tables import Claim, table


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
    assert lines[0] == f"C{ids['claim']} · Pedido 10482 · Correios SEDEX · {CODE} · em trânsito desde 12/11/2026 (qui)"
    assert lines[lines.index("Detalhes técnicos") + 1] == f"C{ids['claim']} claim"
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


@pytest.mark.parametrize(
    ("word", "portuguese", "english"),
    [
        pytest.param("approve", "aprovada", "approved; the program goes on with it at its next look", id="approved"),
        pytest.param("release", "liberada", "released; the program judges it at its next look", id="released"),
    ],
)
def test_a_word_that_was_given_is_not_asked_for_again(
    tracker: Tracker, database: Database, ids: dict[str, int], word: str, portuguese: str, english: str
) -> None:
    name = f"C{ids['claim']}"
    hold = "before_live" if word == "release" else "propose"
    with database.begin_write() as connection:
        connection.execute(update(table(Claim)).values(hold_reason=hold))
    assert f"tracker {word} {name}" in tracker("explain", name).stdout
    assert f"tracker {word} {name}" in tracker("show", CODE).stdout
    assert tracker(word, name).exit_code == 0
    out = " ".join(tracker("explain", name, "--no-details").stdout.split())
    assert f"{name}: {portuguese}; o programa" in out and "na próxima passada" in out
    assert f"tracker {word}" not in out
    assert english in " ".join(tracker("explain", name, "--lang", "en").stdout.split())
    shown = " ".join(tracker("show", CODE).stdout.split())
    assert f"{name} reclamação: {portuguese}" in shown and f"tracker {word} {name}" not in shown


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
    with database.begin_write() as connection:
        problem = add_problem(connection, ids["shipment"], ProblemKind.LOSS)
        claim = add_a_claim(connection, ids["shipment"], [problem], state="open", opened_at=at(23))
        message = add_message(connection, ids["shipment"], Trigger.INQUIRY_OPENED, problem_id=problem)
    document = tracker.json("explain", f"M{message}")
    assert [one["id"] for one in document["rests_on"]] == [f"C{claim}"]


@pytest.mark.parametrize(
    ("state", "closed_at", "said"),
    [
        pytest.param("paid", at(24), "paga, protocolo 123", id="paid"),
        pytest.param("planned", None, "será registrada em 23/11/2026", id="planned"),
        pytest.param(None, None, "P1: não há reclamação à transportadora.", id="none"),
    ],
)
def test_a_message_tells_how_its_problems_claim_stands(
    tracker: Tracker, database: Database, state: str | None, closed_at: datetime | None, said: str
) -> None:
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment)
        problem = add_problem(connection, shipment)
        if state is not None:
            add_a_claim(connection, shipment, [problem], state=state, closed_at=closed_at, protocol="123")
        message = add_message(connection, shipment, problem_id=problem, state="sent", sent_at=at(21, 7))
    flat = " ".join(tracker("explain", f"M{message}").stdout.split("Detalhes técnicos")[0].split())
    assert said in flat
    assert ("não há reclamação" in flat) == (state is None)


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
        pytest.param("99", 1, "there is no problem, claim, message, shipment, order", id="no such number"),
        pytest.param("A99", 1, "there is no alert A99", id="no such alert"),
        pytest.param("O99", 1, "there is no order O99", id="no such order"),
        pytest.param(" ", 2, "needs an id (P12", id="nothing"),
        pytest.param("1", 2, "1 could be P1 or C1 or M1 or S1; name one of them", id="a number of several kinds"),
        pytest.param("D1", 2, "needs the id of a problem (P12)", id="a kind that has no log"),
        pytest.param("nada", 1, "order or tracking code nada", id="nothing that is known"),
    ],
)
def test_wrong_ids(tracker: Tracker, ids: dict[str, int], text: str, exit_code: int, sentence: str) -> None:
    result = tracker("explain", text)
    assert result.exit_code == exit_code
    assert sentence in result.stderr


def test_a_bare_number_of_one_kind(tracker: Tracker, database: Database, ids: dict[str, int]) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("20000"), "AA111111119BR")
    assert tracker("explain", "2").stdout.startswith("S2 · Pedido 20000")


def test_a_number_that_is_an_id_and_an_order(tracker: Tracker, database: Database, ids: dict[str, int]) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("2"), "AA111111119BR")
    result = tracker("explain", "2")
    assert (result.exit_code, result.stderr) == (2, "2 could be S2 or O2; name one of them\n")


# --- as a story -------------------------------------------------------------------------------------


def test_a_clerk_reads_why_and_what_to_do(tracker: Tracker, ids: dict[str, int]) -> None:
    story = " ".join(tracker("explain", f"P{ids['problem']}", "--no-details").stdout.split())
    for piece in (
        "21/11/2026 sáb 01:00 P1: Atraso: a encomenda não chegou e nenhuma tentativa de entrega foi feita no prazo.",
        "21/11/2026 sáb 03:00 C1: Retida: as reclamações desta transportadora esperam a aprovação de uma pessoa.",
        "21/11/2026 sáb 03:00 M1: Mensagem ao cliente preparada.",
        "Agora P1: o problema está em aberto desde 21/11/2026 (sáb).",
        "C1: para registrar, tracker approve C1; para desistir, tracker reject C1. Prazo: 18/12/2026 (sex).",
        "O registro exato: tracker explain P1 --details",
    ):
        assert piece in story, piece


def test_in_english(tracker: Tracker, ids: dict[str, int]) -> None:
    story = " ".join(tracker("explain", f"C{ids['claim']}", "--lang", "en").stdout.split())
    assert "P1: Late: the parcel has not come" in story
    assert "C1: to file it, tracker approve C1; to give it up, tracker reject C1. Term: 18/12/2026 (Fri)." in story
    assert "Technical details C1 claim" in story


def test_in_the_shops_language(tracker: Tracker, ids: dict[str, int]) -> None:
    text = tracker.config.read_text(encoding="utf-8").replace(
        "name: Loja Exemplo", "name: Loja Exemplo\n    language: en"
    )
    tracker.config.write_text(text, encoding="utf-8")
    assert "Technical details" in tracker("explain", "P1").stdout
    assert "Detalhes técnicos" in tracker("explain", "P1", "--lang", "pt-BR").stdout


@pytest.mark.parametrize("what", ["S1", "10482", "pedido 10482", CODE, "aa 123 456 785 br", "O1"])
def test_a_parcel_by_whatever_the_clerk_has(tracker: Tracker, ids: dict[str, int], what: str) -> None:
    out = tracker("explain", what).stdout
    lines = out.splitlines()
    assert lines[0].startswith(f"S1 · Pedido 10482 · Correios SEDEX · {CODE}")
    assert "P1 atraso · C1" in lines
    assert "Detalhes técnicos" not in lines
    assert len(lines) < 40
    assert tracker("explain", what, "--details").stdout.count("S1 shipment") == 1


def test_the_newest_matter_comes_first(tracker: Tracker, database: Database, ids: dict[str, int]) -> None:
    with database.begin_write() as connection:
        damage = add_problem(connection, ids["shipment"], ProblemKind.DAMAGE, at(23))
        note = DecisionNote("exemplo", "problem", damage, "damage.coded", 1, "changed", "again", {})
        log_decisions(connection, [note], at(23))
    titles = [line for line in tracker("explain", "S1").stdout.splitlines() if line.startswith("P")]
    assert titles == [f"P{damage} avaria", "P1 atraso · C1"]


def test_the_story_as_data(tracker: Tracker, ids: dict[str, int]) -> None:
    story = tracker.json("explain", f"C{ids['claim']}")["story"]
    assert story[0]["about"] == "P1" and story[0]["at"] == "2026-11-21T04:00:00Z"
    assert story[-1] == {
        "about": "C1",
        "at": None,
        "text": "C1: para registrar, tracker approve C1; para desistir, tracker reject C1. Prazo: 18/12/2026 (sex).",
    }
    document = tracker.json("explain", CODE)
    assert (document["id"], document["kind"]) == ("O1", "order")
    assert [one["id"] for one in document["shipments"]] == ["S1"]


def test_an_alert_tells_what_it_is_about(tracker: Tracker, database: Database, ids: dict[str, int]) -> None:
    with database.begin_write() as connection:
        claim = SignalNote(
            f"claim_deadline:{ids['claim']}",
            "claim_deadline",
            "critical",
            "claim C1 must be filed",
            shop="exemplo",
            details={"claim_id": ids["claim"]},
        )
        signal(connection, [claim, SignalNote("mail:account", "mail_down", "critical", "takes no mail")], NOW)
    assert asyncio.run(AlertSweep(database, []).run(NOW)) == 2
    out = " ".join(tracker("explain", "A1").stdout.split())
    assert "24/11/2026 ter 12:00 O prazo de uma reclamação está perto do fim e ela não foi registrada." in out
    assert "tracker approve C1" in out
    assert "claim C1 must be filed" not in out
    alone = tracker.json("explain", "A2")
    assert [one["text"] for one in alone["story"]] == [
        "O servidor de e-mail não aceita mensagens; elas esperam na fila. O programa avisou: “takes no mail”"
    ]
    assert alone["rests_on"] == []


@pytest.mark.parametrize(
    ("hold", "to_do"),
    [
        pytest.param("observe", "Para entrar no ar, ponha a data em live_from", id="the shop observes"),
        pytest.param("before_live", "para registrar, tracker release C2", id="older than the first live day"),
        pytest.param("propose", "para registrar, tracker approve C2", id="waits for approval"),
        pytest.param("value_ceiling", "para registrar, tracker approve C2", id="above the ceiling"),
        pytest.param("by_letter", "depois confirme com tracker approve C2", id="by letter"),
        pytest.param("missing_data", "informe o nome do destinatário (tracker edit PEDIDO --name NOME)", id="no name"),
        pytest.param("configuration", "acerte os dados da transportadora em config.yaml", id="configuration"),
        pytest.param("carrier_answer", "leia a resposta da transportadora", id="the carrier's answer"),
    ],
)
def test_each_hold_says_what_to_do(
    tracker: Tracker, database: Database, ids: dict[str, int], hold: str, to_do: str
) -> None:
    tracker("reject", f"C{ids['claim']}")
    with database.begin_write() as connection:
        loss = add_problem(connection, ids["shipment"], ProblemKind.LOSS)
        waiting(connection, ids["shipment"], [loss], hold)
    story = tracker.json("explain", "C2")["story"]
    assert story[-1]["at"] is None and to_do in story[-1]["text"]
    assert any(one["at"] and one["text"].startswith("C2: Retida: ") for one in story)


def test_a_problem_that_stands_shows_where_its_claim_ended(
    tracker: Tracker, database: Database, ids: dict[str, int]
) -> None:
    ended = {"state": "rejected", "protocol": "210000006", "hold_reason": None, "closed_at": NOW}
    with database.begin_write() as connection:
        connection.execute(update(table(Claim)).values(**ended))
    now = [one["text"] for one in tracker.json("explain", f"P{ids['problem']}")["story"] if one["at"] is None]
    assert now[1].startswith(
        "C1: rejeitada pela transportadora, protocolo 210000006. Se nada novo acontecer, nada mais é"
    )


@pytest.mark.parametrize(
    ("lang", "state", "sentence"),
    [
        pytest.param("pt-BR", "sent", "mas desviada para teste@exemplo.com.br: o cliente não a recebeu.", id="sent"),
        pytest.param(
            "pt-BR", "unconfirmed", "desviada para teste@exemplo.com.br e não para o cliente", id="unconfirmed"
        ),
        pytest.param("pt-BR", "bounced", "que não foi ao cliente.", id="came back"),
        pytest.param("en", "sent", "but diverted to teste@exemplo.com.br: the customer did not get it.", id="english"),
    ],
)
def test_a_diverted_message_says_so(
    tracker: Tracker, database: Database, ids: dict[str, int], lang: str, state: str, sentence: str
) -> None:
    with database.begin_write() as connection:
        went = {"state": state, "sent_at": at(21, 7), "sent_to": "teste@exemplo.com.br"}
        message = add_message(connection, ids["shipment"], Trigger.DAMAGE, **went)
    document = tracker.json("explain", f"M{message}", "--lang", lang)
    assert sentence in document["story"][-1]["text"]
    assert document["facts"]["diverted_to"] == "teste@exemplo.com.br" and "sent_to" not in document["facts"]


def test_a_log_entry_of_a_diverted_message_says_where_it_went(
    tracker: Tracker, database: Database, ids: dict[str, int]
) -> None:
    with database.begin_write() as connection:
        went = {"state": "sent", "sent_at": at(21, 7), "sent_to": "teste@exemplo.com.br"}
        message = add_message(connection, ids["shipment"], Trigger.DAMAGE, **went)
        note = DecisionNote("exemplo", "message", message, "deliver.email", 1, "sent", "accepted", {})
        log_decisions(connection, [note], at(21, 7))
    told = " ".join(tracker("explain", f"M{message}").stdout.split())
    assert "A mensagem foi enviada para teste@exemplo.com.br, e não para o cliente: o servidor" in told


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        pytest.param({"hold_reason": "before_live"}, "para enviar, tracker release M2", id="held since before"),
        pytest.param(
            {"hold_reason": "template"},
            "corrija o texto, e ela sai sozinha",
            id="a broken text",
        ),
        pytest.param({"state": "bounced"}, "Corrija o e-mail (tracker edit PEDIDO --email ENDEREÇO)", id="bounced"),
        pytest.param({"state": "suppressed"}, "não será enviada", id="suppressed"),
        pytest.param({"state": "expired"}, "venceu em 28/11/2026 (sáb) sem sair", id="expired"),
        pytest.param(
            {"state": "queued", "next_step_at": at(24, 18)}, "sai a partir de 24/11/2026 às 15:00", id="later"
        ),
    ],
)
def test_each_message_says_how_it_stands(
    tracker: Tracker, database: Database, ids: dict[str, int], changes: dict[str, object], now: str
) -> None:
    state = {"state": "awaiting_person"} if "hold_reason" in changes else {}
    with database.begin_write() as connection:
        add_message(connection, ids["shipment"], Trigger.DAMAGE, **{**state, **changes})
    assert now in tracker.json("explain", "M2")["story"][-1]["text"]


@pytest.mark.parametrize(
    ("rule", "reopened_as", "portuguese", "english"),
    [
        pytest.param(
            "claim.reopen",
            "211 refund (refund)",
            "C1: Será pedida a reabertura da reclamação como pedido de indenização (motivo 211), porque ela foi aceita,"
            " e o dinheiro só vem com um pedido de indenização.",
            "C1: The carrier will be asked to reopen the claim as refund claim (motive 211), because it was accepted,"
            " and its money only comes by a refund claim.",
            id="asked for",
        ),
        pytest.param(
            "claim.reopen_switch",
            "135 refund (problem)",
            "C1: A transportadora não aceitou a reabertura do primeiro jeito."
            " Será pedida de novo como pedido de indenização (motivo 135).",
            "C1: The carrier did not take the reopening as it was."
            " It will be asked again as refund claim (motive 135).",
            id="asked for differently",
        ),
        pytest.param(
            "claim.reopen",
            None,
            "C1: Será pedida a reabertura da reclamação.",
            "C1: The carrier will be asked to reopen the claim.",
            id="a log that does not say as what",
        ),
    ],
)
def test_a_reopening_is_told_as_what_is_asked_for(
    tracker: Tracker,
    database: Database,
    ids: dict[str, int],
    rule: str,
    reopened_as: str | None,
    portuguese: str,
    english: str,
) -> None:
    facts = {"kind": "information_request", "motive": "211", "protocol": "123", "reopened_as": reopened_as}
    note = DecisionNote("exemplo", "claim", ids["claim"], rule, 1, "accepted", "as logged", facts)
    with database.begin_write() as connection:
        log_decisions(connection, [note], at(23))
    for language, said in (("pt-BR", portuguese), ("en", english)):
        story = tracker.json("explain", "C1", "--lang", language)["story"]
        assert said in [one["text"] for one in story]


@pytest.mark.parametrize(
    ("kind", "cause", "portuguese", "english"),
    [
        pytest.param(
            ProblemKind.RETURNING,
            None,
            "Ainda sem reclamação: só se reclama de uma devolução depois que a encomenda volta,"
            " e só se ninguém tiver causado ou pedido a devolução.",
            "No claim yet: a return can only be claimed once the parcel is back, and only if nobody caused it"
            " or asked for it.",
            id="coming back, nobody knows why",
        ),
        pytest.param(
            ProblemKind.RETURNING,
            Cause.REFUSED,
            "Sem reclamação: a transportadora não aceita reclamação por este tipo de problema.",
            "No claim: the carrier takes none for this kind of problem.",
            id="coming back because it was refused",
        ),
        pytest.param(
            ProblemKind.CUSTOMS_HOLD,
            None,
            "Sem reclamação: a transportadora não aceita reclamação por este tipo de problema.",
            "No claim: the carrier takes none for this kind of problem.",
            id="another kind",
        ),
    ],
)
def test_a_return_may_be_claimed_once_it_is_back(
    tracker: Tracker,
    database: Database,
    ids: dict[str, int],
    kind: ProblemKind,
    cause: Cause | None,
    portuguese: str,
    english: str,
) -> None:
    with database.begin_write() as connection:
        problem = add_problem(connection, ids["shipment"], kind, at(23), cause=cause)
        facts = {"why": "no_offer", "due_on": "2026-11-18"}
        note = DecisionNote("exemplo", "problem", problem, "claim.plan", 1, "not_claimed", "as logged", facts)
        log_decisions(connection, [note], at(23))
    for language, said in (("pt-BR", portuguese), ("en", english)):
        story = tracker.json("explain", f"P{problem}", "--lang", language)["story"]
        assert f"P{problem}: {said}" in [one["text"] for one in story]


def test_a_reversed_delivery_is_told_in_the_readers_language(
    tracker: Tracker, database: Database, ids: dict[str, int]
) -> None:
    kind, details = "delivery_reversed", {"shipment_id": ids["shipment"]}
    note = SignalNote(f"{kind}:1", kind, "warning", "was not delivered after all", shop="exemplo", details=details)
    with database.begin_write() as connection:
        signal(connection, [note], NOW)
    assert asyncio.run(AlertSweep(database, []).run(NOW)) == 1
    assert tracker.json("explain", "A1")["story"][0]["text"] == (
        f"A transportadora desfez a entrega de {CODE}; quem foi avisado da entrega precisa de uma palavra."
    )
    assert tracker.json("explain", "A1", "--lang", "en")["story"][0]["text"] == (
        f"The carrier took the delivery of {CODE} back; whoever was told of the delivery needs a word."
        " The program said: “was not delivered after all”"
    )


@pytest.mark.parametrize(
    ("language", "head", "one", "several"),
    [
        pytest.param(
            "pt-BR",
            "só movimentações de código desconhecido",
            "a transportadora mostra uma movimentação de código que o programa não conhece (ZZ-01), e nada muda por ela.",
            "mostra 3 movimentações de código que o programa não conhece (ZZ-02, ZZ-01), e nada muda por elas.",
            id="in Portuguese",
        ),
        pytest.param(
            "en",
            "only movements of unknown code",
            "the carrier shows a movement with a code that the program does not know (ZZ-01), and nothing changes by it.",
            "shows 3 movements with a code that the program does not know (ZZ-02, ZZ-01), and nothing changes by them.",
            id="in English",
        ),
    ],
)
def test_movements_of_unknown_code_are_movements(
    tracker: Tracker, database: Database, language: str, head: str, one: str, several: str
) -> None:
    unread = [
        event(code, at(day), STATUS.UNKNOWN, "Em análise") for day, code in enumerate(("ZZ-01", "ZZ-02", "ZZ-02"), 20)
    ]
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order("30000"), "AA333333335BR")
        track(connection, shipment, unread[:1])
    told = " ".join(tracker("explain", f"S{shipment}", "--lang", language).stdout.split())
    assert head in told and one in told
    assert "tracker carriers unknown --carrier correios" in told
    with database.begin_write() as connection:
        track(connection, shipment, unread[1:])
    assert several in " ".join(tracker("explain", f"S{shipment}", "--lang", language).stdout.split())


def test_what_was_told_of_an_order_before_it_has_a_parcel(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("20001"))
        order_id = next(iter(orders_of(connection, range(1, 9))))
        note = DecisionNote("exemplo", "order", order_id, "notice.order_thanked", 1, "not_told", "no address")
        facts = {"why": "no_address", "trigger": "order_thanked"}
        log_decisions(connection, [replace(note, facts=facts)], NOW)
    for language, title, said in (
        ("pt-BR", "Pedido 20001", "Cliente não avisado (agradecimento pela compra): o pedido não tem e-mail."),
        ("en", "Order 20001", "The customer was not told (thanks for the order): the order has no e-mail address."),
    ):
        out = tracker("explain", "20001", "--lang", language).stdout
        assert out.splitlines()[0] == title
        assert said in " ".join(out.split())
