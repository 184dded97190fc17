"""Files that a carrier sends, from a folder to the customer's problem; on both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from carriers.ocoren import Ocoren
from carriers.registry import adapters
from tests.carriers.support import DATA
from tests.end_to_end.support import SETTLED_S, Start, Trial, at, day
from tracker.store.tables import (
    Alert,
    CarrierFeed,
    CarrierOutage,
    Event,
    FeedFile,
    FeedSeen,
    FeedWaiting,
    Order,
    Problem,
    RawAnswer,
    Shipment,
    ShipmentHistory,
    ShipmentPoll,
    ShipmentRef,
)

ISSUER = "11222333000181"
KEYS = {
    1001: "35261111222333000181550010000010011102030405",
    1002: "35261111222333000181550010000010021102030410",
    1003: "35261111222333000181550010000010031102030426",
}
HEAD = ["000TRANSPORTADORA FICTICIA", "340OCORR211108150", "34144555666000161TRANSPORTADORA FICTICIA LTDA"]


def line(number: int, code: str, when: datetime) -> str:
    return f"342{ISSUER}{'1':<3}{number:08}{code}{when:%d%m%Y%H%M}00"


def file(*lines: str) -> bytes:
    return "\r\n".join([*HEAD, *lines, ""]).encode("latin-1")


def orders(*numbers: int, promised: str = "06/08/2026") -> bytes:
    rows = [
        f"E{number};Bia de Teste;bia{number}@example.com;Estrada;{KEYS[number]};{promised};100,00" for number in numbers
    ]
    return "\r\n".join(
        ["Pedido;Cliente;E-mail;Transportadora;Chave da NF-e;Previsão de entrega;Valor", *rows, ""]
    ).encode()


def drop(trial: Trial, name: str, data: bytes, *, age_s: float = SETTLED_S) -> Path:
    """A file of the carrier's that came into its folder so long ago."""
    path = trial.folder / "edi" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    written = path.stat().st_mtime - age_s
    os.utime(path, (written, written))
    return path


def lying(trial: Trial) -> set[str]:
    folder = trial.folder / "edi"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}


@pytest.fixture
def trial(start: Start, database_url: str) -> Iterator[Trial]:
    made = start(url=database_url)
    made.adapters = {**adapters(), Ocoren.NAME: Ocoren}
    made.settings["carriers"].append(
        {"id": "estrada", "adapter": "ocoren", "files": [{"kind": "folder", "path": "edi"}], "claims": {"mode": "off"}}
    )
    yield made


def events(trial: Trial) -> list[tuple[str, str]]:
    """(order, code) of every event, in the order of their time."""
    orders = {row["id"]: row["number"] for row in trial.rows(Order)}
    of = {row["id"]: orders[row["order_id"]] for row in trial.rows(Shipment)}
    rows = sorted(trial.rows(Event), key=lambda row: row["occurred_at"])
    return [(of[row["shipment_id"]], row["carrier_code"]) for row in rows]


def open_alerts(trial: Trial) -> dict[str, str]:
    return {row["kind"]: row["summary"] for row in trial.rows(Alert) if row["resolved_at"] is None}


def test_a_file_in_the_folder_becomes_the_parcels_history(trial: Trial) -> None:
    trial.drop("pedidos.csv", orders(1001, 1002))
    news = file(line(1001, "00", at(day(1), 10)), line(1001, "23", at(day(2), 10)), line(1002, "01", at(day(2), 11)))
    drop(trial, "OCO0308.txt", news)
    trial.pass_at(at(day(2), 12))
    assert {row["value"] for row in trial.rows(ShipmentRef)} == {f"{ISSUER}/1/1001", f"{ISSUER}/1/1002"}
    assert events(trial) == [("E1001", "00"), ("E1001", "23"), ("E1002", "01")]
    assert [row["status"] for row in trial.rows(ShipmentHistory)] == ["lost", "delivered"]
    assert [row["kind"] for row in trial.rows(Problem)] == ["loss"]
    assert len(trial.rows(RawAnswer)) == 2
    assert lying(trial) == {"done/OCO0308.txt"}
    assert {row["last_answered_at"] for row in trial.rows(ShipmentPoll)} == {at(day(2), 12)}
    assert (trial.one(FeedFile)["state"], trial.one(FeedFile)["matched"]) == ("read", 2)
    assert "bia1001@example.com" in {recipient for recipient, _ in trial.told()}


