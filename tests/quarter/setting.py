"""The settings of a trial of a quarter: how long, how many parcels, what befalls the carrier; all by seed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from tracker.sandbox.attention import passes
from tracker.sandbox.fates import random_plan
from tracker.sandbox.faults import Family, Fault, FaultOrder, FaultPlan, Outage
from tracker.sandbox.people import PLACES
from tracker.sandbox.plan import Fate, Plan
from tracker.sandbox.strikes import Strike
from tracker.sandbox.truth import kinds
from tracker.sandbox.truth_claims import CLASSES
from tracker.sandbox.workdays import local

COMPARED_KINDS = kinds()
"""Kinds of problems that are compared: all that the truth knows."""
COMPARED_CLAIMS = frozenset(CLASSES)
"""Classes of claims that are compared: all that the truth knows."""
COMPARES_REOPENINGS = True
"""Whether accepted complaints must have been reopened as refund requests."""
UNCOMPARED_FATES: frozenset[Fate] = frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    """One trial. Parcels are posted in the first `posting_days`, so that their stories end inside the `days`."""

    seed: int
    parcels: int
    days: int
    posting_days: int
    first_day: date
    fault_share: float

    @property
    def plan(self) -> Plan:
        return random_plan(self.parcels, self.posting_days, self.seed, first_day=self.first_day, realistic=True)

    @property
    def passes(self) -> list[datetime]:
        return passes(self.first_day, self.days)

    @property
    def strikes(self) -> tuple[Strike, ...]:
        """One of the whole carrier, three days in the second fifth; one of a state, a working week in the third."""
        rng = Random(f"strikes {self.seed}")
        whole = self._day(rng, 0.2)
        part = self._day(rng, 0.4)
        state = rng.choice(sorted({place.state for place in PLACES}))
        return (
            Strike(whole, whole + timedelta(days=2)),
            Strike(part, part + timedelta(days=4), state),
        )

    @property
    def fault_plan(self) -> FaultPlan:
        """A share of all calls; tracking away for a day, and later claims; one day a storm of 999 at the claim desk."""
        rng = Random(f"outages {self.seed}")
        tracking, claims = self._day(rng, 0.3), self._day(rng, 0.5)
        outages = (
            Outage(local(tracking, 11), local(tracking + timedelta(days=1), 11), Family.TRACKING),
            Outage(local(claims, 6), local(claims + timedelta(days=1), 6), Family.CLAIMS),
        )
        storm = FaultOrder(self._day(rng, 0.6), Fault.CLAIM_ERROR, 3, "cadastra")
        return FaultPlan(self.seed, self.fault_share, outages, (storm,))

    def spells_camel_case(self, day: date) -> bool:
        """Whether the claim desk answers in the older spelling on *day*: it changes every five days."""
        return (day - self.first_day).days // 5 % 2 == 1

    def _day(self, rng: Random, part: float) -> date:
        return self.first_day + timedelta(days=int(self.days * part) + rng.randrange(max(1, self.days // 10)))


def short(seed: int) -> Setting:
    """Three weeks over Carnival with 120 parcels: for every run of the tests."""
    return Setting(seed, 120, 22, 9, date(2027, 1, 25), 0.005)


def long(seed: int) -> Setting:
    """Ninety days over the year's end and Carnival with 2,000 parcels."""
    return Setting(seed, 2000, 90, 60, date(2026, 12, 14), 0.02)


def chosen() -> Setting:
    """The form that the environment asks for: QUARTER_SEED (1), and QUARTER_LONG set for the long one."""
    seed = int(os.environ.get("QUARTER_SEED", "1"))
    return long(seed) if os.environ.get("QUARTER_LONG") else short(seed)
