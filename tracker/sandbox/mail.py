"""A mail server on loopback that keeps what it is given and fails as told."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
from dataclasses import asdict, dataclass
from email.parser import BytesHeaderParser
from enum import StrEnum
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tracker.sandbox.clock import SandboxClock

LOOPBACK = "127.0.0.1"
_LEDGER = "ledger.jsonl"
_STOP_SECONDS = 5

# At every login the library warns its own users about its next version.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Security(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class MailFault(StrEnum):
    """The two drops differ in what the sender may conclude: after the final dot the message IS kept."""

    GREYLIST = "greylist"
    UNKNOWN_USER = "unknown_user"
    MAILBOX_FULL = "mailbox_full"
    SENDER_REFUSED = "sender_refused"
    """Its `recipient` is the sender."""
    THROTTLED = "throttled"
    DAILY_QUOTA = "daily_quota"
    POLICY = "policy"
    AUTH_REFUSED = "auth_refused"
    DROP_BEFORE_DATA = "drop_before_data"
    DROP_AFTER_DOT = "drop_after_dot"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How the sink wants to be spoken to; `certificate` and `key` are PEM paths, needed for both kinds of TLS."""

    port: int = 0
    security: Security = Security.NONE
    certificate: Path | None = None
    key: Path | None = None
    user: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message taken for one recipient. `at` is an ISO instant of the sandbox clock, `file` a name in the folder."""

    message_id: str
    recipient: str
    at: str
    file: str


@dataclass(slots=True)
class _Order:
    kind: MailFault
    left: int | None
    recipient: str | None


class MailSink:
    """The server in a thread of its own; folder and ledger outlive it, so that a restarted one goes on counting."""

    def __init__(self, folder: Path, clock: SandboxClock, settings: MailSettings | None = None) -> None:
        """Raises ValueError where TLS is asked for without a certificate."""
        self.folder = folder
        self.settings = settings or MailSettings()
        self._clock = clock
        self._context = _tls_context(self.settings)
        self._lock = Lock()
        self._orders: list[_Order] = []
        self._senders: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._ledger = _read_ledger(folder / _LEDGER)
        self._count = max((int(path.name[:6]) for path in folder.glob("*.eml")), default=0)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()

    @property
    def port(self) -> int:
        """The port once started. Raises RuntimeError before."""
        if self._server is None:
            raise RuntimeError("the mail sink is not started")
        return int(self._server.sockets[0].getsockname()[1])

    def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        tls = self._context if self.settings.security is Security.TLS else None
        loop = self._loop = asyncio.new_event_loop()
        try:
            make = loop.create_server(self._session, LOOPBACK, self.settings.port, ssl=tls)
            self._server = loop.run_until_complete(make)
        except OSError:
            loop.close()
            raise
        self._thread = Thread(target=loop.run_forever, name="sandbox-smtp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, cut what is open, and end the thread."""
        if self._thread is None or self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._loop.close()
        self._thread = None

    def order_fault(self, kind: MailFault | str, count: int | None = 1, recipient: str | None = None) -> None:
        """Let the next *count* occasions fail (None: all), for one *recipient* where given.

        Raises ValueError for an unknown kind or a count below one.
        """
        if count is not None and count < 1:
            raise ValueError("a fault needs a count of at least one")
        with self._lock:
            self._orders.append(_Order(MailFault(kind), count, None if recipient is None else recipient.lower()))

    def clear_faults(self) -> None:
        with self._lock:
            self._orders = []

    def deliveries(self) -> list[Delivery]:
        """Return every message taken, once for each recipient, in the order of arrival."""
        with self._lock:
            return list(self._ledger)

    def senders(self) -> list[str]:
        """The envelope's sender of every message taken since the start, in the order of arrival."""
        with self._lock:
            return list(self._senders)

    def ledger_rows(self) -> list[dict[str, Any]]:
        return [asdict(delivery) for delivery in self.deliveries()]

    def take_fault(self, kind: MailFault, recipients: list[str]) -> bool:
        """Use up one waiting fault of that kind for any of *recipients* (or for nobody in particular)."""
        wanted = {recipient.lower() for recipient in recipients}
        with self._lock:
            for order in self._orders:
                if order.kind is kind and (order.recipient is None or order.recipient in wanted):
                    if order.left is not None:
                        order.left -= 1
                    self._orders = [each for each in self._orders if each.left is None or each.left > 0]
                    return True
        return False

    def keep(self, content: bytes, recipients: list[str], sender: str = "") -> str:
        """Write one message to the folder and the ledger; return the file's name."""
        message_id = str(BytesHeaderParser().parsebytes(content).get("Message-ID") or "").strip()
        with self._lock:
            self._count += 1
            safe = re.sub(r"[^A-Za-z0-9.@_-]+", "_", message_id.strip("<>"))[:100] or "without-message-id"
            name = f"{self._count:06d}-{safe}.eml"
            draft = self.folder / f".{name}.new"
            draft.write_bytes(content)
            draft.replace(self.folder / name)
            at = self._clock.now().isoformat()
            rows = [Delivery(message_id, recipient, at, name) for recipient in recipients]
            with (self.folder / _LEDGER).open("a", encoding="utf-8") as ledger:
                ledger.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
            self._ledger.extend(rows)
            self._senders.append(sender)
        return name

    def _session(self) -> _Session:
        settings = self.settings
        session = _Session(
            self,
            loop=self._loop,
            hostname="sandbox.example.com",
            ident="sandbox",
            tls_context=self._context if settings.security is Security.STARTTLS else None,
            require_starttls=settings.security is Security.STARTTLS,
            authenticator=self._authenticate,
            # With implicit TLS the library does not see that the line is already encrypted.
            auth_require_tls=settings.security is Security.STARTTLS,
        )
        self._sessions.add(session)
        return session

    def _authenticate(self, server: _Session, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (
            data.login == (self.settings.user or "").encode()
            and data.password == (self.settings.password or "").encode()
        )
        # Clients try one mechanism after the other: a refusal holds for the rest of the connection.
        if right and not server.refuse_login and not self.take_fault(MailFault.AUTH_REFUSED, []):
            return AuthResult(success=True)
        server.refuse_login = server.refuse_login or right
        return AuthResult(success=False, handled=False, message="535 5.7.8 Username and Password not accepted")

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for session in list(self._sessions):
            session.cut()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self, session: _Session) -> None:
        self._sessions.discard(session)


