"""Correios claims: the "Pedido de Informação" API, `/pedido-informacao/v1/externo/pedidos/{cadastra|acompanha}`.

Manual de Integração v2.2 (08/09/2023), chapter 16, is the only public description. Known gaps: what the live API calls
its keys (the manual mixes camelCase with blanks and accents), with which HTTP status it refuses, how many claims a call
may carry. Neither evidence nor bank data can be sent. Only registered national objects of the contract and card are taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from carriers.base import (
    AnswerLostError,
    CarrierConfigError,
    CarrierError,
    ClaimAnswer,
    ClaimKind,
    ClaimOffer,
    ClaimOutcome,
    ClaimProgress,
    ClaimRequest,
    ClaimStart,
    ClaimStatus,
    ClaimTerms,
    PermanentCarrierError,
    ProblemKind,
    TrackingRef,
    TransientCarrierError,
)
from carriers.correios import returns
from carriers.correios.auth import ZONE, Access
from carriers.correios.settings import ClaimsSettings
from carriers.correios.wire import canonical, explain, plain
from carriers.dates import parse_day
from carriers.http import CarrierHttp, HttpAnswer
from carriers.redact import redact

BASE = "/pedido-informacao/v1/externo/pedidos"
API = "Pedido de Informação"
HEADERS = {"Accept-Language": "pt-BR", "Accept": "application/json"}
READ_TOO = (400, 404, 422)
"""Statuses under which the API may send its own return code; which one it uses is not documented."""

BATCH_SIZE = 10
"""Claims a call. The API's own limit is not documented."""

_PACKAGING = {"box": "C", "envelope": "E"}
_KINDS = {ClaimKind.INFORMATION_REQUEST: "R", ClaimKind.REFUND: "I"}

_SERVICE_LEVEL = "nivel de servico"
_PAYMENT = re.compile(
    r"(?<!nao )\b(foi|foram) (devidamente )?(pag|creditad|depositad|ressarcid|indenizad)[ao]s?\b"
    r"|\bpagamento (ja )?(efetuado|realizado|concluido)\b|\bhouve (a )?indenizacao\b"
)
"""Words that say a payment has been made; "será creditada" only promises it."""


def claim_terms(delay_claims: str) -> ClaimTerms:
    """What Correios takes claims for, and until when.

    *delay_claims* other than `pi` leaves delays out: settled by the contract's service level, or not wanted. Kind by
    problem: a refund where tracking itself proves the fault, an inquiry where Correios has to look.
    """
    refund, inquiry = ClaimKind.REFUND, ClaimKind.INFORMATION_REQUEST
    fallback = (returns.NOT_DELIVERED, inquiry)
    on_event, on_due = ClaimStart.EVENT, ClaimStart.DUE_DATE
    proven = (
        ClaimOffer(ProblemKind.DAMAGE, returns.DAMAGED, refund, on_event, priority=10),
        ClaimOffer(ProblemKind.LOSS, returns.NOT_DELIVERED, refund, on_event, priority=30, fallback=fallback),
        ClaimOffer(
            ProblemKind.THEFT,
            returns.NOT_DELIVERED,
            refund,
            on_event,
            priority=31,
            days_after_event=1,
            fallback=fallback,
        ),
    )
    delays = (
        ClaimOffer(ProblemKind.DELAY, returns.NOT_DELIVERED, inquiry, on_due, priority=40),
        ClaimOffer(ProblemKind.LATE_DELIVERY, returns.DELIVERED_LATE, refund, on_due, priority=50),
    )
    return ClaimTerms(
        offers=proven + delays if delay_claims == "pi" else proven,
        source=(
            "Correios, Manual de Integração v2.2 (08/09/2023), cap. 16, códigos 510, 544 e 564; "
            "Decreto 12.464/2025, art. 8 (90 dias)"
        ),
        valid_since=date(2025, 5, 21),
        window_days=30,
        alert_day=25,
        last_day=90,
        margin_business_days=1,
        replanning_cap_business_days=10,
        answer_business_days=5,
        escalate_business_days=10,
        batch_size=BATCH_SIZE,
        one_claim_a_parcel=True,  # a second cadastra answers 900 whatever became of the first
        # Not 211: it is the motive of losses too, which no service level settles.
        service_level_motives=(returns.DELIVERED_LATE,),
    )


