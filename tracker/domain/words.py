"""The words that exports, filters and templates rest on (besides those of `carriers.base`)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ClaimState(StrEnum):
    PLANNED = "planned"
    WAITING_APPROVAL = "waiting_approval"
    SUBMITTING = "submitting"
    OPEN = "open"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REOPENED = "reopened"
    PAID = "paid"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


FILED = frozenset({ClaimState.OPEN, ClaimState.ANSWERED, ClaimState.ACCEPTED, ClaimState.REOPENED})
"""The carrier has it: what follows is its answer."""


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    UNCONFIRMED = "unconfirmed"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    AWAITING_PERSON = "awaiting_person"


class Hold(StrEnum):
    """Why something due does not leave."""

    OBSERVE = "observe"
    """The shop is not live yet."""
    BEFORE_LIVE = "before_live"
    """It rests on a problem that began before the shop went live; `tracker release` lets it go."""
    PROPOSE = "propose"
    """Claims wait for a person here; `tracker approve` files it."""
    VALUE_CEILING = "value_ceiling"
    BY_LETTER = "by_letter"
    """The carrier takes this claim by letter and no address is known; approving it says that a person has sent it."""
    LETTER = "letter"
    """Its letter did not leave, or nobody knows whether it did; approving it sends the same letter again."""
    MISSING_DATA = "missing_data"
    CONFIGURATION = "configuration"
    BY_WORDS = "by_words"
    """It asks for money and rests on the carrier's text alone; `tracker approve` files it all the same."""
    CARRIER_ANSWER = "carrier_answer"
    """The carrier's answer needs a person."""
    TEMPLATE = "template"
    RESTORED = "restored"
    """The database was put back to an earlier copy: it may have left already. `tracker release` or `approve` lets it go."""
    MUTED = "muted"
    """A person has silenced the order; `tracker mute --off` lets it go."""


class Trigger(StrEnum):
    """What can be told; when each fires is in `tracker.domain.notices`."""

    ORDER_THANKED = "order_thanked"
    POSTED = "posted"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERY_ATTEMPT_FAILED = "delivery_attempt_failed"
    PICKUP_WAITING = "pickup_waiting"
    DELIVERED = "delivered"
    DELAY_DETECTED = "delay_detected"
    DELAY_FOLLOWUP = "delay_followup"
    INQUIRY_OPENED = "inquiry_opened"
    LOSS_CONFIRMED = "loss_confirmed"
    DAMAGE = "damage"
    RETURNED_TO_SENDER = "returned_to_sender"
    ADDRESS_PROBLEM = "address_problem"
    REPLACEMENT_SENT = "replacement_sent"
    REFUND_DONE = "refund_done"
    CLAIM_PAID = "claim_paid"
    CRISIS_APOLOGY = "crisis_apology"
    CRISIS_REMINDER = "crisis_reminder"
    CRISIS_CHOICE_RECORDED = "crisis_choice_recorded"
    ACK = "ack"
    CONFIRM_RESOLUTION = "confirm_resolution"
    CASE_CLOSED = "case_closed"
    STRIKE_NOTICE = "strike_notice"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


CLOSED: Final = "poll.closed"
"""The rule under which the log says why a shipment is asked about no more."""
CLOSED_REASONS: Final[Mapping[str, str]] = {
    "final": "it has come to its end, and the second looks are over",
    "long_final": "lost, stolen or damaged for so long that nothing more is expected",
    "not_found": "the carrier has never shown this number",
    "invalid_number": "the carrier does not take this number for one of its own",
    "other_account": "the number is another contract's: these credentials do not see it",
    "no_number": "it has no active tracking number",
}
"""Why a shipment is asked about no more, as the log says it."""
