"""Every threshold of the daemon; each has a default, and `config.example.yaml` says why it is what it is."""

from __future__ import annotations

from datetime import time
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, field_validator

from tracker.config.fields import LocalTime, TriggerName
from tracker.config.part import Part
from tracker.domain.claim_plan import SILENT_BUSINESS_DAYS
from tracker.domain.notice_kinds import MAX_AGE_HOURS

Hours = Annotated[int, Field(ge=1, le=2160)]
Days = Annotated[int, Field(ge=0, le=365)]

STALLED_DEFAULT: Final = "default"


def _over_defaults(given: Any) -> Any:
    """Naming one trigger keeps the others as they are."""
    return {**MAX_AGE_HOURS, **given} if isinstance(given, dict) else given


class PresumedLossRules(Part):
    business_days: Annotated[int, Field(ge=1, le=90)] | None = None
    """Without an event; None: the carrier's own terms by service."""


class DelayRules(Part):
    grace_days: Days = 0
    """Calendar days after the promise before the customer is told."""


class NotPostedRules(Part):
    business_days: Annotated[int, Field(ge=0, le=60)] = 2
    """Without a first scan, after the day on which the shop posted the parcel or should have."""
    handling_business_days: Annotated[int, Field(ge=0, le=90)] = 3
    """From the order to the posting, where the order names neither."""


def _with_default(given: Any) -> Any:
    """One number stands for every service; naming some services keeps the default for the others."""
    return {STALLED_DEFAULT: 5, **given} if isinstance(given, dict) else {STALLED_DEFAULT: given}


class StalledRules(Part):
    business_days: Annotated[dict[str, Annotated[int, Field(ge=1, le=90)]], BeforeValidator(_with_default)] = Field(
        default_factory=lambda: {STALLED_DEFAULT: 5}
    )
    """Without an event in transit, by the carrier's service; `default` is every other."""

    def by_service(self) -> dict[str, int]:
        """The same, with services in capitals and `` for every other."""
        return {"" if name == STALLED_DEFAULT else name.upper(): days for name, days in self.business_days.items()}


class ByWordsRules(Part):
    silent_business_days: Annotated[int, Field(ge=1, le=60)] = SILENT_BUSINESS_DAYS
    """Without movement after a text that tells of a loss, before money is asked for although no code confirms it."""


class PickupExpiringRules(Part):
    business_days: Annotated[int, Field(ge=0, le=30)] = 2
    """Before the last day at the counter."""


class PollingRules(Part):
    """How often a parcel is asked for, where the account's limit allows; all with jitter."""

    pre_transit_hours: Hours = 6
    in_transit_hours: Hours = 3
    urgent_minutes: Annotated[int, Field(ge=5, le=1440)] = 45
    """Out for delivery, due today, or late."""
    pickup_hours: Hours = 4
    problem_hours: Hours = 24
    """Lost, stolen, damaged: while a claim is open."""
    problem_days: Annotated[int, Field(ge=1, le=365)] = 90
    second_looks_days: tuple[Annotated[int, Field(ge=1, le=90)], ...] = (1, 3, 7)
    """After a final status; carriers correct themselves."""

    @field_validator("second_looks_days")
    @classmethod
    def _ascending(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise ValueError("must grow from day to day (such as [1, 3, 7])")
        return days


class IncidentRules(Part):
    """When so many parcels go wrong at one place that it is one matter."""

    min_parcels: Annotated[int, Field(ge=3, le=100_000)] = 10
    """New problems within two days at one hub, on the way to one state, or with a whole carrier."""
    times_usual: Annotated[float, Field(ge=1.5, le=100)] = 3.0
    """And so many times as many as usual there."""


class Rules(Part):
    promise_slack_business_days: Annotated[int, Field(ge=0, le=30)] = 1
    """Added to the carrier's first date where the order names no promise."""
    delay: DelayRules = DelayRules()
    presumed_loss: PresumedLossRules = PresumedLossRules()
    not_posted: NotPostedRules = NotPostedRules()
    stalled: StalledRules = StalledRules()
    pickup_expiring: PickupExpiringRules = PickupExpiringRules()
    by_words: ByWordsRules = ByWordsRules()
    not_found_days: Annotated[int, Field(ge=1, le=180)] = 30
    """Calendar days after which a number that the carrier never knew is no longer asked for."""
    max_age_hours: Annotated[dict[TriggerName, Hours], BeforeValidator(_over_defaults)] = Field(
        default_factory=lambda: dict(MAX_AGE_HOURS)
    )
    """After its reason a message is no longer worth sending; a partial table keeps the other defaults."""
    followup_business_days: Annotated[int, Field(ge=1, le=30)] = 3
    """So long after a message about a delay the next news is promised, where `delay_followup` is on."""
    followups: Annotated[int, Field(ge=1, le=10)] = 3
    """So many promised news about one delay at most."""
    delivered_after_hours: Annotated[int, Field(ge=0, le=72)] = 2
    delivered_between: tuple[LocalTime, LocalTime] = (time(9), time(20))
    """Local hours in which `delivered` may leave."""
    incidents: IncidentRules = IncidentRules()
    polling: PollingRules = PollingRules()

    @field_validator("delivered_between")
    @classmethod
    def _in_order(cls, hours: tuple[time, time]) -> tuple[time, time]:
        if hours[0] >= hours[1]:
            raise ValueError('must begin before it ends (such as ["09:00", "20:00"])')
        return hours
