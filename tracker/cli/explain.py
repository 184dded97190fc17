"""`tracker explain ID`: why a problem, claim, message or parcel is as it is, or was held back, as a story and as the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracker.cli.common import ConfigOption, JsonOption, ShownLanguage, echo_json
from tracker.cli.incidents import explain_incident
from tracker.cli.opened import Opened, opened, refuse, spoken
from tracker.cli.show import accounts_of, desk_of, find

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tracker.book import Account
    from tracker.reports.picture import Desk
    from tracker.reports.story_words import Language
    from tracker.store.views_explain import Subject
    from tracker.store.views_story import AlertRow, Key, Whole


IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="P12 a problem, C7 a claim, M3 a message, S5 a shipment, A2 an alert, I3 an incident; "
        "or an order number or tracking code.",
    ),
]
LanguageOption = Annotated[ShownLanguage | None, typer.Option("--lang", help="Default: the shop's language.")]
DetailsOption = Annotated[
    bool | None,
    typer.Option(
        "--details/--no-details",
        help="With the exact log: rules, versions, facts. Default: for P, C and M.",
        show_default=False,
    ),
]


def explain(
    row_id: IdArgument,
    config: ConfigOption = None,
    lang: LanguageOption = None,
    details: DetailsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell why a problem, claim, message or parcel is as it is, in plain words; below it the decision log."""
    with opened(config) as program:
        accounts = accounts_of(program)
        key = _key(program, row_id, accounts)
        if key[0] == "incident":
            desk = desk_of(program, accounts)
            explain_incident(program, key[1], desk, _language(program, lang, ""), as_json)
            return
        with program.database.begin_read() as connection:
            alert, whole = _read(connection, key)
            about = (alert.about if alert else key) if whole else None
            subjects = _subjects(connection, about, whole)
        desk = desk_of(program, accounts)
        language = _language(program, lang, whole.story.order.shop if whole else alert.shop if alert else "")
        if as_json:
            echo_json(_document(key, alert, whole, subjects, desk, language))
            return
        with_log = details if details is not None else key[0] in {"problem", "claim", "message"}
        for line in _lines(key, alert, whole, subjects if with_log else None, desk, language, program):
            typer.echo(line)


# --- what is meant ----------------------------------------------------------------------------------


def _key(program: Opened, text: str, accounts: dict[str, Account]) -> Key:
    """The one thing that is meant: an id, or an order by whatever the person on the phone has. Ends the command on others."""
    from tracker.reports.identity import parse_id
    from tracker.store.views_explain import EXPLAINED

    named = parse_id(text)
    if named is None or named.kind is None:
        return _found(program, text, named.row_id if named else None, accounts)
    if named.kind not in {*EXPLAINED, "order", "alert", "incident"}:
        refuse(
            f"{text}: needs the id of a problem (P12), claim (C7), message (M3), shipment (S5), alert (A2) or incident (I3), "
            "an order number or a tracking code"
        )
    return named.kind, named.row_id


def _found(program: Opened, text: str, number: int | None, accounts: dict[str, Account]) -> Key:
    from tracker.reports.identity import public_id
    from tracker.store.views_explain import kinds_with

    if not text.strip():
        refuse("needs an id (P12, C7, M3, S5, A2), an order number or a tracking code")
    keys: list[Key] = []
    if number is not None:
        with program.database.begin_read() as connection:
            keys = [(kind, number) for kind in kinds_with(connection, number)]
    keys += [("order", hit.id) for hit in find(program, text, None, accounts)]
    if not keys:
        refuse(f"there is no problem, claim, message, shipment, order or tracking code {text}", exit_code=1)
    if len(keys) > 1:
        refuse(f"{text} could be {' or '.join(public_id(*key) for key in keys)}; name one of them")
    return keys[0]


def _read(connection: Connection, key: Key) -> tuple[AlertRow | None, Whole | None]:
    """The alert where one is meant, and the order behind what is meant. Ends the command where there is no such thing."""
    from tracker.reports.identity import public_id
    from tracker.store.views_show import order_exists
    from tracker.store.views_story import alert_of, order_of, whole_of

    alert = alert_of(connection, key[1]) if key[0] == "alert" else None
    about = key if key[0] != "alert" else alert.about if alert else None
    order_id = order_of(connection, *about) if about else None
    missing = (order_id is None or not order_exists(connection, order_id)) if key[0] != "alert" else alert is None
    if missing:
        refuse(f"there is no {key[0]} {public_id(*key)}", exit_code=1)
    return alert, whole_of(connection, order_id) if order_id is not None else None


def _subjects(connection: Connection, about: Key | None, whole: Whole | None) -> list[Subject]:
    """What the exact log is printed of: the thing itself, or the parcels of an order."""
    from tracker.store.views_explain import subject_of

    if about is None or whole is None:
        return []
    keys = [about]
    if about[0] == "order":
        keys = [("shipment", parcel.context.shipment_id) for parcel in whole.story.parcels]
    return [subject for kind, row_id in keys if (subject := subject_of(connection, kind, row_id)) is not None]


def _language(program: Opened, wanted: ShownLanguage | None, shop: str) -> Language:
    from tracker.reports.story import LANGUAGES

    return LANGUAGES[spoken(program, wanted, shop)]


# --- how it is told ---------------------------------------------------------------------------------


def _document(
    key: Key,
    alert: AlertRow | None,
    whole: Whole | None,
    subjects: Sequence[Subject],
    desk: Desk,
    language: Language,
) -> dict[str, Any]:
    from tracker.reports.explain import as_document
    from tracker.reports.exports import json_value
    from tracker.reports.identity import public_id
    from tracker.reports.story import as_list, story_of_alert, story_of_subject

    if alert is not None:
        facts = {name: json_value(getattr(alert, name)) for name in type(alert).__dataclass_fields__ if name != "id"}
        story = as_list(story_of_alert(alert, whole, desk, language))
        rests_on = [as_document(subject) for subject in subjects]
        return {"id": public_id(*key), "kind": "alert", "facts": facts, "rests_on": rests_on, "story": story}
    story = as_list(story_of_subject(whole, key, desk, language)) if whole else []
    if key[0] == "order":
        shipments = [as_document(subject) for subject in subjects]
        return {"id": public_id(*key), "kind": "order", "shipments": shipments, "story": story}
    return {**as_document(subjects[0]), "story": story}


def _lines(
    key: Key,
    alert: AlertRow | None,
    whole: Whole | None,
    subjects: Sequence[Subject] | None,
    desk: Desk,
    language: Language,
    program: Opened,
) -> list[str]:
    from tracker.reports.explain import as_lines as log_lines
    from tracker.reports.identity import public_id
    from tracker.reports.story import as_lines, story_of_alert, story_of_subject

    if alert is not None:
        matters = story_of_alert(alert, whole, desk, language)
    else:
        matters = story_of_subject(whole, key, desk, language) if whole else []
    lines = as_lines(matters, desk, language)
    if subjects is None:
        return [*lines, "", language.labels["more"].format(id=public_id(*key))]
    lines += ["", language.labels["details"]]
    for subject in subjects:
        lines += log_lines(subject, program.settings.timezone)
    return lines
