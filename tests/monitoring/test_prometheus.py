"""A real Prometheus scrapes a real daemon and evaluates the rules and every query of the dashboard."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.daemon import PATIENCE_S, Run
from tests.end_to_end.support import Start, at, day, of_fate
from tests.monitoring.support import RULES, SCRAPE, dashboard_expressions, needed
from tests.web.support import free_port
from tracker.sandbox.plan import Fate


@dataclass(frozen=True)
class Prometheus:
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer of its API."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as reply:
            answer = json.load(reply)
        assert answer["status"] == "success", answer
        return answer["data"]

    def values(self, query: str) -> list[float]:
        return [float(series["value"][1]) for series in self.ask("query", query=query)["result"]]

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until it holds, through the seconds in which nobody answers yet."""
        ends = time.monotonic() + PATIENCE_S * 2
        while not _holds(holds):
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < ends, f"{what}: {self.log.read_text(encoding='utf-8')[-3000:]}"
            time.sleep(0.1)


def _holds(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except OSError:
        return False


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[[int], Prometheus]]:
    program = needed("prometheus")
    running: list[Prometheus] = []

    def start_one(target: int) -> Prometheus:
        settings = yaml.safe_load(SCRAPE.read_text(encoding="utf-8"))
        settings["global"] = {"evaluation_interval": "1s"}
        settings["rule_files"] = [str(RULES)]
        (job,) = settings["scrape_configs"]
        job |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        job["static_configs"] = [{"targets": [f"127.0.0.1:{target}"]}]
        written, log, port = tmp_path / "prometheus.yml", tmp_path / "prometheus.log", free_port()
        written.write_text(yaml.safe_dump(settings), encoding="utf-8")
        words = [
            f"--config.file={written}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL, stderr=log.open("wb"))
        running.append(Prometheus(port, process, log))
        return running[-1]

    yield start_one
    for one in running:
        one.process.kill()
        one.process.wait()


@pytest.mark.slow
def test_prometheus_scrapes_a_daemon_and_evaluates_every_rule_and_panel(
    start: Start, run: Run, prometheus: Callable[[int], Prometheus]
) -> None:
    trial = start(of_fate(Fate.LATE_OPEN))
    trial.clock_at(at(day(5)))
    trial.drop_orders()
    port = free_port()
    trial.settings["web"]["operator"] = f"127.0.0.1:{port}"
    daemon = run(trial)
    server = prometheus(port)
    server.wait(lambda: server.values('up{job="shipment-tracker"}') == [1.0], "a scrape")
    server.wait(lambda: sum(server.values('tracker_looks_total{outcome="found"}')) == 1, "the look at the parcel")
    server.wait(lambda: server.values('tracker_problems_open{kind="delay"}') == [1.0], "the slow count")
    (target,) = server.ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")

    def rules() -> list[dict[str, Any]]:
        return [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]

    server.wait(lambda: all(rule["health"] == "ok" for rule in rules()), "every rule was evaluated")
    # The trial's clock stands months before the machine's: the one alert that such a daemon deserves.
    states = {rule["name"]: rule["state"] for rule in rules() if rule["type"] == "alerting"}
    assert states.pop("TrackerClockOff") == "pending"
    assert set(states.values()) == {"inactive"}
    for expr in dashboard_expressions():
        server.ask("query", query=expr)  # asserts success
    assert server.values("histogram_quantile(0.95, tracker_look_age_seconds_bucket)")
    assert daemon.stop() == 0
    server.wait(lambda: server.values('up{job="shipment-tracker"}') == [0.0], "the end of the daemon is seen")
