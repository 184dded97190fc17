"""SSW, the system that hundreds of Brazilian road carriers run: `POST https://ssw.inf.br/api/...`, one document a call.

No official description is public: written from what five independent clients agree on, read November 2026; the code table from
a TMS that loads it, partly confirmed by a second one. Without credentials a parcel is found by its NF-e key alone
(`trackingdanfe`); with the CNPJ and the password that each carrier gives to each of its customers also by invoice number
(`tracking`, `trackingpag`, `trackingdest`). No limit is published: two calls a second are polite.

Known gaps: times are local without offset and taken for Brasília's; a key is known once the carrier has issued its CT-e; the
text for a wrong password is not known, so every refusal but "not found" is shown to a person; whether keys with letters are
taken is not known; codes 20, 23, 50, 53, 54 and 55 reach customers only once the carrier releases them, so silence is a sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from carriers import codes
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
    TrackingTerms,
)
from carriers.dates import parse_instant
from carriers.invoice import cnpj_of, key_ref
from carriers.letters import road_claims
from carriers.payload import as_list, canonical, event_key, in_order, not_found, text, unread, without
from carriers.redact import redact

NAME = "ssw"
ZONE = ZoneInfo("America/Sao_Paulo")
TABLE = codes.load("carriers.ssw").with_words(codes.road_words())
CLAIMS = road_claims(
    source="no API for shippers is known: a letter to the carrier's own claims desk",
    valid_since=date(2026, 11, 22),
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

NOT_FOUND = "NENHUM DOCUMENTO LOCALIZADO"
PERSONAL = frozenset({"nome_recebedor", "nro_doc_recebedor", "destinatario"})
_OWN_CODE = re.compile(r"\s*\(\d+\)\s*$")
_FORECAST = re.compile(r"PREVISAO DE ENTREGA:?\s*(\d{2})/(\d{2})/(\d{2,4})")
_INDEMNIFIED = "92"


class Role(StrEnum):
    """As what the account's CNPJ stands in the freight."""

    SENDER = "sender"
    PAYER = "payer"
    RECIPIENT = "recipient"


_PATHS = {Role.SENDER: "tracking", Role.PAYER: "trackingpag", Role.RECIPIENT: "trackingdest"}


class SswSettings(BaseModel):
    """Nothing is needed to ask by NF-e key; `cnpj` and `password` open the carrier's own view, by invoice number too."""

    model_config = ConfigDict(extra="forbid")

    cnpj: str | None = None
    password: SecretStr | None = None
    role: Role = Role.SENDER
    company: str | None = None
    """The carrier's three letters in SSW (`sigla_emp`), where one password serves several."""

    @field_validator("cnpj")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if (found := cnpj_of(value)) is None:
            raise ValueError("is no CNPJ (14 characters)")
        return found

    @model_validator(mode="after")
    def _both_or_neither(self) -> SswSettings:
        if (self.cnpj is None) != (self.password is None):
            raise ValueError(
                "cnpj and password belong together (leave both out to ask by NF-e key without credentials)"
            )
        alone = [name for name in ("role", "company") if name in self.model_fields_set]
        if self.cnpj is None and alone:
            raise ValueError(
                f"{' and '.join(alone)} {'says' if len(alone) == 1 else 'say'} more of cnpj and password, and nothing without "
                "them (add both, or ask by NF-e key with none of these)"
            )
        return self


