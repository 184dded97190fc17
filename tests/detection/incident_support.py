"""A shop with problems at places, for the tests of incidents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import SQLModel

from carriers.base import ProblemKind
from tracker.store.database import Database
from tracker.store.tables import Order, Problem, Shipment, table

NOW = datetime(2026, 11, 25, 13, tzinfo=UTC)


@dataclass
class Shop:
    """Every problem is of a parcel of its own."""

    database: Database
    _shipments: dict[int, int] = field(default_factory=dict)

    def problem(self, kind: ProblemKind, place: str, state: str, days: float = 0) -> int:
        """A problem that began so many days from now, an hour before it was found."""
        found_at = NOW + timedelta(days=days)
        with self.database.begin_write() as connection:
            number = len(self._shipments) + 1
            order = {
                "shop": "s",
                "source": "file",
                "number": str(number),
                "status": "shipped",
                "created_at": NOW,
                "updated_at": NOW,
            }
            order_id = connection.execute(insert(table(Order)).returning(table(Order).c.id), order).scalar_one()
            shipment = {
                "order_id": order_id,
                "shop": "s",
                "carrier": "entregas",
                "direction": "outbound",
                "created_at": NOW,
            }
            shipments = table(Shipment)
            shipment_id = connection.execute(insert(shipments).returning(shipments.c.id), shipment).scalar_one()
            problems = table(Problem)
            row = {
                "shop": "s",
                "subject_kind": "shipment",
                "subject_id": shipment_id,
                "order_id": order_id,
                "carrier": "entregas",
                "place": place,
                "state": state,
                "kind": kind.value,
                "episode": 1,
                "presumed": False,
                "since": found_at - timedelta(hours=1),
                "detected_at": found_at,
                "rule": "a.test",
                "rule_version": 1,
                "version": 1,
            }
            problem_id: int = connection.execute(insert(problems).returning(problems.c.id), row).scalar_one()
        self._shipments[problem_id] = shipment_id
        return problem_id

    def shipment_of(self, problem_id: int) -> int:
        return self._shipments[problem_id]

    def rows(self, model: type[SQLModel]) -> list[dict[str, Any]]:
        rows = table(model)
        with self.database.begin_read() as connection:
            found = connection.execute(select(rows).order_by(*rows.primary_key.columns)).mappings()
            return [dict(row) for row in found]
