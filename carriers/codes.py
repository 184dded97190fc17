"""Code tables as data: what a carrier's code, or failing that its words, mean.

A table is a CSV file beside its adapter with the columns `match,text,status,cause,final,confirmed,source`. `match` is the
carrier's code (`text` says what it stands for). With a leading `~` it is matched within the text instead, upper case and
without accents, and the first such line that fits decides: negatives (`~NAO ENTREGUE`) stand above what they contain.
`confirmed` is `no` where the meaning is one source's word only: such a reading, like any made of words, opens no refund claim by
itself. A merchant's own `codes:` win over all.
"""

from __future__ import annotations

import csv
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files

from carriers.base import Cause, CodeWord, TrackingStatus

DELIVERY_ENDS = (TrackingStatus.DELIVERED, TrackingStatus.AVAILABLE_FOR_PICKUP, TrackingStatus.DELIVERY_FAILED)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a code or a text means. `by_words`: see `TrackingEvent.by_words`."""

    status: TrackingStatus
    cause: Cause | None = None
    final: bool = False
    by_words: bool = False
    text: str = ""
    """The table's own words for a code: shown where an event comes without any."""

    @property
    def attempt(self) -> bool:
        """Whether the carrier came, or laid the parcel out: what ends its term. A failure by its own delay does not."""
        if self.status is TrackingStatus.DELIVERY_FAILED:
            return self.cause is not Cause.DELAY
        return self.status in DELIVERY_ENDS


UNKNOWN = Reading(TrackingStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Readings by code and by words. `version` changes with the file."""

    codes: Mapping[str, Reading]
    words: tuple[tuple[str, Reading], ...] = ()
    version: str = ""
    texts: Mapping[str, Reading] = field(default_factory=dict)
    """What a code's own text says where the code is missing: the whole text, for "ENTREGUE" stands in "NAO ENTREGUE" too."""

    def read(self, code: str, text: str = "") -> Reading:
        """What *code* means; only where it has no meaning here, what *text* says. Never a guess: else UNKNOWN."""
        found = self.codes.get(code)
        if found is not None:
            return found
        return self.read_words(text) if text else UNKNOWN

    def with_words(self, other: CodeTable) -> CodeTable:
        """This table, and where it does not know a code: the text as one of its own texts writes it, then *other*'s words.

        Whatever is read so is `by_words`.
        """
        own = {normal(one.text): replace(one, by_words=True) for one in self.codes.values() if one.text}
        return replace(self, words=self.words + other.words, texts=own, version=f"{self.version}{other.version}")

    def read_words(self, text: str) -> Reading:
        """What a text says: as a text of the table's own, else by the first of its words that the text holds."""
        normalised = normal(text)
        if normalised in self.texts:
            return self.texts[normalised]
        for words, reading in self.words:
            if words in normalised:
                return reading
        return UNKNOWN

    def status(self, code: str) -> TrackingStatus | None:
        """For `check-config`: as what the table reads this code, where it does."""
        reading = self.codes.get(code)
        return reading.status if reading and reading.status is not TrackingStatus.UNKNOWN else None

    def word(self, code: str) -> CodeWord:
        """For `check-config`: whether the table reads this code."""
        reading = self.codes.get(code)
        return CodeWord.KNOWN if reading and reading.status is not TrackingStatus.UNKNOWN else CodeWord.UNKNOWN


def normal(text: str) -> str:
    """Upper case, without accents, one blank between words: how texts are compared, and how a text stands as a code."""
    folded = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in folded if not unicodedata.combining(c)).upper().split())


def load(package: str, name: str = "codes.csv") -> CodeTable:
    """The table *name* in *package*. Raises ValueError that names the line where it is not as the module says."""
    content = files(package).joinpath(name).read_bytes()
    return parse(content.decode("utf-8"), hashlib.blake2b(content, digest_size=6).hexdigest())


def parse(text: str, version: str = "") -> CodeTable:
    """See `load`. A code that stands twice is a fault: which of the two holds must not depend on their order."""
    codes: dict[str, Reading] = {}
    words: list[tuple[str, Reading]] = []
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            match, reading = row["match"], _reading(row)
        except (AttributeError, KeyError, ValueError) as exc:
            # A line that is cut short has no value in its last columns.
            raise ValueError(f"line {line} of the code table: {exc}") from exc
        if match.startswith("~"):
            words.append((normal(match[1:]), reading))
        elif match in codes or not match:
            raise ValueError(f"line {line} of the code table: {match!r} is empty or stands twice")
        else:
            codes[match] = reading
    return CodeTable(codes, tuple(words), version)


ROAD_WORDS_FILE = "road_words.csv"


@cache
def road_words() -> CodeTable:
    """What Brazilian road carriers write where they send no code: the carrier-neutral fallback, good for a hint only."""
    return load("carriers", ROAD_WORDS_FILE)


def _reading(row: Mapping[str, str]) -> Reading:
    for name in ("final", "confirmed"):
        if row[name] not in ("yes", "no"):
            raise ValueError(f"{name} is yes or no, not {row[name]!r}")
    words_only = row["match"].startswith("~") or row["confirmed"] != "yes"
    return Reading(
        TrackingStatus(row["status"]),
        Cause(row["cause"]) if row["cause"] else None,
        row["final"] == "yes",
        words_only,
        row.get("text") or "",
    )
