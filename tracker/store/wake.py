"""The only write across owners: saying that something is due, in the transaction of the fact that makes it so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table

from tracker.store.database import upsert
from tracker.store.tables import ClaimCheck, NoticeCheck, OrderCheck, ShipmentCheck, ShipmentPoll, table

CHECKS: Mapping[str, Table] = {
    "detection": table(ShipmentCheck),
    "claims": table(ClaimCheck),
    "messages": table(NoticeCheck),
}
_POLLS, _ORDER_CHECKS = table(ShipmentPoll), table(OrderCheck)


def wake(connection: Connection, stage: str, shipment_ids: Iterable[int], at: datetime) -> None:
    """Have `stage` (`detection`, `claims` or `messages`) look at these shipments at `at`."""
    rows = [{"shipment_id": shipment_id, "next_check_at": at} for shipment_id in dict.fromkeys(shipment_ids)]
    upsert(connection, CHECKS[stage], rows, ["shipment_id"], ["next_check_at"])


def wake_orders(connection: Connection, order_ids: Iterable[int], at: datetime) -> None:
    """Have detection look at these orders at `at`: whether one that should have left has a shipment."""
    rows = [{"order_id": order_id, "next_check_at": at} for order_id in dict.fromkeys(order_ids)]
    upsert(connection, _ORDER_CHECKS, rows, ["order_id"], ["next_check_at"])


def wake_polling(connection: Connection, shipments: Iterable[tuple[int, str]], at: datetime) -> None:
    """Have these shipments (id, carrier) asked about at `at`; a closed one is asked about again."""
    rows: list[dict[str, Any]] = [
        {"shipment_id": shipment_id, "carrier": carrier, "next_poll_at": at, "failures": 0}
        for shipment_id, carrier in shipments
    ]
    for row in rows:
        # Without its lease, a poll that is under way can no longer overwrite what we set here.
        row |= {"closed_reason": None, "lease_token": None, "lease_until": None}
    changed = ["carrier", "next_poll_at", "closed_reason", "lease_token", "lease_until"]
    upsert(connection, _POLLS, rows, ["shipment_id"], changed)
