"""Jamef: `GET https://api.jamef.com.br/consulta/v1/rastreamento`, one invoice a call, token by a login of its own.

Written from what several public clients agree on, read November 2026. A token lives an hour, and one address may ask for one a
minute. Every answer is an envelope (`situacao`, `mensagem`, `dado`) that may tell a failure within HTTP 200. A trial host exists:
`base_url: https://api-qa.jamef.com.br`. No limit is published for tracking: two calls a second are polite.

Known gaps: words and no codes; times are local without offset and taken for Brasília's; an invoice is asked for by its issuer and
number, and the answer does not tell one series from another; the older service (`/rastreamento/ver`) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr

from carriers import codes, oauth, words
from carriers.base import (
    AdapterContext,
    AdapterFacts,
    AnswerOutcome,
    CarrierConfigError,
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
from carriers.http import HttpAnswer
from carriers.invoice import invoice_of, key_or_invoice
from carriers.letters import road_claims
from carriers.payload import (
    as_dict,
    as_list,
    canonical,
    chronological,
    in_order,
    not_found,
    place,
    said_in,
    text,
    unread,
    without,
)
from carriers.redact import redact

NAME = "jamef"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.jamef").with_words(codes.road_words())
CLAIMS = road_claims(
    source="no API for claims is known: a letter",
    valid_since=date(2026, 11, 22),
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

TOKENS_PER_SECOND = 1 / 60
OK, REFUSED = "200", ("401", "403")
PERSONAL = frozenset({"nome", "documento", "cpf", "cnpj", "endereco", "recebedor", "email", "telefone"})


class JamefSettings(BaseModel):
    """User and password of the carrier's API."""

    model_config = ConfigDict(extra="forbid")

    user: str
    password: SecretStr


