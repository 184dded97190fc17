"""Melhor Envio, a broker of labels of Correios, Jadlog, Loggi, J&T and others: `POST /api/v2/me/shipment/tracking`.

docs.melhorenvio.com.br, read November 2026. OAuth 2 with refresh tokens that change at each use, or a token of the panel;
250 calls a minute a user; without a `User-Agent` that names application and e-mail every call is refused. How many orders
a call takes is not published: fifty are asked for.

Known gaps: a date for each stage and no list of events, so loss and damage are never shown here: silence is the sign, and
the carrier behind the label knows more. `undelivered`, `paused` and `suspended` come without a date and are told at the
time of the newest stage. Dates carry no zone; one production note says UTC (`times: utc`), so compare one delivery before
trusting hours. Pushes come for labels made by the same application only.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from carriers import codes
from carriers.base import (
    AdapterContext,
    AdapterFacts,
    AnswerOutcome,
    ClaimsAdapter,
    ClaimsByLetter,
    CodeWord,
    CounterpartyKind,
    FeedReading,
    Heard,
    HookReceiver,
    HookRequest,
    PermanentCarrierError,
    RefKind,
    TrackingAdapter,
    TrackingAnswer,
    TrackingEvent,
    TrackingRef,
    TrackingTerms,
)
from carriers.dates import parse_instant
from carriers.hooks import ProvenHook
from carriers.http import HttpAnswer
from carriers.letters import road_claims
from carriers.oauth import Access, FixedToken, TokenAccess, origin_of, refreshing
from carriers.payload import canonical, event_key, in_order, not_found, read_safely, said_in, text, unread
from carriers.settings import Remark, weak_proof
from carriers.signatures import hmac_sha256_base64, same

NAME = "melhor_envio"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.melhor_envio")
CLAIMS = road_claims(
    source="no API for claims is known; the contract is with Melhor Envio, which asks the carrier",
    valid_since=date(2026, 11, 22),
    counterparty=CounterpartyKind.BROKER,
)
READING = "1"
BATCH_SIZE = 50
SIGNATURE = "x-me-signature"

STAGES = (
    ("created_at", "pending"),
    ("paid_at", "released"),
    ("generated_at", "generated"),
    ("posted_at", "posted"),
    ("delivered_at", "delivered"),
    ("canceled_at", "cancelled"),
    ("expired_at", "expired"),
)
"""The dated stages of an order, in the order in which they follow each other."""
_KEPT = ("id", "protocol", "status", "tracking", "melhorenvio_tracking", *(name for name, _ in STAGES))
"""What is kept of an order. The rest is about the buyer, or an address that changes."""


class MelhorEnvioSettings(BaseModel):
    """`token` of the panel, or an application's `client_id`, `client_secret` and first `refresh_token`."""

    model_config = ConfigDict(extra="forbid")

    contact: str = Field(pattern=r"^[^@\s()]+@[^@\s()]+\.[^@\s()]+$")
    """Stands in the `User-Agent`: Melhor Envio wants to know whom to write to."""
    token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    """Signs the pushes too."""
    refresh_token: SecretStr | None = None
    times: Literal["local", "utc"] = "local"
    """In which zone this account's dates are written."""

    @model_validator(mode="after")
    def _one_way_in(self) -> MelhorEnvioSettings:
        application = (self.client_id, self.client_secret, self.refresh_token)
        if self.token is not None and (self.client_id is not None or self.refresh_token is not None):
            raise ValueError(
                "token, and client_id with refresh_token, are two ways in: leave out the one that is not to be used "
                "(client_secret may stand beside token: it proves the pushes)"
            )
        if self.token is None and None in application:
            raise ValueError("set either token, or all of client_id, client_secret and refresh_token")
        return self

    def remarks(self) -> Iterator[Remark]:
        """See `carriers.settings`."""
        yield from weak_proof("client_secret", self.client_secret)

    @property
    def zone(self) -> ZoneInfo:
        return ZONE if self.times == "local" else ZoneInfo("UTC")

    @property
    def agent(self) -> Mapping[str, str]:
        return {"User-Agent": f"shipment-tracker ({self.contact})"}


