"""A quarter of a shop with parcels of every fate, by real passes of the program, against the simulated world's own truth."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.quarter.play import play
from tests.quarter.report import report
from tests.quarter.setting import chosen
from tests.support.schema import prepare
from tracker.store import queue_schema

WORKERS = int(os.environ.get("QUARTER_WORKERS", "0"))
"""So many processes at once on PostgreSQL that share the lanes; 0: one, on SQLite."""


@pytest.mark.quarter
@pytest.mark.slow
def test_every_problem_is_seen_in_its_window_and_every_claim_filed_once_and_in_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    setting, url = chosen(), ""
    if WORKERS:
        url = request.getfixturevalue("postgres_url")
        prepare(url)
        queue_schema.upgrade(url)
    with capsys.disabled():
        say = sys.stderr.write
        outcome = play(setting, tmp_path, lambda day: say(f"{day}\n"), url=url, workers=max(WORKERS, 1))
        sys.stdout.write("\n".join(["", *report(setting, outcome), ""]))
    assert outcome.verdict.faults == []
    assert outcome.unexplained_mails == 0
