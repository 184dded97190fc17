"""OCOREN: the occurrence file of Proceda's EDI (3.0, 3.1, 5.0), which nearly every Brazilian road carrier can send.

Layouts: see `records`. Codes: the 100 of the standard table of 3.1 (manual of 15 May 2000), and three that carriers have added;
read November 2026. No access is needed: the carrier sends the files by folder, SFTP or mail (`files:` of the account).

Known gaps: a file names parcels by issuer, series and number of their invoice alone, never by a tracking code; times have no
zone; carriers number occurrences as they like (a shipper's own table says 26/27 for what the standard calls 23/27), so whoever
has such a carrier writes its codes under `codes:`; many send deliveries and problems only, no step on the way.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, field_validator

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
    FileFeed,
    Followed,
    PermanentCarrierError,
    RefKind,
    TrackingAnswer,
    TrackingEvent,
    TrackingRef,
    TrackingStatus,
    TrackingTerms,
)
from carriers.invoice import access_key, cnpj_of, invoice_ref, ref_of_key
from carriers.letters import PRESUMED_LOSS_BUSINESS_DAYS, road_claims
from carriers.ocoren.records import ZONE, Occurrence, by_ref, is_ocoren, read_file
from carriers.payload import Answers, canonical, event_key, in_order
from carriers.redact import redact

__all__ = ["Ocoren"]

TABLE = codes.load(__name__)
MAX_BYTES = 16 * 1024 * 1024
CLAIMS = road_claims(
    source="files of occurrences only, and no API for shippers: a letter to the carrier's own claims desk",
    valid_since=date(2026, 11, 22),
)
READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

OBSERVATIONS = {
    "01": "devolução ou recusa total",
    "02": "devolução ou recusa parcial",
    "03": "aceita ou entregue por acordo",
    "04": "recusa total, com nota de devolução",  # 5.0 only, as is 05
    "05": "recusa parcial, com nota de devolução",
}
REFUSED_WHOLE = ("01", "04")
INDEMNIFIED = "31"
"""Delivered with indemnity made: the carrier's mark that it has paid."""

TERMS = TrackingTerms(
    ref_kinds=(RefKind.INVOICE,),
    batch_size=1,
    requests_per_second=1.0,
    timezone=ZONE.key,
    reading_version=f"{READING}-{TABLE.version}",
    presumed_loss_business_days={"": PRESUMED_LOSS_BUSINESS_DAYS},
    terms_source="our own setting, not a carrier's: 15 business days of silence while its files come; none is published",
)


class OcorenSettings(BaseModel):
    """Nothing but which carrier's lines count: where its files come from stands under `files:`."""

    model_config = ConfigDict(extra="forbid")

    carrier_cnpj: str | None = None
    """Of a file that holds several carriers' lines, only this one's are read; None: all."""

    @field_validator("carrier_cnpj")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if (found := cnpj_of(value)) is None:
            raise ValueError("is no CNPJ (14 characters)")
        return found


class OcorenNumbers:
    """How parcels are named in such files; nobody can be asked about them."""

    tracking_terms = TERMS

    def normalise(self, value: str) -> TrackingRef | None:
        """The invoice behind an access key, or one written `CNPJ/serie/numero`; None for anything else."""
        key = access_key(value)
        if key is not None:
            return ref_of_key(key)
        parts = value.rsplit("/", 2)
        return invoice_ref(*parts) if len(parts) == 3 else None


class OcorenFeed:
    """Reads the files. Pure."""

    max_bytes = MAX_BYTES

    def __init__(self, carrier: str, settings: OcorenSettings) -> None:
        self._carrier = carrier
        self._cnpj = settings.carrier_cnpj

    def is_own(self, name: str, payload: bytes) -> bool:
        """By its lines: names of such files follow no rule."""
        return is_ocoren(payload)

    def read(self, payload: bytes) -> FeedReading:
        """An answer for each invoice in the file, with the lines that could not be read."""
        if len(payload) > MAX_BYTES:
            raise PermanentCarrierError(self._carrier, f"the file is larger than {MAX_BYTES >> 20} MiB")
        if not is_ocoren(payload):
            raise PermanentCarrierError(
                self._carrier, "this is no OCOREN file (no record 340 or 540 in its first lines)"
            )
        file = read_file(payload)
        wanted = [one for one in file.occurrences if self._cnpj in (None, one.carrier)]
        if file.occurrences and not wanted:
            raise PermanentCarrierError(
                self._carrier,
                f"none of its {len(file.occurrences)} occurrences is of carrier_cnpj: compare it with the file",
            )
        return FeedReading(Answers(by_ref(wanted), _answer), file.faults)


