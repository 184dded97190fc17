"""`tracker show`: found by whatever the customer says, one screen, and the same as data."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, insert, select, update

from carriers.base import ProblemKind
from tests.cli.conftest import Tracker
from tests.reports.support import (
    CODE,
    CPF,
    DELIVERED,
    EMAIL,
    KEY,
    MOVING,
    OTHER_CODE,
    POSTED,
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
from tracker.domain.detection import Finding
from tracker.domain.incidents import Scope, Where
from tracker.domain.order import OrderStatus, Person
from tracker.domain.words import Trigger
from tracker.sandbox.fates import s10_code
from tracker.store.alerts import new_signals, raise_alert
from tracker.store.database import Database
from tracker.store.incidents import open_incident
from tracker.store.logs import DecisionNote, SignalNote, log_decisions, signal
from tracker.store.problems import open_problem
from tracker.store.tables import ArchivedName, Claim, Event, IncidentMember, Order, table


@pytest.fixture
def known(database: Database) -> int:
    """An order with all its names, and another customer's."""
    names = (("invoice_key", KEY), ("invoice_number", "1234"), ("shop_number", "LOJA-77"))
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(aliases=names), CODE, invoice_number="1234", invoice_key=KEY)
        track(connection, shipment)
        other = order("20000", customer=Person("Joana Prado", "joana@example.com", "+5511988887777", "11144477735"))
        add_order(connection, other, OTHER_CODE)
    return shipment


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(CODE, id="tracking code"),
        pytest.param(" aa 123 456 785 br ", id="tracking code as it is read aloud"),
        pytest.param("10482", id="order number"),
        pytest.param("#10482", id="order number with its sign"),
        pytest.param("pedido nº 10482", id="order number in words"),
        pytest.param("loja-77", id="the shop's own number, in small letters"),
        pytest.param("marina.souza@EXAMPLE.com", id="e-mail in another case"),
        pytest.param(CPF, id="CPF"),
        pytest.param("529.982.247-25", id="CPF with its marks"),
        pytest.param("1234", id="invoice number"),
        pytest.param("NF-e 000.001.234", id="invoice number as printed"),
        pytest.param(KEY, id="invoice key"),
        pytest.param(" ".join(KEY[n : n + 4] for n in range(0, 44, 4)), id="invoice key in groups"),
        pytest.param("(41) 99999-0000", id="telephone"),
        pytest.param("041 9999-0000", id="telephone without the ninth digit"),
        pytest.param("+55 41 99999 0000", id="telephone with the country"),
        pytest.param("s1", id="our own id of the shipment"),
        pytest.param("O1", id="our own id of the order"),
    ],
)
def test_found_by(tracker: Tracker, known: int, what: str) -> None:
    result = tracker("show", what)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("PEDIDO 10482 · Loja Exemplo\n")


def test_nothing_found(tracker: Tracker, known: int) -> None:
    result = tracker("show", "99999")
    sentence = "Nada encontrado para 99999 (procurado como código de rastreio, número do pedido ou da nota).\n"
    assert (result.exit_code, result.stderr) == (1, sentence)
    assert tracker("show", " ").exit_code == 2


@pytest.mark.parametrize(
    ("what", "searched", "name"),
    [
        pytest.param("99999-0000", "código de rastreio", "O1", id="a phone without its area"),
        pytest.param("AA123456784BR", "código de rastreio", "O1", id="a misread code"),
        pytest.param("marina.souza@exemplo.com.br", "e-mail", "O1", id="an address at another domain"),
        pytest.param("joana p", "número do pedido ou da nota", "O2", id="a name"),
        pytest.param("#1048", "número do pedido ou da nota", "O1", id="half a number"),
    ],
)
def test_what_is_spelt_nearly_so_is_offered(tracker: Tracker, known: int, what: str, searched: str, name: str) -> None:
    result = tracker("show", what)
    assert result.exit_code == 1
    first, second, *near = result.stderr.splitlines()
    assert first.startswith(f"Nada encontrado para {what} (procurado como ") and searched in first
    assert second == "Parecidos:"
    assert [line.split()[2] for line in near] == [name]
    document = json.loads(tracker("show", what, "--json").stdout)
    assert (document["matches"], [one["id"] for one in document["near"]]) == ([], [name])


