"""The lines of an OCOREN file: the fixed-width layouts 3.0/3.1 (120 characters) and 5.0 (250), as carriers really write them.

Layout 3.1: Proceda's manual of 15 May 2000. Layout 5.0: three programs that write or read it agree (ACBr, TOTVS, PHPProceda);
read November 2026. A line names its record by its first three characters; what stands in the following records belongs to the
occurrence before them. What cannot be read costs its own line and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from carriers.base import FeedFault, TrackingRef
from carriers.dates import NEWEST_YEAR, OLDEST_YEAR
from carriers.invoice import invoice_ref

ZONE = ZoneInfo("America/Sao_Paulo")
"""The layout names no zone: the carriers mean Brasília."""
MAX_FAULTS = 1000
"""So many lines are named; a file with more faults than that is one fault."""
HEADS = ("340", "540")
OCCURRENCES = ("342", "542")
_OPENING = ("000", *HEADS, "341", "541", *OCCURRENCES)
_LOOKED_AT = 10
_BOM = b"\xef\xbb\xbf"
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


class Layout(NamedTuple):
    """Where the fields of an occurrence stand, from 0; `code` is the first of its characters, `width` how many it has."""

    number: slice
    code: int
    width: int
    text: slice


_V3 = Layout(slice(20, 28), 28, 2, slice(44, 114))
_V3_WIDE = Layout(slice(20, 28), 28, 3, slice(45, 115))
"""As ACBr writes 3.x: the code has three digits, and everything behind it stands one place later."""
_V5 = Layout(slice(20, 29), 29, 3, slice(0, 0))


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence. `code` as the standard table has it; `occurred_at` aware UTC, midnight where `has_time` is false."""

    line: int
    ref: TrackingRef
    code: str
    occurred_at: datetime
    has_time: bool
    observation: str
    """Two digits; `00` where there is none."""
    text: str = field(repr=False)
    stamp: str = ""
    """Date and time as the line has them, for the event's key."""
    items: tuple[str, ...] = ()
    carrier: str = ""
    """CNPJ of the carrier whose occurrence it is."""


@dataclass(frozen=True, slots=True)
class File:
    """What a file holds, in its order."""

    occurrences: tuple[Occurrence, ...]
    faults: tuple[FeedFault, ...]


def decoded(payload: bytes) -> str:
    """The text. Latin-1 is usual; a file in UTF-8 is known by its mark, or by being nothing else."""
    payload = payload.removeprefix(_BOM).rstrip(b"\x00\x1a \r\n")
    with suppress(UnicodeDecodeError):
        return payload.decode("utf-8")
    return payload.decode("latin-1")


def is_ocoren(payload: bytes) -> bool:
    """Whether the first lines are those of an occurrence file; other Proceda files begin with the same header."""
    # A page is enough for the first lines, and cuts no character that matters.
    lines = [line for line in _LINE_ENDS.split(decoded(payload[:8192])) if line.strip()][:_LOOKED_AT]
    if not lines or not lines[0].startswith(_OPENING):
        return False
    return any(line.startswith((*HEADS, *OCCURRENCES)) for line in lines)


def read_file(payload: bytes) -> File:
    """Every occurrence that can be read, and a fault for each line that cannot."""
    reader = _Reader()
    for number, line in enumerate(_LINE_ENDS.split(decoded(payload)), start=1):
        if line.strip():
            reader.take(number, line)
    return reader.file()


class _LineError(ValueError):
    """The sentence is for a person, without what stands in the line."""


class _Reader:
    def __init__(self) -> None:
        self._done: list[Occurrence] = []
        self._faults: list[FeedFault] = []
        self._unnamed = 0
        self._carrier = ""
        self._current: Occurrence | None = None
        self._is_lost = False
        """The occurrence that the next records belong to could not be read: neither can they, and that was said."""
        self._counted = 0

    def take(self, number: int, line: str) -> None:
        try:
            self._take(number, line)
        except _LineError as fault:
            self._blame(number, str(fault))

    def _take(self, number: int, line: str) -> None:
        record = line[:3]
        if record in OCCURRENCES:
            self._begin(number, line)
        elif record in ("343", "543", "544", "545"):
            self._add(record, line)
        elif record in ("341", "541"):
            self._close()
            self._carrier = line[3:17].strip().upper()
        elif record in ("000", *HEADS):
            self._close()
        elif record == "549":
            self._end(line)
        else:
            raise _LineError("is no record of an OCOREN file: it was left out")

    def _begin(self, number: int, line: str) -> None:
        self._close()
        self._counted += 1
        self._is_lost = True
        self._current = _occurrence(number, line, self._carrier)
        self._is_lost = False

    def _add(self, record: str, line: str) -> None:
        if self._current is None:
            if self._is_lost:
                return
            raise _LineError(f"record {record} stands behind no occurrence: it was left out")
        if record == "543":
            said = " ".join(part for start in (3, 73, 143) if (part := line[start : start + 70].strip()))
            self._current = replace(self._current, text=f"{self._current.text} {said}".strip())
        elif record == "544":
            self._current = replace(self._current, items=(*self._current.items, _item(line)))
        # 343 and 545 name the freight document of another carrier, which no parcel is known by.

    def _end(self, line: str) -> None:
        self._close()
        said = line[3:7].strip()
        if said.isascii() and said.isdigit() and int(said) != self._counted % 10_000:
            raise _LineError(
                f"counts {int(said)} occurrences, but the file holds {self._counted}: it may have been cut off on its way"
            )

    def _close(self) -> None:
        if self._current is not None:
            self._done.append(self._current)
        self._current, self._is_lost = None, False

    def _blame(self, number: int, reason: str) -> None:
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(FeedFault(number, reason))
        else:
            self._unnamed += 1

    def file(self) -> File:
        self._close()
        rest = [FeedFault(None, f"{self._unnamed} more lines could not be read")] if self._unnamed else []
        return File(tuple(self._done), (*self._faults, *rest))


