"""What a mail that came back says; above all, that no mail of a stranger's can hurt."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tests.conftest import DATA
from tests.messages.returns import LETTER, complaint, out_of_office, qmail, report
from tracker.messages.returned import MAX_BYTES, Kind, read_returned

HEX = "7f3c0e1a00004000800000000000000a"
OURS = f"<{HEX}@aurora.example>"
JOANA = "joana@cliente.example"
NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)


def sample(name: str) -> bytes:
    return (DATA / "channels" / name).read_bytes()


def test_a_recorded_bounce() -> None:
    found = read_returned(sample("dsn_bounce_hard.eml"))
    (fate,) = found.fates
    assert (found.kind, fate.action, fate.status) == (Kind.BOUNCE, "failed", "5.1.1")
    assert fate.addresses == ("inexistente@cliente.example",)
    assert fate.diagnostic == "smtp; 550 5.1.1 user unknown"
    assert found.ids == ("<7f3c0e1a-0000-4000-8000-000000000001@loja-aurora.example>",)


def test_a_recorded_delay() -> None:
    found = read_returned(sample("dsn_delayed.eml"))
    assert (found.kind, found.fates[0].action, found.fates[0].status) == (Kind.BOUNCE, "delayed", "4.4.1")


def test_a_recorded_out_of_office_is_a_machines() -> None:
    assert read_returned(sample("out_of_office.eml")).kind is Kind.AUTOMATIC


def test_the_token_of_the_address_it_was_sent_to() -> None:
    found = read_returned(report(JOANA, message_id=None, to=f"devolucoes+{HEX}@aurora.example"))
    assert (found.tokens, found.names_original) == ((HEX,), False)


def test_a_message_id_that_the_provider_replaced_is_found_by_ours() -> None:
    found = read_returned(report(JOANA, message_id="<0100@email.amazonses.com>", entity=HEX))
    assert (found.ids, found.refs) == (("<0100@email.amazonses.com>",), (HEX,))


def test_a_bounce_in_a_servers_own_words() -> None:
    found = read_returned(qmail(JOANA, OURS))
    (fate,) = found.fates
    assert (found.kind, fate.addresses, fate.action, found.ids) == (Kind.BOUNCE, (JOANA,), "failed", (OURS,))
    assert fate.diagnostic.startswith("550 5.1.1 no such user")


@pytest.mark.parametrize(
    ("kind", "expected"), [("abuse", Kind.COMPLAINT), ("fraud", Kind.COMPLAINT), ("not-spam", Kind.AUTOMATIC)]
)
def test_a_complaint(kind: str, expected: Kind) -> None:
    found = read_returned(complaint(JOANA, OURS, kind))
    assert (found.kind, found.ids) == (expected, (OURS,))
    if expected is Kind.COMPLAINT:
        assert found.fates[0].addresses == (JOANA,)


def test_machines_are_told_from_people() -> None:
    assert read_returned(out_of_office(OURS, NOW)).ids == (OURS,)
    assert read_returned(LETTER).kind is Kind.OTHER
    receipt = LETTER.replace(
        b"Subject", b"Content-Type: multipart/report; report-type=disposition-notification\r\nSubject"
    )
    assert read_returned(receipt).kind is Kind.AUTOMATIC
    for header in (b"Auto-Submitted: auto-generated", b"Precedence: Bulk", b"X-Autoreply: yes", b"Return-Path: <>"):
        assert read_returned(header + b"\r\n" + LETTER).kind is Kind.AUTOMATIC, header
    assert read_returned(b"Auto-Submitted: no\r\n" + LETTER).kind is Kind.OTHER


def test_the_same_mail_has_the_same_key_wherever_it_lies() -> None:
    mail = report(JOANA, message_id=OURS)
    assert read_returned(mail).key == read_returned(b"X-Moved: yes\r\n" + mail).key
    assert read_returned(mail).key != read_returned(report(JOANA, message_id=OURS, number=2)).key
    assert read_returned(b"\r\nx").key != read_returned(b"\r\ny").key


def nested(depth: int) -> bytes:
    opening = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level) for level in range(depth)
    )
    return opening + b"\r\n" + b"".join(b"--b%d--\r\n" % level for level in reversed(range(depth)))


HOSTILE = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\x00" * 5000, id="zeros"),
    pytest.param(b"From: " + b"a" * 10_000_000, id="one endless header"),
    pytest.param(b"A: b\r\n" * 40_000, id="forty thousand headers"),
    pytest.param(nested(3_000), id="parts in parts in parts"),
    pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 5_000, id="mails in mails in mails"),
    pytest.param(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 40_000, id="many parts"),
    pytest.param(b"Content-Type: multipart/report; report-type==?x?=\r\n\r\n", id="a parameter that cannot be read"),
    pytest.param(b"Content-Type: text/plain; charset*=x'y'%FF\r\nReturn-Path: <>\r\n\r\nhi", id="a strange charset"),
    pytest.param(
        report(JOANA, message_id=OURS).replace(b"message/delivery-status", b"message/delivery-status; charset=none")
        + b"\xff\xfe" * 100,
        id="bytes after the end",
    ),
    pytest.param(
        report(JOANA, message_id=OURS).replace(b"Action: failed", b"Action: failed\r\n" * 3_000), id="many actions"
    ),
    pytest.param(b"Return-Path: <>\r\n\r\n" + b"<" * 200_000, id="what a detector's pattern may choke on"),
    pytest.param(b"Return-Path: <>\r\n\r\n" + b"a@" * 100_000, id="half addresses"),
    pytest.param(b"To: " + b"a+b@" * 50_000 + b"\r\n\r\n", id="an address without end"),
    pytest.param(b"Content-Type: " + b"multipart/" * 20_000 + b"\r\n\r\n", id="a type without end"),
]


@pytest.mark.parametrize("raw", HOSTILE)
def test_nothing_a_stranger_sends_hurts(raw: bytes) -> None:
    began = time.monotonic()
    found = read_returned(raw)
    assert isinstance(found.kind, Kind) and len(found.fates) <= 50
    assert time.monotonic() - began < 5


def test_a_mail_with_more_parts_than_a_report_has_is_not_taken_apart() -> None:
    assert read_returned(nested(100)).kind is Kind.UNREADABLE


def test_only_the_beginning_of_a_mail_is_read() -> None:
    mail = report(JOANA, message_id=OURS)
    assert read_returned(mail + b"x" * 30_000_000).kind is Kind.BOUNCE
    assert read_returned(b"X: y\r\n" * MAX_BYTES + mail).kind is not Kind.BOUNCE
