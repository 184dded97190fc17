from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import CLAIMS, CONTRACT, MONDAY, Client, at, first, item
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.facts import Facts, facts
from tracker.sandbox.fates import DEMO_DAYS, random_plan
from tracker.sandbox.gate import SECOND_CARD, SECOND_CONTRACT
from tracker.sandbox.judgement import judge
from tracker.sandbox.pedidos import camel_case
from tracker.sandbox.plan import Fate, Plan
from tracker.sandbox.reopening import Answered, judge_reopening
from tracker.sandbox.world import World

DUE = date(2026, 11, 12)
REJECTED = Answered("R", DUE + timedelta(days=1), False, False, DUE)
ACCEPTED = replace(REJECTED, accepted=True)
REFUND_REJECTED = replace(REJECTED, kind="I")
REFUND_ACCEPTED = replace(REFUND_REJECTED, accepted=True, pays_until=DUE + timedelta(days=31))
REFUND_PAID = replace(REFUND_ACCEPTED, paid=True)
PROVEN = {Fate.LOST_CODED, Fate.STOLEN, Fate.DAMAGED}
BEFORE, AFTER = DUE, DUE + timedelta(days=1)
QUIET = Facts(
    posted_on=date(2026, 11, 9), delivered_on=None, first_try_on=None, last=None, at_counter=False,
    sent_to_counter_untried=False, lost=False, stolen=False, damaged=False, turned_back=False, returned=False,
)  # fmt: skip


def known(**changes: Any) -> Facts:
    base = {field: getattr(QUIET, field) for field in QUIET.__dataclass_fields__}
    return Facts(**(base | changes))


@pytest.mark.parametrize(
    ("motive", "kind", "changes", "today", "code"),
    [
        pytest.param(211, "R", {}, BEFORE, 544, id="still inside its term on the due date itself"),
        pytest.param(211, "R", {}, AFTER, 0, id="not delivered the day after"),
        pytest.param(211, "I", {"lost": True}, BEFORE, 0, id="lost by code, even before the due date"),
        pytest.param(211, "I", {"stolen": True}, BEFORE, 0, id="stolen"),
        pytest.param(211, "R", {"delivered_on": DUE, "first_try_on": DUE}, AFTER, 546, id="delivered already"),
        pytest.param(211, "R", {"at_counter": True}, AFTER, 548, id="waits at the counter"),
        pytest.param(211, "R", {"turned_back": True}, AFTER, 545, id="on its way back"),
        pytest.param(135, "R", {"delivered_on": AFTER, "first_try_on": AFTER}, AFTER, 0, id="delivered late"),
        pytest.param(135, "R", {"delivered_on": AFTER, "first_try_on": DUE}, AFTER, 530, id="first try was in time"),
        pytest.param(135, "R", {}, AFTER, 531, id="delay of an undelivered one"),
        pytest.param(135, "R", {"at_counter": True, "first_try_on": AFTER}, AFTER, 548, id="late, but at the counter"),
        pytest.param(134, "I", {"damaged": True}, BEFORE, 0, id="damaged in the flow"),
        pytest.param(134, "I", {}, AFTER, 547, id="damage of something not delivered"),
        pytest.param(133, "I", {"delivered_on": DUE}, AFTER, 0, id="violated"),
        pytest.param(132, "R", {}, AFTER, 531, id="misdelivery without a delivery"),
        pytest.param(136, "R", {"turned_back": True}, AFTER, 549, id="return not confirmed"),
        pytest.param(136, "R", {"turned_back": True, "returned": True}, AFTER, 0, id="return confirmed"),
        pytest.param(1414, "R", {"sent_to_counter_untried": True, "at_counter": True}, AFTER, 0, id="no try at home"),
        pytest.param(1414, "R", {}, AFTER, 638, id="never sent to a counter"),
        pytest.param(148, "R", {"delivered_on": DUE}, AFTER, 550, id="a service the parcel does not have"),
        pytest.param(211, "R", {}, DUE + timedelta(days=30), 0, id="complaint on the thirtieth day"),
        pytest.param(211, "R", {}, DUE + timedelta(days=31), 564, id="complaint after thirty days"),
        pytest.param(211, "I", {}, DUE + timedelta(days=90), 0, id="refund request on the ninetieth day"),
        pytest.param(211, "I", {}, DUE + timedelta(days=91), 510, id="refund request after ninety days"),
    ],
)
def test_item_codes(motive: int, kind: str, changes: dict[str, Any], today: date, code: int) -> None:
    assert judge(motive, kind, DUE, known(**changes), today) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"codigoObjeto": ""}, "250", id="no object"),
        pytest.param({"codigoObjeto": "AD1"}, "271", id="malformed object"),
        pytest.param({"codigoObjeto": "RR473124829GB"}, "272", id="foreign object"),
        pytest.param({"codigoObjeto": "RR473124829BR"}, "4", id="object nobody knows"),
        pytest.param({"codigoMotivoReclamacao": None}, "260", id="no motive"),
        pytest.param({"codigoMotivoReclamacao": 310}, "261", id="motive outside the table"),
        pytest.param({"tipoEmbalagem": "X"}, "281", id="packaging"),
        pytest.param({"tipoManifestacao": ""}, "282", id="claim type"),
        pytest.param({"nomeDestinatario": " "}, "301", id="no addressee"),
        pytest.param({"emailResposta": ""}, "240", id="no reply address"),
        pytest.param({"emailResposta": "nobody"}, "241", id="malformed reply address"),
    ],
)
def test_wrong_items_are_refused_one_by_one(
    client: Client, clock: SandboxClock, plan: Plan, changes: dict[str, Any], code: str
) -> None:
    clock.set(at(9))
    client.log_in()
    lost, stolen = first(plan, Fate.LOST_CODED).code, first(plan, Fate.STOLEN).code
    status, answer = client.claim(item(lost, **changes), item(stolen))
    assert (status, answer["codigoRetorno"]) == (200, 0)
    assert [row["codigo retorno"] for row in answer["pi"]] == [code, "0"]
    assert answer["pi"][0]["numero do pi"] == ""
    assert list(client.control("claims")["registrations"]) == [stolen]


