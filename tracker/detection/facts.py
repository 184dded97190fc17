"""From rows to facts: what the rules may know of one shipment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from carriers.base import TrackingTerms
from tracker.domain.calendar import Calendars, CalendarsBetween
from tracker.domain.detection import Facts
from tracker.domain.hand import Act, renumbered_at, reports_of
from tracker.domain.history import History
from tracker.domain.order import OrderStatus
from tracker.domain.promise import customer_promise
from tracker.store.contexts import ShipmentContext
from tracker.store.histories import HistoryRow

Outage = tuple[datetime, datetime]
_SETTLED: Final = frozenset({OrderStatus.CANCELLED.value, OrderStatus.RETURNED.value, OrderStatus.DELIVERED.value})


@dataclass(frozen=True, slots=True)
class DetectionPolicy:
    """The merchant's thresholds (configuration `rules`). `presumed_loss_business_days` None: the carrier's own terms."""

    promise_slack_business_days: int = 1
    delay_grace_days: int = 0
    presumed_loss_business_days: int | None = None
    presumed_loss_by_carrier: Mapping[str, int] = field(default_factory=dict)
    """By account, what its contract says; comes before every other."""
    not_posted_business_days: int = 2
    handling_business_days: int = 3
    stalled_business_days: Mapping[str, int] = field(default_factory=lambda: {"": 5})
    """By service in capitals; `""` is every other."""
    pickup_business_days: int = 2


@dataclass(frozen=True)
class FactReader:
    """Puts together what the store, the configuration and a carrier's terms say."""

    policy: DetectionPolicy
    days: CalendarsBetween
    terms: Callable[[str], TrackingTerms | None]
    """A carrier's terms for tracking; None where it is no longer configured, or has none."""

    def calendars(self, context: ShipmentContext) -> Calendars:
        """The calendars between the shop and this parcel's destination."""
        return self.days(context.order.shop, context.order.state, context.order.city)

    def read(
        self, context: ShipmentContext, row: HistoryRow | None, away: Sequence[Outage], acts: Sequence[Act] = ()
    ) -> Facts:
        """The facts of one shipment; `away` are the times in which its carrier did not answer, or was not asked, `acts` what
        people did to it by hand."""
        order, policy, history = context.order, self.policy, row.history if row else History()
        days, terms = self.calendars(context), self.terms(context.carrier)
        service = (row.service if row else None) or context.service
        slack = policy.promise_slack_business_days
        promise = customer_promise(order.promised_on, order.promised_first_on, history.due_first_on, slack, days)
        post_by, basis = self._post_by(context, days)
        since = silent_since(context, row)
        return Facts(
            history=history,
            promise=promise,
            service=service,
            presumed_loss_business_days=self._presumed_loss(context.carrier, terms, service),
            last_answered_at=context.last_answered_at,
            outages=tuple(outage for outage in away if outage[1] >= since),
            grace_days=policy.delay_grace_days,
            order_cancelled=order.status == OrderStatus.CANCELLED.value,
            order_settled=order.status in _SETTLED,
            closed_reason=context.closed_reason,
            is_asked=terms is not None and context.closed_reason is None,
            known_since=context.created_at,
            post_by=post_by,
            post_by_basis=basis,
            not_posted_business_days=policy.not_posted_business_days,
            stalled_business_days=_by_service(policy.stalled_business_days, service),
            pickup_days=terms.pickup_days if terms else None,
            pickup_business_days=policy.pickup_business_days,
            reports=reports_of(acts),
            renumbered_at=renumbered_at(acts),
        )

    def _presumed_loss(self, carrier: str, terms: TrackingTerms | None, service: str | None) -> int | None:
        if carrier in self.policy.presumed_loss_by_carrier:
            return self.policy.presumed_loss_by_carrier[carrier]
        if self.policy.presumed_loss_business_days is not None:
            return self.policy.presumed_loss_business_days
        return None if terms is None else _by_service(terms.presumed_loss_business_days, service)

    def _post_by(self, context: ShipmentContext, days: Calendars) -> tuple[date | None, str]:
        """When the shop posted the parcel by its own word, else should have."""
        order = context.order
        if context.shipped_on is not None:
            return context.shipped_on, "shipped_on"
        if order.ship_by is not None:
            return order.ship_by, "ship_by"
        if order.ordered_at is None:
            return None, ""
        return days.since.add(days.local_date(order.ordered_at), self.policy.handling_business_days), "ordered_at"


def silent_since(context: ShipmentContext, row: HistoryRow | None) -> datetime:
    """Since when this parcel has said nothing: answers missing before that are of no account."""
    return (row.history.last_event_at if row else None) or context.created_at


def _by_service(table: Mapping[str, int], service: str | None) -> int:
    return table.get((service or "").upper(), table[""])
