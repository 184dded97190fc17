"""When what is known of a parcel may be old. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

STALE_AFTER: Final = timedelta(hours=2)
"""A look so long overdue means that the carrier, or this program, has not been able to: what is known may be old."""


def is_stale(next_poll_at: datetime | None, now: datetime) -> bool:
    """Whether a parcel's next look is long overdue; one that is asked about no more (None) has told its last."""
    return next_poll_at is not None and now - next_poll_at > STALE_AFTER
