"""Files larger than memory may hold: read in parts, stored in batches, and the same whatever happens in between."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.support import Start, at, day
from tests.intake.support import SAO_PAULO, read
from tests.intake.test_folder_store import facts, put_away, reports, take
from tests.support.schema import prepare
from tracker.domain.order import LineReport
from tracker.intake import sheet
from tracker.intake.options import ReadOptions
from tracker.intake.reader import read_pieces
from tracker.intake.spool import reported
from tracker.sandbox.fates import s10_code
from tracker.store.tables import Import, Order, OrderItem, Shipment

NOW = at(day(2), 9)
HEADER = "Pedido;Cliente;E-mail;Transportadora;Código de rastreio;Produto\r\n"


def row(number: int, product: str = "Camiseta") -> str:
    return f"{1000 + number};Ana;ana{number}@example.com;Correios;{s10_code('AA', 10_000_000 + number)};{product}\r\n"


@pytest.fixture
def parts_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "ROWS_AT_ONCE", 10)


def scattered() -> str:
    """Fifty orders whose second lines come after all the first ones, one of them refused, one twice the same."""
    first = [row(number) for number in range(50)]
    second = [row(number, "Boné") for number in range(50)]
    second[7] = second[7].replace("ana7@example.com", "bia@example.com")
    return HEADER + "".join([*first, *second, first[3], "TOTAL;;;;;\r\n", '9;"aberto;;;;\r\n'])


@pytest.mark.usefixtures("parts_of_ten")
def test_lines_of_one_order_may_stand_anywhere() -> None:
    pieces = list(
        read_pieces(
            "p.csv",
            io.BytesIO(scattered().encode()),
            timezone=SAO_PAULO,
            merchant_cnpj=None,
            options=ReadOptions(),
        )
    )
    assert len(pieces) == pieces[0].pieces == 11
    orders = {order.number: order for piece in pieces for order in piece.orders}
    assert len(orders) == sum(len(piece.orders) for piece in pieces) == 50
    assert {number: len(order.items) for number, order in orders.items() if len(order.items) != 2} == {"1007": 1}
    lines = [line for piece in pieces for line in piece.lines]
    assert sorted((line.line, line.order_number, line.outcome) for line in lines) == [
        (59, "1007", "refused"),
        (102, "1003", "ignored"),
        (103, None, "ignored"),
        (104, "9", "refused"),
    ]


def test_a_file_in_parts_is_the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(scattered())
    monkeypatch.setattr(sheet, "ROWS_AT_ONCE", 10)
    parts = read(scattered())
    assert sorted(parts.orders, key=lambda order: order.line) == list(whole.orders)
    assert sorted(parts.lines, key=lambda line: line.line) == list(whole.lines)


@pytest.mark.usefixtures("parts_of_ten")
def test_a_list_of_codes_in_parts() -> None:
    codes = [s10_code("AA", 10_000_000 + number) for number in range(35)]
    reading = read("\n".join([*codes, codes[4]]))
    assert sorted(order.number for order in reading.orders) == sorted(f"code:{code}" for code in codes)
    assert [(line.line, line.outcome) for line in reading.lines] == [(36, "ignored")]


def test_an_order_of_thousands_of_lines_is_a_wrong_column() -> None:
    rows = "".join(f"1;p{number}\n" for number in range(sheet.ROWS_OF_AN_ORDER + 2))
    reading = read(f"pedido;produto\n{rows}")
    assert len(reading.orders[0].items) == sheet.ROWS_OF_AN_ORDER
    assert [line.outcome for line in reading.lines] == ["refused", "refused"]
    assert "2.000 linhas" in reading.lines[0].reason


@pytest.mark.usefixtures("parts_of_ten")
def test_the_report_is_in_the_files_order(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.drop("pedidos.csv", scattered().encode())
    take(trial)
    lines = [int(entry["linha"]) for entry in reports(trial)]
    assert lines[:4] == [59, 102, 103, 104]
    assert lines[4:] == sorted(lines[4:]) and len(lines) == 54
    assert (len(trial.rows(Order)), len(trial.rows(Shipment)), len(trial.rows(OrderItem))) == (50, 50, 99)
    assert trial.one(Import)["faults"] == 2


def test_a_report_puts_runs_together() -> None:
    with reported() as report:
        for place, numbers in ((0, [5, 1]), (0, [7, 9]), (0, [2, 3]), (1, [1]), (0, []), (0, [4])):
            report.add([LineReport(number, None, "ignored", "ç;\n", place) for number in numbers])
        assert [(line.place, line.line) for line in report] == [(0, n) for n in (1, 2, 3, 4, 5, 7, 9)] + [(1, 1)]
        assert len(report.runs) == 3
        assert {line.reason for line in report} == {"ç;\n"}


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("batches", [0, 1, 3])
@pytest.mark.usefixtures("parts_of_ten")
def test_a_death_in_the_middle_loses_and_doubles_nothing(
    batches: int, start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = start(url=database_url)
    trial.drop("pedidos.csv", scattered().encode())
    from tracker.intake.importer import Importer

    save, done = Importer._save, []

    def dying(self: Importer, connection: Any, **keywords: Any) -> Any:
        if len(done) == batches:
            raise _KilledError
        done.append(1)
        return save(self, connection, **keywords)

    monkeypatch.setattr(Importer, "_save", dying)
    with pytest.raises(_KilledError):
        take(trial)
    assert put_away(trial) == {"pedidos.csv"} and trial.rows(Import) == []
    monkeypatch.setattr(Importer, "_save", save)
    take(trial)
    assert (len(trial.rows(Order)), len(trial.rows(Shipment))) == (50, 50)
    assert len(trial.rows(OrderItem)) == 99
    before = {name: rows for name, rows in facts(trial).items() if name != "signals"}
    trial.drop("de-novo.csv", scattered().encode())
    take(trial)
    assert {name: rows for name, rows in facts(trial).items() if name != "signals"} == before


@pytest.mark.usefixtures("parts_of_ten")
def test_a_stop_puts_a_file_down_after_the_batch_at_hand(start: Start) -> None:
    trial = start()
    trial.drop("pedidos.csv", scattered().encode())
    trial.clock_at(NOW)
    prepare(trial.database_url)
    asked: list[int] = []

    def stopping() -> bool:
        asked.append(1)
        return len(asked) > 3

    async def look() -> int:
        app = trial.build()
        app.folders[0].stopping = stopping
        try:
            return await app.folders[0].run(NOW)
        finally:
            await app.close()

    assert asyncio.run(look()) == 0
    assert put_away(trial) == {"pedidos.csv"}
    assert 0 < len(trial.rows(Order)) < 50
    take(trial)
    assert len(trial.rows(Order)) == 50


def test_a_file_that_changes_while_it_is_read_is_read_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = start()
    trial.drop("pedidos.csv", (HEADER + row(1)).encode())
    from tracker.intake.importer import Importer

    store = Importer._store

    async def growing(self: Importer, *words: Any) -> Any:
        result = await store(self, *words)
        monkeypatch.setattr(Importer, "_store", store)
        inbox = trial.inbox / "pedidos.csv"
        inbox.write_bytes((HEADER + row(1) + row(2)).encode())
        os.utime(inbox, (time.time() - 60, time.time() - 60))
        return result

    monkeypatch.setattr(Importer, "_store", growing)
    assert take(trial) == 0
    assert put_away(trial) == {"pedidos.csv"}
    assert take(trial) == 1
    assert {entry["number"] for entry in trial.rows(Order)} == {"1001", "1002"}


MEASURE = """
import sys
from zoneinfo import ZoneInfo
from tracker.intake.options import ReadOptions
from tracker.intake.reader import read_pieces

def peak():  # of this program alone: getrusage begins with the peak of whoever started it
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

before = peak()
with open(sys.argv[1], "rb") as file:
    pieces = read_pieces("p.csv", file, timezone=ZoneInfo("UTC"), merchant_cnpj=None, options=ReadOptions())
    print(sum(len(piece.orders) for piece in pieces), peak() - before)
"""


@pytest.mark.soak
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def kibibytes(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write(HEADER)
            file.writelines(row(number, "x" * 100) for number in range(count))
        found = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True, cwd=Path.cwd()
        )
        orders, grown = map(int, found.stdout.split())
        assert orders == count
        return grown

    small = kibibytes(15_000)
    assert 0 < kibibytes(45_000) < 1.5 * small
