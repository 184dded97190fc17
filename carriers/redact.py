"""Takes out of a carrier's words what must not reach a log, an alert or a screen."""

from __future__ import annotations

import re

MAX_LENGTH = 300
"""Characters kept of a carrier's message: enough for its sentence, too little for a page of HTML."""

OUTCOME = r"(?!HTTP(?:/[\d.]+|[ ]\d{3})\b|not sent \(|no answer \(|sent, but )"
"""Before what would else be taken for a secret: what `carriers.http` and logs of HTTP write after a request, whose path may
end in `token`, `basic` or another word that announces one (`POST /oauth/token: HTTP 500`)."""

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"\b(authorization|bearer|basic)\b[\s:=]+{OUTCOME}(?:(?:bearer|basic)\s+)?[^\s,;\"']+", re.I),
        r"\1 [hidden]",
    ),
    (re.compile(r"\beyJ[\w.-]+"), "[hidden]"),
    (re.compile(r"\bcws-[\w.-]+", re.I), "[hidden]"),
    (re.compile(r"(?<=[\w/])\?[^\s\"'<>]*=[^\s\"'<>]*"), "?[hidden]"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    # CPF and CNPJ with their punctuation, then any run long enough to be one (11 and 14 digits) or a mobile phone.
    (re.compile(r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b|\b\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}\b"), "[digits]"),
    (re.compile(r"\d{11,}"), "[digits]"),
    # An access code has about forty letters and digits; no word of a message does.
    (re.compile(r"[A-Za-z0-9_+=]{32,}"), "[hidden]"),
)


def redact(text: str) -> str:
    """*text* on one line, cut to `MAX_LENGTH`, without tokens, query strings, e-mail addresses and document numbers."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for pattern, replacement in _RULES:
        line = pattern.sub(replacement, line)
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"
