"""Brazilian ways to write an instant or a day, read with the carrier's own zone.

Read: ISO 8601 (`2026-11-18`, `2026-11-18T14:22:07`, with or without fraction and offset), `18/11/2026[ 14:22[:07]]`,
`18-11-2026[ 14:22[:07]]`. Never month first: `11/18/2026` is refused, not guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

OLDEST_YEAR, NEWEST_YEAR = 1990, 2100
"""Outside stand the fillers of empty database fields (0001-01-01, 1900-01-01, 9999-12-31), which are no dates."""

_TIME = r"(?:[T ]+(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_OFFSET = r"\s?(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?)?"
_USUAL = re.compile(r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII).fullmatch
"""The form in which most answers write most instants: the library reads it as `_FORMS` does, in a quarter of the time."""
_FORMS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})" + _TIME + _OFFSET, re.ASCII),
    re.compile(r"(?P<day>\d{2})(?P<mark>[/-])(?P<month>\d{2})(?P=mark)(?P<year>\d{4})" + _TIME + _OFFSET, re.ASCII),
)


def parse_offset(text: str) -> timezone:
    """A fixed offset as `-03:00`, `-0300` or `Z`. Raises ValueError."""
    text = text.strip()
    if text in ("Z", "z"):
        return UTC
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text, re.ASCII)
    if match is None or int(match[2]) > 14 or int(match[3]) > 59:
        raise ValueError(f"not an offset from UTC: {text[:20]!r}")
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)


def parse_instant(text: str, zone: tzinfo) -> datetime:
    """The instant as aware UTC; *zone* is used where the text names no offset, midnight where it names no time.

    Raises ValueError for another form and for a date that does not exist.
    """
    return _parse(text, zone).astimezone(UTC)


def parse_day(text: str, zone: tzinfo) -> date:
    """The calendar day in *zone*. Raises ValueError as `parse_instant`."""
    return _parse(text, zone).astimezone(zone).date()


def _parse(text: str, zone: tzinfo) -> datetime:
    stripped = text.strip()
    if _USUAL(stripped):
        try:
            usual = datetime.fromisoformat(stripped)
            if OLDEST_YEAR <= usual.year <= NEWEST_YEAR:
                return usual.replace(tzinfo=zone)
        except ValueError:
            pass  # no such date: the long way says so
    match = next((m for form in _FORMS if (m := form.fullmatch(stripped))), None)
    if match is None:
        raise ValueError(f"not a date in a known form: {stripped[:40]!r}")
    part = match.groupdict()
    if not OLDEST_YEAR <= int(part["year"]) <= NEWEST_YEAR:
        raise ValueError(f"not a plausible year: {stripped[:40]!r}")
    offset = parse_offset(part["offset"]) if part["offset"] else zone
    year, month, day = int(part["year"]), int(part["month"]), int(part["day"])
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    microsecond = int((part["fraction"] or "0").ljust(6, "0")[:6])
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=offset)
    except ValueError as exc:
        raise ValueError(f"no such date: {stripped[:40]!r} ({exc})") from exc
