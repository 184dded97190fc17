"""Braspress: `GET https://api.braspress.com/v3/tracking/byNf/{cnpj}/{invoice}/json`, one invoice a call, HTTP Basic.

The carrier's page (api.braspress.com/home) as summed up by crmdesenvolvimentos/api-braspress, and two other clients that agree,
read November 2026. `cnpj` is the one that pays the freight. An answer goes back 90 days from the CT-e's issue. A trial host
exists: `base_url: https://hml-api.braspress.com`. No limit is published: two calls a second are polite.

Known gaps: no list of texts is published, so all is read by words; dates come as ISO or `dd/mm/yyyy`, often without an hour, and
are Brasília's; events name no place; the way back under the same invoice is told like any other freight; asking by order number
is left out: it names no invoice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from carriers import codes, words
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
    TrackingAdapter,
    TrackingAnswer,
    TrackingEvent,
    TrackingRef,
    TrackingStatus,
    TrackingTerms,
)
from carriers.dates import parse_day, parse_instant
from carriers.invoice import cnpj_of, invoice_of, key_or_invoice
from carriers.letters import road_claims
from carriers.payload import as_dict, as_list, canonical, in_order, not_found, said_in, text, unread, without
from carriers.redact import redact
from carriers.signatures import basic

NAME = "braspress"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.braspress").with_words(codes.road_words())
CLAIMS = road_claims(
    source="no API for claims is known: a letter, or the portal",
    valid_since=date(2026, 11, 22),
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

PERSONAL = frozenset({"remetente", "destinatario", "recebedor"})
NO_INVOICE = 999_999_999
REFUSED = (401, 403)


class BraspressSettings(BaseModel):
    """`cnpj` pays the freight; user and password are those of the carrier's API."""

    model_config = ConfigDict(extra="forbid")

    cnpj: str
    user: str
    password: SecretStr

    @field_validator("cnpj")
    @classmethod
    def _is_cnpj(cls, value: str) -> str:
        found = cnpj_of(value)
        if found is None:
            raise ValueError("not a CNPJ: fourteen characters are expected, those of whoever pays the freight")
        return found


