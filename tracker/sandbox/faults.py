"""Faults to order: what the next calls of the simulated carrier suffer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from threading import Lock
from typing import Any


class Fault(StrEnum):
    """`lost_answer` and `hang_after` do the work and keep quiet; `close` and `hang` do nothing at all."""

    THROTTLED = "429"
    SERVER_ERROR = "500"
    FORBIDDEN = "403"
    MAINTENANCE = "html"
    CLOSE = "close"
    HANG = "hang"
    LOST_ANSWER = "lost_answer"
    HANG_AFTER = "hang_after"
    CLAIM_ERROR = "999"
    """The claim call answers 999 and registers nothing."""
    NO_NUMBER = "f"
    """The claim call works, but shows the letter f where numbers belong."""


@dataclass(slots=True)
class _Order:
    kind: str
    left: int
    path: str


class Faults:
    """Orders are used up first in, first out; each may be limited to paths that contain a piece of text.

    Two switches stay until turned back: `refuse_credentials` (401 at the token call) and `camel_case` (claim answers in
    the spelling of the older SOAP service).
    """

    def __init__(self) -> None:
        self.refuse_credentials = False
        self.camel_case = False
        self._lock = Lock()
        self._orders: list[_Order] = []

    def next(self, kind: Fault | str, count: int = 1, path: str = "") -> None:
        """Let the next *count* calls whose path contains *path* suffer *kind*. Raises ValueError for an unknown kind."""
        if count < 1:
            raise ValueError("a fault needs a count of at least one")
        with self._lock:
            self._orders.append(_Order(Fault(kind).value, count, path))

    def take(self, path: str) -> Fault | None:
        """Use up and return the fault waiting for a call to *path*, if any."""
        with self._lock:
            for order in self._orders:
                if order.path in path:
                    order.left -= 1
                    self._orders = [each for each in self._orders if each.left > 0]
                    return Fault(order.kind)
        return None

    def clear(self) -> None:
        """Drop what waits and turn both switches back."""
        with self._lock:
            self._orders = []
        self.refuse_credentials = self.camel_case = False

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(order) for order in self._orders]
