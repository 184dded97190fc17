"""Delivery terms of the simulated carrier in business days, by service and destination; invented."""

from __future__ import annotations

from tracker.sandbox.people import ORIGIN, PLACES, Place
from tracker.sandbox.plan import Service

NEAR_STATES = frozenset({"PR", "SC", "RS", "SP", "RJ", "MG", "ES"})
_NEAR_DAYS = {Service.SEDEX: 2, Service.PAC: 4}
_REALISTIC_DAYS = {Service.SEDEX: (2, 4), Service.PAC: (6, 9)}


def term_days(service: Service, state: str, *, realistic: bool = False) -> int:
    """Return the term from the shop's city to *state*: short on purpose, or *realistic*."""
    far = state not in NEAR_STATES and state != ORIGIN.state
    return _REALISTIC_DAYS[service][far] if realistic else _NEAR_DAYS[service] + far


def place_of(postal_code: str) -> Place | None:
    """Return the city that a postal code of eight digits belongs to, or one near by; None where there is none."""
    if len(postal_code) != 8 or not postal_code.isdigit():
        return None
    known = (*PLACES, ORIGIN)
    for length in (5, 2, 1):
        found = next((place for place in known if place.postal_prefix[:length] == postal_code[:length]), None)
        if found is not None:
            return found
    return None
