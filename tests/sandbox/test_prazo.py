from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.sandbox.conftest import Client
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.correios import SimulatedCorreios
from tracker.sandbox.fates import random_plan
from tracker.sandbox.gate import APIS, Credentials
from tracker.sandbox.plan import Fate, Plan
from tracker.sandbox.prazo import many
from tracker.sandbox.wire import Request
from tracker.sandbox.workdays import local_date

PRAZO = "/prazo/v1/nacional"
ROUTE = {"coProduto": "03298", "cepOrigem": "80010000", "cepDestino": "01310100", "dtEvento": "13-11-2026"}


def ask(client: Client, *items: dict[str, Any]) -> list[dict[str, Any]]:
    status, answer = client.json("POST", PRAZO, {"idLote": "1", "parametrosPrazo": list(items)}, client.headers())
    assert status == 200
    found: list[dict[str, Any]] = answer
    return found


def test_a_term_counts_business_days_from_the_day_after_posting(client: Client) -> None:
    (found,) = ask(client, ROUTE | {"nuRequisicao": "7"})
    # Friday 13 November, four business days, 20 November being a holiday no sooner than the term ends
    assert (found["nuRequisicao"], found["prazoEntrega"]) == ("7", 4)
    assert found["dataMaxima"] == "2026-11-19T23:58:00"
    status, single = client.json("GET", f"{PRAZO}/03298?{urlencode(ROUTE)}", headers=client.headers())
    assert (status, single["dataMaxima"]) == (200, found["dataMaxima"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"coProduto": "99999"}, "Serviço", id="unknown service"),
        pytest.param({"cepOrigem": "8001"}, "origem", id="origin too short"),
        pytest.param({"cepDestino": None}, "destino", id="no destination"),
        pytest.param({"dtEvento": "13/11/2026"}, "DD-MM-AAAA", id="slashes"),
        pytest.param({"dtEvento": "31-02-2026"}, "DD-MM-AAAA", id="no such day"),
    ],
)
def test_what_cannot_be_answered_is_told_in_its_item(client: Client, changes: dict[str, Any], reason: str) -> None:
    wrong, right = ask(client, ROUTE | changes, ROUTE)
    assert reason in wrong["txErro"] and "prazoEntrega" not in wrong
    assert right["prazoEntrega"] == 4
    asked = {key: value for key, value in (ROUTE | changes).items() if value is not None}
    product = asked.pop("coProduto")
    assert client.call("GET", f"{PRAZO}/{product}?{urlencode(asked)}", headers=client.headers())[0] == 400


def test_it_agrees_with_the_due_dates_of_the_plan(clock: SandboxClock) -> None:
    plan = random_plan(300, 30, 4, first_day=date(2027, 1, 11), realistic=True)
    world = SimulatedCorreios(plan, clock)
    for shipment in plan.shipments:
        posting = next((event for event in shipment.events if event.code == "PO"), None)
        if posting is None:
            continue
        asked = {
            "coProduto": shipment.service.contract_code,
            "cepOrigem": "80010000",
            "cepDestino": shipment.order.customer.postal_code,
            "dtEvento": local_date(posting.at).strftime("%d-%m-%Y"),
        }
        last = date.fromisoformat(_many(world, asked)["dataMaxima"][:10])
        late_by = (shipment.due_on - last).days
        # After the closing hour the term begins a working day later, and the asker adds it.
        assert late_by == 0 if posting.kind == "01" else late_by >= 1


def _many(world: SimulatedCorreios, asked: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"parametrosPrazo": [asked]}).encode()
    found: list[dict[str, Any]] = json.loads(
        many(Request("POST", PRAZO, body=body), world.clock.now(), realistic=world.plan.realistic).body
    )
    return found[0]


def test_a_card_without_the_service_is_told_that_it_is_restricted(plan: Plan, clock: SandboxClock) -> None:
    bare = Credentials(apis=tuple(number for number in APIS if number != 35))
    world = SimulatedCorreios(plan, clock, credentials=bare)
    token = _token(world, bare)
    headers = {"authorization": f"Bearer {token}", "accept-language": "pt-BR"}
    assert world.handle(Request("GET", f"{PRAZO}/03298", tuple(ROUTE.items()), headers)).status == 403
    code = plan.of_fate(Fate.ON_TIME)[0].code
    query = (("codigosObjetos", code),)
    assert world.handle(Request("GET", "/srorastro/v1/objetos", query, headers)).status == 200


def _token(world: SimulatedCorreios, held: Credentials) -> str:
    basic = base64.b64encode(f"{held.user}:{held.access_code}".encode()).decode()
    body = json.dumps({"numero": held.posting_card}).encode()
    request = Request("POST", "/token/v1/autentica/cartaopostagem", (), {"authorization": f"Basic {basic}"}, body)
    answer: dict[str, Any] = json.loads(world.handle(request).body)
    assert 35 not in answer["api"] and 87 in answer["cartaoPostagem"]["api"]
    return str(answer["token"])
