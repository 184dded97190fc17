"""An order that should have left and has no shipment, or left under a number that nobody told (contract.md section 3,
`not_posted` and `untrackable`). Pure.

Only a posting deadline that the order names counts: of an order without one nobody knows when it should have left. That it
has left is the shop's own word; a file with its number may come a little later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from carriers.base import ProblemKind
from tracker.domain.calendar import DAY, Calendars
from tracker.domain.detection.episodes import by_hand, compare
from tracker.domain.detection.facts import Changes, Finding, KnownProblem, iso
from tracker.domain.detection.posting import TOO_OLD
from tracker.domain.order import OrderStatus

WAITING: Final = frozenset({OrderStatus.OPEN, OrderStatus.PAID, OrderStatus.READY, OrderStatus.UNKNOWN})
"""Not sent yet, by the shop's own word; a cancelled or refunded order need not be."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All that detection may know of an order before its shipment."""

    status: OrderStatus
    ship_by: date | None
    has_shipment: bool
    ordered_at: datetime | None = None
    created_at: datetime | None = None
    """When it was imported."""
    updated_at: datetime | None = None
    """When a file last changed it: the shop's word that it was sent is no older."""


def detect_order(
    facts: OrderFacts,
    known: Sequence[KnownProblem],
    *,
    days: Calendars,
    now: datetime,
    without_number_business_days: int = 2,
) -> Changes:
    """Compare what the order shows at `now` with the newest episodes of its problems.

    Args:
        without_number_business_days: so long an order that was sent may be without a number to follow it by.
    """
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
    unfollowed = _without_number(facts, known, days, without_number_business_days)
    if unfollowed is not None and unfollowed.since > now:
        wake = unfollowed.since
    elif unfollowed is not None:
        findings.append(unfollowed)
    opened, changed = compare(findings, known)
    found = {finding.kind for finding in findings}
    standing = [problem for problem in known if problem.resolved_at is None and problem.kind not in found]
    ended = ((problem, now, _end(facts)) for problem in standing)
    return Changes(opened, changed, (*settled, *ended), wake)


def _without_number(
    facts: OrderFacts, known: Sequence[KnownProblem], days: Calendars, business_days: int
) -> Finding | None:
    """Sent, says the shop, and nothing to ask a carrier by. Orders of a past that was imported at once are left in peace."""
    if facts.status is not OrderStatus.SHIPPED or facts.has_shipment or facts.updated_at is None:
        return None
    if facts.ordered_at is not None and facts.created_at is not None and facts.created_at - facts.ordered_at > TOO_OLD:
        return None
    told_on = days.local_date(facts.updated_at)
    since = days.start_of(days.since.add(told_on, business_days) + DAY)
    # Whatever else a file changes in it later, it is without a number as long as before.
    stands = [one.since for one in known if one.kind is ProblemKind.UNTRACKABLE and one.resolved_at is None]
    shown = {"sent_on": told_on.isoformat(), "business_days": business_days, "ordered_at": iso(facts.ordered_at)}
    return Finding(ProblemKind.UNTRACKABLE, "untrackable.no_number", min([since, *stands]), facts=shown)


def _end(facts: OrderFacts) -> str:
    if facts.has_shipment:
        return "shipped"
    if facts.status is OrderStatus.CANCELLED:
        return "order_cancelled"
    return "promise_moved" if facts.status in WAITING else "order_closed"
