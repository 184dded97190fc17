"""Bytes of a merchant's file to text: byte order marks, Windows code pages, and text encoded twice."""

from __future__ import annotations

import codecs
import re

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TWICE = re.compile("[ÃÂ][\u0080-\u00bf\u0152-\u2122]")
# What Windows-1252 shows for the bytes 0x80-0x9F, back to the byte; undefined ones already are their own code point.
_CP1252_TO_BYTE = {
    ord(bytes([byte]).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
BYTE_TO_CP1252 = {byte: char for char, byte in _CP1252_TO_BYTE.items()}


def decode(data: bytes) -> str:
    """The text of a file, without byte order mark. Never raises: Windows-1252 with gaps takes any bytes."""
    return repair_double_encoding(_to_text(data))


def _to_text(data: bytes) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    unmarked = utf16_without_mark(data)
    if unmarked is not None:
        return data.decode(unmarked, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1").translate(BYTE_TO_CP1252)


def utf16_without_mark(data: bytes) -> str | None:
    """Which UTF-16 the first bytes look like: in Latin text every second byte is zero."""
    head = data[:200]
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if len(zeros) >= 4 and zeros.count(0) > len(zeros) * 0.8:
            return encoding
    return None


def repair_double_encoding(text: str) -> str:
    """Undo "UTF-8 read as Windows-1252 and saved again" where the undone text decodes cleanly; else leave it alone."""
    if not _TWICE.search(text):
        return text
    whole = undone(text)
    if whole is not None:
        return whole
    # One cell with an emoji or with correct accents must not keep the rest of the file unreadable.
    return "\n".join((looks_twice_encoded(line) and undone(line)) or line for line in text.split("\n"))


def looks_twice_encoded(text: str) -> bool:
    """Whether a text holds what UTF-8 read as Windows-1252 looks like."""
    return _TWICE.search(text) is not None


def undone(text: str) -> str | None:
    """The text before it was encoded a second time; None where it was not."""
    try:
        return text.translate(_CP1252_TO_BYTE).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
