"""Reads a mail that came back: what became of which recipient, and of which message of ours. Pure; bytes in, facts out.

RFC 3464 (delivery reports) and RFC 5965 (complaints) are read as they are written; servers that answer in their own words go
through flufl.bounce. Answers of machines (RFC 3834) are told apart from people's. What a stranger sends must not hurt: the
mail is cut, and one with more parts than a report can have is not taken apart at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from enum import StrEnum
from typing import Final, Protocol

MAX_BYTES: Final = 256 * 1024
"""A report stands at the beginning of its mail; what follows is a copy of what was sent."""
MAX_PARTS: Final = 40
MAX_RECIPIENTS: Final = 50
MAX_IDS: Final = 20
_TEXT: Final = 2_000
_PART = re.compile(rb"(?im)\bboundary\s*=|^content-type\s*:\s*(?:message|multipart)/")
_OUR_ID = re.compile(r"<[0-9a-f]{32}@[A-Za-z0-9.-]{1,253}>")
_OUR_TOKEN = re.compile(r"[0-9a-f]{32}")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ADDRESS = re.compile(r"[^\s<>;,\"]{1,64}@[^\s<>;,\"]{1,253}")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_REFUSAL = re.compile(r"\b[45]\d\d[ -](?:[45]\.\d{1,3}\.\d{1,3}\b)?[^\r\n]{0,300}")
_MACHINES: Final = ("mailer-daemon", "postmaster", "mail delivery", "bounce")
_BULK: Final = frozenset({"bulk", "junk", "auto_reply", "list"})


class Kind(StrEnum):
    BOUNCE = "bounce"
    """Of some recipients it says what became of them: failed for good, or delayed."""
    COMPLAINT = "complaint"
    """A recipient told his provider that he does not want it."""
    AUTOMATIC = "automatic"
    """A machine's answer: out of office, read receipts."""
    OTHER = "other"
    """A person's, or nothing that we know."""
    UNREADABLE = "unreadable"
    """It has more parts than a report can have, or cannot be taken apart."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient. `action` is `failed`, `delayed` or another of RFC 3464's; `status` x.y.z or empty."""

    addresses: tuple[str, ...]
    """As named: the original first, then the final one."""
    action: str
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """`key` is the same for the same mail, however often it is read.

    `ids` are the Message-IDs that it names; `refs` the local parts of ours in the mail that it is about, `tokens` those in
    the addresses it was sent to; `names_original`: it shows the headers of the mail that it is about.
    """

    key: str
    kind: Kind
    fates: tuple[Fate, ...] = ()
    ids: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    names_original: bool = False


class _Found(Protocol):
    def __call__(self, kind: Kind, fates: Iterable[Fate] = ()) -> Returned: ...


def read_returned(raw: bytes) -> Returned:
    """Read one mail; only its first `MAX_BYTES` are looked at. Never raises for what a stranger wrote."""
    raw = raw[:MAX_BYTES]
    headers = _headers(raw)
    key = _key(headers, raw)
    if len(_PART.findall(raw)) > MAX_PARTS:
        return Returned(key, Kind.UNREADABLE)
    try:
        return _read(message_from_bytes(raw, policy=policy.compat32), raw, key)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        # The library trips over some forms that its own parser lets through.
        return Returned(key, Kind.UNREADABLE)


def _read(message: Message, raw: bytes, key: str) -> Returned:
    parts = list(_parts(message))
    original = _original(parts)
    ids, refs, tokens = _ids(message, original, raw), _refs(original), _tokens(message)
    named = original is not None

    def found(kind: Kind, fates: Iterable[Fate] = ()) -> Returned:
        return Returned(key, kind, tuple(fates)[:MAX_RECIPIENTS], ids, refs, tokens, named)

    report = _of_type(parts, "message/feedback-report")
    if report is not None:
        return _complaint(report, original, found)
    status = _of_type(parts, "message/delivery-status")
    if status is not None and (fates := list(_fates(status))):
        return found(Kind.BOUNCE, fates)
    if _report_type(message) == "disposition-notification":
        return found(Kind.AUTOMATIC)
    if _is_a_machines(message) and (fates := list(_in_other_words(message, parts))):
        return found(Kind.BOUNCE, fates)
    return found(Kind.AUTOMATIC if _is_automatic(message) else Kind.OTHER)


# --- the three kinds of report ----------------------------------------------------------------------


def _fates(status: Message) -> Iterator[Fate]:
    """The groups of a delivery report that speak of a recipient."""
    for group in _groups(status):
        action = _text(group.get("Action")).strip().lower()
        original, final = _named(group.get("Original-Recipient")), _named(group.get("Final-Recipient"))
        if not action or not (original or final):
            continue
        addresses = dict.fromkeys(one for one in (_XTEXT.sub(_unescaped, original), final) if one)
        found = _STATUS.search(_text(group.get("Status")))
        diagnostic = " ".join(_text(group.get("Diagnostic-Code")).split())[:_TEXT]
        yield Fate(tuple(addresses), action, found[1] if found else "", diagnostic)


def _complaint(report: Message, original: Message | None, found: _Found) -> Returned:
    groups = list(_groups(report))
    kind = next((_text(group.get("Feedback-Type")).strip().lower() for group in groups), "")
    if kind == "not-spam":
        return found(Kind.AUTOMATIC)
    named = [
        _address_in(_text(group.get(name))) for group in groups for name in ("Original-Rcpt-To", "Removal-Recipient")
    ]
    if original is not None:
        named += [address for _, address in getaddresses([_text(original.get("To"))])]
    addresses = tuple(dict.fromkeys(one for one in named if one))
    return found(Kind.COMPLAINT, [Fate(addresses, "complaint", "", f"feedback report: {kind or 'abuse'}")])


