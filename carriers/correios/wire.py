"""What all Correios APIs share: the shape of their errors, and the bytes we keep as evidence."""

from __future__ import annotations

import unicodedata
from typing import Any

import orjson

from carriers.redact import redact

MAX_DEPTH = 40
"""Levels of nesting followed; a tracking object has six."""
_NESTED = (dict, list)  # `dict | list` would be put together anew for each of an answer's fields


def explain(body: bytes) -> str | None:
    """The words of a Correios error body: its `msgs` joined, or the claims API's own text; None where there are none.

    `causa` and `stackTrace` are left aside: they are not always there and are written for Correios' own people.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(data, dict):
        return None
    msgs = data.get("msgs")
    if isinstance(msgs, str):
        msgs = [msgs]
    if isinstance(msgs, list) and msgs:
        return redact("; ".join(str(text) for text in msgs))
    text = data.get("descricaoRetorno")
    return redact(text) if isinstance(text, str) and text else None


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


def plain(text: str) -> str:
    """*text* in lower case, without accents, one blank between words: for comparing Portuguese."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in folded if not unicodedata.combining(c)).split())
