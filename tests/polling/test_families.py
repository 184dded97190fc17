"""How one API family stands: waiting after failures, refused credentials, and being well again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.domain.support import at
from tracker.polling.families import answered, failed, is_down, may_call, refused
from tracker.store.polls import FamilyState

NOW = at("2026-11-25 10:00")
WELL = FamilyState()


def after(failures: int) -> FamilyState:
    """The state after so many failures in a row, the last one at NOW."""
    state = WELL
    for _ in range(failures):
        state = failed(state, "time-out", None, NOW)
    return state


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        pytest.param(1, timedelta(minutes=1), id="the first: a minute"),
        pytest.param(2, timedelta(minutes=5), id="the second: five"),
        pytest.param(3, timedelta(minutes=15), id="the third: a quarter of an hour"),
        pytest.param(4, timedelta(minutes=30), id="the fourth: half an hour"),
        pytest.param(40, timedelta(minutes=30), id="and so on"),
    ],
)
def test_each_failure_waits_longer(failures: int, wait: timedelta) -> None:
    state = after(failures)
    assert state.cooldown_until == NOW + wait
    assert not may_call(state, "d", NOW + wait - timedelta(seconds=1))
    assert may_call(state, "d", NOW + wait)


@pytest.mark.parametrize(
    ("failures", "down"),
    [pytest.param(0, False, id="well"), pytest.param(2, False, id="two failures"), pytest.param(3, True, id="three")],
)
def test_three_failures_make_an_outage(failures: int, down: bool) -> None:
    assert is_down(after(failures)) is down


def test_an_outage_began_with_its_first_failure() -> None:
    state = failed(WELL, "time-out", None, NOW)
    state = failed(state, "HTTP 503", None, NOW + timedelta(minutes=2))
    assert (state.down_since, state.failures, state.reason) == (NOW, 2, "HTTP 503")


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        pytest.param(timedelta(minutes=3), timedelta(minutes=3), id="the carrier's own wish"),
        pytest.param(timedelta(hours=2), timedelta(hours=2), id="a long one too"),
        pytest.param(timedelta(0), timedelta(minutes=1), id="no time at all is no wish"),
    ],
)
def test_a_carrier_may_say_how_long_to_wait(wish: timedelta, expected: timedelta) -> None:
    state = failed(WELL, "HTTP 429", wish, NOW)
    assert state.cooldown_until == NOW + expected
    assert state.failures == 1


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        pytest.param(0, timedelta(seconds=30), id="half a minute"),
        pytest.param(2, timedelta(minutes=2), id="doubling"),
        pytest.param(9, timedelta(minutes=5), id="never longer than five minutes"),
    ],
)
def test_too_many_calls_is_no_reason_to_stay_away_for_long(failures: int, wait: timedelta) -> None:
    state = failed(after(failures), "HTTP 429", None, NOW, throttled=True)
    assert state.cooldown_until == NOW + wait


@pytest.mark.parametrize(
    ("digest", "later", "expected"),
    [
        pytest.param("old", timedelta(0), False, id="refused just now"),
        pytest.param("old", timedelta(minutes=59, seconds=59), False, id="within the hour"),
        pytest.param("old", timedelta(hours=1), True, id="probed after an hour"),
        pytest.param("new", timedelta(0), True, id="at once under another configuration"),
    ],
)
def test_a_refused_credential_is_probed(digest: str, later: timedelta, expected: bool) -> None:
    assert may_call(refused(WELL, "HTTP 401", "old", NOW), digest, NOW + later) is expected


def test_a_probe_that_is_refused_waits_another_hour() -> None:
    state = refused(refused(WELL, "HTTP 401", "d", NOW), "HTTP 401", "d", NOW + timedelta(hours=1))
    assert not may_call(state, "d", NOW + timedelta(hours=1, minutes=59))
    assert may_call(state, "d", NOW + timedelta(hours=2))


def test_a_new_configuration_does_not_shorten_what_the_carrier_asked_for() -> None:
    state = replace(refused(WELL, "HTTP 401", "old", NOW), cooldown_until=NOW + timedelta(minutes=10))
    assert not may_call(state, "new", NOW + timedelta(minutes=9))
    assert may_call(state, "new", NOW + timedelta(minutes=10))


def test_a_refusal_is_no_outage() -> None:
    assert not is_down(refused(WELL, "HTTP 401", "d", NOW))


def test_an_answer_makes_it_well_again() -> None:
    assert answered() == WELL
    assert may_call(answered(), "d", NOW)
    assert not is_down(answered())
