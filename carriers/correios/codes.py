"""What each pair (codigo, tipo) of the tracking API means: `events.csv`, and texts where a pair means two things.

Sources: Correios' tracking manual in its public transcriptions (2017 to 2026) and texts seen live; 378 pairs. `tipo` is
compared as an integer, for tracking pads it to two digits, webhooks do not and claims sometimes do.
"""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

from carriers.base import Cause, CodeWord, TrackingStatus
from carriers.payload import plain

DELIVERY = ("BDE", "BDI", "BDR")
"""External delivery, counter delivery, delivery at another unit: one table of `tipo` for the three."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a pair means; `text` is the table's own wording, used where an event has none."""

    status: TrackingStatus
    cause: Cause | None = None
    final: bool = False
    text: str = ""


UNKNOWN = Reading(TrackingStatus.UNKNOWN)

_AT_PICKUP = Reading(TrackingStatus.AVAILABLE_FOR_PICKUP)
_AT_CUSTOMS = Reading(TrackingStatus.CUSTOMS, Cause.CUSTOMS_HOLD)
_BACK = Reading(TrackingStatus.RETURNED, Cause.RETURN, final=True)
_DELIVERED = Reading(TrackingStatus.DELIVERED, final=True)

# Pairs whose meaning differs between sources: the text decides between the two, and any other text leaves them unknown.
# Phrases are matched from the start of the text, so that "Objeto não entregue ..." can never read as a delivery.
TEXT_DECIDES: dict[tuple[str, int], tuple[tuple[str, Reading], ...]] = {
    **{
        (codigo, 77): (
            ("evento rfb", _AT_CUSTOMS),  # the carrier's manual: waiting for the federal revenue
            ("objeto disponivel", _AT_PICKUP),  # webhook users: available in a locker
            ("disponivel", _AT_PICKUP),
            ("objeto aguardando retirada", _AT_PICKUP),
        )
        for codigo in DELIVERY
    },
    **{
        # The manual's "postagem inexistente" says not where the parcel is; webhook users see the contract holder get it.
        (codigo, 79): (("objeto entregue ao contratante", _BACK), ("entregue ao contratante", _BACK))
        for codigo in DELIVERY
    },
    # A bare "Entregue" may be the collection's end; only the full phrase is the buyer's delivery.
    ("CO", 8): (("objeto entregue ao destinatario", _DELIVERED), ("entregue ao destinatario", _DELIVERED)),
}


def _load() -> tuple[dict[tuple[str, int], Reading], str]:
    content = files("carriers.correios").joinpath("events.csv").read_bytes()
    table = {
        (row["codigo"], int(row["tipo"])): Reading(
            TrackingStatus(row["normalized_status"]),
            Cause(row["problem"]) if row["problem"] else None,
            row["final"] == "true",
            row["descricao"],
        )
        for row in csv.DictReader(content.decode("utf-8").splitlines())
    }
    return table, hashlib.blake2b(content, digest_size=6).hexdigest()


TABLE, TABLE_VERSION = _load()
"""Readings by pair, and a digest of the file they come from."""


def word(code: str) -> CodeWord:
    """What is known of a code written as events show it, `BDE-01`."""
    match = re.fullmatch(r"([A-Z]{2,4})-([0-9]{2,3})", code)
    if match is None:
        return CodeWord.NO_CODE
    reading = TABLE.get((match[1], int(match[2])), UNKNOWN)
    return CodeWord.UNKNOWN if reading.status is TrackingStatus.UNKNOWN else CodeWord.KNOWN


def status(code: str) -> TrackingStatus | None:
    """As what the table reads a code written as events show it; None where it does not, or where the text decides."""
    match = re.fullmatch(r"([A-Z]{2,4})-([0-9]{2,3})", code)
    reading = TABLE.get((match[1], int(match[2])), UNKNOWN) if match else UNKNOWN
    return None if reading.status is TrackingStatus.UNKNOWN else reading.status


def read(codigo: str, tipo: int | None, text: str) -> Reading:
    """What an event means. *codigo* in upper case; *text*, the carrier's wording, decides only between two readings."""
    if tipo is None:
        return UNKNOWN
    phrases = TEXT_DECIDES.get((codigo, tipo), ())
    if phrases:
        words = plain(text)
        for phrase, reading in phrases:
            if words.startswith(phrase):
                return reading
    return TABLE.get((codigo, tipo), UNKNOWN)