class CorreiosClaims:
    """Files and looks up claims of one contract and card; holds no state."""

    def __init__(
        self, carrier: str, http: CarrierHttp, access: Access, contract: str, card: str, settings: ClaimsSettings
    ) -> None:
        self.claim_terms = claim_terms(settings.delay_claims)
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
        answer = await self._post(contract, sent)
        try:
            return self._read_answers(answer, [request.ref for request in sent])
        except TypeError as exc:
            # Nested beyond reason, so that it cannot even be kept: what became of the claims is not known.
            raise AnswerLostError(self._carrier, f"{API}: answer cannot be kept", answer.status) from exc

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

    async def _post(self, contract: str, requests: list[ClaimRequest]) -> HttpAnswer:
        body = {
            "contrato": contract,
            "cartao": self._card,
            "telefone": self._settings.phone,
            "pedidos": [self._request(request) for request in requests],
        }

        async def send(headers: dict[str, str]) -> HttpAnswer:
            return await self._http.request_json(
                "POST",
                f"{BASE}/cadastra",
                idempotent=False,
                json=body,
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
            "tipoManifestacao": _KINDS[request.kind],
        }

    def _read_answers(self, answer: HttpAnswer, refs: list[TrackingRef]) -> dict[TrackingRef, ClaimAnswer]:
        data = keyed(answer.data)
        if "codigoretorno" not in data and "pi" not in data:
            raise self._without_code(answer, AnswerLostError)
        listed = data.get("pi")
        entries = {_object_code(entry): entry for entry in (listed if isinstance(listed, list) else [])}
        envelope = {key: value for key, value in answer.data.items() if list(keyed({key: 0})) != ["pi"]}
        if not entries:
            # No item to judge: the envelope speaks for all, unless it says "registered" of nothing: that answers nobody.
            if _code(data.get("codigoretorno")) in (None, returns.REGISTERED):
                return {}
            return {ref: read_item(data, canonical(envelope)) for ref in refs}
        # The evidence of one parcel names no other: the envelope with its own item, spelled as it came.
        return {
            ref: read_item(keyed(entries[ref.value]), canonical(envelope | {"pi": [entries[ref.value]]}))
            for ref in refs
            if ref.value in entries
        }

    def _without_code(
        self, answer: HttpAnswer, unknown_shape: type[AnswerLostError | PermanentCarrierError]
    ) -> CarrierError:
        """The error for JSON without a return code: the gateway's refusal, or an answer of a shape we do not know."""
        if answer.status in READ_TOO:
            words = explain(answer.body) or "refused without a word"
            return PermanentCarrierError(self._carrier, f"{API}: HTTP {answer.status}: {words}", answer.status)
        return unknown_shape(self._carrier, f"{API}: answer of an unknown shape", answer.status)


def keyed(value: Any) -> dict[str, Any]:
    """*value* by normalised keys, so that every spelling of the manual and of the older service is one.

    Split into words at blanks and at camelCase humps, accents and the words do, da, de dropped, joined in lower case:
    `numero do pi` and `numeroPi` are `numeropi`, `Data de Abertura PI` is `dataaberturapi`. What is no object is {}.
    """
    if not isinstance(value, dict):
        return {}
    result: dict[str, Any] = {}
    for key, item in value.items():
        words = plain(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key)).split()
        result.setdefault("".join(word for word in words if word not in ("do", "da", "de")), item)
    return result


def _object_code(entry: Any) -> str:
    return _word(_first(keyed(entry), "codigoobjeto", "codigodoobjeto")).upper()


def read_item(item: Mapping[str, Any], raw: bytes) -> ClaimAnswer:
    """The answer to one claim, judged by its own code. *item* has normalised keys."""
    code = _code(item.get("codigoretorno"))
    text = redact(str(item.get("descricaoretorno") or ""))
    protocol = read_protocol(_first(item, "numeropi", "numerodopi"))
    row = returns.UNLISTED if code is None else returns.RETURNS.get(code, returns.UNLISTED)
    outcome = row.outcome
    service_level = outcome not in (ClaimOutcome.REGISTERED, ClaimOutcome.ALREADY_OPEN) and _SERVICE_LEVEL in plain(
        text
    )
    if service_level:
        outcome = ClaimOutcome.REFUSED
    elif code == returns.DELIVERED_INSTEAD and protocol:
        # One reseller saw claims opened in spite of this refusal: a number that exists must not be lost.
        outcome = ClaimOutcome.REGISTERED
    return ClaimAnswer(
        outcome,
        code=str(item.get("codigoretorno") if code is None else code),
        text=text,
        raw=raw,
        protocol=protocol,
        after_due=row.after_due,
        after_event=row.after_event,
        look_first=row.look_first and not service_level,
        waits=() if service_level else row.waits,
        service_level=service_level,
    )