def test_contract_card_and_ownership(client: Client, clock: SandboxClock, plan: Plan) -> None:
    clock.set(at(9))
    client.log_in()
    lost = first(plan, Fate.LOST_CODED).code
    wrong = [
        client.claim(item(lost), contract="9900000000"),
        client.claim(item(lost), card="0000000000"),
        client.claim(item(first(plan, Fate.OTHER_CONTRACT).code)),
        client.claim(item(first(plan, Fate.NEVER_POSTED).code)),
    ]
    assert [answer["pi"][0]["codigo retorno"] for _, answer in wrong] == ["121", "126", "55", "4"]
    assert client.control("claims")["registrations"] == {}


def test_delay_claims_can_be_settled_by_the_contract(client: Client, clock: SandboxClock, plan: Plan) -> None:
    clock.set(at(9))
    client.log_in()
    client.control("switches", {"service_level": True})
    late, lost = first(plan, Fate.LATE_OPEN).code, first(plan, Fate.LOST_CODED).code
    _, answer = client.claim(item(late), item(lost, kind="I"))
    assert [row["codigo retorno"] for row in answer["pi"]] == ["560", "0"]
    assert "nível de serviço" in answer["pi"][0]["descrição retorno"]


def test_an_accepted_claim_is_paid_and_tracking_tells(client: Client, clock: SandboxClock, plan: Plan) -> None:
    lost = first(plan, Fate.LOST_CODED).code
    clock.set(at(5))
    client.log_in()
    number = client.claim(item(lost, kind="I"))[1]["pi"][0]["numero do pi"]
    opened = client.follow(number)
    assert opened["codigoObjeto"] == lost
    assert (opened["Situação Manifestação"], opened["Indicativo Procedência"]) == ("Em análise", None)
    assert opened["Data de Abertura PI"] == "13/11/2026"
    assert (opened["Tipo Último Evento"], opened["Código Último Evento"]) == ("BDE", "80")
    clock.set(at(9, 9))  # two business days later, an hour before the answer
    client.log_in()
    assert client.follow(number)["Data Última Resposta"] is None
    clock.set(at(9, 10))
    answered = client.follow(number)
    assert (answered["Indicativo Procedência"], answered["Data Última Resposta"]) == ("S", "17/11/2026")
    assert client.events(lost)[0] == "BDE80"
    clock.set(at(15))  # three business days after, 20 November not being one
    client.log_in()
    assert client.events(lost)[0] == "IDC01"
    assert client.follow(lost)["Mensagem Última Resposta"] == "Olá, a indenização foi paga."


