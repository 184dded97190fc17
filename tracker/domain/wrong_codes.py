"""Codes of an order's file that cannot be tracking codes: kept as they stood, so that the order is found by them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from tracker.domain.documents import bare
from tracker.domain.order import Order

WRONG_CODE: Final = "code"
"""Their name among an order's originals."""
LONGEST: Final = 200
"""Characters that are kept of them."""
_BETWEEN: Final = " / "
_PLAIN: Final = re.compile(r"[\w.:/-]+")


def wrong_codes(originals: Mapping[str, str] | None) -> tuple[str, ...]:
    """The codes that an order's files named and that cannot be, in their order."""
    kept = (originals or {}).get(WRONG_CODE)
    return tuple(kept.split(_BETWEEN)) if kept else ()


def written(codes: Iterable[str]) -> str | None:
    """Such codes as the originals keep them; None where there is none."""
    return _BETWEEN.join(dict.fromkeys(codes))[:LONGEST] or None


def with_wrong_codes(order: Order, codes: Sequence[str]) -> Order:
    """The order with these added to what its file had."""
    kept = dict(order.originals)
    text = written([*wrong_codes(kept), *codes])
    return replace(order, originals=tuple({**kept, WRONG_CODE: text}.items())) if text and codes else order


def is_one_of(text: str, codes: Iterable[str]) -> bool:
    """Whether a person who typed this means one of these codes; blanks, dots and hyphens do not count."""
    return bool(bare(text)) and bare(text) in {bare(code) for code in codes}


def as_typed(text: str) -> str:
    """A name of an order or a code as a person types it into a shell."""
    return text if _PLAIN.fullmatch(text) else f'"{text}"'


def mended_by(text: str) -> str:
    """The command that puts the right code in its place, in Portuguese."""
    return f"tracker edit {as_typed(text)} --code CERTO"