def _occurrence(number: int, line: str, carrier: str) -> Occurrence:
    layout = _V5 if line.startswith("5") else _layout_3(line)
    line = line.ljust(115)
    issuer = line[3:17].strip()
    if issuer.isascii() and issuer.isdigit():
        issuer = issuer.zfill(14)  # a person's CPF, with or without its padding
    ref = invoice_ref(issuer, line[17:20], line[layout.number])
    if ref is None:
        raise _LineError("names no invoice: issuer, series or number cannot be read")
    at = layout.code + layout.width
    day = _day(line[at : at + 8])
    if day is None:
        raise _LineError("has no date that can be (DDMMYYYY)")
    clock = _time(line[at + 8 : at + 12])
    local = day.replace(hour=clock[0], minute=clock[1]) if clock else day
    observation = line[at + 12 : at + 14].strip()
    return Occurrence(
        line=number,
        ref=ref,
        code=_code(line[layout.code : at]),
        occurred_at=local.replace(tzinfo=ZONE).astimezone(UTC),
        has_time=clock is not None,
        observation=observation.zfill(2) if observation.isdigit() else "00",
        text=" ".join(line[layout.text].split()),
        stamp=f"{day:%Y%m%d}" + (f"{clock[0]:02}{clock[1]:02}" if clock else ""),
        carrier=carrier,
    )


def _layout_3(line: str) -> Layout:
    """Two digits where a date follows them; three where one follows those. Neither: reading on says so."""
    is_wide = _day(line[30:38]) is None and _day(line[31:39]) is not None
    return _V3_WIDE if is_wide else _V3


def _code(text: str) -> str:
    """`1`, `01` and `001` are the table's `01`; 110 and 999 are a carrier's own and stay as they are."""
    code = text.strip().upper()
    if not code.isascii() or not code.isalnum():
        raise _LineError("has no occurrence code")
    return f"{int(code):02}" if code.isdigit() else code


def _day(text: str) -> datetime | None:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        found = datetime(int(text[4:]), int(text[2:4]), int(text[:2]))  # noqa: DTZ001 - the zone is put to it by its reader
    except ValueError:
        return None
    return found if OLDEST_YEAR <= found.year < NEWEST_YEAR else None


def _time(text: str) -> tuple[int, int] | None:
    """Hour and minute; None where there is none, or none that can be: some programs write it two places off."""
    if text == "2400":
        # The night before the day or after it: nobody knows, and a day decides what is late.
        raise _LineError("has the time 2400, which is none (0000 to 2359)")
    if len(text) != 4 or not (text.isascii() and text.isdigit()):
        return None
    hour, minute = int(text[:2]), int(text[2:])
    return (hour, minute) if hour < 24 and minute < 60 else None


def _item(line: str) -> str:
    """`2 of 3 CANECA DE PORCELANA`: what of an invoice's item was delivered."""
    sent, delivered = _quantity(line[3:11]), _quantity(line[11:19])
    name = " ".join(line[39:89].split()) or line[19:39].strip()
    return f"{delivered} de {sent} {name}".strip()


def _quantity(text: str) -> str:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        return "?"
    whole, hundredths = divmod(int(digits), 100)
    return f"{whole},{hundredths:02}".rstrip("0").rstrip(",") if hundredths else str(whole)


def by_ref(occurrences: Iterable[Occurrence]) -> dict[TrackingRef, list[Occurrence]]:
    """The occurrences of each invoice, in the order of the file."""
    found: dict[TrackingRef, list[Occurrence]] = {}
    for one in occurrences:
        found.setdefault(one.ref, []).append(one)
    return found