def test_a_rejected_claim_can_be_taken_up_again(client: Client, clock: SandboxClock, plan: Plan) -> None:
    rejected = plan.of_fate(Fate.LOST_SILENT)[1].code
    clock.set(at(8))
    client.log_in()
    number = client.claim(item(rejected))[1]["pi"][0]["numero do pi"]
    assert _reactivate(client, number) == "56"
    clock.set(at(12))
    client.log_in()
    assert client.follow(number)["Indicativo Procedência"] == "N"
    assert _reactivate(client, number, observacao="") == "513"
    assert _reactivate(client, "1") == "575"
    assert _reactivate(client, number) == "0"
    again = client.follow(number)
    assert (again["Situação Manifestação"], again["Houve Recorrência"]) == ("Reativada", "S")
    assert again["Data Última Recorrência"] == "20/11/2026"
    assert _reactivate(client, number) == "56"
    clock.set(at(19))
    client.log_in()
    assert client.follow(number)["Data Última Resposta"] == "25/11/2026"


def _reactivate(client: Client, number: str, **changes: str) -> str:
    asked = {"protocolo": number, "tipoManifestacao": "R", "motivoReativacao": "211", "observacao": "Não entregue."}
    body = {"contrato": CONTRACT, "cartao": "0067599079", "reativacoes": [asked | changes]}
    status, answer = client.json("POST", f"{CLAIMS}/reativa", body, client.headers())
    assert (status, answer["codigoRetorno"]) == (200, 512)
    return str(answer["pi"][0]["codigo retorno"])


@pytest.mark.parametrize(
    ("claim", "kind", "motive", "changes", "today", "code"),
    [
        pytest.param(REJECTED, "R", 211, {}, 5, (0, None), id="a rejection is contested within five days"),
        pytest.param(REJECTED, "R", 211, {}, 6, (587, 5), id="a rejection after five days"),
        pytest.param(REJECTED, "I", 211, {}, 5, (0, None), id="a rejected complaint comes back as a refund request"),
        pytest.param(ACCEPTED, "I", 211, {}, 30, (0, None), id="an accepted complaint becomes a refund request"),
        pytest.param(ACCEPTED, "I", 211, {}, 31, (587, 30), id="an accepted complaint after thirty days"),
        pytest.param(ACCEPTED, "R", 211, {}, 1, (595, None), id="an accepted complaint has nothing to contest"),
        pytest.param(ACCEPTED, "I", 1414, {}, 1, (582, None), id="no refund for a missing try at home"),
        pytest.param(REFUND_REJECTED, "R", 211, {}, 1, (582, None), id="a refund request stays one"),
        pytest.param(REFUND_REJECTED, "I", 211, {}, 1, (0, None), id="a rejected refund request is contested"),
        pytest.param(REFUND_ACCEPTED, "I", 211, {}, 1, (589, 30), id="an accepted refund inside its payment term"),
        pytest.param(REFUND_PAID, "I", 211, {}, 1, (590, None), id="a refund that was paid"),
        pytest.param(
            ACCEPTED, "I", 211, {"delivered_on": AFTER}, 1, (597, None), id="the object was delivered meanwhile"
        ),
        pytest.param(ACCEPTED, "I", 211, {"at_counter": True}, 1, (598, None), id="the object waits at a counter"),
        pytest.param(REJECTED, "R", 135, {}, 1, (531, None), id="contested as delivered late, but not delivered"),
        pytest.param(REJECTED, "R", 148, {}, 1, (595, None), id="contested with a motive of another service"),
    ],
)
def test_reopening_codes(
    claim: Answered, kind: str, motive: int, changes: dict[str, Any], today: int, code: tuple[int, int | None]
) -> None:
    found, day = judge_reopening(kind, motive, claim, known(**changes), DUE, AFTER + timedelta(days=today))
    assert (found, None if day is None else (day - AFTER).days) == code


