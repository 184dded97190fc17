"""Hands messages to one mail server over one connection that is used again and again.

A mail server gives no exactly-once, so the dialogue is split: MAIL and RCPT, then the caller commits that it is sending,
then DATA. Before the text leaves, every failure is a plain retry; once it has left and no reply comes, the outcome is
UNKNOWN and only a person or a receipt can tell.

Timeouts follow RFC 5321 section 4.5.3.2 where giving up early would cost something: the reply to the final dot gets its
ten minutes, since a lost "250" means a message nobody can vouch for. All other replies can be asked for again.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError

from tracker.config.fields import is_loopback
from tracker.domain.mail_address import BadAddress, ascii_address
from tracker.domain.outcome import Outcome, Result, Scope, SmtpStage, smtp_outcome
from tracker.messages.smtp_pipeline import exchange

Security = Literal["starttls", "tls", "none"]

_ERRNO = re.compile(r"\[Errno (\d+)\]")
_START_INPUT = 354
_CLOSING = 421
_MECHANISM_UNKNOWN = 504
_TAKEN: Final = {SmtpStage.MAIL: {250}, SmtpStage.RCPT: {250, 251}}
"""251: it forwards, to an address that it knows."""


class _Refused(SMTPResponseException):
    """The server's answer to one command of several."""

    def __init__(self, stage: SmtpStage, code: int, message: str) -> None:
        super().__init__(code, message)
        self.stage = stage


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """One mail server and how to speak to it. Raises ValueError for what would send a password or a mail in the clear."""

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    command_timeout_s: float = 60.0
    dot_timeout_s: float = 600.0
    idle_s: float = 60.0
    """A connection unused for longer is not trusted: servers drop it without a word."""
    max_messages: int = 200
    helo_name: str | None = None
    """What EHLO says; None for this machine's own name."""

    def __post_init__(self) -> None:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError("security 'none' is for a mail server on this machine; use starttls or tls")
        if self.security == "none" and self.user is not None:
            raise ValueError("a user and password need starttls or tls")


