"""AfterShip Tracking, an aggregator: `GET /tracking/{version}/trackings`, up to fifty numbers a call; `POST` makes one
known.

The official SDK and its documentation, read November 2026; the version is pinned to 2025-07. The list takes fifty numbers
and six calls a second; data is kept for 120 days. A push is proved by Base64 of HMAC-SHA256 over the raw body, keyed by
the webhook's secret.

Known gaps: English texts and coarse tags, later than the carrier's own; what the finer subtags mean differs between
public sources, so none of them opens a refund claim by itself; it receives no claims.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
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
from carriers.signatures import hmac_sha256_base64, same

NAME = "aftership"
ZONE = ZoneInfo("America/Sao_Paulo")
"""Its times carry their offset; a checkpoint without one is local to the place."""
TABLE = codes.load("carriers.aftership")
CLAIMS = road_claims(
    source="an aggregator takes no claims: a letter to the carrier behind it",
    valid_since=date(2026, 11, 22),
)
READING = "1"
PATH = "/tracking/2025-07/trackings"
BATCH_SIZE = 20
"""The list takes fifty, but each unknown number is a call of its own to make it known."""
KEPT_FOR = timedelta(days=120)
SIGNATURE = "aftership-hmac-sha256"

EXISTS, NO_COURIER, COURIER_INACTIVE, BAD_NUMBER = 4003, 4010, 4012, 4005
_NUMBER = re.compile(r"(?=.*[0-9])[A-Z0-9\-]{5,50}")
_KEPT = ("tracking_number", "slug", "tag", "subtag", "courier_estimated_delivery_date", "checkpoints")
_CHECKPOINT = ("checkpoint_time", "message", "tag", "subtag", "city", "state")


class AfterShipSettings(BaseModel):
    """`api_key` of the account; `slug` where all its numbers are one courier's (`brazil-correios`), else it detects."""

    model_config = ConfigDict(extra="forbid")

    api_key: SecretStr
    slug: str | None = None
    webhook_secret: SecretStr | None = None
    """Proves its pushes; without it none is taken."""

    def remarks(self) -> Iterator[Remark]:
        """See `carriers.settings`."""
        yield from weak_proof("webhook_secret", self.webhook_secret)


class AfterShipTracking:
    """Asks about up to twenty numbers a call, and makes known those that are not; holds no state."""

    def __init__(self, settings: AfterShipSettings, context: AdapterContext) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=BATCH_SIZE,
            requests_per_second=3.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of AfterShip's: fifteen business days without a checkpoint",
            push=settings.webhook_secret is not None,
        )
        self._context = context
        self._headers = {"as-api-key": settings.api_key.get_secret_value()}
        self._slug = {} if settings.slug is None else {"slug": settings.slug}

    def normalise(self, value: str) -> TrackingRef | None:
        """Any number of 5 to 50 letters, digits and hyphens, in upper case: whose it is, the aggregator finds out."""
        number = re.sub(r"\s", "", value).upper()
        return TrackingRef(RefKind.CODE, number) if _NUMBER.fullmatch(number) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """What is known of up to twenty numbers; one that is not known is made known, and not found for now.

        Raises ValueError for more, otherwise as `TrackingAdapter.track`.
        """
        if len(refs) > BATCH_SIZE:
            raise ValueError(f"at most {BATCH_SIZE} numbers a call, not {len(refs)}")
        # Without a start the list shows the last thirty days only.
        since = (self._context.now() - KEPT_FOR).strftime("%Y-%m-%dT00:00:00Z")
        params = [
            ("tracking_numbers", ",".join(ref.value for ref in refs)),
            ("created_at_min", since),
            ("limit", "200"),
        ]
        answer = await self._context.http.request_json(
            "GET",
            PATH,
            idempotent=True,
            headers=self._headers,
            params=[*params, *self._slug.items()],
            explain=said_in("meta", "message"),
            family="tracking",
        )
        told = _trackings(self._context.carrier, answer.data)
        return {
            ref: unread(ref, _kept(told[ref.value]), read_tracking)
            if ref.value in told
            else await self._make_known(ref)
            for ref in refs
        }

    async def _make_known(self, ref: TrackingRef) -> TrackingAnswer:
        """Asked for twice, the second answer says that it exists: so the call may be repeated."""
        answer = await self._context.http.request_json(
            "POST",
            PATH,
            idempotent=True,
            headers=self._headers,
            json={"tracking_number": ref.value, **self._slug},
            explain=said_in("meta", "message"),
            also_read=(400,),
            family="tracking",
        )
        meta = as_dict(as_dict(answer.data).get("meta"))
        code, said = meta.get("code"), redact(text(meta.get("message")))
        if code in (200, 201, EXISTS):
            return not_found(ref, b"known", "made known to AfterShip; what it finds comes later")
        if code == BAD_NUMBER:
            return TrackingAnswer(ref, AnswerOutcome.INVALID_NUMBER, b"", message=said)
        if code in (NO_COURIER, COURIER_INACTIVE):
            return error(ref, f"{code} {said}: set slug, and switch the courier on in the account")
        raise PermanentCarrierError(self._context.carrier, f"a number could not be made known: {code} {said}")