def test_the_same_file_twice_and_one_that_overlaps_double_nothing(trial: Trial) -> None:
    trial.drop("pedidos.csv", orders(1001))
    first = line(1001, "00", at(day(1), 10))
    drop(trial, "a.txt", file(first))
    trial.pass_at(at(day(1), 12))
    drop(trial, "a.txt", file(first))
    drop(trial, "b.txt", file(first, line(1001, "98", at(day(2), 10))))
    trial.pass_at(at(day(2), 12))
    assert events(trial) == [("E1001", "00"), ("E1001", "98")]
    assert lying(trial) == {"done/a.txt", "duplicate/a.txt", "done/b.txt"}
    assert trial.one(ShipmentHistory)["status"] == "in_transit"
    assert all(row["vanished_at"] is None for row in trial.rows(Event))


def test_news_of_an_order_that_comes_later_waits_for_it(trial: Trial) -> None:
    drop(trial, "a.txt", file(line(1001, "00", at(day(1), 10)), line(1002, "00", at(day(1), 10))))
    trial.pass_at(at(day(1), 12))
    assert len(trial.rows(FeedWaiting)) == 2
    trial.drop("pedidos.csv", orders(1002))
    trial.pass_at(at(day(2), 12))
    assert events(trial) == [("E1002", "00")]
    assert [row["value"] for row in trial.rows(FeedWaiting)] == [f"{ISSUER}/1/1001"]
    trial.pass_at(at(day(33), 12))
    assert trial.rows(FeedWaiting) == []
    assert trial.one(FeedFile)["body"] is not None
    trial.pass_at(at(day(48), 12))
    assert trial.one(FeedFile)["body"] is None


def test_faulty_lines_are_reported_beside_the_file_and_the_rest_counts(trial: Trial) -> None:
    trial.drop("pedidos.csv", orders(1001))
    bad = line(1002, "00", at(day(1), 10)).replace("1000", "2400")
    drop(trial, "a.txt", file(line(1001, "00", at(day(1), 10)), bad))
    trial.pass_at(at(day(1), 12))
    assert events(trial) == [("E1001", "00")]
    report = (trial.folder / "edi/done/a.txt.report.txt").read_text(encoding="utf-8")
    assert report == "line 5: has the time 2400, which is none (0000 to 2359)\n"
    assert "a line of a.txt, sent by estrada, could not be read" in open_alerts(trial)["feed_refused"]
    drop(trial, "b.txt", file(line(1001, "98", at(day(2), 10))))
    trial.pass_at(at(day(2), 12))
    assert "feed_refused" not in open_alerts(trial)


def test_another_kind_of_file_stays_where_it_is(trial: Trial) -> None:
    drop(trial, "conemb.txt", b"000A\r\n320CONHE\r\n321X\r\n")
    drop(trial, "leia-me.pdf", b"%PDF-1.4")
    drop(trial, "upload.txt.part", file(line(1001, "00", at(day(1), 10))))
    trial.pass_through([at(day(1), 12), at(day(1), 13)])
    assert lying(trial) == {"conemb.txt", "leia-me.pdf", "upload.txt.part"}
    assert trial.rows(FeedFile) == []
    assert {row["name"] for row in trial.rows(FeedSeen)} == {"conemb.txt", "leia-me.pdf"}


def test_a_file_that_is_still_being_written_is_left_until_it_has_settled(trial: Trial) -> None:
    trial.settings["carriers"][-1]["files"][0]["settle_seconds"] = 0.3
    path = drop(trial, "a.txt", file(line(1001, "00", at(day(1), 10))), age_s=0)
    trial.pass_at(at(day(1), 12))
    assert not path.exists()
    assert len(trial.rows(FeedFile)) == 1


def test_a_death_between_keeping_and_reading_is_made_good_at_the_next_start(trial: Trial) -> None:
    trial.drop("pedidos.csv", orders(1001))
    drop(trial, "a.txt", file(line(1001, "00", at(day(1), 10))))
    trial.pass_at(at(day(1), 12))
    from sqlalchemy import delete, update

    from tracker.store.tables import table

    with trial.database.begin_write() as connection:
        connection.execute(update(table(FeedFile)).values(state="stored"))
        connection.execute(delete(table(Event)))
        connection.execute(delete(table(ShipmentHistory)))
    trial.pass_at(at(day(1), 13))
    assert events(trial) == [("E1001", "00")]
    assert (trial.one(FeedFile)["state"], trial.one(FeedFile)["matched"]) == ("read", 1)


