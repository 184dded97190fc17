"""Flecha Expressa, a carrier that does not exist: as different from the first one as the contract allows.

One number a call; a static key instead of tokens; times with an offset; an unknown number is HTTP 404; no claims API, so
claims go by letter; an event may come without a code, and then its text alone says what it is.
`GET /v1/rastreio/{number}` with `X-Chave` answers::

    {"numero": "FX00000001", "entrega_prevista": "2026-11-20", "servico": "RODOVIARIO",
     "eventos": [{"id": 7, "quando": "2026-11-18T14:22:07-03:00", "codigo": "E9", "texto": "Entregue", "local": "Natal/RN"}]}

It pushes `{"itens": [...]}` of the same shape, with the newest events alone. `X-Quando` holds the instant, `X-Assinatura` the
Base64 of HMAC-SHA256 over that instant, a point and the body; it tries an address by GET, HEAD or an empty POST.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, SecretStr

from carriers.base import (
    AdapterContext,
    AnswerOutcome,
    Cause,
    ClaimKind,
    ClaimOffer,
    ClaimsAdapter,
    ClaimsByLetter,
    ClaimStart,
    ClaimTerms,
    FeedReading,
    HookOutcome,
    HookRequest,
    HookVerdict,
    PermanentCarrierError,
    ProblemKind,
    RefKind,
    TrackingAdapter,
    TrackingAnswer,
    TrackingEvent,
    TrackingRef,
    TrackingStatus,
    TrackingTerms,
)
from carriers.codes import normal
from carriers.dates import parse_day, parse_instant
from carriers.http import CarrierHttp

ZONE = ZoneInfo("America/Fortaleza")

STATUS_BY_CODE: dict[str, tuple[TrackingStatus, Cause | None]] = {
    "A1": (TrackingStatus.PRE_TRANSIT, None),  # Coleta solicitada
    "B1": (TrackingStatus.POSTED, None),  # Coletado
    "C1": (TrackingStatus.IN_TRANSIT, None),  # Em transferência
    "D1": (TrackingStatus.OUT_FOR_DELIVERY, None),  # Saiu para entrega
    "D2": (TrackingStatus.DELIVERY_FAILED, Cause.ABSENT),  # Destinatário ausente
    "E9": (TrackingStatus.DELIVERED, None),  # Entregue
    "X1": (TrackingStatus.LOST, Cause.LOSS),  # Extravio
    "X9": (TrackingStatus.LOST, Cause.LOSS),  # Indenizado
    "X2": (TrackingStatus.DAMAGED, Cause.DAMAGE),  # Avaria
    "R1": (TrackingStatus.RETURNING, Cause.REFUSED),  # Em devolução
    "R9": (TrackingStatus.RETURNED, Cause.RETURN),  # Devolvido
}
_FINAL = {TrackingStatus.DELIVERED, TrackingStatus.RETURNED}
_ATTEMPT = {TrackingStatus.DELIVERED, TrackingStatus.DELIVERY_FAILED}

LETTER_TERMS = ClaimTerms(
    offers=(
        ClaimOffer(ProblemKind.LOSS, "extravio", ClaimKind.REFUND, ClaimStart.EVENT, priority=10),
        ClaimOffer(ProblemKind.DAMAGE, "avaria", ClaimKind.REFUND, ClaimStart.EVENT, priority=20),
        ClaimOffer(ProblemKind.DELAY, "atraso", ClaimKind.INFORMATION_REQUEST, ClaimStart.DUE_DATE, priority=30),
    ),
    source="Lei 11.442/2007, arts. 8 e 9 (terms of an invented carrier)",
    valid_since=date(2026, 1, 1),
)


class FictitiousSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: SecretStr
    hook_secret: SecretStr | None = None


class FictitiousTracking:
    def __init__(self, carrier: str, http: CarrierHttp, key: SecretStr, *, push: bool) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=1,
            requests_per_second=2.0,
            timezone=ZONE.key,
            reading_version="1",
            presumed_loss_business_days={"": 15},
            terms_source="contract of an invented carrier",
            push=push,
        )
        self._carrier = carrier
        self._http = http
        self._key = key

    def normalise(self, value: str) -> TrackingRef | None:
        number = value.strip().upper()
        return TrackingRef(RefKind.CODE, number) if re.fullmatch(r"FX[0-9]{8}", number) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, TrackingAnswer]:
        (ref,) = refs
        try:
            answer = await self._http.request_json(
                "GET",
                f"/v1/rastreio/{ref.value}",
                idempotent=True,
                headers={"X-Chave": self._key.get_secret_value()},
            )
        except PermanentCarrierError as exc:
            if exc.http_status != 404:
                raise
            return {ref: TrackingAnswer(ref, AnswerOutcome.NOT_FOUND, b"404")}
        try:
            return {ref: read(ref, answer.data)}
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise PermanentCarrierError(self._carrier, f"unreadable answer: {type(exc).__name__}") from exc


class FictitiousHook:
    """Fits `carriers.base.HookReceiver`."""

    def __init__(self, carrier: str, secret: SecretStr) -> None:
        self._carrier = carrier
        self._secret = secret.get_secret_value()

    def check(self, request: HookRequest) -> HookVerdict:
        if request.method != "POST" or not request.body:
            return HookVerdict(HookOutcome.PROBE)
        when, given = request.headers.get("x-quando", ""), request.headers.get("x-assinatura", "")
        if not hmac.compare_digest(signature(self._secret, when, request.body).encode(), given.encode()):
            return HookVerdict(HookOutcome.REFUSED, 401, reason="another signature")
        answer = b'{"recebido": true}'
        sent_at = parse_instant(when, ZONE)
        return HookVerdict(HookOutcome.ACCEPTED, body=answer, sent_at=sent_at, good_for=timedelta(days=1))

    def read(self, payload: bytes) -> FeedReading:
        try:
            items = orjson.loads(payload)["itens"]
        except (orjson.JSONDecodeError, LookupError, TypeError) as exc:
            raise PermanentCarrierError(self._carrier, f"unreadable push: {type(exc).__name__}") from exc
        answers = {}
        for item in items:
            ref = TrackingRef(RefKind.CODE, item["numero"])
            answers[ref] = replace(read(ref, item), complete=False)
        return FeedReading(answers)


def signature(secret: str, when: str, body: bytes) -> str:
    """What the carrier writes into `X-Assinatura`."""
    signed = f"{when}.".encode() + body
    return base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()


def read(ref: TrackingRef, data: dict[str, Any]) -> TrackingAnswer:
    events = sorted((_event(item) for item in data["eventos"]), key=lambda event: event.occurred_at)
    due = data.get("entrega_prevista")
    return TrackingAnswer(
        ref,
        AnswerOutcome.FOUND,
        orjson.dumps(data, option=orjson.OPT_SORT_KEYS),
        tuple(events),
        due_on=parse_day(due, ZONE) if due else None,
        service=data.get("servico"),
    )


def _event(item: dict[str, Any]) -> TrackingEvent:
    code = item["codigo"] or normal(item["texto"])
    status, cause = STATUS_BY_CODE.get(code, (TrackingStatus.UNKNOWN, None))
    if not item["codigo"] and "EXTRAVIAD" in code:
        status, cause = TrackingStatus.LOST, Cause.LOSS
    return TrackingEvent(
        key=f"{item['id']}",
        occurred_at=parse_instant(item["quando"], ZONE),
        carrier_code=code,
        by_words=not item["codigo"],
        indemnified=code == "X9",
        status=status,
        description=item["texto"],
        cause=cause,
        location=item.get("local"),
        final=status in _FINAL,
        attempt=status in _ATTEMPT,
    )


class Fictitious:
    """Fits `carriers.base.Adapter`; `NAME` is `flecha`."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = "flecha"
    TITLE: ClassVar[str] = "Flecha Expressa"
    BASE_URL: ClassVar[str] = "https://api.flecha.example"
    Settings: ClassVar[type[BaseModel]] = FictitiousSettings

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        assert isinstance(settings, FictitiousSettings)
        self._http = context.http
        secret = settings.hook_secret
        self.tracking = FictitiousTracking(context.carrier, context.http, settings.key, push=secret is not None)
        self.hook = FictitiousHook(context.carrier, secret) if secret is not None else None
        self.claims = ClaimsByLetter(
            LETTER_TERMS,
            words={"extravio": "Indenização por extravio (formulário F-12)"},
            asks_for=("declaração de não recebimento",),
        )

    async def log_in(self) -> str:
        await self._http.request_json("GET", "/v1/conta", idempotent=True)
        return "the key opens tracking"
