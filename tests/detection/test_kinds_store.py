"""Kinds of problems that need more than tracking, in the simulated world: orders that did not leave, numbers nobody shows,
what a problem is grouped by, days on which nobody asked, a city's holiday."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.sandbox.workdays import add_business_days
from tracker.store.tables import (
    Alert,
    CarrierOutage,
    Claim,
    Decision,
    Notice,
    OrderCheck,
    Problem,
    ShipmentCheck,
    ShipmentPoll,
)

HEADER = "Pedido;Data;Cliente;E-mail;Transportadora;Código de rastreio;Status;Data limite de envio;Cidade;UF\r\n"


def quiet(trial: Trial) -> Trial:
    trial.settings["messages"]["preset"] = "none"
    trial.carrier["claims"]["mode"] = "off"
    return trial


def sheet(code: str = "", status: str = "Pago", ship_by: str = "07/08/2026") -> bytes:
    line = f"2001;03/08/2026;Ana de Teste;ana@example.com;Correios;{code};{status};{ship_by};Curitiba;PR\r\n"
    return (HEADER + line).encode("utf-8-sig")


def problems(trial: Trial, **where: Any) -> list[tuple[str, str | None]]:
    return [(row["kind"], row["resolution"]) for row in trial.rows(Problem, **where)]


# --- an order that should have left -------------------------------------------------------------------


def test_an_order_without_a_shipment_is_seen_the_day_after_its_deadline(start: Start, database_url: str) -> None:
    trial = quiet(start(url=database_url))
    trial.drop("pedidos.csv", sheet())
    trial.pass_at(at(day(3), 9))
    deadline = date(2026, 8, 7)
    midnight = at(deadline + timedelta(days=1), 0)
    assert trial.rows(Problem) == []
    assert trial.one(OrderCheck)["next_check_at"] == midnight
    trial.pass_at(midnight)
    row = trial.one(Problem)
    assert (row["subject_kind"], row["subject_id"], row["kind"]) == ("order", row["order_id"], "not_posted")
    assert (row["rule"], row["since"], row["carrier"], row["state"]) == ("not_posted.no_shipment", midnight, None, "PR")
    assert trial.one(OrderCheck)["next_check_at"] is None
    assert trial.rows(Decision, subject_kind="problem", outcome="opened")


def test_an_order_that_was_sent_without_a_number_is_seen_until_the_number_comes(
    start: Start, database_url: str
) -> None:
    trial = quiet(start(of_fate(Fate.NEVER_POSTED), url=database_url))
    trial.drop("pedidos.csv", sheet(status="Enviado", ship_by=""))
    trial.pass_at(at(day(3), 9))
    assert trial.rows(Problem) == []
    trial.pass_at(at(day(8), 9))
    row = trial.one(Problem)
    assert (row["subject_kind"], row["kind"], row["rule"]) == ("order", "untrackable", "untrackable.no_number")
    shown = " ".join(trial.command("show", "2001").stdout.split())
    assert f"P{row['id']} sem rastreio desde" in shown
    assert "espera o código de rastreio ou a chave da NF-e" in shown and "tracker edit 2001 --code CÓDIGO" in shown
    told = " ".join(trial.command("explain", f"P{row['id']}").stdout.split())
    assert "a loja diz que o pedido foi enviado" in told
    trial.drop("codigos.csv", sheet(code=of_fate(Fate.NEVER_POSTED).code, status="Enviado", ship_by=""))
    trial.pass_at(at(day(8), 12))
    assert problems(trial) == [("untrackable", "shipped")]


@pytest.mark.parametrize(
    ("then", "resolution"),
    [
        pytest.param(sheet(status="Cancelado"), "order_cancelled", id="cancelled"),
        pytest.param(sheet(ship_by="30/08/2026"), "promise_moved", id="a later deadline"),
        pytest.param(sheet(code=of_fate(Fate.NEVER_POSTED).code), "shipped", id="a number came"),
    ],
)
def test_a_later_file_ends_it(start: Start, then: bytes, resolution: str) -> None:
    trial = quiet(start(of_fate(Fate.NEVER_POSTED)))
    trial.drop("pedidos.csv", sheet())
    trial.pass_at(at(day(8), 9))
    assert problems(trial) == [("not_posted", None)]
    trial.drop("mais.csv", then)
    trial.pass_at(at(day(8), 12))
    assert problems(trial, subject_kind="order") == [("not_posted", resolution)]


def test_an_order_that_is_sent_by_the_shops_own_word_waits_for_nothing(start: Start) -> None:
    trial = quiet(start())
    trial.drop("pedidos.csv", sheet(status="Enviado"))
    trial.pass_at(at(day(20), 9))
    assert trial.rows(Problem) == []


# --- a number without a first scan --------------------------------------------------------------------


def test_a_label_nobody_scanned_is_seen_told_to_nobody_and_claimed_by_nobody(start: Start, database_url: str) -> None:
    never = of_fate(Fate.NEVER_POSTED)
    trial = start(never, url=database_url)
    trial.drop_orders()
    trial.pass_at(at(never.order.shipped_on, 18))
    # The order says when it was handed over: two business days of patience (a state's holiday is none).
    seen = trial.one(ShipmentCheck)["next_check_at"]
    assert seen >= at(add_business_days(never.order.shipped_on, 2) + timedelta(days=1), 0)
    trial.pass_at(seen - timedelta(minutes=1))
    assert trial.rows(Problem) == []
    trial.pass_through([seen, seen + timedelta(hours=9)])
    row = trial.one(Problem)
    assert (row["kind"], row["rule"], row["since"]) == ("not_posted", "not_posted.no_scan", seen)
    assert (row["carrier"], row["place"], row["state"]) == ("correios", None, never.order.customer.place.state)
    assert trial.told() == [] == trial.rows(Claim) == trial.rows(Notice)


def test_a_number_that_stays_unknown_is_given_up_and_said_so(start: Start) -> None:
    trial = quiet(start(of_fate(Fate.NEVER_POSTED)))
    trial.settings["rules"] = {"not_found_days": 20}
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in range(3, 27))
    assert trial.one(ShipmentPoll)["closed_reason"] == "not_found"
    assert problems(trial) == [("not_posted", "superseded"), ("untrackable", None)]


def test_a_number_of_another_contract_cannot_be_followed(start: Start, database_url: str) -> None:
    trial = quiet(start(of_fate(Fate.OTHER_CONTRACT), url=database_url))
    trial.drop_orders()
    trial.pass_at(at(day(5), 9))
    row = trial.one(Problem)
    assert (row["kind"], row["since"], row["resolved_at"]) == ("untrackable", at(day(5), 9), None)


# --- what tracking shows at the door --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        pytest.param(Fate.RETURNED_ABSENT, {"delivery_failed", "returning", "returned"}, id="never at home"),
        pytest.param(Fate.WRONG_ADDRESS, {"address_problem", "returning", "returned"}, id="wrong address"),
        pytest.param(Fate.RETURNED_UNCLAIMED, {"pickup_expiring", "returning", "returned"}, id="not fetched in time"),
    ],
)
def test_what_a_fate_comes_to(start: Start, fate: Fate, expected: set[str]) -> None:
    trial = quiet(start(of_fate(fate)))
    trial.drop_orders()
    trial.pass_through(at(day(n), hour) for n in range(2, 27) for hour in (9, 19))
    rows = {row["kind"]: row for row in trial.rows(Problem)}
    assert expected - set(rows) == set()
    assert set(rows) - expected <= {"delivery_failed", "late_delivery", "delay"}
    for kind in ("delivery_failed", "address_problem", "pickup_expiring"):
        assert kind not in rows or rows[kind]["resolved_at"] is not None


def test_a_problem_keeps_where_the_parcel_was_last_seen(start: Start) -> None:
    late = of_fate(Fate.LATE_OPEN)
    trial = quiet(start(late))
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in range(2, 8))
    row = trial.one(Problem, kind="delay")
    assert (row["carrier"], row["state"]) == ("correios", late.order.customer.place.state)
    assert row["place"] is not None and row["place"].rpartition("/")[2] in {"PR", late.order.customer.place.state}


# --- a delivery taken back (carrier reference 3.3, EST) ---------------------------------------------------


def test_a_delivery_taken_back_is_alerted_once_until_it_is_delivered_after_all(start: Start, database_url: str) -> None:
    reversed_one = of_fate(Fate.REVERSAL)
    trial = quiet(start(reversed_one, url=database_url))
    trial.drop_orders()
    ends = [event.at for event in reversed_one.events if event.code in {"BDE", "EST"}]
    trial.pass_through(instant + timedelta(hours=6) for instant in (at(day(2), 9), *ends))
    (alert,) = trial.rows(Alert, kind="delivery_reversed")
    assert reversed_one.code in alert["summary"]
    assert alert["resolved_at"] is not None
    (note,) = trial.rows(Decision, rule="delivery.reversed")
    assert (note["subject_kind"], note["outcome"]) == ("shipment", "undone")


# --- days on which nobody asked (design.md section 6) ------------------------------------------------------


def test_days_on_which_this_program_was_stopped_are_no_silence(start: Start, database_url: str) -> None:
    silent = of_fate(Fate.LOST_SILENT)
    presumed = add_business_days(silent.due_on, 7) + timedelta(days=1)
    trial = quiet(start(silent, url=database_url))
    trial.drop_orders()
    trial.pass_at(at(day(3), 9))
    trial.pass_at(at(presumed, 9))
    away = trial.one(CarrierOutage)
    assert (away["family"], away["started_at"], away["ended_at"]) == ("own_absence", at(day(4), 9), at(presumed, 9))
    assert problems(trial, kind="loss") == problems(trial, kind="stalled") == []
    # A delay is no silence: one answer since the due date shows that it is not here.
    assert problems(trial) == [("delay", None)]


def test_one_look_a_day_is_no_absence(start: Start) -> None:
    silent = of_fate(Fate.LOST_SILENT)
    presumed = add_business_days(silent.due_on, 7) + timedelta(days=1)
    trial = quiet(start(silent))
    trial.drop_orders()
    trial.pass_through(at(day(3) + timedelta(days=n), 9 + n % 3) for n in range((presumed - day(3)).days + 1))
    assert trial.rows(CarrierOutage) == []
    assert problems(trial, kind="loss") == [("loss", None)]


# --- a city's own holiday (carrier reference 4.2) -----------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "days_later"),
    [
        pytest.param({}, 0, id="none named"),
        pytest.param({"place": True}, 1, id="of the city it goes to"),
        pytest.param({"Xanxerê/SC": True}, 0, id="of another city"),
    ],
)
def test_a_citys_holiday_is_a_day_of_patience(start: Start, named: dict[str, bool], days_later: int) -> None:
    silent = of_fate(Fate.LOST_SILENT)
    place = silent.order.customer.place
    closed = add_business_days(silent.due_on, 3)
    city = f"  {place.city.upper()}/{place.state.lower()} "
    trial = quiet(start(silent))
    trial.settings["city_holidays"] = {city if name == "place" else name: [closed] for name in named}
    trial.drop_orders()
    last = add_business_days(silent.due_on, 7 + days_later) + timedelta(days=1)
    trial.pass_through(at(day(3) + timedelta(days=n), 9) for n in range((last - day(3)).days))
    assert problems(trial, kind="loss") == []
    trial.pass_at(at(last, 9))
    assert problems(trial, kind="loss") == [("loss", None)]


@pytest.mark.parametrize(
    "closed", [pytest.param(False, id="an ordinary day"), pytest.param(True, id="a city's holiday")]
)
def test_a_claim_waits_for_the_business_day_after_a_citys_holiday(start: Start, closed: bool) -> None:
    late = of_fate(Fate.LATE_OPEN)
    place = late.order.customer.place
    first = add_business_days(late.due_on, 1)
    trial = start(late)
    trial.settings["messages"]["preset"] = "none"
    trial.settings["city_holidays"] = {f"{place.city}/{place.state}": [first] if closed else []}
    trial.drop_orders()
    trial.pass_through(at(late.due_on + timedelta(days=n), 9) for n in (-1, 0, 1))
    assert trial.one(Claim)["claimable_from"] == add_business_days(late.due_on, 2 if closed else 1)
    assert bool(trial.attempts()) is (first == late.due_on + timedelta(days=1) and not closed)
