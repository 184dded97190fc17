"""Addresses in orders that must not be written to: those that marketplaces lend for a sale, and the shop's own.

Marketplaces forbid shops to write to the addresses they lend, and tell their customers themselves. A shop's own address
stands in an order where the customer gave none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

RELAY_DOMAINS: Final = frozenset(
    [
        "ct.vtex.com.br",
        *("marketplace.amazon.com.br", "marketplace.amazon.com"),
        *("mercadolivre.com", "mercadolivre.com.br"),
        *("magazineluiza.com.br", "marketplace.magalu.com"),
        *("b2wdigital.com", "b2w.com.br"),
    ]
)
"""Under these, marketplaces lend addresses (as known on 2026-11-22, from integrators' documentation); a domain below one
of them counts too."""


@dataclass(frozen=True, slots=True)
class Unmailed:
    """Whom a shop does not write to. All in lower case; an entry is an address, or a domain with or without its `@`."""

    never: Collection[str] = field(default_factory=frozenset)
    """Further addresses and domains."""
    anyway: Collection[str] = field(default_factory=frozenset)
    """What may be written to although a marketplace lends it."""
    own: Collection[str] = field(default_factory=frozenset)
    """The shop's own addresses."""

    def is_own(self, address: str) -> bool:
        return address.lower() in self.own

    def is_relay(self, address: str) -> bool:
        """Whether an address is a marketplace's, or one that the merchant does not want written to."""
        return _is_among(address, self.never) or (
            _is_among(address, RELAY_DOMAINS) and not _is_among(address, self.anyway)
        )


def _is_among(address: str, entries: Collection[str]) -> bool:
    """Whether an address, its domain, or a domain above that is one of the entries."""
    address = address.lower()
    labels = address.rpartition("@")[2].split(".")
    domains = {".".join(labels[start:]) for start in range(len(labels))}
    return any(entry == address or entry.removeprefix("@") in domains for entry in entries)
