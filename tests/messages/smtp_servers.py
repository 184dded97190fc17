"""Mail servers for tests, on loopback: a real one (aiosmtpd) that answers as told, and one that follows a script of lines."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
USER, PASSWORD = "loja", "senha de teste"


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for `localhost` and 127.0.0.1, and a context that trusts nothing else."""

    certificate: Path
    key: Path

    @classmethod
    def made_in(cls, folder: Path) -> Certificate:
        made = cls(folder / "certificate.pem", folder / "key.pem")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        files = ["-keyout", str(made.key), "-out", str(made.certificate)]
        subprocess.run([*command, *names, *files], check=True, capture_output=True)
        return made

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


def transport_of(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport


@dataclass
class Answers:
    """The real server's handler: what it answers (None: the usual), and what it saw."""

    mail: list[str] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    dot: list[str] = field(default_factory=list)
    drop_after_dot: bool = False
    sessions: set[int] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)
    accepted: list[bytes] = field(default_factory=list)
    logins: list[tuple[str, bool]] = field(default_factory=list)
    """Each attempt to log in: the mechanism, and whether the line was encrypted."""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions.add(id(session))
        self.steps.append("MAIL")
        answer = self.mail.pop(0) if self.mail else "250 OK"
        if answer.startswith("2"):
            envelope.mail_from = address
        if answer.startswith("421"):
            await server.push(answer)
            transport_of(server).close()
        return answer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.steps.append("RCPT")
        answer = self.rcpt.pop(0) if self.rcpt else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.steps.append("RSET")
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.steps.append("QUIT")
        return "221 bye"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.steps.append("DATA")
        answer = self.dot.pop(0) if self.dot else "250 2.0.0 Ok: queued as 4XyZ12"
        if answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.accepted.append(envelope.content)
        if self.drop_after_dot:
            transport_of(server).abort()
        return answer

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((mechanism, transport_of(server).get_extra_info("sslcontext") is not None))
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        # Not handled: aiosmtpd itself answers "535 5.7.8".
        return AuthResult(success=right, handled=False)


@asynccontextmanager
async def real_server(
    answers: Answers, *, tls: ssl.SSLContext | None = None, starttls: bool = False
) -> AsyncIterator[int]:
    """A whole SMTP server in this event loop; gives its port. With *tls* it starts encrypted, or after STARTTLS."""

    def protocol() -> SMTP:
        return SMTP(
            answers,
            hostname="mx.teste.example",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
            authenticator=answers.authenticate,
            # Behind implicit TLS aiosmtpd does not see that the line is encrypted.
            auth_require_tls=starttls,
            enable_SMTPUTF8=False,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, HOST, 0, ssl=None if starttls else tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


Line = str | None
"""What the scripted server says next; None closes the connection."""


@asynccontextmanager
async def scripted_server(
    script: Callable[[bytes], Line], *, greeting: str | None = "220 mx", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A server that answers each line with what *script* makes of it (empty: say nothing); gives its port.

    *greeting* empty: it says nothing at first; None: it closes at once.
    """

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting is None:
            writer.close()
            return
        if greeting:
            writer.write(f"{greeting}\r\n".encode())
        while line := await reader.readline():
            answer = script(line.rstrip(b"\r\n"))
            if answer is None:
                break
            if answer:
                writer.write(f"{answer}\r\n".encode())
        writer.close()

    server = await asyncio.start_server(talk, HOST, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
