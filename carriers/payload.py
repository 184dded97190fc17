"""What adapters share in reading an answer: canonical bytes, text on one line, event keys, one number's fault kept to itself."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import orjson

from carriers.base import AnswerOutcome, Heard, TrackingAnswer, TrackingEvent, TrackingRef, UnreadAnswer
from carriers.redact import redact

Part = TypeVar("Part")

MAX_DEPTH = 40
"""Levels of nesting followed; no carrier's answer has more than eight."""
_NESTED = (dict, list)  # `dict | list` would be put together anew for each of an answer's fields
MOST_OTHERS, LONGEST_OTHER = 1_000, 60
"""So many keys of so many letters are remembered: a carrier that makes them up anew each time fills no memory."""
MAX_EVENTS = 2000
"""Of one number: beyond that it is no history of a parcel, and reading it would hold up everybody's."""


def canonical(value: Any) -> bytes:
    """JSON with sorted keys: the same bytes whenever the carrier says the same.

    Raises TypeError for nesting that can be read but not written again (beyond 254 levels).
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def without(value: Any, keys: frozenset[str], depth: int = 0) -> Any:
    """*value* without the named keys (lower case) at any level. Raises ValueError where it is nested beyond reason."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {
            k: without(v, keys, depth + 1) if isinstance(v, _NESTED) else v
            for k, v in value.items()
            if k.lower() not in keys
        }
    if isinstance(value, list):
        return [without(item, keys, depth + 1) if isinstance(item, _NESTED) else item for item in value]
    return value


class Names:
    """Keys (lower case) that `without` drops, as a question: does an answer hold any of them?

    Most answers hold none, and to look takes a third of the time of building them anew.
    """

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys
        self._others: set[str] = set()
        """Keys that are none of them: of a carrier's answers they are always the same few."""

    def may_be_in(self, value: Any) -> bool:
        """Whether one of them stands in *value* at any level; True also where it is nested beyond reason."""
        level: list[Any] = [value]
        for _ in range(MAX_DEPTH + 1):
            if not level:
                return False
            inner: list[Any] = []
            for part in level:
                if type(part) is dict:
                    if not (part.keys() <= self._others or self._are_others(part)):
                        return True
                    part = part.values()
                # No list of its own for each part: that took twice as long.
                for one in part:
                    if type(one) in _NESTED:
                        inner.append(one)
            level = inner
        return bool(level)

    def _are_others(self, part: dict[str, Any]) -> bool:
        if any(key.lower() in self._keys for key in part):
            return False
        if len(self._others) < MOST_OTHERS:
            self._others.update(key for key in part if len(key) <= LONGEST_OTHER)
        return True


def plain(text: str) -> str:
    """*text* in lower case, without accents, one blank between words: for comparing Portuguese."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in folded if not unicodedata.combining(c)).split())


def text(value: Any) -> str:
    """*value* on one line; numbers are taken for the text they would have been, anything else for none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join(str(value).split())


def as_dict(value: Any) -> dict[str, Any]:
    """*value* where it is an object, else an empty one: for parts that an answer may lack."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """*value* as a list. A single object stands for a list of one, as XML and some gateways write it; None for none.

    Raises TypeError for anything else: what should be a list and is a text is not an empty history.
    """
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value


def event_key(*fields: str) -> str:
    """A key from an event's raw stable fields; never from our own reading of them."""
    return hashlib.blake2b("\x1f".join(fields).encode(), digest_size=16).hexdigest()


def in_order(events: Iterable[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """Oldest first, each key once. Carriers repeat an event word for word; it happened once.

    Raises ValueError beyond `MAX_EVENTS`.
    """
    unique: dict[str, TrackingEvent] = {}
    for count, event in enumerate(events):
        if count >= MAX_EVENTS:
            raise ValueError(f"more than {MAX_EVENTS} events")
        unique.setdefault(event.key, event)
    return tuple(sorted(unique.values(), key=lambda event: event.occurred_at))


def chronological(events: Iterable[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """As `in_order`, for an answer that may tell the newest first: its order decides between events of the same time."""
    told = list(events)
    if told and told[0].occurred_at > told[-1].occurred_at:
        told.reverse()
    return in_order(told)


def place(*parts: Any) -> str | None:
    """`CURITIBA/PR` of what the carrier names; None where it names nothing."""
    return "/".join(part for value in parts if (part := text(value))) or None


Reader = Callable[[TrackingRef, Any], TrackingAnswer]
"""Makes the answer of one number's part of a payload; may raise KeyError, TypeError, ValueError or AttributeError."""


def unread(ref: TrackingRef, item: Any, reader: Reader) -> Heard:
    """One number's part of an answer, read by *reader* where it says something new; what cannot be read is its own ERROR."""
    try:
        return UnreadAnswer(canonical(item), partial(read_safely, ref, item, reader))
    except TypeError:  # nested beyond what can be written again: reading says so
        return error(ref, "the answer cannot be read: nested too deeply")


def read_safely(ref: TrackingRef, item: Any, reader: Reader) -> TrackingAnswer:
    """The answer, or an ERROR that says what could not be read; no other number suffers."""
    try:
        return reader(ref, item)
    except KeyError as exc:
        return error(ref, f"the answer cannot be read: the field {exc} is missing")
    except (AttributeError, TypeError, IndexError):
        return error(ref, "the answer cannot be read: a field is of another kind than it should be")
    except (ValueError, RecursionError) as exc:
        return error(ref, f"the answer cannot be read: {exc}")


class Answers(Mapping[TrackingRef, TrackingAnswer]):
    """Answers that are made when they are asked for: a file about a hundred thousand parcels is read a few at a time.

    *parts* holds by number what *reader*, which must not fail, makes its answer of.
    """

    def __init__(
        self, parts: Mapping[TrackingRef, Part], reader: Callable[[TrackingRef, Part], TrackingAnswer]
    ) -> None:
        self._parts, self._reader = parts, reader

    def __getitem__(self, ref: TrackingRef) -> TrackingAnswer:
        return self._reader(ref, self._parts[ref])

    def __iter__(self) -> Iterator[TrackingRef]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def error(ref: TrackingRef, message: str, raw: bytes = b"") -> TrackingAnswer:
    """What went wrong with this number alone; *message* is redacted here."""
    return TrackingAnswer(ref, AnswerOutcome.ERROR, raw, message=redact(message))


def not_found(ref: TrackingRef, raw: bytes = b"", message: str = "") -> TrackingAnswer:
    """The carrier does not know the number (yet)."""
    return TrackingAnswer(ref, AnswerOutcome.NOT_FOUND, raw, message=redact(message) or None)


def said_in(*path: str) -> Callable[[bytes], str | None]:
    """Finds a carrier's own words in a refusal's JSON body, under these keys from the outside in; for `explain`."""

    def explain(body: bytes) -> str | None:
        try:
            found = orjson.loads(body)
            for step in path:
                found = found[0] if isinstance(found, list) else found
                found = found[step]
        except (ValueError, KeyError, TypeError, IndexError):
            return None
        return text(found) or None

    return explain
