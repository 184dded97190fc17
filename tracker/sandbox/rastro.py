"""The tracking API's answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tracker.sandbox.gate import Credentials
from tracker.sandbox.plan import Event, Service, Shipment, Sight, Unit
from tracker.sandbox.wire import Refusal, Request, Response, answer
from tracker.sandbox.workdays import local_text

MAX_CODES = 50
_LANGUAGES = frozenset({"pt-BR", "en", "es-ES"})
_LANGUAGE_REFUSED = "SRO-018: Permitido apenas os valores pt-BR(Português), en(Inglês) e es-ES(Espanhol) para o idioma"
_SHOWN = {"T": "Todos os Eventos", "P": "Primeiro Evento", "U": "Último Evento"}
_LABELS = {
    Service.SEDEX: {"sigla": "AD", "descricao": "ETIQUETA LOGICA SEDEX", "categoria": "SEDEX"},
    Service.PAC: {"sigla": "QN", "descricao": "ETIQUETA LOGICA PAC QN", "categoria": "ENCOMENDA PAC"},
}

Lookup = Callable[[str], tuple[Shipment | None, tuple[Event, ...]]]
"""From an object code to the parcel (strikes applied) and its events until now, oldest first."""


def many(request: Request, lookup: Lookup, held: Credentials, now: datetime) -> Response:
    """Answer for one to fifty `codigosObjetos`, repeated or separated by commas; `resultado` is U unless told.

    Raises Refusal 400: language header not exactly one of three, no or too many codes, unknown `resultado`.
    """
    codes = [code for value in request.values("codigosObjetos") for code in value.split(",") if code]
    if not 1 <= len(codes) <= MAX_CODES:
        raise Refusal(400, f"Informe de 1 a {MAX_CODES} códigos de objetos.")
    return _respond(request, codes, "U", lookup, held, now)


def one(request: Request, code: str, lookup: Lookup, held: Credentials, now: datetime) -> Response:
    """Answer for a single object; `resultado` is T unless told. Raises Refusal 400 as `many`."""
    return _respond(request, [code], "T", lookup, held, now)


def _respond(
    request: Request, codes: list[str], default: str, lookup: Lookup, held: Credentials, now: datetime
) -> Response:
    if request.headers.get("accept-language") not in _LANGUAGES:
        raise Refusal(400, _LANGUAGE_REFUSED)
    wanted = request.value("resultado") or default
    if wanted not in _SHOWN:
        raise Refusal(400, "Parâmetro resultado inválido: use T, P ou U.")
    objects = [_object(code, *lookup(code), wanted, held, now) for code in codes]
    payload = {
        "versao": "3.5.38",
        "quantidade": len(objects),
        "objetos": objects,
        "tipoResultado": _SHOWN[wanted],
    }
    return answer(200, payload)


def _object(
    code: str, shipment: Shipment | None, events: tuple[Event, ...], wanted: str, held: Credentials, now: datetime
) -> dict[str, Any]:
    if shipment is None:
        sight = Sight.NOT_FOUND if len(code) == 13 and code.endswith("BR") else Sight.INVALID
        return {"codObjeto": code, "mensagem": sight.value}
    sight = Sight.OTHER_CONTRACT if held.is_foreign(shipment.account) else shipment.sight
    if sight is Sight.SHOWN and not events:
        sight = Sight.NOT_FOUND
    if sight is not Sight.SHOWN:
        return {"codObjeto": code, "mensagem": sight.value}
    newest_first = list(reversed(events))
    picked = {"T": newest_first, "P": newest_first[-1:], "U": newest_first[:1]}[wanted]
    shown: dict[str, Any] = {"codObjeto": code, "tipoPostal": _LABELS[shipment.service]}
    due_on = shipment.due_seen_at(now)
    if due_on is not None:
        # The time of day is noise in real answers too: both forms occur.
        shown["dtPrevista"] = f"{due_on.isoformat()}T{'20:59:00' if code[9] in '02468' else '23:59:59'}"
    size = {"largura": 16, "comprimento": 24, "altura": 12, "diametro": 0, "peso": 0.65}
    shown |= {"contrato": held.contract, **size, "formato": "Pacote", "modalidade": "F", "valorDeclarado": 0}
    shown["eventos"] = [_event(event) for event in picked]
    return shown


def _event(event: Event) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "codigo": event.code,
        "tipo": event.kind,
        "dtHrCriado": local_text(event.at),
        "descricao": event.text,
    }
    if event.detail is not None:
        shown["detalhe"] = event.detail
    shown["unidade"] = _unit(event.unit)
    if event.towards is not None:
        shown["unidadeDestino"] = _unit(event.towards)
    if event.pickup_by is not None:
        shown["dtLimiteRetirada"] = event.pickup_by.isoformat()
    if event.receiver is not None:
        shown["recebedor"] = {"nome": event.receiver}
    return shown


def _unit(unit: Unit) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if unit.postal_code is not None:
        shown["codSro"] = unit.postal_code
    shown["tipo"] = unit.kind
    address = {"cidade": unit.city, "uf": unit.state}
    shown["endereco"] = {key: value for key, value in address.items() if value is not None}
    return shown
