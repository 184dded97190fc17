"""Frenet, a hub for small shops: `POST https://api.frenet.com.br/tracking/trackinginfo`, one parcel a call, header `token`.

Written from Frenet's page and the public clients that follow it, read November 2026. A parcel is found by its number together
with Frenet's code for the service that carries it (`GET /shipping/info` lists them: 03220, 03298, F_3, JTE_INT, ...), which
orders do not name: `services` says which codes to try for which numbers. No limit is published: two calls a second are polite.

Known gaps: errors come with HTTP 200 under `ErrorMessage`; an empty history (always so for Jadlog) cannot be told from a number
that is not known; dates follow the carrier behind (`dd/mm/yyyy hh:mm` or ISO) and are taken for Brasília's; a push exists only
for orders that Frenet's API has created, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

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
from carriers.dates import parse_instant
from carriers.letters import road_claims
from carriers.payload import (
    as_list,
    canonical,
    chronological,
    error,
    event_key,
    not_found,
    said_in,
    text,
    unread,
    without,
)
from carriers.redact import redact

NAME = "frenet"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.frenet")
CLAIMS = road_claims(
    source="no API for claims is known; the freight is usually the carrier's own contract",
    valid_since=date(2026, 11, 22),
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

SERVICE = "SERVICO DE ENTREGA"
"""In a refusal ("Serviço de entrega não encontrado"): it is about our service code, and says nothing of the parcel."""
EMPTY = canonical({"TrackingEvents": []})
NO_NUMBER = "AA000000000BR"
_NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9]{8,40}")


class FrenetService(BaseModel):
    """One service of Frenet's list, and the form of its numbers."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
    numbers: str = ".+"
    """A regular expression that the whole number fits, such as `[A-Z]{2}[0-9]{9}BR`."""

    @field_validator("numbers")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as exc:
            raise ValueError(f"not a regular expression ({exc})") from exc
        return value


class FrenetSettings(BaseModel):
    """The panel's token, and which service codes to try, in this order."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr
    services: tuple[FrenetService, ...] = Field(min_length=1, max_length=10)


class FrenetTracking:
    """Asks about one parcel at a time, once for each service that its number fits; holds no state."""

    tracking_terms = TrackingTerms(
        ref_kinds=(RefKind.CODE,),
        batch_size=1,
        requests_per_second=2.0,
        timezone=ZONE.key,
        reading_version=f"{READING}-{TABLE.version}-{codes.road_words().version}",
        presumed_loss_business_days={"": 15},
        terms_source="a default, no term of Frenet: fifteen business days without movement, as carriers' contracts ask",
    )

    def __init__(self, settings: FrenetSettings, context: AdapterContext) -> None:
        self._headers = {"token": settings.token.get_secret_value()}
        self._services = [(service.code, re.compile(service.numbers)) for service in settings.services]
        self._carrier, self._http = context.carrier, context.http

    def normalise(self, value: str) -> TrackingRef | None:
        """Eight to forty letters and digits, of a form that one of the services has: the numbers are other carriers' own.

        In upper case, save numbers that end in `tx`: Total Express tells the two apart.
        """
        number = re.sub(r"[\s.\-]+", "", value)
        if not number.isascii() or not _NUMBER.fullmatch(number):
            return None
        number = number if number.endswith("tx") else number.upper()
        return TrackingRef(RefKind.CODE, number) if self._codes_for(number) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The history of one parcel, from the first of its services that shows one.

        Where none does, "not found" is worth more than a refusal: a service is asked for numbers that may be another's.
        Raises ValueError for more than one, otherwise as `TrackingAdapter.track`.
        """
        (ref,) = refs
        heard = error(ref, "no service in `services` writes numbers like this one")
        for nth, code in enumerate(self._codes_for(ref.value)):
            data = await self._call(ref.value, code)
            message = _said(data)
            if not message and data["TrackingEvents"]:
                # The address may carry a key that changes.
                return {ref: unread(ref, {k: v for k, v in data.items() if k != "TrackingUrl"}, read_history)}
            refused = self._refusal(ref, message) if message else not_found(ref, EMPTY, "no history is shown")
            if nth == 0 or heard.outcome is AnswerOutcome.ERROR:
                heard = refused
        return {ref: heard}

    async def prove(self) -> None:
        """A call for a parcel that there is not, by every service: refused where token or service code are."""
        for code, _ in self._services:
            message = _said(await self._call(NO_NUMBER, code))
            if SERVICE in codes.normal(message):
                raise CarrierConfigError(self._carrier, f"service code {code} is not taken ({redact(message)})")

    def _codes_for(self, number: str) -> list[str]:
        return [code for code, numbers in self._services if numbers.fullmatch(number)]

    async def _call(self, number: str, service: str) -> dict[str, Any]:
        asked = {
            "ShippingServiceCode": service,
            "TrackingNumber": number,
            "InvoiceNumber": "",
            "InvoiceSerie": "",
            "RecipientDocument": "",
            "OrderNumber": "",
        }
        answer = await self._http.request_json(
            "POST",
            "/tracking/trackinginfo",
            idempotent=True,
            headers=self._headers,
            json=asked,
            explain=said_in("ErrorMessage"),
            family="tracking",
        )
        data = answer.data
        if not isinstance(data, dict) or not ("TrackingEvents" in data or _said(data)):
            raise PermanentCarrierError(self._carrier, "the answer has no history (TrackingEvents)", answer.status)
        message = _said(data)
        if "TOKEN" in codes.normal(message):
            raise CarrierConfigError(self._carrier, f"token refused ({redact(message)})", answer.status)
        return data

    @staticmethod
    def _refusal(ref: TrackingRef, message: str) -> TrackingAnswer:
        raw = canonical({"ErrorMessage": message})
        if SERVICE in codes.normal(message):
            return error(ref, f"{message} (check the codes in `services`)", raw)
        return not_found(ref, raw, message) if words.says_not_found(message) else error(ref, message, raw)


