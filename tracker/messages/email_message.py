"""A rendered message turned into the bytes an SMTP server takes: pure ASCII, text first, HTML last.

The headers are written here and not by `email`'s own folder: it encodes any token longer than 77 characters, which breaks
References and Feedback-ID, and may drop the quotes around a name that needs them. What goes into a header is either
encoded (names, subject) or checked against a pattern (everything else); line breaks are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Protocol

from tracker.domain.mail_address import BadAddress, ascii_address, ascii_domain
from tracker.messages.templates import Rendered
from tracker.messages.variables import clean

# Plain policy.SMTP writes 8bit bodies, which need 8BITMIME on the whole way, and quoted-printable lines of 78 characters,
# of which RFC 2045 section 6.7 allows 76.
_POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)
_MAILBOX = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<address>[^<>]*)>\s*")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$%&'*+/^_`{|}~-]+")
_NO_TOKEN = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_LENGTH = 80
_TOKEN_LENGTH = 20
_LINE = 76
_LONGEST_WORD = 60


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`address` is ASCII with an IDNA domain; `name` is empty where there is none."""

    address: str
    name: str = ""


class Attachment(Protocol):
    """A file that goes along: `csv`, or a subtype of `application`; its name is plain ASCII."""

    @property
    def name(self) -> str: ...
    @property
    def subtype(self) -> str: ...
    @property
    def data(self) -> bytes: ...


def parse_mailbox(text: str) -> Mailbox:
    """Read `Loja Exemplo <pos-venda@loja.example>` or a bare address. Raises BadAddress."""
    match = _MAILBOX.fullmatch(text)
    if match is None:
        return Mailbox(ascii_address(text))
    name = match["name"].removeprefix('"').removesuffix('"')
    return Mailbox(ascii_address(match["address"]), clean(name))


def new_message_id(domain: str, random: Callable[[int], bytes]) -> str:
    """A fresh Message-ID of 128 random bits; draw it once and store it before the first attempt. *random* is os.urandom."""
    return f"<{random(16).hex()}@{ascii_domain(domain)}>"


def build_message(
    rendered: Rendered,
    *,
    sender: str,
    reply_to: str | None,
    recipient: str,
    recipient_name: str | None,
    message_id: str,
    date: datetime,
    trigger: str,
    shop: str,
    entity_ref: str,
    references: Sequence[str] = (),
    copies: Sequence[str] = (),
    attachments: Sequence[Attachment] = (),
    for_people: bool = False,
) -> bytes:
    """The whole message, CRLF at line ends.

    *date* is aware, in the shop's own zone; *entity_ref* differs for every message, so that mailboxes do not stack different
    orders; *references* are Message-IDs of earlier messages about the same order, oldest first; *copies* are addresses that
    everybody sees; *for_people* leaves out what keeps other machines from answering. The same arguments give the same headers,
    so a message sent again is recognisable. Raises BadAddress for the recipients, ValueError for the rest.
    """
    recipient_box = Mailbox(ascii_address(recipient), clean(recipient_name or ""))
    headers = [
        ("From", _mailbox_value(_own_mailbox(sender))),
        ("To", _mailbox_value(recipient_box)),
        *([("Cc", ",\r\n ".join(ascii_address(copy) for copy in copies))] if copies else []),
        ("Subject", _encoded(_one_line("subject", rendered.subject).strip(), "Subject")),
        ("Date", _date(date)),
        ("Message-ID", _message_id(message_id)),
    ]
    if reply_to:
        headers.append(("Reply-To", _mailbox_value(_own_mailbox(reply_to))))
    if references:
        ids = [_message_id(reference) for reference in references]
        headers += [("In-Reply-To", ids[-1]), ("References", "\r\n ".join(ids))]
    if not for_people:
        # RFC 3834: a machine wrote this, so no machine should answer; the second is what Exchange understands.
        headers += [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "OOF, AutoReply")]
    headers += [
        ("Feedback-ID", f"-:{_token(trigger)}:{_token(shop)}:st"),
        ("X-Entity-Ref-ID", _token(entity_ref, length=40)),
    ]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return lines.encode("ascii") + _body(rendered, attachments)


def _body(rendered: Rendered, attachments: Sequence[Attachment]) -> bytes:
    """MIME headers and both parts: multipart/alternative, the plain text first; what is attached stands behind them."""
    message = EmailMessage(policy=_POLICY)
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    for one in attachments:
        maintype = "text" if one.subtype == "csv" else "application"
        params = {"charset": "utf-8"} if maintype == "text" else None
        message.add_attachment(one.data, maintype=maintype, subtype=one.subtype, filename=one.name, params=params)
    return message.as_bytes()


def _own_mailbox(text: str) -> Mailbox:
    """The shop's own address: a bad one is a fault of the configuration, never a reason to suppress a customer."""
    try:
        return parse_mailbox(text)
    except BadAddress as exc:
        raise ValueError(f"not a mail address of the shop: {exc.reason}") from exc


def _mailbox_value(mailbox: Mailbox) -> str:
    name = mailbox.name[:_NAME_LENGTH].strip()
    if not name:
        return mailbox.address
    if _PLAIN_NAME.fullmatch(name):
        written = name
    elif name.isascii() and "=?" not in name:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        written = f'"{escaped}"'
    else:
        written = _encoded(name, "Reply-To")
    # On a line of its own the address is never folded, however long name and address are.
    separator = " " if len(written) + len(mailbox.address) < _LINE - len("Reply-To: <>") else "\r\n "
    return f"{written}{separator}<{mailbox.address}>"


def _encoded(text: str, header_name: str) -> str:
    """Folded ASCII for a header; RFC 2047 words where *text* needs them, would be read as one, or cannot be folded."""
    plain = text.isascii() and "=?" not in text and max(map(len, text.split()), default=0) < _LONGEST_WORD
    header = Header(text, "us-ascii" if plain else "utf-8", maxlinelen=_LINE, header_name=header_name)
    return header.encode(splitchars=" ", linesep="\r\n")


def _one_line(what: str, text: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(f"control character in the {what}")
    return text


def _date(date: datetime) -> str:
    if date.tzinfo is None:
        raise ValueError("the date of a message needs a time zone")
    return format_datetime(date)


def _message_id(text: str) -> str:
    if not _MESSAGE_ID.fullmatch(text):
        raise ValueError("not a Message-ID")
    return text


def _token(text: str, *, length: int = _TOKEN_LENGTH) -> str:
    """A short ASCII word for headers that group messages; never holds personal data."""
    return _NO_TOKEN.sub("-", text)[:length]
