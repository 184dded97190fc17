"""What should have left, or been asked about, long ago. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from tracker.domain.words import DeliveryState
from tracker.store.tables import Delivery, ShipmentPoll, table

_DELIVERIES, _POLLS = table(Delivery), table(ShipmentPoll)


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


def oldest_urgent_look(connection: Connection, carrier: str) -> datetime | None:
    """When the urgent parcel that waits longest at this carrier should have been looked at: one look into the index."""
    urgent = (_POLLS.c.carrier == carrier, _POLLS.c.urgent.is_(True), _POLLS.c.next_poll_at.is_not(None))
    found: datetime | None = connection.execute(select(func.min(_POLLS.c.next_poll_at)).where(*urgent)).scalar_one()
    return found
