"""Takes personal data and secrets out of what is about to be logged.

Three nets, because each has holes: patterns in every text, keys by their name, and exceptions whose message would
quote a value. Nothing is hashed: an e-mail or a CPF is found again from its hash by trying all of them.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from carriers.redact import OUTCOME
from tracker.domain.documents import cnpj

HIDDEN: Final = "[hidden]"
DIGITS: Final = "[digits]"
MAX_TEXT: Final = 4_000
"""Characters kept of one value: enough for a long reason, too little for a page of HTML."""
MAX_MESSAGE: Final = 300
MAX_FRAMES: Final = 20
MAX_DEPTH: Final = 6

_TEXT_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(//[^/\s:@]*):[^/\s@]+@"), rf"\1:{HIDDEN}@"),
    (
        re.compile(rf"\b(authorization|bearer|basic)\b[\s:=]+{OUTCOME}(?:(?:bearer|basic)\s+)?[^\s,;\"'}}]+", re.I),
        rf"\1 {HIDDEN}",
    ),
    (
        re.compile(
            r"\b((?:\w+_)?(?:password|passwd|senha|secret|token|api_?key))([\"']?\s*[=:]\s*[\"']?)"
            rf"{OUTCOME}[^\s,;&\"'}}]+",
            re.I,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\beyJ[\w.-]{8,}"), HIDDEN),
    (re.compile(r"\b(?:cws|whsec|sk|pk)[-_][\w.+/=-]{6,}", re.I), HIDDEN),
    (re.compile(r"[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    # CPF in any usual spelling. A full stop before the last two digits is not one of them: that is an IPv4 address.
    (re.compile(r"(?<![\w.])\d{3}[.\s]?\d{3}[.\s]?\d{3}[-/\s]?\d{2}(?![\w])"), DIGITS),
    (re.compile(r"(?<!\w)[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/[0-9A-Z]{4}-?\d{2}(?!\d)", re.I), DIGITS),
    (re.compile(r"(?<!\d)(?:\+?55[\s-]?)?\(?\d{2}\)?[\s-]?9?\d{4}-\d{4}(?!\d)"), DIGITS),
    (re.compile(r"\d{11,}"), DIGITS),
)
_BARE_CNPJ: Final = re.compile(r"(?<!\w)[0-9A-Z]{12}\d{2}(?!\w)", re.I)
"""Looks like many a code, so only one whose check digits agree counts."""

_SECRET_WORDS: Final = frozenset(
    {"password", "passwd", "senha", "secret", "token", "authorization", "bearer", "cookie", "credential", "apikey"}
)
_SECRET_PAIRS: Final = ("api_key", "access_code", "access_key", "private_key", "posting_card")
_PERSONAL_LAST_WORDS: Final = frozenset(
    {"email", "mail", "recipient", "cpf", "cnpj", "document", "phone", "mobile", "address", "street"}
)
_PERSONAL_NAMES: Final = frozenset({"customer", "customer_name", "consignee", "consignee_name", "recipient_name"})
_LANE_NAME: Final = re.compile(r"^\w+[:#]")
"""`messages:email`, `poll:ACCOUNT`: a name and no field, so that a count under it is only a count."""
_WORDS: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

_OWN_MODULES: Final = frozenset({"tracker", "carriers"})
"""Their sentences are ours and quote no one."""
_LIBRARIES: Final = frozenset({"sqlite3", "sqlalchemy", "psycopg", "httpx", "httpcore", "ssl", "asyncio", "aiosmtplib"})
"""The first line names the fault; PostgreSQL puts the offending values into a DETAIL line below it."""
_PLAIN_FAULTS: Final = (TypeError, AttributeError, NameError, ImportError, RuntimeError, OSError, MemoryError)


def redact_text(text: str) -> str:
    """*text* without tokens, passwords, e-mail addresses, CPF, CNPJ, phone numbers and other long numbers."""
    for pattern, replacement in _TEXT_RULES:
        text = pattern.sub(replacement, text)
    text = _BARE_CNPJ.sub(lambda found: DIGITS if cnpj(found.group()) else found.group(), text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def redact_value(key: str, value: Any, depth: int = 0) -> Any:
    """*value* as it may stand under *key* in a log line: plain JSON types, nested ones included."""
    if value is None or isinstance(value, bool | float):
        return value
    if _is_private(key) and not (isinstance(value, int) and _LANE_NAME.search(key)):
        return HIDDEN
    if isinstance(value, int):
        # Ten digits and fewer are our own numbers; eleven may be a CPF.
        return value if abs(value) < 10**10 else DIGITS
    if isinstance(value, str):
        return redact_text(value)
    if depth >= MAX_DEPTH:
        return HIDDEN
    if isinstance(value, Mapping):
        return {redact_text(str(name)): redact_value(str(name), inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(key, inner, depth + 1) for inner in value]
    if isinstance(value, BaseException):
        return exception_line(value)
    if isinstance(value, date):
        return value.isoformat()
    return redact_text(str(value))


def exception_line(error: BaseException) -> str:
    """The type of *error*, with its message where that can hold no value of somebody's."""
    name = type(error).__qualname__
    message = _message(error)
    return f"{name}: {message}" if message else name


def exception_text(error: BaseException) -> str:
    """The traceback of *error* and of what caused it, the cause first; no source lines, no values."""
    return "\n".join(line for one in _chain(error) for line in _lines(one))


def _is_private(key: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(key)]
    joined = "_".join(words)
    return (
        not _SECRET_WORDS.isdisjoint(words)
        or any(pair in joined for pair in _SECRET_PAIRS)
        or joined in _PERSONAL_NAMES
        or bool(words and words[-1] in _PERSONAL_LAST_WORDS)
    )


def _message(error: BaseException) -> str:
    package = type(error).__module__.partition(".")[0]
    if not (package in _OWN_MODULES or package in _LIBRARIES or isinstance(error, _PLAIN_FAULTS)):
        # A ValueError, a KeyError or a validation error quotes the value it stumbled over: a name, a street.
        return ""
    text = redact_text(str(error))
    if package not in _OWN_MODULES:
        text = text.partition("\n")[0]
    return text[:MAX_MESSAGE]


def _chain(error: BaseException) -> Iterator[BaseException]:
    links: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in links:
        links.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    for link in reversed(links):
        if isinstance(link, BaseExceptionGroup):
            for inner in link.exceptions:
                yield from _chain(inner)
        yield link


def _lines(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]:
        # The last folders tell which file it is; the rest is the machine's business.
        place = "/".join(Path(frame.filename).parts[-3:])
        yield f"  {place}:{frame.lineno} in {frame.name}"
    yield exception_line(error)