def test_several_orders_are_offered(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("10483"), shop="outra")
    result = tracker("show", CPF)
    assert result.exit_code == 0
    assert "Mais de um pedido" in result.stdout
    assert "tracker show O3" in result.stdout
    assert len(result.stdout.splitlines()) == 3
    document = tracker.json("show", CPF)
    assert [(match["id"], match["number"]) for match in document["matches"]] == [("O3", "10483"), ("O1", "10482")]
    assert tracker("show", "O3").stdout.startswith("PEDIDO 10483 · Outra Loja")
    assert tracker("show", CPF, "--shop", "exemplo").stdout.startswith("PEDIDO 10482")


def test_the_whole_story(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        problem = add_problem(connection, known)
        claim = add_a_claim(
            connection, known, [problem], state="open", protocol="1234567", opened_at=at(23, 13), hold_reason=None
        )
        add_message(connection, known, problem_id=problem, state="sent", sent_at=at(21, 15), subject="Seu pedido 10482")
        add_message(connection, known, Trigger.INQUIRY_OPENED, state="awaiting_person", hold_reason="template")
        facts = {"why": "too_old"}
        note = DecisionNote("exemplo", "shipment", known, "notice.posted", 1, "not_told", "older than that", facts)
        log_decisions(connection, [note], at(21))
    out = tracker("show", CODE).stdout
    assert max(map(len, out.splitlines())) <= 100
    for piece in (
        "Marina Souza · Marina.Souza@example.com · (41) 99999-0000 · CPF 52998224725",
        "Rua das Flores, 12 · Centro · Curitiba/PR · CEP 80010000",
        "R$ 189,90 · Fone sem fio e mais 1",
        f"ENVIO S{known} · Correios SEDEX · {CODE} · NF 1234",
        "em trânsito desde 12/11/2026 23:00",
        "cliente 20/11/2026 (informado no pedido) · transportadora 18/11/2026",
        f"P{problem} atraso desde 21/11/2026, em aberto",
        f"C{claim} pedido de informação: registrada, sem resposta · protocolo 1234567",
        "Está atrasada: a data prometida era 20/11.",
        "não prometa uma",
        "a resposta é esperada até 30/11",
        "Já avisamos o cliente em 21/11 (aviso de atraso).",
        "11/11/2026 10:00 Objeto postado (PO-01) · SAO PAULO/SP",
        "aviso de atraso para Marina.Souza@example.com: enviada “Seu pedido 10482”",
        "RETIDO",
        "mensagem: o texto da mensagem tem um erro",
        f"Não feito Sem aviso (pedido postado, S{known}): antigo demais para avisar",
    ):
        assert piece in " ".join(out.split()), piece


@pytest.mark.parametrize(
    ("state", "word"), [("sent", "enviada"), ("unconfirmed", "saiu, sem confirmação")], ids=["sent", "unconfirmed"]
)
def test_what_a_trial_diverted_was_not_told(
    tracker: Tracker, database: Database, known: int, state: str, word: str
) -> None:
    with database.begin_write() as connection:
        problem = add_problem(connection, known)
        went = {"sending_at": at(21, 15), "sent_at": at(21, 15), "sent_to": "teste@exemplo.com.br"}
        add_message(connection, known, problem_id=problem, state=state, **went)
    out = " ".join(tracker("show", CODE).stdout.split())
    assert f"{word} (desviada para teste@exemplo.com.br, não ao cliente)" in out
    assert "O cliente ainda não recebeu nenhum aviso nosso sobre este problema." in out
    assert "Já avisamos" not in out and "pode não ter chegado" not in out
    (message,) = tracker.json("show", CODE)["messages"]
    assert (message["state"], message["diverted_to"]) == (state, "teste@exemplo.com.br")


def test_an_earlier_message_to_the_customer_still_counts(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        problem = add_problem(connection, known)
        add_message(connection, known, problem_id=problem, state="sent", sent_at=at(21, 15), sent_to=EMAIL.lower())
        went = {"state": "sent", "queued_at": at(23, 8), "sent_at": at(23, 8), "sent_to": "teste@exemplo.com.br"}
        add_message(connection, known, Trigger.DELAY_FOLLOWUP, problem_id=problem, **went)
    out = " ".join(tracker("show", CODE).stdout.split())
    assert "Já avisamos o cliente em 21/11 (aviso de atraso)." in out


def test_the_same_as_data(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        problem = add_problem(connection, known)
        claim = waiting(connection, known, [problem])
    document = tracker.json("show", "10482")
    assert document["order"]["customer_document"] == CPF
    (shipment,) = document["shipments"]
    assert shipment["id"] == f"S{known}"
    assert shipment["promised_on"] == "2026-11-20"
    assert [one["carrier_code"] for one in shipment["events"]] == ["PO-01", "RO-01"]
    assert shipment["events"][0]["occurred_at"] == "2026-11-11T13:00:00Z"
    assert shipment["problems"][0]["claim_id"] == f"C{claim}"
    assert shipment["claims"][0]["hold_reason"] == "propose"
    assert "Ainda não há reclamação registrada na transportadora; não diga que há." in shipment["say"]


def test_news_that_may_be_old_is_said_to_be(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        track(connection, known)
    assert "Atenção" not in tracker("show", CODE).stdout
    with database.begin_write() as connection:
        track(connection, known, next_poll_at=at(20))
    assert "Atenção: a última resposta da transportadora foi" in " ".join(tracker("show", CODE).stdout.split())
    assert tracker.json("show", "10482")["shipments"][0]["is_stale"] is True


def test_a_parcel_back_and_forth(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        track(connection, known, (POSTED, MOVING, DELIVERED))
        rows = table(Event)
        connection.execute(update(rows).where(rows.c.carrier_code == "PO-01").values(void=True))
        connection.execute(update(rows).where(rows.c.carrier_code == "RO-01").values(vanished_at=at(20)))
    out = tracker("show", CODE).stdout
    assert "(PO-01) · SAO PAULO/SP [anulado]" in out
    assert "[retirado pela transportadora]" in out
    assert "A transportadora registrou a entrega em 23/11, às 11:00, em CURITIBA/PR." in " ".join(out.split())


@pytest.mark.parametrize(
    ("codes", "now", "listed", "said"),
    [
        pytest.param(
            ["ZZ-01"],
            "não se sabe: a transportadora mostra uma movimentação de código desconhecido",
            "ZZ-01",
            "A transportadora mostra uma movimentação deste envio (em 18/11, às 09:00, em CURITIBA/PR), mas com código",
            id="one",
        ),
        pytest.param(
            ["ZZ-01", "ZZ-02", "ZZ-02", "ZZ-03", " ".join(["PALAVRAS"] * 9)],
            "não se sabe: a transportadora mostra 5 movimentações de código desconhecido",
            "PALAVRAS PALAVRAS PALAVRAS PALAVRAS PAL…, ZZ-03, ZZ-02, …",
            "mostra 5 movimentações deste envio (a última em 22/11, às 09:00, em CURITIBA/PR), mas com código",
            id="several, and one that is a text",
        ),
    ],
)
def test_a_parcel_of_which_only_unread_codes_are_known_is_not_called_unmoved(
    tracker: Tracker, database: Database, codes: list[str], now: str, listed: str, said: str
) -> None:
    unread = [event(code, at(day), STATUS.UNKNOWN, "Em análise") for day, code in enumerate(codes, 18)]
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment, unread)
    out = " ".join(tracker("show", CODE).stdout.split())
    assert f"Agora {now}" in out
    command = "não são lidos, e nada muda por eles → tracker carriers unknown --carrier correios"
    assert f"Códigos {listed}: {command}" in out
    assert said in out and "nem onde está" in out
    assert "nenhuma movimentação" not in out and "sem movimentação" not in out
    assert tracker.json("show", CODE)["shipments"][0]["unread_codes"] == [*dict.fromkeys(reversed(codes))]


def test_an_unread_code_after_others_is_named_beside_what_is_known(
    tracker: Tracker, database: Database, known: int
) -> None:
    with database.begin_write() as connection:
        track(connection, known, (POSTED, MOVING, event("ZZ-01", at(21), STATUS.UNKNOWN, "Em análise")))
    out = " ".join(tracker("show", CODE).stdout.split())
    assert "Agora em trânsito desde 12/11/2026 23:00" in out
    assert "Códigos ZZ-01: não são lidos" in out


def test_a_hostile_text_cannot_reach_the_terminal(tracker: Tracker, database: Database, known: int) -> None:
    evil = event("XX-01", at(20), STATUS.EXCEPTION, "fim\x1b[2J\x07 \u202eda linha " + "muito longo " * 40)
    with database.begin_write() as connection:
        track(connection, known, (POSTED, evil))
    out = tracker("show", CODE).stdout
    assert "\x1b" not in out and "\x07" not in out and "\u202e" not in out
    assert max(map(len, out.splitlines())) <= 100


def test_an_order_without_a_parcel_and_without_a_number(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("nada"))
        add_order(connection, order(f"code:{CODE}", customer=Person(), recipient=Person()), CODE)
        add_order(connection, order("cancelado", status=OrderStatus.CANCELLED))
    out = tracker("show", "nada").stdout
    assert "Nenhum envio deste pedido é conhecido ainda." in out
    assert "Desde 10/11/2026 ele espera o código de rastreio ou a chave da NF-e" in out
    assert "tracker edit nada --code CÓDIGO" in " ".join(out.split())
    assert "espera o código" not in tracker("show", "cancelado").stdout
    out = tracker("show", CODE).stdout
    assert out.startswith(f"PEDIDO (sem número) {CODE}")
    assert "A transportadora ainda não mostra nenhuma movimentação deste envio." in out


def test_an_order_that_should_have_left_shows_it_and_so_does_explain(tracker: Tracker, database: Database) -> None:
    finding = Finding(ProblemKind.NOT_POSTED, "not_posted.no_shipment", at(21, 3), facts={"ship_by": "2026-11-20"})
    with database.begin_write() as connection:
        add_order(connection, order("nada"))
        (order_id,) = connection.execute(select(table(Order).c.id)).scalars()
        about = {"shop": "exemplo", "order_id": order_id, "rule_version": 1, "now": at(21, 4)}
        problem_id = open_problem(connection, finding=finding, episode=1, **about)
    assert f"P{problem_id} não postado desde 21/11/2026, em aberto" in tracker("show", "nada").stdout
    assert tracker.json("show", "nada")["problems"][0]["kind"] == "not_posted"
    assert f"P{problem_id} problem" in tracker("explain", f"P{problem_id}").stdout
    (line,) = tracker.json("problems", "--open")
    assert (line["shipment_id"], line["order_number"]) == (None, "nada")


def test_the_order_behind_an_id(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        problem = add_problem(connection, known, ProblemKind.DELAY)
        claim = add_a_claim(connection, known, [problem])
        message = add_message(connection, known, problem_id=problem)
        about = {"claim_id": claim}
        notes = [
            SignalNote(f"claim_deadline:{claim}", "claim_deadline", "critical", "near", shop="exemplo", details=about),
            SignalNote("mail:down", "mail_down", "critical", "the mail server is down"),
        ]
        signal(connection, notes, at(23))
        for one in new_signals(connection, 10):
            raise_alert(connection, one)
    for name in (f"P{problem}", f"c{claim}", f"M{message}", "A1"):
        result = tracker("show", name)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("PEDIDO 10482")
        assert result.stdout.endswith(f"o porquê: tracker explain {name.upper()}\n")
        assert tracker.json("show", name)["order"]["number"] == "10482"
    with database.begin_write() as connection:
        incident = open_incident(connection, Where("correios", Scope.HUB, "CURITIBA/PR"), started_at=at(20), now=at(23))
    many = tracker("show", f"I{incident}")
    sentence = (
        f"I{incident} é uma ocorrência de muitos pedidos; veja tracker explain I{incident} (todas: tracker incidents)"
    )
    assert (many.exit_code, many.stderr) == (1, f"{sentence}\n")
    nothing = tracker("show", "A2")
    assert (nothing.exit_code, nothing.stderr) == (1, "A2 não é sobre um pedido; veja tracker explain A2\n")
    assert tracker("show", "P99").stderr.startswith("Nada encontrado para P99 (procurado como ")
    assert tracker("show", f"P{problem}", "--shop", "outra").exit_code == 1


def test_a_long_history_is_cut(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        track(connection, known, [event("RO-01", at(day), STATUS.IN_TRANSIT, f"dia {day}") for day in range(1, 15)])
    out = tracker("show", CODE).stdout
    assert "dia 14" in out and "dia 6 " not in out
    assert "… e mais 8 anteriores" in out


def test_a_carrier_whose_credential_is_elsewhere(tracker: Tracker, database: Database, known: int) -> None:
    with database.begin_write() as connection:
        problem = add_problem(connection, known, ProblemKind.DELAY)
        add_a_claim(connection, known, [problem], state="open", opened_at=at(23))
    text = tracker.config.read_text(encoding="utf-8").replace("segredo-de-teste", "${credential:correios}")
    tracker.config.write_text(text, encoding="utf-8")
    out = " ".join(tracker("show", CODE).stdout.split())
    # Its name is the adapter's, its terms are not known here: no date is made up.
    assert "Correios SEDEX" in out
    assert "ainda não há resposta" in out
    assert "esperada" not in out


def test_what_the_file_had_stands_beside_what_is_used(tracker: Tracker, database: Database) -> None:
    person = Person("Maria da Silva", None, "+5511987650123", None)
    originals = (("name", "MARIA DA SILVA"), ("document", "529.982.247-26"), ("email", "nao@tem.com"))
    with database.begin_write() as connection:
        add_order(connection, order("30000", customer=person, originals=originals), CODE)
    screen = " ".join(tracker("show", "30000").output.split())
    assert 'Arquivo nome "MARIA DA SILVA" · e-mail "nao@tem.com" não serve e não é usado' in screen
    assert 'CPF/CNPJ "529.982.247-26" não serve e não é usado' in screen
    assert tracker.json("show", "30000")["order"]["originals"] == dict(originals)
    assert tracker("show", "52998224726").exit_code == 1


# --- one screen -------------------------------------------------------------------------------------


def fits(out: str) -> bool:
    lines = out.splitlines()
    return len(lines) <= 40 and max(map(len, lines)) <= 100


def busy(connection: Connection, shipment: int, number: int) -> tuple[int, int]:
    """A long history, two problems, a claim that waits, and three messages: (problem, claim)."""
    track(
        connection, shipment, [event("RO-01", at(day, number), STATUS.IN_TRANSIT, f"dia {day}") for day in range(1, 20)]
    )
    problem = add_problem(connection, shipment)
    add_problem(connection, shipment, ProblemKind.LOSS, at(22), presumed=True)
    claim = waiting(connection, shipment, [problem])
    add_message(connection, shipment, problem_id=problem, state="sent", sent_at=at(21, 15))
    add_message(connection, shipment, Trigger.POSTED, state="sent", sent_at=at(11, 15))
    add_message(connection, shipment, Trigger.INQUIRY_OPENED, state="awaiting_person", hold_reason="template")
    return problem, claim


def test_an_order_of_two_troubled_parcels_fits_on_one_screen(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        first, second = add_order(connection, order(), CODE, OTHER_CODE)
        claims = [busy(connection, shipment, n)[1] for n, shipment in enumerate((first, second), start=1)]
    out = tracker("show", "10482").stdout
    assert fits(out), out
    for piece in (CODE, OTHER_CODE, *(f"→ tracker approve C{claim}" for claim in claims), "O que dizer ao cliente"):
        assert piece in out, piece
    assert out.splitlines()[-1] == "… resumido; a história inteira: tracker show O1 --all"
    whole = tracker("show", "10482", "--all").stdout
    assert len(whole.splitlines()) > 40 and "dia 1 " in whole and "… resumido" not in whole
    assert len(tracker.json("show", "10482")["shipments"]) == 2


def test_an_order_of_many_parcels_fits_on_one_screen(tracker: Tracker, database: Database) -> None:
    codes = [s10_code("AA", 10_000_000 + n) for n in range(12)]
    with database.begin_write() as connection:
        shipments = add_order(connection, order(), *codes)
        for shipment in shipments[:-1]:
            track(connection, shipment, (POSTED, MOVING, DELIVERED))
        problem, _ = busy(connection, shipments[-1], 1)
    out = tracker("show", "10482").stdout
    assert fits(out), out
    # What is wrong comes before what is not.
    assert f"P{problem} atraso" in out and codes[-1] in out and "… e mais" in out


def test_a_customer_of_three_orders_gets_a_short_list(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        for number, code in (("1", CODE), ("2", OTHER_CODE), ("3", None)):
            add_order(connection, order(number), *([code] if code else []))
    for what in (EMAIL, CPF, "(41) 99999-0000", "41999990000", "+5541999990000", "41 9999-0000", "0xx41 99999 0000"):
        lines = tracker("show", what).stdout.splitlines()
        assert lines[0] == "Mais de um pedido; escolha um:", what
        assert [line.split(" · ")[0].split()[-1] for line in lines[1:]] == ["3", "2", "1"], what


def test_the_short_list_names_the_day_that_is_known(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("1", ordered_at=at(10)))
        add_order(connection, order("2", ordered_at=None))
    without, known = tracker("show", EMAIL).stdout.splitlines()[1:]
    assert " 1 · exemplo · Marina Souza · feito em 10/11/2026 · " in known
    assert " 2 · exemplo · Marina Souza · importado em " in without
    hits = {hit["number"]: hit["ordered_at"] for hit in tracker.json("show", EMAIL)["matches"]}
    assert hits == {"1": "2026-11-10T12:00:00Z", "2": None}


def test_a_parcel_that_was_never_posted(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        add_problem(connection, shipment, ProblemKind.NOT_POSTED, at(14))
    out = " ".join(tracker("show", CODE).stdout.split())
    assert "Agora sem movimentação conhecida" in out and "não postado desde 14/11/2026, em aberto" in out
    assert "verifique com a expedição antes de falar em atraso da transportadora" in out


def test_what_a_claim_is_worth_and_which_incident_it_belongs_to(
    tracker: Tracker, database: Database, known: int
) -> None:
    with database.begin_write() as connection:
        problem = add_problem(connection, known)
        claim = add_a_claim(
            connection, known, [problem], state="accepted", protocol="77", opened_at=at(22), expected_cents=18990
        )
        connection.execute(update(table(Claim)).values(granted_cents=15000))
        incident = open_incident(connection, Where("correios", Scope.HUB, "CURITIBA/PR"), started_at=at(20), now=at(23))
        row = {"problem_id": problem, "incident_id": incident, "joined_at": at(23)}
        connection.execute(insert(table(IncidentMember)), row)
    out = " ".join(tracker("show", CODE).stdout.split())
    assert "protocolo 77" in out and "esperado R$ 189,90 · concedido R$ 150,00" in out
    assert (
        f"I{incident} muitas encomendas de Correios em CURITIBA/PR ao mesmo tempo: tracker explain I{incident}" in out
    )
    (shipment,) = tracker.json("show", CODE)["shipments"]
    assert shipment["incidents"] == [{"id": f"I{incident}", "scope": "hub", "name": "CURITIBA/PR", "over": False}]
    assert (shipment["claims"][0]["id"], shipment["claims"][0]["granted_cents"]) == (f"C{claim}", 15000)


def test_an_order_that_was_dropped_for_its_age_is_told_of(
    database: Database, database_url: str, configured: Callable[[str, str | None], Tracker]
) -> None:
    with database.begin_write() as connection:
        names = [("file:number", "10482"), ("invoice_key", KEY)]
        rows = [{"shop": "exemplo", "kind": kind, "name": name, "closed_at": at(11)} for kind, name in names]
        connection.execute(insert(table(ArchivedName)), rows)
    tracker = configured(database_url, None)
    for what in ("10482", "pedido 10482", KEY):
        result = tracker("show", what)
        assert result.exit_code == 1
        assert "pedido encerrado em 11/11/2026 e já retirado do banco; o que havia não foi guardado" in result.stderr
    assert "Nada encontrado" in tracker("show", "10482", "--shop", "outra").stderr
