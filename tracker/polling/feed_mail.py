"""A mailbox that a carrier sends its files to, as attachments.

What comes is told by the mailbox's own numbers, so a mail that somebody has read meanwhile is taken all the same. Nothing is
deleted: a mail whose files were taken is marked as seen, or moved; every other stays as it was.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

import structlog

from tracker.mailbox import MailboxAccount, MailboxError, MailboxRefusedError, MailboxSession, opened_aside
from tracker.polling.feed_files import Fate
from tracker.polling.feed_places import Looked, PlaceError, Take, readable

log = structlog.get_logger(__name__)
LOOKS_BACK: Final = timedelta(days=14)
"""A mailbox that was never read is read from so long ago."""
MAX_MAIL: Final = 32 * 1024 * 1024
"""A file of 16 MiB, as it is written in a mail, and room for others."""
MAX_PARTS: Final = 100
_LAST: Final = ""


@dataclass(frozen=True)
class FeedMailbox:
    """Such a mailbox. Only mails whose sender and subject hold these texts are looked into."""

    account: MailboxAccount
    looked: Looked
    sender: str = ""
    subject: str = ""
    stopping: Callable[[], bool] = lambda: False
    tls_context: ssl.SSLContext | None = None
    """Stands in for the system's authorities."""

    @property
    def shown(self) -> str:
        """See `Place`."""
        return f"mailbox {self.account.shown}"

    async def visit(self, take: Take, now: datetime) -> int:
        """See `Place`."""
        try:
            async with opened_aside(self.account, self.tls_context) as box:
                return await self._visit(box, take, now)
        except MailboxRefusedError as fault:
            raise PlaceError(str(fault), is_refusal=True) from fault
        except MailboxError as fault:
            raise PlaceError(str(fault)) from fault

    async def _visit(self, box: MailboxSession, take: Take, now: datetime) -> int:
        last = (await self.looked.marks()).get(_LAST, "")
        begin = await asyncio.to_thread(self._begin, box, last, now)
        count = 0
        for uid in await asyncio.to_thread(box.after, begin):
            if self.stopping():
                break
            raw = (await asyncio.to_thread(box.fetch, [uid], MAX_MAIL)).get(uid, b"")
            taken = await self._take(uid, raw, take)
            if taken is None:
                break
            if taken:
                await asyncio.to_thread(box.file, [uid])
            # After the filing: a death in between reads this mail once more, and its files are known.
            await self.looked.save(_LAST, f"{box.uid_validity}:{uid}", now)
            count += taken
        return count

    @staticmethod
    def _begin(box: MailboxSession, last: str, now: datetime) -> int:
        validity, _, uid = last.partition(":")
        if uid and int(validity) == box.uid_validity:
            return int(uid)
        return box.beginning((now - LOOKS_BACK).date())

    async def _take(self, uid: int, raw: bytes, take: Take) -> int | None:
        """How many files of a mail were taken; None where the program stops in the middle of it."""
        if len(raw) >= MAX_MAIL:
            log.warning(
                "feed.left_alone", carrier=self.looked.carrier, place=self.looked.place, uid=uid, reason="is too large"
            )
            return 0
        mail = await asyncio.to_thread(read_mail, raw)
        if mail is None or not self._is_wanted(mail):
            return 0
        count = 0
        for name, payload in mail.files:
            taken = await take(name, payload)
            if taken.fate is Fate.PUT_DOWN:
                return None
            if taken.fate is Fate.FOREIGN:
                self.looked.leave_alone(name, taken)
            else:
                count += 1
        return count

    def _is_wanted(self, mail: Mail) -> bool:
        return self.sender.casefold() in mail.sender.casefold() and self.subject.casefold() in mail.subject.casefold()


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail with its attachments (name, content)."""

    sender: str
    subject: str
    files: tuple[tuple[str, bytes], ...]


def read_mail(raw: bytes) -> Mail | None:
    """Pure; None for what cannot be taken apart. Never raises for what a stranger wrote."""
    try:
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return Mail(str(message["From"] or ""), str(message["Subject"] or ""), tuple(_files(message)))
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        # The library trips over some forms that its own parser lets through.
        return None


def _files(message: EmailMessage) -> Iterator[tuple[str, bytes]]:
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            return
        name = part.get_filename()
        is_text = part.get_content_maintype() in ("text", "multipart", "message")
        if name is None and (is_text and part.get_content_disposition() != "attachment"):
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload:
            yield readable((name or f"anexo-{number}").encode("utf-8", "replace").decode()), payload
