"""Azul Cargo: `POST https://ediapi.onlineapp.com.br/toolkit/api/Rastreio/Consultar`, one document a call, token in the body.

Written from what several public clients agree on, read November 2026. A token comes from a login of its own and lives eight
hours. A parcel is found by its air waybill or by its NF-e key. Every answer is an envelope that may tell a failure with HTTP
200 (`HasErrors`). A trial host exists: `base_url: https://hmg.onlineapp.com.br/EDIv2_API_INTEGRACAO_Toolkit`. No limit is
published: two calls a second are polite.

Known gaps: the codes of events are not published, so they are read by their words, by the date of delivery (`DataHoraEntrega`)
and by the picture of a failed attempt (`UrlInsucesso`); times are local without offset and taken for Brasília's; comments may
name persons and are not kept; the older service, which wants the token in the address, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr

from carriers import codes, oauth, words
from carriers.base import (
    AdapterContext,
    AdapterFacts,
    AnswerOutcome,
    CarrierConfigError,
    Cause,
    ClaimsAdapter,
    ClaimsByLetter,
    CodeWord,
    Heard,
    PermanentCarrierError,
    RefKind,
    Token,
    TrackingAdapter,
    TrackingAnswer,
    TrackingEvent,
    TrackingRef,
    TrackingStatus,
    TrackingTerms,
)
from carriers.dates import parse_day, parse_instant
from carriers.invoice import is_sellers, key_ref
from carriers.letters import road_claims
from carriers.payload import as_list, canonical, error, in_order, not_found, place, said_in, text, unread, without
from carriers.redact import redact

NAME = "azul_cargo"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.azul_cargo").with_words(codes.road_words())
CLAIMS = road_claims(
    source="no API for claims is known: a letter",
    valid_since=date(2026, 11, 22),
    by_road=False,
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

TOKEN_LIFE = timedelta(hours=8)
ABOUT_ACCESS = ("TOKEN", "AUTENTIC", "SENHA", "USUARIO", "SESSAO", "NAO AUTORIZAD")
"""What a refusal is about that a new token may mend: the words for an ended one are not published."""
PICTURES = ("UrlPOD", "UrlAssinatura", "UrlInsucesso")
OUTDONE_BY_A_PICTURE = frozenset(
    {
        TrackingStatus.UNKNOWN,
        TrackingStatus.POSTED,
        TrackingStatus.IN_TRANSIT,
        TrackingStatus.OUT_FOR_DELIVERY,
        TrackingStatus.DELIVERED,
    }
)
"""Words that a picture of a failed attempt (`UrlInsucesso`) outweighs."""
PERSONAL = frozenset({"comentario", "recebedor", "latitude", "longitude", "destinatario"})
_AWB = re.compile(r"577[0-9]{8}")


class AzulCargoSettings(BaseModel):
    """E-mail and password of the carrier's toolkit."""

    model_config = ConfigDict(extra="forbid")

    user: str
    password: SecretStr


class AzulCargoTracking:
    """Asks about one document a call; holds no state."""

    tracking_terms = TrackingTerms(
        ref_kinds=(RefKind.CODE, RefKind.INVOICE_KEY),
        batch_size=1,
        requests_per_second=2.0,
        timezone=ZONE.key,
        reading_version=f"{READING}-{TABLE.version}",
        presumed_loss_business_days={"": 15},
        terms_source="a default, no term of Azul Cargo: fifteen business days without movement, as carriers' contracts ask",
    )

    def __init__(self, access: oauth.TokenAccess, context: AdapterContext) -> None:
        self._access = access
        self._carrier, self._http = context.carrier, context.http

    def normalise(self, value: str) -> TrackingRef | None:
        """An air waybill, eleven digits that begin with the airline's 577 (shape only), or an NF-e's key, letters kept."""
        number = re.sub(r"[\s.\-]+", "", value)
        if _AWB.fullmatch(number):
            return TrackingRef(RefKind.CODE, number)
        found = key_ref(value)
        return found if found is not None and is_sellers(found.value) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The history of one document. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs
        asked = {"Awb" if ref.kind is RefKind.CODE else "ChaveNfe": ref.value}

        async def send(token: Mapping[str, str]) -> Heard:
            answer = await self._http.request_json(
                "POST",
                "/api/Rastreio/Consultar",
                idempotent=True,
                json={**token, **asked},
                explain=said_in("ErrorText"),
                family="tracking",
            )
            return self._hear(ref, answer.data)

        return {ref: await self._access.call(send)}

    def _hear(self, ref: TrackingRef, data: Any) -> Heard:
        """Success and failure both come with HTTP 200."""
        if not isinstance(data, dict) or not isinstance(data.get("HasErrors"), bool):
            raise PermanentCarrierError(self._carrier, "the answer does not say whether it is one (HasErrors)")
        if not data["HasErrors"]:
            return unread(ref, {"Value": _stable(data.get("Value"))}, read_waybills)
        said = _said(data)
        if any(sign in codes.normal(said) for sign in ABOUT_ACCESS):
            raise CarrierConfigError(self._carrier, f"refused: {redact(said)}")
        if words.says_not_found(said):
            return not_found(ref, canonical({"ErrorText": said}), said)
        return error(ref, said or "refused without a reason", canonical({"ErrorText": said}))


