"""A carrier that begins to hide history: nothing recorded is lost, and a person hears of it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.end_to_end.support import MONDAY, Start, Trial, at, day
from tests.polling.gateway import Gateway, at_gateway, event
from tracker.domain.history import is_loss_of_sight
from tracker.store.tables import Alert, Event, ShipmentHistory

CODES = ("AD100000017BR", "AD100000025BR", "AD100000034BR", "AD100000048BR")
EVENTS = [
    event("PO-01", at(MONDAY, 10), "Objeto postado"),
    event("RO-01", at(day(2), 3)),
    event("DO-01", at(day(2), 8)),
]
DUE = {"dtPrevista": "2026-08-12T23:59:59"}
Shown = Callable[[Gateway, str], None]


def whole(gateway: Gateway, code: str, *more: dict[str, Any]) -> None:
    gateway.show(code, *EVENTS, *more, **DUE)


def last_alone(gateway: Gateway, code: str) -> None:
    gateway.show(code, EVENTS[-1], **DUE)


def first_alone(gateway: Gateway, code: str) -> None:
    gateway.show(code, EVENTS[0], **DUE)


def none_at_all(gateway: Gateway, code: str) -> None:
    gateway.show(code, **DUE)


def not_found(gateway: Gateway, code: str) -> None:
    del gateway.objects[code]


def followed(trial: Trial, gateway: Gateway) -> Trial:
    """Four parcels whose whole history is recorded."""
    at_gateway(trial, *CODES)
    for code in CODES:
        whole(gateway, code)
    trial.pass_at(at(day(2), 9))
    return trial


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(last_alone, id="only the last event"),
        pytest.param(first_alone, id="only the first event"),
        pytest.param(none_at_all, id="no events"),
        pytest.param(not_found, id="not found any more"),
    ],
)
def test_many_parcels_that_show_less_are_a_loss_of_sight(start: Start, shown: Shown, database_url: str) -> None:
    gateway = Gateway()
    with gateway.open():
        trial = followed(start(url=database_url), gateway)
        events, histories = trial.rows(Event), trial.rows(ShipmentHistory)
        for code in CODES:
            shown(gateway, code)
        trial.pass_through([at(day(2), 13), at(day(2), 17)])
        assert trial.rows(Event) == events  # nothing vanished
        assert trial.rows(ShipmentHistory) == histories
        alert = trial.one(Alert)
        assert (alert["kind"], alert["severity"], alert["resolved_at"]) == ("history_shrunk", "critical", None)
        for code in CODES:
            whole(gateway, code, event("OEC-01", at(day(3), 8), "Objeto saiu para entrega"))
        trial.pass_at(at(day(3), 9))
    assert trial.one(Alert)["resolved_at"] == at(day(3), 9)
    assert {row["status"] for row in trial.rows(ShipmentHistory)} == {"out_for_delivery"}


def test_one_parcel_that_shows_less_was_corrected(start: Start) -> None:
    gateway = Gateway()
    with gateway.open():
        trial = followed(start(), gateway)
        gateway.show(CODES[0], *EVENTS[:2], **DUE)
        trial.pass_at(at(day(2), 13))
    assert len([row for row in trial.rows(Event) if row["vanished_at"] is not None]) == 1
    assert trial.rows(Alert) == []


@pytest.mark.parametrize(
    ("shrunk", "expected"),
    [
        pytest.param([], False, id="nothing changed"),
        pytest.param([True, True], False, id="two may be corrections"),
        pytest.param([True] * 3, True, id="three of three"),
        pytest.param([True] * 3 + [False] * 3, True, id="half of six"),
        pytest.param([True] * 3 + [False] * 4, False, id="fewer than half"),
        pytest.param([True] * 3 + [None] * 40, True, id="parcels without a past cannot tell"),
    ],
)
def test_how_many_are_many(shrunk: list[bool | None], expected: bool) -> None:
    assert is_loss_of_sight(shrunk) is expected