class SmtpTransport:
    """Submits one message after another; calls at the same time wait for each other.

    *tls_context* replaces the system's certificate authorities (tests, a private CA).
    """

    def __init__(self, account: SmtpAccount, *, tls_context: ssl.SSLContext | None = None) -> None:
        self._account = account
        self._tls_context = tls_context
        self._client: aiosmtplib.SMTP | None = None
        self._lock = asyncio.Lock()
        self._messages = 0
        self._used_at = 0.0

    @property
    def server(self) -> str:
        """`host:port`."""
        return f"{self._account.host}:{self._account.port}"

    async def submit(
        self,
        envelope_from: str,
        recipient: str,
        data: bytes,
        *,
        before_data: Callable[[], Awaitable[None]],
        copies: Sequence[str] = (),
    ) -> Outcome:
        """Hand over *data* for one recipient, and *copies* of it: a copy that is refused does not hold it.

        *before_data* is awaited once, after the server took sender and recipient and before DATA; when it raises, nothing
        was sent and its error goes on to the caller. An outcome other than ACCEPTED and UNKNOWN means that nothing was
        taken over, also after *before_data* ran. Raises ValueError for bytes that are not a clean message (not ASCII, lone
        line ends) and for a bad sender.
        """
        _check_data(data)
        sender = ascii_address(envelope_from)
        try:
            receiver = ascii_address(recipient)
        except BadAddress as exc:
            return Outcome(Result.BAD_ADDRESS, exc.reason, scope=Scope.RECIPIENT)
        async with self._lock:
            try:
                return await self._submit(sender, receiver, data, before_data, copies)
            except BaseException:
                # Cancelled or failed in the middle: whatever the server says next answers a question nobody remembers.
                self._drop()
                raise

    async def probe(self) -> Outcome:
        """Connect, secure and log in, send nothing: ACCEPTED when a message could be handed over."""
        async with self._lock:
            await self._quit()
            outcome = await self._open()
            await self._quit()
            return outcome or Outcome(Result.ACCEPTED, "ready", scope=Scope.ACCOUNT)

    async def close(self) -> None:
        """Say QUIT and let the connection go; the next `submit` opens another."""
        async with self._lock:
            await self._quit()

    async def _submit(
        self,
        sender: str,
        receiver: str,
        data: bytes,
        before_data: Callable[[], Awaitable[None]],
        copies: Sequence[str],
    ) -> Outcome:
        refused = await self._envelope(sender, receiver, len(data)) or await self._copies(copies)
        if refused is not None:
            return refused
        try:
            await before_data()
        except Exception:
            await self._quit()
            raise
        return await self._data(data)

    async def _envelope(self, sender: str, receiver: str, size: int) -> Outcome | None:
        """MAIL and RCPT; None when the server took both. A reused connection that turns out dead is replaced once."""
        reused = await self._still_open()
        outcome = None if reused else await self._open()
        if outcome is None:
            outcome = await self._announce(sender, receiver, size)
        if outcome is not None and reused and self._client is None:
            outcome = await self._open() or await self._announce(sender, receiver, size)
        return outcome

    async def _announce(self, sender: str, receiver: str, size: int) -> Outcome | None:
        """MAIL and RCPT, at once where the server takes that; None when it took both."""
        client = self._connected()
        if not client.supports_extension("pipelining"):
            return await self._mail(sender, size) or await self._step(SmtpStage.RCPT, lambda: client.rcpt(receiver))
        sized = f" SIZE={size}" if client.supports_extension("size") else ""
        commands = [f"MAIL FROM:<{sender}>{sized}".encode("ascii"), f"RCPT TO:<{receiver}>".encode("ascii")]
        return await self._step(SmtpStage.MAIL, lambda: self._both(client, commands))

    async def _both(self, client: aiosmtplib.SMTP, commands: Sequence[bytes]) -> None:
        """Say MAIL and RCPT. Raises for the first that was refused; both were answered by then, or the server is gone."""
        replies = await exchange(client, commands, timeout_s=self._account.command_timeout_s)
        for stage, reply in zip((SmtpStage.MAIL, SmtpStage.RCPT), replies, strict=False):
            if reply.code not in _TAKEN[stage]:
                raise _Refused(stage, reply.code, reply.message)
        if len(replies) < len(commands):
            raise SMTPServerDisconnected("Connection lost")

    async def _copies(self, copies: Sequence[str]) -> Outcome | None:
        """RCPT for every copy; None, unless the connection was lost."""
        client = self._connected()
        try:
            for copy in copies:
                with contextlib.suppress(SMTPResponseException, BadAddress):
                    await client.rcpt(ascii_address(copy))
        except (SMTPException, OSError):
            self._drop()
            return _lost()
        return None

    async def _mail(self, sender: str, size: int) -> Outcome | None:
        client = self._connected()
        options = [f"SIZE={size}"] if client.supports_extension("size") else []
        return await self._step(SmtpStage.MAIL, lambda: client.mail(sender, options=options))

    async def _step(self, stage: SmtpStage, command: Callable[[], Awaitable[object]]) -> Outcome | None:
        """One command of the envelope; None when it was taken. A refusal resets the dialogue, a loss drops the connection."""
        try:
            await command()
        except SMTPResponseException as exc:
            outcome = smtp_outcome(exc.stage if isinstance(exc, _Refused) else stage, exc.code, exc.message)
            await self._reset(exc.code)
            return outcome
        except (SMTPException, OSError):
            self._drop()
            return _lost()
        return None

    async def _data(self, data: bytes) -> Outcome:
        """DATA, the text and the final dot. The library's own `data` cannot tell a loss before the text from one after."""
        client = self._connected()
        try:
            start = await client.execute_command(b"DATA")
        except SMTPResponseException as exc:
            self._drop()
            return smtp_outcome(SmtpStage.DATA, exc.code, exc.message)
        except (SMTPException, OSError):
            self._drop()
            return _lost()
        if start.code != _START_INPUT:
            await self._reset(start.code)
            return smtp_outcome(SmtpStage.DATA, start.code, start.message)
        return await self._text(client, data)

    async def _text(self, client: aiosmtplib.SMTP, data: bytes) -> Outcome:
        protocol = client.protocol
        if protocol is None or not protocol.is_connected:
            self._drop()
            return _lost()
        protocol.write(_on_the_wire(data))
        try:
            reply = await protocol.read_response(timeout=self._account.dot_timeout_s)
        except (SMTPException, OSError):
            self._drop()
            return Outcome(Result.UNKNOWN, "answer_lost")
        outcome = smtp_outcome(SmtpStage.DOT, reply.code, reply.message)
        self._messages += 1
        self._used_at = asyncio.get_running_loop().time()
        if outcome.result is not Result.ACCEPTED:
            await self._reset(reply.code)
        return outcome

    async def _still_open(self) -> bool:
        """Whether the connection at hand may be used again; one that is too old or worn is closed properly."""
        if self._client is None or not self._client.is_connected:
            self._drop()
            return False
        idle_s = asyncio.get_running_loop().time() - self._used_at
        if idle_s > self._account.idle_s or self._messages >= self._account.max_messages:
            await self._quit()
            return False
        return True

    async def _open(self) -> Outcome | None:
        """Connect, secure, log in; None when ready."""
        context = await self._context() if self._account.security != "none" else None
        client = aiosmtplib.SMTP(
            hostname=self._account.host,
            port=self._account.port,
            timeout=self._account.command_timeout_s,
            use_tls=self._account.security == "tls",
            start_tls=False,
            tls_context=context,
            local_hostname=self._account.helo_name,
        )
        self._client = client
        outcome = await self._greet(client)
        if outcome is None and self._account.user is not None:
            outcome = await self._log_in(client, self._account.user, self._account.password or "")
        if outcome is not None:
            self._drop()
            return outcome
        self._messages = 0
        self._used_at = asyncio.get_running_loop().time()
        return None

    async def _greet(self, client: aiosmtplib.SMTP) -> Outcome | None:
        try:
            await client.connect()
            await client.ehlo()
            if self._account.security == "starttls":
                # Never "when offered": a box in the middle that strips the offer would get the password in clear.
                if not client.supports_extension("starttls"):
                    return _set_up("starttls_missing")
                await client.starttls()
                await client.ehlo()
        except SMTPResponseException as exc:
            return smtp_outcome(SmtpStage.CONNECT, exc.code, exc.message)
        except (SMTPException, OSError, UnicodeError) as exc:
            return _no_connection(exc)
        return None

    async def _log_in(self, client: aiosmtplib.SMTP, user: str, password: str) -> Outcome | None:
        """One attempt, so that a wrong password does not lock the account; a second mechanism only if the first is unknown."""
        if client.get_transport_info("sslcontext") is None:
            return _set_up("auth_without_tls")
        methods = {"plain": client.auth_plain, "login": client.auth_login}
        offered = [method for name, method in methods.items() if name in client.server_auth_methods]
        outcome = _set_up("auth_missing")
        for method in offered:
            try:
                await method(user, password)
            except SMTPResponseException as exc:
                outcome = smtp_outcome(SmtpStage.AUTH, exc.code, _without(exc.message, user, password))
                if exc.code != _MECHANISM_UNKNOWN:
                    return outcome
            except (SMTPException, OSError):
                return _lost()
            else:
                return None
        return outcome

    async def _context(self) -> ssl.SSLContext:
        if self._tls_context is None:
            # Reads the system's certificates from disk.
            self._tls_context = await asyncio.to_thread(ssl.create_default_context)
            self._tls_context.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._tls_context

    async def _reset(self, code: int) -> None:
        """After a refusal: forget the envelope, or the connection where the server is leaving or out of step."""
        client = self._client
        if client is None or not client.is_connected or code == _CLOSING or not 400 <= code < 600:
            self._drop()
            return
        self._used_at = asyncio.get_running_loop().time()
        try:
            await client.rset()
        except (SMTPException, OSError):
            self._drop()

    async def _quit(self) -> None:
        client = self._client
        if client is not None and client.is_connected:
            # Politeness only: the connection is closed whatever the server says.
            with contextlib.suppress(SMTPException, OSError):
                await client.quit()
        self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None:
            raise RuntimeError("no connection is open")
        return self._client


