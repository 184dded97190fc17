"""The mailbox of returned mail, on a real IMAP server: each return finds its message, once, and leaves everything else alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.messages.imap_server import PASSWORD, USER, ImapServer, dovecot
from tests.messages.returns import LETTER, complaint, out_of_office, qmail, report
from tracker.app import online_checks
from tracker.clock import SystemClock
from tracker.config import load_config
from tracker.domain.bounces import too_many
from tracker.messages import bounce_sweep
from tracker.sandbox.plan import Fate
from tracker.store.tables import Alert, Decision, Delivery, Notice, ReturnedMail, ReturnMailbox, Suppression, table

POSTED = of_fate(Fate.ON_TIME)
OTHERS = [of_fate(Fate.ON_TIME, index) for index in (1, 2, 3)]
FIRST = at(day(2), 9)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
JOANA = POSTED.order.customer.email


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    with dovecot() as server:
        yield server


def with_mailbox(trial: Trial, server: ImapServer, **more: Any) -> Trial:
    """A shop whose returns come to this mailbox, with one parcel's posting told."""
    box = {"host": "127.0.0.1", "port": server.port, "security": "none", "user": USER, "password": PASSWORD}
    trial.settings["messages"]["bounces"] = box | more
    trial.drop_orders()
    trial.pass_at(FIRST)
    assert {row["state"] for row in trial.rows(Delivery)} == {"sent"}
    return trial


def message_id(trial: Trial, place: int = 0) -> str:
    return str(trial.rows(Delivery)[place]["message_id"])


def states(trial: Trial) -> list[str]:
    return [row["state"] for row in trial.rows(Delivery)]


def arrived(server: ImapServer, raw: bytes, now: datetime = FIRST) -> None:
    server.put(raw, at=now.timestamp())


def test_a_dead_mailbox_found_out_later(start: Start, imap: ImapServer, database_url: str) -> None:
    trial = with_mailbox(start(POSTED, url=database_url), imap, done_folder="Lidos")
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    trial.pass_at(FIRST + MINUTE)
    (row,) = trial.rows(Delivery)
    assert (row["state"], row["reason"], row["sent_at"]) == ("bounced", "no_such_mailbox", FIRST)
    (listed,) = trial.rows(Suppression)
    assert (listed["address"], listed["source"], listed["reason"]) == (JOANA, "dsn", "no_such_mailbox")
    assert "550 5.1.1 user unknown" in listed["evidence"] and listed["delivery_id"] == row["id"]
    found = trial.one(ReturnedMail)
    assert (found["kind"], found["matched_by"], found["status"]) == ("failed", "message_id", "5.1.1")
    assert (imap.mails(), [flags for flags, _ in imap.mails("Lidos")]) == ([], ["S"])
    told = " ".join(trial.command("explain", f"M{row['id']}").stdout.split())
    assert "A mensagem voltou: não foi entregue (o endereço não existe)." in told
    assert "endereço recusado (o endereço não existe)" in " ".join(trial.command("show", POSTED.code).stdout.split())

    # The same mail comes again, and the program starts again: nothing more happens.
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    trial.pass_through([FIRST + 2 * MINUTE, FIRST + 3 * MINUTE])
    assert len(trial.rows(ReturnedMail)) == len(trial.rows(Suppression)) == 1
    assert len(trial.rows(Decision, rule=bounce_sweep.RULE)) == 1
    assert len(imap.mails("Lidos")) == 2


def test_what_is_not_ours_stays_as_it_was(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap, done_folder="Lidos")
    strangers = [
        LETTER,
        report(JOANA, message_id="<outra-loja@outra.example>"),
        report("ninguem@cliente.example", message_id=None, number=2),
        out_of_office("<outra-loja@outra.example>", FIRST),
    ]
    for mail in strangers:
        arrived(imap, mail)
    trial.pass_at(FIRST + MINUTE)
    assert sorted(imap.mails()) == sorted(("", mail) for mail in strangers)
    assert (states(trial), trial.rows(ReturnedMail), trial.rows(Suppression)) == (["sent"], [], [])


