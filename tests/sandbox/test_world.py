from __future__ import annotations

import ast
import csv
import io
import socket
from pathlib import Path

import pytest

import tracker.sandbox
from tests.sandbox.conftest import MONDAY, Client
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.mail import MailSettings
from tracker.sandbox.plan import Plan
from tracker.sandbox.world import CSV_COLUMNS, World, orders_csv


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


def test_the_orders_of_each_day_together_are_the_plan(plan: Plan) -> None:
    days = [orders_csv(plan, plan.day(number)) for number in range(1, 8)]
    codes = [row["Código de rastreio"] for day in days for row in rows(day)]
    assert codes == [shipment.code for shipment in plan.shipments]
    assert rows(days[6]) == []
    assert days[6].decode("utf-8-sig").strip() == ";".join(CSV_COLUMNS)


def test_a_row_reads_as_a_brazilian_spreadsheet_saves_it(plan: Plan, world: World) -> None:
    shipment = plan.shipments[0]
    row = rows(world.orders_csv(MONDAY))[0]
    assert row["Pedido"] == shipment.order.number
    assert row["Cliente"] == shipment.order.customer.name
    assert row["Previsão de entrega"] == shipment.promised_on.strftime("%d/%m/%Y")
    assert int(row["Valor"].replace(".", "").replace(",", "")) == shipment.order.total_cents
    assert row["Valor"][-3] == ","
    assert len(row["CPF/CNPJ"]) == 14 and len(row["CEP"]) == 9
    assert (row["Transportadora"], row["Serviço"]) == ("Correios", shipment.service.value)


def test_two_worlds_live_side_by_side(plan: Plan, clock: SandboxClock, tmp_path: Path, world: World) -> None:
    with World(plan, clock, folder=tmp_path / "second") as other:
        assert other.correios_url != world.correios_url
        assert other.smtp_port != world.smtp_port
        assert Client(other.correios_url).control("clock") == Client(world.correios_url).control("clock")


def test_a_taken_mail_port_gives_the_other_port_back(plan: Plan, clock: SandboxClock, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        second = World(plan, clock, folder=tmp_path, mail=MailSettings(port=taken.getsockname()[1]))
        port = int(second.correios_url.rsplit(":", 1)[1])
        with pytest.raises(OSError), second:
            pass
    with socket.create_server(("127.0.0.1", port)) as free:
        assert free.getsockname()[1] == port


def test_the_sandbox_knows_nothing_of_the_program_it_tries() -> None:
    for file in Path(tracker.sandbox.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            ours = [name for name in names if name.split(".")[0] in {"tracker", "carriers"}]
            assert all(name.startswith("tracker.sandbox") for name in ours), (file.name, ours)
