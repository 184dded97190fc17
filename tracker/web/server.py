"""A listener inside the daemon's own event loop.

Its address is taken before anything else begins, so that a taken port is one clear sentence and not a line in a log; on a
reload the new address is taken before the old one is let go.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from tracker.clock import monotonic_s
from tracker.errors import UsageError
from tracker.log import get_logger
from tracker.web.address import host_and_port

log = get_logger(__name__)
CLOSE_WITHIN_S: Final = 2
SAID_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one listener lends to its callers."""

    connections: int = 64
    """Probes and scrapers are few; more at once are refused with 503 rather than served slowly."""
    connection_s: float = 30.0
    """No connection lives longer: whoever says nothing, or a byte a minute, must not keep the others out."""
    idle_s: int = 15


USUAL: Final = Limits()


class ListenerError(UsageError):
    """The address in the configuration cannot be listened on."""


class _Brief(H11Protocol):
    """A connection that is closed after its time, whatever it is at; uvicorn itself waits for a first request for ever."""

    seconds: ClassVar[float]
    quiet: ClassVar[logging.Logger]
    _end: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.logger = self.quiet
        super().connection_made(transport)
        self._end = self.loop.call_later(self.seconds, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


class _OnceAMinute(logging.Filter):
    """Lets a sentence through once a minute: strangers who send what is no request must not fill the log."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, words = monotonic_s(), str(record.msg)
        if now - self._said.get(words, -SAID_EVERY_S) < SAID_EVERY_S:
            return False
        self._said[words] = now
        return True


def _quiet_logger() -> logging.Logger:
    """Of one listener, into uvicorn's own."""
    logger = logging.Logger("uvicorn.error", logging.WARNING)
    logger.parent = logging.getLogger("uvicorn.error")
    logger.addFilter(_OnceAMinute())
    return logger


class _Server(uvicorn.Server):
    """Signals stay the daemon's: uvicorn would otherwise take SIGTERM first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """One address, from the moment it is taken to `close`."""

    def __init__(self, key: str, address: str, limits: Limits = USUAL) -> None:
        """Take the address. Raises ListenerError.

        Args:
            key: its key in the configuration.
            address: `host:port`.
            limits: what it lends to its callers.
        """
        self._limits = limits
        self.key = key
        self.address = address
        self._sockets = _bound(key, address)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that was taken."""
        return int(self._sockets[0].getsockname()[1])

    def serve(self, app: ASGIApp, on_failure: Callable[[str], None]) -> None:
        """Answer requests from now on; *on_failure* is called once where the server ends by itself."""
        config = uvicorn.Config(
            app,
            http=type("_BriefHere", (_Brief,), {"seconds": self._limits.connection_s, "quiet": _quiet_logger()}),
            ws="none",
            lifespan="off",
            loop="none",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=self._limits.connections,
            timeout_keep_alive=self._limits.idle_s,
            timeout_graceful_shutdown=CLOSE_WITHIN_S,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=self._sockets), name=f"listener {self.key}")
        self._task.add_done_callback(lambda task: self._ended(task, on_failure))
        log.info("web.listening", key=self.key, listener=self.address)

    async def close(self) -> None:
        """Let the address go; requests at hand have two seconds."""
        if self._server is None or self._task is None:
            for one in self._sockets:
                one.close()
            return
        self._server.should_exit = True
        await asyncio.gather(self._task, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None], on_failure: Callable[[str], None]) -> None:
        if self._server is not None and self._server.should_exit:
            return
        error = None if task.cancelled() else task.exception()
        log.error("web.failed", key=self.key, error=type(error).__name__, exc_info=error)
        on_failure(f"the listener {self.key} failed")


def _bound(key: str, address: str) -> list[socket.socket]:
    """A socket for each address behind the name; `localhost` has two where the machine speaks IPv6."""
    host, port = host_and_port(address)
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            try:
                sockets.append(_listening(family, where))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
        if not sockets and missing is not None:
            raise missing
    except OSError as error:
        for one in sockets:
            one.close()
        raise ListenerError(_refusal(key, address, error)) from error
    return sockets


_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""The name has an address that this machine does not have: enough if it has another one."""


def _listening(family: int, where: Any) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        # After a restart the old connections linger for a minute; that is no reason not to start.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(where)
        one.listen(128)
        one.setblocking(False)
    except OSError:
        one.close()
        raise
    return one


def _refusal(key: str, address: str, error: OSError) -> str:
    host, port = host_and_port(address)
    if isinstance(error, socket.gaierror):
        return f"{key}: {address}: no such host name here ({error.strerror}); write an address of this machine"
    advice = {
        errno.EADDRINUSE: "another program has this port; stop it, write another port, or null for none",
        errno.EADDRNOTAVAIL: f"{host} is no address of this machine; write one that is, such as 127.0.0.1:{port}",
        errno.EACCES: "this user may not use this port; write one from 1024 on",
    }.get(error.errno or 0, "write an address of this machine and a free port")
    return f"{key}: {address} cannot be listened on ({os.strerror(error.errno or 0)}): {advice}"