def _check_data(data: bytes) -> None:
    # A lone CR or LF could end the text early for one server and not for the next, and smuggle a second message in.
    pairs = data.count(b"\r\n")
    if not data.isascii() or not data.count(b"\r") == data.count(b"\n") == pairs:
        raise ValueError("the message must be ASCII with CRLF line ends")


def _on_the_wire(data: bytes) -> bytes:
    """The text as DATA takes it: dots that begin a line doubled (RFC 5321 section 4.5.2), and the final one."""
    dotted = (b"." if data.startswith(b".") else b"") + data.replace(b"\r\n.", b"\r\n..")
    return dotted + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")


def _lost() -> Outcome:
    return Outcome(Result.RETRY, "connection_lost", scope=Scope.ACCOUNT)


def _set_up(reason: str) -> Outcome:
    return Outcome(Result.ACCOUNT_DOWN, reason, scope=Scope.ACCOUNT)


def _not_there(reason: str) -> Outcome:
    return Outcome(Result.RETRY, reason, scope=Scope.ACCOUNT)


def _no_connection(exc: BaseException) -> Outcome:
    """Why there is no connection, however deep the library wrapped the cause."""
    causes = list(_chain(exc))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
        # A person must look, retrying is no help.
        return _set_up("certificate")
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return _not_there("tls_failed")
    if any(isinstance(one, socket.gaierror | UnicodeError) for one in causes):
        return _not_there("name_unknown")
    if any(isinstance(one, TimeoutError | SMTPTimeoutError) for one in causes):
        return _not_there("timed_out")
    numbers = {number for one in causes if isinstance(one, OSError) for number in _errnos(one)}
    if errno.ECONNREFUSED in numbers:
        return _not_there("connection_refused")
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return _not_there("no_route")
    if any(isinstance(one, SMTPServerDisconnected | ConnectionError) for one in causes):
        return _not_there("connection_lost")
    return _not_there("unreachable")


def _chain(exc: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = exc
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _errnos(error: OSError) -> set[int]:
    """The numbers of an error; one for several addresses of a host only has them in its text."""
    return {int(found) for found in _ERRNO.findall(str(error))} | ({error.errno} if error.errno else set())


def _without(text: str, user: str, password: str) -> str:
    """A server's words on a login without what it was sent, should it repeat that."""
    plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    single = [base64.b64encode(one.encode()).decode() for one in (user, password)]
    for secret in sorted((plain, *single, user, password), key=len, reverse=True):
        text = text.replace(secret, "<...>") if secret else text
    return text
