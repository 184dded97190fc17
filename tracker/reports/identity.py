"""The ids that people and scripts use: a letter for the kind of thing and its number (`P12`, `C7`, `M3`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PREFIXES: Final[Mapping[str, str]] = {
    "shipment": "S",
    "problem": "P",
    "claim": "C",
    "message": "M",
    "notice": "N",
    "alert": "A",
    "incident": "I",
    "decision": "D",
    "order": "O",
}
"""Kind of thing (as decisions name their subjects) to the letter of its ids."""
_KINDS: Final = {letter: kind for kind, letter in PREFIXES.items()}
_FORM: Final = re.compile(r"([A-Za-z]?)\s*0*([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublicId:
    """An id as typed; `kind` is None for a bare number."""

    kind: str | None
    row_id: int


def public_id(kind: str, row_id: int) -> str:
    """The id that exports and commands show."""
    prefix = PREFIXES.get(kind)
    return f"{prefix}{row_id}" if prefix else f"{kind}:{row_id}"


def optional_id(kind: str, row_id: int | None) -> str | None:
    """The same, for a reference that may be absent."""
    return None if row_id is None else public_id(kind, row_id)


def parse_id(text: str) -> PublicId | None:
    """`p12`, `P 12` or `12`; None where it has no such form or no such letter exists."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return None
    letter, number = match.group(1).upper(), int(match.group(2))
    if letter and letter not in _KINDS:
        return None
    return PublicId(_KINDS[letter] if letter else None, number)
