"""The truth about claims: which are owed and from when to when, which are allowed, and so which must never be filed.

From section 7.1 of the domain reference and design section 9: from the latest of all due dates the carrier has named plus
one business day, the wait for re-planned dates capped at ten business days after the first; on the event where tracking
itself proves the fault; one claim an object, and what the carrier would refuse is never owed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tracker.sandbox.answers import Claim, answers
from tracker.sandbox.attention import A_DAY_OF_LOOKS, Attention, add_strictly, runs
from tracker.sandbox.facts import facts
from tracker.sandbox.judgement import REGISTERED, judge
from tracker.sandbox.people import ORIGIN
from tracker.sandbox.plan import Account, Shipment, Sight
from tracker.sandbox.reopening import ACCEPTED_TERM
from tracker.sandbox.story import Story, View
from tracker.sandbox.truth import slack
from tracker.sandbox.workdays import local_date

NOT_DELIVERED, LATE, DAMAGED, RETURNED_UNDULY, NO_ATTEMPT = 211, 135, 134, 136, 1414
LATENESS, LOSS, THEFT, DAMAGE, UNDUE_RETURN = "lateness", "loss", "theft", "damage", "undue_return"
CLASSES = frozenset({LATENESS, LOSS, THEFT, DAMAGE, UNDUE_RETURN})
_CAP_DAYS, _MARGIN_DAYS = 10, 1
_TOO_LATE = timedelta(days=30)
_UNDER_WAY = frozenset({"posted", "in_transit", "out_for_delivery", "delivery_failed"})


@dataclass(frozen=True, slots=True)
class Owed:
    """A claim that must be registered between these local days, for one of the classes."""

    code: str
    claim_class: str
    earliest: date
    latest: date


@dataclass(frozen=True, slots=True)
class ClaimTruth:
    """What is owed for one parcel, and when each motive would have been right."""

    shipment: Shipment
    owed: Owed | None
    story: Story

    def allows(self, motive: int, now: datetime) -> bool:
        """Whether a claim with *motive* filed at *now* is true."""
        return _allowed(self.story, motive, now)


def claim_truth(shipment: Shipment, attention: Attention, classes: frozenset[str] = CLASSES) -> ClaimTruth:
    """Return the truth about claims for *shipment* (strikes applied); only *classes* are owed."""
    story = Story(shipment)
    visible = shipment.sight is Sight.SHOWN and shipment.account is Account.MAIN
    looks = [now for now in attention.claim_looks if local_date(now) >= shipment.order.shipped_on]
    found = [
        owed for name, rule in _OWED.items() if visible and name in classes for owed in _owed(name, rule, story, looks)
    ]
    return ClaimTruth(shipment, min(found, key=lambda each: each.latest, default=None), story)


def _owed(
    name: str, rule: Callable[[Story, View, datetime], bool], story: Story, looks: Sequence[datetime]
) -> list[Owed]:
    found = []
    watched = [now for now in looks if not story.is_closed(now)]
    for run in runs(watched, lambda now: rule(story, story.view(now), now)):
        # The time to notice, a day to get through faults; what stood for less may have been missed with a good reason.
        latest = run.first + slack(story, watched, run) + A_DAY_OF_LOOKS
        if run.last >= latest:
            found.append(Owed(story.shipment.code, name, local_date(looks[run.first]), local_date(looks[latest])))
    return found


# --- what is owed, in the narrowest reading -----------------------------------------------------------


def _claimable_from(story: Story, now: datetime) -> date:
    """The first day on which nobody can call a claim for lateness early."""
    dues, states = story.shipment.due_dates(now), (ORIGIN.state, story.shipment.order.customer.place.state)
    first = story.first_due_on(now)
    after_latest = add_strictly(max(dues), _MARGIN_DAYS, states)
    return min(after_latest, add_strictly(first, _CAP_DAYS, states))


def _is_late(story: Story, view: View, now: datetime) -> bool:
    today, dues = local_date(now), story.shipment.due_dates(now)
    if view.posted_on is None or today < _claimable_from(story, now) or today > min(dues) + _TOO_LATE:
        return False
    if view.delivered_on is not None:
        return view.tried_on is not None and view.tried_on > max(dues)
    # Once somebody has come it is late and done (4.1): claimable as delivered late, when it is delivered.
    return view.status in _UNDER_WAY and view.tried_on is None


def _is_lost(story: Story, view: View, now: datetime) -> bool:
    return view.status == "lost"


def _is_stolen(story: Story, view: View, now: datetime) -> bool:
    return view.stolen_on is not None and local_date(now) > view.stolen_on


def _is_damaged(story: Story, view: View, now: datetime) -> bool:
    return view.damaged


def _came_back_unduly(story: Story, view: View, now: datetime) -> bool:
    """7.1: address and buyer were right; a damaged parcel is claimed as damaged, and a late one was as late."""
    return view.status == "returned" and view.return_cause == "return" and not view.damaged


_OWED: dict[str, Callable[[Story, View, datetime], bool]] = {
    LATENESS: _is_late,
    LOSS: _is_lost,
    THEFT: _is_stolen,
    DAMAGE: _is_damaged,
    UNDUE_RETURN: _came_back_unduly,
}


# --- what is true, in the widest reading --------------------------------------------------------------


def _allowed(story: Story, motive: int, now: datetime) -> bool:
    view, shipment = story.view(now), story.shipment
    today, due_on = local_date(now), shipment.claim_due_on(now)
    if motive == RETURNED_UNDULY:
        return view.status == "returned" and view.return_cause == "return"
    if motive == DAMAGED:
        return view.damaged
    if motive in (NOT_DELIVERED, LATE, NO_ATTEMPT):
        known = facts(shipment.events_until(now))
        return judge(motive, "I", due_on, known, today) == REGISTERED
    return False  # violation and misdelivery are a buyer's word, and nobody here has given it


# --- the money ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwedReopening:
    """An accepted complaint about a missing object that must be reopened as a refund request between these days."""

    code: str
    number: str
    earliest: date
    latest: date


def owed_reopening(claim: Claim, shipment: Shipment, until: datetime) -> OwedReopening | None:
    """Return the reopening that an accepted complaint of the shop's needs by *until*, or None."""
    first = next(iter(answers(claim, shipment, until)), None)
    if claim.by != "shop" or claim.motive != NOT_DELIVERED or first is None or not first.accepted or first.paid:
        return None
    if first.kind != "R":
        return None
    later = Story(shipment).view(until)
    missing = later.status in {*_UNDER_WAY, "lost", "stolen"} and later.delivered_on is None
    latest = first.on + ACCEPTED_TERM
    if not missing or latest > local_date(until):
        return None
    return OwedReopening(claim.code, claim.number, first.on, latest)