def test_a_feed_that_falls_silent_is_told_and_its_silence_is_no_news(trial: Trial) -> None:
    trial.settings["rules"] = {"stalled": {"business_days": 2}}
    trial.drop("pedidos.csv", orders(1001, promised="30/09/2026"))
    drop(trial, "a.txt", file(line(1001, "98", at(day(1), 10)), line(1001, "00", at(day(1), 9))))
    trial.pass_through(at(day(n), 12) for n in range(1, 6))
    assert "has sent nothing since 2026-08-03 15:00Z" in open_alerts(trial)["feed_silent"]
    assert trial.one(ShipmentPoll)["last_answered_at"] == at(day(1), 12)
    drop(trial, "b.txt", file(line(1002, "00", at(day(5), 10))))
    trial.pass_at(at(day(5), 15))
    assert "feed_silent" not in open_alerts(trial)
    assert trial.one(ShipmentPoll)["last_answered_at"] == at(day(5), 15)
    outage = trial.one(CarrierOutage, family="tracking")
    assert (outage["started_at"], outage["ended_at"]) == (at(day(1), 12), at(day(5), 15))
    # The feed is alive again and does not mention it; but none of those days was one of silence.
    assert trial.rows(Problem) == []


def test_silence_counts_while_the_feed_is_alive(trial: Trial) -> None:
    trial.settings["rules"] = {"stalled": {"business_days": 2}}
    trial.drop("pedidos.csv", orders(1001, promised="30/09/2026"))
    drop(trial, "a.txt", file(line(1001, "98", at(day(1), 10)), line(1001, "00", at(day(1), 9))))
    for n in range(1, 5):
        drop(trial, f"{n}.txt", file(line(1002, "98", at(day(n), 10))))
        trial.pass_at(at(day(n), 12))
    assert "feed_silent" not in open_alerts(trial)
    assert {row["kind"] for row in trial.rows(Problem)} == {"stalled"}


def test_a_folder_that_cannot_be_read_is_one_alert_and_stops_nothing_else(trial: Trial) -> None:
    (trial.folder / "edi").write_text("not a folder")
    trial.drop("pedidos.csv", orders(1001))
    trial.pass_through(at(day(1), hour) for hour in (10, 12, 14))
    assert len(trial.rows(Shipment)) == 1
    assert "estrada does not answer (files 1)" in open_alerts(trial)["carrier_down"]


def test_an_invoice_that_nothing_names_cannot_be_followed(trial: Trial) -> None:
    rows = "Pedido;Cliente;E-mail;Transportadora;Código de rastreio\r\nE9;Bia;bia@example.com;Estrada;MINUTA4711\r\n"
    trial.drop("pedidos.csv", rows.encode())
    trial.pass_at(at(day(1), 12))
    assert trial.rows(Shipment) == []
    report = next((trial.inbox / "done").glob("*.resultado.csv")).read_text(encoding="utf-8-sig")
    assert "acompanhada pela nota fiscal; informe a chave de acesso" in report


def test_every_layout_of_the_samples_tells_the_same(trial: Trial) -> None:
    trial.drop("pedidos.csv", orders(1001, 1002, 1003))
    for name in ("ocoren31.txt", "ocoren50.txt", "ocoren31-three-digit-codes.txt"):
        drop(trial, name, (DATA / "ocoren" / name).read_bytes())
    trial.pass_at(at(day(120), 12))
    assert sorted(events(trial)) == [("E1001", "01"), ("E1002", "98"), ("E1003", "79")]
    assert len(trial.rows(CarrierFeed)) == 1
    assert trial.one(CarrierFeed)["heard_at"] - at(day(120), 12) == timedelta()


def test_a_carrier_s_own_numbering_and_its_name_are_the_merchant_s_to_say(trial: Trial) -> None:
    """For many shippers 26 is a loss, where the standard table has a fiscal retention."""
    own = {"title": "Transportes Serra Azul", "codes": {"26": {"status": "lost", "cause": "loss"}}}
    trial.settings["carriers"][-1] |= own
    trial.drop("pedidos.csv", orders(1001))
    drop(trial, "a.txt", file(line(1001, "00", at(day(1), 10))))
    trial.pass_at(at(day(1), 12))
    drop(trial, "b.txt", file(line(1001, "26", at(day(2), 10))))
    trial.pass_at(at(day(2), 12))
    assert [row["kind"] for row in trial.rows(Problem)] == ["loss"]
    texts = [message_from_bytes(trial.mail_text(n), policy=policy.default) for n in range(len(trial.told()))]
    said = "\n".join(
        part.get_content() for text in texts for part in text.walk() if part.get_content_type() == "text/plain"
    )
    assert "Transportes Serra Azul" in said
    assert ISSUER not in said
