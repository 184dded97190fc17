"""A Correios gateway of a test's own making, stopped at the boundary: what each contract is shown, and what was asked."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import orjson
import respx

from tests.end_to_end.support import MONDAY, ZONE, Trial

URL = "http://127.0.0.1:9"
USER, OTHER_USER = "12345678000195", "98765432000198"
ALL_APIS = (34, 35, 36, 87)


def event(code: str, when: datetime, text: str = "Objeto em transferência", **more: Any) -> dict[str, Any]:
    """One event as the carrier writes it; *code* as `RO-01`."""
    codigo, _, tipo = code.partition("-")
    place = {"codSro": "80010970", "endereco": {"cidade": "CURITIBA", "uf": "PR"}}
    local = when.astimezone(ZONE).replace(tzinfo=None).isoformat()
    return {"codigo": codigo, "tipo": tipo, "dtHrCriado": local, "descricao": text, "unidade": place, **more}


@dataclass
class Gateway:
    """`objects` by code with the user whose contract it is; `asked` is (user, path, codes or body) of every business call."""

    apis: dict[str, tuple[int, ...]] = field(default_factory=lambda: {USER: ALL_APIS, OTHER_USER: ALL_APIS})
    objects: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    terms: list[Any] = field(default_factory=list)
    """Answers of the deadline API, in turn; an item `{}` is completed with its number."""
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    tokens: int = 0

    def show(self, code: str, *events: dict[str, Any], user: str = USER, **more: Any) -> None:
        """What the contract of *user* sees of an object; newest event first, as the carrier lists them."""
        kind = {"sigla": code[:2], "descricao": "ETIQUETA", "categoria": "ENCOMENDA PAC"}
        item = {"codObjeto": code, "tipoPostal": kind, "eventos": list(reversed(events)), **more}
        self.objects[code] = (user, item)

    @contextmanager
    def open(self) -> Iterator[Gateway]:
        with respx.mock(base_url=URL, assert_all_called=False) as router:
            router.post("/token/v1/autentica/cartaopostagem").mock(side_effect=self._token)
            router.get("/srorastro/v1/objetos").mock(side_effect=self._track)
            router.post("/prazo/v1/nacional").mock(side_effect=self._terms)
            router.post("/pedido-informacao/v1/externo/pedidos/cadastra").mock(side_effect=self._claim)
            yield self

    def calls(self, piece: str) -> list[tuple[str, Any]]:
        """(user, what) of the calls whose path holds *piece*."""
        return [(user, what) for user, path, what in self.asked if piece in path]

    def _token(self, request: httpx.Request) -> httpx.Response:
        self.tokens += 1
        user = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")[0]
        answer = {"token": f"token-of-{user}", "expiraEm": "2027-01-01T09:00:00", "api": self.apis[user]}
        return httpx.Response(201, json=answer)

    def _track(self, request: httpx.Request) -> httpx.Response:
        user, codes = _user(request), request.url.params.get_list("codigosObjetos")
        self.asked.append((user, request.url.path, codes))
        return httpx.Response(200, json={"objetos": [self._object(user, code) for code in codes]})

    def _object(self, user: str, code: str) -> dict[str, Any]:
        owner, item = self.objects.get(code, ("", {}))
        if not owner:
            return {"codObjeto": code, "mensagem": "SRO-020: Objeto não encontrado na base de dados dos Correios."}
        if owner != user:
            return {"codObjeto": code, "mensagem": "SRO-009: Objeto não pertence ao contrato"}
        return item

    def _terms(self, request: httpx.Request) -> httpx.Response:
        body = orjson.loads(request.content)
        self.asked.append((_user(request), request.url.path, body["parametrosPrazo"]))
        answer = self.terms.pop(0) if len(self.terms) > 1 else self.terms[0]
        if isinstance(answer, httpx.Response):
            return answer
        items = [{"nuRequisicao": one["nuRequisicao"], **answer} for one in body["parametrosPrazo"]]
        return httpx.Response(200, json=items)

    def _claim(self, request: httpx.Request) -> httpx.Response:
        body = orjson.loads(request.content)
        self.asked.append((_user(request), request.url.path, body["pedidos"]))
        return httpx.Response(429)  # surely not taken


def _user(request: httpx.Request) -> str:
    return request.headers["Authorization"].removeprefix("Bearer token-of-")


def at_gateway(trial: Trial, *codes: str, service: str = "PAC", postal_code: str = "50010970") -> Trial:
    """The shop's account calls the gateway; one order a code is in the inbox."""
    trial.carrier.update(base_url=URL, services={"SEDEX": "03220", "PAC": "03298"}, user=USER)
    trial.shop["origin_postal_code"] = "80010970"
    trial.carrier["claims"]["mode"] = "propose"
    trial.settings["messages"]["preset"] = "none"
    trial.drop("pedidos.csv", orders_file(*codes, service=service, postal_code=postal_code))
    return trial


def orders_file(*codes: str, service: str = "PAC", postal_code: str = "50010970") -> bytes:
    head = "Pedido;Data do pedido;Cliente;E-mail;CEP;UF;Transportadora;Serviço;Código de rastreio;Valor\r\n"
    day = MONDAY.strftime("%d/%m/%Y")
    lines = [
        f"G{n};{day};Bia de Teste;bia{n}@example.com;{postal_code};PE;Correios;{service};{code};100,00\r\n"
        for n, code in enumerate(codes, 1)
    ]
    return (head + "".join(lines)).encode()
