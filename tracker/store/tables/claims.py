"""Claims, the problems behind them, and every call about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId, Leased, due_index, one_open

_UNFILED: Final = text("state = 'submitting' AND alerted_at IS NULL")
"""Claims that are being filed and of which no operator was told yet."""


class ClaimCheck(Leased, table=True):
    """When claims looks at a shipment's problems again."""

    __tablename__ = "claim_checks"
    __table_args__ = (due_index("ix_claim_checks_due", "next_check_at"),)

    shipment_id: int = Field(primary_key=True, foreign_key="shipments.id", sa_type=BigId)
    next_check_at: datetime | None = None


class Claim(Leased, table=True):
    __tablename__ = "claims"
    __table_args__ = (
        one_open("uq_claims_open", "tracking_ref_id", "closed_at"),
        due_index("ix_claims_due", "carrier", "next_step_at"),
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
