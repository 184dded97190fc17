"""What `/metrics` says, and that `docs/metrics.md` names the same."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tracker import metrics
from tracker.clock import FrozenClock
from tracker.engine.base import Health, LaneHealth
from tracker.store.gauges import AGE_BOUNDS, QUEUES, Due, FamilyStanding, LookAges, Money, Quick, Slow
from tracker.web.counts import Counts
from tracker.web.exposition import AGES, CPU, GAUGES, Exposition

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
"""Half past eleven in the evening of the 23rd in São Paulo."""
HEALTH = Health(
    (
        LaneHealth("poll:a", 12.5, None, 0, False, False),
        LaneHealth("claims", None, NOW - timedelta(minutes=1), 2, False, True),
    )
)
DUE = Due(3, NOW - timedelta(minutes=2))
QUICK = Quick(
    looks={"a": DUE},
    queues=dict.fromkeys(QUEUES, Due(0, None)) | {"mail": Due(7, NOW + timedelta(seconds=5))},
    sent_last_day={"email": 4},
    families=[
        FamilyStanding("a", "claims", 0, True),
        FamilyStanding("a", "deadlines", 2, False),
        FamilyStanding("a", "tracking", 3, False),
    ],
    alerts={("carrier_down", "critical"): 1},
    database_bytes=4096,
)
SLOW = Slow(
    ages={"a": LookAges(5, 4, (0, 0, 1, *(3,) * (len(AGE_BOUNDS) - 3)))},
    problems={("exemplo", "delay"): 2},
    claims={("a", "refund", "paid"): 1},
    money={("a", "paid"): Money(200, 150, 150)},
    deadlines={"a": date(2026, 11, 25)},
    messages={("email", "posted", "queued"): 7},
    unknown_codes=1,
)


def exposition(quick: Quick | None = QUICK, slow: Slow | None = SLOW) -> Exposition:
    counts = Counts([])
    counts.quick, counts.slow, counts.program_now = quick, slow, NOW
    counts.counted_at = {"quick": NOW, "slow": NOW - timedelta(minutes=3)}
    return Exposition(
        health=lambda: HEALTH,
        counts=counts,
        clock=FrozenClock(NOW),
        zone=lambda: ZoneInfo("America/Sao_Paulo"),
        database="sqlite",
        wall=FrozenClock(NOW),
    )


def shown(found: Exposition) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(found.text().decode())}


def value(name: str, found: Exposition | None = None, **labels: str) -> float | None:
    """The value of this sample, as a scraper reads it; None where it is absent."""
    families = shown(found or exposition()).values()
    values = [s.value for family in families for s in family.samples if s.name == name and s.labels == labels]
    return values[0] if values else None


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("tracker_clock_timestamp_seconds", {}, NOW.timestamp()),
        ("tracker_start_timestamp_seconds", {}, NOW.timestamp()),
        ("tracker_counted_timestamp_seconds", {"group": "slow"}, NOW.timestamp() - 180),
        ("tracker_lane_running_seconds", {"lane": "poll:a"}, 12.5),
        ("tracker_lane_running_seconds", {"lane": "claims"}, 0),
        ("tracker_lane_last_end_timestamp_seconds", {"lane": "poll:a"}, None),
        ("tracker_lane_failures", {"lane": "claims"}, 2),
        ("tracker_lane_ill", {"lane": "claims"}, 1),
        ("tracker_looks_due", {"carrier": "a"}, 3),
        ("tracker_looks_oldest_due_seconds", {"carrier": "a"}, 120),
        ("tracker_queue_due", {"queue": "mail"}, 7),
        # The clock went back since: nothing is due since the future.
        ("tracker_queue_oldest_due_seconds", {"queue": "mail"}, 0),
        ("tracker_queue_oldest_due_seconds", {"queue": "claims"}, 0),
        ("tracker_messages_sent_last_day", {"channel": "email"}, 4),
        ("tracker_carrier_up", {"carrier": "a", "family": "claims"}, 0),
        ("tracker_carrier_refused", {"carrier": "a", "family": "claims"}, 1),
        ("tracker_carrier_up", {"carrier": "a", "family": "deadlines"}, 1),
        ("tracker_carrier_up", {"carrier": "a", "family": "tracking"}, 0),
        ("tracker_alerts_open", {"kind": "carrier_down", "severity": "critical"}, 1),
        ("tracker_database_bytes", {}, 4096),
        ("tracker_shipments_open", {"carrier": "a"}, 5),
        ("tracker_look_age_seconds_bucket", {"carrier": "a", "le": "1800.0"}, 0),
        ("tracker_look_age_seconds_bucket", {"carrier": "a", "le": "3600.0"}, 1),
        ("tracker_look_age_seconds_bucket", {"carrier": "a", "le": "+Inf"}, 4),
        ("tracker_problems_open", {"shop": "exemplo", "kind": "delay"}, 2),
        ("tracker_claims", {"carrier": "a", "kind": "refund", "state": "paid"}, 1),
        ("tracker_claims_expected_centavos", {"carrier": "a", "state": "paid"}, 200),
        ("tracker_claims_granted_centavos", {"carrier": "a", "state": "paid"}, 150),
        ("tracker_claims_received_centavos", {"carrier": "a", "state": "paid"}, 150),
        # By the shop's day it is still the 23rd.
        ("tracker_claims_nearest_deadline_days", {"carrier": "a"}, 2),
        ("tracker_messages_open", {"channel": "email", "trigger": "posted", "state": "queued"}, 7),
        ("tracker_unknown_codes", {}, 1),
    ],
)
def test_each_number_as_a_scraper_reads_it(name: str, labels: dict[str, str], expected: float | None) -> None:
    assert value(name, **labels) == expected


def test_what_was_not_counted_yet_is_absent_not_zero() -> None:
    before = exposition(None, None)
    assert value("tracker_lane_failures", before, lane="claims") == 2
    assert {name for name in shown(before) if name.startswith(("tracker_looks_due", "tracker_problems"))} == set()


def test_the_process_counts_what_it_does() -> None:
    before = value("tracker_lane_runs_total", lane="t", outcome="failed") or 0
    metrics.lane_ended("t", "failed", 1.5)
    metrics.alert_told("webhook:https://hooks.example/secret", "accepted")
    assert value("tracker_lane_runs_total", lane="t", outcome="failed") == before + 1
    assert (value("tracker_alerts_told_total", sink="webhook", outcome="accepted") or 0) >= 1
    assert "hooks.example" not in exposition().text().decode()


def test_the_process_s_use_is_shown() -> None:
    assert (value("tracker_process_resident_memory_bytes") or 0) > 1_000_000
    assert 3 <= (value("tracker_process_open_fds") or 0) < (value("tracker_process_max_fds") or 0)
    assert (value("tracker_process_cpu_seconds_total") or 0) > 0


def test_a_lane_s_counters_stand_before_its_first_run() -> None:
    metrics.begin(["poll:new"])
    assert [value("tracker_lane_runs_total", lane="poll:new", outcome=how) for how in ("done", "failed")] == [0, 0]


def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name -> (type, labels) as the page says it."""
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(tracker_\w+)` \| (\w+) \|([^|]*)\|", page, re.M)
    return {
        name: (kind, tuple(re.findall(r"(\w+)(?: \([^)]*\))?(?:, |$)", labels.strip()))) for name, kind, labels in rows
    }


def exported() -> dict[str, tuple[str, tuple[str, ...]]]:
    counters = {
        f"{counter._name}_total": ("counter", tuple(counter._labelnames))
        for counter in metrics.REGISTRY._collector_to_names
        if hasattr(counter, "_labelnames")
    }
    gauges = {name: ("gauge", gauge.labels) for name, gauge in GAUGES.items()}
    return {**counters, **gauges, f"{CPU}_total": ("counter", ()), AGES: ("histogram", ("carrier",))}


def test_the_page_names_what_is_exported_with_type_and_labels() -> None:
    assert documented() == exported()


def test_everything_exported_is_named_at_a_scrape() -> None:
    assert set(shown(exposition())) == {name.removesuffix("_total") for name in exported()}


def test_the_page_names_the_queues() -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", page.partition("Queues: ")[2].partition("\n\n")[0])) == set(QUEUES)
