"""`tracker import` as it is typed: files of every kind, what is told of each, and how its progress shows."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from tests.cli.conftest import Tracker
from tests.intake.support import DATA
from tests.intake.test_reader import zipped
from tracker.cli import intake as command
from tracker.store.database import Database
from tracker.store.tables import Order, table

CSV = "Pedido;Cliente;E-mail;CEP\r\n1001;Ana;ana@example.com;01310100\r\n;sem número;;01310100\r\n1002;Bia;bia@;20040002\r\n"


@pytest.fixture
def importing(database: Database, tracker: Tracker) -> Callable[..., Any]:
    """The command, for the shop `exemplo`."""
    app = typer.Typer()
    app.command("import")(command.import_)
    app.command("other")(lambda: None)
    database.close()
    return lambda *words: CliRunner().invoke(
        app, ["import", *map(str, words), "--shop", "exemplo", "-c", str(tracker.config)]
    )


def numbers(database_url: str) -> list[str]:
    database = Database(database_url)
    with database.begin_read() as connection:
        found = list(connection.execute(select(table(Order).c.number).order_by(table(Order).c.number)).scalars())
    database.close()
    return found


def test_files_of_every_kind(importing: Callable[..., Any], tmp_path: Path, database_url: str) -> None:
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8-sig")
    (tmp_path / "b.zip").write_bytes(zipped(("x/c.json", b'[{"order_number": "2001"}, {"total": "1"}]')))
    (tmp_path / "c.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    book = DATA / "dropfolder" / "orders.xlsx"
    result = importing(tmp_path / "a.csv", book, tmp_path / "b.zip", tmp_path / "c.xls", tmp_path / "none.csv")
    assert result.exit_code == 1
    assert numbers(database_url) == ["1001", "1002", "10234", "10235", "10236", "10245", "2001"]
    out = result.output
    assert f"{tmp_path / 'a.csv'}: 2 pedidos (2 novos), 0 envios novos, 2 avisos ou recusas (1 linha recusada)" in out
    assert "linha 3: recusado: A linha não tem número do pedido" in out
    assert "linha 4, pedido 1002: aviso: E-mail: não tem forma de endereço" in out
    assert "orders.xlsx: 4 pedidos" in out
    assert "x/c.json: Registro 2: order_number: falta o número" in out
    assert "c.xls: recusado: O arquivo é uma planilha XLS" in out
    assert "none.csv: recusado: o arquivo não pode ser lido: ele não existe" in out


def test_once_more_changes_nothing(importing: Callable[..., Any], tmp_path: Path, database_url: str) -> None:
    (tmp_path / "a.json").write_text('[{"order_number": "1"}]', encoding="utf-8")
    assert importing(tmp_path / "a.json").exit_code == 0
    result = importing(tmp_path / "a.json")
    assert result.exit_code == 0 and "já importado antes, nada mudou" in result.output
    assert numbers(database_url) == ["1"]


def test_what_was_known_is_not_counted_as_new(importing: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for lines, said in (
        ("1001,AA123456785BR\n", "1 pedido (1 novo), 1 envio novo, 0 avisos ou recusas\n"),
        # Another file with the same order in it, and one order more.
        ("1001,AA123456785BR\n1002,\n", "2 pedidos (1 novo), 0 envios novos, 0 avisos ou recusas\n"),
        ("1002,\n1001,AA123456785BR\n", "2 pedidos (0 novos), 0 envios novos, 0 avisos ou recusas\n"),
    ):
        path.write_text(f"order_number,tracking_code\n{lines}", encoding="utf-8")
        assert importing(path).stdout == f"{path}: {said}"
    path.write_text("order_number,tracking_code\n1001,AA123456785BR\n1003,\n", encoding="utf-8")
    (document,) = json.loads(importing(path, "--json").stdout)
    assert (document["orders"], document["new_orders"], document["shipments"]) == (2, 1, 0)


def test_a_file_whose_every_order_is_refused_is_refused(importing: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"total": 1}, {"total": 2}]', encoding="utf-8")
    result = importing(tmp_path / "a.json")
    assert result.exit_code == 1
    assert "a.json: recusado: Nenhum pedido pôde ser lido: os 2 registros foram recusados, o primeiro" in result.output
    assert "Registro 2: order_number: falta o número" in result.output


def test_as_data(importing: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, encoding="latin-1")
    (entry,) = json.loads(importing(tmp_path / "a.csv", "--json").stdout)
    assert (entry["orders"], entry["refused"], entry["duplicate"]) == (2, None, False)
    assert [(line["line"], line["outcome"]) for line in entry["lines"]] == [(3, "refused"), (4, "warning")]


def test_a_file_that_ends_in_the_middle_is_told(importing: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"order_number": "1"}', encoding="utf-8")
    result = importing(tmp_path / "a.json")
    assert result.exit_code == 1 and "O JSON termina no meio" in result.output


def test_progress_is_plain_lines_where_there_is_no_terminal(
    importing: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "LINE_EVERY_S", 0.0)
    rows = "".join(f"{number};Ana;;01310100\n" for number in range(1, 401))
    (tmp_path / "a.csv").write_text(f"Pedido;Cliente;E-mail;CEP\n{rows}", encoding="utf-8")
    result = importing(tmp_path / "a.csv")
    assert result.stderr.splitlines()[:2] == ["a.csv: 50%, 200 pedidos", "a.csv: 100%, 400 pedidos"]
    assert "400 pedidos" in result.stdout and "%" not in result.stdout


def test_progress_is_a_bar_on_a_terminal(importing: Callable[..., Any], tracker: Tracker, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "tracker", "import", str(tmp_path / "a.csv"), "--shop", "exemplo"]
    with subprocess.Popen(
        [*words, "-c", str(tracker.config)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while page := os.read(ours, 4096):
                shown += page
        except OSError:  # the terminal is closed when the last writer of it has ended
            pass
        assert process.stdout is not None
        told = process.stdout.read()
    os.close(ours)
    assert process.returncode == 0
    assert "a.csv: 2 pedidos" in told
    assert "100%" in shown.decode() and "2 pedidos" in shown.decode()
