from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.sandbox.conftest import Client
from tracker.sandbox.clock import write_instant

Run = Callable[..., subprocess.Popen[str]]
COMMAND = "import typer; from tracker.cli.sandbox import sandbox; typer.run(sandbox)"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    clock_file = tmp_path / "clock"
    write_instant(clock_file, datetime(2026, 11, 30, 12, tzinfo=UTC))
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        fixed = ["--folder", str(tmp_path / "out"), "--clock-file", str(clock_file), "--days", "6"]
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *fixed, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def greeting(process: subprocess.Popen[str]) -> str:
    """Read what is printed until all is up."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("sandbox ready"):
            break
    return "".join(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_runs_until_a_signal_and_greets_with_a_working_configuration(
    run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    process = run("--shipments", "12", "--fault", "429:1@srorastro", "--strike", "2026-12-01:2026-12-02",
        "--outage", "claims@2026-12-03T08:00-03:00/2026-12-04T20:00-03:00", "--realistic")  # fmt: skip
    text = greeting(process)
    snippet = text.split("For config.yaml:\n")[1].split("To try it")[0]
    configuration = yaml.safe_load(snippet)
    carrier = configuration["carriers"][0]
    client = Client(carrier["base_url"])
    assert client.log_in(carrier["user"], carrier["access_code"], carrier["posting_card"])[0] == 201
    assert client.control("faults")["pending"] == [{"kind": "429", "left": 1, "path": "srorastro"}]
    assert [each["family"] for each in client.control("faults")["outages"]] == ["claims"]
    assert client.control("faults")["strikes"] == [["2026-12-01", "2026-12-02"]]
    plan = client.control("plan")
    assert (len(plan["shipments"]), plan["first_day"]) == (12, "2026-11-30")
    files = sorted(path.name for path in (tmp_path / "out" / "orders").iterdir())
    assert files and all(re.fullmatch(r"pedidos-2026-1[12]-\d\d\.csv", name) for name in files)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out.endswith("sandbox stopped\n")


def test_a_restart_over_the_same_folder_keeps_the_first_day(run: Run, tmp_path: Path) -> None:
    first = run()
    greeting(first)
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=30)
    write_instant(tmp_path / "clock", datetime(2026, 12, 4, 12, tzinfo=UTC))
    text = greeting(run())
    assert "60 parcels from 2026-11-30 on" in text


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param(["--fault", "earthquake"], "earthquake", id="unknown fault"),
        pytest.param(["--fault", "429:many"], "many", id="count that is none"),
        pytest.param(["--strike", "soon"], "soon", id="strike without dates"),
        pytest.param(["--outage", "claims"], "FAMILY@FIRST/LAST", id="outage without instants"),
        pytest.param(["--outage", "mail@2026-12-03T08:00Z/2026-12-03T09:00Z"], "families", id="outage of what is none"),
    ],
)
def test_wrong_options_are_a_usage_error(run: Run, options: list[str], reason: str) -> None:
    process = run(*options)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert reason in err
