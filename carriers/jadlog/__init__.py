"""Jadlog: `POST /embarcador/api/tracking/consultar`, up to a hundred parcels a call, a fixed bearer token of the franchise.

The manual ("Integração JADLOG", 2.3 of August 2025) was not seen whole: written from what several public clients agree on, read
November 2026. Five texts of events are theirs (EMISSAO to ENTREGUE); the rest of the code table is one dashboard's. One client
waits two seconds between calls; no limit is published. `base_url` takes the older host, `https://www.jadlog.com.br/embarcador/api`.

Known gaps: a call succeeds with HTTP 200 and tells errors parcel by parcel under `erro`; the answers' order means nothing; times
are Brasília's without offset; a place is the name of a unit; what Melhor Envio sold is not seen with the merchant's own token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr

from carriers import codes, oauth, words
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
from carriers.dates import parse_day, parse_instant
from carriers.jadlog import questions
from carriers.jadlog.questions import Name, names, names_of_answer, other_question, question
from carriers.letters import road_claims
from carriers.payload import (
    as_dict,
    as_list,
    canonical,
    error,
    in_order,
    not_found,
    said_in,
    text,
    unread,
    without,
)
from carriers.redact import redact

NAME = "jadlog"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.jadlog").with_words(codes.road_words())
CLAIMS = road_claims(
    source="no API for claims is published: a letter to the franchise",
    valid_since=date(2026, 11, 22),
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

BATCH = 100
PERSONAL = frozenset({"recebedor", "destinatario"})
NO_CODE = "0" * 14
_PREFIX = re.compile(r"^\s*bearer\s+", re.I)

Item = dict[str, Any]


class JadlogSettings(BaseModel):
    """The token that the franchise issues, with or without `Bearer` before it; `api_key` only where it gave one (`x-apikey`)."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr
    api_key: SecretStr | None = None


