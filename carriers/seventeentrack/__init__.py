"""17TRACK, an aggregator: `POST /track/v2.2/gettrackinfo` and `/register`, up to forty numbers a call, three calls a second.

Documentation of v2.2 as several clients reflect it, read November 2026. A number is registered once, which uses the
account's quota; what is known of it comes minutes later. Every business answer is HTTP 200 with a code of its own; below
zero is a refusal. A push is proved by SHA-256 over the body, a slash and the account's key.

Known gaps: English texts and coarse stages, later than the carrier's own; tracking ends by itself 15 days after delivery
or after 30 days of silence; its estimated date is not said to be the carrier's, and is not taken for a term; it receives
no claims.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, ClassVar
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
    TransientCarrierError,
)
from carriers.dates import parse_instant
from carriers.hooks import ProvenHook
from carriers.letters import road_claims
from carriers.payload import (
    as_dict,
    as_list,
    canonical,
    error,
    event_key,
    in_order,
    not_found,
    place,
    read_safely,
    said_in,
    text,
    unread,
)
from carriers.redact import redact
from carriers.settings import Remark, weak_proof
from carriers.signatures import same, sha256_hex

NAME = "17track"
ZONE = ZoneInfo("UTC")
"""Its times carry an offset; where one does not, it is the field that says UTC."""
TABLE = codes.load("carriers.seventeentrack")
CLAIMS = road_claims(
    source="an aggregator takes no claims: a letter to the carrier behind it",
    valid_since=date(2026, 11, 22),
)
READING = "1"
BATCH_SIZE = 40
BASE = "/track/v2.2"

NOT_REGISTERED, REGISTERED_ALREADY, BAD_FORMAT = -18019902, -18019901, -18010012
_ABOUT_ACCESS = (-18010001, -18010002)
_TOO_MANY = 429
_NUMBER = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,50}")


class SeventeenTrackSettings(BaseModel):
    """`api_key` of the account; `carrier_code` where all its numbers are one carrier's (2151 is Correios), else it detects."""

    model_config = ConfigDict(extra="forbid")

    api_key: SecretStr
    carrier_code: int | None = None
    push: bool = False
    """Whether the account's webhook points to this program."""

    def remarks(self) -> Iterator[Remark]:
        """See `carriers.settings`."""
        yield from weak_proof("api_key", self.api_key if self.push else None)


