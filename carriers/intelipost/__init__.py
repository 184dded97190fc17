"""Intelipost, a hub before a shop's carriers: `GET /api/v1/shipment_order/{order}` and `.../invoice/{number}`.

From its archived SDK and two public clients that agree, read November 2026. A key in a header; no limit is published. A
push is proved by a static key that the merchant sets, not by a signature.

An order has volumes, each with a state of its own: `PED-1001` is its first volume, `PED-1001#2` its second.

Known gaps: the date that a look names may be the shopper's or the carrier's, so only a push, which names both, tells the
carrier's term; whether an unknown order is answered with 200 or 404 is not confirmed, both are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, SecretStr

from carriers import codes
from carriers.base import (
    AdapterContext,
    AdapterFacts,
    AnswerOutcome,
    CarrierConfigError,
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
    TrackingTerms,
)
from carriers.dates import parse_day, parse_instant
from carriers.hooks import ProvenHook
from carriers.invoice import invoice_of, key_ref
from carriers.letters import road_claims
from carriers.payload import as_dict, as_list, canonical, event_key, in_order, not_found, text, unread
from carriers.redact import redact
from carriers.settings import Remark, weak_proof
from carriers.signatures import same

NAME = "intelipost"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.intelipost")
CLAIMS = road_claims(
    source="no API for claims is known; the hub is no party to the freight",
    valid_since=date(2026, 11, 22),
)
READING = "1"
_ORDER = re.compile(r"[\w.\-/]{3,60}(#[0-9]{1,4})?", re.ASCII)
_PAID = ("INDENIZACAO TOTAL", "INDENIZACAO PARCIAL")
_KEPT = (
    "event_date_iso",
    "event_date",
    "shipment_order_volume_state",
    "shipment_order_volume_state_localized",
    "provider_message",
    "provider_state",
)
"""What is kept of an event, beside its micro state's name: the rest repeats it, or changes by itself."""


class IntelipostSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    api_key: SecretStr
    webhook_key: SecretStr | None = None
    """What Intelipost sends as `api-key` with each push; without it none is taken."""

    def remarks(self) -> Iterator[Remark]:
        """See `carriers.settings`."""
        yield from weak_proof("webhook_key", self.webhook_key)


class IntelipostTracking:
    """Asks about one order a call; holds no state."""

    def __init__(self, settings: IntelipostSettings, context: AdapterContext) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE, RefKind.INVOICE_KEY),
            batch_size=1,
            requests_per_second=2.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of Intelipost: fifteen business days without a new state",
            push=settings.webhook_key is not None,
        )
        self._carrier, self._http = context.carrier, context.http
        self._headers = {"api-key": settings.api_key.get_secret_value()}

    def normalise(self, value: str) -> TrackingRef | None:
        """An NF-e key, or an order number as Intelipost has it, with `#2` for a second volume; its form is the shop's own."""
        stripped = value.strip()
        if key := key_ref(stripped):
            return key
        has_digit = any(character.isdigit() for character in stripped)
        return TrackingRef(RefKind.CODE, stripped) if has_digit and _ORDER.fullmatch(stripped) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The states of one volume. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs
        order, volume = _split(ref)
        answer = await self._http.request_json(
            "GET",
            f"/api/v1/shipment_order/{order}",
            idempotent=True,
            headers=self._headers,
            also_read=(400, 404),
            family="tracking",
        )
        if not isinstance(answer.data, dict) or answer.data.get("status") not in ("OK", "ERROR"):
            raise PermanentCarrierError(
                self._carrier, "the answer does not say whether it is one (status)", answer.status
            )
        if answer.data["status"] == "ERROR":
            return {ref: self._refusal(ref, answer.data)}

        def read(ref: TrackingRef, content: dict[str, Any]) -> TrackingAnswer:
            return read_order(ref, content, volume)

        return {ref: unread(ref, _kept_order(answer.data["content"]), read)}

    def _refusal(self, ref: TrackingRef, data: dict[str, Any]) -> TrackingAnswer:
        messages = [as_dict(message) for message in data.get("messages") or []]
        said = redact("; ".join(text(message.get("text")) for message in messages))
        if any(text(message.get("key")).lower().endswith("notfound") for message in messages):
            return not_found(ref, canonical({"message": said}), said)
        raise PermanentCarrierError(self._carrier, f"refused: {said or 'without a reason'}")


def read_push(payload: bytes) -> FeedReading:
    """One state of one volume, by order number and, for the first volume, by invoice key too. Raises as `read_order`."""
    data = orjson.loads(payload)
    event = read_event(data["history"])
    order, volume = text(data["order_number"]), text(data["volume_number"])
    refs = [TrackingRef(RefKind.CODE, f"{order}#{volume}")]
    if volume == "1":
        key = key_ref(text(as_dict(data.get("invoice")).get("invoice_key")))
        refs += [TrackingRef(RefKind.CODE, order), *([key] if key else [])]
    due_on, raw = _carriers_term(data), canonical(_kept_event(data["history"]))
    return FeedReading(
        {ref: TrackingAnswer(ref, AnswerOutcome.FOUND, raw, (event,), complete=False, due_on=due_on) for ref in refs}
    )