class BraspressTracking:
    """Asks about one invoice a call; holds no state."""

    tracking_terms = TrackingTerms(
        ref_kinds=(RefKind.INVOICE_KEY, RefKind.INVOICE),
        batch_size=1,
        requests_per_second=2.0,
        timezone=ZONE.key,
        reading_version=f"{READING}-{TABLE.version}",
        presumed_loss_business_days={"": 15},
        terms_source="a default, no term of Braspress: fifteen business days without movement, as road carriers' contracts ask",
    )

    def __init__(self, settings: BraspressSettings, context: AdapterContext) -> None:
        self._headers = {"Authorization": basic(settings.user, settings.password.get_secret_value())}
        self._payer = settings.cnpj
        self._carrier, self._http = context.carrier, context.http

    def normalise(self, value: str) -> TrackingRef | None:
        """The key of an NF-e, letters kept, or `CNPJ/series/number`; Braspress is asked for no number of its own."""
        return key_or_invoice(value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The history of one invoice. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs
        data = await self._call(named_by(ref)[1])
        if "conhecimentos" in data:
            # The rest of the answer tells when it was made, and would never be the same twice.
            return {ref: unread(ref, {"conhecimentos": data["conhecimentos"]}, read_freights)}
        said = _said(data)
        return {ref: not_found(ref, canonical({"message": said}), said)}

    async def prove(self) -> None:
        """A call for an invoice that there is not: refused where user and password are."""
        await self._call(NO_INVOICE)

    async def _call(self, number: int) -> dict[str, Any]:
        """An answer with its freights, or one that says that the invoice is not known."""
        answer = await self._http.request_json(
            "GET",
            f"/v3/tracking/byNf/{self._payer}/{number}/json",
            idempotent=True,
            headers=self._headers,
            explain=said_in("message"),
            also_read=(404,),
            family="tracking",
        )
        data = as_dict(answer.data)
        said, status = _said(data), data.get("statusCode")
        if "conhecimentos" in data or words.says_not_found(said):
            return data
        if status in REFUSED:
            raise CarrierConfigError(self._carrier, f"user or password refused ({redact(said)})", int(status))
        reason = redact(said) or "the answer has no list of freights (conhecimentos)"
        raise PermanentCarrierError(self._carrier, reason, answer.status)


def _said(refusal: Mapping[str, Any]) -> str:
    return text(refusal.get("message"))


def named_by(ref: TrackingRef) -> tuple[str, int, str]:
    """Series, number and month of issue (`2611`, or nothing where it is not known) of the invoice that is asked for."""
    if ref.kind is RefKind.INVOICE_KEY:
        invoice = invoice_of(ref.value)
        return invoice.series, invoice.number, ref.value[2:6]
    _, series, number = ref.value.split("/")
    return series, int(number), ""


def read_freights(ref: TrackingRef, data: dict[str, Any]) -> TrackingAnswer:
    """The freights of this invoice. Raises KeyError, TypeError, ValueError or AttributeError where they cannot be read.

    Any issuer's invoice of this number is found whose freight is paid by the same CNPJ: series and month tell them apart, and
    where that is not enough no history is better than somebody else's.
    """
    matches = [(one, invoice) for one in as_list(data["conhecimentos"]) for invoice in _invoices(one, *named_by(ref))]
    if len({day for _, invoice in matches if (day := _day(invoice.get("emissao")))}) > 1:
        raise ValueError(
            "the freights of two invoices of this number and series are shown, and nothing tells them apart"
        )
    freights = [one for one, _ in matches]
    raw = canonical(without(freights, PERSONAL))
    if not freights:
        return not_found(ref, raw)
    events = in_order(event for one in freights for event in read_freight(one))
    newest = max(freights, key=lambda one: _day(one.get("emissao")) or date.min)
    return TrackingAnswer(ref, AnswerOutcome.FOUND, raw, events, due_on=_day(newest.get("previsaoEntrega")))


def read_freight(freight: dict[str, Any]) -> list[TrackingEvent]:
    """The events of one CT-e: its line of time, and what happened beside it (which may stand in both)."""
    number = text(freight["numero"])
    # Answers write `timeLine`, the carrier's page `timeline`.
    line = freight["timeline"] if "timeline" in freight else freight["timeLine"]
    told = [*as_list(line), *as_list(freight.get("ocorrencias"))]
    delivered = freight.get("dataEntrega")
    delivered_at = parse_instant(delivered, ZONE) if delivered else None
    return words.with_delivery([_event(one, number) for one in told], "dataEntrega", delivered_at, number)


def _event(told: dict[str, Any], number: str) -> TrackingEvent:
    at = parse_instant(told["data"], ZONE)
    return words.event(TABLE, text(told["descricao"]), at, at.isoformat(), number)


def _invoices(freight: dict[str, Any], series: str, number: int, month: str) -> list[dict[str, Any]]:
    """Those of a freight's invoices that are the one asked for; `month` is empty where it is not known."""
    return [
        invoice
        for invoice in as_list(freight["notasFiscais"])
        if int(invoice["numero"]) == number
        and (text(invoice.get("serie")).lstrip("0") or "0") == series
        and (not month or not (issued := _day(invoice.get("emissao"))) or issued.strftime("%y%m") == month)
    ]


def _day(value: Any) -> date | None:
    return parse_day(value, ZONE) if value else None


class Braspress:
    """One freight payer's account with Braspress."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Braspress"
    BASE_URL: ClassVar[str] = "https://api.braspress.com"
    Settings: ClassVar[type[BaseModel]] = BraspressSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="the carrier's page as summed up by one client, and two others that agree, November 2026",
        auth="user and password of the carrier's API, and the CNPJ that pays the freight",
        gaps=(
            "the carrier sends words and no codes: what they mean opens no claim by itself",
            "only freights of the last 90 days are shown",
            "dates often have no hour, and events name no place",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, BraspressSettings):
            raise TypeError(f"Braspress needs BraspressSettings, not {type(settings).__name__}")
        self._tracking = BraspressTracking(settings, context)
        self.tracking = self._tracking
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
        """Ask for an invoice that there is not. Raises CarrierConfigError or TransientCarrierError."""
        await self._tracking.prove()
        return "user and password open tracking"
