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
from tracker.store.tables.claims import Claim, ClaimCheck, ClaimFact, ClaimProblem, ClaimStep, SettledDesk
from tracker.store.tables.detection import OrderCheck, Problem, ShipmentCheck
from tracker.store.tables.engine import EngineLane, EngineQueue, EngineWorker
from tracker.store.tables.events import CodeMapping, DueDate, Event, ShipmentHistory
from tracker.store.tables.hooks import HookDelivery
from tracker.store.tables.incidents import Incident, IncidentMember
from tracker.store.tables.intake import Import, Order, OrderAlias, OrderCancellation, OrderItem, Shipment, ShipmentRef
from tracker.store.tables.logs import Decision, OperatorAct, Restore
from tracker.store.tables.mail import MailCircuit, MailUse, ReturnedMail, ReturnMailbox, Suppression
from tracker.store.tables.messages import Delivery, Letter, Notice, NoticeCheck, NoticeMember, NoticeOrderCheck
from tracker.store.tables.polling import (
    CarrierFeed,
    CarrierOutage,
    CarrierState,
    CarrierToken,
    FeedFile,
    FeedSeen,
    FeedWaiting,
    RawAnswer,
    ShipmentDeadline,
    ShipmentPoll,
)
from tracker.store.tables.retention import ArchivedName, RetentionMark

__all__ = [
    "OWNERS",
    "Alert",
    "AlertDelivery",
    "AlertNotification",
    "AlertSink",
    "ArchivedName",
    "BigId",
    "CarrierFeed",
    "CarrierOutage",
    "CarrierState",
    "CarrierToken",
    "Claim",
    "ClaimCheck",
    "ClaimFact",
    "ClaimProblem",
    "ClaimStep",
    "CodeMapping",
    "Decision",
    "Delivery",
    "Digest",
    "DueDate",
    "EngineLane",
    "EngineQueue",
    "EngineWorker",
    "Event",
    "FeedFile",
    "FeedSeen",
    "FeedWaiting",
    "HookDelivery",
    "Import",
    "Incident",
    "IncidentMember",
    "Leased",
    "Letter",
    "MailCircuit",
    "MailUse",
    "Notice",
    "NoticeCheck",
    "NoticeMember",
    "NoticeOrderCheck",
    "OperatorAct",
    "Order",
    "OrderAlias",
    "OrderCancellation",
    "OrderCheck",
    "OrderItem",
    "Problem",
    "Pulse",
    "RawAnswer",
    "Restore",
    "RetentionMark",
    "ReturnMailbox",
    "ReturnedMail",
    "SettledDesk",
    "Shipment",
    "ShipmentCheck",
    "ShipmentDeadline",
    "ShipmentHistory",
    "ShipmentPoll",
    "ShipmentRef",
    "Signal",
    "Suppression",
    "table",
]

OWNERS: Final[dict[str, tuple[type[SQLModel], ...]]] = {
    "intake": (Import, Order, OrderItem, OrderAlias, OrderCancellation, Shipment, ShipmentRef),
    "polling": (
        *(ShipmentPoll, ShipmentDeadline, RawAnswer, CarrierState, CarrierOutage, CarrierToken),
        *(CarrierFeed, FeedFile, FeedWaiting, FeedSeen, HookDelivery),
    ),
    "events": (Event, DueDate, ShipmentHistory, CodeMapping),
    "detection": (ShipmentCheck, OrderCheck, Problem, Incident, IncidentMember),
    "claims": (ClaimCheck, Claim, ClaimProblem, ClaimStep, SettledDesk),
    "messages": (
        *(NoticeCheck, NoticeOrderCheck, Notice, NoticeMember, Delivery, Letter),
        *(Suppression, MailCircuit, MailUse, ReturnMailbox, ReturnedMail),
    ),
    "alerts": (Alert, AlertDelivery, AlertNotification, AlertSink, Pulse, Digest),
    "retention": (ArchivedName, RetentionMark),
    "engine": (EngineWorker, EngineLane, EngineQueue),
    "any": (Signal, Decision, OperatorAct, Restore, ClaimFact),
}
"""Which stage writes which tables. `any` are logs: appended to by whoever has something to say, changed by none but the
one stage that reads it: alerts marks a signal as consumed, claims a fact about a claim. `retention` is no stage: it drops what is
old, whoever wrote it; nor is `engine`, which runs them."""
