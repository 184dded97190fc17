"""Every rule with its version, the order in which they look, and which finding silences which kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from carriers.base import ProblemKind
from tracker.domain.calendar import Calendars
from tracker.domain.detection import by_hand, coded, door, late, posting, silent
from tracker.domain.detection.facts import Facts, Finding, Look

Kind = ProblemKind

ENDED: Final = "problem.ended"
"""The rule under which the log says how a problem came to its end."""
RULE_VERSIONS: Final[Mapping[str, int]] = {
    "delay.past_promise": 3,
    "late_delivery.past_promise": 1,
    "loss.coded": 2,
    "loss.presumed": 2,
    "theft.coded": 2,
    "damage.coded": 2,
    "violation.coded": 1,
    "misdelivery.coded": 1,
    "returning.coded": 2,
    "returning.unclaimed": 2,
    "returned.coded": 2,
    "seized.coded": 2,
    "stalled.silence": 1,
    "delivery_failed.attempt": 2,
    "address_problem.coded": 2,
    "refused.coded": 2,
    "customs_hold.coded": 2,
    "pickup_expiring.last_day": 1,
    "not_posted.no_scan": 1,
    "not_posted.no_shipment": 1,
    "untrackable.closed": 1,
    "untrackable.no_number": 1,
    "delivery.reversed": 1,
    "hand.violation": 1,
    "hand.misdelivery": 1,
    "hand.not_received": 1,
    "hand.damage": 1,
    ENDED: 1,
}
"""Every rule that writes a decision about a problem, or about what undoes one's end."""

_LATE: Final = frozenset({Kind.DELAY, Kind.LATE_DELIVERY})
_AT_THE_DOOR: Final = door.TROUBLES | {Kind.PICKUP_EXPIRING}
_GONE: Final = _LATE | _AT_THE_DOOR | {Kind.STALLED, Kind.NOT_POSTED, Kind.UNTRACKABLE}
SILENCES: Final[Mapping[str, frozenset[ProblemKind]]] = {
    # Whatever else is wrong with a parcel that is gone, its loss is what is to be dealt with.
    "loss.coded": _GONE | {Kind.LOSS, Kind.THEFT},
    "theft.coded": _GONE | {Kind.LOSS},
    # What the carrier itself has recorded need not be reported.
    "damage.coded": frozenset({Kind.DAMAGE}),
    "violation.coded": frozenset({Kind.VIOLATION}),
    "misdelivery.coded": frozenset({Kind.MISDELIVERY}),
    "returning.coded": _GONE,
    "returning.unclaimed": _GONE | {Kind.LOSS},
    "returned.coded": _GONE,
    "seized.coded": _GONE,
    "untrackable.closed": frozenset({Kind.NOT_POSTED, Kind.STALLED}),
    # Customs may keep a parcel for weeks without a word.
    "customs_hold.coded": frozenset({Kind.LOSS, Kind.STALLED}),
    # A standstill is the mildest word for it: one call to act a parcel is enough.
    "delay.past_promise": frozenset({Kind.STALLED}),
    "loss.presumed": frozenset({Kind.STALLED}),
    "delivery_failed.attempt": frozenset({Kind.STALLED}),
    "address_problem.coded": frozenset({Kind.STALLED}),
    "refused.coded": frozenset({Kind.STALLED}),
}
"""By the rule that found something: the kinds that are not found beside it (its own kind: by a later rule)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The kinds it may find, and how it looks. Rules stand in such an order that none silences one before it."""

    kinds: frozenset[ProblemKind]
    look: Look


RULES: Final = (
    Rule(frozenset({Kind.LOSS}), coded.lost),
    Rule(frozenset({Kind.THEFT}), coded.stolen),
    Rule(frozenset({Kind.DAMAGE}), coded.damaged),
    Rule(frozenset({Kind.VIOLATION}), coded.violated),
    Rule(frozenset({Kind.MISDELIVERY}), coded.misdelivered),
    Rule(frozenset({Kind.VIOLATION, Kind.MISDELIVERY, Kind.DAMAGE}), by_hand.reported),
    Rule(frozenset({Kind.RETURNING, Kind.RETURNED}), coded.turned_back),
    Rule(frozenset({Kind.SEIZED}), coded.seized),
    Rule(frozenset({Kind.UNTRACKABLE}), posting.untrackable),
    Rule(door.TROUBLES, door.troubled),
    Rule(_LATE, late.lateness),
    Rule(frozenset({Kind.LOSS}), silent.presumed_lost),
    Rule(frozenset({Kind.PICKUP_EXPIRING}), door.pickup_expiring),
    Rule(frozenset({Kind.NOT_POSTED}), posting.not_posted),
    Rule(frozenset({Kind.STALLED}), silent.stalled),
)


def silenced(findings: Iterable[Finding]) -> frozenset[ProblemKind]:
    """The kinds that these findings silence."""
    return frozenset().union(*(SILENCES.get(finding.rule, frozenset()) for finding in findings))


def find(facts: Facts, *, days: Calendars, now: datetime) -> tuple[list[Finding], datetime | None]:
    """Everything wrong at `now`, and the next instant at which time alone may change that."""
    findings: list[Finding] = []
    wakes: list[datetime] = []
    for rule in RULES:
        silent_kinds = silenced(findings)
        if rule.kinds <= silent_kinds:
            continue
        seen = rule.look(facts, days, now)
        findings += [finding for finding in seen.findings if finding.kind not in silent_kinds]
        wakes += seen.wakes
    return findings, min((wake for wake in wakes if wake > now), default=None)