def test_a_delay_is_noted_and_changes_nothing(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap)
    arrived(
        imap, report(JOANA, message_id=message_id(trial), action="delayed", status="4.4.1", diagnostic="smtp; 451 x")
    )
    trial.pass_at(FIRST + MINUTE)
    assert (states(trial), trial.rows(Suppression)) == (["sent"], [])
    assert trial.one(Decision, rule=bounce_sweep.RULE)["outcome"] == "delayed"
    assert [flags for flags, _ in imap.mails()] == ["S"]
    told = " ".join(trial.command("explain", "M1").stdout.split())
    assert "ainda não aceitou a mensagem; o nosso continua tentando" in told


def test_an_answer_from_a_holiday_is_nothing(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap)
    arrived(imap, out_of_office(message_id(trial), FIRST))
    trial.pass_at(FIRST + MINUTE)
    assert (states(trial), trial.rows(ReturnedMail)) == (["sent"], [])
    assert [flags for flags, _ in imap.mails()] == ["S"]


def test_a_complaint_stops_this_shops_messages(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap)
    arrived(imap, complaint(JOANA, message_id(trial)))
    trial.pass_at(FIRST + MINUTE)
    listed = trial.one(Suppression)
    assert (listed["shop"], listed["reason"], listed["source"]) == ("aurora", "complaint", "complaint")
    assert (states(trial), trial.one(Decision, rule=bounce_sweep.RULE)["outcome"]) == (["sent"], "complained")


@pytest.mark.parametrize(
    ("mail", "matched_by"),
    [
        pytest.param(lambda mid: report(JOANA, message_id=None), "recipient", id="nothing but the recipient"),
        pytest.param(lambda mid: qmail(JOANA, mid), "message_id", id="a server's own words"),
        pytest.param(
            lambda mid: report(JOANA, message_id="<0100@ses.example>", entity=mid.strip("<>").partition("@")[0]),
            "message_id",
            id="a Message-ID that the provider replaced",
        ),
    ],
)
def test_how_a_return_finds_its_message(start: Start, imap: ImapServer, mail: Any, matched_by: str) -> None:
    trial = with_mailbox(start(POSTED, *OTHERS), imap)
    arrived(imap, mail(message_id(trial)))
    trial.pass_at(FIRST + MINUTE)
    assert trial.one(ReturnedMail)["matched_by"] == matched_by
    assert [row["id"] for row in trial.rows(Delivery, state="bounced")] == [1]
    assert trial.one(Suppression)["address"] == JOANA


def test_each_message_can_have_a_return_path_of_its_own(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED, *OTHERS), imap, return_path="devolucoes@aurora.example", verp=True)
    token = message_id(trial, 2).strip("<>").partition("@")[0]
    path = f"devolucoes+{token}@aurora.example"
    assert trial.world.mail.senders()[2] == path
    arrived(imap, report("quem-encaminha@outro.example", message_id=None, to=path))
    trial.pass_at(FIRST + MINUTE)
    assert trial.one(ReturnedMail)["matched_by"] == "verp"
    assert [row["id"] for row in trial.rows(Delivery, state="bounced")] == [3]
    # Whoever the mail was forwarded to is no customer of ours.
    assert trial.rows(Suppression) == []


@pytest.mark.parametrize(
    ("status", "diagnostic"),
    [
        pytest.param("5.2.2", "smtp; 552 5.2.2 mailbox full", id="full: not after one"),
        pytest.param("5.7.26", "smtp; 550 5.7.26 DMARC", id="our own set-up"),
        pytest.param("5.7.1", "smtp; 554 5.7.1 spam", id="our text"),
        pytest.param("4.4.7", "smtp; 451 4.4.1 no answer", id="given up"),
    ],
)
def test_returns_that_do_not_speak_against_the_address(
    start: Start, imap: ImapServer, status: str, diagnostic: str
) -> None:
    trial = with_mailbox(start(POSTED), imap)
    arrived(imap, report(JOANA, message_id=message_id(trial), status=status, diagnostic=diagnostic))
    trial.pass_at(FIRST + MINUTE)
    assert (states(trial), trial.rows(Suppression)) == (["bounced"], [])


