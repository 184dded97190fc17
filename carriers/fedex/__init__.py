"""FedEx: Track API `POST /track/v1/trackingnumbers`, up to thirty numbers a call.

Several public clients agree, read November 2026; a token by client credentials (`/oauth/token`, an hour). A number that
fails does so inside HTTP 200. No limit is confirmed.

Known gaps: what the derived status codes mean is general knowledge: nothing read of them opens a refund claim by itself;
events of a parcel inside Brazil may be another company's (see OCOREN).
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

NAME = "fedex"
ZONE = ZoneInfo("America/Sao_Paulo")
"""For a time whose offset is missing."""
TABLE = codes.load("carriers.fedex")
CLAIMS = road_claims(
    source="claims go to the portal or the service desk; terms of carriage across borders are not known here",
    valid_since=date(2026, 11, 22),
    by_road=False,
)
READING = "1"
BATCH_SIZE = 30
PATH = "/track/v1/trackingnumbers"
TOKEN_PATH = "/oauth/token"
NOT_FOUND = "TRACKING.TRACKINGNUMBER.NOTFOUND"
_NUMBER = re.compile(r"[0-9]{12}|[0-9]{15}|[0-9]{20}|[0-9]{22}")
_KEPT = ("dateAndTimes", "scanEvents")


class FedexSettings(BaseModel):
    """`client_id` (API key) and `client_secret` of a project in the developer portal."""

    model_config = ConfigDict(extra="forbid")

    client_id: str
    client_secret: SecretStr


class FedexTracking:
    """Asks about up to thirty numbers a call; holds no state."""

    def __init__(self, context: AdapterContext, access: TokenAccess) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=BATCH_SIZE,
            requests_per_second=2.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of FedEx's: fifteen business days without a scan",
        )
        self._carrier, self._http, self._access = context.carrier, context.http, access

    def normalise(self, value: str) -> TrackingRef | None:
        """12, 15, 20 or 22 digits."""
        number = re.sub(r"[\s\-]", "", value)
        return TrackingRef(RefKind.CODE, number) if _NUMBER.fullmatch(number) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The scans of up to thirty numbers. Raises ValueError for more, otherwise as `TrackingAdapter.track`."""
        if len(refs) > BATCH_SIZE:
            raise ValueError(f"at most {BATCH_SIZE} numbers a call, not {len(refs)}")
        numbers = [{"trackingNumberInfo": {"trackingNumber": ref.value}} for ref in refs]

        async def send(token: Mapping[str, str]) -> HttpAnswer:
            return await self._http.request_json(
                "POST",
                PATH,
                idempotent=True,
                headers={**token, "X-locale": "pt_BR"},
                json={"includeDetailedScans": True, "trackingInfo": numbers},
                explain=said_in("errors", "message"),
                family="tracking",
            )

        return self._hear(refs, (await self._access.call(send)).data)

    def _hear(self, refs: Sequence[TrackingRef], data: Any) -> Mapping[TrackingRef, Heard]:
        results = as_dict(as_dict(data).get("output")).get("completeTrackResults")
        if not isinstance(results, list):
            raise PermanentCarrierError(self._carrier, "the answer has no list of results (completeTrackResults)")
        told = {text(as_dict(one).get("trackingNumber")): as_dict(one).get("trackResults") for one in results}
        return {ref: _result(ref, told.get(ref.value)) for ref in refs}


def _result(ref: TrackingRef, results: Any) -> Heard:
    """A number's first result: where a number was used twice the newer one stands first."""
    if not isinstance(results, list) or not results:
        return error(ref, "the answer does not mention this number")
    first = as_dict(results[0])
    failure = as_dict(first.get("error"))
    if failure:
        code = text(failure.get("code"))
        if code == NOT_FOUND:
            return not_found(ref, NOT_FOUND.encode())
        return error(ref, f"{code} {text(failure.get('message'))}")
    return unread(ref, {key: first.get(key) for key in _KEPT}, read_result)


def read_result(ref: TrackingRef, result: dict[str, Any]) -> TrackingAnswer:
    """The answer about one number. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    events = in_order(read_scan(scan) for scan in as_list(result["scanEvents"]))
    return TrackingAnswer(ref, AnswerOutcome.FOUND, canonical(result), events, due_on=_due_on(result))


def read_scan(scan: dict[str, Any]) -> TrackingEvent:
    """One scan by its derived status. Raises as `read_result`."""
    code = text(scan.get("derivedStatusCode")) or text(scan["eventType"])
    if not code:
        raise ValueError("a scan without a status")
    reading = TABLE.read(code)
    finer, why = text(scan.get("exceptionCode")), text(scan.get("exceptionDescription"))
    words = text(scan.get("eventDescription")) or code
    occurred_at = parse_instant(scan["date"], ZONE)
    spot = as_dict(scan.get("scanLocation"))
    where = place(spot.get("city"), spot.get("stateOrProvinceCode") or spot.get("countryCode"))
    return TrackingEvent(
        key=event_key(code, finer, occurred_at.isoformat(), where or ""),
        occurred_at=occurred_at,
        carrier_code=f"{code}-{finer}" if finer else code,
        status=reading.status,
        description=f"{words}: {why}" if why else words,
        cause=reading.cause,
        location=where,
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


def _due_on(result: dict[str, Any]) -> date | None:
    days = [
        parse_day(one["dateTime"], ZONE)
        for one in as_list(result.get("dateAndTimes"))
        if one.get("type") == "ESTIMATED_DELIVERY"
    ]
    return days[-1] if days else None


class Fedex:
    """One project of FedEx's developer portal."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "FedEx"
    BASE_URL: ClassVar[str] = "https://apis.fedex.com"
    Settings: ClassVar[type[BaseModel]] = FedexSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="several public clients agree, read November 2026; no description that may be copied",
        auth="API key and secret of a project in the developer portal",
        gaps=("what its derived status codes mean is general knowledge: none opens a refund claim by itself",),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, FedexSettings):
            raise TypeError(f"Fedex needs FedexSettings, not {type(settings).__name__}")
        secret = settings.client_secret.get_secret_value()
        mint = client_credentials(context, TOKEN_PATH, settings.client_id, secret)
        self._access = TokenAccess(
            context,
            mint,
            hint="a fresh token is refused: add the Track API to the project",
            origin=origin_of(settings.client_id, secret),
        )
        self.tracking, self.claims = FedexTracking(context, self._access), CLAIMS

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads the status before the hyphen."""
        return TABLE.word(code.partition("-")[0])

    async def log_in(self) -> str:
        """A token is all that can be proved without a number."""
        await self._access.prove()
        return "API key and secret give a token"
