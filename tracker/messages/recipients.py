"""Whom a notice goes to."""

from __future__ import annotations

from tracker.domain.notices import WhyNotTold
from tracker.domain.relays import Unmailed


def recipient_of(
    recipient_email: str | None, customer_email: str | None, unmailed: Unmailed
) -> tuple[str | None, WhyNotTold | None]:
    """The address to write to, or None and why there is none. Who receives the parcel comes before who paid."""
    given = [address for address in (recipient_email, customer_email) if address and not unmailed.is_own(address)]
    for address in given:
        if not unmailed.is_relay(address):
            return address, None
    return None, WhyNotTold.MARKETPLACE_ADDRESS if given else WhyNotTold.NO_ADDRESS