def test_three_full_mailboxes_in_a_row_do(start: Start, imap: ImapServer) -> None:
    customer = POSTED.order.customer
    parcels = [replace(one, order=replace(one.order, customer=customer)) for one in OTHERS[:2]]
    trial = with_mailbox(start(POSTED, *parcels), imap)
    full = {"status": "5.2.2", "diagnostic": "smtp; 552 5.2.2 mailbox full"}
    for place in range(3):
        arrived(imap, report(JOANA, message_id=message_id(trial, place), number=place, **full))
    trial.pass_at(FIRST + MINUTE)
    assert (states(trial), trial.one(Suppression)["reason"]) == (["bounced"] * 3, "mailbox_full")


def test_a_return_proves_what_was_never_confirmed(start: Start, imap: ImapServer) -> None:
    trial = start(POSTED)
    box = {"host": "127.0.0.1", "port": imap.port, "security": "none", "user": USER, "password": PASSWORD}
    trial.settings["messages"]["bounces"] = box
    trial.world.mail.order_fault("drop_after_dot")
    trial.drop_orders()
    trial.pass_at(FIRST)
    assert states(trial) == ["unconfirmed"]
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    trial.pass_at(FIRST + MINUTE)
    assert states(trial) == ["bounced"]
    assert trial.one(Alert, kind="message_unconfirmed")["resolved_at"] == FIRST + MINUTE


def test_a_return_that_overtakes_the_sending_waits_for_it(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap)
    rows = table(Delivery)

    def set_state(state: str) -> None:
        with trial.database.begin_write() as connection:
            connection.execute(update(rows).values(state=state, lease_token="x" if state == "sending" else None))

    set_state("sending")
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    trial.pass_at(FIRST + MINUTE)
    assert trial.one(ReturnedMail)["applied_at"] is None
    set_state("sent")
    trial.pass_at(FIRST + 2 * MINUTE)
    assert (states(trial), trial.one(ReturnedMail)["applied_at"]) == (["bounced"], FIRST + 2 * MINUTE)


def test_a_death_before_the_filing_reads_the_mail_once_more(
    start: Start, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = with_mailbox(start(POSTED), imap)
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr("tracker.mailbox.MailboxSession.file", lambda *_: 1 / 0)
        trial.pass_at(FIRST + MINUTE)
    assert (states(trial), [flags for flags, _ in imap.mails()]) == (["bounced"], [""])
    trial.pass_at(FIRST + 2 * MINUTE)
    assert [flags for flags, _ in imap.mails()] == ["S"]
    assert len(trial.rows(Decision, rule=bounce_sweep.RULE)) == 1


def test_a_mailbox_numbered_anew_is_read_again_and_counts_nothing_twice(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap)
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    trial.pass_at(FIRST + MINUTE)
    boxes = table(ReturnMailbox)
    with trial.database.begin_write() as connection:
        connection.execute(update(boxes).values(uid_validity=1, last_uid=4_000_000))
    trial.pass_at(FIRST + 2 * MINUTE)
    assert (len(trial.rows(ReturnedMail)), trial.one(ReturnMailbox)["last_uid"]) == (1, 1)


def test_a_trials_own_address_is_never_put_on_the_list(start: Start, imap: ImapServer) -> None:
    trial = start(POSTED)
    trial.settings["messages"]["redirect_to"] = "teste@aurora.example"
    with_mailbox(trial, imap)
    arrived(imap, report("teste@aurora.example", message_id=message_id(trial)))
    trial.pass_at(FIRST + MINUTE)
    assert (states(trial), trial.rows(Suppression)) == (["bounced"], [])


# --- when it cannot be read -------------------------------------------------------------------------


def test_a_mailbox_that_cannot_be_read_is_one_alert(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap)
    trial.settings["messages"]["bounces"]["password"] = "outra"
    trial.pass_through(FIRST + n * 10 * MINUTE for n in range(1, 8))
    alert = trial.one(Alert)
    assert (alert["kind"], alert["severity"], alert["resolved_at"]) == ("bounces_down", "warning", None)
    assert "it refused the login" in alert["summary"]
    assert PASSWORD not in alert["summary"] and USER not in alert["summary"]
    trial.settings["messages"]["bounces"]["password"] = PASSWORD
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    back_at = FIRST + 2 * HOUR
    trial.pass_at(back_at)
    assert (trial.one(Alert)["resolved_at"], states(trial)) == (back_at, ["bounced"])


def test_check_config_proves_the_mailbox(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap, done_folder="Lidos")
    proven = trial.command("check-config", "--online")
    assert proven.returncode == 0, proven.stdout
    assert f"mailbox of returned mail 127.0.0.1:{imap.port}/INBOX: can be read" in proven.stdout
    for key, value, said in (
        ("done_folder", "Nada", "has no folder Nada (create it there)"),
        ("folder", "Nada", "cannot be read: there is no folder Nada"),
        ("password", "outra", "cannot be read: it refused the login: are user and password right?"),
    ):
        kept = trial.settings["messages"]["bounces"]
        trial.settings["messages"]["bounces"] = kept | {key: value}
        loaded = load_config(trial.write_config(), trial.environment, strict_credentials=True)
        (found,) = [result for result in online_checks(loaded, None, SystemClock()) if result[0].startswith("mailbox")]
        assert found[1:] == (False, found[2]) and said in found[2]
        trial.settings["messages"]["bounces"] = kept


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_mailbox_is_read_over_tls(
    start: Start, imap: ImapServer, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(imap.certificate.certificate))
    port = imap.tls_port if security == "tls" else imap.port
    trial = with_mailbox(start(POSTED), imap, security=security, port=port)
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    trial.pass_at(FIRST + MINUTE)
    assert states(trial) == ["bounced"]


# --- much of it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "of", "expected"), [(4, 10, False), (5, 30, True), (10, 200, False), (11, 200, True), (0, 0, False)]
)
def test_how_much_is_too_much(returned: int, of: int, expected: bool) -> None:
    assert too_many(returned, of) is expected