def _in_other_words(message: Message, parts: list[Message]) -> Iterator[Fate]:
    """Servers that answer in their own words: flufl.bounce knows many of them."""
    from flufl.bounce import all_failures

    try:
        delayed, failed = all_failures(message)
    except Exception:  # seventeen detectors of a library's, run on what strangers send
        return
    words = " ".join(_words(parts).split())
    said = _REFUSAL.search(words)
    diagnostic = said[0] if said else words[:300]
    for action, addresses in (("failed", failed), ("delayed", delayed - failed)):
        for address in sorted(addresses):
            yield Fate((address.decode("ascii", "replace"),), action, "", diagnostic)


# --- parts and headers ------------------------------------------------------------------------------


def _headers(raw: bytes) -> Message:
    try:
        return BytesHeaderParser(policy=policy.compat32).parsebytes(raw)
    except (ValueError, LookupError):
        return Message()


def _key(headers: Message, raw: bytes) -> str:
    message_id = _text(headers.get("Message-ID")).strip()
    seen = f"{message_id}\n{_text(headers.get('Date'))}".encode("utf-8", "replace") if message_id else raw
    return hashlib.blake2b(seen, digest_size=16).hexdigest()


def _parts(message: Message) -> Iterator[Message]:
    """The mail's parts, not those of the mail inside it."""
    waiting = [message]
    while waiting:
        part = waiting.pop(0)
        yield part
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting += [one for one in payload if isinstance(one, Message)]


def _of_type(parts: list[Message], kind: str) -> Message | None:
    return next((part for part in parts if part.get_content_type() == kind), None)


def _groups(part: Message) -> list[Message]:
    """The groups of headers of a report's machine-readable part."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [one for one in payload if isinstance(one, Message)]
    decoded = part.get_payload(decode=True)
    blocks = re.split(rb"\r?\n\r?\n", decoded) if isinstance(decoded, bytes) else []
    return [BytesHeaderParser(policy=policy.compat32).parsebytes(block) for block in blocks[:MAX_RECIPIENTS]]


def _original(parts: list[Message]) -> Message | None:
    """The headers of the mail that this one is about."""
    for part in parts:
        payload = part.get_payload()
        if part.get_content_type() in {"message/rfc822", "message/global"} and isinstance(payload, list) and payload:
            return payload[0] if isinstance(payload[0], Message) else None
        if part.get_content_type() in {"text/rfc822-headers", "message/global-headers", "message/partial"}:
            decoded = part.get_payload(decode=True)
            if isinstance(decoded, bytes):
                return BytesHeaderParser(policy=policy.compat32).parsebytes(decoded)
    return None


def _ids(message: Message, original: Message | None, raw: bytes) -> tuple[str, ...]:
    """Message-IDs of the mail it is about, else of those it answers and any of ours in its text."""
    if original is not None:
        named = _text(original.get("Message-ID")).strip()
        return (named,) if named else ()
    answered = " ".join(_text(message.get(name)) for name in ("In-Reply-To", "References"))
    text = raw.decode("ascii", "replace")
    return tuple(dict.fromkeys((*_OUR_ID.findall(answered), *_OUR_ID.findall(text))))[:MAX_IDS]


def _refs(original: Message | None) -> tuple[str, ...]:
    """A provider may have put another Message-ID in the place of ours (Amazon SES does); this header it leaves alone."""
    token = _text(original.get("X-Entity-Ref-ID")).strip() if original is not None else ""
    return (token,) if _OUR_TOKEN.fullmatch(token) else ()


def _tokens(message: Message) -> tuple[str, ...]:
    """What stands after a `+` in the addresses this mail was sent to: ours is 32 hexadecimal digits."""
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
    values = [_text(value) for name in names for value in message.get_all(name, [])]
    found = [token for value in values for token in re.findall(r"\+([0-9a-f]{32})@", value.lower())]
    return tuple(dict.fromkeys(found))[:MAX_IDS]


def _report_type(message: Message) -> str:
    return _text(message.get_param("report-type", "") or "").lower()


def _is_a_machines(message: Message) -> bool:
    """Whether it looks like a mail server's own: from nobody, or from its daemon."""
    sender = _text(message.get("From")).lower()
    nobody = _text(message.get("Return-Path")).strip() == "<>"
    return nobody or any(name in sender for name in _MACHINES)


def _is_automatic(message: Message) -> bool:
    auto = _text(message.get("Auto-Submitted")).split(";")[0].strip().lower()
    if auto and auto != "no":
        return True
    if _text(message.get("Precedence")).strip().lower() in _BULK:
        return True
    given = any(message.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))
    return given or _text(message.get("Return-Path")).strip() == "<>"


def _words(parts: list[Message]) -> str:
    for part in parts:
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", "replace")[:_TEXT] if isinstance(payload, bytes) else ""
    return ""


def _named(value: object) -> str:
    """`rfc822; joana@cliente.example` -> the address."""
    kind, semicolon, rest = _text(value).partition(";")
    return _address_in(rest if semicolon else kind)


def _address_in(text: str) -> str:
    found = _ADDRESS.search(text)
    return found[0] if found else ""


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _text(value: object) -> str:
    return "" if value is None else str(value)
