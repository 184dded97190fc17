"""How a process that runs for months is told to look for garbage."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 20_000
"""So many new objects are looked through at a time: a batch of answers makes some thousands, and drops them itself."""


def settle() -> None:
    """Once everything is built: leave it out of every later search, for it stays to the end.

    Without this, Python walks through the half a million objects of the libraries again and again; polling spent a sixth of
    its time so.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
