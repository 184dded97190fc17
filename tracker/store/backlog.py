"""What should have left long ago. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from tracker.domain.words import DeliveryState
from tracker.store.tables import Delivery, table

_DELIVERIES = table(Delivery)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that were due before some instant and wait still."""

    count: int
    oldest: datetime | None


def messages_due_before(connection: Connection, channel: str, instant: datetime) -> Backlog:
    """The queued messages of this channel that were due before *instant*."""
    overdue = (
        _DELIVERIES.c.channel == channel,
        _DELIVERIES.c.next_step_at <= instant,
        _DELIVERIES.c.state == DeliveryState.QUEUED.value,
    )
    query = select(func.count(), func.min(_DELIVERIES.c.next_step_at)).where(*overdue)
    count, oldest = connection.execute(query).one()
    return Backlog(int(count), oldest)
