"""Numbers, money and dates as Brazilian spreadsheets and programs write them, and the damage spreadsheets do.

A reading function returns None for a value that only marks absence and raises `BadValue` for one that cannot be read;
its text is the merchant's language and continues a sentence that began with the field's name.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from tracker.domain.text import fold, is_placeholder

DecimalMark = Literal[",", "."]

_CURRENCY = re.compile(r"R\$|BRL|[\s\u00a0]", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d.,]*|[.,]\d+", re.ASCII)
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?[eE]\+?\d+", re.ASCII)
_WHOLE_WITH_ZERO_CENTS = re.compile(r"(\d{1,15})[.,]0{1,2}", re.ASCII)
_MAX_WHOLE_DIGITS = 13  # centavos of anything larger would leave a 64-bit column, and no order costs that much
_SPREADSHEET_DIGITS = 15  # a spreadsheet number is a binary double: digits beyond the 15th become zeros

_SERIAL = re.compile(r"(\d{5})(?:[.,](\d+))?", re.ASCII)
_SERIAL_EPOCH = datetime.combine(date(1899, 12, 30), time())
_SERIAL_RANGE = range(40000, 60001)  # 2009 to 2064; other five-digit numbers are not dates
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?!\d)(.*)", re.ASCII)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)(.*)", re.ASCII)
_CLOCK = re.compile(
    r"(?:t|as|-|,)?\s*(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(am|pm)?\s*(z|utc|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_YEARS = range(2000, 2101)
_DAYS_NOT_DATE = re.compile(r"\d{1,3}(\s*(d|dias?|dias? uteis|dias? corridos|du|days?))?")


class BadValue(ValueError):
    """A value that stands there but cannot be read; the text says what is wrong and what to do."""


def is_scientific(text: str) -> bool:
    """Whether a spreadsheet shows the number as `3,52611E+43`: its digits are lost for good."""
    return _SCIENTIFIC.fullmatch(text.strip()) is not None


def loses_digits(text: str) -> bool:
    """Whether a long number has only zeros after the 15th digit, as a spreadsheet leaves it."""
    return text.isdigit() and len(text) > _SPREADSHEET_DIGITS and not text[_SPREADSHEET_DIGITS:].strip("0")


def keeps_digits(text: str) -> bool:
    """Whether a long number proves that its column was kept as text: something else than zeros after the 15th digit."""
    return text.isdigit() and len(text) > _SPREADSHEET_DIGITS and bool(text[_SPREADSHEET_DIGITS:].strip("0"))


def without_zero_cents(text: str) -> str:
    """`10234.0` and `10234,00`, as programs write an integer column, back to `10234`; any other text unchanged."""
    match = _WHOLE_WITH_ZERO_CENTS.fullmatch(text)
    return match[1] if match else text


def decimal_mark(text: str) -> DecimalMark | None:
    """Which mark a number certainly uses for its decimals; None where it has none or could be read both ways."""
    text = _CURRENCY.sub("", text).lstrip("-")
    if not _NUMBER.fullmatch(text):
        return None
    comma, dot = text.rfind(","), text.rfind(".")
    if comma >= 0 and dot >= 0:
        return "," if comma > dot else "."
    position = max(comma, dot)
    if position < 0 or text.count(text[position]) > 1 or len(text) - position - 1 not in (1, 2):
        return None
    return "," if comma >= 0 else "."


def decimal_number(text: str, mark: DecimalMark | None = None) -> Decimal | None:
    """An amount of money. `mark` is the decimal mark of the file's majority, which settles `1.580`.

    With both marks the last one is the decimal mark; three digits after a single mark are thousands unless the file
    uses that mark for decimals.
    """
    return _number(text, mark, three_digits_are_thousands=True)


def quantity(text: str, mark: DecimalMark | None = None) -> Decimal | None:
    """A quantity: `2`, `1,5`, `1.0000`. Three digits after the mark are decimals unless the file's money says otherwise."""
    value = _number(text, mark, three_digits_are_thousands=False)
    if value is None:
        return None
    if value <= 0:
        raise BadValue(f"{_shown(text)} não é uma quantidade; use um número maior que zero")
    return Decimal(format(value.normalize(), "f"))


def _number(text: str, mark: DecimalMark | None, *, three_digits_are_thousands: bool) -> Decimal | None:
    bare = _CURRENCY.sub("", text)
    if not bare or (not any(char.isdigit() for char in bare) and is_placeholder(text)):
        return None
    if is_scientific(bare) or not _NUMBER.fullmatch(bare):
        raise BadValue(f"{_shown(text)} não é um número que se possa ler; use a forma 1.580,00")
    plain = _plain(bare, mark, three_digits_are_thousands=three_digits_are_thousands)
    if plain is None or len(plain.split(".")[0]) > _MAX_WHOLE_DIGITS:
        raise BadValue(f"{_shown(text)} não é um número que se possa ler; use a forma 1.580,00")
    return Decimal(plain)


