"""An order that should have left and has no shipment (contract.md section 3, `not_posted`). Pure.

Only a posting deadline that the order names counts: of an order without one nobody knows when it should have left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from carriers.base import ProblemKind
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.detection.episodes import by_hand, compare
from tracker.domain.detection.facts import Changes, Finding, KnownProblem
from tracker.domain.order import OrderStatus

WAITING: Final = frozenset({OrderStatus.OPEN, OrderStatus.PAID, OrderStatus.READY, OrderStatus.UNKNOWN})
"""Not sent yet, by the shop's own word; a cancelled or refunded order need not be."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All that detection may know of an order before its shipment."""

    status: OrderStatus
    ship_by: date | None
    has_shipment: bool


def detect_order(facts: OrderFacts, known: Sequence[KnownProblem], *, days: Calendars, now: datetime) -> Changes:
    """Compare what the order shows at `now` with the newest episode of its problem."""
    findings: list[Finding] = []
    wake = None
    if facts.status in WAITING and facts.ship_by is not None and not facts.has_shipment:
        since = days.start_of(facts.ship_by + DAY)
        if since > now:
            wake = since
        else:
            shown = {"ship_by": facts.ship_by.isoformat(), "order_status": facts.status.value}
            findings.append(Finding(ProblemKind.NOT_POSTED, "not_posted.no_shipment", since, facts=shown))
    settled, known = by_hand(known)
    opened, changed = compare(findings, known)
    standing = [problem for problem in known if problem.resolved_at is None and not findings]
    ended = ((problem, now, _end(facts)) for problem in standing)
    return Changes(opened, changed, (*settled, *ended), wake)


def _end(facts: OrderFacts) -> str:
    if facts.has_shipment:
        return "shipped"
    if facts.status is OrderStatus.CANCELLED:
        return "order_cancelled"
    return "promise_moved" if facts.status in WAITING else "order_closed"