class _Hooks:
    """The library's handler: each answers one command with a reply line."""

    def __init__(self, sink: MailSink) -> None:
        self._sink = sink

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, mail_options: list[str]
    ) -> str:
        if self._sink.take_fault(MailFault.SENDER_REFUSED, [address]):
            return "550 5.7.1 Sender address rejected: not owned by user"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if self._sink.take_fault(MailFault.GREYLIST, [address]):
            return "450 4.2.0 Greylisted, please try again"
        if self._sink.take_fault(MailFault.UNKNOWN_USER, [address]):
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        if self._sink.take_fault(MailFault.MAILBOX_FULL, [address]):
            return "452 4.2.2 The recipient's inbox is out of storage space"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipients = [str(recipient) for recipient in envelope.rcpt_tos]
        if self._sink.take_fault(MailFault.THROTTLED, recipients):
            return "454 Throttling failure: Maximum sending rate exceeded."
        if self._sink.take_fault(MailFault.DAILY_QUOTA, recipients):
            return "550 5.4.5 Daily user sending limit exceeded"
        if self._sink.take_fault(MailFault.POLICY, recipients):
            return "554 5.7.1 Message rejected by content policy"
        name = self._sink.keep(envelope.original_content or b"", recipients, str(envelope.mail_from or ""))
        if self._sink.take_fault(MailFault.DROP_AFTER_DOT, recipients) and isinstance(server, _Session):
            server.cut()
        return f"250 2.0.0 Ok: kept as {name[:6]}"


class _Session(SMTP):
    """One connection; knows how to end without a word."""

    def __init__(self, sink: MailSink, **options: Any) -> None:
        self._sink = sink
        self.refuse_login = False
        super().__init__(_Hooks(sink), **options)

    def cut(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._sink.forget(self)
        super().connection_lost(error)

    async def check_auth_needed(self, caller_method: str) -> bool:
        """Ask for credentials where the sink has some; the library's own switch warns about doing so without TLS."""
        if self._sink.settings.user is None or (self.session is not None and self.session.authenticated):
            return False
        await self.push("530 5.7.0 Authentication required")
        return True

    async def smtp_DATA(self, arg: str | None) -> None:
        recipients = [] if self.envelope is None else [str(recipient) for recipient in self.envelope.rcpt_tos]
        if recipients and self._sink.take_fault(MailFault.DROP_BEFORE_DATA, recipients):
            self.cut()
            return
        await super().smtp_DATA(arg)


def _tls_context(settings: MailSettings) -> ssl.SSLContext | None:
    if settings.security is Security.NONE:
        return None
    if settings.certificate is None or settings.key is None:
        raise ValueError("TLS in the mail sink needs a certificate and a key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    return context


def _read_ledger(file: Path) -> list[Delivery]:
    if not file.exists():
        return []
    return [Delivery(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line]
