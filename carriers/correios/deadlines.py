"""Correios delivery terms (Prazo): `POST /prazo/v1/nacional`, many parcels a call, matched by `nuRequisicao`.

Description 3.9.26 of the API and Manual de Integração v2.2 (08/09/2023), read November 2026. A term counts business days
from the day after posting (the manual's own examples); an item that cannot be computed has `txErro` under HTTP 200. Known
gaps: how many items a call may carry; whether `dtEvento` is written with hyphens (description) or slashes (manual).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from carriers.base import DeadlineAnswer, DeadlineOutcome, DeadlineRequest, DeadlineTerms, PermanentCarrierError
from carriers.correios.auth import ZONE, Access
from carriers.correios.wire import explain
from carriers.dates import parse_day
from carriers.http import CarrierHttp
from carriers.payload import canonical, plain
from carriers.redact import redact

PATH = "/prazo/v1/nacional"
API = "Prazo (API 35)"
HEADERS = {"Accept-Language": "pt-BR", "Accept": "application/json"}
HYPHENS, SLASHES = "%d-%m-%Y", "%d/%m/%Y"

TERMS = DeadlineTerms(batch_size=50, source="Correios, API Prazo: business days from the day after posting")
"""The API's own limit of items is not documented."""

AFTER_CUTOFF = frozenset({"PO-09"})
"""Posted after the day's cut-off: the object moves on the next business day."""
MAX_BUSINESS_DAYS = 120
"""The longest term of any route is a few weeks: what is far beyond is no term."""

_PRODUCTS = frozenset({"10", "12", "hoje"})
"""Members of the SEDEX family that have terms of their own: their word must stand in the services map too."""


class CorreiosDeadlines:
    """Asks for the terms of parcels; *services* is the contract's code by service family."""

    def __init__(self, carrier: str, http: CarrierHttp, access: Access, services: Mapping[str, str]) -> None:
        self.deadline_terms = TERMS
        self._carrier = carrier
        self._http = http
        self._access = access
        self._services = services

    async def due_dates(self, requests: Sequence[DeadlineRequest]) -> Mapping[int, DeadlineAnswer]:
        """See `DeadlineAdapter.due_dates`. Raises ValueError for a batch too big."""
        if len(requests) > TERMS.batch_size:
            raise ValueError(f"at most {TERMS.batch_size} requests a call, not {len(requests)}")
        answers: dict[int, DeadlineAnswer] = {}
        coded: list[tuple[DeadlineRequest, str]] = []
        for request in requests:
            code = service_code(self._services, request.tracked_service, request.ordered_service)
            if code is None:
                answers[request.key] = _no_service(request)
            else:
                coded.append((request, code))
        if coded:
            answers |= read_answers(self._carrier, coded, await self._ask(coded))
        return answers

    async def _ask(self, coded: Sequence[tuple[DeadlineRequest, str]]) -> Any:
        """Ask; where the whole call is refused with 400, once more with the day in the manual's spelling."""
        try:
            return await self._post(coded, HYPHENS)
        except PermanentCarrierError as exc:
            if exc.http_status != 400:
                raise
        return await self._post(coded, SLASHES)

    async def _post(self, coded: Sequence[tuple[DeadlineRequest, str]], spelling: str) -> Any:
        body = {"idLote": "1", "parametrosPrazo": [_item(request, code, spelling) for request, code in coded]}

        async def send(headers: dict[str, str]) -> Any:
            answer = await self._http.request_json(
                "POST",
                PATH,
                idempotent=True,
                json=body,
                headers=HEADERS | headers,
                explain=explain,
                family="deadlines",
            )
            return answer.data

        return await self._access.call(API, send)


def service_code(services: Mapping[str, str], tracked: str | None, ordered: str | None) -> str | None:
    """The contract's code for what a parcel was sent by, or None where the map does not say.

    An order may name the code itself, or the product more narrowly than tracking does (SEDEX 10 is SEDEX there); where
    the two contradict each other tracking knows what was posted.
    """
    by_name = {plain(name): code for name, code in services.items()}
    family, wanted = plain(tracked or ""), plain(ordered or "")
    if wanted.isdigit() and wanted in services.values():
        return wanted
    narrower = set(wanted.split()) & _PRODUCTS
    if wanted in by_name and (not family or family in wanted.split()):
        return by_name[wanted]
    if narrower and (not family or family in wanted.split()):
        return None
    if family:
        return by_name.get(family)
    named = {code for name, code in by_name.items() if name in wanted.split()}
    return named.pop() if len(named) == 1 else None


def read_answers(carrier: str, coded: Sequence[tuple[DeadlineRequest, str]], payload: Any) -> dict[int, DeadlineAnswer]:
    """Answers by key; an item that the answer does not hold has none. Raises PermanentCarrierError for another shape."""
    items = payload.get("prazos") if isinstance(payload, dict) else payload
    if not isinstance(items, list):
        raise PermanentCarrierError(carrier, "deadline answer is no list")
    by_number = {str(item.get("nuRequisicao")): item for item in items if isinstance(item, dict)}
    return {
        request.key: read_item(request, code, by_number[str(request.key)])
        for request, code in coded
        if str(request.key) in by_number
    }


def read_item(request: DeadlineRequest, code: str, item: dict[str, Any]) -> DeadlineAnswer:
    """One parcel's term; never raises for what the carrier wrote."""
    raw = canonical(item)
    fault = item.get("txErro")
    if fault:
        return DeadlineAnswer(request.key, DeadlineOutcome.REFUSED, raw, service_code=code, message=redact(str(fault)))
    days, due_on = _business_days(item.get("prazoEntrega")), _day(item.get("dataMaxima"))
    if due_on is not None and due_on < request.posted_on:
        due_on = None
    if days is None and due_on is None:
        message = "the answer names neither prazoEntrega nor a dataMaxima that can be read"
        return DeadlineAnswer(request.key, DeadlineOutcome.REFUSED, raw, service_code=code, message=message)
    return DeadlineAnswer(
        key=request.key,
        outcome=DeadlineOutcome.NAMED,
        raw=raw,
        due_on=due_on,
        business_days=days,
        after_cutoff=request.posted_code in AFTER_CUTOFF,
        home_delivery={"S": True, "N": False}.get(str(item.get("entregaDomiciliar")).strip().upper()),
        service_code=code,
    )


def _item(request: DeadlineRequest, code: str, spelling: str) -> dict[str, str]:
    return {
        "nuRequisicao": str(request.key),
        "coProduto": code,
        "cepOrigem": request.origin_postal_code,
        "cepDestino": request.destination_postal_code,
        "dtEvento": request.posted_on.strftime(spelling),
    }


def _no_service(request: DeadlineRequest) -> DeadlineAnswer:
    named = request.ordered_service or request.tracked_service or "(not named)"
    message = f"no service code is configured for {named}: add it to services of this account"
    return DeadlineAnswer(request.key, DeadlineOutcome.NO_SERVICE, message=message)


def _business_days(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str) or not re.fullmatch(r"[0-9]{1,3}", str(value)):
        return None
    return int(value) if int(value) <= MAX_BUSINESS_DAYS else None


def _day(text: Any) -> date | None:
    # Its time of day is noise (23:58:00), as that of tracking's own date.
    try:
        return parse_day(text, ZONE)
    except (AttributeError, TypeError, ValueError):
        return None
