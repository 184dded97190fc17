"""What waits for a person because the shop was not live yet, and letting it go.

Approving, rejecting and cancelling one thing are the owners' own functions; here is what a release touches at once: problems,
the claims made for them and the messages that tell of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, or_, select

from tracker.domain.claim_plan import settled_away
from tracker.domain.hand import Settlement, released_at, settlement_of
from tracker.domain.words import ClaimState, DeliveryState, Hold
from tracker.store.acts import acts_about
from tracker.store.claims import ClaimRow, problems_of_claims, wake_claims
from tracker.store.deliveries import held_deliveries, let_go
from tracker.store.problems import problems_of, release_problems
from tracker.store.restores import last_restore
from tracker.store.tables import Claim, ClaimProblem, Decision, Delivery, Notice, NoticeMember, Problem, table

_PROBLEMS, _CLAIMS, _LINKS = table(Problem), table(Claim), table(ClaimProblem)
_NOTICES, _MEMBERS, _DELIVERIES = table(Notice), table(NoticeMember), table(Delivery)
_DECISIONS = table(Decision)
STOPPED: Final = {"hand.reject": "rejected", "hand.cancel": "cancelled"}
"""The rules under which a person stopped a claim or message, and what is said of it."""
NOT_LIVE: Final = (Hold.OBSERVE.value, Hold.BEFORE_LIVE.value)
"""Holds for the sake of a shop's first live day: it only observed, or the problem is older."""
RELEASABLE: Final = (*NOT_LIVE, Hold.RESTORED.value)
"""Holds that end with a release: those, and what may have left before the database was put back."""


@dataclass(frozen=True, slots=True)
class HeldProblem:
    """A problem as a release reads it."""

    id: int
    shop: str
    since: datetime
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class Released:
    """What a release let go: ids of problems, messages and claims."""

    problems: tuple[int, ...] = ()
    messages: tuple[int, ...] = ()
    claims: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.problems or self.messages or self.claims)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Who stopped a claim or a message by hand, and when."""

    who: str
    at: datetime
    done: str = "rejected"


def rejection_of(connection: Connection, kind: str, row_id: int) -> Rejection | None:
    """A person's word that this claim or message must not leave; None where nobody said so."""
    subject = (_DECISIONS.c.subject_kind == kind, _DECISIONS.c.subject_id == row_id)
    columns = (_DECISIONS.c.facts, _DECISIONS.c.at, _DECISIONS.c.rule)
    query = select(*columns).where(*subject, _DECISIONS.c.rule.in_(list(STOPPED)))
    row = connection.execute(query.order_by(_DECISIONS.c.id.desc()).limit(1)).one_or_none()
    return Rejection(str(row.facts.get("who", "")), row.at, STOPPED[row.rule]) if row else None


def problems_by_id(connection: Connection, problem_ids: Iterable[int]) -> list[HeldProblem]:
    """These problems."""
    columns = (_PROBLEMS.c.id, _PROBLEMS.c.shop, _PROBLEMS.c.since, _PROBLEMS.c.released_at)
    query = select(*columns).where(_PROBLEMS.c.id.in_(list(problem_ids))).order_by(_PROBLEMS.c.id)
    return [HeldProblem(*row) for row in connection.execute(query)]


def released_up_to(connection: Connection, live_at: datetime) -> datetime:
    """What began before this instant can be held for a release: the shop's first live day, or a later restore."""
    return max(live_at, last_restore(connection) or live_at)


def _not_released(restored_at: datetime | None) -> ColumnElement[bool]:
    """Nobody has let them go, at least not since the database was put back."""
    never = _PROBLEMS.c.released_at.is_(None)
    return never if restored_at is None else or_(never, _PROBLEMS.c.released_at < restored_at)


def problems_to_release(connection: Connection, shop: str, live_at: datetime, *, only_open: bool = False) -> list[int]:
    """Problems from before the shop's first live day, or a restore, that go on, or that something held rests on.

    *only_open*: without those that have ended.
    """
    claimed = (
        select(_LINKS.c.problem_id)
        .join(_CLAIMS, _CLAIMS.c.id == _LINKS.c.claim_id)
        .where(_LINKS.c.problem_id == _PROBLEMS.c.id, _CLAIMS.c.closed_at.is_(None))
    )
    told = (
        select(_MEMBERS.c.problem_id)
        .join(_DELIVERIES, _DELIVERIES.c.notice_id == _MEMBERS.c.notice_id)
        .where(_MEMBERS.c.problem_id == _PROBLEMS.c.id, *_held_message())
    )
    query = (
        select(_PROBLEMS.c.id)
        .where(
            _PROBLEMS.c.shop == shop,
            _PROBLEMS.c.since < released_up_to(connection, live_at),
            _not_released(last_restore(connection)),
            _PROBLEMS.c.resolved_at.is_(None)
            if only_open
            else or_(_PROBLEMS.c.resolved_at.is_(None), claimed.exists(), told.exists()),
        )
        .order_by(_PROBLEMS.c.id)
    )
    return list(connection.execute(query).scalars())


