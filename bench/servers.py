"""The other ends of the measurements, each in a process of its own and as quick as Python allows.

`python -m bench.servers carrier|mail` prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from urllib.request import urlopen

from bench.parcels import body_of


class Carrier(asyncio.Protocol):
    """Answers batches of tracking codes. `/round/N` moves the world on; `/calls` tells how often it was asked."""

    round = 0
    calls = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Requests here have no body: each ends with an empty line."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
            body = self._answer(head.split(b" ", 2)[1].decode())
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )

    @staticmethod
    def _answer(target: str) -> bytes:
        path, _, query = target.partition("?")
        if path.startswith("/round/"):
            Carrier.round = int(path.removeprefix("/round/"))
        if not query:
            return b"%d" % Carrier.calls
        Carrier.calls += 1
        codes = [part[15:] for part in query.split("&") if part.startswith("codigosObjetos=")]
        return body_of(codes, Carrier.round)


class Mail(asyncio.Protocol):
    """Takes every message, as an SMTP server does, and keeps none."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""
        self._text = False
        transport.write(b"220 sink ready\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = b"\r\n.\r\n" if self._text else b"\r\n"
            part, found, rest = self._buffer.partition(end)
            if not found:
                return
            self._buffer = rest
            self._text = not self._text and part.upper() == b"DATA"
            self._transport.write(self._reply(part) if end == b"\r\n" else b"250 taken\r\n")
            if part.upper() == b"QUIT":
                self._transport.close()
                return

    @staticmethod
    def _reply(line: bytes) -> bytes:
        verb = line[:4].upper()
        return {
            b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 SIZE 10000000\r\n",
            b"DATA": b"354 go on\r\n",
            b"QUIT": b"221 bye\r\n",
        }.get(verb, b"250 ok\r\n")


async def _serve(protocol: type[asyncio.Protocol]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextlib.contextmanager
def running(module: str, *words: str) -> Iterator[int]:
    """Start a server, `python -m MODULE WORDS` that prints its port and serves until its input ends; gives the port."""
    command = [sys.executable, "-m", module, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)


def ask(port: int, path: str) -> int:
    """One call to the carrier's controls; its count of tracking calls."""
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return int(answer.read())


if __name__ == "__main__":
    asyncio.run(_serve({"carrier": Carrier, "mail": Mail}[sys.argv[1]]))
