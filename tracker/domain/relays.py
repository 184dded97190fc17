"""Addresses that reach no customer: those that marketplaces lend for a sale, and those the merchant names.

Marketplaces forbid shops to write to the addresses they lend, and tell their customers themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

RELAY_DOMAINS: Final = frozenset(
    [
        "ct.vtex.com.br",
        *("mercadolivre.com", "mercadolivre.com.br", "mercadolibre.com"),
        *("marketplace.amazon.com.br", "marketplace.amazon.com"),
        *("magazineluiza.com.br", "magalu.com", "marketplace.magalu.com"),
        *("b2wdigital.com", "b2wmarketplace.com.br", "americanas.io", "americanasmarketplace.com.br"),
        *("shopee.com", "shopee.com.br"),
        *("viavarejo.com.br", "via.com.br", "marketplace.via.com.br"),
        *("carrefour.com.br", "netshoes.com", "dafiti.com.br", "aliexpress.com", "shein.com"),
    ]
)
"""Domains under which marketplaces lend addresses; an address of a domain below one of these counts too."""


def is_among(address: str, entries: Collection[str]) -> bool:
    """Whether an address, its domain, or a domain above that is one of *entries* (lower case, `@` before a domain or not)."""
    address = address.lower()
    labels = address.rpartition("@")[2].split(".")
    domains = {".".join(labels[start:]) for start in range(len(labels) - 1)}
    return any(entry == address or entry.removeprefix("@") in domains for entry in entries)


def relay_of(address: str, also: Collection[str] = (), allowed: Collection[str] = ()) -> str | None:
    """The domain of an address that must not be written to, None where it may be; *allowed* wins over the built-in list."""
    if is_among(address, also) or (is_among(address, RELAY_DOMAINS) and not is_among(address, allowed)):
        return address.rpartition("@")[2]
    return None