def test_a_high_share_of_returns_is_one_alert_that_ends(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(*(of_fate(Fate.ON_TIME, index) for index in range(6))), imap)
    rows = trial.rows(Delivery)
    for number, row in enumerate(rows[:5]):
        arrived(imap, report(row["recipient"], message_id=row["message_id"], number=number))
    trial.pass_through([FIRST + MINUTE, FIRST + 2 * MINUTE])
    alert = trial.one(Alert)
    assert (alert["kind"], alert["resolved_at"]) == ("bounce_rate", None)
    assert alert["summary"].startswith("5 of the newest 6 messages came back")
    notices, sent = table(Notice), table(Delivery)
    with trial.database.begin_write() as connection:
        told = {"shop": "aurora", "order_id": 1, "trigger": "posted", "since": FIRST, "created_at": FIRST, "version": 1}
        again = [told | {"id": 1000 + n, "occurrence": f"x:{n}", "expires_at": FIRST} for n in range(120)]
        connection.execute(insert(notices), again)
        later = {"channel": "email", "state": "sent", "queued_at": FIRST, "sent_at": FIRST + MINUTE, "attempts": 1}
        connection.execute(insert(sent), [later | {"notice_id": row["id"], "repeated": False} for row in again])
    trial.pass_at(FIRST + 3 * MINUTE)
    assert trial.one(Alert)["resolved_at"] == FIRST + 3 * MINUTE


@pytest.mark.soak
def test_a_mailbox_of_many_years_is_read_in_time(start: Start, imap: ImapServer) -> None:
    """Old mail is not even asked for; a mail of 30 MB is not read to its end."""
    trial = with_mailbox(start(POSTED, *OTHERS), imap)
    old = (FIRST - timedelta(days=400)).timestamp()
    box = imap.root / "Maildir" / "new"
    for number in range(50_000):
        path = box / f"1000000000.M{number}P1.test"
        path.write_bytes(LETTER)
        os.utime(path, (old, old))
        path.chmod(0o644)
    arrived(imap, report(JOANA, message_id=message_id(trial)) + b"x" * 30_000_000)
    for number in range(1_100):
        arrived(imap, LETTER + str(number).encode())
    arrived(imap, report(OTHERS[0].order.customer.email, message_id=message_id(trial, 1), number=2))
    trial.pass_at(FIRST + MINUTE)
    assert len(trial.rows(Delivery, state="bounced")) == 2
    assert sum(flags == "S" for flags, _ in imap.mails()) == 2
