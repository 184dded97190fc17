"""`tracker preview`: the text as the customer would read it, with real data where there is any, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from carriers.base import Cause, ProblemKind
from tests.cli.conftest import Tracker
from tests.reports.support import (
    CODE,
    DELIVERED,
    EMAIL,
    LOST,
    MOVING,
    NOW,
    OTHER_CODE,
    POSTED,
    STATUS,
    add_message,
    add_order,
    add_problem,
    at,
    event,
    order,
    track,
)
from tracker.domain.order import OrderStatus, Person
from tracker.domain.words import Trigger
from tracker.messages.variables import TRIGGERS
from tracker.store.database import Database

WAITS = event("LDI-04", at(22, 14), STATUS.AVAILABLE_FOR_PICKUP, "Aguardando retirada", attempt=True)
TRIED = event("BDE-20", at(23, 14), STATUS.DELIVERY_FAILED, "Ausente", cause=Cause.ABSENT, attempt=True)


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.begin_read() as connection:
        return {
            rows.name: [tuple(row) for row in connection.execute(select(rows))]
            for rows in SQLModel.metadata.sorted_tables
        }


@pytest.fixture
def late(database: Database) -> None:
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment)
        add_problem(connection, shipment)


@pytest.mark.usefixtures("late")
def test_the_newest_order_that_it_fits_is_shown_and_nothing_is_written(tracker: Tracker, database: Database) -> None:
    before = everything(database)
    result = tracker("preview", "delay_detected")
    assert result.exit_code == 0, result.output
    assert "Subject:  Pedido 10482: percebemos um atraso" in result.stdout
    assert f"To:       {EMAIL.partition('@')[0]}" in result.stdout
    assert "Oi, Marina." in result.stdout and CODE in result.stdout and "sexta-feira, 20/11" in result.stdout
    assert result.stderr.endswith("with the data of order 10482 of exemplo\n")
    assert everything(database) == before


@pytest.mark.usefixtures("late")
def test_with_nothing_that_fits_examples_are_shown(tracker: Tracker) -> None:
    result = tracker("preview", "loss_confirmed", "--shop", "outra")
    assert result.exit_code == 0, result.output
    assert "Equipe Outra Loja" in result.stdout
    assert result.stderr == "with example data, as outra writes\n"


def test_without_a_database_examples_are_shown(
    configured: Callable[[str, str | None], Tracker], tmp_path: Path
) -> None:
    tracker = configured(f"sqlite:///{tmp_path / 'none.db'}", None)
    for trigger in TRIGGERS:
        result = tracker("preview", trigger)
        assert result.exit_code == 0, result.output
        assert "there is no database at" in result.stderr and "so examples are shown" in result.stderr
        assert result.stderr.endswith("with example data, as exemplo writes\n")
    assert not (tmp_path / "none.db").exists()
    named = tracker("preview", "posted", "--order", "10482")
    assert named.exit_code == 2 and "there is no database at" in named.stderr


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param(["--text"], "Oi, Marina.\n\nAcompanhando", id="text"),
        pytest.param(["--html"], '<html lang="pt-BR">', id="html"),
        pytest.param(["--lang", "en", "--text"], "Hi, Marina.\n\nWhile following your delivery", id="English"),
        pytest.param(["--lang", "EN", "--html"], '<html lang="en">', id="English, in HTML"),
        pytest.param(["--order", "10482", "--text"], CODE, id="by its number"),
    ],
)
def test_the_parts_alone(tracker: Tracker, options: list[str], shown: str) -> None:
    result = tracker("preview", "delay_detected", *options)
    assert result.exit_code == 0, result.output
    assert shown in result.stdout and "Subject:" not in result.stdout


@pytest.mark.usefixtures("late")
def test_a_whole_message_is_written_for_a_mail_program(tracker: Tracker, tmp_path: Path) -> None:
    path = tmp_path / "atraso.eml"
    result = tracker("preview", "delay_detected", "--out", str(path))
    assert result.exit_code == 0 and result.stdout.startswith(f"written   {path} (")
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(path.read_bytes())
    assert isinstance(message, EmailMessage)
    assert message["To"].addresses[0].addr_spec.lower() == EMAIL.lower()
    assert message["Subject"] == "Pedido 10482: percebemos um atraso e já estamos cuidando"
    assert message["Date"].datetime == NOW
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None and html is not None
    assert CODE in plain.get_content() and CODE in html.get_content()
    assert not message.defects


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("named", ["delay-detected", "DELAY_DETECTED", "aviso de atraso"])
def test_a_trigger_by_the_names_it_is_known_by(tracker: Tracker, named: str) -> None:
    assert tracker("preview", named, "--text").stdout == tracker("preview", "delay_detected", "--text").stdout != ""


@pytest.mark.usefixtures("late")
def test_a_file_that_exists_is_written_over_only_by_force(tracker: Tracker, tmp_path: Path) -> None:
    path = tmp_path / "atraso.eml"
    path.write_text("anotações", encoding="utf-8")
    refused = tracker("preview", "delay_detected", "--out", str(path))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"{path} exists already; name another file, or add --force to write over it\n"
    assert path.read_text(encoding="utf-8") == "anotações"
    assert tracker("preview", "delay_detected", "--out", str(path), "--force").exit_code == 0
    assert path.read_bytes().startswith(b"From: ")


def test_an_order_without_a_parcel_is_shown_its_thanks(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("20001", status=OrderStatus.PAID))
    result = tracker("preview", "order_thanked")
    assert "Subject:  Pedido 20001 confirmado. Obrigado pela compra!" in result.stdout
    assert "with the data of order 20001" in result.stderr


def test_what_was_told_is_shown_as_it_read(tracker: Tracker, database: Database) -> None:
    """On the day it was told the promise was still ahead; today it is over and would promise nothing."""
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(promised_on=at(23).date()), CODE)
        track(connection, shipment)
        add_message(connection, shipment, Trigger.POSTED)
    assert at(23) < NOW
    assert "Previsão de entrega: segunda-feira, 23/11" in tracker("preview", "posted", "--text").stdout


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        pytest.param(["ack"], "nothing fires it in this release", id="no text yet"),
        pytest.param(
            ["postd"], "postd: there is no such trigger (did you mean posted? known: order_thanked, ", id="misspelled"
        ),
        pytest.param(["nada"], "nada: there is no such trigger (known: order_thanked, posted", id="no trigger"),
        pytest.param(["posted", "--order", "9"], "--order 9: there is no such order", id="no such order"),
        pytest.param(["posted", "--shop", "x"], "--shop x: there is no such shop (known: exemplo, outra)", id="shop"),
        pytest.param(
            ["posted", "--lang", "fr"], "--lang fr: there are no texts in it (known: pt-BR, en)", id="language"
        ),
        pytest.param(["posted", "--channel", "sms"], "this release has e-mail only", id="channel"),
        pytest.param(["posted", "--html", "--text"], "name one of them", id="both parts"),
    ],
)
def test_what_cannot_be_shown(tracker: Tracker, words: list[str], fault: str) -> None:
    result = tracker("preview", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert fault in result.stderr and len(result.stderr.splitlines()) == 1


def test_an_order_number_of_two_shops_needs_the_shop(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        for shop, code in (("exemplo", CODE), ("outra", OTHER_CODE)):
            (shipment,) = add_order(connection, order(), code, shop=shop)
            track(connection, shipment)
    result = tracker("preview", "posted", "--order", "10482")
    assert result.exit_code == 2 and "several shops have one (name --shop: exemplo, outra)" in result.stderr
    assert OTHER_CODE in tracker("preview", "posted", "--order", "10482", "--shop", "outra").stdout


@pytest.mark.usefixtures("late")
def test_a_broken_text_ends_with_its_file_and_line(tracker: Tracker, tmp_path: Path) -> None:
    path = tmp_path / "templates" / "pt-BR" / "delay_detected.email.txt"
    path.parent.mkdir(parents=True)
    path.write_text("Oi\n{{ cpf }}", encoding="utf-8")
    result = tracker("preview", "delay_detected")
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr.startswith(f"{path}:2: variável desconhecida: 'cpf'")


@pytest.mark.parametrize(
    ("trigger", "events", "kind", "shown"),
    [
        pytest.param("pickup_waiting", (POSTED, MOVING, WAITS), None, "Cidade: Curitiba/PR", id="at the counter"),
        pytest.param(
            "delivery_attempt_failed",
            (POSTED, MOVING, TRIED),
            ProblemKind.DELIVERY_FAILED,
            "não havia ninguém para receber",
            id="tried",
        ),
        pytest.param("delivered", (POSTED, MOVING, DELIVERED), None, "segunda-feira, 30/11", id="here"),
        pytest.param("loss_confirmed", (POSTED, LOST), ProblemKind.LOSS, "R$ 189,90", id="lost"),
    ],
)
def test_each_fate_finds_its_order(
    tracker: Tracker, database: Database, trigger: str, events: tuple[object, ...], kind: ProblemKind | None, shown: str
) -> None:
    with database.begin_write() as connection:
        (other,) = add_order(connection, order("1", customer=Person("Outra", "o@example.com")), OTHER_CODE)
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, other, ())
        track(connection, shipment, events)  # type: ignore[arg-type]
        if kind is not None:
            add_problem(connection, shipment, kind)
    result = tracker("preview", trigger)
    assert result.stderr.endswith("with the data of order 10482 of exemplo\n"), result.output
    assert shown in result.stdout
