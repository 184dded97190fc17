"""Prometheus Alertmanager, API v2: what stands is said again and again, to every replica."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.alerts.support import NOW, Alerting, Receiver, codes, log_entry, receiving, say
from tracker.alerts.alertmanager import AlertmanagerSweep
from tracker.domain.alerting import SinkPolicy
from tracker.store.database import Database

MIN = timedelta(minutes=1)
SAMPLE = json.loads((Path(__file__).parents[1] / "data/channels/alertmanager_post_alerts.json").read_text("utf-8"))
pytestmark = pytest.mark.anyio


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Stage:
    def __init__(self, database: Database, *replicas: Receiver, policy: SinkPolicy = SinkPolicy()) -> None:
        self.seconds, self.alerting = Seconds(), Alerting(database, [log_entry()])
        urls = [replica.url.removesuffix("/hook") for replica in replicas]
        self.sweep = AlertmanagerSweep(database, "alertmanager#1", urls, policy, self.seconds)

    async def run(self, now: datetime) -> None:
        self.seconds.now = (now - NOW).total_seconds()
        await self.alerting.run(now)
        assert await self.sweep.run(now) == 0


def posts(receiver: Receiver) -> list[list[dict[str, Any]]]:
    return [json.loads(body) for _, body in receiver.got]


async def test_what_stands_is_sent_every_minute_and_its_end_for_five_more(
    database: Database, receiver: Receiver
) -> None:
    stage = Stage(database, receiver)
    say(database, NOW, carrier="correios")
    for minute in range(3):
        await stage.run(NOW + minute * MIN)
        await stage.run(NOW + minute * MIN + timedelta(seconds=20))  # called early: said a moment ago
    assert len(receiver.got) == 3
    assert receiver.paths[0] == "/api/v2/alerts"
    sent = posts(receiver)
    assert [one["endsAt"] for (one,) in sent] == [f"2026-11-24T12:0{3 + n}:00.000Z" for n in range(3)]
    assert len({json.dumps(one["labels"], sort_keys=True) for (one,) in sent}) == 1
    assert set(sent[0][0]) <= set(SAMPLE["request"]["body"][0])
    assert sent[0][0]["labels"] == {
        "alertname": "carrier_down",
        "severity": "critical",
        "service": "shipment_tracker",
        "key": "carrier:correios:tracking:down",
    }
    say(database, NOW + 3 * MIN, raised=False)
    for minute in range(3, 12):
        await stage.run(NOW + minute * MIN)
    ends = [one["endsAt"] for (one,) in posts(receiver)[3:] if one]
    assert ends == ["2026-11-24T12:03:00.000Z"] * 6


async def test_an_end_is_never_before_its_beginning(database: Database, receiver: Receiver) -> None:
    stage = Stage(database, receiver)
    say(database, NOW)
    say(database, NOW, raised=False)
    await stage.run(NOW)
    ((one,),) = posts(receiver)
    assert one["startsAt"] < one["endsAt"]


async def test_every_replica_gets_all_and_one_that_is_down_is_told_of(database: Database, receiver: Receiver) -> None:
    with receiving() as down:
        down.always = 503
        stage = Stage(database, down, receiver)
        codes(database, NOW, *range(230))
        with capture_logs() as logs:
            await stage.run(NOW)
            for minutes in (10, 31, 32):
                await stage.run(NOW + minutes * MIN)
        assert [len(one) for one in posts(receiver)[:2]] == [200, 30]
        failing = [one for one in logs if one["event"] == "alert.sink_failing"]
        assert [(one["replica"], one["reason"]) for one in failing] == [(1, "HTTP 503")]
        labels = [one["labels"]["alertname"] for post in posts(receiver)[-2:] for one in post]
        assert labels.count("alert_sink_down") == 1
        down.always = 200
        for minutes in (33, 34, 40):
            await stage.run(NOW + minutes * MIN)
        assert "alert_sink_down" not in str(posts(receiver)[-1])


async def test_it_is_sent_only_what_it_wants(database: Database, receiver: Receiver) -> None:
    stage = Stage(database, receiver, policy=SinkPolicy(min_severity="critical"))
    codes(database, NOW, 1)
    await stage.run(NOW)
    assert receiver.got == []


async def test_a_request_it_refuses_is_our_fault_and_said(database: Database, receiver: Receiver) -> None:
    receiver.always = 400
    stage = Stage(database, receiver)
    say(database, NOW)
    with capture_logs() as logs:
        await stage.run(NOW)
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["alert.sink_refused"]
