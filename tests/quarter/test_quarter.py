"""A quarter of a shop with parcels of every fate, by real passes of the program, against the simulated world's own truth."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.quarter.play import play
from tests.quarter.report import report
from tests.quarter.setting import chosen


@pytest.mark.quarter
@pytest.mark.slow
def test_every_problem_is_seen_in_its_window_and_every_claim_filed_once_and_in_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = chosen()
    with capsys.disabled():
        outcome = play(setting, tmp_path, lambda day: sys.stderr.write(f"{day}\n"))
        sys.stdout.write("\n".join(["", *report(setting, outcome), ""]))
    assert outcome.verdict.faults == []
    assert outcome.unexplained_mails == 0
