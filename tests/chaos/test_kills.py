"""Twenty simulated days with kill -9 around every network call and commit end as they end without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.ending import check_claims, check_messages, ending, timeless
from tests.chaos.play import HOURS, KILLED, PARCELS, Kill, Play, finish, new_play
from tests.end_to_end.support import MONDAY, at
from tracker.domain.notices import TOLERATES_DUPLICATE
from tracker.sandbox.faults import Fault
from tracker.sandbox.plan import Verdict
from tracker.store.tables import Delivery, Event, Notice, Order

pytestmark = pytest.mark.chaos

CHOSEN = (
    Kill("commit.after:*schema*"),
    Kill("commit.before:orders*", 1.5),
    Kill("commit.after:orders*", 2),
    Kill("commit.after:imports", 2.5),
    Kill("file.before:done", 3),
    Kill("file.after:done", 3.5),
    Kill("smtp.dot.after:*", 4),
    Kill("commit.before:deliveries=sent*", 4.5),
    Kill("commit.before:claim_steps=calling", 5),
    Kill("http.before:POST *cadastra", 5.5),
    Kill("smtp.text.written:*se perdeu*", 6),
    Kill("http.after:POST *cadastra", 8),
    Kill("commit.before:deliveries=sending*", 8.5),
    Kill("commit.after:*carrier_tokens=kept", 9),
    Kill("commit.before:*claim_steps=done*", 10),
    Kill("commit.after:deliveries=sending*", 10.5),
    Kill("commit.after:*claim_steps=done*", 11),
    Kill("smtp.text.written:*", 11.5),
    Kill("http.after:GET *acompanha", 12),
    Kill("http.after:POST /token*", 13),
    Kill("http.before:GET /srorastro*", 13.5),
    Kill("commit.before:events*", 13.5),
    Kill("commit.after:*problems*", 14),
    Kill("commit.before:*carrier_tokens=kept", 15),
    Kill("commit.after:claim_steps=calling", 15.5),
    Kill("commit.after:events*", 16),
)
"""Each strikes in a pass of its own. A filing is made on days 4, 5 (twice), 6, 8, 10 and 11: the kills around it stand there."""
ON_POSTGRESQL = (
    Kill("commit.after:orders*"),
    Kill("http.after:POST /token*", 2),
    Kill("commit.after:events*", 3),
    Kill("http.before:POST *cadastra", 5.5),
    Kill("http.after:POST *cadastra", 8),
    Kill("commit.before:*claim_steps=done*", 10),
    Kill("commit.after:deliveries=sending*", 10.5),
    Kill("smtp.dot.after:*", 11.5),
)
LONG_FORM = int(os.environ.get("CHAOS_POINTS", "0"))
STRIDES = (29, 23, 37, 19, 31, 17, 41, 43)
"""Primes, so that the kills of one pass and the next fall on ever other points; smaller ones leave a pass no way on."""
LONG_DAYS = 30
SIDE_BY_SIDE = 2


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The days without a kill, and with the chosen ones; side by side, for each pass waits for disks and sockets."""
    calm_folder, killed_folder = tmp_path_factory.mktemp("calm"), tmp_path_factory.mktemp("killed")
    with new_play(calm_folder) as calm, new_play(killed_folder) as killed, ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        for running in [threads.submit(calm.days), threads.submit(killed.days, CHOSEN)]:
            running.result()
        yield calm, killed


@pytest.fixture(scope="module")
def calm_ending(plays: tuple[Play, Play]) -> dict[str, Any]:
    """How the days end where nobody kills anything."""
    return ending(plays[0].trial)


def test_the_days_without_a_kill_have_all_that_a_kill_could_spoil(plays: tuple[Play, Play]) -> None:
    calm = plays[0].trial
    check_claims(calm)
    check_messages(plays[0])
    assert len(calm.world.registrations()) >= 6
    assert {row["state"] for row in calm.rows(Delivery)} >= {"sent"}
    told = {row["trigger"] for row in calm.rows(Notice)}
    assert told >= {"posted", "delay_detected", "inquiry_opened", "loss_confirmed", "damage", "returned_to_sender"}


@pytest.mark.parametrize("kind", ["shipments", "events", "problems", "claims", "messages", "alerts", "filings"])
def test_days_with_kills_end_as_days_without(plays: tuple[Play, Play], calm_ending: dict[str, Any], kind: str) -> None:
    assert ending(plays[1].trial)[kind] == calm_ending[kind]


def test_every_chosen_point_was_struck_once_and_each_kill_was_a_real_one(plays: tuple[Play, Play]) -> None:
    assert Counter(one.choice for one in plays[1].struck) == Counter(kill.point for kill in CHOSEN)