def read_status(carrier: str, payload: Any) -> ClaimStatus:
    """What `acompanha` says. Raises CarrierConfigError (122), TransientCarrierError (999) or PermanentCarrierError."""
    data = keyed(payload)
    try:
        raw = canonical(payload)
    except TypeError as exc:
        raise PermanentCarrierError(carrier, f"{API}: answer cannot be kept ({exc})") from exc
    code = _code(data.get("codigoretorno", 0))
    text = redact(str(data.get("descricaoretorno") or ""))
    match code:
        case 0:
            try:
                return _read_claim(data, raw)
            except (AttributeError, TypeError, ValueError) as exc:
                raise PermanentCarrierError(carrier, f"{API}: claim cannot be read: {redact(str(exc))}") from exc
        case 4 | 990:
            return ClaimStatus(ClaimProgress.NONE, raw, text=text, code=str(code))
        case 631:
            return ClaimStatus(ClaimProgress.NOT_FOLLOWED, raw, text=text, code=str(code))
        case 122:
            hint = "the object is not of this contract and posting_card; compare both with the portal"
            raise CarrierConfigError(carrier, f"{API}: {hint} (122: {text})")
        case 999:
            raise TransientCarrierError(carrier, f"{API}: processing error (999: {text})")
        case _:
            raise PermanentCarrierError(carrier, f"{API}: look-up refused ({code}: {text})")


def _read_claim(data: Mapping[str, Any], raw: bytes) -> ClaimStatus:
    kinds = {letter: kind for kind, letter in _KINDS.items()}
    return ClaimStatus(
        progress=_progress(data),
        raw=raw,
        protocol=read_protocol(_first(data, "numeropi", "numerodopi")),
        motive=_word(_first(data, "motivoreclamacaofinal", "motivoreclamacaoinicial")) or None,
        kind=kinds.get(_word(data.get("tipomanifestacao")).upper()),
        opened_on=_day(data, "dataaberturapi"),
        answered_on=_day(data, "dataultimaresposta"),
        due_on=_day(data, "datamaximaentrega"),
        text=redact(_word(data.get("mensagemultimaresposta"))),
        carrier_state=_word(data.get("situacaomanifestacao")) or None,
        code="0",
    )


def _progress(data: Mapping[str, Any]) -> ClaimProgress:
    """How far the claim is. The carrier's own state word is not documented, so dates and flags decide."""
    # Here the pair is swapped against tracking: `tipo` holds the letters and `codigo` the number.
    if _word(data.get("tipoultimoevento")).upper() == "IDC":
        return ClaimProgress.PAID
    answered_on, reopened_on = _day(data, "dataultimaresposta"), _day(data, "dataultimarecorrencia")
    if answered_on is None:
        return ClaimProgress.OPEN
    reopened = _word(data.get("houverecorrencia")).upper() == "S"
    if reopened and reopened_on is not None and reopened_on >= answered_on:
        return ClaimProgress.REOPENED
    if _PAYMENT.search(plain(_word(data.get("mensagemultimaresposta")))):
        return ClaimProgress.PAID
    verdicts = {"S": ClaimProgress.ACCEPTED, "N": ClaimProgress.REJECTED}
    return verdicts.get(_word(data.get("indicativoprocedencia")).upper(), ClaimProgress.ANSWERED)


def read_protocol(value: Any) -> str | None:
    """The claim's number; None for anything not numeric (the API has been seen to send the letter `f`) and for zero."""
    text = _word(value)
    return text if re.fullmatch(r"0*[1-9][0-9]*", text) else None


def _code(value: Any) -> int | None:
    """A return code from `0`, `"0"` or `"00"`; None where there is none."""
    text = _word(value)
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _day(data: Mapping[str, Any], key: str) -> date | None:
    text = _word(data.get(key))
    return parse_day(text, ZONE) if text else None


def _first(data: Mapping[str, Any], *keys: str) -> Any:
    return next((data[key] for key in keys if data.get(key) not in (None, "")), None)


def _word(value: Any) -> str:
    return "" if value is None or isinstance(value, bool | dict | list) else str(value).strip()
