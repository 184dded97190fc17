"""`tracker cancel`: an order, a claim that is not filed, a message that has not left."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, at_keyboard
from tracker.cli.hand import stop
from tracker.cli.handwork import (
    ByOption,
    Hand,
    ReasonOption,
    YesOption,
    decide,
    leave,
    named,
    order_named,
    perform,
    sure,
    tell,
)
from tracker.cli.opened import Opened, opened
from tracker.cli.settled import Said
from tracker.reports.identity import PublicId, parse_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

WhatArgument = Annotated[
    list[str],
    typer.Argument(metavar="ORDER|C7|M3...", help="Orders (number, O5, tracking code), claims (C7), messages (M3)."),
]
OffOption = Annotated[bool, typer.Option("--off", help="Take an order's cancellation by hand back.")]


def cancel(
    what: WhatArgument,
    config: ConfigOption = None,
    off: OffOption = False,
    reason: ReasonOption = None,
    who: ByOption = None,
    yes: YesOption = False,
) -> None:
    """Cancel an order (its customer hears no more), a claim not filed yet, or a message that has not left."""
    who = who or at_keyboard()
    with opened(config) as program:
        hand = Hand(who, reason, program.now)
        found, said = _meant(program, what, off)
        sure(len(found), "orders, claims or messages", yes)
        acts = {kind: partial(stop, kind=kind, act="cancel") for kind in ("claim", "message")}
        for one in found:
            said.append(perform(program, one, {**acts, "order": _uncancel if off else _cancel}, hand))
            tell(said[-1])
    leave(max(one.exit_code for one in said))


def _meant(program: Opened, what: Sequence[str], off: bool) -> tuple[list[PublicId], list[Said]]:
    """Claims and messages by their ids, orders by whatever they are found by; a bare number is an order's."""
    found: dict[PublicId, None] = {}
    wrong: list[Said] = []
    for text in what:
        one = _one(program, text, off)
        if isinstance(one, Said):
            wrong.append(one)
            tell(one)
        else:
            found[one] = None
    return list(found), wrong


def _one(program: Opened, text: str, off: bool) -> PublicId | Said:
    given = parse_id(text)
    if given is not None and given.kind in {"claim", "message"}:
        if off:
            return Said(f"{text}: what was stopped stays stopped; only an order's cancellation can be taken back", 2)
        return named(program, text, ("claim", "message"))
    if given is not None and given.kind == "problem":
        return Said(f"{text}: a problem is not cancelled but settled: tracker resolve {text} --as HOW", 2)
    hit = order_named(program, text)
    return hit if isinstance(hit, Said) else PublicId("order", hit.id)


def _cancel(connection: Connection, order_id: int, hand: Hand, _program: Opened) -> Said:
    from tracker.domain.hand import ActKind, cancellation_of
    from tracker.domain.order import OrderStatus
    from tracker.store.acts import acts_about
    from tracker.store.orders import order_number, order_status, set_order_status

    shop, status = order_status(connection, order_id)
    number = order_number(connection, order_id)
    standing = cancellation_of(acts_about(connection, "order", [order_id]).get(order_id, ()))
    if status == OrderStatus.CANCELLED.value:
        by = f" by {standing.who}" if standing is not None else " in the shop's own files"
        return Said(f"order {number} is cancelled already,{by}: its customer is told nothing")
    facts = {"was": status}
    decide(connection, hand, ActKind.CANCEL, "order", order_id, shop, "order_cancelled", facts, facts)
    set_order_status(connection, order_id, OrderStatus.CANCELLED, hand.now)
    filed = _wake(connection, order_id, hand, silent=True)
    stays = f"; {', '.join(filed)} stays with the carrier and is followed" if filed else ""
    return Said(
        f"order {number} is cancelled: its customer is told nothing more, claims that are not filed fall away{stays}; "
        "its parcels are still watched"
    )


def _uncancel(connection: Connection, order_id: int, hand: Hand, _program: Opened) -> Said:
    from tracker.domain.hand import ActKind, cancellation_of
    from tracker.domain.order import OrderStatus
    from tracker.store.acts import acts_about
    from tracker.store.orders import order_number, order_status, set_order_status

    shop, status = order_status(connection, order_id)
    number = order_number(connection, order_id)
    standing = cancellation_of(acts_about(connection, "order", [order_id]).get(order_id, ()))
    if standing is None and status == OrderStatus.CANCELLED.value:
        return Said(f"order {number} was cancelled by the shop's own files: a later file says that it is not", 1)
    if standing is None:
        return Said(f"order {number} is not cancelled: nothing to take back")
    was = OrderStatus(standing.facts.get("was", OrderStatus.UNKNOWN.value))
    decide(connection, hand, ActKind.UNCANCEL, "order", order_id, shop, "order_restored", shown={"status": was.value})
    set_order_status(connection, order_id, was, hand.now)
    _wake(connection, order_id, hand, silent=False)
    again = f"it is {was.value} again, and" if was is not OrderStatus.UNKNOWN else "it is"
    return Said(f"order {number} is not cancelled any more: {again} looked after from now on")


def _wake(connection: Connection, order_id: int, hand: Hand, *, silent: bool) -> list[str]:
    """Have every stage look at the order again; returns the claims that the carrier has."""
    from tracker.reports.identity import public_id
    from tracker.store.claims import claims_of_shipments
    from tracker.store.contexts import shipments_of_orders
    from tracker.store.deliveries import wake_queued
    from tracker.store.wake import wake_order

    shipments = shipments_of_orders(connection, [order_id])[order_id]
    wake_order(connection, order_id, shipments, hand.now)
    if silent:
        wake_queued(connection, order_id, hand.now)
    claims = [claim for rows in claims_of_shipments(connection, shipments).values() for claim in rows]
    return [public_id("claim", c.id) for c in claims if c.opened_at is not None and c.closed_at is None]
