"""What `/metrics` shows beside the process's own counters: how the lanes are, and the numbers that were counted last.

`GAUGES` names all of them; `docs/metrics.md` says the same for people, and a test holds the two together.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tracker import __version__, metrics
from tracker.clock import Clock, SystemClock
from tracker.engine.base import Health
from tracker.store.gauges import AGE_BOUNDS, Due, LookAges, Quick, Slow
from tracker.web.counts import Counts
from tracker.web.process import usage

DOWN_AFTER: Final = 3
"""Failed calls in a row that make an outage, as the breaker counts them."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One name with its labels."""

    meaning: str
    labels: tuple[str, ...] = ()


GAUGES: Final[Mapping[str, Gauge]] = {
    "tracker_build_info": Gauge("Always 1; the labels say what runs.", ("version", "python", "database")),
    "tracker_clock_timestamp_seconds": Gauge(
        "The clock that the program works by; a trial's may differ from the machine's."
    ),
    "tracker_start_timestamp_seconds": Gauge("When the daemon started, by the machine's clock."),
    "tracker_counted_timestamp_seconds": Gauge("When the gauges of a group were counted.", ("group",)),
    "tracker_lane_failures": Gauge("Runs of a lane in a row that failed.", ("lane",)),
    "tracker_lane_running_seconds": Gauge("How long the present run of a lane takes; 0 while it waits.", ("lane",)),
    "tracker_lane_last_end_timestamp_seconds": Gauge("When a lane last ended without an error.", ("lane",)),
    "tracker_lane_ill": Gauge("1 where a lane hangs or is not called any more.", ("lane",)),
    "tracker_database_unusable": Gauge("1 where a fault of the database or its disk keeps lanes from their work."),
    "tracker_looks_due": Gauge("Looks that are due now and not yet made.", ("carrier",)),
    "tracker_looks_oldest_due_seconds": Gauge("For how long the oldest of them has been due.", ("carrier",)),
    "tracker_queue_due": Gauge("Rows due now in a queue.", ("queue",)),
    "tracker_queue_oldest_due_seconds": Gauge("For how long the oldest of them has been due.", ("queue",)),
    "tracker_messages_sent_last_day": Gauge("Messages that left within 24 hours.", ("channel",)),
    "tracker_carrier_up": Gauge(
        "1 where a carrier's API family answers and takes the credentials.", ("carrier", "family")
    ),
    "tracker_carrier_refused": Gauge("1 where it refuses the credentials.", ("carrier", "family")),
    "tracker_alerts_open": Gauge("Alerts that stand.", ("kind", "severity")),
    "tracker_database_bytes": Gauge("Size of the database."),
    "tracker_shipments_open": Gauge("Parcels that will be looked at again.", ("carrier",)),
    "tracker_problems_open": Gauge("Problems that stand.", ("shop", "kind")),
    "tracker_claims": Gauge("Claims ever made.", ("carrier", "kind", "state")),
    "tracker_claims_expected_centavos": Gauge("What claims ask for, in centavos.", ("carrier", "state")),
    "tracker_claims_granted_centavos": Gauge("What was granted, in centavos.", ("carrier", "state")),
    "tracker_claims_received_centavos": Gauge("What was paid, in centavos.", ("carrier", "state")),
    "tracker_claims_nearest_deadline_days": Gauge(
        "Days to the nearest deadline of a claim that is not filed; negative once it is over.", ("carrier",)
    ),
    "tracker_messages_open": Gauge("Messages with a step before them.", ("channel", "trigger", "state")),
    "tracker_unknown_codes": Gauge("Different event codes that nobody reads."),
    "tracker_process_resident_memory_bytes": Gauge("Memory that the process holds."),
    "tracker_process_open_fds": Gauge("Files and sockets that it has open."),
    "tracker_process_max_fds": Gauge("So many it may have open."),
}
CPU: Final = "tracker_process_cpu_seconds"
CPU_MEANING: Final = "Seconds of processor time that the process has used."
AGES: Final = "tracker_look_age_seconds"
AGES_MEANING: Final = "Age of the last look at parcels whose journey has not ended, as it stands now."


