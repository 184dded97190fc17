"""`tracker explain ID`: why a problem, claim or message is as it is, or was held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json
from tracker.cli.opened import opened, refuse

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tracker.store.views_explain import Subject

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="P12 a problem, C7 a claim, M3 a message, S5 a shipment.")
]


def explain(row_id: IdArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print the decision log of a problem, claim, message or shipment, and what it rests on."""
    from tracker.reports.explain import as_document, as_lines

    with opened(config) as program:
        with program.database.begin_read() as connection:
            subject = _subject(connection, row_id)
        zone = program.settings.timezone
    if as_json:
        echo_json(as_document(subject))
        return
    for line in as_lines(subject, zone):
        typer.echo(line)


def _subject(connection: Connection, text: str) -> Subject:
    from tracker.reports.identity import parse_id, public_id
    from tracker.store.views_explain import EXPLAINED, kinds_with, subject_of

    named = parse_id(text)
    if named is None or (named.kind is not None and named.kind not in EXPLAINED):
        refuse(f"{text}: needs the id of a problem (P12), claim (C7), message (M3) or shipment (S5)")
    kind = named.kind
    if kind is None:
        kinds = kinds_with(connection, named.row_id)
        if len(kinds) > 1:
            refuse(f"{text} could be {' or '.join(public_id(one, named.row_id) for one in kinds)}; name one of them")
        kind = kinds[0] if kinds else None
    subject = subject_of(connection, kind, named.row_id) if kind is not None else None
    if subject is None:
        refuse(f"there is no {kind or 'problem, claim, message or shipment'} {text}", exit_code=1)
    return subject
