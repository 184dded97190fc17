"""How one API family of one carrier account stands: breaker, cool-down, refusal. Pure; the rows keep it across restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tracker.store.polls import FamilyState

BACKOFF: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30))
BACKOFF_THROTTLED: Final = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
"""After "too many calls" (429): the carrier works, so it is asked again sooner, and never waits longer than five minutes."""
DOWN_AFTER: Final = 3
"""So many failed calls in a row make an outage: one alert when it begins, one when it ends."""
PROBE_EVERY: Final = timedelta(hours=1)
"""A refused credential is tried again so often, and at once when the configuration changes."""


def may_call(state: FamilyState, digest: str, now: datetime) -> bool:
    """Whether this family may be called now. `digest` is that of the account's present configuration."""
    if state.cooldown_until is not None and state.cooldown_until > now:
        return False
    if state.refused_at is None or state.refused_digest != digest:
        return True
    return now - state.refused_at >= PROBE_EVERY


def failed(
    state: FamilyState, reason: str, retry_after: timedelta | None, now: datetime, *, throttled: bool = False
) -> FamilyState:
    """After a call that got no answer: wait as the carrier wishes, or ever longer."""
    waits = BACKOFF_THROTTLED if throttled else BACKOFF
    wait = retry_after or waits[min(state.failures, len(waits) - 1)]
    return replace(
        state,
        failures=state.failures + 1,
        cooldown_until=now + wait,
        down_since=state.down_since or now,
        reason=reason,
    )


def unread(state: FamilyState, reason: str, now: datetime) -> FamilyState:
    """After a round of answers of which none could be read. No wait is added: each parcel has its own."""
    return replace(state, failures=state.failures + 1, down_since=state.down_since or now, reason=reason)


def refused(state: FamilyState, reason: str, digest: str, now: datetime) -> FamilyState:
    """After a refusal of the credentials: this family stops, the others go on."""
    return replace(state, refused_at=now, refused_digest=digest, reason=reason)


def is_down(state: FamilyState) -> bool:
    """Whether it has failed often enough to call it an outage."""
    return state.failures >= DOWN_AFTER


def answered() -> FamilyState:
    """After an answer: all well."""
    return FamilyState()
