"""`tracker show WHAT`: the whole story of one order, for the person on the phone."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json
from tracker.cli.opened import Opened, opened, refuse, refuse_unknown

if TYPE_CHECKING:
    from tracker.book import Account
    from tracker.reports.picture import Desk
    from tracker.reports.screen import ScreenLine
    from tracker.store.views_show import OrderHit, OrderStory

WhatArgument = Annotated[
    str,
    typer.Argument(
        metavar="WHAT",
        help="Tracking code, order, e-mail, CPF/CNPJ, invoice number or key, phone, or an id (P12, C7, M3, A2).",
    ),
]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Only this shop's orders.")]
AllOption = Annotated[bool, typer.Option("--all", help="The whole story instead of one screen.")]
LISTED: Final = 20
NEAR: Final = 5
"""So many orders are named that are spelt nearly so."""
_TONES: Final[Mapping[str, Mapping[str, object]]] = {
    "title": {"bold": True},
    "bad": {"fg": "red"},
    "good": {"fg": "green"},
    "dim": {"dim": True},
}


def show(
    what: WhatArgument,
    config: ConfigOption = None,
    shop: ShopOption = None,
    whole: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show where an order is, what happened, what was done, and what to tell the customer."""
    if not what.strip():
        refuse("name a tracking code, an order, an e-mail, a CPF/CNPJ, an invoice or a phone")
    with opened(config) as program:
        accounts = accounts_of(program)
        found = find(program, what, shop, accounts)
        if len(found) > 1:
            _offer(program, found, as_json)
            return
        story = _story(program, found[0].id) if found else _story_behind(program, what, shop)
        if story is None:
            refuse_unknown(program, shop)
            _not_found(program, what, shop, as_json)
        desk = desk_of(program, accounts)
    if as_json:
        _echo_document(story, desk)
        return
    _echo_screen(story, desk, program, whole)
    if not found:
        typer.echo(f"\nEste é o pedido de {what.strip().upper()}; o porquê: tracker explain {what.strip().upper()}")


def _not_found(program: Opened, what: str, shop: str | None, as_json: bool) -> NoReturn:
    """End the command with what was looked for, and what is spelt nearly so."""
    from tracker.reports.exports import json_value
    from tracker.reports.screen import alike
    from tracker.reports.search import read_near, read_search, searched_as
    from tracker.store.archived import archived_named
    from tracker.store.views_show import near_orders

    search = read_search(what)
    looked = searched_as(search)
    names = [*search.numbers, *(f"code:{code}" for code in search.codes), *search.codes]
    shops = [shop] if shop is not None else [entry.id for entry in program.settings.shops]
    with program.database.begin_read() as connection:
        near = near_orders(connection, read_near(what), limit=NEAR, shop=shop)
        dropped = archived_named(connection, shops, names)
    if as_json:
        past = [{"shop": one.shop, "name": one.name, "closed_at": json_value(one.closed_at)} for one in dropped]
        echo_json({"matches": [], "searched_as": looked, "near": [_match(hit) for hit in near], "archived": past})
    for one in dropped:
        ended = f"{one.closed_at.astimezone(program.settings.timezone):%d/%m/%Y}"
        where = (
            "está no arquivo morto (retention.archive)" if program.settings.retention.archive else "não foi guardado"
        )
        refuse(f"{one.name} ({one.shop}): pedido encerrado em {ended} e já retirado do banco; o que havia {where}.", 1)
    sentence = f"Nada encontrado para {what.strip()} (procurado como {', '.join(looked)})."
    refuse("\n".join([sentence, *alike(near, program.settings.timezone)]), exit_code=1)


def _match(hit: OrderHit) -> dict[str, object]:
    from tracker.reports.exports import json_value
    from tracker.reports.identity import public_id

    names = ("shop", "number", "customer_name", "created_at", "shipments", "ordered_at")
    return {"id": public_id("order", hit.id), **{name: json_value(getattr(hit, name)) for name in names}}


