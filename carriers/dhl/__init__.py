"""DHL, all divisions: Shipment Tracking Unified `GET /track/shipments`, one number a call.

DHL's own description 1.4.1, read November 2026; a key in a header. A new key is said to begin with 250 calls a day and
one call in five seconds (not confirmed), so that is the pace.

Known gaps: five coarse states, so loss and damage do not show as such; some times come without a zone and are taken for
Brasília's; the same number can be another division's shipment too: set `service`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr

from carriers import codes
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
    TrackingAdapter,
    TrackingAnswer,
    TrackingEvent,
    TrackingRef,
    TrackingTerms,
)
from carriers.dates import parse_day, parse_instant
from carriers.http import HttpAnswer
from carriers.letters import road_claims
from carriers.payload import (
    as_dict,
    as_list,
    canonical,
    error,
    event_key,
    in_order,
    not_found,
    said_in,
    text,
    unread,
)

NAME = "dhl"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.dhl")
CLAIMS = road_claims(
    source="claims go to the country's service desk; terms of carriage by air or across borders are not known here",
    valid_since=date(2026, 11, 22),
    by_road=False,
)
READING = "1"
PATH = "/track/shipments"
_NUMBER = re.compile(r"(?=.*[0-9])[A-Z0-9]{7,39}")


class DhlSettings(BaseModel):
    """`api_key` of the developer portal; `service` (`express`, `ecommerce`, ...) where all parcels are one division's."""

    model_config = ConfigDict(extra="forbid")

    api_key: SecretStr
    service: str | None = None


class DhlTracking:
    """Asks about one number a call; holds no state."""

    def __init__(self, settings: DhlSettings, context: AdapterContext) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=1,
            requests_per_second=0.2,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of DHL's: fifteen business days without an event",
        )
        self._carrier, self._http = context.carrier, context.http
        self._headers = {"DHL-API-Key": settings.api_key.get_secret_value()}
        self._service = [] if settings.service is None else [("service", settings.service)]

    def normalise(self, value: str) -> TrackingRef | None:
        """7 to 39 letters and digits in upper case: the divisions' numbers have many forms."""
        number = re.sub(r"[\s\-]", "", value).upper()
        return TrackingRef(RefKind.CODE, number) if _NUMBER.fullmatch(number) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The events of one shipment. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs
        answer = await self._http.request_json(
            "GET",
            PATH,
            idempotent=True,
            headers=self._headers,
            params=[("trackingNumber", ref.value), *self._service, ("language", "pt")],
            also_read=(404,),
            explain=said_in("detail"),
            family="tracking",
        )
        return {ref: self._hear(ref, answer)}

    def _hear(self, ref: TrackingRef, answer: HttpAnswer) -> Heard:
        data = as_dict(answer.data)
        if answer.status == 404:
            if data.get("status") != 404:
                raise PermanentCarrierError(self._carrier, "404 for something else than a number: check base_url", 404)
            return not_found(ref, b"404", text(data.get("detail")))
        if not isinstance(data.get("shipments"), list):
            raise PermanentCarrierError(self._carrier, "the answer has no list of shipments")
        found = [as_dict(one) for one in data["shipments"] if text(as_dict(one).get("id")).upper() == ref.value]
        if len(found) > 1:
            services = ", ".join(sorted({text(one.get("service")) for one in found}))
            return error(ref, f"the number is known to several divisions ({services}): set service")
        if not found:
            return error(ref, "the answer is about other shipments than the one asked for")
        kept = {key: found[0].get(key) for key in ("id", "service", "estimatedTimeOfDelivery", "status", "events")}
        return unread(ref, kept, read_shipment)


def read_shipment(ref: TrackingRef, shipment: dict[str, Any]) -> TrackingAnswer:
    """The answer about one shipment; what its newest state says stands among its events or, at times, instead of them.

    Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read.
    """
    told = as_list(shipment.get("events")) or as_list(shipment.get("status"))
    return TrackingAnswer(
        ref,
        AnswerOutcome.FOUND,
        canonical(shipment),
        in_order(read_event(item) for item in told),
        due_on=_due_on(shipment),
        service=text(shipment.get("service")) or None,
    )


def read_event(item: dict[str, Any]) -> TrackingEvent:
    """One event by its coarse state. Raises as `read_shipment`."""
    code = text(item["statusCode"])
    if not code:
        raise ValueError("an event without a state")
    reading = TABLE.read(code)
    occurred_at = parse_instant(item["timestamp"], ZONE)
    where = text(as_dict(as_dict(item.get("location")).get("address")).get("addressLocality"))
    return TrackingEvent(
        key=event_key(code, occurred_at.isoformat(), where),
        occurred_at=occurred_at,
        carrier_code=code,
        status=reading.status,
        description=text(item.get("description")) or text(item.get("status")) or code,
        cause=reading.cause,
        location=where or None,
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


def _due_on(shipment: dict[str, Any]) -> date | None:
    told = shipment.get("estimatedTimeOfDelivery")
    # Midnight in UTC stands for the day itself: read in a zone it would become the evening before.
    return parse_day(told[:10], ZONE) if told else None


class Dhl:
    """One key of DHL's developer portal."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "DHL"
    BASE_URL: ClassVar[str] = "https://api-eu.dhl.com"
    Settings: ClassVar[type[BaseModel]] = DhlSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="A",
        source="DHL's description 1.4.1 of Shipment Tracking Unified, read November 2026",
        auth="an API key of the developer portal",
        gaps=(
            "five coarse states: loss and damage do not show as such",
            "how many calls a key has is not confirmed: one in five seconds is asked",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, DhlSettings):
            raise TypeError(f"Dhl needs DhlSettings, not {type(settings).__name__}")
        tracking = DhlTracking(settings, context)
        self._probe = tracking.track
        self.tracking, self.claims = tracking, CLAIMS

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads this state."""
        return TABLE.word(code)

    async def log_in(self) -> str:
        """Ask about a number that cannot be; it is one of the day's calls."""
        await self._probe([TrackingRef(RefKind.CODE, "0000000000")])
        return "the key opens tracking"
