"""Every benchmark in a tiny form: that it works, and what it prints. How fast it is on this machine is not asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KEYS = {"name", "value", "unit", "bare", "ratio", "target", "met", "size", "database", "detail", "versions", "machine"}
SMALL = ("poll_unchanged", "poll_tenth_new", "mail", "ingest_events", "import_csv", "help")
AGAINST_BARE = set(SMALL) - {"help"}
LARGE = [
    *(f"{kind}_{size}" for kind in ("due", "due_checks", "detect") for size in ("10k", "100k", "1m")),
    *("startup_1m", "memory_1m", "stop_1m"),
]


def measured(*words: str) -> tuple[list[dict[str, Any]], str]:
    """The lines of standard output, and the table."""
    command = [sys.executable, "-m", "bench", "--tiny", *words]
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
def test_a_postgresql_server_is_measured_in_databases_of_its_own(postgres_url: str) -> None:
    lines, _ = measured("--database", postgres_url, *only("poll_unchanged", "mail", "ingest_events"))
    assert [(line["name"], line["database"]) for line in lines] == [
        (name, "postgresql") for name in ("poll_unchanged", "mail", "ingest_events")
    ]
