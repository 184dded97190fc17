"""Correios claims: the "Pedido de Informação" API, `/pedido-informacao/v1/externo/pedidos/{cadastra|reativa|acompanha}`.

Manual de Integração v2.2 (08/09/2023), chapter 16, is the only public description. Known gaps: what the live API calls
its keys (the manual mixes camelCase with blanks and accents), with which HTTP status it refuses, how many claims a call
may carry. Neither evidence nor bank data can be sent. Only registered national objects of the contract and card are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from carriers.base import (
    AnswerLostError,
    CarrierError,
    ClaimAnswer,
    ClaimRequest,
    ClaimStatus,
    PermanentCarrierError,
    ReopenAnswer,
    ReopenRequest,
    TrackingRef,
)
from carriers.correios import returns
from carriers.correios.auth import Access
from carriers.correios.claim_answers import (
    API,
    KINDS,
    code_of,
    first,
    keyed,
    read_item,
    read_reopening,
    read_status,
    word,
)
from carriers.correios.claim_terms import BATCH_SIZE, claim_terms
from carriers.correios.settings import ClaimsSettings
from carriers.correios.wire import explain
from carriers.http import CarrierHttp, HttpAnswer
from carriers.payload import canonical

BASE = "/pedido-informacao/v1/externo/pedidos"
HEADERS = {"Accept-Language": "pt-BR", "Accept": "application/json"}
READ_TOO = (400, 404, 422)
"""Statuses under which the API may send its own return code; which one it uses is not documented."""

_PACKAGING = {"box": "C", "envelope": "E"}


class CorreiosClaims:
    """Files and looks up claims of one contract and card; holds no state."""

    def __init__(
        self, carrier: str, http: CarrierHttp, access: Access, contract: str, card: str, settings: ClaimsSettings
    ) -> None:
        self.claim_terms = claim_terms(settings.delay_claims, settings.kinds)
        self._carrier = carrier
        self._http = http
        self._access = access
        self._contract = contract
        self._card = card
        self._settings = settings

    async def open_claims(self, requests: Sequence[ClaimRequest]) -> Mapping[TrackingRef, ClaimAnswer]:
        """File up to ten claims in one call, never repeated after an answer was lost.

        A call names one contract, the one a parcel was posted under (code 125 refuses another). Requests of a second
        contract are therefore not sent and not answered: they go with a later call. Raises ValueError for a batch too big
        or two claims on one parcel, otherwise as `ClaimsAdapter.open_claims`.
        """
        if len(requests) > BATCH_SIZE:
            raise ValueError(f"at most {BATCH_SIZE} claims a call, not {len(requests)}")
        if len({request.ref for request in requests}) < len(requests):
            raise ValueError("two claims on one parcel in one call")
        if not requests:
            return {}
        contract = requests[0].contract or self._contract
        sent = [request for request in requests if (request.contract or self._contract) == contract]
        body = {"telefone": self._settings.phone, "pedidos": [self._request(request) for request in sent]}
        answer = await self._post("cadastra", contract, body)
        wanted = {request.ref.value: request.ref for request in sent}
        items = self._items(answer, wanted, _object_code, (returns.REGISTERED,))
        return {wanted[code]: read_item(item, raw) for code, (item, raw) in items.items()}

    async def reopen_claims(self, requests: Sequence[ReopenRequest]) -> Mapping[str, ReopenAnswer]:
        """Reopen up to ten answered claims of one contract in one call, as `open_claims` files them; answers by protocol."""
        if len(requests) > BATCH_SIZE:
            raise ValueError(f"at most {BATCH_SIZE} reopenings a call, not {len(requests)}")
        if len({request.protocol for request in requests}) < len(requests):
            raise ValueError("one claim reopened twice in one call")
        if not requests:
            return {}
        contract = requests[0].contract or self._contract
        sent = [request for request in requests if (request.contract or self._contract) == contract]
        body = {"reativacoes": [_reactivation(request) for request in sent]}
        answer = await self._post("reativa", contract, body)
        wanted = {request.protocol: request.protocol for request in sent}
        items = self._items(answer, wanted, _protocol_asked, (returns.REGISTERED, returns.REACTIVATED))
        return {protocol: read_reopening(item, raw) for protocol, (item, raw) in items.items()}

    async def look_up(self, ref: TrackingRef, protocol: str | None) -> ClaimStatus:
        """The claim with this protocol, otherwise the newest on this object."""
        params = [
            ("contrato", self._contract),
            ("canal", "W"),
            # One value only: the manual's example with two is not what the API takes.
            ("codigodoObjetoOuProtocolo", protocol or ref.value),
        ]

        async def send(headers: dict[str, str]) -> HttpAnswer:
            return await self._http.request_json(
                "GET",
                f"{BASE}/acompanha",
                idempotent=True,
                params=params,
                headers=HEADERS | headers,
                explain=explain,
                family="claims",
                also_read=READ_TOO,
            )

        answer = await self._access.call(API, send)
        data = keyed(answer.data)
        if "codigoretorno" not in data and "numeropi" not in data:
            raise self._without_code(answer, PermanentCarrierError)
        return read_status(self._carrier, answer.data)

    async def _post(self, call: str, contract: str, body: dict[str, Any]) -> HttpAnswer:
        async def send(headers: dict[str, str]) -> HttpAnswer:
            return await self._http.request_json(
                "POST",
                f"{BASE}/{call}",
                idempotent=False,
                json={"contrato": contract, "cartao": self._card} | body,
                headers=HEADERS | headers,
                explain=explain,
                family="claims",
                also_read=READ_TOO,
            )

        return await self._access.call(API, send)

    def _request(self, request: ClaimRequest) -> dict[str, Any]:
        return {
            "codigoObjeto": request.ref.value,
            "emailResposta": self._settings.reply_email,
            "nomeDestinatario": " ".join(request.recipient_name.split()),
            "codigoMotivoReclamacao": int(request.motive),
            "tipoEmbalagem": _PACKAGING[self._settings.packaging],
            "tipoManifestacao": KINDS[request.kind],
        }

    def _items(
        self,
        answer: HttpAnswer,
        wanted: Mapping[str, Any],
        key_of: Callable[[Any], str],
        success: tuple[int, ...],
    ) -> dict[str, tuple[Mapping[str, Any], bytes]]:
        """Each wanted item by its key, with the evidence about it. Raises AnswerLostError where nothing can be read."""
        try:
            return self._listed(answer, wanted, key_of, success)
        except TypeError as exc:
            # Nested beyond reason, so that it cannot even be kept: what became of the claims is not known.
            raise AnswerLostError(self._carrier, f"{API}: answer cannot be kept", answer.status) from exc

    def _listed(
        self,
        answer: HttpAnswer,
        wanted: Mapping[str, Any],
        key_of: Callable[[Any], str],
        success: tuple[int, ...],
    ) -> dict[str, tuple[Mapping[str, Any], bytes]]:
        data = keyed(answer.data)
        if "codigoretorno" not in data and "pi" not in data:
            raise self._without_code(answer, AnswerLostError)
        listed = data.get("pi")
        entries = {key_of(entry): entry for entry in (listed if isinstance(listed, list) else [])}
        envelope = {key: value for key, value in answer.data.items() if list(keyed({key: 0})) != ["pi"]}
        if not entries:
            # No item to judge: the envelope speaks for all, unless it says "done" of nothing: that answers nobody.
            if code_of(data.get("codigoretorno")) in (None, *success):
                return {}
            return {key: (data, canonical(envelope)) for key in wanted}
        # The evidence of one parcel names no other: the envelope with its own item, spelled as it came.
        return {
            key: (keyed(entries[key]), canonical(envelope | {"pi": [entries[key]]})) for key in wanted if key in entries
        }

    def _without_code(
        self, answer: HttpAnswer, unknown_shape: type[AnswerLostError | PermanentCarrierError]
    ) -> CarrierError:
        """The error for JSON without a return code: the gateway's refusal, or an answer of a shape we do not know."""
        if answer.status in READ_TOO:
            words = explain(answer.body) or "refused without a word"
            return PermanentCarrierError(self._carrier, f"{API}: HTTP {answer.status}: {words}", answer.status)
        return unknown_shape(self._carrier, f"{API}: answer of an unknown shape", answer.status)


def _object_code(entry: Any) -> str:
    return word(first(keyed(entry), "codigoobjeto", "codigodoobjeto")).upper()


def _protocol_asked(entry: Any) -> str:
    return word(first(keyed(entry), "protocolo", "numeropi"))


def _reactivation(request: ReopenRequest) -> dict[str, Any]:
    return {
        "protocolo": request.protocol,
        "tipoManifestacao": KINDS[request.kind],
        "motivoReativacao": request.motive,
        "observacao": request.note,
    }
