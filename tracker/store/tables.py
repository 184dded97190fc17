"""Every table: one owner stage each, a natural key each, an indexed instant for whatever can be due.

`OWNERS` says which stage writes which table; `tests/test_walls.py` keeps it. Instants are aware UTC, due dates local
dates, money integer centavos. Key columns are never NULL, because two NULLs are never equal: no account is `''`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    text,
)
from sqlmodel import Field, SQLModel

BigId: Any = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key on both databases: int4 sequences run out within months, since ON CONFLICT burns their values."""

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


def table(model: type[SQLModel]) -> Table:
    """The Core table behind a model, for statements on hot paths."""
    return cast(Table, inspect(model).local_table)


def _due(name: str, *columns: str) -> Index:
    """A partial index over what is due; finished rows are not in it, so it stays as small as the work."""
    where = text(f"{columns[-1]} IS NOT NULL")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


def _one_open(name: str, column: str, closed: str) -> Index:
    """At most one row a value while it is open."""
    where = text(f"{closed} IS NULL")
    return Index(name, column, unique=True, sqlite_where=where, postgresql_where=where)


_UNFILED: Final = text("state = 'submitting' AND alerted_at IS NULL")
"""Claims that are being filed and of which no operator was told yet."""


class Leased(SQLModel):
    """A due row is claimed under a random token with an expiry; a save checks the token."""

    lease_token: str | None = None
    lease_until: datetime | None = None


# --- intake ---------------------------------------------------------------------------------------


