"""Loggi: `GET /v1/companies/{company}/packages/{code}/tracking`, one code a call.

docs.api.loggi.com, read November 2026: addresses, access and shapes. Its codes are not published but for 5, "Entregue":
the table that Loggi hands over with a contract belongs under `codes:`; until then texts give a hint, marked as such. A
token by client credentials (`/v2/oauth2/token`); no limit is published. A push is proved by HTTP Basic with a user and
password of the merchant's.

Known gaps: the list of codes; `actionRequired` asks something of the shop and is told whatever the code says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from carriers import codes
from carriers.base import (
    AdapterContext,
    AdapterFacts,
    AnswerOutcome,
    Cause,
    ClaimsAdapter,
    ClaimsByLetter,
    CodeWord,
    FeedReading,
    Heard,
    HookReceiver,
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
from carriers.hooks import ProvenHook
from carriers.http import HttpAnswer
from carriers.letters import road_claims
from carriers.oauth import TokenAccess, client_credentials, origin_of
from carriers.payload import (
    as_dict,
    as_list,
    canonical,
    event_key,
    in_order,
    not_found,
    place,
    read_safely,
    said_in,
    text,
    unread,
)
from carriers.settings import Remark, weak_proof
from carriers.signatures import basic, same

NAME = "loggi"
ZONE = ZoneInfo("America/Sao_Paulo")
"""Of its promised dates; its times carry their offset."""
TABLE = codes.load("carriers.loggi")
CLAIMS = road_claims(
    source="claims go to Loggi's support; no API is published",
    valid_since=date(2026, 11, 22),
)
READING = "1"
NOT_FOUND = 5
"""gRPC's number for "not found", which its gateway writes into the body."""
_CODE = re.compile(r"(?=.*[0-9])[A-Z0-9]{8,40}")
_UNTOLD = (TrackingStatus.UNKNOWN, TrackingStatus.IN_TRANSIT)


class LoggiSettings(BaseModel):
    """`company_id`, `client_id` and `client_secret` as Loggi gives them; the hook's user and password are the merchant's own."""

    model_config = ConfigDict(extra="forbid")

    company_id: str
    client_id: str
    client_secret: SecretStr
    webhook_user: str | None = None
    webhook_password: SecretStr | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> LoggiSettings:
        if (self.webhook_user is None) != (self.webhook_password is None):
            raise ValueError("webhook_user and webhook_password belong together")
        return self

    def remarks(self) -> Iterator[Remark]:
        """See `carriers.settings`."""
        yield from weak_proof("webhook_password", self.webhook_password)


class LoggiTracking:
    """Asks about one package a call; holds no state."""

    def __init__(self, settings: LoggiSettings, context: AdapterContext, access: TokenAccess) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=1,
            requests_per_second=2.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="Loggi's help centre: loss is looked into 7 to 15 days after the promised date",
            push=settings.webhook_password is not None,
        )
        self._carrier, self._http, self._access = context.carrier, context.http, access
        self._company = quote(settings.company_id, safe="")

    def normalise(self, value: str) -> TrackingRef | None:
        """A tracking code in upper case; its form is not published, so any of 8 to 40 letters and digits may be one."""
        code = re.sub(r"\s", "", value).upper()
        return TrackingRef(RefKind.CODE, code) if _CODE.fullmatch(code) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The history of one package. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs

        async def send(token: Mapping[str, str]) -> HttpAnswer:
            return await self._http.request_json(
                "GET",
                f"/v1/companies/{self._company}/packages/{ref.value}/tracking",
                idempotent=True,
                headers=token,
                also_read=(404,),
                explain=said_in("message"),
                family="tracking",
            )

        return {ref: self._hear(ref, await self._access.call(send))}

    def _hear(self, ref: TrackingRef, answer: HttpAnswer) -> Heard:
        data = as_dict(answer.data)
        if answer.status == 404:
            if data.get("code") != NOT_FOUND:
                raise PermanentCarrierError(self._carrier, "404 for something else than a package: check base_url", 404)
            return not_found(ref, canonical({"code": NOT_FOUND}), text(data.get("message")))
        packages = data.get("packages")
        if not isinstance(packages, list):
            raise PermanentCarrierError(self._carrier, "the answer has no list of packages")
        for package in packages:
            if text(as_dict(package).get("trackingCode")).upper() == ref.value:
                return unread(ref, package, read_package)
        raise PermanentCarrierError(self._carrier, "the answer is about other packages than the one asked for")


