"""The only write across owners: saying that something is due, in the transaction of the fact that makes it so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, Update, bindparam, update

from tracker.store.database import insert_new, upsert
from tracker.store.kept import among
from tracker.store.many import execute_many, upsert_each
from tracker.store.tables import (
    Claim,
    ClaimCheck,
    NoticeCheck,
    NoticeOrderCheck,
    OrderCheck,
    ShipmentCheck,
    ShipmentDeadline,
    ShipmentPoll,
    table,
)

CHECKS: Mapping[str, Table] = {
    "detection": table(ShipmentCheck),
    "claims": table(ClaimCheck),
    "messages": table(NoticeCheck),
}
_POLLS, _ORDER_CHECKS, _DEADLINES = table(ShipmentPoll), table(OrderCheck), table(ShipmentDeadline)
_NOTICE_ORDERS = table(NoticeOrderCheck)
_CLAIMS = table(Claim)


def wake(connection: Connection, stage: str, shipment_ids: Iterable[int], at: datetime) -> None:
    """Have `stage` (`detection`, `claims` or `messages`) look at these shipments at `at`."""
    upsert_each(connection, CHECKS[stage], list(dict.fromkeys(shipment_ids)), "next_check_at", at)


def hasten(connection: Connection, shipment_ids: Iterable[int], *, until: datetime, at: datetime) -> None:
    """Have detection and messages look at `at` at those of these shipments that they would look at by `until`: what they
    may wait for has come. One that is being looked at meanwhile is waited for, and looked at again where it goes on waiting.
    """
    ids = sorted(shipment_ids)
    for statement in _HASTENED if ids else ():
        execute_many(connection, statement, [{"keys": ids, "until": until, "at": at}])


def _hastening(rows: Table) -> Update:
    soon = (among(rows.c.shipment_id, "keys"), rows.c.next_check_at <= bindparam("until"))
    return update(rows).where(*soon).values(next_check_at=bindparam("at"))


_HASTENED = tuple(_hastening(CHECKS[stage]) for stage in ("detection", "messages"))


def wake_orders(connection: Connection, order_ids: Iterable[int], at: datetime) -> None:
    """Have detection look at these orders at `at`: whether one that should have left has a shipment."""
    rows = [{"order_id": order_id, "next_check_at": at} for order_id in dict.fromkeys(order_ids)]
    upsert(connection, _ORDER_CHECKS, rows, ["order_id"], ["next_check_at"])


def wake_thanks(connection: Connection, order_ids: Iterable[int], at: datetime) -> None:
    """Have messages look at these orders at `at`: whether their customers are thanked."""
    rows = [{"order_id": order_id, "next_check_at": at} for order_id in dict.fromkeys(order_ids)]
    upsert(connection, _NOTICE_ORDERS, rows, ["order_id"], ["next_check_at"])


def wake_order(connection: Connection, order_id: int, shipment_ids: Iterable[int], at: datetime) -> None:
    """Have every stage right of intake look at an order and its shipments at `at`: a person changed what is known of it."""
    ids = list(shipment_ids)
    for stage in CHECKS:
        wake(connection, stage, ids, at)
    wake_orders(connection, [order_id], at)


def wake_polling(connection: Connection, shipments: Iterable[tuple[int, str]], at: datetime) -> None:
    """Have these shipments (id, carrier) asked about at `at`; a closed one is asked about again."""
    rows: list[dict[str, Any]] = [
        {"shipment_id": shipment_id, "carrier": carrier, "next_poll_at": at, "failures": 0}
        for shipment_id, carrier in shipments
    ]
    for row in rows:
        # Without its lease, a poll that is under way can no longer overwrite what we set here.
        row |= {"closed_reason": None, "accounts_tried": None, "lease_token": None, "lease_until": None}
    changed = ["carrier", "next_poll_at", "closed_reason", "accounts_tried", "lease_token", "lease_until"]
    upsert(connection, _POLLS, rows, ["shipment_id"], changed)


def wake_deadlines(connection: Connection, carrier: str, shipment_ids: Iterable[int], at: datetime) -> None:
    """Have the carrier's calculator asked for the due dates of these shipments; each is asked for once."""
    row: dict[str, Any] = {"carrier": carrier, "state": "waiting", "next_ask_at": at, "failures": 0}
    insert_new(connection, _DEADLINES, [{"shipment_id": shipment_id, **row} for shipment_id in shipment_ids])


def rewake_deadlines(connection: Connection, shipment_ids: Iterable[int], at: datetime) -> None:
    """Ask again for what could not be asked or was refused: the order of these shipments has changed."""
    stuck = (_DEADLINES.c.shipment_id.in_(list(shipment_ids)), _DEADLINES.c.state.in_(["missing", "refused"]))
    connection.execute(update(_DEADLINES).where(*stuck).values(next_ask_at=at, failures=0))


def wake_claim(connection: Connection, claim_id: int, at: datetime) -> None:
    """Have claims look at this claim at `at`, a closed one too. Whoever decides about it now has read too little: its save
    fails, and it is read again."""
    changed = {"next_step_at": at, "version": _CLAIMS.c.version + 1}
    connection.execute(update(_CLAIMS).where(_CLAIMS.c.id == claim_id).values(**changed))
