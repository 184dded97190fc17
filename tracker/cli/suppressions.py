"""`tracker suppressions`, `suppress`, `unsuppress`: the addresses that are told nothing, each with what speaks against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tracker.cli.common import ConfigOption, JsonOption, at_keyboard, echo_json
from tracker.cli.lists import SHOWN
from tracker.cli.opened import Opened, opened, refuse, refuse_unknown

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from tracker.store.suppressions import SuppressionRow

CHANNEL: Final = "email"
AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="The customer's e-mail address.")]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Only this shop's messages (default: every shop's).")]
ListShopOption = Annotated[str | None, typer.Option("--shop", help="What holds for this shop.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept as evidence.", show_default=False)]
AllOption = Annotated[bool, typer.Option("--all", help="Those that were lifted, too.")]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="The newest so many.", show_default=False)]


def suppressions(
    config: ConfigOption = None,
    shop: ListShopOption = None,
    everything: AllOption = False,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the addresses that get no mail, with the evidence, the newest first."""
    from tracker.reports.tables import rows
    from tracker.store.suppressions import list_all

    with opened(config) as program:
        asked = limit if as_json or limit is not None else SHOWN + 1
        with program.database.begin_read() as connection:
            found = list_all(connection, shop=shop, with_lifted=everything, limit=asked)
        if not found:
            refuse_unknown(program, shop)
    if as_json:
        echo_json([_line(row) for row in found])
        return
    if not found:
        typer.echo("no address is suppressed")
        return
    shown = found if limit is not None else found[:SHOWN]
    headings = ["SINCE", "ADDRESS", "SHOP", "REASON", "SOURCE", "LIFTED", "EVIDENCE"]
    for line in rows(headings, [_cells(row, program) for row in shown]):
        typer.echo(line)
    if len(found) > len(shown):
        typer.echo(f"the newest {SHOWN}; name --limit for more", err=True)


def suppress(
    address: AddressArgument, reason: ReasonOption, config: ConfigOption = None, shop: ShopOption = None
) -> None:
    """Send this address nothing more."""
    from tracker.domain.suppression import BY_HAND
    from tracker.store.suppressions import suppress as add

    person, key = at_keyboard(), _key(address)
    if not reason.strip():
        refuse("--reason: needs a word of why, for whoever asks later")
    with opened(config) as program:
        refuse_unknown(program, shop)
        with program.database.begin_write() as connection:
            evidence = f"{reason.strip()} ({person})"
            added = add(
                connection,
                channel=CHANNEL,
                address=key,
                shop=shop or "",
                reason=BY_HAND,
                evidence=evidence,
                source="hand",
                at=program.now,
            )
            if added is not None:
                _keep(connection, person, "suppress", added, reason.strip(), program.now)
    whose = f"messages of shop {shop}" if shop else "messages"
    typer.echo(f"{key} is suppressed already" if added is None else f"{key} gets no more {whose}")


def unsuppress(address: AddressArgument, config: ConfigOption = None, shop: ShopOption = None) -> None:
    """Let this address be told again; what was not sent meanwhile stays unsent."""
    from tracker.store.suppressions import lift

    person, key = at_keyboard(), _key(address)
    with opened(config) as program:
        refuse_unknown(program, shop)
        with program.database.begin_write() as connection:
            lifted = lift(connection, CHANNEL, key, shop, program.now)
            for row_id in lifted:
                _keep(connection, person, "unsuppress", row_id, None, program.now)
    if not lifted:
        whose = f" for shop {shop}" if shop else ""
        typer.echo(f"{key} is not on the list{whose}: nothing to lift")
        return
    typer.echo(f"{key} is told again from now on")


def _keep(connection: Connection, person: str, act: str, row_id: int, reason: str | None, at: datetime) -> None:
    from tracker.store.logs import log_act

    log_act(connection, who=person, act=act, subject_kind="suppression", subject_id=row_id, reason=reason, at=at)


def _key(address: str) -> str:
    from tracker.domain.mail_address import BadAddress, address_key

    try:
        return address_key(address)
    except BadAddress:
        refuse(f"{address}: is not an e-mail address (write name@domain)")


def _line(row: SuppressionRow) -> dict[str, Any]:
    from tracker.reports.exports import json_value
    from tracker.reports.identity import optional_id

    named = ("channel", "address", "reason", "evidence", "source", "at", "lifted_at")
    document = {name: json_value(getattr(row, name)) for name in named}
    return {"shop": row.shop or None, **document, "message": optional_id("message", row.delivery_id)}


def _cells(row: SuppressionRow, program: Opened) -> list[str]:
    from tracker.domain.text import clean
    from tracker.reports.tables import local

    zone = program.settings.timezone
    begins, ends = local(row.at, zone), local(row.lifted_at, zone)
    return [begins, clean(row.address), row.shop or "all", row.reason, row.source, ends, clean(row.evidence)[:120]]
