"""Due dates from the carrier's calculator: asked for once, recorded as facts, never guessed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest

from carriers.base import DeadlineAnswer, DeadlineOutcome
from tests.domain.support import DAYS
from tests.end_to_end.support import MONDAY, Start, Trial, at, day
from tests.polling.gateway import Gateway, at_gateway, event, orders_file
from tracker.polling.deadlines import due_date
from tracker.store.tables import Alert, CarrierState, Decision, DueDate, Problem, ShipmentDeadline, ShipmentHistory

CODE, OTHER = "AD100000017BR", "AD100000025BR"
POSTED = event("PO-01", at(MONDAY, 10), "Objeto postado")
MOVING = event("RO-01", at(day(2), 3))
TERM = {"prazoEntrega": 5, "dataMaxima": "2026-08-11T23:58:00", "entregaDomiciliar": "N"}
FIRST = at(day(2), 9)


def decisions(trial: Trial) -> list[tuple[str, str]]:
    return [(row["outcome"], row["reason"]) for row in trial.rows(Decision, rule="deadline.calculator")]


def test_a_due_date_that_tracking_does_not_name_is_asked_for_once(start: Start, database_url: str) -> None:
    trial = at_gateway(start(url=database_url), CODE)
    gateway = Gateway(terms=[TERM])
    gateway.show(CODE, POSTED, MOVING)
    with gateway.open():
        trial.pass_at(FIRST)
        gateway.show(CODE, POSTED, MOVING, event("RO-01", at(day(3), 3)))
        trial.pass_at(at(day(3), 9))
    ((_, asked),) = gateway.calls("prazo")
    shipment = trial.one(ShipmentHistory)["shipment_id"]
    assert asked == [
        {
            "nuRequisicao": str(shipment),
            "coProduto": "03298",
            "cepOrigem": "80010970",
            "cepDestino": "50010970",
            "dtEvento": "03-08-2026",
        }
    ]
    due = trial.one(DueDate)
    assert (due["source"], due["due_on"]) == ("calculator", date(2026, 8, 11))
    history = trial.one(ShipmentHistory)
    assert (history["carrier_due_first_on"], history["carrier_due_on"]) == (date(2026, 8, 11), date(2026, 8, 11))
    kept = trial.one(ShipmentDeadline)
    assert (kept["state"], kept["business_days"], kept["carrier_due_on"], kept["home_delivery"]) == (
        "named",
        5,
        date(2026, 8, 11),
        False,
    )
    ((outcome, reason),) = decisions(trial)
    assert outcome == "named"
    assert "due on 2026-08-11 by the carrier's calculator, posted on 2026-08-03" in reason


def test_a_parcel_is_late_by_the_calculators_date(start: Start) -> None:
    trial = at_gateway(start(), CODE)
    gateway = Gateway(terms=[TERM])
    gateway.show(CODE, POSTED, MOVING)
    with gateway.open():
        trial.pass_through([FIRST, *(at(day(n), 9) for n in range(8, 12))])
    assert "delay" in {row["kind"] for row in trial.rows(Problem)}


@pytest.mark.parametrize(
    "answer", [pytest.param(True, id="tracking names one"), pytest.param(False, id="not posted yet")]
)
def test_nothing_is_asked_where_there_is_no_need(start: Start, answer: bool) -> None:
    trial = at_gateway(start(), CODE)
    gateway = Gateway(terms=[TERM])
    if answer:
        gateway.show(CODE, POSTED, dtPrevista="2026-08-12T23:59:59")
    else:
        gateway.show(CODE, event("FC-82", at(MONDAY, 9), "Etiqueta emitida"))
    with gateway.open():
        trial.pass_at(FIRST)
    assert gateway.calls("prazo") == []


def test_tracking_comes_first_and_the_calculator_counts_for_the_latest(start: Start) -> None:
    trial = at_gateway(start(), CODE)
    gateway = Gateway(terms=[TERM])
    gateway.show(CODE, POSTED)
    with gateway.open():
        trial.pass_at(FIRST)
        gateway.show(CODE, POSTED, MOVING, dtPrevista="2026-08-07T23:59:59")
        trial.pass_at(at(day(3), 9))
    history = trial.one(ShipmentHistory)
    assert history["carrier_due_first_on"] == history["carrier_due_on"] == date(2026, 8, 7)
    assert history["carrier_due_max_on"] == date(2026, 8, 11)


def test_missing_data_is_said_once_and_asked_for_when_it_is_there(start: Start, database_url: str) -> None:
    trial = at_gateway(start(url=database_url), CODE)
    del trial.shop["origin_postal_code"]
    gateway = Gateway(terms=[TERM])
    gateway.show(CODE, POSTED)
    with gateway.open():
        trial.pass_at(FIRST)
        gateway.show(CODE, POSTED, MOVING)
        trial.pass_at(at(day(3), 9))
        assert gateway.calls("prazo") == []
        ((outcome, reason),) = decisions(trial)
        assert (outcome, "origin_postal_code" in reason) == ("missing", True)
        shipment = trial.one(ShipmentDeadline)["shipment_id"]
        assert "origin_postal_code" in trial.command("explain", f"S{shipment}").stdout
        trial.shop["origin_postal_code"] = "80010970"
        trial.carrier["services"] = {"SEDEX": "03220"}
        trial.pass_at(at(day(3), 10))
        assert "no service code is configured for PAC" in decisions(trial)[-1][1]
        trial.carrier["services"]["PAC"] = "03298"
        trial.pass_at(at(day(3), 11))
    assert trial.one(ShipmentDeadline)["state"] == "named"
    assert trial.one(DueDate)["due_on"] == date(2026, 8, 11)


def test_a_destination_that_the_order_gets_later_is_asked_for(start: Start) -> None:
    trial = at_gateway(start(), CODE, postal_code="")
    gateway = Gateway(terms=[TERM])
    gateway.show(CODE, POSTED)
    with gateway.open():
        trial.pass_at(FIRST)
        assert "no postal code of the destination" in decisions(trial)[0][1]
        trial.drop("corrigido.csv", orders_file(CODE))
        trial.pass_at(FIRST + timedelta(minutes=5))
    assert trial.one(ShipmentDeadline)["state"] == "named"


def test_a_refusal_of_one_parcel_is_tried_again_for_a_week_and_then_rests(start: Start) -> None:
    trial = at_gateway(start(), CODE, OTHER)
    gateway = Gateway(terms=[{"txErro": "CEP de destino inexistente."}])
    gateway.show(CODE, POSTED)
    with gateway.open():
        trial.pass_through([FIRST, *(at(day(n), 10) for n in range(2, 15))])
    assert len(gateway.calls("prazo")) == 4
    row = trial.one(ShipmentDeadline)
    assert (row["state"], row["next_ask_at"], row["reason"]) == ("refused", None, "CEP de destino inexistente.")
    assert [outcome for outcome, _ in decisions(trial)] == ["refused"]
    assert trial.rows(DueDate) == []


def test_one_bad_parcel_spoils_no_other(start: Start) -> None:
    trial = at_gateway(start(), CODE, OTHER)
    refused = httpx.Response(400, json={"msgs": ["CEP de destino inválido."]})
    gateway = Gateway(terms=[refused, refused, refused, refused, TERM])
    gateway.show(CODE, POSTED)
    gateway.show(OTHER, POSTED)
    with gateway.open():
        trial.pass_at(FIRST)
    assert sorted(row["state"] for row in trial.rows(ShipmentDeadline)) == ["named", "refused"]


def test_a_calculator_that_is_down_harms_nothing_else(start: Start, database_url: str) -> None:
    trial = at_gateway(start(url=database_url), CODE)
    gateway = Gateway(terms=[httpx.Response(503)])
    gateway.show(CODE, POSTED)
    with gateway.open():
        trial.pass_at(FIRST)
        states = {row["family"]: row["failures"] for row in trial.rows(CarrierState)}
        assert (states["deadlines"], states.get("tracking", 0)) == (1, 0)
        waiting = trial.one(ShipmentDeadline)
        assert (waiting["state"], waiting["lease_token"]) == ("waiting", None)
        gateway.terms = [TERM]
        trial.pass_at(FIRST + timedelta(minutes=2))
    assert trial.one(DueDate)["due_on"] == date(2026, 8, 11)


def test_an_api_that_is_not_opened_stops_this_family_alone(start: Start) -> None:
    trial = at_gateway(start(), CODE)
    gateway = Gateway(terms=[httpx.Response(403)])
    gateway.show(CODE, POSTED)
    with gateway.open():
        trial.pass_at(FIRST)
        gateway.show(CODE, POSTED, MOVING)
        trial.pass_at(at(day(3), 9))
    assert trial.one(Alert, kind="credentials_refused")["details"]["family"] == "deadlines"
    assert trial.one(ShipmentHistory)["status"] == "in_transit"


@pytest.mark.parametrize(
    ("answer", "posted_on", "expected"),
    [
        pytest.param({"business_days": 1}, date(2022, 3, 18), date(2022, 3, 21), id="Friday and one: Monday"),
        pytest.param({"business_days": 5}, date(2022, 3, 18), date(2022, 3, 25), id="Friday and five: Friday"),
        pytest.param(
            {"business_days": 1, "after_cutoff": True}, date(2022, 3, 18), date(2022, 3, 22), id="after the cut-off"
        ),
        pytest.param(
            {"business_days": 1, "after_cutoff": True, "due_on": date(2022, 3, 21)},
            date(2022, 3, 18),
            date(2022, 3, 22),
            id="the calculator cannot know how late that day it came",
        ),
        pytest.param({"business_days": 3}, date(2026, 12, 22), date(2026, 12, 29), id="doubtful days are holidays"),
        pytest.param({}, date(2022, 3, 18), None, id="nothing was named"),
        pytest.param({"outcome": DeadlineOutcome.REFUSED, "due_on": date(2022, 3, 21)}, MONDAY, None, id="refused"),
    ],
)
def test_what_an_answer_comes_to(answer: dict[str, Any], posted_on: date, expected: date | None) -> None:
    """The first two are the examples of the carrier's own manual."""
    values: dict[str, Any] = {"key": 1, "outcome": DeadlineOutcome.NAMED, **answer}
    assert due_date(DeadlineAnswer(**values), posted_on, DAYS) == expected


def test_instants_are_local_days(start: Start) -> None:
    """Posted at 22:30 in Brasília is the next day in UTC already."""
    trial = at_gateway(start(), CODE)
    gateway = Gateway(terms=[TERM])
    late: datetime = at(MONDAY, 22, 30)
    gateway.show(CODE, event("PO-09", late, "Objeto postado após o horário limite da unidade"))
    with gateway.open():
        trial.pass_at(FIRST)
    assert gateway.calls("prazo")[0][1][0]["dtEvento"] == "03-08-2026"
