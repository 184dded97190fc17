"""Incidents as data, as a list and as a story. Pure: rows in, lines out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from tracker.domain.incidents import Where
from tracker.domain.text import clean
from tracker.reports.exports import json_value
from tracker.reports.identity import optional_id, public_id
from tracker.reports.list_words import ListLanguage
from tracker.reports.picture import Desk
from tracker.reports.story_words import Language, Scene
from tracker.store.views_incidents import IncidentRow, MemberRow

WIDTH: Final = 100
LISTED: Final = 20
"""Problems that a story names; the document has them all."""


def document(row: IncidentRow) -> dict[str, Any]:
    """An incident as data."""
    values = {
        "id": public_id("incident", row.id),
        "carrier": row.where.carrier,
        "scope": row.where.scope.value,
        "name": row.where.name or None,
        "started_at": row.started_at,
        "detected_at": row.detected_at,
        "last_joined_at": row.last_joined_at,
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
        "members": row.members,
        "open_members": row.open_members,
        "alert_id": optional_id("alert", row.alert_id),
    }
    return {key: json_value(value) for key, value in values.items()}


def member(row: MemberRow) -> dict[str, Any]:
    """A problem of an incident as data."""
    values = {name: getattr(row, name) for name in MemberRow.__dataclass_fields__ if name != "problem_id"}
    return {"id": public_id("problem", row.problem_id), **{key: json_value(value) for key, value in values.items()}}


def place(where: Where, language: ListLanguage) -> str:
    """Where an incident is, in one cell."""
    scope = language.word("incidents.scope", where.scope.value)
    return f"{scope} {where.name}" if where.name else str(language.word("incidents.scope", "everywhere"))


def story(row: IncidentRow, members: Sequence[MemberRow], desk: Desk, language: Language) -> list[str]:
    """What it is, since when, how many, and how it ended."""
    scene = Scene(desk.promises.days("", None).zone)
    name = public_id("incident", row.id)
    facts = {**document(row), "carrier": desk.title(row.where.carrier), "id": name}
    lines = [name]
    lines += _dated(
        row.detected_at, language.say("incident.seen", row.where.scope.value, facts, scene), language, scene
    )
    if row.alert_id is not None:
        said = language.say("incident.told", "over" if row.alert_resolved_at else "", facts, scene)
        lines += _dated(row.alert_resolved_at or row.detected_at, said, language, scene)
    if row.ended_at is not None:
        lines += _dated(row.ended_at, language.say("incident.ended", "", facts, scene), language, scene)
    lines.append(f"  {language.labels['now']}")
    standing = language.say("now.incident", "ended" if row.ended_at else "open", facts, scene)
    lines += textwrap.wrap(standing, WIDTH, initial_indent="    ", subsequent_indent="      ")
    for one in members[:LISTED]:
        kind = language.words["problem"].get(one.kind, one.kind)
        since = language.instant(one.since, "date", scene.zone)
        over = f" · {language.labels['over']}" if one.resolved_at is not None else ""
        parts = (f"{public_id('problem', one.problem_id)} {kind}", one.order_number, one.tracking_code)
        text = " · ".join(clean(part) for part in parts if part)
        lines += textwrap.wrap(
            f"{text} · {language.labels['since']} {since}{over}",
            WIDTH,
            initial_indent="    ",
            subsequent_indent="      ",
        )
    if len(members) > LISTED:
        lines.append(f"    {language.labels['others'].format(count=len(members) - LISTED)}")
    return lines


def _dated(at: datetime, text: str, language: Language, scene: Scene) -> list[str]:
    when = at.astimezone(scene.zone)
    head = f"  {when:%d/%m/%Y} {language.weekdays[when.weekday()]} {when:%H:%M}  "
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
