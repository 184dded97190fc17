"""What is mended keeps its original, what cannot be used is kept and marked, and later files put it right."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.end_to_end.support import Start, Trial, at, day
from tests.intake.support import DATA, read, read_sample
from tests.intake.test_folder_store import take
from tracker.store.tables import Order

NOW = at(day(2), 9)
HEADER = "Pedido;Cliente;E-mail;Telefone;CPF/CNPJ;CEP\r\n"
GOOD = "Maria da Silva;maria@example.com;(11) 98765-0123;529.982.247-25;01310-100"


def drop(trial: Trial, row: str, hour: int = 0) -> dict[str, Any]:
    """Take a file with this row of order 1001 and return the order."""
    trial.drop(f"pedidos-{hour}.csv", f"{HEADER}1001;{row}\r\n".encode())
    take(trial, NOW + timedelta(hours=hour))
    return trial.one(Order)


@pytest.mark.parametrize(
    ("row", "originals"),
    [
        pytest.param(GOOD, {}, id="nothing but punctuation"),
        pytest.param(GOOD.replace("Maria da Silva", "MARIA DA SILVA"), {"name": "MARIA DA SILVA"}, id="capitals"),
        pytest.param(GOOD.replace("98765", "8765"), {"phone": "(11) 8765-0123"}, id="the ninth digit"),
        pytest.param(GOOD.replace("(11) 98765-0123", "+55 11 98765 0123"), {}, id="the country's code"),
        pytest.param(GOOD.replace("01310-100", "1310100"), {"postal_code": "1310100"}, id="a zero lost"),
        pytest.param(GOOD.replace("-25", "-26"), {"document": "529.982.247-26"}, id="a wrong check digit"),
        pytest.param(
            GOOD.replace("maria@example.com", "nao@tem.com"), {"email": "nao@tem.com"}, id="an address for none"
        ),
        pytest.param(
            GOOD.replace("maria@example.com", "M@Example.COM, n@x.com"), {"email": "M@Example.COM, n@x.com"}, id="two"
        ),
        pytest.param(GOOD.replace("(11) 98765-0123", "98765-0123"), {"phone": "98765-0123"}, id="no area code"),
        pytest.param("Maria da Silva;;;;", {}, id="nothing given"),
        pytest.param("Maria da Silva;S/N;null;000.000.000-00;00000-000", {}, id="only says that nothing is there"),
    ],
)
def test_originals_of_a_row(row: str, originals: dict[str, str]) -> None:
    assert dict(read(f"{HEADER}1001;{row}\n").orders[0].originals) == originals


def test_an_invalid_document_is_kept_but_not_used() -> None:
    reading = read(f"{HEADER}1001;{GOOD.replace('-25', '-26')}\n")
    assert reading.orders[0].customer.document is None
    assert "não será usado em buscas nem em reclamações" in reading.lines[0].reason


def test_originals_of_a_note() -> None:
    order = read_sample("nfe", "01-normal.xml").orders[0]
    given = (DATA / "nfe" / "01-normal.xml").read_text(encoding="utf-8")
    for text in dict(order.originals).values():
        assert text in given
    shouted = read(
        given.replace("<xNome>Marina", "<xNome>MARINA", 1).replace("Azevedo Prado<", "AZEVEDO PRADO<"), "n.xml"
    )
    assert dict(shouted.orders[0].originals).get("name", "MARINA AZEVEDO PRADO") == "MARINA AZEVEDO PRADO"
    assert shouted.orders[0].customer.name == "Marina Azevedo Prado"


def test_rows_of_one_order_keep_the_originals_of_what_was_taken() -> None:
    bad, good = GOOD.replace("-25", "-26"), GOOD.replace("Maria da Silva", "MARIA DA SILVA")
    first = read(f"{HEADER}1001;{bad};\n1001;{good};\n").orders[0]
    assert (first.customer.document, dict(first.originals)) == ("52998224725", {})
    second = read(f"{HEADER}1001;{good};\n1001;{bad};\n").orders[0]
    assert (second.customer.document, dict(second.originals)) == ("52998224725", {"name": "MARIA DA SILVA"})


def test_the_store_keeps_them_with_the_order(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    order = drop(trial, GOOD.replace("Maria da Silva", "MARIA DA SILVA").replace("-25", "-26"))
    assert (order["customer_name"], order["customer_document"]) == ("Maria da Silva", None)
    assert order["originals"] == {"name": "MARIA DA SILVA", "document": "529.982.247-26"}
    # A later file without a name changes nothing of it; one with a good document takes the bad one away.
    assert drop(trial, ";;;52998224725;", 1)["originals"] == {"name": "MARIA DA SILVA"}
    # What cannot be used does not touch what can.
    order = drop(trial, GOOD.replace("-25", "-26"), 2)
    assert (order["customer_document"], order["originals"]) == ("52998224725", None)


def test_the_same_file_again_changes_no_original(start: Start) -> None:
    trial = start()
    first = drop(trial, GOOD.replace("Maria da Silva", "MARIA DA SILVA"))
    assert drop(trial, GOOD.replace("Maria da Silva", "MARIA DA SILVA"), 1) == first


def test_json_keeps_them_too() -> None:
    record = {"order_number": "1", "customer": {"name": "ANA D'ÁVILA", "phone": "11 8765-0123", "document": 1234567890}}
    order = read(json.dumps([record]), "p.json").orders[0]
    assert dict(order.originals) == {"name": "ANA D'ÁVILA", "phone": "11 8765-0123", "document": "1234567890"}
