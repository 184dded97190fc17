"""Whose code a line's seems to be: told to a person, and never acted upon."""

from __future__ import annotations

import pytest

from carriers.base import RefKind, TrackingRef
from tests.carriers.fictitious import FictitiousTracking
from tests.claims.letters import by_letter
from tests.end_to_end.flecha import Flecha
from tests.end_to_end.flecha import flecha as flecha
from tests.end_to_end.support import Start, at, day
from tracker.book import suggestion
from tracker.store.tables import Shipment


@pytest.mark.parametrize(
    ("code", "but", "says"),
    [
        pytest.param("888012345678901", "", "Parece um código de J&T Express", id="a shape of its own"),
        pytest.param("AA123456785BR", "jadlog", "Parece um código de Correios", id="not the carrier that was named"),
        pytest.param("AA123456785BR", "correios", "", id="the named carrier has said no: nothing to add"),
        pytest.param(
            "35261112ABC34501DE35550010000010041102030432", "", "Parece a chave de uma NF-e", id="an invoice key"
        ),
        pytest.param("986578788855", "", "", id="digits that many write"),
        pytest.param("PEDIDO10482", "", "", id="nobody's"),
        pytest.param(None, "", "", id="no code"),
    ],
)
def test_whose_code_it_seems(code: str | None, but: str, says: str) -> None:
    found = suggestion(code, but)
    assert found.startswith(f" {says}") if says else found == ""


def test_a_line_says_whose_code_it_seems_and_nothing_is_assigned(start: Start) -> None:
    trial = start()
    other = {**trial.carrier, "id": "correios-2", "adapter": "correios", "user": "98765432000198"}
    other.pop("aliases", None)
    trial.settings["carriers"].append(other)
    heading = "Pedido;Cliente;E-mail;Transportadora;Código de rastreio"
    lines = [
        "1;Ana de Teste;ana@example.com;;888012345678901",
        "2;Bia de Teste;bia@example.com;Correios;888012345678901",
    ]
    trial.drop("orders.csv", "\r\n".join([heading, *lines, ""]).encode())
    trial.write_config()
    done = trial.command("import", str(trial.inbox / "orders.csv"))
    said = " ".join((done.stdout + done.stderr).split())
    assert (
        said.count("Parece um código de J&T Express; se for, informe a transportadora na coluna Transportadora.") == 2
    )
    assert trial.rows(Shipment) == []


@pytest.mark.parametrize(
    ("code", "carriers"),
    [
        pytest.param("888012345678901", [], id="another carrier's shape: a person says whose it is"),
        pytest.param("20260000000012345", ["flecha"], id="nobody's shape: the only carrier that takes it"),
    ],
)
def test_a_carrier_that_takes_every_number_gets_none_of_anothers(
    start: Start, flecha: Flecha, monkeypatch: pytest.MonkeyPatch, code: str, carriers: list[str]
) -> None:
    monkeypatch.setattr(FictitiousTracking, "normalise", lambda self, value: TrackingRef(RefKind.CODE, value))
    trial = start()
    ours = trial.carrier
    by_letter(trial, flecha, numbers=(code,))
    trial.settings["carriers"].insert(0, ours)
    trial.pass_at(at(day(2), 12))
    assert [row["carrier"] for row in trial.rows(Shipment)] == carriers
