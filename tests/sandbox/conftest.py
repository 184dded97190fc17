from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.fates import demo_plan
from tracker.sandbox.plan import Fate, Plan, Shipment
from tracker.sandbox.workdays import local
from tracker.sandbox.world import World

MONDAY = date(2026, 11, 9)
TOKEN = "/token/v1/autentica/cartaopostagem"
OBJECTS = "/srorastro/v1/objetos"
CLAIMS = "/pedido-informacao/v1/externo/pedidos"
CONTRACT, CARD = "9912345678", "0067599079"
_OPENER = build_opener(ProxyHandler({}))  # a proxy of the machine must not see loopback calls


class Client:
    """A plain client of the simulated carrier: every call over a real socket, answers as (status, body)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, timeout: float = 10
    ) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=data, method=method, headers=headers or {})
        try:
            with _OPENER.open(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except HTTPError as refused:
            return refused.code, refused.read()

    def json(self, *args: Any, **options: Any) -> tuple[int, Any]:
        status, body = self.call(*args, **options)
        return status, json.loads(body)

    def log_in(self, user: str = "12345678000195", code: str = "sandbox-access-code", card: str = CARD) -> Any:
        basic = base64.b64encode(f"{user}:{code}".encode()).decode()
        status, answer = self.json("POST", TOKEN, {"numero": card}, {"Authorization": f"Basic {basic}"})
        if status == 201:
            self.token = answer["token"]
        return status, answer

    def headers(self, language: str = "pt-BR") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": language}

    def track(self, codes: list[str], resultado: str | None = "T", language: str = "pt-BR") -> tuple[int, Any]:
        query = [("codigosObjetos", code) for code in codes]
        query += [] if resultado is None else [("resultado", resultado)]
        return self.json("GET", f"{OBJECTS}?{urlencode(query)}", headers=self.headers(language))

    def events(self, code: str) -> list[str]:
        """Event pairs, newest first."""
        _, answer = self.track([code])
        return [event["codigo"] + event["tipo"] for event in answer["objetos"][0].get("eventos", [])]

    def claim(self, *items: dict[str, Any], contract: str = CONTRACT, card: str = CARD, timeout: float = 10) -> Any:
        body = {"contrato": contract, "cartao": card, "telefone": "4133330000", "pedidos": list(items)}
        return self.json("POST", f"{CLAIMS}/cadastra", body, self.headers(), timeout=timeout)

    def follow(self, wanted: str, canal: str = "W", contract: str = CONTRACT) -> Any:
        query = urlencode({"contrato": contract, "canal": canal, "codigodoObjetoOuProtocolo": wanted})
        return self.json("GET", f"{CLAIMS}/acompanha?{query}", headers=self.headers())[1]

    def control(self, what: str, body: Any = None) -> Any:
        return self.json("GET" if body is None else "POST", f"/sandbox/{what}", body)[1]


def item(code: str, motive: int = 211, kind: str = "R", **changes: Any) -> dict[str, Any]:
    made = {
        "codigoObjeto": code,
        "emailResposta": "pi@example.com",
        "nomeDestinatario": "Conceição de Teste",
        "codigoMotivoReclamacao": motive,
        "tipoEmbalagem": "C",
        "tipoManifestacao": kind,
    }
    return made | changes


def at(day: int, hour: int = 12) -> datetime:
    """An instant on the plan's day *day*, counted from one."""
    return local(date.fromordinal(MONDAY.toordinal() + day - 1), hour)


@pytest.fixture
def plan() -> Plan:
    return demo_plan(MONDAY)


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock(at(1, 8))


@pytest.fixture
def world(plan: Plan, clock: SandboxClock, tmp_path: Path) -> Iterator[World]:
    with World(plan, clock, folder=tmp_path / "world") as started:
        yield started


@pytest.fixture
def client(world: World) -> Client:
    made = Client(world.correios_url)
    made.log_in()
    return made


def first(plan: Plan, fate: Fate) -> Shipment:
    return plan.of_fate(fate)[0]
