"""Addresses that are told nothing, with what speaks against each. Addresses as they go on the wire, in lower case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select, update

from tracker.domain.suppression import SOFT
from tracker.domain.words import DeliveryState
from tracker.store.database import insert_new
from tracker.store.tables import Delivery, Suppression, table

_ROWS, _DELIVERIES = table(Suppression), table(Delivery)
ENDED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.BOUNCED, DeliveryState.FAILED)
_NEWEST = 20


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """`shop` empty: every shop's messages."""

    id: int
    shop: str
    channel: str
    address: str
    reason: str
    evidence: str
    source: str
    delivery_id: int | None
    at: datetime
    lifted_at: datetime | None


def suppress(
    connection: Connection,
    *,
    channel: str,
    address: str,
    shop: str = "",
    reason: str,
    evidence: str,
    source: str,
    at: datetime,
    delivery_id: int | None = None,
) -> int | None:
    """Tell this address nothing more; None where it stands on the list already."""
    row: dict[str, Any] = {"channel": channel, "address": address, "shop": shop, "reason": reason, "evidence": evidence}
    row |= {"source": source, "at": at, "delivery_id": delivery_id}
    new = insert_new(connection, _ROWS, [row], _ROWS.c.id)
    return int(new[0][0]) if new else None


def lift(connection: Connection, channel: str, address: str, shop: str | None, at: datetime) -> list[int]:
    """Let this address be told again, by this shop or (None) by all; the rows that were lifted."""
    mine = [_ROWS.c.channel == channel, _ROWS.c.address == address, _ROWS.c.lifted_at.is_(None)]
    if shop is not None:
        mine.append(_ROWS.c.shop == shop)
    found = connection.execute(update(_ROWS).where(*mine).values(lifted_at=at).returning(_ROWS.c.id))
    return sorted(found.scalars())


def _query() -> Select[Any]:
    return select(*(_ROWS.c[name] for name in SuppressionRow.__dataclass_fields__))


# To build it takes longer than to run it, and each group of messages that leaves asks it.
_AGAINST: Final = (
    _query()
    .where(
        _ROWS.c.channel == bindparam("of_channel"),
        _ROWS.c.address.in_(bindparam("addresses", expanding=True)),
        _ROWS.c.lifted_at.is_(None),
    )
    .order_by(_ROWS.c.id)
)


def suppressed(connection: Connection, channel: str, addresses: Iterable[str]) -> dict[str, list[SuppressionRow]]:
    """What stands against these addresses, the oldest first; those that may be told are absent."""
    found: dict[str, list[SuppressionRow]] = {}
    given = {"of_channel": channel, "addresses": sorted(set(addresses))}
    for row in connection.execute(_AGAINST, given).mappings():
        found.setdefault(row["address"], []).append(SuppressionRow(**row))
    return found


def list_all(
    connection: Connection, *, shop: str | None, with_lifted: bool, limit: int | None = None
) -> list[SuppressionRow]:
    """The list, the newest first; of one shop: what holds for it, every shop's included."""
    query = _query().order_by(_ROWS.c.id.desc()).limit(limit)
    if shop is not None:
        query = query.where(_ROWS.c.shop.in_(["", shop]))
    if not with_lifted:
        query = query.where(_ROWS.c.lifted_at.is_(None))
    return [SuppressionRow(**row) for row in connection.execute(query).mappings()]


def soft_failures(connection: Connection, channel: str, address: str, before: int) -> int:
    """How many of the newest messages to this address ended in a row for a reason that another day may not have.

    *before* is a delivery that does not count itself.
    """
    query = (
        select(_DELIVERIES.c.state, _DELIVERIES.c.reason)
        .where(
            _DELIVERIES.c.sent_to == address,
            _DELIVERIES.c.channel == channel,
            _DELIVERIES.c.id != before,
            _DELIVERIES.c.state.in_([state.value for state in ENDED]),
        )
        .order_by(_DELIVERIES.c.id.desc())
        .limit(_NEWEST)
    )
    return len(list(takewhile(lambda row: row.reason in SOFT, connection.execute(query).all())))
