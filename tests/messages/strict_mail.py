"""A strict reader of a message's bytes: what RFC 5322, 2045 and 2047 demand, and nothing forgiven."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from dataclasses import dataclass

_NAME = re.compile(rb"[!-9;-~]+")
_ENCODED = re.compile(rb"=\?([A-Za-z0-9-]+)\?([bq])\?([!-~]*?)\?=", re.IGNORECASE)
_ENCODABLE = {b"from", b"to", b"reply-to", b"subject"}
"""Headers in which an encoded word may stand; anywhere else it is a token that was broken (the folding trap)."""
_TOKENS = {
    b"message-id": re.compile(rb"<[^\s<>@]+@[^\s<>@]+>"),
    b"in-reply-to": re.compile(rb"<[^\s<>@]+@[^\s<>@]+>"),
    b"references": re.compile(rb"<[^\s<>@]+@[^\s<>@]+>( <[^\s<>@]+@[^\s<>@]+>)*"),
    b"auto-submitted": re.compile(rb"auto-generated"),
    b"feedback-id": re.compile(rb"[^\s:]+:[^\s:]+:[^\s:]+:[^\s:]+"),
    b"x-entity-ref-id": re.compile(rb"[^\s]+"),
    b"mime-version": re.compile(rb"1\.0"),
}
ALLOWED = {
    *(b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"in-reply-to", b"references", b"mime-version"),
    *(b"auto-submitted", b"x-auto-response-suppress", b"feedback-id", b"x-entity-ref-id", b"content-type"),
}
"""Everything that a message of ours may say in its head."""


class NotStrict(AssertionError):
    """The bytes break a rule."""


@dataclass(frozen=True)
class StrictMail:
    """Headers as they stand unfolded, by lower-case name; the two parts decoded."""

    headers: dict[bytes, bytes]
    text: str
    html: str

    def shown(self, name: bytes) -> str:
        """A header as a reader sees it: encoded words decoded, the blank between two of them gone."""
        value = re.sub(rb"(?<=\?=)\s+(?==\?)", b"", self.headers[name])
        return _ENCODED.sub(lambda word: _word(*word.groups()), value).decode("utf-8")


def read(data: bytes) -> StrictMail:
    """The message behind these bytes. Raises NotStrict, which says which rule is broken."""
    _demand(data.isascii(), "only ASCII")
    _demand(b"\x00" not in data, "no NUL")
    _demand(re.search(rb"(?<!\r)\n|\r(?!\n)", data) is None, "CRLF at every line's end")
    _demand(max(map(len, data.split(b"\r\n"))) <= 998, "lines of 998 characters at most")
    head, blank, body = data.partition(b"\r\n\r\n")
    _demand(blank != b"", "an empty line after the head")
    headers = _headers(head)
    _demand(set(headers) <= ALLOWED, f"no header but ours, found {sorted(set(headers) - ALLOWED)}")
    for name, pattern in _TOKENS.items():
        if name in headers:
            _demand(pattern.fullmatch(headers[name]) is not None, f"{name.decode()} whole: {headers[name]!r}")
    text, html = _parts(headers[b"content-type"], body)
    return StrictMail(headers, text, html)


def _headers(head: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for line in re.sub(rb"\r\n(?=[ \t])", b"", head).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        _demand(colon == b":" and _NAME.fullmatch(name) is not None, f"a header's name and colon: {line[:40]!r}")
        _demand(name.lower() not in found, f"each header once: {name!r}")
        _demand(
            not any((byte < 32 and byte != 9) or byte == 127 for byte in value), f"no control character in {name!r}"
        )
        for word in _ENCODED.finditer(value):
            _demand(name.lower() in _ENCODABLE, f"no encoded word in {name!r}")
            _demand(len(word.group()) <= 75, f"encoded words of 75 characters at most in {name!r}")
            _word(*word.groups())
        found[name.lower()] = value.strip()
    for line in head.split(b"\r\n"):
        _demand(line.strip() != b"", "no folded line that is empty")
    return found


def _word(charset: bytes, encoding: bytes, text: bytes) -> bytes:
    """The UTF-8 behind an encoded word."""
    _demand(charset.lower() == b"utf-8", "encoded words in UTF-8")
    try:
        raw = (
            base64.b64decode(text, validate=True)
            if encoding.lower() == b"b"
            else quopri.decodestring(text, header=True)
        )
        raw.decode("utf-8")  # a word ends between characters
    except (binascii.Error, UnicodeDecodeError) as error:
        raise NotStrict(f"an encoded word that can be read: {text!r}") from error
    return raw


def _parts(content_type: bytes, body: bytes) -> tuple[str, str]:
    match = re.fullmatch(rb'multipart/alternative; boundary="([!-~]{1,70})"', content_type)
    _demand(match is not None, f"multipart/alternative with a boundary: {content_type!r}")
    assert match is not None
    pieces = (b"\r\n" + body).split(b"\r\n--" + match.group(1))
    _demand(len(pieces) == 4 and pieces[3].strip() == b"--", f"two parts and an end, found {len(pieces) - 2}")
    return _part(pieces[1], b"text/plain"), _part(pieces[2], b"text/html")


def _part(piece: bytes, kind: bytes) -> str:
    head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = _headers(head)
    _demand(headers[b"content-type"] == kind + b'; charset="utf-8"', f"{kind!r} in UTF-8: {headers[b'content-type']!r}")
    encoding = headers[b"content-transfer-encoding"]
    _demand(max(map(len, content.split(b"\r\n"))) <= (998 if encoding == b"7bit" else 76), "short lines in a part")
    if encoding == b"base64":
        return base64.b64decode(content.replace(b"\r\n", b""), validate=True).decode("utf-8")
    if encoding == b"quoted-printable":
        _demand(re.search(rb"=(?![0-9A-F]{2}|\r\n)", content) is None, "quoted-printable without strays")
        return quopri.decodestring(content).decode("utf-8")
    _demand(encoding == b"7bit", f"a known encoding: {encoding!r}")
    return content.decode("ascii")


def _demand(holds: bool, rule: str) -> None:
    if not holds:
        raise NotStrict(rule)
