"""Puts one logged decision into a sentence of a language. Pure.

A sentence is a text with `{fact}` or `{fact:format}` in it, and parts in `[ ]` with alternatives set apart by `|`: the first
alternative whose facts are all known is said, none where no one is. `{?fact}` and `{!fact}` say nothing; they ask that the
fact is known, or that it was looked at and is not there. Formats: `day`, `date`, `time`, `business_days`, `days`, `holidays`,
`quote` and the names of a language's word lists (`problem`, `claim_kind`, ...).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from tracker.domain.calendar import holiday_name
from tracker.domain.text import clean

Facts = Mapping[str, Any]
ANY: Final = "*"
"""Ends a key that stands for every rule that begins so; alone, for every rule there is."""
_PLACE: Final = re.compile(r"\{([?!]?)(\w+)(?::(\w+))?\}")
_OPTION: Final = re.compile(r"\[([^\[\]]*)\]")
_DOUBLED: Final = re.compile(r"([.!?…])”\.")
"""A full stop after words that end with their own."""
_QUOTED: Final = 200
"""So much of a carrier's or server's own words."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a sentence is said: the merchant's zone, and the states whose holidays count."""

    zone: ZoneInfo
    states: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Language:
    """All that is said in one language. `sentences` go by `rule`, `rule/outcome` or `rule/outcome/code`, or a beginning of
    these and `*`; `words` are lists of names by their format."""

    code: str
    sentences: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    labels: Mapping[str, str]
    weekdays: Sequence[str]
    business_days: tuple[str, str]
    days: tuple[str, str]
    at: str
    holidays: str
    """The language as the calendar knows it."""
    closed_day: str

    def key(self, rule: str, outcome: str = "", code: str = "") -> str | None:
        """The most exact key of a sentence for this decision; None where only `*` would be left."""
        for name in (f"{rule}/{outcome}/{code}", f"{rule}/{outcome}", rule):
            if name in self.sentences:
                return name
        said = [outcome, code]
        families = []
        for key in self.sentences:
            head, *rest = key.split("/")
            if head != ANY and head.endswith(ANY) and rule.startswith(head[:-1]) and rest == said[: len(rest)]:
                families.append((len(head), len(rest), key))
        return max(families)[2] if families else None

    def say(self, rule: str, outcome: str, facts: Facts, scene: Scene) -> str:
        """The sentence for this decision."""
        code = str(facts.get("why") or facts.get("resolution") or "")
        return self._filled(self.sentences[self.key(rule, outcome, code) or ANY], facts, scene)

    def _filled(self, text: str, facts: Facts, scene: Scene) -> str:
        chosen = _OPTION.sub(lambda option: _first(option[1], facts), text)
        said = _PLACE.sub(lambda place: self._place(place, facts, scene), chosen)
        return _DOUBLED.sub(r"\1”", " ".join(clean(said).split()))

    def _place(self, place: re.Match[str], facts: Facts, scene: Scene) -> str:
        mark, name, form = place.groups()
        return "" if mark else self.value(facts.get(name), form or "", scene)

    def value(self, value: Any, form: str, scene: Scene) -> str:
        """A fact as this language says it; one that cannot be read so, as it is."""
        if form in self.words:
            return self.words[form].get(str(value), str(value))
        if form == "quote":
            text = " ".join(clean(str(value)).split())
            return f"“{text if len(text) <= _QUOTED else text[: _QUOTED - 1] + '…'}”"
        if form in {"business_days", "days"}:
            one, many = self.business_days if form == "business_days" else self.days
            return f"{value} {one if str(value) == '1' else many}"
        if form == "holidays":
            return ", ".join(self._holiday(str(one), scene) for one in value)
        if form in {"day", "date", "time"}:
            return self.instant(value, form, scene.zone)
        return clean(str(value))

    def instant(self, value: Any, form: str, zone: ZoneInfo) -> str:
        """A date with its weekday (`day`), without (`date`), or with the hour (`time`)."""
        moment = _moment(value)
        if moment is None:
            return str(value)
        local = moment.astimezone(zone) if isinstance(moment, datetime) else moment
        day = f"{local:%d/%m/%Y}"
        if form == "day":
            return f"{day} ({self.weekdays[local.weekday()]})"
        return f"{day}{self.at}{local:%H:%M}" if form == "time" and isinstance(local, datetime) else day

    def _holiday(self, text: str, scene: Scene) -> str:
        day = _moment(text)
        name = holiday_name(day, scene.states, self.holidays) if isinstance(day, date) else None
        return f"{self.instant(text, 'date', scene.zone)} ({name or self.closed_day})"


def places(text: str) -> set[str]:
    """The facts that a sentence may name."""
    return {name for _, name, _ in _PLACE.findall(text)}


def _first(alternatives: str, facts: Facts) -> str:
    for one in alternatives.split("|"):
        if all(_holds(mark, name, facts) for mark, name, _ in _PLACE.findall(one)):
            return one
    return ""


def _holds(mark: str, name: str, facts: Facts) -> bool:
    known = facts.get(name) not in (None, "", [], False)
    return (name in facts and not known) if mark == "!" else known


def _moment(value: Any) -> date | datetime | None:
    """A date or an aware instant, stored as such or as the log's text."""
    if isinstance(value, date):
        return value
    try:
        text = str(value)
        return date.fromisoformat(text) if len(text) == len("2026-01-01") else datetime.fromisoformat(text)
    except ValueError:
        return None
