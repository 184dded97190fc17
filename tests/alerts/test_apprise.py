"""Apprise, with a service of its own that posts JSON to a real address."""

from __future__ import annotations

import logging
import socket
import time
from datetime import timedelta
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from tests.alerts.support import NOW, Alerting, Receiver, codes, say
from tracker.alerts.apprise import AppriseSink
from tracker.alerts.sinks import SinkEntry
from tracker.domain.alerting import SinkPolicy
from tracker.store.database import Database

pytest.importorskip("apprise")
ZONE = ZoneInfo("America/Sao_Paulo")
MIN = timedelta(minutes=1)
pytestmark = pytest.mark.anyio


def entry(url: str, limit_s: float = 30.0) -> SinkEntry:
    policy = SinkPolicy(zone=ZONE, group=10 * MIN)
    return SinkEntry("apprise:d", "apprise#1", "d", policy, AppriseSink(url, ZONE, limit_s))


def address(receiver: Receiver) -> str:
    return receiver.url.replace("http://", "json://") + "/token-secreto"


async def test_it_hands_title_text_and_kind_over(database: Database, receiver: Receiver) -> None:
    stage = Alerting(database, [entry(address(receiver))])
    codes(database, NOW, 1, 2)
    await stage.run(NOW)
    say(database, NOW + MIN)
    await stage.run(NOW + MIN)
    say(database, NOW + 2 * MIN, raised=False)
    await stage.run(NOW + 2 * MIN)
    assert [one["type"] for one in receiver.envelopes()] == ["warning", "failure", "success"]
    first = receiver.envelopes()[0]
    assert first["title"].startswith("[warning] unknown_code: 2 alerts")
    assert "tracker carriers unknown" in first["message"]


async def test_a_refusal_is_repeated_and_the_address_is_never_logged(
    database: Database, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [500]
    made = entry(address(receiver))
    stage = Alerting(database, [made])
    say(database, NOW)
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        await stage.run(NOW)
        await stage.run(NOW + MIN)
    assert len(receiver.got) == 2
    assert [(one["event"], one["reason"]) for one in logs] == [("alert.not_told", "refused")]
    assert "token-secreto" not in f"{logs}{caplog.text}{made}"


async def test_a_service_that_hangs_holds_nothing_up(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []
        Thread(target=lambda: taken.append(server.accept()[0]), daemon=True).start()
        url = f"json://127.0.0.1:{server.getsockname()[1]}/?rto=3&cto=3"
        stage = Alerting(database, [entry(url, limit_s=0.2)])
        say(database, NOW)
        began = time.monotonic()
        with capture_logs() as logs:
            await stage.run(NOW)
        assert time.monotonic() - began < 2.5
        assert [one["reason"] for one in logs] == ["timeout"]
        for one in taken:
            one.close()