def read_push(payload: bytes) -> FeedReading:
    """Every package of a push; one that cannot be read is an ERROR of its own. Raises as `read_package`."""
    packages = as_list(orjson.loads(payload)["packages"])
    told = {(ref := _pushed_ref(package)): read_safely(ref, package, read_package) for package in packages}
    return FeedReading({ref: replace(answer, complete=False) for ref, answer in told.items()})


def _pushed_ref(package: dict[str, Any]) -> TrackingRef:
    return TrackingRef(RefKind.CODE, text(package["trackingCode"]).upper())


def read_package(ref: TrackingRef, package: dict[str, Any]) -> TrackingAnswer:
    """The answer about one package; its newest status is told beside the history and, at times, instead of it.

    Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read.
    """
    lines = as_list(package.get("trackingHistory"))
    if package.get("status"):
        lines = [*lines, {"status": package["status"], "location": package.get("location")}]
    kept = {key: package.get(key) for key in ("trackingCode", "promisedDate", "status", "trackingHistory")}
    promised = package.get("promisedDate")
    return TrackingAnswer(
        ref,
        AnswerOutcome.FOUND,
        canonical(kept),
        in_order(_event(line) for line in lines),
        due_on=parse_day(promised, ZONE) if promised else None,
    )


def _event(line: dict[str, Any]) -> TrackingEvent:
    status = line["status"]
    # A number where we ask, a text where it pushes.
    code = text(status["code"])
    if not code:
        raise ValueError("a status without a code")
    short, long = text(status.get("highLevelStatus")), text(status.get("description"))
    reading = TABLE.read(code, f"{short} {long}")
    wanted = as_dict(status.get("actionRequired"))
    if wanted and reading.status in _UNTOLD:
        reading = replace(reading, status=TrackingStatus.EXCEPTION, cause=Cause.OTHER, by_words=True)
    asked = text(wanted.get("reasonDescription")) or text(wanted.get("reasonLabel"))
    occurred_at = parse_instant(status["updatedTime"], ZONE)
    where = as_dict(line.get("location"))
    return TrackingEvent(
        key=event_key(code, occurred_at.isoformat()),
        occurred_at=occurred_at,
        carrier_code=code,
        status=reading.status,
        description=". ".join(part.rstrip(".") for part in (short, long, asked) if part),
        cause=reading.cause,
        location=place(where.get("city"), where.get("state")),
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


class Loggi:
    """One company's packages at Loggi."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Loggi"
    BASE_URL: ClassVar[str] = "https://api.loggi.com"
    Settings: ClassVar[type[BaseModel]] = LoggiSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="A",
        source="docs.api.loggi.com, read November 2026; its codes are not published but for one",
        auth="company id, client id and secret; a user and password of the merchant's own for pushes",
        experimental=True,
        gaps=(
            "its list of codes is not published: map the one that comes with the contract under codes:",
            "until then texts decide, and open no refund claim by themselves",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    hook: HookReceiver | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, LoggiSettings):
            raise TypeError(f"Loggi needs LoggiSettings, not {type(settings).__name__}")
        secret = settings.client_secret.get_secret_value()
        mint = client_credentials(context, "/v2/oauth2/token", settings.client_id, secret, as_json=True)
        self._access = TokenAccess(
            context,
            mint,
            hint="a fresh token is refused: compare company_id with the contract",
            origin=origin_of(settings.client_id, secret),
        )
        self.tracking, self.claims, self.hook = LoggiTracking(settings, context, self._access), CLAIMS, None
        if settings.webhook_user is not None and settings.webhook_password is not None:
            password = settings.webhook_password.get_secret_value()
            expected = basic(settings.webhook_user, password)
            self.hook = ProvenHook(
                context.carrier,
                proof=lambda request: same(request.headers.get("authorization"), expected),
                reason="not the configured webhook_user and webhook_password",
                read=read_push,
            )

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads this code."""
        return TABLE.word(code)

    async def log_in(self) -> str:
        """A token is all that can be proved: whether the company is right shows with the first package."""
        await self._access.prove()
        return "client id and secret give a token; company_id shows with the first package"
