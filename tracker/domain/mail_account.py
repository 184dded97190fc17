"""How one mail account stands: whether it is left alone for now, and how many messages its quotas leave. Pure.

The rows behind it survive a restart. A circuit is the account's, or (shop named) that of one shop's sender alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tracker.domain.outcome import Outcome, Result, Scope, backoff

PROBE: Final = timedelta(minutes=15)
"""An account that is down is tried again so often, and at once when its configuration changes."""
LONGEST: Final = timedelta(hours=25)
"""No wait is longer; one that seems to be was written by a clock that has been set back since."""
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
MINUTE: Final = timedelta(minutes=1)
SHARED: Final = frozenset({Scope.ACCOUNT, Scope.SENDER})
"""Outcomes that the next message would meet, too."""
REPUTATION: Final = "reputation"
SEVERAL_TEXTS: Final = 2
"""So many different texts refused for policy within an hour: it is not the text, it is us."""

PROVEN_BY_A_LOGIN: Final = frozenset(
    {
        *("connection_refused", "name_unknown", "no_route", "timed_out", "unreachable"),
        *("tls_failed", "certificate", "starttls_missing"),
        *("auth_refused", "auth_missing", "auth_without_tls", "server_refused"),
    }
)
"""Reasons that are over once connecting and logging in works; of the others only a message can tell."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """`until`: left alone until then. `down_since`: out of order, which a person should know; None where it only asks for
    patience. `digest` is that of the configuration at the time."""

    failures: int = 0
    until: datetime | None = None
    down_since: datetime | None = None
    reason: str = ""
    digest: str = ""


def is_open(circuit: Circuit | None, digest: str, now: datetime) -> bool:
    """Whether the account is to be left alone."""
    if circuit is None or circuit.until is None or circuit.digest != digest:
        return False
    return now < circuit.until <= now + LONGEST


def wants_probe(circuit: Circuit | None, digest: str, now: datetime) -> bool:
    """Whether to log in, without a message, to see if the account is back."""
    if circuit is None or circuit.down_since is None or is_open(circuit, digest, now):
        return False
    return circuit.reason in PROVEN_BY_A_LOGIN


def failed(circuit: Circuit | None, outcome: Outcome, digest: str, now: datetime) -> Circuit:
    """After an outcome of `SHARED` that took nothing over."""
    before = circuit or Circuit()
    if outcome.result is Result.THROTTLED:
        wait = min(outcome.after or PROBE, LONGEST)
        return replace(before, until=now + wait, reason=outcome.reason, digest=digest)
    failures = before.failures + 1
    wait = PROBE if outcome.result is Result.ACCOUNT_DOWN else min(backoff(failures), PROBE)
    since = before.down_since or now
    return Circuit(failures, now + min(outcome.after or wait, LONGEST), since, outcome.reason, digest)


def room(per_hour: int | None, per_day: int | None, used: tuple[int, int]) -> int | None:
    """How many messages may leave now, when so many did within the last hour and the last day; None: as many as there are."""
    limits = [limit - count for limit, count in zip((per_hour, per_day), used, strict=True) if limit is not None]
    return max(min(limits), 0) if limits else None


def is_shared(outcome: Outcome) -> bool:
    """Whether the next message would fare the same with this account."""
    return outcome.scope in SHARED and outcome.result not in {Result.ACCEPTED, Result.UNKNOWN}


def costs_no_attempt(outcome: Outcome) -> bool:
    """Whether it says nothing about this message: a used-up quota, an account that is down."""
    return outcome.result is Result.THROTTLED or is_shared(outcome)


def works(outcome: Outcome) -> bool:
    """Whether it shows that the account takes mail, be it that it refused only this one."""
    return not is_shared(outcome) and outcome.result is not Result.UNKNOWN


def judged(outcome: Outcome, circuit: Circuit | None, texts_refused: int) -> Outcome:
    """Whose fault a refusal for policy is: one text's, or, where several were refused lately, the account's.

    *texts_refused* counts the different texts within the last hour, the one at hand included.
    """
    if outcome.result is not Result.BAD_CONTENT or outcome.reason != "policy":
        return outcome
    still = circuit is not None and circuit.down_since is not None and circuit.reason == REPUTATION
    if not still and texts_refused < SEVERAL_TEXTS:
        return outcome
    return replace(outcome, result=Result.ACCOUNT_DOWN, reason=REPUTATION, scope=Scope.ACCOUNT)