class SeventeenTrackTracking:
    """Asks about up to forty numbers a call, and registers those that are not; holds no state."""

    def __init__(self, settings: SeventeenTrackSettings, context: AdapterContext) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=BATCH_SIZE,
            requests_per_second=2.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of 17TRACK's: fifteen business days without an event",
            push=settings.push,
        )
        self._carrier, self._http = context.carrier, context.http
        self._headers = {"17token": settings.api_key.get_secret_value()}
        self._carrier_code = settings.carrier_code

    def normalise(self, value: str) -> TrackingRef | None:
        """Any number of 5 to 50 letters and digits (the documentation's own rule), in upper case."""
        number = re.sub(r"\s", "", value).upper()
        return TrackingRef(RefKind.CODE, number) if _NUMBER.fullmatch(number) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """What is known of up to forty numbers; one that is not registered is, and is not found until something is known.

        Raises ValueError for more, otherwise as `TrackingAdapter.track`.
        """
        if len(refs) > BATCH_SIZE:
            raise ValueError(f"at most {BATCH_SIZE} numbers a call, not {len(refs)}")
        accepted, rejected = await self._call("gettrackinfo", refs)
        answers: dict[TrackingRef, Heard] = {}
        for ref in refs:
            if ref.value in accepted:
                answers[ref] = unread(ref, _kept(accepted[ref.value]), read_number)
            elif rejected.get(ref.value, (0, ""))[0] != NOT_REGISTERED:
                answers[ref] = _refused(ref, *rejected.get(ref.value, (0, "the answer does not mention this number")))
        missing = [ref for ref in refs if ref not in answers]
        return {**answers, **(await self._register(missing) if missing else {})}

    async def _register(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        accepted, rejected = await self._call("register", refs)
        return {
            ref: not_found(ref, b"registered", "registered with 17TRACK; what it knows comes later")
            if ref.value in accepted or rejected.get(ref.value, (0, ""))[0] == REGISTERED_ALREADY
            else _refused(ref, *rejected.get(ref.value, (0, "it was not registered")))
            for ref in refs
        }

    async def quota(self) -> str:
        """One sentence on what is left of the account's quota. Raises as `track`."""
        left = (await self._post("getquota", {})).get("quota_remain")
        return (
            f"the key opens the account; {left} numbers are left of its quota" if left is not None else "the key works"
        )

    async def _call(
        self, name: str, refs: Sequence[TrackingRef]
    ) -> tuple[Mapping[str, dict[str, Any]], Mapping[str, tuple[int, str]]]:
        """What was accepted, and why the rest was rejected, by number."""
        known = {} if self._carrier_code is None else {"carrier": self._carrier_code}
        parts = await self._post(name, [{"number": ref.value, **known} for ref in refs])
        if not isinstance(parts.get("accepted"), list):
            raise PermanentCarrierError(self._carrier, f"{name}: the answer has no list of accepted numbers")
        accepted = {text(as_dict(item).get("number")).upper(): as_dict(item) for item in parts["accepted"]}
        rejected = {
            text(as_dict(item).get("number")).upper(): _reason(as_dict(as_dict(item).get("error")))
            for item in as_list(parts.get("rejected"))
        }
        return accepted, rejected

    async def _post(self, name: str, body: Any) -> dict[str, Any]:
        """The `data` of an accepted call. Registering twice does no harm, so that every call is repeated."""
        answer = await self._http.request_json(
            "POST",
            f"{BASE}/{name}",
            idempotent=True,
            headers=self._headers,
            json=body,
            explain=said_in("data", "errors", "message"),
            family="tracking",
        )
        data = answer.data
        if not isinstance(data, dict) or not isinstance(data.get("code"), int):
            raise PermanentCarrierError(self._carrier, f"{name}: the answer does not say whether it is one (code)")
        if data["code"] != 0:
            raise self._refusal(name, data)
        return as_dict(data.get("data"))

    def _refusal(self, name: str, data: dict[str, Any]) -> Exception:
        errors = as_dict(data.get("data")).get("errors")
        first = as_dict(errors[0]) if isinstance(errors, list) and errors else {}
        said = f"{name}: {data['code']} {redact(text(first.get('message')))}".strip()
        if data["code"] in _ABOUT_ACCESS:
            return CarrierConfigError(self._carrier, f"{said}; check api_key and the account's list of addresses")
        if data["code"] == _TOO_MANY:
            return TransientCarrierError(self._carrier, said, _TOO_MANY)
        return PermanentCarrierError(self._carrier, said)


def read_push(payload: bytes) -> FeedReading:
    """The number of an update; of one whose tracking was stopped there may be nothing to tell. Raises as `read_number`."""
    item = orjson.loads(payload)["data"]
    ref = TrackingRef(RefKind.CODE, text(item["number"]).upper())
    if not ref.value:
        raise ValueError("without a number")
    if not item.get("track_info"):
        return FeedReading({})
    return FeedReading({ref: read_safely(ref, _kept(item), partial(read_number, complete=False))})


def _kept(item: dict[str, Any]) -> dict[str, Any]:
    """What is compared and kept: statuses and events. Counters, hashes and times of synchronisation change by themselves."""
    info = as_dict(item.get("track_info"))
    providers = as_dict(info.get("tracking")).get("providers")
    return {
        "latest_status": info.get("latest_status"),
        "latest_event": info.get("latest_event"),
        "providers": [
            {"events": provider.get("events")} if isinstance(provider, dict) else provider for provider in providers
        ]
        if isinstance(providers, list)
        else providers,
    }


def read_number(ref: TrackingRef, kept: dict[str, Any], *, complete: bool = True) -> TrackingAnswer:
    """The answer about one number. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    latest = kept["latest_status"]
    raw = canonical(kept)
    events = in_order(_events(kept))
    if not events and text(latest.get("status")) == "NotFound":
        return not_found(ref, raw)
    return TrackingAnswer(ref, AnswerOutcome.FOUND, raw, events, complete=complete)


def _events(kept: dict[str, Any]) -> Iterator[TrackingEvent]:
    newest = as_dict(kept.get("latest_event"))
    summary = text(as_dict(kept.get("latest_status")).get("sub_status"))
    for provider in as_list(kept["providers"]):
        for item in as_list(provider["events"]):
            stage = text(item.get("sub_status")) or text(item.get("stage"))
            if not stage and item.get("time_utc") == newest.get("time_utc"):
                # Many events name no stage of their own; the newest one's is what the whole number's status says.
                stage = summary
            yield _event(item, stage)


def _event(item: dict[str, Any], stage: str) -> TrackingEvent:
    words = text(item["description"])
    code = stage or codes.normal(words)
    if not code:
        raise ValueError("an event without a stage and without words")
    reading = TABLE.codes.get(code) or TABLE.read(f"{code}_Other")
    occurred_at = parse_instant(item.get("time_iso") or item["time_utc"], ZONE)
    address = as_dict(item.get("address"))
    where = place(address.get("city"), address.get("state")) or text(item.get("location")) or None
    return TrackingEvent(
        key=event_key(code, occurred_at.isoformat(), where or ""),
        occurred_at=occurred_at,
        carrier_code=code,
        status=reading.status,
        description=words or code,
        cause=reading.cause,
        location=where,
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


def _reason(told: dict[str, Any]) -> tuple[int, str]:
    number = told.get("code")
    return (number if isinstance(number, int) else 0), text(told.get("message"))


def _refused(ref: TrackingRef, code: int, message: str) -> TrackingAnswer:
    if code == BAD_FORMAT:
        return TrackingAnswer(ref, AnswerOutcome.INVALID_NUMBER, b"", message=redact(message))
    return error(ref, f"{code} {message}" if code else message)


class SeventeenTrack:
    """One account with 17TRACK."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "17TRACK"
    BASE_URL: ClassVar[str] = "https://api.17track.net"
    Settings: ClassVar[type[BaseModel]] = SeventeenTrackSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="documentation of v2.2 as several clients reflect it, read November 2026",
        auth="an API key; each number uses the account's quota once",
        gaps=(
            "coarse stages in English, later than the carrier's own",
            "tracking ends by itself 15 days after delivery, or after 30 days of silence",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    hook: HookReceiver | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, SeventeenTrackSettings):
            raise TypeError(f"SeventeenTrack needs SeventeenTrackSettings, not {type(settings).__name__}")
        tracking = SeventeenTrackTracking(settings, context)
        self._ask = tracking.quota
        self.tracking, self.claims, self.hook = tracking, CLAIMS, None
        if settings.push:
            key = settings.api_key.get_secret_value().encode()
            self.hook = ProvenHook(
                context.carrier,
                proof=lambda request: same(request.headers.get("sign"), sha256_hex(request.body, b"/", key)),
                reason="the signature is not of this account's key",
                read=read_push,
            )

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads this stage."""
        return TABLE.word(code if code in TABLE.codes else f"{code}_Other")

    async def log_in(self) -> str:
        """Ask what is left of the account's quota."""
        return await self._ask()
