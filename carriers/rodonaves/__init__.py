"""Rodonaves (RTE): `GET https://tracking-apigateway.rte.com.br/api/v1/tracking`, one invoice a call, token by password grant.

The carrier's page (dev.rodonaves.com.br) as several public clients follow it, read November 2026. A token lives some eight hours;
wrong credentials are answered with 400. An invoice that is not known is answered with 204 and no body. No limit is published:
two calls a second are polite.

Known gaps: words and no codes; times are local without offset and taken for Brasília's; the term comes as a number of days
(`ExpectedDeliveryDays`) without saying which days count, so no due date is made of it; events name no place; an answer names
the receiver with CPF, which is not kept; asked by number, it does not tell one series from another; asking by protocol or CT-e
number is left out: how they are combined is not known.
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
    TransientCarrierError,
)
from carriers.dates import parse_instant
from carriers.http import HttpAnswer
from carriers.invoice import key_or_invoice
from carriers.letters import road_claims
from carriers.payload import as_list, canonical, chronological, not_found, text, unread, without

NAME = "rodonaves"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.rodonaves").with_words(codes.road_words())
CLAIMS = road_claims(
    source="no API for claims is known: a letter",
    valid_since=date(2026, 11, 22),
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

NO_CONTENT = 204
PERSONAL = frozenset({"recipientdescription", "recipienttaxidregistration"})


class RodonavesSettings(BaseModel):
    """User and password of the carrier's API."""

    model_config = ConfigDict(extra="forbid")

    user: str
    password: SecretStr


class RodonavesTracking:
    """Asks about one invoice a call; holds no state."""

    tracking_terms = TrackingTerms(
        ref_kinds=(RefKind.INVOICE_KEY, RefKind.INVOICE),
        batch_size=1,
        requests_per_second=2.0,
        timezone=ZONE.key,
        reading_version=f"{READING}-{TABLE.version}",
        presumed_loss_business_days={"": 15},
        terms_source="a default, no term of Rodonaves: fifteen business days without movement, as road carriers' contracts ask",
    )

    def __init__(self, access: oauth.TokenAccess, context: AdapterContext) -> None:
        self._access = access
        self._carrier, self._http = context.carrier, context.http

    def normalise(self, value: str) -> TrackingRef | None:
        """The key of an NF-e, letters kept, or `CNPJ/series/number`; Rodonaves is asked for no number of its own."""
        return key_or_invoice(value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The history of one invoice. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs

        async def send(headers: Mapping[str, str]) -> HttpAnswer:
            return await self._http.request_json(
                "GET",
                "/api/v1/tracking",
                idempotent=True,
                params=question(ref),
                headers=headers,
                may_be_empty=True,
                family="tracking",
            )

        return {ref: self._hear(ref, await self._access.call(send))}

    def _hear(self, ref: TrackingRef, answer: HttpAnswer) -> Heard:
        if answer.status == NO_CONTENT:
            return not_found(ref, b"204")
        if not answer.body.strip():
            raise TransientCarrierError(self._carrier, f"HTTP {answer.status} with an empty body", answer.status)
        if not isinstance(answer.data, dict) or "Events" not in answer.data:
            raise PermanentCarrierError(self._carrier, "the answer has no history (Events)", answer.status)
        return unread(ref, answer.data, read_history)


def question(ref: TrackingRef) -> tuple[tuple[str, str], ...]:
    """How an invoice is asked for. The CNPJ is the issuer's, a company's: it may stand in an address."""
    if ref.kind is RefKind.INVOICE_KEY:
        return (("InvoiceKey", ref.value),)
    issuer, _, number = ref.value.split("/")
    return ("TaxIdRegistration", issuer), ("InvoiceNumber", number)


def read_history(ref: TrackingRef, data: dict[str, Any]) -> TrackingAnswer:
    """A history. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    events = chronological(read_event(line) for line in as_list(data["Events"]))
    return TrackingAnswer(ref, AnswerOutcome.FOUND, canonical(without(data, PERSONAL)), events)


def read_event(line: dict[str, Any]) -> TrackingEvent:
    """One event: a short text, and a sentence for customers (`Reason`) that is read where the text says nothing."""
    told = line["OccurrenceDate"]
    said, more = text(line.get("Description")), text(line.get("Reason"))
    return words.event(TABLE, said or more, parse_instant(told, ZONE), text(told), more=more if said else "")


def _minting(settings: RodonavesSettings, context: AdapterContext) -> oauth.Mint:
    async def mint() -> Token:
        fields = {
            "auth_type": "DEV",
            "grant_type": "password",
            "username": settings.user,
            "password": settings.password.get_secret_value(),
        }
        return await oauth.ask(context, "/token", fields, hint="user or password refused")

    return mint


class Rodonaves:
    """One shipper's account with Rodonaves."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Rodonaves"
    BASE_URL: ClassVar[str] = "https://tracking-apigateway.rte.com.br"
    Settings: ClassVar[type[BaseModel]] = RodonavesSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="public clients that follow the carrier's page, November 2026",
        auth="user and password of the carrier's API",
        experimental=True,
        gaps=(
            "the carrier sends words and no codes, and few of them are known: what they mean opens no claim by itself",
            "no due date: the carrier names a number of days, and not which days count",
            "events name no place",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, RodonavesSettings):
            raise TypeError(f"Rodonaves needs RodonavesSettings, not {type(settings).__name__}")
        hint = "the carrier refuses a fresh token: ask it whether tracking is open to this user"
        self._access = oauth.TokenAccess(context, _minting(settings, context), hint=hint)
        self.tracking = RodonavesTracking(self._access, context)
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
        """Ask for a token. Raises CarrierConfigError or TransientCarrierError."""
        await self._access.prove()
        return "user and password give a token"