def _answer(ref: TrackingRef, lines: list[Occurrence]) -> TrackingAnswer:
    texts = [_free_text(line) for line in lines]
    events = in_order(_event(line, text) for line, text in zip(lines, texts, strict=True))
    raw = canonical([_evidence(line, text) for line, text in zip(lines, texts, strict=True)])
    return TrackingAnswer(ref, AnswerOutcome.FOUND, raw, events, complete=False)


def _event(line: Occurrence, text: str) -> TrackingEvent:
    reading = TABLE.read(line.code)
    status, cause, final = reading.status, reading.cause, reading.final
    if status is TrackingStatus.DELIVERED and line.observation in REFUSED_WHOLE:
        # "Delivered", and all of it refused: the customer does not have it.
        status, cause, final = TrackingStatus.DELIVERY_FAILED, Cause.REFUSED, False
    said = [reading.text or f"Ocorrência {line.code}", OBSERVATIONS.get(line.observation, ""), *line.items, text]
    return TrackingEvent(
        # The text may be worded anew and the padding differ from file to file: the same occurrence all the same.
        key=event_key(line.ref.value, line.code, line.stamp),
        occurred_at=line.occurred_at,
        carrier_code=line.code,
        status=status,
        description="; ".join(filter(None, said)),
        cause=cause,
        final=final,
        attempt=codes.Reading(status, cause).attempt,
        indemnified=line.code == INDEMNIFIED,
        by_words=reading.by_words,
    )


def _free_text(line: Occurrence) -> str:
    """What the carrier wrote; of a delivery it is the name of whoever took it, which nobody here needs."""
    return "" if TABLE.read(line.code).status is TrackingStatus.DELIVERED else redact(line.text)


def _evidence(line: Occurrence, text: str) -> dict[str, object]:
    return {
        "nota": line.ref.value,
        "codigo": line.code,
        "data": line.stamp,
        "observacao": line.observation,
        "texto": text,
        "itens": list(line.items),
        "transportadora": line.carrier,
    }


class Ocoren:
    """One carrier that sends such files."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = "ocoren"
    TITLE: ClassVar[str] = "Transportadora"
    BASE_URL: ClassVar[str] = ""
    Settings: ClassVar[type[BaseModel]] = OcorenSettings
    READS_FILES: ClassVar[bool] = True
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="A",
        source="Proceda manual of layout 3.1 (2000); 5.0 as three programs agree (confidence B); read November 2026",
        auth="none: the carrier sends files",
        gaps=(
            "A carrier's own numbering of occurrences must be told under codes.",
            "Many carriers write deliveries and problems only, so a parcel on its way may not be mentioned for days.",
            "Parcels are known by their invoice: an order needs its access key.",
        ),
    )

    tracking: Followed | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    feed: FileFeed

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, OcorenSettings):
            raise TypeError(f"Ocoren needs OcorenSettings, not {type(settings).__name__}")
        self.tracking = OcorenNumbers()
        self.claims = CLAIMS
        self.feed = OcorenFeed(context.carrier, settings)

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Codes have two or three characters."""
        return TABLE.word(code) if 2 <= len(code) <= 3 else CodeWord.NO_CODE

    @staticmethod
    def code_status(code: str) -> TrackingStatus | None:
        """As what the standard table reads it."""
        return TABLE.read(code).status

    async def log_in(self) -> str:
        """There is nothing to log in to."""
        return "no access is needed: its files are read from the places under files"
