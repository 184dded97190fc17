"""The claims stage's tables: claims, the problems behind them, and every call about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, insert, select, update

from tracker.domain.claim_moves import Step
from tracker.domain.words import ClaimState, Hold
from tracker.store.database import insert_new, upsert
from tracker.store.leases import Claiming, claim, claim_due, claiming, finish, held, release
from tracker.store.tables import (
    Claim,
    ClaimCheck,
    ClaimProblem,
    ClaimStep,
    Problem,
    SettledDesk,
    Shipment,
    ShipmentPoll,
    table,
)

_CLAIMS, _LINKS, _STEPS, _CHECKS = table(Claim), table(ClaimProblem), table(ClaimStep), table(ClaimCheck)
_DESKS, _PROBLEMS, _SHIPMENTS, _POLLS = table(SettledDesk), table(Problem), table(Shipment), table(ShipmentPoll)
PENDING = ("intended", "calling")
WAITS_FOR_EVENT: Final = "waits_for_event"
"""The key among a step's facts that says what its answer waits for."""
WAITS_FOR_ANSWER: Final = "waits_for_answer"
WAY: Final = "way"
"""The key among a step's facts that says what a reopening, or a look-up for its sake, is for."""
ANSWERED_ON: Final = "answered_on"
NOTE: Final = "note"


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as it stands."""

    id: int
    shop: str
    shipment_id: int
    tracking_ref_id: int
    carrier: str
    kind: str
    motive: str
    state: ClaimState
    hold_reason: str | None
    protocol: str | None
    planned_at: datetime
    claimable_from: date
    alert_on: date
    urge_on: date | None
    deadline_on: date
    last_on: date
    approved_at: datetime | None
    opened_at: datetime | None
    answered_at: datetime | None
    reopened_at: datetime | None
    adopted: bool
    outcome: str | None
    refusal_code: str | None
    refusal_text: str | None
    expected_cents: int | None
    next_step_at: datetime | None
    closed_at: datetime | None
    version: int
    granted_cents: int | None = None
    received_cents: int | None = None

    @property
    def told_state(self) -> ClaimState:
        """How it stands for whoever is told of it: one whose reopening, or whose letter's reminder, waits for a person stands
        as it was answered, or open."""
        if self.opened_at is None or self.state is not ClaimState.WAITING_APPROVAL:
            return self.state
        answered = self.outcome in {ClaimState.ACCEPTED.value, ClaimState.REJECTED.value}
        return ClaimState(self.outcome) if answered and self.outcome else ClaimState.OPEN


@dataclass(frozen=True, slots=True)
class StepRow:
    """One call as it stands; `id` for the writes that follow it."""

    id: int
    claim_id: int
    done_at: datetime | None
    step: Step
    kind: str
    waits_for_event: bool = False
    """The carrier's answer put it off until the parcel's next event."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """What the carrier reads with a reopening."""
        return str(self.facts.get(NOTE, ""))


def _claim_row(row: Mapping[str, Any]) -> ClaimRow:
    values = {name: row[name] for name in ClaimRow.__dataclass_fields__}
    return ClaimRow(**{**values, "state": ClaimState(values["state"])})


def take_due_checks(connection: Connection, *, now: datetime, limit: int, token: str) -> list[int]:
    """Lease the next shipments whose problems may be claimed."""
    return claim_due(connection, _CHECKS, "next_check_at", now=now, limit=limit, token=token)


def finish_checks(connection: Connection, nexts: Mapping[int, datetime | None], token: str) -> None:
    """By shipment, when to look again though no problem changes; None: not before one does."""
    finish(connection, _CHECKS, "next_check_at", nexts.items(), token=token)


_OF_SHIPMENTS: Final = (
    select(_CLAIMS).where(_CLAIMS.c.shipment_id.in_(bindparam("ids", expanding=True))).order_by(_CLAIMS.c.id)
)


def claims_of_shipments(connection: Connection, shipment_ids: Iterable[int]) -> dict[int, list[ClaimRow]]:
    """Every claim about these shipments, oldest first."""
    ids = list(shipment_ids)
    found: dict[int, list[ClaimRow]] = {shipment_id: [] for shipment_id in ids}
    for row in connection.execute(_OF_SHIPMENTS, {"ids": ids}).mappings():
        found[row["shipment_id"]].append(_claim_row(dict(row)))
    return found


def claims_by_id(connection: Connection, claim_ids: Iterable[int]) -> dict[int, ClaimRow]:
    """These claims."""
    query = select(_CLAIMS).where(_CLAIMS.c.id.in_(list(claim_ids)))
    return {row["id"]: _claim_row(dict(row)) for row in connection.execute(query).mappings()}


def problems_of_claims(connection: Connection, claim_ids: Iterable[int]) -> dict[int, list[int]]:
    """The problems that each claim answers."""
    ids = list(claim_ids)
    query = (
        select(_LINKS.c.claim_id, _LINKS.c.problem_id).where(_LINKS.c.claim_id.in_(ids)).order_by(_LINKS.c.problem_id)
    )
    found: dict[int, list[int]] = {claim_id: [] for claim_id in ids}
    for claim_id, problem_id in connection.execute(query):
        found[claim_id].append(problem_id)
    return found


def attached(connection: Connection, problem_ids: Iterable[int]) -> dict[int, int]:
    """Of these problems, those that some claim answers or answered, with the claim's id."""
    query = select(_LINKS.c.problem_id, _LINKS.c.claim_id).where(_LINKS.c.problem_id.in_(list(problem_ids)))
    return {row.problem_id: row.claim_id for row in connection.execute(query)}