class JamefTracking:
    """Asks about one invoice a call; holds no state."""

    tracking_terms = TrackingTerms(
        ref_kinds=(RefKind.INVOICE_KEY, RefKind.INVOICE),
        batch_size=1,
        requests_per_second=2.0,
        timezone=ZONE.key,
        reading_version=f"{READING}-{TABLE.version}",
        presumed_loss_business_days={"": 15},
        terms_source="a default, no term of Jamef: fifteen business days without movement, as road carriers' contracts ask",
    )

    def __init__(self, access: oauth.TokenAccess, context: AdapterContext) -> None:
        self._access = access
        self._carrier, self._http = context.carrier, context.http

    def normalise(self, value: str) -> TrackingRef | None:
        """The key of an NF-e, letters kept, or `CNPJ/series/number`; Jamef is asked for no number of its own."""
        return key_or_invoice(value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The history of one invoice. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs

        async def send(headers: Mapping[str, str]) -> Heard:
            answer = await self._http.request_json(
                "GET",
                "/consulta/v1/rastreamento",
                idempotent=True,
                params=question(ref),
                headers=headers,
                explain=said_in("mensagem"),
                also_read=(404,),
                family="tracking",
            )
            return self._hear(ref, answer)

        return {ref: await self._access.call(send)}

    def _hear(self, ref: TrackingRef, answer: HttpAnswer) -> Heard:
        data = as_dict(answer.data)
        situation, said = text(data.get("situacao")), _said(data)
        if situation == OK and "dado" in data:
            # The rest of the envelope tells when and as what the answer was made, and is never the same twice.
            return unread(ref, {"dado": data["dado"]}, read_history)
        if situation in REFUSED:
            raise CarrierConfigError(self._carrier, f"refused: {redact(said)}", int(situation))
        if situation and words.says_not_found(said):
            return not_found(ref, canonical({"mensagem": said}), said)
        raise PermanentCarrierError(
            self._carrier, redact(said) or "the answer has no history (situacao, dado)", answer.status
        )


def _said(envelope: Mapping[str, Any]) -> str:
    return text(envelope.get("mensagem"))


def question(ref: TrackingRef) -> tuple[tuple[str, str], ...]:
    """How an invoice is asked for. The CNPJ is the issuer's, a company's: it may stand in an address."""
    if ref.kind is RefKind.INVOICE_KEY:
        invoice = invoice_of(ref.value)
        issuer, number = invoice.issuer, str(invoice.number)
    else:
        issuer, _, number = ref.value.split("/")
    return ("documentoRemetente", issuer), ("numeroNotaFiscal", number)


def read_history(ref: TrackingRef, data: dict[str, Any]) -> TrackingAnswer:
    """The freights of one invoice. Raises KeyError, TypeError, ValueError or AttributeError where they cannot be read."""
    freights = [freight for part in as_list(data["dado"]) for freight in as_list(part["rastreamento"])]
    raw = canonical(without(freights, PERSONAL))
    if not freights:
        return not_found(ref, raw)
    events = in_order(event for one in freights for event in read_events(one))
    due = [day for one in freights if (day := _forecast(one))]
    return TrackingAnswer(ref, AnswerOutcome.FOUND, raw, events, due_on=max(due, default=None))


def read_events(freight: dict[str, Any]) -> Sequence[TrackingEvent]:
    """The events of one freight, oldest first; Jamef tells the newest first."""
    return chronological(_event(line) for line in as_list(freight["eventosRastreio"]))


def _event(line: dict[str, Any]) -> TrackingEvent:
    where = as_dict(line.get("localOrigem"))
    location = place(where.get("cidade"), where.get("uf"))
    told = line["data"]
    return words.event(
        TABLE, text(line["status"]), parse_instant(told, ZONE), text(told), location or "", location=location
    )


def _forecast(freight: dict[str, Any]) -> date | None:
    told = as_dict(freight.get("frete")).get("previsaoEntrega")
    return parse_day(told, ZONE) if told else None


def _minting(settings: JamefSettings, context: AdapterContext) -> oauth.Mint:
    context.http.limit_to(TOKENS_PER_SECOND, oauth.FAMILY)
    hint = "user or password refused"

    def read(data: Any) -> tuple[str, Any]:
        if text(data.get("situacao")) in REFUSED:
            raise CarrierConfigError(context.carrier, f"{hint} ({redact(_said(data))})")
        granted = data["dado"][0]
        # One client reads the names of OAuth here.
        return granted.get("accessToken") or granted["access_token"], granted.get("expiresIn") or granted.get(
            "expires_in"
        )

    async def mint() -> Token:
        fields = {"username": settings.user, "password": settings.password.get_secret_value()}
        path = "/auth/v1/login"
        # A call that failed may have counted, and the next is allowed in a minute: a lane does not wait so long.
        return await oauth.ask(context, path, fields, as_json=True, hint=hint, read=read, repeated=False)

    return mint


class Jamef:
    """One shipper's account with Jamef."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Jamef"
    BASE_URL: ClassVar[str] = "https://api.jamef.com.br"
    Settings: ClassVar[type[BaseModel]] = JamefSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="several public clients agree, November 2026; no official description was seen",
        auth="user and password of the carrier's API",
        experimental=True,
        gaps=(
            "the carrier sends words and no codes, and few of them are known: what they mean opens no claim by itself",
            "invoices of one number in two series cannot be told apart",
            "how an invoice that is not known is told is not confirmed",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, JamefSettings):
            raise TypeError(f"Jamef needs JamefSettings, not {type(settings).__name__}")
        hint = "the carrier refuses a fresh token: ask it whether tracking is open to this user"
        self._access = oauth.TokenAccess(context, _minting(settings, context), hint=hint)
        self.tracking = JamefTracking(self._access, context)
        self.claims = CLAIMS

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether this text is read."""
        return words.word(TABLE, code)

    @staticmethod
    def code_status(code: str) -> TrackingStatus | None:
        """As what this text is read."""
        return words.status(TABLE, code)

    async def log_in(self) -> str:
        """Ask for a token, unless one is in force: the carrier gives one a minute.

        Raises CarrierConfigError or TransientCarrierError.
        """
        await self._access.prove()
        return "user and password give a token"
