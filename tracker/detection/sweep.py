"""Looks at every shipment that is due: gathers the facts, lets the rules decide, writes problems and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from tracker.detection.facts import FactReader, Outage, silent_since
from tracker.detection.writing import About, acts_of_open, newest, write_changes
from tracker.domain.detection import Changes, detect
from tracker.store.acts import acts_about
from tracker.store.contexts import ShipmentContext, contexts_of
from tracker.store.database import Database
from tracker.store.histories import HistoryRow, histories_of
from tracker.store.leases import finish, new_token
from tracker.store.polls import OWN_ABSENCE, TRACKING, outages
from tracker.store.problems import problems_of, take_due_checks
from tracker.store.tables import ShipmentCheck, table
from tracker.store.wake import wake

BATCH: Final = 200
SHARDS: Final = 8


@dataclass(frozen=True)
class DetectionSweep:
    """The lane `detect#<shard>`."""

    database: Database
    shard: int
    reader: FactReader

    async def run(self, now: datetime) -> int:
        """Look at all that is due in this shard; returns how many shipments were looked at."""
        total = 0
        while True:
            looked = await self.database.write(lambda c: self._batch(c, now))
            total += looked
            if looked < BATCH:
                return total

    def _batch(self, connection: Connection, now: datetime) -> int:
        token = new_token()
        due = take_due_checks(connection, self.shard, SHARDS, now=now, limit=BATCH, token=token)
        if not due:
            return 0
        contexts = contexts_of(connection, due)
        histories = histories_of(connection, due)
        problems = problems_of(connection, due)
        told, settled = acts_about(connection, "shipment", due), acts_of_open(connection, problems.values())
        away = _outages(connection, contexts, histories, now)
        nexts, concerned, changed = [], [], []
        for shipment_id in due:
            context = contexts[shipment_id]
            acts = told.get(shipment_id, ())
            facts = self.reader.read(context, histories.get(shipment_id), away[context.carrier], acts)
            known = newest(problems[shipment_id], settled)
            changes = detect(facts, known, days=self.reader.calendars(context), now=now)
            written = self._write(connection, context, facts.history.location, changes, now)
            changed += [shipment_id] if written else []
            concerned += [shipment_id] if written or known else []
            nexts.append((shipment_id, changes.next_check_at))
        # A claim may wait for the parcel's next event although no problem changes.
        wake(connection, "claims", concerned, now)
        wake(connection, "messages", changed, now)
        # Taking, deciding and this are one transaction: a fact that arrives meanwhile waits, and wakes the check again.
        finish(connection, table(ShipmentCheck), "next_check_at", nexts, token=token)
        return len(due)

    @staticmethod
    def _write(
        connection: Connection, context: ShipmentContext, place: str | None, changes: Changes, now: datetime
    ) -> bool:
        order = context.order
        about = About(order.shop, order.id, context.shipment_id, context.carrier, place, order.state)
        return write_changes(connection, about, changes, now)


def _outages(
    connection: Connection,
    contexts: Mapping[int, ShipmentContext],
    histories: Mapping[int, HistoryRow],
    now: datetime,
) -> dict[str, tuple[Outage, ...]]:
    """By carrier, the times without an answer, or without a question, since the longest silence among these shipments."""
    oldest: dict[str, datetime] = {}
    for shipment_id, context in contexts.items():
        since = silent_since(context, histories.get(shipment_id))
        oldest[context.carrier] = min(since, oldest.get(context.carrier, since))
    return {
        carrier: tuple(
            o for family in (TRACKING, OWN_ABSENCE) for o in outages(connection, carrier, family, since, now)
        )
        for carrier, since in oldest.items()
    }