def add_claim(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Insert a claim; None where the parcel has an open one already."""
    new = insert_new(connection, _CLAIMS, [dict(values)], _CLAIMS.c.id)
    return int(new[0][0]) if new else None


def attach(connection: Connection, claim_id: int, problem_ids: Iterable[int]) -> None:
    """Have a claim answer these problems too; one that another claim failed to answer passes to this one."""
    rows = [{"claim_id": claim_id, "problem_id": problem_id} for problem_id in problem_ids]
    upsert(connection, _LINKS, rows, ["problem_id"], ["claim_id"])


def save_claim(connection: Connection, claim: ClaimRow, values: Mapping[str, Any], token: str | None = None) -> bool:
    """Write fields of a claim and put its lease down; False where somebody changed it meanwhile, or took the lease."""
    conditions = [_CLAIMS.c.id == claim.id, _CLAIMS.c.version == claim.version]
    if token is not None:
        conditions.append(held(_CLAIMS, token))
    fields = release({**values, "version": claim.version + 1})
    return connection.execute(update(_CLAIMS).where(*conditions).values(**fields)).rowcount == 1


def take_due(
    connection: Connection, carrier: str, *, calls: bool, now: datetime, limit: int, token: str
) -> list[ClaimRow]:
    """Lease the carrier's next due claims: those with a call to make, or those to decide about.

    One that has not left yet and whose parcel another account now follows is left to whoever plans it.
    """
    keys = claim(connection, _due(calls), now=now, limit=limit, token=token, of_carrier=carrier)
    rows = claims_by_id(connection, keys) if keys else {}
    return [rows[key] for key in keys]


@cache
def _due(calls: bool) -> Claiming:
    pending = exists().where(_STEPS.c.claim_id == _CLAIMS.c.id, _STEPS.c.state.in_(PENDING))
    elsewhere = exists().where(_POLLS.c.shipment_id == _CLAIMS.c.shipment_id, _POLLS.c.carrier != _CLAIMS.c.carrier)
    mine = _CLAIMS.c.carrier == bindparam("of_carrier")
    where = [mine, pending if calls else ~pending, ~and_(elsewhere, *_may_move())]
    return claiming(_CLAIMS, "next_step_at", where)


def _may_move() -> tuple[ColumnElement[bool], ...]:
    on_its_way = exists().where(_STEPS.c.claim_id == _CLAIMS.c.id, _STEPS.c.state == "calling")
    return _CLAIMS.c.opened_at.is_(None), ~on_its_way


def hand_over(connection: Connection, claim: ClaimRow, carrier: str) -> ClaimRow | None:
    """Give a claim that has not left yet to the account that now follows its parcel; None where it may have left."""
    movable = (_CLAIMS.c.id == claim.id, _CLAIMS.c.version == claim.version, *_may_move())
    values = release({"carrier": carrier, "version": claim.version + 1})
    if connection.execute(update(_CLAIMS).where(*movable).values(**values)).rowcount != 1:
        return None
    return claims_by_id(connection, [claim.id])[claim.id]


def take_unfiled(connection: Connection, carrier: str, today: date, now: datetime) -> list[ClaimRow]:
    """The carrier's claims that are not filed on the day of their alert, whatever keeps them; each is given once."""
    return _take_once(connection, carrier, "alert_on", "alerted_at", today, now)


def take_overdue(connection: Connection, carrier: str, today: date, now: datetime) -> list[ClaimRow]:
    """Those that are not filed on the day on which a person must know, at the latest on their deadline; each is given once."""
    return _take_once(connection, carrier, "urge_on", "escalated_at", today, now)


def _take_once(
    connection: Connection, carrier: str, on: str, marked: str, today: date, now: datetime
) -> list[ClaimRow]:
    late = (
        _CLAIMS.c.carrier == carrier,
        _CLAIMS.c[on] <= today,
        _CLAIMS.c.opened_at.is_(None),
        _CLAIMS.c.closed_at.is_(None),
        _CLAIMS.c[marked].is_(None),
    )
    rows = [_claim_row(dict(row)) for row in connection.execute(select(_CLAIMS).where(*late)).mappings()]
    if rows:
        ids = [row.id for row in rows]
        connection.execute(update(_CLAIMS).where(_CLAIMS.c.id.in_(ids)).values(**{marked: now}))
    return rows


def put_off(connection: Connection, claim: ClaimRow, claimable_from: date) -> None:
    """Move the first allowed day of a claim that is on its way, beside whoever holds it: read again before it leaves."""
    connection.execute(update(_CLAIMS).where(_CLAIMS.c.id == claim.id).values(claimable_from=claimable_from))


def steps_of(connection: Connection, claim_ids: Iterable[int]) -> dict[int, list[StepRow]]:
    """Every call about these claims, in order."""
    ids = list(claim_ids)
    query = select(_STEPS).where(_STEPS.c.claim_id.in_(ids)).order_by(_STEPS.c.claim_id, _STEPS.c.seq)
    found: dict[int, list[StepRow]] = {claim_id: [] for claim_id in ids}
    for row in connection.execute(query).mappings():
        found[row["claim_id"]].append(_step_row(dict(row)))
    return found


def _step_row(row: Mapping[str, Any]) -> StepRow:
    facts = row["facts"]
    answered_on = facts.get(ANSWERED_ON)
    step = Step(
        row["seq"],
        row["action"],
        row["state"],
        row["motive"],
        row["outcome"],
        row["code"],
        kind=row["kind"],
        way=facts.get(WAY),
        waits_for_answer=bool(facts.get(WAITS_FOR_ANSWER)),
        answered_on=date.fromisoformat(answered_on) if answered_on else None,
    )
    waits = bool(facts.get(WAITS_FOR_EVENT))
    return StepRow(row["id"], row["claim_id"], row["done_at"], step, row["kind"], waits, facts)


def add_step(
    connection: Connection,
    claim_id: int,
    *,
    action: str,
    motive: str,
    kind: str,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Commit the intent of a call, before it leaves."""
    last = connection.execute(select(func.max(_STEPS.c.seq)).where(_STEPS.c.claim_id == claim_id)).scalar() or 0
    row: dict[str, Any] = {
        "claim_id": claim_id,
        "seq": last + 1,
        "action": action,
        "state": "intended",
        "motive": motive,
        "kind": kind,
        "intended_at": now,
        "facts": dict(facts or {}),
    }
    connection.execute(insert(_STEPS), row)


def set_step(connection: Connection, step_id: int, values: Mapping[str, Any]) -> None:
    """Write how a call stands."""
    connection.execute(update(_STEPS).where(_STEPS.c.id == step_id).values(**dict(values)))


def leased(connection: Connection, claims: Sequence[ClaimRow], token: str) -> set[int]:
    """Of these claims, those still leased to us; locked until the transaction ends."""
    query = select(_CLAIMS.c.id).where(_CLAIMS.c.id.in_([claim.id for claim in claims]), held(_CLAIMS, token))
    return set(connection.execute(query.with_for_update()).scalars())


def approve(connection: Connection, claim: ClaimRow, now: datetime) -> bool:
    """A person lets a waiting claim go: a fact that wakes its owner."""
    conditions = (_CLAIMS.c.id == claim.id, _CLAIMS.c.version == claim.version)
    values = {"approved_at": now, "next_step_at": now, "version": claim.version + 1}
    return connection.execute(update(_CLAIMS).where(*conditions).values(**values)).rowcount == 1


def wake_held(connection: Connection, carrier: str, now: datetime) -> None:
    """Have the carrier's waiting claims judged anew, because the configuration has changed."""
    waiting = (
        _CLAIMS.c.carrier == carrier,
        _CLAIMS.c.state == ClaimState.WAITING_APPROVAL.value,
        _CLAIMS.c.hold_reason != Hold.CARRIER_ANSWER.value,
    )
    connection.execute(update(_CLAIMS).where(*waiting).values(next_step_at=now))
    # A hold for a faulty configuration is over with a new one; if that is faulty too, the carrier will say so again.
    faulty = _CLAIMS.c.hold_reason == Hold.CONFIGURATION.value
    connection.execute(update(_CLAIMS).where(*waiting, faulty).values(hold_reason=None))


def wake_claims(connection: Connection, shipment_ids: Iterable[int], now: datetime) -> None:
    """Have the open claims of these shipments looked at now (tracking shows an indemnity, a hold was let go)."""
    waiting = (_CLAIMS.c.shipment_id.in_(list(shipment_ids)), _CLAIMS.c.closed_at.is_(None))
    connection.execute(update(_CLAIMS).where(*waiting).values(next_step_at=now))


# --- contracts that settle lateness -----------------------------------------------------------------


def settled_desks(connection: Connection) -> set[str]:
    """The carriers whose contract has been seen to settle lateness by service level."""
    return set(connection.execute(select(_DESKS.c.carrier)).scalars())


def settle_desk(connection: Connection, carrier: str, reason: str, digest: str, now: datetime) -> bool:
    """Remember that this carrier's contract settles lateness; False where it is known already. Planned claims that are not
    filed are looked at again."""
    row = {"carrier": carrier, "settled_by_contract_since": now, "reason": reason, "digest": digest}
    if not insert_new(connection, _DESKS, [row], _DESKS.c.carrier):
        return False
    waiting = select(_CLAIMS.c.shipment_id).where(
        _CLAIMS.c.carrier == carrier, _CLAIMS.c.opened_at.is_(None), _CLAIMS.c.closed_at.is_(None)
    )
    connection.execute(update(_CHECKS).where(_CHECKS.c.shipment_id.in_(waiting)).values(next_check_at=now))
    return True


def reopen_desk(connection: Connection, carrier: str, digest: str, now: datetime) -> bool:
    """Forget it where the account's configuration has changed since; what stands late is looked at again."""
    changed = delete(_DESKS).where(_DESKS.c.carrier == carrier, _DESKS.c.digest != digest)
    if connection.execute(changed).rowcount == 0:
        return False
    late = (
        select(_PROBLEMS.c.subject_id)
        .join(_SHIPMENTS, _SHIPMENTS.c.id == _PROBLEMS.c.subject_id)
        .where(
            _PROBLEMS.c.subject_kind == "shipment",
            _PROBLEMS.c.carrier_since.is_not(None),
            _SHIPMENTS.c.carrier == carrier,
        )
    )
    connection.execute(update(_CHECKS).where(_CHECKS.c.shipment_id.in_(late)).values(next_check_at=now))
    return True
