"""What follows from a channel's outcome. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tracker.domain.mail_account import SHARED
from tracker.domain.notices import TOLERATES_DUPLICATE
from tracker.domain.outcome import Outcome, Result
from tracker.domain.words import DeliveryState, Hold, Trigger
from tracker.store.deliveries import DueDelivery

RECONCILE: Final = timedelta(minutes=15)
"""How long an unconfirmed message waits for a sign before it may be sent again."""
ACCOUNT_PROBE: Final = timedelta(minutes=15)
"""How long a message waits whose provider is down for it alone."""

WHY_NO_MAIL: Final[Mapping[str, str]] = {
    "connection_refused": "connection refused: is the mail server running, is the port right?",
    "name_unknown": "its name cannot be resolved: is the host right, does this machine's DNS work?",
    "no_route": "there is no way to it: is this machine on the network, is a firewall in between?",
    "timed_out": "no answer in time: is the port right (465 wants security: tls), is a firewall in between?",
    "tls_failed": "no secure connection: port 465 wants security: tls, other ports mostly starttls",
    "certificate": "its certificate is not valid for this host, or nobody vouches for it",
    "starttls_missing": "it offers no STARTTLS: is the port right (465 wants security: tls)?",
    "connection_lost": "it closed the connection: is the port right, does it allow this machine?",
    "unreadable_reply": "it does not answer as a mail server: is the port right?",
    "unreachable": "it cannot be reached",
    "auth_refused": "it refused the login: are user and password right?",
    "auth_missing": "it takes no login by password here: is the port right?",
    "auth_without_tls": "a password is only sent over a secure connection: use security: starttls or tls",
    "server_refused": "it refused this machine",
    "sender_refused": "it refused the shop's sender address",
    "sender_unauthenticated": "it does not let this account send for the shop's sender address",
    "sender_unverified": "the shop's sender address is not verified there yet",
    "relay_denied": "it sends nothing to the outside for this account: are user and password set?",
    "temporary": "it asks to try again later",
    "reputation": "it refuses several different texts: does the shop's domain, or this machine's address, stand on a blocklist?",
}
"""What an operator should know of an outcome that every message would meet, by its token."""


def why_no_mail(outcome: Outcome) -> str:
    """Why the mail server takes no mail, in plain words, with its own where it said something."""
    cause = WHY_NO_MAIL.get(outcome.reason, outcome.reason)
    return f"{cause} (it said: {outcome.reply})" if outcome.reply else cause


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a delivery stands after an attempt."""

    state: DeliveryState
    next_step_at: datetime | None
    reason: str = ""
    hold: Hold | None = None
    why: str = ""
    """The code of the reason, for translations; where there is none, the reason is one."""
    cause: str = ""
    """The code of what lies behind it, where something does."""


def after_outcome(outcome: Outcome, delivery: DueDelivery, wait: timedelta, now: datetime) -> Settlement:
    """The state after this outcome; a queued message ends as `expired` once its notice is past its age."""
    reason = outcome.reason
    if outcome.result is Result.ACCEPTED:
        return Settlement(DeliveryState.SENT, None)
    if outcome.result is Result.UNKNOWN:
        # One that was unconfirmed when we read it has just been sent for the second time.
        repeated = delivery.repeated or delivery.state is DeliveryState.UNCONFIRMED
        return after_unknown(delivery.trigger, repeated, now)
    if outcome.scope in SHARED:
        # The account's failure and not the message's: it keeps its place in the queue, and the account's circuit spares
        # the server.
        return Settlement(delivery.state, delivery.next_step_at or now, reason)
    after = outcome.after or (ACCOUNT_PROBE if outcome.result is Result.ACCOUNT_DOWN else wait)
    if delivery.state is DeliveryState.UNCONFIRMED:
        # The second try did not leave, and the first may have arrived: it stays unconfirmed.
        again = outcome.result in {Result.RETRY, Result.THROTTLED, Result.ACCOUNT_DOWN}
        return Settlement(DeliveryState.UNCONFIRMED, now + after if again else None, reason)
    if outcome.result in {Result.BAD_ADDRESS, Result.BLOCKED, Result.POLICY_CAP}:
        state = DeliveryState.BOUNCED if outcome.result is Result.BAD_ADDRESS else DeliveryState.FAILED
        return Settlement(state, None, reason)
    if outcome.result is Result.BAD_CONTENT:
        return Settlement(DeliveryState.AWAITING_PERSON, delivery.expires_at, reason, Hold.TEMPLATE)
    return Settlement(DeliveryState.QUEUED, now + after, reason)


def after_unknown(trigger: Trigger, repeated: bool, now: datetime) -> Settlement:
    """It left and nobody knows: never again blindly, once more where the trigger tolerates a duplicate."""
    again = trigger in TOLERATES_DUPLICATE and not repeated
    return Settlement(DeliveryState.UNCONFIRMED, now + RECONCILE if again else None, "no_answer")