def _said(envelope: Mapping[str, Any]) -> str:
    return text(envelope.get("ErrorText"))


def _stable(waybills: Any) -> Any:
    """The waybills with the mere fact of a picture in place of its address, which may carry a key that changes."""
    for waybill in waybills if isinstance(waybills, list) else ():
        lines = waybill.get("Ocorrencias") if isinstance(waybill, dict) else None
        for line in lines if isinstance(lines, list) else ():
            if isinstance(line, dict):
                line.update({name: bool(line.get(name)) for name in PICTURES})
    return waybills


def read_waybills(ref: TrackingRef, data: dict[str, Any]) -> TrackingAnswer:
    """All waybills of one document. Raises KeyError, TypeError, ValueError or AttributeError where they cannot be read."""
    waybills = data["Value"]
    if not isinstance(waybills, list):
        raise TypeError("a list of waybills is expected")
    raw = canonical(without(waybills, PERSONAL))
    if not waybills:
        return not_found(ref, raw)
    events = in_order(event for one in waybills for event in read_waybill(one))
    due = [day for one in waybills if (day := _forecast(one))]
    return TrackingAnswer(ref, AnswerOutcome.FOUND, raw, events, due_on=max(due, default=None))


def read_waybill(waybill: dict[str, Any]) -> list[TrackingEvent]:
    """The events of one waybill; where none of them says so, its date of delivery is one."""
    number, delivered = text(waybill["Awb"]), waybill.get("DataHoraEntrega")
    delivered_at = parse_instant(delivered, ZONE) if delivered else None
    told = [_event(line, number) for line in as_list(waybill["Ocorrencias"])]
    return words.with_delivery(told, "DataHoraEntrega", delivered_at, number)


def _event(line: dict[str, Any], number: str) -> TrackingEvent:
    said, at = text(line.get("Descricao")), parse_instant(line["DataHora"], ZONE)
    where = place(line.get("UnidadeMunicipio"), line.get("UnidadeUf"))
    told = words.event(
        TABLE,
        said,
        at,
        number,
        text(line["DataHora"]),
        codes.normal(said),
        location=where,
        code=text(line.get("Codigo")),
    )
    if line.get("UrlInsucesso") and told.status in OUTDONE_BY_A_PICTURE:
        # Words that tell of something worse (damage, say) stand: the picture may well show just that.
        return replace(
            told,
            status=TrackingStatus.DELIVERY_FAILED,
            cause=Cause.OTHER,
            final=False,
            attempt=True,
            by_words=True,
        )
    return told


def _forecast(waybill: dict[str, Any]) -> date | None:
    told = waybill.get("DataEntregaPrevisao")
    return parse_day(told, ZONE) if told else None


def _minting(settings: AzulCargoSettings, context: AdapterContext) -> oauth.Mint:
    hint = "e-mail or password refused"

    def read(data: Any) -> tuple[str, Any]:
        if data["HasErrors"] is True:
            raise CarrierConfigError(context.carrier, f"{hint} ({redact(_said(data))})")
        return data["Value"], TOKEN_LIFE.total_seconds()

    async def mint() -> Token:
        fields = {"Email": settings.user, "Senha": settings.password.get_secret_value()}
        path = "/api/Autenticacao/AutenticarUsuario"
        return await oauth.ask(context, path, fields, as_json=True, hint=hint, read=read)

    return mint


def _in_body(token: str) -> Mapping[str, str]:
    """Azul wants the token as a field of the question, not as a header."""
    return {"Token": token}


class AzulCargo:
    """One shipper's account with Azul Cargo."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Azul Cargo"
    BASE_URL: ClassVar[str] = "https://ediapi.onlineapp.com.br/toolkit"
    Settings: ClassVar[type[BaseModel]] = AzulCargoSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="several public clients agree, November 2026; no official description was seen",
        auth="e-mail and password of the carrier's toolkit",
        experimental=True,
        gaps=(
            "the codes of events are not published: they are read by their words and open no claim by themselves",
            "how a parcel that is not known is told is not confirmed",
            "comments of the carrier may name persons and are not kept",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, AzulCargoSettings):
            raise TypeError(f"AzulCargo needs AzulCargoSettings, not {type(settings).__name__}")
        hint = "the carrier refuses a fresh token: ask it whether tracking is open to this user"
        self._access = oauth.TokenAccess(context, _minting(settings, context), hint=hint, header=_in_body)
        self.tracking = AzulCargoTracking(self._access, context)
        self.claims = CLAIMS

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether this text is read; a code is not, since none is published."""
        return words.word(TABLE, code)

    @staticmethod
    def code_status(code: str) -> TrackingStatus | None:
        """As what this text is read."""
        return words.status(TABLE, code)

    async def log_in(self) -> str:
        """Ask for a token. Raises CarrierConfigError or TransientCarrierError."""
        await self._access.prove()
        return "e-mail and password give a token"
