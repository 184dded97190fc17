"""Mail that came back: how far the mailbox was read, what was found, and which delivery each is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, update

from tracker.domain.words import DeliveryState
from tracker.store.database import insert_new, upsert
from tracker.store.tables import Delivery, ReturnedMail, ReturnMailbox, table

_BOXES, _ROWS, _DELIVERIES = table(ReturnMailbox), table(ReturnedMail), table(Delivery)
_BOX: Final = ("uid_validity", "last_uid", "failures", "until", "down_since", "reason")


@dataclass(frozen=True, slots=True)
class MailboxState:
    """How far it was read, and whether it can be."""

    uid_validity: int = 0
    last_uid: int = 0
    failures: int = 0
    until: datetime | None = None
    down_since: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """What a mail that came back says about one recipient."""

    id: int
    kind: str
    recipient: str
    status: str
    evidence: str
    delivery_id: int | None
    matched_by: str | None


def mailbox_state(connection: Connection, mailbox: str) -> MailboxState | None:
    """None for one that was never read."""
    query = select(*(_BOXES.c[name] for name in _BOX)).where(_BOXES.c.mailbox == mailbox)
    row = connection.execute(query).mappings().one_or_none()
    return MailboxState(**row) if row else None


def save_mailbox_state(connection: Connection, mailbox: str, state: MailboxState) -> None:
    """Keep how a mailbox stands."""
    row = {"mailbox": mailbox, **{name: getattr(state, name) for name in _BOX}}
    upsert(connection, _BOXES, [row], ["mailbox"], list(_BOX))


def delivery_with_id(connection: Connection, message_ids: Sequence[str]) -> int | None:
    """The delivery that left under one of these Message-IDs."""
    mine = (_DELIVERIES.c.message_id.in_(list(message_ids)), _DELIVERIES.c.sending_at.is_not(None))
    found = (
        connection.execute(select(_DELIVERIES.c.id).where(*mine).limit(1)).scalar_one_or_none() if message_ids else None
    )
    return None if found is None else int(found)


def delivery_to(connection: Connection, addresses: Sequence[str], since: datetime) -> int | None:
    """The newest delivery that left to one of these addresses since then."""
    mine = (_DELIVERIES.c.sent_to.in_(list(addresses)), _DELIVERIES.c.sending_at >= since)
    query = select(_DELIVERIES.c.id).where(*mine).order_by(_DELIVERIES.c.sending_at.desc(), _DELIVERIES.c.id.desc())
    found = connection.execute(query.limit(1)).scalar_one_or_none() if addresses else None
    return None if found is None else int(found)


def address_of(connection: Connection, delivery_id: int) -> str | None:
    """The address that a delivery was given for, as it goes on the wire."""
    return connection.execute(select(_DELIVERIES.c.sent_to).where(_DELIVERIES.c.id == delivery_id)).scalar_one_or_none()


def add_returned(connection: Connection, values: dict[str, Any]) -> int | None:
    """Keep one finding; None where the same mail was read before."""
    new = insert_new(connection, _ROWS, [values], _ROWS.c.id)
    return int(new[0][0]) if new else None


def waiting(connection: Connection) -> list[ReturnRow]:
    """Findings about deliveries that were just being sent when they came."""
    names = ReturnRow.__dataclass_fields__
    query = select(*(_ROWS.c[name] for name in names)).where(_ROWS.c.applied_at.is_(None)).order_by(_ROWS.c.id)
    return [ReturnRow(**row) for row in connection.execute(query).mappings()]


def applied(connection: Connection, row_ids: Iterable[int], at: datetime) -> None:
    """What these findings change is written."""
    connection.execute(update(_ROWS).where(_ROWS.c.id.in_(list(row_ids))).values(applied_at=at))


def bounces_of_newest(connection: Connection, channel: str, newest: int) -> tuple[int, int]:
    """Of the newest so many messages that left: how many came back, and how many there are."""
    query = (
        select(_DELIVERIES.c.state)
        .where(_DELIVERIES.c.channel == channel, _DELIVERIES.c.sent_at.is_not(None))
        .order_by(_DELIVERIES.c.sent_at.desc(), _DELIVERIES.c.id.desc())
        .limit(newest)
    )
    states = connection.execute(query).scalars().all()
    return states.count(DeliveryState.BOUNCED.value), len(states)
