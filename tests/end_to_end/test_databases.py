"""The same days on SQLite and on PostgreSQL give the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.end_to_end.support import at, day, of_fate, start_trial
from tracker.cli.main import app
from tracker.sandbox.plan import Fate

FATES = (
    Fate.ON_TIME,
    Fate.LATE_DELIVERED,
    Fate.LATE_OPEN,
    Fate.LOST_CODED,
    Fate.LOST_SILENT,
    Fate.STOLEN,
    Fate.DAMAGED,
    Fate.RETURNED_REFUSED,
    Fate.REVERSAL,
    Fate.REPLANNED,
    Fate.UNKNOWN_CODE,
    Fate.NEVER_POSTED,
    Fate.OTHER_CONTRACT,
)
KINDS = ("orders", "shipments", "events", "problems", "claims", "messages", "alerts", "decisions")
RANDOM = {"message_id"}
"""Drawn at random."""


def exports(tmp_path: Path, url: str) -> dict[str, list[dict[str, Any]]]:
    """Every export after a fortnight on this database."""
    tmp_path.mkdir()
    trial = start_trial(tmp_path, *(of_fate(fate) for fate in FATES), url=url)
    with trial.world:
        trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
        trial.drop_orders()
        trial.pass_through(at(day(n), 10) for n in (2, 3, 4, 5, 6, 8, 11, 15))
        found = {}
        for kind in KINDS:
            done = CliRunner().invoke(app, ["export", kind, "-c", str(trial.config)], env=trial.environment)
            assert done.exit_code == 0, done.stderr
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            found[kind] = [{key: value for key, value in row.items() if key not in RANDOM} for row in rows]
        trial.close()
    return found


def test_a_fortnight_reads_the_same_on_both_databases(tmp_path: Path, sqlite_url: str, postgres_url: str) -> None:
    ours, theirs = (exports(tmp_path / name, url) for name, url in (("s", sqlite_url), ("p", postgres_url)))
    for kind in KINDS:
        assert ours[kind] == theirs[kind], kind
        assert ours[kind], kind