class MelhorEnvioTracking:
    """Asks about up to fifty orders a call; holds no state."""

    def __init__(self, settings: MelhorEnvioSettings, context: AdapterContext, access: Access) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=BATCH_SIZE,
            requests_per_second=2.0,
            timezone=settings.zone.key,
            reading_version=f"{READING}-{settings.times}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of Melhor Envio: fifteen business days without a new stage",
            push=settings.client_secret is not None,
        )
        self._carrier, self._http = context.carrier, context.http
        self._zone = settings.zone
        self._headers = settings.agent
        self._access = access

    def normalise(self, value: str) -> TrackingRef | None:
        """The id of an order (UUID) in lower case; `ORD-...` is a protocol, and a carrier's code is not known here."""
        return order_ref(value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The stages of up to fifty orders. Raises ValueError for more, otherwise as `TrackingAdapter.track`."""
        if len(refs) > BATCH_SIZE:
            raise ValueError(f"at most {BATCH_SIZE} orders a call, not {len(refs)}")

        async def send(token: Mapping[str, str]) -> HttpAnswer:
            return await self._http.request_json(
                "POST",
                "/api/v2/me/shipment/tracking",
                idempotent=True,
                headers={**self._headers, **token},
                json={"orders": [ref.value for ref in refs]},
                explain=said_in("message"),
                family="tracking",
            )

        return self._hear(refs, (await self._access.call(send)).data)

    def _hear(self, refs: Sequence[TrackingRef], data: Any) -> Mapping[TrackingRef, Heard]:
        """An object keyed by order; an empty list where not one of the orders is known."""
        orders = {} if data == [] else data
        if not isinstance(orders, dict) or not (orders == {} or orders.keys() & {ref.value for ref in refs}):
            raise PermanentCarrierError(
                self._carrier, "the answer is no object keyed by the orders that were asked for"
            )
        if data == {}:
            raise PermanentCarrierError(
                self._carrier, "the answer is an empty object; unknown orders give an empty list"
            )

        read = partial(read_order, zone=self._zone)
        return {
            ref: unread(ref, orders[ref.value], read) if ref.value in orders else not_found(ref, b"[]") for ref in refs
        }


def read_push(payload: bytes, zone: ZoneInfo) -> FeedReading:
    """The order of an event. Raises as `read_order`."""
    order = orjson.loads(payload)["data"]
    ref = order_ref(order["id"])
    if ref is None:
        raise ValueError("its id is no order's")
    return FeedReading({ref: read_safely(ref, order, partial(read_order, zone=zone, complete=False))})


def is_probe(request: HookRequest) -> bool:
    """At registration the address is tried by GET, HEAD or an unsigned POST without an event, and must answer 2xx."""
    return SIGNATURE not in request.headers and (request.method in ("GET", "HEAD") or _is_eventless(request.body))


def order_ref(value: str) -> TrackingRef | None:
    """See `MelhorEnvioTracking.normalise`."""
    stripped = value.strip()
    try:
        found = str(uuid.UUID(stripped))
    except (ValueError, AttributeError):
        return None
    return TrackingRef(RefKind.CODE, found) if found == stripped.lower() else None


def read_order(ref: TrackingRef, order: dict[str, Any], zone: ZoneInfo, *, complete: bool = True) -> TrackingAnswer:
    """The answer about one order. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    raw = canonical({key: order[key] for key in _KEPT if key in order})
    return TrackingAnswer(ref, AnswerOutcome.FOUND, raw, in_order(_events(order, zone)), complete=complete)


def _events(order: dict[str, Any], zone: ZoneInfo) -> Iterator[TrackingEvent]:
    status = text(order["status"])
    if not status:
        raise ValueError("an order without a status")
    newest, told = None, set()
    for name, code in STAGES:
        if order.get(name):
            yield (event := _event(code, order[name], zone))
            newest = event.occurred_at if newest is None else max(newest, event.occurred_at)
            told.add(code)
    if newest is not None and status not in told | {"canceled"}:
        yield _event(status, newest.isoformat(), zone)


def _event(code: str, at: str, zone: ZoneInfo) -> TrackingEvent:
    reading = TABLE.read(code)
    return TrackingEvent(
        key=event_key(code, at),
        occurred_at=parse_instant(at, zone),
        carrier_code=code,
        status=reading.status,
        description=reading.text or code,
        cause=reading.cause,
        final=reading.final,
        attempt=reading.attempt,
    )


def _is_eventless(body: bytes) -> bool:
    try:
        data = orjson.loads(body or b"{}")
    except ValueError:
        return False
    return isinstance(data, dict | list) and "event" not in data


def _access(settings: MelhorEnvioSettings, context: AdapterContext) -> Access:
    if settings.token is not None:
        return FixedToken(settings.token.get_secret_value(), hint="the token is refused: make a new one in the panel")
    if settings.client_id is None or settings.client_secret is None or settings.refresh_token is None:
        raise ValueError("Melhor Envio settings without credentials")  # refused by the settings already
    mint = refreshing(
        context,
        "/oauth/token",
        settings.client_id,
        settings.client_secret.get_secret_value(),
        settings.refresh_token.get_secret_value(),
        as_json=True,
    )
    return TokenAccess(
        context,
        mint,
        hint="a fresh token is refused: the application needs the right to see shipments",
        origin=origin_of(settings.refresh_token.get_secret_value()),
    )


class MelhorEnvio:
    """One user's orders at Melhor Envio."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Melhor Envio"
    BASE_URL: ClassVar[str] = "https://melhorenvio.com.br"
    Settings: ClassVar[type[BaseModel]] = MelhorEnvioSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="A",
        source="docs.melhorenvio.com.br, read November 2026",
        auth="an application's client id, secret and refresh token, or a token of the panel; a contact e-mail",
        gaps=(
            "stages only, no events: loss and damage are seen by silence",
            "the zone of its dates is not documented",
            "pushes come for labels made by the same application only",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    hook: HookReceiver | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, MelhorEnvioSettings):
            raise TypeError(f"MelhorEnvio needs MelhorEnvioSettings, not {type(settings).__name__}")
        self._http, self._agent, self._access = context.http, settings.agent, _access(settings, context)
        self.tracking, self.claims, self.hook = MelhorEnvioTracking(settings, context, self._access), CLAIMS, None
        if settings.client_secret is not None:
            secret = settings.client_secret.get_secret_value()
            self.hook = ProvenHook(
                context.carrier,
                proof=lambda request: same(request.headers.get(SIGNATURE), hmac_sha256_base64(secret, request.body)),
                reason="the signature is not of this application's secret",
                read=partial(read_push, zone=settings.zone),
                is_probe=is_probe,
            )

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads this status."""
        return TABLE.word(code)

    async def log_in(self) -> str:
        """Ask for the account itself, with the token that is kept: a refresh token is not used up for a trial."""

        async def send(token: Mapping[str, str]) -> HttpAnswer:
            return await self._http.request_json("GET", "/api/v2/me", idempotent=True, headers={**self._agent, **token})

        await self._access.call(send)
        return "the token opens the account's orders"
