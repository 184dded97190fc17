"""Parcels of a carrier that only sends: nobody can be asked about one, so a look at it is a look at when the feed last came.

What a feed that came at some instant does not mention has not happened by then, as far as the carrier knows. So that instant
is when each parcel was last answered about, and never the instant of the look: a feed that has stopped proves nothing, and
rules about silence and lateness wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from carriers.base import AnswerOutcome, TrackingStatus
from tracker.domain.calendar import Calendars
from tracker.domain.detection import RECHECK
from tracker.domain.words import CLOSED, CLOSED_REASONS
from tracker.polling.heard import newly_heard
from tracker.polling.schedule import Next, PollingPolicy, Standing, next_look
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.leases import new_token
from tracker.store.logs import DecisionNote
from tracker.store.polls import DuePoll, PollSave, save_polls, take_due
from tracker.store.wake import hasten, wake

BATCH: Final = 500


@dataclass(frozen=True)
class FeedLooks:
    """Of one account."""

    database: Database
    carrier: str
    policy: PollingPolicy
    days: Callable[[str], Calendars]
    """The calendars of a shop."""

    async def run(self, heard_at: datetime | None, now: datetime) -> int:
        """Look at all that is due; returns how many parcels that were."""
        total = 0
        while True:
            looked = await self.database.write(lambda c: self._batch(c, heard_at, now))
            total += looked
            if looked < BATCH:
                return total

    def _batch(self, connection: Connection, heard_at: datetime | None, now: datetime) -> int:
        token = new_token()
        due = take_due(connection, self.carrier, now=now, limit=BATCH, token=token)
        saves = [self._save(poll, heard_at, now) for poll in due]
        save_polls(connection, saves, polled_at=now, token=token, ours={poll.shipment_id for poll in due})
        ended = [(poll, save.closed_reason) for poll, save in zip(due, saves, strict=True) if save.closed_reason]
        wake(connection, "detection", [poll.shipment_id for poll, _ in ended], now)
        answered = [(poll, save.answered_at) for poll, save in zip(due, saves, strict=True)]
        hasten(connection, newly_heard(answered, self.days), until=now + RECHECK, at=now)
        log_changes(connection, _closed(ended), now)
        return len(due)

    def _save(self, poll: DuePoll, heard_at: datetime | None, now: datetime) -> PollSave:
        standing = _standing(poll)
        outcome = AnswerOutcome.FOUND if standing.status is not None else AnswerOutcome.NOT_FOUND
        following = next_look(outcome, standing, self.policy, self.days(poll.shop), now)
        answered = max(filter(None, (heard_at, poll.last_answered_at)), default=None)
        if following.closed_reason == "not_found" and not self._waited_long(poll, heard_at):
            following = self._further(standing, now)
        return PollSave(
            poll.shipment_id,
            following.at,
            # Without an answer the columns that tell of one stay as they are.
            outcome=outcome.value if answered is not None else None,
            answered_at=answered,
            closed_reason=following.closed_reason,
            urgent=following.urgent,
        )

    def _waited_long(self, poll: DuePoll, heard_at: datetime | None) -> bool:
        """Whether the feed itself has gone on for long enough without naming it."""
        return heard_at is not None and heard_at - poll.created_at > self.policy.not_found_for

    def _further(self, standing: Standing, now: datetime) -> Next:
        return next_look(AnswerOutcome.NOT_FOUND, standing._replace(created_at=now), self.policy, self.days(""), now)


def _standing(poll: DuePoll) -> Standing:
    dates = (day for day in (poll.promised_on, poll.carrier_due_on) if day is not None)
    return Standing(
        shipment_id=poll.shipment_id,
        created_at=poll.created_at,
        status=TrackingStatus(poll.status) if poll.status else None,
        status_at=poll.status_at,
        last_event_at=poll.last_event_at,
        due_on=min(dates, default=None),
    )


def _closed(ended: Sequence[tuple[DuePoll, str]]) -> list[DecisionNote]:
    """Why a parcel is not waited for any more."""
    return [
        DecisionNote(poll.shop, "shipment", poll.shipment_id, CLOSED, 1, "closed", CLOSED_REASONS[why], {"why": why})
        for poll, why in ended
    ]
