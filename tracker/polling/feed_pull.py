"""A feed that has to be fetched day by day: today again and again, each day once more when it has ended, and every day missed.

What is asked for is decided by what is known to be whole, not by a clock's rhythm: after an outage, of the carrier's or our
own, the days since are fetched one after the other, while today still has its turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog

from carriers.base import CarrierConfigError, PermanentCarrierError, PulledFeed, TransientCarrierError
from tracker.polling.breaker import Breaker
from tracker.polling.feed_files import Fate, FeedFiles
from tracker.store.database import Database
from tracker.store.feeds import FeedState, change_feed, feed_state

log = structlog.get_logger(__name__)
DAY: Final = timedelta(days=1)
TODAY_EVERY: Final = timedelta(minutes=15)
ENDED_AFTER: Final = timedelta(minutes=30)
"""So long after midnight a day is taken for whole: what was written at its end is in it by then."""
FIRST_BACK: Final = timedelta(days=7)
"""So far back the first fetching goes: parcels are on their way when an account is set up."""
FARTHEST_BACK: Final = timedelta(days=30)
"""A longer outage is not made good day by day: what happened before is told by what comes after."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One day to ask for. `is_over`: it can be whole."""

    day: date
    is_over: bool


def next_pull(state: FeedState, pull_every: timedelta, zone: ZoneInfo, now: datetime) -> Wanted | None:
    """What to ask for now; None where nothing is due, or the carrier would refuse to be asked so soon. Pure."""
    if state.pulled_at is not None and timedelta() <= now - state.pulled_at < pull_every:
        return None
    today = now.astimezone(zone).date()
    is_stale = state.today_at is None or not timedelta() <= now - state.today_at < max(TODAY_EVERY, pull_every)
    missing = max(whole_until(state, zone, now), today - FARTHEST_BACK) + DAY
    ended = datetime.combine(missing + DAY, time.min, tzinfo=zone) + ENDED_AFTER
    # In turn, so that neither a program that looks in once an hour nor a long outage keeps one of the two waiting.
    was_today = state.pulled_at is not None and state.pulled_at == state.today_at
    if ended <= now and (was_today or not is_stale):
        return Wanted(missing, is_over=True)
    return Wanted(today, is_over=False) if is_stale else None


def whole_until(state: FeedState, zone: ZoneInfo, now: datetime) -> date:
    """The last day that is known whole, or counts as such."""
    return state.whole_until or state.began_at.astimezone(zone).date() - FIRST_BACK - DAY


@dataclass(frozen=True)
class FeedPull:
    """Of one account; its calls are the account's family `tracking`."""

    database: Database
    carrier: str
    feed: PulledFeed
    files: FeedFiles
    breaker: Breaker
    zone: ZoneInfo

    async def run(self, now: datetime) -> int:
        """Fetch what is due, one day at most; returns how many days were fetched."""
        state = await self.database.read(lambda c: feed_state(c, self.carrier))
        wanted = next_pull(state, self.feed.pull_every, self.zone, now) if state is not None else None
        if state is None or wanted is None or not await self.breaker.may_call(now):
            return 0
        # Before the call: one that was cut off has been heard by the carrier all the same.
        await self._save(pulled_at=now)
        try:
            payload = await self.feed.pull(wanted.day)
        except CarrierConfigError as error:
            await self.breaker.refused(error, now)
            return 0
        except TransientCarrierError as error:
            await self.breaker.failed(error, now)
            return 0
        except PermanentCarrierError as error:
            # It would be the same at once: others may be right again in an hour, and three of them raise an alert.
            again = TransientCarrierError(self.carrier, error.message, error.http_status, timedelta(hours=1))
            await self.breaker.failed(again, now)
            return 0
        await self.breaker.answered(now)
        return await self._take(wanted, payload, state, now)

    async def _take(self, wanted: Wanted, payload: bytes, state: FeedState, now: datetime) -> int:
        taken = await self.files.take_newest_of(wanted.day.isoformat(), payload, now)
        if taken.fate is Fate.PUT_DOWN:
            return 0
        if wanted.is_over:
            skipped = wanted.day - whole_until(state, self.zone, now) - DAY
            if skipped:
                log.warning("feed.days_skipped", carrier=self.carrier, days=skipped.days)
            await self._save(whole_until=wanted.day)
        else:
            await self._save(today_at=now)
        log.info("feed.pulled", carrier=self.carrier, day=wanted.day.isoformat(), shipments=taken.matched)
        return 1

    async def _save(self, **values: Any) -> None:
        await self.database.write(partial(change_feed, carrier=self.carrier, **values))