class Import(SQLModel, table=True):
    """A file that was read, known by its content."""

    __tablename__ = "imports"
    __table_args__ = (UniqueConstraint("shop", "content_hash"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    content_hash: str
    name: str
    received_at: datetime
    state: str
    """`imported` or `refused`."""
    orders: int = 0
    shipments: int = 0
    faults: int = 0
    report: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class Order(SQLModel, table=True):
    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("shop", "source", "number"), Index("ix_orders_number", "number"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    source: str
    number: str
    status: str
    ordered_at: datetime | None = None
    promised_on: date | None = None
    promised_first_on: date | None = None
    ship_by: date | None = None
    customer_name: str | None = None
    customer_email: str | None = Field(default=None, index=True)
    customer_phone: str | None = Field(default=None, index=True)
    customer_document: str | None = Field(default=None, index=True)
    recipient_name: str | None = None
    recipient_email: str | None = Field(default=None, index=True)
    recipient_phone: str | None = Field(default=None, index=True)
    recipient_document: str | None = Field(default=None, index=True)
    postal_code: str | None = None
    street: str | None = None
    street_number: str | None = None
    complement: str | None = None
    district: str | None = None
    city: str | None = None
    state: str | None = None
    total_cents: int | None = Field(default=None, sa_type=BigInteger)
    freight_cents: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime
    updated_at: datetime


class OrderItem(SQLModel, table=True):
    __tablename__ = "order_items"

    order_id: int = Field(primary_key=True, foreign_key="orders.id", sa_type=BigId)
    line: int = Field(primary_key=True)
    name: str
    sku: str | None = None
    quantity: str
    """A decimal as text: a float would lose grams."""
    unit_cents: int | None = Field(default=None, sa_type=BigInteger)


class OrderAlias(SQLModel, table=True):
    """Another name of an order: its invoice key, its number in the shop."""

    __tablename__ = "order_aliases"
    __table_args__ = (Index("ix_order_aliases_alias", "alias"),)

    shop: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    alias: str = Field(primary_key=True)
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId, index=True)


class OrderCancellation(SQLModel, table=True):
    """A cancelled invoice, kept although its order may not have arrived yet."""

    __tablename__ = "order_cancellations"

    shop: str = Field(primary_key=True)
    invoice_key: str = Field(primary_key=True)
    cancelled_at: datetime | None = None
    seen_at: datetime


class Shipment(SQLModel, table=True):
    __tablename__ = "shipments"
    __table_args__ = (Index("ix_shipments_order", "order_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId)
    shop: str
    carrier: str
    service: str | None = None
    shipped_on: date | None = None
    declared_value_cents: int | None = Field(default=None, sa_type=BigInteger)
    invoice_key: str | None = Field(default=None, index=True)
    invoice_number: str | None = Field(default=None, index=True)
    direction: str
    created_at: datetime


class ShipmentRef(SQLModel, table=True):
    """How a carrier finds a shipment. Codes are re-used (cycle), replaced (active) and move between accounts."""

    __tablename__ = "tracking_refs"
    __table_args__ = (
        UniqueConstraint("adapter", "kind", "value", "cycle", "account"),
        Index("ix_tracking_refs_value", "value"),
        Index("ix_tracking_refs_shipment", "shipment_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shipment_id: int = Field(foreign_key="shipments.id", sa_type=BigId)
    adapter: str
    kind: str
    value: str
    cycle: int = 1
    account: str = ""
    active: bool = True
    added_at: datetime


# --- polling --------------------------------------------------------------------------------------


class ShipmentPoll(Leased, table=True):
    """When a shipment is asked about next; "last looked" and "last answered" are two facts."""

    __tablename__ = "shipment_polls"
    __table_args__ = (_due("ix_shipment_polls_due", "carrier", "next_poll_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    carrier: str
    next_poll_at: datetime | None = None
    digest: str | None = None
    last_polled_at: datetime | None = None
    last_answered_at: datetime | None = None
    outcome: str | None = None
    failures: int = 0
    closed_reason: str | None = None


class RawAnswer(SQLModel, table=True):
    """What a carrier said, compressed: the evidence behind a claim."""

    __tablename__ = "raw_answers"
    __table_args__ = (UniqueConstraint("subject_kind", "subject_id", "digest"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    subject_kind: str
    subject_id: int = Field(sa_type=BigId)
    digest: str
    body: bytes = Field(sa_type=LargeBinary)
    seen_at: datetime


class CarrierState(SQLModel, table=True):
    """Breaker, cool-down and refusal of one API family of one carrier account; survives a restart."""

    __tablename__ = "carrier_states"

    carrier: str = Field(primary_key=True)
    family: str = Field(primary_key=True)
    failures: int = 0
    cooldown_until: datetime | None = None
    down_since: datetime | None = None
    refused_at: datetime | None = None
    refused_digest: str | None = None
    """The account's configuration when it was refused: a new one is tried at once."""
    reason: str | None = None


class CarrierOutage(SQLModel, table=True):
    """A time in which a carrier did not answer: never read as "no news"."""

    __tablename__ = "carrier_outages"
    __table_args__ = (UniqueConstraint("carrier", "family", "started_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    carrier: str
    family: str
    started_at: datetime
    ended_at: datetime | None = None


class CarrierToken(Leased, table=True):
    """One account's access token, shared by all its families and renewed under the lease."""

    __tablename__ = "carrier_tokens"

    carrier: str = Field(primary_key=True)
    value: str | None = Field(default=None, sa_type=Text)
    expires_at: datetime | None = None
    renew_at: datetime | None = None


# --- events ---------------------------------------------------------------------------------------


class Event(SQLModel, table=True):
    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("shipment_id", "event_key"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shipment_id: int = Field(foreign_key="shipments.id", sa_type=BigId)
    event_key: str
    occurred_at: datetime
    seen_at: datetime
    carrier_code: str
    status: str
    cause: str | None = None
    description: str
    location: str | None = None
    final: bool = False
    attempt: bool = False
    reversal: bool = False
    indemnified: bool = False
    pickup_until: date | None = None
    void: bool = False
    vanished_at: datetime | None = None


class DueDate(SQLModel, table=True):
    """Each due date a carrier named, in the order it named them (`A, B, A` is three rows)."""

    __tablename__ = "due_dates"
    __table_args__ = (UniqueConstraint("shipment_id", "source", "seq"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shipment_id: int = Field(foreign_key="shipments.id", sa_type=BigId)
    source: str
    """`tracking`, or `claim` for the date the carrier's claims office counts with."""
    seq: int
    due_on: date
    seen_at: datetime


class ShipmentHistory(SQLModel, table=True):
    """What the events add up to; recomputed, never patched."""

    __tablename__ = "shipment_histories"

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    version: int = 0
    status: str
    status_at: datetime | None = None
    posted_at: datetime | None = None
    first_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    returning_at: datetime | None = None
    returning_cause: str | None = None
    returned_at: datetime | None = None
    lost_at: datetime | None = None
    stolen_at: datetime | None = None
    damaged_at: datetime | None = None
    last_event_at: datetime | None = None
    indemnified_at: datetime | None = None
    pickup_until: date | None = None
    carrier_due_first_on: date | None = None
    carrier_due_on: date | None = None
    carrier_due_max_on: date | None = None
    service: str | None = None
    contract: str | None = None
    declared_value_cents: int | None = Field(default=None, sa_type=BigInteger)
    first_seen_at: datetime
    """When the carrier first told anything: what had happened before is the past."""


# --- detection ------------------------------------------------------------------------------------


class ShipmentCheck(Leased, table=True):
    """When detection looks at a shipment again."""

    __tablename__ = "shipment_checks"
    __table_args__ = (_due("ix_shipment_checks_due", "next_check_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    next_check_at: datetime | None = None


class Problem(SQLModel, table=True):
    __tablename__ = "problems"
    __table_args__ = (
        UniqueConstraint("shop", "subject_kind", "subject_id", "kind", "episode"),
        Index("ix_problems_subject", "subject_kind", "subject_id"),
        Index("ix_problems_detected", "detected_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    subject_kind: str
    subject_id: int = Field(sa_type=BigId)
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId)
    kind: str
    episode: int = 1
    cause: str | None = None
    presumed: bool = False
    since: datetime
    customer_since: datetime | None = None
    carrier_since: datetime | None = None
    detected_at: datetime
    resolved_at: datetime | None = None
    resolution: str | None = None
    rule: str
    rule_version: int
    released_at: datetime | None = None
    """When a person let go what rests on it, although it began before the shop went live."""
    version: int = 1


# --- claims ---------------------------------------------------------------------------------------


class ClaimCheck(Leased, table=True):
    """When claims looks at a shipment's problems again."""

    __tablename__ = "claim_checks"
    __table_args__ = (_due("ix_claim_checks_due", "next_check_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    next_check_at: datetime | None = None


class Claim(Leased, table=True):
    __tablename__ = "claims"
    __table_args__ = (
        _one_open("uq_claims_open", "tracking_ref_id", "closed_at"),
        _due("ix_claims_due", "carrier", "next_step_at"),
        Index("ix_claims_unfiled", "carrier", "alert_on", sqlite_where=_UNFILED, postgresql_where=_UNFILED),
        Index("ix_claims_shipment", "shipment_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    shipment_id: int = Field(foreign_key="shipments.id", sa_type=BigId)
    tracking_ref_id: int = Field(foreign_key="tracking_refs.id", sa_type=BigId)
    carrier: str
    kind: str
    motive: str
    state: str
    hold_reason: str | None = None
    protocol: str | None = Field(default=None, index=True)
    planned_at: datetime
    claimable_from: date
    alert_on: date | None = None
    deadline_on: date | None = None
    last_on: date | None = None
    approved_at: datetime | None = None
    opened_at: datetime | None = None
    answered_at: datetime | None = None
    outcome: str | None = None
    refusal_code: str | None = None
    refusal_text: str | None = Field(default=None, sa_type=Text)
    expected_cents: int | None = Field(default=None, sa_type=BigInteger)
    granted_cents: int | None = Field(default=None, sa_type=BigInteger)
    received_cents: int | None = Field(default=None, sa_type=BigInteger)
    next_step_at: datetime | None = None
    alerted_at: datetime | None = None
    """When an operator was told that it is still not filed near its deadline."""
    closed_at: datetime | None = None
    version: int = 1


class ClaimProblem(SQLModel, table=True):
    """Problems attach to a claim, many to one."""

    __tablename__ = "claim_problems"

    problem_id: int = Field(primary_key=True, foreign_key="problems.id", sa_type=BigId)
    claim_id: int = Field(foreign_key="claims.id", sa_type=BigId, index=True)


class ClaimStep(SQLModel, table=True):
    """One call to the carrier about a claim: its intent, committed before the call, and what came of it."""

    __tablename__ = "claim_steps"
    __table_args__ = (UniqueConstraint("claim_id", "seq"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    claim_id: int = Field(foreign_key="claims.id", sa_type=BigId)
    seq: int
    action: str
    """`open` or `look_up`."""
    state: str
    """`intended` (not called yet), `calling` (may have arrived), `done` or `lost` (no answer came)."""
    motive: str
    kind: str
    intended_at: datetime
    called_at: datetime | None = None
    done_at: datetime | None = None
    outcome: str | None = None
    code: str | None = None
    text: str | None = Field(default=None, sa_type=Text)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    raw_digest: str | None = None


# --- messages -------------------------------------------------------------------------------------


class NoticeCheck(Leased, table=True):
    """When messages looks at a shipment again."""

    __tablename__ = "notice_checks"
    __table_args__ = (_due("ix_notice_checks_due", "next_check_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    next_check_at: datetime | None = None


class Notice(SQLModel, table=True):
    """One thing to tell about one order, whatever channels it takes."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("shop", "order_id", "trigger", "occurrence"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str
    order_id: int = Field(foreign_key="orders.id", sa_type=BigId)
    trigger: str
    occurrence: str
    """`<shipment>:<episode>` of the first member."""
    since: datetime
    created_at: datetime
    expires_at: datetime
    version: int = 1


class NoticeMember(SQLModel, table=True):
    __tablename__ = "notice_members"

    trigger: str = Field(primary_key=True)
    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    episode: int = Field(primary_key=True)
    notice_id: int = Field(foreign_key="notices.id", sa_type=BigId, index=True)
    problem_id: int | None = Field(default=None, foreign_key="problems.id", sa_type=BigId)


class Delivery(Leased, table=True):
    """One try to tell a notice through one channel; what the messages export shows."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("notice_id", "channel"),
        UniqueConstraint("message_id"),
        _due("ix_deliveries_due", "channel", "next_step_at"),
        Index("ix_deliveries_sent", "channel", "sent_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    notice_id: int = Field(foreign_key="notices.id", sa_type=BigId)
    channel: str
    recipient: str | None = None
    state: str
    hold_reason: str | None = None
    queued_at: datetime
    next_step_at: datetime | None = None
    attempts: int = 0
    message_id: str | None = None
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    provider_id: str | None = None
    reason: str | None = Field(default=None, sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    """What was sent, compressed, as it left."""
    repeated: bool = False
    """Sent again once after an answer that never came, with the same Message-ID."""


# --- alerts ---------------------------------------------------------------------------------------


class Signal(SQLModel, table=True):
    """A stage's word that something needs an operator, or no longer does; alerts are made of these."""

    __tablename__ = "signals"
    __table_args__ = (_one_open("ix_signals_new", "id", "consumed_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime
    shop: str = ""
    key: str
    kind: str
    severity: str
    raised: bool
    summary: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    consumed_at: datetime | None = None


class Alert(SQLModel, table=True):
    __tablename__ = "alerts"
    __table_args__ = (_one_open("uq_alerts_open", "key", "resolved_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    shop: str = ""
    key: str
    kind: str
    severity: str
    summary: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    raised_at: datetime
    resolved_at: datetime | None = None


class AlertDelivery(Leased, table=True):
    __tablename__ = "alert_deliveries"
    __table_args__ = (
        UniqueConstraint("alert_id", "sink", "phase"),
        _due("ix_alert_deliveries_due", "next_step_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    alert_id: int = Field(foreign_key="alerts.id", sa_type=BigId)
    sink: str
    phase: str
    """`raised` or `resolved`."""
    state: str
    attempts: int = 0
    next_step_at: datetime | None = None
    sent_at: datetime | None = None
    reason: str | None = Field(default=None, sa_type=Text)


# --- logs that any stage appends to ---------------------------------------------------------------


class Decision(SQLModel, table=True):
    """Why something was done, or held back: what `explain` prints."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_subject", "subject_kind", "subject_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime
    shop: str
    subject_kind: str
    subject_id: int = Field(sa_type=BigId)
    rule: str
    rule_version: int
    outcome: str
    reason: str = Field(sa_type=Text)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class OperatorAct(SQLModel, table=True):
    """What a person did by hand: who, when, why."""

    __tablename__ = "operator_acts"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime
    who: str
    act: str
    subject_kind: str
    subject_id: int = Field(sa_type=BigId)
    reason: str | None = Field(default=None, sa_type=Text)


OWNERS: Final[dict[str, tuple[type[SQLModel], ...]]] = {
    "intake": (Import, Order, OrderItem, OrderAlias, OrderCancellation, Shipment, ShipmentRef),
    "polling": (ShipmentPoll, RawAnswer, CarrierState, CarrierOutage, CarrierToken),
    "events": (Event, DueDate, ShipmentHistory),
    "detection": (ShipmentCheck, Problem),
    "claims": (ClaimCheck, Claim, ClaimProblem, ClaimStep),
    "messages": (NoticeCheck, Notice, NoticeMember, Delivery),
    "alerts": (Alert, AlertDelivery),
    "any": (Signal, Decision, OperatorAct),
}
"""Which stage writes which tables. `any` are logs: appended to by whoever has something to say, changed by none but the
alerts stage, which marks a signal as consumed."""