def _story_behind(program: Opened, what: str, shop: str | None) -> OrderStory | None:
    """The order that a problem, claim, message or alert is about, where *what* is the id of one."""
    from tracker.reports.identity import parse_id
    from tracker.store.views_show import story_of
    from tracker.store.views_story import alert_of, order_of

    named = parse_id(what)
    if named is not None and named.kind == "incident":
        _point_to_incident(program, named.row_id)
    if named is None or named.kind not in {"problem", "claim", "message", "alert"}:
        return None
    with program.database.begin_read() as connection:
        key = (named.kind, named.row_id)
        if named.kind == "alert":
            alert = alert_of(connection, named.row_id)
            if alert is not None and alert.about is None:
                refuse(f"A{alert.id} não é sobre um pedido; veja tracker explain A{alert.id}", exit_code=1)
            if alert is None or alert.about is None:
                return None
            key = alert.about
        order_id = order_of(connection, *key)
        story = story_of(connection, order_id) if order_id is not None else None
    return story if story is not None and shop in {None, story.order.shop} else None


def _point_to_incident(program: Opened, incident_id: int) -> None:
    """An incident is about many orders: end the command with where it is told, if there is such a one."""
    from tracker.store.views_incidents import incident_by_id

    with program.database.begin_read() as connection:
        found = incident_by_id(connection, incident_id)
    if found is not None:
        name = f"I{incident_id}"
        sentence = f"{name} é uma ocorrência de muitos pedidos; veja tracker explain {name} (todas: tracker incidents)"
        refuse(sentence, exit_code=1)


def behind(program: Opened, kind: str, row_id: int) -> list[OrderHit]:
    """The order that a problem, claim, message or shipment belongs to; none where there is no such thing."""
    from tracker.store.views_show import Search, find_orders
    from tracker.store.views_story import order_of

    if kind not in {"problem", "claim", "message", "shipment"}:
        return []
    with program.database.begin_read() as connection:
        order_id = order_of(connection, kind, row_id)
        return find_orders(connection, Search(order_id=order_id), limit=1) if order_id is not None else []


def accounts_of(program: Opened) -> dict[str, Account]:
    """The configured carriers; one whose credentials are only there for the service is left out."""
    from tracker.accounts import carrier_account
    from tracker.errors import MissingCredentialError

    accounts = {}
    for carrier in program.settings.carriers:
        try:
            accounts[carrier.id] = carrier_account(carrier, program.database, program.clock)
        except MissingCredentialError:
            continue
    return accounts


def desk_of(program: Opened, accounts: Mapping[str, Account]) -> Desk:
    """What the screen needs beside the store."""
    from carriers.base import TrackingAdapter
    from carriers.registry import adapters
    from tracker.reports.picture import Desk

    classes = adapters()
    titles = {c.id: c.known_as(classes[c.adapter].TITLE) for c in program.settings.carriers if c.adapter in classes}
    terms = {carrier: entry.claim_terms for carrier, entry in accounts.items()}
    silent = {carrier for carrier, entry in accounts.items() if not isinstance(entry.adapter.tracking, TrackingAdapter)}
    return Desk(titles, terms, program.promises(), program.now, frozenset(silent))


def find(program: Opened, what: str, shop: str | None, accounts: Mapping[str, Account]) -> list[OrderHit]:
    """The orders that `what` may mean, the newest first; one more than is listed where there are more."""
    from tracker.reports.search import read_search
    from tracker.store.views_show import find_orders

    written = (entry.adapter.tracking.normalise(what) for entry in accounts.values() if entry.adapter.tracking)
    search = read_search(what, [ref.value for ref in written if ref is not None])
    with program.database.begin_read() as connection:
        return find_orders(connection, search, limit=LISTED + 1, shop=shop)


def _story(program: Opened, order_id: int) -> OrderStory:
    from tracker.store.views_show import story_of

    with program.database.begin_read() as connection:
        return story_of(connection, order_id)


def _offer(program: Opened, found: list[OrderHit], as_json: bool) -> None:
    from tracker.reports.screen import choices

    if as_json:
        echo_json({"matches": [_match(hit) for hit in found[:LISTED]], "more": len(found) > LISTED})
        return
    for line in choices(found[:LISTED], program.settings.timezone, len(found) > LISTED):
        typer.echo(line)


def _echo_document(story: OrderStory, desk: Desk) -> None:
    from tracker.reports.picture import document

    echo_json(document(story, desk))


def _echo_screen(story: OrderStory, desk: Desk, program: Opened, whole: bool) -> None:
    from tracker.reports.screen import screen

    names = {shop.id: shop.name for shop in program.settings.shops}
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for line in screen(story, desk, names.get(story.order.shop, story.order.shop), whole=whole):
        typer.echo(_styled(line) if coloured else line.text)


def _styled(line: ScreenLine) -> str:
    tone = _TONES.get(line.tone)
    return typer.style(line.text, **tone) if tone and line.text else line.text  # type: ignore[arg-type]