class JadlogTracking:
    """Asks about up to a hundred parcels a call; holds no state."""

    tracking_terms = TrackingTerms(
        ref_kinds=(RefKind.CODE, RefKind.INVOICE_KEY, RefKind.INVOICE),
        batch_size=BATCH,
        requests_per_second=0.5,
        timezone=ZONE.key,
        reading_version=f"{READING}-{TABLE.version}",
        presumed_loss_business_days={"": 15},
        terms_source="a default, no term of Jadlog: fifteen business days without movement, as carriers' contracts ask",
    )

    def __init__(self, settings: JadlogSettings, context: AdapterContext) -> None:
        self._headers = dict(oauth.bearer(_PREFIX.sub("", settings.token.get_secret_value()).strip()))
        if settings.api_key is not None:
            self._headers["x-apikey"] = settings.api_key.get_secret_value()
        self._carrier, self._http = context.carrier, context.http

    def normalise(self, value: str) -> TrackingRef | None:
        """A code, or an invoice: see `questions.normalise`."""
        return questions.normalise(value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """Every parcel's part of the answer, joined by what it was asked by.

        A code may be a parcel's own or that of its shipment; what is not found as the likelier one is asked for as the other.
        Raises ValueError for more than a batch, otherwise as `TrackingAdapter.track`.
        """
        if len(refs) > BATCH:
            raise ValueError(f"at most {BATCH} parcels a call, not {len(refs)}")
        asked = {ref: question(ref) for ref in refs}
        items = await self._ask(asked)
        others = {ref: other for ref in asked if _is_unknown(items[ref]) and (other := other_question(asked[ref]))}
        found = {ref: item for ref, item in (await self._ask(others)).items() if item and not item.get("erro")}
        return {ref: self._hear(ref, item) for ref, item in (items | found).items()}

    async def prove(self) -> None:
        """A call for a code that no parcel has: refused where the token is."""
        await self._call([{"codigo": NO_CODE}])

    async def _ask(self, asked: Mapping[TrackingRef, dict[str, Any]]) -> dict[TrackingRef, Item | None]:
        items: dict[Name, Item] = {}
        for item in await self._call(list(asked.values())) if asked else ():
            for name in names_of_answer(item):
                items.setdefault(name, item)
        return {ref: items.get(next(names(one))) for ref, one in asked.items()}

    async def _call(self, asked: Sequence[dict[str, Any]]) -> list[Item]:
        answer = await self._http.request_json(
            "POST",
            "/tracking/consultar",
            idempotent=True,
            headers=self._headers,
            json={"consulta": asked},
            explain=said_in("erro", "descricao"),
            family="tracking",
        )
        data = answer.data
        if isinstance(data, dict) and isinstance(data.get("consulta"), list):
            return [item for item in data["consulta"] if isinstance(item, dict)]
        said = _said(as_dict(data).get("erro"))
        if "TOKEN" in codes.normal(said):
            raise CarrierConfigError(self._carrier, f"token refused: ask the franchise ({redact(said)})", answer.status)
        reason = redact(said) or "the answer has no list of parcels (consulta)"
        raise PermanentCarrierError(self._carrier, reason, answer.status)

    @staticmethod
    def _hear(ref: TrackingRef, item: Item | None) -> Heard:
        return unread(ref, item, read_item) if item is not None else error(ref, "the answer does not name this parcel")


def read_item(ref: TrackingRef, item: dict[str, Any]) -> TrackingAnswer:
    """One parcel's part. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    if item.get("erro"):
        return _refusal(ref, item["erro"])
    tracking = item["tracking"]
    events = in_order(read_event(line) for line in as_list(tracking["eventos"]))
    forecast = item.get("previsaoEntrega")
    return TrackingAnswer(
        ref,
        AnswerOutcome.FOUND,
        canonical(without(item, PERSONAL)),
        events,
        due_on=parse_day(forecast, ZONE) if forecast else None,
    )


def read_event(line: dict[str, Any]) -> TrackingEvent:
    """One event. Jadlog sends no codes: its short text stands for one."""
    unit = text(line.get("unidade"))
    at = parse_instant(line["data"], ZONE)
    return words.event(TABLE, text(line["status"]), at, text(line["data"]), unit, location=unit or None)


def _refusal(ref: TrackingRef, refusal: Any) -> TrackingAnswer:
    said = _said(refusal)
    raw = canonical({"erro": said})
    if words.says_not_found(said):
        return not_found(ref, raw, said)
    return error(ref, said or "refused without a reason", raw)


def _is_unknown(item: Item | None) -> bool:
    return item is not None and words.says_not_found(_said(item.get("erro")))


def _said(refusal: Any) -> str:
    told = as_dict(refusal)
    return " ".join(part for field in ("descricao", "detalhe") if (part := text(told.get(field))))


class Jadlog:
    """One merchant's contract with a Jadlog franchise."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "Jadlog"
    BASE_URL: ClassVar[str] = "https://prd-traffic.jadlogtech.com.br/embarcador/api"
    Settings: ClassVar[type[BaseModel]] = JadlogSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="several public clients agree, November 2026; the carrier's manual was not seen whole",
        auth="the bearer token that the franchise issues",
        gaps=(
            "beyond the five texts of the usual way, meanings are one dashboard's and open no claim by themselves",
            "parcels sold by Melhor Envio are not seen with the merchant's own token",
            "the event names a unit of Jadlog's, no city",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, JadlogSettings):
            raise TypeError(f"Jadlog needs JadlogSettings, not {type(settings).__name__}")
        self._tracking = JadlogTracking(settings, context)
        self.tracking = self._tracking
        self.claims = CLAIMS

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the table reads this text."""
        return words.word(TABLE, code)

    @staticmethod
    def code_status(code: str) -> TrackingStatus | None:
        """As what this text is read."""
        return words.status(TABLE, code)

    async def log_in(self) -> str:
        """Ask with the token for a parcel that does not exist. Raises CarrierConfigError or TransientCarrierError."""
        await self._tracking.prove()
        return "the token opens tracking"
