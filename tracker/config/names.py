"""Recognising a name however it was typed: without accents, case, punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tracker.domain.text import without_accents


def fold(text: str) -> str:
    """`  Via  Expressão ` -> `via expressao`; what has no letter or digit becomes empty."""
    return " ".join(re.findall(r"[^\W_]+", without_accents(text).casefold()))


def recognise(raw: str, known: Iterable[tuple[str, str]]) -> str | None:
    """The owner of the name that `raw` is, or else of the longest name that `raw` contains as whole words.

    Args:
        raw: as the order has it, such as `SEDEX 10 - Contrato`.
        known: (name, owner) pairs. Of equally long names of different owners none is chosen: a wrong carrier is
            asked for ever, a missing one is seen at once.
    """
    text = fold(raw)
    names = {fold(name): owner for name, owner in known}
    if text in names:
        return names[text]
    padded = f" {text} "
    found = {name: owner for name, owner in names.items() if name and f" {name} " in padded}
    longest = max(map(len, found), default=0)
    owners = {owner for name, owner in found.items() if len(name) == longest}
    return owners.pop() if len(owners) == 1 else None
