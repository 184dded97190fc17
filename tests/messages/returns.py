"""Mails that came back, as servers write them; composed, all people and companies fictitious."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

BOUNCER = "MAILER-DAEMON@mx.provedor.example"


def report(
    recipient: str,
    *,
    message_id: str | None,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 user unknown",
    number: int = 1,
    to: str = "devolucoes@aurora.example",
    entity: str | None = None,
) -> bytes:
    """An RFC 3464 report about one recipient; *message_id* None: without the headers of what came back."""
    original = ""
    if message_id is not None:
        ref = f"X-Entity-Ref-ID: {entity}\n" if entity else ""
        original = f"--=_b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {message_id}\n{ref}To: {recipient}\n\n"
    return _crlf(f"""\
Return-Path: <>
Delivered-To: {to}
From: Mail Delivery System <{BOUNCER}>
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{number}.{action}@mx.provedor.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain; charset=us-ascii

The message could not be delivered.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.provedor.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

{original}--=_b--
""")


def complaint(recipient: str, message_id: str, kind: str = "abuse") -> bytes:
    """An RFC 5965 report."""
    return _crlf(f"""\
From: <abuse@provedor.example>
To: devolucoes@aurora.example
Subject: FW: pedido
Message-ID: <queixa@provedor.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"

--=_b
Content-Type: text/plain

This is an email abuse report.

--=_b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <{recipient}>

--=_b
Content-Type: message/rfc822

From: Loja Aurora <entregas@aurora.example>
To: {recipient}
Message-ID: {message_id}
Subject: pedido

Texto.

--=_b--
""")


def qmail(recipient: str, message_id: str) -> bytes:
    """A bounce in a server's own words, with a copy of what was sent below."""
    return _crlf(f"""\
Return-Path: <>
From: {BOUNCER}
To: entregas@aurora.example
Subject: failure notice
Message-ID: <qmail@mx.provedor.example>
Content-Type: text/plain

Hi. This is the qmail-send program at mx.provedor.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{recipient}>:
192.0.2.80 does not like recipient.
Remote host said: 550 5.1.1 no such user
Giving up on 192.0.2.80.

--- Below this line is a copy of the message.

Message-ID: {message_id}
To: {recipient}
Subject: pedido

Texto.
""")


def out_of_office(message_id: str, at: datetime) -> bytes:
    """A machine's answer to a message of ours."""
    return _crlf(f"""\
Return-Path: <>
From: Marina Exemplo <marina@cliente.example>
To: sac@aurora.example
Subject: Resposta automatica
Date: {format_datetime(at)}
Message-ID: <auto-0001@cliente.example>
In-Reply-To: {message_id}
Auto-Submitted: auto-replied
Precedence: auto_reply
Content-Type: text/plain

Estou de ferias.
""")


LETTER = (
    b"From: Joana <joana@cliente.example>\r\nTo: sac@aurora.example\r\nSubject: Cade meu pedido?\r\n"
    b"Message-ID: <pergunta@cliente.example>\r\n\r\nBom dia, cade meu pedido?\r\n"
)
"""A person's."""


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("ascii")