def test_an_accepted_complaint_is_paid_after_it_was_reopened_as_a_refund(
    client: Client, clock: SandboxClock, plan: Plan
) -> None:
    lost = plan.of_fate(Fate.LOST_CODED)[
        1
    ].code  # lost on day 9, answered after four business days, never by itself paid
    clock.set(at(9, 18))
    client.log_in()
    number = client.claim(item(lost))[1]["pi"][0]["numero do pi"]
    clock.set(at(17))
    client.log_in()
    assert client.follow(number)["Indicativo Procedência"] == "S"
    assert "reative" in client.follow(number)["Mensagem Última Resposta"]
    assert _reactivate(client, number, tipoManifestacao="I") == "0"
    assert client.follow(number)["Tipo Manifestação"] == "I"
    clock.set(at(31))
    client.log_in()
    assert client.events(lost)[0] == "IDC01"
    assert client.follow(number)["Situação Manifestação"] == "Encerrada"
    assert _reactivate(client, number, tipoManifestacao="I") == "590"
    assert [each["result"] for each in client.control("claims")["reopenings"]] == [0, 590]


def test_a_buyer_who_complained_on_the_site_is_there_first(clock: SandboxClock, tmp_path: Path) -> None:
    plan = random_plan(200, 6, 3, first_day=MONDAY)
    parcel = first(plan, Fate.BUYER_CLAIMED)
    assert parcel.buyer_claims_at is not None
    clock.set(parcel.buyer_claims_at + timedelta(days=4))
    with World(plan, clock, folder=tmp_path / "other") as world:
        client = Client(world.correios_url)
        client.log_in()
        row = client.claim(item(parcel.code))[1]["pi"][0]
        assert row["codigo retorno"] == "900"
        assert client.follow(parcel.code)["numeroPi"] == row["numero do pi"]
        ledger = client.control("claims")
        assert ledger["registrations"] == {}
        assert [claim["by"] for claim in ledger["claims"] if claim["code"] == parcel.code] == ["buyer"]


def test_another_card_and_another_contract_have_their_own_objects(clock: SandboxClock, tmp_path: Path) -> None:
    plan = random_plan(200, 6, 3, first_day=MONDAY)
    card, contract = first(plan, Fate.SECOND_CARD), first(plan, Fate.SECOND_CONTRACT)
    clock.set(at(25))
    with World(plan, clock, folder=tmp_path / "other") as world:
        client = Client(world.correios_url)
        client.log_in()
        assert client.events(card.code) and not client.events(contract.code)
        answer = client.claim(item(card.code), item(contract.code))[1]
        assert [row["codigo retorno"] for row in answer["pi"]] == ["126", "55"]
        other = SECOND_CONTRACT
        assert client.log_in(other.user, other.access_code, other.posting_card)[0] == 201
        assert client.events(contract.code) and not client.events(card.code)
        answer = client.claim(item(contract.code, 135), contract=other.contract, card=other.posting_card)[1]
        assert answer["pi"][0]["codigo retorno"] == "0"
        own = SECOND_CARD
        assert client.log_in(own.user, own.access_code, own.posting_card)[0] == 201
        answer = client.claim(item(card.code, 135), card=own.posting_card)[1]
        assert answer["pi"][0]["codigo retorno"] == "0"


