"""Faults to order: what the next calls of the simulated carrier suffer, and what a whole quarter of calls does by plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from random import Random
from threading import Lock
from typing import Any

from tracker.sandbox.workdays import local_date


class Fault(StrEnum):
    """`lost_answer` and `hang_after` do the work and keep quiet; `close` and `hang` do nothing at all."""

    THROTTLED = "429"
    SERVER_ERROR = "500"
    FORBIDDEN = "403"
    TOKEN_EXPIRED = "expired"
    """The call's token is no longer good, and this gateway says so with 403."""
    MAINTENANCE = "html"
    CLOSE = "close"
    HANG = "hang"
    LOST_ANSWER = "lost_answer"
    HANG_AFTER = "hang_after"
    CLAIM_ERROR = "999"
    """The claim call answers 999 and registers nothing."""
    NO_NUMBER = "f"
    """The claim call works, but shows the letter f where numbers belong."""


class Family(StrEnum):
    """The APIs that fail by themselves, by a piece of their paths; `all` is every path."""

    TRACKING = "/srorastro"
    CLAIMS = "/pedido-informacao"
    DEADLINES = "/prazo"
    ALL = "/"


@dataclass(frozen=True, slots=True)
class Outage:
    """From `first` until `last` (aware instants) every call of a family fails with 500."""

    first: datetime
    last: datetime
    family: Family = Family.ALL

    def strikes(self, path: str, now: datetime) -> bool:
        return self.first <= now < self.last and path.startswith(self.family.value)


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """The first `count` calls from the start of `day` on whose path contains `path` suffer `kind`."""

    day: date
    kind: Fault
    count: int = 1
    path: str = ""


_ANYWHERE = (Fault.THROTTLED, Fault.SERVER_ERROR, Fault.CLOSE)
_BY_PATH: Mapping[str, Sequence[Fault]] = {
    "/token": _ANYWHERE,
    "/srorastro": (*_ANYWHERE, Fault.MAINTENANCE, Fault.TOKEN_EXPIRED),
    "/prazo": (*_ANYWHERE, Fault.MAINTENANCE, Fault.TOKEN_EXPIRED),
    "/pedido-informacao": (*_ANYWHERE, Fault.MAINTENANCE, Fault.TOKEN_EXPIRED, Fault.LOST_ANSWER),
}
_REGISTERING = (Fault.CLAIM_ERROR, Fault.NO_NUMBER)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What goes wrong by itself: a share of all calls at random by seed, outages, and orders by day."""

    seed: int = 0
    share: float = 0.0
    outages: tuple[Outage, ...] = ()
    orders: tuple[FaultOrder, ...] = ()

    def draw(self, path: str, day: date, number: int) -> Fault | None:
        """Return what befalls the *number*-th call of *day*: the same one each time."""
        rng = Random(f"{self.seed}/{day.isoformat()}/{number}")
        if rng.random() >= self.share:
            return None
        family = next((piece for piece in _BY_PATH if path.startswith(piece)), "/token")
        kinds: list[Fault] = [*_BY_PATH[family], *(_REGISTERING if path.endswith("/cadastra") else ())]
        return rng.choice(kinds)


@dataclass(slots=True)
class _Order:
    kind: str
    left: int
    path: str


@dataclass(slots=True)
class _Progress:
    """How far a plan has come."""

    ordered: int = 0
    calls: Counter[date] = field(default_factory=Counter)


class Faults:
    """Orders are used up first in, first out; each may be limited to paths that contain a piece of text.

    Two switches stay until turned back: `refuse_credentials` (401 at the token call) and `camel_case` (claim answers in
    the spelling of the older SOAP service).
    """

    def __init__(self, plan: FaultPlan | None = None) -> None:
        self.refuse_credentials = False
        self.camel_case = False
        self._lock = Lock()
        self._orders: list[_Order] = []
        self.follow(plan or FaultPlan())

    def follow(self, plan: FaultPlan) -> None:
        """Go by this plan from now on."""
        self._plan = plan
        self._due = sorted(plan.orders, key=lambda order: order.day)
        self._progress = _Progress()

    @property
    def plan(self) -> FaultPlan:
        return self._plan

    def next(self, kind: Fault | str, count: int = 1, path: str = "") -> None:
        """Let the next *count* calls whose path contains *path* suffer *kind*. Raises ValueError for an unknown kind."""
        if count < 1:
            raise ValueError("a fault needs a count of at least one")
        with self._lock:
            self._orders.append(_Order(Fault(kind).value, count, path))

    def take(self, path: str, now: datetime) -> Fault | None:
        """Use up and return the fault for a call to *path*, if any: ordered ones first, then outages, then chance."""
        with self._lock:
            day = local_date(now)
            for planned in self._due[self._progress.ordered :]:
                if planned.day > day:
                    break
                self._orders.append(_Order(planned.kind.value, planned.count, planned.path))
                self._progress.ordered += 1
            for order in self._orders:
                if order.path in path:
                    order.left -= 1
                    self._orders = [each for each in self._orders if each.left > 0]
                    return Fault(order.kind)
            if any(outage.strikes(path, now) for outage in self._plan.outages):
                return Fault.SERVER_ERROR
            self._progress.calls[day] += 1
            return self._plan.draw(path, day, self._progress.calls[day])

    def clear(self) -> None:
        """Drop what waits, turn both switches back, and follow no plan."""
        with self._lock:
            self._orders = []
        self.follow(FaultPlan())
        self.refuse_credentials = self.camel_case = False

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(order) for order in self._orders]
