"""A carrier that pushes, over a real daemon: its address, a parcel's news, strangers, a kill before the answer."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.daemon import Run
from tests.end_to_end.flecha import GOOD, LATE, Flecha, beside, install
from tests.end_to_end.support import ROOT, Start, Trial, at, day
from tests.polling.pushes import SECRET, body, item, push, signed
from tests.support.schema import prepare
from tests.web.support import free_port, get
from tracker.store.tables import Alert, Event, HookDelivery, Shipment, ShipmentPoll, ShipmentRef

NOW = at(day(2), 12)
PUSH = body(item(LATE, (9, NOW - timedelta(minutes=10), "D1")), item("FX99999999", (1, NOW, "B1")))


@pytest.fixture
def trial(start: Start, flecha: Flecha, tmp_path: Path) -> Trial:
    """A shop whose second carrier pushes."""
    trial = beside(start(), flecha)
    trial.settings["carriers"][1]["hook_secret"] = SECRET
    trial.plugins = (install(tmp_path / "plugins"),)
    trial.clock_at(NOW)
    return trial


def post(port: int, payload: bytes, now: datetime = NOW) -> tuple[int, bytes]:
    return send(port, "POST", payload, signed(payload, now))


def send(port: int, method: str, payload: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, "/hooks/flecha", payload or None, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_what_a_carrier_pushes_is_known_in_seconds(trial: Trial, run: Run) -> None:
    public, operator = free_port(), free_port()
    trial.settings["web"] = {
        "operator": f"127.0.0.1:{operator}",
        "public": f"127.0.0.1:{public}",
        "public_url": "https://entregas.aurora.example",
    }
    daemon = run(trial)
    daemon.hear("READY=1")
    daemon.wait(lambda: len(trial.rows(ShipmentRef)) == 3 and len(trial.rows(Event)) > 3, "the first looks")
    known = len(trial.rows(Event))
    assert send(public, "HEAD")[0] == 200
    assert [post(public, PUSH), post(public, PUSH)] == [(200, b'{"recebido": true}')] * 2
    assert send(public, "POST", PUSH, {"X-Quando": "x", "X-Assinatura": "falsa"}) == (401, b"")
    assert [get(public, page).status for page in ("/metrics", "/healthz", "/hooks/correios", "/")] == [404] * 4
    daemon.wait(lambda: len(trial.rows(Event)) == known + 1, "the news")
    assert trial.one(HookDelivery)["state"] == "unmatched"
    (told,) = [row for row in trial.rows(ShipmentPoll) if row["pushed_at"] is not None]
    assert (told["pushed_at"], told["last_answered_at"]) == (NOW, NOW)
    shown = get(operator, "/metrics").text
    for outcome, count in (("accepted", 1), ("repeated", 1), ("refused", 1), ("probe", 1), ("unavailable", 0)):
        assert f'tracker_hook_requests_total{{carrier="flecha",outcome="{outcome}"}} {count}.0' in shown
    assert daemon.stop() == 0
    assert "falsa" not in daemon.log.read_text() and LATE not in daemon.log.read_text()
    assert "avisado pela transportadora 04/08" in trial.command("show", LATE).stdout
    listed = trial.command("carriers", "list").stdout
    assert "pushes to https://entregas.aurora.example/hooks/flecha\n" in listed
    checked = trial.command("check-config").stdout
    assert (
        f"carriers' hooks at 127.0.0.1:{public}, reached from outside by https://entregas.aurora.example/hooks"
        in checked
    )
    assert "it can push" not in checked


def test_a_kill_between_the_commit_and_the_answer_doubles_nothing(trial: Trial, run: Run) -> None:
    prepare(trial.database_url)
    words = [sys.executable, "-m", "tests.end_to_end.hook_dier", trial.database_url, NOW.isoformat()]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as doomed:
        assert doomed.stdout is not None
        port = next(int(line) for line in doomed.stdout if line.strip().isdigit())  # lines of the log stand before it
        with pytest.raises((http.client.HTTPException, OSError)):
            post(port, PUSH)
        assert doomed.wait(30) == -9
    assert trial.one(HookDelivery)["state"] == "waiting"
    public = free_port()
    trial.settings["web"]["public"] = f"127.0.0.1:{public}"
    daemon = run(trial)
    daemon.hear("READY=1")
    assert post(public, PUSH)[0] == 200
    daemon.wait(lambda: trial.one(HookDelivery)["state"] != "waiting", "the reading")
    assert daemon.stop() == 0


@pytest.mark.soak
def test_workers_that_share_the_lanes_read_it_too(
    start: Start, run: Run, flecha: Flecha, tmp_path: Path, postgres_url: str
) -> None:
    trial = beside(start(url=postgres_url), flecha)
    trial.settings["carriers"][1]["hook_secret"] = SECRET
    trial.plugins = (install(tmp_path / "plugins"),)
    trial.clock_at(NOW)
    public = free_port()
    trial.settings |= {"engine": "procrastinate", "web": {"operator": None, "public": f"127.0.0.1:{public}"}}
    trial.write_config()
    assert trial.command("db", "upgrade").returncode == 0
    daemon = run(trial)
    daemon.hear("READY=1")
    daemon.wait(lambda: len(trial.rows(Event)) > 3, "the first looks")
    assert post(public, PUSH)[0] == 200
    daemon.wait(lambda: any(row["pushed_at"] for row in trial.rows(ShipmentPoll)), "the news")
    assert trial.one(HookDelivery)["state"] == "unmatched"
    assert daemon.stop() == 0


def test_a_pass_reads_what_was_pushed(trial: Trial) -> None:
    """`run --once` opens no listener; what another process took is read all the same."""
    prepare(trial.database_url)
    trial.pass_at(NOW)
    keep(trial, body(item(GOOD, (9, NOW + timedelta(minutes=5), "E9"))), NOW + timedelta(minutes=6))
    result = trial.pass_at(NOW + timedelta(minutes=10))
    assert result.worked["hooks"] == 1
    assert [row["kind"] for row in trial.rows(Alert) if row["kind"].startswith("hook")] == []
    assert {row["event_key"] for row in trial.rows(Event)} >= {"9"}
    assert len(trial.rows(Shipment)) == 3


def keep(trial: Trial, payload: bytes, now: datetime) -> None:
    assert push(trial.database, payload, now).status == 200


@pytest.mark.parametrize(
    ("web", "warned"),
    [
        pytest.param(
            {}, "it can push, but nobody listens (set web.public, and lead /hooks/flecha there)", id="no door"
        ),
        pytest.param(
            {"public": "127.0.0.1:18081"},
            "it can push, but its hook's whole address is not known (set web.public_url)",
            id="no address",
        ),
    ],
)
def test_a_carrier_that_could_push_and_reaches_nobody_is_said(trial: Trial, web: dict[str, str], warned: str) -> None:
    trial.settings["web"] = {"operator": None, **web}
    trial.write_config()
    done = trial.command("check-config")
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if "it can push" in line]
    assert line.endswith(f"carriers.1: {warned}")
    document = json.loads(trial.command("carriers", "list", "--json").stdout)
    hooks = {account["id"]: account["hook"] for account in document["accounts"]}
    assert hooks == {"correios": None, "flecha": {"address": "/hooks/flecha", "fault": warned}}
