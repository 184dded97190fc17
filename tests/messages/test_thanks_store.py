"""A paid order is thanked for before there is a parcel: once, whatever the shop's files say later, and not before it is live."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.end_to_end.support import Start, Trial, at, day
from tracker.store.tables import Decision, Delivery, Notice, NoticeMember, NoticeOrderCheck

HEAD = "Pedido;Cliente;E-mail;Data do pedido;Situação;Previsão de entrega;Produto"
MINUTE = timedelta(minutes=1)


def file_of(
    status: str, *, number: str = "30001", email: str = "marina@cliente.example", ordered: str = "03/08/2026"
) -> bytes:
    return f"{HEAD}\r\n{number};MARINA PAGA;{email};{ordered};{status};14/08/2026;Fone sem fio\r\n".encode()


def paid(trial: Trial, status: str = "pago", **more: str) -> Trial:
    trial.drop("pedidos.csv", file_of(status, **more))
    trial.pass_at(at(day(1), 10))
    return trial


def test_a_paid_order_is_thanked_for_once(start: Start, database_url: str) -> None:
    trial = paid(start(url=database_url))
    row = trial.one(Delivery)
    assert (row["state"], trial.one(Notice)["trigger"]) == ("sent", "order_thanked")
    assert trial.told() == [("marina@cliente.example", row["message_id"])]
    assert trial.rows(NoticeMember) == []
    assert "sexta-feira, 14/08" in trial.mail_text().decode().replace("=\r\n", "")
    trial.drop("de-novo.csv", file_of("pago", email="marina.nova@cliente.example"))
    trial.pass_through([at(day(1), 12), at(day(2), 9)])
    assert len(trial.told()) == 1
    assert [row["next_check_at"] for row in trial.rows(NoticeOrderCheck)] == [None]


@pytest.mark.parametrize("status", ["aberto", "pronto para envio", "enviado", "cancelado", ""])
def test_an_order_that_its_file_does_not_call_paid_is_not(start: Start, status: str) -> None:
    trial = paid(start(), status)
    assert trial.rows(Notice) == []


def test_an_order_that_is_paid_later_is_thanked_for_then(start: Start) -> None:
    trial = paid(start(), "aberto")
    trial.drop("pago.csv", file_of("pago"))
    trial.pass_at(at(day(4), 10))
    assert trial.one(Notice)["since"] == at(day(4), 10)
    assert len(trial.told()) == 1


def test_old_orders_of_a_first_import_are_not_thanked_for(start: Start, database_url: str) -> None:
    trial = paid(start(url=database_url), ordered="25/07/2026")
    assert trial.rows(Notice) == []
    decision = trial.one(Decision, rule="notice.order_thanked")
    assert (decision["subject_kind"], decision["outcome"], decision["facts"]["why"]) == ("order", "not_told", "too_old")


def test_an_observing_shop_holds_its_thanks_and_lets_them_go_when_it_is_live(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.shop["live_from"] = day(2)
    trial.drop("pedidos.csv", file_of("pago", ordered="04/08/2026"))
    trial.pass_at(at(day(1), 22))
    held = trial.one(Delivery)
    assert (held["state"], held["hold_reason"], held["next_step_at"]) == ("awaiting_person", "observe", at(day(2), 0))
    trial.pass_at(at(day(2), 0))
    assert trial.told() == [("marina@cliente.example", held["message_id"])]


def test_what_began_before_the_shop_was_live_waits_for_a_person(start: Start) -> None:
    trial = start()
    trial.shop["live_from"] = day(2)
    trial.drop("pedidos.csv", file_of("pago"))
    trial.pass_through([at(day(1), 22), at(day(2), 0)])
    assert trial.one(Delivery)["hold_reason"] == "before_live"
    assert trial.command("release", "--all").returncode == 0
    trial.pass_at(at(day(2), 1))
    assert trial.one(Delivery)["state"] == "sent"
