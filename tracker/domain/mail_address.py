"""E-mail addresses as they go on the wire, and whether a message went to another one than the customer's. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from tracker.domain.words import DeliveryState

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_MAX_LOCAL = 64
_MAX_ADDRESS = 254
_GIVEN: Final = frozenset(
    {
        DeliveryState.SENDING,
        DeliveryState.UNCONFIRMED,
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.BOUNCED,
        DeliveryState.FAILED,
    }
)
"""States in which a server was given the message; in the others, an earlier try says nothing of where it will go."""


class BadAddress(ValueError):
    """An address no mail can go to; `reason` is a constant token. The address itself is not in the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# Most addresses share a few domains, and IDNA is most of the work.
@lru_cache(maxsize=1024)
def ascii_domain(domain: str) -> str:
    """*domain* in lower case as it goes on the wire (IDNA). Raises BadAddress where it is none."""
    try:
        encoded = domain.strip().encode("idna").decode("ascii").lower()
    except UnicodeError as exc:
        raise BadAddress("bad_domain") from exc
    labels = encoded.split(".")
    dotted = len(labels) > 1 or encoded == "localhost"
    if not dotted or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise BadAddress("bad_domain")
    return encoded


def ascii_address(address: str) -> str:
    """*address* as it goes on the wire. Raises BadAddress for a bad one; SMTPUTF8 is not used, so `joão@` is one."""
    local, at, domain = address.strip().rpartition("@")
    if not at:
        raise BadAddress("bad_syntax")
    if not local.isascii():
        raise BadAddress("local_part_not_ascii")
    if len(local) > _MAX_LOCAL or not _LOCAL_PART.fullmatch(local):
        raise BadAddress("bad_syntax")
    whole = f"{local}@{ascii_domain(domain)}"
    if len(whole) > _MAX_ADDRESS:
        raise BadAddress("bad_syntax")
    return whole


def address_key(address: str) -> str:
    """An address as it goes on the wire, in lower case: what suppressions and returned mail are matched by.

    Raises BadAddress for what no mail can go to.
    """
    return ascii_address(address).lower()


def diverted_to(state: DeliveryState, recipient: str | None, sent_to: str | None) -> str | None:
    """The address that got a message in the place of its recipient (messages.redirect_to, in a trial); None: none did.

    *sent_to* is where it was given for, as `address_key` gives it. Empty, it is not known, as of older releases, and nothing is
    said of it; what they kept may also be spelt as the order spells it.
    """
    if state not in _GIVEN or not recipient or not sent_to or _alike(recipient) == _alike(sent_to):
        return None
    return sent_to


def _alike(address: str) -> str:
    try:
        return address_key(address)
    except BadAddress:
        return address.strip().lower()
