"""`tracker incidents` and `tracker explain I1`: many parcels with one cause, as a list and as a story."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from tests.cli.conftest import Tracker
from tests.reports.support import CODE, OTHER_CODE, add_order, add_problem, at, order, track
from tracker.domain.incidents import Scope, Where
from tracker.store.alerts import new_signals, raise_alert
from tracker.store.database import Database
from tracker.store.incidents import end_incident, open_incident
from tracker.store.logs import SignalNote, signal
from tracker.store.problems import as_known, end_problem, problems_of
from tracker.store.tables import IncidentMember, table


@pytest.fixture
def known(database: Database) -> list[int]:
    """A hub where two parcels went wrong, one of which has come; and a state where all is over."""
    with database.begin_write() as connection:
        problems = []
        for number, code in (("1", CODE), ("2", OTHER_CODE)):
            (shipment,) = add_order(connection, order(number), code)
            track(connection, shipment)
            problems.append(add_problem(connection, shipment))
        (first,) = [row for rows in problems_of(connection, [1]).values() for row in rows]
        end_problem(connection, as_known(first), at(23), "delivered")
        old = open_incident(connection, Where("correios", Scope.STATE, "SP"), started_at=at(1), now=at(2))
        assert old is not None
        end_incident(connection, old, "no parcel is left in it", at(9))
        hub = open_incident(connection, Where("correios", Scope.HUB, "CURITIBA/PR"), started_at=at(20), now=at(22))
        for problem in problems:
            row = {"problem_id": problem, "incident_id": hub, "joined_at": at(22, 13)}
            connection.execute(insert(table(IncidentMember)), row)
        signal(connection, [SignalNote(f"incident:{hub}", "incident", "warning", "2 parcels went wrong")], at(22))
        for one in new_signals(connection, 10):
            raise_alert(connection, one)
    return problems


def test_the_list(tracker: Tracker, known: list[int]) -> None:
    heading, hub, state = tracker("incidents").stdout.splitlines()
    assert heading.split() == ["ID", "CARRIER", "WHERE", "SINCE", "PARCELS", "OPEN", "ALERT", "ENDED"]
    assert hub.split() == ["I2", "correios", "hub", "CURITIBA/PR", "2026-11-20", "09:00", "2", "1", "A1"]
    assert state.split()[:4] == ["I1", "correios", "state", "SP"]
    assert state.endswith("2026-11-09 no parcel is left in it")
    assert [row["id"] for row in tracker.json("incidents", "--open")] == ["I2"]
    assert [row["id"] for row in tracker.json("incidents", "--since", "2026-11-15")] == ["I2"]
    assert [row["id"] for row in tracker.json("incidents", "--limit", "1")] == ["I2"]
    assert tracker.json("incidents", "--carrier", "correios")[0] == {
        "id": "I2",
        "carrier": "correios",
        "scope": "hub",
        "name": "CURITIBA/PR",
        "started_at": "2026-11-20T12:00:00Z",
        "detected_at": "2026-11-22T12:00:00Z",
        "last_joined_at": "2026-11-22T12:00:00Z",
        "ended_at": None,
        "end_reason": None,
        "members": 2,
        "open_members": 1,
        "alert_id": "A1",
    }
    unknown = tracker("incidents", "--carrier", "veloz")
    assert (unknown.exit_code, "there is no such carrier" in unknown.stderr) == (2, True)


def test_none(tracker: Tracker) -> None:
    assert tracker("incidents").stdout == "no incidents of this kind\n"
    assert tracker.json("incidents") == []


def test_the_story(tracker: Tracker, known: list[int]) -> None:
    out = " ".join(tracker("explain", "I2").stdout.split())
    for piece in (
        "22/11/2026 dom 09:00 Ocorrência: muitas encomendas de Correios deram problema ao mesmo tempo em CURITIBA/PR",
        "O aviso A1 foi dado.",
        "I2: 1 de 2 encomendas ainda estão com o problema",
        f"P{known[1]} atraso · 2 · {OTHER_CODE} · desde 21/11/2026",
        f"P{known[0]} atraso · 1 · {CODE} · desde 21/11/2026 · encerrado",
    ):
        assert piece in out, (piece, out)
    english = " ".join(tracker("explain", "i1", "--lang", "en").stdout.split())
    assert "many parcels of Correios on the way to SP went wrong at once" in english
    assert "It ended: no parcel is left in it." in english and "I1: it is over" in english
    document = tracker.json("explain", "I2")
    assert (document["kind"], [one["id"] for one in document["problems"]]) == (
        "incident",
        [f"P{n}" for n in known[::-1]],
    )
    missing = tracker("explain", "I9")
    assert (missing.exit_code, missing.stderr) == (1, "there is no incident I9\n")
