"""Looks at orders that should have left by now, or have, and have no shipment. Intake wakes an order whenever it saves one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from tracker.detection.writing import About, acts_of_open, newest, write_changes
from tracker.domain.calendar import CalendarsBetween
from tracker.domain.detection import OrderFacts, detect_order
from tracker.domain.order import OrderStatus
from tracker.store.contexts import standing_of_orders
from tracker.store.database import Database
from tracker.store.leases import finish, new_token
from tracker.store.problems import problems_of_orders, take_due_orders
from tracker.store.tables import OrderCheck, table

BATCH: Final = 200


@dataclass(frozen=True)
class OrderSweep:
    """The lane `detect:orders`."""

    database: Database
    days: CalendarsBetween
    without_number_business_days: int = 2

    async def run(self, now: datetime) -> int:
        """Look at all orders that are due; returns how many."""
        total = 0
        while True:
            looked = await self.database.write(lambda c: self._batch(c, now))
            total += looked
            if looked < BATCH:
                return total

    def _batch(self, connection: Connection, now: datetime) -> int:
        token = new_token()
        due = take_due_orders(connection, now=now, limit=BATCH, token=token)
        if not due:
            return 0
        problems = problems_of_orders(connection, due)
        settled = acts_of_open(connection, problems.values())
        nexts = []
        for order in standing_of_orders(connection, due):
            facts = OrderFacts(
                OrderStatus(order.status),
                order.ship_by,
                order.has_shipment,
                order.ordered_at,
                order.created_at,
                order.updated_at,
            )
            changes = detect_order(
                facts,
                newest(problems[order.id], settled),
                days=self.days(order.shop, order.state, order.city),
                now=now,
                without_number_business_days=self.without_number_business_days,
            )
            write_changes(connection, About(order.shop, order.id, state=order.state), changes, now)
            nexts.append((order.id, changes.next_check_at))
        finish(connection, table(OrderCheck), "next_check_at", nexts, token=token)
        return len(due)
