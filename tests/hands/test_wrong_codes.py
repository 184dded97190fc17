"""A code in a file that cannot be one: kept with its order, found by it, and mended by the command that every report names."""

from __future__ import annotations

import pytest

from tests.end_to_end.support import Start, Trial, at, day
from tests.hands.support import hand, one_line, shown
from tests.intake.support import DATA, read
from tracker.domain.wrong_codes import wrong_codes
from tracker.sandbox.fates import s10_code
from tracker.store.tables import Order, ShipmentRef

GOOD, RIGHT, OTHER = (s10_code("AA", number) for number in (12345678, 87654321, 11111111))
WRONG = s10_code("AA", 11223344, wrong=True)
GLUED = GOOD + RIGHT
HEADER = "Pedido;Cliente;E-mail;Transportadora;Código de rastreio\r\n"
NOW = at(day(2), 9)


def taken(trial: Trial, *lines: tuple[str, str], name: str = "pedidos.csv") -> str:
    """Orders with these (number, code) are imported; the report that lies beside their file."""
    rows = "".join(f'{number};Ana de Teste;ana@example.com;Correios;"{code}"\r\n' for number, code in lines)
    trial.drop(name, (HEADER + rows).encode())
    trial.pass_at(NOW)
    return (trial.inbox / "done" / f"{name}.resultado.csv").read_text(encoding="utf-8-sig")


def kept(trial: Trial, number: str) -> tuple[str, ...]:
    return wrong_codes(trial.one(Order, number=number)["originals"])


@pytest.mark.parametrize(
    ("cell", "code", "as_typed"),
    [
        pytest.param(WRONG, WRONG, f"{WRONG[:2].lower()} {WRONG[2:]}", id="a digit is wrong"),
        pytest.param(GLUED, GLUED, GLUED, id="two codes without anything between them"),
        pytest.param("ver com a loja", "ver com a loja", "ver com a loja", id="words"),
        pytest.param("1,23457E+11", "1,23457E+11", "1,23457E+11", id="what a spreadsheet has eaten"),
    ],
)
def test_an_order_is_found_by_the_code_that_cannot_be(start: Start, cell: str, code: str, as_typed: str) -> None:
    trial = start()
    report = taken(trial, ("1001", cell), ("1002", RIGHT))
    assert "tracker edit 1001 --code CERTO" in report and code in report
    assert kept(trial, "1001") == (code,) and kept(trial, "1002") == ()
    screen = one_line(hand(trial, "show", as_typed))
    assert screen.startswith("PEDIDO 1001 ")
    assert f'O arquivo traz o código "{code}", que não pode ser um código de rastreio.' in screen
    assert screen.endswith("O certo: tracker edit 1001 --code CERTO")
    assert shown(trial, "show", as_typed)["order"]["originals"]["code"] == code


def test_the_right_one_takes_its_place_and_no_file_brings_it_back(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    taken(trial, ("1001", WRONG))
    hand(trial, "edit", WRONG.lower(), "--code", GOOD)
    assert kept(trial, "1001") == ()
    taken(trial, ("1001", WRONG), ("1002", RIGHT), name="mais.csv")
    assert kept(trial, "1001") == ()
    assert {row["value"] for row in trial.rows(ShipmentRef)} == {GOOD, RIGHT}
    screen = one_line(hand(trial, "show", "1001"))
    assert f"{WRONG} → {GOOD}" in screen and "não pode ser um código" not in screen


def test_a_mended_file_takes_it_away(start: Start) -> None:
    trial = start()
    taken(trial, ("1001", WRONG))
    taken(trial, ("1001", GOOD), name="certo.csv")
    assert kept(trial, "1001") == ()
    # A file that says nothing of codes takes nothing back.
    taken(trial, ("1002", WRONG), name="outro.csv")
    trial.drop("sem-codigo.csv", b"Pedido;Cliente;E-mail\r\n1002;Ana de Teste;ana@example.com\r\n")
    trial.pass_at(NOW)
    assert kept(trial, "1002") == (WRONG,)


def test_beside_a_good_code_a_wrong_one_is_named_by_itself(start: Start) -> None:
    trial = start()
    taken(trial, ("1001", f"{GOOD} / {WRONG}"))
    assert f"O certo: tracker edit {WRONG} --code CERTO" in one_line(hand(trial, "show", "1001"))
    said = hand(trial, "edit", "1001", "--code", RIGHT, exit_code=2)
    (first,) = trial.rows(ShipmentRef)
    name = f"S{first['shipment_id']}"
    assert said == (
        f"order 1001 has several: {name} ({GOOD}), {WRONG} (cannot be a code); name the one that is to be corrected\n"
    )
    assert f"order 1001 had no parcel for {WRONG}" in hand(trial, "edit", WRONG, "--code", RIGHT)
    assert {row["value"] for row in trial.rows(ShipmentRef)} == {GOOD, RIGHT}
    assert kept(trial, "1001") == ()
    # The good one is corrected as before.
    assert f"code {GOOD} -> {OTHER}" in hand(trial, "edit", GOOD, "--code", OTHER)


def test_of_two_wrong_codes_one_is_named(start: Start) -> None:
    trial = start()
    other = s10_code("AA", 55667788, wrong=True)
    taken(trial, ("1001", f"{WRONG} / {other}"))
    said = hand(trial, "edit", "1001", "--code", GOOD, exit_code=2)
    assert said.startswith(
        f"order 1001 has several: {WRONG} (cannot be a code), {other} (cannot be a code); name the one"
    )
    assert "is its first" in hand(trial, "edit", other, "--code", GOOD)
    assert kept(trial, "1001") == (WRONG,)
    assert "is one more" in hand(trial, "edit", WRONG, "--code", RIGHT)
    assert kept(trial, "1001") == ()


def test_several_orders_with_one_wrong_code_are_offered(start: Start) -> None:
    trial = start()
    taken(trial, ("1001", WRONG), ("1002", WRONG))
    offered = hand(trial, "show", WRONG)
    assert offered.startswith("Mais de um pedido") and "1001" in offered and "1002" in offered
    assert f"{WRONG} could be O" in hand(trial, "edit", WRONG, "--code", GOOD, exit_code=2)
    assert trial.rows(ShipmentRef) == []


def test_every_kind_of_file_keeps_it() -> None:
    note = (DATA / "nfe" / "01-normal.xml").read_text(encoding="utf-8").replace("AB123456785BR", WRONG)
    record = f'[{{"order_number": "1001", "packages": [{{"tracking_code": "{WRONG}"}}]}}]'
    sheet = f"{HEADER}1001;Ana;ana@example.com;Correios;{WRONG}\r\n1001;Ana;ana@example.com;Correios;{GLUED[:13]}X\r\n"
    for name, text in (("nota.xml", note), ("pedidos.json", record), ("pedidos.csv", sheet)):
        reading = read(text, name)
        (order,) = reading.orders
        assert wrong_codes(dict(order.originals))[0] == WRONG, name
        (sentence, *_) = [line.reason for line in reading.lines if WRONG in line.reason]
        assert f"o certo entra com tracker edit {order.number} --code CERTO" in sentence, name
