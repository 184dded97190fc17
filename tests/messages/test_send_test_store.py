"""`tracker send-test` against a real mail server: one message, marked, to the named address alone, and what the server said."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from tests.end_to_end.support import Start, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import Delivery

PARCEL = of_fate(Fate.ON_TIME)
ADDRESS = "eu@loja.example"


def read(data: bytes) -> EmailMessage:
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
    assert isinstance(message, EmailMessage)
    return message


def test_one_marked_message_to_the_named_address_alone(start: Start) -> None:
    trial = start()
    trial.settings["messages"]["redirect_to"] = "desvio@loja.example"
    trial.shop.pop("live_from")  # a test leaves although the shop only observes
    trial.write_config()
    done = trial.command("send-test", ADDRESS)
    assert done.returncode == 0, done.stderr
    server = f"127.0.0.1:{trial.settings['messages']['email']['port']}"
    assert done.stdout.startswith(f"sent to {ADDRESS} by {server}: the server took it (it said: ")
    assert done.stderr.splitlines() == [
        "with example data, as aurora writes",
        f"messages.redirect_to does not hold for a test: it goes to {ADDRESS}",
    ]
    assert [recipient for recipient, _ in trial.told()] == [ADDRESS]
    message = read(trial.mail_text())
    assert message["Subject"] == "[teste] Pedido 10482: já está a caminho"
    assert message["To"].addresses[0].addr_spec == ADDRESS
    assert message["Auto-Submitted"] == "auto-generated"
    assert not (trial.folder / "data").exists()


def test_another_text_in_another_language_with_a_real_orders_data(start: Start) -> None:
    trial = start(PARCEL)
    trial.settings["messages"]["preset"] = "none"
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    words = ["--trigger", "in_transit", "--lang", "en", "--order", PARCEL.order.number]
    done = trial.command("send-test", ADDRESS, *words)
    assert done.returncode == 0, done.stderr
    message = read(trial.mail_text())
    plain = message.get_body(("plain",))
    assert plain is not None and PARCEL.code in plain.get_content()
    assert message["Subject"].startswith(f"[teste] Order {PARCEL.order.number}")
    assert trial.rows(Delivery) == []  # a test is no delivery


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param("unknown_user", "not sent: no_such_mailbox", id="no such mailbox"),
        pytest.param("greylist", "not sent: it asks to try again later", id="greylisted"),
    ],
)
def test_a_refusal_is_told_and_is_a_failure(start: Start, fault: str, said: str) -> None:
    trial = start()
    trial.write_config()
    trial.world.mail.order_fault(fault, count=None)
    done = trial.command("send-test", ADDRESS)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr and "it said: " in done.stderr
    assert trial.told() == []


def test_a_server_that_is_not_there(start: Start) -> None:
    trial = start()
    trial.write_config()
    trial.world.mail.stop()
    done = trial.command("send-test", ADDRESS)
    assert done.returncode == 1
    assert "not sent: connection refused: is the mail server running, is the port right?" in done.stderr


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        pytest.param(["nada"], "nada: is no e-mail address", id="no address"),
        pytest.param([ADDRESS, "--trigger", "ack"], "nothing fires it in this release", id="no text"),
        pytest.param([ADDRESS, "--shop", "x"], "--shop x: there is no such shop (known: aurora)", id="no such shop"),
        pytest.param([ADDRESS, "--order", "7"], "there is no database", id="no database"),
    ],
)
def test_what_cannot_be_sent(start: Start, words: list[str], fault: str) -> None:
    trial = start()
    trial.write_config()
    done = trial.command("send-test", *words)
    assert done.returncode == 2 and fault in done.stderr
    assert trial.told() == []
