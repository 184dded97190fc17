"""How fresh the looks are, and what the limits allow: as lines or as one JSON document. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from carriers.base import TrackingStatus
from tracker.polling.planner import Plan
from tracker.polling.schedule import ENDED
from tracker.reports.tables import rows
from tracker.store.freshness import Ages, Freshness

HEADINGS: Final = (
    "CARRIER",
    "STATUS",
    "OPEN",
    "OVERDUE",
    "LOOKED P50",
    "P95",
    "OLDEST",
    "ANSWERED P50",
    "P95",
    "OLDEST",
    "NEVER",
    "ALLOWED EVERY",
)


def as_document(found: Sequence[Freshness], plans: Mapping[str, Plan], now: datetime) -> dict[str, Any]:
    """Ages and intervals in seconds; `plans` by account."""
    return {
        "at": now.isoformat(),
        "statuses": [_status(one, plans.get(one.carrier), now) for one in found],
        "accounts": {carrier: plan_document(plan) for carrier, plan in sorted(plans.items())},
    }


def plan_document(plan: Plan) -> dict[str, Any]:
    """What one account's limits allow."""
    return {
        "kept": plan.kept,
        "calls_an_hour_wanted": round(plan.calls_wanted, 1),
        "calls_an_hour_allowed": round(plan.calls_allowed, 1),
        "ended": plan.ended,
        "second_looks_days": list(plan.second_looks_days),
        "rhythms": [
            {
                "statuses": list(rhythm.statuses),
                "shipments": rhythm.shipments,
                "wanted_s": round(rhythm.wanted.total_seconds()),
                "allowed_s": round(rhythm.allowed.total_seconds()),
            }
            for rhythm in plan.rhythms
        ],
    }


def as_lines(found: Sequence[Freshness], plans: Mapping[str, Plan], now: datetime) -> list[str]:
    """A table of the ages, and below it what each account's limits allow."""
    if not found:
        return ["no open shipments"]
    body = [_cells(one, plans.get(one.carrier), now) for one in found]
    below = [line for carrier, plan in sorted(plans.items()) for line in plan_lines(carrier, plan)]
    return [*rows(HEADINGS, body), "", *below]


def plan_lines(carrier: str, plan: Plan) -> list[str]:
    """One line an account, and one a rhythm that cannot be kept."""
    share = plan.calls_wanted / plan.calls_allowed
    lines = [
        f"{carrier}: {_counted(plan)} want {plan.calls_wanted:.0f} calls "
        f"an hour of {plan.calls_allowed:.0f} that the limit allows ({share:.0%})"
    ]
    for rhythm in plan.rhythms:
        if rhythm.allowed > rhythm.wanted:
            lines.append(
                f"warning: {carrier}: {', '.join(rhythm.statuses)}: every {_span(rhythm.wanted)} is wanted, "
                f"every {_span(rhythm.allowed)} is possible (raise requests_per_second, or lengthen rules.polling)"
            )
    return lines


def _counted(plan: Plan) -> str:
    shipments = f"{sum(rhythm.shipments for rhythm in plan.rhythms)} open shipments"
    return f"{shipments}, {plan.ended} ended with second looks left," if plan.ended else shipments


def _status(one: Freshness, plan: Plan | None, now: datetime) -> dict[str, Any]:
    allowed = _allowed(one, plan)
    return {
        "carrier": one.carrier,
        "status": one.status,
        "shipments": one.shipments,
        "overdue": one.overdue,
        "never_answered": one.never_answered,
        "looked_age_s": _ages(one.looked, now),
        "answered_age_s": _ages(one.answered, now),
        "allowed_every_s": round(allowed.total_seconds()) if allowed else None,
        "second_looks_days": list(_second_looks(one, plan)),
    }


def _allowed(one: Freshness, plan: Plan | None) -> timedelta | None:
    """How often most of this status can be asked about; where all of it is due or late, how often that can."""
    if plan is None:
        return None
    status = TrackingStatus(one.status)
    return plan.allowed(status) or plan.allowed(status, is_due=True)


def _second_looks(one: Freshness, plan: Plan | None) -> tuple[int, ...]:
    """The days after its end on which what has ended is looked at again."""
    return plan.second_looks_days if plan is not None and TrackingStatus(one.status) in ENDED else ()


def _again(one: Freshness, plan: Plan | None) -> str:
    if days := _second_looks(one, plan):
        return f"{'days' if len(days) > 1 else 'day'} {', '.join(map(str, days))}"
    allowed = _allowed(one, plan)
    return _span(allowed) if allowed else ""


def _ages(ages: Ages, now: datetime) -> dict[str, int]:
    named = {"p50": ages.p50, "p95": ages.p95, "oldest": ages.oldest}
    return {name: round((now - at).total_seconds()) for name, at in named.items()}


def _cells(one: Freshness, plan: Plan | None, now: datetime) -> list[str]:
    spans = [_span(now - at) for ages in (one.looked, one.answered) for at in (ages.p50, ages.p95, ages.oldest)]
    counts = [str(one.shipments), str(one.overdue)]
    return [one.carrier, one.status, *counts, *spans, str(one.never_answered), _again(one, plan)]


def _span(span: timedelta) -> str:
    """`45min`, `2h05`, `3d 4h`: rounded down to what matters."""
    minutes = max(0, int(span.total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes}min"
    if minutes < 48 * 60:
        return f"{minutes // 60}h{minutes % 60:02}"
    return f"{minutes // 1440}d {minutes % 1440 // 60}h"