def read_push(payload: bytes) -> FeedReading:
    """The tracking of an update; one without checkpoints tells that there is news, not which: the next look does.

    Raises as `read_tracking`.
    """
    item = orjson.loads(payload)["msg"]
    ref = TrackingRef(RefKind.CODE, text(item["tracking_number"]).upper())
    if not ref.value:
        raise ValueError("without a number")
    return FeedReading({ref: read_safely(ref, _kept(item), partial(read_tracking, complete=False))})


def _trackings(carrier: str, data: Any) -> Mapping[str, dict[str, Any]]:
    """The trackings of a list, by number. Raises PermanentCarrierError where there is no list."""
    found = as_dict(as_dict(data).get("data")).get("trackings")
    if not isinstance(found, list):
        raise PermanentCarrierError(carrier, "the answer has no list of trackings")
    return {text(as_dict(item).get("tracking_number")).upper(): as_dict(item) for item in found}


def _kept(item: dict[str, Any]) -> dict[str, Any]:
    """What is compared and kept; the rest is about customers, or changes by itself."""
    checkpoints = item.get("checkpoints")
    kept = {key: item.get(key) for key in _KEPT}
    if isinstance(checkpoints, list):
        kept["checkpoints"] = [
            {key: one.get(key) for key in _CHECKPOINT} if isinstance(one, dict) else one for one in checkpoints
        ]
    return kept


def read_tracking(ref: TrackingRef, kept: dict[str, Any], *, complete: bool = True) -> TrackingAnswer:
    """The answer about one number. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    if not text(kept["tag"]):
        raise ValueError("a tracking without a tag")
    events = in_order(read_checkpoint(one) for one in as_list(kept["checkpoints"]))
    return TrackingAnswer(ref, AnswerOutcome.FOUND, canonical(kept), events, complete=complete, due_on=_due_on(kept))


def read_checkpoint(item: dict[str, Any]) -> TrackingEvent:
    """One checkpoint: its subtag where the table reads it, else its tag. Raises as `read_tracking`."""
    tag, subtag = text(item.get("tag")), text(item.get("subtag"))
    if not tag and not subtag:
        raise ValueError("a checkpoint without a tag")
    reading = TABLE.read(subtag)
    if reading.status is TrackingStatus.UNKNOWN:
        reading = TABLE.read(tag)
    occurred_at = parse_instant(item["checkpoint_time"], ZONE)
    return TrackingEvent(
        key=event_key(tag, subtag, occurred_at.isoformat(), text(item.get("city"))),
        occurred_at=occurred_at,
        carrier_code=subtag or tag,
        status=reading.status,
        description=text(item.get("message")) or tag or subtag,
        cause=reading.cause,
        location=place(item.get("city"), item.get("state")),
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


def _due_on(kept: dict[str, Any]) -> date | None:
    """What the courier promised; AfterShip's own estimate stands in another field and is no term."""
    told = as_dict(kept.get("courier_estimated_delivery_date")).get("estimated_delivery_date")
    return parse_day(told, ZONE) if told else None


class AfterShip:
    """One account with AfterShip."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "AfterShip"
    BASE_URL: ClassVar[str] = "https://api.aftership.com"
    Settings: ClassVar[type[BaseModel]] = AfterShipSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="A",
        source="AfterShip's own SDK and documentation, read November 2026",
        auth="an API key; the webhook's secret for pushes",
        gaps=(
            "coarse tags in English, later than the carrier's own",
            "what its subtags mean is not confirmed: none opens a refund claim by itself",
            "nothing older than 120 days is shown",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    hook: HookReceiver | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, AfterShipSettings):
            raise TypeError(f"AfterShip needs AfterShipSettings, not {type(settings).__name__}")
        self._http, self._headers = context.http, {"as-api-key": settings.api_key.get_secret_value()}
        self.tracking, self.claims, self.hook = AfterShipTracking(settings, context), CLAIMS, None
        if settings.webhook_secret is not None:
            secret = settings.webhook_secret.get_secret_value()
            self.hook = ProvenHook(
                context.carrier,
                proof=lambda request: same(request.headers.get(SIGNATURE), hmac_sha256_base64(secret, request.body)),
                reason="the signature is not of this webhook's secret",
                read=read_push,
            )

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads this subtag, or its tag."""
        return TABLE.word(code if code in TABLE.codes else code.partition("_")[0])

    async def log_in(self) -> str:
        """Ask for a list of one."""
        await self._http.request_json("GET", PATH, idempotent=True, headers=self._headers, params=[("limit", "1")])
        return "the key opens the account's trackings"
