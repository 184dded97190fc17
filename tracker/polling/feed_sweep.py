"""The lane of what one carrier account sends by itself: files taken, days fetched, parcels looked at, silence noticed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import CarrierConfigError, TransientCarrierError
from tracker.domain.calendar import DAY, Calendars
from tracker.polling.breaker import Breaker
from tracker.polling.feed_files import FeedFiles
from tracker.polling.feed_looks import FeedLooks
from tracker.polling.feed_places import Place, PlaceError
from tracker.polling.feed_pull import FeedPull
from tracker.polling.presence import Presence
from tracker.store.database import Database
from tracker.store.feeds import (
    FeedState,
    begin_feed,
    change_feed,
    feed_state,
    has_open_parcels,
    newest_number,
)
from tracker.store.logs import SignalNote, signal
from tracker.store.polls import TRACKING, end_outage, open_outage

log = structlog.get_logger(__name__)
SILENT: Final = "feed_silent"
TRIED_AGAIN: Final = timedelta(hours=1)
"""Numbers that are waited for are looked up whenever a parcel gets a number, and once in so long in any case."""


@dataclass(frozen=True, slots=True)
class Silence:
    """When no news means that something is broken: after so many business days without any, by the shop's calendar."""

    business_days: int
    days: Calendars

    def begins(self, since: datetime) -> datetime:
        """The instant from which it counts."""
        last = self.days.since.add(self.days.local_date(since), self.business_days)
        return self.days.start_of(last + DAY)


@dataclass(frozen=True)
class FeedSweep:
    """The lane `feed:<carrier>`."""

    database: Database
    carrier: str
    files: FeedFiles
    looks: FeedLooks
    days: Calendars
    silence: Silence | None = None
    """None: one that is fetched, whose failures are noticed as such."""
    places: Sequence[tuple[Place, Breaker]] = ()
    pull: FeedPull | None = None
    stopping: Callable[[], bool] = lambda: False
    _tried: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    """Up to which number, and when, it was last looked for parcels that have come."""

    async def run(self, now: datetime) -> int:
        """Take what has come; returns how many files and parcels were worked on."""
        if await self._state() is None:
            await self.database.write(lambda c: begin_feed(c, self.carrier, now))
        await Presence(self.database, self.carrier).note(now)
        total = await self.files.finish(now)
        for place, breaker in self.places:
            total += await self._visit(place, breaker, now)
        if self.pull is not None and not self.stopping():
            total += await self.pull.run(now)
        total += await self._retry(now)
        await self._mind_silence(now)
        state = await self._state()
        total += await self.looks.run(state.heard_at if state else None, now)
        today = self.days.local_date(now)
        if state is None or state.tidied_on != today:
            await self.files.tidy(now)
            await self.database.write(lambda c: change_feed(c, self.carrier, tidied_on=today))
        return total

    async def _visit(self, place: Place, breaker: Breaker, now: datetime) -> int:
        if self.stopping() or not await breaker.may_call(now):
            return 0
        try:
            count = await place.visit(lambda name, payload: self.files.take(name, payload, now), now)
        except PlaceError as fault:
            words = f"{place.shown}: {fault}"
            if fault.is_refusal:
                await breaker.refused(CarrierConfigError(self.carrier, words), now)
            else:
                await breaker.failed(TransientCarrierError(self.carrier, words), now)
            return 0
        await breaker.answered(now)
        return count

    async def _retry(self, now: datetime) -> int:
        newest = await self.database.read(newest_number)
        before = self._tried.get(self.carrier)
        if before is not None and before[0] == newest and now - before[1] < TRIED_AGAIN:
            return 0
        found = await self.files.retry(now)
        self._tried[self.carrier] = (newest, now)
        return found

    # --- silence --------------------------------------------------------------------------------------

    async def _state(self) -> FeedState | None:
        return await self.database.read(lambda c: feed_state(c, self.carrier))

    async def _mind_silence(self, now: datetime) -> None:
        """Notice that it should have come, and that it comes again: what was not sent meanwhile is never "no news"."""
        state = await self._state()
        if state is None or self.silence is None:
            return
        since = state.heard_at or state.began_at
        if state.silent_since is None and now >= self.silence.begins(since):
            if await self.database.read(lambda c: has_open_parcels(c, self.carrier)):
                await self.database.write(partial(self._fall_silent, since=since, state=state, now=now))
        elif state.silent_since is not None and since > state.silent_since:
            await self.database.write(partial(self._recover, since=since, now=now))

    def _recover(self, connection: Connection, *, since: datetime, now: datetime) -> None:
        change_feed(connection, self.carrier, silent_since=None)
        end_outage(connection, self.carrier, TRACKING, since)
        log.info("feed.recovered", carrier=self.carrier)
        summary = f"{self.carrier} sends again"
        signal(connection, [SignalNote(self._key, SILENT, "info", summary, raised=False)], now)

    def _fall_silent(self, connection: Connection, *, since: datetime, state: FeedState, now: datetime) -> None:
        change_feed(connection, self.carrier, silent_since=since)
        open_outage(connection, self.carrier, TRACKING, since)
        log.warning("feed.silent", carrier=self.carrier, since=since.isoformat())
        last = (
            "has never sent anything" if state.heard_at is None else f"has sent nothing since {since:%Y-%m-%d %H:%MZ}"
        )
        summary = f"{self.carrier} {last}: ask it for its files; until they come nothing is known of its parcels"
        details = {"carrier": self.carrier, "since": since.isoformat()}
        signal(connection, [SignalNote(self._key, SILENT, "critical", summary, details=details)], now)

    @property
    def _key(self) -> str:
        return f"{SILENT}:{self.carrier}"
