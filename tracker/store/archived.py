"""Names of orders that were dropped for their age: read by intake, so that an old file does not bring them back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, select

from tracker.domain.order import Order
from tracker.store.tables import ArchivedName, table

_NAMES = table(ArchivedName)
FILE: Final = "file"
"""Where orders come from."""
INVOICE: Final = "invoice_key"


def number_kind(source: str) -> str:
    """The kind under which an order's number is kept: numbers are a source's own."""
    return f"{source}:number"


def archived_among(connection: Connection, shop: str, source: str, orders: Sequence[Order]) -> dict[int, datetime]:
    """By place in the sequence: when the dropped order ended that this one is.

    An order that says itself that it was placed or sent later is a new one under a name that was used before.
    """
    if not orders:
        return {}
    names = {place: [(number_kind(source), order.number), *order.aliases] for place, order in enumerate(orders)}
    wanted = {pair for pairs in names.values() for pair in pairs}
    query = select(_NAMES.c.kind, _NAMES.c.name, _NAMES.c.closed_at).where(
        _NAMES.c.shop == shop,
        _NAMES.c.kind.in_({kind for kind, _ in wanted}),
        _NAMES.c.name.in_({name for _, name in wanted}),
    )
    known = {(kind, name): closed_at for kind, name, closed_at in connection.execute(query)}
    found = {}
    for place, pairs in names.items():
        ends = [known[pair] for pair in pairs if pair in known]
        if ends and not _is_later(orders[place], max(ends)):
            found[place] = max(ends)
    return found


@dataclass(frozen=True, slots=True)
class Archived:
    """What is known of a dropped order: whose it was, the name it was looked for by, and when it ended."""

    shop: str
    name: str
    closed_at: datetime


def archived_named(connection: Connection, shops: Iterable[str], names: Iterable[str]) -> list[Archived]:
    """The dropped orders of these shops that had one of these numbers or invoice keys."""
    query = select(_NAMES.c.shop, _NAMES.c.name, _NAMES.c.closed_at).where(
        _NAMES.c.shop.in_(list(shops)),
        _NAMES.c.kind.in_([number_kind(FILE), INVOICE]),
        _NAMES.c.name.in_(list(names)),
    )
    return [Archived(*row) for row in connection.execute(query.order_by(_NAMES.c.shop, _NAMES.c.name))]


def _is_later(order: Order, closed_at: datetime) -> bool:
    sent = [package.shipped_on for package in order.packages if package.shipped_on is not None]
    ordered: list[date] = [order.ordered_at.date()] if order.ordered_at is not None else []
    return any(day > closed_at.date() for day in (*ordered, *sent))