def test_the_carrier_registered_each_object_at_most_once(plays: tuple[Play, Play]) -> None:
    check_claims(plays[1].trial)


def test_every_message_is_sent_unconfirmed_or_queued(plays: tuple[Play, Play]) -> None:
    check_messages(plays[1])


def test_a_loss_whose_answer_was_never_heard_is_told_again_under_the_same_id(plays: tuple[Play, Play]) -> None:
    killed = plays[1].trial
    repeated = {killed.one(Notice, id=row["notice_id"])["trigger"]: row for row in killed.rows(Delivery, repeated=True)}
    assert "loss_confirmed" in repeated and set(repeated) <= TOLERATES_DUPLICATE
    for row in repeated.values():
        assert Counter(killed.told())[row["recipient"], row["message_id"]] == 2
        assert row["state"] == "sent"


@pytest.mark.soak
def test_days_with_kills_on_postgresql_end_as_days_without(
    postgres_url: str, tmp_path: Path, calm_ending: dict[str, Any]
) -> None:
    with new_play(tmp_path, postgres_url) as play:
        upgraded = play.trial.command("db", "upgrade")
        assert upgraded.returncode == 0, upgraded.stderr
        play.days(ON_POSTGRESQL)
        check_claims(play.trial)
        check_messages(play)
        assert ending(play.trial) == calm_ending


# --- two engines ------------------------------------------------------------------------------------


def test_a_second_pass_beside_a_running_one_says_so_and_changes_nothing(database_url: str, tmp_path: Path) -> None:
    with new_play(tmp_path, database_url) as play:
        if database_url.startswith("postgresql"):
            assert play.trial.command("db", "upgrade").returncode == 0
        instant = at(MONDAY, *HOURS[0])
        play.trial.clock_at(instant)
        play.drop_orders(instant)
        play.trial.world.faults.next(Fault.HANG, path="/srorastro")
        first = play.start()
        while not any(call["fault"] for call in play.trial.world.correios.calls):
            first.join(0.02)
            assert first.is_alive(), play.said()
        before = play.trial.dump()
        assert before["orders"]
        assert finish(play.start()) == 2
        assert f"another engine already works on this database: process {first.pid}" in play.said()
        assert play.trial.dump() == before
        first.kill()
        assert finish(first) == KILLED
        play.run()
        play.is_at_rest()
        assert play.trial.rows(Event)


# --- the killer itself ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "orders_kept"),
    [
        pytest.param("commit.before:orders*", False, id="killed before the commit, nothing stays"),
        pytest.param("commit.after:orders*", True, id="killed after the commit, all stays"),
    ],
)
def test_the_killer_kills_where_it_is_told(tmp_path: Path, point: str, orders_kept: bool) -> None:
    with new_play(tmp_path) as play:
        instant = at(MONDAY, *HOURS[0])
        play.trial.clock_at(instant)
        play.drop_orders(instant)
        killer = [sys.executable, "-m", "tests.chaos.killer", "--kill-at", point, "--list", str(play.listing)]
        words = ["run", "--once", "-c", str(play.trial.config)]
        done = subprocess.run([*killer, *words], env=play.trial.environment, capture_output=True, timeout=60)
        assert done.returncode == KILLED
        assert play.passed()[-1].startswith(point[:-1])
        assert bool(play.trial.rows(Order)) is orders_kept


# --- the long form ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not LONG_FORM, reason="the long form: make chaos")
def test_the_program_outlives_a_kill_at_every_nth_point(tmp_path: Path) -> None:
    """Passes are killed every so many points, over and over, until CHAOS_POINTS kills are reached; calm days follow, in
    which what could not be filed is filed and answered."""
    # A paid claim's indemnity shows in tracking, on a day that depends on the filing's: these are all accepted only.
    parcels = [replace(parcel, verdict=Verdict.ACCEPTED) for parcel in PARCELS]
    with new_play(tmp_path / "calm", parcels=parcels) as calm:
        calm.days(days=LONG_DAYS)
        expected = timeless(ending(calm.trial))

    def kills(turn: int) -> int:
        stride = STRIDES[turn % len(STRIDES)]
        with new_play(tmp_path / f"{turn}-{stride}", parcels=parcels) as play:
            play.days_of_kills(stride, days=LONG_DAYS)
            check_claims(play.trial)
            check_messages(play)
            assert timeless(ending(play.trial)) == expected, f"killed at every point number {stride}"
            return len(play.struck)

    total = turn = 0
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        while total < LONG_FORM:
            total += sum(threads.map(kills, range(turn, turn + SIDE_BY_SIDE)))
            turn += SIDE_BY_SIDE
