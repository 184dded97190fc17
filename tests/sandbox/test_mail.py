from __future__ import annotations

import shutil
import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.sandbox.conftest import Client, at
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.mail import MailFault, MailSettings, MailSink, Security
from tracker.sandbox.world import World

BUYER = "antonia@example.com"
Start = Callable[..., MailSink]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[MailSink] = []

    def make(**settings: object) -> MailSink:
        sink = MailSink(tmp_path / "mail", SandboxClock(at(1)), MailSettings(**settings))  # type: ignore[arg-type]
        sink.start()
        started.append(sink)
        return sink

    yield make
    for sink in started:
        sink.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a throwaway certificate")
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", str(made[0]), "-keyout", str(made[1])),
        ],
        check=True,
        capture_output=True,
    )
    return made


def message(message_id: str = "<aviso.1@example.com>") -> EmailMessage:
    made = EmailMessage()
    made["Message-ID"] = message_id
    made["From"] = "Loja <loja@example.com>"
    made["To"] = BUYER
    made["Subject"] = "Seu pedido está atrasado"
    made.set_content("Olá, Antônia.\n.uma linha com ponto\n")
    return made


def send(sink: MailSink, mail: EmailMessage | None = None, to: list[str] | None = None) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as server:
        server.send_message(mail or message(), to_addrs=to or [BUYER])


def test_a_message_is_kept_as_sent_with_ledger_and_file(start: Start) -> None:
    sink = start()
    send(sink, to=[BUYER, "joao@example.com"])
    rows = sink.deliveries()
    assert [(row.message_id, row.recipient) for row in rows] == [
        ("<aviso.1@example.com>", BUYER),
        ("<aviso.1@example.com>", "joao@example.com"),
    ]
    assert rows[0].at == "2026-11-09T15:00:00+00:00"
    assert rows[0].file == "000001-aviso.1@example.com.eml"
    kept = (sink.folder / rows[0].file).read_bytes()
    assert b"\r\n.uma linha com ponto\r\n" in kept


def test_a_message_id_cannot_lead_out_of_the_folder(start: Start) -> None:
    sink = start()
    send(sink, message("<../../etc/passwd@example.com>"))
    assert [path.name for path in sink.folder.glob("*.eml")] == ["000001-.._.._etc_passwd@example.com.eml"]


def test_a_restarted_sink_goes_on_counting(start: Start) -> None:
    first = start()
    send(first)
    first.stop()
    second = start()
    send(second)
    assert [row.file[:6] for row in second.deliveries()] == ["000001", "000002"]


def test_greylisting_passes_at_the_second_try(start: Start) -> None:
    sink = start()
    sink.order_fault("greylist")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(sink)
    assert refused.value.recipients[BUYER][0] == 450
    send(sink)
    assert len(sink.deliveries()) == 1


def test_an_unknown_user_stays_unknown_and_others_pass(start: Start) -> None:
    sink = start()
    sink.order_fault(MailFault.UNKNOWN_USER, None, "Nobody@example.com")
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            send(sink, to=["nobody@example.com"])
        code, text = refused.value.recipients["nobody@example.com"]
        assert code == 550 and text.startswith(b"5.1.1")
    send(sink)
    assert [row.recipient for row in sink.deliveries()] == [BUYER]


def test_throttling_keeps_nothing(start: Start) -> None:
    sink = start()
    sink.order_fault("throttled")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(sink)
    assert refused.value.smtp_code == 454
    assert sink.deliveries() == []


def test_a_drop_after_the_final_dot_keeps_the_message(start: Start) -> None:
    sink = start()
    sink.order_fault(MailFault.DROP_AFTER_DOT)
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        send(sink)
    assert len(sink.deliveries()) == 1
    send(sink)
    assert len(sink.deliveries()) == 2


def test_a_drop_before_data_keeps_nothing(start: Start) -> None:
    sink = start()
    sink.order_fault(MailFault.DROP_BEFORE_DATA, recipient=BUYER)
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        send(sink)
    assert sink.deliveries() == []
    send(sink)
    assert len(sink.deliveries()) == 1


def test_credentials_are_asked_for_and_may_be_refused(start: Start) -> None:
    sink = start(user="loja", password="segredo-de-teste")
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as server:
        server.ehlo()
        assert server.mail("loja@example.com")[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            server.login("loja", "errado")
        assert refused.value.smtp_code == 535
    sink.order_fault("auth_refused")
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as server, pytest.raises(smtplib.SMTPAuthenticationError):
        server.login("loja", "segredo-de-teste")
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as server:
        server.login("loja", "segredo-de-teste")
        server.send_message(message())
    assert len(sink.deliveries()) == 1


def test_starttls_is_required_before_anything_else(start: Start, certificate: tuple[Path, Path]) -> None:
    sink = start(
        security=Security.STARTTLS, certificate=certificate[0], key=certificate[1], user="loja", password="segredo"
    )
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with smtplib.SMTP("localhost", sink.port, timeout=10) as server:
        assert server.docmd("MAIL", "FROM:<loja@example.com>")[0] == 530
        server.starttls(context=trust)
        server.login("loja", "segredo")
        server.send_message(message())
    assert len(sink.deliveries()) == 1


def test_implicit_tls_with_login(start: Start, certificate: tuple[Path, Path]) -> None:
    sink = start(security=Security.TLS, certificate=certificate[0], key=certificate[1], user="loja", password="segredo")
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with smtplib.SMTP_SSL("localhost", sink.port, context=trust, timeout=10) as server:
        server.login("loja", "segredo")
        server.send_message(message())
    assert len(sink.deliveries()) == 1


def test_tls_without_a_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="certificate"):
        MailSink(tmp_path, SandboxClock(at(1)), MailSettings(security=Security.TLS))


def test_the_side_door_orders_mail_faults_and_shows_the_ledger(world: World, client: Client) -> None:
    client.control("mail/faults", {"kind": "greylist", "recipient": BUYER})
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(world.mail)
    send(world.mail)
    assert [row["message_id"] for row in client.control("mail")["mail"]] == ["<aviso.1@example.com>"]
    for wrong in ({"kind": "flood"}, {"kind": "greylist", "count": 0}):
        status, _ = client.json("POST", "/sandbox/mail/faults", wrong)
        assert status == 400