def _plain(bare: str, mark: DecimalMark | None, *, three_digits_are_thousands: bool) -> str | None:
    """The number with a dot for decimals and nothing else; None where its marks contradict each other."""
    marks = [char for char in bare if char in ",."]
    if not marks:
        return bare
    last = marks[-1]
    whole, _, decimals = bare.rpartition(last)
    if len(set(marks)) == 2:
        return None if last in whole else f"{_joined(whole)}.{decimals or '0'}"
    if len(marks) > 1:
        groups = bare.split(last)
        return _joined(bare) if all(len(group) == 3 for group in groups[1:]) else None
    if len(decimals) == 3 and whole.strip("0") and _is_thousands(last, mark, default=three_digits_are_thousands):
        return whole + decimals
    return f"{whole or '0'}.{decimals or '0'}"


def _is_thousands(last: str, mark: DecimalMark | None, *, default: bool) -> bool:
    return default if mark is None else last != mark


def _joined(number: str) -> str:
    return number.replace(",", "").replace(".", "")


def to_cents(amount: Decimal) -> int:
    """Reais to centavos, half a centavo up."""
    return int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def money_cents(text: str, mark: DecimalMark | None = None) -> int | None:
    """An amount such as `R$ 1.580,00` in centavos."""
    amount = decimal_number(text, mark)
    return None if amount is None else to_cents(amount)


def day(text: str, *, month_first: bool = False) -> date | None:
    """A calendar date: day first, ISO, or a spreadsheet serial; a time of day behind it is dropped."""
    read = _wall_time(text, month_first=month_first)
    return None if read is None else read[0].date()


def local_day(text: str, timezone: ZoneInfo, *, month_first: bool = False) -> date | None:
    """Like `day`, but an instant with an offset is brought to the merchant's zone first."""
    read = _wall_time(text, month_first=month_first)
    if read is None:
        return None
    wall, offset = read
    if offset is None:
        return wall.date()
    return (wall - offset).replace(tzinfo=UTC).astimezone(timezone).date()


def instant(text: str, timezone: ZoneInfo, *, month_first: bool = False) -> datetime | None:
    """A date with or without time to aware UTC; without offset it is the merchant's wall clock, midnight if no time."""
    read = _wall_time(text, month_first=month_first)
    if read is None:
        return None
    wall, offset = read
    if offset is not None:
        return (wall - offset).replace(tzinfo=UTC)
    return wall.replace(tzinfo=timezone).astimezone(UTC)


@lru_cache(maxsize=2048)
def is_month_first_only(text: str) -> bool | None:
    """Evidence of a date column's order: True if only month first makes sense, False if only day first, None if both do."""
    match = _DAY_FIRST.match(text.strip())
    if not match:
        return None
    first, second, year = int(match[1]), int(match[2]), _full_year(match[3])
    day_first, month_first = _exists(year, second, first), _exists(year, first, second)
    return None if day_first == month_first else month_first


def _exists(year: int, month: int, day_of_month: int) -> bool:
    try:
        date(year, month, day_of_month)
    except ValueError:
        return False
    return True


def _full_year(digits: str) -> int:
    return int(digits) + 2000 if len(digits) == 2 else int(digits)


@lru_cache(maxsize=2048)
def _wall_time(text: str, *, month_first: bool) -> tuple[datetime, timedelta | None] | None:
    text = text.strip()
    if is_placeholder(text):
        return None
    if serial := _SERIAL.fullmatch(text):
        return _from_serial(text, int(serial[1]), serial[2]), None
    if match := _ISO.fullmatch(text):
        parts, rest = (int(match[1]), int(match[2]), int(match[3])), match[4]
    elif match := _DAY_FIRST.fullmatch(text):
        first, second = int(match[1]), int(match[2])
        month, day_of_month = (first, second) if month_first else (second, first)
        parts, rest = (_full_year(match[3]), month, day_of_month), match[4]
    elif _DAYS_NOT_DATE.fullmatch(fold(text)):
        raise BadValue(f"{_shown(text)} é um número de dias, não uma data; informe a data no formato dd/mm/aaaa")
    else:
        raise BadValue(f"{_shown(text)} não é uma data; use o formato dd/mm/aaaa")
    if parts[0] not in _YEARS or not _exists(*parts):
        raise BadValue(f"{_shown(text)} não existe no calendário; corrija a data")
    clock, offset = _clock(text, rest)
    return datetime.combine(date(*parts), clock), offset


def _from_serial(text: str, days: int, fraction: str | None) -> datetime:
    if days not in _SERIAL_RANGE:
        raise BadValue(f"{_shown(text)} não é uma data; use o formato dd/mm/aaaa")
    seconds = round(float(f"0.{fraction or 0}") * 86400)
    return _SERIAL_EPOCH + timedelta(days=days, seconds=seconds)


def _clock(text: str, rest: str) -> tuple[time, timedelta | None]:
    folded = fold(rest)
    if not folded:
        return time(), None
    match = _CLOCK.fullmatch(folded)
    if not match:
        raise BadValue(f"{_shown(text)} não é uma data; use o formato dd/mm/aaaa ou dd/mm/aaaa hh:mm")
    hour = int(match[1])
    if match[4]:
        hour = hour % 12 + (12 if match[4] == "pm" else 0)
    try:
        return time(hour, int(match[2]), int(match[3] or 0)), _offset(match[5])
    except ValueError as exc:
        raise BadValue(f"{_shown(text)} tem uma hora que não existe; corrija a hora") from exc


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text in ("z", "utc"):
        return timedelta()
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if text[0] == "-" else size


def _shown(text: str) -> str:
    """The value as a sentence may quote it."""
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'
