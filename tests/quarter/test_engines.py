"""The same weeks by each engine on each database: the same problems, claims and messages, whoever ran which lane."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.quarter.play import judge, make_world
from tests.quarter.program import Program
from tests.quarter.setting import Setting
from tests.support.schema import prepare
from tracker.sandbox.clock import write_instant
from tracker.sandbox.faults import FaultPlan
from tracker.sandbox.workdays import local_date
from tracker.store import queue_schema

KINDS = ("shipments", "events", "problems", "claims", "messages", "alerts")
ORDER_OF_WORK = {
    *("id", "notice_id", "shipment_id", "shipment_ids", "problem_id", "problem_ids", "protocol"),
    *("message_id", "provider_id", "key", "summary", "times"),
}
"""Numbers that are given in the order of work, and words that quote them."""


@dataclass(frozen=True, slots=True)
class Calm(Setting):
    """Without faults that befall the carrier by the order of calls: those would strike others where the order differs."""

    @property
    def fault_plan(self) -> FaultPlan:
        return replace(Setting.fault_plan.fget(self), share=0.0, orders=())  # type: ignore[attr-defined]


SETTING = Calm(1, 48, 12, 3, date(2027, 1, 25), 0.0)


def outcome(folder: Path, url: str = "", workers: int = 1) -> dict[str, list[str]]:
    """Every export after these weeks, without what depends on who came first."""
    folder.mkdir()
    write_instant(folder / "clock", SETTING.passes[0])
    world = make_world(SETTING, folder)
    program = Program(folder, world, SETTING.first_day, url, workers)
    with world:
        program.write_config()
        days: set[date] = set()
        for at in SETTING.passes:
            if (day := local_date(at)) not in days:
                days.add(day)
                program.start_day(SETTING, day)
            program.run_pass(at)
        verdict, unexplained = judge(SETTING, program)
        assert (verdict.faults, unexplained) == ([], 0)
        return {kind: sorted(map(shown, program.export(kind))) for kind in KINDS}


def shown(row: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in row.items() if key not in ORDER_OF_WORK}, sort_keys=True)


def another(url: str) -> str:
    """One more database on the same server, with the whole schema."""
    name = f"{make_url(url).database}_b"
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    found = make_url(url).set(database=name).render_as_string(hide_password=False)
    prepare(found)
    return found


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.quarter
def test_the_weeks_read_the_same_whoever_ran_the_lanes(tmp_path: Path, postgres_url: str) -> None:
    prepare(postgres_url)
    shared = another(postgres_url)
    queue_schema.upgrade(shared)
    alone = outcome(tmp_path / "sqlite")
    assert sum(map(len, alone.values())) > 200
    for name, found in (
        ("PostgreSQL", outcome(tmp_path / "postgresql", postgres_url)),
        ("two workers", outcome(tmp_path / "workers", shared, workers=2)),
    ):
        for kind in KINDS:
            assert found[kind] == alone[kind], (name, kind)
