"""Polling's table of due dates that a carrier's calculator is asked for, because its tracking names none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from tracker.store.leases import claim, claiming, held, release
from tracker.store.tables import Event, Order, Shipment, ShipmentDeadline, ShipmentHistory, table

_DEADLINES, _SHIPMENTS, _ORDERS = table(ShipmentDeadline), table(Shipment), table(Order)
_HISTORIES, _EVENTS = table(ShipmentHistory), table(Event)


@dataclass(frozen=True, slots=True)
class DueDeadline:
    """One shipment whose due date is to be asked for, with all that the question needs."""

    shipment_id: int
    shop: str
    failures: int
    postal_code: str | None
    """Of the destination."""
    state: str | None
    """Of the destination."""
    ordered_service: str | None
    tracked_service: str | None
    posted_at: datetime | None
    known_due_on: date | None
    posted_code: str | None
    """The carrier's code of the event that posted it."""


def forget(connection: Connection, shipment_id: int) -> None:
    """What the calculator said was said of another parcel: it is asked anew where tracking names no date."""
    connection.execute(delete(_DEADLINES).where(_DEADLINES.c.shipment_id == shipment_id))


_TAKE: Final = claiming(_DEADLINES, "next_ask_at", [_DEADLINES.c.carrier == bindparam("of_carrier")])
_POSTED_CODE: Final = (
    select(_EVENTS.c.carrier_code)
    .where(
        _EVENTS.c.shipment_id == _DEADLINES.c.shipment_id,
        _EVENTS.c.occurred_at == _HISTORIES.c.posted_at,
        _EVENTS.c.vanished_at.is_(None),
        ~_EVENTS.c.void,
        ~_EVENTS.c.reversal,
    )
    .order_by(_EVENTS.c.id)
    .limit(1)
    .scalar_subquery()
)
_TAKEN: Final = (
    select(
        _DEADLINES.c.shipment_id,
        _SHIPMENTS.c.shop,
        _DEADLINES.c.failures,
        _ORDERS.c.postal_code,
        _ORDERS.c.state,
        _SHIPMENTS.c.service,
        _HISTORIES.c.service,
        _HISTORIES.c.posted_at,
        _HISTORIES.c.carrier_due_first_on,
        _POSTED_CODE,
    )
    .join(_SHIPMENTS, _SHIPMENTS.c.id == _DEADLINES.c.shipment_id)
    .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
    .outerjoin(_HISTORIES, _HISTORIES.c.shipment_id == _DEADLINES.c.shipment_id)
    .where(_DEADLINES.c.shipment_id.in_(bindparam("keys", expanding=True)))
    .order_by(_DEADLINES.c.next_ask_at, _DEADLINES.c.shipment_id)
)


def take_due(connection: Connection, carrier: str, *, now: datetime, limit: int, token: str) -> list[DueDeadline]:
    """Lease the carrier's next shipments to ask about."""
    keys = claim(connection, _TAKE, now=now, limit=limit, token=token, of_carrier=carrier)
    return [DueDeadline(*list(row)) for row in connection.execute(_TAKEN, {"keys": keys})] if keys else []


def save(connection: Connection, shipment_id: int, values: Mapping[str, Any], *, token: str) -> bool:
    """Write what came of a question and put the lease down; False where the lease is no longer ours."""
    ours = (_DEADLINES.c.shipment_id == shipment_id, held(_DEADLINES, token))
    return connection.execute(update(_DEADLINES).where(*ours).values(**release(dict(values)))).rowcount == 1


def ask_again(connection: Connection, carriers: Sequence[str], at: datetime) -> int:
    """Ask again for what could not be asked or was refused: the configuration has changed; returns how many."""
    stuck = (_DEADLINES.c.carrier.in_(carriers), _DEADLINES.c.state.in_(["missing", "refused"]))
    return connection.execute(update(_DEADLINES).where(*stuck).values(next_ask_at=at, failures=0)).rowcount
