"""Total Express: the daily feed of its SOAP service, `POST https://edi.totalexpress.com.br/webservice24.php`, `ObterTracking`.

No description is public: written from several clients that agree and one real answer, read November 2026; the codes from the
carrier's status manual (Annex 1) as one client transcribed it. HTTP Basic. One call gives every batch that the carrier wrote on a
day, for all parcels of the account; called again within five minutes it refuses (`CodigoProc` 5).

Known gaps: times are local without offset and taken for Brasília's. A parcel is named by its AWB (`TXAA000000001tx`, whose end is
in lower case) and by its invoice, whose issuer the feed does not name: with `cnpj` goods without an AWB are followed by invoice.
Its newer REST service is left out: nobody has confirmed the fields of its answers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar
from xml.etree.ElementTree import ParseError
from zoneinfo import ZoneInfo

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from carriers import codes
from carriers.base import (
    AdapterContext,
    AdapterFacts,
    AnswerOutcome,
    CarrierConfigError,
    ClaimsAdapter,
    ClaimsByLetter,
    CodeWord,
    FeedFault,
    FeedReading,
    Followed,
    PermanentCarrierError,
    PulledFeed,
    RefKind,
    TrackingAnswer,
    TrackingEvent,
    TrackingRef,
    TrackingStatus,
    TrackingTerms,
    TransientCarrierError,
)
from carriers.dates import parse_instant
from carriers.invoice import access_key, invoice_ref, ref_of_key
from carriers.letters import PRESUMED_LOSS_BUSINESS_DAYS, road_claims
from carriers.payload import Answers, canonical, event_key, in_order
from carriers.redact import redact

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["TotalExpress"]

NAME = "total_express"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load(__name__)
CLAIMS = road_claims(
    source="its ticket service asks for ids of each contract's own, which nobody publishes: a letter to its claims desk",
    valid_since=date(2026, 11, 22),
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""
PATH = "/webservice24.php"
PULL_EVERY = timedelta(minutes=5)
MAX_BYTES = 32 * 1024 * 1024
"""A day of a large shipper: about a kilobyte a parcel."""

REQUEST = """<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns1="urn:ObterTracking"><SOAP-ENV:Body>\
<ns1:ObterTracking><ObterTrackingRequest><DataConsulta>{day}</DataConsulta></ObterTrackingRequest></ns1:ObterTracking>\
</SOAP-ENV:Body></SOAP-ENV:Envelope>
"""
# With an explicit day: without one the service is said to give what was not fetched yet, which no second call could repeat.

DONE, REFUSED, TOO_SOON = "1", "0", "5"
PROCESSING = {
    REFUSED: "the user or password is not authorised",
    "2": "the service is unavailable",
    "3": "it does not accept the form of the request (XSD)",
    "4": "an internal error of the carrier's",
    TOO_SOON: "it was asked again within five minutes",
}
"""What `CodigoProc` says; 1 is an answer."""
_AWB = re.compile(r"(?=(?:[A-Za-z]*[0-9]){4})([0-9A-Za-z]{4,28})[tT][xX]")
_ENVELOPE_ENDS = re.compile(rb"</[\w.-]*:?Envelope>\s*$")
_INDEMNIFIED = "10"
"""SINISTRO LIQUIDADO: the carrier's mark that it has paid."""


class TotalExpressSettings(BaseModel):
    """The user of the EDI web service."""

    model_config = ConfigDict(extra="forbid")

    user: str
    password: SecretStr
    cnpj: str | None = None
    """Of the company that issues the invoices: with it, goods without an AWB are found by theirs."""

    @field_validator("cnpj")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        bare = re.sub(r"[\s./\-]", "", value or "").upper()
        if value is not None and len(bare) != 14:
            raise ValueError("is no CNPJ (14 characters)")
        return bare or None


