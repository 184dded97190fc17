"""What a database that was put back lets go on, and what waits for a person. Pure.

Between the copy and the day it was put back, everything that was about to leave may have left, and nobody can be asked
whether it did: a mail server knows nothing of what it took, and a carrier that takes letters has no look-up. One with an API
can be asked: what may have been filed there is looked up first. Looking is harmless and goes on; so is what rests on facts
from after the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tracker.domain.claim_letter import FOLLOW_UP
from tracker.domain.words import ClaimState, DeliveryState, Hold

State = ClaimState
MESSAGE_RULE: Final = "message.restored"
CLAIM_RULE: Final = "claim.hold.restored"
VERSION: Final = 1
RESTORED: Final = "the database was put back to an earlier copy, and this may have been told since: a person lets it go"
"""What the log says of a message that a restore holds back."""


# --- messages ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageAfter:
    """How a message stands after the restore. `is_held`: it waits for a person; else it only never leaves by itself."""

    is_held: bool
    reason: str = ""


LEAVES_BY_ITSELF: Final = frozenset({Hold.OBSERVE, Hold.BEFORE_LIVE, Hold.TEMPLATE, Hold.MUTED})
"""Holds that end without a word about this very message: the shop goes live, a text is mended, a silence is over."""
_MESSAGES: Final[Mapping[DeliveryState, MessageAfter]] = {
    DeliveryState.QUEUED: MessageAfter(True, "it was queued when the copy was made, and may have left since"),
    DeliveryState.SENDING: MessageAfter(True, "it was leaving when the copy was made"),
    DeliveryState.UNCONFIRMED: MessageAfter(False, "it may have arrived: not sent again by itself"),
}
_WAS_HELD: Final = MessageAfter(True, "it waited when the copy was made, and may have been let go since")


def message_after(state: DeliveryState, hold: Hold | None) -> MessageAfter | None:
    """How a message that stood so in the copy stands now; None: as it did, for it left, ended, or waits for a person."""
    if state is DeliveryState.AWAITING_PERSON:
        return _WAS_HELD if hold in LEAVES_BY_ITSELF else None
    return _MESSAGES.get(state)


# --- claims -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClaimAfter:
    """How a claim stands after the restore.

    `is_held`: it waits for a person, and is looked up first where the carrier can be asked. `looks`: its next step is due
    now, so that its gates judge it anew. `withdraws`: the call or letter that was on its way is called off. Approvals end
    whatever else is so.
    """

    is_held: bool = False
    looks: bool = False
    withdraws: bool = False


_WAITS_FOR_A_WORD: Final = frozenset({Hold.CARRIER_ANSWER, Hold.CONFIGURATION, Hold.LETTER})
"""An answer of the carrier's, or of a mail server, stands behind these: only a person lets them go."""


def claim_after(
    state: ClaimState, *, filed: bool, hold: Hold | None, approved: bool, call: str | None, is_known: bool = False
) -> ClaimAfter:
    """How an open claim that stood so in the copy stands now.

    Args:
        filed: the carrier had it.
        call: the action of the call or letter that was on its way, if any: `open`, `reopen`, `look_up`, `letter` or
            `follow_up`.
        is_known: what became of that letter is known already, and the claim hears of it next.
    """
    if is_known:
        return ClaimAfter(looks=True)
    if filed and call == FOLLOW_UP:
        return ClaimAfter(is_held=True, looks=True, withdraws=True)
    if filed:
        # A reopening that was on its way may have happened: how the carrier shows it now decides.
        reopening = call == "reopen"
        return ClaimAfter(looks=reopening or approved, withdraws=reopening)
    if state is State.SUBMITTING or approved:
        return ClaimAfter(is_held=True, looks=True, withdraws=call is not None)
    if hold in _WAITS_FOR_A_WORD:
        return ClaimAfter()
    # One that is planned for a later day waits for its day: by then the gates know of the restore.
    return ClaimAfter(looks=state is State.WAITING_APPROVAL)


def may_have_been_filed(claimable_at: datetime, restored_at: datetime | None) -> bool:
    """Whether a claim, in the copy or planned after it, could have been filed before the restore."""
    return restored_at is not None and claimable_at <= restored_at


# --- both -------------------------------------------------------------------------------------------


def rests_on_the_lost(began: datetime, released_at: datetime | None, restored_at: datetime | None) -> bool:
    """Whether what begins with this may have been acted on in the time that was lost, and nobody has let it go since."""
    if restored_at is None or began >= restored_at:
        return False
    return released_at is None or released_at < restored_at


def knows_the_carriers_word(looked_at: datetime | None, restored_at: datetime) -> bool:
    """Whether the carrier has told, since the restore, how the claim stands."""
    return looked_at is not None and looked_at >= restored_at
