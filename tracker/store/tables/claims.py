"""Claims, the problems behind them, and every call about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Index, Text, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId, Leased, due_index, one_open

_UNFILED: Final = text("opened_at IS NULL AND closed_at IS NULL AND alerted_at IS NULL")
"""Claims that are not filed and of which no operator was told yet."""
_OVERDUE: Final = text("opened_at IS NULL AND closed_at IS NULL AND escalated_at IS NULL")
"""Claims that are not filed and were not brought to a person yet."""
LETTERS_TO_LEAVE: Final = text("state = 'intended' AND action IN ('letter', 'follow_up')")
"""Steps whose letter the messages stage has to send."""
_NEWS: Final = text("taken_at IS NULL")


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
        Index("ix_claims_overdue", "carrier", "urge_on", sqlite_where=_OVERDUE, postgresql_where=_OVERDUE),
        Index("ix_claims_shipment", "shipment_id"),
        Index("ix_claims_ref", "tracking_ref_id"),
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
    urge_on: date | None = None
    """When an unfiled one is brought to a person: on its deadline, or before where that comes soon."""
    deadline_on: date | None = None
    last_on: date | None = None
    approved_at: datetime | None = None
    opened_at: datetime | None = None
    adopted: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """It was opened through another channel: by the buyer, say, or on the carrier's site."""
    answered_at: datetime | None = None
    """When we learned of its newest answer."""
    reopened_at: datetime | None = None
    carrier_state: str | None = None
    """The carrier's own word for how it stands, verbatim."""
    outcome: str | None = None
    refusal_code: str | None = None
    refusal_text: str | None = Field(default=None, sa_type=Text)
    expected_cents: int | None = Field(default=None, sa_type=BigInteger)
    granted_cents: int | None = Field(default=None, sa_type=BigInteger)
    received_cents: int | None = Field(default=None, sa_type=BigInteger)
    next_step_at: datetime | None = None
    alerted_at: datetime | None = None
    """When an operator was told that it is still not filed near its deadline."""
    escalated_at: datetime | None = None
    """When it was brought to a person, on its deadline."""
    closed_at: datetime | None = None
    version: int = 1


class ClaimProblem(SQLModel, table=True):
    """Problems attach to a claim, many to one."""

    __tablename__ = "claim_problems"

    problem_id: int = Field(primary_key=True, foreign_key="problems.id", sa_type=BigId)
    claim_id: int = Field(foreign_key="claims.id", sa_type=BigId, index=True)


class ClaimStep(SQLModel, table=True):
    """One call or letter to the carrier about a claim: its intent, committed before it leaves, and what came of it."""

    __tablename__ = "claim_steps"
    __table_args__ = (
        UniqueConstraint("claim_id", "seq"),
        Index("ix_claim_steps_letters", "id", sqlite_where=LETTERS_TO_LEAVE, postgresql_where=LETTERS_TO_LEAVE),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    claim_id: int = Field(foreign_key="claims.id", sa_type=BigId)
    seq: int
    action: str
    """`open`, `look_up` or `reopen`; for a carrier that takes letters `letter` or `follow_up`."""
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


class ClaimFact(SQLModel, table=True):
    """What became of a claim's letter, and what a person says of its answer: appended by who learns of it, read by claims."""

    __tablename__ = "claim_facts"
    __table_args__ = (
        UniqueConstraint("claim_id", "key"),
        Index("ix_claim_facts_news", "claim_id", sqlite_where=_NEWS, postgresql_where=_NEWS),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    claim_id: int = Field(foreign_key="claims.id", sa_type=BigId)
    key: str
    kind: str
    """`letter`, `answer` or `sent_by_hand`."""
    at: datetime
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    taken_at: datetime | None = None
    """When the claims stage acted on it."""


class SettledDesk(SQLModel, table=True):
    """A carrier account whose contract has been seen to settle lateness by service level."""

    __tablename__ = "claim_desks"

    carrier: str = Field(primary_key=True)
    settled_by_contract_since: datetime
    reason: str = Field(sa_type=Text)
    """The carrier's own words."""
    digest: str
    """The account's configuration then: it ends with another."""
