"""`tracker incidents`: many parcels that went wrong for one cause, as a list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json
from tracker.cli.lists import SHOWN, CarrierOption, LangOption, LimitOption, OpenOption, SinceOption, list_language
from tracker.cli.opened import Opened, opened, refuse, refuse_unknown, since_instant

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tracker.reports.list_words import ListLanguage
    from tracker.reports.picture import Desk
    from tracker.reports.story_words import Language
    from tracker.store.views_incidents import IncidentRow


def incidents(
    config: ConfigOption = None,
    open_only: OpenOption = False,
    carrier: CarrierOption = None,
    since: SinceOption = None,
    limit: LimitOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """List incidents (many parcels, one cause), the newest first."""
    from tracker.reports.incidents import document
    from tracker.store import views_incidents as store

    with opened(config) as program:
        asked = limit if as_json or limit is not None else SHOWN + 1
        wanted = since_instant(since, program)
        with program.database.begin_read() as connection:
            found = store.incidents(connection, open_only=open_only, carrier=carrier, since=wanted, limit=asked)
        zone, language = program.settings.timezone, list_language(program, lang, None)
        if not found:
            refuse_unknown(program, carrier=carrier)
    if as_json:
        echo_json([document(row) for row in found])
        return
    if not found:
        typer.echo(language.nothing["incidents"])
        return
    shown = found if limit is not None else found[:SHOWN]
    _table(shown, zone, language)
    if len(found) > len(shown):
        typer.echo(language.newest.format(count=SHOWN), err=True)


def _table(found: list[IncidentRow], zone: ZoneInfo, language: ListLanguage) -> None:
    from tracker.reports.identity import optional_id, public_id
    from tracker.reports.incidents import place
    from tracker.reports.tables import local, rows

    headings = ["ID", "CARRIER", "WHERE", "SINCE", "PARCELS", "OPEN", "ALERT", "ENDED"]
    ended = partial(language.word, "incidents.end_reason")
    cells = [
        [
            public_id("incident", row.id),
            row.where.carrier,
            place(row.where, language),
            local(row.started_at, zone, language),
            str(row.members),
            str(row.open_members),
            optional_id("alert", row.alert_id) or "",
            f"{row.ended_at.astimezone(zone):{language.day}} {ended(row.end_reason) or ''}".strip()
            if row.ended_at
            else "",
        ]
        for row in found
    ]
    for line in rows([language.heading(one) for one in headings], cells):
        typer.echo(line)


def explain_incident(program: Opened, incident_id: int, desk: Desk, language: Language, as_json: bool) -> None:
    """What `tracker explain I3` says."""
    from tracker.reports.incidents import document, member, story
    from tracker.store.views_incidents import incident_by_id, members_of_incident

    with program.database.begin_read() as connection:
        row = incident_by_id(connection, incident_id)
        members = members_of_incident(connection, incident_id)
    if row is None:
        refuse(f"there is no incident I{incident_id}", exit_code=1)
    if as_json:
        lines = story(row, members, desk, language)
        echo_json({**document(row), "kind": "incident", "problems": [member(one) for one in members], "story": lines})
        return
    for line in story(row, members, desk, language):
        typer.echo(line)
