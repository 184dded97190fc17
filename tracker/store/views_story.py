"""What a story is told from: an order with every decision about what belongs to it, and an alert with what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from tracker.store.decisions import decisions_of
from tracker.store.notices import members_of_notice
from tracker.store.tables import Alert, Claim, Decision, Delivery, Notice, Problem, Shipment, table
from tracker.store.views_show import OrderStory, story_of

_SHIPMENTS, _PROBLEMS, _CLAIMS = table(Shipment), table(Problem), table(Claim)
_NOTICES, _DELIVERIES, _ALERTS = table(Notice), table(Delivery), table(Alert)
Key = tuple[str, int]
"""A subject of decisions: its kind and id."""
_MESSAGE_ALERT: Final = "unconfirmed:"


@dataclass(frozen=True, slots=True)
class Whole:
    """An order's story with its decisions by subject, and the problems that each message speaks of."""

    story: OrderStory
    decisions: Mapping[Key, Sequence[Decision]]
    message_problems: Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it stands; `about` is the subject that it rests on, where it names one."""

    id: int
    shop: str
    kind: str
    severity: str
    key: str
    summary: str
    details: Mapping[str, Any]
    raised_at: datetime
    resolved_at: datetime | None
    acked_at: datetime | None
    acked_by: str | None
    acked_until: datetime | None
    ack_reason: str | None

    @property
    def about(self) -> Key | None:
        """The claim, message or shipment that this alert is about."""
        for kind in ("claim", "message", "shipment"):
            row_id = self.details.get(f"{kind}_id")
            if isinstance(row_id, int):
                return kind, row_id
        number = self.key.removeprefix(_MESSAGE_ALERT)
        return ("message", int(number)) if number != self.key and number.isdecimal() else None


def order_of(connection: Connection, kind: str, row_id: int) -> int | None:
    """The order that a problem, claim, message or shipment belongs to; None where there is none."""
    queries = {
        "order": None,
        "shipment": select(_SHIPMENTS.c.order_id).where(_SHIPMENTS.c.id == row_id),
        "problem": select(_PROBLEMS.c.order_id).where(_PROBLEMS.c.id == row_id),
        "claim": select(_SHIPMENTS.c.order_id)
        .join(_CLAIMS, _CLAIMS.c.shipment_id == _SHIPMENTS.c.id)
        .where(_CLAIMS.c.id == row_id),
        "message": select(_NOTICES.c.order_id)
        .join(_DELIVERIES, _DELIVERIES.c.notice_id == _NOTICES.c.id)
        .where(_DELIVERIES.c.id == row_id),
    }
    query = queries[kind]
    return row_id if query is None else connection.execute(query).scalar_one_or_none()


def whole_of(connection: Connection, order_id: int) -> Whole:
    """An order that exists, with everything that was decided about it and its parcels."""
    story = story_of(connection, order_id)
    keys: list[Key] = [("order", order_id), *(("message", message.id) for message in story.messages)]
    keys += [("problem", problem.id) for problem in story.problems]
    for parcel in story.parcels:
        keys.append(("shipment", parcel.context.shipment_id))
        keys += [("problem", problem.id) for problem in parcel.problems]
        keys += [("claim", claim.id) for claim in parcel.claims]
    found: dict[Key, list[Decision]] = {key: [] for key in keys}
    for decision in decisions_of(connection, keys):
        found[decision.subject_kind, decision.subject_id].append(decision)
    speaks_of = {
        message.id: frozenset(one for _, _, one in members_of_notice(connection, message.notice_id) if one is not None)
        for message in story.messages
    }
    return Whole(story, found, speaks_of)


def alert_of(connection: Connection, alert_id: int) -> AlertRow | None:
    """One alert."""
    names = AlertRow.__dataclass_fields__
    row = connection.execute(select(*(_ALERTS.c[name] for name in names)).where(_ALERTS.c.id == alert_id))
    found = row.mappings().one_or_none()
    return None if found is None else AlertRow(**found)
