"""Every benchmark in a tiny form: that it works, and what it prints. How fast it is on this machine is not asked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KEYS = {"name", "value", "unit", "bare", "ratio", "target", "met", "size", "database", "detail", "versions", "machine"}
SMALL = ("poll_unchanged", "poll_tenth_new", "mail", "claims", "ingest_events", "import_csv", "help")
AGAINST_BARE = set(SMALL) - {"help"}
LARGE = [
    *(f"{kind}_{size}" for kind in ("due", "due_checks", "detect") for size in ("10k", "100k", "1m")),
    *("startup_1m", "memory_1m", "stop_1m"),
]


def measured(*words: str, size: str = "--tiny") -> tuple[list[dict[str, Any]], str]:
    """The lines of standard output, and the table."""
    command = [sys.executable, "-m", "bench", size, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def only(*names: str) -> list[str]:
    return [word for name in names for word in ("--only", name)]


@pytest.mark.slow
def test_each_benchmark_prints_one_line_of_json_and_a_table() -> None:
    lines, table = measured(*only(*SMALL))
    assert [line["name"] for line in lines] == list(SMALL)
    for line in lines:
        assert set(line) == KEYS
        assert line["value"] > 0 and line["size"] > 0
        assert line["versions"]["python"] and line["machine"]["cores"]
        if line["name"] in AGAINST_BARE:
            assert line["bare"] > 0 and line["ratio"] > 0
            assert line["database"] == "sqlite"
        assert line["name"] in table
    assert {line["name"]: line["target"] for line in lines[:3]} == {
        "poll_unchanged": 0.5,
        "poll_tenth_new": 0.35,
        "mail": 0.5,
    }


@pytest.mark.slow
def test_what_grows_is_measured_in_databases_of_several_sizes() -> None:
    lines, _ = measured(*only("large"))
    assert [line["name"] for line in lines] == LARGE
    assert all(line["value"] > 0 for line in lines)


@pytest.mark.slow
def test_memory_is_watched_over_simulated_hours() -> None:
    lines, _ = measured(*only("memory_hour"))
    assert [(line["name"], line["unit"]) for line in lines] == [
        ("memory_hour", "MiB an hour"),
        ("memory_looks", "MiB for 100,000 looks"),
    ]
    # Parcels were looked at and mails sent in the hour that is watched, else there was nothing that could grow.
    found = re.search(r"([\d.]+) to ([\d.]+) MiB in 1 h, (\d+) looks, (\d+) mails", lines[0]["detail"])
    assert found is not None, lines[0]["detail"]
    warm, last, looks, mails = map(float, found.groups())
    assert warm > 0 and looks > 0 and mails > 0
    assert lines[0]["value"] == pytest.approx(last - warm, abs=0.11)


def test_too_few_hours_are_refused() -> None:
    command = [sys.executable, "-m", "bench", "--only", "memory_hour", "--hours", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert "--hours 1: give at least 2, for the first half only warms up" in done.stderr


@pytest.mark.slow
def test_a_postgresql_server_is_measured_in_databases_of_its_own(postgres_url: str) -> None:
    names = ("poll_unchanged", "mail", "claims", "ingest_events")
    lines, _ = measured("--database", postgres_url, *only(*names))
    assert [(line["name"], line["database"]) for line in lines] == [(name, "postgresql") for name in names]
    assert all(line["ratio"] > 0 for line in lines)


@pytest.mark.slow
def test_processes_share_the_lanes_of_one_postgresql(postgres_url: str) -> None:
    (line,), _ = measured("--database", postgres_url, *only("workers"))
    assert (line["name"], line["database"]) == ("workers_2", "postgresql")
    assert line["value"] > 0
    assert line["detail"] in ("1 with work", "2 with work")


@pytest.mark.slow
def test_processes_that_share_the_lanes_need_postgresql() -> None:
    lines, said = measured(*only("workers"))
    assert lines == []
    assert "skipped: several processes share PostgreSQL only; name a server with --database" in said


@pytest.mark.soak
def test_several_processes_are_compared_with_one(postgres_url: str) -> None:
    lines, _ = measured("--parcels", "200", "--database", postgres_url, *only("workers"), size="--quick")
    assert [line["name"] for line in lines] == ["workers_1", "workers_2", "workers_4"]
    assert lines[0]["ratio"] == 1 and lines[0]["detail"] == "1 with work"
    assert all(line["bare"] == lines[0]["value"] and line["value"] > 0 for line in lines)


@pytest.mark.soak
def test_every_other_benchmark_runs_on_postgresql(postgres_url: str) -> None:
    lines, _ = measured("--database", postgres_url, *only("poll_tenth_new", "import_csv", "memory_hour", "large"))
    names = ["poll_tenth_new", "import_csv", "memory_hour", "memory_looks", *LARGE]
    assert [(line["name"], line["database"]) for line in lines] == [(name, "postgresql") for name in names]
