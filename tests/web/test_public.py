"""The public listener: hooks and nothing else, and what strangers may do to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tracker.web import public
from tracker.web.public import LIMITS, MOST_BYTES, PublicPages
from tracker.web.server import Listener

pytestmark = pytest.mark.anyio
SAFE = {
    "cache-control": "no-store",
    "connection": "close",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True)
class Said:
    status: int = 200
    body: bytes = b"taken"
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Retry-After": "60"})


@dataclass
class Site:
    """The listener with one account's hook, and what came through to it."""

    port: int = 0
    came: list[tuple[str, str, Mapping[str, str], str, bytes]] = field(default_factory=list)

    async def receive(self, *request: object) -> Said:
        self.came.append(request)  # type: ignore[arg-type]
        return Said()

    async def __call__(self, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """One request as it is written; the answer as it comes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        first, _, rest = answer.partition(b"\r\n\r\n")
        lines = first.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), headers, rest


@asynccontextmanager
async def listening() -> AsyncIterator[Site]:
    site = Site()
    listener = Listener(public.KEY, "127.0.0.1:0", LIMITS)
    listener.serve(PublicPages(has_hook=lambda account: account == "flecha", receive=site.receive), lambda _why: None)
    site.port = listener.port
    try:
        yield site
    finally:
        await listener.close()


def posted(length: object, *headers: str) -> str:
    return "\n".join(["POST /hooks/flecha?a=1 HTTP/1.1", "Host: loja", f"Content-Length: {length}", *headers])


async def test_a_hook_gets_the_bytes_as_they_came() -> None:
    async with listening() as site:
        headers = ("X-Sign: Abc=", "X-Twice: 1", "x-twice: 2", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1")
        status, shown, body = await site(posted(4, *headers), b"\x00{} ")
    assert (status, body, shown["retry-after"], shown["content-type"]) == (
        200,
        b"taken",
        "60",
        "text/plain; charset=utf-8",
    )
    assert SAFE.items() <= shown.items()
    assert "server" not in shown
    ((account, method, given, query, came),) = site.came
    assert (account, method, query, came) == ("flecha", "POST", "a=1", b"\x00{} ")
    assert (given["x-sign"], given["x-twice"]) == ("Abc=", "1, 2")
    assert not {"x-forwarded-for", "forwarded"} & given.keys()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param("GET / HTTP/1.1", 404, id="nothing is at the root"),
        pytest.param("GET /metrics HTTP/1.1", 404, id="nor the operator's metrics"),
        pytest.param("GET /healthz HTTP/1.1", 404, id="nor its health"),
        pytest.param("GET /readyz HTTP/1.1", 404, id="nor its readiness"),
        pytest.param("GET /hooks HTTP/1.1", 404, id="no list of hooks"),
        pytest.param("POST /hooks/outra HTTP/1.1\nContent-Length: 0", 404, id="an account without one"),
        pytest.param("POST /hooks/flecha/ HTTP/1.1\nContent-Length: 0", 404, id="a slash too many"),
        pytest.param("POST /hooks/..%2fmetrics HTTP/1.1\nContent-Length: 0", 404, id="a way around"),
        pytest.param("PUT /hooks/flecha HTTP/1.1\nContent-Length: 0", 405, id="another method"),
        pytest.param("POST /hooks/outra HTTP/1.1\nContent-Length: 900000000", 404, id="no body is read for nobody"),
    ],
)
async def test_of_what_is_not_there_nothing_is_told(line: str, status: int) -> None:
    async with listening() as site:
        answer, headers, body = await site(f"{line}\nHost: loja")
    assert (answer, body, site.came) == (status, b"", [])
    assert SAFE.items() <= headers.items()


async def test_a_probe_by_head_has_no_body() -> None:
    async with listening() as site:
        status, _, body = await site("HEAD /hooks/flecha HTTP/1.1\nHost: loja")
    assert (status, body, site.came[0][1]) == (200, b"", "HEAD")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param(posted(MOST_BYTES + 1), b"", id="by its own word"),
        pytest.param(posted("9" * 40), b"", id="by a word without end"),
        pytest.param(
            "POST /hooks/flecha HTTP/1.1\nHost: loja\nTransfer-Encoding: chunked",
            b"%x\r\n" % (MOST_BYTES + 1) + b"a" * (MOST_BYTES + 1) + b"\r\n0\r\n\r\n",
            id="without a word of it",
        ),
    ],
)
async def test_what_is_too_large_is_not_taken(head: str, body: bytes) -> None:
    async with listening() as site:
        status, _, _ = await site(head, body)
        assert status in {400, 413}
        assert (await site(posted(2), b"{}"))[0] == 200
    assert len(site.came) == 1


async def test_the_largest_body_is_taken_whole() -> None:
    async with listening() as site:
        assert (await site(posted(MOST_BYTES), b"a" * MOST_BYTES))[0] == 200
    assert site.came[0][4] == b"a" * MOST_BYTES


async def test_a_sender_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "BODY_WITHIN_S", 0.1)
    async with listening() as site:
        assert (await site(posted(100), b"a few"))[0] == 408
    assert site.came == []


async def test_one_that_goes_away_in_the_middle_harms_nobody() -> None:
    async with listening() as site:
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(posted(100).replace("\n", "\r\n").encode() + b"\r\n\r\na few")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await site(posted(2), b"{}"))[0] == 200
    assert [request[4] for request in site.came] == [b"{}"]


async def test_a_flood_of_what_is_no_request_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as site:
        for _ in range(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(b"\x16\x03\x01 no request\r\n\r\n")
            assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 400")
            writer.close()
        assert (await site(posted(2), b"{}"))[0] == 200
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == [
        "Invalid HTTP request received."
    ]
