"""When so much mail comes back that somebody should look. Pure."""

from __future__ import annotations

from typing import Final

NEWEST: Final = 200
"""The share is taken of the newest so many messages."""
MOST_PERCENT: Final = 5
"""Providers suspend senders above about this."""
FEWEST: Final = 5
"""Fewer returned messages are an accident, whatever their share."""


def too_many(returned: int, of: int) -> bool:
    """Whether *returned* of the newest *of* messages are more than a healthy list of addresses gives."""
    return returned >= FEWEST and returned * 100 > of * MOST_PERCENT
