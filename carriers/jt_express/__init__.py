"""J&T Express Brazil: `POST /webopenplatformapi/api/logistics/trace`, up to thirty waybills a call.

Transport and signature agree in several public clients; what its scans mean comes from the platform's Indonesian
documentation and one Brazilian dashboard, so everything read here is marked as unconfirmed. Read November 2026. `digest`
is Base64 of the sixteen raw bytes of MD5 over the body's text and the private key, before URL encoding. No limit is
published.

Known gaps: the Brazilian list of scan types; whether `trace` needs the customer's own digest (sent where the account has
one); the codes of its refusals. Times are local without offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

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
    HookRequest,
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
from carriers.hooks import ProvenHook
from carriers.letters import road_claims
from carriers.payload import (
    as_dict,
    as_list,
    canonical,
    event_key,
    in_order,
    not_found,
    place,
    read_safely,
    text,
    unread,
)
from carriers.redact import redact
from carriers.settings import Remark, weak_proof
from carriers.signatures import md5_base64, md5_hex, same

NAME = "jt_express"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.jt_express")
CLAIMS = road_claims(
    source="no API for claims is known: a letter, or the portal",
    valid_since=date(2026, 11, 22),
)
READING = "1"
BATCH_SIZE = 30
PATH = "/webopenplatformapi/api/logistics/trace"
ACKNOWLEDGED = b'{"code":"1","msg":"success","data":"SUCCESS"}'
PASSWORD_SALT = "jadada236t2"
"""Part of the platform's published recipe of the customer's digest; no secret."""
_PROBLEM = "11"
"""The scan type of every problem: which one, only its words say."""
_ABOUT_ACCESS = re.compile(r"signature|digest|account|authori|permission", re.I)
_WAYBILL = re.compile(r"888[0-9]{12}")
_KEPT = ("scanTime", "desc", "scanType", "scanTypeCode", "scanNetworkName", "scanNetworkCity", "scanNetworkProvince")


class JtExpressSettings(BaseModel):
    """`api_account` and `private_key` of the open platform; `customer_code` and `password` of the contract, if it has them."""

    model_config = ConfigDict(extra="forbid")

    api_account: str
    private_key: SecretStr
    customer_code: str | None = None
    password: SecretStr | None = None
    push: bool = False
    """Whether J&T was told to push to this account's hook."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> JtExpressSettings:
        if (self.customer_code is None) != (self.password is None):
            raise ValueError("customer_code and password belong together")
        return self

    def remarks(self) -> Iterator[Remark]:
        """See `carriers.settings`."""
        yield from weak_proof("private_key", self.private_key if self.push else None)


class JtExpressTracking:
    """Asks about up to thirty waybills a call; holds no state."""

    def __init__(self, settings: JtExpressSettings, context: AdapterContext) -> None:
        self.tracking_terms = TrackingTerms(
            ref_kinds=(RefKind.CODE,),
            batch_size=BATCH_SIZE,
            requests_per_second=2.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of J&T: fifteen business days without a scan",
            push=settings.push,
        )
        self._settings, self._context = settings, context

    def normalise(self, value: str) -> TrackingRef | None:
        """A waybill: 888 and twelve digits (no check digit is known)."""
        waybill = re.sub(r"[\s.\-]", "", value)
        return TrackingRef(RefKind.CODE, waybill) if _WAYBILL.fullmatch(waybill) else None

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The scans of up to thirty waybills. Raises ValueError for more, otherwise as `TrackingAdapter.track`."""
        if len(refs) > BATCH_SIZE:
            raise ValueError(f"at most {BATCH_SIZE} waybills a call, not {len(refs)}")
        content = self._content(",".join(ref.value for ref in refs))
        answer = await self._context.http.request_json(
            "POST",
            PATH,
            idempotent=True,
            headers=self._headers(content),
            form=(("bizContent", content),),
            family="tracking",
        )
        return self._hear(refs, answer.data)

    def _content(self, waybills: str) -> str:
        """The body's text, exactly as it is signed."""
        known: dict[str, str] = {}
        if self._settings.customer_code is not None and self._settings.password is not None:
            password = self._settings.password.get_secret_value()
            key = self._settings.private_key.get_secret_value()
            digest = customer_digest(self._settings.customer_code, password, key)
            known = {"customerCode": self._settings.customer_code, "digest": digest}
        return orjson.dumps({**known, "billCodes": waybills}).decode()

    def _headers(self, content: str) -> dict[str, str]:
        return {
            "apiAccount": self._settings.api_account,
            "digest": md5_base64(content, self._settings.private_key.get_secret_value()),
            "timestamp": str(int(self._context.now().timestamp() * 1000)),
        }

    def _hear(self, refs: Sequence[TrackingRef], data: Any) -> Mapping[TrackingRef, Heard]:
        """HTTP 200 for everything; `code` says whether it is an answer, as a text."""
        carrier = self._context.carrier
        if not isinstance(data, dict) or "code" not in data:
            raise PermanentCarrierError(carrier, "the answer does not say whether it is one (code)")
        if text(data["code"]) != "1":
            said = redact(f"{text(data['code'])} {text(data.get('msg'))}")
            if _ABOUT_ACCESS.search(said):
                raise CarrierConfigError(carrier, f"refused: {said}; check api_account and private_key")
            raise PermanentCarrierError(carrier, f"refused: {said}")
        if not isinstance(data.get("data"), list):
            raise PermanentCarrierError(carrier, "the answer has no list of waybills (data)")
        told = {text(as_dict(item).get("billCode")): item for item in data["data"]}
        return {
            ref: unread(ref, told[ref.value], read_waybill) if ref.value in told else not_found(ref, b"[]")
            for ref in refs
        }


