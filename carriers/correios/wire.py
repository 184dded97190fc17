"""What all Correios APIs share: the shape of their errors."""

from __future__ import annotations

import orjson

from carriers.redact import redact


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