def held_messages(connection: Connection, shop: str) -> list[int]:
    """Messages of this shop that only wait for a release, those without a problem too."""
    query = (
        select(_DELIVERIES.c.id)
        .join(_NOTICES, _NOTICES.c.id == _DELIVERIES.c.notice_id)
        .where(_NOTICES.c.shop == shop, *_held_message())
        .order_by(_DELIVERIES.c.id)
    )
    return list(connection.execute(query).scalars())


def release(connection: Connection, problem_ids: Iterable[int], at: datetime) -> Released:
    """Let go these problems, those that share a claim with them, and what was held for their sake."""
    ids = _with_companions(connection, list(problem_ids))
    fresh = select(_PROBLEMS.c.id).where(_PROBLEMS.c.id.in_(ids), _not_released(last_restore(connection)))
    released = list(connection.execute(fresh.order_by(_PROBLEMS.c.id)).scalars())
    release_problems(connection, released, at)
    messages = held_deliveries(connection, RELEASABLE, problem_ids=ids)
    let_go(connection, messages, at)
    claims = _held_claims(connection, ids)
    known = claims_released(connection, [claim_id for claim_id, _ in claims])
    claims = [claim for claim in claims if claim[0] not in known]
    wake_claims(connection, [shipment_id for _, shipment_id in claims], at)
    return Released(tuple(released), tuple(messages), tuple(claim_id for claim_id, _ in claims))


def claims_released(connection: Connection, claim_ids: Iterable[int]) -> dict[int, datetime]:
    """Of these claims, those that a person has let go since the database was last put back, and when."""
    restored_at = last_restore(connection)
    acts = acts_about(connection, "claim", claim_ids)
    found = {claim_id: at for claim_id, done in acts.items() if (at := released_at(done)) is not None}
    return {claim_id: at for claim_id, at in found.items() if restored_at is None or at >= restored_at}


def release_claim(connection: Connection, claim: ClaimRow, live_at: datetime, at: datetime) -> Released:
    """Let go this claim alone: the messages of its problems stay held. Nothing where it is not held, or was let go before."""
    if claim.closed_at is not None or claims_released(connection, [claim.id]):
        return Released()
    if claim.hold_reason not in RELEASABLE and not _will_be_held(connection, claim, live_at):
        return Released()
    wake_claims(connection, [claim.shipment_id], at)
    return Released(claims=(claim.id,))


def claim_falls_with(connection: Connection, claim: ClaimRow) -> dict[int, Settlement]:
    """How people settled the problems of a claim that is not filed, where it falls away for it; by problem, none where not."""
    if claim.opened_at is not None or claim.state not in {ClaimState.PLANNED, ClaimState.WAITING_APPROVAL}:
        return {}
    own = set(problems_of_claims(connection, [claim.id])[claim.id])
    problems = [one for one in problems_of(connection, [claim.shipment_id])[claim.shipment_id] if one.id in own]
    acts = acts_about(connection, "problem", own)
    return settled_away({one.id: (one, settlement_of(acts.get(one.id, ()))) for one in problems})


def _will_be_held(connection: Connection, claim: ClaimRow, live_at: datetime) -> bool:
    """Whether a claim that waits for its day rests on what only a release lets go."""
    ids = problems_of_claims(connection, [claim.id])[claim.id]
    old = _PROBLEMS.c.since < released_up_to(connection, live_at)
    query = select(_PROBLEMS.c.id).where(_PROBLEMS.c.id.in_(ids), old, _not_released(last_restore(connection)))
    return claim.opened_at is None and connection.execute(query.limit(1)).first() is not None


def _with_companions(connection: Connection, problem_ids: list[int]) -> list[int]:
    """These problems and those whose open claim is theirs too: a claim leaves for all of them or not at all."""
    mine = (
        select(_LINKS.c.claim_id)
        .join(_CLAIMS, _CLAIMS.c.id == _LINKS.c.claim_id)
        .where(_LINKS.c.problem_id.in_(problem_ids), _CLAIMS.c.closed_at.is_(None))
    )
    sharing = select(_LINKS.c.problem_id).where(_LINKS.c.claim_id.in_(mine))
    return sorted({*problem_ids, *connection.execute(sharing).scalars()})


def _held_claims(connection: Connection, problem_ids: list[int]) -> list[tuple[int, int]]:
    query = (
        select(_CLAIMS.c.id, _CLAIMS.c.shipment_id)
        .join(_LINKS, _LINKS.c.claim_id == _CLAIMS.c.id)
        .where(
            _LINKS.c.problem_id.in_(problem_ids),
            _CLAIMS.c.state == ClaimState.WAITING_APPROVAL.value,
            _CLAIMS.c.hold_reason.in_(RELEASABLE),
        )
        .distinct()
        .order_by(_CLAIMS.c.id)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def _held_message() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        _DELIVERIES.c.state == DeliveryState.AWAITING_PERSON.value,
        _DELIVERIES.c.hold_reason.in_(RELEASABLE),
    )
