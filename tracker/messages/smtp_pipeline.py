"""Several SMTP commands in one write, their replies in turn (RFC 2920): a round trip to the server saved for each but one.

The mail library speaks one command at a time and loses a reply that comes with another. So it lends its connection for as
long as the replies take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from aiosmtplib import SMTP, SMTPReadTimeoutError, SMTPResponse, SMTPResponseException, SMTPServerDisconnected

MOST: Final = 32_768
"""Octets of all replies together; what a server says beyond is no reply."""
_LEAVING: Final = 421
_UNREADABLE: Final = -1
"""The code of what is no reply, as the library has it."""


async def exchange(client: SMTP, commands: Sequence[bytes], *, timeout_s: float) -> list[SMTPResponse]:
    """Say *commands* (without line ends) at once; returns their replies.

    They are fewer where the server said that it leaves (421), or was gone before the last. Raises SMTPServerDisconnected
    where there was none at all, SMTPReadTimeoutError where one did not come in time, SMTPResponseException for what is no reply:
    then nobody knows what the server says next, and the connection is of no more use.
    """
    transport, owner = client.transport, client.protocol
    if not isinstance(transport, asyncio.Transport) or owner is None or not owner.is_connected:
        raise SMTPServerDisconnected("Connection lost")
    replies = _Replies(owner, len(commands))
    transport.set_protocol(replies)
    try:
        transport.write(b"".join(command + b"\r\n" for command in commands))
        async with asyncio.timeout(timeout_s):
            await replies.complete
    except TimeoutError as exc:
        raise SMTPReadTimeoutError("Timed out waiting for server response") from exc
    finally:
        transport.set_protocol(owner)
    return replies.heard


class _Replies(asyncio.Protocol):
    """Hears so many replies, and passes the end of the connection on to the protocol it stands in for."""

    def __init__(self, owner: asyncio.Protocol, count: int) -> None:
        self.heard: list[SMTPResponse] = []
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = owner
        self._count = count
        self._buffer = b""
        self._lines: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) + sum(map(len, self._lines)) > MOST:
            self._fail(SMTPResponseException(_UNREADABLE, "Response too long"))
        while not self.complete.done() and b"\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\n")
            self._take(line.strip(b" \t\r"))

    def _take(self, line: bytes) -> None:
        """One line; the last of a reply has no hyphen behind its code."""
        self._lines.append(line[4:].strip())
        if not line[:3].isdigit():
            said = line.decode("utf-8", "ignore")
            self._fail(SMTPResponseException(_UNREADABLE, f"Malformed SMTP response line: {said}"))
        elif line[3:4] != b"-":
            words = b"\n".join(self._lines).decode("utf-8", "surrogateescape")
            self._lines = []
            self.heard.append(SMTPResponse(int(line[:3]), words))
            if len(self.heard) == self._count or self.heard[-1].code == _LEAVING:
                self.complete.set_result(None)

    def eof_received(self) -> bool | None:
        self._end()
        return self._owner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self._owner.connection_lost(exc)

    def _end(self) -> None:
        if self.heard and not self.complete.done():
            self.complete.set_result(None)
        self._fail(SMTPServerDisconnected("Connection lost"))

    def _fail(self, error: Exception) -> None:
        if not self.complete.done():
            self.complete.set_exception(error)
