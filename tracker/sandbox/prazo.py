"""The delivery time API's answers: terms in business days from the day after posting, and the last day.

A posting after the branch's closing hour is not known here: whoever asks adds that day himself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tracker.sandbox.plan import Service
from tracker.sandbox.terms import place_of, term_days
from tracker.sandbox.wire import Refusal, Request, Response, answer
from tracker.sandbox.workdays import add_business_days, local_date

PATH = "/prazo/v1/nacional"
_SERVICES = {service.contract_code: service for service in Service}
_MAX_ITEMS = 5000
_DATE = re.compile(r"(\d{2})([-/])(\d{2})\2(\d{4})")


def one(request: Request, product: str, now: datetime, *, realistic: bool) -> Response:
    """Answer for one route; parameters cepOrigem, cepDestino, dtEvento (DD-MM-YYYY, today where absent).

    Raises Refusal 400 where something is wrong with it.
    """
    asked = {key: request.value(key) for key in ("cepOrigem", "cepDestino", "dtEvento")}
    found = _item(asked | {"coProduto": product}, now, realistic)
    if found.get("txErro"):
        raise Refusal(400, str(found["txErro"]))
    return answer(200, found)


def many(request: Request, now: datetime, *, realistic: bool) -> Response:
    """Answer for `parametrosPrazo`: 200 with txErro in an item that cannot be answered. Raises Refusal 400: bad body."""
    try:
        items = request.json_object().get("parametrosPrazo")
    except ValueError as exc:
        raise Refusal(400, "Corpo da requisição inválido.") from exc
    if not isinstance(items, list) or not 1 <= len(items) <= _MAX_ITEMS or not all(isinstance(i, dict) for i in items):
        raise Refusal(400, "Campo parametrosPrazo é obrigatório.")
    return answer(200, [_item(item, now, realistic) for item in items])


def _item(asked: Mapping[str, Any], now: datetime, realistic: bool) -> dict[str, Any]:
    known = {"coProduto": asked.get("coProduto"), "nuRequisicao": asked.get("nuRequisicao")}
    shown = {key: value for key, value in known.items() if value is not None}
    service = _SERVICES.get(str(asked.get("coProduto")))
    if service is None:
        return shown | {"txErro": "PRZ-101: Serviço inexistente ou indisponível para o contrato."}
    if place_of(str(asked.get("cepOrigem") or "")) is None:
        return shown | {"txErro": "PRZ-102: CEP de origem inválido."}
    place = place_of(str(asked.get("cepDestino") or ""))
    if place is None:
        return shown | {"txErro": "PRZ-103: CEP de destino inválido."}
    posted_on = _day(asked.get("dtEvento"), now)
    if posted_on is None:
        return shown | {"txErro": "PRZ-104: Data do evento inválida, use DD-MM-AAAA."}
    term = term_days(service, place.state, realistic=realistic)
    last = add_business_days(posted_on, term, place.state if realistic else "")
    return shown | {
        "prazoEntrega": term,
        "dataMaxima": f"{last.isoformat()}T23:58:00",
        "entregaDomiciliar": "S",
        "entregaSabado": "N",
        "entregaDomingo": "N",
        "msgPrazo": "",
    }


def _day(text: object, now: datetime) -> date | None:
    """Hyphens as the description says; the slashes of the older manual are refused, as the live service may."""
    if text in (None, ""):
        return local_date(now)
    match = _DATE.fullmatch(str(text))
    if match is None or match[2] != "-":
        return None
    try:
        return date(int(match[4]), int(match[3]), int(match[1]))
    except ValueError:
        return None
