"""Notices that this program itself was away: stopped for days, or its account not to be called.

A parcel nobody asked about was not silent. So the time between two looks is kept as an outage of our own, as soon as it is
longer than a shop's that looks once a day; each look vouches for the day after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.store.database import Database
from tracker.store.polls import OWN_ABSENCE, add_outage, looked_at, save_look

log = structlog.get_logger(__name__)
NOTED_EVERY: Final = timedelta(hours=1)
A_LOOK_HOLDS: Final = timedelta(hours=24)
AWAY_AFTER: Final = timedelta(hours=36)
"""One pass a day (cron) is no absence, even where a day's comes later than the last one's."""


@dataclass(frozen=True)
class Presence:
    """When this program last looked at one carrier."""

    database: Database
    carrier: str

    async def note(self, now: datetime) -> None:
        """It looks now; kept to the hour, so that an idle daemon does not write every few seconds."""
        before = await self.database.read(lambda c: looked_at(c, self.carrier))
        if before is None or now - before >= NOTED_EVERY:
            await self.database.write(lambda c: self._note(c, before, now))

    def _note(self, connection: Connection, before: datetime | None, now: datetime) -> None:
        save_look(connection, self.carrier, now)
        if before is not None and now - before > AWAY_AFTER:
            add_outage(connection, self.carrier, OWN_ABSENCE, before + A_LOOK_HOLDS, now)
            log.warning("polling.was_away", carrier=self.carrier, hours=round((now - before) / timedelta(hours=1)))