class SswTracking:
    """Asks about one document a call; holds no state."""

    def __init__(self, settings: SswSettings, context: AdapterContext) -> None:
        by = (RefKind.INVOICE_KEY,) if settings.cnpj is None else (RefKind.INVOICE_KEY, RefKind.INVOICE)
        self.tracking_terms = TrackingTerms(
            ref_kinds=by,
            batch_size=1,
            requests_per_second=2.0,
            timezone=ZONE.key,
            reading_version=f"{READING}-{TABLE.version}",
            presumed_loss_business_days={"": 15},
            terms_source="a default, no term of SSW: fifteen business days without movement, as road carriers' contracts ask",
        )
        self._settings = settings
        self._carrier, self._http = context.carrier, context.http

    def normalise(self, value: str) -> TrackingRef | None:
        """The NF-e key in upper case, letters kept; SSW has no numbers of its own."""
        return key_ref(value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """The history of one document. Raises ValueError for more than one, otherwise as `TrackingAdapter.track`."""
        (ref,) = refs
        path, body = self._question(ref)
        answer = await self._http.request_json("POST", f"/{path}", idempotent=True, json=body, family="tracking")
        return {ref: self._hear(ref, answer.data)}

    def _question(self, ref: TrackingRef) -> tuple[str, dict[str, Any]]:
        asked: dict[str, Any] = {"chave_nfe": ref.value}
        if ref.kind is RefKind.INVOICE:
            asked = {"nro_nf": int(ref.value.rpartition("/")[2])}
        if self._settings.cnpj is None or self._settings.password is None:
            return "trackingdanfe", asked
        login = {"cnpj": self._settings.cnpj, "senha": self._settings.password.get_secret_value()}
        company = {"sigla_emp": self._settings.company} if self._settings.company else {}
        return _PATHS[self._settings.role], login | company | asked

    def _hear(self, ref: TrackingRef, data: Any) -> Heard:
        """Success and failure both come with HTTP 200."""
        if not isinstance(data, dict) or not isinstance(data.get("success"), bool):
            raise PermanentCarrierError(self._carrier, "the answer does not say whether it is one (success)")
        if data["success"]:
            return unread(ref, data, read_document)
        message = text(data.get("message"))
        if NOT_FOUND in codes.normal(message):
            return not_found(ref, canonical({"message": message}), message)
        raise CarrierConfigError(
            self._carrier, f"refused: {redact(message) or 'without a reason'}; check cnpj, password"
        )


def read_document(ref: TrackingRef, data: dict[str, Any]) -> TrackingAnswer:
    """The answer of a successful call; the accounts of CNPJ and password get a list of documents, the newest last.

    Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read.
    """
    documents = as_list(data.get("documento") or data.get("documentos"))
    if not documents:
        raise ValueError("success without a document")
    told = [(line, document) for document in documents for line in as_list(document["tracking"])]
    events = in_order(read_event(line) for line, _ in told)
    return TrackingAnswer(
        ref,
        AnswerOutcome.FOUND,
        canonical(without(data, PERSONAL)),
        events,
        due_on=_forecast([line for line, _ in told]),
    )


def read_event(line: dict[str, Any]) -> TrackingEvent:
    """One line of the history. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read.

    The number in parentheses is the carrier's own: the same words were seen as 70, 71, 74 and 80. Only `codigo_ssw` is standard.
    """
    words = _OWN_CODE.sub("", text(line["ocorrencia"]))
    code = text(line.get("codigo_ssw")) or codes.normal(words)
    if not code:
        raise ValueError("event without a code and without words")
    reading = TABLE.read(code.zfill(2) if code.isdigit() else code, words)
    recorded = parse_instant(line["data_hora"], ZONE)
    return TrackingEvent(
        key=event_key(code, recorded.isoformat()[:19], text(line.get("filial")) or text(line.get("cidade"))),
        occurred_at=_effective(line) or recorded,
        carrier_code=code,
        status=reading.status,
        description=" ".join(part for part in (words, text(line.get("descricao"))) if part),
        cause=reading.cause,
        location=re.sub(r"\s*/\s*", "/", text(line.get("cidade"))) or None,
        final=reading.final,
        attempt=reading.attempt,
        indemnified=code == _INDEMNIFIED,
        by_words=reading.by_words,
    )


def _effective(line: dict[str, Any]) -> datetime | None:
    """When it happened; `data_hora` says when it was written down."""
    told = line.get("data_hora_efetiva")
    return parse_instant(told, ZONE) if told else None


def _forecast(lines: Sequence[dict[str, Any]]) -> date | None:
    """The newest delivery forecast that the texts name; two digits of the year are this century's."""
    found = None
    for line in lines:
        match = _FORECAST.search(codes.normal(text(line.get("descricao"))))
        if match:
            day, month, year = (int(part) for part in match.groups())
            found = date(year if year > 99 else 2000 + year, month, day)
    return found


class Ssw:
    """One road carrier (or any, by NF-e key) through SSW."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = NAME
    TITLE: ClassVar[str] = "SSW (transportadoras rodoviárias)"
    BASE_URL: ClassVar[str] = "https://ssw.inf.br/api"
    Settings: ClassVar[type[BaseModel]] = SswSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="B",
        source="five public clients and a TMS's code table agree, November 2026; no official description",
        auth="none by NF-e key; CNPJ and the carrier's password for more",
        gaps=(
            "a key is known once the carrier has issued its CT-e",
            "some occurrences of loss and damage are shown only once the carrier releases them",
            "how a wrong password is told is not known: every other refusal counts as one",
        ),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, SswSettings):
            raise TypeError(f"Ssw needs SswSettings, not {type(settings).__name__}")
        self._settings = settings
        self.tracking = SswTracking(settings, context)
        self.claims = CLAIMS

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether the standard table reads this code."""
        return TABLE.word(code)

    async def log_in(self) -> str:
        """Nothing can be proved without a document: SSW has no login to try."""
        if self._settings.cnpj is None:
            return "no credentials: parcels are found by their NF-e key"
        return "CNPJ and password are tried with the first parcel: SSW has no login of its own"
