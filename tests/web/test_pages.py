"""The pages over a real listener in the test's own loop."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from tests.engine.support import until
from tests.web.support import Answer, get
from tracker.engine.base import Health, LaneHealth
from tracker.errors import DatabaseFaultError
from tracker.web import pages, server
from tracker.web.pages import machine_pages
from tracker.web.server import Limits, Listener, ListenerError

pytestmark = pytest.mark.anyio
WELL = Health((LaneHealth("poll:a", None, datetime(2026, 11, 24, tzinfo=UTC), 0, False, False),))


async def answers() -> None:
    """A database that answers."""


@dataclass(frozen=True)
class Site:
    """Pages on a port; called with a path, it asks for that page."""

    port: int

    async def __call__(self, path: str, method: str = "GET", host: str | None = None) -> Answer:
        return await asyncio.to_thread(get, self.port, path, method, host)


@asynccontextmanager
async def listening(
    ask_database: Callable[[], Awaitable[object]] = answers, limits: Limits = server.USUAL
) -> AsyncIterator[Site]:
    listener = Listener("web.operator", "127.0.0.1:0", limits)
    app = machine_pages(
        health=lambda: WELL,
        is_stopping=lambda: False,
        ask_database=ask_database,
        metrics_text=lambda: b"tracker_up 1\n",
        hosts={"loja"},
    )
    failures: list[str] = []
    listener.serve(app, failures.append)
    port = listener.port
    try:
        yield Site(port)
    finally:
        await listener.close()
    assert failures == []
    with pytest.raises(OSError):
        get(port, "/healthz")


async def test_the_three_pages() -> None:
    async with listening() as ask:
        alive, ready, metrics = await ask("/healthz"), await ask("/readyz"), await ask("/metrics")
    assert (alive.status, alive.text) == (200, "ok\n")
    assert (ready.status, json.loads(ready.text)) == (200, {"ready": True, "lanes": 1, "faults": []})
    assert (metrics.status, metrics.text) == (200, "tracker_up 1\n")
    assert metrics.headers["content-type"].startswith("text/plain; version=")
    assert {page.headers["cache-control"] for page in (alive, ready, metrics)} == {"no-store"}


@pytest.mark.parametrize(
    ("path", "method", "host", "status"),
    [
        pytest.param("/healthz", "HEAD", None, 200, id="HEAD"),
        pytest.param("/healthz", "POST", None, 405, id="POST"),
        pytest.param("/metrics", "DELETE", None, 405, id="DELETE"),
        pytest.param("/healthz/", "GET", None, 404, id="a slash too many"),
        pytest.param("/", "GET", None, 404, id="no page there yet"),
        pytest.param("/../etc/passwd", "GET", None, 404, id="out of the house"),
        pytest.param("/healthz", "GET", "loja:8080", 200, id="by the machine's name"),
        pytest.param("/metrics", "GET", "rebind.example", 421, id="by another's name"),
    ],
)
async def test_what_is_answered_to_whom(path: str, method: str, host: str | None, status: int) -> None:
    async with listening() as ask:
        answer = await ask(path, method, host)
    assert answer.status == status
    assert "<" not in answer.text
    assert "server" not in answer.headers


async def test_a_database_that_cannot_be_worked_with_is_named() -> None:
    async def full() -> None:
        raise DatabaseFaultError("/data/tracker.db: the disk is full")

    async with listening(full) as ask:
        answer = await ask("/readyz")
    faults = json.loads(answer.text)["faults"]
    assert (answer.status, faults) == (503, [{"part": "database", "why": "/data/tracker.db: the disk is full"}])


async def test_a_fault_nobody_foresaw_is_named_without_its_words() -> None:
    async def broken() -> None:
        raise ValueError("fulana@example.com")

    async with listening(broken) as ask:
        answer = await ask("/readyz")
    assert (answer.status, json.loads(answer.text)["faults"][0]["why"]) == (503, "ValueError")


async def test_a_database_that_hangs_is_asked_once_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "DATABASE_PATIENCE_S", 0.05)
    asked, go = 0, asyncio.Event()

    async def hang() -> None:
        nonlocal asked
        asked += 1
        await go.wait()

    async with listening(hang) as ask:
        late = [await ask("/readyz"), await ask("/readyz")]
        assert [answer.status for answer in late] == [503, 503]
        assert asked == 1
        go.set()
        await asyncio.sleep(0)
        assert (await ask("/readyz")).status == 200


async def test_signals_stay_the_daemon_s() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with listening() as ask:
        await ask("/healthz")
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_a_client_that_never_asks_does_not_hold_up_the_end() -> None:
    async with listening() as ask:
        await ask("/healthz")
        idle = socket.create_connection(("127.0.0.1", ask.port))
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < 4
    idle.close()


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with listening(limits=Limits(connection_s=0.1)) as ask:
        reader, writer = await asyncio.open_connection("127.0.0.1", ask.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: loja\r\nX-Slow: ")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", b"200", id="a probe over HTTP/1.0 without a host"),
        pytest.param(b"GET /healthz HTTP/1.1\r\n\r\n", b"400", id="HTTP/1.1 without a host"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", b"400", id="somebody speaks TLS"),
        pytest.param(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"400", id="an endless address"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400", id="two hosts"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: loja\r\nX: a\x00b\r\n\r\n", b"400", id="a zero byte"),
    ],
)
async def test_what_is_no_request_harms_nothing(sent: bytes, status: bytes) -> None:
    async with listening() as ask:
        reader, writer = await asyncio.open_connection("127.0.0.1", ask.port)
        writer.write(sent)
        if status == b"400" and not sent.endswith(b"\r\n\r\n"):
            writer.write(b"\r\n\r\n")
        answer = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        assert answer.split()[1] == status
        assert (await ask("/healthz")).status == 200


async def test_more_connections_than_allowed_are_refused_and_not_served_slowly() -> None:
    async with listening() as ask:
        held = [await asyncio.open_connection("127.0.0.1", ask.port) for _ in range(server.USUAL.connections)]
        assert (await ask("/healthz")).status == 503
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        # The listener hears of each end in its own turn.
        statuses = [(await ask("/healthz")).status for _ in range(20)]
        assert statuses[-1] == 200


async def test_a_listener_that_ends_by_itself_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_self: object, _counter: int) -> bool:
        raise RuntimeError("no")

    monkeypatch.setattr(server._Server, "on_tick", broken)
    listener = Listener("web.operator", "127.0.0.1:0")
    failures: list[str] = []
    with capture_logs() as logs:
        listener.serve(PlainTextResponse("ok"), failures.append)
        await until(lambda: bool(failures))
        await listener.close()
    assert failures == ["the listener web.operator failed"]
    assert [line["error"] for line in logs if line["event"] == "web.failed"] == ["RuntimeError"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        pytest.param("127.0.0.1:{taken}", "another program has this port; stop it, write another port", id="taken"),
        pytest.param("192.0.2.1:8080", "192.0.2.1 is no address of this machine", id="another machine's"),
        pytest.param("no-such-host.invalid:8080", "no such host name here", id="no such name"),
    ],
)
def test_an_address_that_cannot_be_had_is_one_sentence(address: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        written = address.format(taken=other.getsockname()[1])
        with pytest.raises(ListenerError) as refused:
            Listener("web.operator", written)
    assert str(refused.value).startswith(f"web.operator: {written}")
    assert words in str(refused.value)
    assert refused.value.exit_code == 2
