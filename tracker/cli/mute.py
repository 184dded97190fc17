"""`tracker mute`: an order's customer hears nothing, until a day or until a hand takes it back. Claims go on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, at_keyboard
from tracker.cli.handwork import (
    ByOption,
    Hand,
    ReasonOption,
    YesOption,
    day_of,
    decide,
    leave,
    orders_named,
    orders_of_customer,
    tell,
    zone_of,
)
from tracker.cli.opened import Opened, opened, refuse
from tracker.cli.settled import Said

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from tracker.domain.hand import Mute
    from tracker.store.views_show import OrderHit

OrdersArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ORDER...",
        help="An order: its number or id (O5), a tracking code, an invoice.",
        show_default=False,
    ),
]
CustomerOption = Annotated[
    str | None,
    typer.Option(
        "--customer",
        metavar="EMAIL_OR_DOCUMENT",
        help="Every order of this customer that is known now, instead of ORDER.",
        show_default=False,
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="Through this day (2026-12-10 or 10/12/2026).", show_default=False),
]
OffOption = Annotated[bool, typer.Option("--off", help="Tell the customer again.")]


def mute(
    orders: OrdersArgument = None,
    customer: CustomerOption = None,
    config: ConfigOption = None,
    until: UntilOption = None,
    off: OffOption = False,
    reason: ReasonOption = None,
    who: ByOption = None,
    yes: YesOption = False,
) -> None:
    """Silence orders: their customer gets no message, their claims go on."""
    if bool(orders) == (customer is not None):
        refuse("name orders, or --customer with an e-mail or a CPF/CNPJ")
    if off and until is not None:
        refuse("--off and --until exclude each other")
    who = who or at_keyboard()
    with opened(config) as program:
        ends_at = None if until is None else _ends_at(program, until)
        found = orders_of_customer(program, customer, yes) if customer is not None else None
        hits, said = orders_named(program, orders or [], yes) if found is None else (found, [])
        hand = Hand(who, reason, program.now)
        for hit in hits:
            with program.database.begin_write() as connection:
                done = (
                    _unmute(connection, hit, hand, program) if off else _mute(connection, hit, hand, ends_at, program)
                )
            said.append(done)
            tell(said[-1])
    leave(max(one.exit_code for one in said))


def _ends_at(program: Opened, text: str) -> datetime:
    """When messages leave again after this local day: within the hours in which the shop tells of deliveries."""
    from tracker.domain.notices import within_hours

    day = day_of("--until", text, program)
    days = program.promises().days("", None)
    ends_at = within_hours(days.start_of(day + timedelta(days=1)), program.settings.rules.delivered_between, days)
    if ends_at <= program.now or day < days.local_date(program.now):
        refuse(f"--until {text}: that day is over")
    return ends_at


def _mute(connection: Connection, hit: OrderHit, hand: Hand, ends_at: datetime | None, program: Opened) -> Said:
    from tracker.domain.hand import ActKind, mute_of
    from tracker.store.acts import acts_about
    from tracker.store.deliveries import look_again_at, muted_deliveries
    from tracker.store.orders import order_status

    zone = zone_of(program)
    shop, _ = order_status(connection, hit.id)
    standing = mute_of(acts_about(connection, "order", [hit.id]).get(hit.id, ()), hand.now)
    if standing is not None and standing.until == ends_at:
        return Said(f"order {hit.number} is muted already{_until(standing.until, zone)}, by {standing.who}")
    facts = {"until": ends_at.isoformat()} if ends_at is not None else {}
    decide(connection, hand, ActKind.MUTE, "order", hit.id, shop, "muted", facts, facts)
    for delivery_id, _, _, expires_at in muted_deliveries(connection, hit.id):
        look_again_at(connection, delivery_id, expires_at if ends_at is None else min(ends_at, expires_at))
    return Said(f"order {hit.number} is muted{_until(ends_at, zone)}: its customer gets no message, its claims go on")


def _unmute(connection: Connection, hit: OrderHit, hand: Hand, program: Opened) -> Said:
    from tracker.domain.hand import ActKind, mute_of
    from tracker.domain.notices import leaves_at
    from tracker.message_lanes import notice_policy
    from tracker.store.acts import acts_about
    from tracker.store.contexts import shipments_of_orders
    from tracker.store.deliveries import look_again_at, muted_deliveries
    from tracker.store.orders import order_status
    from tracker.store.wake import wake

    shop, _ = order_status(connection, hit.id)
    standing: Mute | None = mute_of(acts_about(connection, "order", [hit.id]).get(hit.id, ()), hand.now)
    if standing is None:
        return Said(f"order {hit.number} is not muted: nothing to take back")
    decide(connection, hand, ActKind.UNMUTE, "order", hit.id, shop, "unmuted")
    held = muted_deliveries(connection, hit.id)
    policy, days = notice_policy(program.settings), program.promises().days(shop, None)
    for delivery_id, trigger, since, _ in held:
        look_again_at(connection, delivery_id, leaves_at(trigger, since, policy, days, hand.now))
    wake(connection, "messages", shipments_of_orders(connection, [hit.id])[hit.id], hand.now)
    waiting = {0: "nothing was held for it", 1: "the message that was held is looked at again"}
    what = waiting.get(len(held), f"the {len(held)} messages that were held are looked at again")
    return Said(f"order {hit.number} is not muted any more: {what}")


def _until(ends_at: datetime | None, zone: ZoneInfo) -> str:
    return f" until {ends_at.astimezone(zone):%Y-%m-%d %H:%M}" if ends_at is not None else ""
