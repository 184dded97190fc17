"""Alerts by e-mail, against a real mail server: one mail a notification, whole after a death in the middle."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.support import NOW, Alerting, Receiver, codes, deliveries, hook, say
from tests.messages.smtp_servers import HOST, Answers, real_server
from tracker.alerts.mail import EmailSink
from tracker.alerts.sinks import SinkEntry
from tracker.domain.alerting import SinkPolicy
from tracker.messages.smtp import SmtpAccount, SmtpTransport
from tracker.store.database import Database
from tracker.store.tables import AlertNotification, table

ZONE = ZoneInfo("America/Sao_Paulo")
TO = "operacao@aurora.example"
MIN = timedelta(minutes=1)
pytestmark = pytest.mark.anyio


def entry(port: int, to: str = TO) -> SinkEntry:
    account = SmtpAccount(HOST, port, "none", dot_timeout_s=2.0)
    sink = EmailSink(SmtpTransport(account), "Avisos <pos-venda@aurora.example>", to, ZONE)
    return SinkEntry(f"email:{to}", "email#1", "d", SinkPolicy(zone=ZONE, group=10 * MIN, per_hour=30), sink)


@asynccontextmanager
async def mailing(database: Database) -> AsyncIterator[tuple[Answers, Alerting]]:
    answers = Answers()
    async with real_server(answers) as port:
        yield answers, Alerting(database, [entry(port)])


def read(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def test_a_group_is_one_mail_with_what_to_do(database: Database) -> None:
    async with mailing(database) as (answers, stage):
        codes(database, NOW, *range(12))
        await stage.run(NOW)
        (data,) = answers.accepted
    message = read(data)
    assert message["Subject"].startswith("[warning] unknown_code: 12 alerts (unknown_code): unknown code X0")
    assert (message["To"], message["Auto-Submitted"]) == (TO, "auto-generated")
    text = text_of(message)
    assert "A1 unknown_code (warning), since 2026-11-24 09:00" in text
    assert "and 2 more: tracker alerts --open" in text
    assert "tracker carriers unknown" in text and "código de evento desconhecido" in text
    assert "tracker alerts ack A1" in text
    assert "unknown code X3" in text_of(message, "html")


async def test_an_end_says_so_and_asks_for_nothing(database: Database) -> None:
    async with mailing(database) as (answers, stage):
        say(database, NOW, summary="does <not> answer")
        await stage.run(NOW)
        say(database, NOW + MIN, raised=False)
        await stage.run(NOW + MIN)
    first, second = (read(data) for data in answers.accepted)
    assert "&lt;not&gt;" in text_of(first, "html")
    assert second["Subject"].startswith("[critical] over: carrier_down")
    assert "over 2026-11-24 09:01" in text_of(second) and "What to do" not in text_of(second)


async def test_a_mail_that_was_never_confirmed_is_sent_once_more_under_the_same_id(database: Database) -> None:
    async with mailing(database) as (answers, stage):
        answers.drop_after_dot = True
        say(database, NOW)
        for minutes in (0, 1, 14, 15, 40, 90):
            await stage.run(NOW + minutes * MIN)
    assert len(answers.accepted) == 2
    assert len({read(data)["Message-ID"] for data in answers.accepted}) == 1
    with database.begin_read() as connection:
        (note,) = connection.execute(table(AlertNotification).select()).all()
    assert (note.state, note.next_step_at, note.repeated) == ("unconfirmed", None, True)


async def test_a_death_while_sending_is_not_taken_for_a_failure(database: Database) -> None:
    async with mailing(database) as (answers, stage):
        say(database, NOW)
        await stage.decide.run(NOW)
        with database.begin_write() as connection:
            connection.execute(table(AlertNotification).update().values(state="sending"))
        await stage.run(NOW + MIN)
        assert answers.accepted == []
        await stage.run(NOW + 16 * MIN)
        await stage.run(NOW + 40 * MIN)
        assert len(answers.accepted) == 1


async def test_an_address_that_does_not_exist_is_given_up_and_the_others_are_told(
    database: Database, receiver: Receiver
) -> None:
    answers = Answers(rcpt=["550 5.1.1 no such user"])
    async with real_server(answers) as port:
        stage = Alerting(database, [entry(port), hook(receiver)])
        say(database, NOW)
        for minutes in (0, 1, 2):
            await stage.run(NOW + minutes * MIN)
    assert [one["kind"] for one in receiver.envelopes()] == ["carrier_down", "alert_sink_down"]
    assert TO not in str(receiver.envelopes())
    assert deliveries(database)[0] == (f"email:{TO}", "raised", "failed", 1)


async def test_a_mail_server_that_is_down_loses_nothing(database: Database) -> None:
    answers = Answers(rcpt=["451 4.3.0 later", "451 4.3.0 later"])
    async with real_server(answers) as port:
        stage = Alerting(database, [entry(port)])
        say(database, NOW)
        for minutes in range(0, 60, 1):
            await stage.run(NOW + minutes * MIN)
    assert len(answers.accepted) == 1
