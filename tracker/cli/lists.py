"""`tracker problems`, `claims`, `messages`: lists with filters; `--json` gives the lines of the exports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json
from tracker.cli.opened import opened, refuse, refuse_unknown, since_instant

if TYPE_CHECKING:
    from pathlib import Path

SHOWN: Final = 100
"""Lines of a table where no --limit is given; JSON has no limit of its own."""

OpenOption = Annotated[bool, typer.Option("--open", help="Only what is not settled yet.")]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Only this shop's.")]
CarrierOption = Annotated[str | None, typer.Option("--carrier", help="Only this carrier's (its id).")]
SinceOption = Annotated[str | None, typer.Option("--since", metavar="WHEN", help="30d, a date or an instant.")]
StateOption = Annotated[str | None, typer.Option("--state", help="Only those in this state.")]
KindOption = Annotated[str | None, typer.Option("--kind", help="Only those of this kind.")]
TriggerOption = Annotated[str | None, typer.Option("--trigger", help="Only those of this trigger.")]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="The newest so many.", show_default=False)]


def problems(
    config: ConfigOption = None,
    open_only: OpenOption = False,
    shop: ShopOption = None,
    carrier: CarrierOption = None,
    since: SinceOption = None,
    kind: KindOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """List problems, the newest first."""
    from carriers.base import ProblemKind

    named = word("--kind", kind, ProblemKind)
    show_list("problems", config, since, limit, as_json, shop=shop, carrier=carrier, kind=named, open_only=open_only)


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
    as_json: JsonOption = False,
) -> None:
    """List claims, the newest first."""
    if context.invoked_subcommand is not None:
        return
    from carriers.base import ClaimKind
    from tracker.domain.words import ClaimState

    named, standing = word("--kind", kind, ClaimKind), word("--state", state, ClaimState)
    filters = {"shop": shop, "carrier": carrier, "kind": named, "state": standing}
    show_list("claims", config, since, limit, as_json, open_only=open_only, **filters)


def messages(
    config: ConfigOption = None,
    open_only: OpenOption = False,
    shop: ShopOption = None,
    carrier: CarrierOption = None,
    since: SinceOption = None,
    state: StateOption = None,
    trigger: TriggerOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """List messages, the newest first."""
    from tracker.domain.words import DeliveryState, Trigger

    named, standing = word("--trigger", trigger, Trigger), word("--state", state, DeliveryState)
    filters = {"shop": shop, "carrier": carrier, "kind": named, "state": standing}
    show_list("messages", config, since, limit, as_json, open_only=open_only, **filters)


def word(option: str, given: str | None, words: Iterable[str]) -> str | None:
    """The word as the store knows it; a word that does not exist would silently find nothing."""
    if given is None:
        return None
    word = given.strip().lower()
    if word not in set(words):
        refuse(f"{option} {given}: there is no such word (known: {', '.join(words)})")
    return word


def show_list(
    what: str,
    config: Path | None,
    since: str | None,
    limit: int | None,
    as_json: bool,
    *,
    open_only: bool,
    shop: str | None,
    carrier: str | None = None,
    kind: str | None = None,
    state: str | None = None,
) -> list[dict[str, Any]]:
    """The list, as a table or as JSON; returns the lines that were shown."""
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
        zone = program.settings.timezone
        if not found:
            refuse_unknown(program, shop, carrier)
    if as_json:
        echo_json(found)
        return found
    from tracker.reports.tables import COLUMNS, cells, rows

    if not found:
        typer.echo(f"no {what} of this kind")
        return []
    shown = found if limit is not None else found[:SHOWN]
    for line in rows([column.heading for column in COLUMNS[what]], [cells(what, one, zone) for one in shown]):
        typer.echo(line)
    if len(found) > len(shown):
        typer.echo(f"the newest {SHOWN}; name --limit for more", err=True)
    return list(shown)
