"""`tracker edit --carrier`: a parcel goes to another account with all that is known of it."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from carriers.invoice import with_check_digit
from tests.claims.letters import LEAVES, by_letter
from tests.end_to_end.flecha import LATE, Flecha
from tests.end_to_end.flecha import flecha as flecha
from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.hands.support import hand, one_line
from tracker.sandbox.plan import Fate
from tracker.store.tables import (
    Claim,
    Event,
    OperatorAct,
    OrderAlias,
    Shipment,
    ShipmentPoll,
    ShipmentRef,
    table,
)


def two_accounts(trial: Trial, flecha: Flecha) -> Trial:
    by_letter(trial, flecha)
    first = trial.settings["carriers"][0]
    other = {**first, "id": "flecha-sul", "adapter": "flecha"}
    other["base_url"] = first["base_url"].replace("127.0.0.1", "localhost")
    trial.settings["carriers"].append(other)
    return trial


def test_a_parcel_goes_to_another_account_with_its_history(start: Start, flecha: Flecha) -> None:
    trial = two_accounts(start(), flecha)
    trial.pass_through([at(day(2), 12), LEAVES])
    assert (trial.one(Claim)["carrier"], trial.one(Claim)["state"]) == ("flecha", "open")
    moved = trial.command("edit", LATE, "--carrier", "flecha-sul", "--reason", "conta errada")
    assert one_line(moved.stdout) == (
        "S1 (order F1): flecha -> flecha-sul; what is known of it stays, flecha-sul is asked now;"
        " C1 was filed with flecha: it stays there"
    )
    flecha.show(LATE, (9, at(day(6), 8), "D1"))  # the other account knows nothing of what was before
    trial.pass_at(at(day(6), 12))
    told = [(row["carrier_code"], row["told_by"], row["vanished_at"]) for row in trial.rows(Event)]
    assert told == [("B1", "flecha", None), ("C1", "flecha", None), ("D1", None, None)]
    assert (trial.one(Shipment)["carrier"], trial.one(ShipmentPoll)["carrier"]) == ("flecha-sul", "flecha-sul")
    assert trial.one(ShipmentPoll)["outcome"] == "found"
    assert trial.one(Claim)["carrier"] == "flecha"
    shown = trial.command("show", LATE).stdout
    assert shown.count("[de flecha]") == 2
    act = trial.one(OperatorAct)["facts"]
    assert (act["field"], act["was"], act["now"]) == ("carrier", "flecha", "flecha-sul")
    trial.drop("again.csv", (trial.folder / "inbox" / "done" / "flecha.csv").read_bytes())
    trial.pass_at(at(day(6), 13))
    assert len(trial.rows(Shipment)) == 1


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        pytest.param([LATE, "--carrier", "nada"], 2, "there is no such carrier", id="nobody's account"),
        pytest.param([LATE, "--carrier", "flecha"], 0, "has this code already: nothing to correct", id="where it is"),
        pytest.param(
            [LATE, "--carrier", "flecha-sul", "--email", "a@example.com"],
            2,
            "name what to correct",
            id="two things at once",
        ),
    ],
)
def test_what_cannot_be_moved(start: Start, flecha: Flecha, arguments: list[str], exit_code: int, says: str) -> None:
    trial = two_accounts(start(), flecha)
    trial.pass_at(at(day(2), 12))
    done = trial.command("edit", *arguments)
    assert done.returncode == exit_code
    assert says in done.stdout + done.stderr


KEY = "35261111222333000181550010000010011102030405"
LETTERS = with_check_digit("352611" + "12ABC34501DE35" + "55" + "001" + "000001001" + "1" + "10203040")
FREIGHT = "35261144555666000161570010000070011556677887"


PARCEL = of_fate(Fate.LATE_OPEN)
CODE = PARCEL.code


def beside_files(trial: Trial, key: str, columns: str = "Chave da NF-e") -> Trial:
    """The shop's other carrier sends files, in which goods stand by their invoice."""
    trial.settings["carriers"].append(
        {"id": "estrada", "adapter": "ocoren", "files": [{"kind": "folder", "path": "edi"}]}
    )
    lines = [
        f"Pedido;Cliente;E-mail;Transportadora;Código de rastreio;{columns}",
        f"F1;Bia de Teste;bia@example.com;correios;{CODE};{key}",
    ]
    trial.drop("pedidos.csv", ("\r\n".join(lines) + "\r\n").encode())
    trial.pass_at(at(day(2), 12))
    return trial


@pytest.mark.parametrize(
    ("key", "invoice"),
    [
        pytest.param(KEY, "11222333000181/1/1001", id="a key of digits"),
        pytest.param(LETTERS, "12ABC34501DE35/1/1001", id="a key whose CNPJ has letters"),
    ],
)
def test_a_carrier_that_knows_goods_by_their_invoice_is_given_the_one_of_the_key(
    start: Start, key: str, invoice: str
) -> None:
    trial = beside_files(start(PARCEL), key)
    assert one_line(hand(trial, "edit", CODE, "--carrier", "estrada")) == (
        f"S1 (order F1): code {CODE} -> {invoice}, correios -> estrada; what is known of it stays, estrada tells of it"
    )
    (ref,) = trial.rows(ShipmentRef, active=True)
    assert (ref["kind"], ref["value"], trial.one(ShipmentPoll)["carrier"]) == ("invoice", invoice, "estrada")
    assert {row["told_by"] for row in trial.rows(Event)} == {"correios"}
    shown = one_line(hand(trial, "show", "S1"))
    assert "Notícias a transportadora avisa por si · a última: " in shown and "Consulta" not in shown
    told = one_line(hand(trial, "explain", "S1", "--lang", "en"))
    assert "the carrier tells of it by itself and cannot be asked" in told and "asked again" not in told
    trial.drop("again.csv", (trial.folder / "inbox" / "done" / "pedidos.csv").read_bytes())
    trial.pass_at(at(day(2), 13))
    assert len(trial.rows(Shipment)) == 1
    back = one_line(hand(trial, "edit", "S1", "--carrier", "correios", exit_code=2))
    assert back.startswith(
        f"{invoice} is no code of correios: name the one it has there (--code ... --carrier correios"
    )


def test_a_key_that_came_with_another_file_of_the_order_counts(start: Start) -> None:
    trial = beside_files(start(PARCEL), "")
    with trial.database.begin_write() as connection:
        connection.execute(insert(table(OrderAlias)).values(shop="aurora", kind="invoice_key", alias=KEY, order_id=1))
    assert "-> 11222333000181/1/1001," in hand(trial, "edit", CODE, "--carrier", "estrada")


@pytest.mark.parametrize(
    ("key", "columns"),
    [
        pytest.param("", "Chave da NF-e", id="no key"),
        pytest.param(FREIGHT, "Chave da NF-e", id="the key of a freight document"),
        pytest.param("1001", "Nota fiscal", id="a number without its series"),
    ],
)
def test_without_the_key_a_person_is_asked_for_it(start: Start, key: str, columns: str) -> None:
    trial = beside_files(start(PARCEL), key, columns)
    assert one_line(hand(trial, "edit", CODE, "--carrier", "estrada", exit_code=2)) == (
        "estrada follows goods by their invoice, and no file named the key of S1's: give its 44 characters"
        " (--code KEY --carrier estrada --same-parcel)"
    )
    given = one_line(hand(trial, "edit", CODE, "--code", KEY, "--carrier", "estrada", "--same-parcel"))
    assert "-> 11222333000181/1/1001, correios -> estrada; what is known of it stays" in given
