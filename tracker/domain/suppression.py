"""When an address is told nothing more. Pure.

A mailbox that does not exist, and a person who does not want our mail, are left alone at once. A full mailbox, and a domain
that only a relay's name server did not find, may work another day: they need three messages in a row. What concerns the shop
(its sender, its text, its quota) never speaks against the recipient.
"""

from __future__ import annotations

from typing import Final

from tracker.domain.outcome import Outcome, Result

SOFT: Final = frozenset({"mailbox_full", "domain_unknown"})
"""Reasons of which one message proves nothing."""
SOFT_LIMIT: Final = 3
BY_HAND: Final = "by_hand"
COMPLAINT: Final = "complaint"
REASON: Final = "the address is suppressed: "
"""How the reason of a message begins that was not sent for this; the suppression's own follows."""


def reason_to_suppress(outcome: Outcome, soft_before: int) -> str | None:
    """Why this address is told nothing from now on; None where it may be told.

    *outcome* is final (see `outcome.settled`); *soft_before* counts the newest messages to this address before it that ended
    in a row for a reason of `SOFT`.
    """
    if outcome.result in {Result.BAD_ADDRESS, Result.BLOCKED}:
        return outcome.reason
    ended = outcome.result is not Result.ACCEPTED and outcome.reason in SOFT
    return outcome.reason if ended and soft_before + 1 >= SOFT_LIMIT else None


def token_of(reason: str | None) -> str | None:
    """The suppression's reason behind a message's; None where it was not sent for another reason."""
    return reason.removeprefix(REASON) if reason and reason.startswith(REASON) else None
