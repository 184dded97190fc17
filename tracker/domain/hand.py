"""What people did by hand, and what of it stands. Pure.

An act is a fact: who, when, why, and what it says. It changes nothing by itself; the stage that owns what it is about reads
it and decides. Of acts that undo each other the newest counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from carriers.base import ProblemKind


class ActKind(StrEnum):
    """What a hand may do; the log says `hand.` and the word."""

    APPROVE = "approve"
    REJECT = "reject"
    RELEASE = "release"
    MUTE = "mute"
    UNMUTE = "unmute"
    CANCEL = "cancel"
    UNCANCEL = "uncancel"
    RESOLVE = "resolve"
    REPORT = "report"
    EDIT = "edit"


BY_HAND: Final = "hand."
"""Begins every rule that a hand stands behind."""
OVERTAKEN: Final = "hand.overtaken"
"""The rule under which the log says that a later file names another value than the one a hand had corrected."""
RULE_VERSIONS: Final[Mapping[str, int]] = {**{f"hand.{kind.value}": 1 for kind in ActKind}, OVERTAKEN: 1}


@dataclass(frozen=True, slots=True)
class Act:
    """One act about one subject."""

    id: int
    at: datetime
    who: str
    act: str
    reason: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


# --- silence ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mute:
    """Since when, by whom and why an order's customer hears nothing; `until` None: until a hand takes it back."""

    since: datetime
    who: str
    reason: str | None
    until: datetime | None


def mute_of(acts: Sequence[Act], now: datetime) -> Mute | None:
    """The silence that stands at *now*; *acts* are the order's, oldest first."""
    last = _last(acts, ActKind.MUTE, ActKind.UNMUTE)
    if last is None or last.act == ActKind.UNMUTE:
        return None
    until = _instant(last.facts.get("until"))
    return Mute(last.at, last.who, last.reason, until) if until is None or until > now else None


def cancellation_of(acts: Sequence[Act]) -> Act | None:
    """A person's word that the order is cancelled, where it was not taken back."""
    last = _last(acts, ActKind.CANCEL, ActKind.UNCANCEL)
    return last if last is not None and last.act == ActKind.CANCEL else None


def released_at(acts: Sequence[Act]) -> datetime | None:
    """When a person last let go the claim whose acts these are; None where nobody did."""
    last = _last(acts, ActKind.RELEASE)
    return last.at if last is not None else None


# --- problems ---------------------------------------------------------------------------------------


class Settled(StrEnum):
    """How a person settled a problem: how it ended, as `problems.resolution` says it."""

    FOUND = "hand_found"
    SATISFIED = "hand_satisfied"
    REFUNDED = "hand_refunded"
    RESENT = "hand_resent"
    MISTAKE = "hand_mistake"
    OTHER = "hand_other"


class Wish(StrEnum):
    """What becomes of a claim that is not filed yet when a person settles its problem."""

    KEEP = "keep"
    CANCEL = "cancel"


CLAIM_WISHES: Final[Mapping[Settled, Wish]] = {
    Settled.FOUND: Wish.CANCEL,
    Settled.MISTAKE: Wish.CANCEL,
    # The shop has paid or sent again: what the carrier owes for it is owed all the same.
    Settled.REFUNDED: Wish.KEEP,
    Settled.RESENT: Wish.KEEP,
    Settled.SATISFIED: Wish.KEEP,
    # Nothing that is owed falls on the strength of a reason that the program cannot read.
    Settled.OTHER: Wish.KEEP,
}
"""Where the person does not say."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A problem settled by hand."""

    at: datetime
    how: Settled
    claims: Wish


def settlement_of(acts: Sequence[Act]) -> Settlement | None:
    """How a person settled the problem whose acts these are; None where nobody did."""
    last = _last(acts, ActKind.RESOLVE)
    return Settlement(last.at, Settled(last.facts["how"]), Wish(last.facts["claims"])) if last is not None else None


class Reported(StrEnum):
    """What only a person can know of a parcel."""

    VIOLATION = "violation"
    MISDELIVERY = "misdelivery"
    NOT_RECEIVED = "not_received"
    DAMAGE = "damage"


REPORTED_AS: Final[Mapping[Reported, ProblemKind]] = {
    Reported.VIOLATION: ProblemKind.VIOLATION,
    Reported.MISDELIVERY: ProblemKind.MISDELIVERY,
    # Tracking says delivered, the customer says no: to the carrier it is the same question (carrier reference 8.5).
    Reported.NOT_RECEIVED: ProblemKind.MISDELIVERY,
    Reported.DAMAGE: ProblemKind.DAMAGE,
}


@dataclass(frozen=True, slots=True)
class Report:
    """A problem of a parcel as a person told it; `happened_at` where the person named a day."""

    what: Reported
    told_at: datetime
    happened_at: datetime | None


def reports_of(acts: Sequence[Act]) -> tuple[Report, ...]:
    """What people reported of the shipment whose acts these are, the newest word on each kind of problem, oldest first."""
    newest: dict[ProblemKind, Report] = {}
    for act in acts:
        if act.act == ActKind.REPORT:
            what = Reported(act.facts["kind"])
            newest[REPORTED_AS[what]] = Report(what, act.at, _instant(act.facts.get("happened_at")))
    return tuple(sorted(newest.values(), key=lambda report: report.told_at))


WRONG_NUMBER: Final = "was_another_parcels"
"""The key among an edit's facts that says that what was known under the old number was never this parcel's."""


# --- data -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edit:
    """A corrected field: what the files said, and what a person says."""

    field: str
    imported: str | None
    now: str | None


def edits_of(acts: Sequence[Act]) -> dict[str, Edit]:
    """The newest correction of each field, by field."""
    found: dict[str, Edit] = {}
    for act in acts:
        if act.act == ActKind.EDIT:
            name = str(act.facts["field"])
            found[name] = Edit(name, act.facts.get("imported"), act.facts.get("now"))
    return found


def keeps(edit: Edit | None, standing: str | None, imported: str | None) -> bool:
    """Whether a correction stands against what a file says: as long as the file says what it said before.

    A value that the source itself has changed since is its newer word, and wins.
    """
    return edit is not None and standing == edit.now and imported == edit.imported


def renumbered_at(acts: Sequence[Act]) -> datetime | None:
    """When a person last said that the shipment's number had been another parcel's."""
    wrong = [act.at for act in acts if act.act == ActKind.EDIT and act.facts.get(WRONG_NUMBER)]
    return wrong[-1] if wrong else None


def _last(acts: Sequence[Act], *kinds: ActKind) -> Act | None:
    return next((act for act in reversed(acts) if act.act in set(kinds)), None)


def _instant(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
