"""The simulated carrier on a loopback port."""

from __future__ import annotations

import socket
import sys
from datetime import UTC
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tracker.sandbox.control import PREFIX, Control, MailDoor
from tracker.sandbox.correios import SimulatedCorreios
from tracker.sandbox.wire import Ending, Request, Response

LOOPBACK = "127.0.0.1"
_MAX_BODY_BYTES = 1_000_000
_HANG_SECONDS = 120
"""How long a silent call keeps its connection at most; a client gives up sooner."""


class CorreiosServer:
    """Serves one simulated carrier and its side door on 127.0.0.1 from a thread of its own."""

    def __init__(self, correios: SimulatedCorreios, *, port: int = 0, mail: MailDoor | None = None) -> None:
        """Bind at once; port 0 takes a free one. Raises OSError where the port is taken."""
        self._server = _Server(correios, Control(correios, mail), port)
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox-http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and cut every connection, kept-alive ones too: a restarted sandbox must be reached anew."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.stopping.set()
        self._server.server_close()
        self._server.cut_connections()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, correios: SimulatedCorreios, control: Control, port: int) -> None:
        self.correios = correios
        self.control = control
        self.stopping = Event()
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((LOOPBACK, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no fault of the sandbox; anything else is, and shows."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def cut_connections(self) -> None:
        with self._lock:
            still_open, self._open = self._open, set()
        for connection in still_open:
            _cut(connection)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > _MAX_BODY_BYTES:
            self.send_error(413)
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(size),
        )
        door = self.server.control if request.path.startswith(PREFIX) else self.server.correios
        self._finish(door.handle(request))

    def _finish(self, response: Response) -> None:
        if response.ending is Ending.ANSWER:
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)
            return
        if response.ending is Ending.HANG:
            self.server.stopping.wait(_HANG_SECONDS)
        self.close_connection = True
        _cut(self.connection)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header follows the sandbox clock, as all else here."""
        return format_datetime(self.server.correios.clock.now().astimezone(UTC), usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """The ledger of calls stands in for an access log."""


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
