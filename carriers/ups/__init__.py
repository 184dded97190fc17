"""UPS: Track API `GET /api/track/v1/details/{number}`, one number a call.

UPS's own description (github.com/UPS-API/api-documentation), read November 2026; a token by client credentials over HTTP
Basic (`/security/v1/oauth/token`). Events are kept for 120 days. No limit is published in it.

Known gaps: what the types of status mean is general knowledge, not in the description: nothing read of them opens a
refund claim by itself; times are local with their offset beside them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
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
from carriers.dates import parse_instant
from carriers.http import HttpAnswer
from carriers.letters import road_claims
from carriers.oauth import TokenAccess, client_credentials, origin_of
from carriers.payload import (
    as_dict,
    as_list,
    canonical,
    error,
    event_key,
    in_order,
    not_found,
    place,
    said_in,
    text,
    unread,
)

NAME = "ups"
ZONE = ZoneInfo("America/Sao_Paulo")
"""For a time whose offset is missing."""
TABLE = codes.load("carriers.ups")
CLAIMS = road_claims(
    source="claims go to the portal or the service desk; terms of carriage across borders are not known here",
    valid_since=date(2026, 11, 22),
    by_road=False,
)
READING = "1"
PATH = "/api/track/v1/details"
TOKEN_PATH = "/security/v1/oauth/token"
NOT_FOUND = "TW0001"
_NUMBER = re.compile(r"(?=.*[0-9])[A-Z0-9]{7,34}")
_TERM_TYPES = ("SDD", "RDD")
"""Scheduled and rescheduled delivery; `DEL` is the day on which it was delivered."""
_KEPT = ("trackingNumber", "deliveryDate", "activity")


class UpsSettings(BaseModel):
    """`client_id` and `client_secret` of an application in the developer portal."""

    model_config = ConfigDict(extra="forbid")

    client_id: str
    client_secret: SecretStr


class UpsTracking:
    """Asks about one number a call; holds no state."""

    def __init__(self, context: AdapterContext, access: TokenAccess) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=1,
            requests_per_second=2.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of UPS's: fifteen business days without an activity",
        )
        self._carrier, self._http, self._access = context.carrier, context.http, access

    def normalise(self, value: str) -> TrackingRef | None:
        """7 to 34 letters and digits in upper case, as the description has it; not every number begins with 1Z."""
        number = re.sub(r"[\s\-]", "", value).upper()
        return TrackingRef(RefKind.CODE, number) if _NUMBER.fullmatch(number) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The activities of one package. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs

        async def send(token: Mapping[str, str]) -> HttpAnswer:
            return await self._http.request_json(
                "GET",
                f"{PATH}/{ref.value}",
                idempotent=True,
                headers={**token, "transId": uuid.uuid4().hex, "transactionSrc": "shipment-tracker"},
                params=[("locale", "pt_BR"), ("returnSignature", "false"), ("returnPOD", "false")],
                also_read=(404,),
                explain=said_in("response", "errors", "message"),
                family="tracking",
            )

        return {ref: self._hear(ref, await self._access.call(send))}

    def _hear(self, ref: TrackingRef, answer: HttpAnswer) -> Heard:
        data = as_dict(answer.data)
        if answer.status == 404:
            errors = as_list(as_dict(data.get("response")).get("errors"))
            if not any(text(as_dict(one).get("code")) == NOT_FOUND for one in errors):
                raise PermanentCarrierError(self._carrier, "404 for something else than a number: check base_url", 404)
            return not_found(ref, NOT_FOUND.encode())
        shipments = as_dict(data.get("trackResponse")).get("shipment")
        if not isinstance(shipments, list):
            raise PermanentCarrierError(self._carrier, "the answer has no shipments (trackResponse.shipment)")
        return self._package(ref, [as_dict(shipment) for shipment in shipments])

    @staticmethod
    def _package(ref: TrackingRef, shipments: Sequence[dict[str, Any]]) -> Heard:
        """The package of this number; a shipment of several lists all of them."""
        for shipment in shipments:
            packages = shipment.get("package")
            for package in packages if isinstance(packages, list) else []:
                if text(as_dict(package).get("trackingNumber")).upper() == ref.value:
                    return unread(ref, {key: package.get(key) for key in _KEPT}, read_package)
            warnings = shipment.get("warnings")
            if isinstance(warnings, list) and any(text(as_dict(one).get("code")) == NOT_FOUND for one in warnings):
                return not_found(ref, NOT_FOUND.encode())
        return error(ref, "the answer is about other packages than the one asked for")


def read_package(ref: TrackingRef, package: dict[str, Any]) -> TrackingAnswer:
    """The answer about one package. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    events = in_order(read_activity(item) for item in as_list(package.get("activity")))
    return TrackingAnswer(ref, AnswerOutcome.FOUND, canonical(package), events, due_on=_due_on(package))


def read_activity(item: dict[str, Any]) -> TrackingEvent:
    """One activity by its type of status. Raises as `read_package`."""
    status = item["status"]
    kind, finer = text(status["type"]), text(status.get("code"))
    if not kind:
        raise ValueError("an activity without a type")
    reading = TABLE.read(kind)
    address = as_dict(as_dict(item.get("location")).get("address"))
    where = place(address.get("city"), address.get("stateProvince") or address.get("countryCode"))
    return TrackingEvent(
        key=event_key(kind, finer, item["date"], item["time"], where or ""),
        occurred_at=_occurred_at(item),
        carrier_code=f"{kind}-{finer}" if finer else kind,
        status=reading.status,
        description=text(status.get("description")) or kind,
        cause=reading.cause,
        location=where,
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


def _occurred_at(item: dict[str, Any]) -> datetime:
    """Local date and time with the offset that stands beside them."""
    day, clock = item["date"], item["time"]
    if len(day) != 8 or len(clock) != 6:
        raise ValueError("date or time is not YYYYMMDD and HHMMSS")
    local = f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"
    return parse_instant(f"{local}{text(item.get('gmtOffset'))}", ZONE)


def _due_on(package: dict[str, Any]) -> date | None:
    """The newest delivery day that UPS names; the list also says when it was delivered."""
    days = [
        datetime.strptime(one["date"], "%Y%m%d").replace(tzinfo=ZONE).date()
        for one in as_list(package.get("deliveryDate"))
        if one.get("type") in _TERM_TYPES
    ]
    return days[-1] if days else None


class Ups:
    """One application of UPS's developer portal."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "UPS"
    BASE_URL: ClassVar[str] = "https://onlinetools.ups.com"
    Settings: ClassVar[type[BaseModel]] = UpsSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="A",
        source="UPS's own descriptions of tracking and token, read November 2026",
        auth="client id and secret of an application in the developer portal",
        gaps=(
            "what its types of status mean is general knowledge: none opens a refund claim by itself",
            "nothing older than 120 days is shown",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, UpsSettings):
            raise TypeError(f"Ups needs UpsSettings, not {type(settings).__name__}")
        secret = settings.client_secret.get_secret_value()
        mint = client_credentials(context, TOKEN_PATH, settings.client_id, secret, by_basic=True)
        self._access = TokenAccess(
            context,
            mint,
            hint="a fresh token is refused: add the Track API to the application",
            origin=origin_of(settings.client_id, secret),
        )
        self.tracking, self.claims = UpsTracking(context, self._access), CLAIMS

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads the type before the hyphen."""
        return TABLE.word(code.partition("-")[0])

    async def log_in(self) -> str:
        """A token is all that can be proved without a number."""
        await self._access.prove()
        return "client id and secret give a token"
