"""`python -m tests.quarter.seeds 2 3 4`: shorter quarters of many seeds, by one program that stays up.

300 parcels over fifty days each. Not what `make quarter` proves (no process is started anew, the seconds between two tries
of a call pass at once), but ten seeds take less than its one.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic

import structlog
import yaml

from tests.end_to_end.support import Trial
from tests.quarter.play import Outcome, judge, make_world
from tests.quarter.program import Program
from tests.quarter.report import report
from tests.quarter.setting import Setting
from tracker.engine.once import run_once
from tracker.sandbox.clock import write_instant
from tracker.sandbox.workdays import local_date
from tracker.store.migrate import upgrade

_FIRST_DAYS = (date(2027, 1, 18), date(2026, 12, 7), date(2026, 10, 26), date(2027, 3, 8))
"""Over Carnival, over the year's end, over the November holidays, over Good Friday: one by seed."""


def of_seed(seed: int) -> Setting:
    """Fifty days with 300 parcels, from one of several first days."""
    return Setting(seed, 300, 50, 25, _FIRST_DAYS[seed % len(_FIRST_DAYS)], 0.02)


def play_seed(seed: int, folder: Path) -> tuple[Setting, Outcome]:
    """Play one seed in this (new) folder."""
    setting = of_seed(seed)
    started = monotonic()
    write_instant(folder / "clock", datetime.combine(setting.first_day, datetime.min.time(), tzinfo=UTC))
    world = make_world(setting, folder)
    program = Program(folder, world, setting.first_day)
    with world:
        program.write_config()
        settings = yaml.safe_load(program.config.read_text(encoding="utf-8"))
        settings["database"] = {"url": f"sqlite:///{folder / 'data' / 'tracker.db'}"}
        trial = Trial(folder, world, settings)
        upgrade(trial.database_url)
        asyncio.run(_passes(setting, program, trial))
        verdict, unexplained = judge(setting, program)
    calls, mails = len(world.correios.calls), len(world.mail.deliveries())
    passed = len(setting.passes)
    return setting, Outcome(verdict, setting.parcels, passed, calls, mails, unexplained, monotonic() - started)


async def _passes(setting: Setting, program: Program, trial: Trial) -> None:
    trial.clock_at(setting.passes[0])
    app = trial.build()
    dropped: set[date] = set()
    try:
        app.take_over()
        for at in setting.passes:
            day = local_date(at)
            if day not in dropped:
                dropped.add(day)
                program.start_day(setting, day)
            trial.clock_at(at)
            result = await run_once(app.lanes, app.clock.now(), wait_settled=app.wait_settled)
            assert result.exit_code == 0, result
    finally:
        await app.close()


def main(seeds: list[int]) -> int:
    """Play them all; returns how many showed a fault."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    bad = 0
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="quarter-") as folder:
            setting, outcome = play_seed(seed, Path(folder))
        bad += bool(outcome.verdict.faults)
        sys.stdout.write("\n".join([*report(setting, outcome), ""]))
        sys.stdout.flush()
    return bad


if __name__ == "__main__":
    sys.exit(1 if main([int(word) for word in sys.argv[1:]]) else 0)
