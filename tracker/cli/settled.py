"""What a hand command says where nothing is left to do: it is so already (exit code 0), or it cannot be done (1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tracker.domain.words import ClaimState, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from tracker.domain.hand import Settlement
    from tracker.store.claims import ClaimRow
    from tracker.store.deliveries import DueDelivery
    from tracker.store.hand import Rejection

LEFT = frozenset(
    {
        DeliveryState.SENDING,
        DeliveryState.UNCONFIRMED,
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.BOUNCED,
    }
)
"""The mail server has the message, or may have it."""
PAST: Final = {"reject": "rejected", "cancel": "cancelled"}
"""What is done by which act."""
OVER = frozenset({DeliveryState.EXPIRED, DeliveryState.SUPPRESSED, DeliveryState.FAILED})
"""It did not leave and will not."""


@dataclass(frozen=True, slots=True)
class Said:
    """What to tell the person; `exit_code` other than 0: it was not done."""

    sentence: str
    exit_code: int = 0


def claim_not_to_approve(
    claim: ClaimRow, rejection: Rejection | None, settled: Mapping[int, Settlement], zone: tzinfo
) -> Said | None:
    """None where the claim waits for approval; *settled*: how its problems were settled, where it falls away for it."""
    name, state = f"C{claim.id}", claim.state.value
    if rejection is not None:
        return Said(f"{name} was {rejection.done} {_by(rejection, zone)}: it will not be filed", 1)
    if claim.closed_at is not None:
        return Said(f"{name} is closed, nothing to approve: it is {state}", 1)
    if settled:
        named = [f"P{key} was settled ({one.how.value.removeprefix('hand_')})" for key, one in sorted(settled.items())]
        return Said(f"{name} falls away at the next pass: {', '.join(named)}", 1)
    if claim.approved_at is not None and claim.state is ClaimState.WAITING_APPROVAL:
        return Said(f"{name} is approved already: the daemon takes it at its next look")
    if claim.approved_at is not None:
        return Said(f"{name} was approved already: it is {state}")
    if claim.state is ClaimState.PLANNED:
        return Said(f"{name} does not wait for anyone yet: it is planned for {claim.claimable_from}", 1)
    if claim.state is not ClaimState.WAITING_APPROVAL:
        return Said(f"{name} needs no approval: it is {state}")
    return None


def claim_not_to_stop(claim: ClaimRow, rejection: Rejection | None, zone: tzinfo, act: str) -> Said | None:
    """None where the claim can be stopped; *act* is `reject` or `cancel`."""
    name, state = f"C{claim.id}", claim.state.value
    if rejection is not None:
        return Said(f"{name} was {rejection.done} already, {_by(rejection, zone)}: it will not be filed")
    if claim.state is ClaimState.CANCELLED:
        return Said(f"{name} is cancelled already: it will not be filed")
    if claim.closed_at is not None:
        return Said(f"{name} is closed, nothing to {act}: it is {state}", 1)
    if claim.state is ClaimState.SUBMITTING:
        return Said(f"{name} is on its way to the carrier and cannot be taken back", 1)
    if claim.state not in {ClaimState.PLANNED, ClaimState.WAITING_APPROVAL}:
        return Said(f"{name} is with the carrier already ({state}) and cannot be taken back here{_then(claim)}", 1)
    return None


def _then(claim: ClaimRow) -> str:
    """What a person can do about a claim that the carrier has."""
    protocol = f"{claim.protocol} " if claim.protocol else ""
    return f": its answer is followed to the end; to withdraw it, tell {claim.carrier} {protocol}by their own service"


def message_not_to_approve(message: DueDelivery, rejection: Rejection | None, zone: tzinfo) -> Said | None:
    """None where the message waits for a person."""
    if message.state is DeliveryState.AWAITING_PERSON:
        return None
    if message.state in OVER:
        return _over(message, rejection, zone, "approve", exit_code=1)
    return Said(f"M{message.id} needs no approval: it is {message.state.value}")


def message_not_to_stop(message: DueDelivery, rejection: Rejection | None, zone: tzinfo, act: str) -> Said | None:
    """None where the message can be stopped; *act* is `reject` or `cancel`."""
    if message.state in LEFT:
        return Said(f"M{message.id} has left already ({message.state.value}) and cannot be taken back", 1)
    return _over(message, rejection, zone, act, exit_code=0) if message.state in OVER else None


def message_not_to_release(
    message: DueDelivery, rejection: Rejection | None, now: datetime, zone: tzinfo
) -> Said | None:
    """None where the message left, or still may leave."""
    too_old = message.state is DeliveryState.AWAITING_PERSON and message.expires_at <= now
    return _over(message, rejection, zone, "release", exit_code=1) if too_old or message.state in OVER else None


def _over(message: DueDelivery, rejection: Rejection | None, zone: tzinfo, act: str, exit_code: int) -> Said:
    name = f"M{message.id}"
    if rejection is not None:
        return Said(f"{name} was {rejection.done} {_by(rejection, zone)}: it will not be sent", exit_code)
    if message.state in {DeliveryState.EXPIRED, DeliveryState.AWAITING_PERSON}:
        day = message.expires_at.astimezone(zone).date()
        return Said(f"{name} expired on {day}, nothing to {act}: it will not be sent", exit_code)
    return Said(f"{name} is {message.state.value}, nothing to {act}: it will not be sent", exit_code)


def _by(rejection: Rejection, zone: tzinfo) -> str:
    return f"on {rejection.at.astimezone(zone).date()} by {rejection.who}"
