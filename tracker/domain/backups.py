"""When the daily backup is due, and when somebody must hear that there is none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

TRY_AGAIN: Final = timedelta(minutes=15)
"""After a backup that failed."""
TOO_OLD: Final = timedelta(hours=48)
"""Without a good backup for so long two nights have gone by, and the loss grows every day."""


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """`newest`: the instant of the newest copy in the folder; `tried_at`: of the newest try of this process that failed."""

    newest: datetime | None
    tried_at: datetime | None = None


def is_due(facts: BackupFacts, at: time, zone: tzinfo, now: datetime) -> bool:
    """Whether to make one now: there is none since the last time the day's hour came, nor a try a moment ago.

    A machine that slept through the hour makes it when it wakes.
    """
    if facts.tried_at is not None and facts.tried_at <= now < facts.tried_at + TRY_AGAIN:
        return False
    return facts.newest is None or facts.newest < last_hour(at, zone, now)


def last_hour(at: time, zone: tzinfo, now: datetime) -> datetime:
    """The last instant, by the shop's clock, at which the hour was `at`."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), at, tzinfo=zone)
    return today if today <= now else datetime.combine(local.date() - timedelta(days=1), at, tzinfo=zone)


def is_missing(facts: BackupFacts, now: datetime) -> bool:
    """Whether the newest good copy is so old that a failure is no longer a matter of one night."""
    return facts.newest is None or now - facts.newest > TOO_OLD