class TotalExpressNumbers:
    """How its parcels are named; nobody can be asked about one."""

    def __init__(self, settings: TotalExpressSettings) -> None:
        kinds = (RefKind.CODE,) if settings.cnpj is None else (RefKind.CODE, RefKind.INVOICE)
        self.tracking_terms = TrackingTerms(
            ref_kinds=kinds,
            batch_size=1,
            requests_per_second=1.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": PRESUMED_LOSS_BUSINESS_DAYS},
            terms_source="a default, no term of the carrier's: fifteen business days without movement",
        )
        self._follows_invoices = settings.cnpj is not None

    def normalise(self, value: str) -> TrackingRef | None:
        """The AWB with its end in lower case, else as it is written; or the invoice of a key, or `CNPJ/serie/numero`."""
        code = re.sub(r"\s", "", value)
        if (found := _AWB.fullmatch(code)) is not None:
            return TrackingRef(RefKind.CODE, f"{found[1]}tx")
        if not self._follows_invoices:
            return None
        if (key := access_key(value)) is not None:
            return ref_of_key(key)
        parts = value.rsplit("/", 2)
        return invoice_ref(*parts) if len(parts) == 3 else None


class TotalExpressFeed:
    """Fetches a day and reads it."""

    pull_every = PULL_EVERY

    def __init__(self, settings: TotalExpressSettings, context: AdapterContext) -> None:
        self._settings = settings
        self._carrier, self._http = context.carrier, context.http

    async def pull(self, day: date) -> bytes:
        """Everything written on that day. Raises as `TrackingAdapter.track`; never repeated by itself, for that is refused."""
        login = f"{self._settings.user}:{self._settings.password.get_secret_value()}".encode()
        answer = await self._http.request_bytes(
            "POST",
            PATH,
            idempotent=False,
            headers={"Authorization": f"Basic {base64.b64encode(login).decode()}"},
            content=REQUEST.format(day=day.isoformat()).encode(),
            family="tracking",
            max_bytes=MAX_BYTES,
        )
        self._check(self._processing(answer.body))
        if _ENVELOPE_ENDS.search(answer.body[-200:]) is None:
            raise TransientCarrierError(self._carrier, "the answer breaks off")
        return answer.body

    def _check(self, code: str) -> None:
        if code == DONE:
            return
        words = f"CodigoProc {code}: {PROCESSING.get(code, 'a code that nobody knows')}"
        if code == REFUSED:
            raise CarrierConfigError(self._carrier, words)
        if code == TOO_SOON:
            raise TransientCarrierError(self._carrier, words, retry_after=PULL_EVERY)
        if code in ("2", "4"):
            raise TransientCarrierError(self._carrier, words)
        raise PermanentCarrierError(self._carrier, words)

    def _processing(self, payload: bytes) -> str:
        """`CodigoProc`, which stands before everything else; empty where there is none."""
        return next((_said(one) for one in self._elements(payload) if _local(one.tag) == "CodigoProc"), "")

    def _elements(self, payload: bytes) -> Iterator[Element]:
        """Every element at its end, so that a large day is never in memory as a whole."""
        try:
            for _, element in iterparse(BytesIO(payload)):
                yield element
        except (ParseError, DefusedXmlException, ValueError, LookupError) as exc:
            raise PermanentCarrierError(self._carrier, f"the answer is no XML ({type(exc).__name__})") from exc

    def read(self, payload: bytes) -> FeedReading:
        """See `EventFeed`."""
        code, number = "", 0
        parts: dict[TrackingRef, list[_Part]] = {}
        faults = []
        for element in self._elements(payload):
            if _local(element.tag) == "CodigoProc":
                code = _said(element)
            if not _is_parcel(element):
                continue
            number += 1
            try:
                part = self._part(element)
                parts.setdefault(part.awb, []).append(part)
            except _PartError as fault:
                faults.append(FeedFault(None, redact(f"parcel {number} of the day was left out: {fault}")))
            element.clear()
        if code != DONE:
            raise PermanentCarrierError(self._carrier, f"the answer holds no day (CodigoProc {code or 'is missing'})")
        return FeedReading(Answers(parts, _answer), tuple(faults))

    def _part(self, item: Element) -> _Part:
        found = _AWB.fullmatch(_text(item, "Awb"))
        if found is None:
            raise _PartError("it has no AWB that can be one")
        cnpj, number = self._settings.cnpj, _text(item, "NotaFiscal")
        invoice = invoice_ref(cnpj, _text(item, "SerieNotaFiscal"), number) if cnpj and number else None
        try:
            statuses = tuple(_status(one) for one in _items(item, "ArrayStatusTotal"))
        except ValueError as exc:
            raise _PartError(str(exc)) from exc
        return _Part(TrackingRef(RefKind.CODE, f"{found[1]}tx"), invoice, statuses)


