"""The first answer of a day wakes what waits for any answer, whatever it says, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carriers.base import RefKind, TrackingRef
from tests.detection.test_sweep_store import watched
from tests.domain.support import DAYS
from tests.end_to_end.support import Start, at, of_fate
from tracker.polling.heard import newly_heard
from tracker.sandbox.plan import Fate
from tracker.store.polls import DuePoll
from tracker.store.tables import ShipmentCheck
from tracker.store.wake import hasten

MORNING = datetime(2026, 8, 5, 9, 0, tzinfo=UTC)
"""Six o'clock in São Paulo."""


def poll(last_answered_at: datetime | None) -> DuePoll:
    ref = TrackingRef(RefKind.CODE, "AD332611452BR")
    return DuePoll(7, "loja", ref, None, 0, MORNING, None, last_answered_at, None, None, None, None)


@pytest.mark.parametrize(
    ("last_answered_at", "answered_at", "is_first"),
    [
        pytest.param(None, MORNING, True, id="the first answer of all"),
        pytest.param(
            datetime(2026, 8, 5, 2, 59, tzinfo=UTC), MORNING, True, id="before midnight there, the same day in UTC"
        ),
        pytest.param(datetime(2026, 8, 5, 3, 0, tzinfo=UTC), MORNING, False, id="at midnight there"),
        pytest.param(datetime(2026, 8, 4, 12, 0, tzinfo=UTC), None, False, id="no answer"),
    ],
)
def test_which_answer_is_the_first_of_a_local_day(
    last_answered_at: datetime | None, answered_at: datetime | None, is_first: bool
) -> None:
    found = newly_heard([(poll(last_answered_at), answered_at)], lambda _shop: DAYS)
    assert found == ([7] if is_first else [])


def test_only_what_would_be_looked_at_soon_is_hastened(start: Start, database_url: str) -> None:
    trial = watched(start(of_fate(Fate.LATE_OPEN), url=database_url), 4)
    check = trial.one(ShipmentCheck)
    before, now = check["next_check_at"], at(of_fate(Fate.LATE_OPEN).due_on, 9)
    assert before > now
    for until, expected in ((now, before), (before, now)):
        with trial.database.begin_write() as connection:
            hasten(connection, [check["shipment_id"]], until=until, at=now)
        assert trial.one(ShipmentCheck)["next_check_at"] == expected
