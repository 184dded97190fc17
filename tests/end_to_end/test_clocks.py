"""The same work whatever the machine's clock says: years off by a file, or the machine itself in another year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.end_to_end.support import Start, Trial, at, day, of_fate, start_trial
from tracker.clock import CLOCK_FILE_VARIABLE
from tracker.sandbox.plan import Fate
from tracker.store.tables import Claim, Delivery, Problem

FATES = (Fate.ON_TIME, Fate.LATE_OPEN, Fate.LOST_CODED)


def story(trial: Trial) -> dict[str, list[tuple[object, ...]]]:
    """What was decided and done, without what is drawn at random."""
    return {
        "problems": [(row["kind"], row["since"], row["detected_at"]) for row in trial.rows(Problem)],
        "claims": [(row["state"], row["motive"], row["opened_at"]) for row in trial.rows(Claim)],
        "messages": [(row["state"], row["sent_at"], row["recipient"]) for row in trial.rows(Delivery)],
    }


def run(trial: Trial) -> dict[str, list[tuple[object, ...]]]:
    trial.drop_orders()
    trial.pass_through(at(day(n), 10) for n in range(2, 8))
    return story(trial)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[tuple[object, ...]]]]:
    """The story with the machine's clock as it is."""
    trial = start_trial(tmp_path_factory.mktemp("undisturbed"), *(of_fate(fate) for fate in FATES))
    with trial.world:
        trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
        yield run(trial)
    trial.close()


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(datetime(1971, 3, 1, tzinfo=UTC), id="a machine without a battery, 1971"),
        pytest.param(datetime(2026, 8, 5, 12, tzinfo=UTC), id="a machine in the middle of the story"),
        pytest.param(datetime(2036, 2, 29, 23, 59, tzinfo=UTC), id="a machine ten years ahead"),
    ],
)
def test_the_machines_clock_changes_nothing(
    start: Start, undisturbed: dict[str, list[tuple[object, ...]]], machine: datetime
) -> None:
    trial = start(*(of_fate(fate) for fate in FATES))
    with time_machine.travel(machine, tick=True):
        assert run(trial) == undisturbed
    assert [opened_at for *_, opened_at in undisturbed["claims"]] == [at(day(4), 10), at(day(5), 10)]
    assert len([state for state, *_ in undisturbed["messages"] if state == "sent"]) > 5


def test_without_a_clock_file_the_machines_own_clock_counts(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.drop_orders()
    monkeypatch.delenv(CLOCK_FILE_VARIABLE, raising=False)
    with time_machine.travel(at(day(2), 10), tick=False):
        trial.pass_at(at(day(2), 10))
    assert trial.one(Delivery)["sent_at"] == at(day(2), 10)


def test_a_clock_that_went_back_an_hour_loses_and_doubles_nothing(start: Start) -> None:
    trial = start(*(of_fate(fate) for fate in FATES))
    trial.drop_orders()
    for number in range(2, 8):
        trial.pass_at(at(day(number), 10))
        trial.pass_at(at(day(number), 10) - timedelta(hours=1))
    ids = [message_id for _, message_id in trial.told()]
    assert len(ids) == len(set(ids)) == len(trial.rows(Delivery, state="sent")) > 5
    assert all(len(numbers) == 1 for numbers in trial.world.registrations().values())
    assert len(trial.rows(Claim)) == 2


def test_a_clock_file_is_refused_where_something_real_would_be_dated_by_it(start: Start) -> None:
    trial = start()
    trial.carrier["base_url"] = "https://api.correios.com.br"
    trial.write_config()
    refused = trial.command("run", "--once")
    assert refused.returncode == 2
    assert CLOCK_FILE_VARIABLE in refused.stderr and "api.correios.com.br" in refused.stderr
    assert not (trial.folder / "data").exists()
