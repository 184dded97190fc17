"""Files that come by mail: a real mailbox on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage

import pytest

from tests.messages.imap_server import PASSWORD, USER, ImapServer, dovecot
from tests.polling.feed_support import looked, ocoren, reader, taken, visit
from tests.support.schema import prepare
from tracker.mailbox import MailboxAccount
from tracker.polling.feed_mail import FeedMailbox, read_mail
from tracker.polling.feed_places import PlaceError
from tracker.store.database import Database


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    with dovecot() as made:
        yield made


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    prepare(sqlite_url)
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def box(server: ImapServer, database: Database) -> Iterator[FeedMailbox]:
    for part in ("new", "cur", ".Lidos/new", ".Lidos/cur"):
        for path in (server.root / "Maildir" / part).iterdir():
            path.unlink()
    account = MailboxAccount("127.0.0.1", server.port, "none", USER, PASSWORD)
    yield FeedMailbox(account, looked(database))


def mail(*files: tuple[str, bytes], subject: str = "OCOREN do dia", sender: str = "edi@estrada.example") -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = f"EDI <{sender}>", subject
    message["To"], message["Message-ID"] = USER, f"<{hash(files)}@estrada.example>"
    message.set_content("Segue o arquivo.")
    for name, payload in files:
        message.add_attachment(payload, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


@pytest.mark.anyio
async def test_attachments_are_taken_once_and_their_mails_marked(
    server: ImapServer, box: FeedMailbox, database: Database
) -> None:
    server.put(mail(("a.txt", ocoren(1)), ("nota.pdf", b"%PDF"), ("b.txt", ocoren(2))))
    server.put(mail(("nota.pdf", b"%PDF")))
    server.put(mail())
    files = reader(database)
    assert await visit(box, files) == 2
    assert await visit(box, files) == 0
    server.put(mail(("ocorrência.txt", ocoren(3))))
    assert await visit(box, files) == 1
    assert taken(database) == [("a.txt", "read"), ("b.txt", "read"), ("ocorrência.txt", "read")]
    assert [("S" in flags, b"a.txt" in raw) for flags, raw in server.mails() if b'"a.txt"' in raw] == [(True, True)]
    assert sum("S" in flags for flags, _ in server.mails()) == 2


@pytest.mark.anyio
async def test_a_mail_that_somebody_has_read_already_is_taken_all_the_same(
    server: ImapServer, box: FeedMailbox, database: Database
) -> None:
    server.put(mail(("a.txt", ocoren(1))))
    (path,) = (server.root / "Maildir" / "new").iterdir()
    path.rename(server.root / "Maildir" / "cur" / f"{path.name}:2,S")
    assert await visit(box, reader(database)) == 1


@pytest.mark.anyio
async def test_only_the_mails_that_were_chosen_are_looked_into_and_moved(
    server: ImapServer, box: FeedMailbox, database: Database
) -> None:
    server.put(mail(("a.txt", ocoren(1)), subject="Re: Ocoren 21/11"))
    server.put(mail(("b.txt", ocoren(2)), sender="alguem@outra.example"))
    server.put(mail(("c.txt", ocoren(3)), subject="Boleto"))
    chosen = replace(
        box, sender="@estrada.example", subject="OCOREN", account=replace(box.account, done_folder="Lidos")
    )
    assert await visit(chosen, reader(database)) == 1
    assert taken(database) == [("a.txt", "read")]
    assert [b"a.txt" in raw for _, raw in server.mails("Lidos")] == [True]
    assert len(server.mails()) == 2


@pytest.mark.anyio
async def test_a_wrong_password_is_for_a_person_and_nobody_there_is_for_later(
    box: FeedMailbox, database: Database
) -> None:
    with pytest.raises(PlaceError, match="refused the login") as refused:
        await visit(replace(box, account=replace(box.account, password="outra")), reader(database))
    assert refused.value.is_refusal
    with pytest.raises(PlaceError, match="cannot be reached") as away:
        await visit(replace(box, account=replace(box.account, port=1)), reader(database))
    assert not away.value.is_refusal


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\x00" * 500, id="no mail at all"),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n" * 5_000, id="thousands of parts"
        ),
        pytest.param(b"Content-Transfer-Encoding: base64\r\nContent-Type: a/b\r\n\r\n!!!!", id="broken base64"),
        pytest.param(b"Subject: =?nada?q?=zz?=\r\nFrom: \xff\r\n\r\n", id="broken headers"),
    ],
)
def test_a_stranger_s_mail_never_raises(raw: bytes) -> None:
    found = read_mail(raw)
    assert found is None or len(found.files) <= 100
