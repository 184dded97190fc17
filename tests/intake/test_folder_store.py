"""The drop folder on real databases: what goes in, what is told of the rest, and that a repeat changes nothing."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.end_to_end.support import SHOP, Start, Trial, at, day
from tests.intake.support import DATA
from tests.intake.test_reader import zipped
from tests.support.schema import prepare
from tracker.sandbox.fates import s10_code
from tracker.store.tables import (
    Alert,
    AlertDelivery,
    Import,
    Order,
    OrderAlias,
    Shipment,
    ShipmentCheck,
    ShipmentPoll,
    ShipmentRef,
)

NOW = at(day(2), 9)
HEADER = "Pedido;Cliente;E-mail;Transportadora;Código de rastreio;Previsão de entrega\r\n"
CODES = [s10_code("AA", number) for number in (12345678, 87654321)]
WRONG_DIGIT = s10_code("AA", 11223344, wrong=True)


def line(number: str, code: str = CODES[0], email: str = "ana@example.com", promised: str = "20/11/2026") -> str:
    return f"{number};Ana de Teste;{email};Correios;{code};{promised}\r\n"


def sheet(*lines: str) -> bytes:
    return (HEADER + "".join(lines)).encode("utf-8-sig")


def take(trial: Trial, now: datetime = NOW) -> int:
    """One look into the inbox; returns how many files were put away."""
    trial.clock_at(now)
    prepare(trial.database_url)
    app = trial.build()

    async def look() -> int:
        try:
            return await app.folders[0].run(now)
        finally:
            await app.close()

    return asyncio.run(look())


def reports(trial: Trial) -> list[dict[str, str]]:
    """Every line of every report in done/."""
    rows: list[dict[str, str]] = []
    for path in sorted((trial.inbox / "done").glob("*.resultado.csv")):
        rows += csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig")), delimiter=";")
    return rows


def put_away(trial: Trial) -> set[str]:
    return {
        str(path.relative_to(trial.inbox))
        for path in trial.inbox.rglob("*")
        if path.is_file() and path.name != ".clock"
    }


def facts(trial: Trial) -> dict[str, list[dict[str, Any]]]:
    """All rows but the record of files read."""
    return {name: rows for name, rows in trial.dump().items() if name != "imports"}


def test_good_lines_go_in_and_bad_ones_are_reported(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.drop("pedidos.csv", sheet(line("1001"), line("1002", WRONG_DIGIT), line("1003", CODES[1], "ana@")))
    assert take(trial) == 1
    assert {row["number"] for row in trial.rows(Order)} == {"1001", "1002", "1003"}
    assert [row["value"] for row in trial.rows(ShipmentRef)] == [CODES[0], CODES[1]]
    reported = {row["pedido"]: (row["resultado"], row["motivo"]) for row in reversed(reports(trial))}
    assert reported["1002"][0] in {"aviso", "recusado"} and WRONG_DIGIT in reported["1002"][1]
    assert reported["1003"][0] == "aviso"
    assert put_away(trial) == {"done/pedidos.csv", "done/pedidos.csv.resultado.csv"}
    row = trial.one(Import)
    assert (row["state"], row["orders"], row["shipments"]) == ("imported", 3, 2)
    assert row["faults"] == len([r for r in reports(trial) if r["resultado"] in {"aviso", "recusado"}]) > 0


def test_the_same_file_again_is_a_duplicate_and_changes_nothing(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.drop("pedidos.csv", sheet(line("1001")))
    take(trial)
    before = trial.dump()
    trial.drop("de-novo.csv", sheet(line("1001")))
    take(trial, NOW + timedelta(days=1))
    assert trial.dump() == before
    assert "duplicate/de-novo.csv" in put_away(trial)


def test_a_file_with_faults_may_come_again_as_it_was(start: Start) -> None:
    """The merchant mends the configuration, not the file."""
    trial = start()
    trial.drop("pedidos.csv", sheet(line("1001").replace("Correios", "Rápida Ltda")))
    take(trial)
    assert trial.rows(Shipment) == []
    trial.carrier["aliases"] = ["Rápida Ltda"]
    trial.drop("pedidos.csv", sheet(line("1001").replace("Correios", "Rápida Ltda")))
    take(trial, NOW + timedelta(hours=1))
    assert len(trial.rows(Shipment)) == 1
    assert "done/pedidos-2.csv" in put_away(trial)


def test_a_file_whose_every_order_is_refused_is_refused(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    for hour in range(2):
        trial.drop("a.json", b'[{"total": 1}, {"total": 2}]')
        trial.pass_at(NOW + timedelta(hours=hour))
    (alert,) = trial.rows(Alert, kind="import_refused")
    assert "os 2 registros foram recusados" in alert["summary"]
    names = put_away(trial)
    assert {"refused/a.json", "refused/a.json.reason.txt", "refused/a-2.json"} <= names
    assert not [name for name in names if name.startswith("done/")]
    (report, _) = sorted((trial.inbox / "refused").glob("*.resultado.csv"))
    assert report.read_text(encoding="utf-8-sig").count(";recusado;") == 2


def test_refused_lines_of_a_file_that_was_taken_are_counted(start: Start) -> None:
    trial = start()
    trial.clock_at(NOW)
    trial.write_config()
    trial.drop("a.json", b'[{"order_number": "1"}, {"total": 2}]')
    told = trial.command("run", "--once")
    assert told.returncode == 0
    assert "1 file taken, 1 line refused in what was taken (the report in done/ says why)" in told.stdout


def test_reports_of_files_that_differ_in_their_suffix_alone(start: Start) -> None:
    trial = start()
    trial.drop("pedidos.csv", sheet(line("1001")))
    trial.drop("pedidos.json", b'[{"order_number": "2001"}]')
    take(trial)
    for name, number in (("pedidos.csv", "1001"), ("pedidos.json", "2001")):
        assert f";{number};importado;" in (trial.inbox / "done" / f"{name}.resultado.csv").read_text("utf-8-sig")


def test_reports_are_never_written_over(start: Start) -> None:
    trial = start()
    kept = trial.inbox / "done" / "pedidos.csv.resultado.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text("kept")
    trial.drop("pedidos.csv", sheet(line("1001")))
    take(trial)
    assert kept.read_text() == "kept"
    assert ";1001;importado;" in kept.with_name("pedidos.csv.resultado-2.csv").read_text("utf-8-sig")


def test_everything_that_was_done_may_be_moved_back(start: Start, database_url: str) -> None:
    """As after a restore: the reports come along and are no orders."""
    trial = start(url=database_url)
    trial.drop("pedidos.csv", sheet(line("1001"), line("1002", WRONG_DIGIT)))
    trial.pass_at(NOW)
    trial.drop("meu.resultado.csv", sheet(line("1003", CODES[1])))
    for hour in (1, 2):
        for path in list((trial.inbox / "done").iterdir()):
            trial.drop(path.name, path.read_bytes())
            path.unlink()
        trial.pass_at(NOW + timedelta(hours=hour))
    assert trial.rows(Alert, kind="import_refused") == []
    assert {row["number"] for row in trial.rows(Order)} == {"1001", "1002", "1003"}
    names = put_away(trial)
    assert "done/pedidos.csv" in names and "done/pedidos.csv.resultado.csv" in names
    assert {name for name in names if not name.startswith("done/")} == {"duplicate/meu.resultado.csv"}


def test_everything_that_was_refused_may_be_moved_back(start: Start) -> None:
    """The reasons come along, and are no orders; what can be read meanwhile is taken."""
    trial = start()
    trial.drop("a.json", b'[{"total": 1}]')
    trial.drop("b.csv", b"Coluna;Outra\r\n1;2\r\n")
    trial.pass_at(NOW)
    assert {name for name in put_away(trial) if name.endswith(".reason.txt")} == {
        "refused/a.json.reason.txt",
        "refused/b.csv.reason.txt",
    }
    for path in list((trial.inbox / "refused").iterdir()):
        data = sheet(line("1001")) if path.name == "b.csv" else path.read_bytes()
        trial.drop(path.name, data)
        path.unlink()
    trial.pass_at(NOW + timedelta(hours=1))
    names = put_away(trial)
    assert {"done/b.csv", "done/b.csv.reason.txt", "refused/a.json", "refused/a.json.reason.txt"} <= names
    assert not [name for name in names if "reason.txt.reason" in name]
    assert {row["name"] for row in trial.rows(Import)} == {"a.json", "b.csv"}


def test_a_record_of_a_json_file_is_named_by_its_number(start: Start) -> None:
    trial = start()
    trial.drop(
        "a.json",
        b'[{"order_number": "1"},{"total": 2},{"order_number": "3","code":"%s","carrier":"Veloz"}]' % CODES[0].encode(),
    )
    take(trial)
    rows = {(row["pedido"], row["resultado"]): row["motivo"] for row in reports(trial)}
    assert rows["1", "importado"] == "Registro 1: sem envio por enquanto"
    assert rows["", "recusado"].startswith("Registro 2: ")
    assert rows["3", "importado"].startswith("Registro 3: ") and rows["3", "aviso"].startswith("Registro 3: ")


def test_every_order_that_was_taken_has_its_line(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.drop("a.csv", sheet(line("1001"), line("1003", promised="30/11/2026", code="")))
    take(trial)
    assert reports(trial)[-2:] == [
        {"linha": "2", "pedido": "1001", "resultado": "importado", "motivo": "1 envio novo"},
        {"linha": "3", "pedido": "1003", "resultado": "importado", "motivo": "sem envio por enquanto"},
    ]
    trial.drop("b.csv", sheet(line("1002", WRONG_DIGIT), line("1001"), line("1003", CODES[1], promised="30/11/2026")))
    take(trial, NOW + timedelta(days=1))
    second = (trial.inbox / "done" / "b.csv.resultado.csv").read_text(encoding="utf-8-sig").splitlines()
    assert second[0] == "linha;pedido;resultado;motivo"
    assert second[1].startswith("2;1002;aviso;")
    assert second[-3:] == [
        "2;1002;importado;sem envio por enquanto",
        "3;1001;repetido;já estava assim",
        "4;1003;atualizado;1 envio novo",
    ]


def test_a_larger_export_of_the_same_orders_only_adds(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.drop("segunda.csv", sheet(line("1001")))
    take(trial)
    before = facts(trial)
    trial.drop("terça.csv", sheet(line("1001"), line("1002", CODES[1])))
    take(trial, NOW + timedelta(days=1))
    after = facts(trial)
    assert after["orders"][:1] == before["orders"]
    assert after["shipment_polls"][:1] == before["shipment_polls"]
    assert [len(after[name]) for name in ("orders", "shipments", "shipment_polls")] == [2, 2, 2]


def test_a_changed_promise_is_kept_beside_the_first_and_looked_at(start: Start) -> None:
    trial = start()
    trial.drop("a.csv", sheet(line("1001")))
    take(trial)
    trial.drop("b.csv", sheet(line("1001", promised="25/11/2026")))
    take(trial, NOW + timedelta(days=1))
    order = trial.one(Order)
    assert (order["promised_first_on"], order["promised_on"]) == (date(2026, 11, 20), date(2026, 11, 25))
    assert trial.one(ShipmentCheck)["next_check_at"] == NOW + timedelta(days=1)


def test_nothing_known_is_overwritten_by_something_empty(start: Start) -> None:
    trial = start()
    trial.drop("a.csv", sheet(line("1001")))
    take(trial)
    trial.drop("b.csv", f"Pedido;Código de rastreio\r\n1001;{CODES[0]}\r\n".encode())
    take(trial)
    order = trial.one(Order)
    assert (order["customer_email"], order["promised_on"]) == ("ana@example.com", date(2026, 11, 20))


def test_a_code_that_is_anothers_is_not_taken_away(start: Start) -> None:
    trial = start()
    trial.drop("a.csv", sheet(line("1001")))
    take(trial)
    trial.drop("b.csv", sheet(line("2002").replace("Ana de Teste", "Bia de Teste")))
    take(trial)
    assert len(trial.rows(ShipmentRef)) == 1
    assert any("1001" in row["motivo"] and row["pedido"] == "2002" for row in reports(trial))


def test_a_parcel_waits_for_nothing_to_be_polled(start: Start) -> None:
    trial = start()
    trial.drop("a.csv", sheet(line("1001")))
    take(trial)
    poll = trial.one(ShipmentPoll)
    assert (poll["carrier"], poll["next_poll_at"]) == ("correios", NOW)


def note(name: str) -> bytes:
    return (DATA / "nfe" / name).read_bytes()


def test_an_invoice_and_a_spreadsheet_of_one_order_are_one_order(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.drop("nota.xml", note("01-normal.xml"))
    take(trial)
    order = trial.one(Order)
    trial.drop("pedidos.csv", sheet(line(order["number"], "AB123456785BR", promised="30/11/2026")))
    take(trial)
    assert [row["id"] for row in trial.rows(Order)] == [order["id"]]
    assert trial.one(Shipment)["order_id"] == order["id"]
    assert trial.one(Order)["promised_on"] == date(2026, 11, 30)


@pytest.mark.parametrize(
    "names", [("01-normal.xml", "08-event-cancellation.xml"), ("08-event-cancellation.xml", "01-normal.xml")]
)
def test_a_cancelled_invoice_cancels_its_order_whichever_comes_first(start: Start, names: tuple[str, str]) -> None:
    trial = start()
    event = note("08-event-cancellation.xml")
    key = note("01-normal.xml").decode().partition('Id="NFe')[2][:44]
    for minutes, name in enumerate(names):
        data = event if "event" in name else note(name)
        if "event" in name:
            old = data.decode().partition("<chNFe>")[2][:44]
            data = data.replace(old.encode(), key.encode())
        trial.drop(name, data)
        take(trial, NOW + timedelta(minutes=minutes))
    assert trial.one(Order)["status"] == "cancelled"
    assert key in {row["alias"] for row in trial.rows(OrderAlias)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("a.xml", note("90-hostile-doctype.xml"), id="a hostile document type"),
        pytest.param("a.csv", b"\x00\x01\x02" * 50, id="no text at all"),
        pytest.param("a.csv", b"", id="an empty file"),
        pytest.param("a.pdf", b"%PDF-1.7", id="a file of another kind"),
        pytest.param("a.zip", b"PK\x03\x04 and half of what follows", id="half a zip"),
        pytest.param("a.zip", b"", id="an empty zip"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(start: Start, name: str, data: bytes) -> None:
    trial = start()
    trial.drop(name, data)
    trial.drop("bom.csv", sheet(line("1001")))
    take(trial)
    assert (trial.inbox / "refused" / name).exists()
    reason = (trial.inbox / "refused" / f"{name}.reason.txt").read_text(encoding="utf-8").strip()
    assert reason and "\n" not in reason
    assert [row["number"] for row in trial.rows(Order)] == ["1001"]
    assert [row["name"] for row in trial.rows(Import, state="refused")] == [name]


def test_a_refused_file_raises_one_alert_until_files_are_taken_without_one(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.drop("a.zip", b"PK\x03\x04 and half of what follows")
    trial.drop("b.csv", b"\x00\x01\x02" * 50)
    trial.drop("c.csv", sheet(line("1001")))
    trial.pass_at(NOW)
    alert = trial.one(Alert, kind="import_refused")
    assert (alert["shop"], alert["severity"], alert["resolved_at"]) == (SHOP, "warning", None)
    assert alert["summary"].startswith("b.csv could not be read")
    assert [one["file"] for one in alert["details"]["files"]] == ["b.csv", "a.zip"]
    assert all(one["reason"].endswith(".") for one in alert["details"]["files"])
    # The same fault again tells nobody anew; only the words are renewed.
    trial.drop("d.pdf", b"%PDF-1.7")
    trial.pass_at(NOW + timedelta(hours=1))
    assert trial.one(Alert, kind="import_refused")["summary"].startswith("d.pdf could not be read")
    assert len(trial.rows(AlertDelivery, alert_id=alert["id"])) == 1
    trial.drop("e.csv", sheet(line("1002", CODES[1])))
    trial.pass_at(NOW + timedelta(hours=2))
    assert trial.one(Alert, kind="import_refused")["resolved_at"] == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("country", "postal_code", "doubted"),
    [
        pytest.param("XX", "01310-100", True, id="no country at all"),
        pytest.param("BR", "01310-100", False, id="Brazil"),
        pytest.param("CN", "01310-100", False, id="a parcel from abroad"),
        pytest.param("XX", "", False, id="nothing says it goes to Brazil"),
    ],
)
def test_a_code_of_no_country_is_taken_and_doubted(start: Start, country: str, postal_code: str, doubted: bool) -> None:
    trial = start()
    code = CODES[0][:-2] + country
    row = line("1001", code).replace("\r\n", f";{postal_code}\r\n")
    trial.drop("pedidos.csv", (HEADER.replace("\r\n", ";CEP\r\n") + row).encode())
    take(trial)
    assert [ref["value"] for ref in trial.rows(ShipmentRef)] == [code]
    told = [entry["motivo"] for entry in reports(trial) if entry["resultado"] == "aviso"]
    assert any(f"{code} termina em XX, que não é a sigla de nenhum país" in reason for reason in told) is doubted


def test_bad_lines_of_a_file_that_was_taken_are_no_alert(start: Start) -> None:
    trial = start()
    trial.drop("pedidos.csv", sheet(line("1001", WRONG_DIGIT)))
    trial.pass_at(NOW)
    assert trial.rows(Alert) == []


def test_a_file_that_is_still_being_written_is_left_alone(start: Start) -> None:
    trial = start()
    path = trial.drop("pedidos.csv", sheet(line("1001")))
    os.utime(path)
    truncated = trial.drop("nota.xml", note("91-truncated.xml"))
    assert take(trial) == 0
    assert path.exists() and truncated.exists()
    old = truncated.stat().st_mtime - 3600
    os.utime(truncated, (old, old))
    with capture_logs() as logs:
        assert take(trial) == 1
    assert (trial.inbox / "refused" / "nota.xml").exists()
    # Refused like any other file: in the log and in the record of files read.
    assert [(line["file"], line["log_level"]) for line in logs if line["event"] == "import.refused"] == [
        ("nota.xml", "warning")
    ]
    assert [row["name"] for row in trial.rows(Import, state="refused")] == ["nota.xml"]


def test_a_file_that_ends_in_the_middle_is_spoken_of_once(start: Start) -> None:
    trial = start()
    path = trial.drop("nota.xml", note("91-truncated.xml"))
    minute_ago = time.time() - 60
    os.utime(path, (minute_ago, minute_ago))
    trial.clock_at(NOW)
    prepare(trial.database_url)
    app = trial.build()

    async def look(times: int) -> None:
        for _ in range(times):
            await app.folders[0].run(NOW)

    with capture_logs() as logs:
        asyncio.run(look(3))
        os.utime(path, (minute_ago + 30, minute_ago + 30))
        asyncio.run(look(2))
    asyncio.run(app.close())
    waiting = [entry for entry in logs if entry["event"] == "import.waiting"]
    assert [(entry["file"], entry["log_level"]) for entry in waiting] == [("nota.xml", "warning")] * 2
    assert "termina no meio" in waiting[0]["reason"]
    first, second = (datetime.fromisoformat(entry["until"]) for entry in waiting)
    assert timedelta(minutes=8) < first - NOW < timedelta(minutes=9, seconds=1) < second - NOW < timedelta(minutes=10)


def test_notes_for_people_and_hidden_files_are_not_orders(start: Start) -> None:
    trial = start()
    for name in ("LEIA-ME.txt", ".pedidos.csv", "~$pedidos.csv"):
        trial.drop(name, sheet(line("1001")))
    assert take(trial) == 0
    assert trial.rows(Import) == []


def test_two_shops_may_have_the_same_order_number(start: Start) -> None:
    trial = start()
    trial.settings["shops"].append({"id": "outra", "name": "Outra", "email": {"from": "Outra <sac@outra.example>"}})
    trial.settings["intake"].append({"kind": "folder", "shop": "outra", "path": "outra"})
    trial.drop("a.csv", sheet(line("1001")))
    other = trial.folder / "outra"
    other.mkdir()
    (other / "a.csv").write_bytes(sheet(line("1001", CODES[1])))
    os.utime(other / "a.csv", (1_700_000_000, 1_700_000_000))
    trial.pass_at(NOW)
    assert {(row["shop"], row["number"]) for row in trial.rows(Order)} == {(SHOP, "1001"), ("outra", "1001")}


def test_a_clock_in_another_year_does_not_hold_files_back(start: Start, tmp_path: Path) -> None:
    trial = start()
    trial.drop("pedidos.csv", sheet(line("1001")))
    assert take(trial, datetime(2031, 1, 2, 12, tzinfo=UTC)) == 1
    assert trial.one(Order)["created_at"] == datetime(2031, 1, 2, 12, tzinfo=UTC)


def test_what_is_put_away_stays_open_to_the_inbox_s_group_whatever_the_umask(start: Start) -> None:
    trial = start()
    trial.drop("pedidos.csv", sheet(line("1")))
    trial.inbox.chmod(0o2770)
    before = os.umask(0o077)
    try:
        assert take(trial) == 1
    finally:
        umask = os.umask(before)
    assert umask == 0o077
    done = trial.inbox / "done"
    assert oct(done.stat().st_mode & 0o7777) == "0o2770"
    assert oct((done / "pedidos.csv.resultado.csv").stat().st_mode & 0o777) == "0o660"


def test_every_line_about_a_file_in_a_zip_names_the_file(start: Start) -> None:
    trial = start()
    unknown = line("1002", CODES[1]).replace("Correios", "Rápida Ltda")
    trial.drop("lote.zip", zipped(("a.csv", sheet(line("1001"))), ("pasta/b.csv", sheet(unknown))))
    take(trial)
    told = [(row["linha"], row["pedido"], row["motivo"].partition(":")[0]) for row in reports(trial)]
    assert told == [("2", "1002", "pasta/b.csv"), ("2", "1001", "a.csv"), ("2", "1002", "pasta/b.csv")]
