"""What only a person can know: a parcel that was opened, came broken, or is not with the customer although it says so.

No tracking code tells of these (carrier reference section 8.5: the buyer reports them); a person's word opens the problem,
and only a person's word ends it.
"""

from __future__ import annotations

from datetime import datetime

from tracker.domain.calendar import Calendars
from tracker.domain.detection.facts import Facts, Finding, Seen, iso
from tracker.domain.hand import REPORTED_AS, Report, Reported

NOT_WITHOUT_DELIVERY = frozenset({Reported.MISDELIVERY, Reported.NOT_RECEIVED})
"""They contradict a delivery: where the carrier takes it back, they are over."""


def reported(facts: Facts, _days: Calendars, _now: datetime) -> Seen:
    """Each problem that a person reported; true since the day that was named, else since the delivery."""
    delivered = facts.history.delivered_at is not None
    standing = [one for one in facts.reports if delivered or one.what not in NOT_WITHOUT_DELIVERY]
    return Seen(tuple(_finding(facts, one) for one in standing))


def _finding(facts: Facts, report: Report) -> Finding:
    delivered_at = facts.history.delivered_at
    happened_at = report.happened_at or delivered_at or report.told_at
    return Finding(
        REPORTED_AS[report.what],
        f"hand.{report.what.value}",
        min(happened_at, report.told_at),
        told_at=report.told_at,
        facts={"reported_at": iso(report.told_at), "delivered_at": iso(delivered_at)},
    )
