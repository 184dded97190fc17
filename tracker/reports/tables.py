"""Plain tables for a terminal: columns as wide as their content, at most so many characters a cell. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from tracker.domain.text import clean
from tracker.reports.list_words import ENGLISH, ListLanguage

GAP: Final = "  "
Line = Mapping[str, Any]
_DAYS: Final = ("claimable_from", "deadline_on")
"""Keys whose values are days, as JSON writes them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, the key of the line it shows, and the widest its cells may be."""

    heading: str
    key: str
    widest: int = 24


COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = {
    "problems": (
        Column("ID", "id"),
        Column("SINCE", "since"),
        Column("KIND", "kind"),
        Column("CAUSE", "cause"),
        Column("ORDER", "order_number", 20),
        Column("CODE", "tracking_code", 16),
        Column("ENDED", "ended", 26),
    ),
    "claims": (
        Column("ID", "id"),
        Column("STATE", "state"),
        Column("HELD BY", "hold_reason"),
        Column("KIND", "kind"),
        Column("CODE", "tracking_code", 16),
        Column("PROTOCOL", "protocol", 14),
        Column("FROM", "claimable_from"),
        Column("DEADLINE", "deadline_on"),
        Column("LETTER", "letter_state"),
    ),
    "messages": (
        Column("ID", "id"),
        Column("QUEUED", "queued_at"),
        Column("STATE", "state"),
        Column("HELD BY", "hold_reason"),
        Column("TRIGGER", "trigger"),
        Column("ORDER", "order_number", 20),
        Column("SENT", "sent_at"),
        Column("WHY", "reason", 44),
    ),
    "alerts": (
        Column("ID", "id"),
        Column("SEVERITY", "severity"),
        Column("KIND", "kind"),
        Column("SHOP", "shop"),
        Column("RAISED", "raised_at"),
        Column("RESOLVED", "resolved_at"),
        Column("TIMES", "times"),
        Column("ACK UNTIL", "ack"),
        # The sentence is what the list is read for: it may run over the line's end, but is not cut.
        Column("SUMMARY", "summary", 1000),
    ),
}


def cells(kind: str, line: Line, zone: ZoneInfo, language: ListLanguage = ENGLISH) -> list[str]:
    """One line of a list as the cells of its table, instants in local time."""
    shown = {
        key: language.word(f"{kind}.{key}", value) if isinstance(value, str) else value for key, value in line.items()
    }
    shown |= {key: date.fromisoformat(line[key]) for key in _DAYS if line.get(key)}
    if kind == "problems":
        shown["kind"] = language.presumed.format(kind=shown["kind"]) if line["presumed"] else shown["kind"]
        shown["kind"] = language.by_words.format(kind=shown["kind"]) if line["by_words"] else shown["kind"]
        if line["resolved_at"]:
            shown["ended"] = f"{local(line['resolved_at'], zone, language)} {shown['resolution'] or ''}"
    if kind == "messages" and line["diverted_to"]:
        shown["state"] = language.diverted.format(state=shown["state"])
    if kind == "alerts":
        shown["ack"] = line["acked_until"] or (language.acked if line["acked_at"] else None)
    return [_fitted(local(shown.get(column.key), zone, language), column.widest) for column in COLUMNS[kind]]


def rows(headings: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """The table's lines, headings first."""
    widths = [max(len(row[place]) for row in (headings, *body)) for place in range(len(headings))]
    return [
        GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headings, *body)
    ]


def local(value: Any, zone: ZoneInfo, language: ListLanguage = ENGLISH) -> str:
    """A value of a line as people read it: `2026-11-24 09:15` for an instant, nothing for an absent one."""
    if value is None:
        return ""
    if isinstance(value, str) and value.endswith("Z") and "T" in value:
        try:
            return f"{datetime.fromisoformat(value).astimezone(zone):{language.instant}}"
        except ValueError:
            return clean(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):{language.instant}}"
    if isinstance(value, date):
        return f"{value:{language.day}}"
    return clean(str(value))


def _fitted(text: str, widest: int) -> str:
    return text if len(text) <= widest else f"{text[: widest - 1]}…"
