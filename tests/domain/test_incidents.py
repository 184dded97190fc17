"""When many parcels go wrong for one cause: what the counts call an incident, how wide it is, and when it is over.

Two days are compared with the twenty-eight before: 28 problems before are two in two days. Ten parcels are the least.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domain.support import at
from tracker.domain.incidents import (
    IncidentPolicy,
    Scope,
    StandingIncident,
    Tally,
    Where,
    decide,
    paced,
)

NOW = at("2026-11-25 10:00")
POLICY = IncidentPolicy()
CARRIER, OTHER = "entregas", "outra"


def tally(place: str, state: str, recent: int, before: int = 0, carrier: str = CARRIER) -> Tally:
    return Tally(carrier, place, state, recent, before)


def hub(name: str) -> Where:
    return Where(CARRIER, Scope.HUB, name)


def state(name: str) -> Where:
    return Where(CARRIER, Scope.STATE, name)


WHOLE = Where(CARRIER, Scope.CARRIER)


@pytest.mark.parametrize(
    ("tallies", "expected"),
    [
        pytest.param([], [], id="nothing goes wrong"),
        pytest.param([tally("CAJAMAR/SP", "PR", 9)], [], id="nine are bad luck"),
        pytest.param([tally("CAJAMAR/SP", "PR", 10)], [hub("CAJAMAR/SP")], id="ten at one hub are an incident"),
        pytest.param(
            [tally("CAJAMAR/SP", "PR", 5), tally("CAJAMAR/SP", "SC", 5)],
            [hub("CAJAMAR/SP")],
            id="one hub on the way to several states",
        ),
        pytest.param(
            [tally("CAJAMAR/SP", name, 5) for name in ("PR", "SC", "RS")],
            [hub("CAJAMAR/SP")],
            id="parcels of one hub go everywhere: it is not the carrier",
        ),
        # 140 before are ten in two days: thirty is three times that
        pytest.param(
            [tally("CAJAMAR/SP", "PR", 29, 140)], [], id="a hub where ten are usual: twenty-nine are not many"
        ),
        pytest.param([tally("CAJAMAR/SP", "PR", 30, 140)], [hub("CAJAMAR/SP")], id="thirty are three times the usual"),
        pytest.param(
            [tally("NATAL/RN", "RN", 4), tally("MOSSORO/RN", "RN", 4), tally("CAICO/RN", "RN", 4)],
            [state("RN")],
            id="several places of one state",
        ),
        pytest.param(
            [tally("NATAL/RN", "RN", 10), tally("MOSSORO/RN", "RN", 1), tally("CAICO/RN", "RN", 1)],
            [hub("NATAL/RN")],
            id="one place of a state has nearly all",
        ),
        pytest.param(
            [tally("NATAL/RN", "RN", 6), tally("MOSSORO/RN", "RN", 6)],
            [],
            id="two places are neither a hub nor a state",
        ),
        pytest.param(
            [tally(f"{name}/{name}", name, 5) for name in ("RN", "PR", "SP", "BA")],
            [WHOLE],
            id="the whole carrier: four states suffer alike",
        ),
        pytest.param(
            [
                *(tally(f"{name}/RN", "RN", 10) for name in "ABC"),
                *(tally(f"{name}/{name}", name, 2) for name in ("PR", "SP")),
            ],
            [state("RN")],
            id="one state has nearly all of it",
        ),
        pytest.param([tally("", "", 30)], [], id="where nobody knows is no place"),
        pytest.param(
            [tally("CAJAMAR/SP", "PR", 6), tally("CAJAMAR/SP", "PR", 6, carrier=OTHER)],
            [],
            id="two carriers are two matters",
        ),
    ],
)
def test_what_is_an_incident(tallies: list[Tally], expected: list[Where]) -> None:
    assert list(decide(tallies, [], POLICY, NOW).opened) == expected


@pytest.mark.parametrize(
    ("standing", "tallies"),
    [
        pytest.param(hub("CAJAMAR/SP"), [tally("CAJAMAR/SP", "PR", 40)], id="the hub that stands already"),
        pytest.param(
            state("RN"), [tally(f"{name}/RN", "RN", 10) for name in "ABC"], id="hubs within a state that stands"
        ),
        pytest.param(
            WHOLE,
            [tally(f"{name}/{name}", name, 15) for name in ("RN", "PR", "SP")],
            id="states of a carrier that stands",
        ),
    ],
)
def test_what_stands_is_not_named_again(standing: Where, tallies: list[Tally]) -> None:
    known = StandingIncident(1, standing, NOW, 30)
    assert decide(tallies, [known], POLICY, NOW).opened == ()


@pytest.mark.parametrize(
    ("joined", "open_members", "reason"),
    [
        pytest.param("2026-11-25 09:00", 40, None, id="still growing"),
        pytest.param("2026-11-20 09:00", 40, None, id="no longer growing, but many wait"),
        pytest.param("2026-11-25 09:00", 0, "no parcel is left in it", id="all arrived"),
        pytest.param("2026-11-23 10:00", 4, "no new parcel, and few are left", id="quiet for two days, four left"),
        pytest.param("2026-11-23 10:00", 5, None, id="quiet for two days, half of the least left"),
        pytest.param("2026-11-23 10:01", 4, None, id="not quiet for long enough"),
    ],
)
def test_it_ends_by_itself(joined: str, open_members: int, reason: str | None) -> None:
    known = StandingIncident(1, hub("CAJAMAR/SP"), at(joined), open_members)
    changes = decide([], [known], POLICY, NOW)
    assert [why for _, why in changes.ended] == ([reason] if reason else [])


def test_a_state_becomes_part_of_the_whole_carrier() -> None:
    known = StandingIncident(1, state("RN"), NOW, 30)
    changes = decide([tally(f"{name}/{name}", name, 10) for name in ("RN", "PR", "SP", "BA")], [known], POLICY, NOW)
    assert changes.opened == (WHOLE,)
    assert [(incident.id, why) for incident, why in changes.ended] == [(1, "part of a wider one")]


def test_claims_of_an_incident_are_spread_over_the_working_hours_of_their_day() -> None:
    midnight = at("2026-11-25 00:00")
    leaves = [paced(midnight, claim_id) for claim_id in range(1, 301)]
    assert all(midnight + timedelta(hours=8) <= instant < midnight + timedelta(hours=17) for instant in leaves)
    hours = [sum(instant < midnight + timedelta(hours=hour) for instant in leaves) for hour in (11, 14, 17)]
    assert 60 <= hours[0] <= 140 and 160 <= hours[1] <= 240 and hours[2] == 300
    assert leaves == [paced(midnight, claim_id) for claim_id in range(1, 301)]