class Exposition:
    """The text of `/metrics`."""

    def __init__(
        self,
        *,
        health: Callable[[], Health],
        counts: Counts,
        clock: Clock,
        zone: Callable[[], ZoneInfo],
        database: str,
        wall: Clock | None = None,
    ) -> None:
        """
        Args:
            health: how every lane is.
            counts: the numbers that need the database.
            clock: the one the program works by.
            zone: where deadlines are days.
            database: its kind.
            wall: the machine's clock.
        """
        self._health = health
        self._counts = counts
        self._clock = clock
        self._zone = zone
        self._database = database
        self._started_at = (wall or SystemClock()).now()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Standing(self))

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(metrics.REGISTRY) + generate_latest(self._registry)

    def families(self) -> Iterator[Metric]:
        """Every gauge with its present values; what was not counted yet has none."""
        yield _family("tracker_build_info", {(__version__, platform.python_version(), self._database): 1})
        yield _family("tracker_clock_timestamp_seconds", {(): self._clock.now().timestamp()})
        yield _family("tracker_start_timestamp_seconds", {(): self._started_at.timestamp()})
        at = {(group,): instant.timestamp() for group, instant in self._counts.counted_at.items()}
        yield _family("tracker_counted_timestamp_seconds", at)
        yield from _process()
        yield from _lanes(self._health())
        if self._counts.quick is not None and self._counts.program_now is not None:
            yield from _quick(self._counts.quick, self._counts.program_now)
        if self._counts.slow is not None:
            yield from _slow(self._counts.slow, self._clock.now().astimezone(self._zone()))


class _Standing(Collector):
    """Asks the exposition at each scrape."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    def collect(self) -> Iterable[Metric]:
        return self._exposition.families()


# By the values of the labels, as a tuple in their order.
Values = Mapping[Any, float]


def _family(name: str, values: Values) -> Metric:
    gauge = GAUGES[name]
    family = GaugeMetricFamily(name, gauge.meaning, labels=gauge.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _process() -> Iterator[Metric]:
    for name, value in usage():
        full = f"tracker_process_{name}"
        if full == CPU:
            yield CounterMetricFamily(CPU, CPU_MEANING, value=value)
        else:
            yield _family(full, {(): value})


def _lanes(health: Health) -> Iterator[Metric]:
    lanes = health.lanes
    yield _family("tracker_lane_failures", {(lane.name,): lane.failures for lane in lanes})
    yield _family("tracker_lane_running_seconds", {(lane.name,): lane.running_s or 0.0 for lane in lanes})
    ended = {(lane.name,): lane.last_finished_at.timestamp() for lane in lanes if lane.last_finished_at is not None}
    yield _family("tracker_lane_last_end_timestamp_seconds", ended)
    yield _family("tracker_lane_ill", {(lane.name,): float(lane.is_stuck or lane.is_overdue) for lane in lanes})
    yield _family("tracker_database_unusable", {(): float(bool(health.database_fault))})


def _quick(found: Quick, now: datetime) -> Iterator[Metric]:
    yield _family("tracker_looks_due", {(carrier,): due.count for carrier, due in found.looks.items()})
    yield _family("tracker_looks_oldest_due_seconds", {(name,): _age(due, now) for name, due in found.looks.items()})
    yield _family("tracker_queue_due", {(queue,): due.count for queue, due in found.queues.items()})
    yield _family("tracker_queue_oldest_due_seconds", {(name,): _age(due, now) for name, due in found.queues.items()})
    yield _family("tracker_messages_sent_last_day", {(name,): sent for name, sent in found.sent_last_day.items()})
    standing = {(one.carrier, one.family): one for one in found.families}
    up = {key: float(one.failures < DOWN_AFTER and not one.is_refused) for key, one in standing.items()}
    yield _family("tracker_carrier_up", up)
    yield _family("tracker_carrier_refused", {key: float(one.is_refused) for key, one in standing.items()})
    yield _family("tracker_alerts_open", found.alerts)
    yield _family("tracker_database_bytes", {(): found.database_bytes})


def _age(due: Due, now: datetime) -> float:
    return max((now - due.oldest_at).total_seconds(), 0.0) if due.oldest_at is not None else 0.0


def _slow(found: Slow, local_now: datetime) -> Iterator[Metric]:
    yield _family("tracker_shipments_open", {(carrier,): ages.open for carrier, ages in found.ages.items()})
    yield _ages(found.ages)
    yield _family("tracker_problems_open", found.problems)
    yield _family("tracker_claims", found.claims)
    yield _family("tracker_claims_expected_centavos", {key: money.expected for key, money in found.money.items()})
    yield _family("tracker_claims_granted_centavos", {key: money.granted for key, money in found.money.items()})
    yield _family("tracker_claims_received_centavos", {key: money.received for key, money in found.money.items()})
    days = {(carrier,): float((on - local_now.date()).days) for carrier, on in found.deadlines.items()}
    yield _family("tracker_claims_nearest_deadline_days", days)
    yield _family("tracker_messages_open", found.messages)
    yield _family("tracker_unknown_codes", {(): found.unknown_codes})


def _ages(found: Mapping[str, LookAges]) -> Metric:
    family = HistogramMetricFamily(AGES, AGES_MEANING, labels=("carrier",))
    for carrier, ages in found.items():
        bounds = [str(bound.total_seconds()) for bound in AGE_BOUNDS]
        buckets = [*zip(bounds, map(float, ages.within), strict=True), ("+Inf", float(ages.travelling))]
        family.add_metric([carrier], buckets, None)
    return family
