"""Alerts made of signals, and a real receiver that recomputes the signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from tests.alerts.support import KEY, NOW, SECRET, Alerting, Receiver, deliveries, log_entry, say, sweep
from tests.end_to_end.support import Start, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.database import Database
from tracker.store.tables import Alert, table


@pytest.mark.anyio
async def test_an_alert_is_raised_once_and_resolved_once(database: Database, receiver: Receiver) -> None:
    lane = sweep(database, receiver)
    for minutes in (0, 1, 2):
        say(database, NOW + timedelta(minutes=minutes))
        await lane.run(NOW + timedelta(minutes=minutes))
    for minutes in (3, 4):
        say(database, NOW + timedelta(minutes=minutes), raised=False)
        await lane.run(NOW + timedelta(minutes=minutes))
    assert [(e["raised_at"], e["resolved_at"]) for e in receiver.envelopes()] == [
        ("2026-11-24T12:00:00Z", None),
        ("2026-11-24T12:00:00Z", "2026-11-24T12:03:00Z"),
    ]
    assert len(set(receiver.ids())) == 2
    with database.begin_read() as connection:
        (alert,) = connection.execute(table(Alert).select()).all()
    assert (alert.raised_at, alert.resolved_at) == (NOW, NOW + timedelta(minutes=3))


@pytest.mark.anyio
async def test_what_comes_back_is_a_new_alert(database: Database, receiver: Receiver) -> None:
    lane = sweep(database, receiver)
    for minutes, raised in ((0, True), (1, False), (2, True)):
        say(database, NOW + timedelta(minutes=minutes), raised=raised)
        await lane.run(NOW + timedelta(minutes=minutes))
    assert [e["id"] for e in receiver.envelopes()] == ["A1", "A1", "A2"]


@pytest.mark.anyio
async def test_raised_and_resolved_between_two_looks_tells_both(database: Database, receiver: Receiver) -> None:
    say(database, NOW)
    say(database, NOW + timedelta(minutes=1), raised=False)
    await sweep(database, receiver).run(NOW + timedelta(minutes=2))
    assert [phase for _, phase, _, _ in deliveries(database)].count("resolved") == 2
    assert len(receiver.got) == 2


@pytest.mark.anyio
async def test_the_receiver_can_prove_who_wrote(database: Database, receiver: Receiver) -> None:
    say(database, NOW, summary="não responde")
    await sweep(database, receiver).run(NOW)
    (headers, body), *_ = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert int(headers["webhook-timestamp"]) == int(NOW.timestamp())
    envelope = json.loads(body)
    assert set(envelope) == {"id", "kind", "severity", "key", "summary", "details", "raised_at", "resolved_at"}
    assert (envelope["kind"], envelope["severity"], envelope["key"]) == ("carrier_down", "critical", KEY)
    assert envelope["summary"] == "não responde"


@pytest.mark.anyio
async def test_a_failed_post_is_repeated_under_the_same_id(database: Database, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    lane = sweep(database, receiver)
    say(database, NOW)
    await lane.run(NOW)
    assert deliveries(database) == [("log", "raised", "sent", 1), ("webhook", "raised", "queued", 1)]
    await lane.run(NOW + timedelta(seconds=4))
    assert len(receiver.got) == 1
    await lane.run(NOW + timedelta(seconds=5))
    await lane.run(NOW + timedelta(minutes=6))
    await lane.run(NOW + timedelta(hours=6))
    assert len(receiver.got) == 3
    assert len(set(receiver.ids())) == 1
    assert deliveries(database)[1] == ("webhook", "raised", "sent", 3)
    stamps = [int(headers["webhook-timestamp"]) for headers, _ in receiver.got]
    assert stamps == sorted(set(stamps))  # each attempt is signed for its own time


@pytest.mark.anyio
async def test_an_endpoint_that_is_gone_is_not_called_again(database: Database, receiver: Receiver) -> None:
    receiver.answers = [410]
    lane = sweep(database, receiver)
    say(database, NOW)
    for hours in (0, 1, 24):
        await lane.run(NOW + timedelta(hours=hours))
    assert len(receiver.got) == 1
    assert deliveries(database)[1] == ("webhook", "raised", "failed", 1)


@pytest.mark.anyio
async def test_a_sink_that_left_the_configuration_holds_nothing_up(database: Database, receiver: Receiver) -> None:
    say(database, NOW)
    receiver.answers = [500]
    await sweep(database, receiver).run(NOW)
    await Alerting(database, [log_entry()]).run(NOW + timedelta(hours=1))
    assert deliveries(database)[1] == ("webhook", "raised", "failed", 1)


def test_the_whole_program_tells_an_outage_to_the_webhook(start: Start, receiver: Receiver) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.settings["alerts"] = [{"kind": "webhook", "url": receiver.url, "secret": SECRET}]
    trial.drop_orders()
    trial.world.faults.next("500", count=9, path="objetos")
    first = at(day(2), 9)
    trial.pass_through(first + timedelta(minutes=minutes) for minutes in (0, 1, 6, 21, 40))
    told = receiver.envelopes()
    assert [(e["kind"], e["resolved_at"] is not None) for e in told] == [
        ("carrier_down", False),
        ("carrier_down", True),
    ]
    assert told[0]["details"] == {"carrier": "correios", "family": "tracking"}