class _PartError(Exception):
    """One parcel of a day cannot be read."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One parcel in one batch of a day."""

    awb: TrackingRef
    invoice: TrackingRef | None
    statuses: tuple[tuple[str, str, str], ...]
    """Code, text and time of each, as they came."""


def _answer(awb: TrackingRef, parts: list[_Part]) -> TrackingAnswer:
    """What all batches of a day say of one parcel; never its whole history."""
    said = sorted({status for part in parts for status in part.statuses}, key=lambda status: (status[2], status[0]))
    return TrackingAnswer(
        awb,
        AnswerOutcome.FOUND,
        canonical([{"awb": awb.value, "codigo": code, "descricao": text, "data": at} for code, text, at in said]),
        in_order(_event(awb.value, *status) for status in said),
        complete=False,
        also=tuple(dict.fromkeys(part.invoice for part in parts if part.invoice is not None)),
    )


def _event(awb: str, code: str, text: str, at: str) -> TrackingEvent:
    reading = TABLE.read(code)
    return TrackingEvent(
        key=event_key(awb, code, at),
        occurred_at=parse_instant(at, ZONE),
        carrier_code=code,
        status=reading.status,
        description=text or reading.text,
        cause=reading.cause,
        final=reading.final,
        attempt=reading.attempt,
        indemnified=code == _INDEMNIFIED,
        by_words=reading.by_words,
    )


def _status(item: Element) -> tuple[str, str, str]:
    """Code, text and time of one status. Raises ValueError."""
    code, at = _text(item, "CodStatus"), _text(item, "DataStatus")
    if not (code.isascii() and code.isdigit() and len(code) <= 6):
        raise ValueError("a status has no code")
    parse_instant(at, ZONE)
    return str(int(code)), redact(_text(item, "DescStatus")), at


# --- XML ------------------------------------------------------------------------------------------------


def _local(tag: str) -> str:
    """A tag without its namespace: the service writes some parts with and some without."""
    return tag.rpartition("}")[2]


def _said(element: Element) -> str:
    return " ".join((element.text or "").split())


def _is_parcel(element: Element) -> bool:
    return _local(element.tag) == "item" and any(_local(child.tag) in ("Awb", "ArrayStatusTotal") for child in element)


def _items(parent: Element, name: str) -> Iterator[Element]:
    for child in parent:
        if _local(child.tag) == name:
            yield from child


def _text(parent: Element, name: str) -> str:
    return next((_said(child) for child in parent if _local(child.tag) == name), "")


class TotalExpress:
    """One account of the EDI web service."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Total Express"
    BASE_URL: ClassVar[str] = "https://edi.totalexpress.com.br"
    Settings: ClassVar[type[BaseModel]] = TotalExpressSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="several clients of its SOAP service and one real answer; status manual as transcribed by one; read November 2026",
        auth="user and password of the EDI web service",
        gaps=(
            "Its REST tracking is left out: nobody has confirmed the fields of its answers.",
            "Its ticket service for claims is left out: the ids that it asks for are each contract's own. Claims go by letter.",
            "A parcel is shown from the first day that the feed was fetched for, seven days back at the first start.",
        ),
    )

    tracking: Followed | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    feed: PulledFeed

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, TotalExpressSettings):
            raise TypeError(f"TotalExpress needs TotalExpressSettings, not {type(settings).__name__}")
        self._now = context.now
        self.tracking = TotalExpressNumbers(settings)
        self.claims = CLAIMS
        self._feed = TotalExpressFeed(settings, context)
        self.feed = self._feed

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Codes are numbers."""
        return TABLE.word(code) if code.isascii() and code.isdigit() and len(code) <= 6 else CodeWord.NO_CODE

    @staticmethod
    def code_status(code: str) -> TrackingStatus | None:
        """As what the carrier's table reads it."""
        return TABLE.read(code).status

    async def log_in(self) -> str:
        """Fetch today; one that was fetched a moment ago proves the credentials by its refusal."""
        try:
            await self._feed.pull(self._now().astimezone(ZONE).date())
        except TransientCarrierError as error:
            if TOO_SOON not in error.message or error.retry_after != PULL_EVERY:
                raise
        return "the user opens the daily feed"