def _said(data: Mapping[str, Any]) -> str:
    return text(data.get("ErrorMessage"))


def read_history(ref: TrackingRef, data: dict[str, Any]) -> TrackingAnswer:
    """A history. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    events = chronological(read_event(line) for line in as_list(data["TrackingEvents"]))
    return TrackingAnswer(
        ref,
        AnswerOutcome.FOUND,
        canonical(without(data, frozenset())),
        events,
        service=text(data.get("ServiceDescrition")) or None,
    )


def read_event(line: dict[str, Any]) -> TrackingEvent:
    """One event. The words are read only where `EventType` is empty: they are those of the carrier behind."""
    said, where = text(line.get("EventDescription")), text(line.get("EventLocation"))
    at = parse_instant(line["EventDateTime"], ZONE)
    code = text(line.get("EventType"))
    if not code:
        return words.event(codes.road_words(), said, at, at.isoformat(), where, location=_place(where))
    reading = TABLE.read(code)
    return TrackingEvent(
        key=event_key(code, at.isoformat(), where),
        occurred_at=at,
        carrier_code=code,
        status=reading.status,
        description=said or reading.text or code,
        cause=reading.cause,
        location=_place(where),
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


def _place(where: str) -> str | None:
    """`CURITIBA-PR` as `CURITIBA/PR`."""
    return re.sub(r"\s*-\s*([A-Za-z]{2})$", r"/\1", where) or None


class Frenet:
    """One shop's account with Frenet."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Frenet"
    BASE_URL: ClassVar[str] = "https://api.frenet.com.br"
    Settings: ClassVar[type[BaseModel]] = FrenetSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="Frenet's page and public clients that follow it, November 2026",
        auth="the token of Frenet's panel, and the codes of the services in use",
        gaps=(
            "what its eight event types mean is one client's word: they open no claim by themselves",
            "parcels of Jadlog have no history here, and count as not found",
            "a number that several services may have costs a call for each of them",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, FrenetSettings):
            raise TypeError(f"Frenet needs FrenetSettings, not {type(settings).__name__}")
        self._tracking = FrenetTracking(settings, context)
        self.tracking = self._tracking
        self.claims = CLAIMS

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether this event type is read."""
        return TABLE.word(code)

    @staticmethod
    def code_status(code: str) -> TrackingStatus | None:
        """As what this event type is read."""
        return TABLE.status(code)

    async def log_in(self) -> str:
        """Ask for a parcel that there is not. Raises CarrierConfigError or TransientCarrierError."""
        await self._tracking.prove()
        return "the token opens tracking, and every service code is taken"
