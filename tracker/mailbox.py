"""A mailbox that is read, by IMAP. Everything here blocks: it is called in a thread, one session after another.

Nothing is ever deleted: what was ours is marked as seen, or moved where the server can move (RFC 6851); all else is left as
it was, unread included. Of each mail no more is asked for than its reader can use, however large it is.
"""

from __future__ import annotations

import asyncio
import imaplib
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from imap_tools import MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import BaseMailBox
from imap_tools.utils import encode_folder

FETCHED: Final = 25
"""So many mails are asked for at once."""
_UID = re.compile(rb"\bUID (\d+)")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MailboxError(Exception):
    """The mailbox cannot be read; the words are for a person, without user and password."""


class MailboxRefusedError(MailboxError):
    """It does not take user and password: a person must mend that."""


@dataclass(frozen=True, slots=True)
class MailboxAccount:
    """Which mailbox, and how to reach it."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    done_folder: str | None = None
    timeout_s: float = 30.0

    @property
    def shown(self) -> str:
        """For logs and alerts: without the user, which is mostly an address."""
        return f"{self.host}:{self.port}/{self.folder}"


@contextmanager
def _faults_told() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as exc:
        raise MailboxError("its certificate is not valid for this host, or nobody vouches for it") from exc
    except ssl.SSLError as exc:
        raise MailboxError("no secure connection: port 993 wants security: tls, port 143 starttls") from exc
    except TimeoutError as exc:
        raise MailboxError("no answer in time: is the port right, is a firewall in between?") from exc
    except OSError as exc:
        cause = exc.strerror or type(exc).__name__
        raise MailboxError(f"it cannot be reached ({cause}): are host and port right?") from exc
    except (imaplib.IMAP4.error, ImapToolsError, ValueError, KeyError) as exc:
        raise MailboxError(f"it does not answer as expected ({type(exc).__name__})") from exc


class MailboxSession:
    """An open mailbox. `uid_validity` changes when the server has numbered its mails anew."""

    def __init__(self, box: BaseMailBox, account: MailboxAccount) -> None:
        self._box, self._account = box, account
        status = box.folder.status(account.folder, ["UIDVALIDITY", "UIDNEXT"])
        self.uid_validity, self._next = int(status["UIDVALIDITY"]), int(status["UIDNEXT"])
        # What the library knows is what the server said before the login.
        _, said = box.client.capability()
        self.can_move = b"MOVE" in (said[-1] or b"").upper().split()
        """Whether the server moves without deleting."""

    @_faults_told()
    def beginning(self, since: date) -> int:
        """The number before the first mail that arrived since that day: where to begin in a mailbox never read before."""
        day = f"{since.day:02}-{_MONTHS[since.month - 1]}-{since.year}"
        found = [int(uid) for uid in self._box.uids(f"SINCE {day}", charset=None)]
        return min(found, default=self._next) - 1

    @_faults_told()
    def after(self, uid: int) -> list[int]:
        """The numbers of the mails behind this one, the oldest first."""
        if uid + 1 >= self._next:
            return []
        # `*` is the last mail even where its number is smaller.
        found = (int(one) for one in self._box.uids(f"UID {uid + 1}:*", charset=None))
        return sorted(one for one in found if one > uid)

    @_faults_told()
    def fetch(self, uids: Sequence[int], max_bytes: int) -> dict[int, bytes]:
        """The beginning of each of these mails; one that is gone meanwhile is absent. They stay unread."""
        if not uids:
            return {}
        numbers = ",".join(map(str, uids))
        kind, data = self._box.client.uid("FETCH", numbers, f"(UID BODY.PEEK[]<0.{max_bytes}>)")
        if kind != "OK":
            raise MailboxError("the server does not show its mails")
        return dict(_bodies(data))

    @_faults_told()
    def file(self, uids: Sequence[int]) -> None:
        """Mark these as seen, and move them where so configured and possible."""
        if not uids:
            return
        numbers, client = ",".join(map(str, uids)), self._box.client
        client.uid("STORE", numbers, "+FLAGS.SILENT", "(\\Seen)")
        if self._account.done_folder and self.can_move:
            client.uid("MOVE", numbers, encode_folder(self._account.done_folder).decode("ascii"))

    @_faults_told()
    def has_done_folder(self) -> bool:
        """Whether the folder for what was read exists (or none is wanted)."""
        wanted = self._account.done_folder
        return wanted is None or bool(self._box.folder.exists(wanted))


@contextmanager
def opened(account: MailboxAccount, tls_context: ssl.SSLContext | None = None) -> Iterator[MailboxSession]:
    """Connect, log in, select; log out at the end. Raises MailboxError for whatever goes wrong with the server."""
    with _faults_told():
        box = _connected(account, tls_context)
    try:
        with _faults_told():
            session = MailboxSession(box, account)
        yield session
    finally:
        _leave(box)


@asynccontextmanager
async def opened_aside(
    account: MailboxAccount, tls_context: ssl.SSLContext | None = None
) -> AsyncIterator[MailboxSession]:
    """`opened`, for coroutines: connecting and leaving happen in a thread."""
    with ExitStack() as stack:
        session = await asyncio.to_thread(stack.enter_context, opened(account, tls_context))
        ending = stack.pop_all()
    try:
        yield session
    finally:
        await asyncio.to_thread(ending.close)


def _connected(account: MailboxAccount, tls_context: ssl.SSLContext | None) -> BaseMailBox:
    context = (tls_context or _own_context()) if account.security != "none" else None
    where: dict[str, Any] = {"host": account.host, "port": account.port, "timeout": account.timeout_s}
    box: BaseMailBox
    if account.security == "tls":
        box = MailBox(**where, ssl_context=context)
    elif account.security == "starttls":
        box = MailBoxStartTls(**where, ssl_context=context)
    else:
        box = MailBoxUnencrypted(**where)
    try:
        _log_in(box, account)
    except BaseException:
        _leave(box)
        raise
    return box


def _log_in(box: BaseMailBox, account: MailboxAccount) -> None:
    try:
        if account.user.isascii() and account.password.isascii():
            box.login(account.user, account.password, initial_folder=None)
        else:
            box.login_utf8(account.user, account.password, initial_folder=None)
    except (imaplib.IMAP4.error, ImapToolsError) as exc:
        # The library's own words repeat what was sent.
        raise MailboxRefusedError("it refused the login: are user and password right?") from exc
    try:
        box.folder.set(account.folder)
    except (imaplib.IMAP4.error, ImapToolsError) as exc:
        raise MailboxError(f"there is no folder {account.folder}") from exc


def _own_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _leave(box: BaseMailBox) -> None:
    try:
        box.client.logout()
    except (OSError, imaplib.IMAP4.error):
        # Politeness only: the connection is gone in any case.
        box.client.shutdown()


def _bodies(data: Sequence[Any]) -> Iterator[tuple[int, bytes]]:
    """An answer to FETCH: pairs of what stands before a literal and the literal, with other lines between."""
    for item in data:
        if isinstance(item, tuple) and (found := _UID.search(item[0])):
            yield int(found[1]), bytes(item[1])