def is_proved(request: HookRequest, private_key: str) -> bool:
    """A push is a form of `bizContent` and its `digest` (or a header of that name), signed as our own calls are."""
    form = _form(request.body)
    expected = md5_base64(form.get("bizContent", ""), private_key)
    return bool(form.get("bizContent")) and same(form.get("digest") or request.headers.get("digest"), expected)


def read_push(payload: bytes) -> FeedReading:
    """Every waybill of a push; one that cannot be read is an ERROR of its own. Raises as `read_waybill`."""
    items = as_list(orjson.loads(_form(payload)["bizContent"]))
    refs = [TrackingRef(RefKind.CODE, text(item["billCode"])) for item in items]
    told = {ref: read_safely(ref, item, read_waybill) for ref, item in zip(refs, items, strict=True)}
    return FeedReading({ref: replace(answer, complete=False) for ref, answer in told.items()})


def customer_digest(customer_code: str, password: str, private_key: str) -> str:
    """The customer's own digest, as the platform describes it."""
    return md5_base64(customer_code, md5_hex(password, PASSWORD_SALT).upper(), private_key)


def read_waybill(ref: TrackingRef, item: dict[str, Any]) -> TrackingAnswer:
    """The answer about one waybill. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    details = as_list(item["details"])
    raw = canonical({"billCode": ref.value, "details": [{key: scan.get(key) for key in _KEPT} for scan in details]})
    return TrackingAnswer(ref, AnswerOutcome.FOUND, raw, in_order(read_scan(scan) for scan in details))


def read_scan(scan: dict[str, Any]) -> TrackingEvent:
    """One scan: its finer code first, then its type; of a problem only the words say which. Raises as `read_waybill`."""
    kind, finer, words = text(scan["scanType"]), text(scan.get("scanTypeCode")), text(scan.get("desc"))
    if not kind:
        raise ValueError("a scan without a type")
    reading = TABLE.read(f"code {finer}")
    if reading.status is TrackingStatus.UNKNOWN and kind == _PROBLEM:
        reading = TABLE.read_words(words)
    if reading.status is TrackingStatus.UNKNOWN:
        reading = TABLE.read(kind)
    occurred_at = parse_instant(scan["scanTime"], ZONE)
    return TrackingEvent(
        key=event_key(kind, finer, occurred_at.isoformat(), text(scan.get("scanNetworkName"))),
        occurred_at=occurred_at,
        carrier_code=f"{kind}-{finer}" if finer else kind,
        status=reading.status,
        description=words or text(scan.get("scanTypeName")) or kind,
        cause=reading.cause,
        location=place(scan.get("scanNetworkCity"), scan.get("scanNetworkProvince")),
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


def _form(body: bytes) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(body.decode(), max_num_fields=20).items()}
    except ValueError:
        return {}


class JtExpress:
    """One account with J&T Express Brazil."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "J&T Express"
    BASE_URL: ClassVar[str] = "https://openapi.jtjms-br.com"
    Settings: ClassVar[type[BaseModel]] = JtExpressSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="several public clients agree on calls and signature; what scans mean from one each, November 2026",
        auth="the open platform's account and private key; customer code and password where the contract has them",
        experimental=True,
        gaps=("the Brazilian list of scan types is not known: what is read opens no refund claim by itself",),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    hook: HookReceiver | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, JtExpressSettings):
            raise TypeError(f"JtExpress needs JtExpressSettings, not {type(settings).__name__}")
        tracking = JtExpressTracking(settings, context)
        self._probe = tracking.track
        self.tracking, self.claims, self.hook = tracking, CLAIMS, None
        if settings.push:
            self.hook = ProvenHook(
                context.carrier,
                proof=partial(is_proved, private_key=settings.private_key.get_secret_value()),
                reason="the digest is not of this account's private key",
                read=read_push,
                acknowledged=ACKNOWLEDGED,
            )

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads this scan type, or its finer code after a hyphen."""
        kind, _, finer = code.partition("-")
        return TABLE.word(f"code {finer}") if finer and f"code {finer}" in TABLE.codes else TABLE.word(kind)

    async def log_in(self) -> str:
        """Ask about a waybill that cannot be: a wrong signature is refused before it is looked for."""
        await self._probe([TrackingRef(RefKind.CODE, "888000000000000")])
        return "the signature is accepted"
