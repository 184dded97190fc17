"""Whom a notice goes to."""

from __future__ import annotations

from typing import Final

from tracker.domain.notices import WhyNotTold

RELAYS: Final = (
    "ct.vtex.com.br",
    "marketplace.amazon.com.br",
    "mail.mercadolivre.com",
    "mercadolivre.com",
    "mercadolivre.com.br",
)
"""Aliases that marketplaces hand out instead of the customer's address; their rules forbid mailing them (as known on
2026-11-22, from integrators' documentation)."""


def recipient_of(recipient_email: str | None, customer_email: str | None) -> tuple[str | None, WhyNotTold | None]:
    """The address to write to, or None and why there is none. Who receives the parcel comes before who paid."""
    for address in (recipient_email, customer_email):
        if address and address.rpartition("@")[2].lower() not in RELAYS:
            return address, None
    if recipient_email or customer_email:
        return None, WhyNotTold.MARKETPLACE_ADDRESS
    return None, WhyNotTold.NO_ADDRESS
