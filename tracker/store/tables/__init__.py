"""Every table: one owner stage each, a natural key each, an indexed instant for whatever can be due.

`OWNERS` says which stage writes which table; `tests/test_walls.py` keeps it. Instants are aware UTC, due dates local
dates, money integer centavos. Key columns are never NULL, because two NULLs are never equal: no account is `''`.
"""

from __future__ import annotations

from typing import Final

from sqlmodel import SQLModel

from tracker.store.tables.alerts import (
    Alert,
    AlertDelivery,
    AlertNotification,
    AlertSink,
    Digest,
    Pulse,
    Signal,
)
from tracker.store.tables.base import BigId, Leased, table
from tracker.store.tables.claims import Claim, ClaimCheck, ClaimProblem, ClaimStep, SettledDesk
from tracker.store.tables.detection import OrderCheck, Problem, ShipmentCheck
from tracker.store.tables.events import DueDate, Event, ShipmentHistory
from tracker.store.tables.incidents import Incident, IncidentMember
from tracker.store.tables.intake import Import, Order, OrderAlias, OrderCancellation, OrderItem, Shipment, ShipmentRef
from tracker.store.tables.logs import Decision, OperatorAct
from tracker.store.tables.messages import Delivery, Notice, NoticeCheck, NoticeMember
from tracker.store.tables.polling import (
    CarrierOutage,
    CarrierState,
    CarrierToken,
    RawAnswer,
    ShipmentDeadline,
    ShipmentPoll,
)

__all__ = [
    "OWNERS",
    "Alert",
    "AlertDelivery",
    "AlertNotification",
    "AlertSink",
    "BigId",
    "CarrierOutage",
    "CarrierState",
    "CarrierToken",
    "Claim",
    "ClaimCheck",
    "ClaimProblem",
    "ClaimStep",
    "Decision",
    "Delivery",
    "Digest",
    "DueDate",
    "Event",
    "Import",
    "Incident",
    "IncidentMember",
    "Leased",
    "Notice",
    "NoticeCheck",
    "NoticeMember",
    "OperatorAct",
    "Order",
    "OrderAlias",
    "OrderCancellation",
    "OrderCheck",
    "OrderItem",
    "Problem",
    "Pulse",
    "RawAnswer",
    "SettledDesk",
    "Shipment",
    "ShipmentCheck",
    "ShipmentDeadline",
    "ShipmentHistory",
    "ShipmentPoll",
    "ShipmentRef",
    "Signal",
    "table",
]

OWNERS: Final[dict[str, tuple[type[SQLModel], ...]]] = {
    "intake": (Import, Order, OrderItem, OrderAlias, OrderCancellation, Shipment, ShipmentRef),
    "polling": (ShipmentPoll, ShipmentDeadline, RawAnswer, CarrierState, CarrierOutage, CarrierToken),
    "events": (Event, DueDate, ShipmentHistory),
    "detection": (ShipmentCheck, OrderCheck, Problem, Incident, IncidentMember),
    "claims": (ClaimCheck, Claim, ClaimProblem, ClaimStep, SettledDesk),
    "messages": (NoticeCheck, Notice, NoticeMember, Delivery),
    "alerts": (Alert, AlertDelivery, AlertNotification, AlertSink, Pulse, Digest),
    "any": (Signal, Decision, OperatorAct),
}
"""Which stage writes which tables. `any` are logs: appended to by whoever has something to say, changed by none but the
alerts stage, which marks a signal as consumed."""
