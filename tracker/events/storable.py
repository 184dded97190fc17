"""A carrier's answer as the store can keep it: texts without the character that ends a text in C, and of a bounded length.

An index takes values to some 2,700 bytes (PostgreSQL, btree): one that is longer would fail the whole batch, and with it every
other parcel of the carrier. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import Final

from carriers.base import TrackingAnswer, TrackingEvent
from tracker.domain.codes import LONGEST_CODE

LONGEST_KEY: Final = 300
LONGEST_PLACE: Final = 200
LONGEST_TEXT: Final = 2_000
_END: Final = "\x00"


def storable(answer: TrackingAnswer) -> TrackingAnswer:
    """The answer itself where all of its events fit, which is nearly always; the raw answer is kept as it is."""
    if all(map(_fits, answer.events)):
        return answer
    return replace(answer, events=tuple(event if _fits(event) else _fitted(event) for event in answer.events))


def _fits(event: TrackingEvent) -> bool:
    place = event.location or ""
    return (
        len(event.key) <= LONGEST_KEY
        and len(event.carrier_code) <= LONGEST_CODE
        and len(event.description) <= LONGEST_TEXT
        and len(place) <= LONGEST_PLACE
        and _END not in event.key
        and _END not in event.carrier_code
        and _END not in event.description
        and _END not in place
    )


def _fitted(event: TrackingEvent) -> TrackingEvent:
    return replace(
        event,
        key=_key(event.key),
        carrier_code=event.carrier_code.replace(_END, "")[:LONGEST_CODE].rstrip(),
        description=_cut(event.description, LONGEST_TEXT),
        location=_cut(event.location, LONGEST_PLACE) if event.location is not None else None,
    )


def _cut(text: str, longest: int) -> str:
    text = text.replace(_END, "")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _key(key: str) -> str:
    """The same key for the same event, and another for any other: what does not fit is told apart by its digest."""
    if len(key) <= LONGEST_KEY and _END not in key:
        return key
    digest = blake2b(key.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"{key.replace(_END, '')[: LONGEST_KEY - 40]}#{digest}"
