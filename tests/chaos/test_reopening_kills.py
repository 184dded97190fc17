"""kill -9 at every point around the reopening of a claim: the carrier holds one claim, reopened once, and so do we."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.ending import check_claims
from tests.chaos.play import Play, instants, new_play
from tests.end_to_end.support import of_fate
from tracker.sandbox.plan import Fate, Verdict
from tracker.store.tables import Claim

pytestmark = pytest.mark.chaos

LATE = of_fate(Fate.LATE_OPEN)
PARCEL = replace(LATE, events=LATE.events[:3], verdict=Verdict.ACCEPTED, answer_days=2)
"""Never comes; its inquiry is accepted after two business days and reopened as a refund request."""
CALL = "http.before:POST *reativa"
AROUND = {
    -6: "before its intent is committed",
    -5: "after its intent is committed",
    -4: "before it is marked as leaving",
    -3: "after it is marked as leaving",
    0: "before it leaves",
    1: "when its answer has begun to arrive",
    2: "before the answer is saved",
    3: "after the answer is saved",
}
"""Points by their distance to the call."""
WHEN = (1, 4, 5, 9, 9.5, 10, 10.5, 11)
"""Passes by the days' numbers (and a half in the afternoon): posted, due, filed, and around the answer and the reopening."""


def test_a_reopening_happens_once_wherever_the_program_dies(tmp_path: Path) -> None:
    with new_play(tmp_path / "calm", parcels=[PARCEL]) as calm:
        number, points = passes(calm)
        expected = outcome(calm)
    assert expected["desk"] == [("R", ["I"])]
    call = next(index for index, name in enumerate(points, 1) if fnmatchcase(name, CALL))
    with ThreadPoolExecutor(2) as threads:
        plays = {
            told: threads.submit(killed, tmp_path / str(call + distance), number, call + distance)
            for distance, told in AROUND.items()
        }
        assert {told: play.result() for told, play in plays.items()} == dict.fromkeys(AROUND.values(), expected)


def moments() -> list[tuple[float, datetime]]:
    return [(number, instant) for number, instant in instants() if number in WHEN]


def passes(play: Play) -> tuple[float, list[str]]:
    """Play the days; the pass that reopens, and every point of it."""
    found: tuple[float, list[str]] | None = None
    for number, instant in moments():
        play.trial.clock_at(instant)
        play.drop_orders(instant)
        play.run()
        if found is None and any(fnmatchcase(name, CALL) for name in play.passed()):
            found = number, play.passed()
    assert found is not None
    return found


def killed(folder: Path, deadly_pass: float, point: int) -> dict[str, Any]:
    """The same days, with one kill at a point of that pass."""
    with new_play(folder, parcels=[PARCEL]) as play:
        for number, instant in moments():
            play.trial.clock_at(instant)
            play.drop_orders(instant)
            if number == deadly_pass:
                assert play.killed((str(point),)) is not None
            play.run()
            play.is_at_rest()
        check_claims(play.trial)
        return outcome(play)


def outcome(play: Play) -> dict[str, Any]:
    """How the carrier and we see the claim at the end."""
    desk = play.trial.world.correios.desk.ledger()["claims"]
    told = ("state", "motive", "kind", "outcome", "protocol")
    return {
        "desk": [(claim["kind"], [each["kind"] for each in claim["reopenings"]]) for claim in desk],
        "ours": [tuple(row[name] for name in told) for row in play.trial.rows(Claim)],
    }
