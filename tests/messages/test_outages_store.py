"""Messages after a time without tracking, or without mail: what is still so is told, in its order, and nothing stale."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import Delivery, Notice, Problem

LATE = of_fate(Fate.LATE_OPEN)
"""Due on day 4, late from day 5, delivered on day 15."""
OBJECTS = "objetos"
HOUR = timedelta(hours=1)
BEFORE = [at(day(2), 9), at(day(3), 9), at(day(4), 9)]


def tracking_down(trial: Trial) -> None:
    trial.world.correios.faults.next("500", count=10_000, path=OBJECTS)


def tracking_up(trial: Trial) -> None:
    trial.world.correios.faults.clear()


def of_trigger(trial: Trial, trigger: str) -> dict[str, Any]:
    return trial.one(Delivery, notice_id=trial.one(Notice, trigger=trigger)["id"])


def test_a_delay_that_still_lasts_is_told_however_late_it_is_learned(start: Start, database_url: str) -> None:
    trial = start(LATE, url=database_url)
    trial.drop_orders()
    trial.pass_through(BEFORE)
    tracking_down(trial)
    trial.pass_through(at(day(n), 12) for n in range(4, 9))
    assert trial.rows(Problem) == []
    tracking_up(trial)
    learned_at = at(day(9), 12)
    trial.pass_at(learned_at)
    problem = trial.one(Problem)
    assert (problem["detected_at"], learned_at - problem["since"] > 48 * HOUR) == (learned_at, True)
    told = of_trigger(trial, "delay_detected")
    assert (told["state"], told["sent_at"]) == ("sent", learned_at)
    assert trial.one(Notice, trigger="delay_detected")["since"] == problem["customer_since"]
