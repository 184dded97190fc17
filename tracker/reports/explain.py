"""`tracker explain` as indented lines or one JSON document. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from tracker.domain.text import clean
from tracker.reports.exports import json_value
from tracker.reports.identity import public_id
from tracker.store.tables import Decision
from tracker.store.views_explain import Subject

WIDTH: Final = 100
STEP: Final = "  "
NOT_DONE: Final = frozenset({"held", "not_told", "not_claimed", "suppressed", "awaiting_person", "expired"})
"""Outcomes that mean: something due was not done."""


def as_lines(subject: Subject, zone: ZoneInfo) -> list[str]:
    """The subject, what it rests on below it; what stands above already is only named."""
    return list(_lines(subject, zone, "", set()))


def as_document(subject: Subject) -> dict[str, Any]:
    """The same as data."""
    return {
        "id": public_id(subject.kind, subject.id),
        "kind": subject.kind,
        "facts": _json(subject.facts),
        "held_back": [_decision(entry) for entry in standing_refusals(subject)],
        "decisions": [_decision(entry) for entry in subject.decisions],
        "acts": [_json(act) for act in subject.acts],
        "lists": {name: [_json(row) for row in rows] for name, rows in subject.lists.items()},
        "references": {kind: [public_id(kind, one) for one in ids] for kind, ids in subject.references.items()},
        "rests_on": [as_document(one) for one in subject.rests_on],
    }


def standing_refusals(subject: Subject) -> list[Decision]:
    """The newest decision under each rule, where it was not to do something and still stands."""
    newest = {decision.rule: decision for decision in subject.decisions}
    found = []
    for entry in newest.values():
        # Each hold is a rule of its own, so only the last word about a claim or message still stands.
        let_go = entry.outcome == "held" and entry is not subject.decisions[-1]
        # A problem that could not be claimed at first may be now.
        claimed = entry.outcome == "not_claimed" and bool(subject.references.get("claim"))
        if entry.outcome in NOT_DONE and not let_go and not claimed:
            found.append(entry)
    return found


def _lines(subject: Subject, zone: ZoneInfo, indent: str, seen: set[tuple[str, int]]) -> Iterator[str]:
    name = f"{public_id(subject.kind, subject.id)} {subject.kind}"
    if (subject.kind, subject.id) in seen:
        yield f"{indent}{name} (see above)"
        return
    seen.add((subject.kind, subject.id))
    yield f"{indent}{name}"
    inner = indent + STEP
    yield from _wrapped(_pairs(subject.facts, zone), inner, inner)
    for kind, ids in subject.references.items():
        yield from _wrapped(f"{kind}s: {', '.join(public_id(kind, one) for one in ids)}", inner, inner)
    for entry in standing_refusals(subject):
        yield from _wrapped(f"NOT DONE ({entry.outcome}, {entry.rule}): {entry.reason}", inner, inner + STEP)
    yield from _decisions(subject, zone, inner)
    for act in subject.acts:
        reason = f": {act['reason']}" if act["reason"] else ""
        yield from _wrapped(f"by hand {_value(act['at'], zone)} {act['who']} {act['act']}{reason}", inner, inner + STEP)
    for label, rows in subject.lists.items():
        yield f"{inner}{label}"
        for row in rows:
            yield from _wrapped(_pairs(row, zone), inner + STEP, inner + STEP * 2)
    if subject.rests_on:
        yield f"{inner}rests on"
    for one in subject.rests_on:
        yield from _lines(one, zone, inner + STEP, seen)


def _decisions(subject: Subject, zone: ZoneInfo, indent: str) -> Iterator[str]:
    yield f"{indent}decisions" if subject.decisions else f"{indent}no decision is logged"
    for entry in subject.decisions:
        head = f"{_value(entry.at, zone)} {entry.rule} v{entry.rule_version} {entry.outcome}: {entry.reason}"
        yield from _wrapped(head, indent + STEP, indent + STEP * 2)
        if entry.facts:
            yield from _wrapped(f"facts: {_pairs(entry.facts, zone)}", indent + STEP * 2, indent + STEP * 3)


def _pairs(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    """`key=value` of what is known; false marks say nothing."""
    return "; ".join(f"{name}={_value(value, zone)}" for name, value in row.items() if value not in (None, False, ""))


def _value(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if value is True:
        return "yes"
    return str(value)


def _wrapped(text: str, first: str, rest: str) -> Iterator[str]:
    yield from textwrap.wrap(clean(text), WIDTH, initial_indent=first, subsequent_indent=rest)


def _json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: json_value(value) for name, value in row.items()}


def _decision(entry: Decision) -> dict[str, Any]:
    names = ("at", "rule", "rule_version", "outcome", "reason", "facts")
    return {name: json_value(getattr(entry, name)) for name in names}
