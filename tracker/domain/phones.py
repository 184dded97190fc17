"""Telephone numbers to E.164, by the habits of Brazilian forms (area codes: Anatel's 67 in use)."""

from __future__ import annotations

import re

import phonenumbers

AREA_CODES = frozenset(
    "11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49 51 53 54 55 "
    "61 62 63 64 65 66 67 68 69 71 73 74 75 77 79 81 82 83 84 85 86 87 88 89 91 92 93 94 95 96 97 98 99".split()
)
_BETWEEN_NUMBERS = re.compile(r"[/;,|\n]|\bou\b|\be\b", re.IGNORECASE)
_EXTENSION = re.compile(r"\b(ramal|ext)\b.*", re.IGNORECASE | re.DOTALL)


def e164(text: str) -> str | None:
    """The number in E.164, or None. Of several numbers in one field the first mobile is taken, else the first good one."""
    found = [number for part in _BETWEEN_NUMBERS.split(text) if (number := _one_number(part)) is not None]
    return next((number for number in found if is_mobile(number)), found[0] if found else None)


def is_mobile(number: str) -> bool:
    """Whether an E.164 number is a Brazilian mobile: only these get SMS and WhatsApp."""
    return len(number) == 14 and number.startswith("+55") and number[5] == "9"


def _one_number(text: str) -> str | None:
    text = _EXTENSION.sub("", text).strip()
    digits = re.sub(r"[^0-9]", "", text)
    if text.startswith("+") and not digits.startswith("55"):
        return _foreign(digits)
    national = _national(digits, international=text.startswith("+"))
    return f"+55{national}" if national else None


def _foreign(digits: str) -> str | None:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    return f"+{digits}" if phonenumbers.is_possible_number(number) else None


def _national(digits: str, *, international: bool) -> str | None:
    """Area code and number, ten or eleven digits; None where the area is missing or no number has this form."""
    if international:
        digits = digits[2:]
    stripped = digits.lstrip("0")
    if len(stripped) in (12, 13):
        # After a trunk zero stands the long-distance operator's code; without the zero, only the country code may.
        if len(stripped) == len(digits) and not (stripped.startswith("55") and stripped[2:4] in AREA_CODES):
            return None
        stripped = stripped[2:]
    if len(stripped) not in (10, 11) or stripped[:2] not in AREA_CODES or len(set(stripped[2:])) == 1:
        return None
    if len(stripped) == 11:
        return stripped if stripped[2] == "9" else None
    if stripped[2] in "2345":
        return stripped
    # Mobiles had eight digits until 2016; the ninth went in front of all of them.
    return f"{stripped[:2]}9{stripped[2:]}" if stripped[2] in "6789" else None
