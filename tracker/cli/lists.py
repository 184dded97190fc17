"""`tracker problems`, `claims`, `messages`: lists with filters; `--json` gives the lines of the exports."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tracker.cli.common import ConfigOption, JsonOption, ShownLanguage, echo_json
from tracker.cli.opened import Opened, opened, refuse, refuse_unknown, since_instant, spoken

if TYPE_CHECKING:
    from pathlib import Path

    from tracker.reports.list_words import ListLanguage

SHOWN: Final = 100
"""Lines of a table where no --limit is given; JSON has no limit of its own."""

OpenOption = Annotated[bool, typer.Option("--open", help="Only what is not settled yet.")]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Only this shop's.")]
CarrierOption = Annotated[str | None, typer.Option("--carrier", help="Only this carrier's (its id).")]
SinceOption = Annotated[str | None, typer.Option("--since", metavar="WHEN", help="30d, a date or an instant.")]
StateOption = Annotated[str | None, typer.Option("--state", help="Only those in this state.")]
KindOption = Annotated[str | None, typer.Option("--kind", help="Only those of this kind.")]
TriggerOption = Annotated[str | None, typer.Option("--trigger", help="Only those of this trigger.")]
LangOption = Annotated[
    ShownLanguage | None,
    typer.Option("--lang", help="Default: the shop's on a terminal; in a pipe the program's own words."),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="The newest so many.", show_default=False)]


def problems(
    config: ConfigOption = None,
    open_only: OpenOption = False,
    shop: ShopOption = None,
    carrier: CarrierOption = None,
    since: SinceOption = None,
    kind: KindOption = None,
    limit: LimitOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """List problems, the newest first."""
    from carriers.base import ProblemKind

    filters = {"shop": shop, "carrier": carrier, "kind": word("--kind", kind, ProblemKind, "problems.kind")}
    show_list("problems", config, since, limit, as_json, lang, open_only=open_only, **filters)


def claims(
    context: typer.Context,
    config: ConfigOption = None,
    open_only: OpenOption = False,
    shop: ShopOption = None,
    carrier: CarrierOption = None,
    since: SinceOption = None,
    state: StateOption = None,
    kind: KindOption = None,
    limit: LimitOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """List claims, the newest first."""
    if context.invoked_subcommand is not None:
        return
    from carriers.base import ClaimKind
    from tracker.domain.words import ClaimState

    named = word("--kind", kind, ClaimKind, "claims.kind")
    standing = word("--state", state, ClaimState, "claims.state")
    filters = {"shop": shop, "carrier": carrier, "kind": named, "state": standing}
    show_list("claims", config, since, limit, as_json, lang, open_only=open_only, **filters)


def messages(
    config: ConfigOption = None,
    open_only: OpenOption = False,
    shop: ShopOption = None,
    carrier: CarrierOption = None,
    since: SinceOption = None,
    state: StateOption = None,
    trigger: TriggerOption = None,
    limit: LimitOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """List messages, the newest first."""
    from tracker.domain.words import DeliveryState, Trigger

    named = word("--trigger", trigger, Trigger, "messages.trigger")
    standing = word("--state", state, DeliveryState, "messages.state")
    filters = {"shop": shop, "carrier": carrier, "kind": named, "state": standing}
    show_list("messages", config, since, limit, as_json, lang, open_only=open_only, **filters)


def word(option: str, given: str | None, words: Iterable[str], shown_as: str = "") -> str | None:
    """The word as the store knows it, also where it is given as a list shows it (`shown_as`, in Portuguese); a word that does
    not exist would silently find nothing."""
    from tracker.reports.list_words import coded

    if given is None:
        return None
    word = coded(shown_as, given.strip()) or given.strip().lower()
    if word not in set(words):
        refuse(f"{option} {given}: there is no such word (known: {', '.join(words)})")
    return word


def show_list(
    what: str,
    config: Path | None,
    since: str | None,
    limit: int | None,
    as_json: bool,
    lang: ShownLanguage | None,
    *,
    open_only: bool,
    shop: str | None,
    carrier: str | None = None,
    kind: str | None = None,
    state: str | None = None,
) -> None:
    """The list, as a table or as JSON."""
    from tracker.cli.export import exported
    from tracker.store.views import Filter

    with opened(config) as program:
        wanted = Filter(
            shop=shop,
            carrier=carrier,
            state=state,
            kind=kind,
            open_only=open_only,
            since=since_instant(since, program),
        )
        # One more than is shown tells whether there are more.
        asked = limit if as_json or limit is not None else SHOWN + 1
        found = list(exported(program.database, what, wanted, program.promises(), limit=asked, newest=True))
        zone, language = program.settings.timezone, list_language(program, lang, shop)
        if not found:
            refuse_unknown(program, shop, carrier)
    if as_json:
        echo_json(found)
        return
    from tracker.reports.list_sentences import counted, sentences
    from tracker.reports.tables import COLUMNS, cells, rows

    if not found:
        typer.echo(language.nothing[what])
        return
    shown = found if limit is not None else found[:SHOWN]
    told = [sentences(what, one, language) for one in shown]
    headings = [language.heading(column.heading) for column in COLUMNS[what]]
    for line in rows(headings, [cells(what, one, zone, language) for one in told]):
        typer.echo(line)
    if len(found) > len(shown):
        typer.echo(language.newest.format(count=SHOWN), err=True)
    if what == "alerts":
        typer.echo(counted(shown, language))


def list_language(program: Opened, lang: ShownLanguage | None, shop: str | None) -> ListLanguage:
    """How a list is said: on a terminal as `tracker explain` speaks; in a pipe with the program's own words, which scripts
    go by."""
    from tracker.reports.list_words import ENGLISH, LISTS

    if lang is None and not on_a_terminal():
        return ENGLISH
    return LISTS[spoken(program, lang, shop)]


def on_a_terminal() -> bool:
    """Whether a person reads what is written."""
    return sys.stdout.isatty()