def read_order(ref: TrackingRef, content: dict[str, Any], volume: str) -> TrackingAnswer:
    """The answer about one volume of an order. Raises KeyError, TypeError, ValueError or AttributeError."""
    volumes = as_list(content["shipment_order_volume_array"])
    chosen = [one for one in volumes if text(one.get("shipment_order_volume_number")) == volume]
    if not chosen and len(volumes) == 1 and volume == "1":
        chosen = volumes
    if not chosen:
        return not_found(ref, canonical(content), f"the order has no volume {volume}")
    history = as_list(chosen[0]["shipment_order_volume_state_history_array"])
    beside = len(volumes) - 1
    return TrackingAnswer(
        ref,
        AnswerOutcome.FOUND,
        canonical(content),
        in_order(read_event(item) for item in history),
        message=f"volume {volume} of {len(volumes)}; follow the others as #2, #3, ..." if beside else None,
    )


def read_event(item: dict[str, Any]) -> TrackingEvent:
    """One state. The micro state decides; where there is none, the coarse one. Raises as `read_order`."""
    micro = text(as_dict(item.get("shipment_volume_micro_state")).get("default_name"))
    coarse = text(item.get("shipment_order_volume_state_localized")) or text(item["shipment_order_volume_state"])
    code = codes.normal(micro or coarse)
    if not code:
        raise ValueError("a state without a name")
    reading = TABLE.read(code)
    occurred_at = _occurred_at(item)
    words = text(item.get("provider_message"))
    return TrackingEvent(
        key=event_key(code, occurred_at.isoformat()),
        occurred_at=occurred_at,
        carrier_code=code,
        status=reading.status,
        description=f"{micro or coarse}: {words}" if words else micro or coarse,
        cause=reading.cause,
        final=reading.final,
        attempt=reading.attempt,
        indemnified=code in _PAID,
        by_words=reading.by_words,
    )


def _occurred_at(item: dict[str, Any]) -> datetime:
    if item.get("event_date_iso"):
        return parse_instant(item["event_date_iso"], ZONE)
    return datetime.fromtimestamp(int(item["event_date"]) / 1000, UTC)


def _carriers_term(data: dict[str, Any]) -> date | None:
    """What the carrier promised; what the shopper was promised is the order's business."""
    told = as_dict(as_dict(data.get("estimated_delivery_date")).get("logistic_provider")).get("current_iso")
    return parse_day(told, ZONE) if told else None


def _split(ref: TrackingRef) -> tuple[str, str]:
    """The path's end, and the volume meant."""
    if ref.kind is RefKind.INVOICE_KEY:
        return f"invoice/{invoice_of(ref.value).number}", "1"
    order, _, volume = ref.value.partition("#")
    return quote(order, safe=""), volume or "1"


def _kept_order(content: Any) -> Any:
    """What is compared and kept of an order: its volumes' states, without counters, codes and persons."""
    if not isinstance(content, dict) or not isinstance(content.get("shipment_order_volume_array"), list):
        return content if content is None else {"shipment_order_volume_array": None}
    volumes = [
        {
            "shipment_order_volume_number": volume.get("shipment_order_volume_number"),
            "shipment_order_volume_state_history_array": [
                _kept_event(item) if isinstance(item, dict) else item for item in history
            ]
            if isinstance(history := volume.get("shipment_order_volume_state_history_array"), list)
            else history,
        }
        for volume in content["shipment_order_volume_array"]
        if isinstance(volume, dict)
    ]
    return {"shipment_order_volume_array": volumes}


def _kept_event(item: dict[str, Any]) -> dict[str, Any]:
    micro = as_dict(item.get("shipment_volume_micro_state")).get("default_name")
    return {**{key: item.get(key) for key in _KEPT}, "shipment_volume_micro_state": {"default_name": micro}}


class Intelipost:
    """One client's orders at Intelipost."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Intelipost"
    BASE_URL: ClassVar[str] = "https://api.intelipost.com.br"
    Settings: ClassVar[type[BaseModel]] = IntelipostSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="its archived SDK and two public clients agree, read November 2026",
        auth="an API key; a key of the merchant's own for pushes",
        gaps=("only a push tells the carrier's own term", "how an unknown order is answered is not confirmed"),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    hook: HookReceiver | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, IntelipostSettings):
            raise TypeError(f"Intelipost needs IntelipostSettings, not {type(settings).__name__}")
        self.tracking, self.claims, self.hook = IntelipostTracking(settings, context), CLAIMS, None
        if settings.webhook_key is not None:
            key = settings.webhook_key.get_secret_value()
            self.hook = ProvenHook(
                context.carrier,
                proof=lambda request: same(request.headers.get("api-key"), key),
                reason="api-key is not the configured webhook_key",
                read=read_push,
            )
        self._context, self._headers = context, {"api-key": settings.api_key.get_secret_value()}

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads this state's name."""
        return TABLE.word(code)

    async def log_in(self) -> str:
        """Ask for an order that cannot be: whether the key is refused is all that the answer is read for."""
        try:
            await self._context.http.request_json(
                "GET", "/api/v1/shipment_order/-", idempotent=True, headers=self._headers, also_read=(400, 404)
            )
        except CarrierConfigError as exc:
            raise CarrierConfigError(exc.carrier, f"api_key is refused ({exc.message})", exc.http_status) from exc
        return "the key opens the client's orders"
