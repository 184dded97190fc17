"""Carriers that send words and no codes: their short texts stand for codes, read by a table and by what road carriers write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from carriers.base import CodeWord, TrackingEvent, TrackingStatus
from carriers.codes import CodeTable, normal
from carriers.payload import event_key

_NOT_FOUND = re.compile(r"NAO (?:FOI )?(?:LOCALIZAD|ENCONTRAD)|NENHUMA? (?:REGISTRO|DOCUMENTO|RESULTADO|NOTA|OBJETO)")
_NOT_OF_PARCELS = re.compile(
    r"\b(?:USUARIO|CLIENTE|CONTA|CONTRATO|CNPJ|TOKEN|LOGIN|SERVICO)\b[^.;:]{0,30} NAO (?:FOI )?(?:LOCALIZAD|ENCONTRAD)"
)
_TOLD_BY_WORDS = (TrackingStatus.DELIVERED, TrackingStatus.RETURNING, TrackingStatus.RETURNED)


def says_not_found(words: str) -> bool:
    """Whether a refusal's words say that the parcel is not known: of a user or a contract they say something else."""
    folded = normal(words)
    return bool(_NOT_FOUND.search(folded)) and not _NOT_OF_PARCELS.search(folded)


def event(
    table: CodeTable,
    words: str,
    occurred_at: datetime,
    *stable: str,
    more: str = "",
    location: str | None = None,
    code: str = "",
) -> TrackingEvent:
    """An event read from its short text, and failing that from *more*, which stands behind it in the description.

    *stable* are the raw fields that tell it from another event of the same text. *code* is the carrier's own where it sends one
    that no table reads: shown, and what a merchant's `codes:` go by. Raises ValueError where there is neither code nor text.
    """
    shown = code or normal(words)
    if not shown:
        raise ValueError("event without a text")
    reading = table.read(normal(words), words)
    if reading.status is TrackingStatus.UNKNOWN and more:
        reading = table.read(normal(more), more)
    return TrackingEvent(
        key=event_key(shown, *stable),
        occurred_at=occurred_at,
        carrier_code=shown,
        status=reading.status,
        description=": ".join(part for part in (words, more) if part) or shown,
        cause=reading.cause,
        location=location,
        final=reading.final,
        attempt=reading.attempt,
        by_words=reading.by_words,
    )


def with_delivery(
    events: Iterable[TrackingEvent], field: str, delivered_at: datetime | None, *stable: str
) -> list[TrackingEvent]:
    """*events*, and the delivery that a date of its own tells, where no text was read as one.

    On a way back the date says nothing of whom the parcel was given to, and is left alone.
    At one and the same time a delivery comes last: dates without an hour do not say what came first.
    """
    told = list(events)
    if delivered_at is not None and not any(one.status in _TOLD_BY_WORDS for one in told):
        told.append(
            TrackingEvent(
                key=event_key(field, delivered_at.isoformat(), *stable),
                occurred_at=delivered_at,
                carrier_code=normal(field),
                status=TrackingStatus.DELIVERED,
                description="Entregue",
                final=True,
                attempt=True,
                by_words=True,
            )
        )
    return sorted(told, key=lambda one: one.status is TrackingStatus.DELIVERED)


def status(table: CodeTable, code: str) -> TrackingStatus | None:
    """For `check-config`: as what a text is read, by itself or by its words; None where it is not."""
    found = table.read(normal(code), code).status
    return None if found is TrackingStatus.UNKNOWN else found


def word(table: CodeTable, code: str) -> CodeWord:
    """For `check-config`: whether a text is read."""
    return CodeWord.UNKNOWN if status(table, code) is None else CodeWord.KNOWN