def test_claims_of_a_service_level_contract_cannot_be_followed(client: Client, clock: SandboxClock, plan: Plan) -> None:
    clock.set(at(9))
    client.log_in()
    late = first(plan, Fate.LATE_OPEN).code
    client.claim(item(late))
    client.control("switches", {"service_level": True})
    assert client.follow(late)["codigoRetorno"] == 631


def test_following_what_is_not_there(client: Client, clock: SandboxClock, plan: Plan) -> None:
    clock.set(at(9))
    client.log_in()
    lost = first(plan, Fate.LOST_CODED).code
    asked = [
        client.follow(lost, canal="C"),
        client.follow(lost, contract="9900000000"),
        client.follow(first(plan, Fate.OTHER_CONTRACT).code),
        client.follow(lost),
        client.follow("210000009"),
        client.follow("RR473124829BR"),
    ]
    assert [answer["codigoRetorno"] for answer in asked] == [291, 122, 122, 990, 990, 4]


def test_answers_in_the_older_spelling(client: Client, clock: SandboxClock, plan: Plan) -> None:
    clock.set(at(9))
    client.log_in()
    client.control("switches", {"camel_case": True})
    row = client.claim(item(first(plan, Fate.LOST_CODED).code))[1]["pi"][0]
    assert set(row) == {"codigoObjeto", "numeroPi", "codigoRetorno", "descricaoRetorno"}
    assert camel_case({"Data de Abertura PI": 1, "Código Último Evento": 2}) == {
        "dataAberturaPi": 1,
        "codigoUltimoEvento": 2,
    }


def test_an_unreadable_call_is_a_400(client: Client) -> None:
    assert client.json("POST", f"{CLAIMS}/cadastra", {"pedidos": []}, client.headers())[0] == 400
    assert client.json("POST", f"{CLAIMS}/reativa", [1], client.headers())[0] == 400


def test_reversed_deliveries_do_not_count(plan: Plan) -> None:
    events = first(plan, Fate.REVERSAL).events
    reversal = next(index for index, event in enumerate(events) if event.code == "EST")
    assert facts(events[:reversal]).delivered_on is not None
    assert facts(events[: reversal + 1]).delivered_on is None
    assert facts(events).delivered_on is not None


def test_twenty_days_of_the_demo_show_every_outcome_of_a_claim(
    world: World, client: Client, clock: SandboxClock, plan: Plan
) -> None:
    """A patient claimant who tries every troubled parcel each noon gets all verdicts before the demo ends."""
    motives = {
        Fate.LATE_DELIVERED: 135, Fate.LATE_OPEN: 211, Fate.LOST_CODED: 211, Fate.LOST_SILENT: 211,
        Fate.STOLEN: 211, Fate.DAMAGED: 134,
    }  # fmt: skip
    troubled = [shipment for shipment in plan.shipments if shipment.fate in motives]
    seen: Counter[str] = Counter()
    for day in range(1, DEMO_DAYS + 1):
        clock.set(at(day))
        client.log_in()
        ours = client.control("claims")["registrations"]
        for parcel in troubled:
            if parcel.code not in ours:
                kind = "I" if parcel.fate in PROVEN else "R"
                answer = client.claim(item(parcel.code, motives[parcel.fate], kind))[1]
                seen[answer["pi"][0]["codigo retorno"]] += 1
    assert seen["0"] == len(troubled) and seen["544"] and seen["531"]
    states = [client.follow(parcel.code) for parcel in troubled]
    outcomes = Counter((state["Situação Manifestação"], state["Indicativo Procedência"]) for state in states)
    assert outcomes[("Em análise", None)] == 0
    assert outcomes[("Respondida", "N")] == 3
    assert outcomes[("Encerrada", "S")] == 1
    assert len(world.correios.desk.ledger()["registrations"]) == len(troubled)
